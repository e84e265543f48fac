"""The process in which random graphs run: what goes wrong in native code ends it, not the tests.

`python worker.py PATH` runs a saved case again.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from checking import problems
from graph_file import graph_of, plain
from random_graphs import Case

from tarazu import backend


class Job(NamedTuple):
    """A case as plain data, the backend to run it on and with how many threads."""

    data: dict[str, Any]
    sources: tuple[Any, ...]
    seed: int
    backend: str
    threads: tuple[int, ...]

    @classmethod
    def of(cls, case: Case, backend_name: str, threads: tuple[int, ...]) -> Job:
        return cls(plain(case.graph), case.sources, case.seed, backend_name, threads)

    def case(self) -> Case:
        return Case(graph_of(self.data), self.sources, self.seed)


def running(backend: str) -> Any:
    """The module of a backend that says on how many threads its programs run."""
    return importlib.import_module(f"tarazu.backend.{backend}.threads.thread_count")


def verdict(job: Job) -> str:
    """What is wrong with the backend's results, a problem per line; nothing when all is right."""
    case, compile = job.case(), backend.load(job.backend).compile
    if job.backend == "native":
        sharing = importlib.import_module("tarazu.backend.native.schedule.work_sharing")
        program = importlib.import_module("tarazu.backend.native.program")
        program.helpful_threads = running("native").threads  # beyond the cores
        sharing.WORTH_SHARING = -1.0 if job.seed % 2 else 400.0  # every other graph shares out all it can
        os.environ["TARAZU_CACHE"] = "off"  # whose keys do not know of that
    found = []
    for threads in job.threads:
        if job.backend != "numpy":
            running(job.backend).set_threads(threads)
        try:
            found += [f"{threads} threads: {problem}" for problem in problems(case, compile)]
        except Exception:
            found.append(f"{threads} threads: {traceback.format_exc()}")
    return "\n".join(found)


def serve(connection: Connection) -> None:
    """Answer jobs by verdicts until there are no more."""
    with contextlib.suppress(EOFError):
        while True:
            connection.send(verdict(connection.recv()))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(Connection(int(sys.argv[2])))
    else:
        saved = pickle.loads(Path(sys.argv[1]).read_bytes())
        saved = saved._replace(backend=sys.argv[2]) if len(sys.argv) > 2 else saved
        print(saved.case().graph, verdict(saved) or "all is right", sep="\n\n")
