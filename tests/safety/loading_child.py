"""A process that loads files, one after another, and tells of each what came of it: `python loading_child.py FOLDER`.

It reads lines of JSON, {"format": ..., "path": ...}, and writes a line for each: an error with its parts, or a value;
the memory that was taken at most, the seconds, and what was done that loading must not do.
"""

import contextlib
import gc
import json
import os
import resource
import sys
import sysconfig
import time
import traceback
import warnings
from pathlib import Path

import numpy as np

import tarazu as tz
from tarazu.base.errors import FileFormatError
from tarazu.data.dataset.table_files import CsvFiles, ParquetFiles
from tarazu.data.readers.images import decode_image
from tarazu.data.sets.files import IMAGE_SETS
from tarazu.data.sets.images import read_cifar, read_idx
from tarazu.data.tables.read import read_table
from tarazu.interop.torch_weights.shards import INDEX, read_shards
from tarazu.record import History
from tarazu.tabular import run_folder
from tarazu.train.callbacks import checkpoint_folder
from tarazu.train.save.tensor_file import read_tensors

MOST_MEMORY = 4 * 2**30  # of addresses, above what the process has once all is imported: more is an error, not a crash


def load_weights(path):
    return read_tensors(path, "take another copy")


def load_run(path):
    return run_folder.read(path), run_folder.read_outcome(path)


def load_checkpoint(path):
    content = checkpoint_folder.read(path)
    if content is None:
        raise FileFormatError("there is no checkpoint", path=path, expected="one", fix="take another copy")
    return content


def load_stream(kind):
    return lambda path: sum(1 for _ in kind(str(path), None, None)._rows(0))


def load_and_call(path):
    model = tz.load(path)
    try:
        return model(np.zeros((2, 3), np.float32))
    except tz.TarazuError as error:  # of a call, which does not know of the file
        raise FileFormatError(error.problem, expected=error.expected, fix=error.fix, path=path) from error


LOADERS = {
    "model folder": tz.load, "weights": load_weights, "sharded weights": lambda path: read_shards(path / INDEX),
    "checkpoint": load_checkpoint, "run folder": load_run, "history": History.load,
    "CSV": read_table, "gzipped CSV": read_table, "Parquet": read_table,
    "streamed CSV": load_stream(CsvFiles), "streamed Parquet": load_stream(ParquetFiles),
    "idx": lambda path: read_idx(path, 3),
    "CIFAR archive": lambda path: read_cifar(lambda _: path, IMAGE_SETS["cifar10"]),
    "image": lambda path: decode_image(path, (8, 8), "RGB"),
    "Keras": tz.load, "ONNX": load_and_call, "StableHLO": load_and_call}


class Watch:
    """Notes, while it is on, what Python tells its audit hooks of and loading must not do."""

    def __init__(self, folder):
        self.events, self.is_on = [], False
        # This folder too: JAX shows the lines of a traceback.
        places = [folder, Path(tz.__file__).parent, Path(__file__).parent, sys.prefix, sys.base_prefix,
                  *sysconfig.get_paths().values()]
        self._readable = tuple(os.path.realpath(place) + os.sep for place in places)
        self._writable = os.path.realpath(folder) + os.sep

    def __call__(self, event, args):
        if not self.is_on:
            return
        self.is_on = False
        problem = self._problem(event, args)
        self.is_on = True
        if problem:
            self.events.append(f"{event}: {problem}")
            raise PermissionError(problem)

    def _problem(self, event, args):
        if event == "open":
            return self._opened(*args)
        if event in ("compile", "exec"):
            name = str(args[1]) if event == "compile" else args[0].co_filename
            return None if name.startswith(self._readable) or is_made_by_library() else name
        if event == "import":
            return None
        banned = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "socket.", "pty.",
                  "pickle.", "marshal.load", "shutil.", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink",
                  "os.chmod", "ftplib.", "urllib.", "webbrowser.", "ctypes.dlopen")
        return repr(args)[:200] if event.startswith(banned) and not is_made_by_library() else None

    def _opened(self, path, mode, flags):
        if isinstance(path, int):
            return None
        real = os.path.realpath(os.fsdecode(path))
        writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & 3)
        if real in ("/dev/null", "/dev/urandom") or real.startswith(("/proc/", "/sys/")):
            return None
        return None if real.startswith(self._writable if writes else self._readable) else f"{real} ({mode})"


def is_made_by_library():
    """Whether modules are being imported, or the standard library makes a class: those run code of their own."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if "importlib" in name or name.endswith(("dataclasses.py", "collections/__init__.py", "typing.py", "enum.py")):
            return True
        frame = frame.f_back
    return False


def memory(name):
    """A number of /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def attempt(watch, request):
    """What came of loading one file."""
    path = Path(request["path"])
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, start, watch.events = memory("VmRSS"), time.perf_counter(), []
    watch.is_on = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcome = {"outcome": "value", "text": type(LOADERS[request["format"]](path)).__name__}
    except tz.TarazuError as error:
        outcome = {"outcome": "error", "parts": [error.problem, error.expected, error.fix], "text": str(error)}
    except BaseException as error:
        outcome = {"outcome": "traceback", "text": "".join(traceback.format_exception(error)[-12:])}
    finally:
        watch.is_on = False
    return {**outcome, "seconds": time.perf_counter() - start, "memory": memory("VmHWM") - before,
            "forbidden": watch.events}


def main():
    watch = Watch(sys.argv[1])
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    is_first = True
    sys.addaudithook(watch)
    for line in sys.stdin:
        request = json.loads(line)
        if request.get("warm"):  # a good file: what reads it is imported
            LOADERS[request["format"]](Path(request["path"]))
            answer = {"outcome": "value"}
        else:
            if is_first:
                gc.collect()
                gc.freeze()
                with contextlib.suppress(ValueError):
                    resource.setrlimit(resource.RLIMIT_AS, (memory("VmSize") + MOST_MEMORY,) * 2)
            is_first = False
            answer = attempt(watch, request)
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
