"""The parts that optimisers are chained from: each turns gradients into better steps.

A transformation has hyper-parameters, which are tensors, and slots, tensors that it keeps for each parameter. Both are state:
a change of either needs no new trace. Formulas use g for the gradient, as it comes from the part before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.ops.create import zeros_like
from tarazu.ops.elementwise import minimum, sqrt, square
from tarazu.ops.reduce import sum
from tarazu.runtime.tensor import Tensor, tensor

Slots = dict[str, Tensor]


def hyper_parameter(name: str, value: float, *, low: float = 0.0, high: float = float("inf")) -> Tensor:
    """A checked number as a scalar tensor."""
    if not isinstance(value, int | float) or not low <= value <= high:
        bounds = f"from {low:g} to {high:g}" if high != float("inf") else f"of at least {low:g}"
        raise ArgumentError(f"{name}={value!r}", expected=f"a number {bounds}", fix=f"pass for example {name}={max(low, 0.001):g}")
    return tensor(float(value))


class Transformation:
    """A step of a chain. Subclasses write `update`, and `slots` when they keep something for each parameter."""

    def slots(self, parameter: Tensor) -> Slots:
        """New tensors to keep for `parameter`."""
        return {}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        """The step to pass on for one parameter; `step` counts from 1, as a float."""
        raise NotImplementedError

    def update_all(self, gradients: list[Tensor], parameters: Sequence[Tensor], slots: Sequence[Slots], step: Tensor) -> list[Tensor]:
        """The steps for all parameters; written anew by what has to see them together."""
        return [self.update(g, p, s, step) for g, p, s in zip(gradients, parameters, slots, strict=True)]

    def hyper_parameters(self) -> dict[str, Tensor]:
        """The tensors that steer it, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}


class ClipByNorm(Transformation):
    """Scales all gradients by one factor so that their norm together is at most `clip_norm` (Pascanu, Mikolov and Bengio, 2013)."""

    def __init__(self, clip_norm: float) -> None:
        self.clip_norm = hyper_parameter("clip_norm", clip_norm)

    def update_all(self, gradients: list[Tensor], parameters: Sequence[Tensor], slots: Sequence[Slots], step: Tensor) -> list[Tensor]:
        total: Any = 0.0
        for g in gradients:
            total = total + sum(square(g))
        factor = minimum(self.clip_norm / sqrt(total), 1.0)  # with norm 0: inf, so 1
        return [g * factor for g in gradients]


class AddDecay(Transformation):
    """g + weight_decay * parameter: the gradient of an L2 penalty."""

    def __init__(self, weight_decay: float) -> None:
        self.weight_decay = hyper_parameter("weight_decay", weight_decay)

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        return g + self.weight_decay * parameter


class Momentum(Transformation):
    """v = momentum * v + g; the step is v, or g + momentum * v with `nesterov` (Sutskever, Martens, Dahl and Hinton, 2013)."""

    def __init__(self, momentum: float, nesterov: bool) -> None:
        self.momentum, self._nesterov = hyper_parameter("momentum", momentum, high=1.0), nesterov

    def slots(self, parameter: Tensor) -> Slots:
        return {"velocity": zeros_like(parameter)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        velocity = slots["velocity"].copy_(self.momentum * slots["velocity"] + g)
        return g + self.momentum * velocity if self._nesterov else velocity


class ScaleByAdam(Transformation):
    """Mean over root of mean square of the gradients, both with decaying weights and corrected for their start at 0.

    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, step m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
    (Kingma and Ba, 2015, with its defaults).
    """

    def __init__(self, betas: tuple[float, float], epsilon: float) -> None:
        self.beta1, self.beta2 = (hyper_parameter("betas", beta, high=1.0) for beta in betas)
        self.epsilon = hyper_parameter("epsilon", epsilon)

    def slots(self, parameter: Tensor) -> Slots:
        return {"mean": zeros_like(parameter), "square": zeros_like(parameter)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        m = slots["mean"].copy_(self.beta1 * slots["mean"] + (1.0 - self.beta1) * g)
        v = slots["square"].copy_(self.beta2 * slots["square"] + (1.0 - self.beta2) * square(g))
        return m / (1.0 - self.beta1**step) / (sqrt(v / (1.0 - self.beta2**step)) + self.epsilon)


class ScaleByRms(Transformation):
    """The gradient over the root of the decaying mean of its square: v = rho v + (1 - rho) g^2, step g / (sqrt(v) + epsilon).

    Tieleman and Hinton, Lecture 6.5 of "Neural Networks for Machine Learning", 2012, with its rho of 0.9.
    """

    def __init__(self, rho: float, epsilon: float) -> None:
        self.rho, self.epsilon = hyper_parameter("rho", rho, high=1.0), hyper_parameter("epsilon", epsilon)

    def slots(self, parameter: Tensor) -> Slots:
        return {"square": zeros_like(parameter)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        v = slots["square"].copy_(self.rho * slots["square"] + (1.0 - self.rho) * square(g))
        return g / (sqrt(v) + self.epsilon)
