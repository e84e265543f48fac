"""What docs/differences.md says of Tarazu holds: each expression in its tables gives the result beside it."""

from __future__ import annotations

import math
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest

import tarazu as tz

PAGE = Path(__file__).parents[1] / "docs" / "differences.md"
CASES = re.findall(r"`([^`]+)` → `([^`]+)`", PAGE.read_text(encoding="utf-8"))


def gradient(function, places):
    return tz.grad(lambda x: tz.sum(function(x)))(tz.tensor(places)).tolist()


def first_of_changed_slice():
    x = tz.zeros(2, dtype="int64")
    part = x[:1]
    part += 1
    return x[0].item()


def assigned_twice():
    def total(y):
        x = tz.zeros(1)
        x[[0, 0]] = y
        return tz.sum(x * 3)
    return tz.grad(total)(tz.ones(2)).tolist()


def fitted(**arguments):
    model = tz.nn.Sequential(tz.nn.Dense(1)).compile("sgd", loss="mse")
    return model.fit(np.ones((4, 2)), np.ones((4, 1)), seed=0, verbose=0, **arguments)


def recorded(compute_loss):
    layer = type("Own", (tz.nn.Dense,), {"compute_loss": compute_loss})(1, in_features=1)
    return sorted(layer.compile("sgd").fit(np.ones((4, 1)), seed=0, verbose=0).history)


def dataset_of_a_file():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        np.save(path, np.arange(3))
        return [int(row) for row in tz.data.Dataset(str(path))]


HELPERS = [gradient, first_of_changed_slice, assigned_twice, fitted, recorded, dataset_of_a_file]
NAMES = {"tz": tz, "t": tz.tensor, "np": np, "math": math} | {function.__name__: function for function in HELPERS}


@pytest.mark.parametrize(("expression", "result"), CASES)
def test_a_line_of_the_page(expression, result):
    if result.endswith("Error"):
        with pytest.raises(tz.TarazuError) as raised:
            eval(expression, NAMES)
        assert type(raised.value).__name__ == result
    else:
        assert str(eval(expression, NAMES)) == result


def test_every_row_has_an_expression():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    tables = sum(line.startswith("| What ") for line in rows)
    assert len(CASES) == len(rows) - tables
