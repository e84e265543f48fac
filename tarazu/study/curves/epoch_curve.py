"""`epoch_curve`: the loss against the epochs, where it turns, and whether it descends twice."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tarazu.nn.module.trainable import Inputs, Validation
from tarazu.picture.axis import make_axis
from tarazu.picture.picture import Picture, written
from tarazu.picture.shown import in_notebook
from tarazu.study.curves.chart import Line, curve_chart
from tarazu.study.curves.descents import SecondDescent, best_positions, second_descent
from tarazu.study.curves.estimates import COLUMNS, CurvePoint, all_diverged, notes, point_table
from tarazu.study.curves.fits import gathered, require_seeds
from tarazu.study.experiment.experiment import Build, Experiment, Fitted
from tarazu.study.experiment.groups import Fit
from tarazu.study.rows.shown import data_frame
from tarazu.train.callbacks.base import Callback
from tarazu.train.callbacks.early_stopping import EarlyStopping

if TYPE_CHECKING:
    import pandas

SHOWN = 11  # epochs in the text
DRAWN = 200  # epochs in a picture
LONG = 200  # more epochs than that have a logarithmic axis: what happens early is not seen on another


@dataclass(frozen=True)
class EpochCurve:
    """What `epoch_curve` measured: a point for each epoch, with the losses of each seed that the history recorded.

    `best` is the epoch of the lowest mean validation loss, and `as_good` has the ends of the epochs around it that
    chance tells not apart from it, paired by seeds. `double_descent` says where the validation loss falls twice, None
    where it does not. `interrupted` says that Ctrl-C left fits out.

    >>> points = CurvePoint(1, (0.5, 0.5), (0.75, 0.75), 41), CurvePoint(2, (0.25, 0.25), (0.875, 0.875), 41)
    >>> print(EpochCurve(points, 1, (1, 1), None, False))
    mean loss by epoch
      epoch              validation             training
          1     0.75 (0.75 to 0.75)     0.5 (0.5 to 0.5)
          2  0.875 (0.875 to 0.875)  0.25 (0.25 to 0.25)
    the validation loss is lowest at epoch 1 and then rises
    """

    points: tuple[CurvePoint, ...]
    best: int
    as_good: tuple[int, int]
    double_descent: SecondDescent | None
    interrupted: bool

    @property
    def turns(self) -> bool:
        """Whether the validation loss of the last epoch is above the lowest one by more than chance explains.

        >>> EpochCurve((CurvePoint(1, (0.5,), (0.75,), 41),), 1, (1, 1), None, False).turns
        False
        """
        return self.as_good[1] < len(self.points)

    def to_frame(self) -> pandas.DataFrame:
        """The points as a data frame of pandas, a row for each epoch. ArgumentError without pandas.

        >>> EpochCurve((), 1, (1, 1), None, False).to_frame().columns[0]
        'epoch'
        """
        return data_frame([{"epoch": point.value, **point.record} for point in self.points], ["epoch", *COLUMNS])

    def plot(self, path: str | os.PathLike | None = None) -> Picture:
        """The losses by epoch, with the best epoch, as a picture, saved to `path` if given.

        OSError where `path` cannot be written.

        >>> EpochCurve((CurvePoint(1, (0.5,), (0.75,), 41),), 1, (1, 1), None, False).plot()
        <Picture: loss by epoch>
        """
        count = len(self.points)
        is_long = count > LONG
        points = [self.points[epoch - 1] for epoch in _chosen(count, DRAWN)]
        epochs = [float(epoch) for epoch in _chosen(count, DRAWN)]
        ticks = _round_numbers(count) if is_long else _even_numbers(count)
        marks = {} if all_diverged(self.points) else {f"best: epoch {self.best:,}": float(self.best)}
        lines = [Line("train", epochs, [point.loss for point in points]),
                 Line("validation", epochs, [point.val_loss for point in points])]
        texts = {float(epoch): f"{epoch:,.0f}" for epoch in ticks}
        return written(curve_chart("loss", "epoch", lines, texts, logarithmic=is_long, marks=marks), path)

    def _repr_html_(self) -> str:
        return in_notebook(self.plot().svg(), str(self))

    def __str__(self) -> str:
        shown = [self.points[epoch - 1] for epoch in _chosen(len(self.points), SHOWN)]
        lines = ["mean loss by epoch", point_table("epoch", shown)]
        if not all_diverged(self.points):
            lines.append(self._turning_point())
        if self.double_descent is not None:
            lines.append(str(self.double_descent))
        return "\n".join(lines + notes(self.points[:1], self.interrupted))

    def _turning_point(self) -> str:
        first, last = self.as_good
        among = f" (epochs {first} to {last} are as good)" if first != last else ""
        then = "and then rises" if self.turns else "and does not rise behind it by more than chance explains"
        if self.best == len(self.points):
            then = "the last: it may fall further"
        return f"the validation loss is lowest at epoch {self.best}{among}{',' * (then[:3] == 'the')} {then}"


def epoch_curve(build: Build, x: Inputs, y: Inputs, *, validation_data: Validation = None,
                validation_split: float = 0.2, epochs: int, batch_size: int = 32, seeds: int = 5, seed: int = 0,
                callbacks: Sequence[Callback] = ()) -> EpochCurve:
    """The losses of both parts of the rows by epoch, one fit for each of the `seeds`, and where they turn.

    The losses are those of the histories: a training loss is the mean over the epoch's steps. An `EarlyStopping` among
    the `callbacks` is left out, as the curve is of all epochs; where another callback ends a fit, the curve has the
    epochs that all fits have. A second descent (Nakkiran and others, 2019) is looked for with at least 3 seeds. Ctrl-C
    keeps the fits that are done, once there is one. Same seed, same result.

    `build` is a function that gives a new compiled model, or a compiled model, which stays as it is. TrainingError for
    a `build` that gives no such model; ArgumentError for numbers out of their range, and fewer than 10 rows of a part.

    >>> import tarazu as tz
    >>> x = np.linspace(-1, 1, 60)[:, None]
    >>> def build():
    ...     return tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.1), loss="mse")
    >>> curve = epoch_curve(build, x, 3 * x[:, 0], epochs=4, seeds=2)
    >>> curve.best, curve.turns
    (4, False)
    """
    seeds = require_seeds(seeds)
    experiment = Experiment.of(build, x, y, validation_data=validation_data, validation_split=validation_split,
                               epochs=epochs, batch_size=batch_size, seed=seed,
                               callbacks=[one for one in callbacks if not isinstance(one, EarlyStopping)])
    parameters = [0]

    def losses_of(fitted: Fitted | None) -> np.ndarray:
        assert fitted is not None
        parameters[0] = fitted.model.count_parameters()
        if fitted.has_diverged:
            return np.full((2, epochs), np.nan)
        return np.array([(row["loss"], row["val_loss"]) for row in fitted.history], float).T

    made = experiment.fit_many([Fit(seed + number) for number in range(seeds)])
    fits, interrupted = gathered("epoch curve", seeds, map(losses_of, made))
    if not fits:
        raise KeyboardInterrupt
    return dataclasses.replace(curve_of(fits, parameters[0]), interrupted=interrupted)


def curve_of(fits: Sequence[np.ndarray], parameters: int) -> EpochCurve:
    """The curve of fits, each with the losses of both parts by epoch, (2, epochs), NaN where it diverged.

    >>> curve_of([np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 4.0]])] * 2, 41).best
    2
    """
    shortest = min(losses.shape[1] for losses in fits)
    table = np.stack([np.where(np.isfinite(losses[:, :shortest]).all(), losses[:, :shortest], np.nan)
                      for losses in fits])  # (seeds, 2, epochs)
    points = tuple(CurvePoint(i + 1, tuple(map(float, table[:, 0, i])), tuple(map(float, table[:, 1, i])), parameters)
                   for i in range(shortest))
    best, first, last = (position + 1 for position in best_positions(table[:, 1]))
    return EpochCurve(points, best, (first, last), second_descent(table[:, 1], [i + 1 for i in range(shortest)]), False)


def _chosen(count: int, most: int) -> list[int]:
    """At most `most` of `count` epochs, at equal distances, or of a long curve at equal ratios."""
    spaced = np.geomspace if count > LONG else np.linspace
    return np.unique(spaced(1, count, min(most, count)).round().astype(int)).tolist()


def _round_numbers(count: int) -> list[int]:
    """1 and 3 times powers of ten, up to `count`."""
    return [digit * 10**power for power in range(len(str(count))) for digit in (1, 3) if digit * 10**power <= count]


def _even_numbers(count: int) -> list[int]:
    """1, and round numbers at equal distances up to `count`."""
    return [1, *(int(tick) for tick in make_axis([1.0, float(count)], whole=True).ticks if 1 < tick <= count)]
