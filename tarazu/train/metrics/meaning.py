"""Which metrics mean something beside a loss: what each takes from outputs and targets, and an error for others."""

from __future__ import annotations

from typing import NamedTuple

from tarazu.base.errors import ArgumentError
from tarazu.nn.losses import Loss, LossTraits, loss_name, traits

CLASSES = LossTraits("classes", outputs="scores")  # one of several classes, by the order of outputs
LABELS = LossTraits("labels", outputs="scores")  # each output by itself
NUMBERS = LossTraits("numbers")
PROBABILITIES = LossTraits("unknown", outputs="logits")  # of any target
ANY = LossTraits("unknown", outputs="scores")


class Outputs(NamedTuple):
    """What the outputs of a model mean: the traits of its loss, and what that is called in messages."""

    traits: LossTraits = LossTraits("unknown", outputs="logits")
    loss: str = "a loss"

    @classmethod
    def beside(cls, loss: Loss) -> Outputs:
        """What outputs mean beside a loss; those of a user's own are taken as logits."""
        known = traits(loss)
        return cls(known._replace(outputs="logits") if known.target == "unknown" else known, loss_name(loss))


def require_meaning(metric: str, takes: LossTraits, outputs: Outputs, class_name: str | None = None) -> None:
    """ArgumentError where a metric that takes what a loss with the traits `takes` does means nothing for these outputs.

    `class_name` is that of a metric with an option `from_logits`.

    >>> require_meaning("mae", NUMBERS, Outputs.beside(traits))  # nothing is known of a user's own loss
    """
    known = outputs.traits
    refused = _misfit_of_targets(takes, known) or _misfit_of_outputs(takes, known, class_name)
    if refused:
        what, expected, fix = refused
        of = f" of {known.target}" if known.outputs != known.target else ""
        raise ArgumentError(f"the metric {metric!r}, which {what}, beside {outputs.loss}, whose outputs are "
                            f"{known.outputs}{of}", expected=expected, fix=fix)


def _misfit_of_targets(takes: LossTraits, known: LossTraits) -> tuple[str, str, str] | None:
    """Where targets are of another kind: what the metric does, what is expected, and the fix."""
    judges_each, is_classes = known.target in ("labels", "signs"), known.target == "classes"
    if takes.target == "numbers" and (is_classes or (judges_each and known.outputs != "probabilities")):
        return ("compares numbers", "a loss of numbers, such as mse",
                'take a metric of classes, such as "accuracy", or a function of your own of probabilities')
    if takes.target == "classes" and judges_each:
        return ("takes outputs as one of several classes", "a loss of classes, such as cross_entropy",
                'take a metric that judges each output by itself here, such as "accuracy" or "auc"')
    if takes.target in ("labels", "signs") and is_classes:
        return ("judges each output by itself", "a loss of labels, such as binary_cross_entropy",
                'take a metric of classes, such as "accuracy" or "log_loss"')
    return None


def _misfit_of_outputs(takes: LossTraits, known: LossTraits, class_name: str | None) -> tuple[str, str, str] | None:
    """Where outputs are of another kind, likewise."""
    if takes.outputs != "logits" or (known.target == "unknown" and known.outputs == "logits"):
        return None
    if known.outputs not in ("logits", "probabilities"):
        says_so = f"where outputs are probabilities, say so: tz.train.{class_name}(from_logits=False)"
        return ("needs probabilities", "a loss of logits or probabilities, such as cross_entropy or "
                "binary_cross_entropy", says_so if class_name else 'take one of the order of outputs, such as "auc"')
    applies_none = takes.target != "unknown" and takes.activation is None
    takes_logs = applies_none and takes.target == "classes"
    if applies_none and (known.outputs == "probabilities" or (takes_logs and known.activation is not None)):
        return f"takes {'log probabilities' if takes_logs else 'logits'}", "a loss of such outputs", 'take "log_loss"'
    return None
