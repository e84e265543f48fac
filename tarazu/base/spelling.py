"""Names that users write: the things they stand for, and the nearest known name to a misspelled one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from tarazu.base.errors import ArgumentError

Thing = TypeVar("Thing")


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """A fix that offers the name nearest to `name`.

    >>> did_you_mean("Specis", ["species", "island"])
    "did you mean 'species'?"
    """
    import difflib

    by_lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(str(name).lower(), by_lower, n=1)
    return f"did you mean {by_lower[near[0]]!r}?" if near else "use one of these names"


def made_of(kind: type) -> str:
    """How an object of a class is made, as users write it; "..." stands for arguments that it needs.

    >>> made_of(type("Score", (), {"__module__": "__main__", "__init__": lambda self, name: None}))
    'Score(...)'
    """
    import inspect

    try:
        signature = inspect.signature(kind)
    except ValueError:  # a class of C
        signature = inspect.Signature()
    parameters = signature.parameters.values()
    needs_arguments = any(x.default is x.empty and x.kind not in (x.VAR_POSITIONAL, x.VAR_KEYWORD) for x in parameters)
    package = kind.__module__.split(".")
    prefix = f"tz.{package[1]}." if package[0] == "tarazu" else ""
    return f"{prefix}{kind.__name__}({'...' if needs_arguments else ''})"


def is_ours(module: str) -> bool:
    """Whether a module, by its full name, is one of Tarazu's.

    >>> is_ours("tarazu.nn.losses"), is_ours("tarazu_extras")
    (True, False)
    """
    return module.partition(".")[0] == "tarazu"


def by_name(kind: str, spec: object, table: Mapping[str, Thing], alternative: str,
            suggest: Callable[[object, Iterable[str]], str] = did_you_mean) -> Thing:
    """What `spec` names in `table`; ArgumentError where it names nothing.

    The error says that `alternative` could be passed too, and gives what `suggest(spec, table)` gives as the fix.

    >>> by_name("loss", "mse", {"mse": 1}, "a function")
    1
    """
    if isinstance(spec, str) and spec in table:
        return table[spec]
    raise ArgumentError(f"{kind} {spec!r}", expected=f"one of {', '.join(table)}, or {alternative}",
                        fix=suggest(spec, table))
