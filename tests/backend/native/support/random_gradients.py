"""The way back through random graphs: what training runs, with the shapes that no one thought of."""

from __future__ import annotations

import numpy as np
from choices import from_hypothesis, from_seed
from hypothesis import strategies as st
from random_graphs import Case, case_from

import tarazu as tz
from tarazu.base.errors import TarazuError
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import bind


def with_gradients(case: Case) -> Case:
    """The same with the gradients of its float results; the case itself where something has no gradient."""
    arrays = [np.ascontiguousarray(x) if x.ndim else x for x in case.arrays(0)]
    try:
        graph = tz.trace(_evaluating(case.graph), backward=True)(*map(tz.asarray, arrays))
    except TarazuError:
        return case
    return Case(graph, case.sources, case.seed)


def _evaluating(graph: Graph):
    def function(*inputs):
        return graph.evaluate(inputs, lambda op, values, attributes: bind(op, *values, **attributes), tz.asarray)
    return function


def gradient_case_of_seed(seed: int) -> Case:
    return with_gradients(case_from(from_seed(seed)))


@st.composite
def gradient_cases(draw_choice: st.DrawFn) -> Case:
    """Random cases with gradients that hypothesis can shrink."""
    return with_gradients(case_from(from_hypothesis(draw_choice)))
