"""GridSearchCV with `tz.sklearn.NetworkClassifier` beside scikit-learn's own MLPClassifier: 19 fits on 600 rows.

Six candidates on three folds and the fit on all rows, with the same hidden layer, epochs, batches and solver, neither
stopped early. Processes of both take turns. Each searches twice, after the imports: "cold" is the first search, with an
empty cache of compiled programs (and new workers, where there are two jobs), "warm" the second. In one process
scikit-learn has nothing to warm up and searches once. Processor time is that of searches with one job.

    python bench/sklearn_search.py [--grid rates] [--repeats 5]

takes about eight minutes: 20 and 200 epochs, one job and two.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from typing import NamedTuple

KINDS = ("ours", "theirs")
GRIDS = {  # the parameters of the candidates: ours and theirs
    "rates": ({"learning_rate": [0.001, 0.01, 0.1], "weight_decay": [0.0001, 0.01]},
              {"learning_rate_init": [0.001, 0.01, 0.1], "alpha": [0.0001, 0.01]}),
    "sizes": ({"hidden": [(25,), (50,), (100,)], "learning_rate": [0.001, 0.01]},
              {"hidden_layer_sizes": [(25,), (50,), (100,)], "learning_rate_init": [0.001, 0.01]}),
}
ROWS = 600


class Times(NamedTuple):
    """Seconds of a search."""

    wall: float
    processor: float


def search(kind: str, grid: str, epochs: int, jobs: int) -> list[Times]:
    """Searches one after the other: two, but for scikit-learn with one job."""
    from sklearn.datasets import make_classification
    from sklearn.model_selection import GridSearchCV

    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # of worker processes
    x, y = make_classification(ROWS, 16, n_informative=8, random_state=0)
    if kind == "ours":
        import tarazu as tz
        model = tz.sklearn.NetworkClassifier(epochs=epochs, random_state=0)
    else:
        from sklearn.neural_network import MLPClassifier
        model = MLPClassifier(max_iter=epochs, random_state=0, tol=0.0, n_iter_no_change=epochs)
    found = []
    for _ in range(1 if kind == "theirs" and jobs == 1 else 2):
        start = time.perf_counter(), time.process_time()
        GridSearchCV(model, GRIDS[grid][KINDS.index(kind)], cv=3, n_jobs=jobs).fit(x, y)
        found.append(Times(time.perf_counter() - start[0], time.process_time() - start[1]))
    return found


def measure(kind: str, grid: str, epochs: int, jobs: int) -> list[Times]:
    """What searches in a process of its own take."""
    command = [sys.executable, __file__, "--one", kind, grid, str(epochs), str(jobs)]
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "TARAZU_CACHE": cache}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [Times(*map(float, line.split())) for line in done.stdout.splitlines()]


def shown(seconds: list[float]) -> str:
    """The median and the range.

    >>> shown([1.0, 3.0, 2.0])
    '2.00 s (1.00 to 3.00)'
    """
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def compare(grid: str, epochs: int, jobs: int, repeats: int) -> None:
    """Print the times of searches that take turns, and their ratios."""
    rounds = [[measure(kind, grid, epochs, jobs) for kind in KINDS] for _ in range(repeats)]
    print(f"{grid}, {epochs} epochs, {jobs} jobs, load {os.getloadavg()[0]:.1f}")
    for place, name in enumerate(("cold", "warm")):
        for what in Times._fields[:2 if jobs == 1 else 1]:
            ours = [getattr(each[0][place], what) for each in rounds]
            theirs = [getattr(each[1][place if jobs > 1 else 0], what) for each in rounds]
            ratio = statistics.median(ours) / statistics.median(theirs)
            print(f"  {name}, {what}: Tarazu {shown(ours)}, MLPClassifier {shown(theirs)}: {ratio:.2f} x", flush=True)


def main() -> None:
    """Compare searches of few and many epochs, with one job and two."""
    if sys.argv[1:2] == ["--one"]:
        kind, grid, epochs, jobs = sys.argv[2:]
        for times in search(kind, grid, int(epochs), int(jobs)):
            print(*times)
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", choices=GRIDS, default="rates")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    for epochs in (20, 200):
        for jobs in (1, 2):
            compare(options.grid, epochs, jobs, options.repeats)


if __name__ == "__main__":
    main()
