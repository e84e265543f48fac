"""The steps of a functional model in the order in which they run: calls of layers, and operations between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from tarazu.base.pytree import flatten
from tarazu.nn.functional.operations import Operations, Values, operation
from tarazu.nn.functional.plain import Plain
from tarazu.nn.functional.recipe import VALUE, Recipe, argument
from tarazu.nn.module.module import Module
from tarazu.runtime.tensor.tensor import Tensor


class LayerCall:
    """A call of a layer on a whole batch."""

    def __init__(self, step: Mapping[str, Plain]) -> None:
        self._layer, self._arguments, self._outputs = step["layer"], step["arguments"], step["outputs"]
        self._structure = flatten(step["tree"][0])[1]

    def run(self, values: Values, layers: Sequence[Module], constants: Sequence[Tensor]) -> None:
        """Add the results to `values`, from which the arguments come."""
        args, kwargs = self._structure.rebuild([argument(x, values, constants) for x in self._arguments])
        results, _ = flatten(layers[self._layer](*args, **kwargs))
        values.update(zip(self._outputs, results, strict=True))


class Plan:
    """What a recipe says, ready to run; equal to the plan of another recipe with the same content."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe.holding([], [])  # the model has the layers and constants, which may be replaced
        self._inputs, self._outputs = flatten(recipe.inputs)[0], flatten(recipe.outputs)[0]
        self._parts: list[LayerCall | Operations] = []
        runs = [list(steps) for _, steps in groupby(recipe.steps, lambda step: "layer" in step)]
        for i, steps in enumerate(runs):
            if "layer" in steps[0]:
                self._parts += [LayerCall(step) for step in steps]
            else:
                later = [*_read(step for run in runs[i + 1:] for step in run), *self._outputs]
                self._parts.append(Operations(self.recipe, [operation(step) for step in steps], later))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and repr(self.recipe.content) == repr(other.recipe.content)

    __hash__ = object.__hash__

    def __deepcopy__(self, memo: dict) -> Plan:
        return self  # no one changes it

    def __reduce__(self) -> tuple:
        return Plan, (self.recipe,)

    def run(self, inputs: Sequence[Tensor], layers: Sequence[Module], constants: Sequence[Tensor]) -> list[Tensor]:
        """The outputs for whole batches of inputs."""
        values = dict(zip(self._inputs, inputs, strict=True))
        for part in self._parts:
            if isinstance(part, Operations):
                part.run(values, constants)
            else:
                part.run(values, layers, constants)
        return [values[i] for i in self._outputs]


def _read(steps: Iterable[Mapping[str, Plain]]) -> list[int]:
    """The values that the steps read."""
    return [content for step in steps for kind, content in step["arguments"] if kind == VALUE]
