"""Dropout of channels and samples, and noise: what is dropped, mean and variance, and what misuse says."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    Sequential,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    StochasticDepth,
)


@pytest.mark.parametrize(("kind", "sizes"), [(SpatialDropout1D, (3,)), (SpatialDropout2D, (2, 3)),
                                             (SpatialDropout3D, (2, 3, 2))])
def test_whole_channels_are_dropped(kind, sizes):
    tz.random.seed(1)
    y = kind(0.25)(tz.ones((50, *sizes, 40))).numpy()
    channels = y.reshape(50, -1, 40)
    assert (channels == channels[:, :1]).all() and set(np.unique(y)) == {0, np.float32(4 / 3)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.03)
    assert len({tuple(row) for row in channels[:, 0]}) == 50  # each sample drops its own


def test_whole_samples_are_dropped():
    tz.random.seed(1)
    y = StochasticDepth(0.25)(tz.ones((2000, 2, 3))).numpy().reshape(2000, -1)
    assert (y == y[:, :1]).all() and set(np.unique(y)) == {0, np.float32(4 / 3)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_alpha_dropout_keeps_mean_and_variance(rate):
    tz.random.seed(1)
    x = tz.random.normal((300, 300))
    y = AlphaDropout(rate)(x).numpy()
    assert y.mean() == pytest.approx(0, abs=0.02) and y.std() == pytest.approx(1, abs=0.02)


def test_alpha_dropout_of_zeros_gives_torchs_two_values():
    assert np.unique(AlphaDropout(0.5)(tz.zeros(100))) == pytest.approx([-0.7792, 0.7792], abs=1e-4)


def test_noise_has_its_deviation():
    tz.random.seed(1)
    x = tz.full((300, 300), 2.0)
    added, multiplied = GaussianNoise(0.3)(x).numpy(), GaussianDropout(0.2)(x).numpy()
    assert added.mean() == pytest.approx(2, abs=0.01) and added.std() == pytest.approx(0.3, rel=0.02)
    assert multiplied.mean() == pytest.approx(2, abs=0.02) and multiplied.std() == pytest.approx(1.0, rel=0.02)


EACH = [Dropout(0.5), SpatialDropout1D(0.5), AlphaDropout(0.5), StochasticDepth(0.5), GaussianNoise(0.5),
        GaussianDropout(0.5)]


@pytest.mark.parametrize("layer", EACH, ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "int64"])
def test_dtypes_stay_and_integers_become_floats(layer, dtype):
    y = layer(tz.ones((4, 3, 2)).astype(dtype))
    assert y.dtype is (tz.float32 if dtype == "int64" else getattr(tz, dtype))


@pytest.mark.parametrize("layer", EACH, ids=lambda layer: type(layer).__name__)
def test_each_step_of_a_compiled_loop_draws_anew(layer):
    model = Sequential([layer])
    step = tz.jit(lambda x: model(x))
    x = tz.ones((8, 3, 8))
    tz.random.seed(5)
    first, second = step(x), step(x)
    tz.random.seed(5)
    assert not bool((first == second).all()) and bool((step(x) == first).all())


@pytest.mark.parametrize("layer", [SpatialDropout1D(0), AlphaDropout(0.0), StochasticDepth(0), GaussianNoise(0.0),
                                   GaussianDropout(0)], ids=lambda layer: type(layer).__name__)
def test_nothing_is_drawn_where_nothing_is_dropped(layer):
    x, state = tz.ones((4, 3, 2)), tz.random.default.state.tolist()
    assert bool((layer(x) == x).all()) and tz.random.default.state.tolist() == state


MISUSES = [
    (lambda: SpatialDropout2D(1.0), ArgumentError, "rate=1.0"),
    (lambda: SpatialDropout2D(0.5)(tz.ones(2, 3)), ShapeError, "images"),
    (lambda: StochasticDepth(-0.1), ArgumentError, "rate=-0.1"),
    (lambda: StochasticDepth(0.5)(tz.tensor(1.0)), ShapeError, "a scalar as input"),
    (lambda: GaussianNoise(-1), ArgumentError, "GaussianNoise: std=-1"),
    (lambda: GaussianDropout(1), ArgumentError, "rate=1"),
]


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
