"""Where results are put: the argument `device=`, and tensors that are divided over a mesh of devices."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from tarazu.base.device import Layout, Mesh
from tarazu.base.dtypes import DEFAULT_FLOAT
from tarazu.base.errors import ArgumentError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import state
from tarazu.ir.node import infer
from tarazu.ir.types import TensorType
from tarazu.ops.promote import as_value


def accepts_device(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with one argument more, `device=`: where its result is put; None is the default device."""

    @functools.wraps(function)
    def placed(*args: Any, device: Any = None, **options: Any) -> Any:
        return state.interpreter.place(function(*args, **options), device)

    return _with_device(placed, function)


def keeps_device(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with one argument more, `device=`: where its result is put; None is where its first input is."""

    @functools.wraps(function)
    def placed(x: Any, *args: Any, device: Any = None, **options: Any) -> Any:
        x = as_value(x)
        where = state.interpreter.device_of(x) if device is None else device
        return state.interpreter.place(function(x, *args, **options), where)

    return _with_device(placed, function)


def _with_device(placed: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(function)
    own = inspect.Parameter("device", inspect.Parameter.KEYWORD_ONLY, default=None)
    placed.__signature__ = signature.replace(parameters=[*signature.parameters.values(), own])
    return placed


def shard(x: Any, mesh: Mesh, spec: Any = ()) -> Any:
    """`x` divided over the devices of `mesh`: for each axis of `x` the name of a mesh axis that divides it, or None.

    Axes that `spec` does not reach are not divided, so the spec () puts all of `x` on each device. Gradients flow
    through. In a traced function it says where a value in between is to lie; sizes need not be multiples there.
    ArgumentError for an axis that the mesh has not or that is named twice, ShapeError for a size that does not divide.

    >>> import tarazu as tz
    >>> mesh = tz.mesh(data=1, devices=["xla:0"])  # doctest: +SKIP
    >>> tz.shard(tz.ones(4, 2), mesh, ("data", None)).device  # doctest: +SKIP
    tarazu.mesh(data=1) ('data', None)
    """
    x = as_value(x)
    return state.interpreter.place(x, layout(x.shape, mesh, spec))


def layout(shape: tuple[int, ...], mesh: Mesh, spec: Any) -> Layout:
    """The layout of a tensor of that shape."""
    spec = (spec,) if isinstance(spec, str) else tuple(tuple(e) if isinstance(e, list) else e for e in spec)
    if not isinstance(mesh, Mesh):
        raise ArgumentError(f"a {type(mesh).__name__} as mesh", expected="a mesh of devices",
                            fix="make one: tz.mesh(data=2)")
    for axes in spec:
        mesh.require(axes)
    where = Layout(mesh, spec)
    infer(ops.PLACE, [TensorType(shape, DEFAULT_FLOAT)], {"where": where})
    return where
