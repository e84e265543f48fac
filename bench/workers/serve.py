"""The worker's side of a conversation with `bench/peers.py`: a number of epochs comes in, a line of JSON goes out.

Between two lines a worker waits for its standard input and so leaves the processor to the others.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from workloads import WORKLOADS, Workload

Asked = TypeVar("Asked")

Train = Callable[[int], dict[str, float]]  # epochs to the last epoch's loss and accuracy


def serve(prepare: Callable[[Workload], Train]) -> None:
    """Train as often as asked; `seconds` of an answer are those of an epoch."""
    serve_from(WORKLOADS, prepare)


def serve_from(table: Mapping[str, Asked], prepare: Callable[[Asked], Train]) -> None:
    """As `serve`, for what stands in that table under the name that the process was started with."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not stand among the answers
    train = prepare(table[sys.argv[1]])
    for line in sys.stdin:
        epochs = int(line)
        start = time.perf_counter()
        found = train(epochs)
        found = {"seconds": (time.perf_counter() - start) / epochs, **found}
        print(json.dumps(found), file=answers, flush=True)
