"""How fast networks are trained: Tarazu's `fit` beside torch, JAX and Keras, from one run on two threads.

Run `python bench/training.py`, or name workloads; `--table` adds tables for the docs. Each framework has `--limit`
seconds for a workload, after which it is stopped and said to take more. `--kernels` adds the three kernels of each
workload that take the most time, and what limits them. A framework that the running
interpreter lacks is looked for where BENCH_TORCH_PYTHON, BENCH_JAX_PYTHON or BENCH_KERAS_PYTHON (or `--python-torch`
and so on) say. Compile times are those of the first epoch less those of a later one; the whole call of `fit` is
beyond its epochs the verdict, for the number of epochs that a round has. `--peers old` measures the checkout that
BENCH_OLD names beside this one. `--turns` measures Tarazu alone instead, beside others on the machine (see turns.py).
"""

from __future__ import annotations

import argparse
import sys

import epochs
import iris
import kernels
import turns
from peers import OLD, OURS, PEERS, SCAN, XLA, machine, pythons_for, use_two_cores
from report import Comparison, markdown, markdown_of_costs
from workloads import LARGER, SMALLER, WORKLOADS

IRIS = "iris"
TABLES = {"Small networks": [*SMALLER, IRIS], "Larger networks": [*LARGER]}
NAMES = [name for names in TABLES.values() for name in names]
LIMIT = 180.0  # seconds
USUAL = ["torch", "compile", "jax", "keras"]
OTHERS = [*USUAL, OLD, XLA, SCAN]
LIBRARIES = sorted({PEERS[peer].library for peer in OTHERS})


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="workload", help=f"of {', '.join(NAMES)}; all of them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", default=",".join(USUAL),
                        help=f"of {','.join(OTHERS)}; {','.join(USUAL)}")
    parser.add_argument("--limit", type=float, default=LIMIT, help=f"seconds of a framework for a workload; {LIMIT:g}")
    parser.add_argument("--kernels", action="store_true", help="what takes Tarazu's time")
    parser.add_argument("--turns", action="store_true", help="how Tarazu bears others on the machine")
    parser.add_argument("--table", action="store_true", help="at the end tables for the docs")
    for library in LIBRARIES:
        parser.add_argument(f"--python-{library}", metavar="PATH", help=f"an interpreter that has {library}")
    found = parser.parse_args()
    names = list(WORKLOADS) if found.turns else NAMES
    found.workloads, found.peers = found.workloads or names, [peer for peer in found.peers.split(",") if peer]
    if unknown := {*found.workloads, *found.peers} - {*NAMES, *OTHERS}:
        parser.error(f"{', '.join(sorted(unknown))}: not among {', '.join([*NAMES, *OTHERS])}")
    return found


def measured(name: str, pythons: dict[str, str | None], rounds: int, limit: float) -> tuple[str, list[Comparison]]:
    """A description of one workload's measurements, and what they say."""
    if name == IRIS:
        results = iris.measure(pythons, rounds)
        return iris.describe(results, rounds), iris.comparisons(results)
    found = epochs.measure(name, pythons, rounds, limit)
    return epochs.describe(name, found, rounds), [epochs.comparison(name, found)]


def main() -> None:
    given = arguments()
    use_two_cores()
    if given.turns:
        for name in given.workloads:
            print(turns.describe(name, turns.measure(name, sys.executable, given.rounds)), end="\n\n", flush=True)
        return
    named = {library: getattr(given, f"python_{library}") for library in LIBRARIES}
    pythons = pythons_for([OURS, *given.peers], named)
    print(machine(pythons), end="\n\n", flush=True)
    comparisons: dict[str, list[Comparison]] = {}
    for name in given.workloads:
        text, comparisons[name] = measured(name, pythons, given.rounds, given.limit)
        print(text, flush=True)
        if given.kernels and name in WORKLOADS:
            print(kernels.describe(name, sys.executable), flush=True)
        print()
    if given.table:
        print_tables(comparisons, [PEERS[peer].label for peer in given.peers])


def print_tables(comparisons: dict[str, list[Comparison]], labels: list[str]) -> None:
    for title, names in TABLES.items():
        if found := [comparison for name in names for comparison in comparisons.get(name, [])]:
            print(title, markdown(found, labels), markdown_of_costs(found, labels), sep="\n\n", end="\n\n")


if __name__ == "__main__":
    main()
