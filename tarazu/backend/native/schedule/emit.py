"""The program as a function: all threads call kernels in order, with barriers where their accesses of memory conflict.

The function is `program(shared, thread)`; `shared` is the control block, whose words are named here.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tarazu.backend.native.kernels.kernel import KernelCall
from tarazu.backend.native.llvm.function import BRIEF, Function, phi
from tarazu.backend.native.llvm.values import Index, Value, constant
from tarazu.backend.native.lowering.buffers import Buffer, Iteration
from tarazu.backend.native.lowering.steps import Branch, Callback, CountedLoop, WhileLoop, inner_steps
from tarazu.backend.native.schedule.memory_plan import MemoryPlan
from tarazu.backend.native.schedule.pending import PendingAccesses
from tarazu.backend.native.schedule.runs import Run, ScheduledStep
from tarazu.backend.native.schedule.work_sharing import (
    BufferAccess,
    Whole,
    buffer_accesses,
    conflict,
    is_shared,
    parts_of,
)
from tarazu.backend.native.threads import barrier

# Words of the control block after those of the barrier
TABLE, ARENA, FRAMES, CALL, FAILED, CLOCKS = range(barrier.BLOCK_WORDS, barrier.BLOCK_WORDS + 6)
WORDS = barrier.BLOCK_WORDS + 6
STOPPED, TOO_LONG = 1, 2  # what FAILED may hold: a callback raised; a loop went over its bound

MOST_STEPS = 128  # of one function: LLVM takes more than twice as long for one that is twice as long


class MemoryLayout(NamedTuple):
    """Where a program finds memory."""

    table: dict[str, int]  # of inputs, outputs and constants: where in the table of pointers they start
    plan: MemoryPlan  # of the arena
    scratch: int  # bytes for each thread


class ProgramEmitter:
    """Writes the steps of a program into its function."""

    def __init__(self, function: Function, memory: MemoryLayout) -> None:
        self.memory = memory
        self._indices: dict[Iteration, Index] = {}  # of the loops around
        self._pending = PendingAccesses(memory.plan)  # since the last barrier
        self.enter(function)

    def enter(self, function: Function) -> None:
        """Write into `function` from now on."""
        self.f = function
        self.shared, self.thread = function.parameters["shared"], function.parameters["thread"]
        self.threads = self._word(barrier.THREADS, "i64")
        self.table, self.arena = self._word(TABLE, "ptr"), self._word(ARENA, "ptr")
        frames = self._word(FRAMES, "ptr")
        self.frame = function.offset(frames, function.multiply(self.thread, self.memory.scratch))
        self.first = function.compare("icmp eq", self.thread, function.index(0))

    def _word(self, number: int, type_: str) -> Value:
        return self.f.load(type_, self.f.offset(self.shared, number, "i64"), 8)

    # Steps

    def emit(self, steps: Sequence[ScheduledStep]) -> None:
        """Write steps, those inside loops and branches too; many of them as several functions."""
        if len(steps) <= MOST_STEPS:
            for step in steps:
                self.emit_step(step)
            return
        for start in range(0, len(steps), MOST_STEPS):
            self._call_part(steps[start:start + MOST_STEPS])

    def _call_part(self, steps: Sequence[ScheduledStep]) -> None:
        """Write steps into a function of their own, and a call of that."""
        module, name = self.f.module, f"part{len(self.f.module.functions)}"
        function = module.function(name, [("ptr", "shared"), ("i64", "thread"), *[
            ("i64", f"i{i}") for i in range(len(self._indices))]], attributes=BRIEF)
        self.f.call("void", name, self.shared, self.thread, *map(self.f.index, self._indices.values()))
        inner = copy.copy(self)  # what is noted of all steps stays common to both
        inner._indices = {iteration: function.parameters[f"i{i}"] for i, iteration in enumerate(self._indices)}
        inner.enter(function)
        inner.emit(steps)
        function.ret()

    def emit_inner(self, title: str, steps: Sequence[ScheduledStep]) -> None:
        """Write the steps of one part of a loop or branch."""
        self.emit(steps)

    def emit_step(self, step: ScheduledStep) -> None:
        """Write one step."""
        if isinstance(step, KernelCall):
            self._kernel_call(step)
        elif isinstance(step, Run):
            self._run(step)
        elif isinstance(step, Callback):
            self._callback(step)
        elif isinstance(step, Branch):
            self._branch(step)
        else:
            self._loop(step)

    @contextlib.contextmanager
    def sharing(self, items: int) -> Iterator[tuple[Index, Index]]:
        """Write what each thread does with its share of the items: from the first to before the last."""
        f = self.f
        begin = f.divide(f.multiply(self.thread, items), self.threads)
        yield begin, f.divide(f.multiply(f.add(self.thread, 1), items), self.threads)

    def _call(self, call: KernelCall, begin: Index, end: Index, local: Mapping[Buffer, Value] = {}) -> None:
        f = self.f
        pointers = [f.offset(local.get(buffer.root) or self._pointer(buffer), skipped * buffer.dtype.itemsize)
                    for buffer, skipped in call.launch.operands]
        f.call("void", call.kernel.name, self.frame, *pointers, f.index(begin), f.index(end))

    def _kernel_call(self, call: KernelCall) -> None:
        self.barrier_if_conflict(buffer_accesses(call))
        if is_shared(call):
            parts = parts_of(call)
            with self.sharing(call.kernel.items // parts) as (begin, end):
                self._call(call, self.f.multiply(begin, parts), self.f.multiply(end, parts))
            return
        with self.f.when(self.first):
            self._call(call, 0, call.kernel.items)

    def _run(self, run: Run) -> None:
        f = self.f
        self.barrier_if_conflict(list(run.accesses()))
        with self.sharing(run.items) as (begin, end):
            begin, end = (f.multiply(item, run.parts) for item in (begin, end))
            with f.loop(begin, end, run.block) as block:
                stop = f.minimum(f.add(block.index, run.block), end)
                local = {buffer: f.offset(self.frame, f.subtract(where.offset, f.multiply(block.index, where.bytes)))
                         for buffer, where in run.local.items()}  # so that the block's items lie at the start
                for call in run.calls:
                    each = call.kernel.items // (run.items * run.parts)
                    self._call(call, f.multiply(block.index, each), f.multiply(stop, each), local)

    def _callback(self, step: Callback) -> None:
        f = self.f
        self.barrier_if_conflict(buffer_accesses(step))
        with f.when(self.first):
            views = [*step.inputs, *step.outputs]
            pointers = f.emit("ptr", f"alloca [{len(views)} x ptr], align 8")
            for i, view in enumerate(views):
                pointer = f.offset(self._pointer(view.buffer), view.offset * view.buffer.dtype.itemsize)
                f.store(pointer, f.offset(pointers, i, "ptr"), 8)
            target = self._word(CALL, "ptr")
            failed = f.emit("i64", f"call i64 {target.text}(i64 {step.number}, ptr {pointers.text})")
            with f.when(f.compare("icmp ne", failed, constant("i64", 0))):
                self._fail(STOPPED)

    def _fail(self, why: int) -> None:
        self.f.store(self.f.index(why), self.f.offset(self.shared, FAILED, "i64"), 8)

    def _loop(self, step: CountedLoop[ScheduledStep] | WhileLoop[ScheduledStep]) -> None:
        f = self.f
        self.barrier()
        start = self._pending.start_turn()
        head, inside, end = f.label("head"), f.label("iteration"), f.label("end")
        before, iteration, following = f.block, Value(f.fresh(), "i64"), Value(f.fresh(), "i64")
        f.do(f"br label %{head}")
        f.start(head)
        phi_line = len(f.lines)
        goes_on = self._goes_on(step, iteration)
        f.do(f"br i1 {goes_on.text}, label %{inside}, label %{end}")
        f.start(inside)
        self._indices[step.iteration] = f.subtract(step.length - 1, iteration) \
            if isinstance(step, CountedLoop) and step.reverse else iteration
        self.emit_inner(*inner_steps(step)[-1])
        self._end_turn(start, step.iteration)
        f.do(f"{following.text} = add i64 {iteration.text}, 1")
        f.lines.insert(phi_line, f"  {iteration.text} = {phi((f.index(0), before), (following, f.block))}")
        f.do(f"br label %{head}")
        f.start(end)
        if isinstance(step, WhileLoop):
            self._only_read(step.predicate)

    def _end_turn(self, start: Sequence[BufferAccess], iteration: Iteration) -> None:
        """A barrier if the next turn, up to its first barrier, may conflict with this one since its last."""
        divisor = self._divisor(start, iteration)
        if divisor == 1:
            self.barrier()
        elif divisor:
            self.barrier_unless(divisor)

    def _goes_on(self, step: CountedLoop[ScheduledStep] | WhileLoop[ScheduledStep], iteration: Value) -> Value:
        """Whether a loop has another iteration."""
        f = self.f
        if isinstance(step, CountedLoop):
            return f.compare("icmp slt", iteration, f.index(step.length))
        self.emit_inner(*inner_steps(step)[0])
        with f.when(self.first), f.when(f.compare("icmp ne", self._word(FAILED, "i64"), constant("i64", 0))):
            f.store(constant("i8", 0), self._pointer(step.predicate), 1)
        self.barrier()
        self._only_read(step.predicate)
        holds = f.compare("icmp ne", f.load("i8", self._pointer(step.predicate), 1), constant("i8", 0))
        if step.bound is not None:
            over = f.op("and", holds, f.compare("icmp sge", iteration, f.index(step.bound)))
            with f.when(f.op("and", over, self.first)):
                self._fail(TOO_LONG)
            holds = f.op("and", holds, f.invert(over))
        return holds

    def _branch(self, step: Branch[ScheduledStep]) -> None:
        f = self.f
        self.barrier()
        buffer, skipped = step.predicate
        value = f.load("i8", f.offset(self._pointer(buffer), skipped), 1)
        chosen = f.compare("icmp ne", value, constant("i8", 0))
        for (title, steps), taken in zip(inner_steps(step), (chosen, f.invert(chosen)), strict=True):
            self._only_read(buffer)
            with f.when(taken):
                self.emit_inner(title, steps)
                self.barrier()

    # Memory

    def _pointer(self, buffer: Buffer) -> Value:
        f = self.f
        if buffer.parent is not None:
            start = self._pointer(buffer.parent)
            if buffer.iteration is None:
                return start
            return f.offset(start, f.multiply(self._indices[buffer.iteration], buffer.bytes))
        if buffer.storage == "arena":
            return f.offset(self.arena, self.memory.plan.offset(buffer))
        return f.load("ptr", f.offset(self.table, self.memory.table[buffer.storage] + buffer.number, "ptr"), 8)

    def barrier(self) -> None:
        """Wait for all threads."""
        self._wait()
        self._pending.clear()

    def _only_read(self, buffer: Buffer) -> None:
        """Note that all threads have done since the last barrier is to read `buffer`."""
        self._pending.clear()
        self._pending.add(BufferAccess(buffer, Whole.ANY_THREAD, writes=False))

    def barrier_unless(self, items: int) -> None:
        """Wait for all threads if they cannot share out so many items evenly."""
        rest = self.f.emit("i64", f"urem i64 {items}, {self.threads.text}")
        with self.f.when(self.f.compare("icmp ne", rest, constant("i64", 0))):
            self._wait()

    def _wait(self) -> None:
        self.f.call("void", "barrier", self.shared, self.thread)

    def barrier_if_conflict(self, accesses: Sequence[BufferAccess]) -> None:
        """A barrier if one of `accesses` may conflict with one since the last barrier."""
        divisor = self._divisor(accesses)
        if divisor == 1:
            self.barrier()
        elif divisor:
            self.barrier_unless(divisor)
        for access in accesses:
            self._pending.add(access)

    def _divisor(self, accesses: Sequence[BufferAccess], following: Iteration | None = None) -> int:
        """What the number of threads must divide, or else there is a conflict: 0 where there is none, 1 for always.

        The accesses come next, or in a later turn of the loop `following`.
        """
        divisor = 0
        for b in accesses:
            for a in self._pending.near(b):
                divisor = math.gcd(divisor, self._conflict(a, b, following))
                if divisor == 1:
                    return 1
        return divisor

    def _conflict(self, a: BufferAccess, b: BufferAccess, following: Iteration | None) -> int:
        """What `conflict` says, also of different buffers that share memory of the arena; not both are of thread 0."""
        if a.buffer.root is b.buffer.root:
            return 0 if _are_rows_apart(a.buffer, b.buffer, following) else conflict(a, b)
        return int(a.writes or b.writes)


def _are_rows_apart(first: Buffer, second: Buffer, iteration: Iteration | None) -> bool:
    """Whether buffers of one root are different rows of it, as the index of that loop differs."""
    key = first.row_key
    return key == second.row_key and id(iteration) in [loop for loop, _ in key]
