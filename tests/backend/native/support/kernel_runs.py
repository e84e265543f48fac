"""Running the kernel of one node on arrays, by shares of its items."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import numpy as np

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.special import SPECIAL
from tarazu.backend.native.llvm.assemble import Loaded, object_code
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import Target, host
from tarazu.base.dtypes import FROM_NUMPY, as_dtype
from tarazu.ir.node import Builder, Node
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType

Array = np.ndarray


def type_of(array: Array) -> TensorType:
    return TensorType(array.shape, FROM_NUMPY.get(array.dtype) or as_dtype(array.dtype))


def node_of(op: Op, inputs: Sequence[Array], attributes: dict) -> Node:
    """The node of `op` for inputs like these."""
    builder = Builder()
    made = builder.add(op, [builder.parameter(type_of(x)) for x in inputs], attributes)
    return made[0].inputs[0] if op.multiple else made


def kernel_text(node: Node, target: Target) -> tuple[str, Kernel]:
    """A module with the node's kernel and `run(table of pointers, begin, end)`, which calls it."""
    module = Module()
    kernel = SPECIAL[node.op](module, target, "kernel", node)
    assert kernel is not None
    run = module.function("run", [("ptr", "table"), ("i64", "begin"), ("i64", "end")], linkage="")
    count = len(module.functions["kernel"].parameters) - 2
    pointers = [run.load("ptr", run.offset(run.parameters["table"], i, "ptr"), 8) for i in range(count)]
    run.call("void", "kernel", *pointers, run.parameters["begin"], run.parameters["end"])
    run.ret()
    return module.text(target.attributes), kernel


def aligned(size: int) -> Array:
    """Memory of `size` bytes that starts at a multiple of 64."""
    room = np.full(size + 64, 0xAB, np.uint8)
    start = -room.ctypes.data % 64
    return room[start:start + size]


def compiled(node: Node, target: Target | None = None) -> Callable[..., list[Array]]:
    """The node as a function of arrays, done in so many shares, the last one first."""
    target = target or host()
    text, kernel = kernel_text(node, target)
    loaded = Loaded(object_code(text, target))
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(loaded.address("run"))
    frame = aligned(kernel.scratch + 64)
    types = node.type if node.op.multiple else (node.type,)

    def run(inputs: Sequence[Array], shares: int = 1) -> list[Array]:
        assert loaded
        inputs = [np.ascontiguousarray(x) for x in inputs]
        results = [aligned(t.size * t.dtype.itemsize).view(t.dtype.numpy).reshape(t.shape) for t in types]
        addresses = [array.ctypes.data for array in (frame, *inputs, *results)]
        bounds = [kernel.items * share // shares for share in range(shares + 1)]
        for share in reversed(range(shares)):
            call((ctypes.c_void_p * len(addresses))(*addresses), bounds[share], bounds[share + 1])
        assert (frame[kernel.scratch:] == 0xAB).all()  # what lies behind the scratch memory is left alone
        return results

    return run
