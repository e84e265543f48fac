"""The schedule of a program as text: what `native_text` shows."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.backend.native.compiler import Lowered, lower
from tarazu.backend.native.inspect.work import Work, parts, work
from tarazu.backend.native.llvm.llvm_text import Function
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.lowering.prepare import prepare
from tarazu.backend.native.lowering.steps import Branch, Callback, Launch, Operand, Repeat, Step, every
from tarazu.backend.native.lowering.views import Buffer
from tarazu.backend.native.program import processor
from tarazu.backend.native.schedule import emit as text
from tarazu.backend.native.schedule.work_sharing import Run
from tarazu.ir.graph import Graph

BARRIER = "--- barrier"


class Noted(text.Program):
    """Writes a program and notes its steps and barriers in their order, each with its depth."""

    def __init__(self, function: Function, layout: text.Layout) -> None:
        super().__init__(function, layout)
        self.notes: list[tuple[int, Step | Run | str]] = []
        self._titles: dict[int, tuple[str, int]] = {}  # of the lists of steps inside a step, and how deep they stand
        self._depth = 0

    def write(self, steps: Sequence[Step | Run]) -> None:
        title, depth = self._titles.get(id(steps), ("", 0))
        if title:
            self.notes.append((depth, f"{title}:"))
        self._depth = depth + bool(title)
        for step in steps:
            self._step(step)
        self._depth = depth

    def _step(self, step: Step | Run) -> None:
        depth, inner = self._depth, parts(step)
        self._titles.update({id(steps): (title, depth + 1) for title, steps in inner})
        if inner:
            self.notes.append((depth, step))
        text.WRITE[type(step)](self, step)
        if not inner:
            self.notes.append((depth, step))
        self._depth = depth

    def barrier(self) -> None:
        last = self.notes[-1][1] if self.notes else ""
        is_in_front = not isinstance(last, str) and bool(parts(last))  # of the loop or branch that was just noted
        self.notes.insert(len(self.notes) - is_in_front, (self._depth, BARRIER))
        super().barrier()

    def barrier_unless(self, items: int) -> None:
        self.notes.append((self._depth, f"{BARRIER}, unless {items} items go evenly among the threads"))
        super().barrier_unless(items)


def schedule_text(graph: Graph, target: Target | None = None) -> str:
    """The schedule of the program that `graph` becomes on `target`, else on this processor."""
    target = target or processor()
    found = lower(prepare(graph, target.threads), target, Noted)
    assert isinstance(found.program, Noted)
    writer = _Writer([node.origin.name or f"input {i}" for i, node in enumerate(graph.parameters)])
    lines = [line for depth, note in found.program.notes for line in writer.lines(depth, note)]
    return "\n".join([*lines, *_totals(found)])


class _Writer:
    """Steps as lines."""

    def __init__(self, inputs: list[str]) -> None:
        self.inputs = inputs

    def lines(self, depth: int, note: Step | Run | str) -> list[str]:
        """The lines of one note."""
        if isinstance(note, str):
            return [_indent(depth, note)]
        if isinstance(note, Launch):
            return self._launch(depth, note, alone=True)
        lines = [_indent(depth, _line(work(note)))]
        if isinstance(note, Run):
            lines += [line for launch in note.launches for line in self._launch(depth + 1, launch, alone=False)]
        elif isinstance(note, Callback):
            lines.append(self._callback(depth + 1, note))
        elif isinstance(note, Branch):
            lines.append(_indent(depth + 1, f"predicate {self._operand(note.predicate)}"))
        return lines

    def _launch(self, depth: int, launch: Launch, *, alone: bool) -> list[str]:
        assert launch.kernel is not None
        found = work(launch)
        found = found if alone else found._replace(split=launch.kernel.tile)
        return [_indent(depth, _line(found)),
                _indent(depth + 1, f"{self._operands(launch)}; {amounts(found)}")]

    def _callback(self, depth: int, step: Callback) -> str:
        names = [", ".join(self._operand((view.buffer, view.offset)) for view in views)
                 for views in (step.inputs, step.outputs)]
        return _indent(depth, f"{names[0]} -> {names[1]}; {amounts(work(step))}")

    def _operands(self, launch: Launch) -> str:
        read, written = ([self._operand(operand) for i, operand in enumerate(launch.operands)
                          if (i in launch.writes) == writes] for writes in (False, True))
        return f"{', '.join(read) or 'nothing'} -> {', '.join(written)}"

    def _operand(self, operand: Operand) -> str:
        buffer, skipped = operand
        return self.buffer(buffer) + (f"[{skipped}:]" if skipped else "")

    def buffer(self, buffer: Buffer) -> str:
        """Where it lies: an input by its name, an output, a constant, an offset in the arena, the row of another."""
        if buffer.parent is not None:
            return f"row of {self.buffer(buffer.parent)}" if buffer.place == "row" else self.buffer(buffer.parent)
        if buffer.place == "input":
            return self.inputs[buffer.number]
        return f"@{buffer.offset}" if buffer.place == "arena" else f"{buffer.place} {buffer.number}"


def _line(found: Work) -> str:
    where = f"  [{found.where}]" if found.where else ""
    return f"{found.name} {found.what}{where}{f'  ({found.split})' if found.split else ''}"


def amounts(found: Work) -> str:
    """A step's operations and bytes."""
    return f"{scaled(found.flops, 'flop')}, reads {scaled(found.read, 'B')}, writes {scaled(found.written, 'B')}"


def scaled(number: float, unit: str) -> str:
    """A number in thousands of thousands: `scaled(2048, "B")` is "2.05 kB"."""
    power = min(len(str(int(number))) - 1, 12) // 3
    return f"{number / 1000**power:.3g} {('', 'k', 'M', 'G', 'T')[power]}{unit}"


def _indent(depth: int, line: str) -> str:
    return "  " * depth + line


def _totals(found: Lowered) -> list[str]:
    assert isinstance(found.program, Noted)
    flops, read, written = _sums(found.steps)
    barriers = sum(note == BARRIER for _, note in found.program.notes)
    whole = Work("", "", "", flops=flops, read=read, written=written)
    loops = "; loops count with all turns, a while with one, a branch with both sides" * any(
        isinstance(step, Repeat | Branch) for step in every(found.steps))  # type: ignore[arg-type]
    return [f"in all: {amounts(whole)}{loops}",
            f"{found.kernels} kernels, {barriers} barriers, arena {scaled(found.arena, 'B')}, "
            f"scratch {scaled(found.scratch, 'B')} per thread, {found.lines:,} lines of LLVM IR"]


def _sums(steps: Sequence[Step | Run]) -> tuple[int, int, int]:
    """Operations and bytes of steps and of all that is inside them."""
    total = (0, 0, 0)
    for step in steps:
        one = work(step)
        rows = [(one.flops, one.read, one.written)]
        times = step.length if isinstance(step, Repeat) and step.condition is None else 1
        rows += [tuple(times * number for number in _sums(inner)) for _, inner in parts(step)]  # type: ignore[misc]
        total = tuple(map(sum, zip(total, *rows, strict=True)))  # type: ignore[assignment]
    return total
