"""Which process this is of several that train together, on this machine or on many, as environment variables say.

The variables are those of `tarazu launch`, or those of a cluster's launcher. Nothing is exchanged here; that is what
`backend/xla/processes.py` does.
"""

from __future__ import annotations

import dataclasses
import os
import re

from tarazu.base.errors import DeviceError

_OURS = ("TARAZU_PROCESSES", "TARAZU_PROCESS")
_LAUNCHERS = (  # names for count and index; JAX finds the coordinator of these by itself
    # Only srun sets this count: plain commands in a batch script see SLURM_NTASKS too, and run once.
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
)


@dataclasses.dataclass(frozen=True)
class Identity:
    """Which process of how many this is; `coordinator` is process 0's address, None where JAX finds it."""

    coordinator: str | None
    count: int
    index: int


def identity() -> Identity | None:
    """Which process the environment says that this is; None for a process that is alone.

    Raises DeviceError for values that are wrong or of which a part is missing.

    >>> identity()
    """
    coordinator = os.environ.get("TARAZU_COORDINATOR")
    if any(name in os.environ for name in _OURS):
        kubernetes = "TARAZU_PROCESS" not in os.environ and "JOB_COMPLETION_INDEX" in os.environ
        names = (_OURS[0], "JOB_COMPLETION_INDEX") if kubernetes else _OURS
        return _identity(*names, coordinator, finds_coordinator=False)
    for names in _LAUNCHERS:
        if _whole_number(names[0], least=1, default=1) > 1:
            return _identity(*names, coordinator, finds_coordinator=True)
    if coordinator is not None:
        raise _half_set("TARAZU_PROCESSES")
    return None


def _identity(count_name: str, index_name: str, coordinator: str | None, *, finds_coordinator: bool) -> Identity | None:
    """The identity that two variables and an address give; None for a single process."""
    count = _whole_number(count_name, least=1)
    index = _whole_number(index_name, least=0)
    if index >= count:
        raise DeviceError(f"{index_name}={index} with {count_name}={count}", expected=f"a number from 0 to {count - 1}",
                          fix="number the processes from 0")
    if coordinator is None and not finds_coordinator:
        raise _half_set("TARAZU_COORDINATOR")
    if coordinator is not None and not re.fullmatch(r"(\[[^\]]+\]|[^:\s]+):\d{1,5}", coordinator):
        raise DeviceError(f"TARAZU_COORDINATOR={coordinator!r}", expected="HOST:PORT, an address of process 0",
                          fix="write for example TARAZU_COORDINATOR=10.0.0.1:29500, the same in all processes")
    return Identity(coordinator, count, index) if count > 1 else None


def _whole_number(name: str, *, least: int, default: int | None = None) -> int:
    text = os.environ.get(name)
    if text is None and default is not None:
        return default
    if text is None:
        raise _half_set(name)
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
        raise DeviceError(f"{name}={text!r}", expected=f"a whole number, {least} or more",
                          fix=f"correct {name}, or start the processes with `tarazu launch`, srun or mpirun")
    return int(text)


def _half_set(missing: str) -> DeviceError:
    known = ("TARAZU_COORDINATOR", *_OURS, "JOB_COMPLETION_INDEX", *(name for pair in _LAUNCHERS for name in pair))
    present = ", ".join(f"{name}={os.environ[name]}" for name in known if name in os.environ)
    return DeviceError(f"{missing} is not set, but {present}",
                       expected="TARAZU_COORDINATOR, TARAZU_PROCESSES and TARAZU_PROCESS together",
                       fix=f"set {missing}, or unset the others to run as a single process")


def count() -> int:
    """How many processes train together.

    >>> count()
    1
    """
    own = identity()
    return own.count if own else 1


def index() -> int:
    """The number of this process, from 0.

    >>> index()
    0
    """
    own = identity()
    return own.index if own else 0


def is_first() -> bool:
    """Whether this is process 0, the one that writes files and reports progress.

    >>> is_first()
    True
    """
    return index() == 0
