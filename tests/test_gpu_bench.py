"""`bench/gpu.py`: it ends in time and keeps what it has, whatever its parts do, and needs nothing but JAX and NumPy."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
GOOD = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"seconds": 0.02, "memory": 5_000_000, "loss": 1.5}), flush=True)
"""
DYING = "raise SystemExit('out of memory')"
SLOW = "import time; time.sleep(60)"
ABSENT = ("pydantic", "msgspec", "platformdirs", "llvmlite", "safetensors", "rich", "click", "narwhals", "jinja2",
          "optax", "torch")  # on a bare machine, or for this test
HIDING = f"""
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
"""


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import gpu_found
    import gpu_parts
    return gpu_found, gpu_parts


@pytest.fixture
def trained(bench, tmp_path, monkeypatch):
    """A workload's runs where one framework is well, one dies, one never answers and one is not installed."""
    found_of, parts = bench
    workers = {"xla": GOOD, "torch": DYING, "compile": SLOW, "jax": GOOD}
    for peer, code in workers.items():
        (tmp_path / f"{peer}_worker.py").write_text(code)
        monkeypatch.setitem(parts.PEERS, peer, parts.PEERS[peer]._replace(worker=str(tmp_path / f"{peer}_worker")))
    found, file = found_of.Found("a machine", "cpu"), tmp_path / "found.json"
    pythons = {**dict.fromkeys(workers, sys.executable), "jax": None}
    start = time.perf_counter()
    parts.train(found, "mlp32", ["float32"], pythons, None, start + 6, lambda: found.write(file))
    assert time.perf_counter() - start < 20
    return found, file


def test_a_part_that_fails_is_named_and_does_not_stop_the_rest(trained):
    found, _ = trained
    ours, dead, slow, absent = found.runs
    assert not ours.failure and ours.first_seconds == 0.02 and len(ours.seconds) >= 1
    assert (dead.failure, absent.failure) == ("out of memory", "jax is not installed")
    assert slow.failure == "no answer in the time that it had"
    lines = found.table().splitlines()
    assert "Tarazu on XLA" in lines[2] and "5.000" in lines[2]  # 4 steps in 0.02 s
    assert lines[3].endswith("out of memory")


def test_what_has_no_time_to_begin_says_so(bench, tmp_path, monkeypatch):
    found_of, parts = bench
    (tmp_path / "slow.py").write_text(SLOW)
    monkeypatch.setattr(parts, "AT_ONCE", 1)
    monkeypatch.setitem(parts.PEERS, "torch", parts.PEERS["torch"]._replace(worker=str(tmp_path / "slow")))
    found = found_of.Found("a machine", "cpu")
    pythons = {"torch": sys.executable, "jax": sys.executable}
    parts.train(found, "mlp32", ["float32"], pythons, None, time.perf_counter() + 0.5, lambda: None)
    assert [run.failure for run in found.runs] == ["no answer in the time that it had", "no time was left"]


def test_the_file_has_what_is_there_and_is_always_whole(trained):
    found, file = trained
    content = json.loads(file.read_text())
    assert [run["failure"] for run in content["runs"]] == [run.failure for run in found.runs]
    assert content["runs"][0]["seconds"] == found.runs[0].seconds
    assert not list(file.parent.glob("*.part"))


def test_wrong_lines_of_the_op_table_stand_in_the_table(bench):
    found_of, parts = bench
    found = found_of.Found("a machine", "cpu")
    answers = {"0/2": {"checked": 4, "of": 5, "wrong": ["exp: 1 of 3 elements differ"], "memory": 0},
               "1/2": {"checked": 5, "of": 5, "wrong": [], "memory": 0}}
    found.op_table = parts._summed(answers, ["out of memory", "out of memory"], 3.0)
    table = found.table()
    assert "9 of 10 lines compared, 1 wrong, in 3 s; out of memory" in table
    assert table.splitlines()[-1].endswith("exp: 1 of 3 elements differ")


@pytest.mark.long
@pytest.mark.xla
@pytest.mark.parametrize("part", ["ops", "mlp32", "lstm"])
def test_the_whole_needs_nothing_but_jax_and_numpy(part, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(HIDING)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, str(BENCH / "gpu.py"), part, "--device", "cpu", "--rows", "256", "--seconds", "100"]
    said = subprocess.run([*command, "--out", str(tmp_path / "found.json")], env=environment, capture_output=True,
                          text=True, timeout=130)
    assert said.returncode == 0, said.stderr
    content = json.loads((tmp_path / "found.json").read_text())
    assert content["op_table"]["wrong"] == []
    assert content["op_table"]["checked"] > 10 or part != "ops"
    for run in content["runs"]:
        is_torch = run["peer"] in ("torch", "compile")
        assert run["failure"] == ("torch is not installed" if is_torch else "")
        assert is_torch or run["seconds"]
