"""Worker processes: the same bits for any number of them, their errors, their end."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DataError, FileFormatError
from tarazu.data import Dataset
from tarazu.data.dataset import processes

LABELS = np.arange(40)
FORK_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")


pytestmark = pytest.mark.filterwarnings("ignore:os.fork.* was called:RuntimeWarning")  # of JAX


@pytest.fixture(autouse=True)
def forked(monkeypatch):
    """Workers start as they do where JAX is not imported, which another test of the process may have done."""
    if sys.platform == "linux":
        monkeypatch.setattr(processes, "start_method", lambda: "fork")


@pytest.fixture(autouse=True)
def nothing_is_left(request):
    """No process and no open file stays behind; where processes are spawned, Python itself keeps a tracker of them."""
    if "spawned" in request.node.name:
        yield
        assert multiprocessing.active_children() == []
        return
    gc.collect()
    before = open_files()
    yield
    gc.collect()
    assert multiprocessing.active_children() == []
    assert open_files() <= before


def open_files():
    """How many files this process has open, where the system says so."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def noisy(x, rng):
    return {"x": rng.normal(size=(3, int(x) % 3 + 1)), "y": x, "text": f"row {x}"}


def stacked(x, rng):
    return np.full((2, 3), x) + rng.normal(), x


PIPELINES = {
    "indexed": lambda n: Dataset(LABELS).map(stacked, workers=n, seed=3).shuffle(seed=1).batch(6),
    "filtered": lambda n: Dataset(LABELS).map(stacked, seed=3).filter(lambda x, i: i % 3, workers=n).batch(6),
    "iterable": lambda n: Dataset(lambda: iter(LABELS)).map(stacked, workers=n, seed=3).batch(6),
    "above a buffer": lambda n: (Dataset(lambda: iter(LABELS)).shuffle(seed=1, buffer=9)
                                 .map(stacked, workers=n, seed=3).batch(6).take(4)),
    "cached": lambda n: (Dataset(LABELS).filter(lambda i: i % 2, workers=n).cache()
                         .map(stacked, workers=n, seed=3).batch(6)),
    "padded": lambda n: (Dataset(LABELS).map(lambda i: np.arange(i % 4), workers=n).batch(6, pad=0)),
}


@FORK_ONLY
@pytest.mark.parametrize("name", PIPELINES)
def test_workers_change_nothing(name):
    def flat(workers, skip=0):
        return [part.tobytes() for batch in PIPELINES[name](workers).batches(2, skip) for part in batch]

    whole = flat(0)
    assert flat(1) == whole
    assert flat(2) == whole
    assert flat(2, skip=2) == whole[4:]


@FORK_ONLY
def test_samples_of_any_kind_come_as_they_are():
    alone, by_workers = [list(Dataset(LABELS).map(noisy, workers=n, seed=1)) for n in (0, 2)]
    for one, other in zip(alone, by_workers, strict=True):
        np.testing.assert_array_equal(one["x"], other["x"])
        assert (one["y"], one["text"]) == (other["y"], other["text"])
        other["x"] += 1  # arrays are the caller's own


@FORK_ONLY
def test_batches_that_are_kept_stay_as_they_are():
    """Their arrays lie in shared memory, which is used again only when they are gone."""
    batches = list(Dataset(np.arange(400)).map(lambda x: np.full(1000, x), workers=2).batch(10).batches(0))
    np.testing.assert_array_equal(np.concatenate(batches)[:, 7], np.arange(400))
    kept, seen = None, []
    for batch in Dataset(np.arange(400)).map(lambda x: np.full(1000, x), workers=2).batch(10).batches(0):
        kept = batch if kept is None else kept
        seen.append(int(batch[3, 5]))
        batch += 1
    assert seen == list(range(3, 400, 10))
    assert kept[:, 2].tolist() == list(range(1, 11))


@FORK_ONLY
def test_what_does_not_fit_shared_memory_goes_by_the_pipe(monkeypatch):
    monkeypatch.setattr(processes, "SLOT_BYTES", 1 << 16)
    large = Dataset(lambda: (np.full(20_000, x) for x in range(9))).map(lambda x: x + 1, workers=2)
    assert [int(x[-1]) for x in large] == list(range(1, 10))


def picks(x):
    if x == 17:
        raise KeyError("nope")
    return x


@FORK_ONLY
@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_comes_in_its_turn_with_the_traceback_of_the_worker(workers):
    samples = iter(Dataset(LABELS).map(picks, workers=workers))
    assert [int(next(samples)) for _ in range(16)] == list(range(16))
    with pytest.raises(DataError, match="picks raised KeyError for sample 17: 'nope'") as caught:
        list(samples)
    if workers:
        assert "raise KeyError(\"nope\")" in caught.value.__notes__[0]


def exits(x):
    raise SystemExit(4)


@FORK_ONLY
def test_what_is_no_error_of_ours_comes_as_text():
    with pytest.raises(DataError, match=r"(?s)a worker process raised.*raise SystemExit\(4\)"):
        list(Dataset(LABELS).map(exits, workers=1))


@FORK_ONLY
@pytest.mark.parametrize("end, text", [
    (lambda: os.kill(os.getpid(), signal.SIGKILL), "was killed by signal 9"),
    (lambda: os._exit(3), "ended with exit code 3"),
])
def test_a_worker_that_dies_is_an_error_at_once(end, text):
    def dies(x):
        if x == 17:
            end()
        return x

    start = time.monotonic()
    with pytest.raises(DataError, match=text):
        list(Dataset(LABELS).map(dies, workers=2).batch(4).batches(0))
    assert time.monotonic() - start < 5


@FORK_ONLY
def test_few_samples_are_read_ahead(tmp_path):
    marks = tmp_path / "marks"

    def counted(x):
        with marks.open("a") as file:
            file.write(".")
        return x

    batches = Dataset(np.arange(10_000)).map(counted, workers=2).batch(10).batches(0)
    for _ in range(3):
        next(batches)
    time.sleep(0.2)
    assert 30 <= marks.stat().st_size <= 30 + 2 * (processes.AHEAD + 1) * 10


@FORK_ONLY
def test_a_fit_whose_worker_fails_ends_with_its_error():
    def row(x):
        if x == 17:
            os._exit(3)
        return np.ones(2, np.float32), np.float32(x)

    model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("sgd", loss="mse")
    with pytest.raises(DataError, match="ended with exit code 3"):
        model.fit(Dataset(LABELS).map(row, workers=2).batch(4), epochs=2, verbose=0)


@FORK_ONLY
def test_an_epoch_that_is_left_ends_its_workers():
    batches = Dataset(LABELS).map(lambda x: x, workers=2).batch(4).batches(0)
    next(batches)
    assert len(multiprocessing.active_children()) == 2
    del batches
    gc.collect()
    assert multiprocessing.active_children() == []


@FORK_ONLY
@pytest.mark.parametrize("sent, code", [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_workers_end_with_their_program(sent, code, tmp_path):
    program = textwrap.dedent("""
        import multiprocessing, sys, time
        import numpy as np
        from tarazu.data import Dataset
        samples = iter(Dataset(np.arange(10**6)).map(lambda x: time.sleep(0.001) or x, workers=2))
        next(samples)
        try:
            print(*[child.pid for child in multiprocessing.active_children()], flush=True)
            for _ in samples:
                pass
        except KeyboardInterrupt:
            sys.exit(130)
    """)
    (tmp_path / "program.py").write_text(program)
    run = subprocess.Popen([sys.executable, tmp_path / "program.py"], stdout=subprocess.PIPE, text=True,
                           stderr=subprocess.DEVNULL)
    children = [int(word) for word in run.stdout.readline().split()]
    assert len(children) == 2
    os.kill(run.pid, sent)
    assert run.wait(10) == code
    run.stdout.close()
    deadline = time.monotonic() + 10
    while any(is_alive(child) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid):
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_functions_that_cannot_be_spawned_are_named(monkeypatch):
    monkeypatch.setattr(processes, "start_method", lambda: "spawn")
    with pytest.raises(ArgumentError, match="the dataset cannot be sent to worker processes"):
        list(Dataset(LABELS).map(lambda x: x, workers=1))


def test_workers_that_are_spawned_give_the_same(monkeypatch, tmp_path):
    """As on macOS and Windows, and beside JAX. Over a second: processes start from nothing and import Tarazu."""
    np.save(tmp_path / "x.npy", np.arange(24.0).reshape(12, 2))
    source = Dataset((tmp_path / "x.npy", np.arange(12)))
    alone = [part.tobytes() for batch in source.map(shifted, seed=2).batch(5).batches(0) for part in batch]
    monkeypatch.setattr(processes, "start_method", lambda: "spawn")
    spawned = source.map(shifted, seed=2, workers=1)
    assert [part.tobytes() for batch in spawned.batch(5).batches(0) for part in batch] == alone


def shifted(x, y, rng):
    return x + rng.normal(), y


@FORK_ONLY
def test_an_image_that_is_none_is_named_by_workers_too(tmp_path):
    from tarazu.data import image_folder

    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.png").write_text("no image")
    with pytest.raises(FileFormatError, match=r"a\.png: this is not an image") as caught:
        list(image_folder(tmp_path, workers=1))
    assert caught.value.path == tmp_path / "cat" / "a.png"
