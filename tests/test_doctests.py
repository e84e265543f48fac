"""The examples in the docstrings of every module."""

import doctest
import importlib
import importlib.util

import pytest
from helpers import modules


def names():
    """All modules; those that need JAX bear the mark of its tests, and are left out where it is not installed."""
    for name in modules():
        if name.startswith("tarazu.backend.xla"):
            if importlib.util.find_spec("jax"):
                yield pytest.param(name, marks=pytest.mark.xla)
        elif not name.endswith("__main__"):
            yield name


@pytest.mark.parametrize("name", list(names()))
def test_examples(name):
    failures, _ = doctest.testmod(importlib.import_module(name))
    assert not failures
