"""The fits of a decomposition: rounds, in each of which rows are dealt into parts, each fitted with several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np

from tarazu.nn.module.module import Module
from tarazu.study.experiment.experiment import Experiment, Fitted
from tarazu.study.experiment.groups import Fit


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

    def rounds_of(self, experiment: Experiment, on_fit: Callable[[], None]) -> Iterator[list[np.ndarray | None]]:
        """For each round the outputs after each of the epochs, (parts, seeds, rows, ...); None where a fit diverged."""
        fitted = experiment.fit_many([fit for number in range(self.rounds)
                                      for fit in self._fits_of(number, experiment.train.rows)])
        for _ in range(self.rounds):
            made: list[list[np.ndarray]] = []
            for one in islice(fitted, self.parts * self.seeds):
                assert one is not None
                made.append(list(self._outputs(experiment, one)))
                on_fit()
            yield [self._stacked(outputs) for outputs in zip(*made, strict=True)]

    def _fits_of(self, number: int, count: int) -> Iterator[Fit]:
        """The fits of a round, to parts of so many training rows."""
        rows = count // self.parts
        order = np.random.default_rng([self.seed, number]).permutation(count)
        for part in range(self.parts):
            chosen = np.sort(order[part * rows:(part + 1) * rows])
            first = self.seed + (number * self.parts + part) * self.seeds  # other seeds for each part
            for i in range(self.seeds):
                yield Fit(first + i, rows=chosen, keep_epochs=self.epochs)

    def _outputs(self, experiment: Experiment, fitted: Fitted) -> Iterator[np.ndarray]:
        for each in map(fitted.after, self.epochs) if self.epochs else [fitted]:
            outputs = np.asarray(each.outputs(experiment.validation), np.float64)
            yield np.full_like(outputs, np.nan) if fitted.has_diverged else outputs

    def _stacked(self, outputs: Sequence[np.ndarray]) -> np.ndarray | None:
        if not all(np.isfinite(one).all() for one in outputs):
            return None
        return np.stack(outputs).reshape(self.parts, self.seeds, *outputs[0].shape)


def experiments_of(build: Callable[..., Module] | Module, settings: Sequence[float | str],
                   make: Callable[[Callable[[], Module] | Module], Experiment]) -> list[Experiment]:
    """An experiment for each setting, which `build` is called with; one of `build` alone without settings."""
    if isinstance(build, Module) or not settings:
        return [make(build)]
    return [make(partial(build, setting)) for setting in settings]
