"""The op table, continued: interpolation, sampling at positions, patches, colors, and elements moved to channels."""

import colorsys

import numpy as np
from optable import SPREAD, Domain, case, op
from scipy import ndimage

import tarazu as tz

IMAGE = [((1, 4, 3, 2),)]
POSITIONS = Domain(lambda rng, shape: rng.integers(-3, 6, shape) + rng.uniform(0.15, 0.35, shape))  # near no kink
COLORS = Domain(lambda rng, shape: rng.permuted(np.linspace(0.1, 0.9, 3) + rng.uniform(0, 0.1, shape), axis=-1))

HUES = Domain(lambda rng, shape: (rng.integers(0, 6, shape) + rng.uniform(0.15, 0.85, shape)) / 6)  # nor these


def _resized(x: np.ndarray, *matrices: list[list[float]]) -> np.ndarray:
    """Each axis between batch and channels times a matrix (new, old)."""
    for axis, matrix in enumerate(matrices, 1):
        x = np.moveaxis(np.tensordot(np.array(matrix), x, (1, axis)), 0, axis)
    return x


# Interpolation
case("interpolate nearest-exact", lambda x: tz.interpolate(x, (2, 2), mode="nearest-exact"),
     lambda x: x[:, [1, 3]][:, :, [0, 2]], SPREAD, also="i", shapes=IMAGE)
case("interpolate by a factor", lambda x: tz.interpolate(x, scale_factor=0.7), lambda x: _resized(
    x, [[11 / 14, 3 / 14, 0, 0], [0, 5 / 14, 9 / 14, 0]], [[11 / 14, 3 / 14, 0], [0, 5 / 14, 9 / 14]]), SPREAD,
     shapes=IMAGE)
_CUBIC = [[1.10546875, -0.10546875], [0.7734375, 0.2265625], [0.2265625, 0.7734375], [-0.10546875, 1.10546875]]
case("interpolate cubic", lambda x: tz.interpolate(x, 4, mode="cubic"), lambda x: _resized(x, _CUBIC), SPREAD,
     shapes=[((1, 2, 2),)])
case("interpolate antialiased", lambda x: tz.interpolate(x, (2, 3), antialias=True),
     lambda x: _resized(x, [[3 / 7, 3 / 7, 1 / 7, 0], [0, 1 / 7, 3 / 7, 3 / 7]]), SPREAD, shapes=IMAGE)
case("interpolate area", lambda x: tz.interpolate(x, (2, 2), mode="area"),
     lambda x: _resized(x, [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]], [[0.5, 0.5, 0], [0, 0.5, 0.5]]), SPREAD, shapes=IMAGE)

# Sampling
case("map_coordinates", lambda x, c: tz.map_coordinates(x, c, value=2.5),
     lambda x, c: ndimage.map_coordinates(x, c, order=1, mode="grid-constant", cval=2.5), SPREAD, POSITIONS,
     shapes=[((3, 4), (2, 3))])
for _mode, _theirs in (("reflect", "mirror"), ("wrap", "grid-wrap")):
    case(f"map_coordinates {_mode}", lambda x, c, _mode=_mode: tz.map_coordinates(x, c, mode=_mode),
         lambda x, c, _theirs=_theirs: ndimage.map_coordinates(x, c, order=1, mode=_theirs), SPREAD, POSITIONS,
         shapes=[((4,), (1, 3))])
case("map_coordinates of the nearest", lambda x, c: tz.map_coordinates(x, c, 0), lambda x, c: np.stack(
    [ndimage.map_coordinates(x[..., i], c, order=0, mode="grid-constant") for i in (0, 1)], -1), SPREAD, POSITIONS,
     shapes=[((3, 4, 2), (2, 3))])


def _sampled(x: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """grid_sample of one image without align_corners, by SciPy."""
    positions = ((grid[0] + 1) * x.shape[2:0:-1] - 1) / 2
    at = np.moveaxis(positions[..., ::-1], -1, 0)
    channels = [ndimage.map_coordinates(x[0, ..., i], at, order=1, mode="grid-constant") for i in (0, 1)]
    return np.stack(channels, -1)[None]


GRID = Domain(lambda rng, shape: (2 * (rng.integers(-1, 4, shape) + rng.uniform(0.15, 0.35, shape)) + 1) / (3, 4) - 1)
case("grid_sample", lambda x, g: tz.grid_sample(x, g), _sampled, SPREAD, GRID, shapes=[((1, 4, 3, 2), (1, 1, 3, 2))])
for _padding, _theirs in (("border", "nearest"), ("reflection", "reflect")):
    case(f"grid_sample {_padding}", lambda x, g, _padding=_padding: tz.grid_sample(
        x, (2 * g + 1) / 4 - 1, padding=_padding), lambda x, g, _theirs=_theirs: ndimage.map_coordinates(
            x[0, :, 0], g.mT, order=1, mode=_theirs)[..., None], SPREAD, POSITIONS, shapes=[((1, 4, 1), (1, 3, 1))])


def _keys(distance: np.ndarray) -> np.ndarray:
    """The kernel of Keys (1981) with a = -0.75."""
    d = abs(distance)
    return np.where(d <= 1, 1.25 * d**3 - 2.25 * d**2 + 1, np.where(d < 2, -0.75 * (d**3 - 5 * d**2 + 8 * d - 4), 0))


case("grid_sample cubic", lambda x, g: tz.grid_sample(x, (2 * g + 1) / 4 - 1, mode="cubic"),
     lambda x, g: _keys(g - np.arange(4)) @ x[0], SPREAD, POSITIONS, shapes=[((1, 4, 2), (1, 3, 1))])


def _grid(theta: np.ndarray) -> np.ndarray:
    points = [(x, y, 1) for y in (-0.5, 0.5) for x in (-2 / 3, 0, 2 / 3)]
    return (np.array(points) @ theta.mT).reshape(len(theta), 2, 3, 2)


case("affine_grid", lambda t: tz.affine_grid(t, (2, 3)), _grid, SPREAD, shapes=[((2, 2, 3),)])

# Channels
case("pixel_shuffle", lambda x: tz.pixel_shuffle(x, 2), lambda x: np.array(
    [[[x[0, i // 2, j // 2, c * 4 + i % 2 * 2 + j % 2] for c in (0, 1)] for j in range(2)] for i in range(4)])[None],
     SPREAD, also="i", shapes=[((1, 2, 1, 8),)])
case("depth_to_space", lambda x: tz.depth_to_space(x, 2), lambda x: np.array(
    [[[x[0, i // 2, j // 2, (i % 2 * 2 + j % 2) * 2 + c] for c in (0, 1)] for j in range(2)] for i in range(4)])[None],
     SPREAD, also="i", shapes=[((1, 2, 1, 8),)])
case("pixel_unshuffle", lambda x: tz.pixel_unshuffle(x, 2),
     lambda x: np.stack([x[:, i::2, j::2, c] for c in (0, 1) for i in (0, 1) for j in (0, 1)], -1), SPREAD, also="i",
     shapes=[((1, 4, 2, 2),)])
case("space_to_depth", lambda x: tz.space_to_depth(x, 2),
     lambda x: np.concatenate([x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)], -1), SPREAD, also="i",
     shapes=[((1, 4, 2, 2),)])
case("channel_shuffle", lambda x: tz.channel_shuffle(x, 3), lambda x: x[..., [0, 2, 4, 1, 3, 5]], SPREAD, also="i",
     shapes=[((2, 6),)])

# Patches
case("extract_patches", lambda x: tz.extract_patches(x, (2, 3), stride=1, padding=[(0, 0), (1, 1)]),
     lambda x: np.stack([np.pad(x, [(0, 0), (0, 0), (1, 1), (0, 0)])[:, i:i + 3, j:j + 3]
                         for i in range(2) for j in range(3)], 3).reshape(1, 3, 3, 12), SPREAD, also="i", shapes=IMAGE)


def _folded(x: np.ndarray) -> np.ndarray:
    out = np.zeros((1, 6, 2), x.dtype)
    for patch, start in enumerate((0, 2)):
        for element, offset in enumerate((0, 2)):
            out[:, start + offset] += x[:, patch, 2 * element:2 * element + 2]
    return out[:, 1:]


case("fold", lambda x: tz.fold(x, 5, 2, stride=2, padding=[(1, 0)], dilation=2), _folded, SPREAD, also="i",
     shapes=[((1, 2, 4),)])

# Colors and filters
op("rgb_to_grayscale", SPREAD, like=lambda x: (x @ [0.2989, 0.587, 0.114])[..., None], shapes=[((2, 3),)])
op("rgb_to_hsv", COLORS, like=lambda x: np.array([colorsys.rgb_to_hsv(*color) for color in x]), shapes=[((5, 3),)])
op("hsv_to_rgb", HUES, like=lambda x: np.array([colorsys.hsv_to_rgb(*color) for color in x]), shapes=[((5, 3),)])
case("gaussian_blur", lambda x: tz.gaussian_blur(x, (0.8, 1.2), size=(3, 5)),
     lambda x: ndimage.gaussian_filter(x, (0.8, 1.2), axes=(1, 2), mode="mirror", radius=(1, 2)), SPREAD, shapes=IMAGE)
