"""Whether a larger or a smaller value of a metric is better, as far as its name tells."""

from __future__ import annotations

import re

from tarazu.base.errors import ArgumentError

# Words of names. Those of errors decide before the others: a "brier_score" is an error.
_FALLING = frozenset((
    "loss", "losses", "false", "error", "errors", "err", "mae", "mse", "rmse", "mape", "smape", "msle", "rmsle",
    "nll", "bce", "entropy", "crossentropy", "perplexity", "deviance", "divergence", "distance", "hinge", "huber",
    "brier", "crps", "cer", "wer", "residual", "margin", "l1", "cosh"))
_RISING = frozenset((
    "accuracy", "acc", "auc", "auroc", "auprc", "f0", "f1", "f2", "fbeta", "true", "precision", "recall",
    "sensitivity", "specificity", "r2", "explained", "score", "iou", "jaccard", "dice", "kappa", "mcc", "matthews",
    "correlation", "corr", "pearson", "concordance", "spearman", "similarity", "likelihood", "ndcg", "map", "psnr",
    "ssim", "bleu"))
_NEGATED = frozenset(("neg", "negative", "minus"))  # what such a name means is not clear


def direction_by_name(name: str) -> str | None:
    """"max" or "min" as the name of a metric tells it; None where it does not."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)  # MeanError, as classes are called
    words = set(re.findall(r"[a-z]+\d*", apart.lower()))
    for direction, known in (("min", _FALLING), ("max", _RISING)):
        if words & known and not words & _NEGATED:
            return direction
    return None


def better_direction(name: str, mode: str = "auto", *, user: str) -> str:
    """"max" where a larger value of the metric is better, "min" where a smaller one is.

    A `mode` of "max" or "min" says so itself; with "auto" the name of the metric does ("val_accuracy"). ArgumentError
    for another mode, and for a name that does not tell; its message begins with `user`, who asks.
    """
    if mode in ("min", "max"):
        return mode
    if mode != "auto":
        raise ArgumentError(f"{user} with mode={mode!r}", expected='"auto", "min" or "max"',
                            fix='leave it out where the metric is a loss, an error or an accuracy')
    if direction := direction_by_name(name):
        return direction
    raise ArgumentError(f"{user} watches {name!r}, a name that does not tell whether a larger value is better",
                        expected='mode="min" or mode="max" for such a metric',
                        fix='pass mode="max" where a larger value is better, mode="min" where a smaller one is')
