"""The fit that a study repeats: how its model is made, its rows, how it is trained; and what each repetition leaves."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.base.messages import plural
from tarazu.base.pytree import map_leaves
from tarazu.data import split_rows
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.nn.module.trainable import Inputs, Validation
from tarazu.record import History
from tarazu.runtime import random
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.study.experiment.changes import Change, Rate
from tarazu.study.experiment.remake import remade
from tarazu.train.callbacks.base import Callback
from tarazu.train.callbacks.keep_best import KeepBest
from tarazu.train.calling import call, outputs_and_masks
from tarazu.train.loop import fit
from tarazu.train.sources.arrays import Arrays, joined
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.trainer.divergence import TrainingWarning
from tarazu.train.trainer.of_outputs import OutputTrainer
from tarazu.train.trainer.snapshot import keeping_random_state
from tarazu.train.trainer.trainer import modules_of

Build: TypeAlias = Callable[[], Module] | Module
FEWEST_ROWS = 10  # of training and of validation; with fewer no interval means anything
PREDICTED_ROWS = 4096  # at once
DIVERGED = 10.0  # a loss above so many trivial losses, or none at all, counts as so many


@dataclass(frozen=True)
class Experiment:
    """How a model is made and trained, on which rows: what `fit` with a seed makes a `Fitted` of.

    `train` and `validation` are rows (x, y); `callbacks` are copied for each fit.
    """

    build: Callable[[], Module]
    train: Arrays
    validation: Arrays
    epochs: int
    batch_size: int
    callbacks: tuple[Callback, ...] = ()
    keeps_best: bool = True  # whether the user's fit ends with the weights of the best epoch
    # Which rows of the user's x are those of both parts; None where validation rows are arrays of their own.
    row_numbers: tuple[np.ndarray, np.ndarray] | None = None
    _models: dict[Change | Rate | None, Module] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, build: Build, x: Inputs, y: Inputs, *, validation_data: Validation = None,
           validation_split: float = 0.2, epochs: int, batch_size: int = 32,
           callbacks: Sequence[Callback] = (), seed: int = 0) -> Experiment:
        """That of arguments as `fit` has them; without `validation_data` a share of the rows is held out by `seed`.

        TrainingError for a `build` that gives no compiled model with a loss, or one model twice; ArgumentError,
        ShapeError or DTypeError for unfit rows.
        """
        make = _checked_build(build)
        trainer = trainer_of(make())
        if not isinstance(trainer, OutputTrainer):
            raise TrainingError(f"a study of {type(trainer.model).__name__}, whose step is its own",
                                expected="a model that is compiled with a loss of its outputs",
                                fix="compile it with a loss, or measure it by tz.cross_validate")
        rows = trainer.reading.rows(x, y)
        numbers = None
        if validation_data is None:
            split = split_rows(rows.rows, validation_split, 0.0, seed, trainer.labels_of(rows))
            train, validation, numbers = rows.at(split.train), rows.at(split.validation), split[:2]
        else:
            train, validation = rows, trainer.reading.rows(*validation_data)
        for name, part in (("training", train), ("validation", validation)):
            if part.rows < FEWEST_ROWS:
                raise ArgumentError(f"a study of {plural(part.rows, f'{name} row')}",
                                    expected=f"at least {FEWEST_ROWS} of each part", fix="bring more rows")
        keepers = [callback for callback in callbacks if isinstance(callback, KeepBest)]
        return cls(make, train, validation, positive_int("epochs", epochs), positive_int("batch_size", batch_size),
                   tuple(callback for callback in callbacks if not isinstance(callback, KeepBest)),
                   all(callback._restore for callback in keepers), numbers)

    def fit(self, *, seed: int, change: Change | Rate | None = None, train: Arrays | None = None,
            validation: Arrays | None = None, epochs: int | None = None,
            watchers: Sequence[Callback] = ()) -> Fitted | None:
        """One fit, with other rows, more epochs or a changed model where that is asked; None for an impossible change.

        `watchers` are callbacks that are used as they are, and not copied. The global generator of random numbers is as
        before.
        """
        train, validation = train or self.train, validation or self.validation
        best = KeepBest(restore=False)
        with keeping_random_state(), warnings.catch_warnings():
            warnings.simplefilter("ignore", TrainingWarning)  # what diverges is reported as that
            model = self._fresh(seed, change, train)
            if model is None:
                return None
            history = fit(model, train.x, train.y, validation_data=(validation.x, validation.y), verbose=0,
                          epochs=epochs or self.epochs, batch_size=self.batch_size,
                          callbacks=[*copy.deepcopy(self.callbacks), *watchers, best])
        if history.stopped == "interrupted":
            raise KeyboardInterrupt
        last = model.state_dict()
        return Fitted(model, history, last, best._weights or last, best.epoch or len(history), self.keeps_best)

    def _fresh(self, seed: int, change: Change | Rate | None, train: Arrays) -> Module | None:
        """A model with the weights that `seed` gives it, and the state of a new optimizer.

        Where there was a model of the same change before it is that one, with other numbers in its tensors, so that its
        programs serve again.
        """
        random.seed(seed)
        model = self.build()
        if change is not None:
            random.seed(seed)
            changed = change(model)
            if changed is None:
                return None
            model = changed
        trainer = trainer_of(model)
        random.seed(seed)
        trainer.begin(train, None, self.batch_size)
        key = None if isinstance(change, Rate) and change.is_number(model) else change
        known = self._models.setdefault(key, model)
        if known is not model:
            with no_grad():
                for old, new in zip(trainer_of(known).state(), trainer.state(), strict=True):
                    old.copy_(new)
        return known

    def with_rows(self, train: Arrays, validation: Arrays | None = None) -> Experiment:
        """The same with other rows."""
        return replace(self, train=train, validation=validation or self.validation, row_numbers=None)

    @property
    def steps(self) -> int:
        """How many steps a fit takes."""
        return self.epochs * math.ceil(self.train.rows / self.batch_size)

    def epochs_for(self, rows: int) -> int:
        """So many epochs of `rows` rows have about as many steps as the experiment's fit, at least 1."""
        return max(1, round(self.steps / math.ceil(rows / self.batch_size)))


@dataclass
class Fitted:
    """A fit that is over: its model, history, and the weights of the last and of the best epoch."""

    model: Module
    history: History
    last: dict[str, Any]
    best: dict[str, Any]
    best_epoch: int
    keeps_best: bool

    @property
    def has_diverged(self) -> bool:
        """Whether it ended with a loss that is not finite."""
        return self.history.stopped == "not finite"

    def outputs(self, part: Arrays, weights: str = "kept") -> Any:
        """The outputs for the rows of `part`, with the "best", the "last" or the "kept" weights, as NumPy arrays."""
        with keeping_random_state():
            made = [outputs for outputs, _ in self._batches(part, weights)]
        return joined([Arrays.of(map_leaves(lambda x: x.numpy(), outputs)) for outputs in made]).tree

    def losses(self, part: Arrays, weights: str = "kept") -> np.ndarray:
        """The loss of each row of `part`, (rows,), float64."""
        trainer = trainer_of(self.model)
        assert isinstance(trainer, OutputTrainer)
        with keeping_random_state():
            made = zip(self._batches(part, weights), part.batches(PREDICTED_ROWS), strict=True)
            losses = [trainer.sample_losses(outputs, masks, batch) for (outputs, masks), batch in made]
        return np.concatenate(losses).astype(np.float64)

    def _batches(self, part: Arrays, weights: str) -> Iterator[tuple[Any, Any]]:
        """The outputs and their masks, batch by batch."""
        self.model.load_state_dict(self._weights(weights))
        for batch in Arrays.of(part.x).batches(PREDICTED_ROWS):
            inputs = map_leaves(asarray, batch.tree)
            with in_mode(self.model, training=False), no_grad():
                made = outputs_and_masks(partial(call, self.model, inputs))
            yield made

    def _weights(self, which: str) -> dict[str, Any]:
        if which == "kept":
            which = "best" if self.keeps_best else "last"
        return self.best if which == "best" else self.last


def _checked_build(build: Build) -> Callable[[], Module]:
    """A function that gives a fresh compiled model; TrainingError where `build` gives none, or the same one twice."""
    if isinstance(build, Module):
        trainer_of(build)
        return lambda: remade(build)
    if not callable(build):
        raise TrainingError(f"build is a {type(build).__name__}",
                            expected="a function that gives a compiled model, or one", fix="pass lambda: make_model()")
    first, second = build(), build()
    for model in (first, second):
        if not isinstance(model, Module):
            raise TrainingError(f"build() gave a {type(model).__name__}", expected="a compiled model",
                                fix="let it return model.compile(...)")
        trainer_of(model)
    shared = set(map(id, modules_of(first))) & set(map(id, modules_of(second)))
    if first is second or shared:
        raise TrainingError("build() gave the same layers twice", expected="a new model each time",
                            fix="make the layers inside the function")
    if repr(first) != repr(second):
        raise TrainingError(f"build() gave another model each time:\n{first!r}\nand\n{second!r}",
                            expected="models that differ in their weights only",
                            fix="draw nothing but weights in the function")
    return build
