"""Random changes of images: what they do with known draws, how often, in which dtypes, and inside of fit."""

import numpy as np
import pytest
from helpers import compilations
from scipy import ndimage

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.data import augment

DRAW = np.random.default_rng(0)
IMAGES = DRAW.random((4, 6, 8, 3)).astype(np.float32)
BYTES = (IMAGES * 255).astype(np.uint8)
LABELS = np.arange(4)
COUNTED = np.arange(48, dtype=np.float32).reshape(1, 6, 8, 1)

EACH = {  # every function of images alone, as it is called most simply
    "flip": augment.flip, "crop": lambda x: augment.crop(x, 6, 8, padding=2), "shift": augment.shift,
    "rotate": augment.rotate, "zoom": augment.zoom, "shear": augment.shear, "brightness": augment.brightness,
    "contrast": augment.contrast, "saturation": augment.saturation, "hue": augment.hue,
    "grayscale": lambda x: augment.grayscale(x, 0.5), "noise": augment.noise,
    "erase": lambda x: augment.erase(x, 1, scale=(0.2, 0.4)), "cutout": lambda x: augment.cutout(x, 3),
}
each = pytest.mark.parametrize("name", EACH)


def many(image, count=2000):
    return tz.asarray(np.repeat(np.asarray(image)[None], count, 0))


# All of them ----------------------------------------------------------------------------------------------------

def test_each_function_is_here():
    assert {*EACH, "mixup", "cutmix"} == set(augment.__all__)


@each
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16", "float64"])
def test_dtype_and_range_stay(name, dtype):
    tz.random.seed(1)
    x = np.tile(BYTES if dtype == "uint8" else IMAGES.astype(dtype), (4, 1, 1, 1))
    y = EACH[name](tz.asarray(x)).numpy()
    assert y.dtype == dtype and y.shape == x.shape and not np.array_equal(y, x)
    assert y.min() >= 0 and y.max() <= (255 if dtype == "uint8" else 1.001)


@each
def test_bytes_and_floats_change_alike(name):
    x = BYTES.astype(np.float32) / 255
    tz.random.seed(2)
    floats = EACH[name](tz.asarray(x)).numpy()
    tz.random.seed(2)
    bytes_ = EACH[name](tz.asarray(BYTES)).numpy()
    np.testing.assert_allclose(bytes_ / 255, floats, atol=0.51 / 255)


def test_one_trace_draws_anew_and_each_sample_its_own():
    """All in one program, which compiles faster; a compiled call gives what an eager one does."""
    x = many(BYTES[0], 8)

    def every(x):
        return [call(x) for call in EACH.values()]

    compiled = tz.jit(every)
    tz.random.seed(3)
    eager = [y.numpy() for y in every(x)]
    tz.random.seed(3)
    with compilations(exactly=1):
        first, second = ([y.numpy() for y in compiled(x)] for _ in range(2))
    for name, wanted, one, other in zip(EACH, eager, first, second, strict=True):
        assert np.abs(one.astype(int) - wanted.astype(int)).max() <= 1, name
        assert not np.array_equal(one, other) and any(not np.array_equal(one[0], row) for row in one[1:]), name


@each
def test_a_seed_makes_the_same_again(name):
    x = tz.asarray(BYTES)
    tz.random.seed(4)
    first = EACH[name](x).numpy()
    tz.random.seed(4)
    np.testing.assert_array_equal(EACH[name](x).numpy(), first)


@each
def test_an_input_that_is_no_batch_of_images(name):
    with pytest.raises(ShapeError, match=rf"{name}: an input of shape \(4, 6, 8\)\n.*batch, height, width, channels"):
        EACH[name](IMAGES[..., 0])
    with pytest.raises(DTypeError, match=rf"{name}: images of int64\n  expected: uint8 or floats"):
        EACH[name](BYTES.astype(np.int64))


# Geometry -------------------------------------------------------------------------------------------------------

def test_half_of_the_images_are_flipped():
    tz.random.seed(5)
    for mode, axes in {"horizontal": [2], "vertical": [1]}.items():
        x = many(COUNTED[0])
        y = augment.flip(x, mode).numpy()
        is_flipped = (y == np.flip(COUNTED, axes)).all((1, 2, 3))
        assert (is_flipped | (y == COUNTED).all((1, 2, 3))).all() and 0.45 < is_flipped.mean() < 0.55
    y = augment.flip(many(COUNTED[0]), "horizontal_and_vertical").numpy()
    shares = [(y == np.flip(COUNTED, axes)).all((1, 2, 3)).mean() for axes in ([], [1], [2], [1, 2])]
    assert sum(shares) == 1 and min(shares) > 0.21
    assert abs((augment.flip(many(COUNTED[0]), rate=0.1).numpy() != COUNTED).any((1, 2, 3)).mean() - 0.1) < 0.03


def test_crops_are_parts_at_every_position():
    tz.random.seed(6)
    y = augment.crop(many(COUNTED[0]), 4, 5).numpy()
    corners = y[:, 0, 0, 0].astype(int)
    assert set(corners.tolist()) == {8 * row + column for row in range(3) for column in range(4)}
    assert np.bincount(corners).max() < 2000 / 12 * 1.4
    windows = COUNTED[0, :4, :5] + corners[:, None, None, None]
    np.testing.assert_array_equal(y, windows)


def test_padding_moves_crops_beyond_the_edges():
    tz.random.seed(7)
    y = augment.crop(many(COUNTED[0] + 1, 500), 6, 8, padding=1).numpy()
    padded = np.pad(COUNTED[0] + 1, [(1, 1), (1, 1), (0, 0)])
    windows = [padded[row:row + 6, column:column + 8] for row in range(3) for column in range(3)]
    found = [int(np.flatnonzero([np.array_equal(image, window) for window in windows])[0]) for image in y]
    assert set(found) == set(range(9))


def test_shift_by_whole_pixels():
    y = augment.shift(COUNTED, (1 / 3, 1 / 3), (-0.25, -0.25), padding="zeros").numpy()
    wanted = np.zeros_like(COUNTED)
    wanted[:, 2:, :6] = COUNTED[:, :4, 2:]
    np.testing.assert_allclose(y, wanted, atol=1e-4)


@pytest.mark.parametrize(("padding", "mode"), [("reflection", "reflect"), ("border", "nearest"),
                                               ("zeros", "grid-constant")])
def test_maps_are_those_of_scipy(padding, mode):
    """Output positions, centered and in pixels, times a matrix give input positions; rows come first in SciPy."""
    angle, middle = 0.05 * 2 * np.pi, np.array([2.5, 3.5])
    matrices = {
        "rotate": (np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]),
                   augment.rotate(COUNTED, (0.05, 0.05), padding=padding)),
        "zoom": (np.diag([1.25, 0.5]), augment.zoom(COUNTED, (0.25, 0.25), (-0.5, -0.5), padding=padding)),
        "shear": (np.array([[1, 0.2], [0.3, 1]]), augment.shear(COUNTED, (0.3, 0.3), (0.2, 0.2), padding=padding)),
    }
    for name, (matrix, y) in matrices.items():
        wanted = ndimage.affine_transform(COUNTED[0, ..., 0].astype(np.float64), matrix, middle - matrix @ middle,
                                          order=1, mode=mode)
        np.testing.assert_allclose(y.numpy()[0, ..., 0], wanted, atol=1e-3, err_msg=name)


def test_a_quarter_turn_and_where_pixels_go():
    square = np.arange(16.0, dtype=np.float32).reshape(1, 4, 4, 1)
    y = augment.rotate(square, (0.25, 0.25)).numpy()
    np.testing.assert_allclose(y, np.rot90(square, axes=(1, 2)), atol=1e-4)


def test_factors_are_uniform():
    tz.random.seed(8)
    ramp = np.broadcast_to(np.arange(20.0, dtype=np.float32)[:, None, None], (20, 2, 1))
    moved = 10 - augment.shift(many(ramp, 1000), 0.2, 0).numpy()[:, 10, 0, 0]
    assert moved.min() < -3.8 and moved.max() > 3.8 and abs(moved.mean()) < 0.25
    assert abs(moved.std() - 8 / np.sqrt(12)) < 0.15
    height = augment.zoom(many(ramp, 1000), (-0.5, 0.0)).numpy()
    slopes = height[:, 11, 0, 0] - height[:, 10, 0, 0]
    assert 0.5 <= slopes.min() < 0.52 and 0.98 < slopes.max() <= 1.0001 and abs(slopes.mean() - 0.75) < 0.02


# Colors ---------------------------------------------------------------------------------------------------------

def test_brightness_and_noise_count_in_shares_of_the_range():
    tz.random.seed(9)
    gray = many(np.full((2, 2, 1), 100, np.uint8))
    change = augment.brightness(gray, 0.2).numpy()[:, 0, 0, 0].astype(int) - 100
    assert change.min() in (-51, -50) and change.max() in (50, 51) and abs(change.mean()) < 2
    change = augment.noise(gray, 0.1).numpy().astype(int) - 100
    assert abs(change.std() - 25.5) < 1 and abs(change.mean()) < 1
    wide = augment.brightness(tz.zeros((1, 1, 1, 1)), (0.5, 0.5), value_range=(-2, 2)).item()
    assert wide == 2


def test_contrast_and_saturation_scale_distances():
    middle = IMAGES.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(augment.contrast(IMAGES, (0.5, 0.5)).numpy(),
                               np.clip(middle + 1.5 * (IMAGES - middle), 0, 1), atol=1e-5)
    np.testing.assert_allclose(augment.contrast(IMAGES, (-1, -1)).numpy(), np.broadcast_to(middle, IMAGES.shape),
                               atol=1e-5)
    gray = (IMAGES @ np.array([0.2989, 0.587, 0.114], np.float32))[..., None]
    np.testing.assert_allclose(augment.saturation(IMAGES, (-0.4, -0.4)).numpy(), gray + 0.6 * (IMAGES - gray),
                               atol=1e-5)


def test_hue_turns_the_circle():
    np.testing.assert_allclose(augment.hue(IMAGES, (1 / 3, 1 / 3)).numpy(), IMAGES[..., [2, 0, 1]], atol=1e-4)
    np.testing.assert_array_equal(augment.hue(tz.asarray(BYTES), (-1 / 3, -1 / 3)).numpy(), BYTES[..., [1, 2, 0]])


def test_a_share_becomes_gray():
    tz.random.seed(10)
    y = augment.grayscale(many(IMAGES[0]), 0.3).numpy()
    is_gray = (y == y[..., :1]).all((1, 2, 3))
    assert abs(is_gray.mean() - 0.3) < 0.04 and (y[~is_gray] == IMAGES[0]).all()


# Regions --------------------------------------------------------------------------------------------------------

def test_erased_rectangles():
    tz.random.seed(11)
    y = augment.erase(many(np.ones((20, 30, 2), np.float32)), 0.5, scale=(0.1, 0.3), ratio=(0.5, 2), value=7).numpy()
    erased = y[..., 0] == 7
    assert ((y == 7) | (y == 1)).all() and (y[..., 0] == y[..., 1]).all()
    assert abs(erased.any((1, 2)).mean() - 0.5) < 0.04
    rows, columns = erased.any(2).sum(1), erased.any(1).sum(1)
    np.testing.assert_array_equal(rows * columns, erased.sum((1, 2)))
    some = rows > 0
    share, ratio = (rows * columns / 600)[some], (rows / np.maximum(columns, 1))[some]
    assert 0.08 < share.min() < 0.12 and 0.28 < share.max() < 0.32 and abs(share.mean() - 0.2) < 0.01
    assert 0.4 < ratio.min() < 0.6 and 1.7 < ratio.max() < 2.3 and abs(np.log(ratio).mean()) < 0.05
    assert erased.any(0).all()


def test_cutout_reaches_over_the_edges():
    tz.random.seed(12)
    holes = augment.cutout(many(np.ones((6, 8, 1), np.float32)), 3).numpy()[..., 0] == 0
    sizes = set(holes.sum((1, 2)).tolist())
    assert sizes == {9, 6, 4} and holes.any(0).all()


# Mixing ---------------------------------------------------------------------------------------------------------

def one_hot_images(count=400):
    """Images that are their own numbers, so that shares can be read off; and one-hot targets."""
    x = np.broadcast_to(np.eye(count, dtype=np.float32)[:, None, None, :], (count, 6, 8, count))
    return tz.asarray(np.ascontiguousarray(x)), tz.asarray(np.eye(count, dtype=np.float32))


def test_mixup_mixes_images_and_targets_alike():
    tz.random.seed(13)
    x, y = augment.mixup(*one_hot_images(), alpha=0.4)
    np.testing.assert_allclose(x.numpy(), np.broadcast_to(y.numpy()[:, None, None], x.shape), atol=1e-6)
    own = np.diag(y.numpy())
    np.testing.assert_allclose(y.numpy().sum(1), 1, rtol=1e-5)
    assert abs(own.mean() - 0.5) < 0.06 and abs(own.std() - np.sqrt(0.25 / 1.8)) < 0.03  # of Beta(0.4, 0.4)


def test_cutmix_weights_targets_by_area():
    tz.random.seed(14)
    x, y = augment.cutmix(*one_hot_images())
    np.testing.assert_allclose(x.numpy().mean((1, 2)), y.numpy(), atol=1e-5)
    assert set(np.unique(x.numpy())) == {0.0, 1.0}
    own = np.diag(y.numpy())
    assert own.min() < 0.1 and own.max() == 1 and 0.5 < own.mean() < 0.75


@pytest.mark.parametrize("mix", [augment.mixup, augment.cutmix])
def test_targets_of_mixtures(mix):
    name = mix.__name__
    x, y = mix(BYTES, np.eye(4, dtype=np.int64))
    assert x.dtype is tz.uint8 and y.dtype is tz.float32
    assert mix(IMAGES, np.ones(4, np.float32))[1].tolist() == [1.0] * 4
    with pytest.raises(DTypeError, match=rf"{name}: targets of int64 and shape \(4,\)\n.*one-hot[\s\S]*tz.one_hot"):
        mix(IMAGES, LABELS)
    with pytest.raises(ShapeError, match=rf"{name}: 4 images and targets of shape \(3, 2\)"):
        mix(IMAGES, np.ones((3, 2), np.float32))
    with pytest.raises(ArgumentError, match=rf"{name}: alpha=0\n  expected: a finite number above 0"):
        mix(IMAGES, np.eye(4, dtype=np.float32), 0)


# In training ----------------------------------------------------------------------------------------------------

def test_a_map_over_batches():
    def change(x, y):
        return augment.mixup(augment.flip(augment.crop(x, 6, 8, padding=1)), tz.one_hot(y, 4))

    batches = tz.data.Dataset((BYTES, LABELS)).repeat(3).batch(4).map(change)
    with compilations(exactly=1):
        first, *others = batches
    assert first[0].dtype is tz.uint8 and first[1].shape == (4, 4)
    assert all(not np.array_equal(first[0].numpy(), x.numpy()) for x, _ in others)


def test_a_loaded_set_with_augmentation_in_fit():
    def change(x, y):
        return augment.cutout(augment.crop(x[..., None], 8, 8, padding=1), 2), y

    digits = tz.data.load("digits").take(256).shuffle(seed=0).batch(64).map(change)
    model = tz.nn.Sequential(tz.nn.Rescaling(1 / 16), tz.nn.Flatten(), tz.nn.Dense(10))
    model.compile(optimizer=tz.optim.Adam(lr=0.01), loss="cross_entropy")
    with compilations(exactly=1):
        loss = model.fit(digits, epochs=4, verbose=0).history["loss"]
    assert loss[-1] < loss[0]


def test_layers_in_fit_trace_once_and_change_nothing_in_evaluation():
    layers = [tz.nn.RandomFlip(), tz.nn.RandomCrop(6, 8, padding=1), tz.nn.RandomRotation(0.05), tz.nn.RandomZoom(0.1),
              tz.nn.RandomTranslation(0.1, 0.1), tz.nn.RandomBrightness(0.1), tz.nn.RandomContrast(0.1),
              tz.nn.RandomErasing()]
    model = tz.nn.Sequential(*layers, tz.nn.Rescaling(1 / 255), tz.nn.Flatten(), tz.nn.Dense(4))
    model.compile(optimizer="adam", loss="cross_entropy")
    with compilations(exactly=1):
        history = model.fit(np.tile(BYTES, (8, 1, 1, 1)), np.tile(LABELS, 8), batch_size=8, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    plain = tz.nn.Sequential(*layers).eval()
    np.testing.assert_array_equal(plain(tz.asarray(BYTES)).numpy(), BYTES)


MISUSES = [
    (lambda: augment.flip(IMAGES, "sideways"), ArgumentError, r"flip: mode='sideways'\n.*'horizontal', 'vertical'"),
    (lambda: augment.flip(IMAGES, rate=1.5), ArgumentError, r"flip: rate=1.5\n.*from 0 to 1"),
    (lambda: augment.crop(IMAGES, 7, 8), ShapeError, r"crop of 7 by 8 from images of 6 by 8"),
    (lambda: augment.crop(IMAGES, 0, 8), ArgumentError, r"height=0"),
    (lambda: augment.crop(IMAGES, 6, 8, -1), ArgumentError, r"padding=-1"),
    (lambda: augment.shift(IMAGES, padding="wrap"), ArgumentError, r"shift: padding='wrap'\n.*'reflection', 'border'"),
    (lambda: augment.rotate(IMAGES, -0.1), ArgumentError, r"rotate: factor=-0.1\n.*at least 0, or a pair"),
    (lambda: augment.rotate(IMAGES, (0.2, 0.1)), ArgumentError, r"rotate: factor=\(0.2, 0.1\)"),
    (lambda: augment.rotate(IMAGES, "a lot"), ArgumentError, r"rotate: factor='a lot'"),
    (lambda: augment.zoom(IMAGES, 1.5), ArgumentError, r"zoom: height_factor=1.5\n.*none below -1"),
    (lambda: augment.contrast(IMAGES, 2), ArgumentError, r"contrast: factor=2\n.*none below -1"),
    (lambda: augment.brightness(IMAGES, 0.1, (1, 1)), ArgumentError, r"brightness: value_range=\(1, 1\)"),
    (lambda: augment.hue(IMAGES[..., :1]), ShapeError, r"hue: images with 1 channels"),
    (lambda: augment.noise(IMAGES, -0.1), ArgumentError, r"std=-0.1"),
    (lambda: augment.erase(IMAGES, scale=(0.0, 0.1)), ArgumentError, r"erase: scale=\(0.0, 0.1\)\n.*above 0 up to 1"),
    (lambda: augment.erase(IMAGES, ratio=(2, 1)), ArgumentError, r"erase: ratio=\(2, 1\)"),
    (lambda: augment.cutout(IMAGES, 0), ArgumentError, r"size=0"),
    (lambda: tz.nn.RandomFlip("both"), ArgumentError, r"RandomFlip: mode='both'"),
    (lambda: tz.nn.RandomRotation(-1), ArgumentError, r"RandomRotation: factor=-1"),
    (lambda: tz.nn.RandomZoom(0.1, (-2, 0)), ArgumentError, r"RandomZoom: width_factor=\(-2, 0\)"),
    (lambda: tz.nn.RandomTranslation(0.1, 0.1, "wrap"), ArgumentError, r"RandomTranslation: padding='wrap'"),
    (lambda: tz.nn.RandomContrast(1.5), ArgumentError, r"RandomContrast: factor=1.5"),
    (lambda: tz.nn.RandomBrightness(0.1, (2, 1)), ArgumentError, r"RandomBrightness: value_range=\(2, 1\)"),
    (lambda: tz.nn.RandomErasing(2), ArgumentError, r"RandomErasing: rate=2"),
    (lambda: tz.nn.RandomCrop(0, 1), ArgumentError, r"height=0"),
    (lambda: tz.nn.RandomCrop(7, 8).eval()(tz.asarray(IMAGES)), ShapeError, r"RandomCrop of 7 by 8 from images of 6"),
    (lambda: tz.nn.RandomFlip()(tz.ones((2, 3))), ShapeError, r"an input of shape \(2, 3\)"),
]


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
