"""Why the fit of a table generalizes as it does: what `tarazu diagnose` does."""

from __future__ import annotations

import dataclasses
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np

from tarazu.base.device import Device
from tarazu.base.errors import ArgumentError
from tarazu.data import Split, Table, TableEncoder, split_table, summarize
from tarazu.nn.module.trainable import Verbose
from tarazu.runtime import processes
from tarazu.runtime.device import default_device
from tarazu.runtime.device import device as find_device
from tarazu.study import Diagnosis, SuspectTarget, diagnose
from tarazu.tabular import score_text
from tarazu.tabular.fitting import TableFit
from tarazu.tabular.inputs import TableLike, as_table
from tarazu.tabular.network import compiled_model
from tarazu.tabular.options import PATIENCE, TableOptions, layer_sizes, usual_batch_size
from tarazu.train.callbacks.early_stopping import EarlyStopping


def diagnose_table(data: TableLike, target: str | int, options: TableOptions | None = None, *, budget: float = 20.0,
                   device: str | Device | None = None, verbose: Verbose = "auto") -> Diagnosis:
    """Why a network generalizes as it does on a table, and what would help: what `tarazu diagnose` does, in one call.

    `data`, `target` and `options` are as for `fit_table`, of whose fit `options` may be, and so are the training rows;
    all others, those for validation and for the test, judge the fits. Columns go by their names, however they are
    encoded, and rows by the lines of the file; the rest is as `tz.study.diagnose` says it. Raises what `fit_table` and
    that raise, and ArgumentError where no rows are left to judge by, or several processes run.

    >>> import tarazu as tz
    >>> table = {"height": [180, 165, 171, 190] * 20, "sport": ["rowing", "dance", "dance", "rowing"] * 20}
    >>> found = diagnose_table(table, "sport", TableOptions(hidden=(8,), epochs=2), budget=3, verbose=0)
    >>> 0 <= found.probability("leakage") <= 1
    True
    """
    require_one_process()
    options = options or TableOptions()
    options = dataclasses.replace(options, hidden=layer_sizes(options.hidden))
    with _device(device):
        given, name = as_table(data, options.missing, bar=bool(verbose)), str(target)
        table = given.drop_missing(name)
        split = split_table(table, name, options.validation, options.test, options.seed, options.kinds, options.order)
        encoder = TableEncoder.fit(table, target=name, rows=split.train, kinds=options.kinds)
        if verbose:
            text = f"{summarize(table, encoder)}\n"
            print(score_text.wrapped(text, score_text.terminal_width(), "  "), flush=True)
        return _diagnosis(given, encoder, split, options, budget, verbose)


def diagnose_fit(fitted: TableFit, data: TableLike, *, budget: float = 20.0, device: str | Device | None = None,
                 verbose: Verbose = "auto") -> Diagnosis:
    """`diagnose_table` of a fit of `fit_table` to the same `data`."""
    require_one_process()
    with _device(device):
        given = as_table(data, fitted.options.missing)
        return _diagnosis(given, fitted.encoder, fitted.split, fitted.options, budget, verbose)


def require_one_process() -> None:
    """ArgumentError where several processes train together."""
    if processes.count() > 1:
        raise ArgumentError("a diagnosis by several processes", expected="one process",
                            fix="diagnose without `tarazu launch`")


def _device(device: str | Device | None) -> AbstractContextManager[object]:
    return nullcontext() if device is None else default_device(find_device(device))


def _diagnosis(given: Table, encoder: TableEncoder, split: Split, options: TableOptions, budget: float,
               verbose: Verbose) -> Diagnosis:
    target = encoder.target.name
    table, others = given.drop_missing(target), np.concatenate([split.validation, split.test])
    if not len(others):
        raise ArgumentError("no rows are left out of the training", expected="rows to judge by",
                            fix="leave some for validation or for the test")
    x, y = encoder.features(table), encoder.labels(table)
    found = diagnose(lambda: compiled_model(encoder, options), x[split.train], y[split.train],
                     validation_data=(x[others], y[others]), epochs=options.epochs,
                     batch_size=options.batch_size or usual_batch_size(len(split.train)),
                     callbacks=[EarlyStopping(patience=PATIENCE)], seed=options.seed, budget=budget, verbose=verbose,
                     feature_names=[coder.name for coder in encoder.coders for _ in coder.names])
    numbers = np.flatnonzero(~given[target].missing()) if table.lines is None else table.lines
    rows = {"x": split.train, "validation_data": others}
    suspects = tuple(_of_table(one, given, encoder, int(numbers[rows[one.source][one.row]]))
                     for one in found.suspect_targets)
    return dataclasses.replace(found, suspect_targets=suspects)


def _of_table(one: SuspectTarget, table: Table, encoder: TableEncoder, number: int) -> SuspectTarget:
    """The row in the words of the table: its line in the file, and targets in the units, or with the names, there."""
    source, unit = ("the table", "row") if table.lines is None else (Path(table.path or "the file").name, "line")
    target, expected = encoder.decode_target(np.array([one.target, one.expected])).tolist()
    return SuspectTarget(source, number, target, expected, unit)
