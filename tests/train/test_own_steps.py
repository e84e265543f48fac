"""Models with a `compute_loss` or a `train_step` of their own."""

import copy

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, TraceError, TrainingError
from tarazu.train import Callback

draw = np.random.default_rng(5)
X = draw.normal(size=(64, 3)).astype(np.float32)
Y = X @ np.float32([[1.0], [-2.0], [0.5]])


class Line(tz.nn.Module):
    """Trained by the default step, by an own loss or by an own step: all the same."""

    def __init__(self, features=3):
        self.dense = tz.nn.Dense(1, in_features=features)

    def forward(self, x):
        return self.dense(x)


class OwnLoss(Line):
    def compute_loss(self, batch):
        x, y = batch
        return tz.nn.mse(self(x), y)


class OwnLossWithMore(Line):
    def compute_loss(self, batch):
        loss = super().compute_loss(batch)
        return {"loss": loss, "largest": tz.abs(self.dense.weight).max(), "is_training": float(self.training)}


class OwnStep(Line):
    def __init__(self, features=3):
        super().__init__(features)
        self.sgd = tz.optim.SGD(self.parameters(), lr=0.1)

    def train_step(self, batch):
        x, y = batch
        self.sgd.zero_grad()
        loss = tz.nn.mse(self(x), y)
        loss.backward()
        self.sgd.step()
        return {"loss": loss}


class DefaultStep(Line):
    def train_step(self, batch):
        return super().train_step(batch)


class Both(OwnStep):
    def compute_loss(self, batch):
        return tz.nn.mse(self(batch[0]), batch[1])


def made(kind, *compiled, **options):
    tz.random.seed(1)
    model = kind()
    return model.compile(*compiled, **options) if compiled or options else model


def fitted(model, epochs=3, **options):
    return model.fit(X, Y, epochs=epochs, batch_size=20, seed=0, verbose=0, **options)


SGD = {"optimizer": "sgd"}
KINDS = {"own loss": (OwnLoss, {}), "own loss by the default": (OwnLossWithMore, {"loss": "mse"}),
         "default step": (DefaultStep, {"loss": "mse"})}


@pytest.mark.parametrize(("kind", "options"), KINDS.values(), ids=KINDS)
def test_the_three_ways_train_alike(kind, options):
    wanted = fitted(made(Line, tz.optim.SGD(lr=0.1), "mse"))
    history = fitted(made(kind, tz.optim.SGD(lr=0.1), **options))
    assert history.history["loss"] == wanted.history["loss"]
    assert history.history["learning_rate"] == wanted.history["learning_rate"]


def test_an_own_step_with_an_optimizer_of_its_own_needs_no_compile():
    wanted = fitted(made(Line, tz.optim.SGD(lr=0.1), "mse"))
    model = made(OwnStep)
    history = fitted(model)
    assert history.history["loss"] == wanted.history["loss"] and model._trainer.train_chunk.traces == 2
    assert history.history["sgd_learning_rate"][0] == pytest.approx(0.1)
    assert str(history.verdict).startswith("undecided: the model has a train_step, and no compute_loss")


def test_what_a_step_returns_is_recorded_in_training_and_in_validation():
    model = made(OwnLossWithMore, tz.optim.SGD(lr=0.1), "mse")
    row = fitted(model, validation_data=(X, Y))[-1]
    assert {"loss", "largest", "val_loss", "val_largest"} < set(row)
    assert row["is_training"] == 1 and row["val_is_training"] == 0
    assert model.evaluate(X, Y) == pytest.approx({"loss": row["val_loss"], "largest": row["val_largest"],
                                                  "is_training": 0.0})


def test_numbers_are_means_over_rows():
    class Rows(Line):
        def compute_loss(self, batch):
            return {"loss": tz.nn.mse(self(batch[0]), batch[1]), "x": batch[0].mean(), "n": float(len(batch[0]))}

    row = fitted(made(Rows, "sgd"))[0]
    assert row["x"] == pytest.approx(X.mean(), abs=1e-6) and row["n"] == pytest.approx((20 * 60 + 4 * 4) / 64)


def test_the_verdict_takes_the_loss_of_each_row():
    wanted = fitted(made(Line, tz.optim.SGD(lr=0.1), "mse"), 30, validation_split=0.25)
    for kind in (OwnLoss, Both):
        history = fitted(made(kind, *([tz.optim.SGD(lr=0.1)] if kind is OwnLoss else [])), 30, validation_split=0.25)
        assert history.measurements["train_loss"] == pytest.approx(wanted.measurements["train_loss"], rel=1e-4)


def test_a_loss_in_which_rows_depend_on_each_other_is_undecided():
    class Correlation(Line):
        def compute_loss(self, batch):
            x, y = batch
            a, b = self(x) - self(x).mean(), y - y.mean()
            return 1 - (a * b).sum() / tz.sqrt((a * a).sum() * (b * b).sum() + 1e-6)

    assert fitted(made(Correlation, "sgd"), validation_split=0.25).verdict.name == "undecided"


def test_a_loss_with_noise_is_judged_by_its_rows():
    class Noisy(Line):
        def compute_loss(self, batch):
            x, y = batch
            return tz.nn.mse(self(x) + 0.1 * tz.random.normal((x.shape[0], 1)), y)

    history = fitted(made(Noisy, tz.optim.SGD(lr=0.1)), 20, validation_split=0.25)
    assert not history.measurements.get("is_batch_loss")


def test_batches_are_any_trees():
    class Tree(Line):
        def compute_loss(self, batch):
            return tz.nn.mse(self(batch["x"]), batch["more"][0])

    wanted = fitted(made(Line, tz.optim.SGD(lr=0.1), "mse"))
    tree = {"x": X, "more": (Y,)}
    history = made(Tree, tz.optim.SGD(lr=0.1)).fit(tree, epochs=3, batch_size=20, seed=0, verbose=0,
                                                   validation_data=tree)
    assert history.history["loss"] == wanted.history["loss"]
    batches = [{"x": X[i:i + 16], "more": (Y[i:i + 16],)} for i in range(0, 64, 16)]
    model = made(Tree, tz.optim.SGD(lr=0.1))
    assert model.fit(batches, epochs=2, verbose=0, validation_data=batches)[-1]["val_loss"] > 0
    assert model.evaluate(batches)["loss"] == pytest.approx(model.evaluate(tree)["loss"], rel=1e-6)


def test_layers_that_wait_for_an_input_are_built_without_a_step():
    class Waiting(tz.nn.Module):
        def __init__(self):
            self.dense = tz.nn.Dense(1, kernel_initializer="zeros")

        def compute_loss(self, batch):
            return tz.nn.mse(self.dense(batch[0]), batch[1])

    history = fitted(made(Waiting, tz.optim.SGD(lr=0.0)))
    assert history[0]["loss"] == pytest.approx(np.square(Y).mean(), rel=1e-5)


@pytest.mark.parametrize("kind", [OwnLoss, OwnStep])
def test_a_schedule_in_epochs_knows_its_epochs(kind):
    schedule = tz.optim.in_epochs(tz.optim.step_decay(0.5, 0.5, every=1))
    model = kind()
    if kind is OwnLoss:
        model.compile(tz.optim.SGD(lr=schedule))
    else:
        model.sgd = tz.optim.SGD(model.parameters(), lr=schedule)
    rate = "learning_rate" if kind is OwnLoss else "sgd_learning_rate"
    history = model.fit(X, Y, epochs=3, batch_size=16, verbose=0)
    assert [row[rate] for row in history] == [0.25, 0.125, 0.0625]  # that of the next step
    with pytest.raises(TrainingError, match="the steps of an epoch are not known"):
        fresh = kind().compile(tz.optim.SGD(lr=schedule))
        if kind is OwnStep:
            fresh.sgd = tz.optim.SGD(fresh.parameters(), lr=schedule)
        fresh.fit(((X, Y) for _ in range(3)), verbose=0)


@pytest.mark.parametrize("returned, text", [(None, "returned None"), ({"kl": tz.ones(())}, '"loss" among them')])
def test_a_loss_that_is_missing_is_said_before_layers_are_built(returned, text):
    class Unbuilt(Line):
        def __init__(self):
            self.dense = tz.nn.Dense(1)

        def compute_loss(self, batch):
            return returned

    with pytest.raises(TrainingError, match=text):
        Unbuilt().compile("sgd").fit(X, Y, verbose=0)


class Gan(tz.nn.Module):
    """A generator of numbers and its critic."""

    def __init__(self):
        self.generator = tz.nn.Sequential([tz.nn.Dense(8, "relu", in_features=2), tz.nn.Dense(3, in_features=8)])
        self.critic = tz.nn.Sequential([tz.nn.Dense(8, "relu", in_features=3), tz.nn.Dense(1, in_features=8)])
        self.d_optimizer = tz.optim.Adam(self.critic.parameters(), lr=0.01)
        self.g_optimizer = tz.optim.Adam(self.generator.parameters(), lr=0.01)

    def train_step(self, x):
        rows = len(x)
        self.d_optimizer.zero_grad()
        fake = self.generator(tz.random.normal((rows, 2))).detach()
        d = (tz.nn.binary_cross_entropy(self.critic(x), tz.ones(rows, 1))
             + tz.nn.binary_cross_entropy(self.critic(fake), tz.zeros(rows, 1)))
        d.backward()
        self.d_optimizer.step()
        self.g_optimizer.zero_grad()
        g = tz.nn.binary_cross_entropy(self.critic(self.generator(tz.random.normal((rows, 2)))), tz.ones(rows, 1))
        g.backward()
        self.g_optimizer.step()
        return {"d_loss": d, "g_loss": g}


def test_several_optimizers_in_one_program_are_as_the_loop_by_hand():
    gan, by_hand = made(Gan), made(Gan)
    history = gan.fit(X, epochs=3, batch_size=64, seed=0, verbose=0)
    tz.random.seed(0)
    step = tz.jit(by_hand.train_step)
    losses = []
    for _ in range(3):
        order = tz.random.permutation(64).numpy()
        losses.append(float(step(tz.asarray(X[order]))["d_loss"]))
    assert history.history["d_loss"] == pytest.approx(losses, rel=1e-5)
    assert gan._trainer.train_chunk.traces == 1 and list(history.history) == [
        "d_loss", "g_loss", "d_optimizer_learning_rate", "g_optimizer_learning_rate"]


@pytest.mark.parametrize("kind", [OwnStep, Gan])
def test_checkpoints_hold_all_optimizers(kind, tmp_path):
    def run(epochs, **options):
        data = (X, Y) if kind is OwnStep else (X,)
        model = made(kind)
        return model.fit(*data, epochs=epochs, batch_size=20, seed=0, verbose=0, **options), model

    whole, model = run(4)
    run(2, callbacks=tz.train.Checkpoint(tmp_path / "run"))
    again, resumed = run(4, callbacks=tz.train.Checkpoint(tmp_path / "run"))
    times = {"seconds"}
    assert [{k: v for k, v in row.items() if k not in times} for row in again.rows] == [
        {k: v for k, v in row.items() if k not in times} for row in whole.rows]
    assert all((a == b).all() for a, b in zip(model.parameters(), resumed.parameters(), strict=True))


def test_gradients_from_before_do_not_matter():
    model = made(OwnStep)
    model.train_step((tz.asarray(X), tz.asarray(Y)))
    assert model.dense.weight.grad is not None
    assert fitted(model)[-1]["loss"] < 1 and model.dense.weight.grad is None


def test_a_step_by_hand_gives_layers_their_size():
    model = tz.nn.Sequential(tz.nn.Dense(1, kernel_initializer="zeros")).compile(tz.optim.SGD(lr=0.1), loss="mse")
    losses = [model.train_step((tz.ones(4, 2), tz.ones(4, 1)))["loss"].item() for _ in range(2)]
    assert losses == pytest.approx([1.0, 0.16])  # 1 - 0.2 * 3 is left of the error


def test_the_first_step_is_none_that_is_compiled():
    """The optimizer's state would be made anew in each call."""
    model = tz.nn.Dense(1, in_features=2).compile(tz.optim.Adam(lr=0.1), loss="mse")
    batch = tz.ones(4, 2), tz.ones(4, 1)
    with pytest.raises(TraceError, match="the optimizer has not seen a parameter yet, so its state is not there"):
        tz.jit(model.train_step)(batch)
    model.train_step(batch)
    assert tz.jit(model.train_step)(batch)["loss"].item() >= 0


def test_a_step_around_that_of_each_model_gives_layers_their_size():
    class Norm(tz.nn.Sequential):
        def train_step(self, batch):
            numbers = super().train_step(batch)
            return numbers | {"norm": tz.sqrt(sum(tz.sum(tz.square(p.grad)) for p in self.parameters()))}

    model = Norm(tz.nn.Dense(1, kernel_initializer="zeros")).compile(tz.optim.SGD(lr=0.1), loss="mse")
    history = model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, seed=0, verbose=0).history
    assert history["loss"] == pytest.approx([1.0, 0.16])
    assert history["norm"] == pytest.approx([2 * 3**0.5, 0.8 * 3**0.5])


def test_a_saved_model_goes_on_with_its_own_optimizers(tmp_path):
    model = made(Gan)
    model.fit(X, epochs=2, batch_size=20, seed=0, verbose=0)
    model.g_optimizer.lr = 0.002
    model.save(tmp_path / "gan")
    again, twin = tz.load(tmp_path / "gan"), copy.deepcopy(model)
    rows = [x.fit(X, epochs=2, batch_size=20, seed=1, verbose=0).history for x in (model, again, twin)]
    assert rows[0] == rows[1] == rows[2] and rows[0]["g_optimizer_learning_rate"][0] == pytest.approx(0.002)


def test_a_half_precision_holds_in_own_steps():
    seen = []

    class Seen(OwnStep):
        def train_step(self, batch):
            seen.append(str(self(batch[0]).dtype))
            return super().train_step(batch)

        def forward(self, x):
            seen.append(f"inside {x.dtype} {self.dense.weight.dtype}")
            return super().forward(x)

    model = made(Seen, precision="bfloat16")
    assert fitted(model, 20)[-1]["loss"] < 0.1
    assert set(seen) == {"inside bfloat16 bfloat16", "float32"} and model.dense.weight.dtype is tz.float32
    half = made(OwnLoss, tz.optim.SGD(lr=0.1), precision="float16")
    assert fitted(half, 20)[-1]["loss"] < 0.1


def test_a_step_that_diverges_leaves_the_last_good_weights():
    for kind, options in ((OwnLoss, [tz.optim.SGD(lr=1e30)]), (OwnStep, [])):
        model = made(kind, *options)
        if kind is OwnStep:
            model.sgd.lr = 1e30
        with pytest.warns(tz.train.TrainingWarning, match="training stopped"):
            history = fitted(model)
        assert history.stopped == "not finite" and np.isfinite(model.dense.weight.numpy()).all()


def test_moving_a_model_moves_its_optimizers():
    model = made(OwnStep)
    model.to("cpu")
    assert model.sgd.lr.device == model.dense.weight.device
    assert list(model.own_optimizers()) == ["sgd"]


class Steps(Callback):
    def __init__(self):
        self.losses = []

    def on_step_end(self, run):
        self.losses.append(run.loss)


def test_callbacks_see_the_loss_of_own_steps():
    steps = Steps()
    fitted(made(OwnStep), 1, callbacks=steps)
    gan = Steps()
    made(Gan).fit(X, batch_size=32, verbose=0, callbacks=gan)
    assert len(steps.losses) == 4 and len(gan.losses) == 2 and np.isfinite(steps.losses + gan.losses).all()


class Returns(Line):
    """A model whose methods return what they are told to."""

    def __init__(self, value):
        super().__init__()
        self.value = value


class ReturnsLoss(Returns):
    def compute_loss(self, batch):
        return self.value(tz.nn.mse(self(batch[0]), batch[1]))


class ReturnsStep(Returns):
    def train_step(self, batch):
        return self.value(super().train_step(batch)["loss"])


WRONG = {
    "no loss": (ReturnsLoss, lambda loss: None, TrainingError, "ReturnsLoss.compute_loss returned None"),
    "no loss in the dict": (ReturnsLoss, lambda loss: {"kl": loss}, TrainingError, "returned 'kl'(.|\n)*\"loss\""),
    "no scalar": (ReturnsLoss, lambda loss: tz.ones(3), TrainingError, "gave a tensor of shape"),
    "nothing": (ReturnsStep, lambda loss: {}, TrainingError, "ReturnsStep.train_step returned a dict"),
    "no number": (ReturnsStep, lambda loss: {"a": tz.ones(2)}, TrainingError, "for 'a' gave a tensor of shape"),
    "a name": (ReturnsStep, lambda loss: {"val_loss": loss}, ArgumentError, "returned 'val_loss', which the history"),
}


@pytest.mark.parametrize(("kind", "value", "error", "text"), WRONG.values(), ids=WRONG)
def test_refusals(kind, value, error, text):
    tz.random.seed(1)
    with pytest.raises(error, match=text):
        fitted(kind(value).compile("sgd", "mse"))


class ForWeights(Line):
    def compute_loss(self, batch):
        x, y, *weight = batch
        losses = tz.nn.mse(self(x), y, reduction="none")
        return (losses * weight[0]).mean() if weight else losses.mean()


WEIGHT = np.linspace(0, 2, 64, dtype=np.float32)
CLASSES = (Y[:, 0] > 0).astype(np.float32)[:, None]


@pytest.mark.parametrize("own", [ForWeights, OwnLossWithMore])
def test_weights_are_a_third_part_of_the_batch(own):
    for options in ({"sample_weight": WEIGHT}, {"sample_weight": WEIGHT, "validation_split": 0.25},
                    {"class_weight": {1: 3.0}, "validation_split": 0.25}, {"class_weight": "balanced"}):
        found, wanted = (made(kind, "sgd", "mse").fit(X, CLASSES, epochs=2, seed=0, verbose=0, **options).history
                         for kind in (own, Line))
        for name in wanted:
            np.testing.assert_allclose(found[name], wanted[name], rtol=1e-5)
    found, wanted = (made(kind, "sgd", "mse").evaluate(X, Y, sample_weight=WEIGHT)["loss"] for kind in (own, Line))
    assert found == pytest.approx(wanted)


class ForThree(Line):
    def compute_loss(self, batch):
        x, y, weight = batch
        return (tz.nn.mse(self(x), y, reduction="none") * weight).mean()


class UnpacksRows(Line):
    def compute_loss(self, batch):
        _, _ = [1, 2, 3]


def test_a_step_that_unpacks_other_parts_than_there_are():
    with pytest.raises(TrainingError, match=r"OwnLoss.compute_loss unpacks 2 values, and the batch has 3: \(x, y, we.*"
                       r"\n.*sample_weight and class_weight add(.|\n)*x, y, \*weight = batch"):
        fitted(made(OwnLoss, "sgd"), sample_weight=WEIGHT)
    with pytest.raises(TrainingError, match=r"OwnStep.train_step unpacks 2 values, and the batch has 3"):
        fitted(made(OwnStep), sample_weight=WEIGHT)
    with pytest.raises(TrainingError, match=r"ForThree.compute_loss unpacks 3 values, and the batch has 2: \(x, y\)\n"):
        made(ForThree, "sgd").fit(X, CLASSES, class_weight={1: 3.0}, validation_split=0.25, verbose=0)
    with pytest.raises(ValueError, match="^too many values to unpack"):  # of a batch of two: another unpacking
        fitted(made(UnpacksRows, "sgd"))
    with pytest.raises(ArgumentError, match=r"another structure(.|\n)*validation_data=\(x, y, weight\)"):
        fitted(made(ForWeights, "sgd"), sample_weight=WEIGHT, validation_data=(X, Y))
    with pytest.raises(ArgumentError, match=r"sample_weight without y\n.*\(x, y, weight\)(.|\n)*fit\(\(x, weight\)\)"):
        made(ForWeights, "sgd").fit(X, sample_weight=WEIGHT, verbose=0)


def test_refusals_of_options():
    with pytest.raises(ArgumentError, match="validation data for a model with a train_step and no compute_loss"):
        fitted(made(OwnStep), validation_split=0.2)
    with pytest.raises(ArgumentError, match="evaluation for a model with a train_step and no compute_loss"):
        made(OwnStep).evaluate(X, Y)
    with pytest.raises(ArgumentError, match="precision='float16' with a train_step"):
        fitted(made(OwnStep, precision="float16"))
    with pytest.raises(ArgumentError, match="metrics for a model with a compute_loss"):
        fitted(made(OwnLossWithMore, "sgd", "mse", ["mae"]))
    with pytest.raises(TrainingError, match="compute_loss of OwnLossWithMore, which was compiled without a loss"):
        fitted(made(OwnLossWithMore, "sgd"))
    with pytest.raises(TrainingError, match="compile\\(\\) without a loss(.|\n)*compute_loss"):
        made(Line, "sgd")
