"""Several processes of one command on this machine, as `tarazu launch` starts them.

Environment variables, which tarazu/base/processes.py reads, give each its index. Once one fails, all end.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import IO, TextIO

from tarazu.base.errors import ArgumentError

GRACE = 5  # seconds from SIGTERM to SIGKILL
TAIL = 8  # lines of standard error that are repeated when a process fails
_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclasses.dataclass(frozen=True)
class _End:
    """A process that ended, or (index None) a signal by which the launcher ends."""

    index: int | None
    code: int


class _Terminal:
    """Where the output of all processes goes, a line at a time; process 0's as it is, the others' with their number."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.quiet = False

    def write(self, index: int, line: bytes, target: TextIO) -> None:
        prefix = f"[{index}] ".encode() if index else b""
        with self._lock, contextlib.suppress(OSError):  # the reader of our own output may be gone
            if not self.quiet:
                target.buffer.write(prefix + line.rstrip(b"\n") + b"\n")
                target.flush()


class _Process:
    """One of the processes, with the threads that watch it."""

    def __init__(self, command: Sequence[str], index: int, environment: dict[str, str], terminal: _Terminal,
                 ends: SimpleQueue[_End]) -> None:
        self.index, self.terminal = index, terminal
        self.tail: collections.deque[bytes] = collections.deque(maxlen=TAIL)
        # Process 0 keeps the terminal as its output, and with it progress bars. Sessions of their own keep Ctrl-C from
        # the processes, and let `signal` reach what they started.
        self.running = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True,
                                        stdout=subprocess.PIPE if index else None, stderr=subprocess.PIPE)
        self._errors = self._start(self._pass_on, self.running.stderr, sys.stderr, self.tail)
        if index:
            self._start(self._pass_on, self.running.stdout, sys.stdout, None)
        self._start(lambda: ends.put(_End(index, self.running.wait())))

    def _start(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        return thread

    def _pass_on(self, source: IO[bytes], target: TextIO, tail: collections.deque[bytes] | None) -> None:
        for line in source:
            if tail is not None:
                tail.append(line)
            self.terminal.write(self.index, line, target)

    def last_lines(self) -> list[str]:
        self._errors.join(timeout=1)  # something that the process started may hold its standard error open
        return [line.decode(errors="replace").rstrip("\n") for line in list(self.tail)]

    def signal(self, number: int) -> None:
        """Send a signal to the process and all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.running.pid, number)


def launch(command: Sequence[str], processes: int, devices: int | None = None) -> int:
    """Run so many processes of `command` and give the exit code: 0, or that of the first that failed.

    `devices` is the number of virtual CPU devices of each. Raises ArgumentError for a command that there is not.

    >>> launch(["true"], processes=2)  # doctest: +SKIP
    0
    """
    if shutil.which(command[0]) is None:
        raise ArgumentError(f"there is no command {command[0]!r}", expected="a program, then its arguments",
                            fix="write for example: tarazu launch --processes 2 -- python train.py")
    ends: SimpleQueue[_End] = SimpleQueue()
    terminal = _Terminal()
    started: list[_Process] = []
    with _signals_into(ends):
        try:
            coordinator = f"127.0.0.1:{_free_port()}"
            for index in range(processes):
                environment = _environment(coordinator, processes, index, devices)
                started.append(_Process(command, index, environment, terminal, ends))
            end = _first_failure(ends, processes)
            if end is not None and end.index is None:
                terminal.quiet = True
        finally:
            _stop(started)
    if end is None:
        return 0
    if end.index is not None:
        _tell(started[end.index], end.code, command, processes)
    return 128 - end.code if end.code < 0 else end.code


@contextlib.contextmanager
def _signals_into(ends: SimpleQueue[_End]) -> Iterator[None]:
    """Signals by which the launcher ends become entries of the queue, which may be put at any moment."""
    before = {number: signal.signal(number, lambda received, _: ends.put(_End(None, -received))) for number in _STOP}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _environment(coordinator: str, processes: int, index: int, devices: int | None) -> dict[str, str]:
    own = {"TARAZU_COORDINATOR": coordinator, "TARAZU_PROCESSES": str(processes), "TARAZU_PROCESS": str(index)}
    if devices is not None:
        own["JAX_NUM_CPU_DEVICES"] = str(devices)
    return {"PYTHONUNBUFFERED": "1", **os.environ, **own}  # unbuffered: lines come when they are printed


def _first_failure(ends: SimpleQueue[_End], processes: int) -> _End | None:
    """Wait for the first process that fails, or a signal; None once all have ended well."""
    for _ in range(processes):
        end = ends.get()
        if end.code != 0:
            return end
    return None


def _stop(started: list[_Process]) -> None:
    """End what still runs, gently first; also what processes started and left behind."""
    for process in started:
        process.signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    for process in started:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.running.wait(timeout=max(0, deadline - time.monotonic()))
    for process in started:
        process.signal(signal.SIGKILL)
        process.running.wait()


def _tell(process: _Process, code: int, command: Sequence[str], processes: int) -> None:
    """Say on standard error which process ended how."""
    how = (f"was killed by signal {-code} ({signal.Signals(-code).name})" if code < 0
           else f"ended with exit code {code}")
    lines = [f"process {process.index} of {processes} ({shlex.join(command)}) {how}"]
    if last := process.last_lines():
        lines += ["its last lines on standard error:", *(f"  {line}" for line in last)]
    if processes > 1:
        lines.append("the others were stopped; start the same command again to go on from its last checkpoint")
    print("\n".join(lines), file=sys.stderr, flush=True)
