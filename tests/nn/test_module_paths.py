"""Layers, tensors and buffers by their paths, states that fit in part, and models in another dtype."""

import numpy as np
import pytest
from own_layers import Branches, Residual

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError, TraceError
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
    (lambda: Sequential(Dense(3, in_features=2), Dense(1)).state_dict(), "layer '1' has no parameters yet"),
    (lambda: Dense(3).load_state_dict({}), "layer 'Dense' has no parameters yet[\\s\\S]*call the model once"),
    (lambda: body_and_head(2).load_state_dict({"module.0.weight": np.ones((2, 3))}, strict=False),
     r"nothing of the state fits the model: 0 of 8 tensors loaded[\s\S]*such as '0.weight'[\s\S]*rename the paths"),
    (lambda: Sequential(Dense(3)).load_state_dict({}, strict=False), "layer '0' has no parameters yet"),
]


@pytest.mark.parametrize(("act", "text"), MISFITS, ids=range(len(MISFITS)))
def test_states_of_which_nothing_fits(act, text):
    with pytest.raises(ArgumentError, match=text):
        act()


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16"])
def test_a_model_in_another_dtype(dtype, tmp_path):
    model, x = built(), tz.ones(2, 4)
    (model(x) ** 2).sum().backward()
    before = model.eval()(x).detach()
    parameters, wanted = model.parameters(), getattr(tz, dtype)
    assert model.astype(dtype) is model and all(p is q for p, q in zip(parameters, model.parameters(), strict=True))
    assert {t.dtype for _, t in model.named_tensors()} == {wanted} and all(p.grad is None for p in parameters)
    assert all(p.requires_grad for p in parameters)
    y = model(x.astype(dtype))
    assert y.dtype is wanted
    np.testing.assert_allclose(y.detach().astype("float32"), before, rtol=0.05, atol=0.05)
    model.save(tmp_path / "model")
    assert bool((tz.load(tmp_path / "model").eval()(x.astype(dtype)) == y).all())


def test_a_trace_sees_the_other_dtype_and_the_optimizer_goes_on():
    layer = Dense(1, in_features=2)
    optimizer = tz.optim.Adam(layer.parameters(), lr=0.1)

    @tz.jit
    def step():
        optimizer.zero_grad()
        loss = (layer(tz.ones(1, 2).astype(layer.weight.dtype)) ** 2).sum()
        loss.backward()
        optimizer.step()
        return loss

    assert step().dtype is tz.float32
    layer.astype("float64")
    losses = [step() for _ in range(3)]
    assert losses[0].dtype is tz.float64 and layer.weight.dtype is tz.float64 and float(losses[2]) != float(losses[0])


CASTS = [
    (lambda: Dense(3).astype("float64"), ArgumentError, "has no parameters yet"),
    (lambda: Dense(3, in_features=2).astype("int32"), DTypeError, "a model in int32\n  expected: a float dtype"),
    (lambda: tz.jit(lambda x: Dense(3, in_features=2).astype("float64")(x))(tz.ones(1, 2)), TraceError,
     r"a model that is cast inside a traced function[\s\S]*model.astype\(...\) outside"),
]


@pytest.mark.parametrize(("act", "kind", "text"), CASTS, ids=range(len(CASTS)))
def test_what_a_wrong_cast_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
