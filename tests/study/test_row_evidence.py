"""What rows tell before any fit of a remedy: doubts that a model refutes, and copies that nature makes."""

import numpy as np

import tarazu as tz
from tarazu.study.diagnosis.row_evidence import RowEvidence
from tarazu.study.experiment.experiment import Experiment


def evidence_of(x, y, loss):
    def build():
        return tz.nn.Sequential(tz.nn.Dense(2 if loss == "cross_entropy" else 1)).compile("sgd", loss)

    return RowEvidence.of(Experiment.of(build, x, y, epochs=1), 0)


def noisy(rows=320):
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 3)).astype("float32")
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    return x, np.where(random.random(rows) < 0.25, 1 - y, y)


def test_a_model_that_predicts_better_than_wrong_targets_allow_refutes_doubts():
    rows = evidence_of(*noisy(), "cross_entropy")
    count = rows.judged.rows.rows
    assert rows.wrong.is_evident and (rows.judged.weights == 0).any()
    assert not rows.refute_doubts(np.full(count, 0.6)) and not rows.refute_doubts(np.full(count, np.nan))
    assert rows.wrong.is_evident
    assert rows.refute_doubts(np.full(count, 0.1)) and rows.wrong is None and (rows.judged.weights == 1).all()


def test_rows_that_repeat_by_nature_are_no_copies_of_training_rows():
    random = np.random.default_rng(0)
    x = random.integers(0, 3, (300, 2)).astype("float32")
    rows = evidence_of(x, x[:, :1] + random.normal(size=(300, 1)).astype("float32"), "mse")
    assert rows.copies == 1.0 and not rows.has_copies and rows.cured is rows.experiment
