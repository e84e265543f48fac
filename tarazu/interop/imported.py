"""`Imported`: a model that another framework described, as steps on named values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from tarazu.base.errors import ArgumentError, TarazuError
from tarazu.nn.module.module import Module
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor

Operation = Callable[..., Any]
# What operations raise for values that a model should not give them, a shortage of memory for them among these.
STEP_ERRORS = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError)


@dataclasses.dataclass(frozen=True)
class Ref:
    """The value of that name, where it stands among the arguments of a step."""

    name: str


@dataclasses.dataclass(frozen=True)
class Step:
    """One call: the operation's name in its own framework, its arguments, the names of its results, where it stood.

    The arguments may be nested containers with a `Ref` for each value and a `Body` for each function; a result that
    nobody reads may have the name "".
    """

    operation: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    results: tuple[str, ...]
    position: str


@dataclasses.dataclass(frozen=True)
class Body:
    """Steps that an operation calls, such as the body of a loop: it gets a function of these inputs.

    The steps may read values of the steps around them too; names differ from all that are defined there.
    """

    inputs: tuple[str, ...]
    outputs: Any
    steps: tuple[Step, ...]


class Imported(Module):
    """A model of steps that another framework described; the subclass of each framework has the table of operations.

    It is called with its inputs in the order of `inputs`; differentiated, jitted, trained and saved as other modules.
    `tensors` are its weights and constants by their names there: those that are a `Parameter` are trained.
    ArgumentError for another number of inputs; an error in a step begins with where that step stood.
    """

    operations: ClassVar[Mapping[str, Operation]]

    def __init__(self, inputs: Sequence[str], outputs: Any, steps: Sequence[Step], tensors: Mapping[str, Tensor]
                 ) -> None:
        self.inputs, self.outputs, self.steps, self.tensors = list(inputs), outputs, list(steps), dict(tensors)
        self._last_reads = last_reads(self.steps, outputs)

    def __setattr__(self, name: str, value: Any) -> None:
        """ArgumentError where a layer of the other framework is set anew, which its steps would not read."""
        held = vars(self).get("tensors", {})
        if any(each == name or each.startswith(f"{name}.") for each in held):
            raise ArgumentError(f"{name!r} set anew in an imported model, whose steps read the tensors by their names",
                                expected="a model that is left as it was imported",
                                fix="replace the layer there before importing, or leave it out there and put one behind"
                                    " the model: tz.nn.Sequential(model, tz.nn.Dense(7)); values are changed by "
                                    "model.tensors[name].copy_(values)")
        super().__setattr__(name, value)

    def describe(self) -> str:
        """What stands in the brackets of the printed tree."""
        return f"inputs={len(self.inputs)}, steps={len(self.steps)}"

    def forward(self, *inputs: Any) -> Any:
        """The outputs for the inputs, nested as the model describes them."""
        return self._evaluate(self.steps, self._last_reads, self.outputs, inputs)

    def _evaluate(self, steps: Sequence[Step], unread_after: Sequence[Sequence[str]], outputs: Any,
                  inputs: Sequence[Any]) -> Any:
        """The outputs of steps that this model's inputs and tensors go into."""
        if len(inputs) != len(self.inputs):
            raise ArgumentError(f"{len(inputs)} inputs", expected=f"{len(self.inputs)}: {', '.join(self.inputs)}",
                                fix="pass each input as an argument of its own, in this order")
        values = self.given()
        values.update(zip(self.inputs, map(_as_tensors, inputs), strict=True))
        for step, unread in zip(steps, unread_after, strict=True):
            self._run(step, values)
            for name in unread:
                values.pop(name, None)
        return self._filled(outputs, values)

    def given(self) -> dict[str, Any]:
        """The values that are there before the first step, by their names."""
        return dict(self.tensors)

    def perform(self, step: Step, arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """The result of a step, a tuple where it has several; subclasses may do more around the operation."""
        return self.operations[step.operation](*arguments, **options)

    def _run(self, step: Step, values: dict[str, Any]) -> None:
        try:
            result = self.perform(step, self._filled(step.arguments, values), self._filled(step.options, values))
        except TarazuError as error:
            error.args = (f"{step.position}, {step.operation}: {error}",)
            raise
        except STEP_ERRORS as error:
            raise ArgumentError(f"{step.position}, {step.operation}: {error or type(error).__name__}",
                                expected="values that the operation takes, as the model describes them",
                                fix="look at what the model does there") from error
        results = result if isinstance(result, tuple) else (result,)
        values.update((name, value) for name, value in zip(step.results, results, strict=False) if name)

    def _filled(self, tree: Any, values: Mapping[str, Any]) -> Any:
        """The nested lists, tuples and dicts with the values of their references, and functions of their bodies."""
        if isinstance(tree, Ref):
            return values[tree.name]
        if isinstance(tree, list | tuple):
            return type(tree)([self._filled(item, values) for item in tree])
        if isinstance(tree, Body):
            return self._function(tree, values)
        return {key: self._filled(item, values) for key, item in tree.items()} if isinstance(tree, dict) else tree

    def _function(self, body: Body, values: Mapping[str, Any]) -> Operation:
        """The body as a function of its inputs, beside what it reads of the values around it."""
        around = {name: values[name] for name in names(body) if name in values}

        def function(*inputs: Any) -> Any:
            inner = {**around, **dict(zip(body.inputs, inputs, strict=True))}
            for step in body.steps:
                self._run(step, inner)
            return self._filled(body.outputs, inner)

        return function


def _as_tensors(tree: Any) -> Any:
    """The arrays and numbers of an input as tensors."""
    if isinstance(tree, list | tuple):
        return type(tree)(map(_as_tensors, tree))
    return asarray(tree) if isinstance(tree, np.ndarray | np.generic | int | float) else tree


def names(tree: Any) -> set[str]:
    """The names that are referred to in nested lists, tuples, dicts and bodies."""
    if isinstance(tree, Ref):
        return {tree.name}
    if isinstance(tree, Body):
        return names([tree.outputs, *([step.arguments, step.options] for step in tree.steps)])
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else ()
    return set().union(*map(names, parts))


def last_reads(steps: Sequence[Step], outputs: Any) -> list[tuple[str, ...]]:
    """For each step the names that no later step and no output reads."""
    seen, found = names(outputs), list[tuple[str, ...]]()
    for step in reversed(steps):
        used = names(step.arguments) | names(step.options) | set(step.results)
        found.append(tuple(sorted(used - seen)))
        seen |= used
    return found[::-1]
