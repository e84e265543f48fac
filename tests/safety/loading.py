"""`Loader`: a child process that loads files, started again where a file has ended it or takes too long."""

import contextlib
import json
import os
import select
import subprocess
import sys
from pathlib import Path

LONGEST = 60  # seconds for a file: a loop of ONNX takes ten, and other processes may run
CHILD = Path(__file__).with_name("loading_child.py")


class Loader(contextlib.AbstractContextManager):
    """Loads files of `formats` in a child; `good` has a good file of each, which lie, as all others, below `folder`."""

    def __init__(self, folder, good):
        self.folder, self.good, self._child = folder, good, None

    def __exit__(self, *_):
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def load(self, format_, path):
        """What came of a file: as loading_child.py says, or the outcome "hangs" or "dies"."""
        if self._child is None:
            self._start()
        return self._ask({"format": format_, "path": str(path)}, LONGEST)

    def _start(self):
        root = Path(__file__).parents[2]
        environment = {**os.environ, "PYTHONPATH": str(root), "TARAZU_CACHE": str(self.folder / "cache"),
                       "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "JAX_PLATFORMS": "cpu"}
        with (self.folder / "stderr.txt").open("ab") as errors:
            self._child = subprocess.Popen([sys.executable, str(CHILD), str(self.folder)], stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, stderr=errors, env=environment)
        for format_, path in self.good.items():
            answer = self._ask({"format": format_, "path": str(path), "warm": True}, 120)
            assert answer["outcome"] == "value", f"the good file of {format_} is not read: {answer}"

    def _ask(self, request, seconds):
        try:
            self._child.stdin.write(json.dumps(request).encode() + b"\n")
            self._child.stdin.flush()
            ready, _, _ = select.select([self._child.stdout], [], [], seconds)
            line = self._child.stdout.readline() if ready else None
        except BrokenPipeError:
            line = b""
        if line:
            return json.loads(line)
        if line is None:
            self._child.kill()
        code = self._child.wait()
        self.__exit__()
        return {"outcome": "hangs" if line is None else f"dies: {code}", "text": "", "memory": 0, "forbidden": [],
                "seconds": seconds}


def faults(path, answer, most_memory):
    """What is wrong with an answer, in words; nothing for an error in three parts that names the file, or a value."""
    found = [f"forbidden: {event}" for event in answer["forbidden"]]
    if answer["outcome"] not in ("error", "value"):
        found.append(f"{answer['outcome']}: {answer['text'][-1500:]}")
    if answer["outcome"] == "error" and not all(answer["parts"]):
        found.append(f"an error without three parts: {answer['text']}")
    if answer["outcome"] == "error" and Path(path).name not in answer["text"]:
        found.append(f"an error that does not name the file: {answer['text']}")
    if answer["memory"] > most_memory:
        found.append(f"{answer['memory'] / 2**20:.0f} MB of memory: {answer['text'][:300]}")
    return found
