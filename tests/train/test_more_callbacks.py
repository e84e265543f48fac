"""Callbacks that lower rates, save, write and time."""

import contextlib
import csv
import json

import numpy as np
import pytest
from helpers import same_bits

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.train import BestModel, Callback, CSVLog, Freeze, LambdaCallback, Log, ReduceLROnPlateau, TensorBoard, Timer

X = np.random.default_rng(5).normal(size=(40, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)


def model_of(**options):
    tz.random.seed(1)
    return tz.nn.Sequential([tz.nn.Dense(4), tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=0.01), "mse", **options)


def fitted(callbacks, model=None, **options):
    return (model or model_of()).fit(X, Y, **{"epochs": 4, "seed": 0, "verbose": 0, "callbacks": callbacks, **options})


def test_the_rate_falls_on_a_plateau_as_in_keras():
    losses = iter([1.0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5])

    class Given(Callback):
        def on_epoch_end(self, run):
            run.history.rows[-1]["val_loss"] = next(losses)

    plateau = ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1, min_delta=0.0, min_lr=0.004)
    history = fitted([Given(), plateau], epochs=9, validation_data=(X, Y))
    rates = [round(x, 6) for x in history.history["learning_rate"]]
    assert rates == [0.01, 0.01, 0.01, 0.01, 0.005, 0.005, 0.004, 0.004, 0.004]
    assert plateau.state_dict()["since"] <= 2


def test_the_rate_of_a_run_is_set_without_a_new_trace():
    def halve(run):
        run.learning_rate = run.learning_rate / 2

    model = model_of()
    history = fitted(LambdaCallback(on_epoch_end=halve), model)
    assert [round(x, 6) for x in history.history["learning_rate"]] == [0.01, 0.005, 0.0025, 0.00125]
    assert model._trainer.train_chunk.traces == 2
    scheduled = model_of().compile(tz.optim.SGD(lr=tz.optim.cosine_decay(0.1, 9)), "mse")
    with pytest.raises(ArgumentError, match="of an optimizer with a schedule"):
        fitted(LambdaCallback(on_epoch_end=halve), scheduled)


def test_the_best_model_is_saved(tmp_path):
    best, model = BestModel(tmp_path / "best.tz"), model_of()
    history = fitted(best, model, validation_split=0.25, epochs=6)
    assert best.epoch == history.best_epoch()
    again = tz.load(tmp_path / "best.tz")
    assert same_bits(again.predict(X).numpy(), model.predict(X).numpy())


def test_rows_are_written(tmp_path):
    history = fitted([CSVLog(tmp_path / "a.csv"), Log(tmp_path / "run")], validation_data=(X, Y), validate_every=2)
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == history.history["loss"]
    assert [row["val_loss"] != "" for row in rows] == [False, True, False, True]
    lines = (tmp_path / "run" / "epochs.jsonl").read_text().splitlines()
    assert [json.loads(line)["loss"] for line in lines] == history.history["loss"]
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["model"] == "Sequential"


def test_tensorboard(tmp_path):
    fitted(TensorBoard(tmp_path / "events", histograms=2), validation_data=(X, Y))
    content = next((tmp_path / "events").iterdir()).read_bytes()
    assert all(name in content for name in (b"train/loss", b"validation/loss", b"learning_rate", b"0/weight"))


def test_timer_and_frozen_layers():
    timer, seen, model = Timer(), [], model_of()

    def note(run):
        seen.append(run.model[0].weight.numpy().copy())

    fitted([timer, Freeze("0.*", until=3), LambdaCallback(on_epoch_end=note)], model)
    assert len(timer.epoch_seconds) == 4 and timer.seconds >= sum(timer.epoch_seconds)
    assert same_bits(seen[0], seen[1]) and not same_bits(seen[1], seen[2])
    assert model._trainer.train_chunk.traces == 4


@pytest.mark.parametrize("end", ["limit", "raise", "interrupt", "save"])
def test_layers_are_as_before_after_a_fit_that_froze_some(end, tmp_path):
    def act(run):
        assert not run.model[0].weight.requires_grad
        if end in ("raise", "interrupt"):
            raise ZeroDivisionError if end == "raise" else KeyboardInterrupt

    model = model_of()
    model.predict(X)
    model[0].bias.requires_grad_(False)
    with pytest.raises(ZeroDivisionError) if end == "raise" else contextlib.nullcontext():
        fitted([LambdaCallback(on_chunk_end=act), BestModel(tmp_path / "best.tz", "loss"), Freeze("0.*", until=3)],
               model, epochs=2)
    assert [x.requires_grad for x in model.parameters()] == [True, False, True, True]
    if end == "save":
        assert [x.requires_grad for x in tz.load(tmp_path / "best.tz").parameters()] == [True, False, True, True]


def test_frozen_layers_cost_one_further_trace():
    model = model_of()
    fitted(Freeze(model[0], until=3), model, batch_size=20)
    assert model._trainer.train_chunk.traces == 2
    fitted(Freeze("0.*", until=2), model, batch_size=20)
    fitted(Freeze("0.*", until=1), model, batch_size=20)
    assert model._trainer.train_chunk.traces == 2


def test_parameters_that_cannot_be_frozen():
    paths = "0.weight, 0.bias, 1.weight, 1.bias"
    for what, text in (("9.*", r"Freeze\('9\.\*', until=3\): the pattern '9\.\*' matches nothing\n.*'0.weight', '0.b"),
                       ("*", rf"Freeze\('\*', until=3\), which leaves nothing to train .*\n.*the parameters {paths}"),
                       (tz.nn.Dense(1, in_features=2), rf"the layer is no part of the model\n.*the parameters {paths}"),
                       (tz.nn.Dropout(0.5), "the layer has no parameters")):
        model = model_of()
        with pytest.raises(ArgumentError, match=text):
            fitted(Freeze(what, until=3), model)
        assert all(x.requires_grad for x in model.parameters())
    with pytest.raises(ArgumentError, match=r"Freeze\('1.\*', until=3\), which leaves nothing"):
        fitted([Freeze("0.*", until=3), Freeze("1.*", until=3)])
    with pytest.raises(ArgumentError, match="until=0"):
        Freeze("0.*", until=0)


def test_a_timer_counts_the_steps_of_its_own_fit(tmp_path):
    fitted(tz.train.Checkpoint(tmp_path / "run"), epochs=20)
    timer = Timer()
    fitted([timer, tz.train.Checkpoint(tmp_path / "run")], epochs=21)
    assert round(timer.steps_per_second * timer.seconds) == 2
    fitted([timer, tz.train.Checkpoint(tmp_path / "run")], epochs=21)
    assert timer.steps_per_second == 0.0


def test_the_folder_of_a_csv_file_is_made(tmp_path):
    path = tmp_path / "missing" / "folder" / "log.csv"
    fitted(CSVLog(path))
    assert len(path.read_text().splitlines()) == 5
    with pytest.raises(ArgumentError, match="log.csv is a file, so that nothing"):  # before the first step
        fitted([CSVLog(path / "log.csv"), LambdaCallback(on_epoch_start=lambda run: 1 / 0)])


def test_checkpoints_keep_the_state_of_the_plateau(tmp_path):
    def callbacks():
        return [ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9),
                tz.train.Checkpoint(tmp_path / "run")]

    whole = fitted(callbacks()[0], epochs=6)
    fitted(callbacks(), epochs=3)
    assert fitted(callbacks(), epochs=6).history == whole.history


def test_refusals():
    for act, text in ((lambda: ReduceLROnPlateau(factor=2), "factor=2"),
                      (lambda: LambdaCallback(on_batch=print), "on_batch")):
        with pytest.raises(ArgumentError, match=text):
            act()


def test_arguments_of_tensorboard_are_looked_at_when_it_is_made():
    for options, text in (({"images": X}, "TensorBoard with images of type ndarray\n  expected: a dict by name"),
                          ({"settings": "x"}, "TensorBoard with settings of type str"),
                          ({"histograms": -1}, "histograms=-1")):
        with pytest.raises(ArgumentError, match=text):
            TensorBoard("board", **options)
    with pytest.raises(ShapeError, match=r"images 'one' of shape \(8, 8, 1\)(.|\n)*for one image, x\[None\]"):
        TensorBoard("board", images={"one": np.zeros((8, 8, 1))})


@pytest.mark.parametrize(("make", "text"), [
    (lambda folder: CSVLog(""), r"CSVLog\(''\)\n(.|\n)*for example CSVLog\('epochs.csv'\)$"),
    (lambda folder: Log(""), r"Log\(''\)\n"),
    (lambda folder: TensorBoard(""), r"TensorBoard\(''\)\n"),
    (lambda folder: CSVLog(folder), r"CSVLog\(.*which is a folder\n(.|\n)*epochs.csv'\)$"),
    (lambda folder: Log(folder / "file"), r"Log\(.*which is a file\n"),
    (lambda folder: TensorBoard(folder / "file"), r"TensorBoard\(.*which is a file\n"),
])
def test_a_path_that_cannot_be_written_is_refused_before_training(make, text, tmp_path):
    (tmp_path / "file").write_text("kept")
    train = LambdaCallback(on_epoch_start=lambda run: pytest.fail("it trains"))
    with pytest.raises(ArgumentError, match=text):
        fitted([make(tmp_path), train])
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_text() == "kept"
