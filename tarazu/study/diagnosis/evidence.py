"""The evidence of a diagnosis: each number that its studies gave, with its interval and what it says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tarazu.study.diagnosis.findings import Evidence
from tarazu.study.diagnosis.investigation import Investigation
from tarazu.study.diagnosis.row_evidence import SHIFT_WORTH_A_LOOK, RowEvidence
from tarazu.study.diagnosis.wrong_targets import Doubts
from tarazu.study.trials.trials import DIVERGED

DIVERGES = "the fits diverge: try learning rates that are far lower"


def all_evidence(found: Investigation) -> Iterator[Evidence]:
    """That of the fit itself, and of the looks at the rows."""
    loss = found.own_loss
    yield Evidence("fit", "loss on training rows", found.trials.train_loss, says="1 is a guess that ignores the inputs")
    doubtful = found.rows.wrong is not None and found.rows.wrong.is_evident
    says = DIVERGES if loss >= DIVERGED else "rows whose targets are in doubt do not count" if doubtful else ""
    yield Evidence("fit", "loss on new rows", loss, says=says)
    yield Evidence("fit", "skill", 1 - loss, says="the share of a guess's loss that the model removes on new rows")
    yield Evidence("copies", "validation rows that are copies of training rows", found.rows.copies)
    if found.rows.leak:
        name = f"without {found.rows.leak}"
        if name in found.gains:
            gain = found.gains[name]
            says = "the model relies on what it will not have" if gain.interval[0] > 0 else "that may be chance"
            yield Evidence("leakage", f"gain {name}", gain.mean, gain.interval, says)
    yield from _of_shift(found.rows)
    if found.rows.wrong is not None:
        yield from _of_targets(found.rows, found.rows.wrong)


def _of_shift(rows: RowEvidence) -> Iterator[Evidence]:
    """The area under the curve of a classifier; its z is the distance from 0.5 in standard errors."""
    area, z = rows.shift
    if not z:
        return
    error = abs((area - 0.5) / z)
    says = "validation rows are of another kind" if z >= SHIFT_WORTH_A_LOOK else "0.5 is: they are alike"
    yield Evidence("shift", "area under the curve, validation rows against training rows", area,
                   (max(area - 2 * error, 0.0), min(area + 2 * error, 1.0)), says)


def _of_targets(rows: RowEvidence, wrong: Doubts) -> Iterator[Evidence]:
    yield Evidence("label_noise", "share of wrong targets", wrong.rate, wrong.interval,
                   "" if wrong.is_evident else "not enough to be sure of")
    y = np.asarray(rows.experiment.validation.y).reshape(rows.experiment.validation.rows, -1)[:, 0]
    predicted = wrong.instead[len(wrong.instead) - len(y):]
    if np.issubdtype(y.dtype, np.integer):
        yield Evidence("second opinion", "accuracy of a kernel method", float((predicted == y).mean()))
    elif y.var() > 0:
        explained = 1 - float(((predicted - y) ** 2).mean() / y.var())
        yield Evidence("second opinion", "R2 of a kernel method", explained)
