"""Where tensors are: which devices there are, which one an array is on, and how it gets to another.

The plain CPU, where NumPy and the native backend work, needs nothing. Any other device is XLA's, and JAX is imported
when one is first asked for. Tensors on the plain CPU go wherever they are needed; those of two other devices do not
mix.

How `x.to("gpu")` is carried out: `Tensor.to` asks the current interpreter, `interpreter.to_device(x, "gpu")`. `Eager`
runs the primitive `place`, whose result is what `put` gives here, and whose gradient goes back to where `x` was.
`Trace` only notes the device, for a program runs on one device as a whole: `jit` puts the inputs there at each call.
What moves a tensor without a new handle (`model.to`, an optimizer's state) is `move`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from tarazu import backend
from tarazu.backend.base import DeviceBackend
from tarazu.base import device as base
from tarazu.base.device import CPU, Device, Layout, Location, Mesh
from tarazu.base.errors import ArgumentError, DeviceError
from tarazu.base.spelling import did_you_mean
from tarazu.ir.interpreter import Value
from tarazu.ir.node import Node
from tarazu.ir.types import Data
from tarazu.ops.typing import DeviceLike, Tensor
from tarazu.runtime.trace_lock import replace_data, wait_for_trace

__all__ = ["CPU", "Device", "Layout", "Mesh", "common_device", "common_device_of", "default_device", "device",
           "device_of", "devices", "is_on_cpu", "mesh", "move", "put", "resolve", "values", "whole", "xla"]

_KINDS = ("gpu", "tpu", "xla")
_SYNONYMS = {"cuda": "gpu", "rocm": "gpu"}


def xla() -> DeviceBackend:
    """The backend that drives all devices but the plain CPU."""
    return backend.load("xla")


# Which devices there are ----------------------------------------------------------------------------------------

def device(spec: Device | str | None = None) -> Device:
    """The device that `spec` names; None is the default one.

    "cpu" is the plain CPU, "gpu" (or "cuda") and "tpu" the first of that kind that this process has, "gpu:1" another,
    "xla" the CPU as XLA drives it. DeviceError for one that is not there, with how to get it.

    >>> import tarazu as tz
    >>> tz.device("cpu")
    tarazu.device('cpu')
    """
    if isinstance(spec, Device):
        return spec
    if spec is None:
        return base.default()
    if spec in ("auto", "cpu", "cpu:0"):
        return CPU
    kind, _, number = str(spec).partition(":")
    kind = _SYNONYMS.get(kind, kind)
    if kind not in _KINDS or not (number.isdecimal() or number == ""):
        raise DeviceError(f"there is no device {spec!r}",
                          expected='"cpu", "gpu", "tpu", "xla", or one with a number: "gpu:0"',
                          fix=f"{did_you_mean(kind, ('cpu', *_KINDS))}; tz.devices() lists those that there are")
    if not backend.is_installed("xla"):
        raise backend.no_jax(f"there is no device {spec!r}")
    return xla().find(kind, int(number) if number else None)


def resolve(spec: DeviceLike | None) -> Device | Layout:
    """Where a user wants a tensor: on a device, whole on each device of a mesh, or divided by a layout."""
    if isinstance(spec, Mesh):
        return Layout(spec)
    return spec if isinstance(spec, Layout) else device(spec)


def devices() -> list[Device]:
    """All devices that this process can use: the plain CPU, and XLA's if JAX is installed.

    >>> import tarazu as tz
    >>> tz.devices()[0]
    tarazu.device('cpu')
    """
    return [CPU, *(xla().devices() if backend.is_installed("xla") else [])]


class default_device:  # noqa: N801 - used like a function
    """Let tensors be made on that device from now on, or, as `with tz.default_device(...)`, in a block.

    Compiled functions whose tensors are all on the plain CPU run there too. It holds for the whole process. DeviceError
    for a device that is not there.

    >>> import tarazu as tz
    >>> with tz.default_device("cpu"):
    ...     tz.ones(2).device
    tarazu.device('cpu')
    """

    def __init__(self, spec: Device | str) -> None:
        self._before = base.default()
        base.set_default(device(spec))

    def __enter__(self) -> Device:
        return base.default()

    def __exit__(self, *_: object) -> None:
        base.set_default(self._before)


def mesh(*, devices: str | Sequence[Device | str] = "all", **axes: int) -> Mesh:
    """Devices in a grid with named axes: `tz.mesh(data=2, model=4)` takes the first eight.

    "all" are those of all processes: GPUs or TPUs where there are any, else XLA's CPU devices; or pass a list of names.
    A size of -1 is worked out. ArgumentError where the sizes do not fit the number of devices, DeviceError for a device
    that is not there and for the plain CPU, which no mesh has.

    >>> import tarazu as tz
    >>> tz.mesh(data=1, devices=["xla:0"])  # doctest: +SKIP
    tarazu.mesh(data=1)
    """
    chosen = xla().all_devices() if isinstance(devices, str) and devices == "all" else [device(one) for one in devices]
    if CPU in chosen:
        raise DeviceError("a mesh with the plain CPU", expected="devices of XLA",
                          fix='take the CPU as XLA drives it, "xla:0"; JAX_NUM_CPU_DEVICES=8 makes 8 of it')
    sizes = dict(axes) or {"data": -1}
    known = math.prod(size for size in sizes.values() if size != -1)
    free = [name for name, size in sizes.items() if size == -1]
    if len(free) == 1 and known > 0:
        sizes[free[0]] = len(chosen) // known
    count = math.prod(sizes.values())
    if min(sizes.values()) < 1 or count > len(chosen) or (devices != "all" and count != len(chosen)):
        shown = ", ".join(f"{name}={size}" for name, size in axes.items())
        raise ArgumentError(f"mesh({shown}) of {len(chosen)} devices", expected="sizes whose product is that number",
                            fix="leave one size as -1 to have it worked out, or pass devices=[...]; "
                                "JAX_NUM_CPU_DEVICES=8 makes 8 of the CPU")
    return Mesh(tuple(sizes.items()), tuple(str(one) for one in chosen[:count]))


class FollowsDevice(Value):
    """Tensors that go where a computation runs and never decide where that is: the base class of generators' states."""

    __slots__ = ()

    def make_available_on(self, device: Device | Mesh | None) -> None:
        """Move the data to the plain CPU, from where every device takes them, unless they are on `device` already."""
        raw = wait_for_trace(self)
        if not is_on_cpu(raw) and common_device_of([raw]) != device:
            replace_data(self, values(raw))


# Where arrays are -----------------------------------------------------------------------------------------------

def is_on_cpu(raw: Data) -> bool:
    """Whether the data are on the plain CPU, or a node, which can be computed anywhere."""
    return isinstance(raw, np.ndarray | Node)


def device_of(raw: Data) -> Device | Layout:
    """Where an array is."""
    return CPU if is_on_cpu(raw) else xla().device_of(raw)


def common_device_of(raws: Iterable[Data]) -> Device | Mesh | None:
    """Where a computation on these arrays runs; None on the plain CPU. DeviceError for arrays of two other devices."""
    device: Device | Mesh | None = None
    for raw in raws:
        if not is_on_cpu(raw):
            device = common_device(device, xla().device_of(raw))
    return device


def common_device(first: Device | Mesh | None, second: Location) -> Device | Mesh | None:
    """Where a computation runs that `first` and `second` have a part in; the plain CPU takes part anywhere."""
    second = second.mesh if isinstance(second, Layout) else second
    if second == CPU or first == second:
        return first
    if first is not None:
        raise DeviceError(f"tensors on {first} and on {second} in one computation",
                          expected="tensors on one device (those on the plain CPU go where they are needed)",
                          fix='move them: x.to(y.device), model.to("gpu:0"); or divide them: tz.shard(x, mesh, ...)')
    return second


# How arrays get to a device -------------------------------------------------------------------------------------

def put(raw: Data, where: Device | Layout) -> Data:
    """The array on that device, or divided by that layout: what `x.to(where)` and the primitive `place` come to."""
    if where == device_of(raw):
        return raw
    return values(raw) if where == CPU else xla().put(raw, where)


def values(raw: Data) -> np.ndarray:
    """The elements as a NumPy array."""
    return raw if isinstance(raw, np.ndarray) else xla().get(raw)


def move(x: Tensor, where: DeviceLike) -> None:
    """Let a tensor, and its gradient, be on another device under the same handle."""
    replace_data(x, put(wait_for_trace(x), resolve(where)))
    if x._grad is not None:
        move(x._grad, where)


def whole(where: Location) -> Device | Layout:
    """The device, or all devices of the mesh with nothing divided."""
    return resolve(where.mesh if isinstance(where, Layout) else where)
