"""What single layers and initializers compute, against formulas and over many draws."""

import math

import numpy as np
import pytest

import tarazu as tz
from tarazu.nn import BatchNorm, Conv2D, Dense, Dropout, Embedding, Flatten, LayerNorm, Sequential, init

X = np.random.default_rng(8).normal(2.0, 3.0, (50, 3)).astype(np.float32)


def test_dense_is_a_matrix_product():
    layer = Dense(2, "tanh", in_features=3)
    layer.load_state_dict({"weight": tz.asarray(X[:3, :2]), "bias": tz.tensor([1.0, -1.0])})
    np.testing.assert_allclose(layer(tz.asarray(X)).detach().numpy(), np.tanh(X @ X[:3, :2] + [1, -1]), rtol=1e-4,
                               atol=1e-6)


def test_batch_norm_in_training():
    layer = BatchNorm(3, momentum=0.8, epsilon=0.01)
    changed = {"weight": tz.tensor([1.0, 2.0, 3.0]), "bias": tz.tensor([0.0, 1.0, 2.0])}
    layer.load_state_dict(layer.state_dict() | changed)
    y = layer(tz.asarray(X)).detach().numpy()
    wanted = (X - X.mean(0)) / np.sqrt(X.var(0) + 0.01) * [1, 2, 3] + [0, 1, 2]
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.2 * X.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.running_variance.numpy(), 0.8 + 0.2 * X.var(0, ddof=1), rtol=1e-5)


def test_batch_norm_in_evaluation_uses_and_keeps_the_running_statistics():
    layer = BatchNorm(3, epsilon=0.0).eval()
    layer.load_state_dict(layer.state_dict() | {"running_mean": tz.tensor([1.0, 2.0, 3.0]),
                                                "running_variance": tz.tensor([4.0, 4.0, 4.0])})
    np.testing.assert_allclose(layer(tz.asarray(X)).detach().numpy(), (X - [1, 2, 3]) / 2, rtol=1e-5)
    assert layer.running_mean.tolist() == [1, 2, 3]


def test_batch_norm_comes_to_the_statistics_of_the_data():
    layer = BatchNorm()
    for _ in range(200):
        layer(tz.asarray(X))
    np.testing.assert_allclose(layer.running_mean.numpy(), X.mean(0), rtol=1e-4)


def test_batch_norm_of_a_single_sample_is_the_bias_and_leaves_the_variance_alone():
    layer = BatchNorm()
    assert layer(tz.ones(1, 2)).tolist() == [[0, 0]]
    assert layer.running_variance.tolist() == [1, 1]
    np.testing.assert_allclose(layer.running_mean.numpy(), [0.1, 0.1], rtol=1e-6)
    layer(tz.asarray(X[:1, :2].reshape(1, 1, 2).repeat(3, 1)))  # three positions of one sample have one
    np.testing.assert_allclose(layer.running_variance.numpy(), [0.9, 0.9], rtol=1e-6)


@pytest.mark.parametrize("shape", [(0, 2), (0, 3, 2), (4, 0, 2)])
@pytest.mark.parametrize("run", [lambda f: f, tz.jit], ids=["eager", "jit"])
def test_batch_norm_of_an_empty_batch_changes_nothing(shape, run):
    layer = BatchNorm(2)

    def step(x):
        y = layer(x)
        y.sum().backward()
        return y

    assert run(step)(tz.zeros(*shape)).shape == shape
    assert (layer.running_mean.tolist(), layer.running_variance.tolist()) == ([0, 0], [1, 1])
    assert (layer.weight.grad.tolist(), layer.bias.grad.tolist()) == ([0, 0], [0, 0])


def test_batch_norm_learns_the_variance_where_the_last_batch_has_one_row():
    x = np.random.default_rng(0).normal(3.0, 2.0, (65, 2)).astype(np.float32)
    model = Sequential([BatchNorm(), Dense(1)]).compile(tz.optim.SGD(lr=0.0), loss="mse")
    model.fit(x, x[:, 0], batch_size=64, epochs=60, seed=0, verbose=0)
    np.testing.assert_allclose(model[0].running_variance.numpy(), x.var(0, ddof=1), rtol=0.03)


def test_layer_norm_is_over_each_sample():
    layer = LayerNorm(3, epsilon=0.01)
    layer.load_state_dict({"weight": tz.tensor([1.0, 2.0, 3.0]), "bias": tz.tensor([0.0, 1.0, 2.0])})
    wanted = (X - X.mean(1, keepdims=True)) / np.sqrt(X.var(1, keepdims=True) + 0.01) * [1, 2, 3] + [0, 1, 2]
    np.testing.assert_allclose(layer(tz.asarray(X)).detach().numpy(), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(rate):
    tz.random.seed(0)
    y = Dropout(rate)(tz.ones(400, 500)).numpy()
    deviation = math.sqrt(rate * (1 - rate) / y.size)
    assert abs((y == 0).mean() - rate) < 5 * deviation
    assert abs(y.mean() - 1) < 5 * deviation / (1 - rate)
    assert np.unique(y).tolist() == pytest.approx([0, 1 / (1 - rate)])


def test_dropout_draws_anew_each_time_and_traced_as_eagerly():
    x, layer = tz.ones(1000), Dropout(0.5)
    tz.random.seed(4)
    first, second = layer(x), layer(x)
    assert not (first == second).all()
    tz.random.seed(4)
    step = tz.jit(layer.__call__)
    assert (step(x) == first).all() and (step(x) == second).all()


def test_dropout_of_rate_0_changes_nothing():
    assert (Dropout(0)(tz.asarray(X)) == X).all()


def test_gradients_flow_only_through_what_dropout_kept():
    x = tz.ones(1000, requires_grad=True)
    y = Dropout(0.75)(x)
    y.sum().backward()
    assert (x.grad == y.detach()).all()


def test_flatten_and_embedding_move_values_only():
    assert Flatten()(tz.tensor([[[1, 2], [3, 4]]])).tolist() == [[1, 2, 3, 4]]
    layer = Embedding(4, 2)
    assert (layer(tz.tensor([[3, 0]]))[0] == layer.weight.numpy()[[3, 0]]).all()


STANDARD_DEVIATIONS = {"glorot_uniform": math.sqrt(2 / 500), "glorot_normal": math.sqrt(2 / 500),
                       "standard_normal": 1.0,
                       "he_uniform": math.sqrt(2 / 300), "he_normal": math.sqrt(2 / 300),
                       "lecun_normal": math.sqrt(1 / 300), "lecun_uniform": math.sqrt(1 / 300), "random_normal": 0.05,
                       "truncated_normal": 0.05 * 0.87962566, "variance_scaling": math.sqrt(1 / 300)}


@pytest.mark.parametrize(("name", "deviation"), STANDARD_DEVIATIONS.items())
def test_initializers_have_their_mean_and_deviation(name, deviation):
    tz.random.seed(1)
    weights = init.find_initializer(name)((300, 200), None).numpy()
    assert abs(weights.mean()) < 5 * deviation / math.sqrt(weights.size)
    assert weights.std() == pytest.approx(deviation, rel=0.01)
    if name.endswith("uniform"):
        assert np.abs(weights).max() == pytest.approx(deviation * math.sqrt(3), rel=1e-3)


def test_constant_initializers_and_own_ones():
    assert Dense(2, in_features=1, kernel_initializer="ones").weight.tolist() == [[1, 1]]
    assert Dense(2, in_features=1, kernel_initializer=init.zeros).weight.tolist() == [[0, 0]]
    assert Dense(1, in_features=2, kernel_initializer=lambda shape, generator: tz.full(shape, 7.0)).weight.sum() == 14


WITH_NUMBERS = {  # an initializer, the mean and the standard deviation of its weights of shape (300, 200)
    "normal": (init.random_normal(1.0, 0.02), 1.0, 0.02), "truncated": (init.truncated_normal(-2, 0.5), -2, 0.43981283),
    "uniform": (init.random_uniform(-1, 3), 1.0, 4 / math.sqrt(12)), "constant": (init.constant(0.3), 0.3, 0.0),
    "outputs": (init.variance_scaling(2.0, "fan_out"), 0.0, 0.1),
    "average": (init.variance_scaling(0.5, "fan_avg", "normal"), 0.0, math.sqrt(0.5 / 250)),
    "flat": (init.variance_scaling(3.0, "fan_in", "uniform"), 0.0, 0.1),
}


@pytest.mark.parametrize(("initializer", "mean", "deviation"), WITH_NUMBERS.values(), ids=WITH_NUMBERS)
def test_initializers_with_numbers(initializer, mean, deviation):
    tz.random.seed(1)
    weights = initializer((300, 200), None).numpy()
    assert weights.dtype == np.float32
    assert weights.mean() == pytest.approx(mean, rel=1e-6, abs=5 * deviation / math.sqrt(weights.size))
    assert weights.std() == pytest.approx(deviation, rel=0.01, abs=1e-7)


def test_the_identity_as_weight():
    np.testing.assert_array_equal(init.identity()((3, 4), None), np.eye(3, 4))
    x = tz.asarray(X[:, :2].reshape(1, 1, -1, 2))
    layer = Conv2D(2, (3, 4), padding=[(1, 1), (1, 2)], in_channels=2, kernel_initializer=init.identity(2.0))
    np.testing.assert_allclose(layer(x).detach(), 2 * x.numpy(), rtol=1e-6)  # only the middle of the window counts


def test_a_model_is_saved_with_the_numbers_of_its_initializers(tmp_path):
    model = tz.nn.Sequential([Dense(3, kernel_initializer=init.random_normal(std=0.02), bias_initializer="ones"),
                              Dense(1, bias_initializer=init.constant(0.5))])
    model(tz.ones(1, 2))
    assert model[0].bias.tolist() == [1, 1, 1] and model[1].bias.tolist() == [0.5]
    model.save(tmp_path / "model")
    again = tz.load(tmp_path / "model")
    assert repr(again) == repr(model) and "random_normal(mean=0.0, std=0.02)" in repr(model)
    assert again[0]._initializer.keywords == {"mean": 0.0, "std": 0.02}


INITIALIZER_MISUSES = [
    (lambda: Dense(2, in_features=1, kernel_initializer=init.random_normal),
     r"init.random_normal: mean=\(1, 2\)\n  expected: a finite number\n.*without the shape: kernel_initializer="),
    (lambda: init.random_normal(std=-1), "std=-1\n  expected: a finite number of at least 0"),
    (lambda: init.random_uniform(2, 1), "high=1\n  expected: a finite number of at least 2"),
    (lambda: init.constant(math.nan), "init.constant: value=nan"),
    (lambda: init.variance_scaling(mode="inputs"), "variance_scaling: mode 'inputs'\n.*one of fan_in, fan_out"),
    (lambda: init.variance_scaling(distribution="gauss"), "distribution 'gauss'"),
    (lambda: Dense(2, in_features=1, bias_initializer="identity"), r"init.identity: a weight of shape \(2,\)"),
]


@pytest.mark.parametrize(("act", "text"), INITIALIZER_MISUSES, ids=range(len(INITIALIZER_MISUSES)))
def test_what_misused_initializers_say(act, text):
    with pytest.raises(tz.TarazuError, match=text):
        act()


def test_a_seed_gives_the_same_weights():
    tz.random.seed(9)
    first = Dense(3, in_features=2).weight
    tz.random.seed(9)
    assert (Dense(3, in_features=2).weight == first).all()


def test_fans_of_vectors_and_convolutions():
    assert init.fans((5,)) == (5, 5) and init.fans(()) == (1, 1) and init.fans((3, 3, 16, 32)) == (144, 288)
