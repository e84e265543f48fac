"""Generators of random numbers: a state that a seed starts and every draw moves on."""

from __future__ import annotations

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.ir.interpreter import state as interpreter_state
from tarazu.ops.random import bits as draw
from tarazu.runtime.device import FollowsDevice, values
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace_lock import replace_data, wait_for_trace


class RandomState(FollowsDevice, Tensor):
    """The state of a generator: small, and wanted wherever something is drawn."""

    __slots__ = ()


class Generator:
    """A stream of random numbers that a seed starts; the same seed gives the same numbers on every backend.

    >>> import tarazu as tz
    >>> a, b = tz.random.Generator(7), tz.random.Generator(7)
    >>> bool((tz.random.normal(3, generator=a) == tz.random.normal(3, generator=b)).all())
    True
    """

    def __init__(self, seed: int = 0) -> None:
        self.state = RandomState(_first_state(seed))

    def seed(self, seed: int) -> None:
        """Start again from `seed`."""
        self.state.copy_(_first_state(seed))

    def next_state(self) -> Tensor:
        """A state that no draw has used before."""
        if interpreter_state.interpreter.scopes is None:  # what is drawn eagerly is drawn on the plain CPU
            replace_data(self.state, values(wait_for_trace(self.state)))
        now = self.state.detach()
        self.state.copy_(draw.advance(self.state))
        return now

    def split(self, n: int) -> list[Generator]:
        """`n` generators whose streams are independent of each other and of this one's further draws.

        >>> import tarazu as tz
        >>> first, second = tz.random.Generator(7).split(2)
        """
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
    """Start the global generator again from `seed`; at import it starts from 0.

    >>> import tarazu as tz
    >>> tz.random.seed(3)
    """
    default.seed(seed)
