"""Which device a result is put on: the argument `device=`, and layouts that divide a tensor over a mesh of devices."""

from __future__ import annotations

from collections.abc import Iterable

from tarazu.base.device import Layout, Mesh, MeshAxes
from tarazu.base.dtypes import DEFAULT_FLOAT
from tarazu.base.errors import ArgumentError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import state
from tarazu.ir.node import infer
from tarazu.ir.types import Shape, TensorType
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike, DeviceLike, Tensor


def to_device(x: Tensor, device: DeviceLike | None) -> Tensor:
    """`x` on `device`; None is the default device."""
    return state.interpreter.to_device(x, device)


def to_device_of(x: Tensor, like: Tensor, device: DeviceLike | None) -> Tensor:
    """`x` on `device`; None is the device of `like`."""
    return state.interpreter.to_device(x, state.interpreter.device_of(like) if device is None else device)


def shard(x: ArrayLike, mesh: Mesh, spec: str | Iterable[MeshAxes] = ()) -> Tensor:
    """`x` divided over the devices of `mesh`: for each axis of `x` the name of a mesh axis that divides it, or None.

    Axes that `spec` does not reach are not divided, so the spec () puts all of `x` on each device; a list of names
    divides an axis by several. Gradients flow through. In a traced function it says how a value in between is laid out;
    sizes need not be multiples there. ArgumentError for an axis that the mesh has not or that is named twice,
    ShapeError for a size that does not divide.

    >>> import tarazu as tz
    >>> mesh = tz.mesh(data=1, devices=["xla:0"])  # doctest: +SKIP
    >>> tz.shard(tz.ones(4, 2), mesh, ("data", None)).device  # doctest: +SKIP
    tarazu.mesh(data=1) ('data', None)
    """
    x = as_value(x)
    return state.interpreter.to_device(x, layout(x.shape, mesh, spec))


def layout(shape: Shape, mesh: Mesh, spec: str | Iterable[MeshAxes]) -> Layout:
    """The layout of a tensor of that shape, as `shard` checks it."""
    spec = (spec,) if isinstance(spec, str) else tuple(tuple(e) if isinstance(e, list) else e for e in spec)
    if not isinstance(mesh, Mesh):
        raise ArgumentError(f"a {type(mesh).__name__} as mesh", expected="a mesh of devices",
                            fix="make one: tz.mesh(data=2)")
    for axes in spec:
        mesh.require(axes)
    where = Layout(mesh, spec)
    infer(ops.PLACE, [TensorType(shape, DEFAULT_FLOAT)], {"where": where})
    return where
