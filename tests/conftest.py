"""What holds for all tests."""

import gc
import os
import signal
import sys
import types
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
IN_NUMPY = ("ir", "ops", "transform", "runtime", "nn", "optim", "sklearn")


def pytest_configure(config):
    """Compiled programs go to a folder of the tests' own, unless TARAZU_CACHE names one, and Ctrl-C is heard."""
    if "TARAZU_CACHE" not in os.environ:
        kept = getattr(config, "cache", None)  # not there under `-p no:cacheprovider`
        os.environ["TARAZU_CACHE"] = str(kept.mkdir("tarazu")) if kept else "off"
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell; tests send it themselves
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is collected stays until the end, so the garbage collector need not look at it, then or in tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def backend_by_folder(request, monkeypatch):
    """Jitted functions run in NumPy in the folders of IN_NUMPY, elsewhere on what users have, the native backend.

    The tests in those folders are about tracing, layers and optimizers, and compare jitted results with eager ones bit
    for bit. Native programs round differently; tests/backend/native compares them with NumPy's within tolerances.
    """
    folder = request.path.relative_to(TESTS).parts[0]
    if folder in IN_NUMPY and not request.node.get_closest_marker("native"):
        monkeypatch.setenv("TARAZU_BACKEND", "numpy")  # processes that a test starts inherit it
    monkeypatch.setattr("tarazu.runtime.compile._chosen", None)  # where tests and examples put what they choose


@pytest.fixture
def notebook(monkeypatch):
    """A program of a notebook; `outputs` has a list of the texts that each output of the cell had."""
    found = types.SimpleNamespace(outputs=[])

    def display(bundle, raw, display_id):
        assert raw and display_id
        texts = []
        found.outputs.append(texts)
        return types.SimpleNamespace(update=lambda bundle, raw: texts.append(bundle["text/plain"]))

    package, module = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr("builtins.get_ipython", type("ZMQInteractiveShell", (), {}), raising=False)
    return found
