"""Proposes recipes at random around each cause, and picks cases of clear truth by README.md's rules.

    python propose.py FOLDER measure FILE [--seed 0] [--seconds 1500]    adds recipes, measured with one seed, to FILE
    python propose.py FOLDER pick FILE                                   prints the RECIPES of those taken
    python propose.py FOLDER keep TRUTH                                  prints the RECIPES that are stable in TRUTH

FOLDER holds a cases.py with REAL, DRAWN and `load`; TRUTH is what measure_truth.py wrote of those taken. No diagnoser
is asked: what is taken depends on the truth alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import ModuleType

import measure_truth as truth
import numpy as np
from generator import CAUSES, Recipe, Source, half, rows

MOST = {"healthy": 26} | dict.fromkeys(CAUSES[1:], 7)  # cases of one cause
OF_ONE_SOURCE = {"healthy": 3} | dict.fromkeys(CAUSES[1:], 2)  # ... and source
CLEAR_ENOUGH = {"healthy": 26} | dict.fromkeys(CAUSES[1:], 8)  # with so many of clear truth no more are proposed
FEW_TEST_ROWS, SHARE_WITH_FEW = 200, 0.2  # a case with fewer test rows needs a gain of this share of the trivial loss


def plain(random: np.random.Generator, source: Source, most: int) -> dict:
    """A fit like many: `most` rows at most, and as many epochs as give some hundred steps."""
    n = int(min(most, random.choice([288, 480, 800, 992, 1472, 2400])) // 16 * 16)
    optimizer = str(random.choice(["adam", "adam", "adam", "adamw", "rmsprop", "sgd"]))
    batch = int(random.choice([16, 32]))
    lr = {"sgd": [0.02, 0.05, 0.1]}.get(optimizer, [2e-3, 3e-3, 5e-3])
    return {"train": n, "validation": 320 if most > 400 else 160 if most > 200 else 48 if most > 70 else 24,
            "optimizer": optimizer, "weight_decay": 0.01 if optimizer == "adamw" else 0.0,
            "lr": float(random.choice(lr)), "batch_size": batch,
            "widths": [(32,), (64,), (128,), (32, 32), (64, 64), (48, 24)][random.integers(6)],
            "activation": str(random.choice(["relu", "relu", "tanh"])),
            "epochs": epochs(random.choice([300, 500, 800]), n, batch), "keep": str(random.choice(["best", "last"]))}


def epochs(steps: float, rows: int, batch_size: int) -> int:
    return min(50, max(2, round(steps * batch_size / rows)))


def around(cause: str, random: np.random.Generator, r: dict, source: Source) -> dict:
    """What makes a plain fit one that may have the cause."""
    def one_of(*values: object) -> object:
        return values[random.integers(len(values))]

    n, batch = r["train"], r["batch_size"]
    if cause == "too_little_data":
        n = int(min(n, one_of(32, 48, 64, 96, 144, 192)))
        return {"train": n, "epochs": epochs(one_of(100, 200, 400), n, batch), "dropout": one_of(0.0, 0.0, 0.2),
                "keep": one_of("best", "best", "last")}
    if cause == "too_much_capacity":
        n = int(min(n, one_of(96, 192, 288, 480)))
        return {"train": n, "widths": one_of((128, 64), (256, 128), (256,)), "keep": one_of("last", "last", "best"),
                "epochs": epochs(one_of(800, 1500), n, batch)}
    if cause == "label_noise":
        kinds = ("even", "pairs") if source.task == "classification" else ("even", "outliers")
        kind = one_of(*kinds)
        return {"noise": one_of(*((0.2, 0.3, 0.4) if kind == "even" else (0.1, 0.2, 0.3))), "noise_kind": kind}
    if cause == "too_little_capacity":
        return {"widths": one_of((), (2,), (3,), (4,), (6,), (2, 2)), "epochs": epochs(1000, n, batch),
                "lr": 0.02 if r["optimizer"] == "sgd" else one_of(3e-3, 5e-3, 1e-2)}
    if cause == "too_little_training":
        return {"epochs": epochs(one_of(20, 50, 100), n, batch), "lr": r["lr"] * one_of(0.1, 0.3, 1)}
    if cause == "learning_rate_too_high":
        return {"lr": one_of(0.2, 0.3, 0.5) if r["optimizer"] == "sgd" else one_of(0.02, 0.03, 0.06, 0.1)}
    if cause == "too_much_regularisation":
        decay = r["optimizer"] in ("adam", "rmsprop")  # there it is in the gradient
        return {"dropout": one_of(0.5, 0.7, 0.9)} if not decay or random.random() < 0.5 else {
            "weight_decay": one_of(0.03, 0.1), "dropout": one_of(0.0, 0.5)}
    if cause == "shift":
        kinds = [("drift", one_of(1.0, 1.5, 2.5))]
        if source.domain is not None:
            kinds.append(("domain", one_of(0.3, 0.5, 0.7)))
        if source.image:
            kinds.append(("roll", 1))
        if len(source.x) > 5000:
            kinds.append(("classes", one_of(2.0, 4.0)))
        return {"shift": one_of(*kinds)}
    if cause == "leakage":
        if random.random() < 0.25:
            return {"leak": ("copies", 1.0), "epochs": epochs(1500, n, batch), "widths": one_of((128,), (128, 128)),
                    "train": int(min(n, 480)), "keep": "best"}
        return {"leak": (one_of("target", "code"), one_of(0.8, 0.9, 0.97), one_of("shuffled", "shuffled", "blank"))}
    return {}


def harmless(random: np.random.Generator, r: dict, source: Source) -> dict:
    """A setting that looks bad, and in many fits does little harm."""
    n, batch = r["train"], r["batch_size"]
    return [{"dropout": 0.5, "widths": (256,)}, {"lr": 0.15 if r["optimizer"] == "sgd" else 0.02}, {"widths": (4,)},
            {"epochs": epochs(150, n, batch), "lr": max(r["lr"], 5e-3)}, {"widths": (256, 256)}, {"keep": "last"},
            {"weight_decay": 0.001 if r["optimizer"] != "adamw" else 0.1}][random.integers(7)]


def weak(random: np.random.Generator, source: Source) -> dict:
    """A planted fault that may be too weak to matter."""
    noise = {"noise": float(random.choice([0.03, 0.05])),
             "noise_kind": ["even", "pairs" if source.task == "classification" else "even"][random.integers(2)]}
    return [noise, {"shift": ("drift", float(random.choice([0.2, 0.4])))},
            {"leak": ("target", float(random.choice([0.2, 0.35])), "shuffled")}][random.integers(3)]


def proposal(cases: ModuleType, cause: str, seed: tuple[int, ...]) -> tuple[Recipe, Source, str]:
    """A recipe aimed at a cause, its source, and of which kind it is: "plain", "weak" or "disguised"."""
    random = np.random.default_rng(seed)
    name = str(random.choice([*cases.REAL, *cases.DRAWN]))
    source = cases.load(Recipe("", name, 0, 2, 2))
    most = 2400 if name in cases.DRAWN else (len(source.x) - 300) // 5
    if most < 60:  # small tables: at least fifty test rows and four times as many rows as are trained with
        most = (len(source.x) - 74) // 4
    settings = plain(random, source, most)
    kind = str(random.choice(["plain", "weak", "disguised"] if cause == "healthy" else ["plain", "plain", "disguised"]))
    if kind == "disguised":
        settings |= harmless(random, settings, source)
    settings |= around(cause, random, settings, source) | (weak(random, source) if kind == "weak" else {})
    return Recipe("", name, int(random.integers(1_000_000)), **settings), source, kind


def is_clear(recipe: Recipe, test_rows: int, found: dict) -> bool:
    return found["stable"] and (test_rows >= FEW_TEST_ROWS
                                or found["gain"] >= SHARE_WITH_FEW * found["trivial_loss"])


def measure(cases: ModuleType, file: Path, seed: int, seconds: float) -> None:
    """One proposal after another around each cause in turn, those left out of which there are enough."""
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    known, start, number = {tuple(line["seed"]) for line in lines}, time.monotonic(), 0
    while time.monotonic() - start < seconds:
        number += 1
        for index, cause in enumerate(CAUSES):
            found = Counter(line["truth"]["cause"] for line in lines if line["clear"])
            if found[cause] >= CLEAR_ENOUGH[cause] or (seed, index, number) in known:
                continue
            recipe, source, kind = proposal(cases, cause, (seed, index, number))
            try:
                source = cases.load(recipe)
                made = rows(recipe, source, **truth.more_data(recipe)[1])
            except ValueError:  # too few rows
                continue
            if len(made.x_train) < round(recipe.train * truth.more_data(recipe)[1]["times"]):
                continue
            begun = time.process_time()
            measured = truth.measure(recipe, source, truth.SEEDS[:1])
            measured |= truth.conclude(measured)
            lines.append({"seed": [seed, index, number], "aim": cause, "kind": kind, "recipe": asdict(recipe),
                          "clear": is_clear(recipe, len(made.x_test), measured), "truth": measured,
                          "test_rows": len(made.x_test), "seconds": time.process_time() - begun})
            with file.open("a") as out:
                out.write(json.dumps(lines[-1]) + "\n")
            print(f"{number:3} {kind:10} {cause:24} {recipe.source:18} {'/'.join(measured['acceptable']):40} "
                  f"{'clear' if lines[-1]['clear'] else ''} {lines[-1]['seconds']:.1f} s", flush=True)


def picked(file: Path) -> list[Recipe]:
    """Of those with a clear truth first such with one acceptable cause, then such that have the cause aimed at."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines = [line for line in lines if line["clear"]]
    lines.sort(key=lambda line: (len(line["truth"]["acceptable"]), line["truth"]["cause"] != line["aim"]))
    of_cause, of_both, taken = Counter(), Counter(), []
    for line in lines:
        cause, name = line["truth"]["cause"], line["recipe"]["source"]
        if of_cause[cause] < MOST[cause] and of_both[cause, name] < OF_ONE_SOURCE[cause]:
            of_cause[cause] += 1
            of_both[cause, name] += 1
            taken.append(line["recipe"])
    numbers: Counter = Counter()
    recipes = []
    for found in sorted(taken, key=lambda found: (found["source"], found["seed"])):
        numbers[found["source"]] += 1
        tuples = {key: tuple(v) if isinstance(v, list) else v for key, v in found.items()}
        recipes.append(replace(Recipe(**tuples), name=f"{found['source']}-{numbers[found['source']]}"))
    return recipes


def as_text(recipe: Recipe) -> str:
    """The recipe as in cases.py: what all have by position, then what differs from the defaults."""
    parts = [repr(getattr(recipe, field.name)) for field in fields(Recipe)[:5]]
    parts += [f"{field.name}={getattr(recipe, field.name)!r}" for field in fields(Recipe)[5:]
              if getattr(recipe, field.name) != field.default]
    lines, line = [], "    Recipe("
    for part in [*(part + ", " for part in parts[:-1]), parts[-1] + "),"]:
        if len(line + part.rstrip()) > 120:
            lines.append(line.rstrip())
            line = " " * 11
        line += part
    return "\n".join([*lines, line]).replace("'", '"')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("task", choices=["measure", "pick", "keep"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1500)
    options = parser.parse_args()
    cases = half(options.folder)
    if options.task == "measure":
        measure(cases, options.file, options.seed, options.seconds)
    elif options.task == "pick":
        print("\n".join(map(as_text, picked(options.file))))
    else:
        found = json.loads(options.file.read_text())
        print("\n".join(as_text(r) for r in cases.RECIPES if r.name in found and found[r.name]["stable"]))


if __name__ == "__main__":
    main()
