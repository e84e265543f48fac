"""`label_noise`: how many targets are wrong, which ones, and what they should be, from cross-fitted predictions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import BarColumn

from tarazu.base.checks import whole_number
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.base.messages import plural
from tarazu.data.late_bar import late_bar
from tarazu.nn.module.trainable import Inputs, Validation
from tarazu.picture.picture import Picture, written
from tarazu.picture.shown import in_notebook
from tarazu.study.experiment.experiment import Build, Experiment, Fitted
from tarazu.study.experiment.groups import Fit
from tarazu.study.rows.class_noise import WrongTargets, wrong_classes
from tarazu.study.rows.number_noise import wrong_numbers
from tarazu.study.rows.shown import bars, data_frame
from tarazu.train.callbacks.base import Callback
from tarazu.train.sources.arrays import Arrays
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.trainer.of_outputs import OutputTrainer

if TYPE_CHECKING:
    import pandas

FEWEST_ROWS = 20
FEWEST_FOLDS = 2  # that are done when a study is interrupted


@dataclass(frozen=True)
class SuspectRow:
    """A training row whose target seems wrong: its number, its target, and that which the models expect.

    `suspicion` is 0 to 1: by how much the expected class is more probable, or how probably a number is wrong.

    >>> SuspectRow(7, 1.0, 0.0, 0.9).expected
    0.0
    """

    row: int
    target: float
    expected: float
    suspicion: float


@dataclass(frozen=True)
class LabelNoise:
    """What `label_noise` found: the `rate` of wrong targets with its 90 % interval, and `suspects`, the worst first.

    `judged` of the `rows` had a prediction of a model that had not seen them, of `folds` fits; `diverged` fits gave
    none.

    >>> print(LabelNoise(0.1, 0.08, 0.13, (SuspectRow(7, 1.0, 0.0, 0.9),), 200, 200, 5, 0))
    10 % of the targets are wrong (8 to 13 %)
    the most suspicious: row 7 has 1, expected 0
    """

    rate: float
    low: float
    high: float
    suspects: tuple[SuspectRow, ...]
    rows: int
    judged: int
    folds: int
    diverged: int

    def to_frame(self) -> pandas.DataFrame:
        """The suspect rows as a data frame of pandas, the worst first. ArgumentError without pandas.

        >>> LabelNoise(0.0, 0.0, 0.02, (), 200, 200, 5, 0).to_frame().shape
        (0, 4)
        """
        return data_frame([asdict(suspect) for suspect in self.suspects], [field.name for field in fields(SuspectRow)])

    def plot(self, path: str | os.PathLike | None = None) -> Picture:
        """How suspicious the most suspicious rows are, as a picture, saved to `path` if given.

        OSError where `path` cannot be written.

        >>> LabelNoise(0.0, 0.0, 0.02, (), 200, 200, 5, 0).plot()
        <Picture: how suspicious targets are>
        """
        values = {f"row {suspect.row}: {suspect.target:.3g}, not {suspect.expected:.3g}": suspect.suspicion
                  for suspect in self.suspects}
        return written(bars("how suspicious targets are", values), path)

    def _repr_html_(self) -> str:
        return in_notebook(self.plot().svg(), str(self))

    def __str__(self) -> str:
        if not self.rate:
            lines = [f"no sign of wrong targets (at most {100 * self.high:.0f} %)"]
        else:
            lines = [f"{100 * self.rate:.0f} % of the targets are wrong ({100 * self.low:.0f} to "
                     f"{100 * self.high:.0f} %)"]
        if self.suspects:
            named = [f"row {each.row} has {each.target:.4g}, expected {each.expected:.4g}"
                     for each in self.suspects[:5]]
            lines.append("the most suspicious: " + "; ".join(named))
        if self.judged < self.rows:
            lines.append(f"judged: {self.judged:,} of {plural(self.rows, 'row')}; {plural(self.diverged, 'fit')} "
                         "diverged")
        return "\n".join(lines)


def label_noise(build: Build, x: Inputs, y: Inputs, *, validation_data: Validation = None,
                validation_split: float = 0.2, epochs: int, batch_size: int = 32, folds: int = 5, seed: int = 0,
                callbacks: Sequence[Callback] = ()) -> LabelNoise:
    """How many of the targets are wrong, which ones, and what they should be.

    The training rows are cut into `folds`; each is predicted by a model that was trained on the others, with as many
    steps as a fit of all, and the weights of its best epoch. Classes are judged by confident learning (Northcutt, Jiang
    and Chuang, 2021), and their rate by targets that are implausible to sure predictions; numbers by a mixture of right
    and wrong ones. Noise that the features explain (natural doubt) does not count; where nature errs without regard to
    the features, it counts as wrong. A poor model finds too much or nothing.

    `build` is a function that gives a fresh compiled model, or a compiled model; the rest is as for `fit`. Same seed,
    same result; after Ctrl-C the folds that are done count, if there are two. TrainingError for an unfit `build` or
    where all fits diverge, ArgumentError for fewer than 20 training rows, unfit `folds`, targets of one class or
    several outputs.

    >>> import tarazu as tz
    >>> random = np.random.default_rng(0)
    >>> x = random.normal(size=(200, 2)).astype(np.float32)
    >>> y = (x[:, 0] > 0).astype(int)
    >>> y[:20] = 1 - y[:20]
    >>> def build():
    ...     return tz.nn.Sequential([tz.nn.Dense(2)]).compile(tz.optim.Adam(lr=0.05), loss="cross_entropy")
    >>> found = label_noise(build, x, y, validation_data=(x[100:], y[100:]), epochs=10, folds=2)
    >>> 0.05 < found.rate < 0.2, len(found.suspects) > 10
    (True, True)
    """
    experiment = Experiment.of(build, x, y, validation_data=validation_data, validation_split=validation_split,
                               epochs=epochs, batch_size=batch_size, callbacks=callbacks, seed=seed)
    rows = experiment.train.rows
    if rows < FEWEST_ROWS:
        raise ArgumentError(f"label_noise of {plural(rows, 'training row')}", expected=f"at least {FEWEST_ROWS}",
                            fix="bring more rows")
    count = whole_number(f"label_noise with folds={folds!r}", folds, least=2, fix="leave it out for 5")
    classes = _classes(experiment)
    outputs, is_judged, done, diverged = _cross_fitted(experiment, _folds(rows, min(count, rows), classes, seed), seed)
    targets = np.asarray(experiment.train.y, np.float64).reshape(rows, -1)[:, 0] if classes is None else classes
    wrong = wrong_targets(outputs[is_judged], targets[is_judged])
    return LabelNoise(wrong.rate, wrong.low, wrong.high, _suspects(wrong, np.flatnonzero(is_judged), targets), rows,
                      int(is_judged.sum()), done, diverged)


def wrong_targets(outputs: np.ndarray, y: np.ndarray) -> WrongTargets:
    """The rate of wrong targets, and the suspicion against each, from outputs of models that had not seen the rows.

    `y` are class numbers (integers), and `outputs` logits, (rows, classes), or (rows, 1) of the class 1 of two; or `y`
    are floating-point numbers, and `outputs` predictions of them. ArgumentError for several columns of predictions.

    >>> outputs, y = np.repeat([[9.0, 0.0], [0.0, 9.0]], 100, axis=0), np.repeat([0, 1], 100)
    >>> wrong_targets(outputs, y).rate
    0.0
    """
    columns = np.asarray(outputs, np.float64).reshape(len(y), -1)
    if y.dtype.kind in "iub":
        return wrong_classes(probabilities(columns), y.astype(np.int64))
    if columns.shape[1] != 1:
        raise ArgumentError(f"{columns.shape[1]} outputs for numbers as targets", expected="one",
                            fix="study a model of one output at a time")
    return wrong_numbers(columns[:, 0], y)


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Those of logits (rows, classes); a single column is that of the class 1 of two.

    >>> probabilities(np.array([[0.0]])).tolist()
    [[0.5, 0.5]]
    """
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _classes(experiment: Experiment) -> np.ndarray | None:
    """The class number of each training row; None where targets are numbers."""
    trainer = trainer_of(experiment.build())
    assert isinstance(trainer, OutputTrainer)
    if not isinstance(experiment.train.y, np.ndarray):
        raise ArgumentError("label_noise of a model with several outputs", expected="one output",
                            fix="study a model of one output at a time")
    labels = trainer.labels_of(experiment.train)
    return None if labels is None else np.asarray(labels, np.int64)


def _folds(rows: int, count: int, classes: np.ndarray | None, seed: int) -> np.ndarray:
    """The number of the fold of each row; each has its share of each class."""
    order = np.random.default_rng(seed).permutation(rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    fold = np.empty(rows, np.int64)
    fold[order] = np.arange(rows) % count
    return fold


def _cross_fitted(experiment: Experiment, fold: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Outputs for each row, which rows have some, and how many fits were made and diverged."""
    count, diverged, done = int(fold.max()) + 1, 0, 0
    parts: dict[int, np.ndarray] = {}
    with late_bar("fitting", "folds", count, BarColumn()) as show:
        others = [np.flatnonzero(fold != number) for number in range(count)]
        fits = [Fit(seed + number, rows=rows, epochs=experiment.epochs_for(len(rows)))
                for number, rows in enumerate(others)]
        try:
            for number, fitted in enumerate(experiment.fit_many(fits)):
                made = _outputs_of(fitted, experiment.train.at(np.flatnonzero(fold == number)))
                done += 1
                diverged += made is None
                parts |= {} if made is None else {number: made}
                show(done)
        except KeyboardInterrupt:
            if done < FEWEST_FOLDS:
                raise
    if not parts:
        raise TrainingError("every fit of label_noise diverged", expected="a model that can be trained",
                            fix="lower the learning rate, or scale the data")
    outputs = np.zeros((len(fold), *next(iter(parts.values())).shape[1:]))
    for number, made in parts.items():
        outputs[fold == number] = made
    return outputs, np.isin(fold, list(parts)), done, diverged


def _outputs_of(fitted: Fitted | None, left_out: Arrays) -> np.ndarray | None:
    """The outputs for the rows that are left out; None where the fit of the others diverged."""
    if fitted is None or fitted.has_diverged:
        return None
    outputs = np.asarray(fitted.outputs(left_out, "best"), np.float64)
    return outputs if np.isfinite(outputs).all() else None


def _suspects(wrong: WrongTargets, numbers: np.ndarray, targets: np.ndarray) -> tuple[SuspectRow, ...]:
    """As many of the most suspicious rows as are wrong by the rate."""
    order = np.argsort(-wrong.suspicion, kind="stable")[:round(wrong.rate * len(numbers))]
    return tuple(SuspectRow(int(numbers[i]), float(targets[numbers[i]]), float(wrong.instead[i]),
                            float(wrong.suspicion[i])) for i in order if wrong.suspicion[i] > 0)
