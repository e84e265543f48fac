"""Mixed precision: models learn as in float32, weights stay float32, float16 leaves steps that overflow out."""

import numpy as np
import pytest
from helpers import compilations, same_bits
from sklearn.datasets import load_digits, load_iris

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn import (
    GRU,
    LSTM,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool1D,
    LayerNorm,
    MaxPool2D,
    Module,
    Parameter,
    Sequential,
    TableFeatures,
    TransformerEncoderLayer,
)
from tarazu.runtime.compile import compile_graph
from tarazu.train import TrainingWarning
from tarazu.train.trainer import precision

both_types = pytest.mark.parametrize("half", ["bfloat16", "float16"])
one_type_often = pytest.mark.parametrize("half", ["bfloat16", pytest.param("float16", marks=pytest.mark.long)])

draw = np.random.default_rng(0)
ROWS = draw.normal(size=(96, 4)).astype(np.float32)
LABELS = (ROWS[:, 0] > 0).astype(int) + (ROWS[:, 1] > 0)
SEQUENCES = draw.normal(size=(64, 6, 4)).astype(np.float32)
FIRST = (SEQUENCES[:, 0, 0] > 0).astype(int)
IMAGES = draw.normal(size=(64, 8, 8, 1)).astype(np.float32)
BRIGHT = (IMAGES.mean((1, 2, 3)) > 0).astype(int)
TOKENS = draw.integers(0, 10, (64, 6))
LARGE = (TOKENS[:, 0] > 4).astype(int)
CODES = draw.permutation(1000)[:64]  # most of them are no numbers of bfloat16
TABLE = np.column_stack([draw.normal(size=(64, 2)), CODES]).astype(np.float32)


@tz.custom_vjp
def held_back(x):
    return tz.clip(x, -1, 1)


@held_back.backward
def _(cotangent, output, x):
    return cotangent


class Own(Module):
    """An own layer: two layers that share a weight, a gradient of its own, and a jitted function."""

    def __init__(self):
        self.first, self.second = Dense(4, "tanh", in_features=4), Dense(4, in_features=4)
        self.second.weight = self.first.weight
        self._swish = tz.jit(lambda x: x * tz.sigmoid(x))

    def forward(self, x):
        return self._swish(self.second(held_back(self.first(x))))


KINDS = {
    "dense": (lambda: [Dense(16, "relu"), Dropout(0.1), Dense(3)], ROWS, LABELS),
    "own": (lambda: [Own(), Dense(3)], ROWS, LABELS),
    "batch norm": (lambda: [Dense(16), BatchNorm(), Dense(3)], ROWS, LABELS),
    "layer norm": (lambda: [Dense(16, "gelu"), LayerNorm(), Dense(3)], ROWS, LABELS),
    "convolution": (lambda: [Conv2D(4, 3, activation="relu"), MaxPool2D(2), Flatten(), Dense(2)], IMAGES, BRIGHT),
    "lstm": (lambda: [LSTM(8), Dense(2)], SEQUENCES, FIRST),
    "gru": (lambda: [GRU(8, return_sequences=True), GlobalAvgPool1D(), Dense(2)], SEQUENCES, FIRST),
    "embedding": (lambda: [Embedding(10, 8), Flatten(), Dense(2)], TOKENS, LARGE),
    "attention": (lambda: [Embedding(10, 8), TransformerEncoderLayer(2, 8, feedforward=16, dropout=0.0),
                           GlobalAvgPool1D(), Dense(2)], TOKENS, LARGE),
    "codes": (lambda: [TableFeatures(2, [(1000, 4)]), Dense(2)], TABLE, CODES % 2),
}


@pytest.fixture(params=["native", pytest.param("numpy", marks=pytest.mark.long)])
def backend(request, monkeypatch):
    monkeypatch.setattr("tarazu.runtime.eager.compile_jitted",
                        lambda graph, renewed=(): compile_graph(graph, request.param, renewed=renewed))


def trained(layers, x, y, used, epochs=15, **options):
    tz.random.seed(1)
    model = Sequential(layers()).compile(tz.optim.Adam(lr=0.01), "cross_entropy", ["accuracy"], precision=used)
    return model, model.fit(x, y, epochs=epochs, seed=2, verbose=0, **options)


def regression(used="float16", factor=1.0, optimizer=None):
    """A model of one weight, without a bias, that starts at 0."""
    model = Sequential([Dense(1, bias=False, kernel_initializer="zeros", in_features=1)])
    model.compile(optimizer or tz.optim.Adam(lr=0.5), lambda p, t: tz.nn.mse(p, t) * factor, precision=used)
    return model


def step(model, epochs=1, target=1.0):
    """So many epochs of one step each."""
    return model.fit(np.ones((4, 1)), np.full(4, target), batch_size=4, epochs=epochs, seed=0, verbose=0)


def types_of(graph, name):
    """The dtypes that operations of that name give in the text of a graph."""
    lines = [line.split(" = ") for line in str(graph).splitlines() if " = " in line]
    return {left.split(": ")[1].split("[")[0] for left, right in lines if right.startswith(name)}


def values(model):
    return [x.numpy().copy() for x in model._trainer.weights()]


@one_type_often
@pytest.mark.parametrize("kind", KINDS)
def test_models_learn_as_in_float32_and_stay_float32(kind, half, backend):
    (full, expected), (model, history) = (trained(*KINDS[kind], used) for used in ("float32", half))
    assert expected[-1]["loss"] < 0.9 * expected[0]["loss"]
    assert history[-1]["loss"] == pytest.approx(expected[-1]["loss"], rel=0.03)
    assert {x.dtype.name for x in model._trainer.state()} <= {"float32", "int64"}
    assert all(x.grad is None for x in model.parameters())
    x = KINDS[kind][1]
    assert model.predict(x).dtype is tz.float32
    assert np.abs(model.predict(x).numpy() - full.predict(x).numpy()).max() < 0.3


@both_types
@pytest.mark.parametrize("kind", KINDS)
def test_products_are_computed_in_the_half_type_forward_and_back(kind, half):
    x, y = KINDS[kind][1:]
    model, _ = trained(*KINDS[kind], half, epochs=1, validation_data=(x, y))
    for graph in (model._trainer.train_chunk.graph, model._predictor.compiled.graph):
        assert types_of(graph, "dot") == {half}
    if kind == "convolution":
        assert types_of(model._trainer.train_chunk.graph, "conv") == {half}


@one_type_often
@pytest.mark.parametrize("load", [load_iris, load_digits])
def test_real_data_are_learned_nearly_as_well(load, half):
    x, y = load(return_X_y=True)
    x = (x / np.abs(x).max()).astype(np.float32)
    found = [trained(lambda: [Dense(32, "relu"), Dense(10)], x, y, used, epochs=20)[1] for used in ("float32", half)]
    assert found[1][-1]["loss"] == pytest.approx(found[0][-1]["loss"], rel=0.03)
    assert found[1][-1]["accuracy"] == pytest.approx(found[0][-1]["accuracy"], abs=0.02)


@both_types
def test_running_statistics_are_kept_in_float32(half, backend):
    layers = lambda: [Dense(16, bias=False), BatchNorm(), Dense(3)]  # noqa: E731  (Adam moves a needless bias by noise)
    norms = [trained(layers, ROWS, LABELS, used, epochs=3)[0][1] for used in ("float32", half)]
    for name in ("running_mean", "running_variance"):
        wanted, found = (getattr(norm, name).numpy() for norm in norms)
        assert found.dtype == np.float32 and np.allclose(found, wanted, rtol=0.02, atol=0.02)
        assert not np.allclose(found, 0) and not np.allclose(found, 1)


@pytest.mark.parametrize("layer", [BatchNorm, LayerNorm])
def test_normalisation_survives_values_whose_squares_float16_does_not_hold(layer):
    x = (ROWS * 1000).astype(np.float32)
    model, history = trained(lambda: [layer(), Dense(3)], x, LABELS, "float16", epochs=3)
    _, expected = trained(lambda: [layer(), Dense(3)], x, LABELS, "float32", epochs=3)
    assert history[-1]["loss"] == pytest.approx(expected[-1]["loss"], rel=0.03)
    assert float(model._trainer.loss_scale.scale) == precision.INITIAL_SCALE


@both_types
def test_validation_is_of_the_precision_of_training(half):
    model, _ = trained(*KINDS["dense"], half, epochs=2, validation_data=(ROWS, LABELS))
    model.fit(ROWS, LABELS, epochs=1, validation_data=(ROWS, LABELS), verbose=0)
    found = model.evaluate(ROWS, LABELS)["loss"]
    computed = float(tz.nn.cross_entropy(model.predict(ROWS), tz.asarray(LABELS)))
    assert found == pytest.approx(computed, rel=1e-6)
    in_half = model.predict(ROWS).numpy()
    assert same_bits(in_half, in_half.astype(getattr(tz, half).numpy).astype(np.float32))
    model.compile(loss="cross_entropy")
    assert not same_bits(model.predict(ROWS).numpy(), in_half) and "float16" not in str(model._predictor.compiled.graph)


@both_types
def test_the_same_seed_gives_the_same_bits_and_fit_again_goes_on(half):
    (first, a), (second, _) = (trained(*KINDS["dense"], half, epochs=4) for _ in range(2))
    assert all(same_bits(x, y) for x, y in zip(values(first), values(second), strict=True))
    halves, _ = trained(*KINDS["dense"], half, epochs=2)
    with compilations(exactly=0):
        halves.fit(ROWS, LABELS, epochs=2, verbose=0)
    assert all(same_bits(x, y) for x, y in zip(values(first), values(halves), strict=True))
    scales = [[x.item() for x in model._trainer.loss_scale.state()] for model in (halves, first)]
    assert scales[0] == scales[1]
    assert a[-1]["loss"] < a[0]["loss"]


@both_types
def test_a_saved_model_has_single_weights_and_the_precision_to_go_on_in(half, tmp_path):
    model, _ = trained(*KINDS["batch norm"], half, epochs=1)
    model.save(tmp_path / "model")
    loaded = tz.load(tmp_path / "model")
    assert loaded._trainer.policy is model._trainer.policy is precision.policy(half)
    assert all(same_bits(x, y) for x, y in zip(loaded.state_dict().values(), model.state_dict().values(), strict=True))


# Loss scaling ---------------------------------------------------------------------------------------------------

def test_a_step_that_overflows_changes_the_scale_alone(backend, monkeypatch):
    monkeypatch.setattr(precision, "INITIAL_SCALE", 2.0 ** 17)  # the gradient of the first step is 2 ** 18
    model = regression()
    model._trainer.prepare()
    before = values(model)
    history = step(model)
    scale, good = model._trainer.loss_scale.state()
    assert all(same_bits(x, y) for x, y in zip(values(model), before, strict=True))
    assert (float(scale), int(good)) == (2.0 ** 16, 0)
    assert history[0]["loss"] == 1.0  # as it is without a scale
    step(model, epochs=40)
    assert model[0].weight.item() == pytest.approx(1, abs=0.2) and int(model._trainer.optimizer.step_count) > 30
    assert np.isfinite(float(scale)) and int(good) > 0


def test_a_step_that_overflows_leaves_running_statistics_alone(monkeypatch):
    monkeypatch.setattr(precision, "INITIAL_SCALE", 2.0 ** 32)
    model, _ = trained(*KINDS["batch norm"], "float16", epochs=1, batch_size=96)
    assert float(model._trainer.loss_scale.scale) == 2.0 ** 31
    assert not model[1].running_mean.numpy().any() and (model[1].running_variance.numpy() == 1).all()


def test_the_scale_doubles_after_good_steps_in_a_row_up_to_a_limit(backend, monkeypatch):
    monkeypatch.setattr(precision, "GOOD_STEPS", 3)
    model = regression(optimizer=tz.optim.SGD(lr=0.0))
    scale, good = model._trainer.loss_scale.state()
    seen = []
    for _ in range(4):
        step(model, target=0.0)
        seen.append((float(scale), int(good)))
    assert seen == [(2.0 ** 15, 1), (2.0 ** 15, 2), (2.0 ** 16, 0), (2.0 ** 16, 1)]
    step(model, epochs=60, target=0.0)
    assert float(scale) == precision.LARGEST_SCALE


def test_small_gradients_need_the_scale(monkeypatch):
    found = []
    for start in (1.0, precision.INITIAL_SCALE):
        monkeypatch.setattr(precision, "INITIAL_SCALE", start)
        model = regression(factor=2.0 ** -27, optimizer=tz.optim.SGD(lr=2.0 ** 24))
        step(model, epochs=20)
        found.append(model[0].weight.item())
    assert found[0] == 0 and found[1] == pytest.approx(1, abs=0.05)


def test_gradients_are_clipped_after_they_were_divided_by_the_scale(backend):
    found = []
    for used in ("float32", "float16"):
        model = regression(used, factor=0.5, optimizer=tz.optim.SGD(lr=0.1, clip_norm=0.5))
        step(model, epochs=5)
        found.append(model[0].weight.item())
    assert found[0] == pytest.approx(0.25) and found[1] == pytest.approx(0.25, rel=1e-3)


class RootOfZero(Module):
    """A finite number with an infinite gradient."""

    def __init__(self):
        self.weight = Parameter(tz.zeros(1))

    def forward(self, x):
        return x + tz.sqrt(self.weight)


def test_gradients_that_no_scale_makes_finite_end_the_run():
    model = Sequential([RootOfZero()]).compile("sgd", "mse", precision="float16")
    with pytest.warns(TrainingWarning, match=r"infinite or NaN at every loss scale in epoch .* such as sqrt\(0\)"):
        history = step(model, epochs=100)
    assert history.stopped == "not finite" and model[0].weight.item() == 0


def test_a_model_that_leaves_the_range_of_float16_is_told_as_that():
    x = np.full((4, 1), 300.0, np.float32)
    model = Sequential([Dense(1, in_features=1, kernel_initializer="ones")])
    with tz.no_grad():
        model[0].weight.fill_(300.0)
    model.compile(tz.optim.SGD(lr=1e-9), "mse", precision="float16")
    with pytest.warns(TrainingWarning, match=r"above 65504 .* precision=\"bfloat16\""):
        model.fit(x, np.ones(4), verbose=0)


# What is not computed in the half type, and who takes part ------------------------------------------------------

@both_types
def test_frozen_parameters_stay_and_an_own_choice_is_kept(half, backend):
    model = Sequential([Dense(8, "relu", in_features=4), Dense(8, "relu", in_features=8), Dense(3, in_features=8)])
    model[0].freeze()
    model.compile(tz.optim.Adam([model[2].weight, model[0].weight], lr=0.01), "cross_entropy", precision=half)
    before = {name: x.numpy().copy() for name, x in model.named_tensors()}
    model.fit(ROWS, LABELS, epochs=2, verbose=0)
    changed = [name for name, x in model.named_tensors() if not same_bits(x.numpy(), before[name])]
    assert changed == ["2.weight"]
    assert [x.requires_grad for x in model.parameters()] == [False, False, True, True, True, True]


@both_types
def test_float64_models_are_left_alone(half):
    found = []
    for used in ("float32", half):
        tz.random.seed(0)
        model = Sequential([Dense(3, in_features=4)])
        for name in ("weight", "bias"):
            setattr(model[0], name, Parameter(getattr(model[0], name).detach().astype("float64")))
        model.compile("adam", "cross_entropy", precision=used)
        model.fit(ROWS, LABELS, epochs=2, seed=0, verbose=0)
        found.append(model)
    assert all(same_bits(x.numpy(), y.numpy()) for x, y in zip(*[m.parameters() for m in found], strict=True))
    assert found[1].predict(ROWS).dtype is tz.float64 and half not in str(found[1]._trainer.train_chunk.graph)


class Bounded(Dense):
    """Keeps its weights small while it is used."""

    def forward(self, x):
        with tz.no_grad():
            self.weight.copy_(tz.clip(self.weight, -0.01, 0.01))
        return super().forward(x)


@both_types
def test_what_a_layer_makes_of_its_parameters_in_place_is_kept_in_float32(half):
    model = Sequential([Bounded(3, in_features=4)]).compile(tz.optim.SGD(lr=0.0), "cross_entropy", precision=half)
    model.fit(ROWS, LABELS, epochs=1, verbose=0)
    assert model[0].weight.dtype is tz.float32 and 0.0099 < np.abs(model[0].weight.numpy()).max() < 0.0101


class Cut(Module):
    """Fails in the half type only."""

    def forward(self, x):
        return x if x.dtype is tz.float32 else x @ tz.ones(7, 7)


@both_types
def test_errors_name_the_path_of_the_layer_and_leave_the_model_float32(half):
    model = Sequential([Dense(4, in_features=4), Cut()]).compile("sgd", "mse", precision=half)
    with pytest.raises(ShapeError, match=r"in layer 1, Cut\(\)"):
        model.fit(ROWS, ROWS, verbose=0)
    assert {x.dtype.name for x in model.parameters()} == {"float32"} and all(x.is_leaf for x in model.parameters())


@both_types
def test_debug_nans_goes_step_by_step_in_mixed_precision_too(half):
    with tz.debug_nans():
        _, history = trained(*KINDS["dense"], half, epochs=2)
    assert history[-1]["loss"] < history[0]["loss"]


@pytest.mark.parametrize(("given", "fix"), [
    ("half", "precision='bfloat16'"), ("float61", "did you mean 'float16'"), ("bf16", "precision='bfloat16'"),
    ("fp16", "did you mean 'float16'"), (tz.bfloat16, "precision='bfloat16'"), (None, "one of these names")])
def test_unknown_precisions_are_refused(given, fix):
    with pytest.raises(ArgumentError) as caught:
        Sequential([Dense(1)]).compile(loss="mse", precision=given)
    assert "one of float32, bfloat16, float16" in str(caught.value) and fix in str(caught.value)
