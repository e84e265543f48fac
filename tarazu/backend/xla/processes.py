"""What several processes do together: join, send the arrays of the first, wait, bring divided arrays together.

All functions but `ended_process_error` and `raising_for_ended_processes` are called by all processes, in one order.
`base/processes.py` says which process this is.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, NoReturn

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from tarazu.base.errors import DeviceError
from tarazu.base.processes import Identity, count, identity, index

HEARTBEAT_TIMEOUT = 20  # seconds of silence after which a process is taken for dead, and the others are ended
JOIN_TIMEOUT = 300  # seconds in which all processes have to come: a cluster may start them minutes apart

_join_errors: list[DeviceError] = []  # why this process could not join: at most one
_FAILED_COLLECTIVE = re.compile(
    r"Gloo .*(failed|closed by peer|reset by peer|timed out)|(NCCL|RCCL) .*(failed|error)|ncclRemoteError"
    r"|heartbeat timeout|coordination service|distributed service", re.IGNORECASE | re.DOTALL)
_NAMED_TASK = re.compile(r"\btask[: ](\d+)", re.IGNORECASE)


def join() -> None:
    """Connect with the other processes, if there are any; has to come before JAX computes anything, and works once.

    Raises DeviceError when they do not all come in time, or JAX was used before.

    >>> join()
    """
    own = identity()
    if own is None:
        return
    if _join_errors:
        raise _join_errors[0]
    if jax.distributed.is_initialized():
        return
    jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM and go on
    _end_at_once_after_errors()
    if error := _initialize(own):
        _join_errors.append(_explained(own, error))
        raise _join_errors[0] from error


def _initialize(own: Identity) -> Exception | None:
    """Let JAX connect the processes; gives its error. In a thread: when JAX's own time limit passes, it ends the
    process, and no error can be raised."""
    result: SimpleQueue[Exception | None] = SimpleQueue()

    def initialize() -> None:
        try:
            jax.distributed.initialize(
                own.coordinator, own.count, own.index, heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT,
                initialization_timeout=10 * JOIN_TIMEOUT, **_options(own))
            result.put(None)
        except Exception as error:
            result.put(error)

    threading.Thread(target=initialize, daemon=True).start()
    try:
        return result.get(timeout=JOIN_TIMEOUT)
    except Empty:
        return TimeoutError("not all came in time")


def _options(own: Identity) -> dict[str, Any]:
    """Further arguments for JAX: where the coordinator is known it asks no launcher, which would limit the devices."""
    if own.coordinator is None:
        return {}
    is_local = own.coordinator.rpartition(":")[0] in ("127.0.0.1", "localhost")
    bind = {"coordinator_bind_address": own.coordinator} if is_local and own.index == 0 else {}
    return {"cluster_detection_method": "deactivate", **bind}


def _explained(own: Identity, error: Exception) -> DeviceError:
    """JAX's error, or that of the time limit, as one that says how to mend it."""
    text = str(error)
    if "before any JAX" in text:
        return DeviceError("JAX was used before this process joined the others",
                           expected="to join before anything is computed or a device is looked up",
                           fix="import tarazu, and make its tensors, before you call JAX yourself")
    if "coordinator_address" in text or "mpi4py" in text:
        return DeviceError(f"JAX does not find process 0's address in the environment: {text}",
                           expected="srun, or mpirun of Open MPI 4",
                           fix="set TARAZU_COORDINATOR=HOST:PORT, an address of process 0, for all processes")
    address = own.coordinator or "the address that the launcher gave"
    return DeviceError(
        f"process {own.index} waited {JOIN_TIMEOUT} s for {own.count} processes at {address}: "
        f"{text.splitlines()[0] if text else type(error).__name__}",
        expected=f"all {own.count} processes, with a way for them to reach process 0 there",
        fix="look at the output of the other processes, and whether the address can be reached and its port is free")


def _end_at_once_after_errors() -> None:
    """End this process at once after an uncaught error.

    JAX lets a process that ends wait for all others, and they may be waiting for this one in a collective.
    """
    show = sys.excepthook

    def show_and_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
        show(kind, error, trace)
        _end(130 if issubclass(kind, KeyboardInterrupt) else 1)

    sys.excepthook = show_and_end


def _end(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def from_first(arrays: Any) -> Any:
    """The NumPy arrays of process 0, in every process: one, or several in lists, tuples and dicts.

    All processes pass the same structure, with arrays of the same shapes and dtypes. Raises DeviceError when another
    process ends.
    """
    join()
    return jax.tree.map(_from_first, arrays)


def _from_first(array: Any) -> np.ndarray:
    array = np.asarray(array)
    # As bytes: they need no 64-bit mode, and no bit of a NaN or a zero is lost.
    row = np.frombuffer(array.tobytes(), np.uint8)
    return np.frombuffer(_from_all(_first_row, row).tobytes(), array.dtype).reshape(array.shape)


def wait(name: str) -> None:
    """Wait until all processes are here; `name` says what for, and is the same in all of them.

    Raises DeviceError when another process ends, or waits for something else.
    """
    join()
    names = _from_all(_all_rows, np.array([zlib.crc32(name.encode())], np.uint32))[:, 0]
    others = [i for i, other in enumerate(names) if other != names[index()]]
    if others:
        raise DeviceError(f"process {index()} waits for {name!r}, process {others[0]} for something else",
                          expected="all processes to do the same, in the same order",
                          fix="let no process leave out a part of the work that the others share")


def _first_row(rows: jax.Array) -> jax.Array:
    return rows[0]


def _all_rows(rows: jax.Array) -> jax.Array:
    return rows


def _from_all(function: Callable[[jax.Array], jax.Array], row: np.ndarray) -> np.ndarray:
    """What `function` makes of an array with a row from each process, in every process."""
    if row.size == 0:
        return row
    with raising_for_ended_processes():
        rows = jax.make_array_from_callback((count(), *row.shape), _sharding("process"), lambda _: row[np.newaxis])
        return np.asarray(jax.jit(function, out_shardings=_sharding(None))(rows).addressable_data(0))


@functools.cache
def _sharding(axis: str | None) -> NamedSharding:
    """One row per process, or the same for all, on the first device of each process."""
    first: dict[int, jax.Device] = {}
    for device in jax.devices():
        first.setdefault(device.process_index, device)
    mesh = Mesh(np.array([first[i] for i in sorted(first)]), ("process",))
    return NamedSharding(mesh, PartitionSpec(axis))


def gathered(array: jax.Array) -> np.ndarray:
    """The whole value of a JAX array, read-only, also where this process holds only a part of it.

    Raises DeviceError when another process ends.

    >>> import jax.numpy as jnp
    >>> gathered(jnp.arange(3))
    array([0, 1, 2], dtype=int32)
    """
    with raising_for_ended_processes(), jax.enable_x64(True):
        if not array.is_fully_addressable:
            if not array.is_fully_replicated:
                assert isinstance(array.sharding, NamedSharding)  # nothing else spans several processes
                everywhere = NamedSharding(array.sharding.mesh, PartitionSpec())
                array = jax.jit(_all_rows, out_shardings=everywhere)(array)
            array = array.addressable_data(0)
        value = np.asarray(array)
    value.flags.writeable = False
    return value


def ended_process_error(error: BaseException) -> DeviceError | None:
    """The error to raise when `error` is JAX's about another process that ended; None for any other.

    >>> ended_process_error(ValueError("shapes differ"))
    """
    text = str(error)
    if identity() is None or isinstance(error, DeviceError) or not _FAILED_COLLECTIVE.search(text):
        return None
    task = _NAMED_TASK.search(text)
    who = f"process {task[1]}" if task and int(task[1]) != index() else "another process"
    return DeviceError(
        f"{who} of the {count()} ended while process {index()} worked with it ({text.splitlines()[0]})",
        expected="all processes to run until the end",
        fix="the process that ended first says why in its output; start the same command again to go on from its last "
            "checkpoint")


@contextlib.contextmanager
def raising_for_ended_processes() -> Iterator[None]:
    """A block in which JAX's errors about another process that ended are raised as what `ended_process_error` gives."""
    try:
        yield
    except Exception as error:
        if (instead := ended_process_error(error)) is not None:
            raise instead from error
        raise
