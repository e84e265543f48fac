"""`fit` on batches that somebody else makes: generators, lists, loaders; what it reads, and what it refuses."""

import gc
import threading
import time

import numpy as np
import pytest
from helpers import compilations, same_bits

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.nn import Dense, Sequential
from tarazu.train import Callback
from tarazu.train.sources import chunk, pace, stream

draw = np.random.default_rng(3)
X = draw.normal(size=(70, 4)).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
BATCHES = [(X[i:i + 16], LABELS[i:i + 16]) for i in range(0, 70, 16)]


def compiled(lr=0.01):
    tz.random.seed(0)
    model = Sequential([Dense(16, "relu", in_features=4), Dense(3, in_features=16)])
    return model.compile(tz.optim.Adam(lr=lr), "cross_entropy", ["accuracy"])


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "tarazu-reader"]


def weights(model):
    return [x.numpy() for x in model.parameters()]


def own_loop(model, batches):
    optimizer = model._trainer.optimizer
    optimizer.attach(model.parameters())

    @tz.jit
    def step(x, y):
        optimizer.zero_grad()
        tz.nn.cross_entropy(model(x), y).backward()
        optimizer.step()

    for x, y in batches:
        step(x, y)


def generator(batches=BATCHES):
    yield from batches


class Tensorlike:
    """A tensor of a library that gives its array only once it is detached, as torch does."""

    def __init__(self, array, is_detached=False):
        self.array, self.is_detached = array, is_detached

    def detach(self):
        return Tensorlike(self.array, True)

    def __array__(self, dtype=None, copy=None):
        assert self.is_detached, "not detached"
        return self.array


class Exchanged:
    """A tensor of a library that speaks DLPack alone."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Loader:
    """Like torch's DataLoader: goes anew each time, gives lists of tensors, and knows its length."""

    def __init__(self, kind=Tensorlike, batches=BATCHES):
        self.kind, self.batches, self.starts = kind, batches, 0

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        self.starts += 1
        return ([self.kind(x), self.kind(y)] for x, y in self.batches)


STREAMS = {"list": lambda: BATCHES, "torch": Loader, "DLPack": lambda: Loader(Exchanged),
           "tensors": lambda: Loader(tz.asarray), "lists": lambda: Loader(np.ndarray.tolist)}


@pytest.mark.parametrize("source", STREAMS.values(), ids=STREAMS)
def test_a_stream_trains_as_an_own_loop_does_to_the_bit(source):
    by_hand, model = compiled(), compiled()
    own_loop(by_hand, BATCHES * 3)
    history = model.fit(source(), epochs=3, verbose=0)
    assert all(map(same_bits, weights(model), weights(by_hand)))
    assert len(history) == 3 and history.verdict and history.measurements["train_samples"] == 70


def test_rows_in_memory_may_be_of_the_same_libraries_as_batches():
    for kind in (Exchanged, Tensorlike):
        model = compiled()
        assert model.evaluate(kind(X), kind(LABELS)) == model.evaluate(X, LABELS)
        assert same_bits(model.predict(kind(X)), model.predict(X))
        assert len(model.fit(kind(X), kind(LABELS), validation_data=(kind(X), kind(LABELS)), verbose=0)) == 1


def test_a_generator_lasts_an_epoch():
    by_hand, model = compiled(), compiled()
    own_loop(by_hand, BATCHES)
    history = model.fit(generator(), verbose=0)
    assert all(map(same_bits, weights(model), weights(by_hand))) and len(history) == 1


def test_the_history_is_the_mean_over_rows():
    model = compiled(lr=0.0)
    history = model.fit(BATCHES, verbose=0)
    scores = model.evaluate(X, LABELS)
    assert history[-1]["loss"] == pytest.approx(scores["loss"], rel=1e-6)
    assert history[-1]["accuracy"] == pytest.approx(scores["accuracy"])


@pytest.mark.parametrize("source", [generator, lambda: BATCHES], ids=["generator", "list"])
def test_steps_per_epoch_share_a_stream(source):
    model, seen = compiled(), []

    class Watch(Callback):
        def on_epoch_end(self, run):
            seen.append(run.step)

    history = model.fit(source(), epochs=4, steps_per_epoch=2, callbacks=Watch(), verbose=0)
    if source is generator:  # five batches
        assert seen == [2, 2, 1] and history.stopped == "end of the stream"
    else:
        assert seen == [2, 2, 2, 2] and history.stopped == "epochs"


def test_no_batch_is_read_beyond_what_is_wanted():
    source = generator()
    compiled().fit(source, epochs=2, steps_per_epoch=2, verbose=0)
    assert len(list(source)) == 1


def test_each_epoch_starts_anew():
    loader = Loader()
    compiled().fit(loader, epochs=3, verbose=0)
    assert loader.starts == 3


def test_programs_are_compiled_once_for_each_size(monkeypatch):
    monkeypatch.setattr(pace, "SECONDS", 1e9)
    batches, model = BATCHES[:4] * 10 + BATCHES[4:], compiled()
    with compilations(exactly=2):  # the usual batch and the short one
        model.fit(batches, epochs=4, verbose=0)
    with compilations(exactly=0):
        model.fit(batches, epochs=2, verbose=0)


def test_batches_are_put_together_and_read_ahead(monkeypatch):
    monkeypatch.setattr(pace, "SECONDS", 1e9)
    lengths = []

    class Watch(Callback):
        def on_chunk_end(self, run):
            lengths.append(run.step)
            time.sleep(0.01)

    compiled().fit(BATCHES[:4] * 50, epochs=1, callbacks=Watch(), verbose=0)
    assert lengths[-1] == 200 and len(lengths) < 60


def test_a_slow_stream_is_not_waited_for():
    """A step is trained as soon as its batch is there, not when a chunk is full."""
    seen = []

    def slow():
        for batch in BATCHES:
            yield batch
            time.sleep(0.05)
            seen.append(len(steps))

    steps = []

    class Watch(Callback):
        def on_chunk_end(self, run):
            steps.append(run.step)

    model = compiled()
    model.fit(BATCHES, epochs=5, verbose=0)
    model.fit(slow(), callbacks=Watch(), verbose=0)
    assert steps == [1, 2, 3, 4, 5] and seen[-1] >= 4


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(chunk, "MOST_BYTES", 4000)
    monkeypatch.setattr(stream, "MOST_JUDGED_ROWS", 20)
    sizes = []

    class Watch(Callback):
        def on_chunk_end(self, run):
            sizes.append(run.last.chunk.data[0].shape)
            self.run = run

    watch = Watch()
    history = compiled().fit(BATCHES, callbacks=watch, verbose=0)
    assert sizes[0] == (160, 4) and sizes[-1] == (6, 4)
    assert watch.run.train.x.tolist() == X[:20].tolist() and history.measurements["train_samples"] == 20


def test_rows_of_several_lengths():
    batches = [(np.ones((4, n, 3), np.float32), np.arange(4) % 2) for n in (2, 5, 2, 3, 3, 2)]

    class Mean(tz.nn.Module):
        def forward(self, x):
            return x.mean(axis=1)

    model = Sequential([Mean(), Dense(2)]).compile("adam", "cross_entropy")
    assert len(model.fit(batches, epochs=2, verbose=0)) == 2
    assert model._trainer.train_chunk.traces == 3


def test_validation_of_arrays_and_of_batches():
    rows = []
    for given in ((X, LABELS), BATCHES, Loader(), generator()):
        history = compiled().fit(BATCHES, epochs=3, validation_data=given, verbose=0)
        assert history.measurements["validation_samples"] == 70 and history.measurements["kept_epoch"]
        rows.append(history.history["val_loss"])
    assert rows[0] == rows[1] == rows[2] == rows[3]


def test_what_can_be_told_of_the_length(capsys, monkeypatch):
    seen = []

    class Watch(Callback):
        def on_epoch_start(self, run):
            seen.append(run.steps)

    class Unknown:
        def __iter__(self):
            return iter(BATCHES)

    for source, options in ((BATCHES, {}), (Unknown(), {}), (Unknown(), {"steps_per_epoch": 3})):
        compiled().fit(source, epochs=2, callbacks=Watch(), verbose=0, **options)
    assert seen == [5, 5, None, 5, 3, 3]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    compiled().fit(Unknown(), epochs=2)
    assert "epoch 2/2" in capsys.readouterr().out


# Endings --------------------------------------------------------------------------------------------------------

def failing_after(count, error):
    yield from BATCHES[:count]
    raise error


def test_an_error_of_the_stream_comes_out_after_the_batches_before_it():
    model = compiled()
    with pytest.raises(OSError, match="the disk is gone") as caught:
        model.fit(failing_after(3, OSError("the disk is gone")), verbose=0)
    assert int(model._trainer.optimizer.step_count) == 3
    assert any(entry.name == "failing_after" for entry in caught.traceback)


def test_ctrl_c_ends_the_thread():
    class Interrupt(Callback):
        def on_chunk_end(self, run):
            raise KeyboardInterrupt

    def endless():
        while True:
            yield BATCHES[0]

    history = compiled().fit(endless(), callbacks=Interrupt(), verbose=0)
    assert history.stopped == "interrupted"


def test_an_early_end_ends_the_thread():
    class Stop(Callback):
        def on_epoch_end(self, run):
            run.stop("enough")

    def endless():
        while True:
            yield BATCHES[0]

    history = compiled().fit(endless(), epochs=5, steps_per_epoch=3, callbacks=Stop(), verbose=0)
    assert history.stopped == "enough" and len(history) == 1


def test_a_refusal_ends_the_thread_and_lets_go_of_the_stream():
    with pytest.raises(ShapeError):
        Sequential([Dense(3, in_features=9)]).compile("adam", "cross_entropy").fit(BATCHES * 100, verbose=0)
    gc.collect()


def test_a_failure_names_its_step():
    y = [labels.astype(np.float32)[:, None] for _, labels in BATCHES]
    batches = [(x, y) for (x, _), y in zip(BATCHES, y, strict=True)]
    model = Sequential([Dense(1)])
    model.compile(tz.optim.SGD(lr=lambda count: tz.where(count < 6, 0.01, 1e30)), "mse")
    with pytest.warns(tz.train.TrainingWarning, match=r"in epoch 2, step [34] of 5; likely cause: a learning rate"):
        model.fit(batches, epochs=4, verbose=0)
    assert np.isfinite(model.predict(X).numpy()).all()


def batch(x=X[:4], y=LABELS[:4]):
    return generator([BATCHES[0], (x, y)])


ERRORS = {
    "epochs of a generator": (lambda m: m.fit(generator(), epochs=2), ArgumentError,
                              "an iterator for 2 epochs; it is used up(.|\n)*steps_per_epoch=n"),
    "split": (lambda m: m.fit(generator(), validation_split=0.2), ArgumentError,
              r"validation_split=0.2 with a stream(.|\n)*validation_data=\(x_val, y_val\)"),
    "y too": (lambda m: m.fit(generator(), LABELS), ArgumentError, r"a stream of batches \(generator\), and y"),
    "steps with arrays": (lambda m: m.fit(X, LABELS, steps_per_epoch=3), ArgumentError, "steps_per_epoch=3 for rows"),
    "no steps": (lambda m: m.fit(generator(), steps_per_epoch=0), ArgumentError, "steps_per_epoch=0"),
    "empty": (lambda m: m.fit(generator([])), ArgumentError, "a stream that gave no batch"),
    "no pair": (lambda m: m.fit(generator([X])), ArgumentError, "in batch 1 of the stream: a batch that is a ndarray"),
    "a dict": (lambda m: m.fit(generator([BATCHES[0], {"x": X}])), ArgumentError,
               r"in batch 2 of the stream: a batch that is a dict(.|\n)*batch\['x'\]"),
    "four": (lambda m: m.fit(generator([(X, LABELS, X, X)])), ArgumentError, "of the stream: a batch that is a "),
    "weights": (lambda m: m.fit(generator([(X, LABELS, -np.ones(70))])), ArgumentError,
                "in batch 1 of the stream: sample_weight with 70 values below 0"),
    "rows": (lambda m: m.fit(batch(X[:5])), ShapeError, "in batch 2 of the stream: x has 5 rows and y has 4"),
    "nan": (lambda m: m.fit(batch(X[:4] * np.nan)), ArgumentError, "in batch 2 of the stream: x holds values that are"),
    "text": (lambda m: m.fit(batch(y=np.array(list("abcd")))), DTypeError, "in batch 2 of the stream: y holds <U1"),
    "labels": (lambda m: m.fit(batch(y=LABELS[:4] + 3)), ArgumentError, "for a model with 3 outputs"),
    "validation": (lambda m: m.fit(BATCHES, validation_data=generator([])), ArgumentError, "gave no batch"),
    "validation rows": (lambda m: m.fit(BATCHES, validation_data=generator([BATCHES[0], (X[:4, :2], LABELS[:4])])),
                        ShapeError, "batches for validation whose rows differ"),
    "validation shape": (lambda m: m.fit(BATCHES, validation_data=(X[:, :2], LABELS)), ShapeError,
                         r"validation_data with x of shape \(70, 2\)"),
    "a pair": (lambda m: m.fit((X, LABELS)), ArgumentError, "no y"),
    "nested lists": (lambda m: m.fit([[1, 2], [3, 4]]), ArgumentError, "no y"),
    "nothing": (lambda m: m.fit(None), ArgumentError, "no y"),
}


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_refusals(act, kind, text):
    with pytest.raises(kind, match=text):
        act(compiled())


def test_something_that_goes_once_only_and_does_not_say_so():
    class Once:
        def __init__(self):
            self.batches = iter(BATCHES)

        def __iter__(self):
            return self.batches

    with pytest.raises(ArgumentError, match="a stream that gave no batch(.|\n)*each __iter__ starts anew"):
        compiled().fit(Once(), epochs=2, verbose=0)
