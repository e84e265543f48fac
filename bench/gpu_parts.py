"""The parts of `bench/gpu.py`: each adds what it measures until its time is up, and ends what it has started."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from gpu_found import Found, OpTable, Run
from peers import PEERS, XLA, Failure, Peer, Worker
from workloads import WORKLOADS

STARTING = 0.7  # of a part's time, in which its frameworks have to be through their first epoch; the first have all
TURN, ROUNDS = 0.4, 7  # seconds of a turn at least, turns of each framework at most
LEAST_STEPS = 64  # of an epoch on a GPU
LINES = 12  # of the op table in one program
SHARES = max(1, min(8, (os.cpu_count() or 1) // 2))  # processes that share the op table
AT_ONCE = max(2, (os.cpu_count() or 1) // 2)  # processes that start at a time
TABLE = Peer("op table", PEERS[XLA].library, "op_table")
Write = Callable[[], None]


def settings(device: str, **more: str) -> dict[str, str]:
    """How workers find the device; JAX takes memory as it needs it, as several processes share the GPU."""
    place = {"BENCH_DEVICE": "gpu"} if device == "gpu" else {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    return {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "JAX_DEFAULT_MATMUL_PRECISION": "highest", **place, **more}


@contextlib.contextmanager
def _ended(workers: Sequence[Worker]) -> Iterator[None]:
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()


def _answer(worker: Worker, end: float) -> dict:
    return worker.answer(within=max(end - time.perf_counter(), 0))


def check_op_table(found: Found, python: str | None, end: float, write: Write) -> None:
    """Compare the lines of the op table in several processes, for as long as there is time."""
    if python is None:
        found.op_table.failures.append("JAX is not installed")
        return
    start, shares = time.perf_counter(), [f"{i}/{SHARES}" for i in range(SHARES)]
    going = {share: Worker(TABLE, python, share, settings(found.device)) for share in shares}
    answers: dict[str, dict] = {}
    with _ended([*going.values()]):
        while going:
            failures = _check_more(going, answers, end)
            found.op_table = _summed(answers, [*found.op_table.failures, *failures], time.perf_counter() - start)
            write()


def _check_more(going: dict[str, Worker], answers: dict[str, dict], end: float) -> list[str]:
    """Have each process check its next lines; those that are done or fail go on no longer. Gives the failures."""
    failures = []
    for worker in going.values():
        worker.ask(LINES)
    for share, worker in [*going.items()]:
        try:
            answers[share] = _answer(worker, end)
            is_done = answers[share]["checked"] == answers[share]["of"]
        except Failure as failure:
            failures.append(str(failure))
            is_done = True
        if is_done:
            del going[share]
    return failures


def _summed(answers: Mapping[str, dict], failures: list[str], seconds: float) -> OpTable:
    def total(name: str) -> int:
        return sum(answer[name] for answer in answers.values())

    failures = [*dict.fromkeys(failures)]  # each once
    wrong = [problem for answer in answers.values() for problem in answer["wrong"]]
    return OpTable(total("checked"), total("of"), seconds, total("memory"), wrong, failures)


def train(found: Found, name: str, precisions: Sequence[str], pythons: Mapping[str, str | None], rows: int | None,
          end: float, write: Write) -> None:
    """Train one workload with all frameworks in all precisions: some compile side by side, then all take turns."""
    start, size = time.perf_counter(), rows or rows_for(name, found.device)
    steps = -(-size // WORKLOADS[name].batch)
    runs = [Run(name, precision, peer, size, steps) for precision in precisions for peer in pythons]
    found.runs += runs
    workers: dict[int, Worker] = {}
    with contextlib.ExitStack() as stack:
        _start(runs, pythons, found.device, (end, start + STARTING * (end - start)), workers, stack, write)
        _take_turns(runs, workers, end, write)


def rows_for(name: str, device: str) -> int:
    """On a GPU enough for an epoch not to be over in a moment, on a CPU so few that all workloads have their turn."""
    batch = WORKLOADS[name].batch
    return max(WORKLOADS[name].rows, LEAST_STEPS * batch) if device == "gpu" else min(WORKLOADS[name].rows, 4 * batch)


def _start(runs: Sequence[Run], pythons: Mapping[str, str | None], device: str, ends: tuple[float, float],
           workers: dict[int, Worker], stack: contextlib.ExitStack, write: Write) -> None:
    """A first epoch of each, as many at once as there are cores for, the most telling first; these have more time."""
    waiting = []
    for i, run in enumerate(runs):
        run.failure = "" if pythons[run.peer] else f"{PEERS[run.peer].library} is not installed"
        waiting += [] if run.failure else [i]
    for first in range(0, len(waiting), AT_ONCE):
        some, end = waiting[first:first + AT_ONCE], ends[first > 0]
        for i in some:
            if time.perf_counter() > end:
                runs[i].failure = "no time was left"
                continue
            more = settings(device, BENCH_PRECISION=runs[i].precision, BENCH_ROWS=str(runs[i].rows))
            workers[i] = Worker(PEERS[runs[i].peer], str(pythons[runs[i].peer]), runs[i].part, more)
            stack.callback(workers[i].stop)
            workers[i].ask(1)
        for i in filter(workers.__contains__, some):
            _note(runs[i], workers[i], end)
            if runs[i].seconds:
                runs[i].first_seconds = runs[i].seconds.pop()
            write()


def _take_turns(runs: Sequence[Run], workers: Mapping[int, Worker], end: float, write: Write) -> None:
    """One epoch of each tells how many a turn has, and counts where no turn follows; no round begins too late."""
    _round(runs, workers, {}, end)
    epochs = {i: max(1, round(TURN / max(runs[i].seconds[0], 1e-6))) for i in workers if runs[i].seconds}
    length = sum(epochs[i] * runs[i].seconds[0] for i in epochs)
    for number in range(ROUNDS):
        start = time.perf_counter()
        if start + length > end:
            break
        _round(runs, workers, epochs, end)
        for run in runs if number == 0 else []:
            del run.seconds[:1]
        length = 1.2 * (time.perf_counter() - start)
        write()


def _round(runs: Sequence[Run], workers: Mapping[int, Worker], epochs: Mapping[int, int], end: float) -> None:
    for i, worker in workers.items():
        if not runs[i].failure:
            worker.ask(epochs.get(i, 1))
            _note(runs[i], worker, end)


def _note(run: Run, worker: Worker, end: float) -> None:
    try:
        answer = _answer(worker, end)
    except Failure as failure:
        run.failure = str(failure)
        worker.stop()  # or it would take time from the others
        return
    run.seconds.append(answer.get("within", answer["seconds"]))
    run.memory, run.loss = answer["memory"], answer["loss"] if run.loss is None else run.loss
