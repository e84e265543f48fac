"""The time that one small operation takes: an add of two tensors of 8 elements, without and with a gradient.

Run `python bench/overhead.py`. An installed torch is measured in turns with Tarazu. Targets: 4 and 8 microseconds.
"""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import timeit
from collections.abc import Callable

import numpy as np

import tarazu as tz

REPEATS, CALLS = 15, 5000
Cases = dict[str, Callable[[], object]]


def tarazu_cases() -> Cases:
    x, y, w = tz.ones(8), tz.ones(8), tz.ones(8, requires_grad=True)
    return {"add": lambda: x + y, "add with gradient": lambda: w + y}


def torch_cases() -> Cases:
    if importlib.util.find_spec("torch") is None:
        return {}
    import torch

    torch.set_num_threads(1)
    x, y, w = torch.ones(8), torch.ones(8), torch.ones(8, requires_grad=True)
    return {"add": lambda: x + y, "add with gradient": lambda: w + y}


def numpy_cases() -> Cases:
    x, y = np.ones(8, np.float32), np.ones(8, np.float32)
    return {"add": lambda: x + y}


def measure(peers: dict[str, Cases]) -> dict[tuple[str, str], float]:
    """Microseconds per call, the median over rounds in which every peer has its turn."""
    rounds: dict[tuple[str, str], list[float]] = {}
    for _ in range(REPEATS):
        for peer, cases in peers.items():
            for case, function in cases.items():
                rounds.setdefault((peer, case), []).append(timeit.timeit(function, number=CALLS) / CALLS * 1e6)
    return {key: statistics.median(times) for key, times in rounds.items()}


def import_seconds(name: str) -> float:
    """The median time of `import name` in a fresh process."""
    code = f"import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"
    return statistics.median(float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                                  check=True).stdout) for _ in range(5))


def main() -> None:
    peers = {name: cases for name, cases in
             (("tarazu", tarazu_cases()), ("torch", torch_cases()), ("numpy", numpy_cases())) if cases}
    found = measure(peers)
    print(f"{'microseconds per call':24}" + "".join(f"{peer:>10}" for peer in peers))
    for case in tarazu_cases():
        times = (found.get((peer, case)) for peer in peers)
        print(f"{case:24}" + "".join(f"{'-' if time is None else format(time, '.2f'):>10}" for time in times))
    print(f"\nimport tarazu beyond import numpy: {import_seconds('tarazu') - import_seconds('numpy'):.3f} s")


if __name__ == "__main__":
    main()
