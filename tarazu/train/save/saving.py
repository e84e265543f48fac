"""Saved models: a folder with `model.json` (what the model is made of) and `model.safetensors` (its tensors).

A compiled model leaves beside them `optimizer.safetensors`, the state of its optimizer.
"""

from __future__ import annotations

import os
import platform
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.bounded.json_files import json_to_save
from tarazu.base.errors import ArgumentError
from tarazu.base.files import make_folder, set_aside
from tarazu.base.state_dicts import part_of
from tarazu.base.version import __version__
from tarazu.nn.module.module import Module
from tarazu.record import write_text
from tarazu.runtime import processes
from tarazu.train.save.checked import Noted, checked_structure
from tarazu.train.save.first_process import Tensors, write_on_first_process
from tarazu.train.save.tensor_file import write_tensors
from tarazu.train.save.training import describe_training, training_state

FORMAT = "tarazu model 2"
DESCRIPTION, TENSORS, OPTIMIZER = "model.json", "model.safetensors", "optimizer.safetensors"
_MODEL, _TRAINING = "model.", "training."  # what the names of gathered tensors begin with


def save(model: Module, path: str | os.PathLike, *, optimizer: bool = True) -> None:
    """Write `model` to the folder `path`; a model that was saved there before is replaced at the end, all at once.

    Kept are the layers with all that was changed in them, which of them are shared, weights and which are frozen, and
    with `optimizer` what `compile` was told and the state of the optimizer. The file is checked before it replaces
    another: the model is made again from it. A TrainingWarning names classes and functions that another program will
    not find, and what `compile` was told where that cannot be saved. ArgumentError for a path where something else is,
    and for attributes and arguments of layers that cannot be saved.

    >>> import tempfile
    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, in_features=2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tz.train.save(model, f"{folder}/line.tz")
    ...     tz.load(f"{folder}/line.tz").count_parameters()
    3
    """
    target = Path(path)
    _require_free(target)
    processes.wait("a look at the place of a model")
    write_on_first_process("a saved model", _all_tensors(model, optimizer), partial(_replace, model, target, optimizer))


def _all_tensors(model: Module, optimizer: bool) -> Tensors:
    state = training_state(model._trainer) if optimizer and model._trainer is not None else []
    return [*((_MODEL + name, x) for name, x in model.named_tensors()), *((_TRAINING + name, x) for name, x in state)]


def _replace(model: Module, target: Path, optimizer: bool, tensors: Tensors) -> None:
    make_folder(target.parent)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
        new, old = Path(scratch) / "new", Path(scratch) / "old"
        new.mkdir()
        noted = _write(model, new, {}, optimizer, tensors)
        with set_aside(target, old):
            new.rename(target)
    noted.warn()


def _require_free(target: Path) -> None:
    if not target.exists():
        return
    if not (target / DESCRIPTION).is_file():
        raise ArgumentError(f"{target} is there and is not a saved model",
                            expected="a new path, or that of a saved model", fix="choose another path")
    own = (DESCRIPTION, TENSORS, OPTIMIZER)
    others = sorted(entry.name for entry in target.iterdir() if entry.name not in own)
    if others:
        raise ArgumentError(f"{target} holds more than a model: {', '.join(others[:5])}",
                            expected="a new path, or that of a saved model alone", fix="choose another path")


def write_model(model: Module, folder: Path, extra: dict[str, Any] | None = None) -> None:
    """Write the files of `model` into a folder, without its optimizer; `extra` is kept with them."""
    _write(model, folder, extra or {}, False, _all_tensors(model, False))


def _write(model: Module, folder: Path, extra: dict[str, Any], optimizer: bool, tensors: Tensors) -> Noted:
    named, noted = dict(tensors), Noted()
    weights = part_of(named, _MODEL)
    structure = checked_structure(model, weights, noted)
    training = describe_training(model, noted) if optimizer else None
    frozen = [path for path, x in model.named_parameters() if not x.requires_grad]
    versions = {"tarazu": __version__, "numpy": np.__version__, "python": platform.python_version()}
    description = {"format": FORMAT, **structure._asdict(), "frozen": frozen, "training": training, "extra": extra,
                   "versions": versions}
    write_text(folder / DESCRIPTION, json_to_save(description, folder / DESCRIPTION, indent=1) + "\n")
    write_tensors(folder / TENSORS, weights.items())
    if training is not None:
        write_tensors(folder / OPTIMIZER, part_of(named, _TRAINING).items())
    return noted
