"""The changes to a compiled model that studies try: wider, narrower, deeper, more and less regularized, other rates,
images that are changed at random.

Widths and depth are those of `Sequential` models: of their layers with a width all but the last are hidden.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import UnionType
from typing import Any, NamedTuple, TypeAlias

from tarazu.nn.layers.augmentation import RandomCrop, RandomFlip, RandomTranslation
from tarazu.nn.layers.dense import Dense
from tarazu.nn.layers.noise import GaussianNoise
from tarazu.nn.layers.regularization import Dropout, RateLayer
from tarazu.nn.layers.sequential import Sequential
from tarazu.nn.module.module import Module
from tarazu.study.experiment.remake import decay_of, remade
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.trainer.trainer import modules_of

Change: TypeAlias = Callable[[Module], Module | None]  # of a compiled model; None where there is nothing to change

WIDTHS = ("units", "filters")  # the names of arguments that say how many features a layer gives
INPUTS = ("in_features", "in_channels", "features")  # ... and how many it takes
LARGEST, SMALLEST = 256, 2  # no layer is made wider, or narrower, than this
RATES = ("dropout", "recurrent_dropout")  # arguments of layers that drop parts of their own signal
STRONG_DROPOUT = 0.3
STRONG_DECAY, STRONG_SGD_DECAY = 0.3, 0.1  # decoupled; the second where the updates are gradients as they are


def wider(model: Module, factor: float = 4.0, most: int = LARGEST) -> Module | None:
    """The model with hidden layers `factor` times as wide, up to `most`; None where none can be changed."""
    def width(old: int) -> int:
        return max(old, min(most, round(factor * old))) if factor > 1 else max(SMALLEST, int(factor * old))

    hidden = hidden_layers(model)
    if not hidden and factor > 1 and isinstance(model, Sequential):
        return remade(_with_hidden_layer(model, 64))
    if all(width(_width(layer)) == _width(layer) for layer in hidden):
        return None
    first = next(iter(_with_width(model)))

    def replacement(layer: Module) -> Module | None:
        found = arguments_of(layer)
        changed: dict[str, Any] = {name: None for name in INPUTS if found.get(name) is not None and layer is not first}
        if any(layer is one for one in hidden):
            changed |= {name: width(found[name]) for name in WIDTHS if name in found}
        return with_arguments(layer, **changed) if changed else None

    return remade(model, replacement)


def narrower(model: Module) -> Module | None:
    """The model with hidden layers a quarter as wide."""
    return wider(model, 0.25)


def deeper(model: Module) -> Module | None:
    """The model with its last hidden dense layer, and what follows it, twice; one of 32 units where it has none."""
    if not isinstance(model, Sequential):
        return None
    hidden = [layer for layer in hidden_layers(model) if type(layer) is Dense and any(layer is one for one in model)]
    if not hidden:
        return remade(_with_hidden_layer(model, 32))
    layers = list(model)
    start = next(i for i, layer in enumerate(layers) if layer is hidden[-1])
    stop = next(i for i in range(start + 1, len(layers)) if _width_name(layers[i]))
    again = [with_arguments(layer, **{name: None for name in INPUTS if name in arguments_of(layer)})
             for layer in layers[start:stop]]
    return remade(_like(model, [*layers[:stop], *again, *layers[stop:]]))


def with_dropout(model: Module) -> Module | None:
    """The model with dropout of 0.3 behind each hidden layer; None where it has as much or no hidden layer."""
    hidden = hidden_layers(model)
    if not isinstance(model, Sequential) or not hidden or dropout_of(model) >= STRONG_DROPOUT:
        return None
    layers: list[Module] = []
    for layer in model:
        if isinstance(layer, Dropout):
            continue
        layers.append(layer)
        if any(layer is one for one in hidden):
            layers.append(Dropout(STRONG_DROPOUT))
    return remade(_like(model, layers))


def with_decay(model: Module) -> Module | None:
    """The model with strong decay of its weights; None where it has as much."""
    optimizer = trainer_of(model).optimizer
    if optimizer is None:
        return None
    strength = STRONG_SGD_DECAY if type(optimizer).__name__ == "SGD" else STRONG_DECAY
    return None if decay_of(optimizer) >= strength else remade(model, weight_decay=strength)


def without_regularization(model: Module) -> Module | None:
    """The model without dropout, noise, decay and regularizer; None where it has none of them."""
    trainer = trainer_of(model)
    if not dropout_of(model) and not decay_of(trainer.optimizer) and trainer.regularizer is None:
        return None

    def replacement(layer: Module) -> Module | None:
        if isinstance(layer, RateLayer):
            return type(layer)(0.0)
        if isinstance(layer, GaussianNoise):
            return GaussianNoise(0.0)
        rates = {name: 0.0 for name in RATES if arguments_of(layer).get(name)}
        return with_arguments(layer, **rates) if rates else None

    return remade(model, replacement, weight_decay=0.0)


def mirroring(model: Module) -> Module | None:
    """The model with images mirrored at random, left to right, in training; None where it mirrors them already."""
    return _behind(RandomFlip("horizontal"), model, RandomFlip)


def shifting(model: Module) -> Module | None:
    """The model with images shifted at random by up to a tenth in training; None where it shifts them already."""
    return _behind(RandomTranslation(0.1, 0.1), model, RandomTranslation | RandomCrop)


def _behind(layer: Module, model: Module, alike: type | UnionType) -> Module | None:
    """The model behind a layer that changes its inputs; None where it has a layer like that."""
    has_one = any(isinstance(one, alike) for one in modules_of(model))
    return None if has_one else remade(_like(model, [layer, model]))


class Rate(NamedTuple):
    """The change of the learning rate to `factor` times what it is."""

    factor: float

    def __call__(self, model: Module) -> Module | None:
        return None if trainer_of(model).optimizer is None else remade(model, rate_factor=self.factor)

    def is_number(self, model: Module) -> bool:
        """Whether the rate is a number, which needs no other program, and no schedule."""
        optimizer = trainer_of(model).optimizer
        return optimizer is not None and optimizer._schedule is None


def dropout_of(model: Module) -> float:
    """The largest rate of dropout, or of noise, in the model."""
    rates = [0.0]
    for layer in modules_of(model):
        found = arguments_of(layer)
        if isinstance(layer, RateLayer | GaussianNoise):
            rates += [float(value) for value in found.values() if isinstance(value, int | float)]
        rates += [float(found[name]) for name in RATES if found.get(name)]
    return max(rates)


def hidden_layers(model: Module) -> list[Module]:
    """The layers of a `Sequential` that have a width, but for the last; none of another model."""
    return _with_width(model)[:-1] if isinstance(model, Sequential) else []


def _with_width(model: Module) -> list[Module]:
    return [layer for layer in modules_of(model) if _width_name(layer)]


def _width_name(layer: Module) -> str | None:
    return next((name for name in WIDTHS if name in arguments_of(layer)), None)


def _width(layer: Module) -> int:
    found = arguments_of(layer)
    return next(found[name] for name in WIDTHS if name in found)


def arguments_of(layer: Module) -> dict[str, Any]:
    """The arguments that a layer was made with, by name; without those of variable number."""
    args, kwargs = layer._arguments
    try:
        bound = inspect.signature(type(layer)).bind(*args, **kwargs)
    except TypeError:
        return {}
    return {name: value for name, value in bound.arguments.items()
            if bound.signature.parameters[name].kind not in (inspect.Parameter.VAR_POSITIONAL,
                                                             inspect.Parameter.VAR_KEYWORD)}


def with_arguments(layer: Module, **changed: Any) -> Module:
    """A new layer with other values of some arguments."""
    args, kwargs = layer._arguments
    bound = inspect.signature(type(layer)).bind(*args, **kwargs)
    bound.arguments.update(changed)
    return type(layer)(*bound.args, **bound.kwargs)


def _with_hidden_layer(model: Sequential, units: int) -> Module:
    last = _with_width(model)[-1]
    layers = list(model)
    at = next(i for i, layer in enumerate(layers) if layer is last)
    return _like(model, [*layers[:at], Dense(units, "relu"), *layers[at:]])


def _like(model: Module, layers: list[Module]) -> Module:
    """A `Sequential` of other layers that is compiled as `model` is."""
    made = Sequential(*layers)
    made._trainer = trainer_of(model).of(made)
    return made
