"""`tz.export(model, "model.onnx")`: the steps from a model to a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.files import require_no_folder
from tarazu.base.pytree import Structure
from tarazu.interop.onnx.export import model_file
from tarazu.interop.onnx.export.emitter import Emitter, Shared
from tarazu.interop.onnx.export.merged import merged
from tarazu.interop.onnx.export.program import KEPT, run
from tarazu.interop.onnx.export.sizes import ROWS
from tarazu.interop.onnx.export.tidied import name_outputs, tidy
from tarazu.interop.onnx.export.values import Value, constant, named
from tarazu.ir.graph import Graph
from tarazu.nn import Module
from tarazu.runtime.compile import simplified
from tarazu.runtime.device import values
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.save.export import Example, Function, evaluating, example_inputs, function_of, input_names, trace_rows
from tarazu.train.save.first_process import write_on_first_process


def export_onnx(model: Module | Function, path: str | os.PathLike, example: Example = None) -> None:
    """Write the model as `tz.export` says, to a file of ONNX."""
    target = Path(path)
    model_file.onnx()
    require_no_folder(target, "model.onnx")
    write_onnx(target, onnx_model(model, example))


def write_onnx(path: Path, model: Any) -> None:
    """Write an `onnx.ModelProto`, in a run of several processes in the first."""
    write_on_first_process("an exported model", [], lambda _: model_file.write(path, model))


class Names(NamedTuple):
    """Names that a function does not tell: of its inputs, its outputs, and the modules whose weights it reads."""

    inputs: Sequence[str]
    outputs: Sequence[str]
    weights_of: Module


def onnx_model(model: Module | Function, example: Example = None, names: Names | None = None) -> Any:
    """The model as an `onnx.ModelProto` for any number of rows; errors as in `tz.export`."""
    inputs = example_inputs(model, example)
    with evaluating(model):
        function = function_of(model, inputs)
        traces = [trace_rows(function, inputs, rows) for rows in ROWS]
    if names is None:
        names = Names(_input_names(model, inputs), list(_output_names(traces[0].result_structure, "output")),
                      model if isinstance(model, Module) else Module())
    paths = {id(x): path for path, x in names.weights_of.named_tensors()}
    weights = [constant(np.asarray(values(x.raw)), x.dtype, paths.get(id(x), f"constant.{i}"))
               for i, x in enumerate(traces[0].captured)]
    return model_of_graphs([x.graph for x in traces], names.inputs, weights, names.outputs)


def model_of_graphs(graphs: Sequence[Graph], inputs: Sequence[str], weights: Sequence[Value],
                    outputs: Sequence[str]) -> Any:
    """The `onnx.ModelProto` of a function's graphs for the numbers of `ROWS`.

    Its inputs are the first parameters; `weights` are the values of the others. Raises CompileError and ArgumentError.
    """
    simple = {id(x): simplified(x, KEPT) for x in {id(x): x for x in graphs}.values()}
    graph = merged([simple[id(x)] for x in graphs])
    shared = Shared()
    shared.root.inputs = [named(name, step.type.shape, step.type.dtype)
                          for name, step in zip(inputs, graph.parameters, strict=False)]
    emit = Emitter(shared, shared.root)
    found = run(emit, graph, [*shared.root.inputs, *weights])
    shared.root.outputs = [named(emit.name(x), x.shape, x.dtype) for x in found]
    name_outputs(shared, outputs)
    tidy(shared)
    return model_file.model_proto(shared)


def _input_names(model: Module | Function, inputs: Sequence[Tensor]) -> list[str]:
    """A name for each input: its own where it has one."""
    names = input_names(model)[:len(inputs)]
    usual = ["input"] if len(inputs) == 1 else [f"input_{i}" for i in range(len(inputs))]
    return [name or usual[i] for i, name in enumerate(names)] if len(names) == len(inputs) else usual


def _output_names(structure: Structure, prefix: str) -> Iterator[str]:
    """A name for each result: "output", and behind it the way to it through tuples, lists and dicts."""
    if structure.kind is None:
        yield prefix
    keys = structure.keys or range(len(structure.children))
    for key, child in zip(keys, structure.children, strict=True):
        yield from _output_names(child, f"{prefix}.{key}")
