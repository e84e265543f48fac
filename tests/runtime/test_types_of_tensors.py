"""What type checkers, and so editors, know of tensors."""

from pathlib import Path

import pytest

import tarazu

SNIPPET = """
from typing import assert_type

import tarazu as tz

x, v = tz.ones(2), tz.Variable([1.0, 2.0])
assert_type(x + 1, tz.Tensor)
assert_type(1 - x, tz.Tensor)
assert_type(-x @ x.T, tz.Tensor)
assert_type(x == 1, tz.Tensor)
assert_type(x < v, tz.Tensor)
assert_type(x[0], tz.Tensor)
assert_type(x.exp().sum(0, keepdims=True), tz.Tensor)
assert_type(x.reshape(1, -1).clamp_(min=0.0).zero_(), tz.Tensor)
assert_type(v.add_(1), tz.Variable)
assert_type(v.assign(2.0), tz.Variable)
assert_type(x.grad, tz.Tensor | None)
assert_type(x.to("cpu").float(), tz.Tensor)
assert_type(tz.mean(x), tz.Tensor)
assert_type(tz.random.normal(3), tz.Tensor)
x += 1
assert_type(x, tz.Tensor)
"""


@pytest.mark.long
def test_operators_and_methods_give_tensors(tmp_path):
    from mypy import api

    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET, encoding="utf-8")
    root = Path(tarazu.__file__).parents[1]
    text, errors, status = api.run(["--config-file", str(root / "pyproject.toml"), "--cache-dir", str(tmp_path),
                                    str(snippet)])
    assert status == 0, text + errors
