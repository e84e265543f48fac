"""Elements moved between the axes of images and their channels, and channels between groups."""

from __future__ import annotations

from tarazu.base.checks import whole_number
from tarazu.base.errors import ShapeError
from tarazu.ops.promote import as_value
from tarazu.ops.shape import permute_dims, reshape, swapaxes
from tarazu.ops.typing import ArrayLike, Tensor


def pixel_shuffle(x: ArrayLike, factor: int) -> Tensor:
    """Channels made into pixels: (batch, *sizes, channels factor ** d) to (batch, *[factor sizes], channels).

    The sub-pixel convolution of Shi et al. (2016), for any number d of axes. As in torch, the old channel
    c factor ** d + i is channel c at position i of a block; `depth_to_space` has the positions first. ShapeError for an
    input without these axes and for channels that do not divide, ArgumentError for a factor below 1.

    >>> import tarazu as tz
    >>> tz.pixel_shuffle(tz.tensor([[[1.0, 2.0, 3.0, 4.0]]]), 2)[0]
    Tensor([[1., 3.],
            [2., 4.]], dtype=float32)
    """
    return _to_space("pixel_shuffle", as_value(x), factor, channels_first=True)


def pixel_unshuffle(x: ArrayLike, factor: int) -> Tensor:
    """Pixels made into channels, the inverse of `pixel_shuffle`.

    (batch, *sizes, channels) to (batch, *[sizes / factor], channels factor ** d). ShapeError for an input without these
    axes and for sizes that do not divide, ArgumentError for a factor below 1.

    >>> import tarazu as tz
    >>> tz.pixel_unshuffle(tz.tensor([[[1.0, 3.0], [2.0, 4.0]]]), 2).flatten()
    Tensor([1., 2., 3., 4.], dtype=float32)
    """
    return _to_depth("pixel_unshuffle", as_value(x), factor, channels_first=True)


def depth_to_space(x: ArrayLike, factor: int) -> Tensor:
    """Channels made into pixels, the positions in a block before the channels, as in Keras and TensorFlow.

    (batch, *sizes, factor ** d channels) to (batch, *[factor sizes], channels): the old channel i channels + c is
    channel c at position i of a block. Errors as in `pixel_shuffle`.

    >>> import tarazu as tz
    >>> tz.depth_to_space(tz.tensor([[[1.0, 2.0, 3.0, 4.0]]]), 2)[0]
    Tensor([[1., 2.],
            [3., 4.]], dtype=float32)
    """
    return _to_space("depth_to_space", as_value(x), factor, channels_first=False)


def space_to_depth(x: ArrayLike, factor: int) -> Tensor:
    """Pixels made into channels, the inverse of `depth_to_space`. Shapes and errors as in `pixel_unshuffle`.

    >>> import tarazu as tz
    >>> tz.space_to_depth(tz.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2).flatten()
    Tensor([1., 2., 3., 4.], dtype=float32)
    """
    return _to_depth("space_to_depth", as_value(x), factor, channels_first=False)


def channel_shuffle(x: ArrayLike, groups: int) -> Tensor:
    """The channels, (..., channels), dealt out anew: those of `groups` groups in turn (Zhang et al., 2018).

    Channel j of group i becomes channel i of group j, so that the groups of the next convolution see all of the last
    one's. ShapeError for channels that `groups` does not divide, ArgumentError for less than one group.

    >>> import tarazu as tz
    >>> tz.channel_shuffle(tz.tensor([[0, 1, 2, 3, 4, 5]]), 2)
    Tensor([[0, 3, 1, 4, 2, 5]], dtype=int64)
    """
    x = as_value(x)
    groups = whole_number(f"channel_shuffle: groups={groups!r}", groups, least=1, fix="pass for example groups=2")
    if not x.shape or x.shape[-1] % groups:
        raise ShapeError(f"channel_shuffle: an input of shape {x.shape} in {groups} groups",
                         expected="channels, the last axis, that the groups divide", fix="use fewer groups")
    split = reshape(x, (*x.shape[:-1], groups, x.shape[-1] // groups))
    return reshape(swapaxes(split, -1, -2), x.shape)


def _to_space(name: str, x: Tensor, factor: int, *, channels_first: bool) -> Tensor:
    axes, factor = _axes(name, x, factor)
    block = (factor,) * axes
    channels, left = divmod(x.shape[-1], factor**axes)
    if left:
        raise ShapeError(f"{name}: {x.shape[-1]} channels, for an input of shape {x.shape}",
                         expected=f"a multiple of {factor}**{axes} channels, in the last axis",
                         fix=f"give the layer before it {factor**axes} times as many channels")
    split = reshape(x, (*x.shape[:-1], *((channels, *block) if channels_first else (*block, channels))))
    first = 1 + axes + channels_first  # the first axis of a block
    pairs = [axis for i in range(axes) for axis in (1 + i, first + i)]
    moved = permute_dims(split, (0, *pairs, 1 + axes if channels_first else 1 + 2 * axes))
    return reshape(moved, (x.shape[0], *(factor * n for n in x.shape[1:-1]), channels))


def _to_depth(name: str, x: Tensor, factor: int, *, channels_first: bool) -> Tensor:
    axes, factor = _axes(name, x, factor)
    if any(n % factor for n in x.shape[1:-1]):
        raise ShapeError(f"{name}: an input of shape {x.shape}", expected=f"sizes that are multiples of {factor}",
                         fix="pad or crop it first")
    small = [n // factor for n in x.shape[1:-1]]
    split = reshape(x, (x.shape[0], *(size for n in small for size in (n, factor)), x.shape[-1]))
    block, channels = tuple(range(2, 2 * axes + 1, 2)), 2 * axes + 1
    moved = permute_dims(split, (0, *range(1, 2 * axes, 2), *((channels, *block) if channels_first
                                                             else (*block, channels))))
    return reshape(moved, (x.shape[0], *small, x.shape[-1] * factor**axes))


def _axes(name: str, x: Tensor, factor: int) -> tuple[int, int]:
    """How many axes lie between the batch and the channels, and the checked factor."""
    if len(x.shape) < 3:
        raise ShapeError(f"{name}: an input of shape {x.shape}", expected="(batch, *sizes, channels)",
                         fix="x[None] is a batch of one, x[..., None] has one channel")
    return len(x.shape) - 2, whole_number(f"{name}: factor={factor!r}", factor, least=1, fix="pass for example 2")
