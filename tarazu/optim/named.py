"""The table of optimizers by name."""

from __future__ import annotations

from collections.abc import Callable

from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import did_you_mean, made_of
from tarazu.optim.classic import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop
from tarazu.optim.large_models import LAMB, Adafactor, Lion, Muon, ScheduleFreeAdamW
from tarazu.optim.optimizer import Optimizer

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {kind.__name__.lower(): kind for kind in (
    SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, NAdam, RAdam, Lion, LAMB, Adafactor, Muon, ScheduleFreeAdamW)}


def _suggest(spec: object) -> str:
    """How to pass the optimizer that a class, or a misspelled name, stands for."""
    return f"make an object: {made_of(spec)}" if isinstance(spec, type) else did_you_mean(spec, OPTIMIZERS)


def find_optimizer(spec: str | Optimizer) -> Optimizer:
    """The optimizer that `spec` names, with its defaults; an optimizer is given back as it is. Raises ArgumentError."""
    return spec if isinstance(spec, Optimizer) else optimizer_class(spec)()


def optimizer_class(spec: str) -> Callable[..., Optimizer]:
    """The class of the optimizer that `spec` names, in capital letters or small ones. Raises ArgumentError."""
    kind = OPTIMIZERS.get(spec.lower()) if isinstance(spec, str) else None
    if kind is None:
        raise ArgumentError(f"optimizer {spec!r}",
                            expected=f"one of {', '.join(OPTIMIZERS)}, or an object such as tz.optim.Adam(lr=0.01)",
                            fix=_suggest(spec))
    return kind
