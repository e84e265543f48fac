"""What kernels.py says of onnxruntime: it opens each operator with each dtype for which the exporter writes it."""

import numpy as np
import pytest
from onnx_programs import session

from tarazu.base.dtypes import as_dtype
from tarazu.interop.onnx.export.kernels import LACKS, computed_in, has
from tarazu.interop.onnx.export.model_file import element_type

pytestmark = pytest.mark.extras
DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
          "bool")
BINARY = {"Add", "Sub", "Mul", "Div", "Mod", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal", "Pow", "Max",
          "Min", "Where"}
SHAPES = {"MatMul": [(2, 3), (3, 2)], "Einsum": [(2, 3), (3, 2)], "Conv": [(2, 3, 4), (3, 3, 2)],
          "ConvTranspose": [(2, 3, 4), (3, 3, 2)], "MaxPool": [(2, 3, 4)], "AveragePool": [(2, 3, 4)],
          "LayerNormalization": [(2, 3), (3,), (3,)], "BatchNormalization": [(2, 3)] + [(3,)] * 4, "Pad": [(2, 3)]}
OPTIONS = {"Einsum": {"equation": "ij,jk->ik"}, "MaxPool": {"kernel_shape": [2]}, "AveragePool": {"kernel_shape": [2]},
           "ArgMax": {"axis": 1}, "ArgMin": {"axis": 1}, "Mod": {"fmod": 1}}
VECTORS = {"Expand": [2, 2, 3], "Pad": [0, 1, 0, 1], "ReduceSum": [1], "ReduceProd": [1], "ReduceMax": [1],
           "ReduceMin": [1], "TopK": [3]}


def opens(op_type, dtype):
    """Open a model of this one operator."""
    from onnx import helper, numpy_helper

    kind = element_type(as_dtype(dtype))
    shapes = SHAPES.get(op_type) or [(2, 3)] * (2 if op_type in BINARY else 1)
    inputs = [helper.make_tensor_value_info(f"x{i}", kind, shape) for i, shape in enumerate(shapes)]
    constants = [numpy_helper.from_array(np.array(VECTORS[op_type]), "vector")] if op_type in VECTORS else []
    constants += [numpy_helper.from_array(np.array(1), "vector")] if op_type == "CumSum" else []
    condition = [helper.make_tensor_value_info("condition", element_type(as_dtype("bool")), (2, 3))]
    inputs = condition + inputs if op_type == "Where" else inputs
    names = [x.name for x in inputs] + [x.name for x in constants]
    outputs = ["y", "places"] if op_type == "TopK" else ["y"]
    node = helper.make_node(op_type, names, outputs, **OPTIONS.get(op_type, {}))
    graph = helper.make_graph([node], "one", inputs, [helper.make_empty_tensor_value_info(x) for x in outputs],
                              constants)
    session(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10))


@pytest.mark.parametrize("op_type", LACKS)
def test_onnxruntime_has_what_the_exporter_writes(op_type):
    for dtype in DTYPES:
        if has(op_type, as_dtype(dtype)):
            opens(op_type, dtype)


def test_what_is_lacking_is_computed_in_a_wider_dtype_or_not_at_all():
    for op_type in LACKS:
        for dtype in DTYPES:
            wide = computed_in(op_type, as_dtype(dtype))
            assert wide is None or has(op_type, wide)
    assert computed_in("Add", as_dtype("bfloat16")) is as_dtype("float32")
    assert computed_in("ReduceSum", as_dtype("uint64")) is as_dtype("int64")
    assert computed_in("ReduceMax", as_dtype("uint64")) is None
