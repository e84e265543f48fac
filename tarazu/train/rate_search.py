"""`find_learning_rate`: the losses of a short training whose learning rate grows, and the rates that they suggest."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.diagnose.reporting.rate_chart import rate_chart
from tarazu.nn.module.module import Module
from tarazu.nn.module.trainable import Batches, Inputs
from tarazu.optim.optimizer import Optimizer
from tarazu.picture.picture import Picture, written
from tarazu.picture.shown import in_notebook
from tarazu.runtime import random
from tarazu.runtime.trace.origins import frames_to_user
from tarazu.train.callbacks.base import Callback
from tarazu.train.loop import fit
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.trainer.divergence import TrainingWarning
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.snapshot import Snapshot, restore, snapshot
from tarazu.train.trainer.trainer import tensors_of

RISE = 4.0  # a smoothed loss so many times the lowest one ends the search, as in fastai
FEWEST_STEPS = 10
NOT_FINITE, END_OF_DATA = "the loss was not finite", "the data ended"


@dataclass(frozen=True)
class LearningRates:
    """What `find_learning_rate` found: `rates`, `losses` and `smoothed` losses, step by step, and two suggestions.

    `valley` is the rate in the middle of the fall of the loss, `steepest` the one around which it fell most;
    `suggestion` is the first. `ended` says why the search ended. Notebooks show the picture.

    >>> found = LearningRates((0.01, 0.1, 1.0), (4.0, 2.0, 1.0), (4.0, 2.0, 1.0), 0.1, 0.1, "all steps were made")
    >>> print(found)
    learning rate 0.1 (middle of the fall of the loss), 0.1 (steepest fall)
    3 steps with rates from 0.01 to 1: all steps were made
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    steepest: float
    valley: float
    ended: str

    @property
    def suggestion(self) -> float:
        """The learning rate to train with: `valley`, which noise and easy data mislead less than `steepest`.

        >>> LearningRates((0.01, 0.1), (4.0, 2.0), (4.0, 2.0), 0.01, 0.1, "").suggestion
        0.1
        """
        return self.valley

    def plot(self, path: str | os.PathLike | None = None) -> Picture:
        """The losses over the rates, and both suggestions, as a picture, saved to `path` if given.

        OSError where `path` cannot be written.

        >>> LearningRates((0.01, 0.1), (4.0, 2.0), (4.0, 2.0), 0.01, 0.1, "").plot()
        <Picture: loss by learning rate>
        """
        marks = {"valley": self.valley, "steepest": self.steepest}
        return written(rate_chart(self.rates, self.losses, self.smoothed, marks), path)

    def _repr_html_(self) -> str:
        return in_notebook(self.plot().svg(), str(self))

    def __str__(self) -> str:
        return (f"learning rate {self.valley:.2g} (middle of the fall of the loss), {self.steepest:.2g} (steepest "
                f"fall)\n{len(self.rates)} steps with rates from {self.rates[0]:.2g} to {self.rates[-1]:.2g}: "
                f"{self.ended}")


def find_learning_rate(model: Module, x: Inputs | Batches, y: Inputs | None = None, *, lowest: float = 1e-7,
                       highest: float = 10.0, steps: int = 100, smoothing: float = 0.8, batch_size: int = 32,
                       seed: int | None = None) -> LearningRates:
    """Train a compiled model for a while with a rate that grows from `lowest` to `highest`, and suggest one.

    The range test of Smith, 2017, "Cyclical learning rates": the rate is multiplied by the same number after each of
    `steps` steps, and losses are smoothed by running means of both directions, in which each weighs `smoothing` times
    the next, and a loss above those of the start counts as these. The rate half way down the fall is suggested, as by
    fastai's "valley". The test ends early where the running mean is four times the lowest one, or the loss is not
    finite. Weights, the state of the optimizer, its rate and the global generator are then as before; a layer that
    waited for its first input has its initial weights. The suggestion is for the compiled optimizer: set `optimizer.lr`
    to it, or compile with it. `x` and `y` are as for `fit`.

    TrainingError for a model that is not compiled; ArgumentError for numbers out of their range, for data that do not
    suit, where the loss is not finite from the start, and for an iterator that ends before 10 steps are made; a
    TrainingWarning for one that ends before all are.

    >>> import tarazu as tz
    >>> x = [[i / 50] for i in range(-50, 50)]
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(), loss="mse")
    >>> found = tz.train.find_learning_rate(model, x, [3 * a + 1 for [a] in x], seed=0)
    >>> 0.01 < found.suggestion < 2
    True
    """
    _require_numbers(lowest, highest, smoothing)
    count = positive_int("steps", steps)
    if count < FEWEST_STEPS:
        raise ArgumentError(f"steps={steps}", expected=f"at least {FEWEST_STEPS}", fix="pass for example steps=100")
    optimizer = _optimizer_of(model)
    weights, others = snapshot(tensors_of(model)), snapshot([random.default.state, optimizer.steps_per_epoch])
    schedule = optimizer._schedule
    search = _Search(optimizer, lowest, (highest / lowest) ** (1 / (count - 1)), count, smoothing)
    epochs = 1 if isinstance(x, Iterator) else count
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TrainingWarning)  # a loss that is not finite is what is looked for
            fit(model, x, y, epochs=epochs, batch_size=batch_size, seed=seed, callbacks=search, max_steps=count,
                verbose=0)
    except _EndOfSearch:
        pass
    finally:
        restore(search.start)
        restore(others)
        if any(handle.raw is not raw for handle, raw in weights):
            optimizer.use_evaluation_weights()
        if schedule is not None:
            optimizer.lr = schedule
    return search.result()


def _optimizer_of(model: Module) -> Optimizer:
    optimizer = trainer_of(model).optimizer
    if optimizer is None:
        raise TrainingError(f"{type(model).__name__} has no optimizer of `compile`, whose rate could be looked for",
                            expected="a compiled model", fix="set the rates of its own optimizers, and try a few")
    return optimizer


def _require_numbers(lowest: float, highest: float, smoothing: float) -> None:
    if not 0 < lowest < highest < math.inf:
        raise ArgumentError(f"lowest={lowest!r} and highest={highest!r}", expected="0 < lowest < highest",
                            fix="leave them out for 1e-7 and 10")
    if not 0 <= smoothing < 1:
        raise ArgumentError(f"smoothing={smoothing!r}", expected="a number from 0 up to but not with 1",
                            fix="leave it out for 0.8")


class _EndOfSearch(Exception):
    """Raised by the search to leave `fit` in the middle of an epoch."""


class _Search(Callback):
    """Sets the rate of each step and keeps its loss."""

    def __init__(self, optimizer: Optimizer, lowest: float, factor: float, count: int, smoothing: float) -> None:
        self.optimizer = optimizer
        self.lowest, self.factor, self.count, self.smoothing = lowest, factor, count, smoothing
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.start: Snapshot = []
        self.ended = ""
        self._lowest_mean = math.inf

    def on_fit_start(self, run: Run) -> None:
        self.start = snapshot(run.changed())
        self.optimizer.lr = self.lowest

    def on_fit_end(self, run: Run) -> None:
        if not self.ended:
            was_interrupted = run.history.stopped == "interrupted"
            self.ended = NOT_FINITE if run.failure else "interrupted" if was_interrupted else END_OF_DATA

    def on_step_end(self, run: Run) -> None:
        self.rates.append(self.lowest * self.factor ** len(self.rates))
        self.losses.append(run.loss)
        mean = running_means(self.losses, self.smoothing)[-1]
        self._lowest_mean = min(self._lowest_mean, mean)
        if len(self.losses) == self.count:
            self._end("all steps were made")
        if len(self.losses) > FEWEST_STEPS and mean > RISE * self._lowest_mean:
            self._end(f"the loss was over {RISE:g} times the lowest")
        self.optimizer.lr = self.lowest * self.factor ** len(self.rates)

    def _end(self, why: str) -> None:
        self.ended = why
        raise _EndOfSearch

    def result(self) -> LearningRates:
        """The rates, the losses and what they suggest."""
        made = len(self.losses)
        if self.ended == END_OF_DATA and made < FEWEST_STEPS:
            raise ArgumentError(f"find_learning_rate: the data ended after {made} of {self.count} batches",
                                expected=f"at least {FEWEST_STEPS} batches, better {self.count}",
                                fix="pass data that can be gone through again, such as arrays or a DataLoader, "
                                    "or an iterator with more batches")
        if self.ended == END_OF_DATA:
            warnings.warn(f"find_learning_rate: the data ended after {made} of {self.count} batches, at the rate "
                          f"{self.rates[-1]:.2g}, so higher rates were not tried; pass data that can be gone through "
                          f"again, or steps={made}", TrainingWarning, stacklevel=frames_to_user())
        if made < 2:
            raise ArgumentError(f"find_learning_rate with {made} finite losses", expected="at least two",
                                fix="pass more batches, a smaller `lowest`, or scale the data")
        losses = capped(self.losses)
        both_ways = [running_means(losses, self.smoothing), running_means(losses[::-1], self.smoothing)[::-1]]
        smoothed = np.mean(both_ways, axis=0).tolist()
        before_rise = losses[:max(2, int(np.argmin(smoothed)) + 1)]
        return LearningRates(tuple(self.rates), tuple(self.losses), tuple(smoothed),
                             self.rates[steepest_fall(before_rise)], self.rates[middle_of_fall(smoothed)], self.ended)


def capped(losses: Sequence[float]) -> list[float]:
    """The losses, none above the first one and the mean of the first quarter.

    The huge losses at the end, where training diverges, would else raise the means of those before them.

    >>> capped([4.0, 4.5, 3.0, 2.0, 90.0])
    [4.0, 4.0, 3.0, 2.0, 4.0]
    """
    top = max(losses[0], float(np.mean(losses[:max(1, len(losses) // 4)])))
    return [min(loss, top) for loss in losses]


def running_means(losses: Sequence[float], smoothing: float) -> list[float]:
    """Of each loss and those before it the mean with decaying weights.

    >>> running_means([4.0, 1.0], 0.5)
    [4.0, 2.0]
    """
    means, total, weight = [], 0.0, 0.0
    for loss in losses:
        total, weight = smoothing * total + loss, smoothing * weight + 1
        means.append(total / weight)
    return means


def steepest_fall(losses: Sequence[float]) -> int:
    """The position at which the mean of a tenth of the losses before it is most above that of as many from it on.

    >>> steepest_fall([4.0, 4.1, 3.9, 2.0, 1.0, 0.9, 9.0])
    3
    """
    width = max(2, len(losses) // 10)
    rises = [np.mean(losses[i:i + width]) - np.mean(losses[max(i - width, 0):i]) for i in range(1, len(losses))]
    return int(np.argmin(rises)) + 1


def middle_of_fall(smoothed: Sequence[float]) -> int:
    """The position half way from where the loss last was above three quarters of its fall to where it is lowest.

    The fall is from the mean of the first half of the losses before that.

    >>> middle_of_fall([5.0, 5.1, 4.9, 4.5, 3.0, 2.0, 1.0, 6.0])
    4
    """
    losses = np.array(smoothed)
    end = int(losses.argmin())
    top, bottom = losses[:end // 2 + 1].mean(), losses[end]
    begin = int(np.flatnonzero(losses[:end + 1] >= bottom + 0.75 * (top - bottom))[-1])
    return (begin + end) // 2
