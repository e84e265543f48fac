"""Generators of random numbers: a state that a seed starts and every draw advances."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.state_dicts import require_same_state
from tarazu.ir.interpreter import state as interpreter_state
from tarazu.ops.random import bits as draw
from tarazu.runtime.device import FollowsDevice, values
from tarazu.runtime.jit.likeness import follow
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace_lock import replace_data, wait_for_trace


class RandomState(FollowsDevice, Tensor):
    """The state of a generator: four words, which go to wherever numbers are drawn."""

    __slots__ = ()


class Generator:
    """A stream of random numbers that a seed starts; the same seed gives the same numbers on every backend.

    ArgumentError unless the seed is a whole number from 0 to 2**64 - 1.

    >>> import tarazu as tz
    >>> a, b = tz.random.Generator(7), tz.random.Generator(7)
    >>> bool((tz.random.normal(3, generator=a) == tz.random.normal(3, generator=b)).all())
    True
    """

    def __init__(self, seed: int = 0) -> None:
        self.state = RandomState(_first_state(seed))

    def seed(self, seed: int) -> None:
        """Start again from `seed`; ArgumentError unless it is a whole number from 0 to 2**64 - 1.

        >>> import tarazu as tz
        >>> generator = tz.random.Generator(7)
        >>> first = tz.random.normal(3, generator=generator)
        >>> generator.seed(7)
        >>> bool((tz.random.normal(3, generator=generator) == first).all())
        True
        """
        self.state.copy_(_first_state(seed))

    def next_state(self) -> Tensor:
        """A state that no draw has used before, for one draw of any shape; the generator's own is advanced.

        >>> import tarazu as tz
        >>> generator = tz.random.Generator(7)
        >>> generator.next_state().tolist(), generator.next_state().tolist()
        ([7, 0, 0, 0], [7, 0, 1, 0])
        """
        if not interpreter_state.interpreter.is_tracing:  # what is drawn eagerly is drawn on the plain CPU
            words = values(wait_for_trace(self.state))
            replace_data(self.state, _advanced(words))
            return Tensor(words)
        now = self.state.detach()
        self.state.copy_(draw.advance(self.state))
        return now

    def split(self, n: int) -> list[Generator]:
        """`n` generators whose streams are independent of each other and of this one's further draws.

        >>> import tarazu as tz
        >>> first, second = tz.random.Generator(7).split(2)
        >>> bool((first.state == second.state).all())
        False
        """
        seeds = draw.wide_bits(self.next_state(), (n,)).tolist()
        return [Generator(seed) for seed in seeds]

    def state_dict(self) -> dict[str, list[int]]:
        """The state, four words by the name "state", to go on from later.

        >>> import tarazu as tz
        >>> tz.random.Generator(7).state_dict()
        {'state': [7, 0, 0, 0]}
        """
        return {"state": self.state.tolist()}

    def load_state_dict(self, content: Mapping[str, Sequence[int]]) -> None:
        """Go on from what `state_dict` gave; ArgumentError for other names, ShapeError unless it is four words.

        >>> import tarazu as tz
        >>> a, b = tz.random.Generator(7), tz.random.Generator(8)
        >>> b.load_state_dict(a.state_dict())
        >>> bool((tz.random.normal(3, generator=a) == tz.random.normal(3, generator=b)).all())
        True
        """
        arrays = {name: np.array(words, np.uint32) for name, words in content.items()}
        require_same_state("generator", {"state": self.state}, arrays)
        self.state.copy_(arrays["state"])


def _advanced(words: np.ndarray) -> np.ndarray:
    """What `draw.advance` gives for a state in memory, without the cost of its operations."""
    after = words.copy()
    after[2:].view(np.uint64)[...] += 1  # the count of the draws
    return after


def _first_state(seed: int) -> np.ndarray:
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ArgumentError(f"seed {seed!r}", expected="a whole number from 0 to 2**64 - 1",
                            fix="pass for example seed=0")
    return np.array([seed & 0xFFFFFFFF, int(seed) >> 32, 0, 0], np.uint32)


default = Generator(0)
_in_place_of_default: ContextVar[Generator | None] = ContextVar("_in_place_of_default", default=None)


def current_default() -> Generator:
    """The generator of draws that name none: the global one, but for blocks of `drawing_from`."""
    return _in_place_of_default.get() or default


follow(current_default)


@contextlib.contextmanager
def drawing_from(generator: Generator) -> Iterator[None]:
    """A block in which draws that name no generator take `generator`, in this thread; the global one stays as it is.

    >>> import tarazu as tz
    >>> before = default.state.tolist()
    >>> with drawing_from(Generator(7)):
    ...     _ = tz.random.normal(3)
    >>> default.state.tolist() == before
    True
    """
    before = _in_place_of_default.set(generator)
    try:
        yield
    finally:
        _in_place_of_default.reset(before)


def seed(seed: int) -> None:
    """Start the global generator again from `seed`; at import it starts from 0.

    ArgumentError unless the seed is a whole number from 0 to 2**64 - 1.

    >>> import tarazu as tz
    >>> tz.random.seed(3)
    >>> first = tz.random.normal(2)
    >>> tz.random.seed(3)
    >>> bool((tz.random.normal(2) == first).all())
    True
    """
    current_default().seed(seed)
