"""`fit` in several processes: the numbers of one process, files written once, and going on after one of them died."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

SCRIPT = '''
import json, os, sys
import numpy as np
import tarazu as tz

class Report(tz.train.Callback):
    """Notes which epoch it is, and dies where it is told to."""
    def on_epoch_end(self, run):
        place = os.environ.get("TARAZU_PROCESS", "0")
        with open(os.environ["OUT"] + f"/epochs{place}.txt", "a") as file:
            file.write(f"{run.epoch} ")
        if os.environ.get("DIE") == f"{place}:{run.epoch}":
            os.kill(os.getpid(), 9)

draw = np.random.default_rng(0)
x = draw.normal(size=(150, 8)).astype("float32")
y = (x[:, 0] > x[:, 1]).astype(int)
tz.random.seed(7)
model = tz.nn.Sequential([tz.nn.Dense(16, "relu"), tz.nn.BatchNorm(), tz.nn.Dropout(0.1), tz.nn.Dense(2)])
model.compile("adam", "cross_entropy", metrics=["accuracy"])
callbacks = [*([tz.train.Checkpoint(os.environ["CHECKPOINT"])] if "CHECKPOINT" in os.environ else []), Report()]
if os.environ.get("STREAM"):
    place, count = int(os.environ.get("TARAZU_PROCESS", 0)), int(os.environ.get("TARAZU_PROCESSES", 1))
    share = 20 // count
    batches = [(x[i:i + 20][place * share:(place + 1) * share], y[i:i + 20][place * share:(place + 1) * share])
               for i in range(0, 140, 20)]
    history = model.fit(batches, epochs=4, verbose=0, callbacks=callbacks)
else:
    history = model.fit(x, y, epochs=4, batch_size=20, seed=1, validation_split=0.2, callbacks=callbacks, verbose=0)
if os.environ.get("SAVE"):
    model.save(os.environ["OUT"] + "/model.tz")
    tz.export(model, os.environ["OUT"] + "/model.stablehlo")
    assert tz.load(os.environ["OUT"] + "/model.tz").predict(x[:3]).shape == (3, 2)
rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history.rows]
place = os.environ.get("TARAZU_PROCESS", "0")
open(os.environ["OUT"] + f"/rows{place}.json", "w").write(json.dumps(rows))
'''


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("script") / "train.py"
    path.write_text(SCRIPT)
    return path


def run(script, folder, processes=1, devices=1, **environment):
    """Train, with `tarazu launch` where there are several processes; gives what ended."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(script)]
    if processes > 1:
        command = [sys.executable, "-m", "tarazu.cli.main", "launch", "--processes", str(processes), "--devices",
                   str(devices), "--", *command]
    told = {**os.environ, "JAX_NUM_CPU_DEVICES": str(devices), "OUT": str(folder), **environment}
    return subprocess.run(command, env=told, capture_output=True, text=True, timeout=240)


def losses(folder, place=0):
    rows = json.loads((folder / f"rows{place}.json").read_text())
    return np.array([[value for name, value in row.items() if name != "epoch"] for row in rows])


def trained(script, folder, processes, devices, **environment):
    """The folder of a training that ended well."""
    done = run(script, folder, processes, devices, **environment)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def whole(script, tmp_path_factory):
    """The folder of a training in two processes of two devices each, which saved its model too."""
    return trained(script, tmp_path_factory.mktemp("whole"), 2, 2, SAVE="yes")


def test_losses_equal_those_of_one_process(script, whole, tmp_path):
    alone = trained(script, tmp_path, 1, 1)
    for place in range(2):
        np.testing.assert_allclose(losses(whole, place), losses(alone), rtol=1e-5)
    assert (whole / "model.tz" / "model.safetensors").is_file()
    assert (whole / "model.stablehlo").is_file()


@pytest.mark.long
@pytest.mark.parametrize(("processes", "stream"), [(2, ""), (2, "yes"), (4, "")])
def test_losses_in_other_numbers_of_processes(script, tmp_path, processes, stream):
    alone = trained(script, tmp_path / "alone", 1, 1, STREAM=stream)
    together = trained(script, tmp_path / "together", processes, 1, STREAM=stream, SAVE="yes")
    for place in range(processes):
        np.testing.assert_allclose(losses(together, place), losses(alone), rtol=1e-5)


def test_a_dead_process_ends_the_others_and_the_run_goes_on(script, whole, tmp_path):
    checkpoint = {"CHECKPOINT": str(tmp_path / "run.ckpt")}
    start = time.monotonic()
    died = run(script, tmp_path / "again", 2, 2, DIE="1:2", **checkpoint)
    assert died.returncode == 128 + signal.SIGKILL and time.monotonic() - start < 60
    assert "process 1 of 2" in died.stderr and "SIGKILL" in died.stderr and "checkpoint" in died.stderr
    assert not (tmp_path / "again" / "rows0.json").exists()
    trained(script, tmp_path / "again", 2, 2, **checkpoint)
    # The second epoch comes again where the process died before the first one had written its checkpoint.
    assert (tmp_path / "again" / "epochs1.txt").read_text() in ("1 2 3 4 ", "1 2 2 3 4 ")
    assert np.array_equal(losses(tmp_path / "again"), losses(whole))
    left = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert not left, "temporary folders stay behind"


def test_unequal_streams_and_wrong_devices_are_told(script, tmp_path):
    wrong = Path(tmp_path / "wrong.py")
    wrong.write_text(SCRIPT.replace("range(0, 140, 20)]", "range(0, 140 - 40 * place, 20)]").replace(
        "    history = model.fit(batches", """    try:
        model.fit(x, y, devices="cpu")
    except ValueError as error:
        print(error, file=sys.stderr)
    history = model.fit(batches"""))
    done = run(wrong, tmp_path / "a", 2, STREAM="yes")
    assert done.returncode != 0 and "waits for" in done.stderr and "batch of 10 rows" in done.stderr
    assert "in a run of 2 processes" in done.stderr
