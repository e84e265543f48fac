"""The nodes of graphs: immutable, and made by a builder that gives an earlier node where a new one would equal it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tarazu.base.dtypes import FROM_NUMPY, DType, as_dtype
from tarazu.base.errors import TraceError
from tarazu.ir.op import Op
from tarazu.ir.origin import NOWHERE, Origin
from tarazu.ir.types import ResultType, Shape, TensorType


class Node:
    """A value in a graph: the result of a primitive, a parameter, a constant, or one result of several.

    `owner` is the `mark` of the builder that made it, by which the nodes of one trace are told from those of another;
    `origin` is where in the user's program it was made.
    """

    __slots__ = ("attributes", "inputs", "op", "origin", "owner", "type")
    type: Any  # a TensorType; a tuple of them for a primitive with several results
    __array_ufunc__ = None  # so that NumPy never treats a node as an array of one object

    def __init__(self, op: Op | str, inputs: tuple[Node, ...], attributes: dict[str, Any], type_: ResultType,
                 owner: object, origin: Origin = NOWHERE) -> None:
        self.op, self.inputs, self.attributes, self.type, self.owner = op, inputs, attributes, type_, owner
        self.origin = origin

    @property
    def shape(self) -> Shape:
        return self.type.shape

    @property
    def dtype(self) -> DType:
        return self.type.dtype

    def __array__(self, *args: object, **kwargs: object) -> np.ndarray:
        raise leaked()


def leaked() -> TraceError:
    """The error for a node that is used outside its trace, where it has no value."""
    return TraceError("a traced tensor was used after its trace had ended, or outside it",
                      expected="tensors from inside a traced function to leave it as results only",
                      fix="return the tensor from the function instead of storing it")


class Symbolic(Node):
    """A node outside of any trace: a value of a functional model (nn/functional), whose operations record themselves.

    A tensor that holds one takes part in eager code; whatever is done with it gives further tensors of its kind.
    """

    __slots__ = ()

    def bind(self, op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """The result of a primitive that has a tensor with this node among its inputs, recorded and not computed."""
        raise NotImplementedError

    def call(self, module: Any, inputs: tuple, options: dict[str, Any]) -> Any:
        """The result of a module that is called with a tensor with this node among its arguments, recorded likewise."""
        raise NotImplementedError


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
    """The type of a primitive's result, or a tuple of types; raises what its type rule raises."""
    return op.rule(op.name, *types, **attributes)


def _result_type(node: Node, index: int) -> TensorType:
    return node.type[index]


class Builder:
    """Makes nodes; one that would equal an earlier one *is* the earlier one, so common subexpressions are shared."""

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
                infer_type: Callable[[], ResultType]) -> Node:
        key = (op, *map(id, inputs), *attributes.items())
        node = self._interned.get(key)
        if node is None:
            node = self._interned[key] = Node(op, inputs, attributes, infer_type(), self.mark, self.origin)
        return node
