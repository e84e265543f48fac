"""The table of a functional model's `summary()`: inputs, layers and operations, and what each is connected to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tarazu.base.pytree import flatten
from tarazu.nn.functional.plain import Plain
from tarazu.nn.functional.recipe import CONSTANT, VALUE, Recipe
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import is_parameter
from tarazu.nn.module.summary import HEADER, layout, totals


def table(model: Module, recipe: Recipe) -> str:
    """One row for each input, call of a layer and operation, then the totals."""
    return layout([(*HEADER, "connected to"), *_Rows(recipe).rows()], totals(model))


class _Rows:
    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._names: dict[int, str] = {}  # of values
        self._counts: Counter[str] = Counter()

    def rows(self) -> list[tuple[str, ...]]:
        numbers, _ = flatten(self._recipe.inputs)
        rows = [self._row(self._recipe.names[i] or self._counted("input"), "Input", [number], "0", [])
                for i, number in enumerate(numbers)]
        return rows + [self._step(step) for step in self._recipe.steps]

    def _step(self, step: Mapping[str, Plain]) -> tuple[str, ...]:
        given = [self._names[content] for kind, content in step["arguments"] if kind == VALUE]
        if "layer" not in step:
            attributes = dict(step["attributes"])
            label = str(attributes.get("label", step["operation"])).replace(" ", "_")
            own = sum(self._recipe.constants[i].size for kind, i in step["arguments"]
                      if kind == CONSTANT and is_parameter(self._recipe.constants[i]))
            return self._row(self._counted(label), "operation", step["outputs"], f"{own:,}", given)
        layer, name = self._recipe.layers[step["layer"]], self._recipe.layer_names[step["layer"]]
        count = f"{sum(x.size for _, x in layer.named_parameters()):,}"
        if self._counts[name]:
            count = "shared"
        self._counts[name] += 1
        shown = name if self._counts[name] == 1 else f"{name} (call {self._counts[name]})"
        return self._row(shown, type(layer).__name__, step["outputs"], count, given)

    def _row(self, name: str, kind: str, values: list[int], parameters: str, given: list[str]) -> tuple[str, ...]:
        self._names |= dict.fromkeys(values, name)
        shapes = ", ".join(str(self._recipe.type_of(i).shape[1:]) for i in values)
        return name, kind, shapes, parameters, ", ".join(dict.fromkeys(given))

    def _counted(self, name: str) -> str:
        self._counts[name] += 1
        return name if self._counts[name] == 1 else f"{name}_{self._counts[name] - 1}"
