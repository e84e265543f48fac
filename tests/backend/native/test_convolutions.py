"""Convolutions and their gradients where they are not plain sums of products: in tiles, and phase by phase."""

import itertools
import random

import numpy as np
import pytest
from choices import from_seed

import tarazu as tz
from tarazu.backend.native.llvm.target import host
from tarazu.backend.native.lowering.region.convolutions import winograd
from tarazu.backend.native.lowering.region.convolutions.toom_cook import short_correlation
from tarazu.backend.native.winograd_tile import winograd_tile
from tarazu.base.errors import ArgumentError


def error(ours, exact):
    """The largest difference as a part of the largest value."""
    return float(np.abs(ours.numpy() - exact.numpy()).max() / max(np.abs(exact.numpy()).max(), 1e-9))


def errors(convolve, x_shape, weight_shape):
    """Those of the result and of both gradients, compiled in float32, beside NumPy's in float64."""
    def all_three(x, weight, upstream):
        result, back = tz.vjp(convolve, x, weight)
        return (result, *back(upstream))

    rng = np.random.default_rng(0)
    x, weight = (rng.normal(size=shape) for shape in (x_shape, weight_shape))
    upstream = rng.normal(size=convolve(tz.tensor(x), tz.tensor(weight)).shape)
    exact = all_three(*map(tz.tensor, (x, weight, upstream)))
    ours = tz.jit(all_three)(*[tz.tensor(a.astype("float32")) for a in (x, weight, upstream)])
    return [error(a, b) for a, b in zip(ours, exact, strict=True)]


@pytest.fixture
def always(monkeypatch):
    """Tiles of the given size wherever there can be some."""
    def use(tile):
        for name in ("DATA", "KERNEL", "RESULT"):
            monkeypatch.setattr(winograd, name, 0)
        monkeypatch.setattr("tarazu.backend.native.program.winograd_tile", lambda: tile)
    return use


@pytest.mark.parametrize(("outputs", "taps"), [(2, 3), (4, 3), (3, 2), (3, 4), (1, 1), (2, 5)])
def test_short_correlations_are_exact(outputs, taps):
    rng = random.Random(0)
    x, kernel = ([rng.randint(-9, 9) for _ in range(n)] for n in (outputs + taps - 1, taps))
    matrices = short_correlation(outputs, taps)

    def times(matrix, vector):
        return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]

    products = [a * b for a, b in zip(times(matrices.kernel, kernel), times(matrices.data, x), strict=True)]
    assert times(matrices.result, products) == [
        sum(kernel[j] * x[i + j] for j in range(taps)) for i in range(outputs)]


SHAPES = {  # batch, height, width, channels, filters, padding
    "whole tiles": (3, 8, 8, 16, 32, ((1, 1), (1, 1))),
    "tiles that stand out": (2, 7, 9, 5, 40, ((1, 1), (1, 1))),
    "one tile": (5, 4, 4, 8, 3, ((1, 1), (1, 1))),
    "no padding": (2, 13, 6, 4, 48, "valid"),
    "wide padding": (2, 5, 5, 7, 16, ((2, 2), (3, 0))),
    "a single output": (1, 3, 3, 4, 4, "valid"),
}


@pytest.mark.parametrize("tile", [2, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_tiles_give_what_sums_of_products_give(shape, tile, always, set_threads):
    batch, height, width, channels, filters, padding = SHAPES[shape]
    always(tile)
    for threads in (1, 3):
        set_threads(threads)
        found = errors(lambda x, w: tz.conv2d(x, w, padding=padding), (batch, height, width, channels),
                       (3, 3, channels, filters))
        assert max(found) < {2: 2e-6, 4: 2e-5}[tile], found


@pytest.mark.parametrize(("batch", "size", "channels", "filters"), [
    (24, 5, 8, 24),  # blocks of several images
    (16, 7, 20, 16),  # tiles that stand out, channels that are no multiple of a vector
    (9, 6, 4, 8),
])
def test_tiles_of_many_images_are_done_in_blocks(batch, size, channels, filters, always, set_threads):
    always(4)
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        found = errors(lambda x, w: tz.conv2d(x, w, padding="same"), (batch, size, size, channels),
                       (3, 3, channels, filters))
        assert max(found) < 2e-5, found


@pytest.mark.parametrize("instructions", ["avx2", "sse"])
def test_tiles_on_narrower_processors(instructions, always, monkeypatch):
    always(4)
    monkeypatch.setattr("tarazu.backend.native.program.host", lambda: host(instructions))
    assert max(errors(lambda x, w: tz.conv2d(x, w, padding="same"), (2, 9, 8, 20), (3, 3, 20, 24))) < 2e-5


def steps_of(convolve, *shapes):
    step = tz.jit(convolve)
    step(*[tz.ones(shape) for shape in shapes])
    return step.native_text()


@pytest.mark.parametrize(("tile", "rows"), [(4, "6 x 6 x"), (2, "4 x 4 x")])
def test_the_setting_says_how_large_tiles_are(tile, rows, monkeypatch):
    monkeypatch.setattr("tarazu.backend.native.winograd_tile._chosen", None)
    tz.set_winograd(tile)
    text = steps_of(lambda x, w: tz.conv2d(x, w, padding="same"), (4, 16, 16, 64), (3, 3, 64, 64))
    assert f"products 1 x {rows}" in text
    tz.set_winograd(0)
    assert "products" not in steps_of(lambda x, w: tz.conv2d(x, w, padding="same"), (4, 16, 16, 64), (3, 3, 64, 64))


def test_transformed_tiles_of_a_batch_are_never_all_in_memory():
    def layer_and_gradients(x, weight, upstream):
        return tz.vjp(lambda x, w: tz.conv2d(x, w, padding="same"), x, weight)[1](upstream)

    shape = (32, 16, 16, 32)
    for text in (steps_of(lambda x, w: tz.relu(tz.conv2d(x, w, padding="same")), shape, (3, 3, 32, 32)),
                 steps_of(layer_and_gradients, shape, (3, 3, 32, 32), shape)):
        runs = [step for step in text.split("\nrun of ")[1:] if "_products" in step.splitlines()[0]]
        tiles = [line for step in runs for line, before in zip(step.splitlines()[1:], step.splitlines(), strict=False)
                 if before.startswith("  k") and "_transform" in before]
        assert runs
        assert all(line.split("; ")[0].endswith("-> local") for line in tiles)


def test_a_graph_that_was_compiled_before_is_compiled_again_for_another_setting(monkeypatch):
    monkeypatch.setattr("tarazu.backend.native.winograd_tile._chosen", None)
    x, weight = tz.random.normal((4, 16, 16, 64)), tz.random.normal((3, 3, 64, 64))
    results = []
    for tile in (4, 0):
        tz.set_winograd(tile)
        results.append(tz.jit(lambda x, w: tz.conv2d(x, w, padding="same"))(x, weight).numpy())
    assert (results[0] != results[1]).any()


@pytest.mark.parametrize(("x", "weight", "options"), [
    ((4, 16, 16, 3), (3, 3, 3, 64), {}),  # few channels
    ((4, 16, 16, 64), (5, 5, 64, 64), {}),
    ((4, 16, 16, 64), (3, 3, 64, 64), {"stride": 2}),
    ((4, 16, 16, 64), (3, 3, 64, 64), {"dilation": 3}),  # 16 pixels are not three times as many
    ((4, 16, 16, 64), (3, 3, 1, 64), {"groups": 64}),
    ((1, 4, 4, 64), (3, 3, 64, 64), {}),  # too little for the transform of the kernel
])
def test_what_has_no_tiles(x, weight, options):
    assert "products" not in steps_of(lambda x, w: tz.conv2d(x, w, **options), x, weight)


@pytest.mark.parametrize(("dilation", "padding"), [((1, 2), ((1, 1), (2, 2))), ((2, 3), ((2, 4), (0, 3)))])
def test_dilated_convolutions_are_in_tiles_as_others_of_every_so_many_th_pixel(dilation, padding, always, set_threads):
    always(4)
    set_threads(2)

    def convolve(x, weight):
        return tz.conv2d(x, weight, padding=padding, dilation=dilation)

    shapes = (2, 6 * dilation[0], 5 * dilation[1], 16), (3, 3, 16, 24)
    assert max(errors(convolve, *shapes)) < 1e-4
    upstream = convolve(*map(tz.ones, shapes)).shape
    text = steps_of(lambda x, w, upstream: tz.vjp(convolve, x, w)[1](upstream), *shapes, upstream)
    assert "_products" in text and "_conv" not in text


@pytest.mark.parametrize(("size", "padding"), [(9, 2), (8, 1), (8, (2, 3))])
def test_dilated_convolutions_that_do_not_divide_evenly_are_plain_sums(size, padding, always):
    always(4)
    widths = ((padding,) * 2 if isinstance(padding, int) else padding,) * 2
    assert max(errors(lambda x, weight: tz.conv2d(x, weight, padding=widths, dilation=2), (2, size, size, 8),
                      (3, 3, 8, 8))) < 1e-5


@pytest.mark.parametrize(("size", "channels", "filters", "window", "options", "threads"), [
    (16, 40, 56, 3, {"stride": 2}, 1), (9, 24, 72, 5, {}, 3), (12, 48, 64, 3, {"stride": 2, "groups": 2}, 2)])
def test_gradients_of_kernels_are_summed_block_by_block(size, channels, filters, window, options, threads, set_threads):
    set_threads(threads)
    shape = window, window, channels // options.get("groups", 1), filters
    assert max(errors(lambda x, weight: tz.conv2d(x, weight, padding=((window // 2,) * 2,) * 2, **options),
                      (9, size, size, channels), shape)) < 2e-5


def random_convolution(choose):
    """The shapes and options of one in one to three dimensions."""
    groups, inner, outer = (choose.one_of(sizes) for sizes in ((1, 2, 3, 8), (1, 2, 3, 4, 8, 17), (1, 2, 4, 5, 8, 16)))
    axes = choose.weighted({2: 4, 1: 1, 3: 1})
    window, stride, dilation = ([choose.between(1, most) for _ in range(axes)] for most in (3, 2, 2))
    padding = [(choose.between(0, 2), choose.between(0, 2)) for _ in range(axes)]
    sizes = [(k - 1) * d + 1 + choose.between(0, 36 // axes**2) for k, d in zip(window, dilation, strict=True)]
    options = {"stride": stride, "dilation": dilation, "padding": padding, "groups": groups}
    return ((choose.between(1, 9), *sizes, groups * inner), (*window, inner, groups * outer),
            {name: value if name == "groups" else tuple(value) for name, value in options.items()})


def check_random(seed, monkeypatch, set_threads):
    instructions = (None, "avx2", "sse")[seed % 3]
    monkeypatch.setattr("tarazu.backend.native.program.host", lambda: host(instructions))
    set_threads(seed % 4 + 1)
    x, weight, options = random_convolution(from_seed(seed))
    convolve = (tz.conv1d, tz.conv2d, tz.conv3d)[len(x) - 3]
    found = errors(lambda x, w: convolve(tz.relu(x) + x, w, **options), x, weight)
    assert max(found) < 2e-5, (x, weight, options, found)


@pytest.mark.parametrize("seed", range(12))
def test_random_convolutions(seed, monkeypatch, set_threads):
    check_random(seed, monkeypatch, set_threads)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12, 400))
def test_many_random_convolutions(seed, monkeypatch, set_threads):
    check_random(seed, monkeypatch, set_threads)


def test_double_precision_has_no_tiles():
    step = tz.jit(lambda x, w: tz.conv2d(x, w))
    step(tz.ones((4, 16, 16, 64), dtype="float64"), tz.ones((3, 3, 64, 64), dtype="float64"))
    assert "products" not in step.native_text()


def test_other_settings_are_errors(monkeypatch):
    with pytest.raises(ArgumentError, match=r"set_winograd\(3\)\n  expected: 0, 2 or 4"):
        tz.set_winograd(3)
    with pytest.raises(ArgumentError, match=r"set_winograd\(True\)"):
        tz.set_winograd(True)
    monkeypatch.setattr("tarazu.backend.native.winograd_tile._chosen", None)
    monkeypatch.setenv("TARAZU_WINOGRAD", "no")
    with pytest.raises(ArgumentError, match="TARAZU_WINOGRAD=no\n  expected: 0, 2 or 4"):
        winograd_tile()
    monkeypatch.setenv("TARAZU_WINOGRAD", "2")
    assert winograd_tile() == 2


PHASES = list(itertools.product((1, 2, 3, 5), (2, 3), (1, 2, 3), ((0, 0), (1, 1), (2, 1)), (1, 2)))


def check_phases(window, stride, dilation, padding, groups):
    size = 12
    if (window - 1) * dilation + 1 > size + min(padding):
        return
    found = errors(lambda x, w: tz.conv2d(x, w, stride=(stride, 2), dilation=dilation, groups=groups,
                                          padding=(padding, padding[::-1])), (2, size, size + 1, 4),
                   (window, window, 4 // groups, 6))
    assert max(found) < 2e-6, found


@pytest.mark.parametrize("case", PHASES[::13], ids=str)
def test_gradients_of_strided_convolutions(case):
    check_phases(*case)


@pytest.mark.long
@pytest.mark.parametrize("case", PHASES, ids=str)
def test_gradients_of_all_strided_convolutions(case):
    check_phases(*case)


def test_a_phase_without_taps_is_zero_and_none_multiplies_zeros():
    def gradient(x, w, g):
        return tz.vjp(lambda x: tz.conv2d(x, w, stride=2), x)[1](g)[0]

    step = tz.jit(gradient)
    result = step(tz.ones((2, 6, 6, 4)), tz.ones((1, 1, 4, 8)), tz.ones((2, 3, 3, 8)))
    assert result[:, ::2, ::2].min().item() == 8 and result[:, 1::2].max().item() == 0
    assert "conv 2 x 3 x 3 x 1 x 4 over 1 x 1 x 8" in step.native_text()


def test_an_axis_may_have_no_phase_with_taps():
    found = errors(lambda x, w: tz.conv2d(x, w, stride=3, dilation=2, padding=((1, 1), (1, 1))), (2, 10, 1, 4),
                   (2, 2, 4, 3))
    assert max(found) < 2e-6, found


def test_gradients_in_one_and_three_dimensions_and_in_half_precision():
    assert max(errors(lambda x, w: tz.conv1d(x, w, stride=3, padding=((2, 1),)), (2, 16, 3), (4, 3, 5))) < 2e-6
    assert max(errors(lambda x, w: tz.conv3d(x, w, stride=2, padding="same"), (1, 6, 5, 4, 2), (3, 3, 3, 2, 3))) < 2e-6
    x, w = tz.ones((1, 8, 8, 2), dtype="float16"), tz.ones((3, 3, 2, 2), dtype="float16")
    back = tz.jit(lambda x, g: tz.vjp(lambda x: tz.conv2d(x, w, stride=2), x)[1](g)[0])
    assert back(x, tz.ones((1, 3, 3, 2), dtype="float16")).max().item() == 8


def test_the_gradient_of_a_depthwise_kernel_is_one_sum_over_memory_as_it_lies():
    def gradient(x, w, g):
        return tz.vjp(lambda w: tz.conv2d(x, w, groups=16), w)[1](g)[0]

    text = steps_of(gradient, (4, 9, 9, 16), (3, 3, 1, 16), (4, 7, 7, 16))
    assert "1 kernels, 0 barriers, arena 0 B" in text and "conv 1 x 1 x 3 x 3 x 16 x 1 over 4 x 7 x 7 x 1" in text


FRAMES = [((3, 3), 1, 1, ((1, 1), (1, 1))), ((3, 2), 2, 1, ((0, 1), (2, 0))), ((3, 3), 1, 2, ((2, 2), (2, 2))),
          ((2, 4), 3, 1, ((1, 0), (0, 3)))]


@pytest.mark.parametrize(("window", "stride", "dilation", "padding"), FRAMES, ids=str)
def test_tensors_are_computed_into_the_middle_of_their_zeros(window, stride, dilation, padding):
    def convolve(x, w):
        y = tz.relu(x) * 2
        return tz.conv2d(y, w, stride=stride, dilation=dilation, padding=padding, groups=10) * y.mean()

    assert max(errors(convolve, (3, 9, 11, 10), (*window, 1, 10))) < 2e-6


def test_a_depthwise_convolution_and_its_gradients_copy_nothing_for_their_zeros(set_threads):
    def gradients(x, w, g):
        return tz.vjp(lambda x, w: tz.conv2d(x, w, padding="same", groups=16), tz.relu(x), w)[1](g * 2)

    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((8, 12, 12, 16), (3, 3, 1, 16), (8, 12, 12, 16))]
    step, exact = tz.jit(gradients), gradients(*map(tz.tensor, arrays))
    for threads in (1, 2, 3):
        set_threads(threads)
        found = step(*[tz.tensor(a.astype("float32")) for a in arrays])
        assert max(error(a, b) for a, b in zip(found, exact, strict=True)) < 2e-6
    assert "fill" in step.native_text() and "copy" not in step.native_text()


def test_what_other_products_read_has_no_zeros_around_it():
    def convolve(x, w, v):
        y = tz.relu(x)
        return tz.conv2d(y, w, padding="same", groups=8) + y @ v

    x, w, v = (tz.tensor(np.ones(shape, "float32")) for shape in ((2, 6, 6, 8), (3, 3, 1, 8), (8, 8)))
    step = tz.jit(convolve)
    assert np.allclose(step(x, w, v).numpy(), convolve(x, w, v).numpy()) and "copy" in step.native_text()


@pytest.mark.parametrize("groups", [1, 4, 16])
def test_what_follows_a_convolution_is_stored_by_its_kernel(groups):
    def layer(x, w, bias, shortcut):
        return tz.relu(tz.conv2d(x, w, bias, groups=groups) + shortcut)

    shapes = (4, 9, 9, 16), (3, 3, 16 // groups, 16), 16, (4, 7, 7, 16)
    assert "1 kernels, 0 barriers, arena 0 B" in steps_of(layer, *shapes)
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in shapes]
    found = tz.jit(layer)(*[tz.tensor(a.astype("float32")) for a in arrays])
    assert error(found, layer(*map(tz.tensor, arrays))) < 2e-6


def test_rows_of_a_tile_are_neighbors_and_panels_in_few_sets_of_the_cache_are_packed():
    text = steps_of(lambda x, w: tz.conv2d(x, w, groups=32), (32, 12, 32, 32), (3, 3, 1, 32))
    assert "(1,600 items" in text  # 32 images x 10 rows x 5 parts of 30 places
    assert "packed" in steps_of(lambda x, w: tz.conv2d(x, w, stride=2), (32, 17, 17, 128), (3, 3, 128, 256))


@pytest.mark.parametrize("rows", [5_000, 70_001])
def test_long_sums_lose_little(rows):
    x = np.random.default_rng(0).normal(1, 1, (rows, 24)).astype("float32")
    step = tz.jit(lambda x: (x.sum(0), (x - 1).square().sum(0), x.sum(), x.T.sum(1)))
    exact = x.astype("float64")
    for ours, wanted in zip(step(tz.tensor(x)), (exact.sum(0), ((exact - 1) ** 2).sum(0), exact.sum(), exact.sum(0)),
                            strict=True):
        np.testing.assert_allclose(ours.numpy(), wanted, rtol=1e-6)
