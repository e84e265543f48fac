"""The examples in the docstrings of every module."""

import doctest
import importlib

import pytest
from helpers import modules


@pytest.mark.parametrize("name", [name for name in modules() if not name.endswith("__main__")])
def test_examples(name):
    failures, _ = doctest.testmod(importlib.import_module(name))
    assert not failures
