"""Code is emitted, not run, for processors other than this one: whole training steps and random graphs."""

from __future__ import annotations

import numpy as np
import pytest
from random_gradients import gradient_case_of_seed
from small_networks import NETWORKS, OPTIMIZERS, training_step

import tarazu as tz
from tarazu.ir.graph import Graph

pytest.importorskip("llvmlite")
from tarazu.backend.native.compiler import lower
from tarazu.backend.native.llvm.assemble import object_code
from tarazu.backend.native.llvm.target import aarch64, host

X86 = ("avx512", "avx2", "sse")


def targets():
    yield "aarch64", aarch64()
    if host().is_x86:
        yield from ((name, host(name)) for name in X86)


TARGETS = pytest.mark.parametrize("target", [pytest.param(target, id=name) for name, target in targets()])


def step_graph(build) -> Graph:
    """The graph of a training step."""
    model, shape = build()
    x, y = np.zeros((16, *shape), np.float32), np.arange(16) % 4
    model(tz.asarray(x))
    return tz.trace(training_step(model, OPTIMIZERS["adam"](model.parameters())))(x, y)


@TARGETS
@pytest.mark.parametrize("build", NETWORKS)
def test_training_steps_become_object_code(build, target):
    text = lower(step_graph(build), target).text
    assert object_code(text, target)[:4] == b"\x7fELF"


@TARGETS
@pytest.mark.parametrize("seed", range(6))
def test_random_graphs_become_object_code(seed, target):
    text = lower(gradient_case_of_seed(seed).graph, target).text
    assert object_code(text, target)[:4] == b"\x7fELF"
