"""Writes nodes of ONNX: names, constants and weights, casts where onnxruntime lacks a dtype, and transposes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tarazu.base.dtypes import DType, bool_, int64
from tarazu.base.errors import CompileError
from tarazu.interop.onnx.export.kernels import computed_in
from tarazu.interop.onnx.export.sizes import Dim, Dims, Size, broadcast, is_static, static
from tarazu.interop.onnx.export.values import Order, Value, constant, named, natural, reordered
from tarazu.ir.origin import NOWHERE, Origin

ROWS_NAME = "rows:0"


@dataclass(eq=False)
class Emitted:
    """A node of ONNX; among its attributes may be a `Block`, the body of a loop or a branch."""

    op_type: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    name: str


@dataclass(eq=False)
class Block:
    """Nodes with inputs and outputs: the whole graph, or a graph in an attribute."""

    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    nodes: list[Emitted] = field(default_factory=list)


class Refused(Exception):
    """What an operation needs and ONNX, or onnxruntime, lacks. program.py says where the operation is."""


class Shared:
    """What all blocks of a model share: initializers, numbers for names, and where in the model we are."""

    def __init__(self) -> None:
        self.initializers: dict[str, np.ndarray] = {}
        self.root = Block()
        self.origin: Origin = NOWHERE
        self._constants: dict[tuple[Any, ...], str] = {}
        self._weights: dict[int, tuple[str, Order, np.ndarray]] = {}  # by id: the name, the order in which it is stored
        self._counts: dict[str, int] = {}

    def fresh(self, stem: str) -> str:
        number = self._counts[stem] = self._counts.get(stem, -1) + 1
        return f"{stem}:{number}"  # no name of an input or a weight has a colon

    def constant(self, array: np.ndarray) -> str:
        """The name of an initializer with these elements."""
        key = (array.dtype, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = self.fresh("constant")
            self.initializers[self._constants[key]] = array
        return self._constants[key]

    def weight(self, label: str, array: np.ndarray, order: Order) -> tuple[str, Order]:
        """The name of a weight, and the order in which its axes are stored: that of its first use."""
        if id(array) not in self._weights:
            name = label if label not in self.initializers else self.fresh(label)
            self._weights[id(array)] = name, order, array
            self.initializers[name] = np.array(array.transpose(order), order="C")
        return self._weights[id(array)][:2]


class Emitter:
    """Writes the nodes of one block."""

    def __init__(self, shared: Shared, block: Block, outer: Emitter | None = None) -> None:
        self.shared, self.block = shared, block
        self._transposed: dict[tuple[str, Order], str] = {} if outer is None else dict(outer._transposed)

    def inner(self) -> Emitter:
        """The emitter of a graph inside a node, which sees all values of this block."""
        return Emitter(self.shared, Block(), self)

    # Nodes -----------------------------------------------------------------------------------------------------

    def node(self, op_type: str, inputs: Sequence[str], count: int = 1, **attributes: Any) -> list[str]:
        """The names of the results of a node with these attributes."""
        outputs = [self.shared.fresh(op_type.lower()) for _ in range(count)]
        scope = "/".join(self.shared.origin.scope)
        name = f"{scope}/{outputs[0]}" if scope else outputs[0]
        self.block.nodes.append(Emitted(op_type, list(inputs), outputs, attributes, name))
        return outputs

    def op(self, op_type: str, *inputs: Value | str, shape: Dims, dtype: DType | None = None,
           key: DType | None = None, **attributes: Any) -> Value:
        """The result of an operator; values come with their axes in their own order, texts are names of tensors.

        Where onnxruntime lacks the operator for the dtype `key`, that of the first value unless given, inputs of this
        dtype are cast to a wider one, and a result of this dtype is cast back. Refused where there is none.
        """
        key = key or next(x.dtype for x in inputs if isinstance(x, Value))
        dtype = dtype or key
        wide = computed_in(op_type, key)
        if wide is None:
            raise Refused(f"onnxruntime has no {op_type} of {key}")
        names = [x if isinstance(x, str) else self.name(self.cast(x, wide) if x.dtype is key else x) for x in inputs]
        (out,) = self.node(op_type, names, **attributes)
        result = named(out, shape, wide if dtype is key else dtype)
        return self.cast(result, dtype)

    def map(self, op_type: str, *inputs: Value, dtype: DType | None = None, key: DType | None = None,
            **attributes: Any) -> Value:
        """The result of an elementwise operator, whose axes stay in the order in which the inputs have them."""
        shape = broadcast(*[x.shape for x in inputs])
        order = next((x.order for x in inputs if x.array is None and x.rank == len(shape) and not x.is_plain),
                     natural(len(shape)))
        raw = [self.aligned(x, order) for x in inputs]
        out = self.op(op_type, *raw, shape=tuple(shape[axis] for axis in order), dtype=dtype, key=key, **attributes)
        return reordered(out, order)

    # Tensors ---------------------------------------------------------------------------------------------------

    def name(self, x: Value, order: Order | None = None) -> str:
        """The name of the tensor that has the axes of `x` in this order, their own unless given."""
        order = natural(x.rank) if order is None else order
        permutation = tuple(x.order.index(axis) for axis in order)
        if x.array is None:
            return self._permuted(x.name, permutation)
        if not x.label:
            return self.shared.constant(np.array(x.array.transpose(permutation), order="C"))
        name, stored = self.shared.weight(x.label, x.array, permutation)
        return self._permuted(name, tuple(stored.index(axis) for axis in permutation))

    def _permuted(self, name: str, permutation: Order) -> str:
        if permutation == natural(len(permutation)):
            return name
        if (name, permutation) not in self._transposed:
            self._transposed[name, permutation] = self.node("Transpose", [name], perm=list(permutation))[0]
        return self._transposed[name, permutation]

    def physical(self, x: Value, order: Order) -> Value:
        """The value whose axis j is axis order[j] of `x`, moved where it has to be."""
        moved = x.transposed(order)
        return moved if x.array is not None else named(self.name(x, order), moved.shape, x.dtype)

    def aligned(self, x: Value, order: Order) -> Value:
        """`x`, which has as many axes as `order` or fewer, so that it broadcasts beside tensors of that order."""
        missing = len(order) - x.rank
        if order == natural(len(order)) or x.rank == 0 or (missing and all(n == 1 for n in x.shape)):
            return x if x.rank == 0 or order == natural(len(order)) else self.reshape(x, ())
        wide = self.reshape(x, (1,) * missing + x.shape) if missing else x
        return self.physical(wide, order)

    def cast(self, x: Value, dtype: DType) -> Value:
        """`x` in another dtype; `rules` see to what Tarazu's casts mean beyond ONNX's."""
        if x.dtype is dtype:
            return x
        if x.array is not None and not x.label:
            return replace(x, array=x.array.astype(dtype.numpy), dtype=dtype)
        raw = self.physical(x, x.order)
        (out,) = self.node("Cast", [self.name(raw)], to=dtype)
        return reordered(named(out, raw.shape, dtype), x.order)

    def reshape(self, x: Value, shape: Dims) -> Value:
        """`x` in another shape; at once for a constant or weight."""
        if x.shape == shape:
            return x
        if x.array is not None and is_static(shape):
            back = x.array.transpose(tuple(x.order.index(axis) for axis in natural(x.rank)))
            return constant(back.reshape(static(shape)), x.dtype, x.label)
        target = self.reshape_target(shape)
        return self.op("Reshape", x, target, shape=shape, allowzero=int(0 in shape))

    def reshape_target(self, shape: Dims) -> str:
        """The sizes for a Reshape, in which one that follows the rows is left to be worked out."""
        if sum(isinstance(size, Size) for size in shape) == 1 and 0 not in shape:
            return self.shared.constant(np.array([-1 if isinstance(n, Size) else n for n in shape], np.int64))
        return self.dims(shape)

    def squeeze_last(self, x: Value) -> Value:
        """`x` without its last axis, which has size 1."""
        return self.reshape(x, x.shape[:-1])

    # Numbers ---------------------------------------------------------------------------------------------------

    def scalar(self, value: Any, like: DType | Value) -> Value:
        """A constant without axes."""
        dtype = like.dtype if isinstance(like, Value) else like
        return constant(np.array(value, dtype.numpy), dtype)

    def ints(self, values: Sequence[int]) -> str:
        """The name of a vector of integers."""
        return self.shared.constant(np.array(values, np.int64))

    def dims(self, shape: Sequence[Dim]) -> str:
        """The name of a vector of sizes, of which some may follow the rows."""
        if is_static(shape):
            return self.ints(static(tuple(shape)))
        parts = [self._dim(size) if isinstance(size, Size) else self.ints([size]) for size in shape]
        return parts[0] if len(parts) == 1 else self.node("Concat", parts, axis=0)[0]

    def _dim(self, size: Size) -> str:
        """The name of a vector of one size."""
        counted = self._rows()
        if size.slope != 1:
            (counted,) = self.node("Mul", [counted, self.ints([size.slope])])
        if size.offset:
            (counted,) = self.node("Add", [counted, self.ints([size.offset])])
        return counted

    def _rows(self) -> str:
        """The number of rows, which the first input tells."""
        root = self.shared.root
        if not root.nodes or root.nodes[0].outputs != [ROWS_NAME]:
            shape = Emitted("Shape", [root.inputs[0].name], [ROWS_NAME], {"start": 0, "end": 1}, ROWS_NAME)
            root.nodes.insert(0, shape)
        return ROWS_NAME

    def count(self, size: Dim) -> Value:
        """A size as an integer without axes."""
        if not isinstance(size, Size):
            return self.scalar(size, int64)
        (out,) = self.node("Squeeze", [self._dim(size), self.ints([0])])
        return named(out, (), int64)

    def where(self, condition: Value, x: Value, y: Value) -> Value:
        return self.map("Where", condition, x, y, dtype=x.dtype, key=x.dtype)

    def compare(self, op_type: str, x: Value, y: Value) -> Value:
        return self.map(op_type, x, y, dtype=bool_)


def refusal(reason: str, operation: str, origin: Origin) -> CompileError:
    """The error for what ONNX lacks, with the place in the model."""
    place = f" in {'/'.join(origin.scope)}" if origin.scope else ""
    line = f" ({origin.line})" if origin.line else ""
    return CompileError(f"ONNX export of `{operation}`{place}{line}: {reason}",
                        expected="operations that ONNX has and onnxruntime computes for their dtypes",
                        fix="leave that part out of what is exported, use a layer without it, or write StableHLO: "
                            'tz.export(model, "model.stablehlo")')
