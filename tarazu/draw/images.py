"""Pictures of images, and of the filters of convolutions as images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.messages import shortened
from tarazu.draw.arrays import array
from tarazu.nn.layers.spatial.convolution import ConvolutionLayer
from tarazu.ops.typing import ArrayLike
from tarazu.picture.chart import Chart
from tarazu.picture.colors import colored
from tarazu.picture.grids import image_chart
from tarazu.picture.picture import Picture

MOST = 64
SIDE, FILTER_SIDE = 96, 52  # pixels
LONGEST_TITLE = 14
MOST_INPUTS = 8  # channels of a filter that are shown


def images(x: ArrayLike, titles: Sequence[object] = (), columns: int = 8) -> Picture:
    """Images beside each other, (images, height, width) or with 1, 3 or 4 channels last; 64 at most.

    Bytes are shown as they are, and so are numbers from 0 to 1; others are scaled from the smallest to the largest of
    all. `titles` has a text for each, such as its label. ShapeError for other shapes, ArgumentError for columns below
    1.

    >>> import tarazu as tz
    >>> tz.draw.images(tz.zeros((3, 28, 28)), titles=[7, 2, 1])
    <Picture: 3 images of 28 x 28>
    """
    values = array(x)
    pixels = as_pixels(values)
    shown, count = pixels[:MOST], len(pixels)
    names = [shortened(str(title), LONGEST_TITLE) for title in titles] + [""] * len(shown)
    size = f"{pixels.shape[1]} x {pixels.shape[2]}"
    title = f"{count} image{'s' * (count != 1)} of {size}" if count <= MOST else f"{MOST} of {count:,} images of {size}"
    charts = tuple(image_chart(name, image, SIDE) for name, image in zip(names, shown, strict=False))
    return Picture(title, charts, min(positive_int("columns", columns), max(len(charts), 1)), values=values)


def as_pixels(values: np.ndarray) -> np.ndarray:
    """Images as uint8 (images, height, width, 3); ShapeError for what are none.

    >>> as_pixels(np.array([[[0.0, 1.0]]])).tolist()
    [[[[0, 0, 0], [255, 255, 255]]]]
    """
    if values.ndim == 3 and values.shape[-1] in (1, 3, 4):
        raise ShapeError(f"images of shape {values.shape}, which may be one image with its channels",
                         expected="(images, height, width), or with channels last",
                         fix=f"for one image, x[None]; for {len(values)} gray images, x[..., None]")
    if values.ndim == 3:
        values = values[..., None]
    if values.ndim != 4 or values.shape[-1] not in (1, 3, 4):
        raise ShapeError(f"images of shape {values.shape}", expected="(images, height, width), or with 1, 3 or 4 "
                         "channels last", fix="put channels last: x.transpose(0, 2, 3, 1); for one image, x[None]")
    values = values[..., :3]
    if values.dtype != np.uint8:
        known = np.nan_to_num(values.astype(np.float64))
        low, high = float(known.min(initial=0.0)), float(known.max(initial=1.0))
        values = ((known - low) / (high - low) * 255).round().astype(np.uint8)
    return np.broadcast_to(values, (*values.shape[:-1], 3)) if values.shape[-1] == 1 else values


def filters(layer: ConvolutionLayer) -> Picture:
    """The weights of a convolution of images, a small image for each: blue is above 0, orange below.

    Filters of one channel, or of the three of colors, which are shown as colors, stand in rows of eight; of others
    there is a row for each filter with its first eight channels. 64 images at most; `values` is the whole weight
    (height, width, channels, filters). ArgumentError for another layer, or one that has not seen an input yet.

    >>> import tarazu as tz
    >>> tz.draw.filters(tz.nn.Conv2D(4, 3, in_channels=1))
    <Picture: 4 filters of 3 x 3, 1 channel>
    """
    weight = _weight_of(layer)
    height, width, channels, count = weight.shape
    title = f"{count} filter{'s' * (count != 1)} of {height} x {width}, {channels} channel{'s' * (channels != 1)}"
    charts: list[Chart] = []
    if channels == 3:
        low, high = float(weight.min()), float(weight.max())
        scaled = ((weight - low) / (high - low or 1.0) * 255).round().astype(np.uint8)
        charts = [image_chart("", scaled[..., n], FILTER_SIDE) for n in range(count)][:MOST]
    else:
        most = float(np.abs(weight).max()) or 1.0
        shown = min(channels, MOST_INPUTS)
        charts = [image_chart("", colored(weight[:, :, c, n], -most, most, "signs"), FILTER_SIDE)
                  for n in range(count) for c in range(shown)][:MOST // shown * shown]
    columns = min(channels, MOST_INPUTS) if channels not in (1, 3) else 8
    return Picture(title, tuple(charts), min(columns, max(len(charts), 1)), values=weight)


def _weight_of(layer: ConvolutionLayer) -> np.ndarray:
    weight = getattr(layer, "weight", None)
    if not isinstance(layer, ConvolutionLayer) or (weight is not None and len(weight.shape) != 4):
        raise ArgumentError(f"filters of a {type(layer).__name__}", expected="a convolution of images, such as Conv2D",
                            fix="pass a layer of the model: tz.draw.filters(model[0])")
    if weight is None:
        raise ArgumentError(f"filters of a {type(layer).__name__} that has seen no input",
                            expected="a layer with weights", fix="call the model once, or give in_channels")
    return array(weight)
