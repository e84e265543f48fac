"""The adapter to the benchmark of causes (bench/causes/score.py)."""

from __future__ import annotations

from typing import Any

from tarazu.study.diagnosis.diagnose import diagnose

found_last: list[Any] = []


def diagnose_case(case: Any) -> dict[str, Any]:  # a `generator.Case`
    """What `score.py` asks of a diagnoser, for one of its cases."""
    arguments = case.fit_arguments()
    found = diagnose(case.build, case.x_train, case.y_train, validation_data=(case.x_val, case.y_val),
                     epochs=arguments["epochs"], batch_size=arguments["batch_size"], callbacks=arguments["callbacks"])
    p = found.probabilities
    found_last.append(found)
    wrong = found.rows.wrong
    return {"cause": next(iter(p)), "ranking": list(p), "noise_rate": wrong.rate if wrong else 0.0, "overfit": None,
            "fits": found.budget.spent}
