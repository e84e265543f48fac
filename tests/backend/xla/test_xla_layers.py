"""Every layer on XLA's CPU: outputs and gradients as eager calls compute them."""

import pytest
from layer_programs import assert_compiled_as_eager
from nn.test_layers import ROWS, built, inputs

import tarazu as tz

PARTS = 12


@pytest.mark.parametrize("part", [part if part % 6 == 0 else pytest.param(part, marks=pytest.mark.long)
                                  for part in range(PARTS)])
def test_layers(part):
    rows = list(ROWS.items())[part::PARTS]
    tz.set_backend("xla")
    names, layers = [name for name, _ in rows], [built(row).eval() for _, row in rows]
    assert_compiled_as_eager(names, layers, [inputs(row) for _, row in rows])
