"""The outputs of a model, each with its loss and metrics, from what `compile` is told about them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.base.messages import listing, plural
from tarazu.nn import losses
from tarazu.nn.losses import Loss, loss_name, require_class_numbers, require_probabilities, traits
from tarazu.ops.reduce import mean
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import GuardedAttributes
from tarazu.train.metrics import Metrics, MetricSpec, named_metrics, takes_mask
from tarazu.train.sources.arrays import Arrays, class_numbers
from tarazu.train.trainer.own_losses import has_reduction, masked, row_losses, takes_weights

OneLoss: TypeAlias = str | Loss | tuple[str | Loss, float] | None
Losses: TypeAlias = OneLoss | Mapping[str, OneLoss] | list[OneLoss] | tuple[OneLoss, ...]
OutputMetrics: TypeAlias = Metrics | Mapping[str, Metrics] | list[Metrics]


class Output(GuardedAttributes):
    """One output of a model: where it is, its loss with its weight in the sum, and its metrics.

    `key` is that of the dict, or the position in the tuple, of outputs and of targets; None for the only output.
    `metrics` are by their names in the history.
    """

    def __init__(self, key: Hashable, loss: Loss, weight: float, metrics: Iterable[MetricSpec]) -> None:
        self.key, self.loss, self.weight = key, loss, weight
        self.metrics = {self.prefix + name: metric for name, metric in named_metrics(metrics, loss).items()}

    @property
    def is_own(self) -> bool:
        """Whether the loss is a function that nothing is known of."""
        return not losses.is_known(self.loss)

    @property
    def prefix(self) -> str:
        """What the names of its loss and metrics begin with in the history."""
        return "" if self.key is None else f"{self.key}_" if isinstance(self.key, str) else f"output_{self.key}_"

    def of(self, tree: Any) -> Any:
        """The part of the outputs, targets or weights that belongs to it."""
        return tree if self.key is None else tree[self.key]

    def weight_of(self, weight: Any) -> Any:
        """The weights of samples for this output: its own of several, or one for all outputs."""
        return self.of(weight) if isinstance(weight, dict | tuple | list) else weight

    def mask_for_loss(self, masks: Any) -> Tensor | None:
        """Its mask of those of all outputs, where it has one and the loss takes one."""
        mask = self.of(masks)
        return mask if isinstance(mask, Tensor) and takes_mask(self.loss) else None

    def mean_loss(self, prediction: Tensor, target: Tensor, weight: Tensor | None, mask: Tensor | None) -> Tensor:
        """The loss of a batch; with weights of samples the mean of their losses times their weights.

        With a mask it is the mean over the steps where that is true.
        """
        if weight is None:
            return masked(self.loss, prediction, target, mask)
        if mask is not None and takes_weights(self.loss):  # the mean over steps, and not that of the means of rows
            return masked(self.loss, prediction, target, mask, sample_weight=weight)
        return mean(self.losses_of_rows(prediction, target, mask) * weight)

    def losses_of_rows(self, prediction: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
        """The loss of each sample by itself, shape (rows,)."""
        if has_reduction(self.loss):
            return masked(self.loss, prediction, target, mask, reduction="none")
        return row_losses(self.loss, prediction, target, mask)

    def require_labels_fit(self, target: np.ndarray, outputs: tuple[int, ...]) -> None:
        """Class numbers must lie below the number of outputs, labels of single outputs from 0 to 1.

        `outputs` is the shape of a batch of outputs.
        """
        if self.is_own:
            return
        kind = traits(self.loss).target
        if kind == "labels" or (kind == "classes" and target.shape[1:] == outputs[1:]):
            require_probabilities(target, loss_name(self.loss))
        has_class_numbers = target.dtype.kind == "i" and target.shape[1:] != outputs[1:]
        refuses_one_output = outputs[-1:] == (1,)  # the loss does so itself, with a better message
        if kind == "classes" and has_class_numbers and not refuses_one_output:
            ignored = traits(self.loss).ignored_target
            require_class_numbers(target if ignored is None else target[target != ignored], outputs[-1])


def outputs_of(loss: Losses, metrics: OutputMetrics) -> list[Output]:
    """The outputs that `compile` names; ArgumentError for metrics of an output that has no loss, and unknown names."""
    by_key = _by_key(loss)
    if by_key is None:
        if isinstance(metrics, Mapping):
            raise ArgumentError("metrics by the names of outputs, and one loss", expected="a loss for each output",
                                fix='loss={"name": "mse", ...} with the names of the outputs')
        return [Output(None, *_weighted(loss), _listed(metrics))]
    given = _metrics_by_key(metrics, by_key)
    made = [Output(key, *_weighted(one), _listed(given.get(key, ()))) for key, one in by_key.items() if one is not None]
    if not made:
        raise ArgumentError("no output with a loss", expected="a loss for at least one output", fix="pass one")
    return made


def _by_key(losses: Any) -> dict[Hashable, Any] | None:
    """The losses of several outputs, by name or position; None for the loss of one."""
    return dict(losses) if isinstance(losses, Mapping) else dict(enumerate(losses)) if _is_list(losses) else None


def _is_list(loss: object) -> bool:
    is_pair = isinstance(loss, tuple) and len(loss) == 2 and isinstance(loss[1], int | float)
    return isinstance(loss, list | tuple) and not is_pair


def _weighted(spec: Any) -> tuple[Loss, float]:
    """The loss, and its weight in the sum: a loss, or a pair of both."""
    loss, weight = spec if isinstance(spec, tuple) and len(spec) == 2 else (spec, 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight >= 0:
        raise ArgumentError(f"a loss with the weight {weight!r}", expected="a number of 0 or more",
                            fix='for example loss={"box": "mse", "kind": ("cross_entropy", 0.3)}')
    return losses.find_loss(loss), float(weight)


def _listed(metrics: Any) -> list[Any]:
    return [metrics] if isinstance(metrics, str) or not isinstance(metrics, Iterable) else [*metrics]


def _metrics_by_key(metrics: Any, by_key: Mapping[Hashable, object]) -> dict[Hashable, Any]:
    if isinstance(metrics, Mapping):
        given = dict(metrics)
    else:
        given = dict(enumerate(metrics))
        if any(isinstance(one, str) or callable(one) for one in given.values()):
            raise ArgumentError("a list of metrics for several outputs", expected="metrics for each output",
                                fix='metrics={"name": ["accuracy"], ...}, or a list of lists in the order of outputs')
    unknown = [str(key) for key in given if by_key.get(key) is None]
    if unknown:
        raise ArgumentError(f"metrics for {listing(unknown)}, which has no loss",
                            expected=f"names of outputs with a loss: {listing(map(str, by_key))}", fix="leave them out")
    return given


def require_outputs_fit(outputs: list[Output], model: object, prediction: Any, target: Any) -> None:
    """TrainingError or ArgumentError where the model gives other outputs than have a loss, or y other targets."""
    keys = [output.key for output in outputs]
    if keys == [None]:
        if outputs[0].is_own:
            return  # outputs and targets reach it as they are
        _require_one(model, prediction)
        _require_one_target(target)
        return
    for what, tree in (("outputs", prediction), ("targets", target)):
        has = list(tree) if isinstance(tree, dict) else list(range(len(tree))) if isinstance(tree, tuple | list) else []
        missing = [str(key) for key in keys if key not in has]
        if missing:
            owner = type(model).__name__ if what == "outputs" else "y"
            raise ArgumentError(f"losses for {listing(missing)}, and {what} {listing(map(str, has)) or 'that are one'}",
                                expected=f"{what} of {owner} by the names, or positions, that the losses have",
                                fix="give losses, outputs and targets the same names; None is no loss")


def require_all_have_losses(given: Losses, prediction: Any) -> None:
    """ArgumentError for an output that stands nowhere among the losses."""
    known = _by_key(given)
    if known is None or not isinstance(prediction, dict | tuple | list):
        return
    has: Iterable[Any] = prediction if isinstance(prediction, dict) else range(len(prediction))
    without = [str(key) for key in has if key not in known]
    if without:
        raise ArgumentError(f"the output {listing(without)} without a loss", expected="a loss for each output",
                            fix="add it to loss={...}, with None where it is not trained")


def _require_one(model: object, output: object) -> None:
    """TrainingError unless the output of a model is one tensor with a row for each sample."""
    if isinstance(output, Tensor):
        return
    what = {dict: "a dict", tuple: "a tuple", list: "a list", type(None): "None"}.get(type(output), repr(output))
    count = f" of {len(output)}" if isinstance(output, dict | tuple | list) else ""
    fix = ("return the output from forward" if output is None else
           'pass a loss for each: loss={"name": "mse", ...} for a dict, loss=["mse", "mae"] for a tuple')
    raise TrainingError(f"{type(model).__name__} gives {what}{count} as output", expected="one tensor", fix=fix)


def _require_one_target(target: Any) -> None:
    if isinstance(target, dict | tuple | list):
        raise ArgumentError(f"y has {plural(len(target), 'part')}, and there is one loss", expected="one array",
                            fix='a loss for each: loss={"name": "mse", ...}')


def loss_parts(outputs: list[Output], prediction: Any, batch: Any, masks: Any) -> list[Tensor]:
    """The losses of the outputs for a batch (inputs, targets) or (inputs, targets, weights).

    `masks` are those of the outputs, nested as these.
    """
    weight = batch[2] if len(batch) > 2 else None
    return [require_scalar(output.mean_loss(output.of(prediction), output.of(batch[1]), output.weight_of(weight),
                                            output.mask_for_loss(masks)))
            for output in outputs]


def weighted_sum(outputs: list[Output], parts: list[Tensor]) -> Tensor:
    """The losses of the outputs times their weights, together."""
    weighted = [part if output.weight == 1 else part * output.weight
                for part, output in zip(parts, outputs, strict=True)]
    return sum(weighted[1:], weighted[0])


def require_scalar(loss: object, what: str = "the loss function") -> Tensor:
    """The loss; TrainingError unless it is a scalar tensor."""
    if not isinstance(loss, Tensor) or loss.size != 1:
        given = f"a tensor of shape {loss.shape}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise TrainingError(f"{what} gave {given}", expected="a scalar tensor", fix="reduce it with .mean()")
    return loss


def labels_of(outputs: list[Output], arrays: Arrays) -> np.ndarray | None:
    """The classes of the first output that has some, by which rows are held out in proportion."""
    for output in outputs:
        target: ArrayLike = output.of(arrays.y)
        labels = class_numbers(target) if isinstance(target, np.ndarray) else None
        if labels is not None and traits(output.loss).target != "numbers":
            return labels
    return None
