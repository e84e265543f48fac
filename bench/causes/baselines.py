"""The least that a diagnoser has to beat.

    python score.py baselines:healthy           # also verdict_data, verdict_capacity
    python baselines.py --settings [TRAIN [TEST]] [--looks]

The second needs scikit-learn and fits no network: a forest learns causes from the settings of the cases in the folder
TRAIN and is scored on those in TEST (default: here). Without TRAIN it is cross-validated on the cases here. With
--looks it is scored a second time with some plain looks at the rows added to the settings, which takes minutes.
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
from pathlib import Path

import numpy as np
from generator import Case, half

from tarazu.study.benchmark import judge_case

HERE = Path(__file__).resolve().parent


def healthy(case: Case) -> dict:
    """Says of every case that nothing is wrong."""
    return {"cause": "healthy", "ranking": [], "noise_rate": 0.0, "fits": 0}


def verdict_data(case: Case) -> dict:
    """The verdict after one fit; overfitting is taken for too little data."""
    return judge_case(case)


def verdict_capacity(case: Case) -> dict:
    """The verdict after one fit; overfitting is taken for too much capacity."""
    said = judge_case(case)
    if said["verdict"] == "overfitting":
        said |= {"cause": "too_much_capacity", "ranking": ["too_much_capacity", "too_little_data"]}
    return said


def settings(case: Case) -> list[float]:
    """What can be said of a case without a look at its rows: its settings, and how many rows and features there are."""
    model, fit = case.model_settings, case.fit_settings
    widths, n = model["widths"], len(case.x_train)
    steps = fit["epochs"] * math.ceil(n / fit["batch_size"])
    return [n, len(case.x_val), case.x_train.shape[1], _outputs(case),
            len(widths), widths[0] if widths else 0, widths[-1] if widths else 0, sum(widths) / n,
            model["activation"] == "tanh", model["dropout"], model["weight_decay"],
            *(model["optimizer"] == name for name in ("adam", "adamw", "rmsprop", "sgd")), math.log(model["lr"]),
            math.log(model["lr"] * (10 if model["optimizer"] == "sgd" else 100)), fit["epochs"], fit["batch_size"],
            steps, fit["keep"] == "last", model["dropout"] * min(widths, default=0)]


def _outputs(case: Case) -> int:
    return int(case.y_train.max()) + 1 if case.task == "classification" else 1


def looks(case: Case) -> list[float]:
    """Plain looks at the rows: copies, shift, what one feature tells, and what a forest and neighbours make of them."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.neighbors import NearestNeighbors
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
    x, y, other = case.x_train, case.y_train, case.x_val
    known = {row.tobytes() for row in x}
    copies = np.mean([row.tobytes() in known for row in other])
    x, y = x[:600], y[:600]
    is_other = np.r_[np.zeros(len(x)), np.ones(len(other))]
    apart = RandomForestClassifier(60, oob_score=True, min_samples_leaf=3, class_weight="balanced", random_state=0)
    said = apart.fit(np.vstack([x, other]), is_other).oob_decision_function_[:, 1]
    order = np.nan_to_num(said, nan=0.5).argsort().argsort()
    area = (order[len(x):].mean() - (len(other) - 1) / 2) / len(x)
    moved = np.sort(np.abs(x.mean(axis=0) - other.mean(axis=0)) / (x.std(axis=0) + 0.1))[::-1]
    is_class = case.task == "classification"
    tree = DecisionTreeClassifier if is_class else DecisionTreeRegressor
    cut = len(x) // 2

    def told(column: int) -> float:
        one = x[:, [column]]
        return tree(max_leaf_nodes=8, min_samples_leaf=3).fit(one[:cut], y[:cut]).score(one[cut:], y[cut:])

    alone = np.abs(np.corrcoef(x.T + 0.0, y)[-1, :-1]) if not is_class else np.array(
        [np.ptp([column[y == k].mean() for k in np.unique(y)]) / (column.std() + 1e-9) for column in x.T])
    best = np.argsort(-np.nan_to_num(alone))[:20]  # the trees look at no others
    each = np.sort([told(column) for column in best])[::-1]
    forest = (RandomForestClassifier if is_class else RandomForestRegressor)(
        60, max_features="sqrt" if is_class else 0.5, oob_score=True, random_state=0)
    forest.fit(x, y)
    near = NearestNeighbors(n_neighbors=6).fit(x).kneighbors(x, return_distance=False)[:, 1:]
    agree = (y[near] == y[:, None]).mean() if is_class else 1 - ((y[near].mean(axis=1) - y) ** 2).mean() / y.var()
    spread = 0.0 if is_class else float(((y - y.mean()) ** 4).mean() / y.var() ** 2)
    shares = np.bincount(y) / len(y) if is_class else np.array([0.0])
    means = (y.mean() - case.y_val.mean()) / (y.std() + 1e-9)
    return [copies, area, moved[0], moved[len(moved) // 6], each[0], each[0] - each[min(1, len(each) - 1)],
            each[0] - shares.max(), np.sort(forest.feature_importances_)[-1], forest.oob_score_, agree,
            forest.score(other, case.y_val), forest.score(other, case.y_val) - forest.oob_score_, spread, means,
            shares.max()]


def _table(folder: Path, with_looks: bool) -> tuple[np.ndarray, list[dict]]:
    cases, truth = half(folder), json.loads((folder / "truth.json").read_text())
    made = [Case(recipe, cases.load(recipe)) for recipe in cases.RECIPES]
    table = [settings(case) + (looks(case) if with_looks else []) for case in made]
    return np.array(table, dtype=float), [truth[recipe.name] for recipe in cases.RECIPES]


def without_fits(train: Path | None, test: Path, with_looks: bool) -> float:
    """Mean macro-F1 of five forests."""
    from score import macro_f1
    from sklearn.ensemble import RandomForestClassifier
    x_test, asked = _table(test, with_looks)
    x, known = _table(train, with_looks) if train else (x_test, asked)
    y, values = np.array([true["cause"] for true in known]), []
    for seed in range(5):
        def told(rows: np.ndarray, of: np.ndarray, seed: int = seed) -> np.ndarray:
            return RandomForestClassifier(300, random_state=seed).fit(x[rows], y[rows]).predict(of)
        if train:
            said = told(np.arange(len(y)), x_test)
        else:
            fold, said = np.random.default_rng(seed).permutation(len(y)) % 10, np.empty(len(y), dtype=y.dtype)
            for k in range(10):
                said[fold == k] = told(np.flatnonzero(fold != k), x[fold == k])
        values.append(macro_f1([{"said": s, "true": true["cause"], "right": s in true["acceptable"]}
                                for s, true in zip(said, asked, strict=True)])[0])
    return float(np.mean(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", action="store_true", required=True)
    parser.add_argument("--looks", action="store_true")
    parser.add_argument("train", nargs="?", type=Path)
    parser.add_argument("test", nargs="?", type=Path, default=HERE)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for with_looks in (False, True)[:1 + options.looks]:
        value = without_fits(options.train, options.test, with_looks)
        print(f"forest on settings{' and looks' if with_looks else ''}: macro-F1 {value:.2f}", flush=True)


if __name__ == "__main__":
    main()
