"""Parts, special functions, statistics, scatters and bins: corners that the op table has no line for, and errors."""

import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import special

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError, TraceError

ONES, INTS, NAN = tz.ones(2, 3), tz.arange(3), math.nan

MISUSES = [
    (lambda: tz.split(ONES, 2, 1), ArgumentError, "split: 2 parts of an axis of size 3\n.*divides it\n.*array_split"),
    (lambda: tz.split(ONES, sizes=[1, 1], axis=1), ArgumentError, r"split: sizes \[1, 1\] of an axis of size 3"),
    (lambda: tz.split(ONES), ArgumentError, "split: both or neither of indices_or_sections and sizes"),
    (lambda: tz.split(ONES, 2, sizes=1), ArgumentError, "both or neither"),
    (lambda: tz.split(ONES, 0), ArgumentError, "split: indices_or_sections=0\n.*at least 1"),
    (lambda: tz.split(ONES, [0.5]), ArgumentError, r"split at \[0.5\]\n.*a whole number"),
    (lambda: tz.array_split(ONES, -1), ArgumentError, "array_split: indices_or_sections=-1\n.*at least 1"),
    (lambda: tz.chunk(ONES, 0), ArgumentError, "chunk: chunks=0"),
    (lambda: tz.vsplit(INTS, 3), ShapeError, "vsplit: axis 1 of a tensor with 1 axis"),
    (lambda: tz.dsplit(ONES, 1), ShapeError, "split: axis 2 of a tensor with 2 axes"),
    (lambda: tz.hstack([]), ArgumentError, "concat of no tensors"),
    (lambda: tz.unflatten(ONES, 1, (2, -1)), ShapeError, r"unflatten: axis 1 of size 3 into \(2, -1\)\n.*product is 3"),
    (lambda: tz.unflatten(ONES, 1, (2, 2)), ShapeError, r"unflatten: axis 1 of size 3 into \(2, 2\)"),
    (lambda: tz.rot90(ONES, axes=(0, 0)), ShapeError, "name one axis twice"),
    (lambda: tz.rot90(ONES, axes=(0,)), ShapeError, r"rot90: axes \(0,\)\n.*two axes"),
    (lambda: tz.diag(tz.ones(2, 2, 2)), ShapeError, r"diag of a tensor of shape \(2, 2, 2\)(.|\n)*tz.diagonal"),
    (lambda: tz.diagonal(INTS), ShapeError, "diagonal: axis 1 of a tensor with 1 axis"),
    (lambda: tz.tril_indices(-1), ArgumentError, "tril_indices: rows=-1\n.*at least 0"),
    (lambda: tz.average(ONES, 1, [1.0, 2.0]), ShapeError, r"average: weights of shape \(2,\) along axis 1 of shape"),
    (lambda: tz.average(ONES, None, tz.ones(3, 3)), ShapeError, "broadcast"),
    (lambda: tz.quantile(ONES, 1.5), ArgumentError, "quantile: q=1.5\n.*from 0 to 1\n.*tz.percentile"),
    (lambda: tz.percentile(ONES, [50, 101]), ArgumentError, r"percentile: q=\[50, 101\]\n.*from 0 to 100"),
    (lambda: tz.quantile(ONES, 0.5, method="mean"), ArgumentError, "quantile: method='mean'\n.*linear, lower, higher"),
    (lambda: tz.median(tz.ones((2, 0)), 1), ShapeError, r"quantile over axis 1 of shape \(2, 0\)\n.*one element"),
    (lambda: tz.median(tz.tensor([1j])), DTypeError, "sort does not take complex64"),
    (lambda: tz.kthvalue(INTS, 0), ArgumentError, "kthvalue: k=0 of an axis of size 3\n.*from 1 to 3"),
    (lambda: tz.kthvalue(INTS, 1.5), ArgumentError, "kthvalue: k=1.5\n.*a whole number"),
    (lambda: tz.argpartition(INTS, 3), ArgumentError, "argpartition: kth=3 of an axis of size 3\n.*below 3"),
    (lambda: tz.in_top_k([0], ONES[0], 1), ShapeError, r"in_top_k: targets of shape \(1,\) for predictions of"),
    (lambda: tz.in_top_k([0, 0], ONES, -1), ArgumentError, "in_top_k: k=-1\n.*at least 0"),
    (lambda: tz.saturate_cast(tz.tensor([1j]), "int8"), DTypeError, "saturate_cast of complex64 to int8"),
    (lambda: tz.nanmax(tz.ones(0)), ShapeError, "hold no element"),
    (lambda: tz.associative_scan(lambda a, b: (a, b), INTS), ArgumentError, "associative_scan: the function made"),
    (lambda: tz.associative_scan(lambda a, b: a, (INTS, ONES)), ShapeError, "associative_scan over shapes.*axis 0"),
    (lambda: tz.bincount(ONES), DTypeError, "indices of float32\n.*integers"),
    (lambda: tz.bincount(tz.arange(4).reshape(2, 2)), ShapeError, r"bincount of a tensor of shape \(2, 2\)\n.*vector"),
    (lambda: tz.bincount(tz.tensor([-1])), ArgumentError, "bincount: -1 in x\n.*at least 0"),
    (lambda: tz.bincount(INTS, minlength=-1), ArgumentError, "bincount: minlength=-1"),
    (lambda: tz.histogram(ONES, 0), ArgumentError, "histogram: bins=0\n.*at least 1"),
    (lambda: tz.histogram(ONES, [1.0]), ShapeError, r"histogram: edges of shape \(1,\)\n.*at least two"),
    (lambda: tz.histogram(ONES, weights=[1.0]), ShapeError, r"histogram: weights of shape \(1,\) for shape \(2, 3\)"),
    (lambda: tz.multi_hot(tz.tensor(1), 3), ShapeError, "multi_hot of a tensor without axes"),
    (lambda: tz.cov(tz.ones(2, 2, 2)), ShapeError, r"cov of a tensor of shape \(2, 2, 2\)(.|\n)*vmap"),
    (lambda: tz.cov(ONES, aweights=[1.0]), ShapeError, r"cov: aweights of shape \(1,\) for 3 observations"),
    (lambda: tz.cdist(ONES, tz.ones(2, 2)), ShapeError, r"cdist: shapes \(2, 3\) and \(2, 2\)"),
    (lambda: tz.cdist(INTS, INTS), ShapeError, r"cdist: shapes \(3,\) and \(3,\)\n.*\n.*x\[:, None\]"),
    (lambda: tz.unravel_index(6, (2, 3)), OutOfRangeError, "index"),
    (lambda: tz.geomspace(-1, 1, 3), ArgumentError, "geomspace from -1 to 1\n.*two numbers above 0"),
    (lambda: tz.logspace(0, 1, -1), ArgumentError, "linspace: num=-1"),
    (lambda: tz.segment_max(ONES, [0], 3), ShapeError, r"segment_max: segments of shape \(1,\) for rows of shape"),
    (lambda: tz.segment_max(ONES, [0, 3], 3), OutOfRangeError, "3"),
    (lambda: tz.segment_prod(ONES, [0.0, 1.0], 3), DTypeError, "indices of float32"),
    (lambda: tz.index_add(ONES, 0, [[0]], 1.0), ShapeError, r"index_add: indices of shape \(1, 1\)\n.*vector"),
    (lambda: tz.index_copy(ONES, 0, [0, 1], tz.ones(4)), ShapeError, "broadcast"),
    (lambda: tz.index_fill(ONES, 0, [2], 0), OutOfRangeError, "2"),
    (lambda: tz.scatter(ONES, 0, [0], 1.0), ShapeError, r"scatter: indices of shape \(1,\) along axis 0 of"),
    (lambda: tz.scatter(ONES, 0, [[0] * 4], 1.0), ShapeError, "sizes that are not larger\n.*index_add"),
    (lambda: tz.scatter(ONES, 1, [[3]], 1.0), OutOfRangeError, "3"),
    (lambda: tz.scatter(ONES, 1, [[0.5]], 1.0), DTypeError, "indices of float32"),
    (lambda: tz.scatter(ONES, 1, [[0]], INTS[:1, None]), DTypeError, "scatter_set"),
    (lambda: tz.scatter_reduce(ONES, 1, [[0]], 1.0, "max"), ArgumentError, "reduce='max'\n.*sum, prod, mean, amax"),
    (lambda: tz.masked_fill(ONES, INTS, 0), DTypeError, "where: a condition of int64"),
    (lambda: tz.isclose(1, 1, equal_nan="yes"), ArgumentError, "equal_nan='yes'"),
    (lambda: tz.jit(lambda x: tz.bincount(x))(INTS), TraceError, "cannot read its values"),
    (lambda: tz.jit(lambda x: tz.unique(x))(INTS), TraceError, "cannot read its values"),
    (lambda: tz.jit(lambda x: tz.argwhere(x))(INTS), TraceError, "cannot read its values"),
]


@pytest.mark.parametrize(("call", "error", "text"), MISUSES, ids=[text[:40] for _, _, text in MISUSES])
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


# Special functions ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("dtype", "error"), [("float64", 6e-14), ("float32", 6e-7)])
def test_erfc_keeps_its_digits_where_it_is_small(dtype, error):
    x = np.linspace(-7, 26 if dtype == "float64" else 9, 2001).astype(dtype)
    np.testing.assert_allclose(tz.erfc(tz.asarray(x)).numpy(), special.erfc(x.astype(float)), rtol=error)


@pytest.mark.parametrize(("dtype", "error"), [("float64", 2e-15), ("float32", 6e-7)])
def test_erfinv_near_0_and_1(dtype, error):
    near = 10.0 ** -np.arange(1, 16 if dtype == "float64" else 7)
    x = np.concatenate([np.linspace(-0.99, 0.99, 501), near, 1 - near, near - 1]).astype(dtype)
    np.testing.assert_allclose(tz.erfinv(tz.asarray(x)).numpy(), special.erfinv(x.astype(float)), rtol=error)
    beyond = tz.erfinv(tz.tensor([1, -1, 1.5, NAN], dtype)).numpy()
    np.testing.assert_array_equal(beyond, [math.inf, -math.inf, NAN, NAN])


def test_derivatives_where_a_formula_would_have_none():
    assert tz.grad(lambda x: tz.erfinv(x).sum())(tz.tensor([1.0, -1.0, 2.0])).tolist() == [0, 0, 0]
    assert tz.grad(tz.grad(tz.sinc))(tz.tensor(0.0, "float64")).item() == pytest.approx(-math.pi**2 / 3)
    both = tz.grad(lambda x, y: tz.divide_no_nan(x, y).sum(), argnums=(0, 1))
    first, second = both(tz.ones(2), tz.tensor([0.0, 2.0]))
    assert first.tolist() == [0, 0.5]
    assert second.tolist() == [0, -0.25]


def test_remainders_of_extreme_numbers():
    smallest = tz.tensor([-128, -128, 127, -7, 7], "int8")
    assert tz.fmod(smallest, tz.tensor([3, -1, -128, 0, -4], "int8")).tolist() == [-2, 0, 127, 0, 3]
    assert tz.fmod(tz.tensor(-1e-20), 3.0).item() == np.float32(-1e-20)


def test_closeness_of_integers_and_halves():
    big = tz.tensor([2**53 + 2])
    assert not tz.isclose(big, big - 2, rtol=0, atol=1).item()
    assert tz.isclose(tz.tensor(1.0, "float16"), tz.tensor(1.001, "float16"), rtol=2e-3).item()
    assert tz.allclose([NAN, 1.0], [NAN, 1.0], equal_nan=True).item()
    assert not tz.allclose([NAN, 1.0], [NAN, 1.0]).item()
    infinite = tz.isclose(tz.tensor([math.inf, math.inf, 1.0]), [math.inf, -math.inf, math.inf])
    assert infinite.tolist() == [True, False, False]


def test_casts_that_do_not_wrap_around():
    huge = tz.tensor([3e9, -3e9, NAN, -math.inf, 2147483647.0])
    assert tz.saturate_cast(huge, "int32").tolist() == [2**31 - 1, -(2**31), 0, -(2**31), 2**31 - 1]
    assert tz.saturate_cast(tz.tensor([-1, 2**62]), "uint64").tolist() == [0, 2**62]
    assert tz.saturate_cast(tz.tensor([300, 100], "uint16"), "int8").tolist() == [127, 100]
    assert tz.saturate_cast(tz.tensor([1e6, math.inf]), "float16").tolist() == [65504, 65504]
    assert tz.saturate_cast(tz.tensor([True]), "int8").tolist() == [1]


def test_ends_of_lerp_and_of_dtypes():
    assert tz.lerp(tz.tensor([1e8]), tz.tensor([0.1]), tz.tensor([1.0])).tolist() == [np.float32(0.1)]
    limits = tz.nan_to_num(tz.tensor([math.inf, -math.inf, NAN], "float16"))
    assert limits.tolist() == [65504, -65504, 0]
    assert tz.nan_to_num(tz.tensor([complex(NAN, math.inf)]), posinf=3.0).tolist() == [3j]
    assert tz.masked_fill(INTS, INTS > 0, 7.0).dtype is tz.int64
    assert tz.logit(tz.tensor([0.0, 1.0])).tolist() == [-math.inf, math.inf]


# Parts ----------------------------------------------------------------------------------------------------------

def test_parts_without_elements():
    assert [part.shape for part in tz.split(tz.ones(3), [5, 1])] == [(3,), (0,), (2,)]
    assert [part.shape for part in tz.array_split(tz.ones(1), 3)] == [(1,), (0,), (0,)]
    assert [part.shape for part in tz.chunk(tz.ones(0), 3)] == [(0,)]
    assert [part.shape for part in tz.split(tz.ones(5), sizes=2)] == [(2,), (2,), (1,)]
    assert tz.unflatten(tz.ones((0, 6)), 1, (-1, 2)).shape == (0, 3, 2)


def test_numbers_set_side_by_side():
    assert tz.hstack([1, 2]).tolist() == [1, 2]
    assert tz.vstack([1, 2]).tolist() == [[1], [2]]
    assert tz.dstack([tz.tensor([1, 2]), tz.tensor([3, 4])]).tolist() == [[[1, 3], [2, 4]]]


# Statistics -----------------------------------------------------------------------------------------------------

def test_nan_and_infinity_in_quantiles():
    assert tz.median(tz.tensor([[1.0, NAN, 2.0], [1.0, 5.0, 2.0]]), 1).tolist()[1] == 2
    assert math.isnan(tz.median(tz.tensor([1.0, NAN])).item())
    assert tz.quantile(tz.tensor([math.inf, math.inf, 0.0]), 0.75).item() == math.inf
    assert math.isnan(tz.nanmedian(tz.tensor([NAN, NAN])).item())
    assert tz.quantile(tz.tensor([1.0, 3.0]), tz.tensor(2.0)).item() == 3  # a tensor is clipped
    assert tz.median(tz.arange(4)).item() == 1.5


def test_quantiles_of_half_precision_are_rounded_once():
    x = tz.tensor([1.0, 1.0 + 2**-10], "float16")
    assert tz.quantile(x, 0.25).dtype is tz.float16
    assert tz.median(tz.tensor([60000.0, 60000.0, 50000.0, 10.0], "float16")).item() == 54976


def test_the_gradient_of_a_median_goes_to_the_middle():
    assert tz.grad(tz.median)(tz.tensor([3.0, 1.0, 2.0])).tolist() == [0, 0, 1]
    assert tz.grad(tz.median)(tz.tensor([3.0, 1.0])).tolist() == [0.5, 0.5]


def test_nothing_but_nan():
    x = tz.tensor([NAN, NAN])
    results = [f(x).item() for f in (tz.nansum, tz.nanprod, tz.nanmean, tz.nanvar, tz.nanstd, tz.nanmax, tz.nanmin)]
    np.testing.assert_array_equal(results, [0, 1, NAN, NAN, NAN, NAN, NAN])
    assert tz.nanmax(tz.tensor([1, 5])).dtype is tz.int64
    assert tz.nanmean(tz.full(70000, 1.0, dtype="float16")).item() == 1


def test_running_extremes_from_nan_on():
    values, indices = tz.cummax(tz.tensor([1.0, NAN, 5.0]))
    np.testing.assert_array_equal(values.numpy(), [1, NAN, NAN])
    assert indices.tolist() == [0, 1, 1]
    assert tz.cummin(tz.tensor([2, 1, 1]))[1].tolist() == [0, 1, 2]
    assert [x.tolist() for x in tz.cummax(tz.tensor(3))] == [3, 0]
    assert tz.logcumsumexp(tz.tensor([-math.inf, -math.inf, 0.0])).tolist() == [-math.inf, -math.inf, 0]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8])
def test_associative_scans_of_any_size(size):
    x = np.arange(1, size + 1)
    assert tz.associative_scan(tz.add, tz.asarray(x)).tolist() == np.cumsum(x).tolist()
    assert tz.associative_scan(tz.add, tz.asarray(x), reverse=True).tolist() == np.cumsum(x[::-1])[::-1].tolist()


def test_distinct_rows_and_values():
    rows = np.array([[1, 2], [0, 5], [1, 2]])
    for axis in (0, 1, None):
        found = tz.unique(tz.asarray(rows), axis, return_index=True, return_inverse=True, return_counts=True)
        for one, other in zip(found, np.unique(rows, True, True, True, axis), strict=True):
            np.testing.assert_array_equal(one.numpy(), other.reshape(one.shape))
    assert tz.unique(tz.tensor([2, 1, 2])).tolist() == [1, 2]
    assert tz.unique(tz.tensor([NAN, NAN])).shape == (2,)
    assert tz.argwhere(tz.tensor([[0, 1], [2, 0]])).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_nan_are_last_in_order_in_every_dtype(dtype):
    x = tz.tensor([1.0, NAN, -2.0, NAN, 0.5], dtype)
    for function in (tz.sort, tz.jit(tz.sort), tz.unique_values):
        np.testing.assert_array_equal(function(x).numpy().astype(float), [-2, 0.5, 1, NAN, NAN])
    assert tz.argsort(x).tolist() == [2, 4, 0, 1, 3]
    assert tz.unique(x, return_counts=True)[0].dtype is x.dtype


# Bins and scatters ----------------------------------------------------------------------------------------------

def test_histograms_of_equal_numbers_ranges_and_nan():
    counts, edges = tz.histogram(tz.tensor([2.0, 2.0]), 2)
    assert counts.tolist() == [0, 2]
    assert edges.tolist() == [1.5, 2, 2.5]
    assert tz.histogram(tz.tensor([0.0, 1.0, NAN, 9.0]), 2, (0, 1))[0].tolist() == [1, 1]
    assert tz.bincount(tz.tensor([], dtype="int64")).shape == (0,)
    assert tz.bincount(tz.tensor([3, -1, 9]), length=5).tolist() == [0, 0, 0, 1, 0]


def test_equal_elements_share_the_gradient_of_an_extreme():
    x, segments = tz.tensor([2.0, 2.0, 2.0, 1.0, 5.0]), tz.tensor([0, 0, 0, 0, 1])
    assert tz.grad(lambda x: tz.segment_max(x, segments, 3)[:2].sum())(x).tolist() == pytest.approx(
        [1 / 3, 1 / 3, 1 / 3, 0, 1])
    assert tz.grad(lambda x: tz.segment_prod(x, segments, 3).sum())(tz.tensor([0.0, 2.0, 3.0, 4.0, 5.0])).tolist() == [
        24, 0, 0, 0, 1]


def test_segments_without_rows():
    assert tz.segment_max(tz.tensor([3], dtype="int8"), [1], 3).tolist() == [-128, 3, -128]
    assert tz.segment_min(tz.ones((0, 2)), tz.tensor([], dtype="int64"), 1).tolist() == [[math.inf, math.inf]]
    assert tz.segment_max(tz.tensor([True, False]), [0, 1], 3).tolist() == [True, False, False]
    assert np.isnan(tz.segment_max(tz.tensor([NAN, 1.0]), [0, 0], 1).numpy()).all()


def test_means_of_integers_scattered():
    x = tz.tensor([10, 7])
    assert tz.scatter_reduce(x, 0, [0, 0], tz.tensor([1, 2]), "mean").tolist() == [4, 7]
    assert tz.scatter_reduce(x, 0, [0, 0], tz.tensor([1, 2]), "mean", include_self=False).tolist() == [1, 7]


def test_points_far_out_keep_their_distances():
    x = tz.tensor([[1e4, 1e4], [1e4, 1e4 + 0.125]])
    assert tz.cdist(x, x).tolist() == [[0, 0.125], [0.125, 0]]
    assert tz.grad(lambda x: tz.cdist(x, x).sum())(tz.zeros(2, 2)).tolist() == [[0, 0], [0, 0]]


# Methods --------------------------------------------------------------------------------------------------------

def test_methods_are_the_functions():
    x = tz.tensor([3.0, 1.0, 2.0])
    for name in ("median", "cummax", "nansum", "cov", "unique", "argwhere", "diag", "erfinv", "rsqrt", "bincount"):
        assert getattr(tz.Tensor, name) is getattr(tz, name)
    assert x.quantile(0.5).item() == 2
    assert x.kthvalue(1)[0].item() == 1
    assert [part.shape for part in x.chunk(2)] == [(2,), (1,)]


def test_methods_in_place():
    x = tz.zeros(3)
    x.index_add_(0, tz.tensor([0, 0]), tz.ones(2)).index_fill_(0, tz.tensor([1]), 5.0)
    x.scatter_reduce_(0, tz.tensor([2]), tz.tensor([-1.0]), "amin").masked_fill_(x > 4, 6.0).lerp_(tz.zeros(3), 0.5)
    assert x.tolist() == [1, 3, -0.5]


def test_an_import_leaves_deferred_methods_alone():
    code = "import sys, tarazu as tz; assert hasattr(tz, 'ones'); print('tarazu.ops.statistics' in str(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
