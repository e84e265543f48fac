"""The weights of a model alone, as a safetensors file: for models that cannot be saved whole, and other programs."""

from __future__ import annotations

import os
from pathlib import Path

from tarazu.base.errors import DTypeError
from tarazu.base.files import make_folder, require_no_folder
from tarazu.base.state_dicts import require_same_state
from tarazu.nn.module.loaded import Loaded
from tarazu.nn.module.module import Module
from tarazu.train.save.first_process import Tensors, write_on_first_process
from tarazu.train.save.saving import TENSORS
from tarazu.train.save.tensor_file import read_tensors, write_tensors


def save_weights(model: Module, path: str | os.PathLike) -> None:
    """Write all tensors of `model`, by their paths, to the safetensors file `path`; also `model.save_weights(path)`.

    A file that is there is replaced at the end, all at once; missing folders are made. ArgumentError for a folder, and
    for a model with layers that have yet to see an input.

    >>> import tempfile
    >>> import tarazu as tz
    >>> model, twin = (tz.nn.Dense(1, in_features=2) for _ in range(2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tz.train.save_weights(model, f"{folder}/line.safetensors")
    ...     tz.train.load_weights(twin, f"{folder}/line.safetensors")
    2 of 2 tensors loaded
    >>> bool((twin.weight == model.weight).all())
    True
    """
    target = Path(path)
    require_no_folder(target, "weights.safetensors")
    model.parameters()  # raises where some are not there yet
    write_on_first_process("the weights of a model", model.named_tensors(),
                           lambda tensors: _write(target, tensors))


def _write(path: Path, tensors: Tensors) -> None:
    make_folder(path.parent)
    write_tensors(path, tensors)


def load_weights(model: Module, path: str | os.PathLike, *, strict: bool = True) -> Loaded:
    """Take over the tensors in a file that `save_weights` wrote, or those of a saved model's folder; gives a report.

    All paths, shapes and dtypes have to be the model's own; else nothing is changed. With `strict=False` the tensors
    that have the same path and shape are taken over, and the report says which were not. ArgumentError for other paths
    and for layers that have yet to see an input, ShapeError for other shapes, DTypeError for other dtypes,
    FileFormatError for a file that is missing or damaged. Also `model.load_weights(path)`; `save_weights` has an
    example.

    >>> import tarazu as tz
    >>> tz.train.load_weights(tz.nn.Dense(1, in_features=2), "line.safetensors")  # doctest: +SKIP
    """
    model.parameters()
    folder = Path(path)
    arrays = read_tensors(folder / TENSORS if folder.is_dir() else folder, fix="check the path, or take another copy")
    own = dict(model.named_tensors())
    if strict:
        require_same_state("model", own, arrays)
    for name, x in own.items():
        if name in arrays and arrays[name].shape == x.shape and arrays[name].dtype != x.dtype.numpy:
            raise DTypeError(f"{name} in the file is {arrays[name].dtype}", expected=str(x.dtype),
                             fix="make the model with that dtype; model.load_state_dict(arrays) casts")
    return model.load_state_dict(arrays, strict=strict)
