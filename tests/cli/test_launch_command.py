"""`tarazu launch`: plain scripts in several processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import run

LAUNCHER = "from tarazu.cli import launch; launch.GRACE = 0.3; from tarazu.cli.main import main; main()"
INDEX = "import os, sys, time, signal; index = int(os.environ['TARAZU_PROCESS'])\n"
HANG = "open(f'pid{index}', 'w').write(str(os.getpid())); time.sleep(60)\n"


def start(script, *options):
    command = [sys.executable, "-c", LAUNCHER, "launch", *options, "--", sys.executable, "-c", INDEX + script]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(launched, code=0):
    output, errors = launched.communicate(timeout=40)
    assert launched.returncode == code, errors
    return output, errors


def pids(count):
    """The processes of a script that hangs, once all have come so far."""
    paths = [Path(f"pid{index}") for index in range(count)]
    deadline = time.monotonic() + 30
    while not all(path.exists() and path.read_text() for path in paths):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(path.read_text()) for path in paths]


def is_running(pid):
    """Whether there is such a process, and not only its exit code that nobody has asked for yet."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(state) and not state.startswith("Z")


def test_each_process_is_told_its_place_and_lines_say_whose_they_are():
    script = ("names = ['TARAZU_COORDINATOR', 'TARAZU_PROCESSES', 'TARAZU_PROCESS', 'JAX_NUM_CPU_DEVICES']\n"
              "print(*(os.environ.get(name) for name in names)); print('noted', file=sys.stderr)")
    output, errors = finish(start(script, "--processes", "3", "--devices", "4"))
    lines = sorted(output.splitlines())
    address = next(line for line in lines if line.startswith("127.")).split()[0]
    assert lines == sorted([f"{address} 3 0 4", f"[1] {address} 3 1 4", f"[2] {address} 3 2 4"])
    assert sorted(errors.splitlines()) == ["[1] noted", "[2] noted", "noted"]


def test_a_process_that_fails_ends_the_others_and_is_named():
    script = "if index == 1:\n  print('no such file', file=sys.stderr); sys.exit(3)\n" + HANG
    begun = time.monotonic()
    _, errors = finish(start(script, "--processes", "3"), code=3)
    assert time.monotonic() - begun < 20
    assert f"process 1 of 3 ({sys.executable} -c " in errors and " ended with exit code 3\n" in errors
    assert errors.endswith("its last lines on standard error:\n  no such file\n"
                           "the others were stopped; start the same command again to go on from its last checkpoint\n")


def test_a_process_that_is_killed_is_named_with_its_signal():
    launched = start(HANG, "--processes", "2")
    first, second = pids(2)
    os.kill(first, signal.SIGKILL)
    _, errors = finish(launched, code=128 + signal.SIGKILL)
    assert "process 0 of 2 (" in errors and " was killed by signal 9 (SIGKILL)\n" in errors
    assert not is_running(second)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_launcher_ends_all_quietly(number):
    launched = start("signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + HANG, "--processes", "2")
    found = pids(2)
    launched.send_signal(number)
    output, errors = finish(launched, code=128 + number)
    assert output == errors == ""
    assert not any(is_running(pid) for pid in found)


def test_what_a_process_started_ends_with_it():
    script = ("import subprocess\n"
              "if index == 0:\n"
              "  child = subprocess.Popen(['sleep', '60']); open('pid0', 'w').write(str(child.pid)); sys.exit(4)\n"
              "time.sleep(60)")
    finish(start(script, "--processes", "2"), code=4)
    assert not is_running(*pids(1))


@pytest.mark.parametrize("arguments, message", [
    (["--processes", "0", "--", "true"], "0 is not in the range x>=1"),
    (["--processes", "2"], "Missing argument 'COMMAND...'"),
    (["--processes", "2", "python", "a.py", "--epochs", "3"], "No such option"),
    (["--processes", "2", "--", "no-such-command"], "error: there is no command 'no-such-command'\n"
     "  expected: a program, then its arguments\n  to mend it: "
     "write for example: tarazu launch --processes 2 -- python train.py\n"),
])
def test_commands_that_cannot_be_started(arguments, message):
    assert message in run("launch", *arguments, code=2)


def test_the_launcher_does_not_import_jax():
    code = "import sys, tarazu.cli.main, tarazu.cli.launch; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
