"""A compiled program as Python calls it: its memory, its arguments, and the primitives that NumPy computes for it."""

from __future__ import annotations

import ctypes
import math
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.backend.base import Renewed
from tarazu.backend.native.compiler import SECONDS_OF_LINE, Compiled, compiled, compiled_in_full
from tarazu.backend.native.donation import Donating, address, addresses
from tarazu.backend.native.llvm.assemble import Loaded
from tarazu.backend.native.llvm.target import Target, host
from tarazu.backend.native.lowering.nodes import input_types, op_of, result_types
from tarazu.backend.native.schedule import emit
from tarazu.backend.native.schedule.memory_plan import ALIGN
from tarazu.backend.native.threads import barrier
from tarazu.backend.native.threads.pool import run, seconds_of_look
from tarazu.backend.native.threads.thread_count import (
    cores,
    helpful_threads,
    is_alone,
    learn_from_run,
    learn_from_run_alone,
    watch_cores,
)
from tarazu.backend.native.winograd_tile import winograd_tile
from tarazu.base.checks import exceeded_bound
from tarazu.base.settings import log
from tarazu.ir.graph import Graph
from tarazu.ir.node import Node
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType

Evaluate = Callable[[Op, list[np.ndarray], dict[str, Any]], Any]
_CALL = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.POINTER(ctypes.c_void_p))
_FAILED = emit.FAILED  # found faster than an attribute
_ALONE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)  # the thread, 0, as None: quicker than a number
SMALL = 4096  # bytes of all inputs and outputs: up to here copies take less time than asking where arrays lie
MEASURED = 16  # of so many runs of a small program one: looking at the clock takes as long as the run


class ProgramMemory:
    """The memory of one run of a program: control block, table of pointers, arena, scratch frames of the threads; for
    a small program also its inputs and outputs."""

    def __init__(self, program: NativeProgram) -> None:
        self.block = _aligned(8 * emit.WORDS)
        self.arena = _aligned(program.compiled.arena)
        self.frames: np.ndarray | None = None
        self.threads = 0
        constants = [x.ctypes.data for x in program.constants]
        self.table = (ctypes.c_uint64 * (program.arguments.size // 8 + len(constants) + 1))()
        struct.pack_into(f"{len(constants)}Q", self.table, program.arguments.size, *constants)
        self.address = self.block.ctypes.data
        self.pointer = ctypes.c_void_p(self.address)
        self.words = (ctypes.c_int64 * emit.WORDS).from_address(self.address)
        self.words[emit.TABLE] = ctypes.addressof(self.table)
        self.words[emit.ARENA] = self.arena.ctypes.data
        self.words[emit.CALL] = ctypes.cast(program.callback, ctypes.c_void_p).value or 0
        self.words[barrier.THREADS] = 1
        self.for_threads(1, program.compiled.scratch)
        if program.is_small:
            inputs, self.outputs = ([np.empty(*spec) for spec in specs] for specs in (program.inputs, program.outputs))
            self.inputs = list(enumerate(inputs))
            program.arguments.pack_into(self.table, 0, *addresses([*inputs, *self.outputs], []))

    def for_threads(self, count: int, scratch: int) -> None:
        """Make room for the frames of so many threads."""
        if count > self.threads:
            self.frames, self.threads = _aligned(count * scratch), count
            self.words[emit.FRAMES] = self.frames.ctypes.data


def _aligned(size: int) -> np.ndarray:
    """So many bytes, at an address that is aligned for vectors."""
    raw = np.zeros(size + ALIGN, np.uint8)
    start = -raw.ctypes.data % ALIGN
    return raw[start:start + size]


def processor() -> Target:
    """What programs are made for: this processor, with the cores that it gives this process, and as the user says."""
    return host()._replace(threads=cores(), winograd=winograd_tile())


class NativeProgram:
    """A compiled graph."""

    def __init__(self, graph: Graph, evaluate: Evaluate, renewed: Renewed = ()) -> None:
        self.renewed = renewed
        self.inputs, self.outputs = ([(t.shape, t.dtype.numpy) for t in types]
                                     for types in (graph.input_types, graph.output_types))
        self.arguments = struct.Struct(f"{len(graph.parameters) + len(graph.outputs)}Q")
        self.evaluate = evaluate
        self.compiled = self.compile(graph)
        self.is_small = self._is_small()
        self.constants = [np.ascontiguousarray(node.attributes["value"].array) for node in self.compiled.constants]
        self._codes: list[Loaded] = []  # the last one runs; calls of other threads may be in one before
        self._use(self.compiled.code)
        self._full = [] if self.compiled.full is None else [self.compiled.full]  # until it is compiled in full
        self._seconds, self._runs = 0.0, 0  # of quick code
        self.error: BaseException | None = None
        self.callback = _CALL(self._called)
        self._free: list[ProgramMemory] = []  # of runs on memory of callers, which the tables then point to
        self._free_small: list[ProgramMemory] = []  # of runs on memory of the program's own
        if self.compiled.callbacks:
            names = sorted({op_of(node).name for node in self.compiled.callbacks})
            log("native", f"NumPy computes {', '.join(names)} inside a compiled program")

    def _is_small(self) -> bool:
        """Whether so little goes in and out that it is copied to and from memory of the program's own."""
        size = sum(math.prod(shape) * dtype.itemsize for shape, dtype in (*self.inputs, *self.outputs))
        has_more = self.compiled.is_shared or self.compiled.callbacks or self.compiled.renewed
        return size <= SMALL and not has_more

    def compile(self, graph: Graph) -> Compiled:
        """The code, and what it takes to run it."""
        return compiled(graph, processor(), self.renewed)

    def _use(self, code: bytes) -> None:
        self._codes.append(Loaded(code))
        self.address = self._codes[-1].address("program")
        self.function = _ALONE(self.address)

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        if not self.is_small:
            return self._call_large(arrays)
        try:  # each line counts here: all of them take about as long as two of NumPy's kernels
            memory = self._free_small.pop()
        except IndexError:
            memory = ProgramMemory(self)
        for i, own in memory.inputs:
            own[...] = arrays[i]
        if self._full:
            self._run_quick_code(memory)
        else:
            self.function(memory.pointer, None)
            if memory.words[_FAILED]:
                self._raise(memory)
        outputs = []
        for own in memory.outputs:
            outputs.append(own.copy())  # noqa: PERF401 - a comprehension is a call of its own until Python 3.12
        self._free_small.append(memory)
        return outputs

    def _call_large(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        inputs, outputs = [*arrays], [np.empty(shape, dtype) for shape, dtype in self.outputs]
        for new, old in self.compiled.renewed:
            inputs[old] = outputs[new] = np.array(arrays[old], order="C")
        copies: list[np.ndarray] = []
        self.run(addresses([*inputs, *outputs], copies))
        return outputs

    def donating(self, first: int) -> Donating:
        """The program for one caller that keeps the outputs from number `first` on as state until its next call."""
        return Donating(self, first, self.compiled.renewed)

    def holding(self, arrays: Sequence[np.ndarray]) -> Callable[..., list[np.ndarray]]:
        """The program for calls whose last inputs are always these arrays."""
        first, fixed = len(self.inputs) - len(arrays), addresses([*arrays], [])
        strided = [i for i, x in enumerate(arrays) if not x.flags.c_contiguous]  # copied in each call

        def call(*inputs: np.ndarray) -> list[np.ndarray]:
            copies: list[np.ndarray] = []  # alive until the end of the run
            places = [*addresses([*inputs[:first]], copies), *fixed]
            for i in strided:
                places[first + i] = address(inputs[first + i], copies)
            outputs = [np.empty(shape, dtype) for shape, dtype in self.outputs]
            self.run([*places, *addresses(outputs, copies)])
            return outputs

        return call

    def run(self, arguments: Sequence[int]) -> None:
        """Run on memory at these addresses: of the inputs, then of the outputs, all in C order."""
        memory = self._memory()
        try:
            self.arguments.pack_into(memory.table, 0, *arguments)
            if self._full:
                self._run_quick_code(memory)
            else:
                self._run(memory)
        finally:
            self._free.append(memory)

    def free_memory(self) -> None:
        """Give back the memory that runs have left; the next one takes new."""
        self._free.clear()
        self._free_small.clear()

    def _memory(self) -> ProgramMemory:
        try:
            return self._free.pop()
        except IndexError:
            return ProgramMemory(self)

    def _run(self, memory: ProgramMemory) -> None:
        if not self.compiled.is_shared:
            self.function(memory.pointer, None)
        elif (count := self._threads()) == 1:
            self._run_alone(memory)
        else:
            memory.for_threads(count, self.compiled.scratch)
            start, at_work = time.perf_counter(), time.thread_time()
            run(self.address, memory.address, count)
            seconds, at_work = time.perf_counter() - start, time.thread_time() - at_work
            if looks := int(memory.words[barrier.LOOKS]):
                at_work -= looks * seconds_of_look()
            learn_from_run(seconds, at_work)
        if memory.words[emit.FAILED]:
            self._raise(memory)

    def _threads(self) -> int:
        """On how many threads to run now."""
        return helpful_threads()

    def _run_quick_code(self, memory: ProgramMemory) -> None:
        """Run; once that has taken as long as compiling in full takes, compile: that at most doubles the time."""
        self._runs += 1
        every = MEASURED if self.is_small else 1
        if self._runs % every:
            self._run(memory)
            return
        start = time.thread_time()
        self._run(memory)
        self._seconds += (time.thread_time() - start) * every
        if self._seconds > SECONDS_OF_LINE * self.compiled.lines:
            self.compile_in_full()

    def compile_in_full(self) -> None:
        """Let further runs have LLVM's best code, where it was compiled quickly."""
        try:
            full = self._full.pop()
        except IndexError:  # another thread does it
            return
        self._use(full.code())

    def _run_alone(self, memory: ProgramMemory) -> None:
        """Run on one thread; if only because others need the cores, look whether they still do."""
        if not is_alone():
            run(self.address, memory.address, 1)
            return
        watch_cores()
        start = time.perf_counter()
        run(self.address, memory.address, 1)
        learn_from_run_alone(time.perf_counter() - start)

    def _raise(self, memory: ProgramMemory) -> None:
        memory.words[emit.FAILED] = 0
        error, self.error = self.error, None
        if error is not None:
            raise error
        raise exceeded_bound()

    def _called(self, number: int, pointers: Any) -> int:
        """Compute one primitive in NumPy; errors wait until the program has returned."""
        try:
            node = self.compiled.callbacks[number]
            inputs, outputs = _arrays(node, pointers)
            with np.errstate(all="ignore"):
                results = self.evaluate(op_of(node), inputs, node.attributes)
            for target, value in zip(outputs, results if isinstance(results, list) else [results], strict=True):
                target[...] = value
        except BaseException as error:
            self.error = error
            return 1
        return 0


class FullProgram(NativeProgram):
    """A graph that is compiled in full at once."""

    def compile(self, graph: Graph) -> Compiled:
        return compiled_in_full(graph, processor(), self.renewed)


def _arrays(node: Node, pointers: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The memory of a primitive's inputs and results as arrays."""
    types = [*input_types(node), *result_types(node)]
    arrays = [_array(pointers[i], type_) for i, type_ in enumerate(types)]
    return arrays[:len(node.inputs)], arrays[len(node.inputs):]


def _array(address: int, type_: TensorType) -> np.ndarray:
    size = type_.size * type_.dtype.itemsize
    if not size:
        return np.empty(type_.shape, type_.dtype.numpy)
    raw = (ctypes.c_char * size).from_address(address)
    return np.frombuffer(memoryview(raw), np.uint8).view(type_.dtype.numpy).reshape(type_.shape)
