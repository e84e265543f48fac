"""`tz.profile`: where the time of a jitted function goes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from tarazu.backend.base import Program
from tarazu.base.errors import ArgumentError
from tarazu.runtime.compile import need_native, simplified
from tarazu.runtime.jit.compiled import Compiled, Result
from tarazu.runtime.jit.jit import Jit, JittedMethod
from tarazu.runtime.tensor.tensor import Tensor

if TYPE_CHECKING:
    from tarazu.backend.native.inspect.peak import Peak
    from tarazu.backend.native.inspect.timed import TimedProgram, Timing, Timings

MEASURED = 0.3  # seconds
WAITING, THREADS, PYTHON = "waiting", "threads", "Python"  # the kinds of rows that are no steps
LEAST = 0.001  # the share of the time below which steps stand in one line of the table


class Row(NamedTuple):
    """A step of the program, or time outside of steps (WAITING, THREADS, PYTHON); numbers are per call."""

    kind: str  # map, dot, sum, gather, copy, run, NumPy, loop, branch; waiting, threads, Python
    name: str  # of its kernel, as `native_text` has it, else the kind
    what: str  # its loops and primitives
    where: str  # the modules that it comes from
    depth: int  # in how many loops and branches it is
    calls: int  # 0 where it is no step, or a branch that was not taken
    seconds: float  # of the calling thread, without waiting and without the steps inside
    share: float  # of the whole
    waited: float  # seconds at the barriers in front of it, which the row "waiting" counts too
    flops: int
    bytes: int  # read and written
    peak: Peak | None  # of the threads that share it; None where nothing is computed

    @property
    def gflops(self) -> float:
        """10^9 operations per second."""
        return self.flops / self.seconds / 1e9 if self.seconds else 0.0

    @property
    def gigabytes(self) -> float:
        """10^9 bytes per second; data that a cache holds move faster than the peak, which is that of memory."""
        return self.bytes / self.seconds / 1e9 if self.seconds else 0.0

    @property
    def gflops_share(self) -> float:
        """`gflops` as a share of the machine's peak rate of float32 products."""
        return self.gflops / self.peak.gflops if self.peak else 0.0

    @property
    def gigabytes_share(self) -> float:
        """`gigabytes` as a share of the machine's peak rate of copying memory."""
        return self.gigabytes / self.peak.gigabytes if self.peak else 0.0


class Profile(NamedTuple):
    """Where the time of a jitted function goes; `print` shows a table. The rows add up to `seconds`."""

    label: str
    rows: tuple[Row, ...]  # steps in the order of the program; then waiting, threads and Python
    seconds: float  # of one call
    threads: int
    runs: int  # over which medians were taken
    peak: Peak  # of these threads
    is_predicted: bool = False  # whether it was simulated for so many cores

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'s' * (self.threads != 1)}"
        threads += " simulated on one" * self.is_predicted
        head = (f"{self.label}: {_time(self.seconds)} a call, {threads}, medians of {self.runs:,} runs; "
                f"peak {self.peak.gflops:.0f} GF/s, memory {self.peak.gigabytes:.1f} GB/s")
        rates = f"{'GF/s':>8}{'peak':>7}{'GB/s':>8}{'peak':>7}"
        columns = f"{'time':>10}{'share':>8}{'calls':>8}{'waited':>10}{rates}  step"
        shown = sorted(self.rows, key=lambda row: -row.seconds)
        few = [row for row in shown if max(row.seconds, row.waited) < LEAST * self.seconds and row.calls]
        lines = [_line(row) for row in shown if row not in few]
        if few:
            seconds = sum(row.seconds for row in few)
            lines.append(f"{_time(seconds):>10}{seconds / self.seconds:8.1%}{'':56}  {len(few)} other steps")
        return "\n".join([head, columns, *lines])


def profile(step: Callable[..., Any], *args: Any, seconds: float = MEASURED, threads: int | None = None,
            **kwargs: Any) -> Profile:
    """Where the time of `step(*args, **kwargs)` goes, `step` being a jitted function that runs on the native backend.

    A variant of its program that times each step runs on copies of the actual values, for about `seconds`: parameters,
    optimizer state, random state and gradients stay as they are. A row counts what thread 0 does; the time in which it
    waits for others is a row of its own, as is Python's. With `threads` the rows are a prediction for a machine of so
    many cores like these: the program that it would run is measured here, share by share on one thread, and its
    schedule simulated. ArgumentError where `step` was not made by `tz.jit`, `seconds` is not greater than 0, or
    `threads` is not a whole number from 1 to 1024, DeviceError where jitted functions do not run on the native backend.

    >>> import tarazu as tz
    >>> product = tz.jit(lambda x, y: x @ y)
    >>> profile = tz.profile(product, tz.ones(64, 64), tz.ones(64, 64), seconds=0.01)
    >>> [row.kind for row in profile.rows], profile.rows[0].flops
    (['dot', 'waiting', 'threads', 'Python'], 524288)
    >>> tz.profile(product, tz.ones(64, 64), tz.ones(64, 64), seconds=0.01, threads=16).is_predicted
    True
    """
    jitted, args = _jitted(step, args)
    if not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise ArgumentError(f"tz.profile(..., seconds={seconds!r})", expected="a finite number greater than 0",
                            fix=f"leave it out for {MEASURED} seconds")
    need_native(f"tz.profile({jitted.label}, ...)")
    from tarazu.backend.native.inspect.machine import peak_of
    from tarazu.backend.native.inspect.peak import peak
    from tarazu.backend.native.inspect.simulate import PlannedProgram, predict
    from tarazu.backend.native.inspect.timed import TimedProgram, measure
    from tarazu.backend.native.threads.thread_count import whole_threads
    from tarazu.backend.numpy import evaluate

    compiled = jitted.match(args, kwargs).compiled
    graph = simplified(compiled.graph)
    if threads is None:
        timings = measure(*_calling(jitted, args, kwargs, TimedProgram(graph, evaluate, compiled.renewed)), seconds)
        return _profile(jitted.label, timings, peak)
    planned = PlannedProgram(graph, evaluate, whole_threads(threads, f"tz.profile(..., threads={threads!r})"),
                             compiled.renewed)
    timings = predict(*_calling(jitted, args, kwargs, planned), seconds)
    return _profile(jitted.label, timings, peak_of)._replace(is_predicted=True)


Timed = TypeVar("Timed", bound="TimedProgram")


def _calling(jitted: Jit, args: tuple, kwargs: dict[str, Any], program: Timed) -> tuple[Timed, Callable[[], None]]:
    """The program, and what a call of the function does with it, but for writing back what it changes."""
    matched = jitted.match(args, kwargs)
    copies = [np.array(raw, order="C") for raw in matched.inputs]
    run = _as_called(program, matched.compiled)

    def call() -> None:
        jitted.match(args, kwargs)
        for output in run(*copies):
            Tensor(output)

    return program, call


def _jitted(step: Callable[..., Any], args: tuple) -> tuple[Jit, tuple]:
    """The jitted function itself, and what it is called with: the object of a method is its first argument."""
    if isinstance(step, JittedMethod):
        return _jitted(step.func, (*step.args, *args))
    if not isinstance(step, Jit):
        raise ArgumentError(f"tz.profile of a {type(step).__name__}", expected="a function made by tz.jit",
                            fix="tz.profile(tz.jit(function), ...)")
    return step, args


def _as_called(program: TimedProgram, compiled: Compiled) -> Program:
    """The program with memory for its outputs as the function's own has it."""
    from tarazu.backend.native.donation import Donating

    if not isinstance(compiled.program, Donating):
        return program
    return program.donating(sum(isinstance(result, Result) for result in compiled.outputs.results))


def _profile(label: str, timings: Timings, peak: Callable[[int], Peak]) -> Profile:
    waited = sum(step.waited for step in timings.steps)
    rest = [(WAITING, "at barriers", waited), (THREADS, "called at the start, awaited at the end", timings.around),
            (PYTHON, "before and after the program", timings.python)]
    total = sum(step.seconds for step in timings.steps) + sum(time for _, _, time in rest)
    rows = [*[_row(step, total, peak(timings.threads if step.work.is_shared else 1)) for step in timings.steps],
            *[Row(kind, kind, what, "", 0, 0, time, time / total, 0.0, 0, 0, None) for kind, what, time in rest]]
    return Profile(label, tuple(rows), total, timings.threads, timings.runs, peak(timings.threads))


def _row(step: Timing, total: float, peak: Peak) -> Row:
    work, calls = step.work, step.calls
    moved = (work.read + work.written) * calls
    return Row(work.kind, work.name, work.what, work.where, step.depth, calls, step.seconds, step.seconds / total,
               step.waited, work.flops * calls, moved, peak if work.flops or moved else None)


def _line(row: Row) -> str:
    rates = f"{row.gflops:8.1f}{row.gflops_share:7.0%}{row.gigabytes:8.1f}{row.gigabytes_share:7.0%}" if row.peak \
        else f"{'':30}"
    where = f"  [{row.where}]" if row.where else ""
    calls = f"{row.calls:,}" if row.calls else ""
    waited = _time(row.waited) if row.waited else ""
    return (f"{_time(row.seconds):>10}{row.share:8.1%}{calls:>8}{waited:>10}{rates}  {row.name} {row.what}{where}")


def _time(seconds: float) -> str:
    """A time with its unit, such as "12.3 us"."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"
