"""Normalization layers: values by their formulas, half precision, and what misuse says."""

from functools import partial

import numpy as np
import pytest
from naive import wave

import tarazu as tz
from tarazu.base.errors import ArgumentError, AxisError, ShapeError
from tarazu.nn import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RMSNorm, UnitNorm
from tarazu.ops.networks.normalization import batch_norm_of_batch

X = wave(3, 4, 2, 6)


def standardized(x, axes, epsilon=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def group_normalized(x, groups):
    split = x.reshape(*x.shape[:-1], groups, -1)
    return standardized(split, (*range(1, x.ndim - 1), x.ndim)).reshape(x.shape)


FORMULAS = {
    "layer norm": (LayerNorm(), standardized(X, (-1,))),
    "layer norm over sizes": (LayerNorm((2, 6)), standardized(X, (2, 3))),
    "layer norm over axes": (LayerNorm(axis=(3, 1)), standardized(X, (1, 3))),
    "layer norm over one axis": (LayerNorm(4, axis=1), standardized(X, (1,))),
    "layer norm over all axes": (LayerNorm(axis=(1, 2, 3), epsilon=0.5), standardized(X, (1, 2, 3), 0.5)),
    "group norm": (GroupNorm(3), group_normalized(X, 3)),
    "one group": (GroupNorm(1), standardized(X, (1, 2, 3))),
    "instance norm": (InstanceNorm(), standardized(X, (1, 2))),
    "rms norm": (RMSNorm(epsilon=0.1), X / np.sqrt((X**2).mean(-1, keepdims=True) + 0.1)),
    "unit norm": (UnitNorm(), X / np.linalg.norm(X, axis=-1, keepdims=True)),
    "unit norm over axes": (UnitNorm((1, 3)), X / np.sqrt((X**2).sum((1, 3), keepdims=True))),
}


@pytest.mark.parametrize(("layer", "wanted"), FORMULAS.values(), ids=FORMULAS)
def test_formulas(layer, wanted):
    np.testing.assert_allclose(layer(tz.asarray(X)).detach(), wanted, rtol=1e-9, atol=1e-9)


def test_weight_and_bias_of_each_element_of_several_axes():
    layer = LayerNorm((2, 6))
    layer.weight.raw, layer.bias.raw = wave(2, 6), wave(2, 6, phase=1.0)
    wanted = standardized(X, (2, 3)) * wave(2, 6) + wave(2, 6, phase=1.0)
    np.testing.assert_allclose(layer(tz.asarray(X)).detach(), wanted, rtol=1e-9, atol=1e-9)
    layer = LayerNorm(axis=(3, 1))
    layer(tz.asarray(X))
    layer.weight.raw = wave(6, 4)  # as the axes are named
    wanted = standardized(X, (1, 3)) * wave(6, 4).T[:, None]
    np.testing.assert_allclose(layer(tz.asarray(X)).detach(), wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", [BatchNorm, LayerNorm, RMSNorm, InstanceNorm, partial(GroupNorm, 2)])
def test_without_affine_parameters(kind):
    plain, affine = kind(affine=False), kind()
    x = tz.asarray(X.astype(np.float32))
    np.testing.assert_allclose(plain(x), affine(x).detach(), rtol=1e-6, atol=1e-7)
    assert plain.parameters() == [] and affine.count_parameters() > 0
    assert plain(x.astype("float16")).dtype is tz.float16


def test_batch_norm_without_affine_parameters_learns_its_statistics():
    layer = BatchNorm(affine=False, momentum=0.0)
    layer(tz.asarray(X))
    assert list(layer.state_dict()) == ["running_mean", "running_variance"]
    np.testing.assert_allclose(layer.running_mean, X.mean((0, 1, 2)), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", [RMSNorm, UnitNorm, InstanceNorm, partial(GroupNorm, 2), partial(LayerNorm, (5, 4))])
def test_half_precision_does_not_overflow(kind):
    layer, x = kind(), tz.asarray((300 * wave(2, 5, 4)).astype(np.float16))
    y = layer(x).astype("float32")
    np.testing.assert_allclose(y.detach(), layer(x.astype("float32")).detach(), rtol=2e-3, atol=2e-3)


def test_a_vector_of_zeros_stays_and_has_a_gradient():
    x = tz.zeros((2, 3), requires_grad=True)
    UnitNorm()(x).sum().backward()
    assert bool((UnitNorm()(x) == 0).all()) and bool(tz.isfinite(x.grad).all())


MISUSES = [
    (lambda: LayerNorm((3, 0)), ArgumentError, "features=0"),
    (lambda: LayerNorm(axis=0), ArgumentError, "axis=0\n.*without the batch"),
    (lambda: LayerNorm((3, 4), axis=1), ArgumentError, r"features=\(3, 4\) along axis=1\n.*one size for each"),
    (lambda: LayerNorm(axis=(1, 2))(tz.ones(2, 3)), AxisError, "LayerNorm: axis 2 of a tensor with 2 axes"),
    (lambda: LayerNorm(axis=(-2, -1))(tz.ones(2, 3)), ArgumentError, "axis 0 is the batch"),
    (lambda: LayerNorm(axis=(1, -1))(tz.ones(2, 3)), ShapeError, "name one axis twice"),
    (lambda: LayerNorm((2, 3))(tz.ones(5, 3, 2)), ShapeError, r"in LayerNorm\(\(2, 3\)\).*\n.*\n.*sizes \(2, 3\)"),
    (lambda: GroupNorm(0), ArgumentError, "groups=0"),
    (lambda: GroupNorm(2)(tz.ones(2, 3)), ShapeError, "3 channels in groups=2"),
    (lambda: GroupNorm(2)(tz.ones(4)), ShapeError, r"\(batch, \.\.\., channels\)"),
    (lambda: InstanceNorm()(tz.ones(2, 3)), ShapeError, r"\(batch, \*sizes, channels\)\n.*LayerNorm"),
    (lambda: RMSNorm(2)(tz.ones(2, 3)), ShapeError, r"shape \(\.\.\., 2\)"),
    (lambda: UnitNorm(3)(tz.ones(2, 3)), AxisError, "UnitNorm: axis 3"),
]


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()


def test_the_gradient_of_batch_norm_is_that_of_its_definition_and_has_gradients():
    rng = np.random.default_rng(0)
    x, weight, bias = (tz.asarray(rng.normal(size=shape)) for shape in ((4, 3, 2), (2,), (2,)))

    def by_layer(x, weight, bias):
        return batch_norm_of_batch(x, weight, bias, epsilon=0.1)

    def defined(x, weight, bias):
        mean, variance = tz.mean(x, (0, 1)), tz.var(x, (0, 1))
        return tz.batch_norm(x, mean, variance, weight, bias, epsilon=0.1), mean, variance

    def steepness(results):
        def loss(*inputs):
            y, mean, variance = results(*inputs)
            return (y ** 3).sum() + (mean * variance ** 2).sum()

        return lambda *inputs: sum(g.square().sum() for g in tz.grad(loss, argnums=(0, 1, 2))(*inputs))

    for ours, exact in zip(by_layer(x, weight, bias), defined(x, weight, bias), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-12, atol=1e-12)
    for argument in range(3):
        found, wanted = (tz.grad(steepness(f), argnums=argument)(x, weight, bias) for f in (by_layer, defined))
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
