"""Where tensors live, as data: devices, meshes of devices, and layouts of tensors over a mesh. `runtime` finds them."""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

from tarazu.base.errors import ArgumentError

Axes = str | tuple[str, ...] | None  # of a mesh, along which an axis of a tensor is divided
Spec = tuple[Axes, ...]


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
    """Devices in a grid whose axes have names; the last axis goes by fastest.

    >>> Mesh((("data", 2), ("model", 1)), ("gpu:0", "gpu:1"))
    tarazu.mesh(data=2, model=1)
    """

    axes: tuple[tuple[str, int], ...]
    devices: tuple[str, ...]

    def __repr__(self) -> str:
        return f"tarazu.mesh({', '.join(f'{name}={size}' for name, size in self.axes)})"

    def size(self, axes: Axes) -> int:
        """Into how many parts these axes divide."""
        return math.prod(dict(self.axes)[name] for name in names_of(axes))

    def require(self, axes: Axes) -> None:
        """ArgumentError for an axis that the mesh has not."""
        known = [name for name, _ in self.axes]
        for name in names_of(axes):
            if name not in known:
                raise ArgumentError(f"axis {name!r} of {self!r}", expected=f"one of {', '.join(known)}, or None",
                                    fix="name an axis of the mesh for each axis that is divided, None for the others")


def names_of(axes: Axes) -> tuple[str, ...]:
    """The names in one entry of a spec."""
    return (axes,) if isinstance(axes, str) else axes or ()


class Layout(NamedTuple):
    """How a tensor lies on a mesh: for each of its axes the axes of the mesh that divide it; () is whole on each."""

    mesh: Mesh
    spec: Spec = ()

    def __repr__(self) -> str:
        return f"{self.mesh!r} {self.spec}"

    def __str__(self) -> str:
        return repr(self).removeprefix("tarazu.")


Place = Device | Mesh | Layout


class _Default:
    device: Device = CPU


def default() -> Device:
    """Where tensors are made when nobody says where."""
    return _Default.device


def set_default(device: Device) -> None:
    """Let tensors be made there from now on."""
    _Default.device = device
