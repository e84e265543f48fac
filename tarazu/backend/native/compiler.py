"""From a graph to machine code: regions, kernels, memory, text, object code."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import NamedTuple

from tarazu.backend.native import cache
from tarazu.backend.native.cache_key import content, nodes_of
from tarazu.backend.native.kernels.kernels import Kernels
from tarazu.backend.native.llvm.assemble import object_code
from tarazu.backend.native.llvm.llvm_text import Function
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.lowering.prepare import prepare
from tarazu.backend.native.lowering.region import Region, Shared
from tarazu.backend.native.lowering.steps import Callback, Launch, Step, change_inner, every, input_types, result_types
from tarazu.backend.native.lowering.views import Buffer, View
from tarazu.backend.native.schedule import emit as text
from tarazu.backend.native.schedule import memory_plan as arena
from tarazu.backend.native.schedule.work_sharing import Run, takes_threads, with_runs
from tarazu.backend.native.threads import barrier
from tarazu.base.settings import log
from tarazu.ir.graph import Graph
from tarazu.ir.node import Node

Writer = Callable[[Function, text.Layout], text.Program]


class Lowered(NamedTuple):
    """A program as text."""

    text: str
    steps: list[Step | Run]
    constants: list[Node]
    callbacks: list[Node]
    arena: int  # bytes
    scratch: int  # bytes for each thread
    is_shared: bool  # whether more than one thread has something to do
    kernels: int  # how many different ones there are
    program: text.Program  # what wrote the steps

    @property
    def lines(self) -> int:
        """The length of the text."""
        return self.text.count("\n")


def lower(graph: Graph, target: Target, writer: Writer = text.Program) -> Lowered:
    """The program of `graph` in LLVM IR, with all that it needs to run; `writer` writes the order of its steps."""
    shared = Shared()
    inputs = [View.whole(Buffer(t.dtype, t.size, "input", i), t.shape) for i, t in enumerate(graph.input_types)]
    outputs = [View.whole(Buffer(t.dtype, t.size, "output", i), t.shape) for i, t in enumerate(graph.output_types)]
    steps = Region(graph, inputs, outputs, shared).steps
    kernels = Kernels(target)
    steps = _with_kernels(steps, kernels, shared)
    launches = [step for step in every(steps) if isinstance(step, Launch)]
    used = {launch.kernel for launch in launches if launch.kernel}
    scratch = max((arena.aligned(kernel.scratch) for kernel in used), default=0)
    plan = _with_runs(steps)
    size = arena.place(plan)
    starts = {"input": 0, "output": len(inputs), "constant": len(inputs) + len(outputs)}
    barrier.emit_barrier(kernels.module, target)
    function = kernels.module.function("program", [("ptr", "shared"), ("i64", "thread")], linkage="external")
    program = writer(function, text.Layout(starts, scratch))
    program.write(plan)
    function.ret()
    return Lowered(kernels.module.text(target.attributes), plan, shared.constants, shared.callbacks, size, scratch,
                   takes_threads(steps, launches), len(used), program)


def _with_kernels(steps: list[Step], kernels: Kernels, shared: Shared) -> list[Step]:
    """The steps with their kernels; those that have none become calls of NumPy."""
    found: list[Step] = []
    for step in steps:
        if isinstance(step, Launch) and not kernels.write(step):
            step = _as_callback(step, shared)
        change_inner(step, lambda inner: _with_kernels(inner, kernels, shared))
        found.append(step)
    return found


def _as_callback(launch: Launch, shared: Shared) -> Callback:
    assert launch.node is not None
    types = [*input_types(launch.node), *result_types(launch.node)]
    views = [View.whole(buffer, type_.shape)._replace(offset=skipped)
             for (buffer, skipped), type_ in zip(launch.operands, types, strict=True)]
    count = len(launch.node.inputs)
    return shared.callback(launch.node, views[:count], views[count:])


def _with_runs(steps: list[Step]) -> list[Step | Run]:
    for step in steps:
        change_inner(step, _with_runs)
    return with_runs(steps)


class Compiled(NamedTuple):
    """A program as object code, with all that it takes to run it."""

    code: bytes
    constants: list[Node]
    callbacks: list[Node]
    arena: int  # bytes
    scratch: int  # bytes for each thread
    is_shared: bool  # whether more than one thread has something to do
    kernels: int
    lines: int  # of LLVM IR


def compiled(graph: Graph, target: Target) -> Compiled:
    """The program of `graph`, from the cache on disk if it is there."""
    started = time.perf_counter()
    graph = prepare(graph, target.threads)
    name = cache.key(content(graph), target)
    entry = cache.load(name)
    nodes = list(nodes_of(graph))
    how = "loaded from the cache"
    if entry is None:
        lowered = lower(graph, target)
        after = time.perf_counter()
        number = {node: i for i, node in enumerate(nodes)}
        facts = [[number[node] for node in lowered.constants], [number[node] for node in lowered.callbacks],
                 lowered.arena, lowered.scratch, lowered.is_shared, lowered.kernels, lowered.lines]
        entry = cache.Entry(object_code(lowered.text, target), json.dumps(facts).encode())
        cache.store(name, entry)
        how, started = f"lowered in {after - started:.3f} s, compiled", after
    constants, callbacks, *sizes = json.loads(entry.metadata)
    found = Compiled(entry.code, [nodes[i] for i in constants], [nodes[i] for i in callbacks], *sizes)
    _tell(graph, found, f"{how} in {time.perf_counter() - started:.3f} s")
    return found


def _tell(graph: Graph, found: Compiled, how: str) -> None:
    """A line for TARAZU_LOG=native."""
    log("native", f"{len(graph.nodes)} nodes, {len(graph.parameters)} inputs, {len(graph.outputs)} outputs: "
                  f"{found.kernels} kernels, {found.lines:,} lines, {how}, arena {found.arena / 2**20:.2f} MB, "
                  f"{'shared among threads' if found.is_shared else 'one thread'}")
