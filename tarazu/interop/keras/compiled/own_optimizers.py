"""Optimizers of Keras whose steps are not those of `tz.optim`: epsilon stands under the root."""

from __future__ import annotations

from functools import partial
from typing import Unpack

from tarazu.ops.elementwise import sqrt
from tarazu.optim.adaptive import ScaleByAdagrad, ScaleByRms
from tarazu.optim.groups import Params
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.options import Options
from tarazu.optim.schedules.epochs import Schedule
from tarazu.optim.transformations import Momentum, Transformation
from tarazu.runtime.tensor.tensor import Tensor


class ScaleByRmsOfKeras(ScaleByRms):
    """`ScaleByRms` as g / sqrt(v + epsilon)."""

    def scaled(self, g: Tensor, v: Tensor) -> Tensor:
        return g / sqrt(v + self.epsilon)


class ScaleByAdagradOfKeras(ScaleByAdagrad):
    """`ScaleByAdagrad` as g / sqrt(s + epsilon)."""

    def scaled(self, g: Tensor, s: Tensor) -> Tensor:
        return g / sqrt(s + self.epsilon)


class KerasRMSprop(Optimizer):
    """`tz.optim.RMSprop` with epsilon under the root. ArgumentError for a number out of its range.

    >>> KerasRMSprop(lr=0.1)
    KerasRMSprop(lr=0.1, chain=[ScaleByRmsOfKeras], parameters=0)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.001, *, rho: float = 0.9,
                 epsilon: float = 1e-7, momentum: float = 0.0, centered: bool = False, **options: Unpack[Options]
                 ) -> None:
        super().__init__(params, lr, partial(_rmsprop, rho=rho, epsilon=epsilon, momentum=momentum, centered=centered),
                         **options)


def _rmsprop(rho: float, epsilon: float, momentum: float, centered: bool) -> list[Transformation]:
    scaled = ScaleByRmsOfKeras(rho, epsilon, centered)
    return [scaled, Momentum(momentum)] if momentum else [scaled]


class KerasAdagrad(Optimizer):
    """`tz.optim.Adagrad` with epsilon under the root. ArgumentError for a number out of its range.

    >>> KerasAdagrad(lr=0.1)
    KerasAdagrad(lr=0.1, chain=[ScaleByAdagradOfKeras], parameters=0)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.001, *, initial_sum: float = 0.1,
                 epsilon: float = 1e-7, **options: Unpack[Options]) -> None:
        super().__init__(params, lr, partial(_adagrad, initial_sum=initial_sum, epsilon=epsilon), **options)


def _adagrad(initial_sum: float, epsilon: float) -> list[Transformation]:
    return [ScaleByAdagradOfKeras(initial_sum, epsilon)]
