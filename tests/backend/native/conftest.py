"""The backend that these tests are about, in one place."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from tarazu.backend.base import Program
from tarazu.ir.graph import Graph
from tarazu.runtime.compile import compile_graph

NAME = os.environ.get("TARAZU_FUZZ_BACKEND", "native")


@pytest.fixture(scope="session")
def backend_name() -> str:
    return NAME


@pytest.fixture(scope="session")
def compiled(backend_name: str) -> Callable[[Graph], Program]:
    """Compiles as `jit` does, for the backend under test."""
    return lambda graph: compile_graph(graph, backend_name)


@pytest.fixture(autouse=True)
def in_full(request: pytest.FixtureRequest, backend_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets LLVM do its best, as for programs that run long; `test_quick_code.py` and `test_fuzz.py` are about both."""
    if backend_name == "native" and request.path.stem != "test_quick_code":
        monkeypatch.setattr("tarazu.backend.native.compiler.FEW_FLOPS", -1)


@pytest.fixture
def set_threads(backend_name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the number of threads for one test, which may be more than there are cores."""
    if backend_name == "numpy":
        yield lambda n: None
        return
    from tarazu.backend.native.threads.thread_count import set_threads, threads

    for user in ("program", "inspect.timed"):
        monkeypatch.setattr(f"tarazu.backend.native.{user}.helpful_threads", threads)
    before = threads()
    yield set_threads
    set_threads(before)


@pytest.fixture
def use_backend(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets `jit` and `fit` run on the backend of that name for the rest of a test."""
    def use(name: str) -> None:
        monkeypatch.setattr("tarazu.runtime.eager.compile_jitted",
                            lambda graph, renewed=(): compile_graph(graph, name, renewed=renewed))
    return use
