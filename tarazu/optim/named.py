"""The optimizers by name, each a chain of transformations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import did_you_mean
from tarazu.optim.optimizer import Optimizer, Schedule
from tarazu.optim.transformations import AddDecay, ClipByNorm, Momentum, ScaleByAdam, ScaleByRms, Transformation
from tarazu.runtime.tensor.tensor import Tensor

Params: TypeAlias = Iterable[Tensor] | None


def _first_parts(weight_decay: float, clip_norm: float | None) -> list[Transformation]:
    """What all chains may start with: clipping of the gradients, then the gradient of an L2 penalty."""
    clip: list[Transformation] = [ClipByNorm(clip_norm)] if clip_norm is not None else []
    return [*clip, AddDecay(weight_decay)] if weight_decay else clip


class SGD(Optimizer):
    """Stochastic gradient descent: parameter -= lr * g (Robbins and Monro, 1951).

    With `momentum` v = momentum * v + g in place of g (Polyak, 1964); with `nesterov` too g + momentum * v (Sutskever
    and others, 2013). `clip_norm` scales all gradients by one factor so that their norm together is at most that
    (Pascanu, Mikolov and Bengio, 2013), `weight_decay` then adds weight_decay * parameter to g. lr=0.01 is Keras's
    default. ArgumentError for a number out of its range and for nesterov without momentum.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.SGD([w], lr=0.25).step()
    >>> w
    Tensor([0.5], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params = None, lr: float | Schedule = 0.01, *, momentum: float = 0.0,
                 nesterov: bool = False, weight_decay: float = 0.0, clip_norm: float | None = None) -> None:
        if nesterov and not momentum:
            raise ArgumentError("nesterov=True with momentum=0", expected="a momentum above 0", fix="pass momentum=0.9")
        main = [Momentum(momentum, nesterov)] if momentum else []
        super().__init__(params, lr, [*_first_parts(weight_decay, clip_norm), *main])


class Adam(Optimizer):
    """Running mean over the root of the running mean square of the gradient (Kingma and Ba, 2015, with its defaults).

    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g ** 2, parameter -= lr * m' / (sqrt(v') + epsilon), where
    m' = m / (1 - beta1 ** t) and v' = v / (1 - beta2 ** t) in step t make up for the start at 0. `clip_norm` and
    `weight_decay` change g as in `SGD`. ArgumentError for a number out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.Adam([w], lr=0.25).step()
    >>> w
    Tensor([0.75], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params = None, lr: float | Schedule = 0.001, *,
                 betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8,
                 weight_decay: float = 0.0, clip_norm: float | None = None) -> None:
        super().__init__(params, lr, [*_first_parts(weight_decay, clip_norm), ScaleByAdam(betas, epsilon)])


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

    def __init__(self, params: Params = None, lr: float | Schedule = 0.001, *,
                 betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8,
                 weight_decay: float = 0.01, clip_norm: float | None = None) -> None:
        parts = [*_first_parts(0.0, clip_norm), ScaleByAdam(betas, epsilon), AddDecay(weight_decay)]
        super().__init__(params, lr, parts)


class RMSprop(Optimizer):
    """The gradient over the root of the running mean of its square (Tieleman and Hinton, 2012).

    v = rho v + (1 - rho) g ** 2, parameter -= lr * g / (sqrt(v) + epsilon). `momentum` accumulates these updates as
    `SGD` does gradients; `clip_norm` and `weight_decay` change g as in `SGD`. rho=0.9 is the authors' choice,
    lr=0.001 Keras's default, epsilon=1e-8 torch's. ArgumentError for a number out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.RMSprop([w], lr=0.25, rho=0.75).step()
    >>> w
    Tensor([0.5], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params = None, lr: float | Schedule = 0.001, *, rho: float = 0.9, epsilon: float = 1e-8,
                 momentum: float = 0.0, weight_decay: float = 0.0, clip_norm: float | None = None) -> None:
        main: list[Transformation] = [ScaleByRms(rho, epsilon), *([Momentum(momentum, False)] if momentum else [])]
        super().__init__(params, lr, [*_first_parts(weight_decay, clip_norm), *main])


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {kind.__name__.lower(): kind for kind in (SGD, Adam, AdamW, RMSprop)}


def _suggest(spec: object) -> str:
    """How to pass the optimizer that a class, or a misspelled name, stands for."""
    return f"make an object: tz.optim.{spec.__name__}()" if isinstance(spec, type) else did_you_mean(spec, OPTIMIZERS)


def find_optimizer(spec: str | Optimizer) -> Optimizer:
    """The optimizer that `spec` names, with its defaults; an optimizer is given back as it is. Raises ArgumentError."""
    return spec if isinstance(spec, Optimizer) else optimizer_class(spec)()


def optimizer_class(spec: str) -> Callable[..., Optimizer]:
    """The class of the optimizer that `spec` names, in capital letters or small ones. Raises ArgumentError."""
    kind = OPTIMIZERS.get(spec.lower()) if isinstance(spec, str) else None
    if kind is None:
        raise ArgumentError(f"optimizer {spec!r}",
                            expected=f"one of {', '.join(OPTIMIZERS)}, or an object such as tz.optim.Adam(lr=0.01)",
                            fix=_suggest(spec))
    return kind
