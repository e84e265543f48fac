"""What a model is worth on a table, as data: scores, importance of columns, rows that are most wrong."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from tarazu.diagnose import Importance, Panel

Scores = dict[str, dict[str, float]]
MAJORITY, MEAN = "majority", "mean"  # the trivial guesses, which have a row of scores as parts have


@dataclasses.dataclass(frozen=True)
class WorstRow:
    """A row that the model gets most wrong: its line in the file, or its number from 0; `wrong` is its log loss, or the
    absolute error in the target's units; `cells` are its most important columns.

    >>> WorstRow("line 17", "yes", "no", 2.5, {"age": "31"}).cells["age"]
    '31'
    """

    name: str
    true: str
    predicted: str
    wrong: float
    cells: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Assessment:
    """What a model is worth on a table.

    `scores` are by part ("train", "validation", "test") and of the trivial guess ("majority" or "mean"), which is
    `guess` in every row of `subset`, the part that all else is measured on. Of classes: accuracy, balanced_accuracy,
    macro_f1, roc_auc, log_loss (in nats; the guess's is that of the class frequencies); of numbers: r2, mae, rmse, in
    the target's units. `classes` are rows, precision, recall and f1 by class; `mistaken` gives for each class the one
    that it is most often taken for, and in how many rows. A score that is not defined is NaN.

    >>> import tarazu as tz
    >>> table = {"size": [float(i) for i in range(100)], "price": [2.0 * i + 0.5 for i in range(100)]}
    >>> assessment = tz.fit_table(table, target="price", epochs=200, learning_rate=0.01, verbose=0).assessment
    >>> assessment.scores["test"]["r2"] > 0.95 > 0.5 > assessment.scores["mean"]["r2"]
    True
    >>> assessment.subset, [each.column for each in assessment.importance]
    ('test', ['size'])
    """

    task: str
    subset: str
    guess: str
    scores: Scores
    classes: dict[str, dict[str, float]]
    mistaken: dict[str, tuple[str, int]]
    importance: tuple[Importance, ...]
    worst: tuple[WorstRow, ...] = ()
    panels: tuple[Panel, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The numbers as plain JSON content, without rows and plots; null for what is not defined.

        >>> Assessment("regression", "test", "2.5", {"test": {"r2": math.nan}}, {}, {}, ()).to_json()["scores"]
        {'test': {'r2': None}}
        """
        return {"task": self.task, "subset": self.subset, "guess": self.guess, "scores": _without_nan(self.scores),
                "classes": _without_nan(self.classes), "mistaken": dict(self.mistaken),
                "importance": [[each.column, *map(_finite, each[1:])] for each in self.importance]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Assessment:
        """The numbers that `to_json` gave; KeyError or TypeError for something else.

        >>> assessment = Assessment("regression", "test", "2.5", {"test": {"r2": 0.5}}, {}, {}, ())
        >>> Assessment.from_json(assessment.to_json()) == assessment
        True
        """
        return cls(content["task"], content["subset"], content["guess"], _with_nan(content["scores"]),
                   _with_nan(content["classes"]),
                   {name: (other, count) for name, (other, count) in content["mistaken"].items()},
                   tuple(map(_importance_from, content["importance"])))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _importance_from(content: Sequence[Any]) -> Importance:
    """An entry of `Assessment.to_json`, where null stands for what is not known or infinite."""
    column, *numbers = content
    unknown = (math.nan, -math.inf, math.inf)
    return Importance(column, *(far if value is None else value for value, far in zip(numbers, unknown, strict=True)))


def _without_nan(table: Scores) -> dict[str, dict[str, float | None]]:
    return {name: {key: _finite(value) for key, value in row.items()} for name, row in table.items()}


def _with_nan(table: Mapping[str, Mapping[str, float | None]]) -> Scores:
    return {name: {key: math.nan if value is None else value for key, value in row.items()}
            for name, row in table.items()}
