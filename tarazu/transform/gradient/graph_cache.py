"""A cache of traced gradients. Those that a function of the user computes are not kept: it may read what changes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable

from tarazu.ir.graph import Graph


def cached_graph(function: Callable[..., Graph]) -> Callable[..., Graph]:
    """A decorator for a function of graphs and rules: its results are kept, unless an argument runs a user's function
    for its gradient."""
    kept = functools.lru_cache(maxsize=1024)(function)

    @functools.wraps(function)
    def called(*args: Hashable) -> Graph:
        return (function if runs_users_code(args) else kept)(*args)
    return called


def runs_users_code(x: object) -> bool:
    """Whether the gradient of a graph, or a rule, or anything in a tuple of such, runs a function of the user."""
    if isinstance(x, Graph):
        return _graph_runs(x)
    if isinstance(x, tuple):
        return any(map(runs_users_code, x))
    return getattr(x, "is_users_code", False)


@functools.lru_cache(maxsize=1024)
def _graph_runs(graph: Graph) -> bool:
    return any(runs_users_code(value) for node in graph.nodes for value in node.attributes.values())
