"""Images and volumes sampled at computed positions: map_coordinates, grid_sample, and affine_grid, which makes grids.

Between elements values are interpolated from the neighbors along each axis; how `x` goes on beyond its edges is a rule
for the neighbors' indices.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tarazu.base import dtypes
from tarazu.base.checks import flag
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.ops.contract import matmul
from tarazu.ops.create import arange
from tarazu.ops.elementwise import (
    abs,
    add,
    clip,
    floor,
    greater_equal,
    less_equal,
    logical_and,
    minimum,
    multiply,
    remainder,
    round,
    subtract,
    where,
)
from tarazu.ops.indexing.index import gather
from tarazu.ops.networks.window_options import Numbers, per_axis
from tarazu.ops.promote import as_float, as_value, cast, rounded_like, single
from tarazu.ops.shape import matrix_transpose, reshape
from tarazu.ops.typing import ArrayLike, Tensor

_Neighbors = list[tuple[Tensor, Tensor | None]]  # of positions along an axis: where they are, and how much they count


def map_coordinates(x: ArrayLike, coordinates: ArrayLike, order: int = 1, *, mode: str = "constant",
                    value: ArrayLike = 0) -> Tensor:
    """`x` at the positions that `coordinates` say, in elements: (*sizes, ...) at (d, *shape) gives (*shape, ...).

    coordinates[i] are positions along axis i of `x`, for its first d axes; the others, such as channels, stay. `order`
    1 interpolates linearly between neighbors along each axis, 0 takes the nearest (halves go to the even one). Beyond
    the edges `x` goes on as `mode` says: "constant" with `value`, "edge" with the outermost element, "reflect" mirrored
    at it, "symmetric" mirrored behind it, so that it comes twice, "wrap" with the other end. These are the names of
    `tz.pad`; SciPy calls them grid-constant, nearest, mirror, reflect and grid-wrap. Gradients flow to `x` and, for
    order 1, to the coordinates. Integers become float32 for order 1. ShapeError for more coordinates than axes,
    ArgumentError for another order or mode, DTypeError for complex coordinates.

    >>> import tarazu as tz
    >>> tz.map_coordinates(tz.tensor([[0.0, 10.0], [20.0, 30.0]]), tz.tensor([[0.5, 1.0], [0.0, 0.5]]))
    Tensor([10., 25.], dtype=float32)
    """
    if order not in (0, 1):
        raise ArgumentError(f"map_coordinates: order={order!r}", expected="1 (linear) or 0 (the nearest element)",
                            fix="leave it out for 1")
    x, coordinates = as_value(x), as_float(coordinates)
    if not coordinates.shape or not 1 <= coordinates.shape[0] <= len(x.shape) or 0 in x.shape[:coordinates.shape[0]]:
        raise ShapeError(f"map_coordinates: coordinates of shape {coordinates.shape} for an input of shape {x.shape}",
                         expected="(d, *shape), a row for each of the first d axes, which have elements",
                         fix="tz.stack([rows, columns]) puts the positions along two axes together")
    positions = [coordinates[i] for i in range(coordinates.shape[0])]
    return _sampled("map_coordinates", x, {}, positions, ("nearest", "linear")[order], mode, value)


def grid_sample(x: ArrayLike, grid: ArrayLike, *, mode: str = "linear", padding: str = "zeros",
                align_corners: bool = False) -> Tensor:
    """Each image sampled at the positions in its grid (Jaderberg et al., 2015), as in torch but for the channels.

    `x` is (batch, *sizes, channels) with d sizes, `grid` (batch, *shape, d); the result is (batch, *shape, channels).
    A position is (x, y) for an image and (x, y, z) for a volume: the last axis, the width, comes first. From edge to
    edge it runs from -1 to 1; the edges are the outer sides of the outermost elements, with `align_corners` their
    middles. `mode` is "linear" (also "bilinear"), "nearest" or "cubic" ("bicubic"); beyond the edges `padding` has
    "zeros", the outermost elements ("border"), or mirrors at the edges ("reflection"). Gradients flow to `x` and, but
    for the nearest, to the grid. Integers become float32 but for the nearest; half precision is computed in float32.
    ShapeError for shapes that do not fit, ArgumentError for another mode or padding, DTypeError for a complex grid.

    >>> import tarazu as tz
    >>> x = tz.tensor([[[[0.0], [10.0]], [[20.0], [30.0]]]])
    >>> tz.grid_sample(x, tz.tensor([[[[0.0, 0.0], [1.0, -1.0]]]]), align_corners=True).flatten()
    Tensor([15., 10.], dtype=float32)
    """
    x, grid = as_value(x), as_float(grid)
    _require_grid(x, grid)
    modes = {"linear": "linear", "bilinear": "linear", "nearest": "nearest", "cubic": "cubic", "bicubic": "cubic"}
    align_corners = flag("grid_sample: align_corners", align_corners)
    beyond = {"zeros": "constant", "border": "edge", "reflection": "reflect" if align_corners else "symmetric"}
    if mode not in modes or padding not in beyond:
        raise ArgumentError(f"grid_sample: mode={mode!r} and padding={padding!r}",
                            expected='"linear", "nearest" or "cubic", and "zeros", "border" or "reflection"',
                            fix='leave both out for "linear" and "zeros"')
    sizes, wide = x.shape[1:-1], single(grid)
    positions = [_in_elements(wide[..., -1 - axis], size, align_corners) for axis, size in enumerate(sizes)]
    samples = reshape(arange(x.shape[0]), (-1,) + (1,) * (len(grid.shape) - 2))
    return _sampled("grid_sample", x, {0: samples}, positions, modes[mode], beyond[padding], 0)


def _require_grid(x: Tensor, grid: Tensor) -> None:
    axes = len(x.shape) - 2
    fit = axes >= 1 and len(grid.shape) >= 2 and grid.shape[0] == x.shape[0] and grid.shape[-1] == axes
    if not fit or 0 in x.shape[1:-1]:
        raise ShapeError(f"grid_sample: an input of shape {x.shape} and a grid of shape {grid.shape}",
                         expected="(batch, *sizes, channels) and (batch, *shape, d), d being the number of sizes",
                         fix="x[None] is a batch of one; tz.affine_grid makes grids")


def _in_elements(position: Tensor, size: int, align_corners: bool) -> Tensor:
    """Positions from -1 to 1 in elements of an axis."""
    if align_corners:
        return multiply(add(position, 1), (size - 1) / 2)
    return subtract(multiply(add(position, 1), size / 2), 0.5)


def affine_grid(theta: ArrayLike, sizes: Numbers, *, align_corners: bool = False) -> Tensor:
    """A grid for `grid_sample`: the positions of the elements of an image, moved by an affine map per sample.

    `theta` is (batch, d, d + 1), each a matrix and a column to add, for positions (x, y) or (x, y, z) from -1 to 1;
    `sizes`, one number or d of them, are those of the result, height first. The grid is (batch, *sizes, d). As in
    torch, but for batch and channels, which `sizes` leave out. ShapeError for another shape of theta, ArgumentError for
    sizes below 1.

    >>> import tarazu as tz
    >>> mirrored = tz.affine_grid(tz.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 2))
    >>> tz.grid_sample(tz.tensor([[[[1.0], [2.0]]]]), mirrored).flatten()
    Tensor([2., 1.], dtype=float32)
    """
    theta = as_float(theta)
    if len(theta.shape) != 3 or theta.shape[2] != theta.shape[1] + 1 or theta.shape[1] < 1:
        raise ShapeError(f"affine_grid: theta of shape {theta.shape}", expected="(batch, d, d + 1): (batch, 2, 3) for "
                         "images", fix="theta[None] is a batch of one")
    wanted = per_axis("affine_grid", "sizes", sizes, theta.shape[1])
    align_corners = flag("affine_grid: align_corners", align_corners)
    axes = [_middles(size, align_corners) for size in wanted]
    points = np.stack([*reversed(np.meshgrid(*axes, indexing="ij")), np.ones(wanted)], -1)
    flat = as_value(points.reshape(-1, len(wanted) + 1), theta.dtype)
    return reshape(matmul(flat, matrix_transpose(theta)), (theta.shape[0], *wanted, len(wanted)))


def _middles(size: int, align_corners: bool) -> np.ndarray:
    """The positions, from -1 to 1, of the middles of the elements of an axis."""
    if align_corners:
        return np.linspace(-1, 1, size) if size > 1 else np.zeros(1)
    return (2 * np.arange(size) + 1) / size - 1


# Interpolation --------------------------------------------------------------------------------------------------

def _sampled(name: str, x: Tensor, lead: Mapping[int, Tensor], positions: Sequence[Tensor], interpolation: str,
             mode: str, value: ArrayLike) -> Tensor:
    """`x` at positions along the axes behind those that `lead` indexes; other axes stay, behind those of positions."""
    if any(position.dtype.kind == "complex" for position in positions):
        raise DTypeError(f"{name}: positions of {positions[0].dtype}", expected="real numbers", fix="take tz.real")
    if mode not in _BEYOND:
        raise ArgumentError(f"{name}: mode={mode!r}", expected=f"one of {', '.join(map(repr, _BEYOND))}",
                            fix='leave it out for "constant"')
    source = x if interpolation == "nearest" else single(as_float(x))
    value = cast(as_value(value, source.dtype), source.dtype)
    axes = range(len(lead), len(lead) + len(positions))
    along = [_NEIGHBORS[interpolation](single(position)) for position in positions]
    rest = len(x.shape) - len(lead) - len(positions)
    total: Tensor | None = None
    for neighbors in itertools.product(*along):
        element = _at(source, lead, dict(zip(axes, [index for index, _ in neighbors], strict=True)), mode, value)
        for _, weight in neighbors:
            if weight is not None:
                element = multiply(element, _over(cast(weight, source.dtype), rest))
        total = element if total is None else add(total, element)
    assert total is not None  # there is at least one neighbor
    return total if interpolation == "nearest" else rounded_like(total, x)


def _over(x: Tensor, axes: int) -> Tensor:
    """`x` with axes of size 1 behind its own."""
    return reshape(x, (*x.shape, *[1] * axes)) if axes else x


def _at(x: Tensor, lead: Mapping[int, Tensor], positions: Mapping[int, Tensor], mode: str, value: Tensor) -> Tensor:
    """The elements of `x` at whole positions by axis, which may lie beyond the edges."""
    indices, is_inside = dict(lead), None
    for axis, position in positions.items():
        last = x.shape[axis] - 1
        inside = _BEYOND[mode](position, x.shape[axis])
        is_there = logical_and(greater_equal(inside, 0), less_equal(inside, last))
        indices[axis] = cast(where(is_there, inside, 0), dtypes.DEFAULT_INT)  # nan and inf are nowhere
        is_inside = is_there if is_inside is None else logical_and(is_inside, is_there)
    elements = gather(x, indices)
    if mode != "constant" or is_inside is None:
        return elements
    return where(_over(is_inside, len(x.shape) - len(indices)), elements, value)


def _nearest(position: Tensor) -> _Neighbors:
    return [(round(position), None)]


def _linear(position: Tensor) -> _Neighbors:
    before = floor(position)
    share = subtract(position, before)
    return [(before, subtract(1, share)), (add(before, 1), share)]


def _cubic(position: Tensor) -> _Neighbors:
    """The four neighbors of a cubic convolution (Keys, 1981), as in `interpolate`."""
    before = floor(position)
    share = subtract(position, before)
    rest = subtract(1, share)
    return [(subtract(before, 1), _far(add(share, 1))), (before, _near(share)), (add(before, 1), _near(rest)),
            (add(before, 2), _far(add(rest, 1)))]


def _near(d: Tensor) -> Tensor:
    """The weight of a neighbor at a distance up to 1: ((a + 2) d - (a + 3)) d ** 2 + 1, where a = -0.75."""
    return add(multiply(multiply(subtract(multiply(d, 1.25), 2.25), d), d), 1)


def _far(d: Tensor) -> Tensor:
    """That of one at a distance from 1 to 2: a (d ** 3 - 5 d ** 2 + 8 d - 4)."""
    return multiply(subtract(multiply(add(multiply(subtract(d, 5), d), 8), d), 4), -0.75)


_NEIGHBORS: dict[str, Callable[[Tensor], _Neighbors]] = {"nearest": _nearest, "linear": _linear, "cubic": _cubic}


def _mirrored(position: Tensor, size: int) -> Tensor:
    if size == 1:
        return multiply(position, 0)
    along = remainder(abs(position), 2.0 * (size - 1))
    return minimum(along, subtract(2.0 * (size - 1), along))


def _mirrored_twice(position: Tensor, size: int) -> Tensor:
    along = remainder(position, 2.0 * size)
    return minimum(along, subtract(2.0 * size - 1, along))


# From whole positions, beyond the edges too, to where their values are
_BEYOND: dict[str, Callable[[Tensor, int], Tensor]] = {
    "constant": lambda position, size: position,
    "edge": lambda position, size: clip(position, 0.0, size - 1.0),
    "reflect": _mirrored,
    "symmetric": _mirrored_twice,
    "wrap": lambda position, size: remainder(position, float(size)),
}
