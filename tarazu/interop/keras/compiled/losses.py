"""Losses and metrics of Keras, by name or as objects, as `compile` takes them here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tarazu.interop.keras.options import Place
from tarazu.nn.losses.classes import cross_entropy, kl_divergence
from tarazu.nn.losses.labels import binary_cross_entropy
from tarazu.nn.losses.margins import hinge, squared_hinge
from tarazu.nn.losses.named import Loss
from tarazu.nn.losses.numbers import huber, log_cosh, mae, mse, msle, poisson_nll
from tarazu.train.metrics.ranking import AUC

Config = dict[str, Any]  # of which each argument is taken out
OWN_WAY = "tz.load(path, optimizer=False) leaves out what compile was told; then compile the model yourself"
ALIKE = {"sum_over_batch_size", "mean", "mean_with_sample_weight", None}  # reductions that are our means


def _plain(loss: Loss) -> Callable[[Config], Loss]:
    return lambda config: loss


def _of_logits(loss: Loss) -> Callable[[Config], Loss]:
    """A loss of probabilities unless Keras was told of logits, with smoothed labels if there are any."""
    def make(config: Config) -> Loss:
        options: Config = {} if config.pop("from_logits", False) else {"from_logits": False}
        if config.pop("axis", -1) != -1:
            raise ValueError("an axis that is not the last one")
        if smoothing := config.pop("label_smoothing", 0.0):
            options["label_smoothing"] = smoothing
        if (ignored := config.pop("ignore_class", None)) is not None:
            options["ignore_index"] = ignored
        return partial(loss, **options) if options else loss
    return make


def _huber(config: Config) -> Loss:
    delta = config.pop("delta", 1.0)
    return huber if delta == 1 else partial(huber, delta=delta)


LOSSES: dict[str, Callable[[Config], Loss]] = {
    "mean_squared_error": _plain(mse), "mean_absolute_error": _plain(mae),
    "mean_squared_logarithmic_error": _plain(msle),
    "log_cosh": _plain(log_cosh), "huber": _huber,
    "poisson": _plain(partial(poisson_nll, log_input=False, epsilon=1e-7)),
    "kl_divergence": _plain(partial(kl_divergence, from_logits=False)),
    "hinge": _plain(hinge), "squared_hinge": _plain(squared_hinge),
    "binary_crossentropy": _of_logits(binary_cross_entropy),
    "categorical_crossentropy": _of_logits(cross_entropy), "sparse_categorical_crossentropy": _of_logits(cross_entropy)}
SHORT = {"mse": "mean_squared_error", "mae": "mean_absolute_error",
         "msle": "mean_squared_logarithmic_error", "logcosh": "log_cosh", "bce": "binary_crossentropy",
         "kld": "kl_divergence", "kldivergence": "kl_divergence"}
METRICS: dict[str, Any] = {
    "accuracy": "accuracy", "acc": "accuracy", "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy", "binary_accuracy": "binary_accuracy",
    "mean_squared_error": "mse", "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse", "precision": "precision", "recall": "recall", "auc": AUC}
_SETTINGS = {"name", "dtype", "reduction"}


def find_loss(content: Any, place: Place) -> Loss | None:
    """A loss; FileFormatError for one that Tarazu has not, or with options that ours has not."""
    if content is None:
        return None
    name, config = _name_and_config(content)
    if name not in LOSSES or config.get("reduction") not in ALIKE:
        raise place.refused(f"the loss {name!r} with reduction {config.get('reduction')!r}",
                            f"one of {', '.join(LOSSES)}, as a mean", OWN_WAY)
    try:
        loss = LOSSES[name](config)
    except ValueError as error:
        raise place.refused(f"the loss {name!r} with {error}", "options that Tarazu's has", OWN_WAY) from error
    _require_nothing_left(name, config, place)
    return loss


def find_metric(content: Any, place: Place) -> Any:
    """A metric, by its name here or as an object; FileFormatError for others."""
    name, config = _name_and_config(content)
    if name not in METRICS:
        raise place.refused(f"the metric {name!r}", f"one of {', '.join(METRICS)}", OWN_WAY)
    if name == "auc":
        neutral = {"curve": "ROC", "num_thresholds": 200, "summation_method": "interpolation", "from_logits": False}
        config = {key: value for key, value in config.items() if neutral.get(key, value) != value
                  or key not in (*neutral, "multi_label", "num_labels", "label_weights", "thresholds")}
        _require_nothing_left(name, config, place)
        return "auc"
    if name in ("precision", "recall", "binary_accuracy") and config.get("threshold", 0.5) == 0.5:
        config.pop("threshold", None)
    _require_nothing_left(name, config, place)
    return METRICS[name]


def _require_nothing_left(name: str, config: Config, place: Place) -> None:
    left = {key: value for key, value in config.items() if key not in _SETTINGS and value is not None}
    if left:
        raise place.refused(f"{name} with {', '.join(f'{key}={value!r}' for key, value in left.items())}",
                            "options that Tarazu's has", OWN_WAY)


def _name_and_config(content: Any) -> tuple[str, Config]:
    """The name in small letters, of a name, a function or an object of a class; and the object's config."""
    config: Config = {}
    if not isinstance(content, Mapping):
        name = str(content)
    elif content.get("class_name") == "function":
        name = str(content.get("config"))
    else:
        name, config = _small(str(content.get("class_name"))), dict(content.get("config") or {})
    return SHORT.get(name.lower(), name.lower()), config


def _small(name: str) -> str:
    """CamelCase as Keras names the function of it.

    >>> _small("SparseCategoricalCrossentropy"), _small("KLDivergence"), _small("AUC")
    ('sparse_categorical_crossentropy', 'kldivergence', 'auc')
    """
    if name.isupper() or name == "KLDivergence":
        return name.lower()
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
