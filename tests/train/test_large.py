"""Batches of any size, many rows in a file, deep networks, and many models one after the other."""

import gc
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

import tarazu as tz
from tarazu import nn

ROWS, MEGABYTE = 10_000_000, 2**20
needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")


def memory() -> float:
    """Megabytes of this process, without mapped files."""
    text = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("RssAnon")) / 1024


def network(*widths: int) -> nn.Sequential:
    tz.random.seed(0)
    model = nn.Sequential([*[nn.Dense(width, activation="relu") for width in widths], nn.Dense(3)])
    model.compile(optimizer=tz.optim.SGD(lr=0.1), loss="cross_entropy")
    return model


def rows_of(count: int, width: int = 5) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(count, width)).astype(np.float32)
    return x, x[:, :3].argmax(1)


def by_hand(model: nn.Sequential, x: np.ndarray, y: np.ndarray, batch: int) -> np.ndarray:
    """The predictions after an epoch of plain steps in eager code, in the order of the rows."""
    model(tz.tensor(x[:1]))
    optimizer = tz.optim.SGD(model.parameters(), lr=0.1)
    for start in range(0, len(x), batch):
        optimizer.zero_grad()
        nn.cross_entropy(model(tz.tensor(x[start:start + batch])), tz.tensor(y[start:start + batch])).backward()
        optimizer.step()
    return model(tz.tensor(x)).numpy()


@pytest.mark.parametrize("batch", [1, 7, 64, *[pytest.param(size, marks=pytest.mark.long) for size in (
    2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 63, 65, 100, 127, 128, 129, 255, 256, 257, 512, 777, 1000, 1023, 1024, 1025,
    2048, 3001, 4095, 4096)]])
def test_batches_of_any_size(batch):
    x, y = rows_of(2 * batch + min(batch - 1, 3))
    model = network(9)
    model.fit(x, y, batch_size=batch, epochs=1, shuffle=False, verbose=False)
    np.testing.assert_allclose(model.predict(x, batch_size=batch), by_hand(network(9), x, y, batch), atol=2e-5)
    first = tz.tensor(x[:batch])
    np.testing.assert_allclose(tz.jit(model)(first), model(first), atol=1e-5)


@needs_proc
@pytest.mark.long
def test_ten_million_rows_in_a_file(tmp_path):
    x = np.memmap(tmp_path / "x", np.float32, "w+", shape=(ROWS, 16))
    y = np.memmap(tmp_path / "y", np.uint8, "w+", shape=ROWS)
    for start in range(0, ROWS, 10**6):
        part, labels = rows_of(10**6, 16)
        x[start:start + 10**6], y[start:start + 10**6] = part, labels
    del part, labels
    model, before, most, done = network(), memory(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            most[0] = max(most[0], memory())

    watching = threading.Thread(target=watch)
    watching.start()
    history = model.fit(x, y, batch_size=4096, epochs=1, seed=0, verbose=False)
    done.set()
    watching.join()
    assert history[-1]["loss"] < 0.7
    order = 160 * ROWS / MEGABYTE  # the rows' order while it is made, the labels, the results; never the rows
    assert most[0] - before < order and x.nbytes / MEGABYTE > 0.35 * order
    gc.collect()
    assert memory() - before < 30 * ROWS / MEGABYTE


@pytest.mark.long
def test_compile_time_is_linear_in_depth(monkeypatch):
    monkeypatch.setenv("TARAZU_CACHE", "off")
    x, y = rows_of(8)

    def seconds(depth: int) -> float:
        model = network(*[8] * depth)
        start = time.process_time()
        model.fit(x, y, batch_size=8, epochs=1, verbose=False)
        return time.process_time() - start

    seconds(10)
    assert seconds(1000) < 1.6 * 5 * seconds(200)


def test_memory_of_a_program_goes_with_its_function():
    pytest.importorskip("llvmlite")
    from tarazu.backend.native.program import ProgramMemory

    def held() -> int:
        gc.collect()
        return sum(one.arena.nbytes for one in gc.get_objects() if isinstance(one, ProgramMemory))

    before, x = held(), tz.ones(1000, 1000)
    f = tz.jit(lambda x: (x @ x) @ tz.tanh(x @ x * 3.25))
    f(x)
    assert held() >= before + x.size * 4
    del f
    assert held() == before


@needs_proc
@pytest.mark.long
def test_models_and_their_memory_go():
    x, y = rows_of(2048, 300)
    models, found = [], []
    for number in range(60):
        model = network(500 + number, 500)
        model.fit(x, y, batch_size=1024, epochs=2, verbose=False)
        model.predict(x)
        models.append(weakref.ref(model))
        del model
        gc.collect()
        found.append(memory())
    assert sum(model() is not None for model in models) <= 1
    assert found[-1] - found[9] < 50 * 4  # code of programs stays for others of their kind, no more
