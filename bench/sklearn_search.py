"""GridSearchCV with `tz.sklearn.NetworkClassifier` beside scikit-learn's own MLPClassifier: 19 fits on 600 rows.

Six candidates on three folds and the fit on all rows, with the same hidden layer, epochs, batches and solver; searches
of both take turns, each in a process of its own, and the medians are compared. "cold" has an empty cache of compiled
programs, "warm" one that an earlier search left.

    python bench/sklearn_search.py [--epochs 200] [--batch 200] [--repeats 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import warnings

KINDS = ("ours", "theirs")
GRIDS = {  # the parameters of the candidates: ours and theirs
    "rates": ({"learning_rate": [0.001, 0.01, 0.1], "weight_decay": [0.0001, 0.01]},
              {"learning_rate_init": [0.001, 0.01, 0.1], "alpha": [0.0001, 0.01]}),
    "sizes": ({"hidden": [(25,), (50,), (100,)], "learning_rate": [0.001, 0.01]},
              {"hidden_layer_sizes": [(25,), (50,), (100,)], "learning_rate_init": [0.001, 0.01]}),
}
ROWS = 600


def search(kind: str, grid: str, epochs: int, batch: int, jobs: int) -> tuple[float, float, float]:
    """Seconds that imports take, and the search, and the accuracy it finds."""
    import time

    begun = time.perf_counter()
    from sklearn.datasets import make_classification
    from sklearn.model_selection import GridSearchCV

    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # of worker processes
    x, y = make_classification(ROWS, 16, n_informative=8, random_state=0)
    if kind == "ours":
        import tarazu as tz
        model = tz.sklearn.NetworkClassifier((100,), epochs=epochs, batch_size=batch, random_state=0)
    else:
        from sklearn.neural_network import MLPClassifier
        model = MLPClassifier((100,), max_iter=epochs, batch_size=batch, random_state=0, tol=0.0,
                              n_iter_no_change=epochs)
    start = time.perf_counter()
    found = GridSearchCV(model, GRIDS[grid][KINDS.index(kind)], cv=3, n_jobs=jobs).fit(x, y)
    return start - begun, time.perf_counter() - start, found.best_score_


def measure(kind: str, grid: str, options: argparse.Namespace, jobs: int, cache: str) -> tuple[float, ...]:
    """What a search in a process of its own gives."""
    command = [sys.executable, __file__, "--one", kind, grid, str(options.epochs), str(options.batch), str(jobs)]
    environment = {**os.environ, "TARAZU_CACHE": cache}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return tuple(map(float, done.stdout.split()))


def compare(grid: str, options: argparse.Namespace, jobs: int) -> None:
    """Print the medians of interleaved searches."""
    times: dict[str, list[float]] = {"cold": [], "warm": [], "theirs": []}
    scores: dict[str, float] = {}
    for _ in range(options.repeats):
        with tempfile.TemporaryDirectory() as cache:
            for name, kind in (("cold", "ours"), ("theirs", "theirs"), ("warm", "ours")):
                _, seconds, scores[kind] = measure(kind, grid, options, jobs, cache)
                times[name].append(seconds)
    cold, warm, theirs = (statistics.median(times[name]) for name in ("cold", "warm", "theirs"))
    print(f"{grid:6} epochs {options.epochs:4} batch {options.batch:4} n_jobs={jobs}: "
          f"MLPClassifier {theirs:6.2f} s ({scores['theirs']:.3f}), "
          f"Tarazu cold {cold:6.2f} s ({cold / theirs:4.2f} x), "
          f"warm {warm:6.2f} s ({warm / theirs:4.2f} x) ({scores['ours']:.3f})", flush=True)


def main() -> None:
    """Compare both grids with one job and with two."""
    if sys.argv[1:2] == ["--one"]:
        kind, grid, *numbers = sys.argv[2:]
        print(*search(kind, grid, *map(int, numbers)))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    for grid in GRIDS:
        for jobs in (1, 2):
            compare(grid, options, jobs)


if __name__ == "__main__":
    main()
