"""From a table to a trained and judged model in one call: what `tarazu fit` does."""

from __future__ import annotations

import dataclasses
import os
import reprlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from tarazu.base.device import Device
from tarazu.data import Split, Table, TableEncoder, TableSummary, split_table, summarize
from tarazu.diagnose import Importance, write_report
from tarazu.nn.module.trainable import Verbose
from tarazu.record import History, Verdict
from tarazu.runtime import processes, random
from tarazu.runtime.device import default_device
from tarazu.runtime.device import device as find_device
from tarazu.tabular import report_page, run_folder, score_text
from tarazu.tabular.assess import assess, scores_of
from tarazu.tabular.assessment import Assessment, Scores, WorstRow
from tarazu.tabular.inputs import TableLike, as_table
from tarazu.tabular.network import compiled_model
from tarazu.tabular.options import PATIENCE, TableOptions, layer_sizes, usual_batch_size
from tarazu.tabular.table_model import TableModel
from tarazu.train.callbacks.early_stopping import EarlyStopping
from tarazu.train.evaluate import predict
from tarazu.train.loop import fit


@dataclasses.dataclass(frozen=True, repr=False)
class TableFit(TableModel):
    """A model that was trained on a table, with all that tells how good it is; `print` shows scores and verdict.

    `summary` counts what is in the table, `split` holds the row numbers of each part, `history` a row per epoch,
    `assessment` the scores; `title`, `made_by` and `options` are what the report says of how it was made.

    >>> import tarazu as tz
    >>> table = {"size": [float(i) for i in range(100)], "big": ["no"] * 40 + ["yes"] * 60}
    >>> fitted = tz.fit_table(table, target="big", learning_rate=0.01, epochs=100, verbose=0)
    >>> fitted.scores["test"]["accuracy"] > 0.8 > fitted.scores["majority"]["accuracy"]
    True
    """

    summary: TableSummary
    split: Split
    history: History
    assessment: Assessment
    options: TableOptions
    title: str
    made_by: str

    @property
    def verdict(self) -> Verdict | None:
        """Whether the model underfits or overfits, on what evidence, and what would help.

        >>> import tarazu as tz
        >>> fitted = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
        >>> fitted.verdict.name in tz.record.VERDICTS
        True
        """
        return self.history.verdict

    @property
    def scores(self) -> Scores:
        """Scores by part, and of the trivial guess, "majority" or "mean"; see `Assessment`.

        >>> import tarazu as tz
        >>> fitted = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
        >>> fitted.scores["majority"]["accuracy"]
        0.5
        """
        return self.assessment.scores

    @property
    def importance(self) -> tuple[Importance, ...]:
        """By how much the loss rises when a column is shuffled, with 95 % intervals, the most important column first.

        >>> import tarazu as tz
        >>> fitted = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
        >>> [each.column for each in fitted.importance]
        ['a']
        """
        return self.assessment.importance

    @property
    def worst(self) -> tuple[WorstRow, ...]:
        """The rows that the model gets most wrong, of the test part where there is one.

        >>> import tarazu as tz
        >>> fitted = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
        >>> all(row.true != row.predicted for row in fitted.worst)
        True
        """
        return self.assessment.worst

    def evaluate(self, data: TableLike) -> dict[str, float]:
        """The scores on other rows, a path, data frame or dict of columns with the target among them.

        Rows without a target are left out. Raises DataError for columns that are missing and classes that training did
        not know.

        >>> import tarazu as tz
        >>> fitted = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
        >>> sorted(fitted.evaluate({"a": [1, 2], "b": ["y", "x"]}))
        ['accuracy', 'balanced_accuracy', 'log_loss', 'macro_f1', 'roc_auc']
        """
        table = as_table(data, self.encoder.missing_words).drop_missing(self.encoder.target.name)
        outputs = predict(self.model, self.encoder.features(table)).numpy()
        return scores_of(self.encoder, self.encoder.labels(table), outputs)

    def report(self, path: str | os.PathLike[str], links: Mapping[str, str] | None = None) -> Path:
        """Write the report, one HTML page that needs no other file, and give its path. Raises OSError where it cannot.

        `links` are pages beside it, with what is to be read of each.

        >>> import tempfile
        >>> import tarazu as tz
        >>> fitted = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     "Confusion" in fitted.report(f"{folder}/report.html").read_text()
        True
        """
        content = report_page.content(self.encoder, self.summary, self.split, self.history, self.assessment,
                                      self.options, self.title, self.made_by)
        return write_report(path, links=links, **content)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write the run folder `path`: model, history and report, for `TableModel.load` and `tarazu predict`.

        Raises ArgumentError where something is there already; `force` replaces a run folder.

        >>> import tempfile
        >>> import tarazu as tz
        >>> fitted = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sorted(path.name for path in fitted.save(f"{folder}/run").iterdir())
        ['history.jsonl', 'model.json', 'model.safetensors', 'report.html']
        """
        run_folder.require_free(Path(path), force=force)
        return self.write(Path(path), force=force)

    def write(self, path: Path, *, force: bool) -> Path:
        """`save`, but what appeared at `path` meanwhile stays, and the folder gets a number; gives its path."""
        return run_folder.write(path, self.model, self.encoder, self.assessment, self.history, self.report, force=force)

    def __str__(self) -> str:
        return "\n".join([score_text.all_scores(self.assessment), "", str(self.verdict)])

    def __repr__(self) -> str:
        first, value = next(iter(self.scores[self.assessment.subset].items()))
        verdict = self.verdict.name if self.verdict else "not judged"
        return (f"<TableFit: {self.encoder.target.name}, {self.encoder.task}; {self.assessment.subset} "
                f"{score_text.LABELS[first]} {score_text.score(first, value)}; {verdict}>")


def fit_table(data: TableLike, target: str | int, *, hidden: int | Sequence[int] = TableOptions.hidden,
              dropout: float = TableOptions.dropout, epochs: int = TableOptions.epochs,
              batch_size: int | None = TableOptions.batch_size, learning_rate: float = TableOptions.learning_rate,
              optimizer: str = TableOptions.optimizer, validation: float = TableOptions.validation,
              test: float = TableOptions.test, seed: int = TableOptions.seed,
              kinds: Mapping[str | int, str] | None = None, missing: str | Sequence[str] = TableOptions.missing,
              split: str | int = TableOptions.split, device: str | Device | None = None,
              verbose: Verbose = "auto") -> TableFit:
    """Train a network to predict the column `target` of a table, and judge it: what `tarazu fit` does, in one call.

    `data` is the path of a CSV or Parquet file, a data frame (pandas, polars, pyarrow) or a dict of columns; texts, in
    the target too, and missing cells are encoded. Rows are split at random, classes in proportion: the weights of the
    best epoch on the share `validation` are kept, and the share `test` measures them. `hidden` are the sizes of the
    hidden layers, a number for one layer, () for none; `kinds` says what columns are where the guess is wrong: {"year":
    "category"}, "number", "date" or "ignore". Rows without a target are left out; `missing` are the words that mean
    "missing". With `split` "time", or the name of a column of dates or numbers, the last rows are the test part.
    `verbose` is that of `fit`; 0 prints nothing. Raises DataError or FileFormatError for a table that cannot be used,
    ArgumentError for options.

    >>> import tarazu as tz
    >>> table = {"height": [180, 165, 171, 190] * 20, "sport": ["rowing", "dance", "dance", "rowing"] * 20}
    >>> fitted = tz.fit_table(table, target="sport", epochs=30, verbose=0)
    >>> fitted.predict({"height": [169, 188]}).tolist(), fitted.scores["test"]["accuracy"]
    (['dance', 'rowing'], 1.0)
    """
    target = str(target)  # frames may have numbers as names of columns, tables have texts
    stated = {str(name): kind for name, kind in (kinds or {}).items()}
    words = (missing,) if isinstance(missing, str) else tuple(missing)
    options = TableOptions(layer_sizes(hidden), dropout, epochs, batch_size, learning_rate, optimizer, validation, test,
                           seed, stated, words, str(split))
    with default_device(find_device(device)) if device is not None else nullcontext():
        table = as_table(data, options.missing, bar=bool(verbose))
        return _fit(table, target, options, verbose, _call(data, target, options))


def _fit(table: Table, target: str, options: TableOptions, verbose: Verbose, made_by: str) -> TableFit:
    table = table.drop_missing(target)
    split = split_table(table, target, options.validation, options.test, options.seed, options.kinds, options.order)
    encoder = TableEncoder.fit(table, target=target, rows=split.train, kinds=options.kinds)
    summary = summarize(table, encoder)
    if verbose and processes.is_first():
        print(score_text.wrapped(f"{summary}\n", score_text.terminal_width(), "  "), flush=True)
    x, y = encoder.features(table), encoder.labels(table)
    random.seed(options.seed)
    model = compiled_model(encoder, options)
    validation = (x[split.validation], y[split.validation]) if len(split.validation) else None
    history = fit(model, x[split.train], y[split.train], epochs=options.epochs, validation_data=validation,
                  verbose=verbose, batch_size=options.batch_size or usual_batch_size(len(split.train)),
                  callbacks=[EarlyStopping(patience=PATIENCE)] if validation else [])
    assessment = assess(model, encoder, table, x, y, split)
    title = f"{target} from {table.path or 'a table'}"
    return TableFit(model, encoder, summary, split, history, assessment, options, title, made_by)


def _call(data: TableLike, target: str, options: TableOptions) -> str:
    """The call from Python, as the report shows it."""
    source = repr(os.fspath(data)) if isinstance(data, str | os.PathLike) else "table"
    named = [f"target={target!r}", *(f"{name}={reprlib.repr(value)}" for name, value in options.changed().items())]
    return f"tz.fit_table({', '.join([source, *named])})"
