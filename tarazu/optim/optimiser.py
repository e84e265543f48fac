"""The optimiser: a chain of transformations, a learning rate, and the state of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.optim.transformations import Slots, Transformation, hyper_parameter
from tarazu.runtime.autograd import no_grad
from tarazu.runtime.tensor import Tensor, tensor

Schedule = Callable[[Tensor], Tensor]


class Optimizer:
    """Moves parameters against their gradients: parameter -= lr * chain(gradient).

    `lr` is a number, or a schedule: a function of the step count (a float tensor, 0 at the first step). Both, like every
    hyper-parameter, may change at any time without a new trace: `optimizer.lr = 0.01`. Without `params` it waits
    for `attach`, which `model.compile` sees to.
    """

    def __init__(self, params: Iterable[Tensor] | None, lr: float | Schedule, chain: Sequence[Transformation]) -> None:
        self.chain = tuple(chain)
        self._schedule = lr if callable(lr) else None
        self._rate = hyper_parameter("lr", 1.0 if callable(lr) else lr)
        self.step_count = tensor(0, dtype="int64")
        self.parameters: list[Tensor] = []
        self._slots: list[list[Slots]] = []
        if params is not None:
            self.attach(params)

    def attach(self, params: Iterable[Tensor]) -> Optimizer:
        """Take `params` as what to optimise and make the state for them; gives the optimiser back."""
        self.parameters = list(params)
        for parameter in self.parameters:
            if not isinstance(parameter, Tensor) or not parameter.dtype.is_float:
                raise ArgumentError(f"a parameter of type {type(parameter).__name__}", expected="float tensors",
                                    fix="pass model.parameters(), or a list of tensors with requires_grad=True")
        if not self.parameters:
            raise ArgumentError("an optimiser without parameters", expected="at least one tensor",
                                fix="pass model.parameters() of a model that has layers with weights")
        self._slots = [[part.slots(p.detach()) for p in self.parameters] for part in self.chain]
        return self

    @property
    def lr(self) -> Tensor:
        """The learning rate of the next step, a scalar."""
        return self._schedule(self.step_count.astype("float32")) if self._schedule is not None else self._rate

    @lr.setter
    def lr(self, value: float | Tensor) -> None:
        self._schedule = None
        self._rate.copy_(value)

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to None."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        if not self.parameters:
            raise ArgumentError("step() of an optimiser without parameters", expected="parameters to move",
                                fix="pass them when making it: tz.optim.Adam(model.parameters())")
        with no_grad():
            rows = [i for i, p in enumerate(self.parameters) if p.requires_grad and p.grad is not None]
            moved = [self.parameters[i] for i in rows]
            steps: Any = [p.grad for p in moved]
            rate = self.lr
            self.step_count.add_(1)
            count = self.step_count.astype("float32")
            for part, slots in zip(self.chain, self._slots, strict=True):
                steps = part.update_all(steps, moved, [slots[i] for i in rows], count)
            for parameter, step in zip(moved, steps, strict=True):
                parameter.sub_(rate * step)

    def state_dict(self) -> dict[str, Tensor]:
        """All state by name: the step count, hyper-parameters and slots."""
        return {name: x.detach() for name, x in self._named_state().items()}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Go on from a saved state of an optimiser of the same kind for the same parameters."""
        own = self._named_state()
        if own.keys() != content.keys():
            raise ArgumentError(f"a state with other names: {sorted(own.keys() ^ content.keys())}",
                                expected="the state of an optimiser of the same kind and parameters",
                                fix="make the optimiser as it was when the state was saved")
        for name, x in own.items():
            x.copy_(content[name])

    def _named_state(self) -> dict[str, Tensor]:
        found = {"step_count": self.step_count, "lr": self._rate}
        for i, part in enumerate(self.chain):
            found |= {f"{i}.{name}": x for name, x in part.hyper_parameters().items()}
            for j, slots in enumerate(self._slots[i] if self._slots else ()):
                found |= {f"{i}.{name}.{j}": x for name, x in slots.items()}
        return found

    def __repr__(self) -> str:
        parts = ", ".join(type(part).__name__ for part in self.chain)
        return f"{type(self).__name__}(lr={float(self.lr):g}, chain=[{parts}], parameters={len(self.parameters)})"
