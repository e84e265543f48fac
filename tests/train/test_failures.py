"""Losses and weights that stop being finite: the run ends, says why, and leaves weights that work."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.nn import Dense, Sequential
from tarazu.train import TrainingWarning

draw = np.random.default_rng(3)
X = draw.normal(size=(64, 4)).astype(np.float32)
Y = X @ np.array([1.0, -2.0, 0.5, 0.0], np.float32)


def broken_fit(loss, *, optimizer=None, x=X, y=Y, text, **options):
    tz.random.seed(0)
    model = Sequential([Dense(8, "relu"), Dense(1)]).compile(optimizer or tz.optim.SGD(lr=0.01), loss, ["mae"])
    with pytest.warns(TrainingWarning, match=text) as caught:
        history = model.fit(x, y, **{"epochs": 20, "batch_size": 16, "verbose": 0, **options})
    assert caught[0].filename == __file__
    assert history.stopped == "not finite" and {"loss", "mae", "learning_rate", "seconds"} <= history[-1].keys()
    assert np.isfinite(model.predict(x).numpy()).all()
    assert all(np.isfinite(state.numpy()).all() for state in model._trainer.optimizer.state_dict().values())
    return model, history


@pytest.mark.parametrize("batch_size", [16, 64], ids=["batches", "full batch"])
def test_a_learning_rate_that_is_too_high(batch_size):
    model, history = broken_fit("mse", optimizer=tz.optim.SGD(lr=1e6, momentum=0.9), batch_size=batch_size, epochs=200,
                                text=r"training stopped: .* in epoch \d+, step \d of \d; likely cause: a learning "
                                     r"rate that is too high \(1e\+06\); try a tenth of it, or clip_norm=1.0. The")
    model._trainer.optimizer.lr = 1e-4
    assert np.isfinite(history.verdict and model.evaluate(X, Y)["loss"])


def test_after_a_failure_training_goes_on_with_a_smaller_rate():
    tz.random.seed(0)
    model = Sequential([Dense(1)]).compile(tz.optim.SGD(lr=1e30, momentum=0.9), "mse")
    with pytest.warns(TrainingWarning):
        model.fit(X, Y, verbose=0, epochs=5)
    model._trainer.optimizer.lr = 0.01
    losses = model.fit(X, Y, verbose=0, epochs=30).history["loss"]
    assert losses[-1] < 0.1 < losses[0]


def test_weights_that_were_huge_before_the_fit():
    model = Sequential([Dense(4, "relu"), Dense(2)]).compile(tz.optim.SGD(lr=1e30), "cross_entropy")
    labels = (X[:, 0] > 0).astype(int)
    model.fit(X * 100, labels, max_steps=1, verbose=0, seed=0)
    with pytest.warns(TrainingWarning, match=r"likely cause: weights as large as \d\.\d+e\+\d\d before training "
                                             r"began, as a learning rate .* and try a smaller rate than 1e\+30\. The"):
        model.fit(X * 100, labels, verbose=0, seed=0)


class NoNumber(tz.nn.Module):
    """A model that gives NaN in evaluation."""

    def __init__(self):
        self.dense = Dense(1)

    def forward(self, x):
        y = self.dense(x)
        return y if self.training else y * np.nan


def test_a_validation_loss_that_is_no_number_is_warned_of_once():
    model = NoNumber().compile("adam", "mse")
    with pytest.warns(TrainingWarning, match="the validation loss was nan after epoch 1, although the training loss "
                                             "was") as caught:
        history = model.fit(X, Y, epochs=3, validation_data=(X, Y), verbose=0, seed=0)
    assert len(caught) == 1 and caught[0].filename == __file__ and history.stopped == "epochs"
    assert str(history.verdict).startswith("undecided: the training loss is a number, and the loss in "
                                           "evaluation is not")
    assert "evaluation alone" in str(history.verdict) and "smaller learning rate" not in str(history.verdict)


def test_values_that_are_too_large():
    broken_fit("mse", optimizer=tz.optim.SGD(lr=0.1), x=X * 1e6, epochs=100,
               text=r"values as large as \d\.\d+e\+06 in the data; scale inputs and targets \(tz.data.Standardizer\)")


def test_the_logarithm_of_nothing():
    def loss(prediction, target):
        return tz.log(tz.relu(prediction[:, 0]) * 0).mean()

    broken_fit(loss, text="the loss was -inf in epoch 1, step 1 of 4; likely cause: an operation such as log")


def test_the_root_of_nothing():
    def loss(prediction, target):
        return tz.sqrt(prediction[:, 0] * 0).mean()

    broken_fit(loss, text=r"likely cause: an operation whose gradient is infinite, such as sqrt\(0\)")


def test_with_validation_the_best_weights_are_back():
    _, history = broken_fit("mse", optimizer=tz.optim.SGD(lr=lambda step: tz.where(step < 20, 0.01, 1e20)),
                                epochs=40,
                                validation_split=0.25, text="likely cause: a learning rate that is too high")
    assert len(history) >= 1 and history.measurements["kept_epoch"] == history.best_epoch()
    assert history.measurements["non_finite_samples"] == 0


def test_a_failure_in_the_last_step_of_a_run_is_seen():
    broken_fit("mse", optimizer=tz.optim.SGD(lr=lambda step: tz.where(step < 3, 0.01, np.inf)), epochs=1,
               text="a weight became infinite or NaN in epoch 1, step 4 of 4")


def test_the_row_of_the_epoch_that_broke_off_has_what_was_recorded(tmp_path, capsys):
    def loss(prediction, target):
        return tz.sqrt(prediction[:, 0] * 0 - target).mean()

    log = tz.train.CSVLog(tmp_path / "log.csv")
    _, history = broken_fit(loss, y=np.ones(64), callbacks=log, verbose=2,
                            text="the loss was nan in epoch 1, step 1 of 4; .*tz.debug_nans")
    (row,) = history.rows
    assert row["epoch"] == 1 and np.isnan(row["loss"]) and np.isfinite(row["mae"])
    assert "epoch 1" in str(history.verdict)
    assert (tmp_path / "log.csv").read_text().splitlines()[1].split(",")[2] == "nan"
    assert "  loss nan  mae " in capsys.readouterr().out


def test_the_row_of_a_later_epoch_that_broke_off():
    rate = tz.optim.SGD(lr=lambda step: tz.where(step < 6, 0.01, 1e30))
    _, history = broken_fit("mse", optimizer=rate, validation_data=(X, Y),
                            text=r"in epoch 2, step 4 of 4; likely cause: a learning rate")
    assert len(history) == 2 and not np.isfinite(history[1]["loss"]) and "val_loss" not in history[1]
    assert history.best_epoch() == history.measurements["kept_epoch"] == 1


def test_weights_that_are_not_finite_before_the_fit():
    model = Sequential([Dense(1, in_features=4)]).compile("sgd", "mse")
    model.load_state_dict({"0.weight": np.full((4, 1), np.nan, np.float32), "0.bias": np.zeros(1, np.float32)})
    with pytest.warns(TrainingWarning, match="NaN or infinite before training began, in 0.weight; make the model anew"):
        assert len(model.fit(X, Y, epochs=2, verbose=0)) == 1
