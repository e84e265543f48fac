"""The table of elementwise primitives: for each a row that writes its instructions for registers.

A register holds a scalar or a vector of any number of lanes; the dtype says what its bits mean. float16 and bfloat16
are float in registers, and results are rounded to them after each operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.types import HALVES
from tarazu.backend.native.llvm.values import Value
from tarazu.backend.native.math import arithmetic, casts, half
from tarazu.backend.native.math.arithmetic import Call, compare
from tarazu.backend.native.math.formulas import mathematics, polygamma
from tarazu.backend.native.math.functions import outlined
from tarazu.backend.native.math.number import Number, choose
from tarazu.backend.native.math.power import constant_power, integer_power
from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.op import Op

Row = Callable[[Call], Number]


def _intrinsic(name: str) -> Row:
    return lambda call: call.inputs[0].intrinsic(name)


def _function(name: str) -> Row:
    return lambda call: mathematics(name, *call.inputs)


def _power(call: Call) -> Number:
    x, exponent = call.inputs
    constant = exponent.value.number
    if call.is_float:
        return constant_power(x, constant) or mathematics("pow", x, exponent)
    if constant is not None and 1 <= constant <= 64:
        return x ** int(constant)
    return outlined("integer_power", integer_power, x, exponent)


EMIT: dict[Op, Row] = {
    ops.NEG: lambda call: -call.inputs[0],
    ops.ABS: arithmetic.absolute,
    ops.SIGN: arithmetic.sign,
    ops.FLOOR: _intrinsic("floor"),
    ops.CEIL: _intrinsic("ceil"),
    ops.ROUND: _intrinsic("rint"),
    ops.TRUNC: _intrinsic("trunc"),
    ops.SQRT: _intrinsic("sqrt"),
    ops.EXP: _function("exp"),
    ops.EXPM1: _function("expm1"),
    ops.LOG: _function("log"),
    ops.LOG1P: _function("log1p"),
    ops.SIN: _function("sin"),
    ops.COS: _function("cos"),
    ops.TAN: _function("tan"),
    ops.ASIN: _function("asin"),
    ops.ACOS: _function("acos"),
    ops.ATAN: _function("atan"),
    ops.SINH: _function("sinh"),
    ops.COSH: _function("cosh"),
    ops.TANH: _function("tanh"),
    ops.ASINH: _function("asinh"),
    ops.ACOSH: _function("acosh"),
    ops.ATANH: _function("atanh"),
    ops.SIGMOID: _function("sigmoid"),
    ops.ERF: _function("erf"),
    ops.LGAMMA: _function("lgamma"),
    ops.POLYGAMMA: lambda call: polygamma(call.inputs[0], call.attributes["order"]),
    ops.NOT: lambda call: ~call.inputs[0],
    ops.ADD: lambda call: call.inputs[0] + call.inputs[1],
    ops.SUB: lambda call: call.inputs[0] - call.inputs[1],
    ops.MUL: lambda call: call.inputs[0] * call.inputs[1],
    ops.DIV: lambda call: call.inputs[0] / call.inputs[1],
    ops.FLOOR_DIVIDE: arithmetic.floor_divide,
    ops.REMAINDER: arithmetic.remainder,
    ops.POW: _power,
    ops.ATAN2: _function("atan2"),
    ops.MAXIMUM: arithmetic.maximum,
    ops.MINIMUM: arithmetic.minimum,
    ops.EQUAL: compare("oeq", "eq"),
    ops.NOT_EQUAL: compare("une", "ne"),
    ops.LESS: compare("olt", "lt"),
    ops.LESS_EQUAL: compare("ole", "le"),
    ops.GREATER: compare("ogt", "gt"),
    ops.GREATER_EQUAL: compare("oge", "ge"),
    ops.AND: lambda call: call.inputs[0] & call.inputs[1],
    ops.OR: lambda call: call.inputs[0] | call.inputs[1],
    ops.XOR: lambda call: call.inputs[0] ^ call.inputs[1],
    ops.SHIFT_LEFT: arithmetic.shift_left,
    ops.SHIFT_RIGHT: arithmetic.shift_right,
    ops.WHERE: lambda call: choose(*call.inputs),
    ops.CAST: casts.cast,
    ops.BITCAST: casts.bitcast,
    ops.STOP_GRADIENT: lambda call: call.inputs[0],
}

UNSUPPORTED = frozenset({ops.CONJ, ops.IMAG})  # of complex numbers alone

# Their results need no rounding: they are among the numbers of float16 or bfloat16 when the inputs are.
_NEVER_ROUNDED = frozenset({
    ops.NEG, ops.ABS, ops.SIGN, ops.FLOOR, ops.CEIL, ops.ROUND, ops.TRUNC, ops.MAXIMUM, ops.MINIMUM, ops.WHERE,
    ops.BITCAST, ops.STOP_GRADIENT})


def emit(function: Function, target: Target, op: Op, inputs: list[Value], input_dtypes: list[DType],
         attributes: dict[str, Any], dtype: DType) -> Value:
    """The result of `op`, of type `dtype`, for registers with the same number of lanes."""
    call = Call([Number(function, target, value) for value in inputs], input_dtypes, attributes, dtype)
    result = EMIT[op](call).value
    if dtype in HALVES and op not in _NEVER_ROUNDED:
        return (half.round_to_half if op is ops.CAST else half.round_result)(function, target, result, dtype)
    return result
