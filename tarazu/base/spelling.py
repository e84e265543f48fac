"""Things that users name, and names that were meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from tarazu.base.errors import ArgumentError

Thing = TypeVar("Thing")


def did_you_mean(name: Any, names: Iterable[str]) -> str:
    """A fix that offers the name nearest to `name`.

    >>> did_you_mean("Specis", ["species", "island"])
    "did you mean 'species'?"
    """
    import difflib

    by_lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(str(name).lower(), by_lower, n=1)
    return f"did you mean {by_lower[near[0]]!r}?" if near else "use one of these names"


def by_name(kind: str, spec: Any, table: Mapping[str, Thing], alternative: str,
            meant: Callable[[Any, Iterable[str]], str] = did_you_mean) -> Thing:
    """What `spec` names in `table`. Raises ArgumentError, with `alternative` as what could be passed besides a name.

    >>> by_name("loss", "mse", {"mse": 1}, "a function")
    1
    """
    if isinstance(spec, str) and spec in table:
        return table[spec]
    raise ArgumentError(f"{kind} {spec!r}", expected=f"one of {', '.join(table)}, or {alternative}",
                        fix=meant(spec, table))
