"""For which models training as replicas is known to give what training one after another gives, and to be faster."""

from __future__ import annotations

import os

from tarazu.ir.interpreter import state
from tarazu.ir.types import TensorType
from tarazu.nn.module.mode import in_mode
from tarazu.runtime import processes
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.trace.trace import trace_function
from tarazu.train.calling import call
from tarazu.train.placement import placement_of
from tarazu.train.sources.arrays import Arrays
from tarazu.train.trainer.of_outputs import OutputTrainer
from tarazu.train.trainer.trainer import Trainer

MOST_TOGETHER = 16  # replicas that train at once, as each has weights and rows of its own in memory
MOST_BYTES = 64 * 2**20  # of the training rows of all of them
MOST_OPERATIONS = 2**20  # of a batch: where a step has more to do, one after another is as fast
UPDATE_OPERATIONS = 10  # of the update of a parameter, about


def is_known_kind(trainer: Trainer) -> bool:
    """Whether replicas of such a model are known to give, on the plain CPU, what each gives alone, to rounding.

    That is mostly to the same bits, but sums of convolutions and of narrow products may be in another order.
    TARAZU_REPLICAS=off lets all models train one after another.
    """
    is_asked_for = os.environ.get("TARAZU_REPLICAS") != "off"
    is_alone = processes.count() == 1 and not state.interpreter.notes_lines
    return (is_asked_for and is_alone and isinstance(trainer, OutputTrainer) and trainer.precision != "float16"
            and trainer.on_batch is None and placement_of(trainer.model).is_plain)


def has_small_steps(trainer: Trainer, train: Arrays, batch_size: int) -> bool:
    """Whether a step of a model that has seen its input is so short that what all steps cost alike is much of it."""
    inputs = Arrays.of(train.x)
    types = [TensorType((batch_size, *leaf.shape[1:]), asarray(leaf[:1]).dtype) for leaf in inputs.leaves]
    with in_mode(trainer.model, training=False), no_grad():
        forward = trace_function(lambda *leaves: call(trainer.model, inputs.structure.rebuild(leaves)), types)
    return operations_of_update(trainer) + forward.graph.counts().flops <= MOST_OPERATIONS


def operations_of_update(trainer: Trainer) -> int:
    """Those of an update, about."""
    return UPDATE_OPERATIONS * sum(x.size for _, x in trainer.model.named_tensors())
