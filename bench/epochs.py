"""Seconds per epoch of a workload in every framework: a round of each in turn, so that all see the same machine."""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from peers import OURS, PEERS, Failure, TooSlow, Worker, checkout, fresh_caches
from report import Comparison, seconds, spread, text_table
from workloads import WORKLOADS, sized

PAUSE = 0.2  # seconds before each turn, in which the threads of the one before stop waiting for work


@dataclass
class Measured:
    """What one framework did; `failure` says why there is nothing, or no more."""

    first: float | None = None  # seconds of the first epoch
    answers: list[dict[str, float]] = field(default_factory=list)
    failure: str = ""
    cached_first: float | None = None  # seconds of the first epoch of a second process
    spent: float = 0.0  # seconds since it was started, without those of the others

    def median(self, name: str = "seconds") -> float:
        """Of the rounds; the seconds of an epoch within `fit` where the framework has them, else of the call."""
        return statistics.median(answer[name] for answer in self.answers)

    @property
    def times(self) -> list[float]:
        """Seconds of an epoch in each round, without what a call does before and after its epochs."""
        return [answer.get("within", answer["seconds"]) for answer in self.answers]

    @property
    def epoch(self) -> float:
        return statistics.median(self.times)

    @property
    def least(self) -> float:
        return min(self.times)

    @property
    def compiling(self) -> float:
        """How much longer the first epoch took than a later one."""
        return max(self.first - self.median(), 0)


Results = dict[str, Measured]


def measure(name: str, pythons: Mapping[str, str | None], rounds: int, limit: float = math.inf) -> Results:
    """The workload `name` in each framework that `pythons` has an interpreter for, for at most `limit` seconds each."""
    results = {peer: Measured() for peer in pythons if PEERS[peer].has(WORKLOADS[name].kind)}
    with tempfile.TemporaryDirectory() as folder:
        workers = _start(name, pythons, results, fresh_caches(folder), limit)
        for _ in range(1 + rounds):
            for peer, worker in workers.items():
                _turn(results[peer], worker, WORKLOADS[name].epochs, limit)
        for peer, worker in workers.items():
            if not results[peer].failure:
                worker.close()
        if results.get(OURS, Measured()).answers:
            again = Worker(PEERS[OURS], pythons[OURS], name, fresh_caches(folder))
            results[OURS].cached_first = again.train(1)["seconds"]
            again.close()
    for result in results.values():
        if len(result.answers) > 1:
            del result.answers[0]  # a round to warm up
    return results


def _start(name: str, pythons: Mapping[str, str | None], results: Results, settings: dict[str, str],
           limit: float) -> dict[str, Worker]:
    """A worker for each framework, after its first epoch, in which most of them compile."""
    workers = {}
    for peer, result in results.items():
        if pythons[peer] is None:
            result.failure = "not installed"
            continue
        workers[peer] = Worker(PEERS[peer], pythons[peer], name, {**settings, **checkout(peer)})
        if answer := _ask(result, workers[peer], 1, limit):
            result.first = answer["seconds"]
    return workers


def _turn(result: Measured, worker: Worker, epochs: int, limit: float) -> None:
    if result.failure:
        return
    time.sleep(PAUSE)
    if answer := _ask(result, worker, epochs, limit):
        result.answers.append(answer)


def _ask(result: Measured, worker: Worker, epochs: int, limit: float) -> dict[str, float] | None:
    """The worker's answer, if it comes in the time that is left; a worker that fails is stopped."""
    start = time.perf_counter()
    try:
        return worker.train(epochs, within=None if limit == math.inf else max(limit - result.spent, 0.0))
    except Failure as failure:
        is_slow = isinstance(failure, TooSlow)
        result.failure = f"over {limit:g} s in all" if is_slow else f"failed: {failure}"
        result.answers = result.answers if is_slow else []
        worker.stop()
        return None
    finally:
        result.spent += time.perf_counter() - start


def comparison(name: str, results: Results) -> Comparison:
    workload = WORKLOADS[name]
    medians = {peer: result.epoch for peer, result in results.items() if result.answers}
    ours = medians.pop(OURS, None)
    return Comparison(workload.title, ours, {PEERS[peer].label: value for peer, value in medians.items()},
                      workload.against_torch, workload.against_best,
                      {PEERS[peer].label: _cell(result) for peer, result in results.items()},
                      {PEERS[peer].label: _costs(result) for peer, result in results.items()})


def _cell(result: Measured) -> str:
    """For the table of the docs: the times, unless there are none."""
    return spread(result.times) if result.answers else result.failure.partition(":")[0]


def _costs(result: Measured) -> str:
    """What the first call and the memory cost."""
    if result.answers:
        return f"{result.compiling:.1f} s, {_megabytes(result)} MB"
    return "-" if result.first is None else f"first epoch {result.first:.1f} s"


def _megabytes(result: Measured) -> str:
    return f"{max(answer['beyond'] for answer in result.answers) / 1e6:,.0f}"


def describe(name: str, results: Results, rounds: int) -> str:
    """A table of all frameworks, and what follows for the targets."""
    workload = WORKLOADS[name]
    title = f"{name}: {workload.title}, {sized(workload).rows:,} rows; {rounds} rounds of {workload.epochs} epochs"
    header = ["", "s/epoch", "least", "most", "whole call", "compile", "MB", "last loss", "accuracy"]
    rows = [_row(PEERS[peer].label, result) for peer, result in results.items() if result.answers]
    failed = [f"{PEERS[peer].label}: {_failure(result)}" for peer, result in results.items() if result.failure]
    ratios = [str(ratio) for ratio in comparison(name, results).ratios()]
    return "\n".join([title, text_table(header, rows), *failed, *ratios, *_from_cache(results.get(OURS))])


def _failure(result: Measured) -> str:
    rounds = f", after {len(result.answers)} rounds" if result.answers else ""
    first = "" if result.first is None else f" (first epoch {result.first:.1f} s)"
    return result.failure + rounds + first


def _row(label: str, result: Measured) -> list[str]:
    last = result.answers[-1]
    return [label, *map(seconds, (result.epoch, result.least, max(result.times), result.median())),
            f"{result.compiling:.2f}", _megabytes(result), f"{last['loss']:.4f}", f"{last['accuracy']:.3f}"]


def _from_cache(ours: Measured | None) -> list[str]:
    if ours is None or ours.cached_first is None:
        return []
    return [f"compile of Tarazu from the disk cache: {max(ours.cached_first - ours.median(), 0):.2f} s"]
