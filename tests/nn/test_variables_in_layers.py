"""Variables as attributes of layers: parameters like others, trainable or frozen."""

import copy
import pickle

import numpy as np
import pytest

import tarazu as tz


class Line(tz.nn.Module):
    def __init__(self):
        self.w = tz.Variable([[0.0]], name="w")
        self.b = tz.Variable([0.0], trainable=False)
        self.calls = tz.Variable(0)

    def forward(self, x):
        return x @ self.w + self.b


def test_fit_trains_the_trainable_ones_only():
    model = Line().compile(tz.optim.SGD(lr=0.1), "mse")
    model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=200, seed=0, verbose=0)
    assert model.w.item() == pytest.approx(2, abs=1e-3) and model.b.item() == 0


def test_they_count_and_freeze_as_parameters():
    model = Line()
    assert [name for name, _ in model.named_parameters()] == ["w", "b"] and model.count_parameters() == 2
    assert "2 parameters, 1 of them trainable" in model.summary()
    model.freeze()
    assert not model.w.trainable and len(model.parameters()) == 2


def test_a_saved_model_brings_them_back(tmp_path):
    model = Line()
    model.w.assign([[3.0]])
    model.save(tmp_path / "line")
    again = tz.load(tmp_path / "line")
    assert isinstance(again.w, tz.Variable) and again.w.tolist() == [[3.0]]
    assert again.w.trainable and not again.b.trainable


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_copies_stay_variables_of_their_own(copied):
    first = tz.Variable([1.0, 2.0], name="w", trainable=False)
    second = copied(first)
    assert isinstance(second, tz.Variable) and second.name == "w" and not second.trainable
    second.assign([0.0, 0.0])
    np.testing.assert_array_equal(first.numpy(), [1, 2])
