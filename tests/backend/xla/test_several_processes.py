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


@pytest.mark.parametrize(("processes", "devices", "stream"), [
    (2, 2, ""), *(pytest.param(count, 1, stream, marks=pytest.mark.long)
                  for count, stream in ((2, ""), (2, "yes"), (4, "")))])
def test_losses_equal_those_of_one_process(script, tmp_path, processes, devices, stream):
    alone = run(script, tmp_path / "alone", STREAM=stream)
    done = run(script, tmp_path / "together", processes, devices, STREAM=stream)
    assert alone.returncode == done.returncode == 0, alone.stderr + done.stderr
    wanted = losses(tmp_path / "alone")
    for place in range(processes):
        np.testing.assert_allclose(losses(tmp_path / "together", place), wanted, rtol=1e-5)
    assert (tmp_path / "together" / "model.tz" / "model.safetensors").is_file()
    assert (tmp_path / "together" / "model.stablehlo").is_file()


def test_a_dead_process_ends_the_others_and_the_run_goes_on(script, tmp_path):
    whole = run(script, tmp_path / "whole", 2)
    assert whole.returncode == 0, whole.stderr
    checkpoint = {"CHECKPOINT": str(tmp_path / "run.ckpt")}
    start = time.monotonic()
    died = run(script, tmp_path / "again", 2, DIE="1:2", **checkpoint)
    assert died.returncode == 128 + signal.SIGKILL and time.monotonic() - start < 60
    assert "process 1 of 2" in died.stderr and "SIGKILL" in died.stderr and "checkpoint" in died.stderr
    assert not (tmp_path / "again" / "rows0.json").exists()
    on = run(script, tmp_path / "again", 2, **checkpoint)
    assert on.returncode == 0, on.stderr
    # The second epoch comes again where the process died before the first one had written its checkpoint.
    assert (tmp_path / "again" / "epochs1.txt").read_text() in ("1 2 3 4 ", "1 2 2 3 4 ")
    assert np.array_equal(losses(tmp_path / "again"), losses(tmp_path / "whole"))
    left = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert not left, "temporary folders stay behind"


def test_unequal_streams_and_wrong_devices_are_told(script, tmp_path):
    uneven = Path(tmp_path / "uneven.py")
    uneven.write_text(SCRIPT.replace("range(0, 140, 20)]", "range(0, 140 - 40 * place, 20)]"))
    done = run(uneven, tmp_path / "a", 2, STREAM="yes")
    assert done.returncode != 0 and "waits for" in done.stderr and "batch of 10 rows" in done.stderr
    alone = Path(tmp_path / "alone.py")
    alone.write_text(SCRIPT.replace("batch_size=20", "batch_size=20, devices='cpu'"))
    done = run(alone, tmp_path / "b", 2)
    assert done.returncode != 0 and "in a run of 2 processes" in done.stderr
