"""Bilinear and einsum layers, learned slopes and activations by name: values, initial weights, and what misuse says."""

import numpy as np
import pytest
from naive import wave

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn import ACTIVATIONS, Activation, Bilinear, Dense, EinsumDense, PReLU, Sequential, init

X, Y = wave(5, 2, 3), wave(5, 2, 4, phase=2.0)


def test_bilinear_is_a_form_for_each_unit():
    layer = Bilinear(6, bias_initializer="ones")
    layer(tz.asarray(X), tz.asarray(Y))
    layer.weight.raw = wave(3, 4, 6)
    wanted = np.einsum("bti,ijk,btj->btk", X, wave(3, 4, 6), Y) + 1
    np.testing.assert_allclose(layer(tz.asarray(X), tz.asarray(Y)).detach(), wanted, rtol=1e-12, atol=1e-12)


EQUATIONS = {  # an equation, the sizes, the axes of the bias, the shapes of weight and bias
    "heads": ("bti,ihd->bthd", (None, 2, 5), "hd", (3, 2, 5), (2, 5)),
    "back": ("bti,tio->bo", 5, "o", (2, 3, 5), (5,)),
    "over time": ("bti,ts->bsi", (7, None), None, (2, 7), None),
    "bias in time": ("bti,io->bto", (2, 5), "t", (3, 5), (2, 1)),
    "each time its own": ("bti,tio->bto", (None, 5), "to", (2, 3, 5), (2, 5)),
    "ellipsis": ("...i,oi->...o", 5, "o", (5, 3), (5,)),
    "inner ellipsis": ("b...i,io->b...o", 5, None, (3, 5), None),
}


@pytest.mark.parametrize(("equation", "sizes", "bias_axes", "weight", "bias"), EQUATIONS.values(), ids=EQUATIONS)
def test_einsum_dense(equation, sizes, bias_axes, weight, bias):
    layer = EinsumDense(equation, sizes, bias_axes=bias_axes, bias_initializer="ones")
    layer(tz.asarray(X))
    assert layer.weight.shape == weight and (layer.bias.shape if bias else None) == bias
    layer.weight.raw = wave(*weight)
    wanted = np.einsum(equation, X, wave(*weight)) + (1 if bias else 0)
    np.testing.assert_allclose(layer(tz.asarray(X)).detach(), wanted, rtol=1e-12, atol=1e-12)


def test_the_weight_of_an_einsum_starts_by_the_axes_that_are_summed():
    tz.random.seed(1)
    layer = EinsumDense("btf,hfd->bthd", (None, 4, 100), kernel_initializer="lecun_normal")
    layer(tz.ones(1, 2, 400))
    assert layer.weight.shape == (4, 400, 100)
    assert layer.weight.std().item() == pytest.approx(0.05, rel=0.02)  # 400 inputs for each output
    same = EinsumDense("bf,of->bo", 3, kernel_initializer=init.identity())
    assert same(tz.tensor([[1.0, 2.0, 3.0]])).tolist() == [[1, 2, 3]]


def test_einsum_dense_is_dense():
    dense, layer = Dense(4, "tanh", in_features=3), EinsumDense("bi,io->bo", 4, "tanh", "o")
    x = tz.asarray(X[:, 0].astype(np.float32))
    layer(x)
    layer.load_state_dict(dense.state_dict())
    np.testing.assert_allclose(layer(x).detach(), dense(x).detach(), rtol=1e-6)


def test_learned_slopes():
    layer = PReLU(3, initial=0.5)
    with tz.no_grad():
        layer.weight.copy_([0.5, 2.0, -1.0])
    assert layer(tz.tensor([[-2.0, -2.0, -2.0], [2.0, 2.0, 2.0]])).tolist() == [[-1, -4, 2], [2, 2, 2]]
    one = PReLU(shared=True)
    assert one(tz.tensor([[-2.0, 2.0]])).tolist() == [[-0.5, 2]] and one.weight.shape == (1,)


@pytest.mark.parametrize("name", ["hard_sigmoid", "hard_swish", "hard_tanh", "log_sigmoid", "mish", "relu6", "selu",
                                  "softsign", "softmin", "glu", "celu", "hard_shrink", "soft_shrink",
                                  "tanh_shrink"])
def test_activations_by_name_are_the_functions(name):
    x = tz.asarray(4 * wave(3, 4))
    assert bool((Activation(name)(x) == getattr(tz, name)(x)).all())
    assert ACTIVATIONS[name] is getattr(tz, name)


def test_an_activation_by_name_is_saved(tmp_path):
    model = Sequential([Dense(4, "mish", in_features=3), Activation("glu")])
    model.save(tmp_path / "model")
    assert repr(tz.load(tmp_path / "model")) == repr(model)


MISUSES = {
    "units": (lambda: Bilinear(0), ArgumentError, "units=0"),
    "one size": (lambda: Bilinear(2, in_features=(3, 4, 5)), ArgumentError, r"in_features=\(3, 4, 5\)"),
    "swapped": (lambda: Bilinear(2, in_features=(4, 3))(tz.asarray(X), tz.asarray(Y)), ShapeError,
                r"\(5, 2, 3\) and \(5, 2, 4\)\n  expected: 4 and 3 features"),
    "scalar": (lambda: Bilinear(2)(tz.tensor(1.0), tz.ones(2)), ShapeError, "a scalar as input"),
    "form": (lambda: EinsumDense("bi->bo", 3), ArgumentError, "the equation 'bi->bo'\n.*input,weight->output"),
    "batch in the weight": (lambda: EinsumDense("bi,bio->bo", 3), ArgumentError, "the weight lacks it"),
    "no batch": (lambda: EinsumDense("bi,io->o", 3), ArgumentError, "begin with the batch"),
    "unknown letter": (lambda: EinsumDense("bi,io->bx", 3), ArgumentError, "the equation 'bi,io->bx'"),
    "twice": (lambda: EinsumDense("bii,io->bo", 3), ArgumentError, "a letter for each axis"),
    "sizes": (lambda: EinsumDense("bti,io->bto", 3), ArgumentError, "output_shape=3 .*\n.*for each of t, o"),
    "no size": (lambda: EinsumDense("bi,io->bo", (None,))(tz.ones(2, 3)), ArgumentError, "no size for axis 'o'"),
    "bias": (lambda: EinsumDense("bi,io->bo", 3, bias_axes="b"), ArgumentError, "bias_axes='b'"),
    "other size": (lambda: EinsumDense("bti,io->bto", (9, 3))(tz.asarray(X)), ShapeError, "the size 9 for axis 't'"),
    "axes": (lambda: EinsumDense("bti,io->bto", (None, 3))(tz.ones(2, 3)), ShapeError, "expected: the axes bti"),
    "later size": (lambda: later(EinsumDense("bi,io->bo", 3)), ShapeError, "in EinsumDense"),
    "slopes": (lambda: PReLU(2)(tz.ones(2, 3)), ShapeError, r"shape \(\.\.\., 2\)"),
    "slope": (lambda: PReLU(initial="zeros"), ArgumentError, "value='zeros'"),
    "name elsewhere": (lambda: Dense(2, "swish"), ArgumentError, "here it is 'silu'"),
    "layer": (lambda: Activation("PReLU"), ArgumentError, r"a layer of its own, tz.nn.PReLU\(\)"),
    "name": (lambda: Activation("hardswish"), ArgumentError, "did you mean 'hard_swish'"),
}


def later(layer):
    layer(tz.ones(2, 3))
    return layer(tz.ones(2, 4))


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES.values(), ids=MISUSES)
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
