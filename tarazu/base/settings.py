"""What users set for a process: TARAZU_LOG, which says what is logged to standard error, and how often they changed a
setting that compiled programs depend on."""

from __future__ import annotations

import os
import sys

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


def log(topic: str, text: str) -> None:
    """Print `text` when `topic` is among those in TARAZU_LOG (divided by commas), as in `TARAZU_LOG=jit`."""
    if topic in os.environ.get("TARAZU_LOG", "").split(","):
        print(f"tarazu {topic}: {text}", file=sys.stderr, flush=True)
