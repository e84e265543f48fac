"""`tz.export(model, "model.onnx")`: the steps from a model to a file."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.errors import CompileError
from tarazu.base.files import require_no_folder
from tarazu.base.pytree import Structure
from tarazu.interop.onnx.export import model_file
from tarazu.interop.onnx.export.emitter import Emitter, Shared
from tarazu.interop.onnx.export.merged import Merged, merged
from tarazu.interop.onnx.export.program import run
from tarazu.interop.onnx.export.rules.named import NAMED
from tarazu.interop.onnx.export.sizes import ROWS
from tarazu.interop.onnx.export.values import Value, constant, named
from tarazu.ir.interpreter import Traced
from tarazu.nn import Module
from tarazu.runtime.compile import simplified
from tarazu.runtime.device import values
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.save.export import Example, Function, evaluating, example_inputs, function_of, trace_rows
from tarazu.train.save.first_process import write_on_first_process


def export_onnx(model: Module | Function, path: str | os.PathLike, example: Example = None) -> None:
    """Write the model as `tz.export` says, to a file of ONNX."""
    target = Path(path)
    model_file.onnx()
    require_no_folder(target, "model.onnx")
    content = onnx_model(model, example)
    write_on_first_process("an exported model", [], lambda _: model_file.write(target, content))


def onnx_model(model: Module | Function, example: Example = None) -> Any:
    """The model as an `onnx.ModelProto` for any number of rows; errors as in `tz.export`."""
    shared = Shared()
    traced = _write(shared, model, example)
    _name_outputs(shared, list(_output_names(traced.result_structure, "output")))
    return model_file.model_proto(shared)


def _write(shared: Shared, model: Module | Function, example: Example) -> Traced:
    """Write the nodes of the model, whose inputs and outputs are then those of the root block."""
    inputs = example_inputs(model, example)
    with evaluating(model):
        function = function_of(model, inputs)
        traces = [trace_rows(function, inputs, rows) for rows in ROWS]
    graph = merged([simplified(x.graph, frozenset(NAMED)) for x in traces])
    paths = {id(x): path for path, x in model.named_tensors()} if isinstance(model, Module) else {}
    arguments = _arguments(graph, _input_names(model, inputs), paths, traces[0].captured)
    shared.root.inputs = arguments[:len(inputs)]
    emit = Emitter(shared, shared.root)
    outputs = run(emit, graph, arguments)
    shared.root.outputs = [named(emit.name(x), x.shape, x.dtype) for x in outputs]
    return traces[0]


def _arguments(graph: Merged, names: Sequence[str], paths: dict[int, str], captured: Sequence[Any]) -> list[Value]:
    """A value for each parameter of the graph: the inputs, then what the function reads from outside."""
    inputs = [named(name, step.type.shape, step.type.dtype)
              for name, step in zip(names, graph.parameters, strict=False)]
    weights = [constant(np.asarray(values(x.raw)), x.dtype, paths.get(id(x), f"constant.{i}"))
               for i, x in enumerate(captured)]
    return inputs + weights


def _input_names(model: Module | Function, inputs: Sequence[Tensor]) -> list[str]:
    """The names of the arguments, where the function names each."""
    function = model.forward if isinstance(model, Module) else model
    try:
        parameters = [x for x in inspect.signature(function).parameters.values()
                      if x.kind in (x.POSITIONAL_ONLY, x.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):  # some callables tell no signature
        parameters = []
    if len(parameters) >= len(inputs):
        return [x.name for x in parameters[:len(inputs)]]
    return ["input"] if len(inputs) == 1 else [f"input_{i}" for i in range(len(inputs))]


def _output_names(structure: Structure, prefix: str) -> Iterator[str]:
    """A name for each result: "output", and behind it the way to it through tuples, lists and dicts."""
    if structure.kind is None:
        yield prefix
    keys = structure.keys or range(len(structure.children))
    for key, child in zip(keys, structure.children, strict=True):
        yield from _output_names(child, f"{prefix}.{key}")


def _name_outputs(shared: Shared, names: Sequence[str]) -> None:
    """Rename what gives the outputs; one that is an input, a weight or another output becomes a copy of it."""
    root, renamed = shared.root, dict[str, str]()
    emit = Emitter(shared, root)
    made = {name for node in root.nodes for name in node.outputs}
    for i, (x, name) in enumerate(zip(root.outputs, names, strict=True)):
        if x.name in made and x.name not in renamed:
            renamed[x.name] = name
        else:
            emit.node("Identity", [x.name])
            renamed[root.nodes[-1].outputs[0]] = name
            x = replace(x, name=root.nodes[-1].outputs[0])
        root.outputs[i] = replace(x, name=name)
    _require_names_apart(shared, names)
    _rename(root, renamed)


def _require_names_apart(shared: Shared, names: Sequence[str]) -> None:
    taken = [*(x.name for x in shared.root.inputs), *shared.initializers, *names]
    if len(set(taken)) < len(taken):
        twice = next(name for name in taken if taken.count(name) > 1)
        raise CompileError(f"ONNX export: two tensors are named {twice!r}",
                           expected="inputs, weights and outputs of different names",
                           fix="rename the argument of the function, or the key of the result")


def _rename(block: Any, renamed: dict[str, str]) -> None:
    """Rename tensors wherever they are read or made, in graphs inside nodes too."""
    for node in block.nodes:
        node.inputs = [renamed.get(name, name) for name in node.inputs]
        node.outputs = [renamed.get(name, name) for name in node.outputs]
        for value in node.attributes.values():
            if isinstance(value, type(block)):
                _rename(value, renamed)
                value.outputs = [replace(x, name=renamed.get(x.name, x.name)) for x in value.outputs]
