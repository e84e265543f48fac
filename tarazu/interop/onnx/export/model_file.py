"""From written nodes to a model of ONNX: checked by ONNX's own checker, and written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.dtypes import DType
from tarazu.base.errors import CompileError
from tarazu.base.extras import require
from tarazu.base.files import replacing
from tarazu.base.version import __version__
from tarazu.interop.onnx.export.emitter import Block, Emitted, Shared, refusal
from tarazu.interop.onnx.export.values import Value
from tarazu.ir.origin import NOWHERE

OPSET, IR_VERSION = 21, 10
MOST_BYTES = 2**31 - 2**20  # of a file, which is one message of protobuf; what is not weights takes little
_TYPES = {"float16": "FLOAT16", "bfloat16": "BFLOAT16", "float32": "FLOAT", "float64": "DOUBLE", "int8": "INT8",
          "int16": "INT16", "int32": "INT32", "int64": "INT64", "uint8": "UINT8", "uint16": "UINT16",
          "uint32": "UINT32", "uint64": "UINT64", "bool": "BOOL"}


def onnx() -> Any:
    """The package onnx; ArgumentError where it is not installed."""
    return require("onnx", "tz.export to ONNX", "onnx")


def model_proto(shared: Shared) -> Any:
    """The model of what was written, checked; CompileError for one that ONNX's format cannot hold in one file."""
    size = sum(array.nbytes for array in shared.initializers.values())
    if size > MOST_BYTES:
        raise CompileError(f"ONNX export of a model with {size / 2**30:.1f} GB of weights",
                           expected="at most 2 GB, which a file of ONNX can hold",
                           fix='store the weights in half precision, or save the model: model.save("model.tz")')
    helper = onnx().helper
    graph = _graph(shared.root, "tarazu", shared.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                              producer_name="tarazu", producer_version=__version__)
    helper.set_model_props(model, {"tarazu_version": __version__})
    onnx().checker.check_model(model, full_check=True)
    return model


def write(path: Path, model: Any) -> None:
    """Write the model, under another name first, so that a crash spares what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as unfinished:
        unfinished.write_bytes(model.SerializeToString())


def _graph(block: Block, name: str, initializers: dict[str, np.ndarray] | None = None) -> Any:
    package = onnx()
    tensors = [package.numpy_helper.from_array(array, key) for key, array in (initializers or {}).items()]
    return package.helper.make_graph([_node(node) for node in block.nodes], name, [_info(x) for x in block.inputs],
                                     [_info(x) for x in block.outputs], tensors)


def _node(node: Emitted) -> Any:
    attributes = {key: _attribute(value, node.name) for key, value in node.attributes.items() if value != []}
    return onnx().helper.make_node(node.op_type, node.inputs, node.outputs, name=node.name, **attributes)


def _attribute(value: Any, name: str) -> Any:
    if isinstance(value, Block):
        return _graph(value, f"{name} body")
    return element_type(value) if isinstance(value, DType) else value


def _info(x: Value) -> Any:
    dims = [n if isinstance(n, int) else str(n) for n in x.shape]
    return onnx().helper.make_tensor_value_info(x.name, element_type(x.dtype), dims)


def element_type(dtype: DType) -> int:
    """ONNX's number of a dtype; CompileError for complex numbers."""
    if dtype.name not in _TYPES:
        raise refusal("ONNX's operators take no complex numbers", f"{dtype} tensors", NOWHERE)
    return int(getattr(onnx().TensorProto, _TYPES[dtype.name]))
