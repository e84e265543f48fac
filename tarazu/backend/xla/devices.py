"""JAX's devices under our names, where its arrays are, and how arrays get to a device or onto a mesh."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec, Sharding, SingleDeviceSharding

from tarazu.backend.xla import processes
from tarazu.base.device import Device, Layout, Mesh
from tarazu.base.errors import DeviceError, ShapeError
from tarazu.base.processes import count

PLATFORMS = {"gpu": "gpu", "tpu": "tpu", "xla": "cpu"}  # JAX's platform for each of our kinds of devices
ALIGNMENT = 64  # bytes, at a multiple of which an array must lie for XLA's CPU device to take it as it is
LARGE = 2**20  # bytes of an array from which on NumPy copies it
_HOW = {"gpu": "no GPU: the installed jax has no CUDA plugin that found one; pip install 'tarazu[cuda]'",
        "tpu": "no TPU: the installed jax has no TPU plugin that found one; pip install 'tarazu[tpu]'",
        "xla": "JAX was told to leave the CPU out; look at JAX_PLATFORMS"}


@functools.cache
def of_kind(kind: str) -> tuple[jax.Device, ...]:
    """JAX's devices of that kind in all processes, in JAX's order; none where there are none."""
    processes.join()
    try:
        return tuple(jax.devices(PLATFORMS[kind]))
    except RuntimeError:  # what JAX raises for a platform that is not there
        return ()


def own_devices() -> list[Device]:
    """The devices of this process."""
    return [Device(f"{kind}:{i}") for kind in PLATFORMS for i, one in enumerate(of_kind(kind))
            if one.process_index == jax.process_index()]


def all_devices() -> list[Device]:
    """The devices of the fastest kind that there is, in all processes."""
    return next([Device(f"{kind}:{i}") for i in range(len(of_kind(kind)))] for kind in PLATFORMS if of_kind(kind))


def find(kind: str, number: int | None) -> Device:
    """A device by its kind and its number among the devices of all processes; None is the first of this process.

    DeviceError for a device that is not there or belongs to another process.
    """
    here = [i for i, one in enumerate(of_kind(kind)) if one.process_index == jax.process_index()]
    if not here:
        name = kind if number is None else f"{kind}:{number}"
        raise DeviceError(f"there is no device {name!r}: {_HOW[kind]}", expected=f"one of {_names()}",
                          fix="tz.devices() lists those that there are")
    if number is not None and number not in here:
        whose = (f"is one of process {of_kind(kind)[number].process_index}" if number < len(of_kind(kind))
                 else "is not there")
        raise DeviceError(f"device {f'{kind}:{number}'!r} {whose}", expected=f"one of {_names()}",
                          fix="count from 0; tz.devices() lists those of this process")
    return Device(f"{kind}:{here[0] if number is None else number}")


def _names() -> str:
    return ", ".join(["cpu", *map(str, own_devices())])


@functools.cache
def jax_device(name: str) -> jax.Device:
    """JAX's device of that name."""
    kind, _, number = name.partition(":")
    return of_kind(kind)[int(number)]


@functools.cache
def _our_name(device: jax.Device) -> str:
    kind = next(kind for kind, platform in PLATFORMS.items()
                if device.platform == platform or (kind == "gpu" and device.platform in ("cuda", "rocm")))
    return f"{kind}:{of_kind(kind).index(device)}"


@functools.cache
def sharding(where: Device | Layout) -> Sharding:
    """What JAX calls a device or a layout."""
    if isinstance(where, Device):
        return SingleDeviceSharding(jax_device(where.name))
    return NamedSharding(_jax_mesh(where.mesh), PartitionSpec(*where.spec))


_MESHES: dict[Any, Mesh] = {}  # ours by JAX's


@functools.cache
def _jax_mesh(mesh: Mesh) -> jax.sharding.Mesh:
    grid = np.array([jax_device(name) for name in mesh.devices]).reshape([size for _, size in mesh.axes])
    made = jax.sharding.Mesh(grid, [name for name, _ in mesh.axes])
    _MESHES[made] = mesh
    return made


def device_of(array: jax.Array) -> Device | Layout:
    """Where one of JAX's arrays is."""
    return _device_of(array.sharding)


@functools.lru_cache(maxsize=4096)
def _device_of(placed: Sharding) -> Device | Layout:
    if len(placed.device_set) == 1 and not isinstance(placed, NamedSharding):
        return Device(_our_name(*placed.device_set))
    mesh = _MESHES.get(getattr(placed, "mesh", None)) or next(
        mesh for known, mesh in _MESHES.items() if set(known.devices.flat) == placed.device_set)
    spec = tuple(getattr(placed, "spec", ()))
    while spec and spec[-1] is None:
        spec = spec[:-1]
    return Layout(mesh, spec)


def put(array: np.ndarray | jax.Array, where: Device | Layout) -> jax.Array:
    """An array, NumPy's or JAX's, on that device or divided by that layout; ShapeError where it does not divide."""
    if isinstance(where, Layout):
        require_divisible(array.shape, where)
    target = sharding(where)
    if isinstance(array, np.ndarray) and array.nbytes >= LARGE and _is_cpu(where):
        array = _aligned(array)
    with jax.enable_x64(True):
        if target.is_fully_addressable:
            return jax.device_put(array, target)
    whole = processes.gathered(array) if isinstance(array, jax.Array) else array
    return read(array.shape, where, lambda part: whole[part])


def _is_cpu(where: Device | Layout) -> bool:
    return isinstance(where, Device) and jax_device(where.name).platform == "cpu"


def _aligned(array: np.ndarray) -> np.ndarray:
    """The array, or a copy, where XLA's CPU device takes it as it is: NumPy asks for large pages, with which it copies
    several times faster than JAX."""
    if array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0:
        return array
    room = np.empty(array.nbytes + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    copy = room[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
    np.copyto(copy, array)
    return copy


def require_divisible(shape: tuple[int, ...], where: Layout) -> None:
    """ShapeError for a size that the mesh does not divide into equal parts."""
    for axis, (size, axes) in enumerate(zip(shape, where.spec, strict=False)):
        if size % where.mesh.size(axes):
            raise ShapeError(f"axis {axis} of a tensor of shape {shape}, divided by {axes!r} of {where.mesh!r}",
                             expected=f"a size that is a multiple of {where.mesh.size(axes)}",
                             fix="divide another axis, pad the tensor, or write None to leave the axis whole")


def read(shape: tuple[int, ...], where: Device | Layout, part: Callable[[Any], np.ndarray]) -> jax.Array:
    """An array of which `part(index)` gives what a device of this process holds, `index` being its slices."""
    with jax.enable_x64(True):
        return jax.make_array_from_callback(shape, sharding(where), part)


def joined(part: np.ndarray, axis: int, where: Layout) -> jax.Array:
    """An array of all processes, each of which passes its part; the parts are concatenated along an axis.

    ShapeError where the devices of a process do not divide its part.
    """
    shape = (*part.shape[:axis], part.shape[axis] * count(), *part.shape[axis + 1:])
    require_divisible(shape, where)
    with jax.enable_x64(True):
        return jax.make_array_from_process_local_data(sharding(where), part, shape)
