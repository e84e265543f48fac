"""Graphs of primitives: immutable nodes, shared when they are equal, and what builds and walks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tarazu.base.dtypes import FROM_NUMPY, DType, as_dtype
from tarazu.base.errors import GraphError, TraceError
from tarazu.ir.op import Op
from tarazu.ir.origin import NOWHERE, Origin
from tarazu.ir.types import Shape, TensorType

if TYPE_CHECKING:
    from tarazu.ir.cost import Counts


class Node:
    """A value in a graph: the result of a primitive, a parameter, a constant, or one result of several."""

    __slots__ = ("attributes", "inputs", "op", "origin", "owner", "type")
    __array_ufunc__ = None  # so that NumPy never treats a node as an array of one object

    def __init__(self, op: Op | str, inputs: tuple[Node, ...], attributes: dict[str, Any], type_: Any,
                 owner: object, origin: Origin = NOWHERE) -> None:
        self.op, self.inputs, self.attributes, self.type, self.owner = op, inputs, attributes, type_, owner
        self.origin = origin

    @property
    def shape(self) -> Shape:
        return self.type.shape

    @property
    def dtype(self) -> DType:
        return self.type.dtype

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise leaked()


def leaked() -> TraceError:
    """The error for a node that is used outside its trace."""
    return TraceError("a traced tensor was used after its trace had ended, or outside it",
                      expected="tensors from inside a traced function to leave it as results only",
                      fix="return the tensor from the function instead of storing it")


# The three kinds of node that are not primitives: a graph's inputs, its constants, and one result of several.
PARAMETER, CONSTANT, RESULT = "parameter", "constant", "result"


class Constant:
    """An array in a graph; equal to another when dtype, shape and every bit are equal."""

    __slots__ = ("_key", "array")

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self._key = (array.dtype, array.shape, array.tobytes())

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self._key == other._key

    @property
    def type(self) -> TensorType:
        return TensorType(self.array.shape, numpy_array_dtype(self.array))


def numpy_array_dtype(array: np.ndarray) -> DType:
    return FROM_NUMPY.get(array.dtype) or as_dtype(array.dtype)


def infer(op: Op, types: Iterable[TensorType], attributes: dict[str, Any]) -> Any:
    """The type of a primitive's result, or a tuple of types; raises when the inputs do not fit."""
    return op.rule(op.name, *types, **attributes)


def _result_type(node: Node, index: int) -> TensorType:
    return node.type[index]


class Builder:
    """Makes nodes; one that would equal an earlier one *is* the earlier one: common subexpressions never double."""

    def __init__(self) -> None:
        self._interned: dict[Any, Node] = {}
        self.mark = object()  # what its nodes carry; the builder itself would keep all of them alive
        self.origin = NOWHERE  # of the nodes that are made from now on

    def parameter(self, type_: TensorType, origin: Origin = NOWHERE) -> Node:
        return Node(PARAMETER, (), {}, type_, self.mark, origin)

    def constant(self, array: np.ndarray) -> Node:
        constant = Constant(array)
        return self._intern(CONSTANT, (), {"value": constant}, lambda: constant.type)

    def add(self, op: Op, inputs: Sequence[Node], attributes: dict[str, Any]) -> Any:
        """The result of `op`: a node, or a tuple of nodes for a primitive with several results."""
        node = self._intern(op, tuple(inputs), attributes, lambda: infer(op, [x.type for x in inputs], attributes))
        if not op.multiple:
            return node
        return tuple([self._intern(RESULT, (node,), {"index": i}, partial(_result_type, node, i))
                      for i in range(len(node.type))])

    def _intern(self, op: Op | str, inputs: tuple[Node, ...], attributes: dict[str, Any],
                infer_type: Callable[[], Any]) -> Node:
        key = (op, *map(id, inputs), *attributes.items())
        node = self._interned.get(key)
        if node is None:
            node = self._interned[key] = Node(op, inputs, attributes, infer_type(), self.mark, self.origin)
        return node


class Graph:
    """A function as data: parameters and outputs; equal to another graph when the structure is."""

    __slots__ = ("__dict__", "outputs", "parameters")

    def __init__(self, parameters: Iterable[Node], outputs: Iterable[Node]) -> None:
        self.parameters, self.outputs = tuple(parameters), tuple(outputs)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node that an output needs, inputs before users; parameters first, in order."""
        order: dict[Node, None] = dict.fromkeys(self.parameters)
        stack = [(node, False) for node in reversed(self.outputs)]
        while stack:
            node, ready = stack.pop()
            if ready:
                order.setdefault(node)
            elif node not in order:
                stack.append((node, True))
                stack.extend((x, False) for x in reversed(node.inputs))
        return tuple(order)

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        return tuple([node.type for node in self.parameters])

    @property
    def output_types(self) -> tuple[TensorType, ...]:
        return tuple([node.type for node in self.outputs])

    @cached_property
    def _key(self) -> tuple:
        number = {node: i for i, node in enumerate(self.nodes)}
        rows = tuple((node.op, node.type, tuple(number[x] for x in node.inputs), tuple(node.attributes.items()),
                      node.origin.line) for node in self.nodes)
        return len(self.parameters), rows, tuple(number[node] for node in self.outputs)

    @cached_property
    def _hash(self) -> int:
        return hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Graph) and self._hash == other._hash and self._key == other._key)

    def evaluate(self, inputs: Sequence[Any], apply: Callable[[Op, list[Any], dict[str, Any]], Any],
                 constant: Callable[[np.ndarray], Any], at: Callable[[Node], None] | None = None) -> list[Any]:
        """The outputs with primitives done by `apply(op, inputs, attributes)` and constants made by `constant`.

        `at` is told of each node before its turn.
        """
        if len(inputs) != len(self.parameters):
            raise GraphError(f"{len(inputs)} inputs for a graph of {len(self.parameters)} parameters")
        values: dict[Node, Any] = dict(zip(self.parameters, inputs, strict=True))
        for node in self.nodes[len(self.parameters):]:
            if at is not None:
                at(node)
            if node.op is CONSTANT:
                values[node] = constant(node.attributes["value"].array)
            elif node.op is RESULT:
                values[node] = values[node.inputs[0]][node.attributes["index"]]
            else:
                values[node] = apply(node.op, [values[x] for x in node.inputs], node.attributes)  # type: ignore[arg-type]
        return [values[node] for node in self.outputs]

    # Looking at it

    def __str__(self) -> str:
        from tarazu.ir.text import to_text

        return to_text(self)

    def counts(self) -> Counts:
        """Nodes, floating-point operations and bytes by primitive; `print` shows a table.

        >>> import tarazu as tz
        >>> graph = tz.trace(lambda x, y: x @ y)(tz.ones(2, 3), tz.ones(3, 4))
        >>> graph.counts().nodes, graph.counts().flops
        ({'dot': 1}, 48)
        """
        from tarazu.ir.cost import counts

        return counts(self)

    def to_svg(self, depth: int | None = None) -> str:
        """A drawing in SVG: modules are boxes (folded up where nested deeper than `depth`), gradients a second lane."""
        from tarazu.ir.draw.svg import to_svg

        return to_svg(self, depth)

    def to_html(self, path: str | Path, title: str = "graph", depth: int | None = None) -> Path:
        """Write a page with the drawing, the counts and the text; gives the path."""
        from tarazu.ir.draw.svg import to_html

        return to_html(self, path, title, depth)

    def to_mermaid(self, depth: int | None = None) -> str:
        """The drawing as a Mermaid flowchart, for Markdown pages."""
        from tarazu.ir.draw.dialects import to_mermaid

        return to_mermaid(self, depth)

    def to_dot(self, depth: int | None = None) -> str:
        """The drawing in DOT, the language of Graphviz."""
        from tarazu.ir.draw.dialects import to_dot

        return to_dot(self, depth)
