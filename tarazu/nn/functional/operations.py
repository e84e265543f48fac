"""Recorded operations, carried out: on a whole batch where that gives the same, else sample by sample, by `vmap`.

Values are kept with a row for each sample. In an operation each sample is a batch of one, as when it was recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tarazu.base.dtypes import DType
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.op import Op
from tarazu.ir.types import Shape, TensorType
from tarazu.nn.functional.plain import OPS, DTypes, Plain, from_plain
from tarazu.nn.functional.recipe import CONSTANT, VALUE, Recipe, Reference, argument
from tarazu.nn.module.masked import carried
from tarazu.ops.promote import cast
from tarazu.ops.shape import expand_dims, reshape
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.vmap.vmap import vmap

Values = dict[int, Tensor]  # by their numbers in the recipe


class Operation(NamedTuple):
    """A primitive in a recipe; its attributes are plain data."""

    op: Op
    arguments: Sequence[Reference]
    attributes: Sequence[tuple[str, Plain]]
    outputs: Sequence[int]


def operation(step: Mapping[str, Plain]) -> Operation:
    """The operation in a step of a recipe."""
    return Operation(OPS[step["operation"]], step["arguments"], step["attributes"], step["outputs"])


class Operations:
    """Operations that follow each other, with no module between them; `needed` are the results that others read."""

    def __init__(self, recipe: Recipe, operations: Sequence[Operation], needed: Iterable[int]) -> None:
        self._recipe, self._operations = recipe, operations
        made = {number for one in operations for number in one.outputs}
        read = [content for one in operations for kind, content in one.arguments if kind == VALUE]
        self._inputs = [number for number in dict.fromkeys(read) if number not in made]
        self._outputs = [number for number in dict.fromkeys(needed) if number in made]
        self._is_direct = all(_is_direct(one, recipe) for one in operations)
        self._sources_of_time = _sources_of_time(operations, recipe)
        self._attributes: dict[tuple, list[dict[str, Any]]] = {}  # by the dtypes put in the place of others

    def run(self, values: Values, constants: Sequence[Tensor]) -> None:
        """Add the results to `values`, from which the operands come."""
        wider, narrower = self._other_dtypes(values)
        inputs = [cast(values[i], self._type(i).dtype) if values[i].dtype in narrower else values[i]
                  for i in self._inputs]
        if self._is_direct:
            results = self._compute(inputs, constants, wider)
        else:
            lanes = [expand_dims(x, 1) if self._has_samples(i) else x
                     for i, x in zip(self._inputs, inputs, strict=True)]
            outputs = vmap(lambda *xs: self._compute(xs, constants, wider))(*lanes)
            results = [_without_axis(y) if self._has_samples(i) else y
                       for i, y in zip(self._outputs, outputs, strict=True)]
        back = {self._type(i).dtype: values[i].dtype for i in self._inputs if values[i].dtype in narrower}
        values.update({i: self._with_masks(i, cast(y, back[y.dtype]) if y.dtype in back else y, values)
                       for i, y in zip(self._outputs, results, strict=True)})

    def _with_masks(self, number: int, y: Tensor, values: Values) -> Tensor:
        """A result with the masks over time of the operands whose time axis it has."""
        return carried(y, [values[i] for i in self._inputs if i in self._sources_of_time[number]])

    def _type(self, number: int) -> TensorType:
        return self._recipe.type_of(number)

    def _has_samples(self, number: int) -> bool:
        return self._type(number).shape[:1] == (1,)

    def _other_dtypes(self, values: Values) -> tuple[DTypes, set[DType]]:
        """The float dtypes of operands that are not as recorded: wider ones, by those recorded, and narrower ones.

        All is computed in the wider ones; narrower ones, as of mixed precision, are cast to what was recorded.
        """
        wider: dict[DType, DType] = {}
        narrower: set[DType] = set()
        for i in self._inputs:
            recorded, given = self._type(i).dtype, values[i].dtype
            if given is not recorded and given.is_inexact and recorded.is_inexact:
                if given.itemsize > recorded.itemsize:
                    wider[recorded] = given
                else:
                    narrower.add(given)
        return wider, narrower

    def _compute(self, inputs: Sequence[Tensor], constants: Sequence[Tensor], dtypes: DTypes) -> list[Tensor]:
        values = dict(zip(self._inputs, inputs, strict=True))

        def operand(reference: Reference) -> Tensor:
            x = argument(reference, values, constants)
            if reference[0] == CONSTANT:  # which mixed precision may have cast
                x = cast(x, self._recipe.type_of_constant(reference[1]).dtype)
            return cast(x, dtypes[x.dtype]) if x.dtype in dtypes else x

        for one, attributes in zip(self._operations, self._read_attributes(dtypes), strict=True):
            out = bind(one.op, *map(operand, one.arguments), **attributes)
            values.update(zip(one.outputs, out if one.op.multiple else [out], strict=True))
        return [values[i] for i in self._outputs]

    def _read_attributes(self, dtypes: DTypes) -> list[dict[str, Any]]:
        key = tuple(dtypes.items())
        if key not in self._attributes:
            self._attributes[key] = [{name: from_plain(value, dtypes) for name, value in one.attributes}
                                     for one in self._operations]
        return self._attributes[key]


def _sources_of_time(operations: Sequence[Operation], recipe: Recipe) -> dict[int, set[int]]:
    """For each result the values whose axis 1, time in sequences, is its own: operands, and what these come from."""
    sources: dict[int, set[int]] = {}
    for one in operations:
        read = [content for kind, content in one.arguments if kind == VALUE]
        if one.op is ops.DOT:
            read = read[:1] if one.arguments[0][0] == VALUE else []
        for number in one.outputs:
            same = [i for i in read if _keeps_time(one, recipe.type_of(i).shape, recipe.type_of(number).shape)]
            sources[number] = {*same}.union(*(sources.get(i, ()) for i in same))
    return sources


def _keeps_time(one: Operation, x: Shape, y: Shape) -> bool:
    """Whether axis 1 of a result, of shape `y`, is that of an operand of shape `x`, where both have one size."""
    attributes = dict(one.attributes)
    if one.op.is_elementwise:
        return len(x) == len(y)
    if one.op in (ops.RESHAPE, ops.BROADCAST, ops.SLICE, ops.CALL):
        return x[:2] == y[:2] and (one.op is ops.RESHAPE or len(x) == len(y))
    if one.op is ops.DOT:
        return all(axis > 1 for axis in attributes["contract"][1][1:])  # after the word "tuple"
    if one.op is ops.CONCAT or one.op.category == "reduce":
        axes = attributes["axes"][1:] if "axes" in attributes else [attributes["axis"]]
        return all(axis > 1 for axis in axes)
    return False


def _without_axis(y: Tensor) -> Tensor:
    return reshape(y, (y.shape[0], *y.shape[2:]))


def _is_direct(one: Operation, recipe: Recipe) -> bool:
    """Whether the operation gives the same on a whole batch as on each sample of it."""
    shapes = [recipe.type_of(content).shape for kind, content in one.arguments if kind == VALUE]
    shapes += [recipe.type_of(i).shape for i in one.outputs]
    if any(shape[:1] != (1,) for shape in shapes):
        return False
    constants = [recipe.type_of_constant(content).shape for kind, content in one.arguments if kind == CONSTANT]
    attributes = dict(one.attributes)
    rank = len(shapes[0])
    if one.op.is_elementwise and one.op is not ops.BITCAST:
        return {*map(len, shapes)} == {rank} and all(len(c) < rank or c[:1] == (1,) for c in constants)
    if one.op is ops.CONCAT:
        return attributes["axis"] != 0 and not constants
    if one.op is ops.TRANSPOSE:
        return attributes["permutation"][1] == 0  # after the word "tuple"
    return False
