"""Gradient tapes, as users of TensorFlow know them, on top of the one tape that every tensor is recorded on."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from typing import Any, TypeAlias

from tarazu.base.errors import ArgumentError, GradientError
from tarazu.base.pytree import map_leaves
from tarazu.ir.interpreter import state
from tarazu.ops.create import ones_like
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike, Tree
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.transform.gradient.notes import Hook
from tarazu.transform.gradient.tape import EVERYTHING, USER, Leaf, TapeEntry, ignoring
from tarazu.transform.gradient.vjp import walk_back


class _OpenTapes(threading.local):
    count = 0  # how many `with GradientTape()` blocks are running


_open_tapes = _OpenTapes()

Targets: TypeAlias = Tensor | list[Tensor] | tuple[Tensor, ...]
Weights: TypeAlias = "ArrayLike | list[ArrayLike | None] | tuple[ArrayLike | None, ...] | None"


class GradientTape:
    """A block in which operations on variables, and on what is watched, are recorded for `gradient`.

    `gradient` may be called once, with `persistent` any number of times. Tapes nest for higher derivatives.

    >>> import tarazu as tz
    >>> x = tz.tensor(3.0)
    >>> with tz.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> tape.gradient(y, x)
    Tensor(6., dtype=float32)
    """

    def __init__(self, persistent: bool = False) -> None:
        self.persistent = persistent
        self._watched: dict[int, tuple[Tensor, Leaf]] = {}
        self._is_used = self._is_open = False

    def __enter__(self) -> GradientTape:
        self._is_open = True
        _open_tapes.count += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._is_open = False
        _open_tapes.count -= 1
        for x, leaf in self._watched.values():
            if x.tape_entry is leaf:
                x.tape_entry = None

    def watch(self, x: Tensor | Sequence[Tensor]) -> None:
        """Record what is done with `x`, a constant of float dtype or several; GradientError for anything else.

        >>> import tarazu as tz
        >>> x = tz.tensor([1.0, 2.0])
        >>> with tz.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = (x ** 3).sum()
        >>> tape.gradient(y, x)
        Tensor([ 3., 12.], dtype=float32)
        """
        for one in x if isinstance(x, list | tuple) else [x]:
            if not isinstance(one, Tensor) or not one.dtype.is_float:
                what = f"a tensor of {one.dtype}" if isinstance(one, Tensor) else type(one).__name__
                raise GradientError(f"watch() of {what}", expected="a tensor of a float dtype",
                                    fix="make it one first: x = tz.tensor(value, tz.float32)")
            if one.tape_entry is None:
                state.interpreter.rebind(one, one)  # so that a trace knows it as its own
                leaf = one.tape_entry = Leaf(USER)
                self._watched[id(one)] = one, leaf

    def gradient(self, target: Targets, sources: Tree, output_gradients: Weights = None) -> Any:
        """The gradient of `target` (the sum of its elements, or of several) in the nesting and shapes of `sources`.

        None stands where the target does not depend on a source. `output_gradients` are weights of the shape of the
        target, or a list of such for several. GradientError for a source that was not watched, and when a tape that is
        not persistent is asked twice; ArgumentError for a source that is no tensor, and for another number of weights.

        >>> import tarazu as tz
        >>> w, b = tz.Variable([1.0, 2.0]), tz.Variable(0.0)
        >>> with tz.GradientTape() as tape:
        ...     loss = (w * 3.0).sum()
        >>> tape.gradient(loss, {"w": w, "b": b})
        {'w': Tensor([3., 3.], dtype=float32), 'b': None}
        """
        if self._is_used and not self.persistent:
            raise GradientError("gradient() of a tape that was asked before", expected="one call per tape",
                                fix="write tz.GradientTape(persistent=True), or ask for all gradients in one call")
        self._is_used = True
        entries: dict[int, TapeEntry] = {}
        map_leaves(lambda x: entries.setdefault(id(x), self._entry_of(x)), sources)
        ends = list(target) if isinstance(target, list | tuple) else [target]
        gradients = self._go_back(ends, _cotangents(ends, output_gradients), list(entries.values()))
        return map_leaves(lambda x: gradients.get(entries[id(x)]), sources)

    def _entry_of(self, x: object) -> TapeEntry:
        """Where a source is on the tape."""
        if not isinstance(x, Tensor):
            raise ArgumentError(f"the gradient with respect to {type(x).__name__}", expected="tensors or variables",
                                fix="pass the tensor that the target was computed from")
        _, leaf = self._watched.get(id(x), (x, None))
        entry = leaf or x.tape_entry
        if entry is None:
            raise GradientError("the gradient with respect to a tensor that the tape did not watch",
                                expected="a trainable tz.Variable, or a tensor that tape.watch was told of",
                                fix="call tape.watch(x) before x is used")
        return entry

    def _go_back(self, ends: list[Tensor], starts: list[Tensor],
                 entries: Sequence[TapeEntry]) -> dict[TapeEntry, Tensor]:
        """The gradients by tape entry; those of intermediate results are seen by hooks on the way to the leaves."""
        others_record = _open_tapes.count > self._is_open
        seen: dict[TapeEntry, Tensor] = {}
        hooks = [Hook(entry, functools.partial(seen.__setitem__, entry))
                 for entry in entries if not isinstance(entry, Leaf)]
        with ignoring(0 if others_record else EVERYTHING):
            by_leaf = walk_back([y.tape_entry for y in ends], starts, USER,
                                free=not (self.persistent or others_record))
        for hook in hooks:
            hook.remove()
        return by_leaf | seen


def _cotangents(ends: list[Tensor], weights: Weights) -> list[Tensor]:
    """The cotangent of each target; None stands for ones."""
    several = list(weights) if isinstance(weights, list | tuple) else [weights] * len(ends)
    if len(several) != len(ends):
        raise ArgumentError(f"{len(several)} output_gradients for {len(ends)} targets", expected="one for each target",
                            fix="pass a tensor for a single target, a list for several")
    return [ones_like(y.detach()) if weight is None else as_value(weight, y.dtype)
            for y, weight in zip(ends, several, strict=True)]
