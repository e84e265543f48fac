"""The exercises of lesson 3, graphs and devices."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.base.device import Device
from tarazu.base.errors import TraceError
from tarazu.course.forms import called, mistake, number
from tarazu.course.wrong import Judge, Wrong
from tarazu.runtime.jit.jit import Jit, jit
from tarazu.runtime.tensor.creation import tensor


def named_number(answer: Any, right: float, cases: dict[float, str]) -> Wrong | None:
    """Whether the answer is that number; a wrong one is one of the cases, or "other"."""
    found = number(answer)
    if isinstance(found, Wrong) or found == right:
        return found if isinstance(found, Wrong) else None
    return Wrong(cases.get(found, "other"), found=int(found) if found.is_integer() else found)


def nodes_of_a_graph(answer: Any) -> Wrong | None:
    """How many operations are in (x * w).exp().mean()."""
    return named_number(answer, 4, {3.0: "mean_is_one", 5.0: "result_counted", 6.0: "inputs_counted",
                                     7.0: "inputs_counted"})


def number_of_traces(answer: Any) -> Wrong | None:
    """How often a function is traced that is called with two shapes."""
    return named_number(answer, 2, {4.0: "every_call", 1.0: "only_first", 3.0: "forgotten"})


def compiled(answer: Any, *args: np.ndarray) -> np.ndarray | Wrong:
    """The result of the answer under jit; Wrong where it uses Python's conditions, or NumPy, on traced tensors."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    try:
        return called(answer if isinstance(answer, Jit) else jit(answer), *map(tensor, args), shape=args[0].shape)
    except TraceError:
        return Wrong("not_traceable")


def choice(answer: Any) -> Wrong | None:
    """A function that doubles what is positive, and takes a tenth of the rest."""
    x = np.array([1.0, -2.0, 3.0, -4.0], np.float32)
    found = compiled(answer, x)
    if isinstance(found, Wrong):
        return found
    right = np.where(x > 0, 2 * x, 0.1 * x)
    if np.allclose(found, right):
        return None
    return mistake(found, {"swapped": np.where(x > 0, 0.1 * x, 2 * x), "all_doubled": 2 * x,
                           "zero": np.where(x > 0, 2 * x, 0)}) \
        or Wrong("value", found=found.tolist(), expected=right.tolist())


def halving(answer: Any) -> Wrong | None:
    """A function that halves until the largest element is below 1."""
    for start, right in [([10.0, -3.0], [0.625, -0.1875]), ([0.5, 0.25], [0.5, 0.25]), ([1.0, 0.0], [0.5, 0.0])]:
        found = compiled(answer, np.array(start, np.float32))
        if isinstance(found, Wrong):
            return found
        if np.allclose(found, right):
            continue
        if start == [10.0, -3.0]:
            return Wrong("once" if np.allclose(found, [5, -1.5]) else "value", found=found.tolist(), expected=right)
        return Wrong("below" if start == [0.5, 0.25] else "equal", found=found.tolist())
    return None


def first_gpu(answer: Any) -> Wrong | None:
    """A function that chooses the first GPU of a list of devices."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    cpu, gpus = Device("cpu"), [Device(f"gpu:{k}") for k in range(2)]
    if answer([cpu]) != cpu:
        return Wrong("no_gpu", found=answer([cpu]))
    found = answer([cpu, *gpus])
    if found == gpus[0]:
        return None
    return Wrong({cpu: "always_cpu", gpus[1]: "last"}.get(found, "other") if isinstance(found, Device) else "other",
                 found=found)


def megabytes(answer: Any) -> Wrong | None:
    """The megabytes of three operations on a million numbers, apart and fused."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return Wrong("no_pair", type=type(answer).__name__)
    found = tuple(answer)
    cases = {(12, 4): "one_way", (6, 2): "numbers", (8, 24): "swapped", (24, 24): "nothing_saved",
             (24, 4): "fused_one_way", (24_000_000, 8_000_000): "bytes"}
    return None if found == (24, 8) else Wrong(cases.get(found, "other"), found=found)


EXERCISES: dict[str, Judge] = {"1": nodes_of_a_graph, "2": number_of_traces, "3": choice, "4": halving, "5": first_gpu,
                               "6": megabytes}
