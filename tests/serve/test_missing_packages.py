"""Serving where the extra is not installed."""

import sys

import pytest

import tarazu as tz


@pytest.mark.parametrize("call", [tz.serve.app, tz.serve.serve])
def test_the_extra_is_named(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "starlette", None)
    with pytest.raises(tz.TarazuError, match=r"needs the package starlette(.|\n)*pip install 'tarazu\[serve\]'"):
        call("runs/none")
