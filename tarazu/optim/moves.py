"""How an optimizer moves its parameters in eager code: operation by operation at first, compiled once that pays."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable

import numpy as np

from tarazu.base.spelling import is_ours
from tarazu.ir.interpreter import state
from tarazu.runtime.compile import runs_native
from tarazu.runtime.jit.jit import JitInFull
from tarazu.runtime.tensor.tensor import Tensor

CALLS = 100  # operation by operation: they take about as long as compiling does, for any number of parameters
MOST_BYTES = 2**25  # of parameters: a program holds all new state at once, beside the old


class Moves:
    """What an optimizer keeps of it: how often it has moved, and the compiled functions."""

    def __init__(self) -> None:
        self._calls = 0
        self._compiled: dict[Hashable, Callable[..., None]] = {}  # by the keys of the dicts that they take

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return Moves, ()  # a copy belongs to another optimizer

    def __call__(self, move: Callable[..., None], parts: Callable[[], Iterable[object]], parameters: Iterable[Tensor],
                 *arguments: dict[int, Tensor]) -> None:
        """Call `move(*arguments)`, in time as a compiled function. `parts()` are what it calls: those of users may do
        anything, and are not compiled."""
        if self._calls < CALLS or not state.interpreter.compiles_often:
            self._calls += 1
            move(*arguments)
            return
        keys = tuple(map(tuple, arguments))
        compiled = self._compiled.get(keys)
        if compiled is None:
            parameters = list(parameters)
            is_small = sum(x.raw.nbytes for x in parameters if isinstance(x.raw, np.ndarray)) <= MOST_BYTES
            may_compile = is_small and runs_native() and all(map(_is_ours, parts()))
            function = _of_tensors(move, keys)
            compiled = self._compiled[keys] = JitInFull(function) if may_compile else function
        compiled(*itertools.chain.from_iterable(map(dict.values, arguments)))


def _of_tensors(move: Callable[..., None], keys: Iterable[tuple[int, ...]]) -> Callable[..., None]:
    """`move` as a function of the tensors in its dicts, which have these keys: calls of it are matched faster."""
    def moved(*tensors: Tensor) -> None:
        rest = iter(tensors)
        move(*[{key: next(rest) for key in part} for part in keys])
    return moved


def _is_ours(part: object) -> bool:
    kind = part if isinstance(part, type) or hasattr(part, "__qualname__") else type(part)
    return is_ours(str(getattr(kind, "__module__", "")))
