"""Datasets in `fit`, `evaluate` and `predict`: in memory and as streams, with maps of batches, resumed."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.data import Dataset
from tarazu.train import Callback, Checkpoint

draw = np.random.default_rng(5)
X = draw.normal(size=(70, 3)).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(int)


def model_of(features=3, outputs=2, loss="cross_entropy", metrics=()):
    tz.random.seed(1)
    return tz.nn.Dense(outputs, in_features=features).compile(tz.optim.SGD(lr=0.1), loss, metrics)


def rows_of(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history.rows]


def slow(x, y):
    """A map of samples, by which a dataset is no longer in memory."""
    return x, y


def fitted(data, y=None, model=None, **options):
    return (model or model_of()).fit(data, y, **{"epochs": 3, "seed": 0, "verbose": 0, **options})


def test_a_dataset_in_memory_trains_as_its_arrays():
    wanted = rows_of(fitted(X, LABELS, batch_size=16))
    assert rows_of(fitted(Dataset((X, LABELS)).shuffle().batch(16), seed=0)) == wanted
    assert rows_of(fitted(Dataset((X, LABELS)), batch_size=16)) == wanted
    in_order = rows_of(fitted(X, LABELS, batch_size=16, shuffle=False))
    assert rows_of(fitted(Dataset((X, LABELS)).batch(16))) == in_order
    stream = rows_of(fitted(Dataset((X, LABELS)).map(slow).batch(16)))
    assert [row["loss"] for row in stream] == pytest.approx([row["loss"] for row in in_order])


def test_a_last_batch_that_is_dropped():
    seen = []

    class Steps(Callback):
        def on_step_end(self, run):
            seen.append(run.batch_size)

    fitted(Dataset((X, LABELS)).batch(16, drop_last=True), epochs=1, callbacks=Steps())
    assert len(seen) == 4


@pytest.mark.parametrize("samples", [lambda x: x, lambda x: x.map(slow)], ids=["in memory", "stream"])
def test_maps_of_batches_are_part_of_the_step(samples):
    def tenfold(x, y):
        return x * 10.0, y

    wanted = fitted(X * 10, LABELS, batch_size=16, shuffle=False)
    data = samples(Dataset((X, LABELS))).batch(16).map(tenfold)
    model = model_of()
    history = fitted(data, model=model)
    assert [row["loss"] for row in history] == pytest.approx([row["loss"] for row in wanted], rel=1e-5)
    assert model._trainer.train_chunk.traces == 2
    fitted(data, model=model)
    assert model._trainer.train_chunk.traces == 2
    assert history.measurements["train_loss"] == pytest.approx(wanted.measurements["train_loss"], rel=1e-4)
    assert model.evaluate(data)["loss"] == pytest.approx(model.evaluate(X * 10, LABELS)["loss"], rel=1e-5)
    assert model.predict(data).numpy() == pytest.approx(model.predict(X * 10).numpy(), rel=1e-5)


@pytest.mark.parametrize("samples", [lambda x: x, lambda x: x.map(lambda s: s)], ids=["in memory", "stream"])
def test_maps_of_batches_may_make_the_pairs(samples):
    wanted = fitted(X, LABELS, batch_size=16, shuffle=False)
    data = samples(Dataset({"x": X, "y": LABELS})).batch(16).map(lambda batch: (batch["x"], batch["y"]))
    history = fitted(data, validation_data=data)
    assert [row["loss"] for row in history] == pytest.approx([row["loss"] for row in wanted], rel=1e-5)
    assert history.measurements["train_loss"] == pytest.approx(wanted.measurements["train_loss"], rel=1e-4)
    bare = samples(Dataset({"x": X, "y": LABELS})).batch(16).map(lambda batch: batch)
    with pytest.raises(ArgumentError, match="after the maps of the dataset(.|\\n)*pairs"):
        fitted(bare)


def test_rows_held_out_of_a_dataset_go_through_its_maps():
    data = Dataset({"x": X, "y": LABELS}).batch(16).map(lambda batch: (batch["x"] * 10.0, batch["y"]))
    model = model_of()
    history = fitted(data, model=model, validation_split=0.2)
    assert history[-1]["val_loss"] < 1 and history.verdict is not None


def test_a_map_that_makes_other_targets():
    def one_hot(x, y):
        return x, tz.one_hot(y, 2)

    model = model_of(metrics=["accuracy"])
    history = fitted(Dataset((X, LABELS)).shuffle().batch(16).map(one_hot), model=model,
                     validation_data=Dataset((X, LABELS)))
    assert history[-1]["val_accuracy"] > 0.5 and history.verdict is not None


def test_steps_of_ones_own_get_what_maps_give():
    class Own(tz.nn.Module):
        def __init__(self):
            self.dense = tz.nn.Dense(1)

        def compute_loss(self, batch):
            return tz.nn.mse(self.dense(batch["image"]), batch["twice"])

    def twice(sample):
        return sample | {"twice": sample["image"].sum(-1, keepdims=True)}

    tz.random.seed(1)
    model = Own().compile("adam")
    data = Dataset({"image": X}).shuffle(seed=0).batch(16).map(twice)
    history = model.fit(data, validation_data=data, epochs=2, verbose=0)
    assert history[-1]["val_loss"] == pytest.approx(model.evaluate(data)["loss"], rel=1e-5)


def test_draws_of_maps_of_batches_are_those_of_the_seed():
    def noisy(x, y):
        return x + tz.random.normal(x.shape), y

    data = Dataset((X, LABELS)).shuffle().batch(16).map(noisy)
    assert rows_of(fitted(data)) == rows_of(fitted(data)) != rows_of(fitted(data, seed=1))


def jittered(x, y, rng):
    return x + rng.normal(size=3).astype(np.float32), y


class StopAt(Callback):
    def __init__(self, epoch, step):
        self.epoch, self.step = epoch, step

    def on_step_end(self, run):
        if (run.epoch, run.step) == (self.epoch, self.step):
            raise ZeroDivisionError


@pytest.mark.parametrize("stop", [(1, 3), (2, 2), (3, 1)])
def test_a_stream_with_random_maps_resumes_to_the_same_bits(stop, tmp_path):
    def data():
        return Dataset((X, LABELS)).map(jittered, seed=3).shuffle(seed=4).batch(16)

    whole, model = fitted(data()), model_of()
    with pytest.raises(ZeroDivisionError):
        fitted(data(), callbacks=[Checkpoint(tmp_path / "run", every_steps=1), StopAt(*stop)])
    again = fitted(data(), model=model, callbacks=Checkpoint(tmp_path / "run", every_steps=1))
    assert rows_of(again) == rows_of(whole) and str(again.verdict) == str(whole.verdict)


def test_weights_and_class_weights_of_datasets():
    weight = draw.uniform(0, 2, 70).astype(np.float32)
    wanted = rows_of(fitted(X, LABELS, sample_weight=weight, batch_size=16, shuffle=False))
    assert rows_of(fitted(Dataset((X, LABELS, weight)).batch(16))) == wanted
    balanced = rows_of(fitted(X, LABELS, class_weight="balanced", batch_size=16, shuffle=False))
    assert rows_of(fitted(Dataset((X, LABELS)).batch(16), class_weight="balanced")) == balanced
    assert fitted(Dataset((X, LABELS)).batch(16), validation_split=0.2)[-1]["val_loss"] > 0


WRONG = {
    "targets": (lambda m: m.fit(Dataset(X), LABELS), "a Dataset, and y"),
    "targets of evaluate": (lambda m: m.evaluate(Dataset(X), LABELS), "a Dataset, and y"),
    "no targets": (lambda m: m.fit(Dataset(X), verbose=0), "a batch that is a ndarray"),
    "weights": (lambda m: m.fit(Dataset((X, LABELS)), sample_weight=X[:, 0]), "sample_weight with a Dataset"),
}


@pytest.mark.parametrize(("act", "text"), WRONG.values(), ids=WRONG)
def test_refusals(act, text):
    with pytest.raises(ArgumentError, match=text):
        act(model_of())


def test_samples_that_are_dicts_become_pairs_before_batches():
    samples = Dataset({"x": X, "y": LABELS})
    with pytest.raises(ArgumentError, match=r"a batch that is a dict(.|\n)*a Dataset by a map before .batch"):
        fitted(samples.batch(16))
    made = fitted(samples.map(lambda sample: (sample["x"], sample["y"])).batch(16))
    assert made[-1]["loss"] == pytest.approx(fitted(Dataset((X, LABELS)).batch(16))[-1]["loss"])


def test_batches_padded_to_several_lengths_are_evaluated():
    lengths = [1, 4, 2, 3, 5, 2, 1]
    samples = [({"x": np.arange(1.0, n + 1, dtype=np.float32)}, n % 2) for n in lengths]

    class Sums(tz.nn.Module):
        def forward(self, x, mask):
            total = tz.where(mask, x, 0.0).sum(1)
            return tz.stack([total, 5 - total], 1)

    model = Sums().compile(loss="cross_entropy", metrics=["accuracy", "f1", "auc"])
    alike = model.evaluate(tz.data.Dataset(samples).batch(7, pad=0))
    assert model.evaluate(tz.data.Dataset(samples).batch(2, pad=0)) == pytest.approx(alike, abs=1e-6)
    some, one = (model.predict(Dataset([x for x, _ in samples]).batch(n, pad=0)) for n in (2, 7))
    assert some.tolist() == one.tolist()


def test_batches_padded_to_several_lengths_validate():
    class Sums(tz.nn.Module):
        def __init__(self):
            self.dense = tz.nn.Dense(2, in_features=1)

        def forward(self, x, mask):
            return self.dense(tz.where(mask, x, 0.0).sum(1, keepdims=True))

    samples = [({"x": np.arange(1.0, n + 1, dtype=np.float32)}, n % 2) for n in [1, 4, 2, 3, 5, 2, 1]]
    data = Dataset(samples).batch(2, pad=0)
    model = Sums().compile("sgd", loss="cross_entropy")
    history = model.fit(data, validation_data=data, epochs=2, verbose=0)
    assert history[-1]["val_loss"] == pytest.approx(model.evaluate(data)["loss"], rel=1e-5)


def endless():
    """Endless datasets: indexed samples, samples in order, and stages on top of them."""
    rows = Dataset((X, LABELS))
    return [rows.repeat(), rows.filter(lambda x, y: True).repeat(), rows.batch(16).repeat(), rows.repeat().batch(16),
            rows.repeat().map(slow).skip(3), rows.concat(rows.repeat()), rows.repeat().repeat(2),
            rows.repeat().enumerate().map(lambda number, row: row)]


def test_what_is_known_to_have_no_end():
    assert all(dataset.is_endless for dataset in endless())
    rows = Dataset((X, LABELS))
    for dataset in (rows, rows.repeat(2), rows.repeat().take(9), rows.repeat().batch(2).take(2),
                    rows.repeat().zip(rows), rows.filter(lambda x, y: True)):
        assert not dataset.is_endless
    assert rows.repeat().zip(rows.repeat()).is_endless
    with pytest.raises(ArgumentError, match=r"cache\(\) of an endless dataset"):
        rows.repeat().cache()


def test_an_endless_dataset_needs_a_limit():
    model = model_of(metrics=["accuracy"])
    for dataset in endless():
        with pytest.raises(ArgumentError, match=r"an endless dataset.*without a limit\n.*\n.*max_steps=n.*take\(n\)"):
            fitted(dataset, model=model)
    for act in (lambda: model.evaluate(endless()[0]), lambda: model.predict(endless()[3]),
                lambda: fitted(X, LABELS, model=model, validation_data=endless()[0])):
        with pytest.raises(ArgumentError, match=r"an endless dataset, made by repeat.*\n.*\n.*dataset.take\(n\)"):
            act()
    assert fitted(endless()[0], model=model, max_steps=7, epochs=1, batch_size=16).stopped == "max_steps=7"
    assert len(fitted(endless()[2], model=model, steps_per_epoch=2)) == 3
    assert fitted(endless()[3], model=model, max_seconds=0.01).stopped == "max_seconds"
    assert len(tz.train.find_learning_rate(model, endless()[2], steps=12).rates) == 12
