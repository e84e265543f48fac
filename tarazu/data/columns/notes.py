"""Notes: what was decided about a column, for people to read and, if need be, to overrule."""

from __future__ import annotations

import dataclasses
import json
import shlex


@dataclasses.dataclass(frozen=True)
class ColumnNote:
    """A line about a column ("" for the whole table); a `warning` says that results may mislead.

    >>> print(ColumnNote("price", "a decimal comma, as in '3,5'"))
    price: a decimal comma, as in '3,5'
    """

    column: str
    text: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{'warning: ' if self.warning else ''}{self.column and f'{self.column}: '}{self.text}"


def kind_option(kind: str, *names: str) -> str:
    """How a user states that columns are of a kind, on the command line and in Python.

    >>> print(kind_option("ignore", "id"))
    --kind id=ignore on the command line, kinds={"id": "ignore"} from Python
    """
    flags = " ".join(f"--kind {shlex.quote(f'{name}={kind}')}" for name in names)
    kinds = json.dumps(dict.fromkeys(names, kind), ensure_ascii=False)
    return f"{flags} on the command line, kinds={kinds} from Python"
