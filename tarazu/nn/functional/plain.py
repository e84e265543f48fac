"""Attributes of operations as plain data, and back: graphs, dtypes, arrays, gradients of composites.

Plain data are numbers, text, None, arrays, functions that have a name, and lists of plain data; what is none of the
first four is a list whose first element says what it is. Reading can put other dtypes in the place of some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from tarazu.base.dtypes import DType, as_dtype
from tarazu.base.errors import ArgumentError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import CONSTANT, PARAMETER, RESULT, Builder, Constant, Node
from tarazu.ir.op import Op
from tarazu.ir.structure import GraphStructure
from tarazu.ir.types import TensorType
from tarazu.ops.control_flow.composite import OwnGradient

Plain: TypeAlias = Any  # as the text of this file says
DTypes: TypeAlias = Mapping[DType, DType]  # those to be put in the place of others
OPS = {op.name: op for op in ops.ALL}


def to_plain(value: Any) -> Plain:
    """An attribute of an operation as plain data; ArgumentError for what cannot be kept in a model."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, OwnGradient):
        return ["gradient", value.rule, to_plain(value.options)]
    if type(value) in (tuple, list):
        return [type(value).__name__, *map(to_plain, value)]
    if isinstance(value, DType):
        return ["dtype", value.name]
    if isinstance(value, Constant):
        return ["array", value.array]
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, GraphStructure):
        return ["graph", *_rows(value)]
    raise ArgumentError(f"an operation with {value!r} in a functional model",
                        expected="operations of Tarazu, which a model can keep",
                        fix="write a Module whose forward does it, and call that")


def _rows(graph: GraphStructure) -> list[Plain]:
    """The numbers of the outputs, then a row for each node."""
    numbers = {node: i for i, node in enumerate(graph.nodes)}

    def row(node: Node) -> Plain:
        if node.op is PARAMETER:
            return [PARAMETER, list(node.shape), node.dtype.name]
        kind = node.op.name if isinstance(node.op, Op) else node.op
        return [kind, [numbers[x] for x in node.inputs],
                [[key, to_plain(value)] for key, value in node.attributes.items()]]
    return [[numbers[node] for node in graph.outputs], [row(node) for node in graph.nodes]]


def from_plain(value: Plain, dtypes: DTypes) -> Any:
    """What plain data stand for, with `dtypes` put in the place of others."""
    if not isinstance(value, list):
        return value
    kind, *rest = value
    if kind in ("tuple", "list"):
        items = [from_plain(item, dtypes) for item in rest]
        return tuple(items) if kind == "tuple" else items
    if kind == "gradient":
        return OwnGradient(rest[0], from_plain(rest[1], dtypes))
    if kind == "dtype":
        return _dtype(rest[0], dtypes)
    return Constant(_array(rest[0], dtypes)) if kind == "array" else _graph(rest, dtypes)


def _dtype(name: str, dtypes: DTypes) -> DType:
    dtype = as_dtype(name)
    return dtypes.get(dtype, dtype)


def _array(array: np.ndarray, dtypes: DTypes) -> np.ndarray:
    return array.astype(_dtype(str(array.dtype), dtypes).numpy)


def _graph(content: Sequence[Plain], dtypes: DTypes) -> Graph:
    outputs, rows = content
    builder, made = Builder(), list[Any]()
    for kind, first, second in rows:
        if kind == PARAMETER:
            made.append(builder.parameter(TensorType(tuple(first), _dtype(second, dtypes))))
            continue
        attributes = {key: from_plain(item, dtypes) for key, item in second}
        inputs = [made[i] for i in first]
        if kind == CONSTANT:
            made.append(builder.constant(attributes["value"].array))
        else:
            made.append(inputs[0][attributes["index"]] if kind == RESULT else
                        builder.add(OPS[kind], inputs, attributes))
    parameters = [node for row, node in zip(rows, made, strict=True) if row[0] == PARAMETER]
    return Graph(parameters, [made[i] for i in outputs])
