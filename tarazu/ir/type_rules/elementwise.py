"""Type rules of elementwise primitives, whose inputs broadcast together."""

from __future__ import annotations

from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.base.errors import ArgumentError, DTypeError
from tarazu.ir.type_rules.checks import NUMBER, Rule, broadcast_shapes, require_kind, require_same_dtype
from tarazu.ir.types import TensorType


def elementwise(kinds: tuple[str, ...]) -> Rule:
    def rule(name: str, *types: TensorType) -> TensorType:
        require_kind(name, kinds, *types)
        return TensorType(broadcast_shapes(name, *(t.shape for t in types)), require_same_dtype(name, *types))
    return rule


def comparison(kinds: tuple[str, ...]) -> Rule:
    arithmetic = elementwise(kinds)

    def rule(name: str, *types: TensorType) -> TensorType:
        return TensorType(arithmetic(name, *types).shape, dtypes.bool_)
    return rule


def absolute(name: str, x: TensorType) -> TensorType:
    require_kind(name, NUMBER, x)
    return TensorType(x.shape, dtypes.COMPLEX_PARTS.get(x.dtype, x.dtype))


def complex_part(name: str, x: TensorType) -> TensorType:
    require_kind(name, ("complex",), x)
    return absolute(name, x)


def polygamma(name: str, x: TensorType, *, order: int) -> TensorType:
    require_kind(name, ("float",), x)
    if order < 0:
        raise ArgumentError(f"{name}: order {order}", expected="an order of at least 0", fix="0 is digamma, 1 trigamma")
    return x


def where(name: str, condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
    require_kind(name, ("bool",), condition)
    dtype = require_same_dtype(name, x, y)
    return TensorType(broadcast_shapes(name, condition.shape, x.shape, y.shape), dtype)


def cast(name: str, x: TensorType, *, dtype: DType) -> TensorType:
    return TensorType(x.shape, dtype)


def bitcast(name: str, x: TensorType, *, dtype: DType) -> TensorType:
    if x.dtype.itemsize != dtype.itemsize or "bool" in (x.dtype.kind, dtype.kind):
        raise DTypeError(f"{name} from {x.dtype} to {dtype}",
                         expected="two dtypes of the same width, neither of them bool",
                         fix="use x.astype(...) to convert values")
    return TensorType(x.shape, dtype)


def same(name: str, x: TensorType) -> TensorType:
    return x
