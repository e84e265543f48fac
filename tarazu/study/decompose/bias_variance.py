"""`bias_variance`: what the loss of a repeated fit is made of, also over epochs and over capacity."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import BarColumn, TimeRemainingColumn

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.base.messages import plural
from tarazu.data.late_bar import late_bar
from tarazu.nn.module.module import Module
from tarazu.nn.module.trainable import Inputs, Validation
from tarazu.picture.picture import Picture, written
from tarazu.picture.shown import in_notebook
from tarazu.study.curves.estimates import Estimate
from tarazu.study.decompose.chart import lines_chart
from tarazu.study.decompose.decomposition import (
    Decomposition,
    ZeroOneDecomposition,
    of_classes,
    of_probabilities,
    of_squares,
)
from tarazu.study.decompose.fits import Design, experiments_of
from tarazu.study.decompose.predictions import Reading
from tarazu.study.experiment.experiment import FEWEST_ROWS, Experiment
from tarazu.study.rows.shown import data_frame
from tarazu.train.callbacks.base import Callback

if TYPE_CHECKING:
    import pandas

Outputs = list[np.ndarray | None]  # of each round; None of rounds in which a fit diverged


@dataclass(frozen=True)
class BiasVariancePoint:
    """The decompositions of fits with one setting after one epoch; both None where there was none to choose.

    `loss` is of the squared loss or the cross-entropy, `zero_one` of the 0-1 loss; None where the model has no such.
    `rounds` is how many are in the means, `diverged` how many are left out because a fit in them diverged.

    >>> BiasVariancePoint(8, None, None, None, 0, 4).diverged
    4
    """

    setting: float | str | None
    epoch: int | None
    loss: Decomposition | None
    zero_one: ZeroOneDecomposition | None
    rounds: int
    diverged: int

    def __str__(self) -> str:
        named = [f"setting {self.setting}"] * (self.setting is not None) + [f"epoch {self.epoch}"] * bool(self.epoch)
        lines = [", ".join(named) + ":"] * bool(named)
        lines += [str(found) for found in (self.loss, self.zero_one) if found is not None]
        if self.diverged:
            lines.append(f"{plural(self.diverged, 'round')} left out, in which a fit diverged")
        return "\n".join(lines)


@dataclass(frozen=True)
class BiasVariance:
    """What `bias_variance` found: a point for each setting and epoch, from fits to `rows` rows each.

    >>> found = BiasVariance((BiasVariancePoint(None, None, None, None, 4, 0),), 50, 2, 2, False)
    >>> print(found)
    fits to 50 rows each: rounds of 2 separate parts of the training rows, 2 seeds for each
    """

    points: tuple[BiasVariancePoint, ...]
    rows: int
    parts: int
    seeds: int
    interrupted: bool

    @property
    def noise_bound(self) -> float:
        """What the noise is at most: the upper end of the lowest bias and noise of a point.

        NaN without a decomposition of the squared loss or the cross-entropy.

        >>> BiasVariance((), 50, 2, 2, False).noise_bound
        nan
        """
        found = [(point.loss.bias.mean + (point.loss.noise or 0.0), point.loss.bias.high + (point.loss.noise or 0.0))
                 for point in self.points if point.loss is not None]
        return min(found)[1] if found else float("nan")

    def to_frame(self) -> pandas.DataFrame:
        """The decompositions as a data frame of pandas, a row for each. ArgumentError without pandas.

        >>> BiasVariance((), 50, 2, 2, False).to_frame().shape
        (0, 5)
        """
        records = [{"setting": point.setting, "epoch": point.epoch, "rounds": point.rounds,
                    "diverged": point.diverged, **found.record}
                   for point in self.points for found in (point.loss, point.zero_one) if found is not None]
        names = dict.fromkeys(["setting", "epoch", "rounds", "diverged", "kind"])
        return data_frame(records, [*names | {name: None for record in records for name in record}])

    def plot(self, path: str | os.PathLike | None = None) -> Picture:
        """The terms of the loss over settings, or over epochs, as a picture, saved to `path` if given.

        With both, over the settings after the last epoch. OSError where `path` cannot be written.

        >>> BiasVariance((), 50, 2, 2, False).plot()
        <Picture: 0-1 loss and its terms>
        """
        over_settings = any(point.setting is not None for point in self.points)
        last = max((point.epoch or 0 for point in self.points), default=0)
        shown = [point for point in self.points if not over_settings or (point.epoch or 0) == last]
        places = [place if place is not None else "kept" for place in
                  (point.setting if over_settings else point.epoch for point in shown)]
        lines: dict[str, list[Estimate]] = {}
        for point in shown:
            for name, value in _terms_of(point).items():
                lines.setdefault(name, []).append(value)
        title = next((point.loss.name for point in shown if point.loss), "0-1 loss")
        drawn = {name: line for name, line in lines.items() if len(line) == len(shown)}
        x_name = "setting" if over_settings else "epoch"
        return written(lines_chart(f"{title} and its terms", x_name, places or [0], drawn), path)

    def _repr_html_(self) -> str:
        return in_notebook(self.plot().svg(), str(self))

    def __str__(self) -> str:
        lines = [f"fits to {plural(self.rows, 'row')} each: rounds of {self.parts} separate parts of the training "
                 f"rows, {plural(self.seeds, 'seed')} for each"]
        lines += ["interrupted: rounds are missing"] * self.interrupted
        lines += [text for text in map(str, self.points) if text]
        if any(point.loss is not None and point.loss.noise is None for point in self.points):
            lines.append(f"the noise is at most about {self.noise_bound:.3g}")
        return "\n".join(lines)


def bias_variance(build: Callable[..., Module] | Module, x: Inputs, y: Inputs, *, validation_data: Validation = None,
                  validation_split: float = 0.2, epochs: int, batch_size: int = 32, seed: int = 0,
                  callbacks: Sequence[Callback] = (), parts: int = 2, rounds: int = 4, seeds: int = 2,
                  settings: Sequence[float | str] = (), at_epochs: Sequence[int] = (),
                  noise: float | None = None) -> BiasVariance:
    """Bias, variance of the sample of rows and variance of the seed, of the loss on validation rows.

    In each of `rounds` the training rows are dealt into `parts` separate parts, as Yang and others (2020) do, and each
    part is fitted with `seeds` seeds of its own: so samples and seeds are independent, and the estimates of a round are
    unbiased, for fits to so few rows. Intervals are of the rounds and of the validation rows; rounds share the training
    rows, whose own chance is not in them. Models of numbers have the squared loss decomposed, those of classes and
    labels the cross-entropy and the 0-1 loss. `noise` is the loss of the best predictor, in which case the bias is
    without it.

    With `settings`, such as widths, `build` is called with each, and all are fitted to the same parts; with `at_epochs`
    losses are those after these epochs, else with the weights that the fit keeps. Rounds in which a fit diverges are
    left out and counted. Ctrl-C keeps rounds that are complete, if there are two. Same seed, same result.

    TrainingError for a `build` or a loss that does not suit, and where all settings diverge; ArgumentError, ShapeError
    or DTypeError for numbers out of range and unfit rows.

    >>> import tarazu as tz
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> found = bias_variance(lambda: tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.1), loss="mse"),
    ...                       x, x.sum(axis=1), epochs=40, rounds=2)
    >>> found.points[0].loss.seed_variance.mean < 0.01
    True
    """
    epochs = positive_int("epochs", epochs)
    design = Design(_at_least_two("rounds", rounds), _at_least_two("parts", parts), _at_least_two("seeds", seeds),
                    _checked_epochs(at_epochs, epochs), seed)
    if noise is not None and not 0 <= noise < math.inf:
        raise ArgumentError(f"noise={noise!r}", expected="a loss of at least 0",
                            fix="leave it out where it is not known")
    _require_settings_for(build, settings)
    experiments = experiments_of(build, settings, lambda make: Experiment.of(
        make, x, y, validation_data=validation_data, validation_split=validation_split, epochs=epochs,
        batch_size=batch_size, callbacks=callbacks, seed=seed))
    readings = [Reading.of(experiment.build()) for experiment in experiments]
    rows = experiments[0].train.rows // design.parts
    if rows < FEWEST_ROWS:
        raise ArgumentError(f"{design.parts} parts of {rows} rows each",
                            expected=f"at least {FEWEST_ROWS * design.parts} training rows for so many parts",
                            fix="bring more rows, or ask for fewer parts")
    outputs, interrupted = _outputs(experiments, design)
    named: list[float | str | None] = [*settings] or [None]
    y = np.asarray(experiments[0].validation.y)
    points = [_point(reading, y, [each[i][k] for each in outputs], noise, setting, epoch)
              for i, (reading, setting) in enumerate(zip(readings, named, strict=True))
              for k, epoch in enumerate(design.epochs or (None,))]
    if not any(point.rounds >= 2 for point in points):
        raise TrainingError("a decomposition of fits that diverge: fewer than 2 rounds are left",
                            expected="losses that are finite", fix="lower the learning rate, or scale the inputs")
    return BiasVariance(tuple(points), rows, design.parts, design.seeds, interrupted)


def _outputs(experiments: list[Experiment], design: Design) -> tuple[list[list[Outputs]], bool]:
    """For each complete round, for each experiment, the outputs after each epoch; and whether rounds are missing."""
    made: list[list[Outputs]] = []
    done = 0
    with late_bar("measuring", "bias and variance", design.fits * len(experiments), BarColumn(),
                  TimeRemainingColumn(compact=True)) as show:
        def count() -> None:
            nonlocal done
            done += 1
            show(done)

        try:
            rounds = [design.rounds_of(experiment, count) for experiment in experiments]
            for outputs in zip(*rounds, strict=True):
                made.append(list(outputs))  # noqa: PERF401 - an interruption keeps those that are there
        except KeyboardInterrupt:
            if len(made) < 2:
                raise
    return made, len(made) < design.rounds


def _point(reading: Reading, y: np.ndarray, outputs: Outputs, noise: float | None, setting: float | str | None,
           epoch: int | None) -> BiasVariancePoint:
    rounds = [each for each in outputs if each is not None]
    diverged = len(outputs) - len(rounds)
    if len(rounds) < 2:
        return BiasVariancePoint(setting, epoch, None, None, len(rounds), diverged)
    targets = reading.targets(y, rounds[0][0, 0])
    read = [np.stack([[reading.logits(one) for one in part] for part in each]) for each in rounds]
    if reading.is_of_numbers:
        return BiasVariancePoint(setting, epoch, of_squares(read, targets, noise), None, len(rounds), diverged)
    labels = targets.argmax(axis=-1) if targets.ndim == read[0].ndim - 2 else targets
    loss = of_probabilities(read, targets, noise) if reading.has_probabilities else None
    return BiasVariancePoint(setting, epoch, loss, of_classes([each.argmax(axis=-1) for each in read], labels),
                             len(rounds), diverged)


def _terms_of(point: BiasVariancePoint) -> dict[str, Estimate]:
    if point.loss is not None:
        found = point.loss
        return {"loss": found.loss, "bias" if found.noise is not None else "bias and noise": found.bias,
                "variance of the sample": found.sample_variance, "variance of the seed": found.seed_variance}
    if point.zero_one is None:
        return {}
    terms = point.zero_one
    return {"0-1 loss": terms.loss, "bias": terms.bias, "harmful variance": terms.harmful_variance,
            "helpful variance": terms.helpful_variance}


def _require_settings_for(build: Callable[..., Module] | Module, settings: Sequence[float | str]) -> None:
    """ArgumentError where `build` takes no setting and there are some, or the other way round."""
    if isinstance(settings, int | float | str):
        raise ArgumentError(f"settings={settings!r}", expected="several values for build", fix="pass a list of them")
    if isinstance(build, Module) or not callable(build):
        if len(settings):
            raise ArgumentError("settings for a model", expected="a function of a setting that gives a compiled model",
                                fix="pass lambda width: make_model(width)")
    elif not _takes(build, *settings[:1]):
        what = "settings for a build that takes none" if len(settings) else "a build that takes a setting, without any"
        raise ArgumentError(what, expected="the settings that build is called with, one by one",
                            fix="pass settings=[8, 64] with lambda width: make_model(width), or neither of both")


def _takes(function: Callable[..., object], *arguments: object) -> bool:
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    return True


def _at_least_two(name: str, value: int) -> int:
    if positive_int(name, value) < 2:
        raise ArgumentError(f"{name}={value}", expected="at least 2: a variance is a difference of two",
                            fix="leave it out")
    return value


def _checked_epochs(at_epochs: Sequence[int], epochs: int) -> tuple[int, ...]:
    chosen = tuple(sorted({positive_int("at_epochs", epoch) for epoch in at_epochs}))
    if chosen and chosen[-1] > epochs:
        raise ArgumentError(f"at_epochs up to {chosen[-1]} of {plural(epochs, 'epoch')}",
                            expected=f"epochs from 1 to {epochs}", fix="train longer, or ask for earlier ones")
    return chosen
