"""Chunks of steps: the same bits as one step after the other, however long they are, also when something goes wrong."""

import signal
import warnings

import numpy as np
import pytest
from helpers import compilations, same_bits

import tarazu as tz
from tarazu.nn import BatchNorm, Dense, Dropout, Module, Sequential
from tarazu.train import Callback, TrainingWarning
from tarazu.train.sources import pace
from tarazu.train.sources.pace import GROWTH, SECONDS, Pace
from tarazu.train.trainer import run_chunk, trainer

draw = np.random.default_rng(3)
X = draw.normal(size=(70, 4)).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


class EachStep(Callback):
    """What makes chunks of one step."""

    def __init__(self):
        self.losses = []

    def on_step_end(self, run):
        self.losses.append(run.loss)


class EachChunk(Callback):
    def __init__(self):
        self.steps = []

    def on_chunk_end(self, run):
        self.steps.append((run.epoch, run.step))


def network():
    return Sequential([Dense(16, "relu"), BatchNorm(), Dropout(0.3), Dense(3)])


def compiled(optimizer=None, metrics=("accuracy",), model=None):
    return (model or network()).compile(optimizer or tz.optim.Adam(lr=0.01), "cross_entropy", metrics)


def state_of(model):
    tensors = {**model.state_dict(), **model._trainer.optimizer.state_dict()}
    return {name: x.numpy().copy() for name, x in tensors.items()}


def equal(first, second):
    return first.keys() == second.keys() and all(same_bits(first[name], second[name]) for name in first)


def rows_of(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


@pytest.fixture
def whole_epochs(monkeypatch):
    """Chunks as long as they can be, whatever the machine is doing."""
    monkeypatch.setattr(pace, "SECONDS", 1e9)


def own_loop(model, epochs, batch_size):
    """Training as a user would write it, with the sums of losses in float64."""
    optimizer = model._trainer.optimizer
    model.eval()(tz.asarray(X[:1]))
    model.train()
    optimizer.attach(model.parameters())

    @tz.jit
    def step(x, y):
        optimizer.zero_grad()
        loss = tz.nn.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    losses = []
    for _ in range(epochs):
        order = tz.random.permutation(len(X)).numpy()
        parts = [order[i:i + batch_size] for i in range(0, len(X), batch_size)]
        losses.append(sum(float(step(X[rows], LABELS[rows])) * len(rows) for rows in parts) / len(X))
    return losses


@pytest.mark.parametrize("optimizer", [lambda: tz.optim.Adam(lr=0.01), lambda: tz.optim.SGD(lr=0.1, momentum=0.9)],
                         ids=["adam", "sgd"])
def test_fit_is_an_own_loop_to_the_bit(optimizer):
    tz.random.seed(4)
    by_hand = compiled(optimizer())
    losses = own_loop(by_hand, 4, 16)
    drawn = tz.random.default.state.tolist()
    model = compiled(optimizer())
    history = model.fit(X, LABELS, batch_size=16, epochs=4, seed=4, verbose=0)
    assert history.history["loss"] == losses
    assert equal(state_of(model), state_of(by_hand))
    assert tz.random.default.state.tolist() == drawn


@pytest.mark.parametrize("batch_size", [1, 16, 70, 100])
def test_the_length_of_chunks_changes_no_bit(batch_size, whole_epochs):
    runs = []
    for callback in ([], EachStep()):
        model = compiled()
        history = model.fit(X, LABELS, batch_size=batch_size, epochs=5, seed=1, validation_split=0.2,
                            callbacks=callback, verbose=0)
        runs.append((rows_of(history), state_of(model)))
    assert runs[0][0] == runs[1][0] and equal(runs[0][1], runs[1][1])


def test_chunks_of_any_length_and_further_fits_share_one_program(whole_epochs):
    model = compiled()
    with compilations(exactly=2):  # the usual batch and the short one
        model.fit(X, LABELS, batch_size=4, epochs=3, verbose=0)
    with compilations(exactly=0):
        model.fit(X, LABELS, batch_size=4, epochs=3, callbacks=EachStep(), verbose=0)
    assert model._trainer.train_chunk.traces == 2


def test_callbacks_are_told_at_the_ends_of_chunks_or_after_each_step(whole_epochs):
    told, steps = EachChunk(), EachStep()
    compiled().fit(X, LABELS, batch_size=4, epochs=2, callbacks=told, verbose=0)
    assert told.steps[0] == (1, 1) and told.steps[-2:] == [(2, 17), (2, 18)]
    assert len(told.steps) < 2 * 18
    compiled().fit(X, LABELS, batch_size=4, epochs=2, callbacks=[told, steps], verbose=0)
    assert len(steps.losses) == 36 and told.steps[-36:] == [(e, s) for e in (1, 2) for s in range(1, 19)]


def test_a_further_fit_starts_with_chunks_as_long_as_those_before(whole_epochs):
    model, told, steps = compiled(), EachChunk(), EachStep()
    model.fit(X, LABELS, batch_size=4, epochs=3, verbose=0)
    model.fit(X, LABELS, batch_size=4, callbacks=told, verbose=0)
    assert told.steps == [(1, 17), (1, 18)]
    model.fit(X, LABELS, batch_size=4, callbacks=steps, verbose=0)
    assert len(steps.losses) == 18


def test_the_pace_follows_the_time_that_steps_take():
    pace = Pace()
    assert pace.steps == 1
    pace.note(1, 1e-5)
    assert pace.steps == GROWTH
    pace.note(8, 8e-3)
    assert pace.steps == GROWTH * 8
    pace.note(64, 64e-3)
    assert pace.steps == int(SECONDS * 1000)
    pace.note(250, 25.0)
    assert pace.steps == 2
    pace.note(2, 100.0)
    assert pace.steps == 1
    pace.note(2, 2e-5)
    pace.note(16, 16e-5)
    pace.note(128, 128e-5)
    assert pace.steps == GROWTH * 128
    pace.note(5, 5e-3)  # the end of an epoch
    assert pace.steps == GROWTH * 128
    pace.note(GROWTH * 128, 100.0)
    pace.single_steps = True
    pace.note(1, 1e-5)
    assert pace.steps == 1
    pace.start(20)
    assert pace.steps == 1


def test_no_gradients_are_left_and_those_of_callbacks_change_nothing(whole_epochs):
    class Meddler(Callback):
        def on_epoch_end(self, run):
            run.trainer.loss_of((tz.asarray(X), tz.asarray(LABELS))).backward()

    model = compiled()
    model.fit(X, LABELS, batch_size=70, verbose=0)
    assert all(x.grad is None for x in model.parameters())
    with compilations(exactly=0):
        model.fit(X, LABELS, batch_size=70, epochs=3, callbacks=Meddler(), verbose=0)
    assert all(x.grad is None for x in model.parameters())


def test_gradients_of_tensors_that_are_not_trained_are_dropped_too():
    scale = tz.ones(3, requires_grad=True)
    model = network().compile("adam", lambda p, t: tz.nn.cross_entropy(p * scale, t))
    model.fit(X, LABELS, verbose=0)
    assert scale.grad is None and scale.tolist() == [1, 1, 1]


# Failures -------------------------------------------------------------------------------------------------------

class Noise(Module):
    """Draws from a generator of its own, which is no tensor of the model."""

    def __init__(self):
        self._generator = tz.random.Generator(5)

    def forward(self, x):
        return x + 0.01 * tz.random.normal(x.shape, generator=self._generator)


def failing(step, callbacks=(), batch_size=4, model=None):
    """A fit whose learning rate is infinite at a step; the message and what is left of the model."""
    tz.random.seed(0)
    rate = tz.optim.SGD(lr=lambda count: tz.where(count < step, 0.01, 1e30), momentum=0.5)
    model = compiled(rate, model=Sequential([Noise(), Dense(8), Dropout(0.2), Dense(3)]))
    with pytest.warns(TrainingWarning) as caught:
        history = model.fit(X, LABELS, batch_size=batch_size, epochs=6, callbacks=callbacks, verbose=0)
    return str(caught[0].message), state_of(model), rows_of(history)


@pytest.mark.parametrize("step", [0, 1, 2, 7, 16, 17, 18, 19, 20, 30, 35, 50])
def test_a_failure_inside_a_chunk_is_that_of_single_steps(step, whole_epochs):
    message, state, rows = failing(step)
    wanted_message, wanted_state, wanted_rows = failing(step, EachStep())
    assert message == wanted_message and f"epoch {1 + (step + 1) // 18}" in message
    assert equal(state, wanted_state) and repr(rows) == repr(wanted_rows)  # a loss is nan


@pytest.fixture
def large(monkeypatch):
    """Every model is a large one, of whose optimizer and weights `fit` has no copy."""
    monkeypatch.setattr(trainer, "MOST_COPIED", 0)
    monkeypatch.setattr(trainer, "LARGE_WEIGHT", 0)


@pytest.mark.parametrize("step", [0, 1, 7, 18, 35])
def test_a_large_model_gets_its_last_good_weights_back_and_its_optimizer_starts_anew(step, large):
    message, state, rows = failing(step)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trainer, "MOST_COPIED", 2**26)
        wanted_message, wanted_state, wanted_rows = failing(step)
    assert message == wanted_message and repr(rows) == repr(wanted_rows)
    of_optimizer = {name for name in state if "velocity" in name or name == "step_count"}
    assert of_optimizer and all((state[name] == 0).all() for name in of_optimizer)
    assert equal({name: x for name, x in state.items() if name not in of_optimizer},
                 {name: x for name, x in wanted_state.items() if name not in of_optimizer})


def test_a_large_model_is_trained_to_the_same_bits_one_step_at_a_time(large, whole_epochs):
    runs, told = [], EachChunk()
    for callbacks in (told, EachStep()):
        model = compiled()
        history = model.fit(X, LABELS, batch_size=16, epochs=3, seed=1, callbacks=callbacks, verbose=0)
        runs.append((rows_of(history), state_of(model)))
    assert told.steps == [(epoch, step) for epoch in (1, 2, 3) for step in range(1, 6)]
    assert runs[0][0] == runs[1][0] and equal(runs[0][1], runs[1][1])


def test_fit_keeps_no_copy_of_large_state(large):
    places = set()

    class Look(Callback):
        def on_step_end(self, run):
            assert not run.start
            slots = [x for _, x in run.trainer.optimizer.named_state() if x.ndim]
            held = {id(x) for x, _ in run.last.before}
            assert not held & {id(x) for x in [*slots, *run.model.parameters()]}
            if run.step > 1:
                large = [x for x in [*run.model.parameters(), *slots] if x.size == size]
                places.add(tuple([x.numpy().ctypes.data for x in large]))

    size = 512 * 700  # so large that the program writes where it reads
    model = compiled(model=Sequential([Dense(700, in_features=4), Dense(512, bias=False), Dense(3)]))
    model.fit(X, LABELS, batch_size=8, epochs=2, callbacks=Look(), verbose=0)
    weights, *slots = zip(*places, strict=True)
    assert len({*weights}) == 2 and len(slots) == 2 and all(len({*slot}) == 1 for slot in slots)


def test_a_large_model_resumes_to_the_same_bits(large, tmp_path):
    whole, interrupted, resumed = compiled(), compiled(), compiled()
    whole.fit(X, LABELS, epochs=4, seed=1, verbose=0)
    for model, epochs in ((interrupted, 2), (resumed, 4)):
        model.fit(X, LABELS, epochs=epochs, seed=1, callbacks=tz.train.Checkpoint(tmp_path), verbose=0)
    assert equal(state_of(resumed), state_of(whole))


def test_a_search_for_a_rate_leaves_a_large_model_as_it_was(large):
    model = compiled()
    model.fit(X, LABELS, verbose=0)
    before = state_of(model)
    tz.train.find_learning_rate(model, X, LABELS, batch_size=8, steps=20)
    assert equal(state_of(model), before)


def test_a_failure_in_the_first_fit_s_only_step():
    message, state, _ = failing(0, batch_size=70)
    assert "in epoch 1, step 1 of 1" in message or "in epoch 2, step 1 of 1" in message
    assert all(np.isfinite(x).all() for x in state.values())


def test_debug_nans_names_the_operation_inside_fit():
    model = network().compile("adam", lambda p, t: tz.log(tz.relu(p[:, 0]) * 0 - 1).mean())
    with tz.debug_nans(), pytest.raises(FloatingPointError, match="^log gave NaN out of inputs without one"):
        model.fit(X, LABELS, verbose=0)


# Ctrl-C ---------------------------------------------------------------------------------------------------------

def test_ctrl_c_at_any_time_leaves_whole_steps():
    class Stop(EachStep):
        def on_step_end(self, run):
            super().on_step_end(run)
            if len(self.losses) == count:
                raise KeyboardInterrupt

    class Alarm(Callback):
        def on_chunk_end(self, run):
            if (run.epoch, run.step) == (1, 1):
                signal.setitimer(signal.ITIMER_REAL, 0.1)

    def strike(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, strike)
    x, labels = np.tile(X, (100, 1)), np.tile(LABELS, 100)
    interrupted = compiled()
    try:
        history = interrupted.fit(x, labels, batch_size=8, epochs=1000, seed=2, callbacks=Alarm(), verbose=0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    count = int(interrupted._trainer.optimizer.step_count)
    assert history.stopped == "interrupted" and count > 10
    stepwise = compiled()
    stepwise.fit(x, labels, batch_size=8, epochs=1000, seed=2, callbacks=Stop(), verbose=0)
    assert equal(state_of(interrupted), state_of(stepwise))


@pytest.mark.parametrize("step", [1, 2, 9])
def test_ctrl_c_in_a_step_of_a_large_model_is_heard_when_the_step_is_whole(step, large, monkeypatch):
    class Stop(EachStep):
        def on_step_end(self, run):
            super().on_step_end(run)
            if len(self.losses) == step:
                raise KeyboardInterrupt

    steps, train_on = [], run_chunk.train_on

    def interrupted_step(*arguments):
        results = train_on(*arguments)
        steps.append(results)
        if len(steps) == step:
            signal.raise_signal(signal.SIGINT)
        return results

    stopped = compiled()
    assert stopped.fit(X, LABELS, batch_size=8, seed=2, callbacks=Stop(), verbose=0).stopped == "interrupted"
    monkeypatch.setattr(run_chunk, "train_on", interrupted_step)
    before, model = signal.getsignal(signal.SIGINT), compiled()
    history = model.fit(X, LABELS, batch_size=8, seed=2, verbose=0)
    assert history.stopped == "interrupted" and signal.getsignal(signal.SIGINT) is before
    assert equal(state_of(model), state_of(stopped))


def test_ctrl_c_while_a_large_model_is_compiled_is_heard_at_once(large, monkeypatch):
    monkeypatch.setattr(run_chunk, "compile_for", lambda *_: signal.raise_signal(signal.SIGINT))
    model = compiled()
    assert model.fit(X, LABELS, verbose=0).stopped == "interrupted"
    assert int(model._trainer.optimizer.step_count) == 0


def test_a_fit_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled().fit(X, LABELS, epochs=2, verbose=0)
