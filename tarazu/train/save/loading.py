"""`tz.load`: saved models by their folder, exported ones by their file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tarazu.runtime.jit import exported
from tarazu.train.save import saving


def load(path: str | os.PathLike) -> Any:
    """The model that was saved to the folder `path`, or the `Exported` that `tz.export` wrote to the file `path`.

    A saved model comes in evaluation mode, and has to be compiled before `fit`; own layer classes must be importable
    under the name that they had. An exported one is called with (rows, ...) and needs JAX. FileFormatError for anything
    damaged, DeviceError for an exported one without JAX.

    >>> import tempfile
    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, in_features=2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/line.tz")
    ...     tz.load(f"{folder}/line.tz").predict([[0.0, 0.0]])
    Tensor([[0.]], dtype=float32)
    """
    return exported.read(Path(path)) if Path(path).is_file() else saving.load(path)
