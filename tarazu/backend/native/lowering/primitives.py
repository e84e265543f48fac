"""What each primitive becomes: a view, part of an expression, a nest of loops, a special kernel or a call of NumPy."""

from __future__ import annotations

from tarazu.backend.native.llvm.types import is_supported_dtype
from tarazu.backend.native.lowering.index_map import VIEWS, identity, reshape_map
from tarazu.backend.native.lowering.nodes import input_types, is_zeros, result_types
from tarazu.backend.native.math.elementwise import UNSUPPORTED
from tarazu.ir import op as ops
from tarazu.ir.node import RESULT, Node

NESTS = frozenset({ops.SUM, ops.PROD, ops.MAX, ops.MIN, ops.ANY_TRUE, ops.ALL_TRUE, ops.PAD, ops.CONCAT})
# Those with a kernel of their own, which a table in `kernels/special/` has too: it is above this folder
SPECIAL = frozenset({ops.GATHER, *ops.SCATTERS, ops.SORT, ops.CUMSUM, ops.CUMPROD, ops.ARGMAX, ops.ARGMIN,
                     ops.RANDOM_BITS})
MANY_ROWS = 2**18  # bytes of a tensor from which on a scatter into it is done by rows


def is_compiled(node: Node) -> bool:
    """Whether a node becomes a view, part of an expression or a nest of loops."""
    if node.op is RESULT or not has_supported_dtypes(node):
        return False
    return is_elementwise(node) or node.op in VIEWS | NESTS | ops.PRODUCTS


def has_special_kernel(node: Node) -> bool:
    """Whether a node may have a special kernel; the kernel's writer may still refuse it."""
    return node.op in SPECIAL and has_supported_dtypes(node)


def is_scatter_by_rows(node: Node) -> bool:
    """Whether a node is a scatter that says which of many rows along the first axis each entry selects."""
    if node.op not in ops.SCATTERS or not has_supported_dtypes(node) or not node.inputs[1].type.size:
        return False
    first = next((axis for axis, n in enumerate(node.shape) if n > 1), None)
    return first in node.attributes["axes"] and node.type.size * node.dtype.itemsize >= MANY_ROWS


def is_scatter_into_zeros(node: Node) -> bool:
    """Whether a node is such a scatter into zeros, which then need no memory."""
    return is_scatter_by_rows(node) and is_zeros(node.inputs[0])


def has_supported_dtypes(node: Node) -> bool:
    """Whether all dtypes of a primitive are ones that compiled code computes with."""
    return all(is_supported_dtype(type_.dtype) for type_ in [*input_types(node), *result_types(node)])


def is_elementwise(node: Node) -> bool:
    """Whether a node is computed element by element where its users need it."""
    op = node.op
    return op is ops.IOTA or (isinstance(op, ops.Op) and op.is_elementwise and op not in UNSUPPORTED)


def is_affine(node: Node) -> bool:
    """Whether a reshape is affine: its elements are found in its input by an offset and strides."""
    shape, old = node.shape, node.inputs[0].shape
    return reshape_map(identity(shape), shape, old, len(shape)) is not None
