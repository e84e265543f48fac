"""Options of all optimizers: averaged gradients, evaluation weights, clipping, constraints; alone and in fits."""

import numpy as np
import pytest
from helpers import compilations, same_bits

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.optim import SGD, Adam, AdamW, ScheduleFreeAdamW

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(64, 3)).astype(np.float32)
Y = (X @ [[1.0], [-2.0], [0.5]]).astype(np.float32)


def weights(count=3):
    return tz.tensor(np.arange(1.0, count + 1), "float32", requires_grad=True)


def push(optimizer, w, *gradients, is_jitted=False):
    def step(g):
        optimizer.apply_gradients([(g, w)])

    run = tz.jit(step) if is_jitted else step
    for gradient in gradients:
        run(tz.asarray(np.asarray(gradient, np.float32)))
    return w.detach().numpy()


@pytest.mark.parametrize("is_jitted", [False, True])
def test_gradients_are_averaged_for_one_update(is_jitted):
    gradients = DRAW.normal(size=(6, 3))
    w, v = weights(), weights()
    optimizer = Adam([w], lr=0.1, accumulate_steps=3, weight_decay=0.1)
    before = w.numpy()
    with compilations(exactly=int(is_jitted)):
        assert same_bits(push(optimizer, w, *gradients[:2], is_jitted=is_jitted), before)
    push(optimizer, w, *gradients[2:], is_jitted=is_jitted)
    push(Adam([v], lr=0.1, weight_decay=0.1), v, gradients[:3].mean(0), gradients[3:].mean(0))
    np.testing.assert_allclose(w.numpy(), v.numpy(), rtol=1e-6)
    assert int(optimizer.step_count) == 2


def test_a_saved_state_goes_on_in_the_middle_of_a_mean():
    gradients = DRAW.normal(size=(3, 3))
    w, v = weights(), weights()
    first, second = (SGD([x], lr=0.1, accumulate_steps=3, ema=0.5) for x in (w, v))
    push(first, w, *gradients[:2])
    second.load_state_dict(first.state_dict())
    push(first, w, gradients[2])
    push(second, v, gradients[2])
    assert same_bits(w.numpy(), v.numpy()) and w.tolist() != weights().tolist()


def test_fit_with_averaged_gradients_is_fit_with_larger_batches():
    def trained(batch, **options):
        tz.random.seed(0)
        model = tz.nn.Sequential([tz.nn.Dense(1, in_features=3)]).compile(SGD(lr=0.1, **options), loss="mse")
        history = model.fit(X, Y, epochs=3, batch_size=batch, seed=0, verbose=0)
        return model[0].weight.detach().numpy(), history

    small, _ = trained(8, accumulate_steps=4)
    large, _ = trained(32)
    np.testing.assert_allclose(small, large, rtol=1e-5)


def test_averaged_gradients_in_mixed_precision():
    model = tz.nn.Sequential([tz.nn.Dense(1, in_features=3)])
    model.compile(SGD(lr=0.1, accumulate_steps=2, ema=0.5), loss="mse", precision="float16")
    history = model.fit(X, Y, epochs=20, batch_size=16, seed=0, verbose=0)
    assert history[-1]["loss"] < 0.02


def test_the_mean_of_weights_follows_them():
    w = weights(1)
    optimizer = SGD([w], lr=1.0, ema=0.75)
    mean = 1.0
    for _ in range(3):
        push(optimizer, w, [1.0])
        mean = 0.75 * mean + 0.25 * w.item()
        assert optimizer.evaluation_weights()[0].item() == pytest.approx(mean)
    with optimizer.evaluating():
        assert w.item() == pytest.approx(mean)
        optimizer.use_evaluation_weights()
        with optimizer.evaluating():
            assert w.item() == pytest.approx(mean)
    assert w.item() == -2.0
    with optimizer.evaluating():
        w.requires_grad_(False).copy_(5.0)  # what is changed in the block stays
    assert w.item() == 5.0


class Seen(tz.train.Callback):
    """Keeps what callbacks see at the ends of epochs, and what was trained before."""

    def __init__(self):
        self.shown, self.trained = [], []

    def on_chunk_end(self, run):
        self.last = run.model[0].weight.detach().numpy()

    def on_epoch_end(self, run):
        self.shown.append(run.model[0].weight.detach().numpy())
        self.trained.append(self.last)


def averaging(**options):
    tz.random.seed(0)
    model = tz.nn.Sequential([tz.nn.Dense(1, in_features=3)])
    return model.compile(SGD(lr=0.05, ema=0.9), loss="mse", **options)


def test_evaluation_reads_the_means_and_training_goes_on_from_the_weights():
    model, plain, seen, seen_plain = averaging(), averaging(), Seen(), Seen()
    plain.compile(SGD(lr=0.05), loss="mse")
    history = model.fit(X, Y, epochs=3, batch_size=16, validation_data=(X, Y), seed=0, callbacks=seen, verbose=0)
    plain.fit(X, Y, epochs=3, batch_size=16, validation_data=(X, Y), seed=0, callbacks=seen_plain, verbose=0)
    assert all(same_bits(x, y) for x, y in zip(seen.trained, seen_plain.trained, strict=True))  # are not disturbed
    for row, w in zip(history, seen.shown, strict=True):
        assert not same_bits(w, seen.trained[row["epoch"] - 1])
    assert same_bits(model[0].weight.detach().numpy(), seen.shown[-1])  # the best epoch is the last one
    assert model.evaluate(X, Y)["loss"] == pytest.approx(history[-1]["val_loss"])
    assert history.measurements or history.verdict


def test_the_next_fit_trains_on_from_the_trained_weights():
    once, twice = averaging(), averaging()
    once.fit(X, Y, epochs=2, batch_size=64, seed=0, verbose=0)
    for _ in range(2):
        twice.fit(X, Y, epochs=1, batch_size=64, seed=0, verbose=0)
    np.testing.assert_allclose(once[0].weight.detach().numpy(), twice[0].weight.detach().numpy(), rtol=1e-6)


def test_checkpoints_keep_both_and_resume_to_the_same_bits(tmp_path):
    def train(epochs, folder):
        model = averaging()
        model.fit(X, Y, epochs=epochs, batch_size=16, validation_data=(X, Y), seed=0, verbose=0,
                  callbacks=tz.train.Checkpoint(folder))
        return model[0].weight.detach().numpy()

    whole = train(4, tmp_path / "whole")
    train(2, tmp_path / "part")
    assert same_bits(train(4, tmp_path / "part"), whole)
    assert same_bits(train(4, tmp_path / "part"), whole)  # a finished run, judged again


def test_a_refused_checkpoint_leaves_the_evaluation_weights(tmp_path):
    model, other = averaging(), averaging().compile("adam", loss="mse")
    other.fit(X, Y, epochs=1, verbose=0, callbacks=tz.train.Checkpoint(tmp_path / "other"))
    model.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    before = model[0].weight.detach().numpy()
    with pytest.raises(ArgumentError, match="does not fit this run"):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=tz.train.Checkpoint(tmp_path / "other"))
    assert same_bits(model[0].weight.detach().numpy(), before)
    assert len(model._trainer.optimizer._exchanged) == 2


def test_a_saved_model_has_the_evaluation_weights(tmp_path):
    model = averaging()
    model.fit(X, Y, epochs=2, seed=0, verbose=0)
    model.save(tmp_path / "model")
    twin = tz.load(tmp_path / "model")
    assert same_bits(twin[0].weight.numpy(), model[0].weight.numpy())
    assert same_bits(*(x._trainer.optimizer.evaluation_weights()[0].numpy() for x in (model, twin)))
    assert twin._trainer.optimizer.kept_options["ema"] == 0.9
    twin.fit(X, Y, epochs=1, verbose=0)


def test_schedule_free_evaluates_the_average_of_the_steps():
    w = tz.tensor([3.0, -1.0], "float64", requires_grad=True)
    optimizer = ScheduleFreeAdamW([w], lr=0.1, betas=(0.9, 0.99))
    z = x = y = w.detach().numpy()
    v, total = 0, 0
    for t in range(1, 8):
        rate = 0.1 * min(t, 3)
        optimizer.lr = rate
        g = 2 * y
        push(optimizer, w, g)
        v = 0.99 * v + 0.01 * g**2
        z = z - rate * g / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
        total += rate**2
        x = x + rate**2 / total * (z - x)
        y = 0.1 * z + 0.9 * x
        np.testing.assert_allclose(w.numpy(), y, rtol=1e-5)
        np.testing.assert_allclose(optimizer.evaluation_weights()[0].numpy(), x, rtol=1e-5)
    optimizer.lr = 0.0
    assert np.isfinite(push(optimizer, w, g)).all()


def test_schedule_free_in_fits():
    tz.random.seed(0)
    model = tz.nn.Sequential([tz.nn.Dense(1, in_features=3)]).compile("schedulefreeadamw", loss="mse")
    model._trainer.optimizer.lr = 0.2
    history = model.fit(X, Y, epochs=20, batch_size=16, validation_split=0.25, seed=0, verbose=0)
    assert history[-1]["val_loss"] < 0.05
    model.fit(X, Y, epochs=5, batch_size=16, seed=0, verbose=0)
    assert model.evaluate(X, Y)["loss"] < 0.02


def test_clipping_by_value_and_by_parameter():
    w, v = weights(2), weights(2)
    gradients = [(tz.tensor([3.0, -4.0]), w), (tz.tensor([0.3, 0.4]), v)]
    SGD([w, v], lr=1.0, clip_value=0.35).apply_gradients(gradients)
    np.testing.assert_allclose([*w.numpy(), *v.numpy()], [1 - 0.35, 2 + 0.35, 1 - 0.3, 2 - 0.35], rtol=1e-6)
    w, v = weights(2), weights(2)
    gradients = [(tz.tensor([3.0, -4.0]), w), (tz.tensor([0.3, 0.4]), v)]
    SGD([w, v], lr=1.0, clip_parameter_norm=1.0).apply_gradients(gradients)
    np.testing.assert_allclose([*w.numpy(), *v.numpy()], [1 - 0.6, 2 + 0.8, 1 - 0.3, 2 - 0.4], rtol=1e-6)
    both = SGD([weights(2)], clip_value=1.0, clip_norm=1.0, maximize=True)
    assert repr(both) == "SGD(lr=0.01, chain=[Negate, ClipByValue, ClipByNorm], parameters=1)"


CONSTRAINED = {
    "max": (tz.optim.MaxNorm(2.0), [[3.0, 0.1], [4.0, 0.2]], [[1.2, 0.1], [1.6, 0.2]]),
    "max along rows": (tz.optim.MaxNorm(1.0, axis=1), [[3.0, 4.0], [0.3, 0.4]], [[0.6, 0.8], [0.3, 0.4]]),
    "unit": (tz.optim.UnitNorm(), [[3.0, 0.0], [4.0, 0.5]], [[0.6, 0.0], [0.8, 1.0]]),
    "unit of 0": (tz.optim.UnitNorm(), [[0.0]], [[0.0]]),
    "range": (tz.optim.MinMaxNorm(1.0, 2.0), [[3.0, 0.3], [4.0, 0.4]], [[1.2, 0.6], [1.6, 0.8]]),
    "half way": (tz.optim.MinMaxNorm(0.0, 2.0, rate=0.5), [[3.0], [4.0]], [[2.1], [2.8]]),
    "not negative": (tz.optim.NonNeg(), [[-1.0, 2.0]], [[0.0, 2.0]]),
    "scalar": (tz.optim.MaxNorm(1.0), -3.0, -1.0),
}


@pytest.mark.parametrize(("constraint", "values", "expected"), CONSTRAINED.values(), ids=CONSTRAINED)
def test_constraints_hold_after_the_update(constraint, values, expected):
    w = tz.tensor(values, requires_grad=True)
    SGD([w], lr=1.0, constraint=constraint).apply_gradients([(tz.zeros_like(w), w)])
    np.testing.assert_allclose(w.numpy(), expected, rtol=1e-6)


def test_constraints_by_patterns_in_a_fit(tmp_path):
    rules = {"*.weight": tz.optim.MaxNorm(0.5), "0.*": tz.optim.NonNeg()}
    model = tz.nn.Sequential([tz.nn.Dense(4), tz.nn.Dense(1)]).compile(AdamW(lr=0.1, constraint=rules), loss="mse")
    model.fit(X, Y, epochs=3, batch_size=16, seed=0, verbose=0)
    assert (np.linalg.norm(model[0].weight.detach().numpy(), axis=0) <= 0.5001).all()
    assert (model[0].weight.detach().numpy() >= 0).all() and (model[0].bias.detach().numpy() >= 0).all()
    assert np.linalg.norm(model[1].weight.detach().numpy()) <= 0.5001
    model.save(tmp_path / "model")
    assert tz.load(tmp_path / "model")._trainer.optimizer.kept_options["constraint"] == rules


W = tz.ones(1, requires_grad=True)
ERRORS = {
    "accumulate": (lambda: SGD(accumulate_steps=0), "accumulate_steps=0\n  expected: a whole number of at least 1"),
    "ema": (lambda: SGD(ema=1.0), "ema=1.0\n  expected: a number from 0 up to but not with 1"),
    "two averages": (lambda: ScheduleFreeAdamW(ema=0.9), "ScheduleFreeAdamW with ema=0.9"),
    "average of nothing": (lambda: ScheduleFreeAdamW(betas=(0.0, 0.9)), "betas=0.0\n  expected: a number between 0"),
    "clip_value": (lambda: SGD(clip_value=0), "clip_value=0"),
    "clip_parameter_norm": (lambda: SGD(clip_parameter_norm=-1), "clip_parameter_norm=-1"),
    "constraint": (lambda: SGD(constraint=3), "constraint=3\n  expected: a dict by patterns of paths"),
    "constraint's pattern": (lambda: SGD([("a", W)], constraint={"b": tz.optim.NonNeg()}),
                             "constraint: the pattern 'b' matches nothing"),
    "norm": (lambda: tz.optim.MaxNorm(0), "norm=0"),
    "range": (lambda: tz.optim.MinMaxNorm(2.0, 1.0), "least=2.0 and most=1.0"),
    "dampening": (lambda: SGD(momentum=0.9, nesterov=True, dampening=0.1), "nesterov=True with dampening=0.1"),
    "beta2_decay": (lambda: tz.optim.Adafactor(beta2_decay=0.5), "-beta2_decay=-0.5"),
    "iterations": (lambda: tz.optim.Muon(iterations=0), "iterations=0"),
    "momentum_decay": (lambda: tz.optim.NAdam(momentum_decay=-1), "momentum_decay=-1"),
}


@pytest.mark.parametrize(("act", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, text):
    with pytest.raises(ArgumentError, match=text):
        act()


def test_an_option_that_no_optimizer_has():
    with pytest.raises(TypeError, match="unexpected keyword argument 'clipnorm'"):
        SGD(clipnorm=1.0)


def test_replicas_with_all_options_train_as_single_models():
    def build():
        model = tz.nn.Dense(1, in_features=3)
        return model, tz.optim.NAdam(model.named_parameters(), lr=0.1, accumulate_steps=2, ema=0.9,
                                     groups={"bias": {"lr": 0.01}}, constraint=tz.optim.MaxNorm(1.0))

    def step(member):
        model, optimizer = member
        optimizer.zero_grad()
        loss = tz.nn.mse(model(tz.asarray(X)), Y)
        loss.backward()
        optimizer.step()
        return loss

    def alone(seed):
        tz.random.seed(seed)
        member = build()
        return [step(member).item() for _ in range(5)][-1]

    replicas = tz.replicate(build, 2, seeds=[1, 2])
    together = [replicas.map(step)().tolist() for _ in range(5)][-1]
    np.testing.assert_allclose(together, [alone(1), alone(2)], rtol=1e-6)


@pytest.mark.parametrize(("name", "text"), [
    ("learning_rate", r"^Adam\(\) got an unexpected keyword argument 'learning_rate'; did you mean 'lr'\?$"),
    ("eps", r"did you mean 'epsilon'\?$"),
    ("decay", r"^Adam\(\) got an unexpected keyword argument 'decay'; pass a schedule as the rate: lr=tz.op"),
    ("beta", r"did you mean 'betas'\?$"),
])
def test_an_unknown_argument_names_the_optimizer(name, text):
    with pytest.raises(TypeError, match=text):
        Adam(**{name: 0.5})
