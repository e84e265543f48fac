"""`tz.load`: saved models by their folder, models in other formats by their file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tarazu.runtime.jit import exported
from tarazu.train.save.loading import read_model
from tarazu.train.save.names import Finder, Objects


def load(path: str | os.PathLike, *, custom_objects: Objects | None = None, trust: Iterable[str] = (),
         optimizer: bool = True) -> Any:
    """The model that was saved to the folder `path`, or the model in the file `path`.

    A file is an `Exported`, as `tz.export` writes it, or an ONNX file (.onnx), which becomes a module that can be
    trained and saved; this needs the extra onnx.

    A saved model comes in evaluation mode, compiled with the optimizer's state if it was saved so; `optimizer=False`
    leaves that out. Loading imports no modules and calls no functions: a file may name Tarazu's own classes and
    functions, those in `custom_objects` (by their names, {"Mine": Mine}), and those of modules that are imported
    already, or are named in `trust` (["mypackage"]), which are imported where needed.

    FileFormatError for anything damaged and for all other names, before anything is imported; ArgumentError for
    `custom_objects` that are none and a `trust` of anything but names. An exported model is called with (rows, ...) and
    needs JAX, DeviceError without.

    >>> import tempfile
    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, in_features=2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/line.tz")
    ...     tz.load(f"{folder}/line.tz").predict([[0.0, 0.0]])
    Tensor([[0.]], dtype=float32)
    """
    if Path(path).is_file():
        return _read_file(Path(path))
    return read_model(Path(path), Finder(custom_objects, trust), optimizer=optimizer)[0]


def _read_file(path: Path) -> Any:
    if path.suffix == ".onnx":
        from tarazu.interop.onnx.reading.file import read  # with it come all of ONNX's operators

        return read(path)
    return exported.read(path)
