"""Recurrent layers: torch's values, start values, gradients of first and second order through time, small graphs."""

import numpy as np
import pytest
from naive import assert_golden, wave

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn import GRU, LSTM, Dense, Sequential

X = tz.asarray(wave(2, 3, 3))


def torch_weights(gates):
    return {"weight": wave(3, gates * 2), "recurrent_weight": wave(2, gates * 2, phase=1),
            "bias": wave(gates * 2, phase=2), "recurrent_bias": wave(gates * 2, phase=3)}


def filled(layer, weights):
    for name, array in weights.items():
        getattr(layer, name).raw = array
    return layer


def test_lstm_agrees_with_torch():
    weights = torch_weights(4)
    weights["bias"] = weights["bias"] + weights.pop("recurrent_bias")
    y = filled(LSTM(2, return_sequences=True, in_features=3), weights)(X).detach()
    assert_golden(y, "lstm_layer")
    np.testing.assert_array_equal(filled(LSTM(2, in_features=3), weights)(X).detach(), y[:, -1])


def test_gru_agrees_with_torch():
    y = filled(GRU(2, return_sequences=True, in_features=3), torch_weights(3))(X).detach()
    assert_golden(y, "gru_layer")
    np.testing.assert_array_equal(filled(GRU(2, in_features=3), torch_weights(3))(X).detach(), y[:, -1])


@pytest.mark.parametrize("layer", [LSTM, GRU])
def test_reverse_ends_at_the_first_step(layer):
    weights = layer(2, in_features=3).state_dict()
    def run(**options):
        made = layer(2, in_features=3, **options)
        made.load_state_dict(weights)
        return made(X.astype("float32")).detach().numpy()
    np.testing.assert_array_equal(run(reverse=True), run(reverse=True, return_sequences=True)[:, 0])


def test_start_values():
    layer = LSTM(8, in_features=3)
    assert layer.bias.reshape(4, 8)[:, 0].tolist() == [0, 1, 0, 0]
    w = layer.recurrent_weight.numpy()
    np.testing.assert_allclose(w @ w.T, np.eye(8), atol=1e-5)


def test_a_network_learns_which_half_is_larger():
    x = np.random.default_rng(0).normal(size=(200, 8, 1)).astype(np.float32)
    y = (x[:, :4].sum((1, 2)) > x[:, 4:].sum((1, 2))).astype(np.int64)
    for layer in (LSTM(16), GRU(16)):
        model = Sequential([layer, Dense(2)]).compile(tz.optim.Adam(lr=0.02), "cross_entropy", ["accuracy"])
        model.fit(x, y, epochs=30, verbose=0, seed=1)
        assert model.evaluate(x, y)["accuracy"] > 0.9


# The gradient that the functions bring along ------------------------------------------------------------------------

def lstm(x, h, c, w, u, b, *, reverse=False):
    y, (h, c) = tz.lstm(x, h, c, w, u, b, reverse=reverse)
    return tz.concat([y.flatten(), h.flatten(), c.flatten()])


def gru(x, h, w, u, b, d, *, reverse=False):
    y, h = tz.gru(x, h, w, u, b, d, reverse=reverse)
    return tz.concat([y.flatten(), h.flatten()])


def arrays(*shapes):
    return [tz.asarray(wave(*shape, phase=i)) for i, shape in enumerate(shapes)]


CASES = {"lstm": (lstm, arrays((2, 3, 2), (2, 2), (2, 2), (2, 8), (2, 8), (8,))),
         "gru": (gru, arrays((2, 3, 2), (2, 2), (2, 6), (2, 6), (6,), (6,)))}
each_case = pytest.mark.parametrize(("function", "inputs"), CASES.values(), ids=CASES)


def by_steps(function, x, *rest, reverse=False):
    """The same by cells, whose gradients are those of their primitives."""
    states, weights = rest[:2 if function is lstm else 1], rest[2 if function is lstm else 1:]
    outputs = [None] * x.shape[1]
    for t in reversed(range(x.shape[1])) if reverse else range(x.shape[1]):
        states = (tz.lstm_cell(x[:, t], *states, *weights) if function is lstm
                  else (tz.gru_cell(x[:, t], *states, *weights),))
        outputs[t] = states[0]
    return tz.concat([tz.stack(outputs, 1).flatten(), *[state.flatten() for state in states]])


@each_case
@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_are_those_of_the_cells_to_the_second_order(function, inputs, reverse):
    argnums = tuple(range(len(inputs)))

    def slopes(f):
        def first(*xs):
            gradients = tz.grad(lambda *xs: (f(*xs) * tz.asarray(wave(f(*xs).size, phase=7))).sum(), argnums)(*xs)
            return tz.concat([g.flatten() for g in gradients])
        second = tz.grad(lambda *xs: (first(*xs) * tz.asarray(wave(first(*xs).size, phase=9))).sum(), argnums)
        return [first(*inputs), *second(*inputs)]

    computed = slopes(lambda *xs: function(*xs, reverse=reverse))
    wanted = slopes(lambda *xs: by_steps(function, *xs, reverse=reverse))
    for one, other in zip(computed, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@each_case
def test_gradients_are_the_same_compiled_and_for_many_lanes(function, inputs):
    argnums = tuple(range(len(inputs)))
    gradient = tz.grad(lambda *xs: tz.square(function(*xs)).sum(), argnums)
    wanted = gradient(*inputs)
    for one, other in zip(tz.jit(gradient)(*inputs), wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    lanes = tz.stack([inputs[0], 2 * inputs[0]])
    many = tz.vmap(lambda x: gradient(x, *inputs[1:]))(lanes)
    for one, other, twice in zip(many, wanted, gradient(2 * inputs[0], *inputs[1:]), strict=True):
        np.testing.assert_allclose(one[0], other, rtol=1e-12)
        np.testing.assert_allclose(one[1], twice, rtol=1e-12)


@each_case
def test_forward_derivatives(function, inputs):
    tangents = [tz.asarray(wave(*x.shape, phase=20)) for x in inputs]
    _, slope = tz.jvp(function, tuple(inputs), tuple(tangents))
    high, low = (function(*[x + s * t for x, t in zip(inputs, tangents, strict=True)]).numpy() for s in (1e-6, -1e-6))
    np.testing.assert_allclose(slope, (high - low) / 2e-6, rtol=1e-6, atol=1e-8)


@each_case
def test_the_way_back_is_one_scan_and_one_product_per_weight(function, inputs):
    nodes = tz.trace(lambda *xs: function(*xs), backward=True)(*inputs).counts().nodes
    assert nodes["scan"] == 2 and nodes["sigmoid"] + nodes["tanh"] == (5 if function is lstm else 3)
    forward = tz.trace(lambda *xs: function(*xs))(*inputs)
    (scan,) = [node for node in forward.nodes if getattr(node.op, "name", "") == "scan"]
    assert len(scan.type) == (3 if function is lstm else 2)  # nothing is kept where no gradient is taken


MISUSES = [
    (lambda: LSTM(3)(tz.ones(4, 2)), ShapeError, r"in LSTM\(3\), called with shape \(4, 2\):\n.*\n.*\(batch, time, "),
    (lambda: GRU(3, in_features=2)(tz.ones(4, 2, 5)), ShapeError, r"expected: shape \(..., 2\)"),
    (lambda: LSTM(0), ArgumentError, "units=0"),
    (lambda: GRU(2, recurrent_initializer="orthogonol"), ArgumentError, "did you mean 'orthogonal'"),
]


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
