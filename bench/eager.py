"""Loops without `jit`, as users of torch write them, and small operations: Tarazu beside torch eager, on one thread.

Run `python bench/eager.py`, or name cases (mlp, cnn, lstm, layer, small); torch is looked for as in
`bench/training.py`. Processor times, medians of rounds in which the processes take turns. A step is forward, backward,
update and the loss as a number. Aims: a step at most 1.2 times torch's, a small operation at most 3 times.
With `--old` the checkout that BENCH_OLD names takes part.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Mapping

from peers import EAGER_OLD, EAGER_OURS, EAGER_TORCH, PEERS, Worker, checkout, fresh_caches, machine, python_for
from report import text_table
from workloads import EAGER

SMALL = "small"
STEPS_AIM, SMALL_AIM = 1.2, 3.0
WARM_UP, STEPS = 300, 20  # steps before the first round, and in each
ONE_THREAD = {f"{name}_THREADS": "1" for name in ("TARAZU", "OPENBLAS_NUM", "OMP_NUM", "MKL_NUM")}
Answers = list[dict[str, float]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join([*EAGER, SMALL])}; all of them")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--old", action="store_true", help="with the checkout that BENCH_OLD names")
    parser.add_argument("--python-torch", metavar="PATH", help="an interpreter that has torch")
    found = parser.parse_args()
    found.cases = found.cases or [*EAGER, SMALL]
    return found


def measure(case: str, pythons: Mapping[str, str], rounds: int) -> dict[str, Answers]:
    """The answers of each framework, one for each round, after the one that warms it up."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {**fresh_caches(folder), **ONE_THREAD}
        workers = {peer: Worker(PEERS[peer], python, case, {**settings, **checkout(peer)})
                   for peer, python in pythons.items()}
        for worker in workers.values():
            worker.train(WARM_UP)
        answers: dict[str, Answers] = {peer: [] for peer in workers}
        for _ in range(rounds):
            for peer, worker in workers.items():
                answers[peer].append(worker.train(STEPS))
        for worker in workers.values():
            worker.close()
    return answers


def rows_of(case: str, answers: Mapping[str, Answers]) -> list[list[str]]:
    """For each thing that was timed its name, the medians, and our time over torch's."""
    names = [name for name in next(iter(answers.values()))[0] if name not in ("loss", "memory", "beyond")]
    names = [name for name in names if case != SMALL or name != "seconds"]
    return [_row(case, name, {peer: statistics.median(answer[name] for answer in found)
                              for peer, found in answers.items()}) for name in names]


def _row(case: str, name: str, medians: Mapping[str, float]) -> list[str]:
    is_small = case == SMALL
    shown = [f"{seconds * (1e6 if is_small else 1e3):.2f}" for seconds in medians.values()]
    ratio = medians[EAGER_OURS] / medians[EAGER_TORCH] if EAGER_TORCH in medians else float("nan")
    met = "met" if round(ratio, 2) <= (SMALL_AIM if is_small else STEPS_AIM) else "not met"
    return [name if is_small else EAGER[case].title, *shown, f"{ratio:.2f}", met]


def main() -> None:
    given = arguments()
    torch = python_for("torch", given.python_torch)
    ours = python_for("tarazu")
    pythons = {EAGER_OURS: ours, **({EAGER_OLD: ours} if given.old else {}), **({EAGER_TORCH: torch} if torch else {})}
    print(machine(pythons), end="\n\n", flush=True)
    for case in given.cases:
        header = ["microseconds" if case == SMALL else "milliseconds a step", *[PEERS[peer].label for peer in pythons],
                  "over torch", "aim"]
        print(text_table(header, rows_of(case, measure(case, pythons, given.rounds))), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
