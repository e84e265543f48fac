"""What `compile` was told, and the state of the optimizer, as JSON content with tensors beside it, and back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.state_dicts import part_of, require_same_state
from tarazu.nn.module.module import Module
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.transformations import Transformation
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.save.checked import Noted
from tarazu.train.save.content import JSON, Describer, Maker
from tarazu.train.save.names import Finder, NotAllowedError, require_plain_name
from tarazu.train.trainer.compile import compile
from tarazu.train.trainer.trainer import Trainer, same_objects

_PARTS = "optimizer", "schedule", "group_options", "loss", "metrics", "precision", "regularizer"


def _optimizers(trainer: Trainer) -> list[tuple[str, Optimizer]]:
    """The optimizers, with what the names of their states begin with."""
    own = [(f"optimizer.own.{path}.", one) for path, one in trainer.model.own_optimizers().items()]
    return own if trainer.optimizer is None else [("optimizer.", trainer.optimizer), *own]


def training_state(trainer: Trainer) -> list[tuple[str, Tensor]]:
    """All tensors by which a training goes on, beside those of the model, with their names."""
    state: list[tuple[str, Tensor]] = []
    for prefix, optimizer in _optimizers(trainer):
        goes_on = optimizer is not trainer.optimizer or _is_attached(trainer, optimizer)
        named = optimizer.named_state() if goes_on else _hyper_parameters(optimizer)
        state += [(prefix + name, x) for name, x in named]
    return [*state, *((f"loss_scale.{i}", x) for i, x in enumerate(trainer.loss_scale.state()))]


def _is_attached(trainer: Trainer, optimizer: Optimizer) -> bool:
    """Whether the optimizer goes on from its state: not before the first fit, nor once the model has other weights."""
    own = [x for _, x in trainer.model.named_parameters()]
    return optimizer.was_given_parameters or (bool(own) and same_objects(own, optimizer.parameters))


def _hyper_parameters(optimizer: Optimizer) -> list[tuple[str, Tensor]]:
    """What an optimizer has before it has parameters, but for the step count, which starts with them."""
    names = dict(Optimizer(None, 0.0, optimizer.chain).named_state()).keys() - {"step_count"}
    return [(name, x) for name, x in optimizer.named_state() if name in names]


def describe_training(model: Module, noted: Noted) -> JSON:
    """What `compile` was told; None, with a warning in `noted`, where something of it cannot be saved."""
    trainer = model._trainer
    if trainer is None:
        return None
    own = Noted()
    try:
        content = _described(model, trainer, own)
        _make_parts(content, own.finder())
        for thing in own.objects.values():
            noted(thing)
    except ArgumentError as error:
        noted.warnings.append(
            f"saved without what compile() was told, as {error.problem}: a loaded model has to be compiled before "
            "fit\n  to mend it: define functions at the top level of a module, or pass optimizer=False to save")
        return None
    return content


def _described(model: Module, trainer: Trainer, note: Noted) -> JSON:
    describer = Describer(lambda value: _reference(value, describer), note)
    optimizer = trainer.optimizer
    has_state = optimizer is not None and _is_attached(trainer, optimizer)
    return {"optimizer": describer.describe(optimizer),
            "schedule": describer.describe(None if optimizer is None else optimizer._schedule),
            "parameters": _paths(model, optimizer) if optimizer is not None and has_state else None,
            "was_given_parameters": optimizer is not None and optimizer.was_given_parameters,
            "group_options": describer.describe([] if optimizer is None else optimizer.options_given),
            "regularizer": describer.describe(trainer.regularizer),
            "loss": describer.describe(trainer.given_loss), "metrics": describer.describe(trainer.given_metrics),
            "precision": trainer.precision, "split_seed": trainer.split_seed}


def _reference(value: Any, describer: Describer) -> JSON:
    if not isinstance(value, Optimizer | Transformation):
        return None
    # The attributes that each optimizer has are restored in other ways.
    restored = vars(Optimizer(None, 0.0, ())).keys() if isinstance(value, Optimizer) else ()
    content = {"object": describer.name(type(value)),
               "attributes": {key: describer.describe(x) for key, x in vars(value).items() if key not in restored}}
    if isinstance(value, Transformation):
        return content
    makes_chain = value.makes_chain if value.kept_options["groups"] or any(value.options_given) else None
    return content | {"chain": describer.describe(value.chain), "makes_chain": describer.describe(makes_chain),
                      "kept_options": describer.describe(value.kept_options)}


def _paths(model: Module, optimizer: Optimizer) -> list[str]:
    """Where the model has the optimizer's parameters; NotAllowedError for one that it does not have."""
    paths = {id(x): path for path, x in model.named_tensors()}
    for x in optimizer.parameters:
        if id(x) not in paths:
            raise NotAllowedError("the optimizer was given parameters that are not the model's")
    return [paths[id(x)] for x in optimizer.parameters]


def _make_parts(content: JSON, finder: Finder) -> dict[str, Any]:
    """The optimizer, without parameters, and what else `compile` takes."""
    maker = Maker(finder, lambda part: _construct(part, maker))
    return {name: maker.make(content[name]) for name in _PARTS}


def _construct(content: dict[str, JSON], maker: Maker) -> Any:
    if "object" not in content:
        return NotImplemented
    kind = maker.finder.class_of(content["object"], (Optimizer, Transformation))
    made = object.__new__(kind)
    if issubclass(kind, Optimizer):
        chain, makes_chain, options = (maker.make(content[key]) for key in ("chain", "makes_chain", "kept_options"))
        if makes_chain is not None and not isinstance(makes_chain, partial):  # partial calls are of our own functions
            raise NotAllowedError("a function of others that makes a chain of transformations")
        Optimizer.set_up(made, chain, makes_chain, options)
    for name, value in content["attributes"].items():
        require_plain_name(made, name)
        vars(made)[name] = maker.make(value)
    return made


def restore_training(model: Module, content: JSON, arrays: Mapping[str, np.ndarray], finder: Finder) -> None:
    """Compile `model` as it was when it was saved, with the optimizer's state.

    NotAllowedError for names that may not be used, ArgumentError or ShapeError for a state that does not fit.
    """
    parts = _make_parts(content, finder)
    optimizer = parts["optimizer"]
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise NotAllowedError(f"a {type(optimizer).__name__} where the optimizer belongs")
    compile(model, optimizer, parts["loss"], parts["metrics"], parts["precision"], parts["regularizer"])
    tensors = dict(model.named_tensors())
    if optimizer is not None and content["parameters"] is not None:
        optimizer.attach([{"params": [(path, tensors[path])], **options}
                          for path, options in zip(content["parameters"], parts["group_options"], strict=True)])
    if optimizer is not None:
        optimizer._schedule, optimizer.was_given_parameters = parts["schedule"], content["was_given_parameters"]
    model._trainer.split_seed = content["split_seed"]
    for prefix, each in _optimizers(model._trainer):
        each.have_room_for(part_of(arrays, prefix))
    own = dict(training_state(model._trainer))
    require_same_state("optimizer", own, arrays)
    with no_grad():
        for name, x in own.items():
            x.copy_(arrays[name])
