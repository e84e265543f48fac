"""Fits that are repeated with other seeds, rows and models."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.study.experiment.changes import (
    Rate,
    deeper,
    dropout_of,
    mirroring,
    narrower,
    shifting,
    wider,
    with_decay,
    with_dropout,
    without_regularization,
)
from tarazu.study.experiment.experiment import Experiment
from tarazu.study.experiment.remake import decay_of, remade
from tarazu.train.sources.arrays import Arrays

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(90, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


@pytest.fixture(autouse=True)
def numpy_backend():
    tz.set_backend("numpy")
    yield
    tz.set_backend("native")


def build():
    layers = [tz.nn.Dense(8, "tanh"), tz.nn.Dropout(0.1), tz.nn.Dense(2)]
    return tz.nn.Sequential(layers).compile(tz.optim.SGD(lr=0.1, momentum=0.9), "cross_entropy")


ONE = build()


def experiment(make=build, **options):
    options = {"epochs": 3, "batch_size": 16, "validation_data": (X[60:], Y[60:]), **options}
    return Experiment.of(make, X[:60], Y[:60], **options)


def shapes(model):
    model(X[:1])
    return [x.shape for x in model.parameters()]


def test_a_fit_is_the_users_fit_to_the_same_bits():
    tz.random.seed(5)
    one = experiment()
    following = tz.random.normal(()).item()
    tz.random.seed(5)
    fits = [one.fit(seed=seed) for seed in (0, 1, 0)]
    assert tz.random.normal(()).item() == following, "the global generator has moved"
    for seed, fitted in zip((0, 1, 0), fits, strict=True):
        tz.random.seed(seed)
        model = build()
        history = model.fit(X[:60], Y[:60], epochs=3, batch_size=16, validation_data=(X[60:], Y[60:]), seed=seed,
                            verbose=0)
        assert [row["val_loss"] for row in fitted.history.rows] == [row["val_loss"] for row in history.rows]
        loss = model.evaluate(X[60:], Y[60:])["loss"]
        np.testing.assert_allclose(fitted.losses(one.validation).mean(), loss, rtol=1e-6)


def test_the_last_weights_are_kept_where_the_user_keeps_them():
    last = experiment(callbacks=[tz.train.KeepBest(restore=False)], epochs=8).fit(seed=0)
    part = experiment().validation
    assert np.array_equal(last.losses(part), last.losses(part, "last"))
    best = experiment(epochs=8).fit(seed=0)
    assert np.array_equal(best.losses(part), best.losses(part, "best"))
    np.testing.assert_allclose(best.losses(part).mean(), min(row["val_loss"] for row in best.history.rows), rtol=1e-6)


def test_other_rows_and_epochs_have_as_many_steps():
    one = experiment(epochs=4)
    assert one.steps == 16 and one.epochs_for(30) == 8 and one.epochs_for(10_000) == 1
    assert len(one.fit(seed=0, train=one.train.at(slice(30)), epochs=8).history) == 8


@pytest.mark.parametrize(("change", "wanted"), [
    (wider, [(4, 32), (32,), (32, 2), (2,)]), (narrower, [(4, 2), (2,), (2, 2), (2,)]),
    (deeper, [(4, 8), (8,), (8, 8), (8,), (8, 2), (2,)]), (with_dropout, [(4, 8), (8,), (8, 2), (2,)]),
])
def test_changes_of_layers(change, wanted):
    made = change(build())
    assert shapes(made) == wanted
    assert (dropout_of(made) == 0.3) == (change is with_dropout)
    assert made._trainer.given_loss == "cross_entropy" and type(made._trainer.optimizer) is tz.optim.SGD


def test_changes_of_regularization_and_rate():
    assert with_decay(build())._trainer.optimizer.chain[-1].weight_decay.item() == pytest.approx(0.1)
    assert with_decay(with_decay(build())) is None
    plain = without_regularization(with_decay(build()))
    assert dropout_of(plain) == 0 and decay_of(plain._trainer.optimizer) == 0
    assert without_regularization(plain) is None
    assert Rate(0.1)(build())._trainer.optimizer.lr.item() == pytest.approx(0.01)


@pytest.mark.parametrize("change", [mirroring, shifting])
def test_images_are_changed_in_training_only_and_once(change):
    layers = [tz.nn.Flatten(), tz.nn.Dense(2)]
    model = change(tz.nn.Sequential(layers).compile("adam", "cross_entropy"))
    images = DRAW.normal(size=(3, 10, 10, 1)).astype("float32")
    assert not np.array_equal(model(images).numpy(), model(images).numpy())
    model.eval()
    np.testing.assert_array_equal(model(images).numpy(), model[1](images).numpy())
    assert change(model) is None and isinstance(model._trainer.optimizer, tz.optim.Adam)


def test_rows_of_weight_0_do_not_count():
    one = experiment()
    y = one.train.y
    losses = one.fit(seed=0, train=Arrays.of((one.train.x, y, (y == 0).astype("float32"))), epochs=10).losses(one.train)
    assert losses[y == 0].mean() < 0.5 < 1.0 < losses[y == 1].mean()


def test_a_linear_model_gets_a_hidden_layer():
    def linear():
        return tz.nn.Sequential([tz.nn.Dense(2)]).compile("adam", "cross_entropy")

    assert narrower(linear()) is None and with_dropout(linear()) is None
    assert shapes(wider(linear())) == [(4, 64), (64,), (64, 2), (2,)]
    assert shapes(deeper(linear())) == [(4, 32), (32,), (32, 2), (2,)]


def test_a_model_is_made_again_with_new_weights_and_fitted_layers_as_they_are():
    scale = tz.nn.Normalization().adapt(X)
    model = tz.nn.Sequential([scale, tz.nn.Dense(3), tz.nn.Dense(2, in_features=3)])
    optimizer = tz.optim.Adam(lr=tz.optim.cosine_decay(0.1, 10), groups={"*.bias": {"weight_decay": 0}})
    model.compile(optimizer, "cross_entropy")
    model.fit(X, Y, epochs=1, seed=0, verbose=0)
    made = remade(model)
    made(X[:1])
    np.testing.assert_array_equal(made[0](tz.asarray(X[:3])).numpy(), scale(tz.asarray(X[:3])).numpy())
    assert not np.array_equal(made[1].weight.numpy(), model[1].weight.numpy())
    assert made._trainer.optimizer is not model._trainer.optimizer and not made._trainer.optimizer.parameters
    fitted = experiment(model).fit(seed=0)
    assert len(fitted.history) == 3


@pytest.mark.parametrize(("make", "error", "text"), [
    (lambda: 3, TrainingError, "build\\(\\) gave a int"),
    (lambda: ONE, TrainingError, "gave the same layers twice"),
    (lambda: tz.nn.Sequential([tz.nn.Dense(2)]), TrainingError, "is not compiled"),
    (7, TrainingError, "build is a int"),
])
def test_builds_that_are_none(make, error, text):
    with pytest.raises(error, match=text):
        experiment(make)


def test_a_build_that_gives_another_model_each_time():
    widths = iter(range(3, 99))
    with pytest.raises(TrainingError, match="gave another model each time"):
        experiment(lambda: tz.nn.Sequential([tz.nn.Dense(next(widths))]).compile("adam", "cross_entropy"))


def test_too_few_rows():
    with pytest.raises(ArgumentError, match="(?s)5 validation rows.*at least 10"):
        Experiment.of(build, X[:60], Y[:60], validation_data=(X[:5], Y[:5]), epochs=1)


def test_a_diverging_fit_is_told():
    def wild():
        model = tz.nn.Sequential([tz.nn.Dense(8), tz.nn.Dense(1)])
        return model.compile(tz.optim.SGD(lr=1e30), "mse")

    target = X[:, 0]
    one = Experiment.of(wild, X[:60], target[:60], validation_data=(X[60:], target[60:]), epochs=2)
    assert one.fit(seed=0).has_diverged


def test_targets_that_are_all_the_same_are_refused_by_every_study():
    x = np.random.default_rng(0).normal(size=(60, 2)).astype("float32")

    def build():
        return tz.nn.Sequential(tz.nn.Dense(2)).compile("sgd", "cross_entropy")

    for study in (tz.study.learning_curve, tz.study.bias_variance, tz.study.remedies, tz.study.diagnose):
        with pytest.raises(ArgumentError, match="all training rows have the class 0(.|\n)*at least two classes"):
            study(build, x, np.zeros(60, int), epochs=1)


def test_models_that_draw_when_they_are_made_leave_the_generator_as_it_was():
    x = np.random.default_rng(0).normal(size=(60, 2)).astype("float32")

    def build():
        inputs = tz.nn.Input((2,))
        return tz.nn.Model(inputs, tz.nn.Dense(1)(inputs)).compile("sgd", "mse")

    tz.random.seed(5)
    expected = tz.random.normal((2,)).numpy()
    tz.random.seed(5)
    assert not Experiment.of(build, x, x[:, :1], epochs=1).is_sequential
    np.testing.assert_array_equal(tz.random.normal((2,)).numpy(), expected)
