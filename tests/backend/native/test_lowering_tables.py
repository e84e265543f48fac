"""The tables of primitives in the native backend: each that lowering takes has what makes it."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")
from tarazu.backend.native.kernels import special
from tarazu.backend.native.lowering import primitives
from tarazu.backend.native.lowering.region import control, nests


def test_lowering_and_kernels_agree_about_special_kernels():
    assert special.SPECIAL.keys() == primitives.SPECIAL


def test_every_nest_and_product_has_a_lowering():
    assert nests.LOWER.keys() == primitives.NESTS | primitives.PRODUCTS
    assert not nests.LOWER.keys() & control.LOWER.keys()
