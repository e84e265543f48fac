"""Another program that needs the processor: as many seconds of matrix products as each line asks for.

`python foreign.py steady` multiplies on one thread until it is stopped.
"""

from __future__ import annotations

import sys
import time

import numpy as np

SIZE = 700


def multiply(seconds: float) -> None:
    """On as many threads as NumPy takes, which is up to its environment."""
    factor = np.ones((SIZE, SIZE), np.float32)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        factor @ factor


if __name__ == "__main__":
    if sys.argv[1:] == ["steady"]:
        multiply(float("inf"))
    for line in sys.stdin:
        multiply(float(line))
        print("done", flush=True)
