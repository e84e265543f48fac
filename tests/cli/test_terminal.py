"""What a terminal shows: lines that fit, colors where they are wanted, and quiet where nobody reads."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import numpy as np
import pytest
from click.testing import CliRunner

import tarazu as tz
from tarazu.cli.closed_pipe import quiet_when_closed
from tarazu.cli.main import main
from tarazu.tabular import score_text
from tarazu.train.callbacks.progress_text import status_lines

COMMAND = [sys.executable, "-m", "tarazu.cli.main"]
COLOR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def lopsided():
    """76 % of the rows are "no", and nothing tells which."""
    generator = np.random.default_rng(0)
    answers = np.where(np.arange(400) % 25 < 19, "no", "a name of a class that is far too long for a table")
    table = {"a rather long name of a column": generator.normal(size=400), "b": generator.normal(size=400),
             "answer": answers}
    return tz.fit_table(table, target="answer", epochs=2, verbose=0)


@pytest.fixture(scope="module")
def folder(lopsided, tmp_path_factory):
    return lopsided.save(tmp_path_factory.mktemp("runs") / "run")


def in_terminal(arguments, width, command=COMMAND):
    """What the command prints in a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    process = subprocess.Popen([*command, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs,
                               env=plain | {"TERM": "xterm"})
    os.close(theirs)
    output = b""
    with contextlib.suppress(OSError):  # the end of a terminal's output
        while data := os.read(ours, 65536):
            output += data
    os.close(ours)
    assert process.wait() == 0, output
    return output.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_scores_fit_and_no_word_is_broken(lopsided, width):
    words = set(score_text.all_scores(lopsided.assessment).split())
    text = score_text.all_scores(lopsided.assessment, width)
    assert max(map(len, text.splitlines())) <= width
    assert set(text.split()) == words


def test_a_majority_that_is_all_there_is_is_seen_at_a_glance(lopsided):
    text = str(lopsided)
    long_name = lopsided.classes[0]
    assert re.search(r"^accuracy( +7[56]\.\d%){4}$", text, re.MULTILINE)
    assert re.search(r"^balanced accuracy( +50\.0%){4}$", text, re.MULTILINE)
    assert re.search(rf"^{long_name[:23]}… +\d+ +- +0\.0% +0\.0%$", text, re.MULTILINE)
    assert re.search(rf"^'{long_name}': 0 of (\d+) rows recognized, \1 taken for 'no'$", text, re.MULTILINE)


def test_a_terminal_gets_colors_and_whole_words(folder):
    output = in_terminal(["report", folder], 60)
    assert COLOR.search(output)
    lines = COLOR.sub("", output).splitlines()
    assert max(len(line) for line in lines if " " in line.strip() and str(folder) not in line) <= 60


def test_other_output_has_neither_colors_nor_broken_lines(folder):
    def output(color, **environment):
        return CliRunner().invoke(main, ["report", str(folder)], env=environment, color=color).output
    plain = output(False, NO_COLOR="", FORCE_COLOR="")
    assert not COLOR.search(plain) and max(map(len, plain.splitlines())) > 120
    assert COLOR.search(output(False, NO_COLOR="", FORCE_COLOR="1"))
    assert COLOR.search(output(True, NO_COLOR="", FORCE_COLOR=""))
    assert not COLOR.search(output(True, NO_COLOR="1", FORCE_COLOR="1"))


def test_nobody_reads_what_a_command_prints(folder):
    process = subprocess.Popen([*COMMAND, "report", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def test_output_after_the_pipe_closed_is_dropped(monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with quiet_when_closed():
            print("x" * 100_000)
            print("y", flush=True)
            assert not sys.stdout.isatty()
        assert sys.stdout is stream
        print("z", flush=True)  # leads nowhere now


NUMBERS = ["loss 0.5000", "accuracy 0.5000", "val_loss 0.2500", "val_accuracy 0.7500"]


@pytest.mark.parametrize(("width", "lines", "bar"), [(10, 8, 0), (25, 6, 0), (35, 4, 12), (60, 3, 15), (79, 2, 34),
                                                     (150, 1, 37)])
def test_progress_cuts_no_number_off(width, lines, bar):
    where, pace = ["epoch 3/4", "step 12/90"], ["9 steps/s", "0:02 left"]
    shown = status_lines(where, pace, NUMBERS, width, lambda n: "━" * n)
    texts = [text for line in shown for text in line.split("  ") if "━" not in text]
    assert texts == [*where, *pace, *NUMBERS]
    assert max(map(len, shown)) <= max(width, len(NUMBERS[-1]))
    assert (len(shown), sum(line.count("━") for line in shown)) == (lines, bar)
    without = status_lines(where, pace, NUMBERS, width)
    assert [text for line in without for text in line.split("  ")] == texts


FITTING = """
import numpy as np, tarazu as tz
from tarazu.train.callbacks import progress
progress.EVERY = 0.0
model = tz.nn.Sequential([tz.nn.Dense(2)])
model.compile(loss="cross_entropy", metrics=["accuracy"])
x = np.zeros((40, 3), np.float32)
model.fit(x, np.zeros(40, np.int64), epochs=30, batch_size=8, validation_data=(x, np.zeros(40, np.int64)))
"""


def test_the_bar_of_a_fit_wraps_in_no_narrow_terminal():
    output = in_terminal(["-c", FITTING], 72, [sys.executable])
    plain = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", output)
    lines = [line for line in re.split(r"[\r\n]+", plain) if line]
    assert max(map(len, lines)) <= 72 and sum("epoch 30/30  step 5/5" in line for line in lines) >= 1
    drawn = [part.count("\n") for part in re.split(r"epoch +\d+/30", plain)[1:]]
    assert set(drawn) <= {0, 1, 2}, "a picture of two lines at most, which the next one replaces"
