"""The transformations that optimizers are chained from: each turns gradients, or the updates before it, into updates.

A transformation has hyper-parameters, which are tensors, and slots, tensors that it keeps for each parameter. Both are
state: a change of either needs no new trace. In formulas g is the gradient, or the update of the transformation before.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.ops.create import zeros_like
from tarazu.ops.elementwise import add, minimum, sqrt, square
from tarazu.ops.promote import single
from tarazu.ops.reduce import sum
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import GuardedAttributes

Slots: TypeAlias = dict[str, Tensor]

_RANGES: dict[str, Callable[[float], bool]] = {
    "of at least 0": lambda value: 0 <= value < math.inf, "above 0": lambda value: 0 < value < math.inf,
    "from 0 to 1": lambda value: 0 <= value <= 1, "from 0 up to but not with 1": lambda value: 0 <= value < 1}


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


class AddDecay(Transformation):
    """g + weight_decay * parameter: the gradient of an L2 penalty."""

    def __init__(self, weight_decay: float) -> None:
        self.weight_decay = hyper_parameter("weight_decay", weight_decay, example=0.01)

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        return g + self.weight_decay * parameter


class Momentum(Transformation):
    """v = momentum * v + g; the update is v, or with `nesterov` g + momentum * v (Sutskever and others, 2013)."""

    def __init__(self, momentum: float, nesterov: bool) -> None:
        self.momentum = hyper_parameter("momentum", momentum, "from 0 to 1", example=0.9)
        self._nesterov = nesterov

    def slots(self, parameter: Tensor) -> Slots:
        return {"velocity": zeros_like(parameter)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        velocity = slots["velocity"].copy_(self.momentum * slots["velocity"] + g)
        return g + self.momentum * velocity if self._nesterov else velocity


class ScaleByAdam(Transformation):
    """Mean over root of mean square of the gradients, both with decaying weights and corrected for their start at 0.

    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, and the update is
    m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) (Kingma and Ba, 2015), multiplied above and below by
    sqrt(1 - beta2^t), so that there is one division for each element.
    """

    def __init__(self, betas: tuple[float, float], epsilon: float) -> None:
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ArgumentError(f"betas={betas!r}", expected="two numbers", fix="pass for example betas=(0.9, 0.999)")
        self.beta1, self.beta2 = (
            hyper_parameter("betas", beta, "from 0 up to but not with 1", example=(0.9, 0.999)) for beta in betas)
        self.epsilon = hyper_parameter("epsilon", epsilon, example=1e-8)

    def slots(self, parameter: Tensor) -> Slots:
        return {"mean": zeros_like(parameter), "square": zeros_like(parameter)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        m = slots["mean"].copy_(self.beta1 * slots["mean"] + (1.0 - self.beta1) * g)
        v = slots["square"].copy_(self.beta2 * slots["square"] + (1.0 - self.beta2) * square(g))
        root = sqrt(1.0 - self.beta2**step)
        return m * (root / (1.0 - self.beta1**step)) / (sqrt(v) + self.epsilon * root)


class ScaleByRms(Transformation):
    """The gradient over the root of its running mean square: v = rho v + (1 - rho) g^2, g / (sqrt(v) + epsilon).

    Tieleman and Hinton, Lecture 6.5 of "Neural Networks for Machine Learning", 2012.
    """

    def __init__(self, rho: float, epsilon: float) -> None:
        self.rho = hyper_parameter("rho", rho, "from 0 up to but not with 1", example=0.9)
        self.epsilon = hyper_parameter("epsilon", epsilon, example=1e-8)

    def slots(self, parameter: Tensor) -> Slots:
        return {"square": zeros_like(parameter)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        v = slots["square"].copy_(self.rho * slots["square"] + (1.0 - self.rho) * square(g))
        return g / (sqrt(v) + self.epsilon)
