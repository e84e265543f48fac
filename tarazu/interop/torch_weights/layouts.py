"""How a tensor of a Tarazu layer becomes one or several of torch, and these become it again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Shape = tuple[int, ...]


class Layout:
    """Shapes and elements of torch's tensors for a tensor here; the names of both are those of a `Row` of kinds.py."""

    def shapes(self, own: Shape) -> list[Shape]:
        """The shapes that torch's tensors have for a tensor of shape `own` here."""
        return [own]

    def fits(self, own: Shape, given: Sequence[Shape]) -> bool:
        """Whether tensors of these shapes are of this layout."""
        return list(given) == self.shapes(own)

    def read(self, own: Shape, given: Sequence[np.ndarray]) -> np.ndarray:
        """The tensor here of torch's."""
        raise NotImplementedError

    def write(self, own: np.ndarray) -> list[np.ndarray]:
        """Torch's tensors of the one here."""
        raise NotImplementedError

    def describe(self) -> str:
        """What is done to torch's elements, in a few words; "" for nothing."""
        return ""


@dataclass(frozen=True)
class Axes(Layout):
    """Axis i of torch's tensor is axis `order[i]` here."""

    order: tuple[int, ...]

    def shapes(self, own: Shape) -> list[Shape]:
        return [tuple(own[axis] for axis in self.order)]

    def read(self, own: Shape, given: Sequence[np.ndarray]) -> np.ndarray:
        return given[0].transpose([self.order.index(axis) for axis in range(len(self.order))])

    def write(self, own: np.ndarray) -> list[np.ndarray]:
        return [own.transpose(self.order)]

    def describe(self) -> str:
        in_order = self.order == tuple(range(len(self.order)))
        return "" if in_order else "transposed" if self.order == (1, 0) else f"axes {', '.join(map(str, self.order))}"


@dataclass(frozen=True)
class Same(Layout):
    """The same elements in the same order; axes of size 1 may be more or fewer."""

    def fits(self, own: Shape, given: Sequence[Shape]) -> bool:
        return [n for n in given[0] if n != 1] == [n for n in own if n != 1]

    def read(self, own: Shape, given: Sequence[np.ndarray]) -> np.ndarray:
        return given[0].reshape(own)

    def write(self, own: np.ndarray) -> list[np.ndarray]:
        return [own]


@dataclass(frozen=True)
class Sum(Layout):
    """Two biases of torch that are only ever added: one here. Back, the second is zeros."""

    def shapes(self, own: Shape) -> list[Shape]:
        return [own, own]

    def read(self, own: Shape, given: Sequence[np.ndarray]) -> np.ndarray:
        return given[0] + given[1]

    def write(self, own: np.ndarray) -> list[np.ndarray]:
        return [own, np.zeros_like(own)]

    def describe(self) -> str:
        return "sum of both"


@dataclass(frozen=True)
class Zeros(Layout):
    """Nothing in torch: a bias that the layer there is made without, and here is 0."""

    def shapes(self, own: Shape) -> list[Shape]:
        return []

    def read(self, own: Shape, given: Sequence[np.ndarray]) -> np.ndarray:
        return np.zeros(own, np.float32)

    def write(self, own: np.ndarray) -> list[np.ndarray]:
        return []

    def describe(self) -> str:
        return "zeros, as torch's layer has none"


@dataclass(frozen=True)
class Count(Layout):
    """A number that torch keeps and no layer here does: the batches that batch norm has seen."""

    def shapes(self, own: Shape) -> list[Shape]:
        return [()]

    def write(self, own: np.ndarray) -> list[np.ndarray]:
        return [np.zeros((), np.int64)]


@dataclass(frozen=True)
class Beside(Layout):
    """Several tensors of torch along the last axis here; matrices are transposed, unless `inputs_first`."""

    widths: tuple[int, ...]
    inputs_first: bool = False

    def shapes(self, own: Shape) -> list[Shape]:
        shapes = [(*own[:-1], width) for width in self.widths]
        return shapes if self.inputs_first else [shape[::-1] for shape in shapes]

    def read(self, own: Shape, given: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate([x if self.inputs_first else x.T for x in given], -1)

    def write(self, own: np.ndarray) -> list[np.ndarray]:
        parts = np.split(own, np.cumsum(self.widths)[:-1], -1)
        return parts if self.inputs_first else [part.T for part in parts]

    def describe(self) -> str:
        return "side by side"


@dataclass(frozen=True)
class Length(Layout):
    """The lengths of weight normalization: in torch with axes of size 1, all but the one that they run along."""

    axes: int
    along: int

    def shapes(self, own: Shape) -> list[Shape]:
        return [tuple(own[0] if axis == self.along else 1 for axis in range(self.axes))]

    def read(self, own: Shape, given: Sequence[np.ndarray]) -> np.ndarray:
        return given[0].reshape(own)

    def write(self, own: np.ndarray) -> list[np.ndarray]:
        return [own.reshape(self.shapes(own.shape)[0])]


@dataclass(frozen=True)
class Unrolled(Layout):
    """A vector over all axes of a weight but the last, of the sizes `window`: in torch these are in another order."""

    window: Shape
    order: tuple[int, ...]

    def read(self, own: Shape, given: Sequence[np.ndarray]) -> np.ndarray:
        there = given[0].reshape([self.window[axis] for axis in self.order])
        return Axes(self.order).read(self.window, [there]).reshape(own)

    def write(self, own: np.ndarray) -> list[np.ndarray]:
        return [own.reshape(self.window).transpose(self.order).reshape(-1)]


@dataclass(frozen=True)
class ByPlace(Layout):
    """`inner`, where axis 0 here was flattened: there from (channels, places), here from (places, channels)."""

    inner: Layout
    channels: int

    def shapes(self, own: Shape) -> list[Shape]:
        return self.inner.shapes(own)

    def fits(self, own: Shape, given: Sequence[Shape]) -> bool:
        return self.inner.fits(own, given)

    def read(self, own: Shape, given: Sequence[np.ndarray]) -> np.ndarray:
        x = self.inner.read(own, given)
        return x.reshape(self.channels, -1, *own[1:]).swapaxes(0, 1).reshape(own)

    def write(self, own: np.ndarray) -> list[np.ndarray]:
        split = own.reshape(-1, self.channels, *own.shape[1:])
        return self.inner.write(split.swapaxes(0, 1).reshape(own.shape))

    def describe(self) -> str:
        inner = self.inner.describe()
        return f"{inner}{', ' if inner else ''}flattened places of {self.channels} channels"


def same_size(one: Shape, other: Shape) -> bool:
    """Whether both shapes are of as many elements, so that only axes may differ."""
    return math.prod(one) == math.prod(other)
