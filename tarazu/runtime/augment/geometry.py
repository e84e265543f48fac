"""Images mirrored, cropped, shifted, turned, zoomed and sheared at random."""

from __future__ import annotations

import math

from tarazu.base.checks import positive_int, whole_number
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops import shape
from tarazu.ops.create import arange, full
from tarazu.ops.elementwise import add, cos, multiply, sin, where
from tarazu.ops.indexing.index import gather
from tarazu.ops.networks.images.sampling import affine_grid, grid_sample
from tarazu.ops.shape import expand_dims, reshape, stack
from tarazu.ops.typing import ArrayLike, Tensor
from tarazu.runtime import random
from tarazu.runtime.augment.parameters import (
    Factor,
    chosen,
    draw,
    require_factor,
    require_images,
    require_probability,
    restored,
)

_FLIPS = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (2, 1)}
PADDINGS = ("reflection", "border", "zeros")


def flip(x: ArrayLike, mode: str = "horizontal", rate: float = 0.5) -> Tensor:
    """Images mirrored, each with the probability `rate`: (batch, height, width, channels) to the same.

    `mode` is "horizontal" (left and right change places), "vertical" or "horizontal_and_vertical", which decides twice.
    ArgumentError for another mode or a rate that is not from 0 to 1; ShapeError and DTypeError for an input that is no
    batch of images.

    >>> import tarazu as tz
    >>> tz.data.augment.flip(tz.tensor([1.0, 2.0]).reshape(1, 1, 2, 1), rate=1).flatten()
    Tensor([2., 1.], dtype=float32)
    """
    x, rate = require_images("flip", x), require_probability("flip", rate)
    for axis in require_flip("flip", mode):
        x = where(chosen(x, rate), shape.flip(x, axis), x)
    return x


def require_flip(name: str, mode: str) -> tuple[int, ...]:
    """The axes that a flip mirrors. ArgumentError for an unknown mode."""
    if mode not in _FLIPS:
        raise ArgumentError(f"{name}: mode={mode!r}", expected=f"one of {', '.join(map(repr, _FLIPS))}",
                            fix='leave it out for the default')
    return _FLIPS[mode]


def crop(x: ArrayLike, height: int, width: int, padding: int = 0) -> Tensor:
    """A part of each image, (batch, height, width, channels), at a position of its own.

    Before, `padding` zeros are added at each edge: crop(x, 32, 32, padding=4) of images of 32 by 32 moves them by up to
    4 pixels. ArgumentError for sizes below 1 and a padding below 0, ShapeError for images that are too small, and for
    an input that is no batch of images, as DTypeError.

    >>> import tarazu as tz
    >>> tz.data.augment.crop(tz.ones((8, 28, 28, 1)), 24, 24).shape
    (8, 24, 24, 1)
    """
    x, wanted = require_images("crop", x), (positive_int("height", height), positive_int("width", width))
    padding = whole_number(f"padding={padding!r}", padding, least=0)
    if padding:
        x = shape.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    if x.shape[1] < height or x.shape[2] < width:
        raise ShapeError(f"crop of {height} by {width} from images of {x.shape[1]} by {x.shape[2]}, with padding",
                         expected="images that are at least as large", fix="use a larger padding, or tz.nn.Resizing")
    rows, columns = (_consecutive(x, axis, size) for axis, size in enumerate(wanted, 1))
    samples = reshape(arange(x.shape[0]), (-1, 1, 1))
    return gather(x, {0: samples, 1: expand_dims(rows, 2), 2: expand_dims(columns, 1)})


def _consecutive(x: Tensor, axis: int, size: int) -> Tensor:
    """So many consecutive indices of an axis for each sample, from a random one on: (batch, size)."""
    first = random.randint(0, x.shape[axis] - size + 1, (x.shape[0], 1))
    return add(first, arange(size))


def shift(x: ArrayLike, height_factor: Factor = 0.1, width_factor: Factor = 0.1, *,
          padding: str = "reflection") -> Tensor:
    """Images moved down by a share of their height and to the right by a share of their width, each its own.

    A factor f draws shares from -f to f, a pair (low, high) between these. Beyond the edges `padding` has mirrors at
    the edges ("reflection"), the outermost pixels ("border") or "zeros". Values are interpolated. ArgumentError for
    other factors or paddings; ShapeError and DTypeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> x = tz.tensor([1.0, 2.0]).reshape(1, 1, 2, 1)
    >>> tz.data.augment.shift(x, 0, (0.5, 0.5), padding="zeros").flatten()
    Tensor([0., 1.], dtype=float32)
    """
    x = require_images("shift", x)
    down = draw(x, require_factor("shift", "height_factor", height_factor))
    right = draw(x, require_factor("shift", "width_factor", width_factor))
    return _mapped("shift", x, (1, 0, multiply(right, -2)), (0, 1, multiply(down, -2)), padding)


def rotate(x: ArrayLike, factor: Factor = 0.1, *, padding: str = "reflection") -> Tensor:
    """Images turned around their middles, each by an angle of its own; angles count in full turns, counterclockwise.

    A factor f draws from -f to f, so that 0.1 is up to 36 degrees; a pair is (low, high). `padding` is that of `shift`.
    ArgumentError for another factor or padding; ShapeError and DTypeError for an input that is no batch of images.

    >>> import tarazu as tz
    >>> x = tz.tensor([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    >>> tz.data.augment.rotate(x, (0.25, 0.25)).round().flatten()
    Tensor([2., 4., 1., 3.], dtype=float32)
    """
    x = require_images("rotate", x)
    angle = multiply(draw(x, require_factor("rotate", "factor", factor)), 2 * math.pi)
    height, width = _sizes(x)
    across, down = multiply(sin(angle), -height / width), multiply(sin(angle), width / height)
    return _mapped("rotate", x, (cos(angle), across, 0), (down, cos(angle), 0), padding)


def zoom(x: ArrayLike, height_factor: Factor = 0.2, width_factor: Factor | None = None, *,
         padding: str = "reflection") -> Tensor:
    """Images enlarged or made smaller around their middles, in their frame: what is shown has the size 1 + factor.

    Below 0 they are enlarged: -0.2 shows the middle 80 %. A factor f draws from -f to f, a pair (low, high) between
    these, for each image; without `width_factor` the width is drawn with the height, so that shapes stay. `padding` is
    that of `shift`. ArgumentError for factors not above -1 and other paddings; ShapeError and DTypeError for an input
    that is no batch of images.

    >>> import tarazu as tz
    >>> tz.data.augment.zoom(tz.arange(4.0).reshape(1, 1, 4, 1), (-0.5, -0.5)).flatten()
    Tensor([0.75, 1.25, 1.75, 2.25], dtype=float32)
    """
    x = require_images("zoom", x)
    tall = add(draw(x, require_factor("zoom", "height_factor", height_factor, least=-1)), 1)
    wide = tall if width_factor is None else add(draw(x, require_factor("zoom", "width_factor", width_factor, -1)), 1)
    return _mapped("zoom", x, (wide, 0, 0), (0, tall, 0), padding)


def shear(x: ArrayLike, x_factor: Factor = 0.1, y_factor: Factor = 0.0, *, padding: str = "reflection") -> Tensor:
    """Images sheared around their middles: rows moved by a share of their distance to it, and columns likewise.

    A factor f draws shares from -f to f for each image, a pair (low, high) between these; `x_factor` is for the rows.
    `padding` is that of `shift`. ArgumentError for other factors or paddings; ShapeError and DTypeError for an input
    that is no batch of images.

    >>> import tarazu as tz
    >>> tz.data.augment.shear(tz.ones((2, 8, 8, 3)), 0.3).shape
    (2, 8, 8, 3)
    """
    x = require_images("shear", x)
    height, width = _sizes(x)
    across = multiply(draw(x, require_factor("shear", "x_factor", x_factor)), height / width)
    down = multiply(draw(x, require_factor("shear", "y_factor", y_factor)), width / height)
    return _mapped("shear", x, (1, across, 0), (down, 1, 0), padding)


def _sizes(x: Tensor) -> tuple[int, int]:
    return max(x.shape[1], 1), max(x.shape[2], 1)


def require_padding(name: str, padding: str) -> str:
    """ArgumentError for an unknown padding."""
    if padding not in PADDINGS:
        raise ArgumentError(f"{name}: padding={padding!r}", expected=f"one of {', '.join(map(repr, PADDINGS))}",
                            fix='leave it out for "reflection"')
    return padding


def _mapped(name: str, x: Tensor, across: tuple[Tensor | float, ...], down: tuple[Tensor | float, ...],
            padding: str) -> Tensor:
    """Images sampled at positions that are affine in those of the result, both from -1 to 1 from edge to edge.

    `across` and `down` have the coefficients of x and y, and the constant, for the new x and the new y; each is a
    number or one per sample.
    """
    require_padding(name, padding)
    coefficients = [_per_sample(x, value) for value in (*across, *down)]
    theta = reshape(stack(coefficients, 1), (x.shape[0], 2, 3))
    return restored(grid_sample(x, affine_grid(theta, _sizes(x)), padding=padding), x)


def _per_sample(x: Tensor, value: Tensor | float) -> Tensor:
    return full((x.shape[0],), float(value), dtype="float32") if isinstance(value, int | float) else value
