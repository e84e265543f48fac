"""What the rest of Tarazu asks of a backend, as protocols; mypy checks each backend's `BACKEND` against one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from tarazu.base.device import Device, Layout, Mesh
from tarazu.ir.graph import Graph
from tarazu.ir.op import Op

Renewed: TypeAlias = tuple[tuple[int, int], ...]  # outputs that are new state, each with the input that is the old


class Program(Protocol):
    """A compiled graph: called with one array per parameter, it gives a list with one array per output.

    Arrays are the backend's own: NumPy's, or JAX's.
    """

    def __call__(self, *arrays: Any) -> list[Any]: ...


@runtime_checkable
class FreeableProgram(Program, Protocol):
    """A program that keeps memory from call to call."""

    def free_memory(self) -> None:
        """Give back the memory that it keeps; the next call takes new."""


@runtime_checkable
class DonatingProgram(Program, Protocol):
    """A program that can put a caller's state into memory of earlier state."""

    def donating(self, first: int) -> Program:
        """The program for one caller that keeps the outputs from `first` on as state until its next call.

        It may put them into the memory of earlier ones that nobody holds any more.
        """


@runtime_checkable
class HoldingProgram(Program, Protocol):
    """A program that is quicker where most of its inputs are the same arrays at each call."""

    def holding(self, arrays: Sequence[Any]) -> Program:
        """The program for calls whose last inputs are always these arrays, which it does not keep alive: calls pass
        them too."""


class Backend(Protocol):
    """What runs graphs."""

    def compile(self, graph: Graph) -> Program:
        """The program of `graph`."""


@runtime_checkable
class RenewingBackend(Backend, Protocol):
    """A backend whose programs can write new state where the old one lies."""

    def compile_renewing(self, graph: Graph, renewed: Renewed) -> DonatingProgram:
        """The program of `graph`, whose outputs that are `renewed` state may lie where the old state does."""

    def compile_in_full(self, graph: Graph, renewed: Renewed) -> DonatingProgram:
        """The same for a graph that has been computed often: compiling may take its time at once."""


class DeviceProgram(Program, Protocol):
    """A program that runs where its arrays are."""

    def at(self, where: Device | Mesh) -> Program:
        """The program on one device or mesh, which also takes NumPy's arrays and brings them there."""


class DeviceBackend(Protocol):
    """A backend for devices beside the plain CPU, whose arrays have to be brought there and back."""

    def compile(self, graph: Graph) -> DeviceProgram:
        """The program of `graph`."""

    def primitive(self, op: Op, attributes: dict[str, Any]) -> Callable[..., Any]:
        """The program of a single primitive, for eager mode."""

    # Devices ---------------------------------------------------------------------------------------------------

    def devices(self) -> list[Device]:
        """The devices of this process."""

    def all_devices(self) -> list[Device]:
        """The devices of the fastest kind that there is, in all processes."""

    def find(self, kind: str, number: int | None) -> Device:
        """A device by its kind and number, None for the first one of this process; DeviceError where there is none."""

    # Arrays ----------------------------------------------------------------------------------------------------

    def device_of(self, array: Any) -> Device | Layout:
        """Where an array is."""

    def put(self, array: Any, where: Device | Layout) -> Any:
        """An array, NumPy's or the backend's, on that device or divided by that layout."""

    def get(self, array: Any) -> np.ndarray:
        """An array of the backend as a NumPy array that must not be written to."""

    # Arrays of several processes -------------------------------------------------------------------------------

    def read(self, shape: tuple[int, ...], where: Layout, part: Callable[[Any], np.ndarray]) -> Any:
        """An array of all processes, each of which asks `part(index)` for what its devices hold."""

    def joined(self, part: np.ndarray, axis: int, where: Layout) -> Any:
        """An array of which each process passes its part, one after the other along an axis."""

    def from_first(self, arrays: Any) -> Any:
        """The NumPy arrays of process 0, in every process."""

    def wait(self, name: str) -> None:
        """Wait until all processes are here; `name` says what for."""
