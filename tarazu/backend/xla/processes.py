"""This process as one of several that train together, on this machine or on many.

Environment variables say so: those of `tarazu launch`, or those of a cluster's launcher. A process that is alone never
imports JAX here. All functions but `wanted`, `count`, `index`, `is_first` and `lost` are called by all processes, in
the same order.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import re
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, NoReturn

import numpy as np

from tarazu.base.errors import DeviceError

HEARTBEAT_TIMEOUT = 20  # seconds of silence after which a process is taken for dead, and the others are ended
JOIN_TIMEOUT = 300  # seconds in which all processes have to come: a cluster may start them minutes apart

_OURS = ("TARAZU_PROCESSES", "TARAZU_PROCESS")
_LAUNCHERS = (  # names for count and index; JAX finds the coordinator of these by itself
    # Only srun sets this count: plain commands in a batch script see SLURM_NTASKS too, and run once.
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
)
_not_met: list[DeviceError] = []  # why this process could not join
_FAILED_COLLECTIVE = re.compile(
    r"Gloo .*(failed|closed by peer|reset by peer|timed out)|(NCCL|RCCL) .*(failed|error)|ncclRemoteError"
    r"|heartbeat timeout|coordination service|distributed service", re.IGNORECASE | re.DOTALL)
_NAMED_TASK = re.compile(r"\btask[: ](\d+)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Place:
    """Which process of how many this is; `coordinator` is process 0's address, None where JAX finds it."""

    coordinator: str | None
    count: int
    index: int


def wanted() -> Place | None:
    """The place that the environment gives this process; None where it is alone.

    Raises DeviceError for values that are wrong or of which a part is missing.

    >>> wanted()
    """
    coordinator = os.environ.get("TARAZU_COORDINATOR")
    if any(name in os.environ for name in _OURS):
        kubernetes = "TARAZU_PROCESS" not in os.environ and "JOB_COMPLETION_INDEX" in os.environ
        names = (_OURS[0], "JOB_COMPLETION_INDEX") if kubernetes else _OURS
        return _place(*names, coordinator, finds_coordinator=False)
    for names in _LAUNCHERS:
        if _whole_number(names[0], least=1, default=1) > 1:
            return _place(*names, coordinator, finds_coordinator=True)
    if coordinator is not None:
        raise _half_set("TARAZU_PROCESSES")
    return None


def _place(count_name: str, index_name: str, coordinator: str | None, *, finds_coordinator: bool) -> Place | None:
    """The place that two variables and an address give; None for a single process."""
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
    return Place(coordinator, count, index) if count > 1 else None


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
    told = ("TARAZU_COORDINATOR", *_OURS, "JOB_COMPLETION_INDEX", *(name for pair in _LAUNCHERS for name in pair))
    found = ", ".join(f"{name}={os.environ[name]}" for name in told if name in os.environ)
    return DeviceError(f"{missing} is not set, but {found}",
                       expected="TARAZU_COORDINATOR, TARAZU_PROCESSES and TARAZU_PROCESS together",
                       fix=f"set {missing}, or unset the others to run as a single process")


def count() -> int:
    """How many processes train together.

    >>> count()
    1
    """
    place = wanted()
    return place.count if place else 1


def index() -> int:
    """The number of this process, from 0.

    >>> index()
    0
    """
    place = wanted()
    return place.index if place else 0


def is_first() -> bool:
    """Whether this is process 0, the one that writes files and tells what happens.

    >>> is_first()
    True
    """
    return index() == 0


def join() -> None:
    """Meet the other processes, if there are any; has to come before JAX computes anything, and works once.

    Raises DeviceError when they do not all come in time, or JAX was used before.

    >>> join()
    """
    place = wanted()
    if place is None:
        return
    import jax

    if _not_met:
        raise _not_met[0]
    if jax.distributed.is_initialized():
        return
    jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM and go on
    _end_at_once_after_errors()
    if error := _error_in_meeting(place):
        _not_met.append(_not_joined(place, error))
        raise _not_met[0] from error


def _error_in_meeting(place: Place) -> Exception | None:
    """Meet the others, in a thread: when JAX's own patience ends, it ends the process, and no error can be raised."""
    import jax

    result: SimpleQueue[Exception | None] = SimpleQueue()

    def meet() -> None:
        try:
            jax.distributed.initialize(
                place.coordinator, place.count, place.index, heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT,
                initialization_timeout=10 * JOIN_TIMEOUT, **_options(place))
            result.put(None)
        except Exception as error:
            result.put(error)

    threading.Thread(target=meet, daemon=True).start()
    try:
        return result.get(timeout=JOIN_TIMEOUT)
    except Empty:
        return TimeoutError("not all came in time")


def _options(place: Place) -> dict[str, Any]:
    """Further arguments for JAX: where the coordinator is known, no launcher shall restrict our devices."""
    if place.coordinator is None:
        return {}
    local = place.coordinator.rpartition(":")[0] in ("127.0.0.1", "localhost")
    bind = {"coordinator_bind_address": place.coordinator} if local and place.index == 0 else {}
    return {"cluster_detection_method": "deactivate", **bind}


def _not_joined(place: Place, error: Exception) -> DeviceError:
    text = str(error)
    if "before any JAX" in text:
        return DeviceError("JAX was used before this process joined the others",
                           expected="to join before anything is computed or a device is looked up",
                           fix="import tarazu, and make its tensors, before you call JAX yourself")
    if "coordinator_address" in text or "mpi4py" in text:
        return DeviceError(f"JAX does not find process 0's address in the environment: {text}",
                           expected="srun, or mpirun of Open MPI 4",
                           fix="set TARAZU_COORDINATOR=HOST:PORT, an address of process 0, for all processes")
    address = place.coordinator or "the address that the launcher gave"
    return DeviceError(
        f"process {place.index} waited {JOIN_TIMEOUT} s for {place.count} processes at {address}: "
        f"{text.splitlines()[0] if text else type(error).__name__}",
        expected=f"all {place.count} processes, with a way for them to reach process 0 there",
        fix="look at the output of the other processes, and whether the address can be reached and its port is free")


def _end_at_once_after_errors() -> None:
    """End this process at once after an uncaught error.

    JAX lets a process that ends wait for all others, and they may be waiting for this one in a collective.
    """
    show = sys.excepthook

    def show_and_end(kind: Any, error: Any, trace: Any) -> NoReturn:
        show(kind, error, trace)
        _end(130 if issubclass(kind, KeyboardInterrupt) else 1)

    sys.excepthook = show_and_end


def leave(code: int) -> None:
    """End this process at once with that exit code if it has joined others; `sys.exit` would wait for them.

    >>> leave(2)
    """
    if wanted() is not None and "jax" in sys.modules and sys.modules["jax"].distributed.is_initialized():
        _end(code)


def _end(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def from_first(arrays: Any) -> Any:
    """The NumPy arrays of process 0, in every process: one, or several in lists, tuples and dicts.

    All processes pass the same structure, with arrays of the same shapes and dtypes.
    Raises DeviceError when another process ends.

    >>> from_first(np.arange(3))
    array([0, 1, 2])
    """
    if wanted() is None:
        return arrays
    join()
    import jax

    return jax.tree.map(_from_first, arrays)


def _from_first(array: Any) -> np.ndarray:
    array = np.asarray(array)
    # As bytes: they need no 64-bit mode, and no bit of a NaN or a zero is lost.
    row = np.frombuffer(array.tobytes(), np.uint8)
    return np.frombuffer(_from_all(_first_row, row).tobytes(), array.dtype).reshape(array.shape)


def wait(name: str) -> None:
    """Wait until all processes are here; `name` says what for, and is the same in all of them.

    Raises DeviceError when another process ends, or waits for something else.

    >>> wait("the checkpoint")
    """
    if wanted() is None:
        return
    join()
    marks = _from_all(_all_rows, np.array([zlib.crc32(name.encode())], np.uint32))[:, 0]
    others = [i for i in range(len(marks)) if marks[i] != marks[index()]]
    if others:
        raise DeviceError(f"process {index()} waits for {name!r}, process {others[0]} for something else",
                          expected="all processes to do the same, in the same order",
                          fix="let no process leave out a part of the work that the others share")


def _first_row(rows: Any) -> Any:
    return rows[0]


def _all_rows(rows: Any) -> Any:
    return rows


def _from_all(function: Callable[[Any], Any], row: np.ndarray) -> np.ndarray:
    """What `function` makes of an array with a row from each process, in every process."""
    import jax

    if row.size == 0:
        return row
    with lost_as_device_error():
        rows = jax.make_array_from_callback((count(), *row.shape), _sharding("process"), lambda _: row[np.newaxis])
        return np.asarray(jax.jit(function, out_shardings=_sharding(None))(rows).addressable_data(0))


@functools.cache
def _sharding(axis: str | None) -> Any:
    """One row per process, or the same for all, on the first device of each process."""
    import jax
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    first: dict[int, Any] = {}
    for device in jax.devices():
        first.setdefault(device.process_index, device)
    mesh = Mesh(np.array([first[i] for i in sorted(first)]), ("process",))
    return NamedSharding(mesh, PartitionSpec(axis))


def gathered(array: Any) -> np.ndarray:
    """The whole value of a JAX array, read-only, also where this process holds only a part of it.

    Raises DeviceError when another process ends.

    >>> import jax.numpy as jnp
    >>> gathered(jnp.arange(3))
    array([0, 1, 2], dtype=int32)
    """
    import jax
    from jax.sharding import NamedSharding, PartitionSpec

    with lost_as_device_error(), jax.enable_x64(True):
        if not array.is_fully_addressable:
            if not array.is_fully_replicated:
                everywhere = NamedSharding(array.sharding.mesh, PartitionSpec())
                array = jax.jit(_all_rows, out_shardings=everywhere)(array)
            array = array.addressable_data(0)
        value = np.asarray(array)
    value.flags.writeable = False
    return value


def lost(error: BaseException) -> DeviceError | None:
    """The error to raise when `error` is JAX's about another process that ended; None for any other.

    >>> lost(ValueError("shapes differ"))
    """
    text = str(error)
    if wanted() is None or isinstance(error, DeviceError) or not _FAILED_COLLECTIVE.search(text):
        return None
    task = _NAMED_TASK.search(text)
    who = f"process {task[1]}" if task and int(task[1]) != index() else "another process"
    return DeviceError(
        f"{who} of the {count()} ended while process {index()} worked with it ({text.splitlines()[0]})",
        expected="all processes to run until the end",
        fix="the process that ended first says why in its output; start the same command again to go on from its last "
            "checkpoint")


@contextlib.contextmanager
def lost_as_device_error() -> Iterator[None]:
    """A block in which JAX's errors about another process that ended are raised as what `lost` makes of them."""
    try:
        yield
    except Exception as error:
        if (instead := lost(error)) is not None:
            raise instead from error
        raise
