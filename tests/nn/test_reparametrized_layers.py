"""Weight norm and spectral norm: values, training, built layers, saving, unwrapping, and what misuse says."""

import threading

import numpy as np
import pytest
from naive import wave

import tarazu as tz
from tarazu.base.errors import AxisError
from tarazu.nn import LSTM, BatchNorm, Conv2D, Conv2DTranspose, Dense, Sequential, SpectralNorm, WeightNorm

X = tz.asarray(wave(5, 4).astype(np.float32))


def test_weight_norm_starts_as_the_layer_and_divides_direction_by_length():
    plain = Dense(3, in_features=4)
    wanted, weight = plain(X).detach(), plain.weight.numpy().copy()
    layer = WeightNorm(plain)
    np.testing.assert_allclose(layer(X).detach(), wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.magnitude.detach(), np.linalg.norm(weight, axis=0), rtol=1e-6)
    with tz.no_grad():
        layer.direction.mul_(7.0)
        np.testing.assert_allclose(layer(X), wanted, rtol=1e-5, atol=1e-6)  # its length does not count
        layer.magnitude.mul_(2.0)
        np.testing.assert_allclose(layer(X), 2 * wanted.numpy(), rtol=1e-5, atol=1e-6)


def test_weight_norm_along_another_axis():
    layer = WeightNorm(Conv2DTranspose(6, 3, in_channels=2), axis=2)
    assert layer.magnitude.shape == (6,) and layer.direction.shape == (3, 3, 6, 2)
    lengths = np.sqrt((layer.unwrap().weight.numpy() ** 2).sum((0, 1, 3)))
    np.testing.assert_allclose(lengths, layer.magnitude.detach(), rtol=1e-5)


def test_spectral_norm_divides_by_the_largest_singular_value():
    plain = Conv2D(6, 2, in_channels=3, bias=False)
    matrix = plain.weight.numpy().reshape(12, 6).copy()
    layer = SpectralNorm(plain, iterations=50)
    x = tz.asarray(wave(2, 4, 4, 3).astype(np.float32))
    wanted = tz.conv2d(x, (matrix / np.linalg.svd(matrix)[1][0]).reshape(2, 2, 3, 6))
    np.testing.assert_allclose(layer(x).detach(), wanted, rtol=1e-4, atol=1e-5)


def test_power_iteration_goes_on_in_training_only():
    layer = SpectralNorm(Dense(3, in_features=4))
    with tz.no_grad():
        layer.weight.copy_(tz.asarray(wave(4, 3)))
    before = layer.right.tolist()
    layer.eval()(X)
    layer.train().freeze(statistics=True)(X)
    assert layer.right.tolist() == before
    layer.freeze(False)
    for _ in range(30):
        layer(X)
    largest = np.linalg.svd(wave(4, 3))[1][0]
    np.testing.assert_allclose(layer.unwrap().weight.detach(), wave(4, 3) / largest, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wrap", [WeightNorm, SpectralNorm])
def test_fit_trains_the_tensors_that_the_weight_is_made_of(wrap):
    tz.random.seed(0)
    model = Sequential([wrap(Dense(8, "tanh")), wrap(Dense(1))])
    x = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    history = model.compile(tz.optim.Adam(lr=0.02), "mse").fit(x, x.sum(1) / 4, epochs=25, verbose=0, seed=0)
    assert history[-1]["loss"] < 0.2 * history[0]["loss"]
    np.testing.assert_allclose(model.predict(x), model.eval()(tz.asarray(x)).detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("wrap", [WeightNorm, SpectralNorm])
@pytest.mark.parametrize("is_built", [False, True])
def test_a_layer_may_be_built_before_it_is_wrapped(wrap, is_built, tmp_path):
    plain = Dense(3, "tanh")
    if is_built:
        plain(X)
    layer = wrap(plain)
    y = layer(X)
    assert layer.count_parameters() == (15 if wrap is SpectralNorm else 18)
    layer.save(tmp_path / "model")
    again = tz.load(tmp_path / "model")
    assert bool((again.eval()(X) == layer.eval()(X)).all()) and again.state_dict().keys() == layer.state_dict().keys()
    assert y.shape == (5, 3) and again.layer._units == 3


@pytest.mark.parametrize("wrap", [WeightNorm, SpectralNorm])
def test_unwrapped_it_is_the_layer_with_the_computed_weight(wrap, tmp_path):
    layer = wrap(Dense(3, "relu")).eval()
    y = layer(X).detach()
    plain = layer.unwrap()
    assert type(plain) is Dense and list(plain.state_dict()) == ["weight", "bias"]
    np.testing.assert_allclose(plain(X).detach(), y, rtol=1e-6)
    plain.save(tmp_path / "model")
    assert bool((tz.load(tmp_path / "model")(X) == plain(X)).all())


def test_another_weight_of_a_layer():
    layer = WeightNorm(LSTM(3), name="recurrent_weight")
    assert layer(tz.asarray(wave(2, 5, 4).astype(np.float32))).shape == (2, 3)
    assert [path for path, _ in layer.named_parameters()][:3] == ["magnitude", "direction", "layer.weight"]


def test_changes_of_the_wrapped_layer_are_seen_by_a_trace():
    layer = WeightNorm(Dense(3, in_features=4)).eval()
    forward = tz.jit(layer.__call__)
    assert bool((forward(X) < 0).any())
    layer.layer._activation = tz.relu
    assert bool((forward(X) >= 0).all())


def test_threads_may_share_a_layer():
    layer, wrong = WeightNorm(Dense(32, in_features=4)).eval(), []
    wanted = layer(X).detach()

    def call():
        wrong.extend(i for i in range(30) if not bool((layer(X) == wanted).all()))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and "weight" not in layer.layer.own_tensors()


MISUSES = [
    (lambda: WeightNorm("dense"), tz.TarazuError, "WeightNorm of 'dense'\n  expected: a layer"),
    (lambda: WeightNorm(tz.nn.Flatten()), tz.TarazuError, "'weight' of a Flatten\n.*parameters: none"),
    (lambda: SpectralNorm(Dense(3), "kernel")(X), tz.TarazuError, "'kernel' of a Dense\n.*'weight', 'bias'"),
    (lambda: SpectralNorm(BatchNorm(3), "running_mean"), tz.TarazuError, "'running_mean' of a BatchNorm"),
    (lambda: WeightNorm(WeightNorm(Dense(3, in_features=2))), tz.TarazuError, "'weight' of a WeightNorm"),
    (lambda: WeightNorm(Dense(3, in_features=2), axis=2), AxisError, "WeightNorm: axis 2"),
    (lambda: SpectralNorm(Dense(3), iterations=0), tz.TarazuError, "iterations=0"),
    (lambda: WeightNorm(Dense(3)).unwrap(), tz.TarazuError, "has not seen an input"),
    (lambda: WeightNorm(Dense(3, in_features=2))(X), tz.TarazuError, r"in WeightNorm\(\).*\n.*\n.*shape \(\.\.\., 2\)"),
]


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
