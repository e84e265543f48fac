"""Code is emitted, not run, for processors other than this one: whole training steps and random graphs."""

from __future__ import annotations

import numpy as np
import pytest
from random_gradients import gradient_case_of_seed
from small_networks import NETWORKS, OPTIMIZERS, training_step, transformer

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


def steps():
    """Each network on each target; by default those on the older x86 are the transformer's alone."""
    for name, target in targets():
        for build in NETWORKS:
            is_usual = name in ("aarch64", "avx512") or build is transformer
            yield pytest.param(build, target, id=f"{build.__name__}-{name}", marks=() if is_usual else pytest.mark.long)


@pytest.mark.parametrize(("build", "target"), list(steps()))
def test_training_steps_become_object_code(build, target):
    text = lower(step_graph(build), target).text
    assert object_code(text, target)[:4] == b"\x7fELF"


@TARGETS
@pytest.mark.parametrize("seed", range(6))
def test_random_graphs_become_object_code(seed, target):
    text = lower(gradient_case_of_seed(seed).graph, target).text
    assert object_code(text, target)[:4] == b"\x7fELF"
