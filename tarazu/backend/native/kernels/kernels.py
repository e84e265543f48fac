"""The kernels of a program: one function for all launches that do the same."""

from __future__ import annotations

from tarazu.backend.native.kernels.contraction import contraction
from tarazu.backend.native.kernels.expression import Writer
from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.loops import map_kernel, reduce_kernel
from tarazu.backend.native.kernels.merge_axes import with_merged_axes
from tarazu.backend.native.kernels.special import SPECIAL
from tarazu.backend.native.llvm.llvm_text import Module
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.lowering.loop_nest import Accumulated, Apply, Expression, Nest
from tarazu.backend.native.lowering.steps import Launch
from tarazu.ir.node import Node


class Kernels:
    """Writes kernels into a module, each that is asked for twice only once."""

    def __init__(self, target: Target) -> None:
        self.module, self.target, self.writer = Module(), target, Writer(target)
        self._made: dict[tuple, tuple[Kernel, Nest | None]] = {}

    def write(self, launch: Launch) -> bool:
        """Give `launch` its kernel; False when there is none for it."""
        key = _special_key(launch.node) if launch.node is not None else _nest_key(launch.nest)
        if key not in self._made:
            name = f"k{len(self._made)}_{launch.title}"
            made = self._special(name, launch.node) if launch.node is not None else self._nest(name, launch.nest)
            if made is None:
                return False
            self._made[key] = made
        launch.kernel, launch.nest = self._made[key]
        return True

    def _special(self, name: str, node: Node) -> tuple[Kernel, None] | None:
        kernel = SPECIAL[node.op](self.module, self.target, name, node)  # type: ignore[index]
        return None if kernel is None else (kernel, None)

    def _nest(self, name: str, nest: Nest | None) -> tuple[Kernel, Nest]:
        assert nest is not None
        kernel = contraction(self.module, self.target, name, nest, self.writer, self.target.threads)
        if kernel is not None:
            return kernel, nest
        nest = with_merged_axes(nest)
        make = reduce_kernel if nest.reductions else map_kernel
        return make(self.module, self.writer, name, nest), nest


def _special_key(node: Node) -> tuple:
    return node.op, tuple(x.type for x in node.inputs), node.type, tuple(node.attributes.items())


def _nest_key(nest: Nest | None) -> tuple:
    """What two nests have in common if and only if one kernel serves both."""
    assert nest is not None
    numbers: dict[int, int] = {}
    rows: list[tuple] = []

    def visit(x: Expression) -> int:
        if id(x) not in numbers:
            row = (x.op, tuple([visit(part) for part in x.inputs]), x.attributes, x.dtype) if isinstance(x, Apply) \
                else (x.which,) if isinstance(x, Accumulated) else (type(x), repr(x))
            numbers[id(x)] = len(rows)
            rows.append(row)
        return numbers[id(x)]

    reductions = tuple([(r.op, visit(r.value)) for r in nest.reductions])
    stores = tuple([(visit(s.value), s.access) for s in nest.stores])
    return nest.sizes, nest.kept, reductions, stores, nest.loop_invariant, tuple(rows)
