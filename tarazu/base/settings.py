"""What users set for a process: TARAZU_LOG, which says what is logged to standard error, and how often they changed a
setting that compiled programs depend on."""

from __future__ import annotations

import os
import sys
from collections.abc import Container

from tarazu.base.errors import ArgumentError

_changes = 0


def note_change() -> None:
    """Called where users change a setting on which programs depend: those compiled before do not do any more."""
    global _changes
    _changes += 1


def changes() -> int:
    """How often such a setting was changed; takes next to no time.

    >>> changes() >= 0
    True
    """
    return _changes


def require_number(said: str, value: object, allowed: Container[int], *, expected: str, fix: str) -> int:
    """A setting that users made, as an int; ArgumentError, which begins with what they `said`, unless it is allowed.

    >>> require_number("set_threads(2)", 2, range(1, 9), expected="1 to 8", fix="set_threads(8)")
    2
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value not in allowed:
        raise ArgumentError(said, expected=expected, fix=fix)
    return int(value)


def number_of_variable(name: str, allowed: Container[int], *, expected: str, fix: str) -> int | None:
    """The number in an environment variable, None where that is not set; ArgumentError for one that is not allowed.

    >>> number_of_variable("TARAZU_NO_SUCH_SETTING", (0, 1), expected="0 or 1", fix="leave it unset")
    """
    text = os.environ.get(name)
    if text is None:
        return None
    return require_number(f"{name}={text}", int(text) if text.isdecimal() else text, allowed, expected=expected,
                          fix=fix)


def log(topic: str, text: str) -> None:
    """Print `text` when `topic` is among those in TARAZU_LOG (divided by commas), as in `TARAZU_LOG=jit`."""
    if topic in os.environ.get("TARAZU_LOG", "").split(","):
        print(f"tarazu {topic}: {text}", file=sys.stderr, flush=True)
