"""Composites: named calls in graphs, and values and derivatives far out, at -inf and in half precision."""

import numpy as np
import pytest
from helpers import leaf
from scipy import special

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir import op as ops
from tarazu.ops.networks.linear import affine
from tarazu.runtime.trace.trace import trace_function

INF = np.inf
X, IMAGE = tz.ones(2, 4), tz.ones(1, 4, 4, 2)
NAMED = {
    "gelu": lambda: tz.gelu(X), "gelu_tanh": lambda: tz.gelu(X, approximate=True), "silu": lambda: tz.silu(X),
    "mish": lambda: tz.mish(X), "softmax": lambda: tz.softmax(X), "log_softmax": lambda: tz.log_softmax(X),
    "layer_norm": lambda: tz.layer_norm(X, tz.ones(4), tz.zeros(4)), "rms_norm": lambda: tz.rms_norm(X, tz.ones(4)),
    "batch_norm": lambda: tz.batch_norm(X, tz.ones(4), tz.ones(4)),
    "dropout": lambda: tz.dropout(X, 0.5),
    "cross_entropy": lambda: tz.nn.cross_entropy(X, tz.tensor([1, 2])),
    "cross_entropy_of_probabilities": lambda: tz.nn.cross_entropy(X, X / 4),
    "scaled_dot_product_attention": lambda: tz.scaled_dot_product_attention(X, X, X),
    "scaled_dot_product_attention_masked": lambda: tz.scaled_dot_product_attention(X, X, X, mask=tz.ones(2, 2)),
    "max_pool": lambda: tz.max_pool(IMAGE, 2), "average_pool": lambda: tz.average_pool(IMAGE, 2),
    "adaptive_max_pool": lambda: tz.adaptive_max_pool(IMAGE, 2),
    "adaptive_average_pool": lambda: tz.adaptive_average_pool(IMAGE, 2),
    "interpolate_nearest": lambda: tz.interpolate(IMAGE, 2, mode="nearest"),
    "interpolate_linear": lambda: tz.interpolate(IMAGE, 2),
    "lstm_cell": lambda: tz.lstm_cell(X, X, X, tz.ones(4, 16), tz.ones(4, 16))[0],
    "lstm": lambda: tz.lstm(X[None], X[:1], X[:1], tz.ones(4, 16), tz.ones(4, 16))[0],
    "gru_cell": lambda: tz.gru_cell(X, X, tz.ones(4, 12), tz.ones(4, 12)),
    "gru": lambda: tz.gru(X[None], X[:1], tz.ones(4, 12), tz.ones(4, 12))[0],
}


@pytest.mark.parametrize("label", NAMED)
def test_a_backend_finds_it_by_its_name(label):
    graph = trace_function(NAMED[label], []).graph
    assert label in [node.attributes["label"] for node in graph.nodes if node.op is ops.CALL]


def derivatives(function, x, count):
    """The function and its first derivatives at each of `x`."""
    found = [function]
    for _ in range(count):
        found.append(tz.grad(lambda x, before=found[-1]: before(x).sum()))
    return [f(tz.tensor(x, dtype="float64")).numpy() for f in found]


FAR = {"softplus": (0, 1e4, 0, 1), "log_sigmoid": (-1e4, 0, 1, 0), "silu": (0, 1e4, 0, 1), "gelu": (0, 1e4, 0, 1),
       "mish": (0, 1e4, 0, 1), "elu": (-1, 1e4, 0, 1), "sigmoid": (0, 1, 0, 0), "softsign": (-1, 1, 0, 0)}


@pytest.mark.parametrize("name", FAR)
def test_far_out_values_and_two_derivatives_are_the_limits(name):
    found = np.concatenate(derivatives(getattr(tz, name), [-1e4, 1e4], 2))
    np.testing.assert_allclose(found, [*FAR[name], 0, 0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_huge_logits(name):
    x, w = np.array([[1e4, -1e4, 9999.0], [3e38, 3e38, -3e38]]), tz.tensor([1.0, 2.0, 4.0], dtype="float64")
    values = derivatives(lambda x: getattr(tz, name)(x) * w, x, 2)
    np.testing.assert_allclose(values[0], getattr(special, name)(x, -1) * w.numpy())
    assert all(np.isfinite(v).all() for v in values)


def test_masked_logits_have_probability_0_and_no_gradient():
    x = [[0.0, -INF, 1.0], [-INF, -INF, 2.0]]
    p = special.softmax(x, -1)
    values = derivatives(lambda x: tz.square(tz.softmax(x)), x, 2)
    np.testing.assert_allclose(values[0], p**2)
    assert all(np.isfinite(v).all() for v in values)
    assert not values[1][np.isinf(x)].any()
    picked = derivatives(lambda x: tz.log_softmax(x)[:, 2], x, 2)
    np.testing.assert_allclose(picked[1], [0, 0, 1] - p, atol=1e-15)
    assert np.isfinite(picked[2]).all()
    np.testing.assert_allclose(derivatives(lambda x: tz.logsumexp(x, axis=-1), x, 1)[1], p)


def test_rows_of_nothing_but_minus_infinity_stay_alone():
    x = [[-INF, -INF], [0.0, 0.0]]
    assert np.isnan(tz.softmax(x).numpy()).tolist() == [[True, True], [False, False]]
    value, slope = derivatives(lambda x: tz.logsumexp(x, axis=-1), x, 1)
    np.testing.assert_allclose(value, [-INF, np.log(2)])
    np.testing.assert_allclose(slope[1], [0.5, 0.5])


def test_cross_entropy_with_impossible_classes():
    logits = leaf([0.0, -INF, 1.0], [3.0, 1.0, -INF])
    for labels in (tz.tensor([0, 1]), tz.tensor([[1, 0, 0], [0, 1, 0]])):
        logits.grad = None
        loss = tz.nn.cross_entropy(logits, labels, reduction="none")
        np.testing.assert_allclose(loss.numpy(), [np.log(1 + np.e), np.log(1 + np.e**2)])
        loss.sum().backward()
        assert np.isfinite(logits.grad.numpy()).all()
    assert tz.nn.cross_entropy(logits, tz.tensor([1, 1])).item() == INF


def test_cross_entropy_is_exact_where_the_probability_is_almost_1():
    logits = leaf([50.0, 0.0])
    loss = tz.nn.cross_entropy(logits.reshape(1, 2), tz.tensor([0]))
    assert loss.item() == pytest.approx(np.exp(-50), abs=1e-14)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_stays_half_precision(dtype):
    x = tz.tensor([[60000.0, 1.0, -60000.0]], dtype=dtype)
    for function in (tz.softmax, tz.log_softmax, tz.gelu, tz.silu, tz.mish, tz.softplus, tz.selu, tz.hard_swish):
        y = function(x)
        assert str(y.dtype) == dtype
        assert not np.isnan(y.numpy().astype(float)).any()


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda: tz.softplus(1.0, 0), ArgumentError, "softplus: beta=0\n.*above 0"),
    (lambda: tz.celu(1.0, 0), ArgumentError, "celu: alpha=0"),
    (lambda: tz.hard_shrink(1.0, -1), ArgumentError, "hard_shrink: threshold=-1"),
    (lambda: tz.soft_shrink(1.0, -1), ArgumentError, "soft_shrink: threshold=-1"),
    (lambda: tz.group_norm(tz.ones(2, 6), 4), ShapeError, "group_norm: 6 channels in 4 groups"),
    (lambda: tz.group_norm(tz.ones(6), 2), ShapeError, r"group_norm: an input of shape \(6,\)"),
    (lambda: tz.group_norm(tz.ones(2, 6), 0), ArgumentError, "group_norm: groups=0"),
    (lambda: tz.instance_norm(tz.ones(2, 6)), ShapeError, r"instance_norm: an input of shape \(2, 6\)"),
])
def test_misuse_of_activations_and_norms(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_group_norm_of_half_precision_is_computed_in_single():
    x = tz.full((1, 2, 4), 300.0, dtype="float16") + tz.tensor([0.0, 1, 2, 3], "float16")
    found = tz.group_norm(x, 1)
    assert found.dtype is tz.float16
    np.testing.assert_allclose(found[0, 0], np.array([-1.5, -0.5, 0.5, 1.5]) / 1.25**0.5, rtol=2e-3)


def test_misuse():
    with pytest.raises(ShapeError, match=r"glu: axis -1 of shape \(3,\)\n.*even size"):
        tz.glu(tz.ones(3))
    with pytest.raises(ShapeError, match=r"interpolate: an input of shape \(2, 3\)\n.*\(batch, \*sizes, channels\)"):
        tz.interpolate(tz.ones(2, 3), 4)
    with pytest.raises(ArgumentError, match=r"interpolate: mode='sinc' with align_corners=False\n.*\"nearest\""):
        tz.interpolate(IMAGE, 4, mode="sinc")
    with pytest.raises(ArgumentError, match=r"interpolate: sizes=0\n.*at least 1, or 2 of them"):
        tz.interpolate(IMAGE, 0)
    with pytest.raises(ShapeError, match=r"embedding: a table of shape \(3,\)\n.*\(rows, size\)"):
        tz.embedding([0], tz.ones(3))


LINEAR = {"rows": ((3, 4), (4, 5), (5,)), "a vector": ((4,), (4, 5), (5,)), "sequences": ((2, 3, 4), (4, 5), (5,)),
          "no bias": ((3, 4), (4, 5)), "a bias for each row": ((3, 4), (4, 5), (3, 5)),
          "no rows": ((0, 4), (4, 5), (5,))}


@pytest.mark.parametrize("activation", [None, tz.relu, tz.tanh, tz.sigmoid, tz.gelu])
@pytest.mark.parametrize("shapes", LINEAR.values(), ids=LINEAR)
def test_a_linear_map_and_its_activation_have_two_derivatives_as_single_operations_do(shapes, activation):
    rng = np.random.default_rng(0)
    values = [tz.tensor(rng.normal(size=shape)) for shape in shapes]

    def single_operations(x, weight, bias=0.0):
        y = x @ weight + bias
        return y if activation is None else activation(y)

    for x, weight, *bias in ([x.astype(dtype) for x in values] for dtype in ("float64", "float32", "float16")):
        for order in range(3):
            found = [_derivatives(function, order, x, weight, *bias)
                     for function in (lambda *inputs: affine(*inputs, activation=activation), single_operations)]
            for actual, expected in zip(*found, strict=True):
                assert actual.dtype is expected.dtype is x.dtype
                limit = {"float64": 1e-12, "float32": 1e-4, "float16": 5e-2}[str(x.dtype).removeprefix("tarazu.")]
                np.testing.assert_allclose(actual.numpy(), expected.numpy(), rtol=limit, atol=limit)


def _derivatives(function, order, *values):
    """The value of a function, or the gradients of a sum of squares of its derivatives of the order before."""
    if order == 0:
        return [function(*values)]

    def loss(*inputs):
        return sum(x.square().sum() for x in _derivatives(function, order - 1, *inputs))
    return tz.grad(loss, argnums=tuple(range(len(values))))(*values)


def test_a_linear_map_is_one_recorded_operation_unless_users_bring_the_activation():
    x, weight, bias = tz.ones(2, 3), tz.ones(3, 4, requires_grad=True), tz.ones(4)
    assert tz.linear(x, weight, bias).tape_entry.attributes["label"] == "affine"
    y = affine(x, weight, bias, activation=lambda y: y * 2)
    assert y.tape_entry.op is ops.MUL
    np.testing.assert_array_equal(y.detach(), np.full((2, 4), 8.0))


def test_a_linear_map_takes_arrays_and_numbers_as_operators_do():
    x, weight = np.ones((2, 3), np.float16), tz.ones(3, 4, dtype="float16")
    for bias in (0.5, np.full(4, 0.5, np.float16)):
        y = tz.linear(x, weight, bias)
        assert y.dtype is tz.float16 and y.tolist() == [[3.5] * 4] * 2
