"""The frameworks side by side: which interpreter each runs on, and a process for each that trains when asked."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

HERE = Path(__file__).parent
CORES = 2


class Peer(NamedTuple):
    """A framework, and a way to train with it."""

    label: str
    library: str
    worker: str  # a file of bench/workers
    kinds: tuple[str, ...] = ()  # of workloads that it has; all of them

    def has(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds


OURS = "tarazu"
PEERS = {
    OURS: Peer("Tarazu fit", "tarazu", "tarazu_fit"),
    "torch": Peer("torch eager", "torch", "torch_eager"),
    "compile": Peer("torch.compile", "torch", "torch_compile"),
    "jax": Peer("JAX", "jax", "jax_jit"),
    "keras": Peer("Keras fit", "keras", "keras_fit", kinds=("mlp",)),
}
OLD = "old"  # asked for by name only: Tarazu in the checkout that BENCH_OLD names, to see what a change costs
PEERS[OLD] = Peer("Tarazu before", "tarazu", "tarazu_fit")
XLA, SCAN = "xla", "scan"  # likewise: they say what our layer above XLA costs
PEERS |= {XLA: Peer("Tarazu on XLA", "jax", "xla_fit"), SCAN: Peer("JAX scan", "jax", "jax_scan")}

EAGER_OURS, EAGER_TORCH, EAGER_OLD = "eager", "torch_loop", "eager_old"  # of bench/eager.py, the last by BENCH_OLD
PEERS |= {EAGER_OURS: Peer("Tarazu", "tarazu", "eager_tarazu"),
          EAGER_TORCH: Peer("torch eager", "torch", "eager_torch"),
          EAGER_OLD: Peer("Tarazu before", "tarazu", "eager_tarazu")}


def python_for(library: str, given: str | None = None) -> str | None:
    """An interpreter that has `library`: `given`, else this one, else that of BENCH_TORCH_PYTHON and the like."""
    for python in [given] if given else [sys.executable, os.environ.get(f"BENCH_{library.upper()}_PYTHON")]:
        if python and subprocess.run([python, "-c", f"import {library}"], env=environment(),
                                     capture_output=True).returncode == 0:
            return python
    return None


def pythons_for(peers: Iterable[str], given: Mapping[str, str | None] = MappingProxyType({})) -> dict[str, str | None]:
    """The interpreter of each framework that takes part, None where it is not installed; `given` by library."""
    libraries = {peer: PEERS[peer].library for peer in peers}
    pythons = {library: python_for(library, given.get(library)) for library in {*libraries.values()}}
    return {peer: pythons[library] for peer, library in libraries.items()}


def machine(pythons: Mapping[str, str | None]) -> str:
    """A line on what is measured and where; a load from others makes the figures doubtful."""
    found = {PEERS[peer].library: python for peer, python in pythons.items() if python}
    versions = [f"{library} {_version(library, python)}" for library, python in found.items()]
    load = f"; load before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    return ", ".join(versions) + load


def _version(library: str, python: str) -> str:
    code = f"import importlib.metadata; print(importlib.metadata.version('{library}'))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()


def environment(**more: str) -> dict[str, str]:
    """Where workers find what they import; of this checkout they keep byte code, as installed packages have theirs."""
    paths = [str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "TF_CPP_MIN_LOG_LEVEL": "3", **more}


def checkout(peer: str) -> dict[str, str]:
    """Settings by which a worker imports the Tarazu that it measures."""
    if peer not in (OLD, EAGER_OLD):
        return {}
    if not (folder := os.environ.get("BENCH_OLD")):
        raise SystemExit(f"{OLD}: BENCH_OLD does not name the folder of an older checkout")
    return {"PYTHONPATH": os.pathsep.join([str(HERE), folder])}


def fresh_caches(folder: str) -> dict[str, str]:
    """Settings that keep compiled programs of earlier processes out of sight."""
    return {"TARAZU_CACHE": folder, "TORCHINDUCTOR_CACHE_DIR": f"{folder}/inductor"}


def use_two_cores() -> None:
    """Leave this process and all that it starts two cores, and so two threads, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


class Failure(Exception):
    """A worker died or was too slow; the text is the last line that it wrote, or says so."""


class TooSlow(Failure):
    """A worker did not answer in the time that it had."""


class Worker:
    """A process that trains one workload with one framework when it is asked, and else waits."""

    def __init__(self, peer: Peer, python: str, workload: str, settings: Mapping[str, str]) -> None:
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (open as long as the process)
        self.process = subprocess.Popen(
            [python, str(HERE / "workers" / f"{peer.worker}.py"), workload], env=environment(**settings),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, start_new_session=True)
        self.answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put("")  # the process has ended

    def train(self, epochs: int, within: float | None = None) -> dict[str, float]:
        """Seconds per epoch, and the last epoch's loss and accuracy; as `answer` otherwise."""
        self.ask(epochs)
        return self.answer(within)

    def ask(self, epochs: int) -> None:
        """Let it begin; `answer` has the result. One that has died says so there."""
        with contextlib.suppress(BrokenPipeError):
            print(epochs, file=self.process.stdin, flush=True)

    def answer(self, within: float | None = None) -> dict[str, float]:
        """What `train` gives, waited for at most `within` seconds. Raises Failure."""
        try:
            return json.loads(self.answers.get(timeout=within))
        except queue.Empty:
            raise TooSlow("no answer in the time that it had") from None
        except json.JSONDecodeError:
            self.process.wait()
            self.errors.seek(0)
            raise Failure((self.errors.read().strip().splitlines() or ["no message"])[-1]) from None

    def close(self) -> None:
        """Let it end, and wait for that."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self._release()

    def stop(self) -> None:
        """End it at once, with all processes that it has started."""
        with contextlib.suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self._release()

    def _release(self) -> None:
        self.reader.join(timeout=5)
        self.process.stdout.close()
        self.errors.close()
