"""The kernels of a program: one function for all launches that do the same."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.backend.native.kernels.contraction import contraction
from tarazu.backend.native.kernels.elementwise_kernel import elementwise_kernel
from tarazu.backend.native.kernels.expression import Writer
from tarazu.backend.native.kernels.kernel import Kernel, KernelCall, KernelStep
from tarazu.backend.native.kernels.merge_axes import with_merged_axes
from tarazu.backend.native.kernels.reduction_kernel import reduction_kernel
from tarazu.backend.native.kernels.special import PARTS, SPECIAL
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.lowering.buffers import View
from tarazu.backend.native.lowering.loop_nest import Accumulated, Apply, Nest, expressions, walk
from tarazu.backend.native.lowering.nodes import input_types, op_of, result_types
from tarazu.backend.native.lowering.steps import (
    Callback,
    Externals,
    NestLaunch,
    PrimitiveLaunch,
    Step,
    map_inner,
)
from tarazu.ir.node import Node


class Kernels:
    """Writes kernels into a module, each that is asked for twice only once."""

    def __init__(self, target: Target) -> None:
        self.module, self.target, self.writer = Module(), target, Writer(target)
        self._nests: dict[tuple, tuple[Kernel, Nest]] = {}
        self._primitives: dict[tuple, Kernel] = {}

    def call_nest(self, launch: NestLaunch) -> KernelCall:
        """The call of the kernel for a nest."""
        key = _nest_key(launch.nest)
        if key not in self._nests:
            self._nests[key] = self._write_nest(self._name(launch.title), launch.nest)
        kernel, nest = self._nests[key]
        return KernelCall(kernel, launch._replace(nest=nest))

    def call_primitive(self, launch: PrimitiveLaunch) -> KernelCall | None:
        """The call of the special kernel for a primitive; None when there is none for it."""
        key = launch.part, *_primitive_key(launch.node)
        if key not in self._primitives:
            write = PARTS.get(launch.part) or SPECIAL[op_of(launch.node)]
            kernel = write(self.module, self.target, self._name(launch.title), launch.node)
            if kernel is None:
                return None
            self._primitives[key] = kernel
        return KernelCall(self._primitives[key], launch)

    def _name(self, title: str) -> str:
        return f"k{len(self._nests) + len(self._primitives)}_{title}"

    def _write_nest(self, name: str, nest: Nest) -> tuple[Kernel, Nest]:
        kernel = contraction(self.module, self.target, name, nest, self.writer, self.target.threads)
        if kernel is not None:
            return kernel, nest
        nest = with_merged_axes(nest)
        make = reduction_kernel if nest.reductions else elementwise_kernel
        return make(self.module, self.writer, name, nest), nest


def with_kernels(steps: Sequence[Step], kernels: Kernels, externals: Externals) -> tuple[KernelStep, ...]:
    """The steps with calls of kernels for launches; those that have no kernel become calls of NumPy."""
    return tuple([_with_kernel(step, kernels, externals) for step in steps])


def _with_kernel(step: Step, kernels: Kernels, externals: Externals) -> KernelStep:
    if isinstance(step, Callback):
        return step
    if isinstance(step, NestLaunch):
        return kernels.call_nest(step)
    if isinstance(step, PrimitiveLaunch):
        return kernels.call_primitive(step) or _callback(step, externals)
    return map_inner(step, lambda steps: with_kernels(steps, kernels, externals))


def _callback(launch: PrimitiveLaunch, externals: Externals) -> Callback:
    """The call of NumPy for a primitive without a kernel."""
    node = launch.node
    views = [View.whole(buffer, type_.shape)._replace(offset=skipped) for (buffer, skipped), type_ in
             zip(launch.operands, [*input_types(node), *result_types(node)], strict=True)]
    return externals.callback(node, views[:len(node.inputs)], views[len(node.inputs):])


def _primitive_key(node: Node) -> tuple:
    return node.op, tuple(x.type for x in node.inputs), node.type, tuple(node.attributes.items())


def _nest_key(nest: Nest) -> tuple:
    """What two nests have in common if and only if one kernel serves both."""
    numbers: dict[int, int] = {}
    rows: list[tuple] = []
    for x in walk(*expressions(nest)):
        numbers[id(x)] = len(rows)
        rows.append((x.op, tuple([numbers[id(part)] for part in x.inputs]), x.attributes, x.dtype)
                    if isinstance(x, Apply) else (x.which,) if isinstance(x, Accumulated) else (type(x), repr(x)))
    reductions = tuple([(r.op, numbers[id(r.value)]) for r in nest.reductions])
    stores = tuple([(numbers[id(s.value)], s.access) for s in nest.stores])
    loops = nest.sizes, nest.kept, nest.outer, nest.parts, nest.triangle
    return loops, reductions, stores, nest.loop_invariant, tuple(rows)
