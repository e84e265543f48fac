"""Measures the truth of a half: what undoing each cause does to the loss on clean test rows. Writes truth.json.

    python measure_truth.py [FOLDER] [--only NAME ...] [--processes 2] [--out truth.json]

FOLDER (default: this one) holds a cases.py with RECIPES and `load`. README.md says what the numbers mean.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

os.environ |= {"TARAZU_THREADS": "1", "TARAZU_CPU": "sse"}  # many small programs: made fast rather than fast
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
from generator import VARIANCE, Recipe, Rows, Source, build, fit_arguments, half, rows  # noqa: E402

import tarazu as tz  # noqa: E402

SEEDS, AGAIN = (0, 1, 2), (3, 4, 5)  # truth is measured with the first, and again, to see whether it stands
SHARE_OF_TRIVIAL, SHARE_OF_OWN = 0.05, 0.10  # a gain below either of these is not worth a name: healthy
ACCEPTABLE = 0.80  # a cause is acceptable when its gain is at least this share of the best gain
CLEAR = 1.1  # a case is kept when its best gain is this factor away from the threshold, on either side
STEADY = 0.70  # ... and in each seed the cause's gain is at least this share of that seed's best gain
USELESS = 0.95  # of the trivial loss: a fit that is worse and that nothing helps is not healthy; it is left out
GAP = 0.10  # of the trivial loss: test loss - training loss from which a fit with a variance cause is an overfit
DIVERGED = 10.0  # a loss above this many trivial losses, or none at all, counts as this many
LARGEST = 256  # no layer is made wider than this


def more_data(r: Recipe) -> tuple[Recipe, dict]:
    """Four times the rows and as many steps as before: more data is not to be more training. A fit of less than four
    epochs sees no more rows than it has steps for."""
    epochs = math.ceil(r.epochs / 4)
    batches = round(r.epochs * r.train / epochs / r.batch_size)
    return replace(r, epochs=epochs), {"times": batches * r.batch_size / r.train}


def interventions(r: Recipe) -> dict[str, list[tuple[str, Recipe, dict]]]:
    """For each cause the ways to undo it: (name, recipe, switches of `rows`). A cause that is not there has none."""
    wider = tuple(min(LARGEST, 4 * w) for w in r.widths) or (64,)
    decay = {"weight_decay": 1e-2} if r.optimizer == "sgd" else {"optimizer": "adamw", "weight_decay": 0.3}
    found = {
        "too_little_data": [("4 x rows", *more_data(r))],
        "too_much_capacity": [],
        "too_little_capacity": [("widths x 4", replace(r, widths=wider), {}),
                                ("one layer more", replace(r, widths=(*r.widths, (r.widths or (32,))[-1])), {})],
        "too_little_training": [("epochs x 4", replace(r, epochs=4 * r.epochs), {})],
        "learning_rate_too_high": [("lr / 10", replace(r, lr=r.lr / 10), {})],
    }
    if wider == r.widths:
        found["too_little_capacity"].pop(0)
    if r.widths:
        narrower = tuple(max(2, w // 4) for w in r.widths)
        found["too_much_capacity"].append(("widths / 4", replace(r, widths=narrower), {}))
    if r.widths and r.dropout < 0.3:
        found["too_much_capacity"].append(("dropout 0.3", replace(r, dropout=0.3), {}))
    if not r.weight_decay or (r.optimizer == decay.get("optimizer", "sgd") and r.weight_decay < decay["weight_decay"]):
        found["too_much_capacity"].append(("decay", replace(r, **decay), {}))
    if r.keep == "last":
        found["too_much_capacity"].append(("best epoch", replace(r, keep="best"), {}))
    if r.noise:
        found["label_noise"] = [("clean labels", r, {"noise": False})]
    if r.dropout or r.weight_decay:
        plain = replace(r, dropout=0.0, weight_decay=0.0)
        found["too_much_regularisation"] = [("neither dropout nor decay", plain, {})]
    if r.shift:
        found["shift"] = [("training rows like test rows", r, {"shift": False})]
    if r.leak:
        found["leakage"] = [("no leak", r, {"leak": False})]
    return found


def losses(recipe: Recipe, source: Source, made: Rows, seed: int) -> tuple[float, float, float]:
    """Losses on training, validation and test rows of one fit."""
    model = build(recipe, source)
    tz.set_backend("native")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(made.x_train, made.y_train, validation_data=(made.x_val, made.y_val), seed=seed,
                  **fit_arguments(recipe))
        tz.set_backend("numpy")  # nothing to compile for three calls
        return tuple(float(model.evaluate(x, y)["loss"]) for x, y in (
            (made.x_train, made.y_train), (made.x_val, made.y_val), (made.x_test, made.y_test)))


def trivial_loss(y: np.ndarray) -> float:
    """The loss of the best prediction that looks at no features."""
    if y.dtype == np.int64:
        shares = np.unique(y, return_counts=True)[1] / len(y)
        return float(-(shares * np.log(shares)).sum())
    return float(y.var())


def measure(recipe: Recipe, source: Source, seeds: tuple[int, ...]) -> dict:
    """Gains of all interventions, the test loss of the case less that after the intervention, for each seed."""
    trivial = trivial_loss(rows(recipe, source).y_test)

    def test_losses(r: Recipe, switches: dict) -> np.ndarray:
        found = [losses(r, source, rows(r, source, draw=seed, **switches), seed) for seed in seeds]
        found = np.nan_to_num(np.array(found), nan=np.inf, posinf=np.inf)
        return np.minimum(found, DIVERGED * trivial)

    own = test_losses(recipe, {})
    honest = {"leak": False} if recipe.leak else {}
    is_honest = recipe.keep == "best" and not recipe.leak
    best_kept = own[:, 2] if is_honest else test_losses(replace(recipe, keep="best"), honest)[:, 2]
    gains: dict[str, dict] = {}
    for cause, ways in interventions(recipe).items():
        for name, changed, switches in ways:
            gain = own[:, 2] - test_losses(changed, switches)[:, 2]
            stops_late = (cause == "learning_rate_too_high" and not is_honest) or (
                cause in ("too_little_data", "too_much_capacity") and recipe.leak and recipe.leak[0] == "copies")
            if stops_late:
                # Small steps also train less, and more rows or a smaller net bear it better that nothing tells when to
                # stop. What they gain beyond that is seen where the best epoch is kept.
                control = test_losses(replace(changed, keep="best"), switches | honest)[:, 2]
                gain = np.minimum(gain, best_kept - control)
            if cause not in gains or gain.mean() > np.mean(gains[cause]["seeds"]):
                gains[cause] = {"by": name, "seeds": [round(float(g), 5) for g in gain]}
    return {"trivial_loss": round(trivial, 5), "train_loss": _rounded(own[:, 0]),
            "validation_loss": _rounded(own[:, 1]), "test_loss": _rounded(own[:, 2]), "gains": gains,
            "noise_rate": recipe.noise}


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 5) for v in values]


def conclude(m: dict) -> dict:
    """The truth that the measured gains of a case add up to."""
    own, trivial = float(np.mean(m["test_loss"])), m["trivial_loss"]
    threshold = max(SHARE_OF_TRIVIAL * trivial, SHARE_OF_OWN * own)
    gains = {cause: float(np.mean(gain["seeds"])) for cause, gain in m["gains"].items()}
    best = max(gains, key=gains.__getitem__)
    by_seed = {cause: np.array(gain["seeds"]) for cause, gain in m["gains"].items()}
    most = np.max(list(by_seed.values()), axis=0)
    if gains[best] < threshold:
        cause, acceptable = "healthy", ["healthy"]
        is_stable = gains[best] < threshold / CLEAR and bool((most < threshold).all()) and own < USELESS * trivial
    else:
        cause = best
        acceptable = sorted((c for c in gains if gains[c] >= ACCEPTABLE * gains[best]), key=lambda c: -gains[c])
        is_stable = (gains[best] > threshold * CLEAR and bool((by_seed[best] > threshold).all())
                     and bool((by_seed[best] >= STEADY * most).all()) and len(acceptable) <= 3)
    gap = (own - float(np.mean(m["train_loss"]))) / trivial
    overfit: bool | None = gap >= GAP and cause in VARIANCE
    of_variance = {c in VARIANCE for c in acceptable}
    if (True in of_variance and GAP / 1.4 < gap < GAP * 1.4) or (len(of_variance) == 2 and gap >= GAP):
        overfit = None  # too near to the bound, or both readings are acceptable: not asked
    return {"cause": cause, "acceptable": acceptable, "stable": is_stable, "overfit": overfit, "gap": round(gap, 4),
            "threshold": round(threshold, 5), "gain": round(gains[best], 5)}


def truth_of(recipe: Recipe, source: Source) -> dict:
    """What was measured and concluded, and whether measuring it again with other seeds says the same."""
    found, other = measure(recipe, source, SEEDS), conclude(measure(recipe, source, AGAIN))
    found |= conclude(found)
    agrees = other["cause"] in found["acceptable"] and found["cause"] in other["acceptable"]
    found["again"] = {name: other[name] for name in ("cause", "acceptable", "gain")}
    return found | {"stable": found["stable"] and agrees}


def _one(job: tuple[Path, str]) -> tuple[str, dict]:
    folder, name = job
    cases = half(folder)
    recipe = next(r for r in cases.RECIPES if r.name == name)
    start = time.process_time()
    found = truth_of(recipe, cases.load(recipe))
    return name, found | {"seconds": round(time.process_time() - start, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", default="truth.json")
    options = parser.parse_args()
    names = [r.name for r in half(options.folder).RECIPES]
    jobs = [(options.folder, name) for name in names if not options.only or name in options.only]
    target = options.folder / options.out
    truth = json.loads(target.read_text()) if target.exists() else {}
    truth = {name: found for name, found in truth.items() if name in names}
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for name, found in pool.imap_unordered(_one, jobs):
            truth[name] = found
            _write(truth, target)
            print(f"{name:24} {found['cause']:24} {'stable' if found['stable'] else 'NOT STABLE':10} "
                  f"gain {found['gain'] / found['trivial_loss']:.3f} of trivial; {found['seconds']} s", flush=True)


def _write(truth: dict[str, dict], target: Path) -> None:
    """One line for each case, after each case: what is measured is kept when a later case fails."""
    lines = (f"{json.dumps(name)}: {json.dumps(truth[name])}" for name in sorted(truth))
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
