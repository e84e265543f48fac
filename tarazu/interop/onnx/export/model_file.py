"""From written nodes to a model of ONNX: checked by ONNX's own checker, and written whole or not at all."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.dtypes import DType
from tarazu.base.extras import require
from tarazu.base.files import make_folder, replacing
from tarazu.base.version import __version__
from tarazu.interop.onnx.export.emitter import Block, Emitted, Shared, refusal
from tarazu.interop.onnx.export.values import Value
from tarazu.ir.origin import NOWHERE

OPSET, IR_VERSION = 21, 10
MOST_BYTES = 2**31 - 2**20  # of weights in the file, which is one message of protobuf; the rest takes little
PAGE = 4096  # bytes; where each tensor of a file of weights begins, so that others can map it into memory
_TYPES = {"float16": "FLOAT16", "bfloat16": "BFLOAT16", "float32": "FLOAT", "float64": "DOUBLE", "int8": "INT8",
          "int16": "INT16", "int32": "INT32", "int64": "INT64", "uint8": "UINT8", "uint16": "UINT16",
          "uint32": "UINT32", "uint64": "UINT64", "bool": "BOOL"}


def onnx() -> Any:
    """The package onnx; ArgumentError where it is not installed."""
    return require("onnx", "tz.export to ONNX", "onnx")


def model_proto(shared: Shared) -> Any:
    """The model of what was written, checked; one of more than MOST_BYTES is checked when it is written."""
    helper = onnx().helper
    graph = _graph(shared.root, "tarazu", shared.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                              producer_name="tarazu", producer_version=__version__)
    helper.set_model_props(model, {"tarazu_version": __version__})
    if not _needs_file_beside(model):
        onnx().checker.check_model(model, full_check=True)
    return model


def write(path: Path, model: Any) -> None:
    """Write the model, under another name first, so that a crash spares what was there.

    More than MOST_BYTES of weights go to a file beside, whose name has a digest of them: so the old model keeps its own
    until the new one is in its place. The weights leave `model` then.
    """
    make_folder(path.parent)
    before = set(_files_beside(path))
    beside = [_move_weights(model, path)] if _needs_file_beside(model) else []
    try:
        with replacing(path) as unfinished:
            unfinished.write_bytes(model.SerializeToString())
            if beside:
                onnx().checker.check_model(str(unfinished), full_check=True)
    except BaseException:
        _remove(set(beside) - before)
        raise
    _remove(before - set(beside))


# Weights in a file beside ---------------------------------------------------------------------------------------

def _needs_file_beside(model: Any) -> bool:
    return sum(len(tensor.raw_data) for tensor in model.graph.initializer) > MOST_BYTES


def _files_beside(path: Path) -> list[Path]:
    """The files of weights that were written beside a model of that name."""
    return [one for one in path.parent.iterdir() if one.name.startswith(f"{path.name}.")
            and re.fullmatch(r"[0-9a-f]{32}\.data", one.name.removeprefix(f"{path.name}."))]


def _move_weights(model: Any, path: Path) -> Path:
    """Write the elements of the initial values to a file beside, to which the model then points."""
    digest = hashlib.blake2b(digest_size=16)
    for tensor in model.graph.initializer:
        digest.update(tensor.raw_data)
    beside = path.with_name(f"{path.name}.{digest.hexdigest()}.data")
    with replacing(beside) as unfinished, unfinished.open("wb") as file:
        for tensor in model.graph.initializer:
            if not tensor.raw_data:
                continue
            file.write(bytes(-file.tell() % PAGE))
            entries = {"location": beside.name, "offset": file.tell(), "length": len(tensor.raw_data)}
            file.write(tensor.raw_data)
            tensor.ClearField("raw_data")
            tensor.data_location = onnx().TensorProto.EXTERNAL
            for key, value in entries.items():
                tensor.external_data.add(key=key, value=str(value))
    return beside


def _remove(files: set[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


# Nodes ----------------------------------------------------------------------------------------------------------

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
