"""What solutions of the labs reach over ten seeds: the bands that the judges' limits and the pages rest on."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import tarazu as tz
from tarazu.course.labs import iris, mnist

FILES = Path(tz.__file__).parent / "course" / "labs" / "files" / "en"
SEEDS = range(10)

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def solved():
    """The functions of the solutions."""
    return {lab: runpy.run_path(str(FILES / f"{lab}.py")) for lab in ("iris", "mnist")}


def table(name, values):
    """Prints what was measured, for the pages."""
    print(f"{name:<24} mean {np.mean(values):.3f}, {min(values):.3f} to {max(values):.3f}")
    return np.array(values)


@pytest.mark.parametrize("hidden", [(), (4,), (16,), (128,), (32, 32)])
def test_iris(solved, hidden):
    found = []
    for seed in SEEDS:
        rows, model = iris.scaled_rows(seed), solved["iris"]["build"](hidden)
        solved["iris"]["train"](model, *rows, seed)
        found.append((model.predict(rows.x_validation).argmax(1) == rows.y_validation).mean())
    found = table(f"iris {hidden}", found)
    three = np.array([found[list(three)].mean() for three in zip(SEEDS, [*SEEDS][1:], [*SEEDS][2:], strict=False)])
    assert 0.93 < found.mean() < 0.98 and three.min() > iris.LEAST_ACCURACY + 0.02


def test_iris_overfits_and_is_kept_from_it(solved):
    rises, shares, avoided, names = [], [], [], []
    rows = iris.scaled_rows(0, 0.6, features=2)  # those that the judge takes
    for seed in SEEDS:
        model = solved["iris"]["build"]((128, 128))
        history = model.fit(rows.x, rows.y, validation_data=(rows.x_validation, rows.y_validation), epochs=300,
                            seed=seed, batch_size=16, verbose=0, callbacks=tz.train.KeepBest(restore=False))
        losses = history.history["val_loss"]
        rises.append(losses[-1] / min(losses))
        shares.append(history.history["loss"][-1] / losses[-1])
        names.append(history.verdict.name)
        small = solved["iris"]["build"]((8,))
        small.fit(rows.x, rows.y, validation_data=(rows.x_validation, rows.y_validation), epochs=60, batch_size=16,
                  seed=seed, verbose=0)
        avoided.append(small.evaluate(rows.x_validation, rows.y_validation)["loss"])
    print(names)
    assert table("iris rise", rises).min() > iris.RISE and table("iris share", shares).max() < iris.LOWER
    assert table("iris avoided", avoided).max() < iris.LEAST_LOSS_AVOIDED


@pytest.mark.parametrize("source", ["mnist_small", "mnist"])
@pytest.mark.parametrize("hidden", [(), (64,), (64, 32)])
def test_perceptrons(solved, hidden, source):
    found = []
    (x, y), (new_x, new_y) = (part.in_memory() for part in tz.data.load(source))
    prepare = solved["mnist"]["prepare"]
    x, new_x = prepare(x), prepare(new_x)
    for seed in SEEDS if source == "mnist_small" else range(3):
        model = solved["mnist"]["perceptron"](hidden, "relu")
        model.fit(x, y, epochs=mnist.EPOCHS, batch_size=64, seed=seed, verbose=0)
        found.append((model.predict(new_x).argmax(1) == new_y).mean())
    found = table(f"{source} {hidden}", found)
    assert found.min() > (mnist.LEAST_OF_MORE if hidden else mnist.LEAST_OF_ONE) + 0.005


@pytest.mark.parametrize("source", ["mnist_small", "mnist"])
def test_convolution(solved, source):
    found = []
    (x, y), (new_x, new_y) = (part.in_memory() for part in tz.data.load(source))
    x, new_x = (images[..., None].astype("float32") / 255 for images in (x, new_x))
    for seed in SEEDS if source == "mnist_small" else range(1):
        model = solved["mnist"]["convolution"]()
        model.fit(x, y, epochs=3, batch_size=64, seed=seed, verbose=0)
        found.append((model.predict(new_x).argmax(1) == new_y).mean())
    assert table(f"{source} convolution", found).min() > mnist.LEAST_OF_CONVOLUTION + 0.005


@pytest.mark.parametrize("activation", ["linear", "sigmoid", "tanh", "relu"])
def test_activations(solved, activation):
    data, found = mnist.rows(), []
    for seed in SEEDS:
        model = solved["mnist"]["perceptron"]((64,), activation)
        model.fit(data.x, data.y, epochs=8, batch_size=64, seed=seed, verbose=0)
        found.append((model.predict(data.x_validation).argmax(1) == data.y_validation).mean())
    found = table(f"mnist_small {activation}", found)
    assert (found > 0.885).all() if activation != "linear" else (found < 0.885).all()
