"""A worker process from the side of the tests: it is replaced when it dies or hangs."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from random_graphs import Case
from worker import Job

PATIENCE = 60.0  # seconds for one graph
WORKER = Path(__file__).with_name("worker.py")


class Worker:
    """Runs cases; `check` says what was wrong, whatever happened to the process."""

    def __init__(self, backend: str, threads: tuple[int, ...]) -> None:
        self.backend, self.threads = backend, threads
        self.process: subprocess.Popen[bytes] | None = None

    def check(self, case: Case) -> str:
        if self.process is None:
            self.start()
        assert self.process is not None
        try:
            self.connection.send(Job.of(case, self.backend, self.threads))
            if self.connection.poll(PATIENCE):
                return self.connection.recv()
            problem = f"the worker did not answer for {PATIENCE:.0f} seconds"
        except (EOFError, OSError):
            problem = f"the worker died with status {self.process.wait()}"
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace")[-2000:]
        self.close()
        return f"{problem}\n{said}"

    def start(self) -> None:
        ours, theirs = socket.socketpair()
        self.errors: Any = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process runs)
        self.process = subprocess.Popen([sys.executable, WORKER, "serve", str(theirs.fileno())], stderr=self.errors,
                                        pass_fds=[theirs.fileno()])
        theirs.close()
        self.connection = Connection(ours.detach())

    def close(self) -> None:
        if self.process is not None:
            self.connection.close()
            self.process.kill()
            self.process.wait()
            self.errors.close()
            self.process = None


def save(case: Case, worker: Worker, problem: str) -> Path:
    """Keep a failing case; `python tests/backend/native/support/worker.py PATH` runs it again."""
    folder = Path(tempfile.gettempdir()) / "tarazu-fuzz"
    folder.mkdir(exist_ok=True)
    path = folder / f"case-{hash(case.graph) & 0xFFFFFF:06x}.pickle"
    path.write_bytes(pickle.dumps(Job.of(case, worker.backend, worker.threads)))
    inputs = "\n".join(f"input {i}: {x.dtype}{x.shape} {x.tolist() if x.size < 50 else ''}"
                       for i, x in enumerate(case.arrays(0)))
    path.with_suffix(".txt").write_text(f"{problem}\n\n{case.graph}\n\n{inputs}\n")
    return path
