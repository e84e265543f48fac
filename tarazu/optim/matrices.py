"""Transformations that look at a parameter as a whole: at its norm, its rows and columns, its singular values."""

from __future__ import annotations

import math

from tarazu.base.checks import positive_int
from tarazu.ops.contract import matmul
from tarazu.ops.create import zeros_like
from tarazu.ops.elementwise import logical_and, maximum, minimum, sqrt, square, where
from tarazu.ops.promote import single
from tarazu.ops.reduce import mean, sum
from tarazu.ops.shape import reshape, swapaxes
from tarazu.optim.transformations import Momentum, Slots, Transformation, hyper_parameter
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.tensor import Tensor

NEWTON_SCHULZ = 3.4445, -4.775, 2.0315  # Jordan and others, 2024: steep at 0, so that five steps are enough
_AXES = {"rows": -1, "columns": -2}  # along which Adafactor takes means
FLOAT32_EPSILON = 2.0**-23  # torch's least divisor in Adafactor


class ScaleByTrust(Transformation):
    """g times the norm of the parameter over its own; times 1 where either is 0 (You and others, 2020, "LAMB")."""

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        own, wanted = (sqrt(sum(square(single(x)))) for x in (g, parameter))
        return g * where(logical_and(own > 0.0, wanted > 0.0), wanted / where(own > 0.0, own, 1.0), 1.0)


class NeedsRate(Transformation):
    """A transformation that has to know the learning rate: the optimizer writes it into `rate` before each step."""

    def __init__(self) -> None:
        self.rate = tensor(0.0)


class ScaleByFactors(NeedsRate):
    """g over the root of its running mean square, of which a matrix keeps means of rows and of columns only.

    Shazeer and Stern, 2018, "Adafactor", in the form of torch: the mean square of step t takes t ** beta2_decay of
    g^2; the update is divided by its root mean square over `clip_rms` where that is above 1, and multiplied by that of
    the parameter, at least `least_rms`, and by min(1, 1 / (rate sqrt(t))). Axes before the last two stay apart.
    """

    def __init__(self, beta2_decay: float, clip_rms: float, least_rms: float) -> None:
        super().__init__()
        self.beta2_decay = -hyper_parameter("-beta2_decay", -beta2_decay, example=0.8)
        self.clip_rms = hyper_parameter("clip_rms", clip_rms, "above 0", example=1.0)
        self.least_rms = hyper_parameter("least_rms", least_rms, example=1e-3)

    def slots(self, parameter: Tensor) -> Slots:
        if parameter.ndim < 2:
            return {"square": zeros_like(parameter)}
        return {name: zeros_like(mean(parameter, axis, keepdims=True)) for name, axis in _AXES.items()}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        share = step**self.beta2_decay

        def follow(name: str, value: Tensor) -> Tensor:
            return slots[name].copy_(slots[name] + share * (value - slots[name]))

        if g.ndim < 2:
            v = follow("square", square(g))
        else:
            rows, columns = (follow(name, mean(square(g), axis, keepdims=True)) for name, axis in _AXES.items())
            v = rows * columns / maximum(mean(rows, -2, keepdims=True), FLOAT32_EPSILON)
        update = g / sqrt(maximum(v, FLOAT32_EPSILON**2))
        size = maximum(self.least_rms, _rms(parameter)) * minimum(1.0, 1.0 / (self.rate * sqrt(step)))
        return update * (size / maximum(1.0, _rms(update) / self.clip_rms))


def _rms(x: Tensor) -> Tensor:
    return sqrt(mean(square(single(x))))


class Orthogonalize(Momentum):
    """The momentum of a matrix with its singular values made about 1 (Jordan and others, 2024, "Muon").

    v = momentum v + (1 - momentum) g, with `nesterov` (1 - momentum) g + momentum v in its place; then `iterations` of
    Newton-Schulz, and times 0.2 sqrt(larger side), by which elements are as large as Adam's (Liu and others, 2025). A
    parameter of more than two axes is a matrix of its last axis and all others.
    """

    def __init__(self, momentum: float, nesterov: bool, iterations: int) -> None:
        super().__init__(momentum, nesterov)
        self._iterations = positive_int("iterations", iterations)

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        direction = super().update((1.0 - self.momentum) * g, parameter, slots, step)
        matrix = reshape(direction, (-1, g.shape[-1]))
        return reshape(self._orthogonal(matrix), g.shape) * (0.2 * math.sqrt(max(matrix.shape)))

    def _orthogonal(self, matrix: Tensor) -> Tensor:
        is_tall = matrix.shape[0] > matrix.shape[1]
        x = swapaxes(matrix, 0, 1) if is_tall else matrix  # the products of rows are then the smaller ones
        x = x / maximum(sqrt(sum(square(x))), 1e-7)
        a, b, c = NEWTON_SCHULZ
        for _ in range(self._iterations):
            products = matmul(x, swapaxes(x, 0, 1))
            x = a * x + matmul(b * products + c * matmul(products, products), x)
        return swapaxes(x, 0, 1) if is_tall else x


class ForMatrices(Transformation):
    """One transformation for parameters of two and more axes, another for those of fewer."""

    def __init__(self, matrices: Transformation, others: Transformation) -> None:
        self.matrices, self.others = matrices, others

    def _part(self, parameter: Tensor) -> Transformation:
        return self.matrices if parameter.ndim > 1 else self.others

    def slots(self, parameter: Tensor) -> Slots:
        return self._part(parameter).slots(parameter)

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        return self._part(parameter).update(g, parameter, slots, step)

    def hyper_parameters(self) -> dict[str, Tensor]:
        return self.matrices.hyper_parameters() | self.others.hyper_parameters()


class AverageOfSteps(NeedsRate):
    """Gradients at a point between the weights that step and their average (Defazio and others, 2024).

    z = z - rate * g steps, x is the average of all z, weighted by the square of the largest rate so far, and the
    parameter is y = (1 - beta1) z + beta1 x. The update is what moves y there; x is for evaluation.
    """

    def __init__(self, beta1: float) -> None:
        super().__init__()
        self.beta1 = hyper_parameter("betas", beta1, "between 0 and 1", example=(0.9, 0.999))

    def slots(self, parameter: Tensor) -> Slots:
        return {"stepped": parameter.clone(), "largest_rate": tensor(0.0), "weights": tensor(0.0)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        weight = square(slots["largest_rate"].copy_(maximum(slots["largest_rate"], self.rate)))
        total = slots["weights"].copy_(slots["weights"] + weight)
        share = where(total > 0.0, weight / where(total > 0.0, total, 1.0), 0.0)
        z, rate = slots["stepped"], where(self.rate > 0.0, self.rate, 1.0)
        update = g * (1.0 - self.beta1 * (1.0 - share)) - (z - parameter) * (share / rate)
        z.sub_(self.rate * g)
        return update

    def average(self, parameter: Tensor, slots: Slots) -> Tensor:
        """x, from y and z."""
        return (parameter - (1.0 - self.beta1) * slots["stepped"]) / self.beta1
