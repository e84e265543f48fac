"""Checkpoints: what goes on from one is the uninterrupted run to the same bits; what does not fit is refused."""

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers import same_bits

import tarazu as tz
from tarazu.base.errors import ArgumentError, FileFormatError
from tarazu.nn import BatchNorm, Dense, Dropout, Module, Sequential
from tarazu.train import Callback, Checkpoint, EarlyStopping, KeepBest, TrainingWarning
from tarazu.train.callbacks import checkpoint_folder

long = partial(pytest.param, marks=pytest.mark.long)

draw = np.random.default_rng(3)
X = draw.normal(size=(70, 4)).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
BATCHES = [(X[i:i + 16], LABELS[i:i + 16]) for i in range(0, 70, 16)]


class Strike(Callback):
    """Something that ends a run before its time, at one of the hooks of an epoch."""

    def __init__(self, epoch, act, hook="on_epoch_start"):
        self.epoch, self.act = epoch, act
        setattr(self, hook, self.strike)

    def strike(self, run):
        if run.epoch == self.epoch:
            self.act()


def crash():
    raise ZeroDivisionError


def interrupt():
    raise KeyboardInterrupt


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


class Noise(Module):
    """Draws from a generator of its own, which is no tensor of the model."""

    def __init__(self):
        self.own = tz.random.Generator(7)

    def forward(self, x):
        return x + tz.random.normal(x.shape, generator=self.own) if self.training else x


def layers():
    return [Dense(16, "relu"), BatchNorm(), Dropout(0.3), Dense(3)]


def compiled(made=None, optimizer=None, **options):
    optimizer = optimizer or tz.optim.Adam(lr=tz.optim.cosine_decay(0.02, 30))
    return Sequential(made or layers()).compile(optimizer, "cross_entropy", ["accuracy"], **options)


def train(folder=None, *callbacks, model=None, data=(X, LABELS), every=1, **options):
    """The model, its history and the state of the global generator after a fit with a checkpoint in `folder`."""
    model = model or compiled()
    checkpoint = [] if folder is None else [Checkpoint(folder, every)]
    history = model.fit(*data, **{"epochs": 6, "batch_size": 16, "seed": 5, "verbose": 0, **options},
                        callbacks=[*callbacks, *checkpoint])
    return model, history, tz.random.default.state.numpy()


def state_of(model):
    return {name: x.numpy() for name, x in {**model.state_dict(), **model._trainer.optimizer.state_dict()}.items()}


def assert_equal_states(first, second):
    assert first.keys() == second.keys()
    assert not [name for name in first if not same_bits(first[name], second[name])]


def without_seconds(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


def assert_same_run(first, second):
    (model, history, generator), (other_model, other, other_generator) = first, second
    assert without_seconds(history) == without_seconds(other)
    assert history.stopped == other.stopped and str(history.verdict) == str(other.verdict)
    assert repr(history.measurements) == repr(other.measurements)
    assert_equal_states(state_of(model), state_of(other_model))
    assert same_bits(generator, other_generator) and model._trainer.split_seed == other_model._trainer.split_seed


def epochs_in(folder):
    """The epoch of the checkpoint, and the number of files."""
    return checkpoint_folder.read(Path(folder)).values["epoch"], len(list(Path(folder).iterdir()))


# Going on -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("epoch", [2, long(3), long(6)])
@pytest.mark.parametrize("hook", ["on_epoch_start", "on_step_end", "on_epoch_end"])
def test_a_run_that_crashed_goes_on_to_the_same_bits(tmp_path, epoch, hook):
    options = {"validation_split": 0.3}
    with pytest.raises(ZeroDivisionError):
        train(tmp_path / "run", Strike(epoch, crash, hook), **options)
    assert epochs_in(tmp_path / "run") == (epoch - 1, 2)
    assert_same_run(train(tmp_path / "run", **options, seed=99), train(**options))


def test_an_interrupted_run_goes_on_as_often_as_it_takes(tmp_path):
    for epoch in (2, 3, 5):
        _, history, _ = train(tmp_path / "run", Strike(epoch, interrupt, "on_chunk_end"))
        assert history.stopped == "interrupted" and len(history) == epoch - 1
    assert_same_run(train(tmp_path / "run"), train())


def test_the_same_model_goes_on_too_and_compiles_nothing_twice(tmp_path):
    model, history, _ = train(tmp_path / "run", Strike(4, interrupt), validation_split=0.3)
    traces = model._trainer.train_chunk.traces
    assert_same_run(train(tmp_path / "run", model=model, validation_split=0.3), train(validation_split=0.3))
    assert model._trainer.train_chunk.traces == traces and len(history) == 3


def test_a_process_that_was_killed(tmp_path):
    code = f"import test_checkpointing as t; t.train({str(tmp_path / 'run')!r}, t.Strike(4, t.kill, 'on_chunk_end'))"
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == -signal.SIGKILL and epochs_in(tmp_path / "run") == (3, 2)
    assert_same_run(train(tmp_path / "run"), train())


@pytest.mark.parametrize("epoch", [long(2), 5, long(8)])
def test_best_weights_and_patience_come_back(tmp_path, epoch):
    def attempt(folder, *strikes):
        callbacks = EarlyStopping(patience=4), KeepBest("val_accuracy", mode="max"), KeepBest(restore=False), *strikes
        data = X, draw_labels
        return train(folder, *callbacks, data=data, model=compiled(optimizer=tz.optim.Adam(lr=0.05)), epochs=40,
                     validation_split=0.5)

    draw_labels = np.random.default_rng(0).integers(0, 3, 70)  # that x says nothing about
    whole = attempt(None)
    assert whole[1].stopped == "early stopping" and 4 < len(whole[1]) < 40
    if len(whole[1]) >= epoch:
        attempt(tmp_path / "run", Strike(epoch, interrupt))
    assert_same_run(attempt(tmp_path / "run"), whole)
    assert_same_run(attempt(tmp_path / "run"), whole)  # finished: it trains nothing more


def test_the_best_weights_are_kept_in_evaluation_too(tmp_path):
    train(tmp_path / "run", Strike(5, interrupt), validation_data=(X, LABELS))
    model, history, _ = train(tmp_path / "run", validation_data=(X, LABELS))
    assert model.evaluate(X, LABELS)["loss"] == pytest.approx(min(history.history["val_loss"]), rel=1e-6)


@pytest.mark.parametrize("options", [{"steps_per_epoch": 3}, {}], ids=["three steps an epoch", "whole epochs"])
@pytest.mark.parametrize("epoch", [long(2), 3, long(6)])
def test_streams(tmp_path, epoch, options):
    train(tmp_path / "run", Strike(epoch, interrupt, "on_chunk_end"), data=(BATCHES,), **options)
    assert_same_run(train(tmp_path / "run", data=(BATCHES,), **options), train(data=(BATCHES,), **options))
    assert_same_run(train(tmp_path / "run", data=(BATCHES,), **options), train(data=(BATCHES,), **options))


def test_a_generator_made_anew_and_one_that_ends(tmp_path):
    def generator():
        yield from BATCHES

    train(tmp_path / "run", Strike(2, interrupt), data=(generator(),), steps_per_epoch=2)
    whole = train(data=(generator(),), steps_per_epoch=2)
    assert whole[1].stopped == "end of the stream" and len(whole[1]) == 3
    assert_same_run(train(tmp_path / "run", data=(generator(),), steps_per_epoch=2), whole)
    assert_same_run(train(tmp_path / "run", data=(generator(),), steps_per_epoch=2), whole)


@pytest.mark.parametrize("made", [lambda: [Noise(), *layers()], lambda: [*layers(), Noise()]])
def test_own_generators(tmp_path, made):
    train(tmp_path / "run", Strike(4, interrupt), model=compiled(made()))
    assert_same_run(train(tmp_path / "run", model=compiled(made())), train(model=compiled(made())))


@pytest.mark.parametrize("optimizer", [lambda: tz.optim.SGD(lr=0.1, momentum=0.9), lambda: tz.optim.Adam(lr=0.01)])
def test_optimizers_and_a_learning_rate_that_was_changed(tmp_path, optimizer):
    class Halve(Callback):
        def on_epoch_end(self, run):
            run.trainer.optimizer.lr = float(run.trainer.optimizer.lr) / 2

    train(tmp_path / "run", Halve(), Strike(4, interrupt), model=compiled(optimizer=optimizer()))
    assert_same_run(train(tmp_path / "run", Halve(), model=compiled(optimizer=optimizer())),
                    train(None, Halve(), model=compiled(optimizer=optimizer())))


def test_mixed_precision(tmp_path):
    def half():
        return compiled(optimizer=tz.optim.Adam(lr=0.01), precision="float16")

    train(tmp_path / "run", Strike(4, interrupt), model=half())
    assert_same_run(train(tmp_path / "run", model=half()), train(model=half()))


def test_debug_nans_goes_step_by_step_and_on(tmp_path):
    with tz.debug_nans():
        train(tmp_path / "run", Strike(2, interrupt), epochs=3)
        assert_same_run(train(tmp_path / "run", epochs=3), train(epochs=3))


class Count(Callback):
    """Keeps one value of each kind."""

    def __init__(self):
        self.epochs, self.name, self.seen = 0, "", np.zeros(2)

    def on_epoch_end(self, run):
        self.epochs, self.name, self.seen = self.epochs + 1, f"epoch {run.epoch}", self.seen + run.history[-1]["loss"]

    def state_dict(self):
        return {"epochs": self.epochs, "name": self.name, "seen": self.seen, "tensor": tz.tensor(self.seen)}

    def load_state_dict(self, content):
        self.epochs, self.name, self.seen = content["epochs"], content["name"], content["seen"]
        assert same_bits(content["tensor"], self.seen)


def test_own_callbacks_and_two_of_a_class(tmp_path):
    first, second, whole = Count(), [Count(), Count()], Count()
    train(tmp_path / "run", first, Count(), Strike(4, interrupt))
    train(tmp_path / "run", *second)
    train(None, whole)
    assert [(x.epochs, x.name, x.seen.tolist()) for x in second] == [(6, "epoch 6", whole.seen.tolist())] * 2


# Which epochs ---------------------------------------------------------------------------------------------------

def test_every_so_many_epochs_and_the_last(tmp_path):
    train(tmp_path / "run", Strike(6, interrupt), every=2)
    assert epochs_in(tmp_path / "run") == (4, 2)
    assert_same_run(train(tmp_path / "run", every=5), train())
    assert epochs_in(tmp_path / "run") == (6, 2)


def test_more_epochs_than_before(tmp_path):
    train(tmp_path / "run", epochs=2)
    assert_same_run(train(tmp_path / "run"), train())


def test_a_finished_run_trains_nothing_and_gives_its_history(tmp_path):
    whole = train(tmp_path / "run", validation_split=0.3)
    files = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    again = train(tmp_path / "run", Strike(6, crash), Strike(7, crash), validation_split=0.3)
    assert_same_run(again, whole)
    assert [row["seconds"] for row in again[1]] == [row["seconds"] for row in whole[1]]
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert len(train(tmp_path / "run", epochs=2, validation_split=0.3)[1]) == 6


def poison(model):
    def act():
        with tz.no_grad():
            model[0].weight.copy_(np.full(model[0].weight.shape, np.nan, np.float32))
    return act


def test_a_run_that_is_given_up_leaves_the_checkpoint_before(tmp_path):
    model = compiled()
    with pytest.warns(TrainingWarning, match="training stopped"):
        train(tmp_path / "run", Strike(3, poison(model)), model=model)
    assert epochs_in(tmp_path / "run") == (2, 2)
    assert_same_run(train(tmp_path / "run"), train())


def test_a_failure_in_the_first_step_leaves_the_weights_of_the_checkpoint(tmp_path):
    two, _, _ = train(tmp_path / "run", epochs=2)
    model = compiled()
    with pytest.warns(TrainingWarning, match="training stopped"):
        train(tmp_path / "run", Strike(3, poison(model)), model=model)
    assert_equal_states(state_of(model), state_of(two))


def test_a_line_says_where_it_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train("run.ckpt", epochs=2, verbose=1)
    assert "going on" not in capsys.readouterr().out
    train("run.ckpt", epochs=3, verbose=1)
    assert capsys.readouterr().out.startswith("going on after epoch 2 of 3 from run.ckpt\nepoch 3/3  ")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    train("run.ckpt", epochs=4, verbose="auto")
    assert "going on after epoch 3 of 4 from run.ckpt\n" in capsys.readouterr().out


# What does not fit ----------------------------------------------------------------------------------------------

MEND = r"\n  to mend it: call fit as when it was written, or delete the folder .*run to start anew"
MISFITS = {
    "layers": ({"model": lambda: compiled([Dense(16), Dense(3)])}, {},
               r"another model: missing nothing; not known 1.running_mean, .*\n  expected: the tensors of this run"),
    "sizes": ({"model": lambda: compiled([Dense(8, "relu"), *layers()[1:]])}, {},
              r"another model: 0.weight is float32 of shape \(4, 16\)\n  expected: float32 of shape \(4, 8\)" + MEND),
    "optimizer": ({"model": lambda: compiled(optimizer=tz.optim.SGD(lr=0.1))}, {},
                  r"its optimizer is Adam \(.*\)\n  expected: SGD \(.*\)" + MEND),
    "own generator": ({"model": lambda: compiled([*layers(), Noise()])}, {},
                      r"another set of other tensors .*: missing 0; not known nothing"),
    "callbacks": ({}, {"callbacks": [EarlyStopping("loss")]},
                  "it holds the state of the callbacks nothing\n  expected: EarlyStopping" + MEND),
    "validation": ({}, {"validation_split": 0.5}, "its training data is another: 70 rows"),
}


@pytest.mark.parametrize(("made", "options", "text"), MISFITS.values(), ids=MISFITS)
def test_a_checkpoint_of_another_run_is_refused_and_nothing_changes(tmp_path, made, options, text):
    train(tmp_path / "run", epochs=1)
    model = made.get("model", compiled)()
    model.fit(X, LABELS, validation_split=0.2, verbose=0)
    before, split_seed = state_of(model), model._trainer.split_seed
    files = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(ArgumentError, match=f"the checkpoint .*run does not fit this run: {text}"):
        train(tmp_path / "run", *options.pop("callbacks", []), model=model, **options)
    assert_equal_states(state_of(model), before)
    assert model._trainer.split_seed == split_seed
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}


def tensor_file(folder):
    return next(folder.glob("tensors-*"))


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:100])


def change(**values):
    def damage(folder):
        path = folder / "checkpoint.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return damage


DAMAGES = {
    "cut tensors": (lambda folder: cut(tensor_file(folder)), r"tensors-1-end.safetensors: damaged or cut short"),
    "empty tensors": (lambda folder: tensor_file(folder).write_bytes(b""), "damaged or cut short"),
    "a bit of a tensor": (lambda folder: flip(tensor_file(folder)), "checkpoint.json: damaged: the checksum is anoth"),
    "no tensors": (lambda folder: tensor_file(folder).unlink(), r"tensors-1-end.safetensors: the file is missing"),
    "cut description": (lambda folder: cut(folder / "checkpoint.json"), "checkpoint.json: not JSON"),
    "empty description": (lambda folder: (folder / "checkpoint.json").write_text(""), "checkpoint.json: not JSON"),
    "bytes": (lambda folder: (folder / "checkpoint.json").write_bytes(b"\xff\xfe"), "checkpoint.json: not JSON"),
    "a value": (change(values={"epoch": 4}), "checkpoint.json: damaged: the checksum is another"),
    "other keys": (change(more=1), "damaged: it holds format, tensors, checksum, values, more"),
    "other version": (change(format="tarazu checkpoint 9"), r"a checkpoint of format 'tarazu checkpoint 9'\n"
                      r"  expected: 'tarazu checkpoint 2'\n  to mend it: go on with the version of Tarazu that wrote"),
    "no object": (lambda folder: (folder / "checkpoint.json").write_text("3"), "a checkpoint of format 3"),
}


@pytest.mark.parametrize(("damage", "text"), DAMAGES.values(), ids=DAMAGES)
def test_damaged_checkpoints(tmp_path, damage, text):
    train(tmp_path / "run", epochs=1)
    damage(tmp_path / "run")
    model, _, _ = train(epochs=1)
    before = state_of(model)
    with pytest.raises(FileFormatError, match=text) as raised:
        train(tmp_path / "run", model=model)
    assert re.search(r"delete the folder .*run to start anew", str(raised.value))
    assert_equal_states(state_of(model), before)


def test_what_stands_in_the_way_is_said_before_training_and_stays(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "precious").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for name in ("notes", "file"):
        with pytest.raises(ArgumentError, match=f"{name} is there and is not a checkpoint\n.*\n.*choose another path"):
            train(tmp_path / name, Strike(1, crash))
    assert (tmp_path / "notes" / "precious").read_text() == (tmp_path / "file").read_text() == "precious"


class Listing(Count):
    def state_dict(self):
        return {"seen": [1, 2]}


ERRORS = {
    "every": (lambda folder: Checkpoint(folder, every=0), "every"),
    "two": (lambda folder: train(folder, Checkpoint(folder)), "2 checkpoints among the callbacks\n  expected: one"),
    "state": (lambda folder: train(folder, Listing()), "state_dict of Listing gave a list for 'seen'\n  expected: n"),
}


@pytest.mark.parametrize(("act", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(tmp_path, act, text):
    with pytest.raises(ArgumentError, match=text):
        act(tmp_path / "run")


# Crashes while writing ------------------------------------------------------------------------------------------

def failing(method, number, *, before):
    """A method of paths that is cut short in its call of that number, before or after it does its work."""
    calls = []

    def act(path, *args, **options):
        calls.append(path)
        if len(calls) != number:
            return method(path, *args, **options)
        if not before:
            half = args[:1] and isinstance(args[0], str | bytes) and args[0][:len(args[0]) // 2]
            method(path, *(half or args[0],) if args else (), *args[1:], **options)
        raise OSError("the disk is full")
    return act


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(("method", "number"), [("write_bytes", 1), ("replace", 1), ("write_text", 1), ("replace", 2),
                                                ("unlink", 1), ("unlink", 2)])
def test_a_crash_while_writing_leaves_a_checkpoint(tmp_path, monkeypatch, method, number, before):
    class Break(Callback):
        def on_epoch_start(self, run):
            if run.epoch == 3:
                monkeypatch.setattr(Path, method, failing(getattr(Path, method), number, before=before))

    with pytest.raises(OSError, match="the disk is full"):
        train(tmp_path / "run", Break())
    monkeypatch.undo()
    assert epochs_in(tmp_path / "run")[0] in (2, 3)
    assert_same_run(train(tmp_path / "run"), train())
    assert epochs_in(tmp_path / "run") == (6, 2)


def test_a_crash_in_the_first_write_leaves_a_folder_to_start_in(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_folder, "write_text", lambda *args: crash())
    with pytest.raises(ZeroDivisionError):
        train(tmp_path / "run")
    monkeypatch.undo()
    (tmp_path / "run" / ".tensors-1-end.safetensors.tmp").write_bytes(b"half")
    (tmp_path / "run" / ".checkpoint.json.123.tmp").write_text("half")
    assert_same_run(train(tmp_path / "run"), train())
    assert epochs_in(tmp_path / "run") == (6, 2)


# In the middle of an epoch


class StopAt(Callback):
    """Ends the run, as a crash would, after so many steps of an epoch."""

    def __init__(self, epoch, step):
        self.epoch, self.step = epoch, step

    def on_step_end(self, run):
        if (run.epoch, run.step) == (self.epoch, self.step):
            raise ZeroDivisionError


def rows_of(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history.rows]


@pytest.mark.parametrize("data", [(X, LABELS), (BATCHES,)], ids=["rows", "stream"])
@pytest.mark.parametrize("step", [1, 3])
def test_a_run_resumes_in_the_middle_of_an_epoch(data, step, tmp_path):
    whole, history, generator = train(data=data, epochs=4)
    with pytest.raises(ZeroDivisionError):
        checkpoint = Checkpoint(tmp_path / "run", every_steps=1)
        compiled().fit(*data, epochs=4, batch_size=16, seed=5, verbose=0, callbacks=[checkpoint, StopAt(3, step + 1)])
    content = json.loads((tmp_path / "run" / "checkpoint.json").read_text())["values"]
    assert (content["epoch"], content["position"]["steps"]) == (3, step)
    model = compiled()
    again = model.fit(*data, epochs=4, batch_size=16, seed=5, verbose=0,
                      callbacks=Checkpoint(tmp_path / "run", every_steps=1))
    assert rows_of(again) == rows_of(history)
    assert all(same_bits(value, state_of(whole)[name]) for name, value in state_of(model).items())
    assert (tz.random.default.state.numpy() == generator).all()


def assert_same_rows_and_states(first, second):
    """Which rows of a stream a verdict judges depends on how far it was read when a limit ended the run."""
    assert without_seconds(first[1]) == without_seconds(second[1]) and first[1].stopped == second[1].stopped
    assert_equal_states(state_of(first[0]), state_of(second[0]))
    assert same_bits(first[2], second[2])


@pytest.mark.parametrize("data", [(X, LABELS), (BATCHES,)], ids=["rows", "stream"])
@pytest.mark.parametrize("steps", [8, 10])
def test_a_run_that_a_limit_ended_goes_on_when_the_limit_is_raised_or_removed(data, steps, tmp_path):
    options = {"data": data, "epochs": 4, "validation_data": (X[:30], LABELS[:30])}
    folder = tmp_path / "run"
    short = train(folder, KeepBest(), max_steps=steps, **options)
    again = train(folder, KeepBest(), max_steps=steps, **options)  # the limit is still reached: the same end
    assert_same_rows_and_states(short, again)
    assert short[1].stopped == f"max_steps={steps}" and len(short[1]) == -(-steps // 5)
    raised = train(folder, KeepBest(), max_steps=steps + 3, **options)
    assert_same_rows_and_states(raised, train(None, KeepBest(), max_steps=steps + 3, **options))
    assert_same_run(train(folder, KeepBest(), **options), train(None, KeepBest(), **options))


def test_a_run_that_ended_after_some_time_goes_on(tmp_path):
    made = [*layers(), Noise()]
    assert train(tmp_path / "run", model=compiled(made), max_seconds=1e-9)[1].stopped == "max_seconds"
    assert_same_run(train(tmp_path / "run", model=compiled([*layers(), Noise()])),
                    train(model=compiled([*layers(), Noise()])))


def test_an_endless_dataset_goes_on_after_a_limit(tmp_path):
    data = tz.data.Dataset((X, LABELS)).repeat().batch(16)
    train(tmp_path / "run", data=(data,), epochs=1, max_steps=3)
    again = train(tmp_path / "run", data=(data,), epochs=1, max_steps=6)
    assert_same_rows_and_states(again, train(data=(data,), epochs=1, max_steps=6))


def test_a_lower_limit_than_the_steps_made_trains_nothing(tmp_path):
    whole = train(tmp_path / "run", epochs=2)
    again = train(tmp_path / "run", epochs=4, max_steps=7)
    assert without_seconds(again[1]) == without_seconds(whole[1]) and again[1].stopped == "max_steps=7"
    assert_equal_states(state_of(again[0]), state_of(whole[0]))


def test_a_limit_at_a_step_that_broke_the_weights_leaves_the_checkpoint_before(tmp_path):
    train(tmp_path / "run", epochs=1)
    model = compiled()
    with pytest.warns(TrainingWarning, match="training stopped"):
        train(tmp_path / "run", Strike(2, poison(model), "on_step_end"), model=model, max_steps=7)
    assert epochs_in(tmp_path / "run") == (1, 2)


def test_a_stream_that_gives_other_batches_is_told(tmp_path):
    class Other:
        def __init__(self):
            self.calls = 0

        def __iter__(self):
            self.calls += 1
            return iter([(x + self.calls, y) for x, y in BATCHES])

    stream = Other()
    with pytest.raises(ZeroDivisionError):
        compiled().fit(stream, epochs=2, seed=5, verbose=0,
                       callbacks=[Checkpoint(tmp_path / "run", every_steps=1), StopAt(1, 3)])
    with pytest.warns(TrainingWarning, match="the stream gives other batches than before the run was interrupted"):
        compiled().fit(stream, epochs=2, seed=5, verbose=0, callbacks=Checkpoint(tmp_path / "run"))


OTHERS = {
    "data": ({"data": (X + 1, LABELS)}, "its training data is another: 70 rows"),
    "rows": ({"data": (X[:60], LABELS[:60])}, "its training data is another: 70 rows"),
    "validation": ({"validation_data": (X, LABELS)}, "its validation data is another: none"),
    "batch size": ({"batch_size": 8}, r"its batch size is another: 16\n  expected: 8"),
    "loss": ({"model": Sequential(layers()).compile(tz.optim.Adam(lr=tz.optim.cosine_decay(0.02, 30)), "mse")},
             r"its loss is another: 1 \* cross_entropy\n  expected: 1 \* mse"),
    "options of the loss": ({"model": Sequential(layers()).compile(
        tz.optim.Adam(lr=tz.optim.cosine_decay(0.02, 30)), partial(tz.nn.cross_entropy, label_smoothing=0.1))},
        r"expected: 1 \* cross_entropy\(label_smoothing=0.1\)"),
}


@pytest.mark.parametrize(("options", "text"), OTHERS.values(), ids=OTHERS)
def test_a_checkpoint_of_a_run_that_was_told_otherwise_is_refused(options, text, tmp_path):
    train(tmp_path / "run", epochs=1)
    if "model" in options:
        options = options | {"data": (X, np.eye(3)[LABELS])}
        text = "its training data is another|" + text
    with pytest.raises(ArgumentError, match=f"does not fit this run: ({text})"):
        train(tmp_path / "run", epochs=2, **options)


def test_files_are_on_the_disk_before_they_have_their_names(tmp_path, monkeypatch):
    calls = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: calls.append("fsync") or sync(descriptor))
    monkeypatch.setattr(Path, "replace", lambda path, target: calls.append("rename") or replace(path, target))
    train(tmp_path / "run", epochs=1)
    assert calls == ["fsync", "rename", "fsync"] * 2
