"""When a fit is judged: not before its history is asked for the verdict, on the weights that the fit ended with."""

import copy
import importlib
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import same_bits

import tarazu as tz
from tarazu import diagnose
from tarazu.nn import Dense, Embedding, Sequential
from tarazu.record import History
from tarazu.runtime.jit.jit import Counter
from tarazu.train import verdict

draw = np.random.default_rng(5)
X = draw.normal(size=(70, 4)).astype(np.float32)
Y = X.sum(1) + draw.normal(size=70).astype(np.float32)


def model_of(optimizer="adam"):
    tz.random.seed(0)
    return Sequential([Dense(8, "relu"), Dense(1)]).compile(optimizer, loss="mse", metrics=["mae"])


def fitted(**options):
    model = model_of()
    return model, model.fit(X, Y, **{"epochs": 2, "seed": 0, "verbose": 0, **options})


@pytest.fixture
def judged(monkeypatch):
    """How often runs have been measured."""
    calls, measure = [], diagnose.measure_fit
    monkeypatch.setattr(diagnose, "measure_fit", lambda *args, **options: calls.append(1) or measure(*args, **options))
    return calls


def test_a_fit_alone_is_not_judged(judged):
    _, history = fitted()
    before = Counter.traces
    assert not judged and len(history) == 2
    assert history.verdict.name and history.measurements["train_samples"] == 70 and repr(history)
    assert len(judged) == 1 and Counter.traces > before


@pytest.mark.parametrize("ask", [repr, pickle.dumps, copy.copy, copy.deepcopy, lambda history: history.save("h.jsonl"),
                                 lambda history: history.measurements])
def test_printing_saving_and_copying_judge(judged, ask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, history = fitted()
    result = ask(history)
    assert len(judged) == 1
    if isinstance(result, History):
        assert result.verdict == history.verdict and result.measurements == history.measurements
    if isinstance(result, bytes):
        assert pickle.loads(result).verdict == history.verdict
    assert len(judged) == 1


def test_the_weights_of_the_end_of_the_fit_are_judged():
    _, asked_at_once = fitted(validation_split=0.2)
    expected = dict(asked_at_once.measurements)
    model, asked_late = fitted(validation_split=0.2)
    model.fit(X, Y, epochs=20, verbose=0)
    with tz.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)
    weights, state = [x.numpy().copy() for x in model.parameters()], tz.random.default.state.numpy().copy()
    assert asked_late.measurements == expected and asked_late.verdict == asked_at_once.verdict
    assert all(same_bits(x.numpy(), old) for x, old in zip(model.parameters(), weights, strict=True))
    assert same_bits(tz.random.default.state.numpy(), state)


def test_what_is_measured_is_what_the_kept_weights_give():
    model, history = fitted(validation_split=0.2)
    late = model.evaluate(X, Y)["loss"]
    measured = history.measurements
    mean = (measured["train_loss"] * measured["train_samples"]
            + measured["validation_loss"] * measured["validation_samples"]) / 70
    assert mean == pytest.approx(late, rel=1e-5)


def test_the_last_weights_are_compared_with_the_kept_ones():
    model = model_of(tz.optim.SGD(lr=0.4))
    history = model.fit(X[:20], Y[:20], epochs=15, validation_data=(X[20:], Y[20:]), seed=0, verbose=0)
    measured = history.measurements
    assert measured["kept_epoch"] < 15 and measured["rise_low"] is not None and measured["rise_high"] > 0


def test_a_model_with_other_layers_is_not_judged():
    tz.random.seed(0)
    model = Sequential([Dense(4, "relu"), Dense(1)]).compile("adam", loss="mse")
    history = model.fit(X, Y, verbose=0)
    model.layers[0] = Dense(3)
    assert history.verdict.name == "undecided" and "other layers" in str(history.verdict)


def test_an_error_while_judging_leaves_the_verdict_for_later():
    history, attempts = History(), []

    def judge(history):
        attempts.append(1)
        if len(attempts) == 1:
            raise KeyboardInterrupt
        history.measurements = {"epochs": 3}

    history.judge_later(judge)
    with pytest.raises(KeyboardInterrupt):
        _ = history.verdict
    assert history.measurements == {"epochs": 3} and len(attempts) == 2


def test_large_outputs_are_reduced_batch_by_batch(monkeypatch):
    """No more rows of outputs are held than a batch has; all numbers are the same but for rounding."""
    def run():
        tz.random.seed(0)
        model = Sequential([Embedding(50, 8), Dense(50)]).compile("adam", loss="cross_entropy", metrics=["accuracy"])
        words = np.random.default_rng(0).integers(0, 50, (300, 6))
        history = model.fit(words, words, epochs=1, validation_split=0.2, seed=0, verbose=0)
        return history[0], history.measurements, model.evaluate(words, words, batch_size=100)

    row, measured, scores = run()
    sizes = []
    module = importlib.import_module("tarazu.train.evaluate")
    monkeypatch.setattr(module, "MOST_BYTES", 20_000)  # 16 rows
    cut = module._cut
    monkeypatch.setattr(module, "_cut", lambda parts: sizes.append(sum(one.rows for one, _ in parts)) or cut(parts))
    other_row, other_measured, other_scores = run()
    assert sorted(set(sizes)) == [16, 28, 32, 100]
    assert other_row == pytest.approx(row | {"seconds": other_row["seconds"]}) and other_scores == pytest.approx(scores)
    numbers = {name: value for name, value in measured.items() if isinstance(value, int | float)}
    assert {name: other_measured[name] for name in numbers} == pytest.approx(numbers, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("most", [verdict.MOST_COPIED_BYTES, 0], ids=["few rows", "many rows"])
def test_arrays_that_are_written_to_after_the_fit(most, monkeypatch):
    wanted = str(fitted(validation_data=(X, Y))[1].verdict)
    monkeypatch.setattr(verdict, "MOST_COPIED_BYTES", most)
    for part in range(4):
        x, y, validation_x, validation_y = arrays = X.copy(), Y.copy(), X.copy(), Y.copy()
        history = model_of().fit(x, y, validation_data=(validation_x, validation_y), epochs=2, seed=0, verbose=0)
        arrays[part][:] *= 1000
        text = str(history.verdict)
        assert text == (wanted if most else "undecided: the arrays passed to fit were written to before its verdict "
                        "was asked for")


def test_threads_that_ask_at_once_all_get_the_verdict(monkeypatch):
    _, history = fitted()
    measure, asking = diagnose.measure_fit, threading.Barrier(4)

    def slowly(*args, **options):
        time.sleep(0.05)
        return measure(*args, **options)

    monkeypatch.setattr(diagnose, "measure_fit", slowly)

    def ask(_):
        asking.wait()
        return history.verdict

    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(ask, range(4)))
    assert verdicts == [history.verdict] * 4 and history.verdict is not None
