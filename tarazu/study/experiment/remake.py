"""A compiled model made again with new weights from the arguments that its layers were made with."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeAlias

from tarazu.nn.functional.recipe import Recipe
from tarazu.nn.module.module import Module
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.schedules.epochs import Schedule
from tarazu.optim.transformations import AddDecay
from tarazu.train.trainer.compile import compile, trainer_of

# Gives another layer in place of one, or None to make that again as it was.
Replacement: TypeAlias = Callable[[Module], Module | None]


def remade(model: Module, replacement: Replacement = lambda layer: None, **options: Any) -> Module:
    """A compiled model like `model`, with new weights, compiled alike; `options` are of its weight decay and rate.

    Layers without parameters that are trained are copied, with what they were fitted to. TrainingError for a model that
    is not compiled.
    """
    trainer = trainer_of(model)
    made = _Maker(replacement).module(model)
    optimizer = None if trainer.optimizer is None else remade_optimizer(trainer.optimizer, **options)
    compile(made, optimizer, trainer.given_loss, trainer.given_metrics, trainer.precision,
            None if options.get("weight_decay") == 0 else trainer.regularizer)
    return made


class _Maker:
    """Makes modules, each once, so that layers that are shared stay shared."""

    def __init__(self, replacement: Replacement) -> None:
        self._replacement = replacement
        self._made: dict[int, Module] = {}

    def module(self, module: Module) -> Module:
        if id(module) not in self._made:
            self._made[id(module)] = self._replacement(module) or self._again(module)
        return self._made[id(module)]

    def _again(self, module: Module) -> Module:
        if module._is_built and not any(p.requires_grad for p in module.parameters()):
            return copy.deepcopy(module)
        args, kwargs = module._arguments
        return type(module)(*map(self._value, args), **{name: self._value(value) for name, value in kwargs.items()})

    def _value(self, value: Any) -> Any:  # an argument of any kind
        if isinstance(value, Module):
            return self.module(value)
        if isinstance(value, Recipe):
            return value.holding([self.module(layer) for layer in value.layers], copy.deepcopy(value.constants))
        if type(value) in (list, tuple):
            return type(value)(map(self._value, value))
        if type(value) is dict:
            return {name: self._value(item) for name, item in value.items()}
        return value


def remade_optimizer(optimizer: Optimizer, *, weight_decay: float | None = None, rate_factor: float = 1.0) -> Optimizer:
    """An optimizer like `optimizer` without parameters and state, with another weight decay and a multiple of its rate.

    A `weight_decay` of 0 takes all decay away; another one is decoupled from the gradient, as in AdamW (Loshchilov and
    Hutter, 2019), whatever the optimizer.
    """
    options, makes_chain, chain = optimizer.kept_options, optimizer.makes_chain, copy.deepcopy(optimizer.chain)
    if weight_decay is not None:
        decay = [AddDecay(weight_decay)] if weight_decay else []
        chain, makes_chain = (*(part for part in chain if not isinstance(part, AddDecay)), *decay), None
        options["groups"] = {pattern: {name: x for name, x in group.items() if name != "weight_decay"}
                             for pattern, group in (options["groups"] or {}).items()}
    made = object.__new__(type(optimizer))
    Optimizer.set_up(made, chain, makes_chain, options, _rate(optimizer, rate_factor))
    plain = vars(Optimizer(None, 0.0, ())).keys()
    vars(made).update({name: copy.deepcopy(x) for name, x in vars(optimizer).items() if name not in plain})
    return made


def decay_of(optimizer: Optimizer | None) -> float:
    """The largest weight decay of an optimizer's parameters; 0 without one."""
    chain = () if optimizer is None else optimizer.chain
    return max((part.weight_decay.item() for part in chain if isinstance(part, AddDecay)), default=0.0)


def _rate(optimizer: Optimizer, factor: float) -> float | Schedule:
    schedule = optimizer._schedule
    if schedule is None:
        return factor * optimizer.lr.item()
    return schedule if factor == 1 else lambda step: factor * schedule(step)
