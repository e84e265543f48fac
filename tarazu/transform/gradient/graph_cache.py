"""A cache of traced gradients, but for those that a function of the user's makes: it may read what changes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tarazu.ir.graph import Graph


def cached_graph(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of graphs and rules, whose results are kept unless the gradient of one runs a user's function."""
    kept = functools.lru_cache(maxsize=1024)(function)

    @functools.wraps(function)
    def called(*args: Any) -> Any:
        return (function if runs_users_code(args) else kept)(*args)
    return called


def runs_users_code(x: Any) -> bool:
    """Whether the gradient of a graph, or a rule, or anything in a tuple, runs a function of the user's."""
    if isinstance(x, Graph):
        return _graph_runs(x)
    if isinstance(x, tuple):
        return any(map(runs_users_code, x))
    return getattr(x, "is_users_code", False)


@functools.lru_cache(maxsize=1024)
def _graph_runs(graph: Graph) -> bool:
    return any(runs_users_code(value) for node in graph.nodes for value in node.attributes.values())
