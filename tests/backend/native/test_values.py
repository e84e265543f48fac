"""Values of LLVM IR: constants know their numbers, and instructions ask for them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.values import constant, constants


@pytest.mark.parametrize("shape", ["{}", "<4 x {}>"])
@pytest.mark.parametrize(("element", "number", "known"), [
    ("i1", 1, True), ("i64", -3, -3), ("double", 0.1, 0.1), ("float", 0.1, float(np.float32(0.1))),
    ("float", 1e300, math.inf), ("float", -0.0, 0.0)])
def test_constants_have_the_number_of_their_type(shape, element, number, known):
    value = constant(shape.format(element), number)
    assert value.number == known and value.element == element
    assert math.copysign(1, value.number) == math.copysign(1, number)


def test_registers_and_constants_whose_lanes_differ_have_no_number():
    f = Module().function("f", [("float", "x")])
    assert f.parameters["x"].number is None and f.splat(f.parameters["x"], 4).number is None
    assert f.op("fadd", constant("float", 1), constant("float", 1)).number is None
    assert constants("i32", range(4)).number is None
    assert f.index(7).number == 7 and f.splat(f.index(7), 4) == constant("<4 x i64>", 7)


@pytest.mark.parametrize(("mask", "lane"), [
    (constants("i1", [True, False, False, False]), 0), (constants("i1", [False, False, True, False]), 2)])
def test_a_single_lane_is_stored_by_itself(mask, lane):
    f = Module().function("f", [("<4 x float>", "x"), ("ptr", "p")])
    f.store(f.parameters["x"], f.parameters["p"], 4, mask)
    assert f"extractelement <4 x float> %x, i64 {lane}" in f.text() and "masked" not in f.text()


@pytest.mark.parametrize("mask", [constant("<4 x i1>", True), constants("i1", [True, True, False, False]),
                                  constants("i1", [False] * 4)])
def test_other_masks_are_stored_by_lanes(mask):
    f = Module().function("f", [("<4 x float>", "x"), ("ptr", "p")])
    f.store(f.parameters["x"], f.parameters["p"], 4, mask)
    assert f"masked.store.v4f32.p0(<4 x float> %x, ptr align 4 %p, {mask.type} {mask.text})" in f.text()


def test_a_loop_without_iterations_is_an_error():
    f = Module().function("f", [])
    with pytest.raises(AssertionError, match="without iterations"), f.loop(3, 3):
        pass
