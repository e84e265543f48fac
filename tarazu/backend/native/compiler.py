"""From a graph to object code, through all stages of the compiler or from the cache on disk."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from tarazu.backend.base import Renewed
from tarazu.backend.native import cache
from tarazu.backend.native.cache_key import content, nodes_of
from tarazu.backend.native.kernels.batches import with_batches
from tarazu.backend.native.kernels.kernel import KernelCall
from tarazu.backend.native.kernels.kernels import Kernels, with_kernels
from tarazu.backend.native.llvm.assemble import FULL, QUICK, object_code
from tarazu.backend.native.llvm.function import BRIEF, Function
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.loop_products import with_panels
from tarazu.backend.native.lowering.buffers import Buffer, View
from tarazu.backend.native.lowering.in_place import Pair, renewed_in_place, reused_in_place
from tarazu.backend.native.lowering.order import with_early_updates
from tarazu.backend.native.lowering.prepare import prepare
from tarazu.backend.native.lowering.region.lower_graph import lower_graph
from tarazu.backend.native.lowering.steps import Callback, Externals, Step, WhileLoop, every
from tarazu.backend.native.lowering.triangles import with_triangles
from tarazu.backend.native.schedule.emit import MemoryLayout, ProgramEmitter
from tarazu.backend.native.schedule.memory_plan import MemoryPlan, aligned, plan_memory
from tarazu.backend.native.schedule.runs import ScheduledStep, with_local_buffers, with_runs
from tarazu.backend.native.schedule.work_sharing import takes_threads
from tarazu.backend.native.threads import barrier
from tarazu.base.settings import log
from tarazu.ir.cost import counts
from tarazu.ir.graph import Graph
from tarazu.ir.node import Node

Emitter = TypeVar("Emitter", bound=ProgramEmitter)
FEW_FLOPS = 60_000_000  # of a run: code in full then saves a few milliseconds of it at most
SECONDS_OF_LINE = 5e-5  # that LLVM takes for a line of IR, in full


class Lowered(NamedTuple, Generic[Emitter]):
    """A program in LLVM IR, before it is object code."""

    text: str
    steps: tuple[ScheduledStep, ...]
    constants: list[Node]
    callbacks: list[Node]
    memory: MemoryPlan
    scratch: int  # bytes for each thread
    is_shared: bool  # whether more than one thread has something to do
    kernels: int  # how many different ones there are
    renewed: Renewed  # those that are written in place
    emitter: Emitter  # what wrote the steps

    @property
    def lines(self) -> int:
        """How many lines of LLVM IR it has."""
        return self.text.count("\n")


def lower(graph: Graph, target: Target, renewed: Renewed = ()) -> Lowered[ProgramEmitter]:
    """The program of a prepared graph in LLVM IR, with all that it needs to run."""
    return lower_with(ProgramEmitter, graph, target, renewed)


def lower_with(emitter: Callable[[Function, MemoryLayout], Emitter], graph: Graph, target: Target,
               renewed: Renewed = ()) -> Lowered[Emitter]:
    """As `lower`, with a program that another emitter writes, such as one that also measures or records the steps."""
    externals, kernels = Externals(target), Kernels(target)
    inputs = [View.whole(Buffer(t.dtype, t.size, "input", i), t.shape) for i, t in enumerate(graph.input_types)]
    outputs = [View.whole(Buffer(t.dtype, t.size, "output", i), t.shape) for i, t in enumerate(graph.output_types)]
    region = lower_graph(externals, graph, inputs, outputs)
    placed, in_place = _placed(region.steps, inputs, outputs, renewed)
    batched = with_panels(with_batches(with_triangles(placed), target.threads), target)
    called = with_kernels(batched, kernels, externals)
    used = {step.kernel for step in every(called) if isinstance(step, KernelCall)}
    scratch = max((aligned(kernel.scratch) for kernel in used), default=0)
    steps, scratch = with_local_buffers(with_runs(called), target.threads, scratch)
    memory = plan_memory(steps)
    table = {"input": 0, "output": len(inputs), "constant": len(inputs) + len(outputs)}
    barrier.emit_barrier(kernels.module, target)
    function = kernels.module.function("program", [("ptr", "shared"), ("i64", "thread")], linkage="external",
                                       attributes=BRIEF)
    program = emitter(function, MemoryLayout(table, memory, scratch))
    program.emit(steps)
    function.ret()
    return Lowered(kernels.module.text(target.attributes), steps, externals.constants, externals.callbacks, memory,
                   scratch, takes_threads(called), len(used), in_place, program)


def _placed(steps: Sequence[Step], inputs: Sequence[View], outputs: Sequence[View],
            renewed: Renewed) -> tuple[list[Step], Renewed]:
    """The steps in their order, with what is written in the place of something else; and the outputs that are written
    where an input lies."""
    pairs = [Pair(outputs[i].buffer, inputs[j].buffer) for i, j in renewed]
    place = dict(pairs)
    ordered = with_early_updates(steps, [Pair(view.buffer, place.get(view.buffer, view.buffer)) for view in outputs])
    may_stop = any(isinstance(step, Callback) or (isinstance(step, WhileLoop) and step.bound is not None)
                   for step in every(steps))  # an error leaves the old state as it was
    ordered, chosen = renewed_in_place(ordered, [] if may_stop else pairs)
    return reused_in_place(ordered), tuple([(new.number, old.number) for new, old in chosen])


class Full(NamedTuple):
    """What it takes to compile a program in full that was compiled quickly."""

    graph: Graph
    target: Target
    renewed: Renewed
    name: str  # in the cache
    metadata: bytes
    text: bytes  # LLVM IR, compressed; empty for a program from the cache

    def code(self) -> bytes:
        """The object code, which is kept in the cache."""
        started = time.perf_counter()
        entry = cache.load(self.name)  # which another process may have filled meanwhile
        if entry is None:
            text = (zlib.decompress(self.text).decode() if self.text
                    else lower(self.graph, self.target, self.renewed).text)
            entry = cache.Entry(object_code(text, self.target), self.metadata)
            cache.store(self.name, entry)
        log("native", f"a program that runs long: compiled in full in {time.perf_counter() - started:.3f} s")
        return entry.code


class Compiled(NamedTuple):
    """A program as object code, with all that it takes to run it."""

    code: bytes
    constants: list[Node]
    callbacks: list[Node]
    renewed: Renewed  # outputs that are written where these inputs lie
    arena: int  # bytes
    scratch: int  # bytes for each thread
    is_shared: bool  # whether more than one thread has something to do
    kernels: int
    lines: int  # of LLVM IR
    full: Full | None = None  # of a program that was compiled quickly


def compiled(graph: Graph, target: Target, renewed: Renewed = ()) -> Compiled:
    """The program of `graph`, from the cache on disk if it is there; in full, or quickly where a run takes little.

    Outputs that `renewed` names with inputs are written where these lie, if that is safe.
    """
    return _compiled(graph, target, renewed, _suffices_quick_code)


def compiled_in_full(graph: Graph, target: Target, renewed: Renewed = ()) -> Compiled:
    """As `compiled`, always in full: for a graph that has been computed often enough."""
    return _compiled(graph, target, renewed, lambda graph, target: False)


def _compiled(graph: Graph, target: Target, renewed: Renewed, is_quick_enough: Callable[[Graph, Target], bool]
              ) -> Compiled:
    started = time.perf_counter()
    graph = prepare(graph, target)
    written = content(graph) + repr(renewed).encode()
    name, quick_name = cache.key(written, target), cache.key(b"quick " + written, target)
    is_quick, text, how = False, b"", "loaded from the cache"
    entry = cache.load(name)
    if entry is None and (is_quick := is_quick_enough(graph, target)):
        entry = cache.load(quick_name)
    if entry is None:
        lowered = lower(graph, target, renewed)
        after = time.perf_counter()
        how, started = f"lowered in {after - started:.3f} s, compiled{' quickly' * is_quick}", after
        entry = cache.Entry(object_code(lowered.text, target, QUICK if is_quick else FULL), _facts(graph, lowered))
        cache.store(quick_name if is_quick else name, entry)
        text = zlib.compress(lowered.text.encode(), 1) if is_quick else b""
    program = _program(graph, entry, Full(graph, target, renewed, name, entry.metadata, text) if is_quick else None)
    _log(graph, program, f"{how} in {time.perf_counter() - started:.3f} s")
    return program


def _suffices_quick_code(graph: Graph, target: Target) -> bool:
    """Whether a run, or an iteration of a loop of unknown length, takes so little that it may never pay to compile the
    program in full. On other processors LLVM's quick way is another than its usual one."""
    return target.is_x86 and counts(graph).flops <= FEW_FLOPS


def _facts(graph: Graph, lowered: Lowered[ProgramEmitter]) -> bytes:
    """What `Compiled` has beside the code."""
    number = {node: i for i, node in enumerate(nodes_of(graph))}
    facts = [[number[node] for node in lowered.constants], [number[node] for node in lowered.callbacks],
             lowered.renewed, lowered.memory.size, lowered.scratch, lowered.is_shared, lowered.kernels, lowered.lines]
    return json.dumps(facts).encode()


def _program(graph: Graph, entry: cache.Entry, full: Full | None) -> Compiled:
    nodes = list(nodes_of(graph))
    constants, callbacks, in_place, *sizes = json.loads(entry.metadata)
    return Compiled(entry.code, [nodes[i] for i in constants], [nodes[i] for i in callbacks],
                    tuple([(new, old) for new, old in in_place]), *sizes)._replace(full=full)


def _log(graph: Graph, program: Compiled, how: str) -> None:
    """A line for TARAZU_LOG=native."""
    log("native", f"{len(graph.nodes)} nodes, {len(graph.parameters)} inputs, {len(graph.outputs)} outputs: "
                  f"{program.kernels} kernels, {program.lines:,} lines, {how}, arena {program.arena / 2**20:.2f} MB, "
                  f"{'shared among threads' if program.is_shared else 'one thread'}")
