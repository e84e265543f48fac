"""The adapters to the benchmark of causes (bench/causes/score.py): of the diagnosis, and of the verdict."""

from __future__ import annotations

import dataclasses
from typing import Any

from tarazu.study.diagnosis.causes import HEALTHY
from tarazu.study.diagnosis.decide import likeliest
from tarazu.study.diagnosis.diagnose import diagnose


def diagnose_case(case: Any) -> dict[str, Any]:  # a `generator.Case`
    """What `score.py` asks of a diagnoser, for one of its cases; in place of "undecided" the likeliest answer."""
    arguments = case.fit_arguments()
    found = diagnose(case.build, case.x_train, case.y_train, validation_data=(case.x_val, case.y_val), verbose=0,
                     epochs=arguments["epochs"], batch_size=arguments["batch_size"], callbacks=arguments["callbacks"])
    ranking = [cause for cause, _ in found.ranking]
    return {"cause": likeliest(dict(found.ranking)), "ranking": ranking,
            "probabilities": dict(found.ranking), "noise_rate": found.noise_rate or 0.0, "overfit": found.overfit,
            "fits": found.fits, "loss": found.loss, "gains": [dataclasses.asdict(gain) for gain in found.remedies]}


def judge_case(case: Any) -> dict[str, Any]:  # a `generator.Case`
    """The verdict after one fit of a case; the cause is a guess by it."""
    _, history = case.fit()
    verdict = history.verdict.name
    ranking = {"overfitting": ["too_little_data", "too_much_capacity"],
               "underfitting": ["too_little_capacity", "too_little_training"]}.get(verdict, [])
    return {"verdict": verdict, "cause": ranking[0] if ranking else HEALTHY, "ranking": ranking,
            "overfit": verdict == "overfitting", "fits": 1}
