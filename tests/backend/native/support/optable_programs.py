"""The op table as programs of a backend: values and gradients, compared with NumPy's."""

from __future__ import annotations

import numpy as np
from comparing import difference, expected
from optable import Record, leaves

import tarazu as tz
from tarazu.backend.numpy import BACKEND
from tarazu.ir.graph import Graph
from tarazu.ir.node import Builder

CLOSE = 1e-12  # of float64, relative to the element or to the largest one


def weighted(record: Record):
    """The record's float results times weights that differ, so that no gradient is trivially 0."""
    def function(*inputs):
        results = [y for y in leaves(record.function(*inputs)) if y.dtype.is_float]
        return [y * np.linspace(0.5, 1.5, y.size).reshape(y.shape).astype(y.dtype.numpy) for y in results]
    return function


def graphs(record: Record, arrays: list[np.ndarray]):
    """The graph of the values, and that of the gradients where there are any."""
    yield tz.trace(record.function)(*arrays)
    if record.orders and any(arrays[i].dtype.kind not in "biu" for i in record.differentiable):
        yield tz.trace(weighted(record), backward=True)(*arrays)


def joined(graphs: list[Graph]) -> Graph:
    """One graph that computes them all: it takes less time to compile than each for itself."""
    builder = Builder()
    parameters = [[builder.parameter(type_) for type_ in graph.input_types] for graph in graphs]
    outputs = [node for graph, own in zip(graphs, parameters, strict=True)
               for node in graph.evaluate(own, builder_add(builder), builder.constant)]
    return Graph([node for own in parameters for node in own], outputs)


def builder_add(builder: Builder):
    return lambda op, inputs, attributes: builder.add(op, inputs, attributes)


def agree(cases, compiled, set_threads, of_largest: float = 0) -> None:
    """Whether the backend gives what NumPy gives: exactly for integers, to 1e-12 for float64, else to rounding.

    `of_largest`, a share of the largest element, is allowed in any case: of a transform that NumPy does in float64.
    """
    graph = joined([graph for graph, _ in cases])
    arrays = [x for _, own in cases for x in own]
    program, wanted = compiled(graph), BACKEND.compile(graph)(*arrays)
    allowed = expected(graph, arrays)
    for threads in (1, 2):
        set_threads(threads)
        for found, values, limits in zip(program(*arrays), wanted, allowed, strict=True):
            if values.dtype == np.float64:
                assert (found.dtype, found.shape) == (values.dtype, values.shape)
                np.testing.assert_allclose(found, values, rtol=CLOSE, atol=CLOSE * largest(values))
            else:
                limits = limits._replace(tolerance=limits.tolerance + of_largest * largest(values))
                assert not difference(found, limits), difference(found, limits)


def largest(x: np.ndarray) -> float:
    return float(np.max(np.abs(x), initial=0, where=np.isfinite(x)))
