"""The native backend: a whole graph, loops and all, becomes one function of machine code for the CPU, through LLVM.

`compiler.py` calls the stages in this order; each gives new values and leaves those of the stages before as they are:

    graph
     -> half_products.py            products of half precision become products of float32
     -> scan_products.py            sequences that are products are computed in the loop over them (prepare.py calls it)
     -> lowering/prepare.py         products and scans rewritten to suit the caches of several cores
     -> lowering/materialize.py     which nodes are stored in memory, which are computed where they are used
     -> lowering/region/            nodes become groups (a kernel each), loops and branches; groups become launches:
                                    nests of loops (loop_nest.py) over buffers and views (buffers.py, index_map.py)
     -> lowering/triangles.py       which nests stop at the diagonal, as causal attention does
     -> kernels/batches.py          neighbors around batches of products share the axes of the batch, and blocks of
                                    rows where these are large (row_blocks.py)
     -> loop_products.py            matrices that a loop does not change are laid out in panels before it
     -> kernels/kernels.py          launches become calls of kernels, one function for all that do the same, by
                                    elementwise_kernel.py, reduction_kernel.py, contraction.py (products) and special/
     -> schedule/runs.py            neighbors over the same items become runs, done block by block
     -> schedule/memory_plan.py     where each buffer lies in one piece of memory, the arena
     -> schedule/emit.py            the program in LLVM IR: kernels in order, each thread its share of the items
                                    (work_sharing.py), barriers where accesses of memory conflict (pending.py)
     -> llvm/assemble.py            object code, through llvmlite; kept on disk by cache.py, under a key that
                                    cache_key.py and cache.py make

`program.py` is what Python then calls; `donation.py` lets it write its state into memory of old states, `threads/` runs
it on all cores. `math/` has the scalar functions, `inspect/` shows schedules and measures times, `winograd_tile.py`
keeps a setting.

The folders import one way: llvm <- math <- lowering <- kernels <- schedule <- the files here <- inspect; threads stands
beside them, above llvm. How a product is divided among threads is described in `schedule/work_sharing.py`.
"""

from __future__ import annotations

import importlib

from tarazu.backend.base import Renewed, RenewingBackend
from tarazu.backend.native.program import Evaluate, FullProgram, NativeProgram
from tarazu.ir.graph import Graph


class NativeBackend:
    """Runs on the CPU; what has no kernel is computed by NumPy while the program waits. Its arrays are NumPy's own."""

    def compile(self, graph: Graph) -> NativeProgram:
        return self.compile_renewing(graph, ())

    def compile_renewing(self, graph: Graph, renewed: Renewed) -> NativeProgram:
        return NativeProgram(graph, _evaluate(), renewed)

    def compile_in_full(self, graph: Graph, renewed: Renewed) -> NativeProgram:
        return FullProgram(graph, _evaluate(), renewed)


def _evaluate() -> Evaluate:
    return importlib.import_module("tarazu.backend.numpy").evaluate


BACKEND: RenewingBackend = NativeBackend()
