"""The options that all optimizers have, beside those of their formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from tarazu.base.hints.missing import keywords_of, unexpected_keyword
from tarazu.optim.constraints import Constraint
from tarazu.optim.groups import GroupOptions
from tarazu.optim.transformations import ClipByNorm, ClipByValue, ClipEachByNorm, Negate, Transformation


class Clipping(TypedDict, total=False):
    """What is done with gradients before all else, over all groups together."""

    clip_norm: float | None  # all gradients are scaled by one factor so that their norm together is at most this
    clip_parameter_norm: float | None  # the same for each parameter by itself
    clip_value: float | None  # elements are cut to the range from minus this to this
    maximize: bool  # steps go up


class Keeping(TypedDict, total=False):
    """What an optimizer keeps of its options, for copies and saved models."""

    groups: Mapping[str, GroupOptions] | None  # by patterns of paths
    constraint: Constraint | Mapping[str, Constraint] | None  # for all parameters, or by patterns of paths
    accumulate_steps: int  # gradients are averaged over so many steps, then there is one update
    steps_per_epoch: float  # updates in an epoch, for schedules in epochs; 0: not known, until `fit` sets it
    ema: float | None  # evaluation reads a running mean of the weights with this decay rate


class Options(Clipping, Keeping, total=False):
    """The options that all optimizers have."""


def require_known_options(optimizer: type, clipping: Mapping[str, object]) -> None:
    """TypeError for an argument that the optimizer does not take; of names of Keras and torch it says ours.

    >>> require_known_options(dict, {"clip_norm": 1.0})
    """
    for name in clipping.keys() - Clipping.__annotations__.keys():
        raise unexpected_keyword(optimizer.__name__, name, [*keywords_of(optimizer), *Options.__annotations__])


def front(*, clip_norm: float | None = None, clip_parameter_norm: float | None = None,
          clip_value: float | None = None, maximize: bool = False) -> list[Transformation]:
    """The transformations that begin the chains of all groups."""
    parts: list[Transformation] = [Negate()] if maximize else []
    if clip_value is not None:
        parts.append(ClipByValue(clip_value))
    if clip_parameter_norm is not None:
        parts.append(ClipEachByNorm(clip_parameter_norm))
    return parts if clip_norm is None else [*parts, ClipByNorm(clip_norm)]
