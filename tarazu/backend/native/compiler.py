"""From a graph to machine code: regions, kernels, memory, text, object code."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tarazu.backend.native import arena, barrier, text
from tarazu.backend.native.assemble import object_code
from tarazu.backend.native.kernels import Kernels
from tarazu.backend.native.region import Region, Shared
from tarazu.backend.native.sharing import Run, is_shared, with_runs
from tarazu.backend.native.steps import Branch, Callback, Launch, Repeat, Step, every, input_types, result_types
from tarazu.backend.native.target import Target
from tarazu.backend.native.views import Buffer, View
from tarazu.ir.graph import Graph

ALIGN = 64


class Compiled(NamedTuple):
    """A program before it is loaded."""

    text: str
    steps: list[Step | Run]
    constants: list[np.ndarray]
    callbacks: list[Callback]
    arena: int  # bytes
    scratch: int  # bytes for each thread
    is_shared: bool  # whether more than one thread has something to do


def lower(graph: Graph, target: Target) -> Compiled:
    """The program of `graph` in LLVM IR, with all that it needs to run."""
    shared = Shared()
    inputs = [View.whole(Buffer(t.dtype, t.size, "input", i), t.shape) for i, t in enumerate(graph.input_types)]
    outputs = [View.whole(Buffer(t.dtype, t.size, "output", i), t.shape) for i, t in enumerate(graph.output_types)]
    steps = Region(graph, inputs, outputs, shared).steps
    kernels = Kernels(target)
    steps = _with_kernels(steps, kernels, shared)
    plan = _with_runs(steps)
    size = arena.place(plan)
    launches = [step for step in every(steps) if isinstance(step, Launch)]
    scratch = max((-(-launch.kernel.scratch // ALIGN) * ALIGN for launch in launches if launch.kernel), default=0)
    starts = {"input": 0, "output": len(inputs), "constant": len(inputs) + len(outputs)}
    barrier.emit_barrier(kernels.module, target)
    function = kernels.module.function("program", [("ptr", "shared"), ("i64", "thread")], linkage="external")
    program = text.Program(function, text.Layout(starts, scratch))
    program.write(plan)
    function.ret()
    return Compiled(kernels.module.text(target.attributes), plan, [array for array, _ in shared.constants],
                    shared.callbacks, size, scratch, any(is_shared(launch) for launch in launches))


def _with_kernels(steps: list[Step], kernels: Kernels, shared: Shared) -> list[Step]:
    """The steps with their kernels; those that have none become calls of NumPy."""
    found: list[Step] = []
    for step in steps:
        if isinstance(step, Launch) and not kernels.write(step):
            step = _as_callback(step, shared)
        elif isinstance(step, Repeat):
            step.body = _with_kernels(step.body, kernels, shared)
            step.condition = step.condition and _with_kernels(step.condition, kernels, shared)
        elif isinstance(step, Branch):
            step.on_true = _with_kernels(step.on_true, kernels, shared)
            step.on_false = _with_kernels(step.on_false, kernels, shared)
        found.append(step)
    return found


def _as_callback(launch: Launch, shared: Shared) -> Callback:
    assert launch.node is not None
    types = [*input_types(launch.node), *result_types(launch.node)]
    views = [View.whole(buffer, type_.shape)._replace(offset=skipped)
             for (buffer, skipped), type_ in zip(launch.operands, types, strict=True)]
    count = len(launch.node.inputs)
    made = Callback(launch.node, views[:count], views[count:], len(shared.callbacks))
    shared.callbacks.append(made)
    return made


def _with_runs(steps: list[Step]) -> list[Step | Run]:
    for step in steps:
        if isinstance(step, Repeat):
            step.body = _with_runs(step.body)  # type: ignore[arg-type,assignment]
            step.condition = step.condition and _with_runs(step.condition)  # type: ignore[arg-type,assignment]
        elif isinstance(step, Branch):
            step.on_true = _with_runs(step.on_true)  # type: ignore[arg-type,assignment]
            step.on_false = _with_runs(step.on_false)  # type: ignore[arg-type,assignment]
    return with_runs(steps)


def machine_code(compiled: Compiled, target: Target) -> bytes:
    """The object code of a program."""
    return object_code(compiled.text, target)
