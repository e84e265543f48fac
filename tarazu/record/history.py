"""The history of one training run: a row per epoch, measurements, verdict, and the file that holds them."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tarazu.base.errors import ArgumentError, FileFormatError
from tarazu.base.files import require_file
from tarazu.base.html import table
from tarazu.base.messages import plural
from tarazu.record.direction import better_direction
from tarazu.record.finding import Verdict
from tarazu.record.json_lines import from_line, to_line
from tarazu.record.textfile import write_text

if TYPE_CHECKING:
    from tarazu.picture.picture import Picture

FORMAT = "tarazu history 1"
NOT_METRICS = ("epoch", "seconds")
LAST_ROWS = 5  # of the table in notebooks
STOPPED = ("epochs", "early stopping", "interrupted", "not finite", "end of the stream")

_judging = threading.RLock()  # one verdict is measured at a time, as several may be of the same model

Plain: TypeAlias = float | int | str | None
Recordable: TypeAlias = Plain | np.generic | np.ndarray


class History:
    """One training run: a row per epoch, what was measured at its end, why it ended and the verdict.

    `rows` are dicts such as {"epoch": 1, "seconds": 0.12, "loss": 0.7, "val_loss": 0.8}, `measurements` is what
    `tarazu.diagnose.measure_fit` gave for the kept weights, `stopped` is one of STOPPED or None while the run goes on.
    `fit` puts measuring and judging off until one of both is asked for, for the weights that the model had at its end.
    `len`, iteration and indices are those of `rows`.

    >>> history = History()
    >>> history.append(loss=0.7, val_loss=0.8)
    >>> history.append(loss=0.5, val_loss=0.9)
    >>> history.history["val_loss"], history.best_epoch(), history[-1]["epoch"]
    ([0.8, 0.9], 1, 2)
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.stopped: str | None = None
        self._measurements: dict[str, Plain] = {}
        self._verdict: Verdict | None = None
        self._judge: Callable[[History], None] | None = None

    @property
    def measurements(self) -> dict[str, Plain]:
        """What was measured at the end of the run; measured now where it has been put off.

        >>> History().measurements
        {}
        """
        self._settle()
        return self._measurements

    @measurements.setter
    def measurements(self, values: dict[str, Plain]) -> None:
        self._measurements = values

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the run, judged now where that has been put off; None for a run without one.

        >>> History().verdict is None
        True
        """
        self._settle()
        return self._verdict

    @verdict.setter
    def verdict(self, verdict: Verdict | None) -> None:
        self._verdict = verdict

    def judge_later(self, judge: Callable[[History], None]) -> None:
        """Put measuring and judging off until `measurements` or `verdict` is asked for; `judge(history)` sets both.

        Printing, saving, copying and pickling ask for them too.

        >>> def judge(history):
        ...     print("judging")
        ...     history.verdict = Verdict("undecided", "undecided: no epochs")
        >>> history = History()
        >>> history.judge_later(judge)
        >>> history.verdict.name, history.verdict.name
        judging
        ('undecided', 'undecided')
        """
        self._judge = judge

    def revise_later(self, revise: Callable[[Verdict], Verdict]) -> None:
        """Put `revise(verdict)` in place of the verdict once it is asked for; a run without one stays without.

        >>> history = History()
        >>> history.verdict = Verdict("undecided", "undecided: no epochs")
        >>> history.revise_later(lambda verdict: Verdict("about right", "about right: looked at again"))
        >>> history.verdict.name
        'about right'
        """
        before = self._judge

        def judge(history: History) -> None:
            if before is not None:
                before(history)
            if history._verdict is not None:
                history._verdict = revise(history._verdict)

        self._judge = judge

    def _settle(self) -> None:
        """Measure and judge, where that has been put off; an error leaves it put off."""
        with _judging:
            judge, self._judge = self._judge, None
            if judge is not None:
                try:
                    judge(self)
                except BaseException:
                    self._judge = judge
                    raise

    def __getstate__(self) -> dict[str, Any]:
        self._settle()
        return vars(self).copy()

    def append(self, **row: Recordable) -> None:
        """Adds the row of one epoch; `epoch` is counted from 1 where it is not given.

        NumPy scalars become Python numbers. Raises ArgumentError for a value that is not a single number, text or None.

        >>> history = History()
        >>> history.append(loss=np.float32(0.5))
        >>> history.rows
        [{'epoch': 1, 'loss': 0.5}]
        """
        values = {name: _plain(name, value) for name, value in row.items()}
        self.rows.append({"epoch": values.pop("epoch", len(self.rows) + 1), **values})

    @property
    def history(self) -> dict[str, list[Any]]:
        """The columns of the metrics by name, each as long as there are rows, None where a row lacks the metric.

        >>> history = History()
        >>> history.append(loss=0.7)
        >>> history.append(loss=0.5, val_loss=0.8)
        >>> history.history
        {'loss': [0.7, 0.5], 'val_loss': [None, 0.8]}
        """
        names = dict.fromkeys(name for row in self.rows for name in row if name not in NOT_METRICS)
        return {name: [row.get(name) for row in self.rows] for name in names}

    def best_epoch(self, monitor: str | None = None, mode: str = "auto") -> int | None:
        """The epoch with the best value of `monitor`, the first of equals; None where no row has a finite one.

        `monitor` is "val_loss" by default, or "loss" where there is none. `mode` says whether the smallest value is the
        best ("min") or the largest ("max"); "auto" goes by the metric's name: an accuracy rises, a loss or an error
        falls. Raises ArgumentError for an unknown metric or mode, and for a name that does not tell.

        >>> history = History()
        >>> for accuracy in (0.5, 0.9, 0.8):
        ...     history.append(accuracy=accuracy)
        >>> history.best_epoch("accuracy")
        2
        """
        columns = self.history
        if monitor is None:
            monitor = "val_loss" if "val_loss" in columns else "loss"
        elif monitor not in columns:
            raise ArgumentError(f"no epoch has a metric {monitor!r}", expected=f"one of {', '.join(columns) or 'none'}",
                                fix="name a metric that the run recorded")
        sign = 1 if better_direction(monitor, mode, user="best_epoch") == "min" else -1
        ranked = [(sign * row[monitor], row["epoch"]) for row in self.rows if _is_finite(row.get(monitor))]
        return int(min(ranked)[1]) if ranked else None

    def plot(self, names: Sequence[str] | str | None = None) -> Picture:
        """The metrics over the epochs, training beside validation, with a mark at the epoch whose weights are kept.

        By default all that are numbers, without "val_", the loss first, and learning rates where they change; `names`
        chooses some, or one. ArgumentError for one that no epoch has. Nothing is measured: as long as nobody has asked
        for the verdict, the kept epoch is not known and has no mark.

        >>> history = History()
        >>> history.append(loss=0.7, val_loss=0.8)
        >>> history.append(loss=0.5, val_loss=0.9)
        >>> history.plot()
        <Picture: 2 epochs>
        """
        from tarazu.picture.picture import Picture
        from tarazu.record.charts import VALIDATION_PREFIX, metric_charts, shown_metrics

        columns = self.history
        names = [names] if isinstance(names, str) else names
        for name in names or ():
            if name not in columns and VALIDATION_PREFIX + name not in columns:
                raise ArgumentError(f"plot of {name!r}, which no epoch has",
                                    expected=f"some of {', '.join(shown_metrics(columns)) or 'none'}",
                                    fix="name metrics that the run recorded, without \"val_\"")
        charts = metric_charts(columns, [row["epoch"] for row in self.rows], None if self._judge else self.kept_epoch,
                               shown_metrics(columns) if names is None else names)
        parts = [plural(len(self), "epoch"), self._verdict.name if self._verdict else ""]
        return Picture(": ".join(filter(None, parts)), tuple(charts), columns=2)

    @property
    def kept_epoch(self) -> int | None:
        """The epoch whose weights the model has, as measured; without measurements the best one, None for no epochs.

        >>> history = History()
        >>> history.append(loss=0.7)
        >>> history.kept_epoch
        1
        """
        kept = self.measurements.get("kept_epoch") or self.best_epoch()
        return int(kept) if isinstance(kept, int | float) else None

    def _repr_html_(self) -> str:
        if not self.rows:
            return table(("epochs",), (), "no epochs")
        header = list(dict.fromkeys(name for row in self.rows[-LAST_ROWS:] for name in row))
        rows = [[_cell(row.get(name)) for name in header] for row in self.rows[-LAST_ROWS:]]
        note = self.verdict.headline if self.verdict else ""
        return self.plot()._repr_html_() + table(header, rows, note)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {value:.4g}" for name, value in (self.rows[-1] if self.rows else {}).items()
                         if name not in NOT_METRICS and isinstance(value, int | float))
        parts = [f"{len(self)} epoch{'' if len(self) == 1 else 's'}", last, self.verdict.name if self.verdict else ""]
        return f"<History: {'; '.join(part for part in parts if part)}>"

    def save(self, path: str | os.PathLike) -> Path:
        """Writes JSON lines to `path`: one row a line, then one with the measurements, why the run ended, the verdict.

        Equal runs give equal bytes but for the seconds. Raises OSError where the file cannot be written,
        FileFormatError for rows that could not be loaded again.

        >>> import tempfile
        >>> history = History()
        >>> history.append(loss=0.5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     history.save(Path(folder) / "history.jsonl").read_text().splitlines()[0]
        '{"epoch": 1, "loss": 0.5}'
        """
        end = {"format": FORMAT, "stopped": self.stopped, "measurements": self.measurements,
               "verdict": self.verdict.to_json() if self.verdict else None}
        return write_text(path, "".join(to_line(line, Path(path)) + "\n" for line in [*self.rows, end]))

    @classmethod
    def load(cls, path: str | os.PathLike) -> History:
        """The history that `save` wrote to `path`.

        Raises FileFormatError, with the line's number, where the file is damaged, OSError where it cannot be read.

        >>> import tempfile
        >>> history = History()
        >>> history.append(loss=math.nan)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     History.load(history.save(Path(folder) / "history.jsonl")).rows
        [{'epoch': 1, 'loss': nan}]
        """
        try:
            require_file(Path(path))
            lines = Path(path).read_text(encoding="utf-8").removesuffix("\n").split("\n")
        except UnicodeDecodeError as error:
            raise _damaged(path, None, "the file is not UTF-8 text") from error
        values = [_read_line(path, number, line) for number, line in enumerate(lines, 1)]
        if values[-1].get("format") != FORMAT:
            raise _damaged(path, len(lines), f"the last line is not the end of a {FORMAT!r} file")
        history = cls()
        history.rows, end = values[:-1], values[-1]
        try:
            history.stopped, history.measurements = end["stopped"], dict(end["measurements"])
            history.verdict = Verdict.from_json(end["verdict"]) if end["verdict"] else None
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise _damaged(path, len(lines), f"the last line lacks something or has it wrong: {error}") from error
        return history


def _plain(name: str, value: Recordable) -> Plain:
    """`value` as a Python number, text or None."""
    if isinstance(value, np.ndarray | np.generic) and value.ndim == 0:
        value = value.item()
    if value is None or isinstance(value, float | int | str):
        return value
    raise ArgumentError(f"the value of {name!r} is a {type(value).__name__}", expected="a single number, text or None",
                        fix="pass a Python number: float(x) or x.item()")


def _cell(value: Plain) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _read_line(path: object, number: int, line: str) -> dict[str, Any]:
    try:
        value = from_line(line)
    except ValueError as error:
        raise _damaged(path, number, f"the line is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise _damaged(path, number, "the line is not a JSON object")
    return value


def _damaged(path: object, line: int | None, problem: str) -> FileFormatError:
    return FileFormatError(problem, expected="a file that History.save wrote, whole", path=path, line=line,
                           fix="take an undamaged copy or train again; the lines above it are still readable JSON")
