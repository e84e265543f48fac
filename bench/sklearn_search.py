"""GridSearchCV with `tz.sklearn.NetworkClassifier` beside scikit-learn's own MLPClassifier: 19 fits on 600 rows.

Six candidates on three folds and the fit on all rows, with the same hidden layer, epochs, batches and solver, neither
stopped early. Processes of both take turns. Each searches twice, after the imports: "cold" is the first search, with an
empty cache of compiled programs (and new workers, where there are several jobs), "warm" the second.

    python bench/sklearn_search.py [--grid rates] [--epochs 200] [--jobs 1] [--repeats 5]
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

KINDS = ("ours", "theirs")
GRIDS = {  # the parameters of the candidates: ours and theirs
    "rates": ({"learning_rate": [0.001, 0.01, 0.1], "weight_decay": [0.0001, 0.01]},
              {"learning_rate_init": [0.001, 0.01, 0.1], "alpha": [0.0001, 0.01]}),
    "sizes": ({"hidden": [(25,), (50,), (100,)], "learning_rate": [0.001, 0.01]},
              {"hidden_layer_sizes": [(25,), (50,), (100,)], "learning_rate_init": [0.001, 0.01]}),
}
ROWS = 600


def search(kind: str, grid: str, epochs: int, jobs: int) -> tuple[float, float, float]:
    """Seconds of a first search and of a second, and the accuracy they find."""
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
    times = [time.perf_counter()]
    for _ in range(2):
        found = GridSearchCV(model, GRIDS[grid][KINDS.index(kind)], cv=3, n_jobs=jobs).fit(x, y)
        times.append(time.perf_counter())
    return times[1] - times[0], times[2] - times[1], found.best_score_


def measure(kind: str, options: argparse.Namespace) -> tuple[float, ...]:
    """What searches in a process of its own give."""
    command = [sys.executable, __file__, "--one", kind, options.grid, str(options.epochs), str(options.jobs)]
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "TARAZU_CACHE": cache}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return tuple(map(float, done.stdout.split()))


def shown(seconds: list[float]) -> str:
    """The median and the range.

    >>> shown([1.0, 3.0, 2.0])
    '2.00 s (1.00 to 3.00)'
    """
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def main() -> None:
    """Compare searches that take turns."""
    if sys.argv[1:2] == ["--one"]:
        kind, grid, epochs, jobs = sys.argv[2:]
        print(*search(kind, grid, int(epochs), int(jobs)))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", choices=GRIDS, default="rates")
    for name, default in (("epochs", 200), ("jobs", 1), ("repeats", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    rounds = [[measure(kind, options) for kind in KINDS] for _ in range(options.repeats)]
    print(f"{options.grid}, {options.epochs} epochs, {options.jobs} jobs, load {os.getloadavg()[0]:.1f}")
    for place, name in enumerate(("cold", "warm")):
        ours, theirs = ([each[kind][place] for each in rounds] for kind in range(2))
        ratio = statistics.median(ours) / statistics.median(theirs)
        print(f"  {name}: Tarazu {shown(ours)}, MLPClassifier {shown(theirs)}: {ratio:.2f} x", flush=True)
    print(f"  accuracy: {rounds[0][0][2]:.3f}, {rounds[0][1][2]:.3f}")


if __name__ == "__main__":
    main()
