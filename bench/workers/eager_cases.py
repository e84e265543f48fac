"""What is timed in `bench/eager.py`, the same for both frameworks: steps of training, and calls of small operations."""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable, Mapping

from serve import Train, serve_from
from workloads import EAGER, Workload

SMALL = "small"  # the case of the small operations
CALLS = 2000
WARM_UP = 300  # calls before the first measurement
Cases = Mapping[str, Callable[[], object]]


def timed_steps(step: Callable[[], float]) -> Train:
    """So many steps: the processor seconds of one (`seconds`), and the last loss."""
    def run(steps: int) -> dict[str, float]:
        start = time.process_time()
        for _ in range(steps):
            loss = step()
        return {"seconds": (time.process_time() - start) / steps, "loss": loss}
    return run


def timed_calls(cases: Cases) -> Train:
    """The processor seconds of a call of each case; the number that is asked for does not matter."""
    for function in cases.values():
        timeit.timeit(function, number=WARM_UP)
    return lambda _: {name: timeit.timeit(function, timer=time.process_time, number=CALLS) / CALLS
                      for name, function in cases.items()}


def serve_eager(step_of: Callable[[Workload], Callable[[], float]], small: Callable[[], Cases]) -> None:
    """Time what `bench/eager.py` asks for."""
    table = {**{name: lambda workload=workload: timed_steps(step_of(workload)) for name, workload in EAGER.items()},
             SMALL: lambda: timed_calls(small())}
    serve_from(table, lambda prepare: prepare())
