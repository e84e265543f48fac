"""Where training runs: on one device, or, data-parallel, over a mesh of devices whose axis "data" divides each batch.

Over a mesh the program is written as for one device; that batches are divided stands in its graph, and XLA makes every
device compute its part and sums over all of them what has to be summed: gradients, batch statistics, losses, metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.base.device import CPU, Device, Layout, Mesh, default
from tarazu.base.errors import ArgumentError
from tarazu.nn.module.module import Module
from tarazu.nn.module.trainable import Devices
from tarazu.ops.placement import shard
from tarazu.runtime import processes, random
from tarazu.runtime.device import mesh, move, put, resolve, whole
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.row_table import RowTable
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace_lock import replace_data

DATA = "data"  # the mesh axis that divides batches


class Placement:
    """Training on one device."""

    parts = 1  # into how many a batch is divided

    def __init__(self, where: Device | Layout) -> None:
        self._where = where

    @property
    def is_plain(self) -> bool:
        """Whether that device is the plain CPU."""
        return self._where == CPU

    def whole(self, array: np.ndarray) -> Tensor:
        """Rows that every step may take from."""
        return Tensor(put(array, self._where))

    def table(self, rows: Tensor) -> Tensor:
        """Rows that every step takes some of: on the plain CPU one program serves for any number of them."""
        return RowTable(rows.raw) if self.is_plain else rows

    def batch(self, rows: Tensor) -> Tensor:
        """The rows of a batch, while a step is traced."""
        return rows

    def inputs(self, rows: np.ndarray) -> Tensor:
        """A batch to predict for."""
        return asarray(rows)

    def read(self, shape: tuple[int, ...], read: Callable[[Any], np.ndarray]) -> Tensor:
        """Batches of that shape, (batches, rows, ...): `read(index)` gives the part that a device holds."""
        return self.whole(read(tuple(slice(0, size) for size in shape)))

    def stacked(self, batches: np.ndarray) -> Tensor:
        """Batches, (batches, rows, ...), of which this process passes its part of the rows."""
        return self.whole(batches)


class MeshPlacement(Placement):
    """Training over the devices of a mesh, in this process or in several."""

    def __init__(self, mesh: Mesh) -> None:
        super().__init__(Layout(mesh))
        self._mesh = mesh
        self._axes = (DATA,) if DATA in dict(mesh.axes) else ()
        self.parts = mesh.size(self._axes)

    def batch(self, rows: Tensor) -> Tensor:
        return shard(rows, self._mesh, self._axes)

    def inputs(self, rows: np.ndarray) -> Tensor:
        is_divided = len(rows) % self.parts == 0
        return Tensor(put(rows, Layout(self._mesh, self._axes if is_divided else ())))

    def read(self, shape: tuple[int, ...], read: Callable[[Any], np.ndarray]) -> Tensor:
        """The same; batches that cannot be divided evenly are whole on all devices."""
        axes = self._axes if shape[1] % self.parts == 0 else ()
        return Tensor(processes.read(shape, Layout(self._mesh, (None, *axes)), read))

    def stacked(self, batches: np.ndarray) -> Tensor:
        return Tensor(processes.joined(batches, 1, Layout(self._mesh, (None, *self._axes))))


def placement_of(model: Module) -> Placement:
    """The placement of the devices that the model's tensors are on."""
    return placement_by(next((x for _, x in model.named_tensors()), None))


def placement_by(tensor: Tensor | None) -> Placement:
    """The placement of the devices that the first tensor of a model is on; None for a model without any."""
    where = CPU if tensor is None else tensor.device
    if isinstance(where, Layout):
        return MeshPlacement(where.mesh)
    return Placement(default() if where == CPU else whole(where))


def place_training(model: Module, state: list[Tensor], devices: Devices) -> Placement:
    """Move what is trained to where `devices` says, and give the placement there; None leaves it where it is.

    In a run of several processes None is all devices, and what process 0 starts with counts for all.
    """
    several = processes.count() > 1
    target = _requested_placement("all" if several and devices is None else devices)
    if several:
        _take_state_of_first_process([x for x in [*state, random.default.state] if x.device == CPU])
    if target is not None and placement_of(model)._where != target:
        model.to(target)
    placement = placement_of(model)
    if several and not isinstance(placement, MeshPlacement):
        raise ArgumentError(f"devices={devices!r} in a run of {processes.count()} processes",
                            expected='"all", or a mesh over all processes', fix="leave devices out")
    if isinstance(placement, MeshPlacement):
        for _, x in model.named_tensors():
            if not isinstance(x.device, Layout):
                move(x, placement._where)
    return placement


def _take_state_of_first_process(tensors: list[Tensor]) -> None:
    for x, array in zip(tensors, processes.from_first([x.numpy() for x in tensors]), strict=True):
        replace_data(x, array)


def _requested_placement(devices: Devices) -> Device | Layout | None:
    if devices is None:
        return None
    if devices == "all":
        return resolve(mesh(data=-1))
    if isinstance(devices, Sequence) and not isinstance(devices, str | Device | Layout):
        return resolve(mesh(data=-1, devices=devices))
    return resolve(devices)


def require_divisible(batch: int, placement: Placement) -> None:
    """ArgumentError for a batch size that the devices do not divide evenly."""
    if batch % placement.parts:
        fitting = f"batch_size={-(-batch // placement.parts) * placement.parts}"
        raise ArgumentError(f"batch_size={batch} over {placement.parts} devices",
                            expected=f"a multiple of {placement.parts}, so that all have the same to do",
                            fix=f"pass for example {fitting}")
