"""The callbacks of each fold: the same objects for all, or those that a function of the fold gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

from tarazu.base.errors import ArgumentError
from tarazu.train.callbacks.base import Callback
from tarazu.train.callbacks.best_model import BestModel
from tarazu.train.callbacks.checkpoint import Checkpoint
from tarazu.train.callbacks.logs import CSVLog, Log, TensorBoard

Some: TypeAlias = Callback | Iterable[Callback]
FoldCallbacks: TypeAlias = Some | Callable[[int], Some]


def callbacks_of_folds(given: FoldCallbacks, folds: int) -> list[list[Callback]]:
    """Those of each fold, from 0 on; ArgumentError for a class, and for one path in two folds."""
    if isinstance(given, type):
        raise ArgumentError(f"callbacks={given.__name__}, a class", expected="callbacks, or a function of the fold",
                            fix=f"make an object of it: callbacks={given.__name__}(...)")
    if isinstance(given, Callback | Iterable):
        of_folds = [_listed(given)] * folds
    else:
        of_folds = [_listed(given(fold)) for fold in range(folds)]
    written: set[Path] = set()
    for callbacks in of_folds:
        paths = {Path(path).resolve(): callback for callback in callbacks if (path := _path(callback)) is not None}
        for path, callback in paths.items():
            if path in written:
                raise _written_twice(callback)
        written.update(paths)
    return of_folds


def _listed(given: Some) -> list[Callback]:
    return list(given) if isinstance(given, Iterable) else [given]


def _path(callback: Callback) -> str | os.PathLike | None:
    """Where it writes; None where it writes nothing, or is a user's own."""
    if isinstance(callback, BestModel | CSVLog):
        return callback.path
    return callback.folder if isinstance(callback, Checkpoint | Log | TensorBoard) else None


def _written_twice(callback: Callback) -> ArgumentError:
    path, kind = Path(_path(callback) or ""), type(callback).__name__
    return ArgumentError(f"{kind}({os.fspath(path)!r}) in more than one fold", expected="a path for each fold",
                         fix="pass a function of the fold: callbacks=lambda fold: tz.train."
                             f'{kind}(f"{path.with_name(path.stem + "-{fold}" + path.suffix)}")')
