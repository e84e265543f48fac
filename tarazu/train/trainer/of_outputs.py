"""The trainer of models whose outputs are compared with targets: what `compile(loss=...)` says."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.pytree import describe, flatten, map_leaves
from tarazu.nn import losses
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray, zeros
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.calling import outputs_and_masks, require_inputs_fit, takes_several
from tarazu.train.extremes import require_known_integers
from tarazu.train.looks import look
from tarazu.train.metrics import BUILT_IN, Metric, Sums, is_masked, masked_sums, mean_sums, number_classes_note
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.reading import Reading
from tarazu.train.trainer.first_output import called_and_activations, require_logits
from tarazu.train.trainer.outputs import (
    labels_of,
    loss_parts,
    require_all_have_losses,
    require_outputs_fit,
    weighted_sum,
)
from tarazu.train.trainer.own_losses import broadcast_note, has_reduction, is_of_batches, losses_of_rows, masked
from tarazu.train.trainer.trainer import Trainer, Values, drop_new_gradients


class OutputTrainer(Trainer):
    """Trains the sum of the losses of a model's outputs, each compared with its target."""

    def _prepare_functions(self) -> None:
        super()._prepare_functions()
        self._noted_broadcasts: set[str] = set()
        self.output_size = 0  # bytes of the outputs for one row
        self.has_masks = False  # whether an output has steps that do not count

    @property
    def metrics(self) -> dict[str, Metric]:
        """The metrics of all outputs, by their names in the history."""
        return {name: metric for output in self.outputs for name, metric in output.metrics.items()}

    @property
    def reading(self) -> Reading:
        has_several = any(output.key is not None or output.is_own for output in self.outputs)
        return Reading(takes_several(self.model), has_several, False)

    def labels_of(self, arrays: Arrays) -> np.ndarray | None:
        return labels_of(self.outputs, arrays)

    def begin(self, train: Arrays, validation: Arrays | None, batch_size: int) -> None:
        row = map_leaves(lambda x: x[:1], self.first_rows(train, 1 if self.on_batch is None else batch_size))
        mapped = train if self.on_batch is None else Arrays.of(map_leaves(np.asarray, row))
        if not mapped.is_pair:
            raise ArgumentError(f"batches that are {describe(mapped.structure)} after the maps of the dataset",
                                expected="pairs (x, y), or (x, y, weight)",
                                fix="let the last map give them: .map(lambda batch: (batch['x'], batch['y']))")
        require_inputs_fit(self.model, mapped.x)
        prediction, masks, example = look(self.model, partial(self._first_output, row, mapped))
        if validation is not None:
            self.require_fits(validation)
        self._require_known_integers(train, validation)
        self._note_classes(mapped)
        self.input_shape = mapped.leaves[0].shape[1:] if isinstance(mapped.x, np.ndarray) else None
        self.zero_inputs = map_leaves(lambda x: zeros((1, *x.shape[1:]), dtype=x.dtype), row[0])
        self.output_size = sum(x.size * x.dtype.itemsize for x in flatten(prediction)[0])
        self.prepare()
        self._note_masks(masks)
        self.record(example)

    def _first_output(self, row: Any, mapped: Arrays) -> tuple[Any, Any, Values]:
        """The output for one row, with its masks, which fits the losses; and sums of all that is recorded."""
        (prediction, masks), last = called_and_activations(self.model, row[0])
        self.require_outputs(prediction, mapped)
        require_logits(self.outputs, prediction, last)
        return prediction, masks, self._example(prediction, row[1])

    def _require_known_integers(self, train: Arrays, validation: Arrays | None) -> None:
        """OutOfRangeError for an integer that a layer has nothing for; maps of a dataset may change them."""
        if self.on_batch is None:
            for rows in (train,) if validation is None else (train, validation):
                require_known_integers(self.model, Arrays.of(rows.x), {})

    def _note_masks(self, masks: Any) -> None:
        """Note for a warning which losses and metrics take no mask, though outputs have one."""
        given = [output for output in self.outputs if isinstance(output.of(masks), Tensor)]
        self.has_masks = bool(given)
        without = [f"loss {losses.loss_name(x.loss)}" for x in given if x.mask_for_loss(masks) is None]
        without += [f"metric {name!r}" for x in given for name, one in x.metrics.items() if not is_masked(one)]
        self.notes += [f"the {what} takes no mask, so the steps of padding count in it; give it a parameter mask=None, "
                       "which is booleans (batch, time), True where there is a value" for what in without]

    def _example(self, prediction: Any, target: Any) -> Values:
        """Sums of one row, in the order in which a step gives them."""
        mean: Sums = {"total": 0, "rows": 0}
        example: Values = {"loss": mean}
        for output in self.outputs:
            if output.key is not None:
                example[f"{output.prefix}loss"] = mean
            for name, metric in output.metrics.items():
                is_mean = metric.function is not None
                example[name] = mean if is_mean else metric.sums(output.of(prediction), output.of(target))
        return example

    def require_outputs(self, prediction: Any, batch: Arrays) -> None:
        """An error where the outputs for a row are others than have a loss, or the targets do not fit them."""
        require_all_have_losses(self.given_loss, prediction)
        require_outputs_fit(self.outputs, self.model, prediction, batch.y)
        self._shapes = [getattr(output.of(prediction), "shape", ()) for output in self.outputs]
        self.require_fits(batch)

    def require_stream_fits(self, batch: Arrays) -> None:
        if self.on_batch is None:  # else targets are what maps make of them
            self.require_fits(batch)

    def require_fits(self, batch: Arrays) -> None:
        for output, shape in zip(self.outputs, self._shapes, strict=True):
            output.require_labels_fit(output.of(batch.y), shape)

    def _note_classes(self, train: Arrays) -> None:
        """Note for a warning that an accuracy does not fit the targets."""
        for output, shape in zip(self.outputs, self._shapes, strict=True):
            note = number_classes_note(output.metrics.values(), output.of(train.y), shape)
            self.notes += [note] if note else []

    def _train_step(self, batch: Any, rows: int) -> tuple[Tensor, Values]:
        for optimizer in self.optimizers().values():
            optimizer.zero_grad()
        assert self.optimizer is not None
        loss, (prediction, masks, parts) = self.loss_scale.step(
            lambda: self._loss(batch), self.optimizer, self.weights())
        drop_new_gradients()
        prediction, parts = map_leaves(lambda x: x.detach(), (prediction, parts))
        return loss, self._values(loss.detach(), parts, prediction, masks, batch, rows)

    def _loss(self, batch: Any) -> tuple[Tensor, tuple[Any, Any, list[Tensor]]]:
        prediction, masks = outputs_and_masks(lambda: self.policy.forward(self.model, batch[0]))
        parts = loss_parts(self.outputs, prediction, batch, masks)
        for output, loss in zip(self.outputs, parts, strict=True):
            if output.is_own:
                self._note_broadcast("the loss", loss, output.of(prediction), output.of(batch[1]))
        return self.regularized(weighted_sum(self.outputs, parts)), (prediction, masks, parts)

    def loss_of(self, batch: Any) -> Tensor:
        return self._loss(batch)[0]

    def scores_of(self, prediction: Any, masks: Any, batch: Any, rows: int) -> Values:
        """The sums over the rows of a batch of the loss and of all else that is recorded, by the model's outputs."""
        parts = loss_parts(self.outputs, prediction, batch, masks)
        return self._values(self.regularized(weighted_sum(self.outputs, parts)), parts, prediction, masks, batch, rows)

    def _values(self, loss: Tensor, parts: list[Tensor], prediction: Any, masks: Any, batch: Any, rows: int) -> Values:
        values = {"loss": mean_sums(loss, rows)}
        for output, part in zip(self.outputs, parts, strict=True):
            if output.key is not None:
                values[f"{output.prefix}loss"] = mean_sums(part, rows)
            for name, metric in output.metrics.items():
                given, target = output.of(prediction), output.of(batch[1])
                values[name] = masked_sums(metric, given, target, output.of(masks))
                if metric.function is not None and metric.function not in BUILT_IN:
                    self._note_broadcast(f"metric {name!r}", values[name]["total"], given, target)
        return values

    def _note_broadcast(self, what: str, value: Tensor, prediction: Tensor, targets: Tensor) -> None:
        is_plain = isinstance(prediction, Tensor) and isinstance(targets, Tensor)
        note = broadcast_note(what, value, prediction, targets) if is_plain else None
        if note and what not in self._noted_broadcasts:
            self._noted_broadcasts.add(what)
            self.notes.append(note)

    def sample_losses(self, prediction: Any, masks: Any, batch: Arrays) -> np.ndarray:
        """The loss of each sample, shape (samples,): the weighted sum of those of its outputs, times its weight.

        A loss without `reduction` is asked about single rows. One of whole batches, such as a correlation, gives all
        rows the loss of them together, and `is_batch_loss` says so from then on.
        """
        total = np.zeros(batch.rows)
        for output in self.outputs:
            given, target = output.of(prediction), map_leaves(asarray, output.of(batch.y))
            weight = output.weight_of(batch.weight)
            rows = self._losses_of_rows(output.loss, given, target, output.mask_for_loss(masks)) * output.weight
            total += rows if weight is None else rows * weight
        return total

    def _losses_of_rows(self, loss: losses.Loss, prediction: Tensor, target: Tensor, mask: Tensor | None) -> np.ndarray:
        with no_grad():
            if has_reduction(loss):
                return np.asarray(masked(loss, prediction, target, mask, reduction="none").numpy())
            self.is_batch_loss = self.is_batch_loss or is_of_batches(loss, prediction, target, mask)
            if self.is_batch_loss:
                return np.full(len(flatten(target)[0][0]), float(masked(loss, prediction, target, mask)))
            return losses_of_rows(loss, prediction, target, mask)
