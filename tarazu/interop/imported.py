"""`Imported`: a model that another framework described, as steps on named values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from tarazu.base.errors import ArgumentError, TarazuError
from tarazu.nn.module.module import Module
from tarazu.runtime.tensor.tensor import Tensor

Operation = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Ref:
    """The value of that name, where it stands among the arguments of a step."""

    name: str


@dataclasses.dataclass(frozen=True)
class Step:
    """One call: the operation's name in its own framework, its arguments, the names of its results, where it stood.

    The arguments may be nested containers with a `Ref` for each value; a result that nobody reads may have the name "".
    """

    operation: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    results: tuple[str, ...]
    position: str


class Imported(Module):
    """A model of steps that another framework described; the subclass of each framework has the table of operations.

    It is called with its inputs in the order of `inputs`, differentiated, jitted, trained and saved as others are.
    `tensors` are its weights and constants by their names there: those that are a `Parameter` are trained.
    ArgumentError for another number of inputs; an error in a step begins with where that step stood.
    """

    operations: ClassVar[Mapping[str, Operation]]

    def __init__(self, inputs: Sequence[str], outputs: Any, steps: Sequence[Step], tensors: Mapping[str, Tensor]
                 ) -> None:
        self.inputs, self.outputs, self.steps, self.tensors = list(inputs), outputs, list(steps), dict(tensors)
        self._last_reads = last_reads(self.steps, outputs)

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
        values: dict[str, Any] = {**self.tensors, **dict(zip(self.inputs, inputs, strict=True))}
        for step, unread in zip(steps, unread_after, strict=True):
            self._run(step, values)
            for name in unread:
                values.pop(name, None)
        return _filled(outputs, values)

    def _run(self, step: Step, values: dict[str, Any]) -> None:
        try:
            result = self.operations[step.operation](*_filled(step.arguments, values), **_filled(step.options, values))
        except TarazuError as error:
            error.add_note(f"in {step.position}: {step.operation}")
            raise
        results = result if isinstance(result, tuple) else (result,)
        values.update((name, value) for name, value in zip(step.results, results, strict=False) if name)


def _filled(tree: Any, values: Mapping[str, Any]) -> Any:
    """The nested lists, tuples and dicts with the values of their references."""
    if isinstance(tree, Ref):
        return values[tree.name]
    if isinstance(tree, list | tuple):
        return type(tree)(_filled(item, values) for item in tree)
    return {key: _filled(item, values) for key, item in tree.items()} if isinstance(tree, dict) else tree


def names(tree: Any) -> set[str]:
    """The names that are referred to in nested lists, tuples and dicts."""
    if isinstance(tree, Ref):
        return {tree.name}
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
