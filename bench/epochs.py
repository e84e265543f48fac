"""Seconds per epoch of a workload in every framework: a round of each in turn, so that all see the same machine."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from peers import OURS, PEERS, Failure, Worker, checkout, fresh_caches
from report import Comparison, seconds, text_table
from workloads import WORKLOADS

PAUSE = 0.2  # seconds before each turn, in which the threads of the one before stop waiting for work


@dataclass
class Measured:
    """What one framework did; `failure` says why there is nothing."""

    first: float = 0.0  # seconds of the first epoch
    answers: list[dict[str, float]] = field(default_factory=list)
    failure: str = ""
    cached_first: float | None = None  # seconds of the first epoch of a second process

    def median(self, name: str = "seconds") -> float:
        """Of the rounds; the seconds of an epoch within `fit` where the framework has them, else of the call."""
        return statistics.median(answer[name] for answer in self.answers)

    @property
    def epoch(self) -> float:
        return self.median("within" if "within" in self.answers[0] else "seconds")

    @property
    def least(self) -> float:
        return min(answer.get("within", answer["seconds"]) for answer in self.answers)


Results = dict[str, Measured]


def measure(name: str, pythons: Mapping[str, str | None], rounds: int) -> Results:
    """The workload `name` in each framework that `pythons` has an interpreter for."""
    results = {peer: Measured() for peer in pythons if PEERS[peer].has(WORKLOADS[name].kind)}
    with tempfile.TemporaryDirectory() as folder:
        workers = _start(name, pythons, results, fresh_caches(folder))
        for _ in range(1 + rounds):
            for peer, worker in workers.items():
                _turn(results[peer], worker, WORKLOADS[name].epochs)
        for worker in workers.values():
            worker.close()
        if results.get(OURS, Measured()).answers:
            again = Worker(PEERS[OURS], pythons[OURS], name, fresh_caches(folder))
            results[OURS].cached_first = again.train(1)["seconds"]
            again.close()
    for result in results.values():
        del result.answers[:1]  # a round to warm up
    return results


def _start(name: str, pythons: Mapping[str, str | None], results: Results, settings: dict[str, str]) -> dict:
    """A worker for each framework, after its first epoch, in which most of them compile."""
    workers = {}
    for peer, result in results.items():
        if pythons[peer] is None:
            result.failure = "not installed"
            continue
        workers[peer] = Worker(PEERS[peer], pythons[peer], name, {**settings, **checkout(peer)})
        try:
            result.first = workers[peer].train(1)["seconds"]
        except Failure as failure:
            result.failure = f"failed: {failure}"
    return workers


def _turn(result: Measured, worker: Worker, epochs: int) -> None:
    if result.failure:
        return
    time.sleep(PAUSE)
    try:
        result.answers.append(worker.train(epochs))
    except Failure as failure:
        result.answers, result.failure = [], f"failed: {failure}"


def comparison(name: str, results: Results) -> Comparison:
    workload = WORKLOADS[name]
    medians = {peer: result.epoch for peer, result in results.items() if result.answers}
    ours = medians.pop(OURS, None)
    return Comparison(workload.title, ours, {PEERS[peer].label: value for peer, value in medians.items()},
                      workload.against_torch, workload.against_best)


def describe(name: str, results: Results, rounds: int) -> str:
    """A table of all frameworks, and what follows for the targets."""
    workload = WORKLOADS[name]
    title = f"{name}: {workload.title}, {workload.rows:,} rows; {rounds} rounds of {workload.epochs} epochs"
    header = ["", "s/epoch", "least", "whole call", "compile", "last loss", "accuracy"]
    rows = [_row(PEERS[peer].label, result) for peer, result in results.items() if result.answers]
    failed = [f"{PEERS[peer].label}: {result.failure}" for peer, result in results.items() if result.failure]
    ratios = [str(ratio) for ratio in comparison(name, results).ratios()]
    return "\n".join([title, text_table(header, rows), *failed, *ratios, *_from_cache(results.get(OURS))])


def _row(label: str, result: Measured) -> list[str]:
    last = result.answers[-1]
    return [label, *map(seconds, (result.epoch, result.least, result.median())),
            f"{max(result.first - result.median(), 0):.2f}", f"{last['loss']:.4f}", f"{last['accuracy']:.3f}"]


def _from_cache(ours: Measured | None) -> list[str]:
    if ours is None or ours.cached_first is None:
        return []
    return [f"compile of Tarazu from the disk cache: {max(ours.cached_first - ours.median(), 0):.2f} s"]
