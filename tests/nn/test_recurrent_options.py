"""Recurrent layers: masks, states that go in and out, dropout, cells, own cells, both directions."""

import numpy as np
import pytest
from naive import wave

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.nn import GRU, LSTM, RNN, Bidirectional, Dense, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell, StackedRNNCells

LENGTHS = (3, 5, 1)
X = wave(3, 5, 2)
MASK = np.arange(5) < np.array(LENGTHS)[:, None]
KINDS = {"lstm": (LSTM, LSTMCell), "gru": (GRU, GRUCell), "simple": (SimpleRNN, SimpleRNNCell)}
each_kind = pytest.mark.parametrize(("layer", "cell"), KINDS.values(), ids=KINDS)


class Decay(tz.nn.Module):
    """An own cell, whose output is not its state: the state is a pair of tensors of different sizes."""

    def __init__(self):
        self.state_size = (2, (3,))
        self.inner = Dense(3)

    def forward(self, x, state):
        slow, (fast,) = state
        slow, fast = 0.5 * (slow + x), tz.tanh(self.inner(tz.concat([x, fast], 1)))
        return tz.concat([slow, fast], 1), (slow, (fast,))


MAKERS = {
    "lstm": lambda **o: LSTM(4, **o), "gru": lambda **o: GRU(4, **o),
    "simple": lambda **o: SimpleRNN(4, activation="relu", **o), "cell": lambda **o: RNN(GRUCell(4), **o),
    "own cell": lambda **o: RNN(Decay(), **o), "cells": lambda **o: RNN([LSTMCell(3), GRUCell(2)], **o),
    "both directions": lambda reverse=False, **o: Bidirectional(LSTM(4, reverse=reverse, **o)),
    "both, own cell": lambda reverse=False, **o: Bidirectional(RNN(Decay(), reverse=reverse, **o), "mean"),
}
each = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def in_double(layer):
    """The layer, built, with float64 parameters that are no start values."""
    layer(tz.asarray(X.astype(np.float32)))
    for i, (_, x) in enumerate(layer.named_tensors()):
        x.raw = wave(*x.shape, phase=i)
    return layer


def leaves(tree):
    return [x for part in tree for x in leaves(part)] if isinstance(tree, tuple) else [tree]


@each
@pytest.mark.parametrize("reverse", [False, True])
def test_padded_sequences_give_what_they_give_without_their_padding(make, reverse):
    layer = in_double(make(return_sequences=True, return_state=True, reverse=reverse))
    last = make(reverse=reverse)
    last(tz.asarray(X.astype(np.float32)))
    for (_, x), (_, y) in zip(last.named_tensors(), layer.named_tensors(), strict=True):
        x.raw = y.raw
    padded = np.where(MASK[..., None], X, 7.0)
    y, state = layer(tz.asarray(padded), mask=MASK)
    final = last(tz.asarray(padded), mask=MASK)
    for i, length in enumerate(LENGTHS):
        alone, own_state = layer(tz.asarray(X[i:i + 1, :length]))
        np.testing.assert_allclose(y[i, :length].detach(), alone[0].detach(), rtol=1e-13, atol=1e-15)
        assert not y[i, length:].detach().numpy().any()
        for ours, theirs in zip(leaves(state), leaves(own_state), strict=True):
            np.testing.assert_allclose(ours[i].detach(), theirs[0].detach(), rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(final[i].detach(), last(tz.asarray(X[i:i + 1, :length]))[0].detach(), rtol=1e-13,
                                   atol=1e-15)


@each
def test_padding_has_no_gradient_and_weights_have_that_of_the_steps(make):
    layer = in_double(make(return_sequences=True, return_state=True))
    weight = wave(3, 5, 20)

    def loss(x, mask, rows, length):
        y, state = layer(x, mask=mask)
        y = (y * tz.asarray(weight[rows, :length, :y.shape[-1]])).sum()
        return y + sum((s * tz.asarray(wave(3, s.shape[-1], phase=5)[rows])).sum() for s in leaves(state))

    x = tz.asarray(np.where(MASK[..., None], X, 7.0)).requires_grad_()
    loss(x, MASK, slice(None), 5).backward()
    together = [p.grad.numpy() for p in layer.parameters()]
    assert not x.grad.numpy()[~MASK].any()
    for p in layer.parameters():
        p.grad = None
    for i, length in enumerate(LENGTHS):
        one = tz.asarray(X[i:i + 1, :length]).requires_grad_()
        loss(one, None, slice(i, i + 1), length).backward()
        np.testing.assert_allclose(x.grad[i, :length], one.grad[0], rtol=1e-12, atol=1e-14)
    for whole, p in zip(together, layer.parameters(), strict=True):
        np.testing.assert_allclose(whole, p.grad, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("function", ["lstm", "gru"])
def test_derivatives_of_second_order_with_a_mask_are_those_of_cells(function):
    gates, states = (4, 2) if function == "lstm" else (3, 1)
    inputs = [tz.asarray(wave(*s, phase=i)) for i, s in enumerate([(3, 5, 2), *[(3, 2)] * states, (2, 2 * gates),
                                                                  (2, 2 * gates), (2 * gates,)])]

    def fused(x, *rest):
        y, last = getattr(tz, function)(x, *rest, mask=MASK)
        return tz.concat([y.flatten(), *[s.flatten() for s in leaves(last)]])

    def by_steps(x, *rest):
        now, weights, outputs = rest[:states], rest[states:], []
        for t in range(5):
            new = leaves(getattr(tz, f"{function}_cell")(x[:, t], *now, *weights))
            here = tz.asarray(MASK[:, t:t + 1])
            now = [tz.where(here, a, b) for a, b in zip(new, now, strict=True)]
            outputs.append(tz.where(here, now[0], 0))
        return tz.concat([tz.stack(outputs, 1).flatten(), *[s.flatten() for s in now]])

    def slopes(f):
        argnums = tuple(range(len(inputs)))
        first = tz.grad(lambda *xs: (f(*xs) * tz.asarray(wave(f(*xs).size, phase=7))).sum(), argnums)
        second = tz.grad(lambda *xs: sum((g * tz.asarray(wave(*g.shape, phase=9))).sum() for g in first(*xs)), argnums)
        return [*first(*inputs), *second(*inputs)]

    for one, other in zip(slopes(fused), slopes(by_steps), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@pytest.mark.native
@each_kind
def test_masks_compiled(layer, cell):
    made = in_double(layer(4, return_sequences=True))
    gradient = tz.value_and_grad(lambda x, mask: tz.square(made(x, mask=mask)).sum())
    eager = gradient(tz.asarray(X), tz.asarray(MASK))
    for one, other in zip(tz.jit(gradient)(tz.asarray(X), tz.asarray(MASK)), eager, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_both_directions_agree_with_torch_on_packed_sequences():
    """torch.nn.GRU(3, 2, bidirectional=True) 2.13 on a packed batch of lengths 3 and 2."""
    layer = Bidirectional(GRU(2, return_sequences=True, return_state=True, in_features=3))
    for i, one in enumerate((layer.forward_layer, layer.backward_layer)):
        one.weight.raw, one.recurrent_weight.raw = wave(3, 6, phase=i), wave(2, 6, phase=1 + i)
        one.bias.raw, one.recurrent_bias.raw = wave(6, phase=2 + i), wave(6, phase=3 + i)
    y, (ahead, back) = layer(tz.asarray(wave(2, 3, 3)), mask=tz.tensor([[True] * 3, [True, True, False]]))
    wanted = [[[-0.27217603, -0.25898609, -0.19017673, 0.42621471], [0.81083326, 0.8072114, 0.86510451, 0.31576328],
               [0.00100984, -0.15649108, -0.11041558, 0.07305862]],
              [[0.47462159, 0.85602037, 0.88393579, 0.45899622], [-0.2369149, 0.24469057, 0.12390336, 0.12496439],
               [0.0, 0.0, 0.0, 0.0]]]
    np.testing.assert_allclose(y.detach(), wanted, atol=1e-8)
    np.testing.assert_allclose(ahead.detach(), [[0.00100984, -0.15649108], [-0.2369149, 0.24469057]], atol=1e-8)
    np.testing.assert_allclose(back.detach(), [[-0.19017673, 0.42621471], [0.88393579, 0.45899622]], atol=1e-8)


def test_simple_rnn_agrees_with_torch():
    """torch.nn.RNN(3, 2) 2.13, from a given state."""
    layer = SimpleRNN(2, return_sequences=True, in_features=3)
    layer.weight.raw, layer.recurrent_weight.raw, layer.bias.raw = wave(3, 2), wave(2, 2, phase=1), wave(2, phase=2)
    y = layer(tz.asarray(wave(2, 3, 3)), initial_state=tz.asarray(wave(2, 2, phase=4)))
    wanted = [[[0.21092147, -0.51867197], [0.7822509, 0.92980205], [0.91335547, -0.73631543]],
              [[0.77351075, 0.5502693], [0.85385211, -0.72309805], [0.96342525, 0.9938813]]]
    np.testing.assert_allclose(y.detach(), wanted, atol=1e-8)


@each_kind
def test_a_cell_step_by_step_is_the_layer(layer, cell):
    over_time, step = in_double(layer(4, return_sequences=True, return_state=True)), cell(4)
    step(tz.ones(1, 2))
    for (_, x), (_, y) in zip(step.named_tensors(), over_time.named_tensors(), strict=True):
        x.raw = y.raw
    outputs, last = over_time(tz.asarray(X))
    state = None
    for t in range(5):
        y, state = step(tz.asarray(X[:, t]), state)
        np.testing.assert_allclose(y.detach(), outputs[:, t].detach(), rtol=1e-13)
    for one, other in zip(leaves(state), leaves(last), strict=True):
        np.testing.assert_allclose(one.detach(), other.detach(), rtol=1e-13)


@each
def test_a_sequence_in_two_parts_with_the_state_handed_on(make):
    layer = in_double(make(return_sequences=True, return_state=True))
    if isinstance(layer, Bidirectional):
        layer = layer.forward_layer
    outputs, last = layer(tz.asarray(X))
    first, state = layer(tz.asarray(X[:, :2]))
    second, end = layer(tz.asarray(X[:, 2:]), initial_state=state)
    np.testing.assert_allclose(tz.concat([first, second], 1).detach(), outputs.detach(), rtol=1e-13)
    for one, other in zip(leaves(end), leaves(last), strict=True):
        np.testing.assert_allclose(one.detach(), other.detach(), rtol=1e-13)


def test_a_row_without_values_leaves_the_state_and_gives_zeros():
    layer = in_double(RNN(Decay(), return_state=True))
    start = tz.ones((3, 2), dtype="float64"), (tz.ones((3, 3), dtype="float64"),)
    y, state = layer(tz.asarray(X), initial_state=start, mask=np.zeros((3, 5), bool))
    assert not y.detach().numpy().any()
    assert all(bool((s == 1).all()) for s in leaves(state))


@pytest.mark.parametrize(("merge", "function"), [
    ("concat", lambda a, b: np.concatenate([a, b], -1)), ("sum", np.add), ("mean", lambda a, b: (a + b) / 2),
    ("mul", np.multiply)])
def test_merges(merge, function):
    layer = Bidirectional(GRU(2, return_sequences=True), merge)
    y = layer(tz.asarray(X.astype(np.float32))).detach().numpy()
    pair = Bidirectional(layer.forward_layer, None, backward_layer=layer.backward_layer)
    one, other = (x.detach().numpy() for x in pair(tz.asarray(X.astype(np.float32))))
    np.testing.assert_allclose(y, function(one, other), rtol=1e-6)


def test_the_two_directions_have_weights_of_their_own_and_are_saved(tmp_path):
    layer = Bidirectional(RNN([GRUCell(2), Decay()], return_sequences=True, reverse=True))
    x = tz.asarray(X.astype(np.float32))
    y = layer(x).detach()
    one, other = layer.forward_layer.cell.cells[0].weight, layer.backward_layer.cell.cells[0].weight
    assert one.tolist() != other.tolist() and not layer.backward_layer._is_reverse
    layer.save(tmp_path / "model")
    np.testing.assert_array_equal(tz.load(tmp_path / "model", custom_objects={"Decay": Decay})(x).detach(), y)


@each
@pytest.mark.parametrize("dtype", ["float64", "float16", "int64"])
def test_inputs_of_other_dtypes(make, dtype):
    layer = make(return_state=True)
    layer(tz.zeros((1, 2, 2)))
    y, state = layer(tz.ones((3, 4, 2), dtype=dtype))
    wanted = tz.float64 if dtype == "float64" else tz.float32
    assert {x.dtype for x in leaves((y, state))} == {wanted}


def test_a_state_of_another_dtype():
    for layer in (GRU(2), SimpleRNN(2), RNN(GRUCell(2))):
        assert layer(tz.ones((1, 3, 2)), initial_state=tz.ones((1, 2), dtype="float64")).dtype is tz.float64


@pytest.mark.parametrize("make", [MAKERS[name] for name in ("simple", "lstm", "own cell", "both directions")])
def test_half_types_train(make):
    model = tz.nn.Sequential([make(), Dense(1)]).compile("sgd", "mse", precision="bfloat16")
    loss = model.fit(X.astype(np.float32), X[:, 0, :1], epochs=1, verbose=0)[-1]["loss"]
    assert np.isfinite(loss)


# Dropout ------------------------------------------------------------------------------------------------------------

@each_kind
def test_dropped_features_and_units_are_the_same_at_all_steps(layer, cell):
    """With factors of 0 or 2 an input of a single feature is all there or not at all, for each sequence."""
    made = layer(1, return_sequences=True, dropout=0.5)
    x = tz.ones((64, 4, 1))
    y = made(x).detach().numpy()
    made.eval()
    there, gone = made(2 * x)[0].detach().numpy(), made(0 * x)[0].detach().numpy()
    is_there = np.isclose(y, there, atol=1e-6).all((1, 2))
    assert (is_there | np.isclose(y, gone, atol=1e-6).all((1, 2))).all()
    assert 16 < is_there.sum() < 48


@each_kind
def test_recurrent_dropout_cuts_the_state_from_the_gates(layer, cell):
    made = in_double(layer(1, return_sequences=True, recurrent_dropout=0.5, reverse=True))
    x = tz.asarray(np.repeat(X[:1], 64, 0))
    y = made(x).detach().numpy()
    np.testing.assert_allclose(y[:, -1], np.repeat(y[:1, -1], 64, 0))  # the first step has a state of zeros
    own = made.recurrent_weight.raw
    made.eval()
    outcomes = []
    for factor in (0, 2):
        made.recurrent_weight.raw = own * factor
        outcomes.append(np.isclose(y, made(x).detach(), atol=1e-9).all((1, 2)))
    assert (outcomes[0] | outcomes[1]).all() and 16 < outcomes[0].sum() < 48


def test_cells_drop_in_training_only():
    cell = LSTMCell(8, dropout=0.5, recurrent_dropout=0.5)
    x = tz.ones((4, 6))
    assert cell(x)[0].tolist() != cell(x)[0].tolist()
    cell.eval()
    assert cell(x)[0].tolist() == cell(x)[0].tolist()


def test_a_network_with_recurrent_dropout_and_both_directions_learns():
    x = np.random.default_rng(0).normal(size=(120, 6, 1)).astype(np.float32)
    y = (x[:, :3].sum((1, 2)) > x[:, 3:].sum((1, 2))).astype(np.int64)
    model = tz.nn.Sequential([Bidirectional(GRU(8, recurrent_dropout=0.1)), Dense(2)])
    model.compile(tz.optim.Adam(lr=0.03), "cross_entropy", ["accuracy"]).fit(x, y, epochs=20, verbose=0, seed=1)
    assert model.evaluate(x, y)["accuracy"] > 0.9


# Misuse -------------------------------------------------------------------------------------------------------------

ONES = tz.ones((2, 4, 3))
MISUSES = {
    "mask of integers": (lambda: GRU(2)(ONES, mask=tz.ones((2, 4), dtype="int64")), DTypeError,
                         r"GRU: a mask of int64\n.*booleans, True where there is a value"),
    "mask of the wrong size": (lambda: RNN(GRUCell(2))(ONES, mask=np.ones((2, 3), bool)), ShapeError,
                               r"RNN: a mask of shape \(2, 3\) for an input of shape \(2, 4, 3\)\n.*shape \(2, 4\)"),
    "one tensor as the state of an LSTM": (lambda: LSTM(2)(ONES, initial_state=tz.zeros((2, 2))), ArgumentError,
                                           r"a state of one tensor for LSTM\n  expected: \(\(batch, 2\), \(batch, 2\)"),
    "a pair as the state of a GRU": (lambda: GRU(2)(ONES, initial_state=(1, 2)), ArgumentError,
                                     r"a state of 2 parts for GRU\n  expected: \(batch, 2\)"),
    "state of the wrong size": (lambda: GRU(2)(ONES, initial_state=tz.zeros((1, 2))), ShapeError,
                                r"a state of shape \(1, 2\) for GRU\n  expected: shape \(2, 2\)"),
    "state of a cell": (lambda: LSTMCell(2)(ONES[:, 0], tz.zeros((2, 2))), ArgumentError, "one tensor for LSTMCell"),
    "sequence for a cell": (lambda: GRUCell(2)(ONES), ShapeError, r"expected: one step of each sequence: "),
    "no sequence for an RNN": (lambda: RNN(GRUCell(2))(ONES[:, 0]), ShapeError, r"sequences: \(batch, time, "),
    "a layer as cell": (lambda: RNN(Dense(3)), ArgumentError, r"a Dense as cell\n.*module with state_size"),
    "no cells": (lambda: StackedRNNCells([]), ArgumentError, "no cells"),
    "rate": (lambda: LSTM(2, recurrent_dropout=1.0), ArgumentError, "rate=1.0"),
    "merge": (lambda: Bidirectional(GRU(2), "add"), ArgumentError, r"merge='add'\n.*\"concat\", \"sum\""),
    "no direction": (lambda: Bidirectional(Dense(2)), ArgumentError, "a Dense in a Bidirectional"),
    "one direction": (lambda: Bidirectional(GRU(2), backward_layer=GRU(2)), ArgumentError, "two layers of the same"),
    "one state for both": (lambda: Bidirectional(GRU(2))(ONES, initial_state=tz.zeros((2, 2))), ArgumentError,
                           "an initial_state that is no pair"),
}


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES.values(), ids=MISUSES)
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()


@each
def test_arrays_of_numpy_are_inputs_too(make):
    layer = make()
    assert np.array_equal(layer(X).numpy(), layer(tz.asarray(X)).numpy())


@pytest.mark.parametrize("make", [GRUCell, LSTMCell, SimpleRNNCell, lambda n: StackedRNNCells([GRUCell(n)])])
def test_arrays_of_numpy_are_steps_of_cells(make):
    cell = make(3)
    assert np.array_equal(cell(X[:, 0])[0].numpy(), cell(tz.asarray(X[:, 0]))[0].numpy())
