"""The schedule of a program as text, for `native_text`: steps in order, barriers, buffers, operations and bytes."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.backend.base import Renewed
from tarazu.backend.native.compiler import Lowered, lower_with
from tarazu.backend.native.inspect.work import Work, work
from tarazu.backend.native.kernels.kernel import KernelCall
from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.lowering.buffers import Buffer
from tarazu.backend.native.lowering.prepare import prepare
from tarazu.backend.native.lowering.steps import (
    CONTROL_FLOW,
    Branch,
    Callback,
    CountedLoop,
    Operand,
    every,
    inner_steps,
)
from tarazu.backend.native.program import processor
from tarazu.backend.native.schedule.emit import MemoryLayout, ProgramEmitter
from tarazu.backend.native.schedule.memory_plan import MemoryPlan
from tarazu.backend.native.schedule.runs import Run, ScheduledStep
from tarazu.backend.native.threads.thread_count import whole_threads
from tarazu.ir.graph import Graph

BARRIER = "--- barrier"


class ScheduleRecorder(ProgramEmitter):
    """Writes a program and notes its steps and barriers in their order, each with its depth."""

    def __init__(self, function: Function, memory: MemoryLayout) -> None:
        super().__init__(function, memory)
        self.notes: list[tuple[int, ScheduledStep | str]] = []
        self._depth = 0

    def emit_inner(self, title: str, steps: Sequence[ScheduledStep]) -> None:
        self.notes.append((self._depth, f"{title}:"))
        self._depth += 1
        super().emit_inner(title, steps)
        self._depth -= 1

    def emit_step(self, step: ScheduledStep) -> None:
        if not isinstance(step, CONTROL_FLOW):
            super().emit_step(step)
            self.notes.append((self._depth, step))
            return
        self.notes.append((self._depth, step))
        self._depth += 1
        super().emit_step(step)
        self._depth -= 1

    def barrier(self) -> None:
        if self.notes and isinstance(self.notes[-1][1], CONTROL_FLOW):  # it stands in front of the step just noted
            self.notes.insert(-1, (self.notes[-1][0], BARRIER))
        else:
            self.notes.append((self._depth, BARRIER))
        super().barrier()

    def barrier_unless(self, items: int) -> None:
        self.notes.append((self._depth, f"{BARRIER}, unless {items} items go evenly among the threads"))
        super().barrier_unless(items)


def schedule_text(graph: Graph, target: Target | None = None, renewed: Renewed = ()) -> str:
    """The schedule of the program that `graph` becomes on `target`, else on this one; `renewed` state in place."""
    lines, lowered = _lines(graph, target or processor(), renewed)
    return "\n".join([*lines, *_totals(lowered)])


def plan_text(graph: Graph, threads: int, renewed: Renewed = ()) -> str:
    """The schedule for a machine of so many cores like these, with the largest share of each kernel."""
    threads = whole_threads(threads, f"native_text(threads={threads!r})")
    lines, lowered = _lines(graph, processor()._replace(threads=threads), renewed, threads)
    return "\n".join([*lines, *_totals(lowered), _speed_up(lowered.emitter.notes, threads)])


def _lines(graph: Graph, target: Target, renewed: Renewed,
           planned: int = 0) -> tuple[list[str], Lowered[ScheduleRecorder]]:
    lowered = lower_with(ScheduleRecorder, prepare(graph, target), target, renewed)
    names = [node.origin.name or f"input {i}" for i, node in enumerate(graph.parameters)]
    writer = _ScheduleWriter(names, lowered.memory, planned)
    return [line for depth, note in lowered.emitter.notes for line in writer.lines(depth, note)], lowered


class _ScheduleWriter:
    """Steps as lines."""

    def __init__(self, inputs: list[str], memory: MemoryPlan, planned: int) -> None:
        self.inputs, self.memory = inputs, memory
        self.planned = planned  # threads whose shares are shown; 0 for none

    def lines(self, depth: int, note: ScheduledStep | str) -> list[str]:
        """The lines of one note."""
        if isinstance(note, str):
            return [_indent(depth, note)]
        if isinstance(note, KernelCall):
            return self._kernel_call(depth, note, self._divided(note))
        lines = [_indent(depth, _line(self._divided(note)))]
        if isinstance(note, Run):
            for call in note.calls:
                lines += self._kernel_call(depth + 1, call, work(call)._replace(split=call.kernel.tile))
        elif isinstance(note, Callback):
            lines.append(self._callback(depth + 1, note))
        elif isinstance(note, Branch):
            lines.append(_indent(depth + 1, f"predicate {self._operand(note.predicate)}"))
        return lines

    def _divided(self, step: ScheduledStep) -> Work:
        """The work of a step, with the largest share that a thread has of it."""
        done = work(step)
        if not self.planned or not done.is_shared:
            return done
        items, largest = done.items, -(-done.items // self.planned)
        some = f", {items} threads busy" if items < self.planned else ""
        return done._replace(split=f"{done.split}; largest share {largest} of {items}: {largest / items:.3g}{some}")

    def _kernel_call(self, depth: int, call: KernelCall, done: Work) -> list[str]:
        return [_indent(depth, _line(done)),
                _indent(depth + 1, f"{self._operands(call)}; {amounts(done)}")]

    def _callback(self, depth: int, step: Callback) -> str:
        names = [", ".join(self._operand(Operand(view.buffer, view.offset)) for view in views)
                 for views in (step.inputs, step.outputs)]
        return _indent(depth, f"{names[0]} -> {names[1]}; {amounts(work(step))}")

    def _operands(self, call: KernelCall) -> str:
        read, written = ([self._operand(operand) for i, operand in enumerate(call.launch.operands)
                          if (i in call.launch.writes) == writes] for writes in (False, True))
        return f"{', '.join(read) or 'nothing'} -> {', '.join(written)}"

    def _operand(self, operand: Operand) -> str:
        buffer, skipped = operand
        return self._buffer(buffer) + (f"[{skipped}:]" if skipped else "")

    def _buffer(self, buffer: Buffer) -> str:
        """Where a buffer lies: an input (by name), an output, a constant, an offset in the arena, memory of
        the thread, a row of another."""
        if buffer.parent is not None:
            return "row of " * (buffer.storage == "row") + self._buffer(buffer.parent)
        if buffer.storage == "input":
            return self.inputs[buffer.number]
        if buffer.storage != "arena":
            return f"{buffer.storage} {buffer.number}"
        return f"@{self.memory.offset(buffer)}" if buffer in self.memory.offsets else "local"


def _line(done: Work) -> str:
    where = f"  [{done.where}]" if done.where else ""
    return f"{done.name} {done.what}{where}{f'  ({done.split})' if done.split else ''}"


def amounts(done: Work) -> str:
    """A step's operations and bytes."""
    return f"{scaled(done.flops, 'flop')}, reads {scaled(done.read, 'B')}, writes {scaled(done.written, 'B')}"


def scaled(number: float, unit: str) -> str:
    """A number with a prefix of its unit: `scaled(2048, "B")` is "2.05 kB"."""
    power = min(len(str(int(number))) - 1, 12) // 3
    return f"{number / 1000**power:.3g} {('', 'k', 'M', 'G', 'T')[power]}{unit}"


def _indent(depth: int, line: str) -> str:
    return "  " * depth + line


def _totals(lowered: Lowered[ScheduleRecorder]) -> list[str]:
    flops, read, written = _sums(lowered.steps)
    barriers = sum(note == BARRIER for _, note in lowered.emitter.notes)
    whole = Work("", "", "", flops=flops, read=read, written=written)
    loops = "; loops count with all turns, a while with one, a branch with both sides" * any(
        isinstance(step, CONTROL_FLOW) for step in every(lowered.steps))
    return [f"in all: {amounts(whole)}{loops}",
            f"{lowered.kernels} kernels, {barriers} barriers, arena {scaled(lowered.memory.size, 'B')}, "
            f"scratch {scaled(lowered.scratch, 'B')} per thread, {lowered.lines:,} lines of LLVM IR"]


def _speed_up(notes: Sequence[tuple[int, ScheduledStep | str]], threads: int) -> str:
    """How much faster so many threads are than one, if operations and bytes were all that costs."""
    alone = together = 0.0
    for _, note in notes:
        if isinstance(note, (str, *CONTROL_FLOW)):
            continue
        done = work(note)
        cost = done.flops + done.read + done.written
        alone += cost
        together += cost * (-(-done.items // threads) / done.items if done.is_shared else 1)
    return (f"planned for {threads} threads: at most {alone / together if together else 1:.3g} times as fast as one by "
            "operations and bytes, each loop with one turn, without barriers")


def _sums(steps: Sequence[ScheduledStep]) -> tuple[int, int, int]:
    """Operations, bytes read and bytes written by steps and by all that is inside them."""
    flops = read = written = 0
    for step in steps:
        one = work(step)
        times = step.length if isinstance(step, CountedLoop) else 1
        inner = [_sums(part) for _, part in inner_steps(step)]
        flops += one.flops + times * sum(part[0] for part in inner)
        read += one.read + times * sum(part[1] for part in inner)
        written += one.written + times * sum(part[2] for part in inner)
    return flops, read, written
