"""A compiled model and its optimizers as replicas of one program, which trains and predicts for all at once.

Each replica takes batches of its own rows, so batch statistics, dropout and the order of rows are those that it would
have alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.base.pytree import map_leaves
from tarazu.nn.module.mode import in_mode
from tarazu.ops.elementwise import isfinite
from tarazu.ops.shape import stack
from tarazu.runtime.jit.jit import jit
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.substitution import substitute
from tarazu.runtime.trace_lock import replace_data
from tarazu.runtime.vmap.replicas import replicate
from tarazu.train.calling import outputs_and_masks
from tarazu.train.evaluate import batches_of
from tarazu.train.inventory import Inventory
from tarazu.train.placement import place_training
from tarazu.train.replicas.rows import StackedRows
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.rows import shuffled
from tarazu.train.trainer.trainer import Trainer, Values

OnEpochEnd = Callable[[int, Values, np.ndarray, float], None]  # epoch, sums, which replicas are finite, seconds


def ready(trainer: Trainer, train: Arrays, batch_size: int) -> Trainer:
    """A trainer of a model that has seen its input (`begin`), ready for training as `fit` makes it."""
    trainer.begin_optimizers(-(-train.rows // batch_size))
    trainer.placement = place_training(trainer.model, trainer.state(), None)
    trainer.move_to_parameters()
    return trainer


class ReplicaTrainer:
    """Replicas of a model; `trainer` is that of the first, with which all is traced.

    `make` gives trainers that are ready (`ready`) one after the other, each with the global generator as it is when its
    training starts: for each it is seeded before.
    """

    def __init__(self, make: Callable[[], Trainer], seeds: Sequence[int]) -> None:
        trainers: list[Trainer] = []

        def first_and_others() -> list[object]:
            trainers.append(make())
            return _trained_by(trainers[-1])

        self.replicas = replicate(first_and_others, len(seeds), seeds)
        self.trainer = trainers[0]
        self._has_evaluation_weights = any(
            kept is not x for one in self.trainer.optimizers().values()
            for x, kept in zip(one.parameters, one._evaluated(one.parameters), strict=True))
        self._draw_orders = jit(self.replicas.map(lambda _, rows: shuffled(rows)))
        self._train_chunk = jit(self.replicas.map(self._steps, in_axes=(None, None, 0, None, 0, None)))
        self._predict = jit(self.replicas.map(self._forward, out_axes=1))

    def restart(self, make: Callable[[], Trainer], seeds: Sequence[int]) -> None:
        """Start anew with others like them, as many; programs serve again."""
        self.replicas.rebuild(lambda: _trained_by(make()), seeds)

    def train(self, parts: Sequence[Arrays], batch_size: int, epochs: int, is_shuffled: bool,
              on_epoch_end: OnEpochEnd = lambda *_: None) -> np.ndarray:
        """Train each replica on a part of its own, all with equally many rows, and say which stayed finite.

        The others, a loss or weight of which became infinite or NaN, are not what `fit` would leave. TraceError for a
        step that replicas cannot take.
        """
        source = StackedRows(parts, self._draw_orders if is_shuffled else None, batch_size)
        is_finite = np.ones(len(parts), bool)
        for epoch in range(1, epochs + 1):
            start = time.perf_counter()
            sums = self._epoch(source, is_finite)
            if not is_finite.any():
                break
            on_epoch_end(epoch, sums, is_finite, time.perf_counter() - start)
        return is_finite

    def _epoch(self, source: StackedRows, is_finite: np.ndarray) -> Values:
        """The sums over the rows of an epoch, for each replica; those that did not stay finite are noted."""
        sums = map_leaves(lambda x: asarray(np.zeros((len(is_finite), *x.shape))), self.trainer.zero_sums())
        with in_mode(self.trainer.model, training=True):
            for chunk in source.chunks():
                start, traces = time.perf_counter(), self._train_chunk.traces
                sums, is_good = self._train_chunk(chunk.data, chunk.order, source.firsts(chunk),
                                                  np.array(chunk.steps), sums, chunk.batch)
                is_finite &= is_good.numpy()
                if chunk.batch == source.batch_size and self._train_chunk.traces == traces:
                    source.pace.note(chunk.steps, time.perf_counter() - start)
        return sums

    def _steps(self, _: object, data: Any, order: Tensor, first: Tensor, count: Tensor, sums: Values,
               batch: int) -> tuple[Values, Tensor]:
        sums = self.trainer.train_chunk(data, order, first, count, sums, batch)[1]
        watched = [sums["loss"]["total"], *(x.detach() for x in self.trainer.optimized())]
        return sums, stack([isfinite(x).all() for x in watched]).all()

    def predictions(self, inputs: Arrays, batch_size: int) -> list[Arrays]:
        """Outputs and their masks in evaluation mode, batch by batch: (rows, replicas, ...)."""
        model = self.trainer.model
        return list(batches_of(lambda tree: self._predict(tree), self.trainer.placement, Inventory(model), inputs,
                               batch_size))

    def _forward(self, _: object, inputs: Any) -> tuple[Any, Any]:
        trainer = self.trainer
        optimizers = trainer.optimizers().values()
        with substitute([x for one in optimizers for x in one.parameters],
                        [x for one in optimizers for x in one.evaluation_weights()]):
            return outputs_and_masks(lambda: trainer.policy.forward(trainer.model, inputs))

    def rates(self) -> dict[str, np.ndarray]:
        """The learning rates of the next step, by their names in the history: (replicas,)."""
        def rates_of(_: object) -> dict[str, Tensor]:
            return {f"{name}_learning_rate" if name else "learning_rate": optimizer.lr.detach()
                    for name, optimizer in self.trainer.optimizers().items()}

        return map_leaves(lambda x: x.numpy(), self.replicas.map(rates_of)())

    @property
    def has_constant_rates(self) -> bool:
        """Whether the learning rates are numbers."""
        return all(optimizer._schedule is None for optimizer in self.trainer.optimizers().values())

    def evaluated(self) -> dict[str, np.ndarray]:
        """The weights and other tensors of the model that evaluation reads, by path: (replicas, ...)."""
        optimizers = self.trainer.optimizers().values()
        own = {path: self.replicas.values(x) for path, x in self.trainer.model.named_tensors()}
        if self._has_evaluation_weights:
            paths = {id(x): path for path, x in self.trainer.model.named_tensors()}
            kept = self.replicas.map(lambda _: [one.evaluation_weights() for one in optimizers])()
            own |= {paths[id(x)]: value for one, values in zip(optimizers, kept, strict=True)
                    for x, value in zip(one.parameters, values, strict=True)}
        return {path: x.raw for path, x in own.items()}

    def hand_out(self, trainers: Sequence[Trainer]) -> None:
        """Give each of the models that the replicas were made of what its replica has learned."""
        learned = [self.replicas.values(x).raw for x in self.trainer.weights()]
        for i, trainer in enumerate(trainers):
            for x, values in zip(trainer.weights(), learned, strict=True):
                replace_data(x, np.array(values[i]))
            trainer.use_evaluation_weights()


def state_of(evaluated: dict[str, Any], replica: int) -> dict[str, Tensor]:
    """What `evaluated` gave for one replica, in memory of its own."""
    return {path: Tensor(np.array(values[replica])) for path, values in evaluated.items()}


def _trained_by(trainer: Trainer) -> list[object]:
    """What holds all that training changes."""
    return [trainer.model, *trainer.optimizers().values()]
