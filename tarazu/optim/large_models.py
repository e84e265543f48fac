"""The optimizers made for large models: by signs, by norms of layers, with little memory, for matrices, by averages."""

from __future__ import annotations

from functools import partial
from typing import Unpack

from tarazu.base.errors import ArgumentError
from tarazu.optim.adaptive import ScaleByAdam, ScaleByRms, SignOfMomentum, decay_rates
from tarazu.optim.classic import Betas, then_decay
from tarazu.optim.groups import Params
from tarazu.optim.matrices import AverageOfSteps, ForMatrices, Orthogonalize, ScaleByFactors, ScaleByTrust
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.options import Options
from tarazu.optim.schedules.epochs import Schedule
from tarazu.optim.transformations import Transformation
from tarazu.runtime.tensor.tensor import Tensor


class Lion(Optimizer):
    """Steps of one size, by the sign of the momentum (Chen and others, 2023, "Symbolic discovery of optimization").

    parameter -= lr * (sign(beta1 m + (1 - beta1) g) + weight_decay * parameter), then m = beta2 m + (1 - beta2) g. Half
    of Adam's memory; rates are a third to a tenth of Adam's, and decays as many times larger. The defaults are the
    authors'. ArgumentError for a number out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0, -1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.Lion([w], lr=0.25).step()
    >>> w
    Tensor([ 0.75, -0.75], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 1e-4, *, betas: Betas = (0.9, 0.99),
                 weight_decay: float = 0.0, **options: Unpack[Options]) -> None:
        super().__init__(params, lr, partial(_lion, betas=betas, weight_decay=weight_decay), **options)


def _lion(betas: Betas, weight_decay: float) -> list[Transformation]:
    return then_decay(weight_decay, SignOfMomentum(betas))


class LAMB(Optimizer):
    """AdamW whose step has, for each parameter, the norm of the parameter times lr (You and others, 2020).

    For very large batches. u = m' / (sqrt(v') + epsilon) + weight_decay * parameter, parameter -= lr * u * norm of the
    parameter / norm of u; where one of the norms is 0, that of u alone counts. ArgumentError for a number out of its
    range.

    >>> import tarazu as tz
    >>> w = tz.tensor([3.0, 4.0], requires_grad=True)
    >>> w.sum().backward()
    >>> tz.optim.LAMB([w], lr=0.5).step()
    >>> round(w[0].item(), 3)  # 3 - 0.5 * 5 / sqrt(2)
    1.232
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.001, *, betas: Betas = (0.9, 0.999),
                 epsilon: float = 1e-6, weight_decay: float = 0.0, **options: Unpack[Options]) -> None:
        super().__init__(params, lr, partial(_lamb, betas=betas, epsilon=epsilon, weight_decay=weight_decay), **options)


def _lamb(betas: Betas, epsilon: float, weight_decay: float) -> list[Transformation]:
    return [*then_decay(weight_decay, ScaleByAdam(betas, epsilon)), ScaleByTrust()]


class Adafactor(Optimizer):
    """The gradient over its root mean square, of which a matrix keeps a mean per row and per column only.

    Shazeer and Stern, 2018, in the form of torch, whose defaults it has: nearly no memory beside the weights. Steps are
    in units of the parameter's root mean square (at least `least_rms`) and no larger than 1 / sqrt(t) of it in step t;
    an update whose root mean square is above `clip_rms` is scaled down to it. `weight_decay` is apart from the gradient
    as in `AdamW`. ArgumentError for a number out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([2.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.Adafactor([w], lr=0.25).step()
    >>> w
    Tensor([1.5, 1.5], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.01, *, beta2_decay: float = -0.8,
                 clip_rms: float = 1.0, least_rms: float = 0.001, weight_decay: float = 0.0,
                 **options: Unpack[Options]) -> None:
        chain = partial(_adafactor, beta2_decay=beta2_decay, clip_rms=clip_rms, least_rms=least_rms,
                        weight_decay=weight_decay)
        super().__init__(params, lr, chain, **options)


def _adafactor(beta2_decay: float, clip_rms: float, least_rms: float, weight_decay: float) -> list[Transformation]:
    return then_decay(weight_decay, ScaleByFactors(beta2_decay, clip_rms, least_rms))


class Muon(Optimizer):
    """Momentum with all singular values made about equal, for matrices; AdamW for other parameters.

    Jordan and others, 2024; Newton-Schulz in the dtype of the parameter. As in Liu and others, 2025, an update of a
    matrix is multiplied by 0.2 sqrt(larger side), so that rate and decay of AdamW suit both (torch's Muon with
    adjust_lr_fn="match_rms_adamw"). A kernel of more axes is a matrix of its last axis and all others. For embeddings
    and the last layer AdamW does better: `groups={"0.*": {"matrices": False}}`. `betas` and `epsilon` are AdamW's.
    ArgumentError for a number out of its range.

    >>> import tarazu as tz
    >>> w = tz.tensor([[1.0, 0.0], [0.0, 2.0]], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.Muon([w], lr=1.0, weight_decay=0.0).step()
    >>> (w.detach() * 10).round()  # both singular values fell by 0.2 or 0.3
    Tensor([[ 7.,  0.],
            [ 0., 18.]], dtype=float32)
    """

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.001, *, momentum: float = 0.95,
                 nesterov: bool = True, iterations: int = 5, matrices: bool = True, betas: Betas = (0.9, 0.999),
                 epsilon: float = 1e-8, weight_decay: float = 0.1, **options: Unpack[Options]) -> None:
        chain = partial(_muon, momentum=momentum, nesterov=nesterov, iterations=iterations, matrices=matrices,
                        betas=betas, epsilon=epsilon, weight_decay=weight_decay)
        super().__init__(params, lr, chain, **options)


def _muon(momentum: float, nesterov: bool, iterations: int, matrices: bool, betas: Betas, epsilon: float,
          weight_decay: float) -> list[Transformation]:
    adam = ScaleByAdam(betas, epsilon)
    main = ForMatrices(Orthogonalize(momentum, nesterov, iterations), adam) if matrices else adam
    return then_decay(weight_decay, main)


class ScheduleFreeAdamW(Optimizer):
    """AdamW without a schedule: gradients are taken between the weights that step and their average.

    Defazio and others, 2024, "The road less scheduled". `evaluation_weights` gives the averages, which `fit` reads for
    validation and leaves in the model at its end. A warm-up is useful all the same: lr=tz.optim.linear_warmup(0.0025,
    1000). The defaults are the authors'. ArgumentError for a number out of its range, and for an `ema` beside it.

    >>> import tarazu as tz
    >>> w = tz.tensor([1.0], requires_grad=True)
    >>> optimizer = tz.optim.ScheduleFreeAdamW([w], lr=0.25)
    >>> for _ in range(2):
    ...     optimizer.apply_gradients([(tz.tensor([2.0]), w)])
    >>> round(w.item(), 4), round(optimizer.evaluation_weights()[0].item(), 4)
    (0.6125, 0.625)
    """

    _keeps_averages = True

    def __init__(self, params: Params | None = None, lr: float | Schedule = 0.0025, *, betas: Betas = (0.9, 0.999),
                 epsilon: float = 1e-8, weight_decay: float = 0.0, **options: Unpack[Options]) -> None:
        if options.get("ema") is not None:
            raise ArgumentError(f"ScheduleFreeAdamW with ema={options['ema']!r}", expected="one kind of average",
                                fix="leave ema out")
        chain = partial(_schedule_free, betas=betas, epsilon=epsilon, weight_decay=weight_decay)
        super().__init__(params, lr, chain, **options)

    def _evaluated(self, trained: list[Tensor]) -> list[Tensor]:
        """The averages of the weights that stepped; the parameters themselves before the first step."""
        averages = []
        for i, (x, group) in enumerate(zip(trained, self._groups, strict=True)):
            part = group.chain[-1]
            assert isinstance(part, AverageOfSteps)
            averages.append(part.average(x.detach(), self._slots[len(group.chain) - 1][i]))
        return averages


def _schedule_free(betas: Betas, epsilon: float, weight_decay: float) -> list[Transformation]:
    beta1, beta2 = decay_rates(betas)
    return [*then_decay(weight_decay, ScaleByRms(beta2, epsilon, corrected=True)), AverageOfSteps(beta1)]
