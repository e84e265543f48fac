"""Recursion without a limit of depth: functions whose calls of each other stand on a list, not on Python's stack.

A long chain of operations is a deep tree of nodes. Functions that go down such a tree are generators here: they yield
the generator of each call, and get its result.
"""

from __future__ import annotations

from collections.abc import Generator
from types import GeneratorType
from typing import Any, TypeAlias, TypeVar

Result = TypeVar("Result")
Recursive: TypeAlias = Generator[Any, Any, Result]  # yields calls (or values, which it gets back as they are)


def run(call: Recursive[Result]) -> Result:
    """The result of a recursive call."""
    calls: list[Recursive[Any]] = [call]
    value: Any = None
    while calls:
        try:
            value = calls[-1].send(value)
        except StopIteration as end:
            calls.pop()
            value = end.value
        else:
            if isinstance(value, GeneratorType):
                calls.append(value)
                value = None
    return value
