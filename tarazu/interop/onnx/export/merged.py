"""One graph of the graphs of a function for several numbers of rows: equal, but for sizes that follow these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tarazu.base.dtypes import DType
from tarazu.base.errors import ArgumentError
from tarazu.interop.onnx.export.sizes import Dim, Dims, Size, fitted
from tarazu.ir.node import CONSTANT, Constant, Node
from tarazu.ir.op import Op
from tarazu.ir.origin import Origin
from tarazu.ir.structure import GraphStructure
from tarazu.ir.types import TensorType


@dataclass(frozen=True)
class Typed:
    """A `TensorType` whose sizes may follow the rows."""

    shape: Dims
    dtype: DType


@dataclass(eq=False, frozen=True)
class Step:
    """A node of the merged graph; of a primitive with several results `type` is a tuple of types."""

    op: Op | str
    inputs: tuple[Step, ...]
    attributes: dict[str, Any]
    type: Any
    origin: Origin


@dataclass(eq=False, frozen=True)
class Merged:
    """A graph whose sizes may follow the rows; `steps` has the parameters first and each step after its inputs."""

    parameters: tuple[Step, ...]
    outputs: tuple[Step, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Filled:
    """A constant of equal elements, whose shape follows the rows."""

    value: np.ndarray
    shape: Dims


@dataclass(frozen=True)
class Counted:
    """A constant scalar that follows the rows."""

    size: Size
    dtype: np.dtype


class Different(Exception):
    """Three values that are not one value, nor sizes that follow the rows."""


def merged(graphs: Sequence[GraphStructure]) -> Merged:
    """The one graph; ArgumentError where what is computed, and not sizes alone, depends on the number of rows."""
    if len({len(graph.nodes) for graph in graphs}) > 1:
        raise _not_one("it makes other operations for more rows")
    steps: dict[Node, Step] = {}
    for nodes in zip(*[graph.nodes for graph in graphs], strict=True):
        steps[nodes[0]] = _step(nodes, [graph.nodes for graph in graphs], steps)
    first = graphs[0]
    return Merged(tuple(steps[x] for x in first.parameters), tuple(steps[x] for x in first.outputs),
                  tuple(steps.values()))


def _step(nodes: Sequence[Node], all_nodes: Sequence[Sequence[Node]], steps: dict[Node, Step]) -> Step:
    first = nodes[0]
    if any(node.op is not first.op or len(node.inputs) != len(first.inputs) for node in nodes):
        raise _not_one("it makes other operations for more rows")
    try:
        attributes = ({"value": _constant([x.attributes["value"] for x in nodes])} if first.op is CONSTANT
                      else {key: _value([x.attributes[key] for x in nodes]) for key in first.attributes})
        return Step(first.op, tuple(steps[x] for x in first.inputs), attributes, _value([x.type for x in nodes]),
                    first.origin)
    except Different as difference:
        where = " in " + "/".join(first.origin.scope) if first.origin.scope else ""
        raise _not_one(f"{difference}{where}") from None


def _not_one(reason: str) -> ArgumentError:
    return ArgumentError(f"a function that depends on the number of rows in a way that ONNX cannot follow: {reason}",
                         expected="sizes that grow evenly with the rows, and the same operations for each number",
                         fix="let no `if` and no constant depend on len(x); tz.arange(len(x)) is followed")


def _value(values: Sequence[Any]) -> Any:
    """One value for those of each number of rows: equal ones, and sizes that follow the rows, also in containers."""
    first = values[0]
    if isinstance(first, GraphStructure):
        return merged(values)
    if isinstance(first, TensorType):
        return Typed(_value([x.shape for x in values]), _value([x.dtype for x in values]))
    if isinstance(first, (tuple, list)) and all(len(x) == len(first) for x in values):
        return tuple(_value(parts) for parts in zip(*values, strict=True))
    if all(x == first for x in values):
        return first
    return _size(values) if isinstance(first, int) else _unequal(values)


def _size(values: Sequence[int]) -> Dim:
    size = fitted(values)
    return _unequal(values) if size is None else size


def _unequal(values: Sequence[Any]) -> Any:
    raise Different(f"there are {', '.join(map(str, values))}")


def _constant(values: Sequence[Constant]) -> np.ndarray | Filled | Counted:
    arrays = [x.array for x in values]
    if all(x == values[0] for x in values):
        return arrays[0]
    if all(x.shape == () for x in arrays) and arrays[0].dtype.kind in "iuf":
        size = fitted([x.item() for x in arrays])
        if isinstance(size, Size):
            return Counted(size, arrays[0].dtype)
    flat = [x.reshape(-1)[:1] for x in arrays]
    if all(x.size and (x == x.reshape(-1)[0]).all() for x in arrays) and all((x == flat[0]).all() for x in flat):
        return Filled(flat[0].reshape(()), _value([x.shape for x in arrays]))
    raise Different(f"a constant of shape {arrays[0].shape} for {len(arrays[0])} rows, whose elements ONNX would need "
                    "for each number of rows" if arrays[0].ndim else "a constant that changes unevenly")
