"""What several test files need."""

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import tarazu as tz
from tarazu.runtime.jit import shared_traces
from tarazu.runtime.jit.jit import Counter

EXAMPLES = Path(__file__).parents[1] / "examples"


def modules() -> dict[str, Path]:
    """The file of every module of the package, by its dotted name; folders without `__init__.py` hold other files."""
    root = Path(tz.__file__).parent
    found = {}
    for path in sorted(root.rglob("*.py")):
        if not (path.parent / "__init__.py").exists():
            continue
        parts = path.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def example(name: str) -> ModuleType:
    """A script of examples/ as a module."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def compilations(*, at_most: int | None = None, exactly: int | None = None) -> Iterator[None]:
    """A block that may trace and compile only so many functions; traces from before it are not shared."""
    shared_traces._kept.clear()
    before = Counter.traces
    yield
    count = Counter.traces - before
    assert at_most is None or count <= at_most, f"{count} compilations, at most {at_most} expected"
    assert exactly is None or count == exactly, f"{count} compilations, {exactly} expected"


def same_bits(first: Any, second: Any) -> bool:
    """Whether two arrays or tensors agree in dtype, shape and every bit, but that one NaN is as good as another."""
    first, second = np.asarray(first), np.asarray(second)
    if first.dtype != second.dtype or first.shape != second.shape:
        return False
    both_nan = (first != first) & (second != second)
    return np.where(both_nan, 0, first).tobytes() == np.where(both_nan, 0, second).tobytes()


def assert_same(found: Any, wanted: Any) -> None:
    """A readable failure when two arrays or tensors differ in any bit."""
    assert same_bits(found, wanted), f"{found!r} is not {wanted!r}"


def leaf(*values: Any, dtype: str = "float64") -> tz.Tensor:
    """A tensor that gradients are collected for."""
    return tz.tensor(values if len(values) > 1 else values[0], dtype=dtype, requires_grad=True)
