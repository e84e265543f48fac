"""Saved models have the structure of the original: shared layers and weights, and what changed after construction."""

import functools
import json
import math
import threading

import numpy as np
import pytest
from helpers import same_bits
from own_layers import Branches, Configured, Mode, Residual, Scale, Settings, Settled, Tied, Transforming, doubled

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.nn import LSTM, BatchNorm, Dense, Dropout, LayerNorm, Parameter, Sequential

X = np.random.default_rng(3).normal(size=(20, 4)).astype(np.float32)


def reloaded(model, folder):
    """The model from its file, after a check that weights, outputs and the printed tree are the same."""
    model(tz.asarray(X))
    model.save(folder / "model")
    again = tz.load(folder / "model")
    before, after = model.state_dict(), again.state_dict()
    assert list(before) == list(after) and all(same_bits(before[path], after[path]) for path in before)
    assert same_bits(again(tz.asarray(X)).detach(), model.eval()(tz.asarray(X)).detach())
    assert repr(again) == repr(model) and again.count_parameters() == model.count_parameters()
    assert [x.requires_grad for x in again.parameters()] == [x.requires_grad for x in model.parameters()]
    return again


# Shared layers and weights

def test_a_layer_that_stands_twice_comes_back_once(tmp_path):
    shared = Dense(4)
    again = reloaded(Sequential([shared, shared, Dense(1)]), tmp_path)
    assert again.count_parameters() == 25 and again[0] is again[1]


def test_shared_layers_deep_inside_others_come_back_shared(tmp_path):
    shared = Dense(4, "tanh")
    model = Sequential([Residual(shared), Sequential([shared, Residual(Residual(shared))])])
    again = reloaded(model, tmp_path)
    assert again[0].inner is again[1][0] is again[1][1].inner.inner


def test_a_layer_shared_as_an_attribute_from_outside(tmp_path):
    model = Sequential([Residual(Dense(4)), Dense(4)])
    model.head = model[0].inner
    model[0].twin = model[1]
    again = reloaded(model, tmp_path)
    assert again.head is again[0].inner and again[0].twin is again[1]


def test_weights_tied_from_outside_come_back_tied(tmp_path):
    model = Sequential([Dense(4), Dense(4), Dense(1)])
    model(tz.asarray(X))
    model[1].weight = model[0].weight
    model[2].also = [model[0].bias]
    again = reloaded(model, tmp_path)
    assert again[1].weight is again[0].weight and again[2].also[0] is again[0].bias
    assert again.count_parameters() == 16 + 4 + 4 + 4 + 1


def test_weights_tied_in_the_constructor_come_back_tied(tmp_path):
    again = reloaded(Tied(4), tmp_path)
    assert again.back.weight is again.out.weight and again.count_parameters() == 16 + 4 + 4


def test_weights_untied_after_construction_come_back_untied(tmp_path):
    model = Tied(4)
    model.back.weight = Parameter(model.back.weight.detach().clone() + 1)
    again = reloaded(model, tmp_path)
    assert again.back.weight is not again.out.weight and again.count_parameters() == 16 + 16 + 4 + 4


def test_layers_of_a_list_swapped_after_construction(tmp_path):
    model = Branches(4)
    model(tz.asarray(X))
    model.steps.reverse()
    model.heads["left"] = model.steps[0]
    again = reloaded(model, tmp_path)
    assert again.heads["left"] is again.steps[0] and again.steps[1].describe() == "4, 'tanh'"


def test_a_tied_model_trains_to_the_same_bits(tmp_path):
    shared = Dense(4, "tanh")
    model = Sequential([shared, Residual(shared), Dense(1)])
    again = reloaded(model, tmp_path)
    for each in (model, again):
        each.compile("adam", "mse").fit(X, X.sum(1), epochs=2, seed=1, verbose=0)
    assert same_bits(model.predict(X), again.predict(X))


# What changed after construction

def test_attributes_set_later(tmp_path):
    model = Sequential([Dense(4), Scale(2.0)])
    values = {"scale": 5.0, "names": ["a", "b"], "options": {"k": (1, None)}, "dtype": tz.float16, "nan": float("nan"),
              "table": np.arange(3, dtype=np.int16), "mean": tz.tensor([1.0, 2.0]), "activation": doubled,
              "kind": LayerNorm, "part": functools.partial(tz.leaky_relu, slope=0.5), "number": np.float64(2)}
    for name, value in values.items():
        setattr(model[1], name, value)
    again = reloaded(model, tmp_path)
    for name, value in values.items():
        assert repr(getattr(again[1], name)) == repr(value) and type(getattr(again[1], name)) is type(value)


def test_attributes_changed_and_removed_later(tmp_path):
    model = Configured([3, 4])
    model.rate, model.nested["depth"] = 0.5, 7
    del model.spare
    again = reloaded(model, tmp_path)
    assert (again.rate, again.nested, hasattr(again, "spare")) == (0.5, {"depth": 7}, False)


def test_attributes_of_our_own_layers_changed_later(tmp_path):
    model = Sequential([Dense(4), BatchNorm(), Dropout(0.5)])
    model[0]._activation, model[1]._momentum, model[2]._rate = tz.tanh, 0.5, 0.25
    again = reloaded(model, tmp_path)
    assert again[0]._activation is tz.tanh and (again[1]._momentum, again[2]._rate) == (0.5, 0.25)


def test_a_list_argument_that_is_changed_later(tmp_path):
    sizes = [3, 4]
    model = Configured(sizes)
    sizes.append(9)
    model.rate = 0.5
    again = reloaded(model, tmp_path)
    assert len(again.layers) == 2 and again.sizes == [3, 4, 9]


@pytest.mark.parametrize("new", [lambda: Dense(4, bias=False), lambda: Dense(4, "tanh"), lambda: Scale(3.0),
                                 lambda: Sequential([Dense(2), Dense(4)])])
def test_a_replaced_layer(tmp_path, new):
    model = Branches(4)
    model(tz.asarray(X))
    model.steps[0] = new()
    reloaded(model, tmp_path)


def test_a_layer_replaced_and_then_changed(tmp_path):
    model = Residual(Dense(4))
    model(tz.asarray(X))
    model.inner = Sequential([Dense(4), Dense(4)])
    model(tz.asarray(X))
    model.inner[1]._activation = tz.relu
    model.inner[1].weight = model.inner[0].weight
    again = reloaded(model, tmp_path)
    assert again.inner[0].weight is again.inner[1].weight and again.inner[1]._activation is tz.relu


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_weights_of_another_dtype_come_back_in_it(tmp_path, dtype):
    model = Sequential([Dense(4, in_features=4), BatchNorm(4)])
    for x in model.parameters():
        x.raw = x.detach().astype(dtype).raw
    model[0].bias = Parameter(tz.zeros(4, dtype=dtype))
    again = reloaded(model, tmp_path)
    assert {str(x.dtype) for x in again.parameters()} == {dtype}


def test_weights_of_another_shape_come_back(tmp_path):
    model = Sequential([Dense(2, in_features=4)])
    model[0].weight, model[0].bias = Parameter(tz.ones((4, 7))), Parameter(tz.zeros(7))
    assert reloaded(model, tmp_path)[0].weight.shape == (4, 7)


def test_weights_thawed_and_made_variables_later(tmp_path):
    model = Sequential([Dense(2, in_features=4), Dense(2)])
    model[0].bias = tz.Variable(tz.zeros(2), trainable=False, name="b")
    model[0].weight.requires_grad_(False)
    assert type(reloaded(model, tmp_path)[0].bias) is tz.Variable


def test_states_of_own_generators_go_on(tmp_path):
    model = Transforming()
    tz.random.normal(3, generator=model.generator)
    again = reloaded(model, tmp_path)
    assert same_bits(tz.random.normal(3, generator=again.generator), tz.random.normal(3, generator=model.generator))


def test_lambdas_and_locks_that_the_constructor_makes_again(tmp_path):
    model = Transforming()
    model(tz.asarray(X))
    again = reloaded(model, tmp_path)
    assert again.function(3) == 6 and isinstance(again.lock, type(threading.Lock()))


def test_a_tensor_argument_is_not_written_twice(tmp_path):
    model = Scale(tz.ones(1000))
    model.factor = Parameter(tz.arange(1000.0))
    model.save(tmp_path / "model")
    assert tz.load(tmp_path / "model").factor.tolist() == model.factor.tolist()


def test_settings_in_one_object_and_another_put_in_its_place(tmp_path):
    settings = Settings(4, Mode.EXACT, {"depth": np.arange(2)})
    again = reloaded(Settled(settings), tmp_path)
    assert repr(again.settings) == repr(settings) and again.settings.mode is Mode.EXACT
    model = Settled(settings)
    model.settings = Settings(4, Mode.FAST)
    assert reloaded(model, tmp_path).settings == model.settings


def with_lambda():
    model = Sequential([Dense(4), Scale(2.0)])
    model[1].function = lambda x: x
    return model


def with_object():
    model = Sequential([Dense(4)])
    model.notes = {"a": [object()]}
    return model


def with_changed_object():
    model = Transforming()
    model.helper.count = 7
    return model


def with_other_method():
    model = Sequential([Dense(4)])
    model.forward = doubled
    return model


REFUSED = {
    "lambda": (with_lambda, r"attribute 'function' of layer '1', a Scale, is or holds <function .*, which cannot be "
                            r"saved\n.*\n  to mend it: define the function at the top level of a module, or save the "
                            r"weights alone: model.save_weights\(path\)"),
    "object": (with_object, r"attribute 'notes' of the Sequential, is or holds <object object.*cannot be saved"),
    "changed object": (with_changed_object, r"attribute 'helper' of the Transforming, is or holds .*cannot be saved"),
    "method": (with_other_method, "attribute 'forward' of a Sequential stands in for what its class defines"),
    "lambda argument": (lambda: Sequential([Dense(4, lambda x: x)]), "a layer was made with <function .*lambda"),
    "object argument": (lambda: Residual(object()), "a layer was made with <object object"),
    "bound method": (lambda: Sequential([Dense(4, Dense(4).forward)]), "a layer was made with <bound method"),
    "builtin": (lambda: Sequential([Dense(4, abs)]), "a layer was made with <built-in function abs>"),
    "partial": (lambda: Sequential([functools.partial(doubled)]), "a layer was made with functools.partial"),
}


@pytest.mark.parametrize(("make", "text"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_saved_is_named_and_the_old_file_stays(tmp_path, make, text):
    Sequential([Dense(4, in_features=4)]).save(tmp_path / "model")
    before = (tmp_path / "model" / "model.json").read_bytes()
    with pytest.raises(ArgumentError, match=text):
        make().save(tmp_path / "model")
    assert (tmp_path / "model" / "model.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_constructor_that_cannot_be_called_again_is_said_before_anything_is_replaced(tmp_path, monkeypatch):
    model = Configured([3])
    monkeypatch.setattr(Configured, "__init__", lambda self, sizes: 1 / 0)
    with pytest.raises(ArgumentError, match="cannot be made again from what would be saved: division by zero"):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_saving_and_loading_draw_no_random_numbers(tmp_path):
    model = Sequential([Dense(4), Dense(4)])
    model(tz.asarray(X))
    tz.random.seed(5)
    expected = tz.random.normal(3)
    tz.random.seed(5)
    model.save(tmp_path / "model")
    tz.load(tmp_path / "model")
    assert same_bits(tz.random.normal(3), expected)


def test_files_of_the_first_format_are_read(tmp_path):
    model = Sequential([Dense(4, "tanh"), Residual(Dense(4))])
    model(tz.asarray(X))
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    content = json.loads(path.read_text())
    dense = {"class": "tarazu.nn:Dense", "args": [4], "kwargs": {}}
    layers = [{**dense, "args": [4, "tanh"]}, {"class": "own_layers:Residual", "args": [dense], "kwargs": {}}]
    old = {"format": "tarazu model 1", "extra": {}, "versions": {}, "frozen": ["0.bias"], "builds": content["builds"],
           "model": {"class": "tarazu.nn:Sequential", "args": [{"list": layers}], "kwargs": {}}}
    path.write_text(json.dumps(old))
    again = tz.load(tmp_path / "model")
    assert same_bits(again.predict(X), model.predict(X)) and not again[0].bias.requires_grad


def test_large_weights_are_not_drawn_to_be_replaced(tmp_path, monkeypatch):
    model = Sequential([LSTM(64, in_features=300), Dense(300, kernel_initializer="he_normal", in_features=64)])
    sizes = []
    for name in ("normal", "uniform"):
        draw = getattr(tz.random, name)
        monkeypatch.setattr(tz.nn.init.random, name,
                            lambda shape, *args, draw=draw, **options: sizes.append(math.prod(shape)) or draw(
                                shape, *args, **options))
    model.save(tmp_path / "model")
    again = tz.load(tmp_path / "model")
    assert len(sizes) == 6 and max(sizes) == tz.nn.init.FEW < again[0].weight.size
    assert all(same_bits(again.state_dict()[path], x) for path, x in model.state_dict().items())
