"""`capacity_curve`: the loss against the width of a model, its depth, or any setting, through interpolation."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.nn.module.trainable import Inputs, Validation
from tarazu.picture.picture import Picture, written
from tarazu.picture.shown import in_notebook
from tarazu.study.curves.capacities import BuildOf, Capacity, Setting, capacities, takes_setting
from tarazu.study.curves.chart import Line, curve_chart
from tarazu.study.curves.descents import SecondDescent, best_positions, second_descent
from tarazu.study.curves.estimates import COLUMNS, CurvePoint, all_diverged, notes, point_table, value_text
from tarazu.study.curves.fits import gathered, mean_losses, require_seeds
from tarazu.study.experiment.experiment import Build, Experiment, Fitted
from tarazu.study.experiment.groups import Fit
from tarazu.study.rows.shown import data_frame
from tarazu.train.callbacks.base import Callback
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.verdict import trivial_losses

if TYPE_CHECKING:
    import pandas

# Of the loss of the best constant: a training loss up to it is nearly 0 (Nakkiran and others, 2019).
INTERPOLATED = 0.01
LOGARITHMIC = 8.0  # settings that span more than this factor have a logarithmic axis


@dataclass(frozen=True)
class CapacityCurve:
    """What `capacity_curve` measured: a point for each setting, in the order of the settings.

    `best` is the setting of the lowest mean validation loss, and `as_good` has the ends of the settings around it that
    chance tells not apart from it, paired by seeds. `threshold` is the first setting whose training loss reaches 1 % of
    that of the best constant, None where none does; `double_descent` says where the validation loss falls twice, None
    where it does not. `interrupted` says that Ctrl-C left fits out.

    >>> points = CurvePoint(1, (0.5, 0.5), (0.75, 0.75), 41), CurvePoint(2, (0.25, 0.25), (0.5, 0.25), 81)
    >>> print(CapacityCurve(points, "width", 2, (2, 2), None, None, False))
    mean loss by width
      width           validation             training
          1  0.75 (0.75 to 0.75)     0.5 (0.5 to 0.5)
          2    0.375 (0 to 1.96)  0.25 (0.25 to 0.25)
    best width: 2
    """

    points: tuple[CurvePoint, ...]
    by: str
    best: Setting
    as_good: tuple[Setting, Setting]
    threshold: Setting | None
    double_descent: SecondDescent | None
    interrupted: bool

    def to_frame(self) -> pandas.DataFrame:
        """The points as a data frame of pandas, a row for each setting. ArgumentError without pandas.

        >>> CapacityCurve((), "width", 1, (1, 1), None, None, False).to_frame().columns[0]
        'width'
        """
        return data_frame([{self.by: point.value, **point.record} for point in self.points], [self.by, *COLUMNS])

    def plot(self, path: str | os.PathLike | None = None) -> Picture:
        """The losses by setting, with the best and the threshold, as a picture, saved to `path` if given.

        OSError where `path` cannot be written.

        >>> point = CurvePoint(1, (0.5,), (0.75,), 41)
        >>> CapacityCurve((point,), "width", 1, (1, 1), None, None, False).plot()
        <Picture: loss by width>
        """
        settings = [point.value for point in self.points]
        numbers = [float(value) for value in settings if isinstance(value, int | float)]
        has_numbers = len(numbers) == len(settings)
        positions = numbers if has_numbers else [float(i) for i in range(len(settings))]
        logarithmic = has_numbers and min(numbers) > 0 and max(numbers) / min(numbers) > LOGARITHMIC
        at = dict(zip(settings, positions, strict=True))
        marks = {} if all_diverged(self.points) else {f"best: {value_text(self.best)}": at[self.best]}
        if self.threshold is not None:
            marks["training loss near 0"] = at[self.threshold]
        lines = [Line("train", positions, [point.loss for point in self.points]),
                 Line("validation", positions, [point.val_loss for point in self.points])]
        ticks = dict(zip(positions, map(value_text, settings), strict=True))
        return written(curve_chart("loss", self.by, lines, ticks, logarithmic=logarithmic, marks=marks), path)

    def _repr_html_(self) -> str:
        return in_notebook(self.plot().svg(), str(self))

    def __str__(self) -> str:
        first, last = map(value_text, self.as_good)
        among = f" ({first} to {last} are as good)" if first != last else ""
        lines = [f"mean loss by {self.by}", point_table(self.by, self.points)]
        if not all_diverged(self.points):
            lines.append(f"best {self.by}: {value_text(self.best)}{among}")
        if self.threshold is not None:
            lines.append(f"the training loss is nearly 0 from {self.by} {value_text(self.threshold)} on")
        if self.double_descent is not None:
            lines.append(str(self.double_descent))
        return "\n".join(lines + notes(self.points, self.interrupted))


def capacity_curve(build: Build | BuildOf, x: Inputs, y: Inputs, *, settings: Sequence[Setting] | None = None,
                   by: str = "width", validation_data: Validation = None, validation_split: float = 0.2, epochs: int,
                   batch_size: int = 32, seeds: int = 3, weights: str = "kept", seed: int = 0,
                   callbacks: Sequence[Callback] = ()) -> CapacityCurve:
    """The losses of both parts of the rows against the capacity of the model, with several seeds for each setting.

    A `build` without arguments, or a compiled model, is made with hidden layers of 1/8 to 8 times their width, or `by`
    "depth" with 0 to 3 more of them; `settings` are other factors, or numbers of layers more. A `build` of one argument
    is called with each of the `settings`, whatever they are, and `by` is their name. `weights` are those that a fit
    keeps, which are of its best epoch by default, the "best" or the "last": a peak of the validation loss where the
    training loss reaches 0 (Belkin and others, 2019) shows with the last. Ctrl-C keeps the fits that are done, once
    each setting has one. Same seed, same result.

    TrainingError for a `build` that gives no compiled model, or one model twice; ArgumentError for numbers out of their
    range, too few rows, and a model without hidden layers that can be changed.

    >>> import tarazu as tz
    >>> x = np.linspace(-1, 1, 60)[:, None]
    >>> def build(units):
    ...     return tz.nn.Sequential([tz.nn.Dense(units, "tanh"), tz.nn.Dense(1)]).compile("adam", loss="mse")
    >>> curve = capacity_curve(build, x, np.sin(3 * x[:, 0]), settings=[1, 8], by="units", epochs=3, seeds=2)
    >>> [(point.value, point.parameters) for point in curve.points]
    [(1, 4), (8, 25)]
    """
    seeds = require_seeds(seeds)
    if weights not in ("kept", "best", "last"):
        raise ArgumentError(f"weights={weights!r}", expected='"kept", "best" or "last"',
                            fix='leave it out for "kept"')

    def experiment(made: Build) -> Experiment:
        return Experiment.of(made, x, y, validation_data=validation_data, validation_split=validation_split,
                             epochs=epochs, batch_size=batch_size, callbacks=callbacks, seed=seed)

    if takes_setting(build):
        of_settings = [Capacity(setting, experiment(_with_setting(build, setting)), None) for setting in settings or ()]
    else:
        of_settings = capacities(experiment(cast(Build, build)), settings, by)
    if len(of_settings) < 2:
        raise ArgumentError(f"capacity_curve with settings={settings!r}", expected="at least two settings",
                            fix="pass settings=[...], the values that build takes")
    return _measured(of_settings, by, seeds, weights, seed)


def _with_setting(build: BuildOf, setting: Setting) -> Build:
    return lambda: build(setting)


def _measured(of_settings: list[Capacity], by: str, seeds: int, weights: str, seed: int) -> CapacityCurve:
    parameters: dict[int, int] = {}

    def losses_of(i: int, fitted: Fitted | None) -> tuple[float, float, float]:
        experiment = of_settings[i].experiment
        assert fitted is not None
        parameters[i] = fitted.model.count_parameters()
        last = math.nan if fitted.has_diverged else float(fitted.losses(experiment.train, "last").mean())
        return (*mean_losses(fitted, experiment.train, experiment.validation, weights), last)

    count = len(of_settings)
    fits = [one.experiment.fit_many([Fit(seed + number, one.change) for number in range(seeds)]) for one in of_settings]
    made = (losses_of(i, next(fits[i])) for _ in range(seeds) for i in range(count))
    losses, interrupted = gathered("capacity curve", seeds * count, made)
    if len(losses) < count:
        raise KeyboardInterrupt
    names = [capacity.setting for capacity in of_settings]
    points = tuple(CurvePoint(name, tuple(found[0] for found in losses[i::count]),
                              tuple(found[1] for found in losses[i::count]), parameters[i])
                   for i, name in enumerate(names))
    whole = losses[:len(losses) // count * count]
    table = np.array([found[1] for found in whole]).reshape(-1, count)
    best, first, last = best_positions(table)
    ends = [float(np.mean([found[2] for found in losses[i::count] if math.isfinite(found[2])] or [math.nan]))
            for i in range(count)]
    return CapacityCurve(points, by, names[best], (names[first], names[last]),
                         _threshold(of_settings[0].experiment, names, ends),
                         second_descent(table, list(names)), interrupted)


def _threshold(experiment: Experiment, settings: list[Setting], losses: list[float]) -> Setting | None:
    """The first setting with a training loss of nearly 0; None where there is none, or no best constant is known."""
    trivial = trivial_losses(trainer_of(experiment.build()), experiment.train, experiment.train)
    bound = -math.inf if trivial is None else INTERPOLATED * float(trivial.mean())
    return next((setting for setting, loss in zip(settings, losses, strict=True) if loss <= bound), None)
