"""Callbacks: the order of their hooks, early stopping, the best weights, what is printed, and Ctrl-C."""

import inspect
import re
import signal
import types

import numpy as np
import pytest
from helpers import same_bits

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.data.screens import IN_CELL
from tarazu.nn import Dense, Sequential
from tarazu.train import Callback, EarlyStopping, KeepBest, LambdaCallback
from tarazu.train.callbacks import progress
from tarazu.train.callbacks.base import wants_steps
from tarazu.train.callbacks.progress_text import Meter, number_texts
from tarazu.train.trainer import run_chunk
from tarazu.train.trainer.limits import limits

draw = np.random.default_rng(3)
X = draw.normal(size=(40, 4)).astype(np.float32)
NOISE = draw.integers(0, 2, 40)  # labels that x says nothing about: a fit can only overfit


def overfitting(**options):
    tz.random.seed(0)
    model = Sequential([Dense(64, "relu"), Dense(2)]).compile(tz.optim.Adam(lr=0.02), "cross_entropy", ["accuracy"])
    return model, model.fit(X, NOISE, **{"epochs": 40, "validation_split": 0.5, "verbose": 0, **options})


class Recorder(Callback):
    def __init__(self):
        self.hooks = []
        self.weights = []

    def on_fit_start(self, run):
        self.hooks.append(f"start of {run.epochs} epochs of {run.steps} steps")

    def on_epoch_start(self, run):
        self.hooks.append(f"epoch {run.epoch}")

    def on_step_end(self, run):
        self.hooks.append(f"step {run.step}")
        assert np.isfinite(run.loss) and run.model.training

    def on_epoch_end(self, run):
        self.hooks.append(f"row {run.history[-1]['epoch']}")
        self.weights.append({name: x.numpy() for name, x in run.model.state_dict().items()})

    def on_fit_end(self, run):
        self.hooks.append("end")
        self.validation = run.validation


def test_hooks_come_in_order():
    recorder = Recorder()
    overfitting(callbacks=recorder, epochs=2, batch_size=16)
    assert recorder.hooks == ["start of 2 epochs of 2 steps", "epoch 1", "step 1", "step 2", "row 1",
                              "epoch 2", "step 1", "step 2", "row 2", "end"]


def test_a_callback_has_at_most_seven_hooks():
    assert len([name for name, _ in inspect.getmembers(Callback, inspect.isfunction) if name.startswith("on_")]) <= 7


def weights_of(model):
    return {name: x.numpy() for name, x in model.state_dict().items()}


def equal(first, second):
    return all(same_bits(first[name], second[name]) for name in first)


def test_the_best_weights_are_kept_without_asking():
    recorder = Recorder()
    model, history = overfitting(callbacks=[recorder])
    best = history.best_epoch()
    assert best < 40 and history.measurements["kept_epoch"] == best
    assert equal(weights_of(model), recorder.weights[best - 1])
    rows = recorder.validation
    assert model.evaluate(rows.x, rows.y)["loss"] == pytest.approx(min(history.history["val_loss"]), rel=1e-5)


def test_the_last_weights_stay_where_asked_for():
    recorder, keep = Recorder(), KeepBest(restore=False)
    model, history = overfitting(callbacks=[recorder, keep])
    assert equal(weights_of(model), recorder.weights[-1]) and keep.epoch == history.best_epoch()
    assert history.verdict.name == "overfitting"


@pytest.mark.parametrize("options", [{}, {"mode": "max"}], ids=["by its name", "said"])
def test_the_best_accuracy_is_the_largest(options):
    recorder = Recorder()
    model, history = overfitting(callbacks=[recorder, KeepBest("val_accuracy", **options)])
    best = int(np.argmax(history.history["val_accuracy"])) + 1
    assert history.measurements["kept_epoch"] == best and equal(weights_of(model), recorder.weights[best - 1])


def test_early_stopping_waits_its_patience_and_the_best_weights_are_back():
    recorder = Recorder()
    model, history = overfitting(callbacks=[EarlyStopping(patience=4), recorder])
    best = history.best_epoch()
    assert history.stopped == "early stopping" and len(history) == best + 4
    assert equal(weights_of(model), recorder.weights[best - 1])


def test_early_stopping_on_a_metric_that_rises_and_with_a_least_gain():
    _, history = overfitting(callbacks=EarlyStopping("accuracy", mode="max", min_delta=2.0, patience=3))
    assert len(history) == 4  # no accuracy is better by 2 than the first


class Follow(EarlyStopping):
    """Sees values that the test says."""

    def __init__(self, values, monitor="val_loss", **options):
        super().__init__(monitor, **options)
        self.values = values

    def epochs(self):
        """After how many of the values the run would end."""
        run = types.SimpleNamespace(stopped=False, stop=lambda reason: setattr(run, "stopped", True), history=[])
        self.on_fit_start(run)
        for value in self.values:
            run.history.append({self.monitor: value})
            self.on_epoch_end(run)
            if run.stopped:
                break
        return len(run.history)


def test_early_stopping_on_an_accuracy_goes_on_while_it_rises():
    rising = [0.5 + 0.01 * i for i in range(20)]
    assert Follow(rising, "val_accuracy", patience=2).epochs() == 20
    assert Follow(rising[::-1], "val_accuracy", patience=2).epochs() == 3
    assert Follow(rising, "val_accuracy", patience=2, mode="min").epochs() == 3


def test_slow_progress_adds_up_to_the_least_gain():
    slow = [1 - 0.04 * i for i in range(20)]  # every third epoch gains 0.12
    assert Follow(slow, patience=3, min_delta=0.1).epochs() == 20
    assert Follow(slow, patience=2, min_delta=0.1).epochs() == 3


def test_a_callback_ends_the_run_with_its_own_reason():
    class Stop(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 3:
                run.stop("enough")

    _, history = overfitting(callbacks=Stop())
    assert history.stopped == "enough" and len(history) == 3 and history.verdict


def not_told(monitor):
    """A fit that watches a metric whose name does not tell its direction: it is refused before the first epoch."""
    def mine(prediction, target):
        return prediction[:, 0]

    model = tz.nn.Sequential([tz.nn.Dense(2)]).compile("sgd", "cross_entropy", [mine])
    train = tz.train.LambdaCallback(on_epoch_start=lambda run: pytest.fail("it trains"))
    model.fit([[1.0], [2.0]], [0, 1], validation_data=([[1.0]], [0]), callbacks=[EarlyStopping(monitor), train])


ERRORS = {
    "EarlyStopping": (lambda: overfitting(callbacks=EarlyStopping("val_acc")),
                      r"EarlyStopping watches 'val_acc', which this run does not record\n"
                      r"  expected: one of loss, accuracy, val_loss, val_accuracy\n.*did you mean 'val_accuracy'\?$"),
    "misspelled": (lambda: overfitting(callbacks=EarlyStopping("val_acuracy")),
                   r"EarlyStopping watches 'val_acuracy', which(.|\n)*did you mean 'val_accuracy'\?$"),
    "misspelled, not validated": (lambda: overfitting(callbacks=EarlyStopping("val_acuracy"), validation_split=0),
                                  "pass validation_split or"),
    "no validation": (lambda: overfitting(callbacks=EarlyStopping(), validation_split=0), "pass validation_split or"),
    "KeepBest": (lambda: overfitting(callbacks=KeepBest(), validation_split=0), "KeepBest watches 'val_loss'"),
    "mode": (lambda: KeepBest(mode="best"), "KeepBest with mode='best'\n  expected: \"auto\", \"min\" or \"max\""),
    "direction": (lambda: not_told("val_mine"), "EarlyStopping watches 'val_mine', a name that does not tell "
                  "whether a larger value is better\n  expected: mode=\"min\" or mode=\"max\" for such a metric"),
    "patience": (lambda: EarlyStopping(patience=0), "EarlyStopping with patience=0"),
}


@pytest.mark.parametrize(("act", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, text):
    with pytest.raises(ArgumentError, match=text):
        act()


class Interrupt(Callback):
    def __init__(self, epoch, hook="on_step_end"):
        self.epoch = epoch
        setattr(self, hook, self.strike)

    def strike(self, run):
        if run.epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("hook", ["on_epoch_start", "on_step_end", "on_epoch_end"])
def test_an_interrupted_run_keeps_history_and_best_weights(hook):
    recorder = Recorder()
    model, history = overfitting(callbacks=[recorder, Interrupt(6, hook)])
    assert history.stopped == "interrupted" and len(history) == (6 if hook == "on_epoch_end" else 5)
    assert equal(weights_of(model), recorder.weights[history.best_epoch() - 1])
    assert history.verdict and model.training


def test_an_interrupt_in_the_first_epoch_leaves_a_model_and_an_empty_history():
    model, history = overfitting(callbacks=Interrupt(1))
    assert len(history) == 0 and history.stopped == "interrupted" and history.verdict
    assert np.isfinite(model.predict(X).numpy()).all()


def test_an_interrupt_within_a_chunk_leaves_nothing_half_done(monkeypatch):
    """As Ctrl-C might come when the values have been written back already, or in the middle of that."""
    model = Sequential([Dense(3), Dense(2)]).compile(tz.optim.Adam(lr=0.1), "cross_entropy")
    model.fit(X, NOISE, verbose=0)
    before = {name: x.numpy() for name, x in {**model.state_dict(), **model._trainer.optimizer.state_dict()}.items()}
    train_on = run_chunk.train_on

    def interrupted(*args):
        train_on(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(run_chunk, "train_on", interrupted)
    history = model.fit(X, NOISE, verbose=0)
    assert history.stopped == "interrupted"
    assert equal({**model.state_dict(), **model._trainer.optimizer.state_dict()}, before)


def test_a_real_signal_ends_the_run_cleanly():
    class Signal(Callback):
        def on_step_end(self, run):
            if run.epoch == 2:
                signal.raise_signal(signal.SIGINT)

    _, history = overfitting(callbacks=Signal())
    assert history.stopped == "interrupted" and len(history) == 1


def test_an_error_in_a_callback_comes_out_with_the_best_weights_kept():
    class Broken(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 30:
                raise ZeroDivisionError

    recorder = Recorder()
    with pytest.raises(ZeroDivisionError):
        overfitting(callbacks=[recorder, Broken()])
    assert recorder.hooks[-1] == "end"


# What is printed ------------------------------------------------------------------------------------------------

def test_lines_for_each_epoch(capsys):
    overfitting(epochs=3, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert [line.split()[:2] for line in lines] == [["epoch", f"{i}/3"] for i in (1, 2, 3)]
    assert re.search(r" s  [\d.]+ ms/step  loss 0\.", lines[0]) and "  val_accuracy 0." in lines[0]


def test_auto_prints_lines_where_there_is_no_terminal(capsys):
    overfitting(epochs=1, verbose="auto")
    assert capsys.readouterr().out.startswith("epoch 1/1  ")


def test_long_runs_print_some_epochs_only(capsys):
    overfitting(epochs=50, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 22 and lines[0].startswith("epoch  1/50") and lines[-1].startswith("epoch 50/50")


def test_lines_where_a_terminal_cannot_replace_any(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    overfitting(epochs=1, verbose=1)
    assert capsys.readouterr().out.startswith("epoch 1/1  ")


def test_nothing_is_printed_where_nothing_was_asked_for(capsys):
    overfitting(epochs=2, verbose=0)
    assert capsys.readouterr() == ("", "")


def test_a_line_for_every_epoch_where_all_are_wanted(capsys, monkeypatch):
    for is_terminal in (False, True):
        monkeypatch.setattr("sys.stdout.isatty", lambda is_terminal=is_terminal: is_terminal, raising=False)
        _, history = overfitting(epochs=50, verbose=2)
        output, errors = capsys.readouterr()
        lines = output.splitlines()
        assert [line[:11] for line in lines] == [f"epoch {i:>2}/50" for i in range(1, 51)]
        for line, row in zip(lines, history, strict=True):
            assert f"  {row['seconds']:.2f} s  " in line and line.endswith("s/step  " + "  ".join(number_texts(row)))
        assert "val_accuracy" in lines[0] and errors == "" and (output.replace("\n", "")).isprintable()


def test_numbers_have_four_digits():
    row = {"epoch": 3, "seconds": 1.0, "loss": 173.45849, "accuracy": 1.0, "val_loss": 0.000123456,
           "learning_rate": 0.1, "note": "text of a callback"}
    assert "  ".join(number_texts(row)) == "loss 173.5  accuracy 1.000  val_loss 0.0001235  note text of a callback"


@pytest.mark.parametrize("verbose", ["auto", 1])
def test_the_bar_in_a_terminal(capsys, monkeypatch, verbose):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "EVERY", 0.0)
    _, history = overfitting(epochs=3, batch_size=5, verbose=verbose)
    output = capsys.readouterr().out
    assert all(f"epoch {i}/3  step {j}/4" in output for i, j in ((1, 1), (1, 4), (3, 4)))
    assert " steps/s" in output and "0:00 left" in output and re.search(r"in 0:\d\d", output)
    assert all(text in output.splitlines()[-1] + output.splitlines()[-2] for text in number_texts(history[-1]))


def test_the_bar_ends_at_max_steps(capsys, monkeypatch):
    shown = []

    class Screen:
        def start(self):
            shown.clear()

        def show(self, where, pace, numbers, share):
            shown.append((*where, share))

        def stop(self):
            shown.append("stopped")

    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "Terminal", Screen)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    overfitting(epochs=100, batch_size=5, max_steps=10, verbose=1)
    assert shown[0] == ("epoch   1/100", "step 0/4", 0.0)
    assert shown[-2:] == [("epoch   3/100", "step 2/4", 1.0), "stopped"]
    with pytest.raises(ZeroDivisionError):
        overfitting(epochs=2, verbose=1, callbacks=LambdaCallback(on_fit_end=lambda run: 1 / 0))
    assert shown[-1] == "stopped"


@pytest.mark.parametrize("epochs", [2, 300])
def test_a_notebook_gets_one_output_that_is_replaced(notebook, capsys, monkeypatch, epochs):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    _, history = overfitting(epochs=epochs, verbose="auto")
    assert capsys.readouterr() == ("", "") and len(notebook.outputs) == 1
    texts = notebook.outputs[0]
    assert texts[-1].startswith(f"epoch {epochs}/{epochs}  step 1/1  ━━━━") and len(texts[-1]) <= 200
    assert all(text in texts[-1] for text in number_texts(history[-1]))
    assert max(map(len, "\n".join(texts).splitlines())) <= 100 and "\x1b" not in "".join(texts)


@pytest.mark.parametrize("environment", [{}, IN_CELL])
def test_files_and_commands_of_cells_get_few_lines(capsys, monkeypatch, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: bool(environment), raising=False)
    overfitting(epochs=300, verbose="auto")
    output = capsys.readouterr().out
    lines = output.splitlines()
    assert "\x1b" not in output and "\r" not in output and len(lines) == 21
    assert lines[0].startswith("epoch   1/300") and lines[-1].startswith("epoch 300/300")
    assert max(map(len, lines)) <= 110


def test_progress_leaves_chunks_whole():
    assert not any(wants_steps(callback) for callback in [progress.Bar(progress.Terminal(), limits(None, None, 1)),
                                                          progress.Lines()])


def test_times_and_rates_of_progress(monkeypatch):
    now = iter([0.0, 0.0, 10.0, 11.0, 12.0, 13.0, 13.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    run = types.SimpleNamespace(total_steps=50, steps=20, epochs=10)
    meter = Meter(limits(None, None, 1))
    meter.start_epoch()
    assert meter.share(run) == 0.25 and meter.rate() == []
    run.total_steps = 51
    meter.end_chunk(run)  # the program was compiled
    meter.start_epoch()
    run.total_steps = 61
    meter.end_chunk(run)
    assert meter.rate() == ["10 steps/s"] and meter.time_left(run) == ["0:42 left"]  # 139 steps at 10 in 3 seconds
