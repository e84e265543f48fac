"""Folds that train as replicas of one program, where that gives what training one after another gives, and is faster.

Each replica takes the batches of its own fold, so batch statistics, dropout and the order of rows are those that it
would have alone.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tarazu.base.checks import flag, positive_int
from tarazu.base.device import CPU
from tarazu.base.errors import TraceError
from tarazu.base.pytree import map_leaves
from tarazu.ir.interpreter import state
from tarazu.ir.types import TensorType
from tarazu.nn.module.mode import in_mode
from tarazu.ops.elementwise import isfinite
from tarazu.ops.shape import stack
from tarazu.runtime import processes, random
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.jit.jit import jit
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.trace import trace_function
from tarazu.runtime.trace_lock import replace_data
from tarazu.runtime.vmap.replicas import Replicas, replicate
from tarazu.train.calling import call
from tarazu.train.cross_validation.folds import Folds
from tarazu.train.placement import Placement, place_training, placement_of
from tarazu.train.save.differences import alike
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.class_weights import class_weighted
from tarazu.train.sources.pace import Pace
from tarazu.train.sources.rows import Rows
from tarazu.train.trainer.of_outputs import OutputTrainer
from tarazu.train.trainer.trainer import Trainer, Values

MOST_FOLDS = 16  # that train at once, as each has weights and rows of its own in memory
MOST_BYTES = 64 * 2**20  # of the training rows of all of them
MOST_OPERATIONS = 2**20  # of a batch: where a step has more to do, one after another is as fast
LEAST_STEPS = 500  # of a fold: the program of all takes longer to compile, which as many steps make up for
UPDATE_OPERATIONS = 10  # of the update of a parameter, about
OPTIONS = {"epochs", "batch_size", "seed", "verbose", "shuffle", "class_weight"}  # of `fit`


def can_train_together(trainers: list[Trainer], folds: Folds, chosen: list[int], options: dict[str, Any]) -> bool:
    """Whether models and options are of a kind for which it is known to give the same, and training long enough."""
    if processes.count() > 1 or state.interpreter.notes_lines or not set(options) <= OPTIONS or options["verbose"]:
        return False
    train = folds.train(chosen[0])
    steps = positive_int("epochs", options["epochs"]) * -(-train.rows // positive_int("batch_size",
                                                                                       options["batch_size"]))
    if len(chosen) < 2 or steps < LEAST_STEPS or len(chosen) * train.nbytes > MOST_BYTES:
        return False
    is_plain = all(isinstance(each, OutputTrainer) and each.precision != "float16" and placement_of(each.model).is_plain
                   for each in trainers)
    return is_plain and _operations_of_update(trainers[0]) <= MOST_OPERATIONS and all(
        alike(trainers[0].model, each.model, _compiled_with(trainers[0]), _compiled_with(each))
        for each in trainers[1:])


def train_together(trainers: list[Trainer], folds: Folds, chosen: list[int], options: dict[str, Any]) -> bool:
    """Train the models of some folds as `fit` would train each; False, and models to be made anew, where it cannot.

    So it is where it would not be faster, for a step that replicas cannot take, and where a loss or weight is not
    finite, of which `fit` says more.
    """
    parts = [class_weighted(folds.train(fold), options.get("class_weight")) for fold in chosen]
    batch_size, is_shuffled = min(options["batch_size"], parts[0].rows), flag("shuffle", options.get("shuffle", True))
    states = [_begin(trainer, part, batch_size, options["seed"]) for trainer, part in zip(trainers, parts, strict=True)]
    if _operations(trainers[0], parts[0], batch_size) > MOST_OPERATIONS:
        return False
    left = iter(zip(trainers, states, strict=True))

    def make() -> list[object]:
        trainer, generator = next(left)
        replace_data(random.default.state, generator)
        return [trainer.model, *trainer.optimizers().values()]

    replicas = replicate(make, len(trainers), [options["seed"]] * len(trainers))
    try:
        is_done = _train(trainers[0], replicas, _StackedRows(parts, replicas, batch_size, is_shuffled),
                         options["epochs"])
    except TraceError:
        return False
    if is_done:
        _hand_out(trainers, replicas)
    return is_done


def _compiled_with(trainer: Trainer) -> list[object]:
    return [trainer.given_loss, trainer.given_metrics, trainer.precision, trainer.regularizer,
            [vars(optimizer) for optimizer in trainer.optimizers().values()]]


def _begin(trainer: Trainer, train: Arrays, batch_size: int, seed: int) -> Any:
    """Prepare a model as `fit` does; gives the state of the global generator from which it goes on."""
    random.seed(seed)
    trainer.set_maps(None)
    trainer.begin(train, None, batch_size)
    trainer.begin_optimizers(-(-train.rows // batch_size))
    trainer.placement = place_training(trainer.model, trainer.state(), None)
    trainer.move_to_parameters()
    return random.default.state.raw


def _operations(trainer: Trainer, train: Arrays, batch_size: int) -> int:
    """Those of a forward pass on a batch and of an update, about."""
    inputs = Arrays.of(train.x)
    types = [TensorType((batch_size, *leaf.shape[1:]), asarray(leaf[:1]).dtype) for leaf in inputs.leaves]
    with in_mode(trainer.model, training=False), no_grad():
        forward = trace_function(lambda *leaves: call(trainer.model, inputs.structure.rebuild(leaves)), types)
    return forward.graph.counts().flops + _operations_of_update(trainer)


def _operations_of_update(trainer: Trainer) -> int:
    return UPDATE_OPERATIONS * sum(x.size for _, x in trainer.model.named_tensors())


class _AsTheyAre(Placement):
    """The plain CPU, with a program for each number of rows: the first axis is that of the folds."""

    def table(self, rows: Tensor) -> Tensor:
        return rows


class _StackedRows(Rows):
    """The training rows of some folds, along the first axis; each fold shuffles them for itself."""

    def __init__(self, parts: list[Arrays], replicas: Replicas, batch_size: int, is_shuffled: bool) -> None:
        super().__init__(parts[0], Pace(), batch_size, is_shuffled)
        leaves = [asarray(np.stack(same)) for same in zip(*(part.leaves for part in parts), strict=True)]
        self._data, self._placement = parts[0].structure.rebuild(leaves), _AsTheyAre(CPU)
        draw = super()._order
        self._orders = replicas.map(lambda _: draw())

    def _order(self) -> Tensor:
        return self._orders()


def _train(trainer: Trainer, replicas: Replicas, source: _StackedRows, epochs: int) -> bool:
    """Train all replicas, for which `trainer`, that of the first, stands; False once a loss or weight is not finite."""
    def steps(_: object, data: Any, order: Tensor, first: Tensor, count: Tensor, sums: Values,
              batch: int) -> tuple[Values, Tensor]:
        sums = trainer.train_chunk(data, order, first, count, sums, batch)[1]
        watched = [sums["loss"]["total"], *(x.detach() for x in trainer.optimized())]
        return sums, stack([isfinite(x).all() for x in watched]).all()

    program = jit(replicas.map(steps, in_axes=(0, 0, None, None, 0, None)))
    zeros = map_leaves(lambda x: asarray(np.zeros((len(replicas), *x.shape))), trainer.zero_sums())
    with in_mode(trainer.model, training=True):
        for _ in range(epochs):
            sums = zeros
            for data, order, first, count, batch in source.chunks():
                start, traces = time.perf_counter(), program.traces
                sums, is_finite = program(data, order, np.array(first), np.array(count), sums, batch)
                if not is_finite.numpy().all():
                    return False
                if batch == source.batch_size and program.traces == traces:
                    source.pace.note(count, time.perf_counter() - start)
    return True


def _hand_out(trainers: list[Trainer], replicas: Replicas) -> None:
    """Give each model what its replica has learned."""
    learned = replicas.map(lambda _: [x.detach() for x in trainers[0].weights()])()
    for i, trainer in enumerate(trainers):
        for x, stacked in zip(trainer.weights(), learned, strict=True):
            replace_data(x, stacked[i].raw)
        trainer.use_evaluation_weights()
