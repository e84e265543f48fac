"""The paths that `tz.load` takes: names in any case, and what is told where there is no such file."""

import numpy as np
import pytest

import tarazu as tz


@pytest.mark.parametrize("name", ["m.onnx", "M.ONNX", "m.pt", "m.PTH", "m.safetensors", "m.stablehlo"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(tz.TarazuError, match=rf"{name}: there is no such file\n  expected: the path of a model's file"):
        tz.load(tmp_path / name)


@pytest.mark.extras
def test_onnx_files_may_end_in_any_case(tmp_path):
    model = tz.nn.Dense(2, in_features=3)
    tz.export(model, tmp_path / "MODEL.Onnx", tz.zeros(1, 3))
    np.testing.assert_allclose(tz.load(tmp_path / "MODEL.Onnx")(tz.ones(1, 3)), model(tz.ones(1, 3)), rtol=1e-5)
