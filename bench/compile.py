"""Seconds to compile the training program of each workload: nothing cached, then from the cache on disk.

Run `python bench/compile.py`. The aims are at most 1.5 s and 0.05 s. LLVM is loaded before, which takes 0.06 s once.
"""

from __future__ import annotations

import os
import tempfile
import time

from networks import model_for
from workloads import WORKLOADS, Workload, data

import tarazu as tz
from tarazu.ir.graph import Graph
from tarazu.runtime.compile import compile_graph


def training_graph(workload: Workload) -> Graph:
    """What `fit` has compiled for a workload: a loop over the steps of a chunk."""
    model, optimizer = model_for(workload)
    model.compile(optimizer, loss="cross_entropy", metrics=["accuracy"])
    model.fit(*data(workload._replace(rows=2 * workload.batch)), batch_size=workload.batch, verbose=False)
    return model._trainer.train_chunk.graph


def seconds_to_compile(graph: Graph) -> float:
    """From the graph to a program in memory."""
    compile_graph.cache_clear()
    start = time.perf_counter()
    compile_graph(graph, "native")
    return time.perf_counter() - start


def main() -> None:
    print("workload       nodes  compiled  from the cache")
    for name, workload in WORKLOADS.items():
        with tempfile.TemporaryDirectory() as folder:
            os.environ["TARAZU_CACHE"] = "off"
            tz.jit(tz.exp)(tz.ones(2))
            graph = training_graph(workload)
            os.environ["TARAZU_CACHE"] = folder
            cold, cached = seconds_to_compile(graph), min(seconds_to_compile(graph) for _ in range(3))
        print(f"{name:12} {sum(graph.counts().nodes.values()):7} {cold:7.2f} s {cached:13.3f} s", flush=True)


if __name__ == "__main__":
    main()
