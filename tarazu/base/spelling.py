"""Names that were meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def did_you_mean(name: Any, names: Iterable[str]) -> str:
    """A fix that offers the name nearest to `name`.

    >>> did_you_mean("Specis", ["species", "island"])
    "did you mean 'species'?"
    """
    import difflib

    by_lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(str(name).lower(), by_lower, n=1)
    return f"did you mean {by_lower[near[0]]!r}?" if near else "use one of these names"
