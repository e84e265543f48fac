"""Metrics: one number per sample, against what it should be, eagerly and traced."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.train import METRICS

LOGITS = [[0.1, 0.7, 0.2], [2.0, -1.0, 1.0], [-3.0, -2.0, -4.0], [0.0, 1.0, 2.0]]
NUMBERS = [[1.0, 2.0], [0.0, -1.0]]
ROWS = {  # by the name of the metric and, after a comma, a title: prediction, target, the number of each sample
    "accuracy": (LOGITS, [1, 2, 1, 0], [1, 0, 1, 0]),
    "accuracy, one-hot": (LOGITS, np.eye(3)[[1, 2, 1, 0]], [1, 0, 1, 0]),
    "accuracy, one output": ([[0.5], [-0.5], [0.5]], [1, 1, 0], [1, 0, 0]),
    "accuracy, sequences": ([LOGITS[:2], LOGITS[2:]], [[1, 2], [1, 1]], [0.5, 0.5]),
    "acc": (LOGITS, [[1], [2], [1], [0]], [1, 0, 1, 0]),
    "binary_accuracy": ([[2.0, -1.0], [-3.0, -4.0]], [[1, 1], [0, 0]], [0.5, 1]),
    "mae": (NUMBERS, [[1.0, 4.0], [3.0, -1.0]], [1, 1.5]),
    "mse": (NUMBERS, [[1.0, 4.0], [3.0, -1.0]], [2, 4.5]),
}
each_row = pytest.mark.parametrize(("name", "row"), ROWS.items(), ids=ROWS)


def test_every_metric_has_a_row():
    missing = set(METRICS) - {name.partition(",")[0] for name in ROWS}
    assert not missing, f"tests/train/test_metrics.py, in ROWS, lacks: {', '.join(missing)}"


@each_row
def test_values(name, row):
    prediction, target, wanted = row
    metric = METRICS[name.partition(",")[0]]
    for function in (metric, tz.jit(metric)):
        np.testing.assert_allclose(function(tz.tensor(prediction), tz.asarray(np.asarray(target))).numpy(), wanted)
