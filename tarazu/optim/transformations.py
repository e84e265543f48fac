"""The transformations that optimizers are chained from: each turns gradients, or the updates before it, into updates.

A transformation has hyper-parameters, which are tensors, and slots, tensors that it keeps for each parameter. Both are
state: a change of either needs no new trace. In formulas g is the gradient, or the update of the transformation before.
Here are what all transformations are, clipping, decay and momentum; adaptive.py has Adam's and those like it,
matrices.py those that treat matrices otherwise.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.ops.create import zeros_like
from tarazu.ops.elementwise import add, clip, minimum, sqrt, square, where
from tarazu.ops.promote import single
from tarazu.ops.reduce import sum
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import GuardedAttributes

Slots: TypeAlias = dict[str, Tensor]

_RANGES: dict[str, Callable[[float], bool]] = {
    "of at least 0": lambda value: 0 <= value < math.inf, "above 0": lambda value: 0 < value < math.inf,
    "from 0 to 1": lambda value: 0 <= value <= 1, "from 0 up to but not with 1": lambda value: 0 <= value < 1,
    "between 0 and 1": lambda value: 0 < value < 1}


def hyper_parameter(name: str, value: object, range: str = "of at least 0", *, example: object) -> Tensor:
    """`value` as a scalar tensor; ArgumentError unless it is a number in the range."""
    if not isinstance(value, int | float | np.number) or not _RANGES[range](float(value)):
        raise ArgumentError(f"{name}={value!r}", expected=f"a number {range}", fix=f"pass for example {name}={example}")
    return tensor(float(value))


class Transformation(GuardedAttributes):
    """A part of an optimizer's chain. Subclasses write `update`, and `slots` if they keep tensors for each parameter.

    >>> import tarazu as tz
    >>> class Average(tz.optim.Transformation):
    ...     def slots(self, parameter):
    ...         return {"mean": tz.zeros_like(parameter)}
    ...     def update(self, g, parameter, slots, step):
    ...         return slots["mean"].copy_(0.5 * slots["mean"] + 0.5 * g)
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> optimizer = tz.optim.Optimizer([w], lr=0.5, chain=[Average()])
    >>> optimizer.apply_gradients([(tz.tensor([1.0]), w)])
    >>> w
    Tensor([0.75], dtype=float32, requires_grad=True)
    """

    def slots(self, parameter: Tensor) -> Slots:
        """New tensors to keep for `parameter`, by name; none unless a subclass says so."""
        return {}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        """The update of one parameter, of its shape; `step` is the number of the step, from 1, as a float scalar.

        Raises NotImplementedError unless a subclass writes it.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update method")

    def update_all(self, gradients: list[Tensor], parameters: Sequence[Tensor], slots: Sequence[Slots],
                   step: Tensor) -> list[Tensor]:
        """The updates of all parameters; overridden by what needs all gradients together, such as their norm."""
        return [self.update(g, p, s, step) for g, p, s in zip(gradients, parameters, slots, strict=True)]

    def hyper_parameters(self) -> dict[str, Tensor]:
        """The tensors among its attributes, by name: part of the optimizer's state."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}


class ClipByNorm(Transformation):
    """Scales all gradients by one factor so that their norm together is at most `clip_norm`.

    Pascanu, Mikolov and Bengio, 2013.
    """

    def __init__(self, clip_norm: float) -> None:
        self.clip_norm = hyper_parameter("clip_norm", clip_norm, "above 0", example=1.0)

    def update_all(self, gradients: list[Tensor], parameters: Sequence[Tensor], slots: Sequence[Slots],
                   step: Tensor) -> list[Tensor]:
        norm = sqrt(functools.reduce(add, [sum(square(single(g))) for g in gradients]))
        factor = minimum(self.clip_norm / norm, 1.0)  # with norm 0: inf, so 1
        return [g * factor for g in gradients]


class ClipEachByNorm(Transformation):
    """Scales the gradient of each parameter by itself so that its norm is at most `clip_parameter_norm`."""

    def __init__(self, clip_parameter_norm: float) -> None:
        self.clip_parameter_norm = hyper_parameter("clip_parameter_norm", clip_parameter_norm, "above 0", example=1.0)

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        return g * minimum(self.clip_parameter_norm / sqrt(sum(square(single(g)))), 1.0)


class ClipByValue(Transformation):
    """Each element of the gradients cut to the range from -clip_value to clip_value."""

    def __init__(self, clip_value: float) -> None:
        self.clip_value = hyper_parameter("clip_value", clip_value, "above 0", example=0.5)

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        return clip(g, -self.clip_value, self.clip_value)


class Negate(Transformation):
    """-g: steps then go up."""

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        return -g


class AddDecay(Transformation):
    """g + weight_decay * parameter: the gradient of an L2 penalty."""

    def __init__(self, weight_decay: float) -> None:
        self.weight_decay = hyper_parameter("weight_decay", weight_decay, example=0.01)

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        return g + self.weight_decay * parameter


class Momentum(Transformation):
    """v = momentum * v + (1 - dampening) g; the update is v, or with `nesterov` g + momentum * v.

    Sutskever and others, 2013. In the first step v is g, as in torch, whatever the dampening.
    """

    def __init__(self, momentum: float, nesterov: bool = False, dampening: float = 0.0) -> None:
        self.momentum = hyper_parameter("momentum", momentum, "from 0 to 1", example=0.9)
        self._nesterov = nesterov
        self._is_damped = dampening != 0
        if self._is_damped:
            self.dampening = hyper_parameter("dampening", dampening, "from 0 to 1", example=0.1)

    def slots(self, parameter: Tensor) -> Slots:
        return {"velocity": zeros_like(parameter)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        added = where(step > 1, 1.0 - self.dampening, 1.0) * g if self._is_damped else g
        velocity = slots["velocity"].copy_(self.momentum * slots["velocity"] + added)
        return g + self.momentum * velocity if self._nesterov else velocity
