"""The fits of a decomposition: rounds, in each of which rows are dealt into parts, each fitted with several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tarazu.nn.module.module import Module
from tarazu.study.experiment.experiment import Experiment, Fitted
from tarazu.train.callbacks.base import Callback
from tarazu.train.trainer.run import Run


@dataclass(frozen=True)
class Design:
    """How many rounds, parts in each, and seeds for each part; and the epochs after which fits are looked at.

    Without epochs they are looked at when they are over, with the weights that they keep.
    """

    rounds: int
    parts: int
    seeds: int
    epochs: tuple[int, ...]
    seed: int

    @property
    def fits(self) -> int:
        """How many fits that takes."""
        return self.rounds * self.parts * self.seeds

    def round_of(self, experiment: Experiment, number: int, on_fit: Callable[[], None]) -> list[np.ndarray | None]:
        """Outputs after each of the epochs, (parts, seeds, rows, ...); None of fits of which one diverged."""
        rows = experiment.train.rows // self.parts
        order = np.random.default_rng([self.seed, number]).permutation(experiment.train.rows)
        made: list[list[np.ndarray]] = []
        for part in range(self.parts):
            chosen = experiment.train.at(np.sort(order[part * rows:(part + 1) * rows]))
            for i in range(self.seeds):
                seed = self.seed + (number * self.parts + part) * self.seeds + i  # other ones for each part
                made.append(list(self._outputs(experiment, seed, chosen)))
                on_fit()
        return [self._stacked(outputs) for outputs in zip(*made, strict=True)]

    def _outputs(self, experiment: Experiment, seed: int, chosen: Any) -> Iterator[np.ndarray]:
        snapshots = Snapshots(self.epochs)
        fitted = experiment.fit(seed=seed, train=chosen, watchers=[snapshots])
        assert fitted is not None
        for each in snapshots.of(fitted) if self.epochs else [fitted]:
            outputs = np.asarray(each.outputs(experiment.validation), np.float64)
            yield np.full_like(outputs, np.nan) if fitted.has_diverged else outputs

    def _stacked(self, outputs: Sequence[np.ndarray]) -> np.ndarray | None:
        if not all(np.isfinite(one).all() for one in outputs):
            return None
        return np.stack(outputs).reshape(self.parts, self.seeds, *outputs[0].shape)


class Snapshots(Callback):
    """Keeps the weights after some epochs."""

    def __init__(self, epochs: Sequence[int]) -> None:
        self.epochs = epochs
        self.weights: dict[int, dict[str, Any]] = {}

    def on_epoch_end(self, run: Run) -> None:
        if run.epoch in self.epochs:
            self.weights[run.epoch] = run.model.state_dict()

    def of(self, fitted: Fitted) -> list[Fitted]:
        """The fit as it was after each of the epochs; with its last weights where it had ended before."""
        return [replace(fitted, last=self.weights.get(epoch, fitted.last), keeps_best=False) for epoch in self.epochs]


def experiments_of(build: Callable[..., Module] | Module, settings: Sequence[float | str],
                   make: Callable[[Callable[[], Module] | Module], Experiment]) -> list[Experiment]:
    """An experiment for each setting, which `build` is called with; one of `build` alone without settings."""
    if isinstance(build, Module) or not settings:
        return [make(build)]
    return [make(partial(build, setting)) for setting in settings]
