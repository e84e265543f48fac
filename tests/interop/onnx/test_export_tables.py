"""Each primitive has a row of the exporter to ONNX, or the reason why it has none."""

from tarazu.interop.onnx.export.rules.table import CONTROL, REASONS, ROWS
from tarazu.interop.onnx.export.sizes import Size, broadcast, fitted
from tarazu.ir import op as ops
from tarazu.ir.op import ALL

PLACES = (ROWS, CONTROL, REASONS, {ops.CALL: None})  # program.py runs calls


def test_every_primitive_has_a_row_or_a_reason():
    found = [op for place in PLACES for op in place]
    missing = [op.name for op in ALL if op not in found]
    assert not missing, f"tarazu/interop/onnx/export/rules/, in the file of their family or refused.py: {missing}"
    assert len(found) == len(set(found)) == len(ALL)


def test_what_is_refused_is_a_closed_list():
    assert {op.name for op in REASONS} == {
        "lgamma", "polygamma", "conj", "imag", "bitcast", "fft", "cholesky", "qr", "eigh", "eig", "svd", "slogdet",
        "solve", "random_bits"}


def test_sizes_follow_the_rows():
    assert fitted([7, 7, 7]) == 7 and fitted([15009, 15027, 15063]) == Size(3, 0)
    assert fitted([2501, 2504, 2510]) is None and fitted([5003**2, 5009**2, 5021**2]) is None
    batch = Size(1, 0)
    assert batch * 3 - 2 == Size(3, -2) and 1 + batch - batch == 1 and str(Size(2, -1)) == "2*batch-1"
    assert broadcast((batch, 1), (4,), ()) == (batch, 4)
