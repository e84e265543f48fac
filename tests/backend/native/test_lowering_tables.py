"""The tables of primitives in the native backend: each that lowering takes has what makes it."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")
from tarazu.backend.native.kernels import special
from tarazu.backend.native.lowering import primitives
from tarazu.backend.native.lowering.region import control, nests
from tarazu.ir import op as ops


@pytest.mark.parametrize(("file", "table"), [("lowering/primitives.py", primitives.SPECIAL),
                                             ("kernels/special/__init__.py", special.SPECIAL.keys())])
def test_lowering_and_kernels_agree_about_special_kernels(file, table):
    missing = [op.name for op in (primitives.SPECIAL | special.SPECIAL.keys()) - table]
    assert not missing, f"tarazu/backend/native/{file}, in SPECIAL, lacks: {', '.join(missing)}"


def test_every_nest_and_product_has_a_lowering():
    assert nests.LOWER.keys() == primitives.NESTS | ops.PRODUCTS
    assert not nests.LOWER.keys() & control.LOWER.keys()
