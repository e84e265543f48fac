"""Scores the verdict after one fit: "overfitting", "underfitting", "about right" or "undecided".

A diagnoser whose answer has a "verdict" is scored by it too; README.md says which verdicts are right for which truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from generator import VARIANCE

OVER, UNDER, RIGHT, UNDECIDED = "overfitting", "underfitting", "about right", "undecided"
OF_ROWS = ("shift", "leakage")  # faults of the rows, of which the losses of a single fit say nothing


def right_verdicts(true: dict) -> list[str]:
    """The verdicts that are right for a case; none where it is not asked."""
    if true["cause"] == "healthy":
        return [RIGHT]
    if set(OF_ROWS) & set(true["acceptable"]):
        return []
    of_bias = any(cause not in VARIANCE for cause in true["acceptable"])
    of_variance = any(cause in VARIANCE for cause in true["acceptable"])
    is_over = true["overfit"] or (true["overfit"] is None and of_bias and of_variance)  # None otherwise: near the bound
    return [OVER] * bool(is_over) + [UNDER] * of_bias


def summary(records: list[dict]) -> dict:
    """The scores of records with "verdict_said" and "verdict_true"; none where no verdict was given."""
    asked = [r for r in records if r["verdict_said"] is not None and r["verdict_true"]]
    if not asked:
        return {}
    healthy = [r for r in asked if r["verdict_true"] == [RIGHT]]
    return {
        "verdicts asked": len(asked),
        "verdicts right": _share(asked, lambda r: r["verdict_said"] in r["verdict_true"]),
        "verdicts undecided": _share(asked, lambda r: r["verdict_said"] == UNDECIDED),
        "verdicts: false alarms on healthy": _share(healthy, lambda r: r["verdict_said"] in (OVER, UNDER)),
        "verdicts: F1": {verdict: _f1(asked, verdict) for verdict in (OVER, UNDER, RIGHT)},
        "verdicts: true, said": dict(sorted(Counter(
            f"{' or '.join(r['verdict_true']) or 'not asked'}, {r['verdict_said']}" for r in records).items())),
    }


def _share(records: list[dict], is_so: Callable[[dict], bool]) -> float:
    return sum(map(is_so, records)) / len(records) if records else 0.0


def _f1(asked: list[dict], verdict: str) -> float:
    """The F1 of one verdict; a case with two right ones counts for that which was said, or else for the first."""
    hits = sum(r["verdict_said"] == verdict in r["verdict_true"] for r in asked)
    wrong = sum(r["verdict_said"] == verdict not in r["verdict_true"] for r in asked)
    missed = sum(r["verdict_true"][0] == verdict and r["verdict_said"] not in r["verdict_true"] for r in asked)
    return 2 * hits / max(1, 2 * hits + wrong + missed)
