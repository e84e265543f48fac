"""What a functional model is made of, as data: values by number, the steps that make them, layers and tensors.

Only `layers` and `constants` hold objects; all else is plain data (plain.py), which can be compared, copied and saved.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import ArgumentError
from tarazu.base.pytree import flatten
from tarazu.ir.types import TensorType
from tarazu.nn.functional.plain import OPS, Plain, from_plain, to_plain
from tarazu.nn.functional.symbols import (
    InputStep,
    ModuleStep,
    OperationStep,
    Step,
    is_symbolic,
    require_samples,
)
from tarazu.nn.module.module import Module
from tarazu.ops.typing import Tree
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor

Reference: TypeAlias = list[Any]  # ["value", 3], ["constant", 0], ["number", an array], or ["literal", "text"]
VALUE, CONSTANT, NUMBER, LITERAL = "value", "constant", "number", "literal"


@dataclass(eq=False)
class Recipe:
    """A functional model as data. A step is a dict with "arguments", "outputs", and "layer" or "operation"."""

    inputs: Plain  # a tree of numbers of values
    outputs: Plain
    names: list[str | None]  # of the inputs
    types: list[list[Any]]  # the shape and dtype of each value
    steps: list[dict[str, Plain]]
    constant_types: list[list[Any]]  # the same of each constant
    layer_names: list[str]
    layers: list[Module] = field(default_factory=list)
    constants: list[Tensor] = field(default_factory=list)

    def type_of(self, value: int) -> TensorType:
        """The type of a value, in a batch of one sample."""
        return _as_type(self.types[value])

    def type_of_constant(self, i: int) -> TensorType:
        """The type that a constant had when it was recorded."""
        return _as_type(self.constant_types[i])

    def holding(self, layers: list[Module], constants: list[Tensor]) -> Recipe:
        """The same content with these objects."""
        return replace(self, layers=layers, constants=constants)

    @property
    def content(self) -> list[Plain]:
        """All of it but the objects."""
        return [self.inputs, self.outputs, self.names, self.types, self.steps, self.constant_types, self.layer_names]


def _as_type(content: list[Any]) -> TensorType:
    shape, dtype = content
    return TensorType(tuple(shape), as_dtype(dtype))


def _type_content(x: Tensor) -> list[Any]:
    return [list(x.shape), x.dtype.name]


def record(inputs: Tree, outputs: Tree) -> tuple[Recipe, list[Tensor]]:
    """The recipe of the model that makes `outputs` of `inputs`, trees of symbolic tensors; and the values, by number.

    ArgumentError for other things in them, and for outputs that need an input that is not among `inputs`.
    """
    recorder = _Recorder(_leaves("inputs", inputs), _leaves("outputs", outputs))
    return recorder.recipe(inputs, outputs), recorder.values


def _leaves(what: str, tree: Tree) -> list[Tensor]:
    leaves, _ = flatten(tree)
    for x in leaves:
        if not is_symbolic(x):
            raise ArgumentError(f"{what} with a {type(x).__name__}",
                                expected="symbolic tensors, in lists, tuples and dicts",
                                fix="begin with x = tz.nn.Input((4,)), and call layers and operations on it")
        require_samples(x, what + " with")
    if not leaves:
        raise ArgumentError(f"a model without {what}", expected="at least one symbolic tensor",
                            fix="begin with x = tz.nn.Input((4,))")
    return leaves


class _Recorder:
    def __init__(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        self._inputs = inputs
        self.values = list(inputs)
        self._numbers = {(x.raw.step, x.raw.position): i for i, x in enumerate(inputs)}
        if len(self._numbers) < len(inputs):
            raise ArgumentError("inputs with the same tensor twice", expected="each input once",
                                fix="make another one: tz.nn.Input(shape)")
        self._layers, self._constants = dict[int, tuple[int, Module]](), dict[int, tuple[int, Tensor]]()
        self._steps = [self._step(step) for step in self._needed(outputs)]

    def _needed(self, outputs: Sequence[Tensor]) -> list[Step]:
        """The steps that the outputs need beyond the inputs, in the order in which they were recorded."""
        needed: dict[Step, None] = {}
        stack = list(outputs)
        while stack:
            symbol = stack.pop().raw
            if (symbol.step, symbol.position) in self._numbers or symbol.step in needed:
                continue
            if isinstance(symbol.step, InputStep):
                name = f" {symbol.step.name!r}" if symbol.step.name else ""
                raise ArgumentError(f"outputs that need an input{name} of shape (batch, *{tuple(symbol.shape[1:])}), "
                                    "which is not among the inputs",
                                    expected="all inputs that the outputs need",
                                    fix="add it to the inputs of the model")
            needed[symbol.step] = None
            stack += [x for x in symbol.step.arguments if is_symbolic(x)]
        return sorted(needed, key=lambda step: step.number)

    def _step(self, step: Step) -> dict[str, Plain]:
        content: dict[str, Plain] = {"arguments": [self._reference(x) for x in step.arguments]}
        if isinstance(step, ModuleStep):
            content |= {"layer": _index(self._layers, step.module), "tree": _tree(step)}
        else:
            assert isinstance(step, OperationStep)
            content |= {"operation": step.op.name,
                        "attributes": [[key, to_plain(value)] for key, value in step.attributes.items()]}
        content["outputs"] = [self._new(x) for x in step.outputs]
        return content

    def _new(self, x: Tensor) -> int:
        self.values.append(x)
        return self._numbers.setdefault((x.raw.step, x.raw.position), len(self.values) - 1)

    def _reference(self, x: object) -> Reference:
        if is_symbolic(x):
            return [VALUE, self._number(x)]
        if not isinstance(x, Tensor):
            return [LITERAL, x]
        return [NUMBER, x.numpy()] if type(x) is Tensor and not x.shape else [CONSTANT, _index(self._constants, x)]

    def _number(self, x: Tensor) -> int:
        return self._numbers[x.raw.step, x.raw.position]

    def recipe(self, inputs: Tree, outputs: Tree) -> Recipe:
        layers = [module for _, module in self._layers.values()]
        constants = [x for _, x in self._constants.values()]
        names = [x.raw.step.name if isinstance(x.raw.step, InputStep) else None for x in self._inputs]
        types = [_type_content(x) for x in self.values]
        return Recipe(_numbered(inputs, self._number), _numbered(outputs, self._number), names, types,
                      self._steps, [_type_content(x) for x in constants], _names(layers), layers, constants)


def _index(table: dict[int, tuple[int, Any]], thing: Any) -> int:
    """The number of an object in a table of those that were met before; a new one comes to its end."""
    return table.setdefault(id(thing), (len(table), thing))[0]


def _numbered(tree: Tree, number: Callable[[Tensor], int]) -> Plain:
    leaves, structure = flatten(tree)
    return structure.rebuild(map(number, leaves))


def _tree(step: ModuleStep) -> Plain:
    """How the arguments are nested, and the results, with the numbers of leaves in them."""
    return [step.structure.rebuild(range(step.structure.leaves)), step.result.rebuild(range(step.result.leaves))]


def _names(layers: Iterable[Module]) -> list[str]:
    """A name for each layer, of its class and its number among those of that class: "dense", "dense_1"."""
    counts: Counter[str] = Counter()
    names = []
    for layer in layers:
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(layer).__name__).lower()
        names.append(f"{kind}_{counts[kind]}" if counts[kind] else kind)
        counts[kind] += 1
    return names


def argument(reference: Reference, values: Mapping[int, Tensor], constants: Sequence[Tensor]) -> Any:
    """What a reference means; arrays of one number become tensors."""
    kind, content = reference
    if kind == VALUE:
        return values[content]
    if kind == NUMBER:
        return asarray(content)
    return constants[content] if kind == CONSTANT else content


def symbols_of(recipe: Recipe) -> list[Tensor]:
    """A symbolic tensor for each value of a recipe, made anew."""
    values: dict[int, Tensor] = {}
    for i, name in enumerate(recipe.names):
        values[i] = InputStep(name).add_output(recipe.type_of(i))

    for content in recipe.steps:
        arguments = [argument(x, values, recipe.constants) for x in content["arguments"]]
        if "layer" in content:
            structure, result = (flatten(tree)[1] for tree in content["tree"])
            step: Step = ModuleStep(recipe.layers[content["layer"]], arguments, structure, result)
        else:
            step = OperationStep(OPS[content["operation"]], arguments,
                                 {key: from_plain(value, {}) for key, value in content["attributes"]})
        for number in content["outputs"]:
            values[number] = step.add_output(recipe.type_of(number), None)
    return [values[i] for i in range(len(values))]
