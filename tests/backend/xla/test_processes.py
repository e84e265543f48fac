"""Several processes that join, exchange arrays, and learn that one of them ended."""

import os
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from tarazu.backend.xla.processes import ended_process_error
from tarazu.base.errors import DeviceError
from tarazu.base.processes import Identity, identity
from tarazu.runtime import processes

pytestmark = pytest.mark.xla

PREPARE = """
import os, sys, time
import numpy as np
from tarazu.backend.xla import processes
from tarazu.base.processes import count, index, is_first
processes.JOIN_TIMEOUT = 20
processes.join()
me = index()
"""
EXCHANGE = """
import jax
from jax.sharding import NamedSharding, PartitionSpec
processes.join()
values = {"a": np.arange(3.0) + me, "b": [np.array(-0.0 if is_first() else 1.0), np.zeros((0, 2))]}
values = processes.from_first(values)
assert values["a"].tolist() == [0, 1, 2] and values["a"].dtype == np.float64
assert np.signbit(values["b"][0]) and values["b"][1].shape == (0, 2)
processes.wait("the middle")
sharding = NamedSharding(jax.make_mesh((jax.device_count(),), ("rows",)), PartitionSpec("rows"))
with jax.enable_x64(True):
    whole = np.arange(8) + 2**40
    array = jax.make_array_from_callback((8,), sharding, lambda rows: whole[rows])
found = processes.gathered(array)
assert found.tolist() == whole.tolist() and not found.flags.writeable
print(me, "of", count(), "with", jax.device_count())
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def ours(count):
    address = f"127.0.0.1:{free_port()}"
    return [{"TARAZU_COORDINATOR": address, "TARAZU_PROCESSES": str(count), "TARAZU_PROCESS": str(i)}
            for i in range(count)]


def slurm(count):
    return [{"SLURM_JOB_ID": str(os.getpid()), "SLURM_STEP_NODELIST": "127.0.0.1", "SLURM_NTASKS": str(count),
             "SLURM_STEP_NUM_TASKS": str(count), "SLURM_PROCID": str(i), "SLURM_LOCALID": str(i)}
            for i in range(count)]


def open_mpi(count):
    job = (os.getpid() + 2048) * 2**12
    return [{"OMPI_MCA_orte_hnp_uri": f"{job}.0;tcp://127.0.0.1:34911", "OMPI_COMM_WORLD_SIZE": str(count),
             "OMPI_COMM_WORLD_RANK": str(i), "OMPI_COMM_WORLD_LOCAL_RANK": str(i)} for i in range(count)]


def start(script, environments):
    """One process per environment; the variables of a cluster that these tests run on are not among theirs."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("TARAZU_P", "TARAZU_COORD", "SLURM_", "OMPI_", "JOB_COMPLETION"))}
    return [subprocess.Popen([sys.executable, "-c", PREPARE + script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, env={**clean, "JAX_NUM_CPU_DEVICES": "2", **own}) for own in environments]


def finish(started):
    """Exit code, output and errors of each process."""
    try:
        said = [one.communicate(timeout=40) for one in started]
    finally:
        for one in started:
            one.kill()
    return [(one.returncode, *texts) for one, texts in zip(started, said, strict=True)]


@pytest.mark.parametrize("environments", [
    pytest.param(ours(2), id="two"), pytest.param(ours(4), id="four", marks=pytest.mark.long),
    pytest.param(slurm(2), id="slurm"), pytest.param(open_mpi(2), id="open-mpi")])
def test_processes_join_and_exchange_arrays(environments):
    count = len(environments)
    for i, (code, output, errors) in enumerate(finish(start(EXCHANGE, environments))):
        assert code == 0, errors
        assert f"{i} of {count} with {2 * count}\n" in output


@pytest.mark.parametrize("end, code", [("raise OSError('mine')", 1), ("os.kill(os.getpid(), 9)", -9)])
def test_a_process_that_ends_ends_the_others_within_seconds(end, code):
    script = f"processes.wait('both')\nif me == 1: {end}\nprocesses.wait('the end'); time.sleep(60)"
    begun = time.monotonic()
    first, second = finish(start(script, ours(2)))
    assert time.monotonic() - begun < 15
    assert second[0] == code and first[0] == 1
    assert "DeviceError: another process of the 2 ended while process 0 worked with it (" in first[2]
    assert "the process that ended first says why in its output; start the same command again" in first[2]


def test_a_process_that_takes_another_way_is_told():
    for i, (code, _, errors) in enumerate(finish(start("processes.wait(f'part {me}')", ours(2)))):
        assert code == 1
        assert f"process {i} waits for 'part {i}', process {1 - i} for something else" in errors


@pytest.mark.parametrize("here", [0, 1])
def test_a_process_that_never_comes(here):
    environment = ours(2)[here]
    script = PREPARE.replace("JOIN_TIMEOUT = 20", "JOIN_TIMEOUT = 3")
    one = subprocess.run([sys.executable, "-c", script], env={**os.environ, **environment}, capture_output=True,
                         text=True, timeout=30)
    assert one.returncode == 1, one
    address = environment["TARAZU_COORDINATOR"]
    assert f"DeviceError: process {here} waited 3 s for 2 processes at {address}: not all came in time\n" in one.stderr


@pytest.fixture
def environment(monkeypatch):
    for name in ("TARAZU_COORDINATOR", "TARAZU_PROCESSES", "TARAZU_PROCESS", "JOB_COMPLETION_INDEX",
                 "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    return lambda text: [monkeypatch.setenv(*part.split("=")) for part in text.split()]


@pytest.mark.parametrize("text, own", [
    ("", None),
    ("TARAZU_COORDINATOR=a:1 TARAZU_PROCESSES=4 TARAZU_PROCESS=3", Identity("a:1", 4, 3)),
    ("TARAZU_COORDINATOR=[::1]:1 TARAZU_PROCESSES=4 JOB_COMPLETION_INDEX=2", Identity("[::1]:1", 4, 2)),
    ("TARAZU_COORDINATOR=a:1 TARAZU_PROCESSES=1 TARAZU_PROCESS=0", None),
    ("JOB_COMPLETION_INDEX=2", None),
    ("SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=1", Identity(None, 2, 1)),
    ("SLURM_STEP_NUM_TASKS=1 SLURM_PROCID=0", None),
    ("SLURM_NTASKS=4 SLURM_PROCID=0", None),  # a plain command in a batch script
    ("OMPI_COMM_WORLD_SIZE=3 OMPI_COMM_WORLD_RANK=1 TARAZU_COORDINATOR=b:2", Identity("b:2", 3, 1)),
])
def test_the_environment_gives_the_identity(environment, text, own):
    environment(text)
    assert identity() == own
    assert (processes.count(), processes.index()) == ((own.count, own.index) if own else (1, 0))
    assert processes.is_first() == (processes.index() == 0)


@pytest.mark.parametrize("text, message", [
    ("TARAZU_PROCESSES=2", "TARAZU_PROCESS is not set, but TARAZU_PROCESSES=2\n  expected: TARAZU_COORDINATOR, "
     "TARAZU_PROCESSES and TARAZU_PROCESS together\n  to mend it: set TARAZU_PROCESS, or unset the others"),
    ("TARAZU_PROCESSES=2 TARAZU_PROCESS=0", "TARAZU_COORDINATOR is not set, but"),
    ("TARAZU_COORDINATOR=a:1", "TARAZU_PROCESSES is not set, but TARAZU_COORDINATOR=a:1"),
    ("TARAZU_PROCESSES=2 TARAZU_PROCESS=two", "TARAZU_PROCESS='two'\n  expected: a whole number, 0 or more\n"
     "  to mend it: correct TARAZU_PROCESS, or start the processes with `tarazu launch`, srun or mpirun"),
    ("TARAZU_PROCESSES=2 TARAZU_PROCESS=2", "TARAZU_PROCESS=2 with TARAZU_PROCESSES=2\n  expected: a number from 0 to 1"
     "\n  to mend it: number the processes from 0"),
    ("TARAZU_COORDINATOR=a TARAZU_PROCESSES=2 TARAZU_PROCESS=0", "TARAZU_COORDINATOR='a'\n  expected: HOST:PORT, an "
     "address of process 0\n  to mend it: write for example TARAZU_COORDINATOR=10.0.0.1:29500"),
    ("SLURM_STEP_NUM_TASKS=2", "SLURM_PROCID is not set, but SLURM_STEP_NUM_TASKS=2"),
])
def test_an_environment_that_is_wrong_is_an_error(environment, text, message):
    environment(text)
    with pytest.raises(DeviceError) as raised:
        identity()
    assert str(raised.value).startswith(message)


def test_the_process_that_ended_is_named_where_the_error_names_it(environment):
    environment("TARAZU_COORDINATOR=a:1 TARAZU_PROCESSES=4 TARAZU_PROCESS=0")
    error = ended_process_error(RuntimeError("UNAVAILABLE: Task 2 heartbeat timeout. This indicates ..."))
    assert str(error).startswith("process 2 of the 4 ended while process 0 worked with it (")
    assert ended_process_error(ValueError("shapes differ")) is None


def test_a_process_alone_exchanges_nothing(environment):
    values = [np.arange(2)]
    assert processes.from_first(values) is values
    processes.wait("nobody")
    assert ended_process_error(RuntimeError("Gloo all-reduce failed")) is None
