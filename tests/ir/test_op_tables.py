"""Every table that has a row per primitive has them all."""

from collections.abc import Iterator
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


IN_OP_TABLE = {op for record in RECORDS for op in primitives(traced(record.function, record.draw(0)))}
TABLES = {
    "tarazu/backend/numpy/kernels.py or program.py": set(KERNELS),
    "tarazu/transform/gradient/rules.py, in RULES or NOT_DIFFERENTIABLE": set(RULES) | NOT_DIFFERENTIABLE,
    "tarazu/transform/batching/rules.py, in BATCH_RULES or NOT_BATCHED":
        set(BATCH_RULES) | NOT_BATCHED | {op for op in ALL if op.is_elementwise},
    "tests/optable.py": IN_OP_TABLE,
}


@pytest.mark.parametrize("place", TABLES)
def test_every_primitive_has_a_row(place):
    missing = [op.name for op in ALL if op not in TABLES[place]]
    assert not missing, f"{place} lacks: {', '.join(missing)}"


@pytest.mark.parametrize("place", list(TABLES)[:3])
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
