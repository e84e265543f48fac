"""The steps of a program, as values that never change: launches of kernels, calls of NumPy, loops and branches.

Loops and branches hold the steps inside them, of whatever kind a stage of the compiler deals with: launches, which say
what is to be computed; later calls of kernels, which say by which function (`kernels/kernel.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.lowering.buffers import Buffer, Iteration, View
from tarazu.backend.native.lowering.costs import estimate
from tarazu.backend.native.lowering.loop_nest import Access, Load, Nest, Store
from tarazu.backend.native.lowering.nodes import op_of
from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.node import Node


class Operand(NamedTuple):
    """A buffer that a kernel reads or writes."""

    buffer: Buffer
    skipped: int = 0  # elements


class NestLaunch(NamedTuple):
    """A nest of loops to be done, with what it reads and writes."""

    title: str
    operands: tuple[Operand, ...]  # in the order in which the nest numbers its buffers
    writes: frozenset[int]  # the numbers of those that are written
    nest: Nest
    estimate: float  # nanoseconds of one thread
    members: tuple[Node, ...] = ()  # the nodes that the nest computes, for people

    @classmethod
    def of(cls, title: str, operands: Iterable[Operand], writes: Iterable[int], nest: Nest,
           members: Iterable[Node] = ()) -> NestLaunch:
        """The launch of a nest, with the estimate of its time."""
        return cls(title, tuple(operands), frozenset(writes), nest, estimate(nest), tuple(members))


class Part(Enum):
    """How much of a primitive a launch does. Large scatters are done in two parts (`lowering/region/scatters.py`)."""

    WHOLE = ""
    ORDER = "order"  # which entries select the rows of each bucket
    ROWS = "rows"  # the rows of the result, given that
    ROWS_FROM_ZEROS = "rows_from_zeros"  # the same where the scatter is into zeros, which then are no operand


class PrimitiveLaunch(NamedTuple):
    """A primitive to be done that is no nest of loops, on contiguous memory: first the inputs, then the results."""

    operands: tuple[Operand, ...]
    writes: frozenset[int]
    node: Node
    estimate: float  # nanoseconds of one thread
    part: Part = Part.WHOLE

    @property
    def title(self) -> str:
        return "_".join(filter(None, [op_of(self.node).name, self.part.value]))

    @property
    def scatters_into(self) -> Buffer | None:
        """The memory of what a scatter adds to or writes into, of which a row of the result needs the same row; None
        where this is nothing of the kind."""
        scatters = self.node.op in ops.SCATTERS and self.part in (Part.WHOLE, Part.ROWS)
        return self.operands[0].buffer if scatters else None

    @property
    def is_by_rows(self) -> bool:
        """Whether some rows of the result take no longer than their part of the work."""
        return self.part in (Part.ROWS, Part.ROWS_FROM_ZEROS)


Launch = NestLaunch | PrimitiveLaunch


class Callback(NamedTuple):
    """A primitive that NumPy computes while the program waits."""

    node: Node
    inputs: tuple[View, ...]
    outputs: tuple[View, ...]
    number: int  # among the callbacks of the program


class Externals:
    """What a program takes from outside its code: constants and primitives that NumPy computes, in order of number; and
    the processor that it is made for."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.constants: list[Node] = []
        self.callbacks: list[Node] = []

    def constant(self, node: Node) -> Buffer:
        """The buffer of a constant."""
        self.constants.append(node)
        return Buffer(node.dtype, node.type.size, "constant", len(self.constants) - 1)

    def callback(self, node: Node, inputs: Iterable[View], outputs: Iterable[View]) -> Callback:
        """The step in which NumPy computes `node`."""
        self.callbacks.append(node)
        return Callback(node, tuple(inputs), tuple(outputs), len(self.callbacks) - 1)


S = TypeVar("S")  # the kind of the steps inside
T = TypeVar("T")


class CountedLoop(NamedTuple, Generic[S]):
    """A loop of so many iterations, from the last index to the first if `reverse`."""

    iteration: Iteration
    length: int
    reverse: bool
    body: tuple[S, ...]


class WhileLoop(NamedTuple, Generic[S]):
    """A loop that goes on as long as `predicate`, which the steps of `condition` compute, holds."""

    iteration: Iteration
    condition: tuple[S, ...]
    predicate: Buffer
    body: tuple[S, ...]
    bound: int | None  # iterations; more are an error


class Branch(NamedTuple, Generic[S]):
    """One of two sequences of steps."""

    predicate: Operand
    on_true: tuple[S, ...]
    on_false: tuple[S, ...]


ControlFlow: TypeAlias = CountedLoop[S] | WhileLoop[S] | Branch[S]
CONTROL_FLOW = (CountedLoop, WhileLoop, Branch)
Step: TypeAlias = "NestLaunch | PrimitiveLaunch | Callback | CountedLoop[Step] | WhileLoop[Step] | Branch[Step]"


def inner_steps(step: object) -> list[tuple[str, tuple[Any, ...]]]:
    """The sequences of steps inside a step, with their names for people."""
    if isinstance(step, CountedLoop):
        return [("turn", step.body)]
    if isinstance(step, WhileLoop):
        return [("condition", step.condition), ("turn", step.body)]
    return [("if true", step.on_true), ("if false", step.on_false)] if isinstance(step, Branch) else []


def map_inner(step: ControlFlow[S], change: Callable[[tuple[S, ...]], tuple[T, ...]]) -> ControlFlow[T]:
    """The loop or branch with what `change` makes of the sequences of steps inside it."""
    if isinstance(step, CountedLoop):
        return CountedLoop(step.iteration, step.length, step.reverse, change(step.body))
    if isinstance(step, WhileLoop):
        body, condition = change(step.body), change(step.condition)
        return WhileLoop(step.iteration, condition, step.predicate, body, step.bound)
    return Branch(step.predicate, change(step.on_true), change(step.on_false))


def every(steps: Sequence[S]) -> Iterator[S]:
    """All steps, those inside loops and branches too."""
    for step in steps:
        yield step
        for _, inner in inner_steps(step):
            yield from every(inner)


def predicate_of(step: ControlFlow[S]) -> Buffer | None:
    """The buffer that a loop or branch reads to decide where to go on."""
    if isinstance(step, CountedLoop):
        return None
    return step.predicate.buffer if isinstance(step, Branch) else step.predicate


def touched(step: Step) -> Iterator[tuple[Buffer, bool]]:
    """The buffers that a step, and the steps inside it, read (False) or write (True)."""
    if isinstance(step, NestLaunch | PrimitiveLaunch):
        for position, operand in enumerate(step.operands):
            yield operand.buffer, position in step.writes
    elif isinstance(step, Callback):
        yield from ((view.buffer, False) for view in step.inputs)
        yield from ((view.buffer, True) for view in step.outputs)
    else:
        if (predicate := predicate_of(step)) is not None:
            yield predicate, False
        for _, steps in inner_steps(step):
            for inner in steps:
                yield from touched(inner)


def with_buffers(step: Step, change: Callable[[Buffer], Buffer]) -> Step:
    """The step, and the steps inside it, with `change(buffer)` in the place of each buffer."""
    if isinstance(step, NestLaunch | PrimitiveLaunch):
        return step._replace(operands=tuple([Operand(change(buffer), skipped) for buffer, skipped in step.operands]))
    if isinstance(step, Callback):
        inputs, outputs = (tuple([view._replace(buffer=change(view.buffer)) for view in views])
                           for views in (step.inputs, step.outputs))
        return step._replace(inputs=inputs, outputs=outputs)
    step = map_inner(step, lambda steps: tuple([with_buffers(inner, change) for inner in steps]))
    if isinstance(step, WhileLoop):
        return step._replace(predicate=change(step.predicate))
    if isinstance(step, Branch):
        return step._replace(predicate=Operand(change(step.predicate.buffer), step.predicate.skipped))
    return step


def copy_launch(source: View, target: View) -> NestLaunch:
    """The launch that copies the bytes of one contiguous view to another."""
    size = source.buffer.dtype.itemsize * math.prod(source.shape)
    starts = [view.offset * view.buffer.dtype.itemsize for view in (source, target)]
    unit = next(dtype for dtype in (dtypes.uint64, dtypes.uint32, dtypes.uint16, dtypes.uint8)
                if not any(number % dtype.itemsize for number in (size, *starts)))
    read, written = (Access(i, unit, start // unit.itemsize, (1,)) for i, start in enumerate(starts))
    nest = Nest((size // unit.itemsize,), 1, (), (Store(Load(read), written),))
    return NestLaunch.of("copy", [Operand(source.buffer), Operand(target.buffer)], [1], nest)
