"""Each layer of the contract suite as ONNX: checked, and run by onnxruntime for any number of rows."""

import pytest
from onnx_programs import exported_as_called
from test_layers import ROWS, inputs

import tarazu as tz

pytestmark = pytest.mark.extras


def check(name, rows):
    tz.random.seed(0)
    exported_as_called(ROWS[name].make(), inputs(ROWS[name]).numpy(), rows=rows)


@pytest.mark.parametrize("name", ROWS)
def test_a_layer_computes_the_same_in_onnxruntime(name):
    check(name, (7,))


@pytest.mark.long
@pytest.mark.parametrize("name", ROWS)
def test_a_layer_computes_the_same_for_other_numbers_of_rows(name):
    check(name, (1, 3))
