"""Saved models, read from their folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.bounded.json_files import read_json
from tarazu.base.errors import FileFormatError, TarazuError
from tarazu.base.files import file_inside
from tarazu.base.state_dicts import require_same_state
from tarazu.nn.module.module import Module
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.trace_lock import replace_data
from tarazu.train.save.names import Finder, NotAllowedError
from tarazu.train.save.saving import DESCRIPTION, FORMAT, OPTIMIZER, TENSORS
from tarazu.train.save.structure import Structure, make
from tarazu.train.save.tensor_file import read_tensors
from tarazu.train.save.training import restore_training

FORMATS = ("tarazu model 1", FORMAT)  # those that are read
COPY = "take an undamaged copy of the whole folder, or train again"


def read_model(folder: Path, finder: Finder | None = None, *, optimizer: bool = False) -> tuple[Module, dict[str, Any]]:
    """The model in a folder, and the `extra` that was written with it."""
    description, finder = read_description(folder), finder or Finder()
    arrays = read_tensors(file_inside(folder, TENSORS), COPY)
    model = _guarded(folder, lambda: _model(description, finder, arrays))
    _load_tensors(model, folder / TENSORS, arrays)
    if optimizer and description.get("training") is not None:
        state = read_tensors(file_inside(folder, OPTIMIZER), COPY)
        _guarded(folder, lambda: restore_training(model, description["training"], state, finder),
                 or_else=", or leave out what compile() was told: tz.load(path, optimizer=False)")
    return model.eval(), description.get("extra", {})


def _guarded(folder: Path, work: Callable[[], Any], or_else: str = "") -> Any:
    """What `work` gives; FileFormatError for whatever it raises, as constructors of own layers may raise anything."""
    try:
        return work()
    except Exception as error:
        what = f"there is no {error}" if isinstance(error, KeyError) else str(error) or repr(error)
        expected = "a description by which layers can be made"
        fix = "use the classes as they were when it was saved, or take an undamaged copy"
        if isinstance(error, NotAllowedError):
            what, expected, fix = error.problem, error.expected or expected, error.fix or fix
        raise FileFormatError(f"the model cannot be made again: {what}", path=folder / DESCRIPTION, expected=expected,
                              fix=fix + or_else) from error


def _model(description: dict[str, Any], finder: Finder, arrays: dict[str, np.ndarray]) -> Module:
    structure = Structure(description["model"], description.get("layers", []), description["builds"],
                          description.get("changes", {}))
    model = make(structure, finder, lambda path: arrays[path].copy(), sum(x.size for x in arrays.values()))
    frozen = set(description["frozen"])
    for path, x in model.named_parameters():
        x.requires_grad_(path not in frozen)
        frozen.discard(path)
    for path in frozen:
        raise KeyError(path)
    return model


def read_description(folder: Path) -> dict[str, Any]:
    """What `model.json` says, checked to be of a format that this version reads."""
    path = file_inside(folder, DESCRIPTION)
    if not path.is_file():
        raise FileFormatError(f"there is no {DESCRIPTION}", path=folder,
                              expected="a folder that Tarazu saved a model to",
                              fix="check the path; `tarazu fit` prints that of its run folder")
    try:
        description = read_json(path)
    except ValueError as error:
        raise FileFormatError(f"not JSON: {error}", path=path, expected="the file as it was written",
                              fix="take an undamaged copy") from None
    if not isinstance(description, dict) or description.get("format") not in FORMATS:
        raise FileFormatError("not a description of a model", path=path,
                              expected=" or ".join(f'"format": "{known}"' for known in FORMATS),
                              fix="check the path; a later version of Tarazu may read what this one does not")
    return description


def _load_tensors(model: Module, path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Give the tensors the values in the file, and the dtypes that they have there."""
    own = dict(model.named_tensors())
    try:
        require_same_state("model", own, arrays)
    except TarazuError as error:
        raise FileFormatError(f"it does not fit model.json: {error.problem}", path=path, expected=error.expected,
                              fix="take both files from one saved model") from None
    with no_grad():
        for name, x in own.items():
            if x.dtype.numpy == arrays[name].dtype:
                x.copy_(arrays[name])
            else:
                replace_data(x, asarray(arrays[name]).raw)
