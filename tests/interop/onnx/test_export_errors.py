"""What cannot be exported to ONNX: errors that say why and where, and files that stay as they were."""

import re
import sys

import numpy as np
import pytest

import tarazu as tz
from tarazu import nn
from tarazu.base.errors import ArgumentError, CompileError
from tarazu.interop.onnx.export import model_file
from tarazu.interop.onnx.export.to_onnx import onnx_model

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
with_onnx = pytest.mark.extras


class Inverse(nn.Module):
    def forward(self, x):
        return x @ tz.linalg.inv(tz.eye(3) + x.T @ x)


REFUSED = {
    "in a layer": (nn.Sequential([nn.Dense(3), Inverse()]), CompileError,
                   r"ONNX export of `solve` in Sequential/1 Inverse: ONNX has no decompositions of matrices.*\n"
                   r"  expected: operations that ONNX has.*\n  to mend it: leave that part out .*StableHLO"),
    "complex numbers inside": (lambda x: tz.real(tz.fft.fft(x)), CompileError,
                               "ONNX's operators take no complex numbers"),
    "gamma": (lambda x: tz.lgamma(x), CompileError, "`lgamma`: ONNX has no gamma function"),
    "float64": (lambda x: tz.erf(x.astype("float64")), CompileError, "`erf`: onnxruntime has no Erf of float64"),
    "a bound": (lambda x: tz.while_loop(lambda c: c.sum() < 9, lambda c: c + 1, x, bound=9), CompileError,
                "`while`: a while_loop with a bound"),
    "running products of rows": (lambda x: tz.cumprod(x, 0), CompileError,
                                 "`cumprod`: a running product along an axis whose size follows the rows"),
    "branches on the rows": (lambda x: x * 2 if len(x) > 5004 else x, ArgumentError,
                             "depends on the number of rows in a way .*: it makes other operations for more rows"),
    "half of the rows": (lambda x: x[:len(x) // 2], ArgumentError, "there are 2501, 2504, 2510"),
    "constants": (lambda x: x + np.arange(len(x) * 3, dtype=np.float32).reshape(-1, 3), ArgumentError,
                  "a constant of shape .* for 5003 rows"),
    "a model's random numbers": (lambda x: tz.dropout(x, 0.5), ArgumentError,
                                 "draws random numbers or changes tensors from outside"),
}


@with_onnx
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name, tmp_path):
    function, error, text = REFUSED[name]
    if isinstance(function, nn.Module):
        function(tz.asarray(X))
    with pytest.raises(error, match=text):
        tz.export(function, tmp_path / "m.onnx", example=X)
    assert not list(tmp_path.iterdir())


@with_onnx
def test_an_example_is_needed_for_functions_and_unknown_inputs(tmp_path):
    with pytest.raises(ArgumentError, match="export of a function without an example"):
        tz.export(lambda x: x, tmp_path / "m.onnx")
    with pytest.raises(ArgumentError, match="whose first layer is Embedding, which takes integers"):
        tz.export(nn.Sequential([nn.Embedding(3, 2)]), tmp_path / "m.onnx")


@with_onnx
def test_what_is_no_model_and_names_that_are_not_there(tmp_path):
    with pytest.raises(ArgumentError, match=r"export of a int\n  expected: a model, or a function"):
        tz.export(3, tmp_path / "m.onnx", X)
    with pytest.raises(ArgumentError, match="an example of inputs 'left'\n  expected: the inputs 'x'\n"):
        tz.export(nn.Dense(2), tmp_path / "m.onnx", {"left": X})


@with_onnx
def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(ArgumentError, match=r"is a folder\n.*\n.*model\.onnx"):
        folder = tmp_path / "m.onnx"
        folder.mkdir()
        tz.export(nn.Dense(2, in_features=3), folder, example=X)


@with_onnx
def test_weights_beyond_the_limit_lie_in_a_file_beside(tmp_path, monkeypatch):
    """The limit is that of a file of protobuf, 2 GB; here it is lower."""
    import onnxruntime

    path, small, large = tmp_path / "m.onnx", nn.Dense(2, in_features=3), nn.Dense(5, in_features=3)
    monkeypatch.setattr(model_file, "MOST_BYTES", 40)
    for model, count in ((small, 1), (large, 2), (large, 2), (nn.Dense(6, in_features=3), 2), (small, 1)):
        tz.export(model, path, example=X)
        assert len(list(tmp_path.iterdir())) == count  # files of the model that was there are gone
        (found,) = onnxruntime.InferenceSession(path).run(None, {"x": X})
        np.testing.assert_allclose(found, model(X).numpy(), 1e-5, 1e-6)
        np.testing.assert_allclose(tz.load(path)(X).numpy(), found, 1e-5, 1e-6)


@with_onnx
def test_the_files_stay_when_writing_fails(tmp_path, monkeypatch):
    import onnx

    def fail(*args, **options):
        raise OSError("the disk is full")

    monkeypatch.setattr(model_file, "MOST_BYTES", 10)
    path = tmp_path / "m.onnx"
    tz.export(nn.Dense(2, in_features=3), path, example=X)
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    monkeypatch.setattr(onnx.checker, "check_model", fail)
    with pytest.raises(OSError, match="the disk is full"):
        tz.export(nn.Dense(3, in_features=3), path, example=X)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


@with_onnx
def test_names_that_would_meet_are_refused():
    with pytest.raises(CompileError, match=r"two tensors are named 'output\.x\.y'"):
        onnx_model(lambda x: {"x": {"y": x + 1}, "x.y": x}, X)


def test_onnx_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ArgumentError, match=re.escape("pip install 'tarazu[onnx]'")):
        tz.export(nn.Dense(2, in_features=3), tmp_path / "m.onnx", example=X)
