"""`read_graph`: the steps of a model and its arrays, from ONNX's description."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tarazu.base.errors import FileFormatError
from tarazu.base.extras import require
from tarazu.interop.imported import Body, Ref, Step
from tarazu.interop.onnx.reading.bounds import EACH_GIVEN, FREE
from tarazu.interop.onnx.reading.functions import versions_of
from tarazu.interop.onnx.reading.table import TABLE, key_of
from tarazu.interop.onnx.reading.values import DTYPES, OTHER_TYPES

FLOAT, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS = range(1, 9)  # kinds of attributes
SPARSE = 11


def read_graph(proto: Any) -> tuple[list[str], Any, list[Step], dict[str, np.ndarray], set[str]]:
    """The names of the inputs, the outputs, the steps, the arrays by name, and which of these are initial values.

    FileFormatError for operators or types that Tarazu lacks, which names all of them.
    """
    reader = _Reader(versions_of(proto))
    steps = reader.steps(proto.graph)
    if reader.missing:
        raise FileFormatError(f"{', '.join(sorted(reader.missing))}, which Tarazu does not run",
                              expected="operators in docs/howto/load_onnx.md, of types that Tarazu has",
                              fix="export the model without them, or with another opset_version")
    outputs = tuple(Ref(output.name) for output in proto.graph.output)
    inputs = [value.name for value in proto.graph.input if value.name not in reader.arrays]
    return inputs, outputs[0] if len(outputs) == 1 else outputs, steps, reader.arrays, reader.initial


class _Reader:
    """Reads graphs, also those in attributes; `missing` is what Tarazu lacks."""

    def __init__(self, versions: dict[str, int]) -> None:
        self.versions = versions
        self.arrays: dict[str, np.ndarray] = {}
        self.initial: set[str] = set()
        self.missing: set[str] = set()

    def steps(self, graph: Any) -> list[Step]:
        """The steps of a graph; constants become arrays instead."""
        for tensor in graph.initializer:
            self._keep(tensor.name, tensor)
            self.initial.add(tensor.name)
        for sparse in graph.sparse_initializer:
            self.arrays[sparse.values.name] = self._dense(sparse)
        steps = []
        for index, node in enumerate(graph.node):
            if node.op_type == "Constant" and node.domain in ("", "ai.onnx"):
                self._keep_constant(node)
            elif (step := self._step(node, f"node {node.name or index}")) is not None:
                steps.append(step)
        return steps

    def _step(self, node: Any, position: str) -> Step | None:
        key = key_of(node.domain, node.op_type, self.versions.get(node.domain, 1))
        if key is None:
            self.missing.add(f"operator {f'{node.domain}.' if node.domain else ''}{node.op_type}")
            return None
        options = {attribute.name: self._attribute(attribute) for attribute in node.attribute}
        if TABLE[key].counts_outputs:
            options["outputs"] = len(node.output)
        arguments = tuple(Ref(name) if name else None for name in node.input)
        return Step(key, arguments, options, tuple(node.output), position)

    def _attribute(self, attribute: Any) -> Any:
        if attribute.type == GRAPH:
            return Body(tuple(value.name for value in attribute.g.input),
                        tuple(Ref(value.name) for value in attribute.g.output), tuple(self.steps(attribute.g)))
        if attribute.type == TENSOR:
            return self._array(attribute.t)
        if attribute.type == SPARSE:
            return self._dense(attribute.sparse_tensor)
        if attribute.type == STRINGS:
            return [text.decode("utf-8") for text in attribute.strings]
        plain = {FLOAT: attribute.f, INT: attribute.i, STRING: attribute.s, FLOATS: attribute.floats,
                 INTS: attribute.ints}.get(attribute.type)
        return plain.decode("utf-8") if isinstance(plain, bytes) else \
            plain if isinstance(plain, int | float | None) else list(plain)

    def _keep_constant(self, node: Any) -> None:
        (attribute,) = node.attribute
        value = self._attribute(attribute)
        if attribute.name.startswith("value_string"):
            self.missing.add("elements of the type string")
            return
        kinds = {FLOAT: np.float32, FLOATS: np.float32, INT: np.int64, INTS: np.int64}
        self.arrays[node.output[0]] = np.asarray(value, kinds.get(attribute.type))

    def _keep(self, name: str, tensor: Any) -> None:
        self.arrays[name] = self._array(tensor)

    def _array(self, tensor: Any) -> np.ndarray:
        if tensor.data_type not in DTYPES:
            self.missing.add(f"elements of the type {OTHER_TYPES.get(tensor.data_type, tensor.data_type)}")
            return np.zeros(0)
        array = require("onnx.numpy_helper", "tz.load of an ONNX file", "onnx").to_array(tensor)
        return np.asarray(array, DTYPES[tensor.data_type].numpy)

    def _dense(self, sparse: Any) -> np.ndarray:
        """A sparse tensor with its zeros."""
        values, indices = self._array(sparse.values), self._array(sparse.indices)
        if math.prod(sparse.dims) > (most := FREE + EACH_GIVEN * values.size):
            raise FileFormatError(f"a sparse tensor of shape {tuple(sparse.dims)} with {values.size:,} elements",
                                  expected=f"at most {most:,} elements, zeros too",
                                  fix="export the model with dense tensors")
        dense = np.zeros(tuple(sparse.dims), values.dtype)
        if indices.ndim == 1:
            dense.reshape(-1)[indices] = values
        else:
            dense[tuple(indices.T)] = values
        return dense
