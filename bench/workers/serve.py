"""The worker's side of a conversation with `bench/peers.py`: a number of epochs comes in, a line of JSON goes out.

Between two lines a worker waits for its standard input and so leaves the processor to the others.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from memory import peak
from workloads import WORKLOADS, Workload, sized

Train = Callable[[int], dict[str, float]]  # epochs to the last epoch's loss and accuracy


@contextlib.contextmanager
def answering() -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that writes an answer; what libraries print must not stand among these, and goes to the errors."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        yield lambda answer: print(json.dumps(answer), file=answers, flush=True)


def serve(prepare: Callable[[Workload], Train]) -> None:
    """Train as often as asked; `seconds` of an answer are those of an epoch, `memory` the bytes held at most so far."""
    with answering() as answer:
        train = prepare(sized(WORKLOADS[sys.argv[1]]))
        for line in sys.stdin:
            epochs, start = int(line), time.perf_counter()
            found = train(epochs)
            answer({"seconds": (time.perf_counter() - start) / epochs, "memory": peak(), **found})
