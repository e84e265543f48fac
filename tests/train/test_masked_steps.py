"""Losses and metrics of sequences with a mask: steps of padding do not count, in fit, evaluate and the verdict."""

import functools

import numpy as np
import pytest
from own_layers import WAYS_TO_WRITE, Chain

import tarazu as tz
from tarazu.nn import GRU, Dense, Embedding, Input, Model, Module, Sequential
from tarazu.train import Checkpoint, TrainingWarning

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(1, 7, 24)
VALID = np.arange(6) < LENGTHS[:, None]
TOKENS = np.where(VALID, RNG.integers(1, 9, (24, 6)), 0)
CLASSES = (TOKENS > 4).astype(np.int64)
WEIGHTS = RNG.random(24).astype(np.float32)


each_kind = pytest.mark.parametrize("kind", WAYS_TO_WRITE.values(), ids=WAYS_TO_WRITE)


def tagger(kind=Sequential, classes=2):
    tz.random.seed(0)
    return kind([Embedding(9, 4, padding_idx=0, mask=True), GRU(4, True, in_features=4), Dense(classes, in_features=4)])


def padded(extra):
    more = [(0, 0), (0, extra)]
    return np.pad(TOKENS, more), np.pad(np.where(VALID, CLASSES, 1), more, constant_values=1)


def last(history):
    return {name: value for name, value in history[-1].items() if name != "seconds"}


@each_kind
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weights"])
def test_further_padding_changes_nothing(kind, weights):
    results = []
    for extra in (0, 3):
        model = tagger(kind).compile("adam", "cross_entropy", metrics=["accuracy", "auc"])
        x, y = padded(extra)
        history = model.fit(x, y, epochs=1, batch_size=8, verbose=0, seed=3, sample_weight=weights,
                            validation_data=(x, y))
        results.append([last(history), model.evaluate(x, y, sample_weight=weights)])
    for before, after in zip(*results, strict=True):
        assert before == pytest.approx(after, rel=1e-5)


class Shifted(Module):
    """Tags of all steps but the last."""

    def __init__(self):
        self.tagger = tagger()

    def forward(self, x):
        embedding, recurrent, dense = self.tagger
        return dense(recurrent(embedding(x)))[:, :-1]


def test_padding_does_not_count_where_the_model_cuts_the_time():
    results = []
    for extra in (0, 3):
        x, y = padded(extra + 1)
        results.append(Shifted().compile("adam", "cross_entropy", metrics=["accuracy"]).evaluate(x, y[:, :-1]))
    assert results[0] == pytest.approx(results[1], rel=1e-5)


@each_kind
def test_losses_and_metrics_are_those_of_the_steps_with_values(kind):
    """`evaluate` of padded rows gives the losses and metrics of rows that are the steps with values."""
    model = tagger(kind).compile("sgd", "cross_entropy", metrics=["accuracy", "precision", "auc"])
    x, y = padded(2)
    made = model.evaluate(x, y)
    steps = model.predict(x)[:, :6].numpy()[VALID]
    each = tz.nn.cross_entropy(tz.asarray(steps), tz.asarray(CLASSES[VALID])).item()
    want = Sequential([Dense(2, in_features=2, kernel_initializer=lambda *_: tz.tensor(np.eye(2, dtype=np.float32)))])
    want.compile("sgd", "cross_entropy", metrics=["accuracy", "precision", "auc"])
    assert made == pytest.approx(want.evaluate(steps, CLASSES[VALID]), rel=1e-5)
    assert made["loss"] == pytest.approx(each, rel=1e-5)


def test_metrics_of_a_step_are_those_of_evaluate():
    """What fit records before its only step is what evaluate gives for the same weights."""
    x, y = padded(0)
    names = ["accuracy", "f1", "auc", "confusion", "cross_entropy"]
    model = tagger().compile(tz.optim.SGD(lr=0.0), "cross_entropy", metrics=names)
    want = model.evaluate(x, y)
    row = last(model.fit(x, y, epochs=1, batch_size=24, verbose=0))
    assert {name: row[name] for name in want if name != "auc"} == pytest.approx(
        {name: value for name, value in want.items() if name != "auc"}, rel=1e-5)
    assert row["auc"] == pytest.approx(want["auc"], abs=0.02)  # of a histogram


def test_weights_of_one_change_nothing():
    x, y = padded(1)
    model = tagger().compile("sgd", "cross_entropy")
    assert model.evaluate(x, y) == pytest.approx(model.evaluate(x, y, sample_weight=np.ones(24, np.float32)))


def test_gradients_are_those_of_the_steps_with_values():
    x, y = padded(3)
    model = tagger().compile("sgd", "cross_entropy")
    model.compute_loss((tz.asarray(x), tz.asarray(y))).backward()
    got = [p.grad.numpy() for p in model.parameters()]
    for p in model.parameters():
        p.grad = None
    rows = [model(x[i:i + 1, :n])[0] for i, n in enumerate(LENGTHS)]
    tz.nn.cross_entropy(tz.concat(rows), tz.asarray(CLASSES[VALID])).backward()
    for a, p in zip(got, model.parameters(), strict=True):
        np.testing.assert_allclose(a, p.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_several_outputs_have_masks_of_their_own():
    tokens = Input((None,), "int64")
    x = GRU(4, True, in_features=4)(Embedding(9, 4, padding_idx=0, mask=True)(tokens))
    whole = Dense(1, in_features=4)(tz.nn.GlobalAvgPool1D()(x))
    model = Model(tokens, {"tags": Dense(2, in_features=4)(x), "whole": whole})
    model.compile("adam", {"tags": "cross_entropy", "whole": "mse"}, metrics={"tags": ["accuracy"]})
    results = []
    for extra in (0, 2):
        x, y = padded(extra)
        results.append(model.evaluate(x, {"tags": y, "whole": LENGTHS[:, None].astype(np.float32)}))
    assert results[0] == pytest.approx(results[1], rel=1e-5)
    x, y = padded(0)
    model.fit(x, {"tags": y, "whole": LENGTHS[:, None].astype(np.float32)}, epochs=1, verbose=0)


class OneNumber(Module):
    """A number for each step, (batch, time)."""

    def __init__(self):
        self.first, self.last = Embedding(9, 4, padding_idx=0, mask=True), Dense(1, in_features=4)

    def forward(self, x):
        return self.last(self.first(x))[..., 0]


def test_outputs_without_features_keep_the_mask():
    model = OneNumber().compile("sgd", "mse")
    (x, y), (wide, wide_y) = padded(0), padded(3)
    assert model.evaluate(x, y) == pytest.approx(model.evaluate(wide, wide_y), rel=1e-5)


def squares(prediction, target):
    return ((prediction[..., 0] - target) ** 2).mean()


def masked_squares(prediction, target, mask=None):
    return tz.nn.mse(prediction[..., 0], target, mask=mask)


def test_an_own_loss_gets_the_mask_it_takes():
    model = tagger(classes=1).compile("sgd", masked_squares)
    (x, y), (wide, wide_y) = padded(0), padded(3)
    assert model.evaluate(x, y) == pytest.approx(model.evaluate(wide, wide_y), rel=1e-5)
    history = model.fit(x, y, epochs=1, verbose=0, validation_split=0.25)
    assert history.verdict is not None


def test_an_own_loss_that_takes_none_is_warned_of():
    model = tagger(classes=1).compile("sgd", squares)
    with pytest.warns(TrainingWarning, match="the loss squares takes no mask, so the steps of padding count in it"):
        model.fit(*padded(0), epochs=1, verbose=0)


def right_steps(prediction, target, mask=None):
    right = tz.equal(tz.argmax(prediction, -1), target)
    return (right & mask).sum(-1) / mask.sum(-1)


def test_an_own_metric_gets_the_mask_it_takes():
    model = tagger().compile("sgd", "cross_entropy", metrics=[right_steps])
    (x, y), (wide, wide_y) = padded(0), padded(3)
    assert model.evaluate(x, y) == pytest.approx(model.evaluate(wide, wide_y), rel=1e-5)


def test_an_own_metric_that_takes_none_is_warned_of():
    model = tagger(classes=1).compile("sgd", "mse", metrics=[lambda p, t: abs(p[..., 0] - t).mean(-1)])
    with pytest.warns(TrainingWarning, match="the metric '<lambda>' takes no mask, so the steps of padding count"):
        model.fit(*padded(0), epochs=1, verbose=0)


def test_half_precision_keeps_the_mask():
    losses = []
    for extra in (0, 3):
        model = tagger().compile("sgd", "cross_entropy", precision="bfloat16")
        losses.append(model.fit(*padded(extra), epochs=1, verbose=0, seed=1)[-1]["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_options_of_losses_and_masks_go_together():
    loss = functools.partial(tz.nn.cross_entropy, label_smoothing=0.1, ignore_index=1)
    model = tagger().compile("sgd", loss)
    (x, y), (wide, wide_y) = padded(0), padded(3)
    assert model.evaluate(x, y) == pytest.approx(model.evaluate(wide, wide_y), rel=1e-5)


def test_predictions_are_plain_and_whole():
    model = tagger()
    x, _ = padded(3)
    y = model.predict(x)
    assert type(y) is tz.Tensor and y.shape == (24, 9, 2)


@each_kind
def test_saved_models_and_continued_runs_have_the_masks(kind, tmp_path):
    x, y = padded(0)
    wide, wide_y = padded(3)
    if kind is Chain:
        model = tagger(kind).compile("adam", "cross_entropy")
        model.fit(x, y, epochs=1, verbose=0, seed=1)
        other = tagger(kind).compile("adam", "cross_entropy")
        other.load_state_dict(model.state_dict())
    else:
        model = tagger(kind).compile("adam", "cross_entropy")
        model.fit(x, y, epochs=1, verbose=0, seed=1)
        model.save(tmp_path / "model")
        other = tz.load(tmp_path / "model")
        first, second = (m.fit(*data, epochs=1, verbose=0, seed=2)[-1]["loss"]
                         for m, data in ((model, (x, y)), (other, (wide, wide_y))))
        assert first == pytest.approx(second, rel=1e-5)
    assert model.evaluate(x, y) == pytest.approx(other.evaluate(wide, wide_y), rel=1e-5)


def test_a_run_goes_on_from_a_checkpoint(tmp_path):
    rows = []
    for extra in (0, 2):
        folder = tmp_path / str(extra)
        for epochs in (1, 2):
            model = tagger().compile("adam", "cross_entropy", metrics=["accuracy"])
            history = model.fit(*padded(extra), epochs=epochs, verbose=0, seed=1, callbacks=Checkpoint(folder))
        rows.append(last(history))
    assert rows[0] == pytest.approx(rows[1], rel=1e-5)


@pytest.mark.xla
def test_xla_agrees():
    x, y = padded(2)
    model = tagger().compile("sgd", "cross_entropy", metrics=["accuracy"])
    want = model.evaluate(x, y)
    assert model.to("xla").evaluate(x, y) == pytest.approx(want, rel=1e-4)
