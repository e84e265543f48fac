"""`read`: the model in an ONNX file, checked before anything is made of it.

No code runs, elements that lie in files beside are taken from inside the folder only, and sizes are compared with those
of the files before memory is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.errors import FileFormatError
from tarazu.base.extras import require
from tarazu.interop.imported import names
from tarazu.interop.onnx.reading.functions import versions_of, without_functions
from tarazu.interop.onnx.reading.graph import read_graph
from tarazu.interop.onnx.reading.model import OnnxModel
from tarazu.interop.onnx.reading.values import DTYPES, OTHER_TYPES
from tarazu.interop.onnx.reading.weights import sorted_out

DAMAGED = "take the file from where it was made again"


def read(path: Path) -> OnnxModel:
    """The model in the ONNX file `path`, ready to be called.

    FileFormatError for a file that is damaged, unsafe, or of operators or types that Tarazu lacks, all of them named;
    ArgumentError where the package onnx is missing.
    """
    onnx = require("onnx", "tz.load of an ONNX file", "onnx")
    damages = (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError, TypeError, LookupError,
               RuntimeError)
    try:
        proto = onnx.load_model_from_string(path.read_bytes())
        _require_known_version(proto, onnx.defs.onnx_opset_version())
        has_files_beside = _take_elements_in(proto, path)
        onnx.checker.check_model(str(path) if has_files_beside else proto)  # a proto of more than 2 GB it cannot take
        inputs, outputs, steps, arrays, initial = read_graph(without_functions(proto))
        return OnnxModel(inputs, outputs, *sorted_out(steps, arrays, initial, names(outputs)))
    except FileFormatError as error:
        raise FileFormatError(error.problem, expected=error.expected, fix=error.fix, path=path) from error
    except FileNotFoundError as error:
        raise FileFormatError("there is no such file", expected="the path of an ONNX file", fix="check the path",
                              path=path) from error
    except _decode_errors() as error:
        raise FileFormatError("no ONNX model", expected="a file that an exporter to ONNX wrote", fix=DAMAGED,
                              path=path) from error
    except damages as error:
        raise FileFormatError(str(error).strip(), expected="a model that onnx.checker finds right", fix=DAMAGED,
                              path=path) from error


def _decode_errors() -> tuple[type[Exception], ...]:
    message = require("google.protobuf.message", "tz.load of an ONNX file", "onnx")
    return (message.DecodeError, UnicodeDecodeError)


def _require_known_version(proto: Any, newest: int) -> None:
    """FileFormatError for operators of a version that nobody here knows: they may mean something else."""
    if (version := versions_of(proto)[""]) > newest:
        raise FileFormatError(f"operators of opset {version}",
                              expected=f"at most {newest}, which the installed onnx knows",
                              fix="pip install --upgrade onnx, or export the model with an older opset_version")


# Elements -------------------------------------------------------------------------------------------------------

def _take_elements_in(proto: Any, path: Path) -> bool:
    """Put the elements that lie in files beside into the model; refuse sizes that do not fit what is there.

    Gives whether there are such.
    """
    are_beside = False
    for tensor in _tensors(proto.graph, *proto.functions):
        wanted = _bytes_of(tensor)
        if tensor.data_location == 1:
            are_beside = True
            tensor.raw_data = _from_beside(tensor, path.parent, wanted)
            tensor.data_location = 0
            del tensor.external_data[:]
        elif tensor.HasField("raw_data") and len(tensor.raw_data) != wanted:
            raise _wrong_size(tensor, len(tensor.raw_data), wanted)
    return are_beside


def _tensors(*graphs: Any) -> Iterator[Any]:
    """All tensors of graphs, functions and the graphs in their attributes."""
    for graph in graphs:
        for sparse in getattr(graph, "sparse_initializer", ()):
            yield from (sparse.values, sparse.indices)
        yield from getattr(graph, "initializer", ())
        for node in graph.node:
            for attribute in node.attribute:
                yield from (attribute.t, *attribute.tensors)
                yield from _tensors(attribute.g, *attribute.graphs)


def _bytes_of(tensor: Any) -> int:
    """How many bytes the elements of a tensor take."""
    number = tensor.data_type
    if any(size < 0 for size in tensor.dims):
        raise FileFormatError(f"tensor {tensor.name!r} of shape {tuple(tensor.dims)}", expected="sizes of at least 0",
                              fix=DAMAGED)
    count = math.prod(tensor.dims)
    bits = 8 * DTYPES[number].itemsize if number in DTYPES else {"t2": 2, "t4": 4}.get(
        OTHER_TYPES.get(number, "")[-2:], 4 if number == 23 else 8)
    return -(-count * bits // 8)


def _from_beside(tensor: Any, folder: Path, wanted: int) -> bytes:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = str(entries.get("location", ""))
    file = folder / location
    if not _is_inside(location, folder):
        raise FileFormatError(f"tensor {tensor.name!r} in the file {location[:200]!r}",
                              expected="a file in the folder of the model, no link", fix="keep the model's files "
                              "together in one folder, and take models only from those whom you trust")
    offset, length = int(entries.get("offset", 0)), int(entries.get("length", wanted))
    if length != wanted or offset < 0 or offset + length > file.stat().st_size:
        raise _wrong_size(tensor, min(length, max(file.stat().st_size - offset, 0)), wanted)
    return np.fromfile(file, np.uint8, wanted, offset=offset).tobytes()


def _is_inside(location: str, folder: Path) -> bool:
    """Whether there is a file of that name in the folder, or below it, no link."""
    if not location or Path(location).is_absolute() or ".." in Path(location).parts:
        return False
    file = folder / location
    try:
        return file.resolve().is_relative_to(folder.resolve()) and not file.is_symlink() and file.is_file()
    except (OSError, ValueError, RuntimeError):  # no name of a file, or a circle of links
        return False


def _wrong_size(tensor: Any, found: int, wanted: int) -> FileFormatError:
    return FileFormatError(f"tensor {tensor.name!r} of shape {tuple(tensor.dims)} with {found} bytes",
                           expected=f"{wanted} bytes", fix=DAMAGED)
