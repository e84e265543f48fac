"""What is done with written nodes before a file is made: names of outputs, and one node where ONNX needs no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tarazu.base.errors import CompileError
from tarazu.interop.onnx.export.emitter import Block, Emitted, Emitter, Shared


def tidy(shared: Shared) -> None:
    """Write max(x, 0) as Relu, biases of convolutions inside them, and drop nodes and weights that nothing reads."""
    _write_relu(shared)
    _write_biases(shared)
    _drop_unread(shared.root)
    read = _reads(shared.root)
    shared.initializers = {name: array for name, array in shared.initializers.items() if read[name]}


def _blocks(block: Block) -> Iterator[Block]:
    """The block and all in attributes of its nodes."""
    yield block
    for node in block.nodes:
        for value in node.attributes.values():
            if isinstance(value, Block):
                yield from _blocks(value)


def _reads(root: Block) -> Counter[str]:
    """How often each tensor is read, as an output too."""
    counts: Counter[str] = Counter()
    for block in _blocks(root):
        counts.update(x.name for x in block.outputs)
        for node in block.nodes:
            counts.update(node.inputs)
    return counts


def _drop_unread(root: Block) -> None:
    for block in _blocks(root):
        while True:
            read = _reads(root)
            kept = [node for node in block.nodes if any(read[name] for name in node.outputs)]
            if len(kept) == len(block.nodes):
                break
            block.nodes = kept


def _write_relu(shared: Shared) -> None:
    """where(x <= 0, 0, x), as `tz.relu` is composed."""
    for block in _blocks(shared.root):
        makers = {name: node for node in block.nodes for name in node.outputs}
        for node in block.nodes:
            test = makers.get(node.inputs[0]) if node.op_type == "Where" else None
            if test is None or test.op_type != "LessOrEqual":
                continue
            zero, x = node.inputs[1:]
            if test.inputs == [x, zero] and _is_zero(shared.initializers.get(zero)):
                node.op_type, node.inputs = "Relu", [x]


def _is_zero(array: np.ndarray | None) -> bool:
    """Whether it is the number 0, as a float: onnxruntime has Relu for few integers."""
    return array is not None and array.shape == () and array.dtype.kind == "f" and array == 0


def _write_biases(shared: Shared) -> None:
    """A number per channel that is added to a convolution, which nothing else reads, becomes its third input."""
    read = _reads(shared.root)
    for block in _blocks(shared.root):
        makers = {name: node for node in block.nodes for name in node.outputs}
        for node in list(block.nodes):
            if node.op_type != "Add":
                continue
            convolution, bias = makers.get(node.inputs[0]), node.inputs[1]
            if (convolution is None or convolution.op_type not in ("Conv", "ConvTranspose")
                    or len(convolution.inputs) != 2 or not read[node.inputs[0]] == read[bias] == 1
                    or not _is_per_channel(shared, convolution, bias)):
                continue
            shared.initializers[bias] = shared.initializers[bias].reshape(-1)
            convolution.inputs.append(bias)
            convolution.outputs = node.outputs
            block.nodes.remove(node)


def _is_per_channel(shared: Shared, convolution: Emitted, bias: str) -> bool:
    array, kernel = shared.initializers.get(bias), shared.initializers.get(convolution.inputs[1])
    if array is None or kernel is None:
        return False
    channels = kernel.shape[0] if convolution.op_type == "Conv" else kernel.shape[1] * convolution.attributes["group"]
    per_channel = (channels, *(1,) * (kernel.ndim - 2))
    return array.shape in (per_channel, (1, *per_channel)) and array.dtype == kernel.dtype


def name_outputs(shared: Shared, names: Sequence[str]) -> None:
    """Rename what gives the outputs; one that is an input, a weight or another output becomes a copy of it."""
    root, renamed = shared.root, dict[str, str]()
    emit = Emitter(shared, root)
    made = {name for node in root.nodes for name in node.outputs}
    for i, (x, name) in enumerate(zip(root.outputs, names, strict=True)):
        source = x.name if x.name in made and x.name not in renamed else emit.node("Identity", [x.name])[0]
        renamed[source] = name
        root.outputs[i] = replace(x, name=name)
    _require_apart(shared, names)
    _rename(root, renamed)


def _require_apart(shared: Shared, names: Sequence[str]) -> None:
    taken = [*(x.name for x in shared.root.inputs), *shared.initializers, *names]
    if len(set(taken)) < len(taken):
        twice = next(name for name in taken if taken.count(name) > 1)
        raise CompileError(f"ONNX export: two tensors are named {twice!r}",
                           expected="inputs, weights and outputs of different names",
                           fix="rename the argument of the function, or the key of the result")


def _rename(block: Block, renamed: dict[str, str]) -> None:
    """Rename tensors wherever they are read or made, in graphs inside nodes too."""
    for node in block.nodes:
        node.inputs = [renamed.get(name, name) for name in node.inputs]
        node.outputs = [renamed.get(name, name) for name in node.outputs]
        for value in node.attributes.values():
            if isinstance(value, Block):
                _rename(value, renamed)
                value.outputs = [replace(x, name=renamed.get(x.name, x.name)) for x in value.outputs]
