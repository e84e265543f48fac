"""`fit`, `evaluate` and `predict`: that they learn, go on, repeat themselves bit by bit, and leave modes alone."""

import numpy as np
import pytest
from helpers import compilations, same_bits
from own_layers import Branches, Scale
from sklearn.datasets import load_digits, load_iris

import tarazu as tz
from tarazu.nn import BatchNorm, Dense, Dropout, Sequential
from tarazu.train.sources.arrays import class_numbers

draw = np.random.default_rng(3)
X = draw.normal(size=(70, 4)).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def classifier(**options):
    model = Sequential([Dense(16, "relu"), Dropout(0.1), Dense(3)])
    return model.compile(**{"optimizer": tz.optim.Adam(lr=0.01), "loss": "cross_entropy", "metrics": ["accuracy"],
                            **options})


def without_seconds(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


def test_history_has_a_column_per_metric():
    history = classifier().fit(X, LABELS, epochs=3, validation_split=0.2, seed=0, verbose=0)
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert all(len(column) == 3 for column in history.history.values())
    assert history.stopped == "epochs" and history.verdict.name and history[-1]["learning_rate"] == pytest.approx(0.01)


def test_the_same_seed_gives_the_same_bits():
    runs = []
    for _ in range(2):
        model = classifier()
        runs.append((model.fit(X, LABELS, epochs=4, validation_split=0.2, seed=5, verbose=0), model))
    (first, a), (second, b) = runs
    assert without_seconds(first) == without_seconds(second)
    assert all(same_bits(x.numpy(), y.numpy()) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert str(first.verdict) == str(second.verdict)
    other = classifier().fit(X, LABELS, epochs=4, validation_split=0.2, seed=6, verbose=0)
    assert without_seconds(other) != without_seconds(first)


def test_the_global_seed_makes_a_run_repeatable_too():
    runs = []
    for _ in range(2):
        tz.random.seed(11)
        runs.append(without_seconds(classifier().fit(X, LABELS, epochs=2, validation_split=0.2, verbose=0)))
    assert runs[0] == runs[1]


def test_a_short_last_batch_costs_one_trace_more_and_a_second_fit_none():
    model = classifier()
    model.fit(X, LABELS, batch_size=16, epochs=2, verbose=0)
    assert model._trainer.train_chunk.traces == 2
    with compilations(exactly=0):
        model.fit(X, LABELS, batch_size=16, epochs=2, verbose=0)


def test_every_row_is_trained_on_once_an_epoch():
    x = np.eye(70, dtype=np.float32)  # each row has a weight of its own
    model = Sequential([Dense(1, bias=False, kernel_initializer="zeros")]).compile(tz.optim.SGD(lr=1.0), "mse")
    model.fit(x, np.ones(70), batch_size=1, epochs=1, verbose=0)
    assert np.unique(model[0].weight.numpy()).tolist() == [2]


def test_fit_again_goes_on():
    halves, whole = classifier(), classifier()
    tz.random.seed(0)
    halves.fit(X, LABELS, epochs=2, verbose=0)
    halves.fit(X, LABELS, epochs=3, verbose=0)
    whole.fit(X, LABELS, epochs=5, verbose=0, seed=0)
    assert int(halves._trainer.optimizer.step_count) == int(whole._trainer.optimizer.step_count) == 15
    assert all(same_bits(x.numpy(), y.numpy()) for x, y in zip(halves.parameters(), whole.parameters(), strict=True))


def test_fit_again_holds_the_same_rows_out():
    model, seen = classifier(), []

    class Watch(tz.train.Callback):
        def on_fit_start(self, run):
            seen.append(run.validation)

    for seed in (None, None, 3):
        model.fit(X, LABELS, validation_split=0.2, callbacks=Watch(), seed=seed, verbose=0)
    assert (seen[0].x == seen[1].x).all() and (seen[0].x == seen[2].x).all()


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], np.eye(3)[LABELS]], ids=["numbers", "column", "one-hot"])
def test_validation_split_keeps_classes_in_proportion(labels):
    class Watch(tz.train.Callback):
        def on_fit_start(self, run):
            self.run = run

    watch = Watch()
    classifier().fit(X, labels, validation_split=0.5, callbacks=watch, seed=1, verbose=0)
    counts = [np.bincount(class_numbers(part.y)) for part in (watch.run.train, watch.run.validation)]
    assert np.abs(counts[0] - counts[1]).max() <= 1
    rows = np.concatenate([watch.run.train.x, watch.run.validation.x])
    assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, X.tolist()))


def test_validation_data_are_scored_as_evaluate_scores_them():
    model = classifier(optimizer=tz.optim.SGD(lr=0.0))
    history = model.fit(X, LABELS, validation_data=(X[:30], LABELS[:30]), verbose=0)
    scores = model.evaluate(X[:30], LABELS[:30])
    assert scores == {"loss": history[-1]["val_loss"], "accuracy": history[-1]["val_accuracy"]}


def test_evaluate_is_the_mean_over_all_rows():
    model = classifier()
    model.fit(X, LABELS, epochs=2, verbose=0)
    logits = model.eval()(tz.asarray(X))
    scores = model.evaluate(X, LABELS, batch_size=32)
    assert scores["loss"] == pytest.approx(tz.nn.cross_entropy(logits, LABELS).item(), rel=1e-6)
    assert scores["accuracy"] == pytest.approx((logits.numpy().argmax(1) == LABELS).mean())


def test_predict_in_batches_is_predict_at_once():
    model = classifier()
    whole = model.predict(X)
    assert whole.shape == (70, 3) and whole.is_leaf and not whole.requires_grad
    np.testing.assert_allclose(model.predict(X, batch_size=16).numpy(), whole.numpy(), rtol=1e-5, atol=1e-6)


def test_dropout_and_batch_norm_rest_outside_of_training_and_modes_come_back():
    model = Sequential([BatchNorm(), Dropout(0.9), Dense(3)]).compile(loss="cross_entropy")
    model.fit(X, LABELS, verbose=0)
    before = model.state_dict()["0.running_mean"].tolist()
    assert model.evaluate(X, LABELS) == model.evaluate(X, LABELS)
    assert (model.predict(X) == model.predict(X)).all()
    assert model.state_dict()["0.running_mean"].tolist() == before
    assert model.training
    model.eval().fit(X, LABELS, verbose=0)
    assert not model.training and not model[1].training


def test_learning_rate_changes_between_fits_without_a_trace():
    model = classifier()
    model.fit(X, LABELS, batch_size=70, verbose=0)
    with compilations(exactly=0):
        model._trainer.optimizer.lr = 0.0
        before = model[0].weight.tolist()
        assert model.fit(X, LABELS, batch_size=70, verbose=0)[-1]["learning_rate"] == 0
    assert model[0].weight.tolist() == before


def test_layers_may_be_added_and_replaced_between_fits():
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    model.predict(X)
    model.add(Dense(2))
    assert model.predict(X).shape == (70, 2)
    model.fit(X, LABELS % 2, verbose=0)
    model.layers[-1] = Dense(5, kernel_initializer="zeros")
    assert model.predict(X).numpy().tolist() == [[0] * 5] * 70
    model.fit(X, LABELS, verbose=0)
    assert (model.layers[-1].bias != 0).all()


def test_frozen_layers_stay_and_an_optimizer_with_parameters_trains_only_these():
    model = classifier()
    model(tz.asarray(X))
    model[0].freeze()
    before = [x.tolist() for x in model.parameters()]
    model.fit(X, LABELS, verbose=0)
    assert [x.tolist() == old for x, old in zip(model.parameters(), before, strict=True)] == [True, True, False, False]
    model[0].freeze(False)
    model.compile(tz.optim.SGD(model[0].parameters(), lr=0.1), "cross_entropy")
    before = [x.tolist() for x in model.parameters()]
    model.fit(X, LABELS, verbose=0)
    assert [x.tolist() == old for x, old in zip(model.parameters(), before, strict=True)] == [False, False, True, True]


def test_own_layers_learn():
    model = Sequential([Branches(8), Scale(), Dense(3)]).compile(tz.optim.Adam(lr=0.02), "cross_entropy", "accuracy")
    history = model.fit(X, LABELS, epochs=40, seed=0, verbose=0)
    assert history[-1]["accuracy"] > 0.9


def test_the_script_of_the_readme(tmp_path):
    digits = load_digits()
    x, y = digits.data / 16, digits.target
    x, x_test, y, y_test = x[:800], x[800:900], y[:800], y[800:900]
    tz.random.seed(0)
    model = Sequential([Dense(128, activation="relu"), Dropout(0.2), Dense(10)])
    model.compile(optimizer="adam", loss="cross_entropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=20, batch_size=64, validation_split=0.2, verbose=0)
    assert history.verdict.name == "about right", history.verdict
    assert model.evaluate(x_test, y_test)["accuracy"] > 0.85
    model.save(tmp_path / "digits.tz")
    assert same_bits(tz.load(tmp_path / "digits.tz").predict(x_test).numpy(), model.predict(x_test).numpy())

    opt = tz.optim.Adam(model.parameters(), lr=1e-3)

    @tz.jit
    def step(x, y):
        opt.zero_grad()
        loss = tz.nn.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        return loss

    x32 = x.astype(np.float32)
    losses = [float(step(x32[:64], y[:64])) for _ in range(20)]
    assert losses[-1] < losses[0] and step.traces == 1


def test_iris():
    x, y = load_iris(return_X_y=True)
    x = (x - x.mean(0)) / x.std(0)
    scores = []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(150)
        train, test = order[:105], order[105:]
        model = Sequential([Dense(16, "relu"), Dense(3)]).compile(tz.optim.Adam(lr=0.01), "cross_entropy", ["accuracy"])
        model.fit(x[train], y[train], epochs=60, batch_size=16, seed=seed, verbose=0)
        scores.append(model.evaluate(x[test], y[test])["accuracy"])
    assert np.median(scores) >= 0.93, scores
