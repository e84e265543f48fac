"""The dtypes that onnxruntime lacks kernels for on CPUs, and the dtype in which such an operator computes instead."""

from __future__ import annotations

from tarazu.base.dtypes import DType, as_dtype

# Measured with onnxruntime 1.32 by tests/interop/onnx/test_kernels.py; an operator that is not here has all dtypes.
_FLOAT_ONLY = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 bfloat16"
_SINGLE_ONLY = _FLOAT_ONLY + " float64"
_SUMS = "bool int8 int16 uint8 uint16 uint32 uint64 bfloat16"
_LACKS = {
    "Neg": "bool uint8 uint16 uint32 uint64 bfloat16",
    "Abs Sign Add Sub Mul Div Mod Less LessOrEqual Greater GreaterOrEqual": "bool bfloat16",
    "Equal Expand": "bfloat16",
    "Floor Ceil Round Sqrt Exp Log Sin Cos Tanh Sigmoid Softmax LogSoftmax BatchNormalization": _FLOAT_ONLY,
    "LayerNormalization": _FLOAT_ONLY,
    "Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Erf Gelu Conv ConvTranspose AveragePool": _SINGLE_ONLY,
    "Pow": "bool int8 int16 uint8 uint16 uint32 uint64 bfloat16",
    "Max Min": "bool int16 uint16 bfloat16",
    "Where": "bool int16 uint16 uint64 bfloat16",
    "Pad": "int16 uint16 bfloat16",
    "ReduceSum ReduceProd CumSum Einsum": _SUMS,
    "MatMul": "bool int8 int16 uint8 uint16 bfloat16",
    "ReduceMax ReduceMin": "int16 uint16 uint32 uint64 bfloat16",
    "ArgMax ArgMin": "bool int16 uint16 uint32 uint64 bfloat16",
    "TopK": "bool uint16 uint32 uint64 bfloat16",
    "MaxPool": "bool int16 int32 int64 uint16 uint32 uint64 bfloat16",
}
LACKS = {op: frozenset(dtypes.split()) for names, dtypes in _LACKS.items() for op in names.split()}
_WIDER = {"bfloat16": "float32", "bool": "int32", "int8": "int32", "int16": "int32", "uint8": "int32",
          "uint16": "int32", "uint32": "int64"}
_WRAPPING = {"Neg", "ReduceSum", "ReduceProd", "CumSum", "MatMul", "Einsum", "Where"}  # the same bits when signed


def has(op_type: str, dtype: DType) -> bool:
    """Whether onnxruntime has the operator for elements of this dtype.

    >>> from tarazu.base.dtypes import float32, float64
    >>> has("Conv", float32), has("Conv", float64)
    (True, False)
    """
    return dtype.name not in LACKS.get(op_type, ())


def computed_in(op_type: str, dtype: DType) -> DType | None:
    """The dtype in which the operator computes elements of `dtype`: itself, a wider one, or None where there is none.

    >>> from tarazu.base.dtypes import bfloat16, float64
    >>> computed_in("Exp", bfloat16), computed_in("Erf", float64)
    (tarazu.float32, None)
    """
    if has(op_type, dtype):
        return dtype
    if dtype.name == "uint64" and op_type in _WRAPPING:
        return as_dtype("int64")
    wider = _WIDER.get(dtype.name)
    return as_dtype(wider) if wider is not None and has(op_type, as_dtype(wider)) else None
