"""The optimizer: a chain of transformations, a learning rate, and the state of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self, TypeAlias

from tarazu.base.errors import ArgumentError, TraceError, TrainingError
from tarazu.base.state_dicts import require_same_state
from tarazu.ir.interpreter import state as interpreter_state
from tarazu.optim.transformations import Slots, Transformation, hyper_parameter
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.device import move, whole
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import GuardedAttributes

Schedule: TypeAlias = Callable[[Tensor], Tensor]  # from the step count, a float tensor, to the learning rate


class Optimizer(GuardedAttributes):
    """Moves parameters against their gradients: parameter -= lr * update, which the `chain` makes of the gradients.

    `lr` is a number, or a schedule: a function of the step count (a float tensor, 0 at the first step). Numbers, like
    every hyper-parameter, may change at any time without a new trace: `optimizer.lr = 0.01`. Without `params` it waits
    for `attach`, which `model.fit` calls. ArgumentError for a rate below 0 and for parameters that are no float
    tensors.

    >>> import tarazu as tz
    >>> class Sign(tz.optim.Transformation):  # signSGD, Bernstein and others, 2018
    ...     def update(self, g, parameter, slots, step):
    ...         return tz.sign(g)
    >>> w = tz.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tz.optim.Optimizer([w], lr=0.25, chain=[Sign()]).step()
    >>> w
    Tensor([0.75, 1.75], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Iterable[Tensor] | None, lr: float | Schedule, chain: Sequence[Transformation]) -> None:
        self.chain = tuple(chain)
        self._schedule: Schedule | None = None
        self._rate = tensor(0.0)
        self.lr = lr
        self.step_count = tensor(0, dtype="int64")
        self.parameters: list[Tensor] = []
        self._slots: list[list[Slots]] = []
        self.was_given_parameters = params is not None  # `fit` then trains these only
        if params is not None:
            self.attach(params)

    def attach(self, params: Iterable[Tensor]) -> Self:
        """Take `params` as what to optimize and make the state for them; gives the optimizer back.

        One that is given twice, as tied weights of two lists are, is taken once. In place of other parameters, or of
        the same, all state starts anew: slots and step count. Learning rate and hyper-parameters stay. ArgumentError
        unless they are one or more float tensors; nothing is changed then.

        >>> import tarazu as tz
        >>> tz.optim.SGD(lr=0.1).attach([tz.ones(3, requires_grad=True)])
        SGD(lr=0.1, chain=[], parameters=1)
        """
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            what = "a tensor" if isinstance(params, Tensor) else repr(params)
            raise ArgumentError(f"{what} as the parameters", expected="a list of tensors",
                                fix="pass model.parameters() or [w, b]; a learning rate goes by name: lr=0.01")
        wanted = list({id(parameter): parameter for parameter in params}.values())
        for parameter in wanted:
            if not isinstance(parameter, Tensor) or not parameter.dtype.is_float:
                what = f"tensor of {parameter.dtype}" if isinstance(parameter, Tensor) else type(parameter).__name__
                raise ArgumentError(f"a {what} as parameter", expected="float tensors",
                                    fix="pass model.parameters(), or a list of tensors with requires_grad=True")
        if not wanted:
            raise ArgumentError("an optimizer without parameters", expected="at least one tensor",
                                fix="pass model.parameters() of a model that has layers with weights")
        slots = [[part.slots(p.detach()) for p in wanted] for part in self.chain]
        if self.parameters:
            self.step_count.copy_(0)  # it is part of the state: Adam corrects its averages by it
        self.parameters, self._slots = wanted, slots
        return self

    @property
    def lr(self) -> Tensor:
        """The learning rate of the next step, a scalar. Set it to a number or to a schedule.

        ArgumentError for a number below 0.

        >>> import tarazu as tz
        >>> optimizer = tz.optim.SGD(lr=0.5)
        >>> optimizer.lr = 0.25
        >>> optimizer.lr
        Tensor(0.25, dtype=float32)
        """
        return self._rate if self._schedule is None else self._schedule(self.step_count.astype("float32"))

    @lr.setter
    def lr(self, value: float | Tensor | Schedule) -> None:
        if callable(value) and not isinstance(value, Tensor):
            self._schedule = value
        else:
            self._rate.copy_(value if isinstance(value, Tensor) else hyper_parameter("lr", value, example=0.001))
            self._schedule = None

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to None.

        >>> import tarazu as tz
        >>> w = tz.tensor([1.0], requires_grad=True)
        >>> w.sum().backward()
        >>> tz.optim.SGD([w]).zero_grad()
        >>> w.grad is None
        True
        """
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient and is not frozen; TrainingError when there is none.

        >>> import tarazu as tz
        >>> w = tz.tensor([1.0], requires_grad=True)
        >>> (3 * w).sum().backward()
        >>> tz.optim.SGD([w], lr=0.25).step()
        >>> w
        Tensor([0.25], dtype=float32, requires_grad=True)
        """
        self._update([(i, p.grad) for i, p in enumerate(self.parameters) if p.requires_grad and p.grad is not None])

    def apply_gradients(self, pairs: Iterable[tuple[Tensor | None, Tensor]]) -> None:
        """Move variables by given gradients: `apply_gradients(zip(gradients, variables))`.

        A gradient of None is left out. The first call of an optimizer without parameters makes the variables its
        parameters; TraceError for that inside a traced function. ArgumentError for a variable that the optimizer does
        not know or that stands there twice, TrainingError without any gradient.

        >>> import tarazu as tz
        >>> w = tz.Variable([1.0], name="w")
        >>> tz.optim.SGD(lr=0.5).apply_gradients([(tz.tensor([1.0]), w)])
        >>> w
        <tarazu.Variable 'w' shape=(1,) dtype=float32, value=[0.5]>
        """
        chosen = list(pairs)
        if len({id(variable) for _, variable in chosen}) < len(chosen):
            raise ArgumentError("apply_gradients with a variable that stands there twice",
                                expected="one gradient for each variable", fix="add its gradients")
        if not self.parameters:
            self._require_eager()
            self.attach([variable for _, variable in chosen])
        position = {id(p): i for i, p in enumerate(self.parameters)}
        if any(id(variable) not in position for _, variable in chosen):
            raise ArgumentError("apply_gradients with a variable that the optimizer does not know",
                                expected="the variables of the first call, or those given when it was made",
                                fix="make the optimizer with all variables: tz.optim.SGD(variables, lr=0.1)")
        self._update([(position[id(variable)], gradient) for gradient, variable in chosen if gradient is not None])

    def _require_eager(self) -> None:
        if interpreter_state.interpreter.is_tracing:
            raise TraceError("the first apply_gradients of an optimizer without parameters, inside a traced function",
                             expected="parameters before the trace, as their state has to be there before it",
                             fix="make the optimizer with them, tz.optim.SGD(variables, lr=0.1), or call "
                                 "optimizer.attach(variables) outside")

    def _update(self, gradients: list[tuple[int, Tensor]]) -> None:
        """Move parameters, given by their positions, by their gradients."""
        self._require_some(gradients)
        with no_grad():
            moved, updates = [self.parameters[i] for i, _ in gradients], [gradient for _, gradient in gradients]
            rate = self.lr
            self.step_count.add_(1)
            count = self.step_count.astype("float32")
            for part, slots in zip(self.chain, self._slots, strict=True):
                updates = part.update_all(updates, moved, [slots[i] for i, _ in gradients], count)
            for parameter, update in zip(moved, updates, strict=True):
                parameter.sub_(rate * update)

    def _require_some(self, gradients: list[tuple[int, Tensor]]) -> None:
        if not self.parameters:
            raise TrainingError("step() of an optimizer without parameters", expected="parameters to move",
                                fix="pass them when making it: tz.optim.Adam(model.parameters())")
        if not gradients:
            raise TrainingError("step() without a gradient", expected="gradients in .grad of the parameters",
                                fix="call loss.backward() before, with parameters of requires_grad=True")

    def state_dict(self) -> dict[str, Tensor]:
        """All state by name, detached: the step count, hyper-parameters and slots.

        >>> import tarazu as tz
        >>> list(tz.optim.SGD([tz.ones(2, requires_grad=True)], momentum=0.9).state_dict())
        ['step_count', 'lr', '0.momentum', '0.velocity.0']
        """
        return {name: x.detach() for name, x in self.named_state()}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Go on from a saved state of an optimizer of the same kind for the same parameters; a schedule stays.

        ArgumentError unless the names are the same, ShapeError unless the shapes are; nothing is changed then.

        >>> import tarazu as tz
        >>> first, second = (tz.optim.SGD([tz.ones(2, requires_grad=True)], lr=lr) for lr in (0.5, 0.25))
        >>> second.load_state_dict(first.state_dict())
        >>> second.lr
        Tensor(0.5, dtype=float32)
        """
        own = dict(self.named_state())
        require_same_state("optimizer", own, content)
        for name, x in own.items():
            x.copy_(content[name])

    def move_to_parameters(self) -> Self:
        """Move all state to the devices of the parameters, after these were moved; gives the optimizer back.

        Slots of a parameter's shape are divided over devices as the parameter is, everything else is whole on each.

        >>> import tarazu as tz
        >>> model = tz.nn.Dense(1, in_features=2)
        >>> optimizer = tz.optim.Adam(model.to("cpu").parameters()).move_to_parameters()
        >>> optimizer.lr.device
        tarazu.device('cpu')
        """
        if self.parameters:
            pairs = [pair for slots in self._slots for pair in zip(self.parameters, slots, strict=True)]
            like = {id(x): parameter for parameter, own in pairs for x in own.values() if x.shape == parameter.shape}
            undivided = whole(self.parameters[0].device)
            for _, x in self.named_state():
                move(x, like[id(x)].device if id(x) in like else undivided)
        return self

    def named_state(self) -> list[tuple[str, Tensor]]:
        """The tensors that an optimizer goes on from, with their names: those of `state_dict`, themselves.

        >>> import tarazu as tz
        >>> dict(tz.optim.SGD(lr=0.5).named_state())["lr"]
        Tensor(0.5, dtype=float32)
        """
        tensors = [("step_count", self.step_count), ("lr", self._rate)]
        for i, part in enumerate(self.chain):
            tensors += [(f"{i}.{name}", x) for name, x in part.hyper_parameters().items()]
            for j, slots in enumerate(self._slots[i] if self._slots else ()):
                tensors += [(f"{i}.{name}.{j}", x) for name, x in slots.items()]
        return tensors

    def __repr__(self) -> str:
        parts = ", ".join(type(part).__name__ for part in self.chain)
        return f"{type(self).__name__}(lr={float(self.lr):g}, chain=[{parts}], parameters={len(self.parameters)})"
