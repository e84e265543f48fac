"""Calls of a model with all its inputs: one tensor, several in a tuple or list, or some by name in a dict."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import listing, plural
from tarazu.base.pytree import map_leaves
from tarazu.nn.module.masked import Masked, fits, without_mask
from tarazu.nn.module.masks import keeping_masks
from tarazu.nn.module.module import Module

_POSITIONAL = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD


def call(model: Callable[..., Any], inputs: Any) -> Any:
    """The output of `model` for a tensor, for several in a tuple or list (`model(*inputs)`), or for a dict by name."""
    if isinstance(inputs, dict):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, tuple | list) else model(inputs)


def outputs_and_masks(forward: Callable[[], Any]) -> tuple[Any, Any]:
    """What `forward`, which calls a model, gives, and nested likewise the mask (batch, time) of each output, or None.

    A mask of another size than the output, as behind layers that change the time axis, is left out.
    """
    with keeping_masks():
        outputs = forward()
        masks = map_leaves(lambda x: x.mask if isinstance(x, Masked) and fits(x, x.mask) else None, outputs)
        return map_leaves(without_mask, outputs), masks


def takes_several(model: Module) -> bool:
    """Whether `forward` of the model has more than one input, so that a list of arrays is a list of inputs.

    Options, such as `mask=None` behind a star, are no inputs.
    """
    parameters = _inputs_of(model)
    kinds = [x.kind for x in parameters if x.kind in _POSITIONAL or x.default is x.empty]
    count = len(kinds) - kinds.count(inspect.Parameter.VAR_KEYWORD)
    return count > 1 or inspect.Parameter.VAR_POSITIONAL in kinds


def require_inputs_fit(model: Module, inputs: Any) -> None:
    """ArgumentError for a number of inputs, or for names, that `forward` of the model does not take."""
    parameters = _inputs_of(model)
    if isinstance(inputs, dict):
        _require_names(model, inputs, parameters)
        return
    count = len(inputs) if isinstance(inputs, tuple | list) else 1
    if not _fits(count, parameters):
        names = ", ".join(x.name for x in parameters)
        raise ArgumentError(f"x has {plural(count, 'input')}", expected=f"those of {_title(model)}: {names}",
                            fix="pass one array for each, in that order; rows of one array go into np.stack(x)")


_parameters: WeakKeyDictionary[Callable[..., Any], list[inspect.Parameter]] = WeakKeyDictionary()  # as it is slow


def _inputs_of(model: Module) -> list[inspect.Parameter]:
    function = getattr(model.forward, "__func__", None)  # None for one that the instance has for itself
    known = _parameters.get(function) if function is not None else None
    if known is None:
        known = list(inspect.signature(model.forward).parameters.values())
        if function is not None:
            _parameters[function] = known
    return known


def _fits(count: int, parameters: list[inspect.Parameter]) -> bool:
    if any(x.kind is inspect.Parameter.VAR_POSITIONAL for x in parameters):
        return True
    positional = [x for x in parameters if x.kind in _POSITIONAL]
    return sum(x.default is x.empty for x in positional) <= count <= len(positional)


def _require_names(model: Module, inputs: dict[str, Any], parameters: Iterable[inspect.Parameter]) -> None:
    named = [x for x in parameters if x.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)]
    missing = [x.name for x in named if x.default is x.empty and x.name not in inputs]
    if missing:
        raise ArgumentError(f"x is a dict without {listing(missing)}: it has {listing(map(str, inputs), 5)}",
                            expected=f"an array for each input of {_title(model)}",
                            fix="name the arrays as forward names its inputs; columns of one table go into one array: "
                                "np.column_stack(list(columns.values()))")
    unknown = [str(name) for name in inputs if name not in [x.name for x in named]]
    if unknown and not any(x.kind is inspect.Parameter.VAR_KEYWORD for x in parameters):
        raise ArgumentError(f"x has {listing(unknown)}, which {_title(model)} does not take",
                            expected=f"the inputs {listing(x.name for x in named)}", fix="leave them out")


def _title(model: Module) -> str:
    return f"{type(model).__name__}.forward"
