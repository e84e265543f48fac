"""TARAZU_LOG, an environment variable: which topics are logged to standard error."""

from __future__ import annotations

import os
import sys


def log(topic: str, text: str) -> None:
    """Print `text` when `topic` is among those in TARAZU_LOG (divided by commas), as in `TARAZU_LOG=jit`."""
    if topic in os.environ.get("TARAZU_LOG", "").split(","):
        print(f"tarazu {topic}: {text}", file=sys.stderr, flush=True)
