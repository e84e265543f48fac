"""The optimizer: a chain of transformations, a learning rate, and the state of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tarazu.base.errors import ArgumentError, ShapeError, TraceError, TrainingError
from tarazu.ir.interpreter import state as interpreter_state
from tarazu.optim.transformations import Slots, Transformation, hyper_parameter
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.device import move, whole
from tarazu.runtime.tensor.tensor import Tensor, tensor

Schedule = Callable[[Tensor], Tensor]


class Optimizer:
    """Moves parameters against their gradients: parameter -= lr * chain(gradient).

    `lr` is a number, or a schedule: a function of the step count (a float tensor, 0 at the first step). Numbers, like
    every hyper-parameter, may change at any time without a new trace: `optimizer.lr = 0.01`. Without `params` it waits
    for `attach`, which `model.compile` sees to.
    """

    def __init__(self, params: Iterable[Tensor] | None, lr: float | Schedule, chain: Sequence[Transformation]) -> None:
        self.chain = tuple(chain)
        self._schedule: Schedule | None = None
        self._rate = tensor(0.0)
        self.lr = lr
        self.step_count = tensor(0, dtype="int64")
        self.parameters: list[Tensor] = []
        self._slots: list[list[Slots]] = []
        self.has_own_choice = params is not None  # `fit` then trains these parameters only
        if params is not None:
            self.attach(params)

    def attach(self, params: Iterable[Tensor]) -> Optimizer:
        """Take `params` as what to optimize and make the state for them; gives the optimizer back."""
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            what = "a tensor" if isinstance(params, Tensor) else repr(params)
            raise ArgumentError(f"{what} as the parameters", expected="a list of tensors",
                                fix="pass model.parameters() or [w, b]; a learning rate goes by name: lr=0.01")
        self.parameters = list(params)
        for parameter in self.parameters:
            if not isinstance(parameter, Tensor) or not parameter.dtype.is_float:
                what = f"tensor of {parameter.dtype}" if isinstance(parameter, Tensor) else type(parameter).__name__
                raise ArgumentError(f"a {what} as parameter", expected="float tensors",
                                    fix="pass model.parameters(), or a list of tensors with requires_grad=True")
        if not self.parameters:
            raise ArgumentError("an optimizer without parameters", expected="at least one tensor",
                                fix="pass model.parameters() of a model that has layers with weights")
        self._slots = [[part.slots(p.detach()) for p in self.parameters] for part in self.chain]
        return self

    @property
    def lr(self) -> Tensor:
        """The learning rate of the next step, a scalar. Set it to a number or to a schedule."""
        schedule = interpreter_state.interpreter.depend_on(lambda: self._schedule)
        return self._rate if schedule is None else schedule(self.step_count.astype("float32"))

    @lr.setter
    def lr(self, value: float | Tensor | Schedule) -> None:
        is_schedule = callable(value) and not isinstance(value, Tensor)
        self._schedule = value if is_schedule else None  # type: ignore[assignment]
        if not is_schedule:
            number = value if isinstance(value, Tensor) else hyper_parameter("lr", value, example=0.001)
            self._rate.copy_(number)

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to None."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient and is not frozen; TrainingError when there is none."""
        rows = [i for i, p in enumerate(self.parameters) if p.requires_grad and p.grad is not None]
        self._require_some(rows)
        self._move(rows, [self.parameters[i].grad for i in rows])

    def apply_gradients(self, pairs: Iterable[tuple[Any, Tensor]]) -> None:
        """Move variables by given gradients: `apply_gradients(zip(gradients, variables))`; a gradient of None is left
        out. The first call of an optimizer without parameters makes the variables its parameters.
        """
        chosen = list(pairs)
        if not self.parameters:
            self._require_eager()
            self.attach([variable for _, variable in chosen])
        position = {id(p): i for i, p in enumerate(self.parameters)}
        if any(id(variable) not in position for _, variable in chosen):
            raise ArgumentError("apply_gradients with a variable that the optimizer does not know",
                                expected="the variables of the first call, or those given when it was made",
                                fix="make the optimizer with all variables: tz.optim.SGD(variables, lr=0.1)")
        moves = [(position[id(variable)], gradient) for gradient, variable in chosen if gradient is not None]
        self._require_some([row for row, _ in moves])
        self._move([row for row, _ in moves], [gradient for _, gradient in moves])

    def _require_eager(self) -> None:
        if interpreter_state.interpreter.scopes is not None:
            raise TraceError("the first apply_gradients of an optimizer without parameters, inside a traced function",
                             expected="parameters before the trace, as their state has to be there before it",
                             fix="make the optimizer with them, tz.optim.SGD(variables, lr=0.1), or call "
                                 "optimizer.attach(variables) outside")

    def _move(self, rows: list[int], steps: Any) -> None:
        with no_grad():
            moved = [self.parameters[i] for i in rows]
            rate = self.lr
            self.step_count.add_(1)
            count = self.step_count.astype("float32")
            for part, slots in zip(self.chain, self._slots, strict=True):
                steps = part.update_all(steps, moved, [slots[i] for i in rows], count)
            for parameter, step in zip(moved, steps, strict=True):
                parameter.sub_(rate * step)

    def _require_some(self, rows: list[int]) -> None:
        if not self.parameters:
            raise TrainingError("step() of an optimizer without parameters", expected="parameters to move",
                                fix="pass them when making it: tz.optim.Adam(model.parameters())")
        if not rows:
            raise TrainingError("step() without a gradient", expected="gradients in .grad of the parameters",
                                fix="call loss.backward() before, with parameters of requires_grad=True")

    def state_dict(self) -> dict[str, Tensor]:
        """All state by name: the step count, hyper-parameters and slots."""
        return {name: x.detach() for name, x in self.named_state()}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Go on from a saved state of an optimizer of the same kind for the same parameters; a schedule stays."""
        own = dict(self.named_state())
        if own.keys() != content.keys():
            raise ArgumentError(f"a state with other names: {', '.join(sorted(own.keys() ^ content.keys()))}",
                                expected="the state of an optimizer of the same kind and parameters",
                                fix="make the optimizer as it was when the state was saved")
        for name, x in own.items():
            if tuple(content[name].shape) != x.shape:
                raise ShapeError(f"{name} in the state has shape {tuple(content[name].shape)}",
                                 expected=f"shape {x.shape}", fix="load it into an optimizer of the same parameters")
        for name, x in own.items():
            x.copy_(content[name])

    def move_to_parameters(self) -> Optimizer:
        """Put all state where the parameters are, after these were moved; gives the optimizer back.

        Slots of a parameter's shape lie as the parameter does, everything else is whole on each of its devices.
        """
        if self.parameters:
            pairs = [pair for slots in self._slots for pair in zip(self.parameters, slots, strict=True)]
            alike = {id(x): parameter for parameter, own in pairs for x in own.values() if x.shape == parameter.shape}
            anywhere = whole(self.parameters[0].device)
            for _, x in self.named_state():
                move(x, alike[id(x)].device if id(x) in alike else anywhere)
        return self

    def named_state(self) -> list[tuple[str, Tensor]]:
        """The tensors that an optimizer has to go on from, by name."""
        found = [("step_count", self.step_count), ("lr", self._rate)]
        for i, part in enumerate(self.chain):
            found += [(f"{i}.{name}", x) for name, x in part.hyper_parameters().items()]
            for j, slots in enumerate(self._slots[i] if self._slots else ()):
                found += [(f"{i}.{name}.{j}", x) for name, x in slots.items()]
        return found

    def __repr__(self) -> str:
        parts = ", ".join(type(part).__name__ for part in self.chain)
        return f"{type(self).__name__}(lr={float(self.lr):g}, chain=[{parts}], parameters={len(self.parameters)})"
