"""`tz.random`: generators, and random numbers from the global one or one of your own.

A generator's state is a tensor, so random numbers are the same, and go on the same way, eagerly and under `jit`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.base.dtypes import DEFAULT_FLOAT, as_dtype
from tarazu.base.errors import ArgumentError
from tarazu.ops import random as draw
from tarazu.ops.index import take
from tarazu.ops.promote import as_value
from tarazu.ops.shape import normalise_shape
from tarazu.runtime.tensor import Tensor


class Generator:
    """A stream of random numbers that a seed starts; the same seed gives the same numbers on every backend.

    >>> import tarazu as tz
    >>> a, b = tz.random.Generator(7), tz.random.Generator(7)
    >>> bool((tz.random.normal(3, generator=a) == tz.random.normal(3, generator=b)).all())
    True
    """

    def __init__(self, seed: int = 0) -> None:
        self.state = Tensor(_first_state(seed))

    def seed(self, seed: int) -> None:
        """Start again from `seed`."""
        self.state.copy_(_first_state(seed))

    def next_state(self) -> Tensor:
        """A state that no draw has used before."""
        now = self.state.detach()
        self.state.copy_(draw.advance(self.state))
        return now

    def split(self, n: int) -> list[Generator]:
        """`n` generators whose streams are independent of each other and of this one's further draws."""
        seeds = draw.wide_bits(self.next_state(), (n,)).tolist()
        return [Generator(seed) for seed in seeds]

    def state_dict(self) -> dict[str, list[int]]:
        """The state, to go on from later."""
        return {"state": self.state.tolist()}

    def load_state_dict(self, content: dict[str, list[int]]) -> None:
        """Go on from a saved state."""
        self.state.copy_(np.array(content["state"], np.uint32))


def _first_state(seed: int) -> np.ndarray:
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ArgumentError(f"seed {seed!r}", expected="a whole number from 0 to 2**64 - 1",
                            fix="pass for example seed=0")
    return np.array([seed & 0xFFFFFFFF, int(seed) >> 32, 0, 0], np.uint32)


default = Generator(0)


def seed(seed: int) -> None:
    """Start the global generator again from `seed`; at import it starts from 0."""
    default.seed(seed)


def _drawn(function: Callable[..., Any], generator: Generator | None, *args: Any) -> Any:
    return function((generator or default).next_state(), *args)


def uniform(shape: Any = (), low: float = 0.0, high: float = 1.0, *, dtype: Any = None,
            generator: Generator | None = None) -> Any:
    """Uniform numbers from `low` up to but not with `high`."""
    numbers = _drawn(draw.uniform, generator, normalise_shape(shape, "uniform"), as_dtype(dtype or DEFAULT_FLOAT))
    return numbers if (low, high) == (0.0, 1.0) else numbers * (high - low) + low


def normal(shape: Any = (), mean: float = 0.0, std: float = 1.0, *, dtype: Any = None,
           generator: Generator | None = None) -> Any:
    """Normal numbers of the given mean and standard deviation."""
    numbers = _drawn(draw.normal, generator, normalise_shape(shape, "normal"), as_dtype(dtype or DEFAULT_FLOAT))
    return numbers if (mean, std) == (0.0, 1.0) else numbers * std + mean


def randint(low: int, high: int | None = None, shape: Any = (), *, generator: Generator | None = None) -> Any:
    """Whole numbers from `low` (0 when only one bound is given) up to but not with `high`."""
    low, high = (0, low) if high is None else (low, high)
    return _drawn(draw.randint, generator, low, high, normalise_shape(shape, "randint"))


def bernoulli(probability: float, shape: Any = (), *, generator: Generator | None = None) -> Any:
    """True with the given probability, False otherwise."""
    return _drawn(draw.bernoulli, generator, probability, normalise_shape(shape, "bernoulli"))


def permutation(x: Any, *, generator: Generator | None = None) -> Any:
    """The numbers below `x` in random order, or the rows of the tensor `x` in random order."""
    if isinstance(x, int):
        return _drawn(draw.permutation, generator, x)
    x = as_value(x)
    return take(x, _drawn(draw.permutation, generator, x.shape[0]))


def randn(*shape: Any, requires_grad: bool = False, dtype: Any = None) -> Tensor:
    """Standard normal numbers; the shape as numbers or as one tuple."""
    sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    return normal(sizes, dtype=dtype).requires_grad_(requires_grad)

