"""All that must hold of a backend's program for a random graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from comparing import Expected, difference, expected
from random_graphs import Case

from tarazu.backend.base import Program
from tarazu.ir.graph import Graph

Array = np.ndarray


@runtime_checkable
class HasQuickCode(Protocol):
    """A program that may have been compiled quickly."""

    def compile_in_full(self) -> None: ...


def problems(case: Case, compile: Callable[[Graph], Program]) -> Iterator[str]:
    """What is wrong with the program's results for two sets of inputs, with its repeatability and its manners.

    Compiled in full it has to give the same bits.
    """
    inputs = [case.arrays(0), case.arrays(1)]
    program = compile(case.graph)
    first = _run(program, inputs[0])
    kept = [_bits(x) for x in first]
    second = _run(program, inputs[1])
    if [_bits(x) for x in first] != kept:
        yield "a later call changed the results of an earlier one"
    again = _run(program, inputs[0])
    yield from (f"output {i}: other bits when run again" for i, x in enumerate(again) if _bits(x) != kept[i])
    if isinstance(program, HasQuickCode):
        program.compile_in_full()
        again = _run(program, inputs[0])
        yield from (f"output {i}: other bits compiled in full" for i, x in enumerate(again) if _bits(x) != kept[i])
    for number, found in enumerate((first, second)):
        yield from _differences(number, found, expected(case.graph, inputs[number]))
        if [_bits(x) for x in inputs[number]] != [_bits(x) for x in case.arrays(number)]:
            yield f"the program changed its inputs {number}"


def _run(program: Program, inputs: list[Array]) -> list[Array]:
    return list(program(*inputs))


def _bits(x: Array) -> bytes:
    return np.asarray(x).tobytes()


def _differences(number: int, found: list[Array], wanted: list[Expected]) -> Iterator[str]:
    if len(found) != len(wanted):
        yield f"{len(found)} outputs instead of {len(wanted)}"
        return
    for i, (values, right) in enumerate(zip(found, wanted, strict=True)):
        if text := difference(values, right):
            yield f"inputs {number}, output {i}: {text}"
