"""Files in a run of several processes: process 0 writes them, and all wait until it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tarazu.runtime import processes
from tarazu.runtime.tensor.tensor import Tensor

Tensors = list[tuple[str, Tensor]]


def write_on_first_process(what: str, named: Iterable[tuple[str, Tensor]], write: Callable[[Tensors], None]) -> None:
    """Call `write` with the tensors, in process 0 alone; `what` names the file for people.

    Tensors that are divided among processes come together first, which all have to take part in.
    """
    tensors = list(named)
    if processes.count() > 1:
        tensors = [(name, Tensor(x.numpy())) for name, x in tensors]
    if processes.is_first():
        write(tensors)
    processes.wait(what)
