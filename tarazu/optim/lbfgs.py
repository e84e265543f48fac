"""L-BFGS, for own loops: it evaluates the loss several times in a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.base.spelling import did_you_mean
from tarazu.base.state_dicts import other_names
from tarazu.optim.groups import Params, read_parameters
from tarazu.optim.line_search import Point, strong_wolfe
from tarazu.optim.transformations import hyper_parameter
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor

Closure: TypeAlias = Callable[[], Tensor]
SMALLEST_CURVATURE = 1e-10  # pairs of changes below it are not remembered


class LBFGS:
    """Quasi-Newton steps with the curvature of the last gradients (Liu and Nocedal, 1989), for losses without noise.

    `step(closure)` makes up to `max_iterations` iterations, each a search along a line for a point that meets the
    strong Wolfe conditions (`line_search=None` goes `lr` far instead), and at most `max_evaluations` evaluations (1.25
    times as many). It ends earlier where no gradient is above `gradient_tolerance`, or where weights or loss change by
    less than `change_tolerance`. The defaults are torch's but for the line search. The weights that it remembers are on
    the host and in double precision. It does not go into `compile`, whose steps are on batches. ArgumentError for
    parameters that are no float tensors and numbers out of their range.

    >>> import tarazu as tz
    >>> w = tz.tensor([-1.2, 1.0], requires_grad=True)
    >>> optimizer = tz.optim.LBFGS([w], max_iterations=50)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> first = optimizer.step(closure)
    >>> (w.detach() * 100).round()
    Tensor([100., 100.], dtype=float32)
    """

    def __init__(self, params: Params, lr: float = 1.0, *, max_iterations: int = 20, max_evaluations: int | None = None,
                 gradient_tolerance: float = 1e-7, change_tolerance: float = 1e-9, history_size: int = 100,
                 line_search: str | None = "strong_wolfe") -> None:
        self.parameters = [one.parameter for one in read_parameters(params)]
        if line_search not in (None, "strong_wolfe"):
            raise ArgumentError(f"line_search={line_search!r}", expected='"strong_wolfe" or None',
                                fix=did_you_mean(line_search, ["strong_wolfe"]))
        self.lr = float(hyper_parameter("lr", lr, "above 0", example=1.0))
        self.max_iterations = positive_int("max_iterations", max_iterations)
        self.max_evaluations = (self.max_iterations * 5 // 4 if max_evaluations is None
                                else positive_int("max_evaluations", max_evaluations))
        self.history_size, self._line_search = positive_int("history_size", history_size), line_search
        hyper_parameter("gradient_tolerance", gradient_tolerance, example=1e-7)
        hyper_parameter("change_tolerance", change_tolerance, example=1e-9)
        self.gradient_tolerance, self.change_tolerance = gradient_tolerance, change_tolerance
        self._moves: list[np.ndarray] = []  # of the weights in earlier iterations
        self._changes: list[np.ndarray] = []  # of the gradient in them
        self._last_move: np.ndarray | None = None
        self._last_gradient: np.ndarray | None = None

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to None.

        >>> import tarazu as tz
        >>> tz.optim.LBFGS([tz.ones(1, requires_grad=True)]).zero_grad()
        """
        for parameter in self.parameters:
            parameter.grad = None

    def step(self, closure: Closure) -> Tensor:
        """Make up to `max_iterations` iterations; gives the loss before them.

        `closure` sets gradients to None, computes the loss, calls `backward` and gives the loss; it may call a jitted
        function. TrainingError when it leaves no gradient, and for a loss that is not finite at the start.

        >>> import tarazu as tz
        >>> w = tz.tensor([3.0], requires_grad=True)
        >>> optimizer = tz.optim.LBFGS([w])
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = (w**2).sum()
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure).item(), round(w.item(), 4)
        (9.0, 0.0)
        """
        first = closure().detach()
        loss, gradient, used = float(first), self._gradient(), 1
        if not math.isfinite(loss):
            raise TrainingError(f"LBFGS.step with a loss of {loss}", expected="a finite loss at the first evaluation",
                                fix="start from other weights, or scale the data")
        for iteration in range(self.max_iterations):
            if used >= self.max_evaluations or abs(gradient).max() <= self.gradient_tolerance:
                break
            direction = self._direction(gradient)
            slope = float(gradient @ direction)
            if slope > -self.change_tolerance:
                break
            is_first = self._last_gradient is None
            t = self.lr * min(1.0, 1.0 / abs(gradient).sum()) if is_first else self.lr
            start = Point(0.0, loss, gradient, slope)
            point, count = self._go(closure, start, direction, t, self.max_evaluations - used,
                                    is_last=iteration == self.max_iterations - 1)
            self._last_move, self._last_gradient = direction * point.t, gradient
            used, gradient, before, loss = used + count, point.gradient, loss, point.loss
            if abs(self._last_move).max() <= self.change_tolerance or abs(loss - before) < self.change_tolerance:
                break
        return first

    def _go(self, closure: Closure, start: Point, direction: np.ndarray, t: float, left: int, *,
            is_last: bool) -> tuple[Point, int]:
        """Move the weights along the direction; gives where to, and how often the closure was called."""
        weights = self._flat(self.parameters)

        def evaluate(t: float) -> Point:
            self._write(weights + t * direction)
            loss, gradient = float(closure()), self._gradient()
            return Point(t, math.inf if math.isnan(loss) else loss, gradient, float(gradient @ direction))

        if self._line_search is None:
            if not is_last:
                return evaluate(t), 1
            self._write(weights + t * direction)  # nobody asks for the loss there
            return start._replace(t=t), 0
        smallest = self.change_tolerance / abs(direction).max()
        point, count = strong_wolfe(evaluate, start, t, smallest, left)
        self._write(weights + point.t * direction)
        return point, count

    def _direction(self, gradient: np.ndarray) -> np.ndarray:
        """The gradient times the remembered inverse of the curvature, downwards (the two-loop recursion)."""
        if self._last_gradient is None or self._last_move is None:
            return -gradient
        self._remember(gradient - self._last_gradient, self._last_move)
        direction, parts = -gradient, []
        for change, move in zip(reversed(self._changes), reversed(self._moves), strict=True):
            parts.append((move @ direction) / (change @ move))
            direction = direction - parts[-1] * change
        if self._changes:
            change, move = self._changes[-1], self._moves[-1]
            direction = direction * ((change @ move) / (change @ change))
        for change, move, part in zip(self._changes, self._moves, reversed(parts), strict=True):
            direction = direction + (part - (change @ direction) / (change @ move)) * move
        return direction

    def _remember(self, change: np.ndarray, move: np.ndarray) -> None:
        if change @ move > SMALLEST_CURVATURE:
            self._changes = [*self._changes, change][-self.history_size:]
            self._moves = [*self._moves, move][-self.history_size:]

    def _gradient(self) -> np.ndarray:
        gradients = [x.grad for x in self.parameters]
        if all(g is None for g in gradients):
            raise TrainingError("LBFGS.step with a closure that leaves no gradient", expected="gradients in .grad",
                                fix="call loss.backward() in it, and give the loss back")
        return self._flat([x.detach() * 0 if g is None else g for x, g in zip(self.parameters, gradients, strict=True)])

    @staticmethod
    def _flat(tensors: list[Tensor]) -> np.ndarray:
        return np.concatenate([np.asarray(x.detach().numpy(), np.float64).reshape(-1) for x in tensors])

    def _write(self, weights: np.ndarray) -> None:
        ends = np.cumsum([x.size for x in self.parameters])[:-1]
        with no_grad():
            for x, part in zip(self.parameters, np.split(weights, ends), strict=True):
                if x.requires_grad:
                    x.copy_(asarray(part.reshape(x.shape).astype(x.dtype.numpy)))

    def state_dict(self) -> dict[str, np.ndarray]:
        """What it remembers, by name: earlier moves of the weights and changes of the gradient.

        >>> import tarazu as tz
        >>> list(tz.optim.LBFGS([tz.ones(1, requires_grad=True)]).state_dict())
        ['moves', 'changes', 'last_move', 'last_gradient']
        """
        size = int(np.sum([x.size for x in self.parameters]))
        none = np.zeros((0, size))
        return {"moves": np.array(self._moves).reshape(-1, size), "changes": np.array(self._changes).reshape(-1, size),
                "last_move": none if self._last_move is None else self._last_move[None],
                "last_gradient": none if self._last_gradient is None else self._last_gradient[None]}

    def load_state_dict(self, content: Mapping[str, np.ndarray]) -> None:
        """Go on from a `state_dict` of an optimizer of as many weights; ArgumentError for another.

        >>> import tarazu as tz
        >>> first, second = (tz.optim.LBFGS([tz.ones(1, requires_grad=True)]) for _ in range(2))
        >>> second.load_state_dict(first.state_dict())
        """
        own = self.state_dict()
        if differences := other_names(own, content):
            raise ArgumentError(f"a state that does not fit LBFGS: {differences}",
                                expected="the names of LBFGS.state_dict()", fix="load what an LBFGS gave")
        arrays = {name: np.array(x, np.float64) for name, x in content.items()}
        size = own["moves"].shape[1]
        if any(x.ndim != 2 or x.shape[1] != size for x in arrays.values()):
            raise ArgumentError("a state of LBFGS for another number of weights", expected=f"rows of {size} numbers",
                                fix="make the optimizer with the parameters that it had when the state was saved")
        self._moves, self._changes = list(arrays["moves"]), list(arrays["changes"])
        self._last_move, self._last_gradient = (next(iter(arrays[name]), None) for name in
                                                ("last_move", "last_gradient"))
