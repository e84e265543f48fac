"""What ends a run before its epochs are done, and how often it is validated; rows in their order."""

import time

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.train import Callback, EarlyStopping, KeepBest

X = np.random.default_rng(5).normal(size=(40, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)


def fitted(epochs=5, loss="mse", x=X, y=Y, **options):
    tz.random.seed(1)
    model = tz.nn.Dense(1, in_features=3).compile(tz.optim.SGD(lr=0.01), loss)
    return model.fit(x, y, epochs=epochs, batch_size=10, seed=0, verbose=0, **options)


@pytest.mark.parametrize("steps", [1, 3, 4, 6, 100])
def test_max_steps(steps):
    seen = []

    class Count(Callback):
        def on_chunk_end(self, run):
            seen.append(run.total_steps)

    history = fitted(max_steps=steps, callbacks=Count())
    whole = fitted()
    assert seen[-1] == min(steps, 20) and len(history) == min(-(-steps // 4), 5)
    assert history.stopped == ("epochs" if steps > 20 else f"max_steps={steps}")
    complete = steps // 4
    assert history.history["loss"][:complete] == whole.history["loss"][:complete]


def test_max_steps_of_a_stream_and_validation_of_the_epoch_so_far():
    batches = [(X[i:i + 10], Y[i:i + 10]) for i in range(0, 40, 10)]
    history = fitted(x=batches, y=None, max_steps=6, validation_data=(X, Y), validate_every=9)
    assert len(history) == 2 and "val_loss" not in history[0] and "val_loss" in history[1]


def test_max_seconds():
    start = time.perf_counter()
    history = fitted(epochs=10**6, max_seconds=0.2)
    assert time.perf_counter() - start < 5 and history.stopped == "max_seconds" and len(history) >= 1


def test_validation_of_every_third_epoch():
    history = fitted(epochs=8, validation_data=(X, Y), validate_every=3)
    assert [row["epoch"] for row in history if "val_loss" in row] == [3, 6, 8]
    assert history.verdict is not None and history.best_epoch() == 8


def test_callbacks_that_watch_validation_wait_for_it():
    best, stopping = KeepBest(), EarlyStopping(patience=2, min_delta=1e9)
    history = fitted(epochs=20, validation_data=(X, Y), validate_every=3, callbacks=[best, stopping])
    assert best.epoch % 3 == 0 and history.stopped == "early stopping" and len(history) == 9


def test_rows_in_their_order():
    order = []

    def loss(prediction, target):
        return tz.mean(target) + 0 * tz.mean(prediction)

    class Losses(Callback):
        def on_step_end(self, run):
            order.append(run.loss)

    fitted(epochs=2, loss=loss, y=np.arange(40.0)[:, None], shuffle=False, callbacks=Losses())
    assert order == [4.5, 14.5, 24.5, 34.5] * 2


WRONG = {
    "steps": ({"max_steps": 0}, "max_steps=0"),
    "seconds": ({"max_seconds": -1}, "max_seconds=-1"),
    "every": ({"validate_every": 0}, "validate_every=0"),
    "shuffle": ({"shuffle": "yes"}, "shuffle='yes'"),
}


@pytest.mark.parametrize(("options", "text"), WRONG.values(), ids=WRONG)
def test_refusals(options, text):
    with pytest.raises(ArgumentError, match=text):
        fitted(**options)
