"""Seconds and peak memory of whole programs that train on 150 flowers, from the start of Python to its end."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from peers import HERE, OURS, PEERS, environment, fresh_caches
from report import OURS as TARAZU
from report import Comparison, seconds, spread, text_table

TITLE = "iris, whole process, 50 epochs, batch 16"
NOTHING_CACHED, CACHED = "Tarazu, nothing cached", "Tarazu, cached"
TARGETS = {NOTHING_CACHED: 3.0, CACHED: 5.0}
MOST_MEMORY = 200  # MB
_MB = 1e6 if sys.platform == "darwin" else 1e6 / 1024  # in units of ru_maxrss


@dataclass
class Measured:
    """The rounds of one program."""

    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)  # MB
    said: str = ""  # the accuracy, or why there is none


Results = dict[str, Measured]


def measure(pythons: Mapping[str, str | None], rounds: int) -> Results:
    """All programs in turn, `rounds` times after a round to warm up; Tarazu twice, the second time with a cache."""
    results: Results = {}
    for counted in [False, *[True] * rounds]:
        with tempfile.TemporaryDirectory() as folder:
            for label, script, python in _programs(pythons):
                _run(results.setdefault(label, Measured()), script, python, folder, counted)
    return results


def _programs(pythons: Mapping[str, str | None]) -> list[tuple[str, str, str | None]]:
    labels = {OURS: [NOTHING_CACHED, CACHED]}
    return [(label, f"iris_{peer}.py", python) for peer, python in pythons.items() if peer != "compile"
            for label in labels.get(peer, [PEERS[peer].label])]


def _run(result: Measured, script: str, python: str | None, folder: str, counted: bool) -> None:
    if python is None:
        result.said = "not installed"
        return
    start = time.perf_counter()
    process = subprocess.Popen([python, str(HERE / "workers" / script)], env=environment(**fresh_caches(folder)),
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    said = process.stdout.read().strip()
    _, status, usage = os.wait4(process.pid, 0)
    took, process.returncode = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
    process.stdout.close()
    result.said = f"{float(said):.3f}" if process.returncode == 0 else f"failed: exit status {process.returncode}"
    if counted and process.returncode == 0:
        result.seconds.append(took)
        result.memory.append(usage.ru_maxrss / _MB)


def comparisons(results: Results) -> list[Comparison]:
    medians = {label: statistics.median(result.seconds) for label, result in results.items() if result.seconds}
    ours = {label: medians.pop(label, None) for label in TARGETS}
    others = {label: spread(result.seconds) for label, result in results.items() if result.seconds}
    return [Comparison(f"{TITLE}, {label.split(', ')[1]}", ours[label], medians, target, target,
                       {**others, TARAZU: others.get(label, "-")})
            for label, target in TARGETS.items()]


def describe(results: Results, rounds: int) -> str:
    rows = [[label, seconds(statistics.median(result.seconds)), seconds(min(result.seconds)),
             f"{max(result.memory):.0f}", result.said] for label, result in results.items() if result.seconds]
    table = text_table(["", "seconds", "least", "peak MB", "accuracy"], rows)
    failed = [f"{label}: {result.said}" for label, result in results.items() if not result.seconds]
    ratios = [f"{item.title.split(', ')[-1]}: {ratio}" for item in comparisons(results) for ratio in item.ratios()]
    return "\n".join([f"{TITLE}; {rounds} rounds", table, *failed, *ratios, *_memory(results)])


def _memory(results: Results) -> list[str]:
    found = [most for label in TARGETS if label in results for most in results[label].memory]
    if not found:
        return []
    met = "met" if max(found) <= MOST_MEMORY else "not met"
    return [f"peak memory {max(found):.0f} MB (target {MOST_MEMORY}: {met})"]
