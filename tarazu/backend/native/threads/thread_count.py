"""On how many threads programs run: what the user asks for, how many cores there are, and whether others need those."""

from __future__ import annotations

import functools
import os
import time
from pathlib import Path
from typing import NamedTuple

from tarazu.base.settings import number_of_variable, require_number

MOST_THREADS = 1024
_ALLOWED, _EXPECTED = range(1, MOST_THREADS + 1), f"a whole number from 1 to {MOST_THREADS}"


def threads() -> int:
    """On how many threads a program may run: what `set_threads` said, else TARAZU_THREADS, else the number of cores.

    ArgumentError where TARAZU_THREADS is no whole number from 1 to 1024.

    >>> threads() >= 1
    True
    """
    return _chosen if _chosen is not None else _default()


def set_threads(n: int) -> None:
    """Let programs run on up to `n` threads from now on, but no more than there are cores; small ones take fewer.

    ArgumentError where `n` is not a whole number from 1 to 1024.

    >>> set_threads(1)
    >>> threads()
    1
    """
    global _chosen
    _chosen = whole_threads(n, f"set_threads({n!r})",
                            f"this machine has {cores()} cores: set_threads({cores()}) uses them all")


def whole_threads(n: int, said: str, fix: str = "threads=64 for a machine of 64 cores") -> int:
    """The number of threads that users `said`; ArgumentError with that fix where it is no whole number from 1 to 1024.

    >>> whole_threads(2, "set_threads(2)")
    2
    """
    return require_number(said, n, _ALLOWED, expected=_EXPECTED, fix=fix)


_chosen: int | None = None  # by set_threads


@functools.cache
def _default() -> int:
    found = number_of_variable("TARAZU_THREADS", _ALLOWED, expected=_EXPECTED, fix="leave it unset to use all cores")
    return cores() if found is None else found


@functools.cache
def cores() -> int:
    """The cores that this process may use at once."""
    given = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(given, _quota(), MOST_THREADS))


def _quota() -> int:
    """The cores' worth of time that a container grants, rounded up; MOST_THREADS where there is no such limit."""
    try:
        time, _, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").partition(" ")
        return -(-int(time) // int(period))
    except (OSError, ValueError):  # "max", or no such file
        return MOST_THREADS


# A thread that has to wait for a core makes all others wait at the next barrier: one thread alone is then faster. When
# that happens for two spells in a row, programs run on one thread: until a core has been idle during such runs, where
# the system tells, and at most for a while, which doubles as long as it goes on. A spell is a long run or many short
# ones, of which a few are always held up by something.

SPELL = 10e-3  # seconds: at least as long as a thread waits for a core that it shares with another
CROWDED = 0.7  # of the time at work: below, two threads do less than one
IDLE = 0.7  # of the time of runs on one thread: a core that is idle for longer is free
WATCHED = 0.05  # for how long a core is watched, as a part of the longest time on one thread
SHORTEST_BACKOFF, LONGEST_BACKOFF = 0.5, 4.0  # seconds
_alone_until = 0.0  # on the clock of time.perf_counter
_spell, _busy = 0.0, 0.0  # seconds of runs in this spell, and of those at work
_crowded_spells = 0  # in a row
_backoff = SHORTEST_BACKOFF  # how long the next one takes
_watch: _Watch | None = None  # since programs run on one thread


class _Watch(NamedTuple):
    """Since when runs on one thread have followed each other, how long they took, how long cores had been idle then."""

    start: float
    worked: float
    idle: float


def helpful_threads() -> int:
    """On how many threads a program should run now: no more than there are cores, and one while others need them."""
    return 1 if is_alone() else min(threads(), cores())


def is_alone() -> bool:
    """Whether programs run on one thread because others need the cores."""
    return time.perf_counter() < _alone_until


def learn_from_run(seconds: float, busy: float) -> None:
    """Take note of a run on several threads: how long it took, and how long of that the caller's thread was at work."""
    global _spell, _busy
    _spell, _busy = _spell + seconds, _busy + busy
    if _spell >= SPELL:
        _learn_from_spell(_busy > CROWDED * _spell)
        _spell = _busy = 0.0


def _learn_from_spell(had_cores: bool) -> None:
    global _alone_until, _crowded_spells, _backoff, _watch
    if had_cores:
        _crowded_spells, _backoff = 0, SHORTEST_BACKOFF
        return
    _crowded_spells += 1
    if _crowded_spells >= 2:
        _alone_until, _watch, _backoff = time.perf_counter() + _backoff, None, min(2 * _backoff, LONGEST_BACKOFF)


def watch_cores() -> None:
    """Before a run on one thread while others need the cores: see to it that cores are watched from here on at least.

    What was watched before counts as long as the process did little else between runs.
    """
    global _watch
    now = time.perf_counter()
    if _watch is None or now - _watch.start > 2 * _watch.worked:
        idle = idle_seconds()
        _watch = None if idle is None else _Watch(now, 0.0, idle)


def learn_from_run_alone(seconds: float) -> None:
    """Take note of a run on one thread while others need the cores: after some, whether another core was idle."""
    global _alone_until, _watch
    if _watch is None:
        return
    _watch = _watch._replace(worked=_watch.worked + seconds)
    if _watch.worked < WATCHED * _backoff:
        return
    idle = idle_seconds()
    if idle is not None and idle - _watch.idle > IDLE * (time.perf_counter() - _watch.start):
        _alone_until = 0.0
    _watch = None


def idle_seconds() -> float | None:
    """For how long the cores of this process have been idle, summed up; None where the system does not tell."""
    try:
        text = Path("/proc/stat").read_text(encoding="ascii")
        wanted = {f"cpu{core}" for core in os.sched_getaffinity(0)}
        rows = [row.split() for row in text.splitlines() if row.startswith("cpu")]
        return sum(int(row[4]) for row in rows if row[0] in wanted) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
