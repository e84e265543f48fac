"""The gradient tape: for each tracked result its primitive, the values that went in, and where those came from.

A mask says who tracks a value: bit 0 the tensors that a user set `requires_grad` on, and a further bit for each
`grad` that is under way. It tells in one step whether to record, and, on the way back, which links lead to where a
gradient is wanted.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from typing import Any

from tarazu.base.errors import GradientError
from tarazu.ir.op import Op
from tarazu.transform.gradient.notes import Notes, notes_of

USER = 1  # the mask of tensors with requires_grad
EVERYTHING = -1
_order = itertools.count(1)


class _TapeState(threading.local):
    ignored = 0  # the mask bits for which nothing is recorded now: EVERYTHING inside no_grad
    depth = 0  # how many `grad` are under way
    is_forward = False  # whether the walk under way only serves to be differentiated itself, as in `jvp`


tape_state = _TapeState()


class Leaf:
    """Where the tape begins: a tensor that is not the result of anything tracked."""

    __slots__ = ("_handle", "mask", "notes")
    index = 0
    order = 0

    def __init__(self, mask: int, handle: Any = None) -> None:
        self.mask = mask
        self.notes: Notes | None = None
        self._handle = weakref.ref(handle) if handle is not None else None

    @property
    def handle(self) -> Any:
        """The tensor whose `.grad` collects, if it is still there."""
        return self._handle() if self._handle is not None else None

    @property
    def node(self) -> Leaf:
        return self

    @property
    def is_alive(self) -> bool:
        return True


class TapeNode:
    """One recorded primitive; it is also the link of its first result."""

    __slots__ = ("attributes", "inputs", "mask", "notes", "op", "order", "outputs", "tape_entries")
    index = 0

    def __init__(self, op: Op, attributes: dict[str, Any], inputs: Any, entries: Any, outputs: Any, mask: int) -> None:
        self.op, self.attributes = op, attributes
        self.inputs, self.tape_entries, self.outputs = inputs, entries, outputs
        self.mask, self.order, self.notes = mask, next(_order), None

    @property
    def node(self) -> TapeNode:
        return self

    @property
    def is_alive(self) -> bool:
        return self.outputs is not None

    @property
    def name(self) -> str:
        """The name in a tensor's repr: MeanBackward, SoftmaxBackward, ..."""
        noted = self.notes.label if self.notes is not None else None
        label = noted or self.attributes.get("label", self.op.name)
        return "".join(part.capitalize() for part in label.split("_")) + "Backward"

    @name.setter
    def name(self, label: str) -> None:
        notes_of(self).label = label

    def tape_entry_of(self, index: int) -> TapeNode | ResultEntry:
        return ResultEntry(self, index) if index else self

    def free(self) -> None:
        """Let go of the saved values; the tape cannot be walked through here again."""
        self.inputs = self.tape_entries = self.outputs = None

    def require_alive(self) -> None:
        if not self.is_alive:
            raise GradientError(f"backward came a second time through {self.name}, whose saved values were freed",
                                expected="one backward per computation",
                                fix="call backward(retain_graph=True) the first time, or compute the result again")


class ResultEntry:
    """The link of a later result of a primitive with several."""

    __slots__ = ("index", "node")

    def __init__(self, node: TapeNode, index: int) -> None:
        self.node, self.index = node, index

    @property
    def mask(self) -> int:
        return self.node.mask

    @property
    def is_alive(self) -> bool:
        return self.node.is_alive

    @property
    def name(self) -> str:
        return self.node.name


class ignoring:  # noqa: N801 - used like a function, as `with ignoring(mask):`
    """A block in which nothing is recorded for the given mask bits."""

    __slots__ = ("_before", "_mask")

    def __init__(self, mask: int) -> None:
        self._mask = mask

    def __enter__(self) -> None:
        self._before = tape_state.ignored
        tape_state.ignored |= self._mask

    def __exit__(self, *_: object) -> None:
        tape_state.ignored = self._before


class level:  # noqa: N801
    """A block for one `grad`: gives the mask bit that marks what this one, and no other, tracks.

    A `no_grad` around the block does not reach into it, one inside does stop the recording.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> int:
        tape_state.depth += 1
        bit = 1 << tape_state.depth
        self._before = tape_state.ignored
        tape_state.ignored &= ~bit
        return bit

    def __exit__(self, *_: object) -> None:
        tape_state.ignored = self._before
        tape_state.depth -= 1


class walking:  # noqa: N801
    """A block for walks back that only serve to be differentiated themselves (`forward`), or that are real ones."""

    __slots__ = ("_before", "_forward")

    def __init__(self, *, forward: bool) -> None:
        self._forward = forward

    def __enter__(self) -> None:
        self._before, tape_state.is_forward = tape_state.is_forward, self._forward

    def __exit__(self, *_: object) -> None:
        tape_state.is_forward = self._before
