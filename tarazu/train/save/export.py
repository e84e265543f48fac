"""A trained model, or a function of rows, as a file of StableHLO; and what all formats of `tz.export` begin with."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.files import require_no_folder
from tarazu.base.messages import listing
from tarazu.base.pytree import Structure, flatten
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import Traced
from tarazu.ir.types import TensorType
from tarazu.nn import Embedding, Model, Module, Sequential
from tarazu.nn.module.mode import in_mode
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.compile import simplified
from tarazu.runtime.device import values
from tarazu.runtime.jit.exported import write, xla_part
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.trace import trace_function
from tarazu.train.calling import takes_several
from tarazu.train.save.first_process import write_on_first_process
from tarazu.train.sources.numbers import features
from tarazu.train.trainer.precision import FULL

Function = Callable[..., Any]
Example: TypeAlias = "ArrayLike | tuple[ArrayLike, ...] | Mapping[str, ArrayLike] | None"  # of the inputs
# How far a row's output may be off, relative to the largest, when it is computed beside another: half precision passes.
ROUNDING = 0.01


def export_stablehlo(model: Module | Function, path: str | os.PathLike, example: Example = None) -> None:
    """Write the model as `tz.export` says, to a file of StableHLO."""
    backend, target = xla_part("export"), Path(path)
    require_no_folder(target, "model.stablehlo")
    inputs = example_inputs(model, example)
    with evaluating(model):
        graph, constants, structure = _of_one_row(function_of(model, inputs), inputs)
    content = backend.serialize(graph, constants, structure.rebuild)
    write_on_first_process("an exported model", [], lambda _: write(target, content))


@contextlib.contextmanager
def evaluating(model: Module | Function) -> Iterator[None]:
    """A block in which a model is in evaluation mode, and nothing is recorded for gradients."""
    with in_mode(model, training=False) if isinstance(model, Module) else contextlib.nullcontext(), no_grad():
        yield


def example_inputs(model: Module | Function, example: Example) -> list[Tensor]:
    """At least one row of each input; those of a model are as `predict` takes them."""
    if not callable(model):
        raise ArgumentError(f"export of a {type(model).__name__}", expected="a model, or a function of rows",
                            fix="pass a tz.nn.Module; of an estimator of tz.sklearn its network_ takes encoded rows")
    if isinstance(example, Mapping):
        example = _in_order(model, example)
    if not isinstance(model, Module):
        return _examples(example, lambda x: x)
    if isinstance(example, list) and takes_several(model) and all(hasattr(x, "shape") for x in example):
        example = tuple(example)
    return _rows_like(model) if example is None else _examples(example, features)


def _in_order(model: Module | Function, example: Mapping[str, ArrayLike]) -> tuple[ArrayLike, ...]:
    """An example by names, in the order of the inputs."""
    names = [name for name in input_names(model) if name is not None]
    if [name for name in names if name in example] != names[:len(example)]:
        raise ArgumentError(f"an example of inputs {listing(map(str, example))}",
                            expected=f"the inputs {listing(names)}" if names else "an array, as inputs have no names",
                            fix="name the arrays as forward, the function or tz.nn.Input names its inputs")
    return tuple(example[name] for name in names[:len(example)])


def input_names(model: Module | Function) -> list[str | None]:
    """The name of each input, None where it has none; [] where a function tells none."""
    if isinstance(model, Model):
        return model.input_names
    try:
        parameters = inspect.signature(model.forward if isinstance(model, Module) else model).parameters.values()
    except (TypeError, ValueError):  # some callables tell no signature
        return []
    return [x.name for x in parameters if x.kind in (x.POSITIONAL_ONLY, x.POSITIONAL_OR_KEYWORD)]


def _rows_like(model: Module) -> list[Tensor]:
    """A row of zeros such as the first layer was built with; ArgumentError where that is not known."""
    first: Any = model
    while isinstance(first, Sequential) and len(first):
        first = first[0]
    if isinstance(first, Model):
        inputs, _ = flatten(first.inputs)
        if all(isinstance(n, int) for x in inputs for n in x.shape[1:]):
            return [asarray(np.zeros((1, *x.shape[1:]), x.dtype.name)) for x in inputs]
    if first._built_with is not None:
        return [asarray(np.zeros(shape, np.float32)) for shape in first._built_with]
    name = type(first).__name__
    reason = "which takes integers" if isinstance(first, Embedding) else "and what a row looks like is not known"
    raise ArgumentError(f"export of a model whose first layer is {name}, {reason}", expected="an example of an input",
                        fix="pass some rows: tz.export(model, path, example=x[:2])")


def _examples(example: Example, prepared: Callable[[Any], Any]) -> list[Tensor]:
    """The inputs of an example."""
    if example is None:
        raise ArgumentError("export of a function without an example", expected="an input with at least one row",
                            fix="pass some rows: tz.export(function, path, example=x[:2])")
    inputs = [asarray(prepared(x)) for x in (example if isinstance(example, tuple) else (example,))]
    if any(x.ndim == 0 or len(x) != len(inputs[0]) or not len(x) for x in inputs):
        shapes = ", ".join(str(x.shape) for x in inputs)
        raise ShapeError(f"an example of shape {shapes}", expected="at least one row, as many for each input",
                         fix="pass some rows: example=x[:2]")
    return inputs


def function_of(model: Module | Function, inputs: Sequence[Tensor]) -> Function:
    """What `predict` would compile; layers that need to see an input before they are traced see one."""
    if not isinstance(model, Module):
        return model
    model(*[x[:1] for x in inputs])
    policy = FULL if model._trainer is None else model._trainer.policy
    return policy.compilable(model)


def _of_one_row(function: Function, inputs: list[Tensor]) -> tuple[Graph, list[np.ndarray], Structure]:
    """The graph of the function for a single row, the values that it reads from outside, and the result's structure."""
    traced = trace_rows(function, inputs, 1)
    for output in traced.graph.outputs:
        if output.shape[:1] != (1,):
            raise ShapeError(f"for a single row the result has shape {output.shape}",
                             expected="results with one row per row of the input, (1, ...) here",
                             fix="leave out what removes or joins rows: reduce over other axes than the first")
    _require_rows_apart(function, inputs)
    return simplified(traced.graph), [values(x.raw) for x in traced.captured], traced.result_structure


def trace_rows(function: Function, inputs: Sequence[Tensor], rows: int) -> Traced:
    """The graph of the function for that many rows of its inputs, and what it reads from outside.

    ArgumentError for what draws random numbers or changes state, and for results in own classes.
    """
    traced = trace_function(function, [TensorType((rows, *x.shape[1:]), x.dtype) for x in inputs])
    if traced.rebound:
        raise ArgumentError("a function that draws random numbers or changes tensors from outside",
                            expected="one that computes its results from its inputs and does nothing else",
                            fix="put a model that it calls into evaluation mode first: model.eval()")
    _require_containers(traced.result_structure)
    return traced


def _require_containers(structure: Structure) -> None:
    if structure.kind not in (None, type(None), list, tuple, dict):
        raise ArgumentError(f"a result in a {structure.kind.__name__}", expected="tensors in tuples, lists and dicts",
                            fix="return a tuple or a dict: a file cannot hold own classes")
    for child in structure.children:
        _require_containers(child)


def _require_rows_apart(function: Function, inputs: list[Tensor]) -> None:
    """An error where the example shows that a row's result is another one when a second row is there."""
    if len(inputs[0]) < 2:
        return
    alone, beside = (flatten(function(*[x[:count] for x in inputs]))[0] for count in (1, 2))
    for one, two in zip(map(np.asarray, alone), map(np.asarray, beside), strict=True):
        is_float = one.dtype.kind not in "biu"
        bound = ROUNDING * float(np.abs(one[np.isfinite(one)]).max(initial=0)) if is_float else 0
        if two.shape != (2, *one.shape[1:]) or (is_float and not np.allclose(one, two[:1], 0, bound, equal_nan=True)):
            raise ArgumentError("rows that depend on each other: the first row's result changes beside the second",
                                expected="a function that computes each row by itself",
                                fix="normalize with numbers computed before, not with those of the batch")
