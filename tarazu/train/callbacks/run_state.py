"""The state of a training run: all that it needs to resume, taken out of it and put back."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.pytree import flatten, leaf_paths
from tarazu.base.state_dicts import other_names, part_of
from tarazu.nn.losses import loss_text
from tarazu.nn.module.mode import in_mode
from tarazu.runtime import random
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.callbacks.base import Callback
from tarazu.train.callbacks.checkpoint_folder import Content
from tarazu.train.sources.rows import Rows
from tarazu.train.trainer.position import Position
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.run_chunk import compile_for
from tarazu.train.trainer.snapshot import restore, snapshot
from tarazu.train.trainer.trainer import Values

Callbacks = Sequence[Callback]

# The tensors of a run, by the first part of their names, and in words.
KINDS = {"model": "model", "optimizer": "optimizer", "generator": "global generator",
         "changed": "set of other tensors that a step changes, such as states of own generators"}


# What a fit was told, by the names that messages have for it.
FIT = {"data": "training data", "validation": "validation data", "batch_size": "batch size", "loss": "loss"}


def plain_values(run: Run, callbacks: Callbacks, position: Position | None) -> dict[str, Any]:
    """All that a run has to resume from but its tensors: numbers, text and lists of them.

    `position` says where a run in the middle of an epoch stands; None is the end of the epoch.
    """
    within = None if position is None else {"steps": position.steps, "rows": position.rows,
                                            "first_batch": position.first_batch}
    return {"epoch": run.epoch, "rows": run.history.rows, "stopped": run.history.stopped, "position": within,
            "total_steps": run.total_steps, "fit": _told(run), "split_seed": run.trainer.split_seed,
            "optimizer": _kind_of_optimizer(run),
            "callbacks": {name: {key: value for key, value in _state(callback).items() if not _is_array(value)}
                          for name, callback in _with_state(callbacks).items()}}


def _told(run: Run) -> dict[str, Any]:
    """What `fit` and `compile` were told of data, loss and batch size, as text."""
    parts = {"data": run.train if isinstance(run.source, Rows) else None, "validation": run.validation}
    losses = [f"{output.weight:g} * {loss_text(output.loss)}" for output in run.trainer.outputs]
    return {"batch_size": str(run.batch_size), "loss": " + ".join(losses), **{
        name: "" if part is None else f"{part.rows} rows of {[leaf.shape[1:] for leaf in part.leaves]}, checksum "
        f"{part.checksums()}" for name, part in parts.items()}}


def tensors(run: Run, callbacks: Callbacks, position: Position | None) -> dict[str, Tensor]:
    """All tensors of a run, those that callbacks keep among them, by name."""
    kept = {f"callbacks.{name}.{key}": asarray(value) for name, callback in _with_state(callbacks).items()
            for key, value in _state(callback).items() if _is_array(value)}
    within = {} if position is None else {"epoch.generator": Tensor(position.generator), **_sums(position.sums)}
    return {**_own_tensors(run), **kept, **within}


def _sums(sums: Values) -> dict[str, Tensor]:
    leaves, structure = flatten(sums)
    return {f"epoch.sums{path}": leaf for leaf, path in zip(leaves, leaf_paths(structure), strict=True)}


def _position(run: Run, content: Content) -> Position | None:
    """Where in its epoch the run of a checkpoint stood; None for the end of it."""
    within = content.values["position"]
    if within is None:
        return None
    structure = flatten(run.trainer.zero_sums())[1]
    sums = structure.rebuild([asarray(content.arrays[f"epoch.sums{path}"]) for path in leaf_paths(structure)])
    return Position(within["steps"], within["rows"], content.arrays["epoch.generator"], within["first_batch"], sums)


def _own_tensors(run: Run) -> dict[str, Tensor]:
    named = {**{f"model.{path}": x for path, x in run.model.named_tensors()},
             **{f"optimizer.{name}": x for name, x in run.trainer.named_optimizer_state()},
             "generator.state": random.default.state}
    known = set(map(id, named.values()))
    others = [x for x in run.changed() if id(x) not in known]
    return {**named, **{f"changed.{i}": x for i, x in enumerate(others)}}


def _kind_of_optimizer(run: Run) -> str:
    kinds = [f"{type(optimizer).__name__} ({', '.join(type(part).__name__ for part in optimizer.chain)})"
             for optimizer in run.trainer.optimizers().values()]
    return ", ".join(kinds)


def _with_state(callbacks: Callbacks) -> dict[str, Callback]:
    """The callbacks that keep something, by their classes; a second one of a class is numbered."""
    named, counts = {}, Counter[str]()
    for callback in callbacks:
        if type(callback).state_dict is not Callback.state_dict:
            name = type(callback).__name__
            counts[name] += 1
            named[name if counts[name] == 1 else f"{name} {counts[name]}"] = callback
    return named


def _state(callback: Callback) -> dict[str, Any]:
    content = callback.state_dict()
    for name, value in content.items():
        if not isinstance(value, int | float | str) and not _is_array(value):
            raise ArgumentError(f"state_dict of {type(callback).__name__} gave a {type(value).__name__} for {name!r}",
                                expected="numbers, text, tensors and arrays",
                                fix="take it apart into such, or leave it out")
    return content


def _is_array(value: Any) -> bool:
    return isinstance(value, Tensor | np.ndarray)


def resume(run: Run, callbacks: Callbacks, content: Content, folder: Path) -> None:
    """Put a run that has not started where the one in a checkpoint stood; ArgumentError unless that fits it.

    All is checked before anything changes, but for a stream, whose batches of completed epochs are read first.
    """
    _require_same_kinds(run, callbacks, content, folder)
    _require_same_tensors(run, content, folder, [kind for kind in KINDS if kind != "changed"])
    position = _position(run, content)
    completed = content.values["epoch"] - (position is not None)
    _skip_epochs(run, completed)
    _require_same_tensors(run, content, folder, ["changed"])
    for name, callback in _with_state(callbacks).items():
        callback.load_state_dict(content.values["callbacks"][name] | part_of(content.arrays, f"callbacks.{name}."))
    with no_grad():
        for name, x in _own_tensors(run).items():
            x.copy_(content.arrays[name])
    run.start = run.before()
    run.epoch, run.position, run.resumed_from = completed, position, os.fspath(folder)
    run.total_steps = content.values["total_steps"]
    run.history.rows, run.history.stopped = list(content.values["rows"]), content.values["stopped"]
    if content.values["split_seed"] is not None:
        run.trainer.split_seed = content.values["split_seed"]


def _skip_epochs(run: Run, epochs: int) -> None:
    """Read the batches of completed epochs, and trace the program: only then is known all that it changes."""
    before = snapshot([*run.changed(), random.default.state])
    with in_mode(run.model, training=True):
        for i, chunk in enumerate(run.source.completed_chunks(epochs)):
            if i == 0:
                compile_for(run, chunk)
    restore(before)


def _require_same_kinds(run: Run, callbacks: Callbacks, content: Content, folder: Path) -> None:
    if content.values["optimizer"] != _kind_of_optimizer(run):
        raise _unfit(folder, f"its optimizer is {content.values['optimizer']}", _kind_of_optimizer(run))
    told = _told(run)
    for name, what in FIT.items():
        if content.values["fit"][name] != told[name]:
            raise _unfit(folder, f"its {what} is another: {content.values['fit'][name] or 'none'}",
                         told[name] or "none")
    saved, own = list(content.values["callbacks"]), list(_with_state(callbacks))
    if set(saved) != set(own):
        raise _unfit(folder, f"it holds the state of the callbacks {_listed(saved)}", _listed(own))


def _require_same_tensors(run: Run, content: Content, folder: Path, kinds: list[str]) -> None:
    for kind in kinds:
        own, saved = part_of(_own_tensors(run), f"{kind}."), part_of(content.arrays, f"{kind}.")
        if differences := other_names(own, saved):
            raise _unfit(folder, f"another {KINDS[kind]}: {differences}", "the tensors of this run")
        for name, x in own.items():
            array = saved[name]
            if array.shape != tuple(x.shape) or array.dtype != x.dtype.numpy:
                raise _unfit(folder, f"another {KINDS[kind]}: {name} is {array.dtype} of shape {array.shape}",
                             f"{x.dtype} of shape {tuple(x.shape)}")


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"


def _unfit(folder: Path, problem: str, expected: str) -> ArgumentError:
    return ArgumentError(f"the checkpoint {folder} does not fit this run: {problem}", expected=expected,
                         fix=f"call fit as when it was written, or delete the folder {folder} to start anew")
