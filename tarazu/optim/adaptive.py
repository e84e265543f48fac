"""The transformations of Adam and of the optimizers like it: gradients scaled by what is known of earlier ones.

In formulas g is the gradient, t the number of the step from 1, and m' and v' are running means corrected for their
start at 0: m' = m / (1 - beta1 ** t), v' = v / (1 - beta2 ** t).
"""

from __future__ import annotations

from tarazu.base.errors import ArgumentError
from tarazu.ops.create import full_like, zeros_like
from tarazu.ops.elementwise import abs, maximum, sign, sqrt, square, where
from tarazu.optim.transformations import Slots, Transformation, hyper_parameter
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.tensor import Tensor


def decay_rates(betas: tuple[float, float]) -> tuple[float, float]:
    """The two numbers in `betas`; ArgumentError unless there are two, from 0 up to but not with 1."""
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise ArgumentError(f"betas={betas!r}", expected="two numbers", fix="pass for example betas=(0.9, 0.999)")
    for beta in betas:
        hyper_parameter("betas", beta, "from 0 up to but not with 1", example=(0.9, 0.999))
    return betas[0], betas[1]


class WithBetas(Transformation):
    """A transformation with two decay rates `betas` and an `epsilon`, and running means of g and of its square."""

    def __init__(self, betas: tuple[float, float], epsilon: float = 1e-8) -> None:
        self.beta1, self.beta2 = (tensor(float(beta)) for beta in decay_rates(betas))
        self.epsilon = hyper_parameter("epsilon", epsilon, example=1e-8)

    def slots(self, parameter: Tensor) -> Slots:
        return {"mean": zeros_like(parameter), "square": zeros_like(parameter)}

    def means(self, g: Tensor, slots: Slots) -> tuple[Tensor, Tensor]:
        """m and v with `g` in them."""
        m = slots["mean"].copy_(self.beta1 * slots["mean"] + (1.0 - self.beta1) * g)
        v = slots["square"].copy_(self.beta2 * slots["square"] + (1.0 - self.beta2) * square(g))
        return m, v


class ScaleByAdam(WithBetas):
    """m' / (sqrt(v') + epsilon) (Kingma and Ba, 2015); with `amsgrad` the largest v so far (Reddi and others, 2018).

    Both sides of the fraction are multiplied by sqrt(1 - beta2^t), so that there is one division for each element.
    """

    def __init__(self, betas: tuple[float, float], epsilon: float, amsgrad: bool = False) -> None:
        super().__init__(betas, epsilon)
        self._amsgrad = amsgrad

    def slots(self, parameter: Tensor) -> Slots:
        return super().slots(parameter) | ({"largest": zeros_like(parameter)} if self._amsgrad else {})

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        m, v = self.means(g, slots)
        if self._amsgrad:
            v = slots["largest"].copy_(maximum(slots["largest"], v))
        root = sqrt(1.0 - self.beta2**step)
        return m * (root / (1.0 - self.beta1**step)) / (sqrt(v) + self.epsilon * root)


class ScaleByAdamax(WithBetas):
    """m' / u, where u = max(beta2 u, |g| + epsilon) is a norm of infinite order (Kingma and Ba, 2015, section 7)."""

    def slots(self, parameter: Tensor) -> Slots:
        return {"mean": zeros_like(parameter), "largest": zeros_like(parameter)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        m = slots["mean"].copy_(self.beta1 * slots["mean"] + (1.0 - self.beta1) * g)
        u = slots["largest"].copy_(maximum(self.beta2 * slots["largest"], abs(g) + self.epsilon))
        return m / ((1.0 - self.beta1**step) * u)


class ScaleByNadam(WithBetas):
    """Adam with the momentum of the next step, as Nesterov's (Dozat, 2016).

    With mu_t = beta1 (1 - 0.96 ** (t momentum_decay) / 2) and M_t the product of mu_1 to mu_t, the update is
    (mu_(t+1) m / (1 - M_(t+1)) + (1 - mu_t) g / (1 - M_t)) / (sqrt(v') + epsilon).
    """

    def __init__(self, betas: tuple[float, float], epsilon: float, momentum_decay: float) -> None:
        super().__init__(betas, epsilon)
        self.momentum_decay = hyper_parameter("momentum_decay", momentum_decay, example=0.004)

    def slots(self, parameter: Tensor) -> Slots:
        return super().slots(parameter) | {"product": tensor(1.0)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        m, v = self.means(g, slots)
        now, following = (self.beta1 * (1.0 - 0.5 * 0.96 ** (t * self.momentum_decay)) for t in (step, step + 1.0))
        product = slots["product"].copy_(slots["product"] * now)
        looked_ahead = m * (following / (1.0 - product * following)) + g * ((1.0 - now) / (1.0 - product))
        return looked_ahead / (sqrt(v / (1.0 - self.beta2**step)) + self.epsilon)


class ScaleByRadam(WithBetas):
    """Adam's update times a factor for how uncertain v is, and m' alone in the first steps (Liu and others, 2020).

    With rho = 2 / (1 - beta2) - 1 and r = rho - 2 t beta2^t / (1 - beta2^t) the factor, where r is above 5, is
    sqrt((r - 4) (r - 2) rho / ((rho - 4) (rho - 2) r)).
    """

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        m, v = self.means(g, slots)
        t, beta2 = step.astype("float64"), self.beta2.astype("float64")  # r is the small difference of large numbers
        left = 1.0 - beta2**t
        rho = 2.0 / (1.0 - beta2) - 1.0
        r = rho - 2.0 * t * beta2**t / left
        known = maximum(r, 5.0)  # so that the root is of no number below 0
        factor = sqrt((known - 4.0) * (known - 2.0) * rho * left / ((rho - 4.0) * (rho - 2.0) * known))
        factor = factor.astype(step.dtype)
        return m / (1.0 - self.beta1**step) * where(r > 5.0, factor / (sqrt(v) + self.epsilon), 1.0)


class SignOfMomentum(WithBetas):
    """The sign of beta1 m + (1 - beta1) g, after which m = beta2 m + (1 - beta2) g (Chen and others, 2023, "Lion")."""

    def __init__(self, betas: tuple[float, float]) -> None:
        super().__init__(betas)
        del self.epsilon

    def slots(self, parameter: Tensor) -> Slots:
        return {"mean": zeros_like(parameter)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        direction = sign(self.beta1 * slots["mean"] + (1.0 - self.beta1) * g)
        slots["mean"].copy_(self.beta2 * slots["mean"] + (1.0 - self.beta2) * g)
        return direction


class ScaleByRms(Transformation):
    """The gradient over the root of its running mean square: v = rho v + (1 - rho) g^2, g / (sqrt(v) + epsilon).

    Tieleman and Hinton, Lecture 6.5 of "Neural Networks for Machine Learning", 2012. With `centered` v - m^2, the
    variance, is in place of v, where m = rho m + (1 - rho) g (Graves, 2013), with `corrected` v / (1 - rho^t).
    """

    def __init__(self, rho: float, epsilon: float, centered: bool = False, corrected: bool = False) -> None:
        self.rho = hyper_parameter("rho", rho, "from 0 up to but not with 1", example=0.9)
        self.epsilon = hyper_parameter("epsilon", epsilon, example=1e-8)
        self._centered, self._corrected = centered, corrected

    def slots(self, parameter: Tensor) -> Slots:
        return {"square": zeros_like(parameter)} | ({"mean": zeros_like(parameter)} if self._centered else {})

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        v = slots["square"].copy_(self.rho * slots["square"] + (1.0 - self.rho) * square(g))
        if self._centered:
            m = slots["mean"].copy_(self.rho * slots["mean"] + (1.0 - self.rho) * g)
            v = maximum(v - square(m), 0.0)  # rounding may make it negative
        if self._corrected:
            v = v / (1.0 - self.rho**step)
        return self.scaled(g, v)

    def scaled(self, g: Tensor, v: Tensor) -> Tensor:
        """The update, of the gradient and its mean square."""
        return g / (sqrt(v) + self.epsilon)


class ScaleByAdagrad(Transformation):
    """g over the root of the sum of all g^2 so far: g / (sqrt(s) + epsilon) (Duchi, Hazan and Singer, 2011)."""

    def __init__(self, initial_sum: float, epsilon: float) -> None:
        self._initial_sum = float(hyper_parameter("initial_sum", initial_sum, example=0.1))
        self.epsilon = hyper_parameter("epsilon", epsilon, example=1e-10)

    def slots(self, parameter: Tensor) -> Slots:
        return {"sum": full_like(parameter, self._initial_sum)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        return self.scaled(g, slots["sum"].copy_(slots["sum"] + square(g)))

    def scaled(self, g: Tensor, s: Tensor) -> Tensor:
        """The update, of the gradient and the sum of its squares."""
        return g / (sqrt(s) + self.epsilon)


class ScaleByAdadelta(Transformation):
    """g times the root of the mean square of earlier updates d over that of the gradients (Zeiler, 2012).

    v = rho v + (1 - rho) g^2, d = g sqrt(w + epsilon) / sqrt(v + epsilon), w = rho w + (1 - rho) d^2.
    """

    def __init__(self, rho: float, epsilon: float) -> None:
        self.rho = hyper_parameter("rho", rho, "from 0 up to but not with 1", example=0.9)
        self.epsilon = hyper_parameter("epsilon", epsilon, example=1e-6)

    def slots(self, parameter: Tensor) -> Slots:
        return {"square": zeros_like(parameter), "update": zeros_like(parameter)}

    def update(self, g: Tensor, parameter: Tensor, slots: Slots, step: Tensor) -> Tensor:
        v = slots["square"].copy_(self.rho * slots["square"] + (1.0 - self.rho) * square(g))
        update = g * sqrt(slots["update"] + self.epsilon) / sqrt(v + self.epsilon)
        slots["update"].copy_(self.rho * slots["update"] + (1.0 - self.rho) * square(update))
        return update
