"""The rows whose targets are in doubt, and the loss by the number of rows, from what an investigation measured."""

from __future__ import annotations

import numpy as np

from tarazu.study.curves.estimates import Estimate
from tarazu.study.diagnosis.findings import RowsLoss, SuspectTarget
from tarazu.study.diagnosis.investigation import Investigation
from tarazu.study.diagnosis.row_evidence import RowEvidence
from tarazu.study.rows.leakage import SuspectFeature
from tarazu.study.trials.trials import seed_error

MORE_ROWS = "4 x the rows"


def suspect_targets(rows: RowEvidence) -> tuple[SuspectTarget, ...]:
    """The rows whose targets are in doubt, as many as are wrong by the rate, the most suspicious first."""
    if rows.wrong is None or not rows.wrong.is_evident:
        return ()
    experiment, wrong = rows.experiment, rows.wrong
    y = np.concatenate([np.asarray(part.y).reshape(part.rows, -1)[:, 0]
                        for part in (experiment.train, experiment.validation)])
    count = experiment.train.rows
    numbers = np.concatenate(experiment.row_numbers or (np.arange(count), np.arange(experiment.validation.rows)))
    own_arrays = experiment.row_numbers is None
    order = np.argsort(-wrong.suspicion, kind="stable")[:round(wrong.rate * len(y))]
    return tuple(SuspectTarget("validation_data" if own_arrays and i >= count else "x", int(numbers[i]), y[i].item(),
                               wrong.instead[i].item()) for i in order if wrong.instead[i] != y[i])


def losses_by_rows(found: Investigation) -> tuple[RowsLoss, ...]:
    """Those of fits on quarters, halves and all of the rows, as far as they were made, and carried on to four times."""
    judged, rows = found.trials.judged, found.trials.experiment.train.rows
    own = [judged.mean(found.trials.own(i)) for i in range(found.seeds)]
    parts = [(rows // 4, [judged.mean(fit.judged) for fit in found.quarters]),
             (rows // 2, [judged.mean(fit.judged) for fit in found.halves]), (rows, own)]
    points = [RowsLoss(count, _estimate(float(np.mean(losses)), seed_error(max(losses), losses)), True)
              for count, losses in parts if losses]
    times = min(4, found.trials.experiment.epochs)  # a shorter fit has no steps for four times the rows
    if MORE_ROWS in found.gains and times > 1:
        gain = found.gains[MORE_ROWS]
        points.append(RowsLoss(times * rows, _estimate(float(np.mean(own)) - gain.mean, gain.error), False))
    return tuple(points)


def leaking_features(found: Investigation) -> tuple[SuspectFeature, ...]:
    """The features that may be made from the target, where fits without them do better on rows that lack them."""
    gain = found.gains.get(f"without {found.rows.leak}")
    return found.rows.leaking if gain is not None and gain.interval[0] > 0 else ()


def _estimate(mean: float, error: float) -> Estimate:
    """A loss with about 95 % of it to both sides; none is below 0."""
    return Estimate(max(mean, 0.0), max(mean - 2 * error, 0.0), mean + 2 * error)
