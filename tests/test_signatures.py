"""Signatures and docstrings: parameters have types, and public callables an example and the errors that they raise."""

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import modules

import tarazu as tz
from tarazu.ops import fft, linalg
from tarazu.runtime import random

MOST_ANY = 0.05  # the share of parameters that may be typed Any
NAMESPACES = {"tz": tz, "tz.nn": tz.nn, "tz.nn.init": tz.nn.init, "tz.optim": tz.optim, "tz.data": tz.data,
              "tz.train": tz.train, "tz.tabular": tz.tabular, "tz.record": tz.record, "tz.diagnose": tz.diagnose,
              "tz.study": tz.study, "tz.sklearn": tz.sklearn, "tz.serve": tz.serve, "tz.interop": tz.interop,
              "tz.draw": tz.draw,
              "tz.data.augment": tz.data.augment, "tz.fft": fft, "tz.linalg": linalg, "tz.random": random}
ERROR = re.compile(r"[A-Z]\w*Error\b")
RAISES = re.compile(r"^\s*raise \w|\b_?require\w*\(|\bpositive_int\(", re.MULTILINE)


def parameters(function: ast.FunctionDef) -> Iterator[ast.arg]:
    """All parameters but self and cls."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return (x for x in every if x is not None and x.arg not in ("self", "cls"))


def test_parameters_have_types():
    untyped, count = [], 0
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for x in parameters(node) if isinstance(node, ast.FunctionDef) else ():
                count += 1
                if x.annotation is None or ast.unparse(x.annotation) in ("Any", "_Any"):
                    untyped.append(f"{name}.{node.name}: {x.arg}")
    assert len(untyped) <= MOST_ANY * count, f"{len(untyped)} of {count} parameters are Any, such as {untyped[:20]}"


def public_callables() -> dict[str, Callable[..., Any]]:
    """Functions and classes of the public namespaces, each once."""
    seen: dict[int, tuple[str, Callable[..., Any]]] = {}
    for prefix, namespace in NAMESPACES.items():
        for name in getattr(namespace, "__all__", None) or dir(namespace):
            thing = getattr(namespace, name)
            is_ours = str(getattr(thing, "__module__", "")).startswith("tarazu")
            if callable(thing) and is_ours and not name.startswith("_") and not isinstance(thing, types.ModuleType):
                seen.setdefault(id(inspect.unwrap(thing)), (f"{prefix}.{name}", thing))
    return dict(seen.values())


PUBLIC = public_callables()


@pytest.mark.parametrize("package", ["nn", "optim", "train", "tabular", "data", "record", "diagnose", "study",
                                     "sklearn", "interop"])
def test_packages_list_what_they_import_for_users(package):
    module = getattr(tz, package)
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    missing = sorted(imported - {"annotations", *module.__all__})
    assert not missing, f"tarazu/{package}/__init__.py, in __all__, lacks: {', '.join(missing)}"


def methods(kind: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public methods and properties that a class defines itself."""
    for name, value in vars(kind).items():
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if isinstance(function, types.FunctionType) and not name.startswith("_"):
            yield name, function


def source(thing: Callable[..., Any]) -> str:
    """The text of a function, or of a class's `__init__`."""
    function = vars(thing).get("__init__") if isinstance(thing, type) else inspect.unwrap(thing)
    is_written = isinstance(function, types.FunctionType) and not function.__code__.co_filename.startswith("<")
    return textwrap.dedent(inspect.getsource(function)) if is_written else ""


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings(name):
    thing = PUBLIC[name]
    text = inspect.getdoc(thing) or ""
    assert ">>>" in text, f"{name} has no example"
    if RAISES.search(source(thing)):
        assert ERROR.search(text), f"the docstring of {name} does not say which error it raises"
    for method, function in methods(thing) if isinstance(thing, type) else ():
        assert inspect.getdoc(getattr(thing, method)), f"{name}.{method} has no docstring"
        if RAISES.search(source(function)):
            said = f"{text} {inspect.getdoc(getattr(thing, method))}"
            assert ERROR.search(said), f"neither {name} nor {name}.{method} says which error it raises"
