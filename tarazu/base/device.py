"""Where tensors are, as plain data: devices, meshes of devices, and layouts of tensors over a mesh.

`runtime/device.py` says which devices there are.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

from tarazu.base.errors import ArgumentError

MeshAxes = str | tuple[str, ...] | None  # the axes of a mesh that divide one axis of a tensor; None divides nothing
Spec = tuple[MeshAxes, ...]  # for each axis of a tensor


class Device(NamedTuple):
    """A device, by its name: "cpu", "gpu:0", "tpu:3", or "xla:0", the CPU as XLA drives it."""

    name: str

    def __repr__(self) -> str:
        return f"tarazu.device({self.name!r})"

    def __str__(self) -> str:
        return self.name


CPU = Device("cpu")


@dataclasses.dataclass(frozen=True)
class Mesh:
    """Devices in a grid whose axes have names; `devices` are in C order, the last axis varying fastest.

    >>> Mesh((("data", 2), ("model", 1)), ("gpu:0", "gpu:1"))
    tarazu.mesh(data=2, model=1)
    """

    axes: tuple[tuple[str, int], ...]
    devices: tuple[str, ...]

    def __repr__(self) -> str:
        return f"tarazu.mesh({', '.join(f'{name}={size}' for name, size in self.axes)})"

    def size(self, axes: MeshAxes) -> int:
        """Into how many parts these axes divide an axis of a tensor.

        >>> Mesh((("data", 2), ("model", 2)), ("gpu:0", "gpu:1", "gpu:2", "gpu:3")).size(("data", "model"))
        4
        """
        return math.prod(dict(self.axes)[name] for name in names_of(axes))

    def require(self, axes: MeshAxes) -> None:
        """Raise ArgumentError for an axis that the mesh lacks.

        >>> Mesh((("data", 1),), ("gpu:0",)).require("data")
        """
        known = [name for name, _ in self.axes]
        for name in names_of(axes):
            if name not in known:
                raise ArgumentError(f"axis {name!r} of {self!r}", expected=f"one of {', '.join(known)}, or None",
                                    fix="name an axis of the mesh for each axis that is divided, None for the others")


def names_of(axes: MeshAxes) -> tuple[str, ...]:
    """The mesh axes in one entry of a layout's spec: a name, several, or None for none."""
    return (axes,) if isinstance(axes, str) else axes or ()


class Layout(NamedTuple):
    """How a tensor is divided over a mesh: for each of its axes the axes of the mesh that divide it.

    `spec` has one entry per axis of the tensor; what it does not name is whole on each device, so () divides nothing.
    """

    mesh: Mesh
    spec: Spec = ()

    def __repr__(self) -> str:
        return f"{self.mesh!r} {self.spec}"

    def __str__(self) -> str:
        return repr(self).removeprefix("tarazu.")


Location = Device | Mesh | Layout


class _Default:
    device: Device = CPU


def default() -> Device:
    """The device on which tensors are made when none is given."""
    return _Default.device


def set_default(device: Device) -> None:
    """Make tensors on that device from now on, when none is given."""
    _Default.device = device
