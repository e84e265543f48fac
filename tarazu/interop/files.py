"""`tz.load` and `tz.export`: saved models by their folder, models in other formats by their file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tarazu.base.errors import FileFormatError
from tarazu.base.files import require_file
from tarazu.nn import Module
from tarazu.runtime.jit import exported
from tarazu.train.save.export import Example, Function, export_stablehlo
from tarazu.train.save.loading import read_model
from tarazu.train.save.names import Finder, Objects

WEIGHTS = ".safetensors", ".pt", ".pth"
FILES = ".onnx", ".stablehlo", *WEIGHTS  # which are never the folder of a model


def load(path: str | os.PathLike, *, custom_objects: Objects | None = None, trust: Iterable[str] = (),
         optimizer: bool = True) -> Any:
    """The model that was saved to the folder `path`, or the model in the file `path`.

    A file is an `Exported`, as `tz.export` writes it, or an ONNX file (.onnx), which becomes a module that can be
    trained and saved; this needs `pip install 'tarazu[onnx]'`.

    A saved model comes in evaluation mode, compiled with the optimizer's state if it was saved so; `optimizer=False`
    leaves that out. Loading imports no modules and calls no functions: a file may name Tarazu's own classes and
    functions, those in `custom_objects` (by their names, {"Mine": Mine}), and those of modules that are imported
    already, or are named in `trust` (["mypackage"]), which are imported where needed.

    FileFormatError for anything damaged and for all other names, before anything is imported; ArgumentError for
    `custom_objects` that are none and a `trust` of anything but names. An exported model is called with (rows, ...) and
    needs JAX, DeviceError without.

    A Sequential or functional model that Keras 3 saved as "model.keras" comes as `tz.nn` layers with its weights, and
    compiled where Tarazu has what `compile` was told (DataWarning else); it needs `pip install 'tarazu[keras]'`.

    >>> import tempfile
    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, in_features=2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/line.tz")
    ...     tz.load(f"{folder}/line.tz").predict([[0.0, 0.0]])
    Tensor([[0.]], dtype=float32)
    """
    target = Path(path)
    if not target.is_dir():
        require_file(target)
    if target.suffix.lower() in (".keras", ".h5", ".hdf5"):
        from tarazu.interop.keras import reading  # with it come the tables of all of Keras's layers

        return reading.read(target, custom_objects, optimizer=optimizer)
    if target.is_file() or target.suffix.lower() in FILES:
        return _read_file(target)
    return read_model(target, Finder(custom_objects, trust), optimizer=optimizer)[0]


def _read_file(path: Path) -> Any:
    if not path.is_file():
        raise FileFormatError("there is no such file", path=path, expected="the path of a model's file",
                              fix="check the path, and the folder that it starts from")
    if path.suffix.lower() == ".onnx":
        from tarazu.interop.onnx.reading.file import read  # with it come all of ONNX's operators

        return read(path)
    try:
        return exported.read(path)
    except FileFormatError as error:
        if path.suffix.lower() not in WEIGHTS:
            raise
        raise FileFormatError("weights alone, and no model", expected="a model that was saved, exported or written by "
                              "Keras or to ONNX", path=path,
                              fix="make the model, then model.load_weights(path) for weights that Tarazu saved, "
                                  "tz.interop.load_torch_weights(model, path) for those of torch") from error


def export(model: Module | Function, path: str | os.PathLike, example: Example = None) -> None:
    """Write `model`, in evaluation mode, to the file `path` as a program that takes any number of rows.

    Where the name ends in ".onnx" the file is ONNX (opset 21), checked by ONNX's own checker, with the weights under
    their paths (`named_parameters`); it needs the packages of `pip install 'tarazu[onnx]'`, and onnxruntime runs it.
    Over 2 GB of weights go to a file beside, "model.onnx.<digest>.data", which has to stay in the same folder.
    Else it is JAX's own serialization of StableHLO, with the weights in it, for CPUs, GPUs and TPUs, and a checksum
    behind it. `tz.load(path)` gives that back as an `Exported`, which needs JAX and none of the model's classes;
    `jax.export.deserialize(bytearray(Path(path).read_bytes())).call(x)` runs it without Tarazu. A file is written whole
    or not at all, and computes what `predict` does.

    `example` is an input with at least one row, (rows, ...), or several inputs, a tuple or a dict by their names; a
    functional model whose inputs have known sizes, and one whose first layer has learned its size from float rows,
    need none. In place of a model it may be a function, whose rows must not
    depend on each other for StableHLO; results may be lists, tuples and dicts.

    Raises ArgumentError without the package onnx, DeviceError without JAX; ArgumentError without an example where one
    is needed, for what draws random numbers or changes state, and for rows that depend on each other; CompileError for
    what ONNX lacks, with the layer, or JAX cannot export.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(3)])
    >>> model(tz.ones(1, 4)).shape
    (1, 3)
    >>> tz.export(model, "model.onnx")  # doctest: +SKIP
    >>> tz.export(model, "model.stablehlo")  # doctest: +SKIP
    >>> tz.load("model.stablehlo")  # doctest: +SKIP
    Exported(float32[batch,4] -> float32[batch,3])
    """
    if Path(path).suffix.lower() == ".onnx":
        from tarazu.interop.onnx.export.to_onnx import export_onnx  # with it come the rules of all primitives

        export_onnx(model, path, example)
    else:
        export_stablehlo(model, path, example)
