"""The optimizer: a chain of transformations, a learning rate, groups of parameters, and the state of all."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple, Self, Unpack, cast

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, TarazuError, TraceError, TrainingError
from tarazu.base.state_dicts import require_same_state
from tarazu.ir.interpreter import state as interpreter_state
from tarazu.ir.types import Data
from tarazu.ops.control_flow.branch import cond
from tarazu.ops.create import zeros_like
from tarazu.optim.constraints import Constraint
from tarazu.optim.groups import (
    Chain,
    Given,
    Group,
    GroupOptions,
    Params,
    make_group,
    merged,
    of_parameters,
    read_parameters,
    require_mapping,
    with_factor,
)
from tarazu.optim.matrices import NeedsRate
from tarazu.optim.moves import Moves
from tarazu.optim.options import Clipping, Keeping, Options, front, require_known_options
from tarazu.optim.schedules.epochs import Schedule, epochs_of
from tarazu.optim.transformations import Slots, Transformation, hyper_parameter
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.device import device_of, move, put, values, whole
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import GuardedAttributes
from tarazu.runtime.trace_lock import replace_data

_KEPT = Keeping.__annotations__.keys()


class _Exchanged(NamedTuple):
    """A parameter that has weights for evaluation: its position, the weights that are trained, and those."""

    position: int
    trained: Tensor
    shown: Tensor


class Optimizer(GuardedAttributes):
    """Moves parameters against their gradients: parameter -= lr * update, which the `chain` makes of the gradients.

    `params` are tensors, `model.named_parameters()`, or dicts {"params": ..., "lr": ...}, whose other keys are options
    of that group. `lr` is a number, or a schedule: a function of the step count (a float tensor, 0 at the first step).
    Numbers, like every hyper-parameter, may change at any time without a new trace: `optimizer.lr = 0.01`. Without
    `params` it waits for `attach`, which `model.fit` calls. `chain` is a list of transformations, or a
    `functools.partial` with keyword arguments that makes one, whose arguments groups then may change.

    Every optimizer has these options. `groups={"*.bias": {"weight_decay": 0}, "body.*": {"lr": 1e-5}}` gives parameters
    whose path matches a pattern other arguments of the optimizer; where two patterns give one, the first does. "lr" is
    kept as a multiple of the optimizer's rate (which "lr_factor" gives directly), so that `optimizer.lr = x` and
    schedules scale all groups; a schedule as "lr" is the group's alone.

    `clip_norm` scales all gradients by one factor so that their norm together is at most that (Pascanu, Mikolov and
    Bengio, 2013), `clip_parameter_norm` those of each parameter by themselves, and `clip_value` cuts each element;
    `maximize` goes up the gradient. `accumulate_steps=n` averages the gradients of n steps for one update, of which
    `step_count` and schedules then count one. `constraint` (`MaxNorm`, `NonNeg`, or any function of a parameter) is
    applied after each update, to all parameters or, in a dict, to those whose paths match. `ema=0.999` keeps a running
    mean of the weights, ema * mean + (1 - ema) * weight, which evaluation reads: see `evaluation_weights`.
    `steps_per_epoch` is for schedules in epochs; `fit` sets it.

    ArgumentError for a number out of its range, for parameters that are no float tensors, and for patterns that match
    nothing.

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

    UNGUARDED: ClassVar[frozenset[str]] = frozenset({"_exchanged"})  # of which `_go_on_training` notes a guard
    _keeps_averages = False  # whether there are `evaluation_weights` without `ema` too

    def __init__(self, params: Params | None, lr: float | Schedule, chain: Chain, **options: Unpack[Options]) -> None:
        kept = cast(Keeping, {name: value for name, value in options.items() if name in _KEPT})
        clipping = cast(Clipping, {name: value for name, value in options.items() if name not in _KEPT})
        require_known_options(type(self), clipping)
        parts = [*front(**clipping), *(chain() if callable(chain) else chain)]
        self.set_up(parts, chain if callable(chain) else None, kept, lr)
        self.was_given_parameters = params is not None  # `fit` then trains these only
        if params is not None:
            self.attach(params)

    def set_up(self, chain: Sequence[Transformation], makes_chain: Callable[..., Sequence[Transformation]] | None,
               kept_options: Keeping, lr: float | Schedule = 0.0) -> None:
        """All that the constructor does before it attaches parameters; a saved optimizer is made again by it."""
        self.chain, self.makes_chain = tuple(chain), makes_chain
        self._front = self.chain[:len(self.chain) - len(makes_chain())] if makes_chain else ()
        self._base = Group(self.chain)
        self._schedule: Schedule | None = None
        self._rate = tensor(0.0)
        self.lr = lr
        self.step_count = tensor(0, dtype="int64")
        self._take(**kept_options)
        self.parameters: list[Tensor] = []
        self.options_given: list[GroupOptions] = []  # of each parameter, in a dict
        self._groups: tuple[Group, ...] = ()  # of each parameter
        self._constraints: tuple[Sequence[Constraint], ...] = ()  # of each parameter
        self._slots: list[list[Slots]] = []  # by the position in the chain and the parameter
        self._kept_slots: tuple[Slots, ...] = ()  # of each parameter: the mean of gradients, the mean of weights
        self._exchanged: list[_Exchanged] = []
        self.was_given_parameters = False
        self._moves = Moves()

    def _take(self, groups: Mapping[str, GroupOptions] | None = None,
              constraint: Constraint | Mapping[str, Constraint] | None = None, accumulate_steps: int = 1,
              ema: float | None = None, steps_per_epoch: float = 0.0) -> None:
        """Take over the options that are kept."""
        require_mapping("groups", groups or {}, 'groups={"*.bias": {"weight_decay": 0}}')
        self._patterns = {pattern: self._checked(options) for pattern, options in (groups or {}).items()}
        if constraint is not None and not callable(constraint):
            require_mapping("constraint", constraint, 'constraint={"*.weight": tz.optim.MaxNorm(2.0)}')
        self._constraint = constraint
        self.accumulate_steps = positive_int("accumulate_steps", accumulate_steps)
        self._accumulated = tensor(0, dtype="int64")
        self._ema = None if ema is None else hyper_parameter("ema", ema, "from 0 up to but not with 1", example=0.999)
        self._steps_per_epoch = hyper_parameter("steps_per_epoch", steps_per_epoch, example=100)
        self._given_ema = ema

    @property
    def kept_options(self) -> Keeping:
        """The options that a saved model keeps beside the chain.

        >>> import tarazu as tz
        >>> tz.optim.SGD(ema=0.9).kept_options["ema"]
        0.9
        """
        return {"groups": self._patterns, "constraint": self._constraint, "accumulate_steps": self.accumulate_steps,
                "ema": self._given_ema, "steps_per_epoch": self._steps_per_epoch.item()}

    def _checked(self, options: GroupOptions) -> GroupOptions:
        """The options of a group, with a rate as a multiple of the optimizer's; ArgumentError for what cannot be."""
        checked = with_factor(options, None if self._schedule else self._rate.item())
        self._make_group(checked)
        return checked

    def _make_group(self, options: GroupOptions) -> Group:
        return make_group(options, self._front, self.makes_chain, self.chain)

    def attach(self, params: Params) -> Self:
        """Take `params` as what to optimize and make the state for them; gives the optimizer back.

        They are what the optimizer may be made with. One that is given twice, as tied weights are, is taken once. In
        place of other parameters, or of the same, all state starts anew: slots and step count. Learning rate and
        hyper-parameters stay, but those of groups are as they were given. ArgumentError unless they are one or more
        float tensors, and for a pattern that matches none of their paths; nothing is changed then.

        >>> import tarazu as tz
        >>> tz.optim.SGD(lr=0.1).attach([tz.ones(3, requires_grad=True)])
        SGD(lr=0.1, chain=[], parameters=1)
        """
        given = read_parameters(params)
        options = [self._checked(one.options) if one.options else {} for one in given]
        groups, constraints = self._sorted_into_groups(given, options), self._constraints_of(given)
        wanted = [one.parameter for one in given]
        slots = [[_new_slots(p, group, i) for p, group in zip(wanted, groups, strict=True)]
                 for i in range(_longest(groups))]
        if self.parameters:
            self.step_count.copy_(0)  # it is part of the state: Adam corrects its averages by it
            self._accumulated.copy_(0)
        self.parameters, self._slots, self._groups, self._constraints = wanted, slots, tuple(groups), tuple(constraints)
        self.options_given = options
        self._kept_slots, self._exchanged = tuple([self._make_kept_slots(p.detach()) for p in wanted]), []
        return self

    def attach_at_first_step(self, params: Params) -> Self:
        """`attach`, but TraceError inside a traced function: state made there would be made anew in each call.

        >>> import tarazu as tz
        >>> tz.optim.SGD(lr=0.1).attach_at_first_step([tz.ones(3, requires_grad=True)])
        SGD(lr=0.1, chain=[], parameters=1)
        """
        if interpreter_state.interpreter.is_tracing:
            raise TraceError("the optimizer has not seen a parameter yet, so its state is not there",
                             expected="an optimizer that knows its parameters before a step is traced",
                             fix="do one step without jit, or give the optimizer the parameters: "
                                 "tz.optim.Adam(model.parameters(), lr=0.001)")
        return self.attach(params)

    def start_anew(self) -> None:
        """Set slots and step count back to those of an optimizer that has not stepped; all else stays.

        Training then starts from the weights that the parameters have now.

        >>> import tarazu as tz
        >>> w = tz.tensor([1.0], requires_grad=True)
        >>> optimizer = tz.optim.Adam([w], lr=0.25)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> optimizer.start_anew()
        >>> int(optimizer.step_count)
        0
        """
        with no_grad():
            self.step_count.copy_(0)
            self._accumulated.copy_(0)
            for j, (parameter, group) in enumerate(zip(self.parameters, self._groups, strict=True)):
                for i, slots in enumerate(self._slots):
                    _set_slots(slots[j], _new_slots(parameter, group, i))
                _set_slots(self._kept_slots[j], self._make_kept_slots(parameter.detach()))
        self._exchanged = []

    def _sorted_into_groups(self, given: Sequence[Given], own_options: Sequence[GroupOptions]) -> list[Group]:
        """The group of each parameter; those with the same options share one."""
        made, groups = dict[str, Group](), []
        patterns = of_parameters("groups", self._patterns, [one.path for one in given])
        for own, matching in zip(own_options, patterns, strict=True):
            options = merged([own, *matching])
            key = repr(sorted((name, id(x) if callable(x) else repr(x)) for name, x in options.items()))
            if options and key not in made:
                made[key] = self._make_group(options)
            groups.append(made[key] if options else self._base)
        return groups

    def _constraints_of(self, given: Sequence[Given]) -> list[list[Constraint]]:
        if isinstance(self._constraint, Mapping):
            return of_parameters("constraint", self._constraint, [one.path for one in given])
        return [[] if self._constraint is None else [self._constraint] for _ in given]

    def _make_kept_slots(self, parameter: Tensor) -> Slots:
        slots = {"gradient": zeros_like(parameter)} if self.accumulate_steps > 1 else {}
        return slots | ({"ema": parameter.clone()} if self._ema is not None else {})

    @property
    def groups(self) -> list[Group]:
        """The groups of parameters, each with its `chain` and `lr_factor`; the first is that without own options.

        >>> import tarazu as tz
        >>> model = tz.nn.Dense(1, in_features=2)
        >>> tz.optim.SGD(model.named_parameters(), lr=0.5, groups={"bias": {"lr": 0.25}}).groups
        [Group(lr_factor=1, chain=[]), Group(lr_factor=0.5, chain=[])]
        """
        return list({id(group): group for group in self._groups}.values())

    @property
    def lr(self) -> Tensor:
        """The learning rate of the next step, a scalar. Set it to a number or to a schedule.

        ArgumentError for a number below 0; TrainingError for a schedule in epochs before their steps are known.

        >>> import tarazu as tz
        >>> optimizer = tz.optim.SGD(lr=0.5)
        >>> optimizer.lr = 0.25
        >>> optimizer.lr
        Tensor(0.25, dtype=float32)
        """
        return self._rate if self._schedule is None else self._rate_by(self._schedule)

    @lr.setter
    def lr(self, value: float | Tensor | Schedule) -> None:
        if callable(value) and not isinstance(value, Tensor):
            self._schedule = value
        else:
            self._rate.copy_(value if isinstance(value, Tensor) else hyper_parameter("lr", value, example=0.001))
            self._schedule = None

    def _rate_by(self, schedule: Schedule) -> Tensor:
        with epochs_of(self._steps_per_epoch):
            return schedule(self.step_count.astype("float32"))

    @property
    def steps_per_epoch(self) -> Tensor:
        """How many updates an epoch has, which schedules in epochs divide by; `fit` sets it. 0: not known.

        ArgumentError when it is set to a number that is not above 0.

        >>> import tarazu as tz
        >>> optimizer = tz.optim.SGD(lr=tz.optim.in_epochs(tz.optim.linear_decay(0.5, steps=10)))
        >>> optimizer.steps_per_epoch = 100
        >>> optimizer.lr
        Tensor(0.5, dtype=float32)
        """
        return self._steps_per_epoch

    @steps_per_epoch.setter
    def steps_per_epoch(self, value: float) -> None:
        self._steps_per_epoch.copy_(hyper_parameter("steps_per_epoch", value, "above 0", example=100))

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to None, and `use_training_weights`.

        >>> import tarazu as tz
        >>> w = tz.tensor([1.0], requires_grad=True)
        >>> w.sum().backward()
        >>> tz.optim.SGD([w]).zero_grad()
        >>> w.grad is None
        True
        """
        self._go_on_training()
        for parameter in self.parameters:
            parameter.grad = None

    def _go_on_training(self) -> None:
        """Let the parameters have the weights that are trained; a function that is being traced does so at each call.
        """
        if self._ema is not None or self._keeps_averages:
            interpreter = interpreter_state.interpreter
            with interpreter.outside() if self._exchanged else contextlib.nullcontext():
                interpreter.depend_on(partial(_has_training_weights, self), "whether weights are those of training")

    def step(self) -> None:
        """Move every parameter that has a gradient and is not frozen; TrainingError when there is none.

        With `accumulate_steps=n` only each n-th call moves them.

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
            self.attach_at_first_step([variable for _, variable in chosen])
        position = {id(p): i for i, p in enumerate(self.parameters)}
        if any(id(variable) not in position for _, variable in chosen):
            raise ArgumentError("apply_gradients with a variable that the optimizer does not know",
                                expected="the variables of the first call, or those given when it was made",
                                fix="make the optimizer with all variables: tz.optim.SGD(variables, lr=0.1)")
        self._update([(position[id(variable)], gradient) for gradient, variable in chosen if gradient is not None])

    def _update(self, gradients: list[tuple[int, Tensor]]) -> None:
        """Move parameters, given by their positions, by their gradients, or add these to those of earlier steps."""
        self._require_some(gradients)
        self._go_on_training()
        with no_grad():
            if self.accumulate_steps == 1:
                self._move(dict(gradients))
                return
            for i, gradient in gradients:
                self._kept_slots[i]["gradient"].add_(gradient / self.accumulate_steps)
            self._accumulated.add_(1)
            if interpreter_state.interpreter.is_tracing:
                chosen = [i for i, _ in gradients]
                cond(self._accumulated >= self.accumulate_steps, lambda: self._move_by_mean(chosen), lambda: None)
            elif int(self._accumulated) >= self.accumulate_steps:
                self._move_by_mean([i for i, _ in gradients])

    def _move_by_mean(self, chosen: list[int]) -> None:
        """Move parameters by the mean of their gradients, which then starts anew."""
        sums = {i: self._kept_slots[i]["gradient"] for i in chosen}
        with no_grad():  # in a branch of a trace gradients are recorded all the same
            self._move({i: x.clone() for i, x in sums.items()})
            for x in sums.values():
                x.copy_(zeros_like(x))
            self._accumulated.copy_(0)

    def _move(self, gradients: dict[int, Tensor]) -> None:
        rates = self._rates({id(self._groups[i]): self._groups[i] for i in gradients})
        if interpreter_state.interpreter.is_tracing:
            self._move_by(gradients, rates)
            return
        self._moves(self._move_by, self._parts, self.parameters, gradients, rates)

    def _parts(self) -> list[object]:
        """What a move calls."""
        return [*(part for group in self.groups for part in group.chain), *itertools.chain(*self._constraints)]

    def _move_by(self, gradients: dict[int, Tensor], rates: dict[int, Tensor]) -> None:
        """Move parameters by gradients at learning rates, which are by the identities of groups."""
        self.step_count.add_(1)
        updates = self._through_chains(gradients, rates)
        for i, update in updates.items():
            parameter = self.parameters[i]
            parameter.sub_(rates[id(self._groups[i])] * update)
            for constraint in self._constraints[i]:
                parameter.copy_(constraint(parameter))
            if self._ema is not None:
                mean = self._kept_slots[i]["ema"]
                mean.copy_(self._ema * mean + (1.0 - self._ema) * parameter)

    def _rates(self, groups: dict[int, Group]) -> dict[int, Tensor]:
        """The learning rate of each group; the optimizer's is asked for once."""
        rate = self.lr
        rates = {}
        for key, group in groups.items():
            own = rate if group.schedule is None else self._rate_by(group.schedule)
            rates[key] = own if group is self._base else own * group.lr_factor
        return rates

    def _through_chains(self, gradients: dict[int, Tensor], rates: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """The updates that the chains make of gradients. What is in several chains gets the gradients of them together.
        """
        updates, count = dict(gradients), self.step_count.astype("float32")
        for i, all_slots in enumerate(self._slots):
            for part, members in self._parts_at(i, gradients):
                if isinstance(part, NeedsRate):
                    part.rate.copy_(rates[id(self._groups[members[0]])])
                new = part.update_all([updates[j] for j in members], [self.parameters[j] for j in members],
                                      [all_slots[j] for j in members], count)
                updates.update(zip(members, new, strict=True))
        return updates

    def _parts_at(self, i: int, chosen: Iterable[int]) -> list[tuple[Transformation, list[int]]]:
        """The parts at position `i` of the chains, each with those of the chosen parameters that it is for."""
        parts: dict[tuple[int, int], tuple[Transformation, list[int]]] = {}
        for j in chosen:
            group = self._groups[j]
            if i < len(group.chain):
                part = group.chain[i]
                rate_of = id(group) if isinstance(part, NeedsRate) else 0
                parts.setdefault((id(part), rate_of), (part, []))[1].append(j)
        return list(parts.values())

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

        A state that was saved while the parameters had the `evaluation_weights` has those of training too: they are
        gone on from if the parameters have the others then, as the state of the model says.

        ArgumentError unless the names are the same, ShapeError unless the shapes are; nothing is changed then.

        >>> import tarazu as tz
        >>> first, second = (tz.optim.SGD([tz.ones(2, requires_grad=True)], lr=lr) for lr in (0.5, 0.25))
        >>> second.load_state_dict(first.state_dict())
        >>> second.lr
        Tensor(0.5, dtype=float32)
        """
        before = self._exchanged
        self.have_room_for(content)
        try:
            require_same_state("optimizer", own := dict(self.named_state()), content)
        except TarazuError:
            self._exchanged = before
            raise
        with no_grad():
            for name, x in own.items():
                x.copy_(content[name])
        if self._exchanged:
            evaluated = self.evaluation_weights()
            self._exchanged = [one._replace(shown=evaluated[one.position]) for one in self._exchanged]

    def have_room_for(self, names: Collection[str]) -> None:
        """Let the state have what a saved one with these names has: weights of training beside those for evaluation.

        They are the parameters' own until they are written to.

        >>> import tarazu as tz
        >>> optimizer = tz.optim.SGD([tz.ones(1, requires_grad=True)], ema=0.5)
        >>> optimizer.have_room_for(["trained.0"])
        >>> optimizer.state_dict()["trained.0"]
        Tensor([1.], dtype=float32)
        """
        self._exchanged = [_Exchanged(i, x.detach().clone(), x.detach().clone())
                           for i, x in enumerate(self.parameters) if f"trained.{i}" in names]

    def evaluation_weights(self) -> list[Tensor]:
        """The weights that evaluation reads, one for each of `parameters`: with `ema` their running means.

        `ScheduleFreeAdamW` gives its averages; for other optimizers they are the parameters themselves, detached. `fit`
        reads them after each epoch (validation, the best weights, the verdict) and leaves them in the model; the next
        fit, and `zero_grad` and `step` of a loop of your own, go on from the weights that were trained. Copies and
        saved models have both.

        >>> import tarazu as tz
        >>> w = tz.tensor([1.0], requires_grad=True)
        >>> optimizer = tz.optim.SGD([w], lr=0.5, ema=0.5)
        >>> optimizer.apply_gradients([(tz.tensor([1.0]), w)])
        >>> w.item(), optimizer.evaluation_weights()[0].item()
        (0.5, 0.75)
        """
        trained = {one.position: one.trained for one in self._exchanged}
        return [x.detach() for x in self._evaluated([trained.get(i, x) for i, x in enumerate(self.parameters)])]

    def _evaluated(self, trained: list[Tensor]) -> list[Tensor]:
        """The tensors whose values are the `evaluation_weights` beside such weights of training."""
        return trained if self._ema is None else [slots["ema"] for slots in self._kept_slots]

    def use_evaluation_weights(self) -> None:
        """Put the `evaluation_weights` into the parameters, until `use_training_weights` puts those of before back.

        >>> import tarazu as tz
        >>> w = tz.tensor([1.0], requires_grad=True)
        >>> optimizer = tz.optim.SGD([w], lr=0.5, ema=0.5)
        >>> optimizer.apply_gradients([(tz.tensor([1.0]), w)])
        >>> optimizer.use_evaluation_weights()
        >>> w.item()
        0.75
        >>> optimizer.use_training_weights()
        >>> w.item()
        0.5
        """
        if self._exchanged:
            return
        for i, (parameter, x) in enumerate(zip(self.parameters, self._evaluated(self.parameters), strict=True)):
            if x.raw is not parameter.raw:
                self._exchanged.append(_Exchanged(i, Tensor(parameter.raw), Tensor(x.raw)))
                replace_data(parameter, x.raw)

    def use_training_weights(self) -> None:
        """Put the weights back that were there before `use_evaluation_weights`; those that were changed since stay.

        >>> import tarazu as tz
        >>> tz.optim.SGD([tz.ones(1, requires_grad=True)], lr=0.5).use_training_weights()
        """
        for i, trained, shown in self._exchanged:
            parameter = self.parameters[i]
            if _are_same(parameter.raw, shown.raw):
                replace_data(parameter, put(trained.raw, device_of(parameter.raw)))
        if self._exchanged:  # an attribute that is set lets each jitted function look at its guards
            self._exchanged = []

    def begin(self, steps: int | None) -> Callable[[], None]:
        """Make ready for a `fit` with so many batches in an epoch, None if not known; gives what undoes it.

        >>> import tarazu as tz
        >>> optimizer = tz.optim.SGD([tz.ones(1, requires_grad=True)], accumulate_steps=2)
        >>> undo = optimizer.begin(100)
        >>> optimizer.steps_per_epoch.item()
        50.0
        """
        exchanged = self._exchanged
        before = [(x, x.raw) for x in [self._steps_per_epoch, *(self.parameters[one.position] for one in exchanged)]]
        self.use_training_weights()
        if steps is not None:
            self.steps_per_epoch = steps / self.accumulate_steps

        def undo() -> None:
            for x, raw in before:
                replace_data(x, raw)
            self._exchanged = exchanged
        return undo

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """A block in which the parameters have the `evaluation_weights`.

        >>> import tarazu as tz
        >>> w = tz.tensor([1.0], requires_grad=True)
        >>> optimizer = tz.optim.SGD([w], lr=0.5, ema=0.5)
        >>> optimizer.apply_gradients([(tz.tensor([1.0]), w)])
        >>> with optimizer.evaluating():
        ...     w.item()
        0.75
        """
        was_exchanged = bool(self._exchanged)
        self.use_evaluation_weights()
        try:
            yield
        finally:
            if not was_exchanged:
                self.use_training_weights()

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
            every: list[Sequence[Slots]] = [*self._slots, self._kept_slots]
            pairs = [pair for slots in every for pair in zip(self.parameters, slots, strict=True)]
            like = {id(x): parameter for parameter, own in pairs for x in own.values() if x.shape == parameter.shape}
            undivided = whole(self.parameters[0].device)
            for x in [self._steps_per_epoch, *(x for _, x in self.named_state())]:
                move(x, like[id(x)].device if id(x) in like else undivided)
        return self

    def named_state(self) -> list[tuple[str, Tensor]]:
        """The tensors that an optimizer goes on from, with their names: those of `state_dict`, themselves.

        While the parameters have the `evaluation_weights`, "trained.0" and so on are those of training. Names of a
        group with options of its own begin with "group1." and so on.

        >>> import tarazu as tz
        >>> dict(tz.optim.SGD(lr=0.5).named_state())["lr"]
        Tensor(0.5, dtype=float32)
        """
        tensors = [("step_count", self.step_count), ("lr", self._rate)]
        tensors += [("accumulated", self._accumulated)] if self.accumulate_steps > 1 else []
        tensors += [("ema", self._ema)] if self._ema is not None else []
        tensors += _named_parts("", self.chain)
        for number, group in enumerate((group for group in self.groups if group is not self._base), 1):
            tensors.append((f"group{number}.lr_factor", group.lr_factor))
            tensors += _named_parts(f"group{number}.", group.chain, self.chain)
        for i, slots in enumerate([*self._slots, self._kept_slots]):
            prefix = f"{i}." if i < len(self._slots) else ""
            tensors += [(f"{prefix}{name}.{j}", x) for j, own in enumerate(slots) for name, x in own.items()]
        return [*tensors, *((f"trained.{one.position}", one.trained) for one in self._exchanged)]

    def __repr__(self) -> str:
        parts = ", ".join(type(part).__name__ for part in self.chain)
        try:
            rate = f"{float(self.lr):g}"
        except TrainingError:
            rate = "in epochs"
        return f"{type(self).__name__}(lr={rate}, chain=[{parts}], parameters={len(self.parameters)})"


def _has_training_weights(optimizer: Optimizer) -> bool:
    """True, once the parameters have the weights that are trained: a guard, which is asked before they are read."""
    optimizer.use_training_weights()
    return True


def _are_same(first: Data, second: Data) -> bool:
    """Whether data are the same, or equal: in a copy, or on another device."""
    return first is second or (first.dtype == second.dtype and np.array_equal(values(first), values(second)))


def _named_parts(prefix: str, chain: Sequence[Transformation],
                 known: Sequence[Transformation] = ()) -> list[tuple[str, Tensor]]:
    """The hyper-parameters of a chain with their names, but for what is in `known` too."""
    known_parts = {id(part) for part in known}
    return [(f"{prefix}{i}.{name}", x) for i, part in enumerate(chain) if id(part) not in known_parts
            for name, x in part.hyper_parameters().items()]


def _new_slots(parameter: Tensor, group: Group, i: int) -> Slots:
    """Those of a parameter for what stands at position `i` of the chain of its group."""
    return group.chain[i].slots(parameter.detach()) if i < len(group.chain) else {}


def _set_slots(slots: Slots, values: Slots) -> None:
    for name, value in values.items():
        slots[name].copy_(value)


def _longest(groups: Sequence[Group]) -> int:
    return max(len(group.chain) for group in groups)
