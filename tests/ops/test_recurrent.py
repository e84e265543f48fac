"""Recurrent layers: the values of torch, gradients through time, state, and what misuse says."""

import numpy as np
import pytest
from helpers import leaf
from naive import assert_golden, wave

import tarazu as tz
from tarazu.base.errors import ShapeError


def weights(gates):
    return (tz.asarray(wave(3, gates * 2, phase=1)), tz.asarray(wave(2, gates * 2, phase=2)),
            tz.asarray(wave(gates * 2, phase=3)), tz.asarray(wave(gates * 2, phase=4)))


X = tz.asarray(wave(2, 3, 3))
STATES = wave(2, 2, phase=5), wave(2, 2, phase=6)


def test_lstm_agrees_with_torch():
    w_ih, w_hh, b_ih, b_hh = weights(4)
    y, (h, c) = tz.lstm(X, *STATES, w_ih, w_hh, b_ih + b_hh)
    for i, found in enumerate((y, h, c)):
        assert_golden(found, "lstm", i)


def test_gru_agrees_with_torch():
    y, h = tz.gru(X, STATES[0], *weights(3))
    assert_golden(y, "gru", 0)
    assert_golden(h, "gru", 1)


def test_cells_are_the_steps_of_the_layers():
    (w_ih, w_hh, b, _), h, c = weights(4), *map(tz.asarray, STATES)
    outputs = tz.lstm(X, h, c, w_ih, w_hh, b)[0]
    g_own, g = weights(3), h
    rows = tz.gru(X, g, *g_own)[0]
    for t in range(3):
        h, c = tz.lstm_cell(X[:, t], h, c, w_ih, w_hh, b)
        g = tz.gru_cell(X[:, t], g, *g_own)
        np.testing.assert_allclose(outputs[:, t], h, rtol=1e-13)
        np.testing.assert_allclose(rows[:, t], g, rtol=1e-13)


def test_reverse_is_the_turned_sequence():
    w_ih, w_hh, b, _ = weights(4)
    turned = tz.flip(X, 1)
    y, (h, _) = tz.lstm(X, *STATES, w_ih, w_hh, b, reverse=True)
    back, (last, _) = tz.lstm(turned, *STATES, w_ih, w_hh, b)
    np.testing.assert_array_equal(tz.flip(y, 1), back)
    np.testing.assert_array_equal(h, last)
    np.testing.assert_array_equal(tz.flip(tz.gru(X, STATES[0], *weights(3), reverse=True)[0], 1),
                                  tz.gru(turned, STATES[0], *weights(3))[0])


def test_a_sequence_without_steps_gives_the_state_back():
    y, (h, c) = tz.lstm(X[:, :0], *STATES, *weights(4)[:3])
    assert y.shape == (2, 0, 2)
    np.testing.assert_array_equal(h, STATES[0])
    np.testing.assert_array_equal(c, STATES[1])


def test_gradients_go_through_time_and_are_the_same_compiled():
    w_ih, w_hh, b, _ = weights(4)

    def gradients(x, w_hh):
        return tz.grad(lambda x, w: tz.square(tz.lstm(x, *STATES, w_ih, w, b)[1][0]).sum(), (0, 1))(x, w_hh)
    found = gradients(X, w_hh)
    assert (abs(found[0].numpy()).sum((0, 2)) > 0).all()
    for one, other in zip(found, tz.jit(gradients)(X, w_hh), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12)


def test_dtypes_meet():
    y, h = tz.gru(X.astype("float32"), STATES[0], *weights(3)[:2])
    assert y.dtype is h.dtype is tz.float64
    w = leaf(*np.ones((3, 4)))
    assert tz.lstm_cell([[1, 2, 3]], [[0]], [[0]], w, tz.ones(1, 4))[0].dtype is tz.float64


MISUSES = [
    (lambda: tz.lstm(X[0], *STATES, *weights(4)[:2]),
     r"lstm: an input of shape \(3, 3\), weights of shapes \(3, 8\) and \(2, 8\), states of shapes \(2, 2\) and "
     r"\(2, 2\)\n"
     r".*\(batch, time, features\), weights \(features, 4 units\) and \(units, 4 units\).*\n.*transpose"),
    (lambda: tz.lstm(X, STATES[0][:1], STATES[1], *weights(4)[:2]), "lstm: an input"),
    (lambda: tz.lstm_cell(X, *STATES, *weights(4)[:2]), r"lstm_cell: .*\n.*an input \(batch, features\)"),
    (lambda: tz.gru(X, STATES[0], *weights(4)[:2]), r"gru: .*\n.*\(features, 3 units\)"),
    (lambda: tz.gru_cell(X[0], STATES[0], *weights(3)[:2]), "gru_cell: an input"),
]


@pytest.mark.parametrize(("call", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(call, text):
    with pytest.raises(ShapeError, match=text):
        call()
