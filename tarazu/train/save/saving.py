"""Saved models: a folder with `model.json` (what the model is made of) and `model.safetensors` (its tensors)."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError, FileFormatError, TarazuError
from tarazu.base.version import __version__
from tarazu.nn.module.module import Module
from tarazu.record import write_text
from tarazu.runtime import processes
from tarazu.train.save.first_process import Tensors, write_on_first_process
from tarazu.train.save.model_config import build, builds_of, describe, rebuild
from tarazu.train.save.tensor_file import read_tensors, write_tensors

FORMAT = "tarazu model 1"
DESCRIPTION, TENSORS = "model.json", "model.safetensors"


def save(model: Module, path: str | os.PathLike) -> None:
    """Write `model` to the folder `path`; a model that was saved there before is replaced at the end, all at once.

    Kept are layers, weights and which of them are frozen; what `compile` prepared is not. ArgumentError for a path
    where something else is, and for layers made with what cannot be saved.

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
    write_on_first_process("a saved model", model.named_tensors(), partial(_replace, model, target))


def _replace(model: Module, target: Path, tensors: Tensors) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
        new, old = Path(scratch) / "new", Path(scratch) / "old"
        new.mkdir()
        write_model(model, new, tensors=tensors)
        if target.exists():
            target.rename(old)
        new.rename(target)


def _require_free(target: Path) -> None:
    if not target.exists():
        return
    if not (target / DESCRIPTION).is_file():
        raise ArgumentError(f"{target} is there and is not a saved model",
                            expected="a new path, or that of a saved model", fix="choose another path")
    others = sorted(entry.name for entry in target.iterdir() if entry.name not in (DESCRIPTION, TENSORS))
    if others:
        raise ArgumentError(f"{target} holds more than a model: {', '.join(others[:5])}",
                            expected="a new path, or that of a saved model alone", fix="choose another path")


def write_model(model: Module, folder: Path, extra: dict[str, Any] | None = None,
                tensors: Tensors | None = None) -> None:
    """Write the two files of `model` into a folder; `extra` is kept with them. `tensors` are its own if not given."""

    frozen = [path for path, x in model.named_parameters() if not x.requires_grad]
    versions = {"tarazu": __version__, "numpy": np.__version__, "python": platform.python_version()}
    description = {"format": FORMAT, "model": describe(model), "builds": builds_of(model), "frozen": frozen,
                   "extra": extra or {}, "versions": versions}
    write_text(folder / DESCRIPTION, json.dumps(description, indent=1, ensure_ascii=False) + "\n")
    write_tensors(folder / TENSORS, model.named_tensors() if tensors is None else tensors)


def load(path: str | os.PathLike) -> Module:
    """The model that was saved to the folder `path`, in evaluation mode; before `fit` it has to be compiled.

    Own layer classes must be importable under the name that they had; FileFormatError for anything damaged.
    """
    return read_model(Path(path))[0]


def read_model(folder: Path) -> tuple[Module, dict[str, Any]]:
    """The model in a folder, and the `extra` that was written with it."""
    description = read_description(folder)
    try:
        model = rebuild(description["model"])
        build(model, description["builds"])
        tensors, frozen, extra = dict(model.named_tensors()), description["frozen"], description["extra"]
        for path in frozen:
            tensors[path].requires_grad_(False)
    except Exception as error:  # constructors of own layers may raise anything
        what = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise FileFormatError(f"the model cannot be made again: {what}", path=folder / DESCRIPTION,
                              expected="a description whose layer classes can be imported",
                              fix="import the module that defines the layers, or take an undamaged copy") from error
    _load_tensors(model, folder / TENSORS)
    return model.eval(), extra


def read_description(folder: Path) -> dict[str, Any]:
    """What `model.json` says, checked to be of the format that this version writes."""
    path = folder / DESCRIPTION
    if not path.is_file():
        raise FileFormatError(f"there is no {DESCRIPTION}", path=folder,
                              expected="a folder that Tarazu saved a model to",
                              fix="check the path; `tarazu fit` prints that of its run folder")
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileFormatError(f"not JSON: {error}", path=path, expected="the file as it was written",
                              fix="take an undamaged copy") from None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise FileFormatError("not a description of a model", path=path, expected=f'"format": "{FORMAT}"',
                              fix="check the path")
    return description


def _load_tensors(model: Module, path: Path) -> None:
    tensors = read_tensors(path, fix="take an undamaged copy of the whole folder, or train again")
    try:
        model.load_state_dict(tensors)
    except TarazuError as error:
        raise FileFormatError(f"it does not fit model.json: {error.problem}", path=path, expected=error.expected,
                              fix="take both files from one saved model") from None
