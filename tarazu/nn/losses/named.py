"""Losses by name, and what training asks of each beside its values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

from tarazu.base.spelling import by_name, did_you_mean
from tarazu.nn.losses.classes import cross_entropy, focal_loss, kl_divergence, nll
from tarazu.nn.losses.labels import binary_cross_entropy, binary_focal_loss
from tarazu.nn.losses.margins import categorical_hinge, hinge, multi_margin, soft_margin, squared_hinge
from tarazu.nn.losses.numbers import (
    cosine_distance,
    huber,
    log_cosh,
    mae,
    mape,
    mse,
    msle,
    poisson_nll,
    quantile_loss,
    smooth_l1,
)
from tarazu.nn.losses.overlap import dice_loss, tversky_loss
from tarazu.ops.elementwise import sigmoid
from tarazu.ops.networks.softmax import softmax
from tarazu.ops.typing import Tensor

Loss: TypeAlias = Callable[..., Tensor]


class LossTraits(NamedTuple):
    """What training asks of a loss beside its values.

    `target` says what it compares with: "classes" (class numbers, or a probability for each), "labels" (0 or 1 for each
    output by itself), "signs" (likewise, or -1 or 1), "numbers", or "unknown". `trivial_predictor` names the best
    prediction that looks at no input; None where there is no short formula for it. `activation` is the one that the
    loss applies to logits itself. `outputs` says what the model gives: "logits" (log probabilities are such, too),
    "probabilities", "scores" (whose order alone counts), or "numbers". A target of `ignored_target` does not count.
    """

    target: str
    trivial_predictor: str | None = None
    activation: Callable[[Tensor], Tensor] | None = None
    outputs: str = "numbers"
    ignored_target: int | None = None


TRAITS: dict[Loss, LossTraits] = {
    cross_entropy: LossTraits("classes", "the class frequencies", softmax, "logits"),
    nll: LossTraits("classes", "the class frequencies", outputs="logits"),
    focal_loss: LossTraits("classes", activation=softmax, outputs="logits"),
    kl_divergence: LossTraits("classes", activation=softmax, outputs="logits"),
    categorical_hinge: LossTraits("classes", outputs="scores"),
    multi_margin: LossTraits("classes", outputs="scores"),
    binary_cross_entropy: LossTraits("labels", "the frequency of each output", sigmoid, "logits"),
    binary_focal_loss: LossTraits("labels", activation=sigmoid, outputs="logits"),
    dice_loss: LossTraits("labels", activation=sigmoid, outputs="logits"),
    tversky_loss: LossTraits("labels", activation=sigmoid, outputs="logits"),
    hinge: LossTraits("signs", outputs="scores"),
    squared_hinge: LossTraits("signs", outputs="scores"),
    soft_margin: LossTraits("signs", outputs="logits"),
    mse: LossTraits("numbers", "the mean"),
    mae: LossTraits("numbers", "the median"),
    huber: LossTraits("numbers"),
    smooth_l1: LossTraits("numbers"),
    log_cosh: LossTraits("numbers"),
    mape: LossTraits("numbers"),
    msle: LossTraits("numbers"),
    quantile_loss: LossTraits("numbers"),
    poisson_nll: LossTraits("numbers"),
    cosine_distance: LossTraits("numbers"),
}
LOSSES: dict[str, Loss] = {loss.__name__: loss for loss in TRAITS}
_WITHOUT_EFFECT = {"from_logits", "reduction"}  # options that leave the best trivial prediction what it is


def traits(loss: Loss) -> LossTraits:
    """The traits of a loss, also with options set by `functools.partial`; of a user's function nothing is known."""
    function = without_options(loss)
    known = TRAITS.get(function, LossTraits("unknown"))
    options = _options(loss)
    if options.get("from_logits") is False and known.activation is not None:
        known = known._replace(activation=None, outputs="probabilities")
    if options.keys() - _WITHOUT_EFFECT:
        known = known._replace(trivial_predictor=None)
    return known._replace(ignored_target=options.get("ignore_index"))


def without_options(loss: Loss) -> Loss:
    """The function that `functools.partial` gave options to."""
    while isinstance(loss, functools.partial):
        loss = loss.func
    return loss


def _options(loss: Loss) -> dict[str, Any]:
    return loss.keywords if isinstance(loss, functools.partial) else {}  # partials of partials are one


def is_known(loss: Loss) -> bool:
    """Whether it is one of ours, of a prediction and a target, with or without options."""
    return without_options(loss) in TRAITS


def loss_text(loss: Loss) -> str:
    """What a loss is called, one of ours with its options, by which it is told from another.

    >>> loss_text(functools.partial(cross_entropy, label_smoothing=0.1))
    'cross_entropy(label_smoothing=0.1)'
    """
    options = ", ".join(f"{name}={value!r}" for name, value in _options(loss).items() if is_known(loss))
    return f"{loss_name(loss)}({options})" if options else loss_name(loss)


def loss_name(loss: Loss) -> str:
    """What a loss is called in messages."""
    function = without_options(loss)
    return getattr(function, "__name__", type(function).__name__)


def _suggest(spec: object, names: Iterable[str]) -> str:
    """The loss that a name of Keras, or a misspelled one, stands for."""
    is_over_classes = isinstance(spec, str) and spec.endswith("categorical_crossentropy")
    hint = "here it is 'cross_entropy'" if is_over_classes else did_you_mean(spec, names)
    return f"{hint}; losses for classes take logits, so the last layer has no softmax or sigmoid"


def find_loss(spec: str | Loss) -> Loss:
    """The loss that `spec` names; a function is given back as it is. Raises ArgumentError."""
    return spec if callable(spec) else by_name("loss", spec, LOSSES, "a function of (prediction, target)", _suggest)
