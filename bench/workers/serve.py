"""The worker's side of a conversation with `bench/peers.py`: a number of epochs comes in, a line of JSON goes out.

Between two lines a worker waits for its standard input and so leaves the processor to the others.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from memory import of_process, peak
from workloads import WORKLOADS, Workload, sized

Asked = TypeVar("Asked")

Train = Callable[[int], dict[str, float]]  # epochs to the last epoch's loss and accuracy


@contextlib.contextmanager
def answering() -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that writes an answer; what libraries print must not stand among these, and goes to the errors."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        yield lambda answer: print(json.dumps(answer), file=answers, flush=True)


def serve(prepare: Callable[[Workload], Train]) -> None:
    """Train as often as asked; `seconds` of an answer are those of an epoch, `memory` the bytes held at most so far.

    `beyond` counts those bytes of the process alone, without what it held after its imports.
    """
    serve_from(WORKLOADS, lambda workload: prepare(sized(workload)))


def serve_from(table: Mapping[str, Asked], prepare: Callable[[Asked], Train]) -> None:
    """As `serve`, for what stands in that table under the name that the process was started with."""
    with answering() as answer:
        imported = of_process()
        train = prepare(table[sys.argv[1]])
        for line in sys.stdin:
            epochs, start = int(line), time.perf_counter()
            found = train(epochs)
            answer({"seconds": (time.perf_counter() - start) / epochs, "memory": peak(),
                    "beyond": of_process() - imported, **found})
