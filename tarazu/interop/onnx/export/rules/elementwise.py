"""Elementwise primitives. ONNX broadcasts as Tarazu does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.base.dtypes import DType, bool_, int64, uint64
from tarazu.interop.onnx.export.emitter import Emitter
from tarazu.interop.onnx.export.merged import Typed
from tarazu.interop.onnx.export.rules import real_functions
from tarazu.interop.onnx.export.values import Value
from tarazu.ir import op as ops
from tarazu.ir.op import Op

Row = Callable[..., Any]


def _same(op_type: str) -> Row:
    return lambda emit, _, *inputs: emit.map(op_type, *inputs)


def _compare(op_type: str) -> Row:
    return lambda emit, _, x, y: emit.compare(op_type, x, y)


def _composed(function: Callable[..., Value]) -> Row:
    return lambda emit, _, *inputs: function(emit, *inputs)


def _bits(of_booleans: str, of_integers: str) -> Row:
    return lambda emit, out, *inputs: emit.map(of_booleans if out.dtype is bool_ else of_integers, *inputs)


def _not_equal(emit: Emitter, _: Typed, x: Value, y: Value) -> Value:
    return emit.map("Not", emit.compare("Equal", x, y))


def _where(emit: Emitter, out: Typed, condition: Value, x: Value, y: Value) -> Value:
    if out.dtype is bool_:  # onnxruntime chooses no booleans
        return emit.map("Or", emit.map("And", condition, x), emit.map("And", emit.map("Not", condition), y))
    return emit.where(condition, x, y)


def cast(emit: Emitter, _: Typed, x: Value, *, dtype: DType) -> Value:
    """A cast; negative floats become unsigned integers by way of signed ones, which wrap."""
    if dtype.kind == "uint" and x.dtype.is_float:
        x = emit.cast(x, int64)
    return emit.cast(x, dtype)


def _identity(_emit: Emitter, _: Typed, x: Value, **_attributes: Any) -> Value:
    return x


def _shift_left(emit: Emitter, out: Typed, x: Value, y: Value) -> Value:
    return emit.cast(_shifted(emit, "LEFT", x, y), out.dtype)


def _shift_right(emit: Emitter, out: Typed, x: Value, y: Value) -> Value:
    """Of a negative number the complement is shifted, which keeps the sign."""
    if out.dtype.kind == "uint":
        return emit.cast(_shifted(emit, "RIGHT", x, y), out.dtype)
    is_negative = emit.compare("Less", x, emit.scalar(0, x))
    turned = emit.cast(_shifted(emit, "RIGHT", emit.where(is_negative, emit.map("BitwiseNot", x), x), y), out.dtype)
    return emit.where(is_negative, emit.map("BitwiseNot", turned), turned)


def _shifted(emit: Emitter, direction: str, x: Value, y: Value) -> Value:
    return emit.map("BitShift", emit.cast(x, uint64), emit.cast(y, uint64), direction=direction)


ROWS: dict[Op, Row] = {
    ops.NEG: _same("Neg"),
    ops.ABS: _same("Abs"),
    ops.SIGN: _same("Sign"),
    ops.FLOOR: _same("Floor"),
    ops.CEIL: _same("Ceil"),
    ops.ROUND: _same("Round"),
    ops.TRUNC: _composed(real_functions.trunc),
    ops.SQRT: _same("Sqrt"),
    ops.EXP: _same("Exp"),
    ops.EXPM1: _composed(real_functions.expm1),
    ops.LOG: _same("Log"),
    ops.LOG1P: _composed(real_functions.log1p),
    ops.SIN: _same("Sin"),
    ops.COS: _same("Cos"),
    ops.TAN: _composed(real_functions.tan),
    ops.ASIN: _same("Asin"),
    ops.ACOS: _same("Acos"),
    ops.ATAN: _same("Atan"),
    ops.SINH: _composed(real_functions.sinh),
    ops.COSH: _composed(real_functions.cosh),
    ops.TANH: _same("Tanh"),
    ops.ASINH: _composed(real_functions.asinh),
    ops.ACOSH: _composed(real_functions.acosh),
    ops.ATANH: _composed(real_functions.atanh),
    ops.SIGMOID: _same("Sigmoid"),
    ops.ERF: _same("Erf"),
    ops.NOT: _bits("Not", "BitwiseNot"),
    ops.ADD: _same("Add"),
    ops.SUB: _same("Sub"),
    ops.MUL: _same("Mul"),
    ops.DIV: _same("Div"),
    ops.FLOOR_DIVIDE: _composed(real_functions.floor_divide),
    ops.REMAINDER: _composed(real_functions.remainder),
    ops.POW: _same("Pow"),
    ops.ATAN2: _composed(real_functions.atan2),
    ops.MAXIMUM: _bits("Or", "Max"),
    ops.MINIMUM: _bits("And", "Min"),
    ops.EQUAL: _compare("Equal"),
    ops.NOT_EQUAL: _not_equal,
    ops.LESS: _compare("Less"),
    ops.LESS_EQUAL: _compare("LessOrEqual"),
    ops.GREATER: _compare("Greater"),
    ops.GREATER_EQUAL: _compare("GreaterOrEqual"),
    ops.AND: _bits("And", "BitwiseAnd"),
    ops.OR: _bits("Or", "BitwiseOr"),
    ops.XOR: _bits("Xor", "BitwiseXor"),
    ops.SHIFT_LEFT: _shift_left,
    ops.SHIFT_RIGHT: _shift_right,
    ops.WHERE: _where,
    ops.CAST: cast,
    ops.STOP_GRADIENT: _identity,
    ops.PLACE: _identity,
}
