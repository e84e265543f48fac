"""What a program does, step by step: kernels, calls of NumPy, loops and branches. The scheduler makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.lowering.loop_nest import Nest
from tarazu.backend.native.lowering.views import Buffer, View
from tarazu.ir.node import Node
from tarazu.ir.types import TensorType

Operand = tuple[Buffer, int]  # a buffer, and how many elements of it to skip


class Launch:
    """A kernel over a nest, or that of a special primitive, with what it reads and writes."""

    __slots__ = ("estimate", "kernel", "members", "nest", "node", "operands", "title", "writes")

    def __init__(self, title: str, operands: list[Operand], writes: set[int], *, nest: Nest | None = None,
                 node: Node | None = None, estimate: float = 0.0, members: Sequence[Node] = ()) -> None:
        self.title, self.operands, self.writes = title, operands, writes
        self.nest, self.node, self.estimate = nest, node, estimate
        self.members = members  # the nodes that a nest computes, for people
        self.kernel: Kernel | None = None


class Callback:
    """A primitive that NumPy computes while the program waits."""

    __slots__ = ("inputs", "node", "number", "outputs")

    def __init__(self, node: Node, inputs: list[View], outputs: list[View], number: int) -> None:
        self.node, self.inputs, self.outputs, self.number = node, inputs, outputs, number


def input_types(node: Node) -> list[TensorType]:
    """The types of what a primitive takes."""
    return [x.type for x in node.inputs]


def result_types(node: Node) -> list[TensorType]:
    """The types of what a primitive gives."""
    return [node.type] if isinstance(node.type, TensorType) else list(node.type)


class Turn:
    """The index of a loop; rows of buffers refer to it."""


class Repeat:
    """A loop: `length` turns, or as long as `predicate`, which the steps of `condition` compute, holds."""

    __slots__ = ("body", "bound", "condition", "length", "predicate", "reverse", "turn")

    def __init__(self, turn: Turn, body: list[Step], *, length: int = 0, reverse: bool = False,
                 condition: list[Step] | None = None, predicate: Buffer | None = None,
                 bound: int | None = None) -> None:
        self.turn, self.body, self.length, self.reverse = turn, body, length, reverse
        self.condition, self.predicate, self.bound = condition, predicate, bound


class Branch:
    """One of two lists of steps."""

    __slots__ = ("on_false", "on_true", "predicate")

    def __init__(self, predicate: Operand, on_true: list[Step], on_false: list[Step]) -> None:
        self.predicate, self.on_true, self.on_false = predicate, on_true, on_false


Step = Launch | Callback | Repeat | Branch


def touched(step: Step) -> Iterator[tuple[Buffer, bool]]:
    """The buffers that a step, and the steps inside it, read (False) or write (True)."""
    if isinstance(step, Launch):
        for position, (buffer, _) in enumerate(step.operands):
            yield buffer, position in step.writes
    elif isinstance(step, Callback):
        yield from ((view.buffer, False) for view in step.inputs)
        yield from ((view.buffer, True) for view in step.outputs)
    elif isinstance(step, Repeat):
        if step.predicate is not None:
            yield step.predicate, False
        for inner in [*(step.condition or []), *step.body]:
            yield from touched(inner)
    else:
        yield step.predicate[0], False
        for inner in [*step.on_true, *step.on_false]:
            yield from touched(inner)


def inner_lists(step: Step) -> list[list[Step]]:
    """The lists of steps inside a step."""
    if isinstance(step, Repeat):
        return [step.condition or [], step.body]
    return [step.on_true, step.on_false] if isinstance(step, Branch) else []


def change_inner(step: Step, change: Callable[[list[Step]], list[Any]]) -> None:
    """Put what `change` makes of them in the place of the lists of steps inside a step."""
    if isinstance(step, Repeat):
        step.body, step.condition = change(step.body), step.condition and change(step.condition)
    elif isinstance(step, Branch):
        step.on_true, step.on_false = change(step.on_true), change(step.on_false)


def every(steps: list[Step]) -> Iterator[Any]:
    """All steps, those inside loops and branches too."""
    for step in steps:
        yield step
        for inner in inner_lists(step):
            yield from every(inner)
