"""The optimizers of gradient descent with momentum and of adaptive rates, each a chain of transformations.

Each chain is made by a function of the optimizer's arguments, which groups of parameters call with their own.
"""

from __future__ import annotations

from functools import partial
from typing import Unpack

from tarazu.base.errors import ArgumentError
from tarazu.optim.adaptive import (
    ScaleByAdadelta,
    ScaleByAdagrad,
    ScaleByAdam,
    ScaleByAdamax,
    ScaleByNadam,
    ScaleByRadam,
    ScaleByRms,
)
from tarazu.optim.groups import Params
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.options import Options
from tarazu.optim.schedules.epochs import Schedule
from tarazu.optim.transformations import AddDecay, Momentum, Transformation

Betas = tuple[float, float]


def with_decay(weight_decay: float, part: Transformation) -> list[Transformation]:
    """The gradient of an L2 penalty is added to gradients, before `part`."""
    return [AddDecay(weight_decay), part] if weight_decay else [part]


def then_decay(weight_decay: float, part: Transformation) -> list[Transformation]:
    """weight_decay * parameter is added to updates, after `part`: decay of weights apart from the gradient."""
    return [part, AddDecay(weight_decay)] if weight_decay else [part]


class SGD(Optimizer):
    """Stochastic gradient descent: parameter -= lr * g (Robbins and Monro, 1951).

    With `momentum` v = momentum * v + (1 - dampening) * g in place of g (Polyak, 1964), and g alone in the first step;
    with `nesterov` too g + momentum * v (Sutskever and others, 2013). `weight_decay` adds weight_decay * parameter to g
    before. lr=0.01 is Keras's default. The options of `Optimizer` are those of every optimizer. ArgumentError for a
    number out of its range, for nesterov without momentum or with dampening.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.SGD([w], lr=0.25).step()
    >>> w
    Tensor([0.5], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.01, *, momentum: float = 0.0,
                 nesterov: bool = False, dampening: float = 0.0, weight_decay: float = 0.0,
                 **options: Unpack[Options]) -> None:
        chain = partial(_sgd, momentum=momentum, nesterov=nesterov, dampening=dampening, weight_decay=weight_decay)
        super().__init__(params, lr, chain, **options)


def _sgd(momentum: float, nesterov: bool, dampening: float, weight_decay: float) -> list[Transformation]:
    if nesterov and not momentum:
        raise ArgumentError("nesterov=True with momentum=0", expected="a momentum above 0", fix="pass momentum=0.9")
    if nesterov and dampening:
        raise ArgumentError(f"nesterov=True with dampening={dampening!r}", expected="no dampening",
                            fix="leave one of the two out")
    decay: list[Transformation] = [AddDecay(weight_decay)] if weight_decay else []
    return [*decay, Momentum(momentum, nesterov, dampening)] if momentum else decay


class Adam(Optimizer):
    """Running mean over the root of the running mean square of the gradient (Kingma and Ba, 2015, with its defaults).

    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g ** 2, parameter -= lr * m' / (sqrt(v') + epsilon), where
    m' = m / (1 - beta1 ** t) and v' = v / (1 - beta2 ** t) in step t make up for the start at 0. With `amsgrad` the
    largest v so far is in its place (Reddi, Kale and Kumar, 2018); `weight_decay` changes g as in `SGD`. ArgumentError
    for a number out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.Adam([w], lr=0.25).step()
    >>> w
    Tensor([0.75], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.001, *, betas: Betas = (0.9, 0.999),
                 epsilon: float = 1e-8, weight_decay: float = 0.0, amsgrad: bool = False,
                 **options: Unpack[Options]) -> None:
        chain = partial(_adam, betas=betas, epsilon=epsilon, weight_decay=weight_decay, amsgrad=amsgrad)
        super().__init__(params, lr, chain, **options)


def _adam(betas: Betas, epsilon: float, weight_decay: float, amsgrad: bool) -> list[Transformation]:
    return with_decay(weight_decay, ScaleByAdam(betas, epsilon, amsgrad))


class AdamW(Optimizer):
    """Adam with the decay of weights apart from the gradient: parameter -= lr * (update + weight_decay * parameter).

    Loshchilov and Hutter, 2019; `update` is that of `Adam`, and so are the other options and defaults. The default of
    `weight_decay` is torch's. ArgumentError for a number out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> (w * 0).sum().backward()
    >>> tz.optim.AdamW([w], lr=0.5, weight_decay=0.5).step()
    >>> w
    Tensor([0.75], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.001, *, betas: Betas = (0.9, 0.999),
                 epsilon: float = 1e-8, weight_decay: float = 0.01, amsgrad: bool = False,
                 **options: Unpack[Options]) -> None:
        chain = partial(_adamw, betas=betas, epsilon=epsilon, weight_decay=weight_decay, amsgrad=amsgrad)
        super().__init__(params, lr, chain, **options)


def _adamw(betas: Betas, epsilon: float, weight_decay: float, amsgrad: bool) -> list[Transformation]:
    return then_decay(weight_decay, ScaleByAdam(betas, epsilon, amsgrad))


class RMSprop(Optimizer):
    """The gradient over the root of the running mean of its square (Tieleman and Hinton, 2012).

    v = rho v + (1 - rho) g ** 2, parameter -= lr * g / (sqrt(v) + epsilon). With `centered` the variance v - m ** 2 is
    in place of v, m being the running mean of g (Graves, 2013). `momentum` accumulates these updates as `SGD` does
    gradients; `weight_decay` changes g as in `SGD`. rho=0.9 is the authors' choice, lr=0.001 Keras's default,
    epsilon=1e-8 torch's. ArgumentError for a number out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.RMSprop([w], lr=0.25, rho=0.75).step()
    >>> w
    Tensor([0.5], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.001, *, rho: float = 0.9,
                 epsilon: float = 1e-8, momentum: float = 0.0, weight_decay: float = 0.0, centered: bool = False,
                 **options: Unpack[Options]) -> None:
        chain = partial(_rmsprop, rho=rho, epsilon=epsilon, momentum=momentum, weight_decay=weight_decay,
                        centered=centered)
        super().__init__(params, lr, chain, **options)


def _rmsprop(rho: float, epsilon: float, momentum: float, weight_decay: float,
             centered: bool) -> list[Transformation]:
    parts = with_decay(weight_decay, ScaleByRms(rho, epsilon, centered))
    return [*parts, Momentum(momentum)] if momentum else parts


class Adagrad(Optimizer):
    """The gradient over the root of the sum of all its squares so far (Duchi, Hazan and Singer, 2011).

    s = s + g ** 2 from `initial_sum`, parameter -= lr * g / (sqrt(s) + epsilon). `weight_decay` changes g as in `SGD`;
    the defaults are torch's. ArgumentError for a number out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.Adagrad([w], lr=0.25).step()
    >>> w
    Tensor([0.75], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.01, *, initial_sum: float = 0.0,
                 epsilon: float = 1e-10, weight_decay: float = 0.0, **options: Unpack[Options]) -> None:
        chain = partial(_adagrad, initial_sum=initial_sum, epsilon=epsilon, weight_decay=weight_decay)
        super().__init__(params, lr, chain, **options)


def _adagrad(initial_sum: float, epsilon: float, weight_decay: float) -> list[Transformation]:
    return with_decay(weight_decay, ScaleByAdagrad(initial_sum, epsilon))


class Adadelta(Optimizer):
    """The gradient times the root mean square of earlier updates over that of earlier gradients (Zeiler, 2012).

    v = rho v + (1 - rho) g ** 2, d = g sqrt(w + epsilon) / sqrt(v + epsilon), w = rho w + (1 - rho) d ** 2,
    parameter -= lr * d. `weight_decay` changes g as in `SGD`; the defaults are torch's. ArgumentError for a number out
    of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.Adadelta([w], rho=0.75, epsilon=1.0).step()
    >>> round(w.item(), 4)  # 1 - 2 * sqrt(1) / sqrt(2)
    -0.4142
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 1.0, *, rho: float = 0.9,
                 epsilon: float = 1e-6, weight_decay: float = 0.0, **options: Unpack[Options]) -> None:
        super().__init__(params, lr, partial(_adadelta, rho=rho, epsilon=epsilon, weight_decay=weight_decay), **options)


def _adadelta(rho: float, epsilon: float, weight_decay: float) -> list[Transformation]:
    return with_decay(weight_decay, ScaleByAdadelta(rho, epsilon))


class Adamax(Optimizer):
    """Adam with the largest recent gradient in place of the root mean square (Kingma and Ba, 2015, section 7).

    u = max(beta2 u, abs(g) + epsilon), parameter -= lr * m' / u, with m' as for `Adam`. `weight_decay` changes g as in
    `SGD`; the defaults are the paper's. ArgumentError for a number out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.Adamax([w], lr=0.25).step()
    >>> w
    Tensor([0.75], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.002, *, betas: Betas = (0.9, 0.999),
                 epsilon: float = 1e-8, weight_decay: float = 0.0, **options: Unpack[Options]) -> None:
        chain = partial(_adamax, betas=betas, epsilon=epsilon, weight_decay=weight_decay)
        super().__init__(params, lr, chain, **options)


def _adamax(betas: Betas, epsilon: float, weight_decay: float) -> list[Transformation]:
    return with_decay(weight_decay, ScaleByAdamax(betas, epsilon))


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, which looks one step ahead (Dozat, 2016).

    beta1 rises from half of it to itself, by `momentum_decay`; the formula and the defaults are torch's. `weight_decay`
    changes g as in `SGD`, or, with `decoupled`, is apart from the gradient as in `AdamW`. ArgumentError for a number
    out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> optimizer = tz.optim.NAdam([w], lr=0.25)
    >>> optimizer.apply_gradients([(tz.tensor([2.0]), w)])
    >>> round(w.item(), 4)
    0.7359
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.002, *, betas: Betas = (0.9, 0.999),
                 epsilon: float = 1e-8, weight_decay: float = 0.0, momentum_decay: float = 0.004,
                 decoupled: bool = False, **options: Unpack[Options]) -> None:
        chain = partial(_nadam, betas=betas, epsilon=epsilon, weight_decay=weight_decay, momentum_decay=momentum_decay,
                        decoupled=decoupled)
        super().__init__(params, lr, chain, **options)


def _nadam(betas: Betas, epsilon: float, weight_decay: float, momentum_decay: float,
           decoupled: bool) -> list[Transformation]:
    return (then_decay if decoupled else with_decay)(weight_decay, ScaleByNadam(betas, epsilon, momentum_decay))


class RAdam(Optimizer):
    """Adam whose first steps are momentum alone, until the mean square is known well enough (Liu and others, 2020).

    It needs no warm-up of the rate. The formula and the defaults are torch's; `weight_decay` changes g as in `SGD`, or,
    with `decoupled`, is apart from the gradient as in `AdamW`. ArgumentError for a number out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.RAdam([w], lr=0.25).step()
    >>> w
    Tensor([0.5], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.001, *, betas: Betas = (0.9, 0.999),
                 epsilon: float = 1e-8, weight_decay: float = 0.0, decoupled: bool = False,
                 **options: Unpack[Options]) -> None:
        chain = partial(_radam, betas=betas, epsilon=epsilon, weight_decay=weight_decay, decoupled=decoupled)
        super().__init__(params, lr, chain, **options)


def _radam(betas: Betas, epsilon: float, weight_decay: float, decoupled: bool) -> list[Transformation]:
    return (then_decay if decoupled else with_decay)(weight_decay, ScaleByRadam(betas, epsilon))
