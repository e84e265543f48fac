"""Small programs are compiled quickly first, and in full once they have run for as long as that takes."""

import numpy as np
import pytest
from small_networks import NETWORKS, OPTIMIZERS, training_step

import tarazu as tz
from tarazu.backend.native import cache, compiler
from tarazu.backend.native.llvm.target import host
from tarazu.backend.native.program import NativeProgram
from tarazu.backend.numpy import evaluate
from tarazu.ir.graph import Graph
from tarazu.runtime.compile import compile_in_full, compile_jitted

pytestmark = pytest.mark.skipif(not host().is_x86, reason="elsewhere all programs are compiled in full")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TARAZU_CACHE", str(tmp_path))
    return tmp_path


def graph_of_a_step(build=NETWORKS[0]) -> tuple[Graph, list[np.ndarray]]:
    """The graph of a training step, and arrays for its inputs."""
    model, shape = build()
    x, y = np.ones((16, *shape), np.float32), np.arange(16) % 4
    model(tz.asarray(x))
    graph = tz.trace(training_step(model, OPTIMIZERS["adam"](model.parameters())))(x, y)
    random = np.random.default_rng(0)
    arrays = [random.random(t.shape).astype(t.dtype.numpy) if t.dtype.is_float else np.ones(t.shape, t.dtype.numpy)
              for t in graph.input_types]
    return graph, arrays


def bits(program, arrays) -> list[bytes]:
    return [x.tobytes() for x in program(*arrays)]


def test_a_program_is_compiled_in_full_once_it_has_run_long(monkeypatch):
    graph, arrays = graph_of_a_step()
    program = NativeProgram(graph, evaluate)
    assert program.compiled.full is not None
    quick, first = bits(program, arrays), program.address
    assert program.address == first, "one run is short"
    monkeypatch.setattr("tarazu.backend.native.program.SECONDS_OF_LINE", 0.0)
    assert bits(program, arrays) == quick
    assert program.address != first
    second = program.address
    assert bits(program, arrays) == quick
    program.compile_in_full()
    assert program.address == second, "there is nothing better"


def test_the_cache_has_both(folder):
    graph, arrays = graph_of_a_step()
    program = NativeProgram(graph, evaluate)
    wanted = bits(program, arrays)
    assert cache.info().entries == 1
    again = NativeProgram(graph, evaluate)  # loaded; it is lowered anew to be compiled in full
    assert again.compiled.full is not None and not again.compiled.full.text
    again.compile_in_full()
    assert cache.info().entries == 2 and bits(again, arrays) == wanted
    in_full = NativeProgram(graph, evaluate)
    assert in_full.compiled.full is None and in_full.compiled.code != program.compiled.code
    assert bits(in_full, arrays) == wanted
    program.compile_in_full()  # what is in the cache
    assert cache.info().entries == 2 and bits(program, arrays) == wanted


def test_programs_with_much_to_do_are_compiled_in_full_at_once(monkeypatch):
    graph = tz.trace(lambda x: x @ x)(tz.ones(256, 256))
    monkeypatch.setattr(compiler, "FEW_FLOPS", 3 * 256**3)
    assert NativeProgram(graph, evaluate).compiled.full is not None
    monkeypatch.setattr(compiler, "FEW_FLOPS", 2 * 256**3 - 1)
    cache.clear()
    assert NativeProgram(graph, evaluate).compiled.full is None


def test_what_eager_code_has_computed_often_is_compiled_in_full_at_once():
    graph = tz.trace(lambda x: x @ x)(tz.ones(4, 4))
    assert compile_jitted(graph).compiled.full is not None
    assert compile_in_full(graph).compiled.full is None


@pytest.mark.long
@pytest.mark.parametrize("build", NETWORKS)
def test_networks_have_the_same_bits_in_full(build):
    graph, arrays = graph_of_a_step(build)
    program = NativeProgram(graph, evaluate)
    wanted = bits(program, arrays)
    program.compile_in_full()
    assert bits(program, arrays) == wanted
