"""The scores of `tz.study.diagnose` with the weighing of its gains chosen on other data sets than it is scored on.

    python cross_validate.py scores.json [FOLDER]

`scores.json` is what `score.py ... --out scores.json` wrote for the cases of FOLDER. The measured gains are weighed
again in each of some hundred ways. For the cases of a data set that way counts that has the highest macro-F1 on the
cases of all other data sets, of those with false alarms on at most 5 % of their healthy cases; of equals the nearest to
the usual one. What is not chosen again are the methods themselves: for them there is the part that is held out.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter
from pathlib import Path

from generator import half
from score import HERE, macro_f1, summary

from tarazu.study.diagnosis.decide import USUAL, Weighing, likeliest, probabilities
from tarazu.study.trials.trials import Gain

MOST_FALSE_ALARMS = 0.05
FACTORS = {"prior": (0.33, 0.67, 1.0, 1.5, 3.0), "prior_share": (0.25, 0.5, 1.0, 2.0),
           "most_healthy": (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5)}


def weighed(record: dict, weighing: Weighing) -> dict:
    """The record of a case as it would be with another weighing."""
    if "gains" not in record:
        return record
    found = probabilities([Gain(**gain) for gain in record["gains"]], record["loss"], weighing)
    said = likeliest(found, weighing)
    return record | {"said": said, "right": said in record["acceptable"], "probabilities": found}


def distance(factors: tuple[float, ...]) -> float:
    """How far a weighing is from the usual one."""
    return sum(abs(factor - 1) for factor in factors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores", type=Path)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    options = parser.parse_args()
    data_set = {recipe.name: recipe.source.partition("_")[0] for recipe in half(options.folder).RECIPES}
    records = json.loads(options.scores.read_text())["records"]
    tried = {}
    for factors in sorted(itertools.product(*FACTORS.values()), key=distance):
        changed = {name: factor * getattr(USUAL, name) for name, factor in zip(FACTORS, factors, strict=True)}
        tried[factors] = [weighed(record, Weighing(**changed)) for record in records]
    made, chosen = [], Counter()
    for name in dict.fromkeys(data_set[record["name"]] for record in records):
        def quality(factors: tuple[float, ...], name: str = name) -> tuple[bool, float]:
            others = [record for record in tried[factors] if data_set[record["name"]] != name]
            healthy = [record["right"] for record in others if record["true"] == "healthy"]
            return healthy.count(False) <= MOST_FALSE_ALARMS * len(healthy), macro_f1(others)[0]
        best = max(tried, key=quality)
        chosen[best] += 1
        made += [record for record in tried[best] if data_set[record["name"]] == name]
    for title, found in (("the usual weighing", records), ("chosen on other data sets", made)):
        scores = summary(found)
        print(f"{title}: macro-F1 {scores['macro-F1']:.3f} ({scores['macro-F1 low']:.3f} to "
              f"{scores['macro-F1 high']:.3f}), false alarms {scores['false alarms on healthy']:.3f}")
    for factors, count in chosen.most_common():
        print(f"{count} data sets: times", ", ".join(f"{name} {factor:g}" for name, factor in zip(FACTORS, factors,
                                                                                                strict=True)))


if __name__ == "__main__":
    main()
