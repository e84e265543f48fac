"""Layers, tensors and buffers by their paths, and states that fit in part."""

import numpy as np
import pytest
from own_layers import Branches, Residual

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn import BatchNorm, Dense, Sequential


def built():
    shared = Dense(4, in_features=4)
    model = Sequential(Sequential(shared, BatchNorm(4)), Branches(4), Residual(shared))
    model(tz.ones(2, 4))
    return model


def test_layers_and_tensors_by_path():
    model = built()
    assert all(model.get_layer(path) is module for path, module in model.named_modules())
    assert all(model.get_tensor(path) is x for path, x in model.named_tensors())
    assert model.get_layer("") is model and model.get_layer("1.heads.left") is model[1].heads["left"]
    assert model.get_layer("2.inner") is model[0][0]  # which named_modules has at its first path only
    assert model.get_tensor("2.inner.weight") is model[0][0].weight


def test_buffers_are_the_tensors_that_are_no_parameters():
    model = built()
    assert [path for path, _ in model.named_buffers()] == ["0.1.running_mean", "0.1.running_variance"]
    assert len(list(model.named_buffers())) + len(list(model.named_parameters())) == len(model.state_dict())


WRONG = [
    (lambda: built().get_layer("1.heads.lefd"), r"no layer at '1.heads.lefd'\n[\s\S]*did you mean '1.heads.left'\?"),
    (lambda: built().get_layer("0.weight"), "no layer at '0.weight'"),
    (lambda: built().get_tensor("0.0"), "no tensor at '0.0'\n  expected: one of '0.0.weight', '0.0.bias'"),
    (lambda: tz.nn.Flatten().get_tensor("weight"), "no tensor at 'weight'\n  expected: one of no paths: it has none"),
]


@pytest.mark.parametrize(("act", "text"), WRONG, ids=range(len(WRONG)))
def test_wrong_paths(act, text):
    with pytest.raises(ArgumentError, match=text):
        act()


def body_and_head(classes):
    return Sequential(Dense(3, in_features=2), BatchNorm(3), Dense(classes, in_features=3))


def test_a_state_of_another_head_is_loaded_in_part():
    model, other = body_and_head(4), body_and_head(5)
    head = other[2].weight.tolist()
    state = model.state_dict() | {"3.weight": tz.ones(2)}
    del state["1.running_mean"]
    report = other.load_state_dict(state, strict=False)
    assert report.paths == ("0.weight", "0.bias", "1.weight", "1.bias", "1.running_variance")
    assert report.missing == ("1.running_mean",) and report.unknown == ("3.weight",)
    assert report.other_shapes == {"2.weight": ((3, 4), (3, 5)), "2.bias": ((4,), (5,))} and not report.is_complete
    assert repr(report) == ("5 of 8 tensors loaded; missing: '1.running_mean'; unknown: '3.weight'; other shapes: "
                            "'2.weight' (3, 4) for (3, 5), '2.bias' (4,) for (5,)")
    assert bool((other[0].weight == model[0].weight).all()) and other[2].weight.tolist() == head


def test_the_report_of_a_whole_state():
    model = body_and_head(4)
    for strict in (True, False):
        report = model.load_state_dict(body_and_head(4).state_dict(), strict=strict)
        assert report.is_complete and repr(report) == "8 of 8 tensors loaded"


def test_weights_of_another_head_are_loaded_from_a_file(tmp_path):
    model, other = body_and_head(4), body_and_head(5)
    model.save_weights(tmp_path / "weights")
    with pytest.raises(ShapeError, match=r"2.weight in the state has shape \(3, 4\) \(2 differ\)"):
        other.load_weights(tmp_path / "weights")
    assert len(other.load_weights(tmp_path / "weights", strict=False).paths) == 6
    assert bool((other[0].weight == model[0].weight).all())


MISFITS = [
    (lambda: body_and_head(2).load_state_dict({"module.0.weight": np.ones((2, 3))}, strict=False),
     r"nothing of the state fits the model: 0 of 8 tensors loaded[\s\S]*such as '0.weight'[\s\S]*rename the paths"),
    (lambda: Sequential(Dense(3)).load_state_dict({}, strict=False), "layer '0' has no parameters yet"),
]


@pytest.mark.parametrize(("act", "text"), MISFITS, ids=range(len(MISFITS)))
def test_states_of_which_nothing_fits(act, text):
    with pytest.raises(ArgumentError, match=text):
        act()
