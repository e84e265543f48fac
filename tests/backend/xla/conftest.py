"""The XLA backend's tests need JAX; `pytest -m 'xla and not long'` runs them, on eight devices made of the CPU."""

import importlib.util
import os
from pathlib import Path

import pytest

os.environ["JAX_NUM_CPU_DEVICES"] = "8"
collect_ignore_glob = [] if importlib.util.find_spec("jax") else ["test_*.py"]


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xla)
