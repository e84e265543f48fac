"""Every table that has a row per primitive has them all, and the op table has a line of each operation."""

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest
from optable import RECORDS

import tarazu as tz
from tarazu.backend.numpy.program import KERNELS
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.op import ALL, Op
from tarazu.runtime.jit.jit import Jit
from tarazu.transform.batching.engine import BATCH_RULES
from tarazu.transform.batching.rules import NOT_BATCHED
from tarazu.transform.gradient.rules import NOT_DIFFERENTIABLE
from tarazu.transform.gradient.vjp import RULES


def primitives(graph: Graph) -> Iterator[Op]:
    """The primitives of a graph and of the graphs inside it."""
    for node in graph.nodes:
        if isinstance(node.op, Op):
            yield node.op
        for value in node.attributes.values():
            if isinstance(value, Graph):
                yield from primitives(value)


def traced(function: Any, arrays: list[Any]) -> Graph:
    """The graph as traced, before anything is folded."""
    jitted = Jit(function)
    jitted(*map(tz.asarray, arrays))
    ((compiled,),) = jitted._compiled.values()
    return compiled.graph


@contextlib.contextmanager
def noting_calls() -> Iterator[set[CodeType]]:
    """The code of the functions that are called inside the block."""
    called: set[CodeType] = set()
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, _: called.add(frame.f_code) if event == "call" else None)
    try:
        yield called
    finally:
        sys.setprofile(before)


@functools.cache
def traced_table() -> tuple[set[Op], set[CodeType]]:
    """The primitives of the op table's lines, and the code of all functions that tracing these calls."""
    with noting_calls() as called:
        found = {op for record in RECORDS for op in primitives(traced(record.function, record.draw(0)))}
    return found, called


TABLES = {
    "tarazu/backend/numpy/kernels.py or program.py": set(KERNELS),
    "tarazu/transform/gradient/rules.py, in RULES or NOT_DIFFERENTIABLE": set(RULES) | NOT_DIFFERENTIABLE,
    "tarazu/transform/batching/rules.py, in BATCH_RULES or NOT_BATCHED":
        set(BATCH_RULES) | NOT_BATCHED | {op for op in ALL if op.is_elementwise},
}


# About dtypes; with results whose shape the values decide, which are not traced; for meshes of devices
NOT_IN_OP_TABLE = {"can_cast", "iinfo", "isdtype", "result_type", "argwhere", "nonzero", "unique", "unique_all",
                   "unique_counts", "unique_inverse", "unique_values", "shard"}


def operations() -> Iterator[tuple[str, Callable[..., Any]]]:
    """The functions of tarazu/ops that users call, by name."""
    for prefix, namespace in {"": tz, "fft.": tz.fft, "linalg.": tz.linalg}.items():
        for name in getattr(namespace, "__all__", None) or dir(namespace):
            function = inspect.unwrap(getattr(namespace, name))
            if isinstance(function, FunctionType) and function.__module__.startswith("tarazu.ops.") and name[0] != "_":
                yield prefix + name, function


def test_every_operation_has_a_line():
    _, called = traced_table()
    missing = {name for name, function in operations() if function.__code__ not in called} - NOT_IN_OP_TABLE
    assert not missing, f"tests/optable.py or its sequels lack a line of: {', '.join(sorted(missing))}"


def test_every_primitive_has_a_line():
    found, _ = traced_table()
    missing = [op.name for op in ALL if op not in found]
    assert not missing, f"tests/optable.py lacks: {', '.join(missing)}"


@pytest.mark.parametrize("place", TABLES)
def test_every_primitive_has_a_row(place):
    missing = [op.name for op in ALL if op not in TABLES[place]]
    assert not missing, f"{place} lacks: {', '.join(missing)}"


@pytest.mark.parametrize("place", TABLES)
def test_no_row_without_a_primitive(place):
    assert set(TABLES[place]) <= set(ALL)


def test_a_primitive_is_differentiable_or_not():
    both = [op.name for op in ALL if op in RULES and op in NOT_DIFFERENTIABLE]
    assert not both, f"gradient/rules.py has these in RULES and in NOT_DIFFERENTIABLE: {', '.join(both)}"


def test_primitives_have_distinct_names():
    assert len({op.name for op in ALL}) == len(ALL)


def test_every_named_primitive_is_in_the_list():
    named = {value for value in vars(ops).values() if isinstance(value, Op)}
    assert named == set(ALL)
