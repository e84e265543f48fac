"""The program as a function: all threads call kernels in order, with barriers between those that meet in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tarazu.backend.native.llvm.llvm_text import Function, Index, Value, constant
from tarazu.backend.native.lowering.steps import Branch, Callback, Launch, Repeat, Step
from tarazu.backend.native.lowering.views import Buffer
from tarazu.backend.native.schedule.work_sharing import ALONE, ANYWHERE, Run, Touch, conflict, is_shared, touches
from tarazu.backend.native.threads import barrier

# Words of the control block after those of the barrier
TABLE, ARENA, FRAMES, CALL, FAILED, CLOCKS = range(barrier.BLOCK_WORDS, barrier.BLOCK_WORDS + 6)
WORDS = barrier.BLOCK_WORDS + 6
STOPPED, TOO_LONG = 1, 2  # what FAILED may hold: a callback raised; a loop went over its bound


class Layout(NamedTuple):
    """What the program needs to know of memory."""

    table: dict[str, int]  # of inputs, outputs and constants: where in the table of pointers they start
    scratch: int  # bytes for each thread


class Program:
    """Writes the function `program(shared, thread)`."""

    def __init__(self, function: Function, layout: Layout) -> None:
        self.f, self.layout = function, layout
        self.shared, self.thread = function.parameters["shared"], function.parameters["thread"]
        self.threads = self._word(barrier.THREADS, "i64")
        self.table, self.arena = self._word(TABLE, "ptr"), self._word(ARENA, "ptr")
        frames = self._word(FRAMES, "ptr")
        self.frame = function.offset(frames, function.multiply(self.thread, layout.scratch))
        self.first = function.compare("icmp eq", self.thread, Value("0", "i64"))
        self.turns: dict[int, Index] = {}
        self.pending: list[Touch] = []

    def _word(self, number: int, type_: str) -> Value:
        return self.f.load(type_, self.f.offset(self.shared, number, "i64"), 8)

    # Memory

    def pointer(self, buffer: Buffer) -> Value:
        f = self.f
        if buffer.place == "row":
            assert buffer.parent is not None
            return f.offset(self.pointer(buffer.parent), f.multiply(self.turns[id(buffer.loop)], buffer.bytes))
        if buffer.parent is not None:
            return self.pointer(buffer.parent)
        if buffer.place == "arena":
            return f.offset(self.arena, buffer.offset)
        return f.load("ptr", f.offset(self.table, self.layout.table[buffer.place] + buffer.number, "ptr"), 8)

    def barrier(self) -> None:
        """Wait for all threads."""
        self._wait()
        self.pending.clear()

    def barrier_unless(self, items: int) -> None:
        """Wait for all threads if they cannot share out so many items evenly."""
        rest = self.f.emit("i64", f"urem i64 {items}, {self.threads.text}")
        with self.f.when(self.f.compare("icmp ne", rest, constant("i64", 0))):
            self._wait()

    def _wait(self) -> None:
        self.f.do(f"call void @barrier(ptr {self.shared.text})")

    def _meet(self, found: Sequence[Touch]) -> None:
        """A barrier if one of `found` may meet in memory with what was touched since the last one."""
        clashes = {_clash(a, b) for a in self.pending for b in found if _overlap(a.buffer, b.buffer)} - {0}
        if (divisor := math.gcd(*clashes)) == 1:
            self.barrier()
        elif divisor:
            self.barrier_unless(divisor)
        self.pending.extend(found)

    # Steps

    def write(self, steps: Sequence[Step | Run]) -> None:
        for step in steps:
            WRITE[type(step)](self, step)

    def _share(self, items: int) -> tuple[Index, Index]:
        """The items of this thread: from the first to before the last."""
        f = self.f
        begin = f.divide(f.multiply(self.thread, items), self.threads)
        return begin, f.divide(f.multiply(f.add(self.thread, 1), items), self.threads)

    def _call(self, launch: Launch, begin: Index, end: Index) -> None:
        f = self.f
        assert launch.kernel is not None
        pointers = [f.offset(self.pointer(buffer), skipped * buffer.dtype.itemsize)
                    for buffer, skipped in launch.operands]
        f.call("void", launch.kernel.name, self.frame, *pointers, f.index(begin), f.index(end))

    def _launch(self, launch: Launch) -> None:
        assert launch.kernel is not None
        self._meet(touches(launch))
        if is_shared(launch):
            self._call(launch, *self._share(launch.kernel.items))
            return
        with self.f.when(self.first):
            self._call(launch, 0, launch.kernel.items)

    def _run(self, run: Run) -> None:
        kernel = run.launches[0].kernel
        assert kernel is not None
        self._meet([touch for launch in run.launches for touch in touches(launch)])
        begin, end = self._share(kernel.items)
        with self.f.loop(begin, end, run.block) as block:
            stop = self.f.minimum(self.f.add(block.index, run.block), end)
            for launch in run.launches:
                self._call(launch, block.index, stop)

    def _callback(self, step: Callback) -> None:
        f = self.f
        self._meet(touches(step))
        with f.when(self.first):
            views = [*step.inputs, *step.outputs]
            places = f.emit("ptr", f"alloca [{len(views)} x ptr], align 8")
            for i, view in enumerate(views):
                pointer = f.offset(self.pointer(view.buffer), view.offset * view.buffer.dtype.itemsize)
                f.store(pointer, f.offset(places, i, "ptr"), 8)
            target = self._word(CALL, "ptr")
            failed = f.emit("i64", f"call i64 {target.text}(i64 {step.number}, ptr {places.text})")
            with f.when(f.compare("icmp ne", failed, constant("i64", 0))):
                self._fail(STOPPED)

    def _fail(self, why: int) -> None:
        self.f.store(Value(str(why), "i64"), self.f.offset(self.shared, FAILED, "i64"), 8)

    def _repeat(self, step: Repeat) -> None:
        f = self.f
        self.barrier()
        head, inside, end = f.label("head"), f.label("turn"), f.label("end")
        before, turn, following = f.block, Value(f.fresh(), "i64"), Value(f.fresh(), "i64")
        f.do(f"br label %{head}")
        f.start(head)
        place = len(f.lines)
        goes_on = self._goes_on(step, turn)
        f.do(f"br i1 {goes_on.text}, label %{inside}, label %{end}")
        f.start(inside)
        self.turns[id(step.turn)] = f.subtract(step.length - 1, turn) if step.reverse else turn
        self.write(step.body)
        self.barrier()
        f.do(f"{following.text} = add i64 {turn.text}, 1")
        f.lines.insert(place, f"  {turn.text} = phi i64 [ 0, %{before} ], [ {following.text}, %{f.block} ]")
        f.do(f"br label %{head}")
        f.start(end)
        if step.predicate is not None:
            self.pending = [Touch(step.predicate, ANYWHERE, writes=False)]

    def _goes_on(self, step: Repeat, turn: Value) -> Value:
        """Whether a loop has another turn."""
        f = self.f
        if step.condition is None:
            return f.compare("icmp slt", turn, Value(str(step.length), "i64"))
        self.write(step.condition)
        assert step.predicate is not None
        with f.when(self.first), f.when(f.compare("icmp ne", self._word(FAILED, "i64"), constant("i64", 0))):
            f.store(constant("i8", 0), self.pointer(step.predicate), 1)
        self.barrier()
        holds = f.compare("icmp ne", f.load("i8", self.pointer(step.predicate), 1), constant("i8", 0))
        if step.bound is not None:
            over = f.op("and", holds, f.compare("icmp sge", turn, Value(str(step.bound), "i64")))
            with f.when(f.op("and", over, self.first)):
                self._fail(TOO_LONG)
            holds = f.op("and", holds, f.op("xor", over, Value("true", "i1")))
        return holds

    def _branch(self, step: Branch) -> None:
        f = self.f
        self.barrier()
        buffer, skipped = step.predicate
        value = f.load("i8", f.offset(self.pointer(buffer), skipped), 1)
        chosen = f.compare("icmp ne", value, constant("i8", 0))
        for steps, taken in ((step.on_true, chosen), (step.on_false, f.op("xor", chosen, Value("true", "i1")))):
            self.pending = [Touch(buffer, ANYWHERE, writes=False)]
            with f.when(taken):
                self.write(steps)
                self.barrier()


WRITE: dict[type, Callable[[Program, Any], None]] = {
    Run: Program._run, Launch: Program._launch, Callback: Program._callback, Repeat: Program._repeat,
    Branch: Program._branch}


def _overlap(a: Buffer, b: Buffer) -> bool:
    """Whether two buffers share memory."""
    first, second = a.root, b.root
    if first is second:
        return True
    if first.place != "arena" or second.place != "arena":
        return False
    return first.offset < second.offset + second.bytes and second.offset < first.offset + first.bytes


def _clash(a: Touch, b: Touch) -> int:
    """What `conflict` says, of buffers that share memory though they are different ones too."""
    if a.buffer.root is b.buffer.root:
        return conflict(a, b)
    return int((a.writes or b.writes) and not a.cut == b.cut == ALONE)
