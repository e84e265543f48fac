"""Functions of images: the numbers of torch and SciPy, positions beyond the edges, inverses, and what misuse says."""

import numpy as np
import pytest
from scipy import ndimage

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError

IMAGE = tz.asarray(np.random.default_rng(0).normal(size=(2, 6, 4, 8)))
POSITIONS = np.random.default_rng(1).uniform(-9, 9, (2, 30))


def test_cubic_resizing_agrees_with_torch():
    columns = tz.reshape(tz.eye(4, dtype="float64"), (1, 4, 4))
    smaller = tz.interpolate(columns, 2, mode="bicubic", antialias=True)[0]  # torch 2.13
    np.testing.assert_allclose(smaller, [[0.45867768595041325, 0.45867768595041325, 0.11983471074380166,
                                          -0.0371900826446281], [-0.0371900826446281, 0.11983471074380166,
                                                                 0.45867768595041325, 0.45867768595041325]])
    corners = tz.interpolate(columns, 3, mode="cubic", align_corners=True)[0]
    np.testing.assert_allclose(corners, [[1, 0, 0, 0], [-0.09375, 0.59375, 0.59375, -0.09375], [0, 0, 0, 1]])


def test_a_factor_counts_even_where_the_size_is_rounded():
    x = tz.tensor([[[0.0], [1.0], [2.0]]])
    np.testing.assert_allclose(tz.interpolate(x, scale_factor=1.4).flatten(), [0, 4 / 7, 9 / 7, 2], rtol=1e-6)
    assert tz.interpolate(x, scale_factor=2.0, mode="nearest").flatten().tolist() == [0, 0, 1, 1, 2, 2]
    assert tz.interpolate(x, scale_factor=1.1).flatten().tolist() == [0, 1, 2]  # the size stays


def test_antialias_leaves_nothing_out_and_enlarges_as_without():
    x = tz.tensor([[[0.0], [0.0], [0.0], [8.0], [0.0], [0.0], [0.0], [0.0]]])
    assert tz.interpolate(x, 2).sum().item() == 0  # both new elements fall beside the only old one
    assert tz.interpolate(x, 2, antialias=True).mean().item() == pytest.approx(1, rel=0.2)
    np.testing.assert_allclose(tz.interpolate(x, 16, antialias=True), tz.interpolate(x, 16), rtol=1e-6)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize(("mode", "theirs"), [("constant", "grid-constant"), ("edge", "nearest"), ("reflect", "mirror"),
                                              ("symmetric", "reflect"), ("wrap", "grid-wrap")])
def test_positions_far_beyond_the_edges_agree_with_scipy(mode, theirs, order):
    x = np.random.default_rng(2).normal(size=(5, 1))
    found = tz.map_coordinates(x, POSITIONS, order, mode=mode, value=2.5)
    wanted = ndimage.map_coordinates(x, POSITIONS, order=order, mode=theirs, cval=2.5)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


def test_positions_that_are_no_numbers_are_nowhere():
    positions = tz.tensor([[0.0, np.nan, np.inf, -np.inf]])
    found = tz.map_coordinates(tz.arange(4), positions, 0, value=7)
    assert found.dtype is tz.int64 and found.tolist() == [0, 7, 7, 7]
    assert np.isnan(tz.map_coordinates(tz.arange(4), positions, mode="wrap").numpy()).tolist() == [False] + [True] * 3


def test_the_identity_grid_gives_the_image_back():
    identity = tz.broadcast_to(tz.eye(2, 3, dtype="float64"), (2, 2, 3))
    for corners in (False, True):
        grid = tz.affine_grid(identity, (6, 4), align_corners=corners)
        for mode in ("nearest", "bilinear", "bicubic"):
            found = tz.grid_sample(IMAGE, grid, mode=mode, padding="border", align_corners=corners)
            np.testing.assert_allclose(found, IMAGE, rtol=1e-12, atol=1e-12)


def test_grid_sample_agrees_with_torch():
    x = tz.reshape(tz.arange(6, dtype="float64") ** 2, (1, 2, 3, 1))
    grid = tz.tensor([[[[-1.3, 0.2], [0.4, -0.9], [1.1, 1.7]]]], dtype="float64")
    found = [tz.grid_sample(x, grid, mode=mode, padding=padding, align_corners=corners).flatten().tolist()
             for mode, padding, corners in (("bilinear", "zeros", False), ("bicubic", "reflection", True),
                                            ("nearest", "reflection", False))]
    np.testing.assert_allclose(found, [[0.315, 1.68, 0], [6.331392, 2.621458, 18.96376225], [9, 4, 25]], rtol=1e-9)


def test_half_precision_is_computed_in_single():
    x, grid = IMAGE.astype("float16"), tz.affine_grid(tz.eye(2, 3, dtype="float16")[None], (5, 5))
    assert tz.grid_sample(x[:1], grid).dtype is tz.float16
    assert tz.interpolate(x, 3, mode="cubic").dtype is tz.float16
    assert tz.gaussian_blur(x, 0.5).dtype is tz.float16


def test_shuffles_and_patches_are_undone():
    for there, back in ((tz.pixel_shuffle, tz.pixel_unshuffle), (tz.depth_to_space, tz.space_to_depth)):
        np.testing.assert_array_equal(back(there(IMAGE, 2), 2), IMAGE)
    patches = tz.extract_patches(IMAGE, 2)
    np.testing.assert_array_equal(tz.fold(patches, (6, 4), 2), IMAGE)


def test_patches_times_a_kernel_are_the_convolution():
    options = {"stride": (2, 1), "padding": 1, "dilation": (1, 2)}
    kernel = np.random.default_rng(3).normal(size=(3, 2, 8, 5))
    found = tz.extract_patches(IMAGE, (3, 2), **options) @ kernel.reshape(-1, 5)
    np.testing.assert_allclose(found, tz.conv2d(IMAGE, kernel, **options), rtol=1e-9, atol=1e-12)


def test_the_deviation_of_a_blur_may_be_a_tensor():
    gradient = tz.grad(lambda s: tz.gaussian_blur(IMAGE, s, size=3)[0, 2, 2, 0])(tz.tensor(0.8, dtype="float64"))
    ends = [tz.gaussian_blur(IMAGE, 0.8 + h, size=3)[0, 2, 2, 0].item() for h in (-1e-5, 1e-5)]
    assert gradient.item() == pytest.approx((ends[1] - ends[0]) / 2e-5, rel=1e-6)


ONES = tz.ones((1, 4, 4, 3))
MISUSES = [
    (lambda: tz.interpolate(ONES), ArgumentError, "interpolate: sizes=None and scale_factor=None\n.*one of the two"),
    (lambda: tz.interpolate(ONES, 2, scale_factor=2), ArgumentError, "sizes=2 and scale_factor=2"),
    (lambda: tz.interpolate(ONES, scale_factor=0.1), ArgumentError, r"scale_factor=0.1 for sizes \(4, 4\)"),
    (lambda: tz.interpolate(ONES, scale_factor=(1, 2, 3)), ArgumentError, r"scale_factor=\(1, 2, 3\)"),
    (lambda: tz.interpolate(ONES, 2, mode="area", antialias=True), ArgumentError, "mode='area'.*antialias=True"),
    (lambda: tz.interpolate(ONES, 2, align_corners=True, antialias=True), ArgumentError, "at most one of the two"),
    (lambda: tz.map_coordinates(ONES, tz.zeros(5, 2)), ShapeError, r"coordinates of shape \(5, 2\) for an input"),
    (lambda: tz.map_coordinates(ONES, tz.zeros(4, 2), 3), ArgumentError, "map_coordinates: order=3"),
    (lambda: tz.map_coordinates(ONES, tz.zeros(4, 2), mode="mirror"), ArgumentError, "mode='mirror'\n.*'reflect'"),
    (lambda: tz.map_coordinates(ONES, tz.tensor([[1j]])), DTypeError, "map_coordinates: positions of complex64"),
    (lambda: tz.grid_sample(ONES, tz.zeros(1, 2, 2, 3)), ShapeError, r"grid of shape \(1, 2, 2, 3\)\n.*d being"),
    (lambda: tz.grid_sample(ONES, tz.zeros(2, 2, 2, 2)), ShapeError, "grid_sample: an input of shape"),
    (lambda: tz.grid_sample(ONES, tz.zeros(1, 2, 2, 2), padding="edge"), ArgumentError, "padding='edge'\n.*border"),
    (lambda: tz.affine_grid(tz.ones(2, 3), 4), ShapeError, r"affine_grid: theta of shape \(2, 3\)"),
    (lambda: tz.affine_grid(tz.ones(1, 2, 3), (4, 0)), ArgumentError, r"affine_grid: sizes=\(4, 0\)"),
    (lambda: tz.pixel_shuffle(ONES, 2), ShapeError, r"pixel_shuffle: 3 channels.*\n.*multiple of 2\*\*2"),
    (lambda: tz.pixel_unshuffle(ONES, 3), ShapeError, "pixel_unshuffle: .*\n.*multiples of 3"),
    (lambda: tz.space_to_depth(ONES[0, 0], 2), ShapeError, r"space_to_depth: an input of shape \(4, 3\)"),
    (lambda: tz.depth_to_space(ONES, 0), ArgumentError, "depth_to_space: factor=0"),
    (lambda: tz.channel_shuffle(ONES, 2), ShapeError, "channel_shuffle: .* in 2 groups"),
    (lambda: tz.channel_shuffle(ONES, 0), ArgumentError, "channel_shuffle: groups=0"),
    (lambda: tz.extract_patches(ONES[0, 0], 2), ShapeError, "extract_patches: an input of shape"),
    (lambda: tz.extract_patches(ONES, 5), ShapeError, r"windows that span \(5, 5\)"),
    (lambda: tz.fold(ONES, 5, 2), ShapeError, r"fold: .* for sizes \(5, 5\).*\n.*\(batch, 2, 2, a multiple of 4\)"),
    (lambda: tz.fold(ONES[0, 0], 5, 2), ShapeError, "fold: an input of shape"),
    (lambda: tz.rgb_to_grayscale(ONES[..., :2]), ShapeError, r"rgb_to_grayscale: an input of shape \(1, 4, 4, 2\)"),
    (lambda: tz.rgb_to_hsv(1.0), ShapeError, "rgb_to_hsv: .*\n.*three colors"),
    (lambda: tz.gaussian_blur(ONES[0, 0]), ShapeError, "gaussian_blur: an input of shape"),
    (lambda: tz.gaussian_blur(ONES, 0), ArgumentError, "gaussian_blur: sigma=0"),
    (lambda: tz.gaussian_blur(ONES, tz.tensor(1.0)), ArgumentError, "a size for one that is a tensor"),
    (lambda: tz.gaussian_blur(ONES, 1.0, size=4), ArgumentError, "gaussian_blur: size=4\n.*odd"),
]


@pytest.mark.parametrize(("call", "error", "text"), MISUSES)
def test_misuse(call, error, text):
    with pytest.raises(error, match=text):
        call()
