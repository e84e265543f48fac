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
from tarazu.base.errors import ArgumentError, TraceError, TrainingError
from tarazu.base.messages import plural
from tarazu.base.pytree import map_leaves
from tarazu.data import split_rows
from tarazu.nn.layers.sequential import Sequential
from tarazu.nn.losses import traits
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.nn.module.trainable import Inputs, Validation
from tarazu.record import History
from tarazu.runtime import random
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.study.experiment.changes import Change, Rate
from tarazu.study.experiment.groups import Fit, groups_of
from tarazu.study.experiment.remake import remade
from tarazu.study.experiment.targets import require_different_targets
from tarazu.train.callbacks.base import Callback
from tarazu.train.callbacks.keep_best import KeepBest
from tarazu.train.calling import call, outputs_and_masks
from tarazu.train.loop import fit
from tarazu.train.replicas.cost import has_small_steps, is_known_kind
from tarazu.train.replicas.fits import fit_replicas
from tarazu.train.replicas.training import ReplicaTrainer, ready
from tarazu.train.sources.arrays import Arrays, joined
from tarazu.train.sources.inputs import validation_rows
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.trainer.divergence import TrainingWarning
from tarazu.train.trainer.of_outputs import OutputTrainer
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.snapshot import keeping_random_state
from tarazu.train.trainer.trainer import Trainer, modules_of

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
    _replicas: dict[tuple[Change | Rate | None, int], ReplicaTrainer | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, build: Build, x: Inputs, y: Inputs, *, validation_data: Validation = None,
           validation_split: float = 0.2, epochs: int, batch_size: int = 32,
           callbacks: Sequence[Callback] = (), seed: int = 0) -> Experiment:
        """That of arguments as `fit` has them; without `validation_data` a share of the rows is held out by `seed`.

        TrainingError for a `build` that gives no compiled model with a loss, or one model twice; ArgumentError,
        ShapeError or DTypeError for unfit rows.
        """
        with keeping_random_state():
            make = _checked_build(build)
            trainer = trainer_of(make())
        if not isinstance(trainer, OutputTrainer):
            raise TrainingError(f"a study of {type(trainer.model).__name__}, whose step is its own",
                                expected="a model that is compiled with a loss of its outputs",
                                fix="compile it with a loss, or measure it by tz.cross_validate")
        rows = _with_numbers(trainer, trainer.reading.rows(x, y))
        numbers = None
        if validation_data is None:
            split = split_rows(rows.rows, validation_split, 0.0, seed, trainer.labels_of(rows))
            train, validation, numbers = rows.at(split.train), rows.at(split.validation), split[:2]
        else:
            train, validation = rows, _with_numbers(trainer, validation_rows(validation_data, rows, trainer.reading))
        for name, part in (("training", train), ("validation", validation)):
            if part.rows < FEWEST_ROWS:
                raise ArgumentError(f"a study of {plural(part.rows, f'{name} row')}",
                                    expected=f"at least {FEWEST_ROWS} of each part", fix="bring more rows")
            require_different_targets(part, name)
        keepers = [callback for callback in callbacks if isinstance(callback, KeepBest)]
        return cls(make, train, validation, positive_int("epochs", epochs), positive_int("batch_size", batch_size),
                   tuple(callback for callback in callbacks if not isinstance(callback, KeepBest)),
                   all(callback._restore for callback in keepers), numbers)

    def fit(self, *, seed: int, change: Change | Rate | None = None, train: Arrays | None = None,
            validation: Arrays | None = None, epochs: int | None = None,
            keep_epochs: Sequence[int] = (), watchers: Sequence[Callback] = ()) -> Fitted | None:
        """One fit, with other rows, more epochs or a changed model where that is asked; None for an impossible change.

        `train` may have weights of its rows: (x, y, weight). The weights after `keep_epochs` are kept, too.
        `watchers` are callbacks that are used as they are, and not copied. The global generator of random numbers is as
        before.
        """
        train, validation = train or self.train, validation or self.validation
        best, kept = KeepBest(restore=False), _KeepEpochs(keep_epochs)
        with keeping_random_state(), warnings.catch_warnings():
            warnings.simplefilter("ignore", TrainingWarning)  # what diverges is reported as that
            model = self._fresh(seed, change, train)
            if model is None:
                return None
            history = fit(model, train.x, train.y, validation_data=(validation.x, validation.y), verbose=0,
                          epochs=epochs or self.epochs, batch_size=self.batch_size, sample_weight=train.weight,
                          callbacks=[*copy.deepcopy(self.callbacks), *watchers, kept, best])
        if history.stopped == "interrupted":
            raise KeyboardInterrupt
        last = model.state_dict()
        return Fitted(model, history, last, best._weights or last, best.epoch or len(history), self.keeps_best,
                      kept.weights)

    def fit_many(self, fits: Sequence[Fit]) -> Iterator[Fitted | None]:
        """Several fits, in their order, each as `fit` makes it; those that are made together are made at the first one.

        Where that is faster, small models that differ in seed and rows alone train as replicas of one program: on the
        native backend, without callbacks, with equally many rows and epochs. They give what they give alone, to
        rounding and mostly to the bit, but their histories have no verdict; TARAZU_REPLICAS=off makes all one after
        another. A fit that diverges is made again by itself and spoils no other.
        """
        made: dict[int, Fitted | None] = {}
        groups = {} if self.callbacks else {group[0]: group for group in groups_of(fits, self.train, self.epochs)}
        for i, one in enumerate(fits):
            group = groups.get(i, [i])
            if len(group) > 1:
                made |= zip(group, self._made_together([fits[j] for j in group]), strict=True)
            yield made.pop(i, None) or self.fit(seed=one.seed, change=one.change, train=self._rows_of(one),
                                                epochs=one.epochs, keep_epochs=one.keep_epochs)

    def _rows_of(self, one: Fit) -> Arrays:
        return self.train if one.rows is None else self.train.at(one.rows)

    def _made_together(self, fits: Sequence[Fit]) -> list[Fitted | None]:
        """The fits as replicas; None for each that has to be made by itself."""
        alone: list[Fitted | None] = [None] * len(fits)
        with keeping_random_state(), warnings.catch_warnings():
            warnings.simplefilter("ignore", TrainingWarning)
            trainer = self._replicas_of(fits)
            if trainer is None:
                return alone
            try:
                made = fit_replicas(trainer, list(map(self._rows_of, fits)), self.validation, self.batch_size,
                                    fits[0].epochs or self.epochs, fits[0].keep_epochs)
            except TraceError:
                self._replicas[fits[0].change, len(fits)] = None
                return alone
        model = trainer.trainer.model
        return [one if one is None else Fitted(model, one.history, one.last, one.best or one.last, one.best_epoch
                                               or len(one.history), self.keeps_best, one.of_epochs) for one in made]

    def _replicas_of(self, fits: Sequence[Fit]) -> ReplicaTrainer | None:
        """Replicas that are ready to be trained; None for models that train one after another."""
        left = iter(fits)

        def make() -> Trainer:
            one = next(left)
            model = self._begun(one.seed, one.change, self._rows_of(one))
            assert model is not None
            return ready(trainer_of(model), self._rows_of(one), self.batch_size)

        key, seeds = (fits[0].change, len(fits)), [one.seed for one in fits]
        if key not in self._replicas:
            self._replicas[key] = ReplicaTrainer(make, seeds) if self._can_be_replicas(fits[0]) else None
        elif (known := self._replicas[key]) is not None:
            known.restart(make, seeds)
        return self._replicas[key]

    def _can_be_replicas(self, one: Fit) -> bool:
        """Whether replicas of a model are known to give what each gives alone, and to be faster."""
        train = self._rows_of(one)
        model = self._begun(one.seed, one.change, train)
        if model is None or not is_known_kind(trainer := trainer_of(model)):
            return False
        trainer.begin(train, self.validation, self.batch_size)  # which checks both
        return has_small_steps(trainer, train, min(self.batch_size, train.rows))

    def _begun(self, seed: int, change: Change | Rate | None, train: Arrays) -> Module | None:
        """A model with the weights that `seed` gives it, and the state of a new optimizer."""
        random.seed(seed)
        model = self.build()
        if change is not None:
            random.seed(seed)
            changed = change(model)
            if changed is None:
                return None
            model = changed
        random.seed(seed)
        trainer_of(model).begin(train, None, self.batch_size)
        return model

    def _fresh(self, seed: int, change: Change | Rate | None, train: Arrays) -> Module | None:
        """What `_begun` gives.

        Where there was a model of the same change before it is that one, with other numbers in its tensors, so that its
        programs serve again.
        """
        model = self._begun(seed, change, train)
        if model is None:
            return None
        trainer = trainer_of(model)
        key = None if isinstance(change, Rate) and change.is_number(model) else change
        known = self._models.setdefault(key, model)
        if known is not model:
            trainer_of(known).use_training_weights()
            with no_grad():
                for old, new in zip(trainer_of(known).state(), trainer.state(), strict=True):
                    old.copy_(new)
        return known

    def with_rows(self, train: Arrays, validation: Arrays | None = None) -> Experiment:
        """The same with other rows."""
        return replace(self, train=train, validation=validation or self.validation, row_numbers=None)

    @property
    def is_sequential(self) -> bool:
        """Whether its model is a `Sequential`, whose layers changes know how to change."""
        with keeping_random_state():
            return isinstance(self.build(), Sequential)

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
    of_epochs: dict[int, dict[str, Any]] = field(default_factory=dict)  # the weights after epochs that were to be kept

    def after(self, epoch: int) -> Fitted:
        """The fit as it was after one of `keep_epochs`; with its last weights where it had ended before."""
        return replace(self, last=self.of_epochs.get(epoch, self.last), keeps_best=False)

    @property
    def has_diverged(self) -> bool:
        """Whether it ended with a loss that is not finite."""
        return self.history.stopped == "not finite"

    def outputs(self, part: Arrays, weights: str = "kept") -> Any:
        """The outputs for the rows of `part`, with the "best", the "last" or the "kept" weights, as NumPy arrays."""
        self.model.load_state_dict(self._weights(weights))
        with keeping_random_state():
            made = [outputs for outputs, _ in _batches(self.model, part)]
        return joined([Arrays.of(map_leaves(lambda x: x.numpy(), outputs)) for outputs in made]).tree

    def losses(self, part: Arrays, weights: str = "kept") -> np.ndarray:
        """The loss of each row of `part`, (rows,), float64."""
        self.model.load_state_dict(self._weights(weights))
        return losses_of_rows(self.model, part)

    def _weights(self, which: str) -> dict[str, Any]:
        if which == "kept":
            which = "best" if self.keeps_best else "last"
        return self.best if which == "best" else self.last


class _KeepEpochs(Callback):
    """Keeps the weights after some epochs."""

    def __init__(self, epochs: Sequence[int]) -> None:
        self._epochs = epochs
        self.weights: dict[int, dict[str, Any]] = {}

    def on_epoch_end(self, run: Run) -> None:
        if run.epoch in self._epochs:
            self.weights[run.epoch] = run.model.state_dict()


def losses_of_rows(model: Module, part: Arrays) -> np.ndarray:
    """The loss of each row of `part`, (rows,), float64, with the weights that a compiled model has."""
    trainer = trainer_of(model)
    assert isinstance(trainer, OutputTrainer)
    with keeping_random_state():
        made = zip(_batches(model, part), part.batches(PREDICTED_ROWS), strict=True)
        losses = [trainer.sample_losses(outputs, masks, batch) for (outputs, masks), batch in made]
    return np.concatenate(losses).astype(np.float64)


def _batches(model: Module, part: Arrays) -> Iterator[tuple[Any, Any]]:
    """The outputs and their masks, batch by batch."""
    for batch in Arrays.of(part.x).batches(PREDICTED_ROWS):
        inputs = map_leaves(asarray, batch.tree)
        with in_mode(model, training=False), no_grad():
            made = outputs_and_masks(partial(call, model, inputs))
        yield made


def _with_numbers(trainer: OutputTrainer, rows: Arrays) -> Arrays:
    """The rows with whole-number targets of a loss of numbers as float32: they are no classes."""
    is_of_numbers = all(traits(output.loss).target == "numbers" for output in trainer.outputs)
    if not is_of_numbers or not isinstance(rows.y, np.ndarray) or rows.y.dtype.kind not in "iu":
        return rows
    return Arrays.of((rows.x, rows.y.astype(np.float32)))


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
