"""The outputs of a model and its targets as decompositions take them: numbers, log probabilities, classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.nn.losses.named import loss_text, traits
from tarazu.nn.module.module import Module
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.trainer.of_outputs import OutputTrainer

LEAST_PROBABILITY = 1e-7  # of outputs that are probabilities, as in losses


@dataclass(frozen=True)
class Reading:
    """How outputs are read, by the loss that a model is compiled with: its traits of targets and of outputs."""

    target: str
    outputs: str

    @classmethod
    def of(cls, model: Module) -> Reading:
        """That of a compiled model; TrainingError for several outputs, and for a loss that has no decomposition."""
        trainer = trainer_of(model)
        assert isinstance(trainer, OutputTrainer)
        if len(trainer.outputs) != 1 or trainer.outputs[0].key is not None:
            raise TrainingError("a decomposition of the losses of several outputs", expected="a model with one output",
                                fix="study each output by a model of its own")
        loss = trainer.outputs[0].loss
        found = traits(loss)
        if found.target == "unknown" or found.ignored_target is not None:
            raise TrainingError(f"a decomposition for the loss {loss_text(loss)}",
                                expected="a loss of numbers, classes or labels, of all rows",
                                fix="compile with mse, cross_entropy or binary_cross_entropy")
        return cls(found.target, found.outputs)

    @property
    def is_of_numbers(self) -> bool:
        """Whether targets are numbers, which have the squared loss, and not classes."""
        return self.target == "numbers"

    @property
    def has_probabilities(self) -> bool:
        """Whether outputs say how probable classes are."""
        return self.outputs in ("logits", "probabilities")

    def logits(self, outputs: np.ndarray) -> np.ndarray:
        """Log probabilities of classes up to a constant, or scores, (rows, ..., classes); numbers as they are."""
        made = np.asarray(outputs, np.float64)
        if self.outputs == "probabilities":
            made = np.clip(made, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
            made = np.log(made) if self.target == "classes" else np.log(made) - np.log1p(-made)
        if self.is_of_numbers:
            return made[:, None] if made.ndim == 1 else made
        return made if self.target == "classes" else np.stack([np.zeros_like(made), made], axis=-1)

    def targets(self, y: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """The targets that belong to `outputs`, which are as the model gave them."""
        target = np.asarray(y)
        if self.target == "classes":
            return target[:, 0] if target.shape == (len(target), 1) and outputs.ndim == 2 else target
        if target.size != outputs.size:
            raise ArgumentError(f"targets of shape {target.shape} for outputs of shape {outputs.shape}",
                                expected="as many targets as outputs", fix="give each output a target")
        if self.is_of_numbers:
            return target.reshape(outputs.shape if outputs.ndim > 1 else (-1, 1))
        labels = np.maximum(target.reshape(outputs.shape), 0).astype(np.float64)  # signs are -1 and 1
        return np.stack([1 - labels, labels], axis=-1)
