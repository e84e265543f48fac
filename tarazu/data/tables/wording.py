"""Phrases that the messages of this package share."""

from __future__ import annotations

from collections.abc import Iterable


def plural(count: int, singular: str, several: str = "") -> str:
    """A count with its noun.

    >>> plural(1, "row"), plural(2000, "row"), plural(0, "class", "classes")
    ('1 row', '2,000 rows', '0 classes')
    """
    return f"{count:,} {singular if count == 1 else several or singular + 's'}"


def listing(names: Iterable[str], limit: int = 20) -> str:
    """Names in quotes, the first `limit` of them.

    >>> listing(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    quoted = [repr(name) for name in names]
    more = f" and {len(quoted) - limit} more" if len(quoted) > limit else ""
    return ", ".join(quoted[:limit]) + more


def kind_option(kind: str, *names: str) -> str:
    """How a user says that columns are of a kind, on the command line and in Python.

    >>> print(kind_option("ignore", "id"))
    --kind id=ignore on the command line, kinds={"id": "ignore"} from Python
    """
    import json
    import shlex

    flags = " ".join(f"--kind {shlex.quote(f'{name}={kind}')}" for name in names)
    kinds = json.dumps(dict.fromkeys(names, kind), ensure_ascii=False)
    return f"{flags} on the command line, kinds={kinds} from Python"
