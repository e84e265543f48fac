"""What `compile` was told in Keras: optimizer, schedule, losses and metrics, as arguments of `compile` here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tarazu.interop.keras.compiled.losses import OWN_WAY, find_loss, find_metric
from tarazu.interop.keras.compiled.own_optimizers import KerasAdagrad, KerasRMSprop
from tarazu.interop.keras.options import Place
from tarazu.optim.classic import SGD, Adadelta, Adam, Adamax, AdamW, NAdam
from tarazu.optim.large_models import Lion
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.schedules.decay import (
    cosine_decay,
    exponential_decay,
    inverse_time_decay,
    polynomial_decay,
    step_decay,
)

Config = dict[str, Any]  # of which each argument is taken out
CLIPPING = {"clipnorm": "clip_parameter_norm", "global_clipnorm": "clip_norm", "clipvalue": "clip_value",
            "gradient_accumulation_steps": "accumulate_steps"}


def compile_arguments(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Optimizer, loss and metrics; FileFormatError for what Tarazu has not."""
    def place(part: str, kind: Any = "") -> Place:
        return Place(path, f"compile: {part}", str(kind))

    optimizer = content.get("optimizer")
    if isinstance(optimizer, Mapping) and optimizer.get("class_name") == "LossScaleOptimizer":
        optimizer = optimizer["config"]["inner_optimizer"]  # `precision` of compile scales the loss
    kind = optimizer.get("class_name") if isinstance(optimizer, Mapping) else optimizer
    for name in ("weighted_metrics", "auto_scale_loss"):
        if content.get(name) not in (None, [], False, True):
            raise place(name).refused(f"{name}={content[name]!r}", "none", OWN_WAY)
    weights = content.get("loss_weights")
    return {"optimizer": _optimizer(optimizer, place("optimizer", kind)),
            "loss": _losses(content.get("loss"), weights, place("loss")),
            "metrics": _metrics(content.get("metrics"), place("metrics"))}


def _losses(content: Any, weights: Any, place: Place) -> Any:
    """The losses in the nesting of Keras, each a pair with its weight where there are some."""
    if _is_single(content):
        if weights not in (None, [], 1, 1.0):
            raise place.refused(f"loss_weights={weights!r} of one loss", "none", OWN_WAY)
        return find_loss(content, place)
    if isinstance(content, Mapping):
        weights = weights or {}
        return {name: _weighted(find_loss(item, place), weights.get(name)) for name, item in content.items()}
    weights = weights or [None] * len(content)
    return tuple(_weighted(find_loss(item, place), weight) for item, weight in zip(content, weights, strict=True))


def _weighted(loss: Any, weight: float | None) -> Any:
    return loss if weight is None or loss is None else (loss, weight)


def _metrics(content: Any, place: Place) -> Any:
    if content is None:
        return ()
    if _is_single(content):
        return [find_metric(content, place)]
    if isinstance(content, Mapping):
        return {name: _metrics(item, place) for name, item in content.items() if item is not None}
    nested = [item for item in content if isinstance(item, list)]
    return tuple(_metrics(item, place) for item in content) if nested else [find_metric(x, place) for x in content]


def _is_single(content: Any) -> bool:
    return content is None or isinstance(content, str) or (isinstance(content, Mapping) and "class_name" in content)


def _betas(config: Config) -> Config:
    return {"betas": (config.pop("beta_1"), config.pop("beta_2"))}


def _sgd(config: Config) -> Optimizer:
    momentum, nesterov = config.pop("momentum"), config.pop("nesterov") and bool(config["lr"])
    if momentum and config.get("weight_decay"):
        raise ValueError("weight_decay beside momentum, which Keras keeps out of it")
    _require_one_rate(momentum, config)
    return SGD(momentum=momentum, nesterov=nesterov and momentum > 0, **config)


def _require_one_rate(momentum: float, config: Config) -> None:
    if momentum and callable(config["lr"]):
        raise ValueError("a schedule beside momentum, whose velocity has the rates of earlier steps in Keras")


def _adam(config: Config) -> Optimizer:
    """Keras's weight decay is that of AdamW in every optimizer."""
    kind = AdamW if config.get("weight_decay") else Adam
    return kind(**_betas(config), amsgrad=config.pop("amsgrad"), **config)


def _adamax(config: Config) -> Optimizer:
    _require_no_decay(config)
    return Adamax(**_betas(config), **config)


def _adadelta(config: Config) -> Optimizer:
    _require_no_decay(config)
    return Adadelta(**config)


def _lion(config: Config) -> Optimizer:
    return Lion(**_betas(config), **config)


def _rmsprop(config: Config) -> Optimizer:
    _require_no_decay(config)
    momentum = config.pop("momentum", 0.0)
    _require_one_rate(momentum, config)
    return KerasRMSprop(momentum=momentum, **config)


def _adagrad(config: Config) -> Optimizer:
    _require_no_decay(config)
    return KerasAdagrad(initial_sum=config.pop("initial_accumulator_value"), **config)


def _nadam(config: Config) -> Optimizer:
    return NAdam(**_betas(config), momentum_decay=1.0, decoupled=True, **config)


def _require_no_decay(config: Config) -> None:
    if config.get("weight_decay"):
        raise ValueError("weight_decay, which Keras keeps apart from the gradient")


OPTIMIZERS: dict[str, Callable[[Config], Optimizer]] = {
    "SGD": _sgd, "Adam": _adam, "AdamW": _adam, "Adamax": _adamax, "Adadelta": _adadelta, "Lion": _lion,
    "RMSprop": _rmsprop, "Adagrad": _adagrad, "Nadam": _nadam}


def _optimizer(content: Any, place: Place) -> Optimizer:
    if isinstance(content, str) or content is None or content["class_name"] not in OPTIMIZERS:
        raise place.refused("an optimizer that Tarazu does not take over from Keras", f"one of {', '.join(OPTIMIZERS)}",
                            f"{OWN_WAY}: model.compile(tz.optim.Adam(lr=...), loss=...)")
    config = {key: value for key, value in content["config"].items() if value is not None and value is not False}
    config = {**dict.fromkeys(("nesterov", "amsgrad"), False), **config}
    own = _common(config, place)
    try:
        return OPTIMIZERS[content["class_name"]](own)
    except Exception as error:
        raise place.refused(str(error), "options that Tarazu's optimizer has", OWN_WAY) from error


def _common(config: Config, place: Place) -> Config:
    """The arguments that all optimizers share, by our names; the others stay as they are."""
    for name in ("name", "ema_momentum", "is_legacy_optimizer", "jit_compile"):
        config.pop(name, None)
    for name in ("use_ema", "loss_scale_factor", "ema_overwrite_frequency"):
        if name in config:
            raise place.refused(f"{name}={config[name]!r}", f"an optimizer without {name}", OWN_WAY)
    own = {CLIPPING.get(name, name): value for name, value in config.items() if name != "learning_rate"}
    own["lr"] = _rate(config["learning_rate"], place)
    if place.kind != "SGD":
        own.pop("nesterov", None)
    if place.kind not in ("Adam", "AdamW"):
        own.pop("amsgrad", None)
    return own


def _rate(content: Any, place: Place) -> Any:
    """A learning rate; numbers of float32 as they were written."""
    if not isinstance(content, Mapping):
        return float(f"{content:.7g}")
    kind, config = content.get("class_name"), content.get("config", {})
    start, steps = config.get("initial_learning_rate"), config.get("decay_steps")
    staircase, factor = config.get("staircase"), config.get("decay_rate")
    if kind == "ExponentialDecay":
        return (step_decay if staircase else exponential_decay)(start, factor, steps)
    if kind == "InverseTimeDecay" and not staircase:
        return inverse_time_decay(start, factor, steps)
    if kind == "PolynomialDecay":
        return polynomial_decay(start, steps, config["end_learning_rate"], power=config["power"],
                                cycle=config["cycle"])
    warmup, peak = config.get("warmup_steps"), config.get("warmup_target")
    if kind == "CosineDecay" and not (warmup and peak):
        return cosine_decay(start, steps, start * config["alpha"])
    with_more = f" with a warm-up to {peak}" if kind == "CosineDecay" else ""
    raise place.refused(f"the schedule {kind}{with_more}", "ExponentialDecay, InverseTimeDecay, PolynomialDecay or "
                        "CosineDecay without a warm-up",
                        f"{OWN_WAY}, for example with lr=tz.optim.linear_warmup(tz.optim.cosine_decay(...), steps)")
