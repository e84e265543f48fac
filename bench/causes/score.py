"""Scores a diagnoser on the cases of a half.

    python score.py MODULE:FUNCTION [FOLDER] [--only NAME ...] [--out scores.json]

The function is called with a `generator.Case` and gives a dict: "cause" (one of CAUSES), and where it can "ranking"
(causes, best first), "noise_rate" (share of wrong targets in the training rows), "overfit" (bool), "fits" (how many
networks it fitted) and "verdict" (that after one fit, see score_verdict.py).
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

MEASURED = ("probabilities", "gains", "loss")  # of what a diagnoser says: kept for reliability.py and cross_validate.py
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
import score_verdict  # noqa: E402
from generator import CAUSES, VARIANCE, Case, half  # noqa: E402


def run(diagnose: Callable[[Case], dict], folder: Path, only: list[str]) -> list[dict]:
    """One record a case: what was said, what is true, and what it cost."""
    cases, truth, records = half(folder), json.loads((folder / "truth.json").read_text()), []
    for recipe in cases.RECIPES:
        if only and recipe.name not in only:
            continue
        case = Case(recipe, cases.load(recipe))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            case.fit()  # compiles; what it took counts for neither
            start = time.process_time()
            case.fit()
            one_fit = time.process_time() - start
            start = time.process_time()
            try:
                said = diagnose(case)
                cause = said["cause"]
                if cause not in CAUSES:
                    raise ValueError(f"{cause!r} is not one of {CAUSES}")
            except Exception:
                traceback.print_exc()
                said, cause = {}, "error"
            cost = (time.process_time() - start) / one_fit
        true = truth[recipe.name]
        ranking = [c for c in [cause, *said.get("ranking", [])] if c in CAUSES and c != "healthy"]
        gain = float(np.mean(true["gains"].get(ranking[0], {"seeds": [0.0]})["seeds"])) if ranking else 0.0
        overfit = said.get("overfit")
        records.append({
            "name": recipe.name, "said": cause, "ranking": ranking, "true": true["cause"],
            "acceptable": true["acceptable"], "right": cause in true["acceptable"], "overfit_true": true["overfit"],
            "overfit_said": cause in VARIANCE if overfit is None else bool(overfit), "noise_true": true["noise_rate"],
            "noise_said": said.get("noise_rate"), "gain": gain, "best_gain": true["gain"],
            "trivial_loss": true["trivial_loss"], "cost": cost, "fits": said.get("fits"),
            "verdict_said": said.get("verdict"), "verdict_true": score_verdict.right_verdicts(true),
            **{name: said[name] for name in MEASURED if name in said}})
        print(f"{recipe.name:26} true {'/'.join(true['acceptable']):50} said {cause:24} "
              f"{'' if records[-1]['right'] else 'WRONG'}", flush=True)
    return records


def f1(hits: int, wrong: int, missed: int) -> float | None:
    return 2 * hits / (2 * hits + wrong + missed) if hits + missed else None


def macro_f1(records: list[dict]) -> tuple[float, dict[str, float]]:
    """Mean F1 over the causes that occur. An acceptable answer is a hit for the case's own cause."""
    of = {}
    for cause in CAUSES:
        hits = sum(r["right"] for r in records if r["true"] == cause)
        missed = sum(not r["right"] for r in records if r["true"] == cause)
        wrong = sum(not r["right"] for r in records if r["said"] == cause)
        of[cause] = f1(hits, wrong, missed)
    of = {cause: value for cause, value in of.items() if value is not None}
    return float(np.mean(list(of.values()))), of


def summary(records: list[dict]) -> dict:
    healthy = [r for r in records if r["true"] == "healthy"]
    ill = [r for r in records if r["true"] != "healthy"]
    asked = [r for r in records if r["overfit_true"] is not None]
    told = [r for r in records if r["noise_said"] is not None]
    planted = [r for r in told if r["noise_true"]]
    value, of = macro_f1(records)
    random = np.random.default_rng(0)
    again = [macro_f1([records[i] for i in random.integers(len(records), size=len(records))])[0] for _ in range(1000)]

    def mean(values: list[float]) -> float | None:
        return float(np.mean(values)) if values else None

    def errors(of: list[dict]) -> float | None:
        return mean([100 * abs(r["noise_said"] - r["noise_true"]) for r in of])

    return {
        "cases": len(records), "errors": sum(r["said"] == "error" for r in records),
        "macro-F1": value, "macro-F1 low": float(np.quantile(again, 0.025)),
        "macro-F1 high": float(np.quantile(again, 0.975)),
        "accuracy": mean([r["right"] for r in records]), "F1 of causes": of,
        "false alarms on healthy": mean([not r["right"] for r in healthy]),
        "overfit F1": f1(sum(r["overfit_true"] and r["overfit_said"] for r in asked),
                         sum(not r["overfit_true"] and r["overfit_said"] for r in asked),
                         sum(r["overfit_true"] and not r["overfit_said"] for r in asked)),
        "noise-rate error, points (planted)": errors(planted), "noise-rate error, points (all told)": errors(told),
        "ill cases with a remedy": mean([bool(r["ranking"]) for r in ill]),
        "first remedy lowers the test loss": mean([r["gain"] > 0.01 * r["trivial_loss"] for r in ill]),
        "share of the best gain": mean([np.clip(r["gain"] / r["best_gain"], -1, 1) for r in ill]),
        "cost in fits, median": float(np.median([r["cost"] for r in records])),
        "cost in fits, mean": mean([r["cost"] for r in records]),
        "fits told, mean": mean([r["fits"] for r in records if r["fits"] is not None]),
        **score_verdict.summary(records),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("diagnoser", help="MODULE:FUNCTION; the module is looked for here and where you are")
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--out", type=Path, help="write summary and records to this file")
    options = parser.parse_args()
    sys.path.insert(0, str(Path.cwd()))
    module, _, function = options.diagnoser.partition(":")
    records = run(getattr(importlib.import_module(module), function), options.folder, options.only)
    found = summary(records)
    print()
    for name, value in found.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for of, v in value.items():
                print(f"  {of:42} {v if isinstance(v, int) else f'{v:.2f}'}")
        else:
            print(f"{name}: {'-' if value is None else f'{value:.3f}' if isinstance(value, float) else value}")
    if options.out:
        options.out.write_text(json.dumps({"summary": found, "records": records}, indent=1) + "\n")


if __name__ == "__main__":
    main()
