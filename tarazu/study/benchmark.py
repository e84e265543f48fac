"""The adapter to the benchmark of causes (bench/causes/score.py)."""

from __future__ import annotations

from typing import Any

from tarazu.study.diagnosis.diagnose import diagnose


def diagnose_case(case: Any) -> dict[str, Any]:  # a `generator.Case`
    """What `score.py` asks of a diagnoser, for one of its cases."""
    arguments = case.fit_arguments()
    found = diagnose(case.build, case.x_train, case.y_train, validation_data=(case.x_val, case.y_val),
                     epochs=arguments["epochs"], batch_size=arguments["batch_size"], callbacks=arguments["callbacks"])
    p = found.probabilities
    global last
    last = found
    return {"cause": next(iter(p)), "ranking": list(p), "noise_rate": found.rows.wrong.rate if found.rows.wrong else 0.0, "overfit": None, "fits": found.trials.spent}
