"""Questions about a node of a graph that stages of the compiler share: its primitive, its types, whether it is zeros,
and whether it is a result of the primitive `barrier`, which is no barrier between threads."""

from __future__ import annotations

from tarazu.ir import op as ops
from tarazu.ir.node import CONSTANT, RESULT, Node
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType


def op_of(node: Node) -> Op:
    """The primitive of a node that is the result of one."""
    assert isinstance(node.op, Op), f"a node that is {node.op}"
    return node.op


def input_types(node: Node) -> list[TensorType]:
    """The types of what a primitive takes."""
    return [x.type for x in node.inputs]


def result_types(node: Node) -> list[TensorType]:
    """The types of what a primitive gives."""
    return [node.type] if isinstance(node.type, TensorType) else list(node.type)


def is_zeros(node: Node) -> bool:
    """Whether a node is the number 0, and not -0, everywhere."""
    while node.op is ops.BROADCAST:
        node = node.inputs[0]
    return node.op is CONSTANT and not any(node.attributes["value"].array.tobytes())


def is_barrier_result(node: Node) -> bool:
    """Whether a node is one of the values that pass unchanged through a BARRIER of the graph."""
    return node.op is RESULT and node.inputs[0].op is ops.BARRIER


def barrier_input(node: Node) -> Node:
    """The value that a result of a BARRIER is."""
    return node.inputs[0].inputs[node.attributes["index"]]
