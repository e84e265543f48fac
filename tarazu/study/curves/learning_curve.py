"""`learning_curve`: the loss against the number of training rows, and what more rows would give."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import plural
from tarazu.nn.module.trainable import Inputs, Validation
from tarazu.picture.picture import Picture, written
from tarazu.picture.shown import in_notebook
from tarazu.study.curves.chart import Line, curve_chart
from tarazu.study.curves.estimates import COLUMNS, CurvePoint, Estimate, notes, point_table
from tarazu.study.curves.fits import gathered, mean_losses, require_seeds
from tarazu.study.curves.power_law import FEWEST_SIZES, Extrapolation, PowerLaw, extrapolation
from tarazu.study.experiment.experiment import FEWEST_ROWS, Build, Experiment, Fitted
from tarazu.study.experiment.groups import Fit
from tarazu.study.rows.shown import data_frame
from tarazu.train.callbacks.base import Callback

if TYPE_CHECKING:
    import pandas

Steps = Literal["same", "epochs"]
DOUBLINGS = 4  # the smallest part is a sixteenth
CARRIED = (2, 4)  # so many times the rows: the curve is carried on to them

OTHER_FORMS = {
    "not falling": "not a power law: the loss does not fall with the number of rows, so more of them promise nothing",
    "peaking": "not a power law: the loss rises somewhere with the number of rows; it cannot be carried on",
    "misfit": "not a power law: the loss falls in another form; it cannot be carried on",
    "undecided": "no power law fitted: too few fits are done or have a finite loss",
}


@dataclass(frozen=True)
class LearningCurve:
    """What `learning_curve` measured: a point for each number of rows, and the law that the validation losses follow.

    `kind` is "power law", "not falling", "peaking", "misfit", or "undecided" where too few fits are done or have a
    finite loss; `law` is the best power law of any of them, None for the last. `interrupted` says that Ctrl-C left
    fits out.

    >>> point = CurvePoint(80, (0.5,), (0.75,), 41)
    >>> print(LearningCurve((point,), "undecided", None, "same", False))
    mean loss by training rows (as many steps for all)
      rows  validation  training
        80        0.75       0.5
    no power law fitted: too few fits are done or have a finite loss
    """

    points: tuple[CurvePoint, ...]
    kind: str
    law: PowerLaw | None
    steps: Steps
    interrupted: bool
    _extrapolation: Extrapolation | None = field(default=None, repr=False, compare=False)

    @property
    def rows(self) -> tuple[int, ...]:
        """The numbers of training rows, which rise.

        >>> LearningCurve((CurvePoint(80, (0.5,), (0.75,), 41),), "undecided", None, "same", False).rows
        (80,)
        """
        return tuple(int(str(point.value)) for point in self.points)

    def predict(self, rows: float) -> Estimate:
        """The validation loss that so many training rows would give, with its 95 % interval.

        ArgumentError for a curve that follows no power law, and for fewer rows than the smallest part had.

        >>> law, point = PowerLaw(0.25, 4.0, 0.5), CurvePoint(64, (0.5,), (0.75,), 41)
        >>> found = Extrapolation("power law", law, np.array([law]))
        >>> print(LearningCurve((point,), "power law", law, "same", False, found).predict(256))
        0.5 (0.5 to 0.5)
        """
        if self.kind != "power law" or self._extrapolation is None:
            raise ArgumentError(f"predict({rows!r}) of a curve that is {self.kind}",
                                expected="one that follows a power law", fix="look at its points")
        if not rows >= self.rows[0]:
            raise ArgumentError(f"predict({rows!r}) of a curve from {plural(self.rows[0], 'row')} on",
                                expected="at least so many rows", fix="measure fewer rows by `sizes`")
        return self._extrapolation.at(rows)

    def to_frame(self) -> pandas.DataFrame:
        """The points as a data frame of pandas, a row for each number of training rows. ArgumentError without pandas.

        >>> LearningCurve((), "undecided", None, "same", False).to_frame().shape
        (0, 10)
        """
        return data_frame([{"rows": rows, **point.record} for rows, point in zip(self.rows, self.points, strict=True)],
                          ["rows", *COLUMNS])

    def plot(self, path: str | os.PathLike | None = None) -> Picture:
        """The losses by training rows and the law to four times as many as a picture, saved to `path` if given.

        OSError where `path` cannot be written.

        >>> point = CurvePoint(80, (0.5,), (0.75,), 41)
        >>> LearningCurve((point,), "undecided", None, "same", False).plot()
        <Picture: loss by training rows (logarithmic axis)>
        """
        ticks = {float(rows): f"{rows:,}" for rows in self.rows}
        lines = [Line("train", list(ticks), [point.loss for point in self.points]),
                 Line("validation", list(ticks), [point.val_loss for point in self.points])]
        if self.kind == "power law" and self._extrapolation is not None:
            ticks |= {float(self.rows[-1] * times): f"{self.rows[-1] * times:,}" for times in CARRIED}
            along = np.geomspace(self.rows[0], self.rows[-1] * CARRIED[-1], 40)
            lines.append(Line("validation", along.tolist(), [self._extrapolation.at(rows) for rows in along], True))
        return written(curve_chart("loss", "training rows", lines, ticks, logarithmic=True), path)

    def _repr_html_(self) -> str:
        return in_notebook(self.plot().svg(), str(self))

    def __str__(self) -> str:
        how = "as many steps for all" if self.steps == "same" else "as many epochs for all"
        return "\n".join([f"mean loss by training rows ({how})", point_table("rows", self.points), *self._said()])

    def _said(self) -> list[str]:
        lines = []
        if self.kind == "power law":
            lines.append(f"power law: loss = {self.law}")
            for times in CARRIED:
                found = self.predict(times * self.rows[-1])
                lines.append(f"{times} x the rows: {found.mean:.3g}, {found.low:.3g} to {found.high:.3g}")
        else:
            lines.append(OTHER_FORMS[self.kind])
        if self.kind == "misfit" and self.steps == "epochs":
            lines.append('fits on fewer rows also take fewer steps: steps="same" tells the two apart')
        return lines + notes(self.points, self.interrupted)


class _Part(NamedTuple):
    """A fit to make: which size, of so many rows, which draw."""

    number: int
    size: int
    draw: int


def learning_curve(build: Build, x: Inputs, y: Inputs, *, validation_data: Validation = None,
                   validation_split: float = 0.2, epochs: int, batch_size: int = 32,
                   sizes: Sequence[float] | None = None, draws: int = 4, steps: Steps = "same", seed: int = 0,
                   callbacks: Sequence[Callback] = ()) -> LearningCurve:
    """The loss of the same validation rows after training on fewer rows, and what more rows would give.

    The model is trained anew on parts of the training rows, `draws` times on each of the `sizes`, which are numbers of
    rows or, as floats up to 1, shares of them: n/16, n/8, n/4, n/2 and all n by default, without those below 10 rows.
    Parts of one size are disjoint while there are rows. A power law, c + a n^-b, is fitted to the mean losses by
    weighted least squares, and tells the loss of more rows with an interval; whether the curve has that form is tested.
    With `steps` "same" each fit takes as many steps as that of all rows, so that only rows differ; with "epochs" as
    many epochs.

    `build` is a function that gives a new compiled model, or a compiled model, which stays as it is. Ctrl-C keeps the
    fits that are done, once each size has one. Same seed, same result. TrainingError for a `build` that gives no such
    model; ArgumentError for numbers out of their range and for too few rows: by default it takes 80 training rows.

    >>> import tarazu as tz
    >>> x = np.linspace(-1, 1, 100)[:, None]
    >>> def build():
    ...     return tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.1), loss="mse")
    >>> curve = learning_curve(build, x, 3 * x[:, 0], epochs=2, draws=2)
    >>> curve.rows, curve.points[0].val_loss.mean < 3
    ((10, 20, 40, 80), True)
    """
    if steps not in ("same", "epochs"):
        raise ArgumentError(f"steps={steps!r}", expected='"same" or "epochs"', fix='leave it out for "same"')
    draws = require_seeds(draws, "draws")
    experiment = Experiment.of(build, x, y, validation_data=validation_data, validation_split=validation_split,
                               epochs=epochs, batch_size=batch_size, callbacks=callbacks, seed=seed)
    rows = experiment.train.rows
    counts = _counts(sizes, rows)
    parts = [_Part(i, size, draw) for draw in range(draws) for i, size in enumerate(counts)]
    parameters = [0]

    fits = [Fit(seed + part.draw, rows=part_of_rows(rows, part.size, part.draw, seed),
                epochs=experiment.epochs_for(part.size) if steps == "same" else None) for part in parts]

    def losses_of(one: Fit, fitted: Fitted | None) -> tuple[float, float]:
        assert fitted is not None and one.rows is not None
        parameters[0] = fitted.model.count_parameters()
        return mean_losses(fitted, experiment.train.at(one.rows), experiment.validation)

    losses, interrupted = gathered("learning curve", len(fits), map(losses_of, fits, experiment.fit_many(fits)))
    if len(losses) < len(counts):
        raise KeyboardInterrupt
    of_size = [losses[i::len(counts)] for i in range(len(counts))]
    points = tuple(CurvePoint(size, tuple(own for own, _ in pairs), tuple(other for _, other in pairs), parameters[0])
                   for size, pairs in zip(counts, of_size, strict=True))
    found = extrapolation(counts, [point.val_losses for point in points], np.random.default_rng(seed))
    return LearningCurve(points, found.kind, found.law, steps, interrupted, found)


def part_of_rows(rows: int, size: int, draw: int, seed: int) -> np.ndarray:
    """The numbers of the rows of a part: disjoint ones of one order of the rows while there are any, then of another.

    >>> first, second = (part_of_rows(10, 5, draw, seed=0) for draw in range(2))
    >>> sorted([*first.tolist(), *second.tolist()])
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    round_, number = divmod(draw, rows // size)
    return np.random.default_rng([seed, round_]).permutation(rows)[number * size:(number + 1) * size]


def _counts(sizes: Sequence[float] | None, rows: int) -> list[int]:
    """The numbers of rows of the parts; ArgumentError where they are too few, or out of range."""
    fewest = FEWEST_ROWS * 2 ** (FEWEST_SIZES - 1)
    if sizes is None:
        if rows < fewest:
            raise ArgumentError(f"learning_curve of {plural(rows, 'training row')}",
                                expected=f"at least {fewest}: {FEWEST_SIZES} parts, each of twice the rows, from "
                                         f"{FEWEST_ROWS} on", fix="bring more rows, or hold fewer out")
        return [count for count in (rows // 2**i for i in range(DOUBLINGS, -1, -1)) if count >= FEWEST_ROWS]
    counts = sorted({int(size) if size > 1 or isinstance(size, int) else round(size * rows) for size in sizes})
    if len(counts) < FEWEST_SIZES or counts[0] < FEWEST_ROWS or counts[-1] > rows:
        raise ArgumentError(f"sizes={list(sizes)!r} of {plural(rows, 'training row')}",
                            expected=f"at least {FEWEST_SIZES} numbers of rows, from {FEWEST_ROWS} to {rows}, or "
                                     "shares of them", fix="leave it out for n/16, n/8, n/4, n/2 and n")
    return counts
