"""The tensor itself: how it is made, shown, copied, indexed and changed, and what it says when misused."""

import copy
import pickle

import numpy as np
import pytest
from helpers import assert_same, leaf
from hypothesis import given, settings
from hypothesis import strategies as st

import tarazu as tz
from tarazu.base.dtypes import ALL, promote, promote_scalar
from tarazu.base.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError

# Showing

@pytest.mark.parametrize(("make", "text"), [
    (lambda: tz.tensor(1.5), "Tensor(1.5, dtype=float32)"),
    (lambda: tz.tensor([[1, 2], [3, 4]]), "Tensor([[1, 2],\n        [3, 4]], dtype=int64)"),
    (lambda: tz.tensor([True]), "Tensor([ True], dtype=bool)"),
    (lambda: tz.tensor([1, 2], "bfloat16"), "Tensor([1., 2.], dtype=bfloat16)"),
    (lambda: tz.zeros(0, 3), "Tensor([], shape=(0, 3), dtype=float32)"),
    (lambda: tz.ones(2, requires_grad=True), "Tensor([1., 1.], dtype=float32, requires_grad=True)"),
    (lambda: leaf(1, 2).sum(), "Tensor(3., dtype=float64, grad_fn=<SumBackward>)"),
    (lambda: leaf(1, 4).sqrt().detach(), "Tensor([1., 2.], dtype=float64)"),
    (lambda: tz.gelu(leaf(0.0)), "Tensor(0., dtype=float64, grad_fn=<GeluBackward>)"),
    (lambda: tz.sort(leaf(2, 1)), "Tensor([1., 2.], dtype=float64, grad_fn=<SortBackward>)")])
def test_repr(make, text):
    assert repr(make()) == text


def test_a_large_tensor_is_abbreviated():
    assert "..." in repr(tz.zeros(2000))


def test_formatting():
    x = tz.tensor(1.23456)
    assert (f"{x:.2f}", f"{tz.tensor(3)}", f"{tz.ones(2)}") == ("1.23", "3", "Tensor([1., 1.], dtype=float32)")
    assert "%.2f" % x == "1.23"  # noqa: UP031


# Making

@pytest.mark.parametrize(("data", "dtype"), [
    (1, "int64"), (1.0, "float32"), (True, "bool"), (1j, "complex64"), ([1, 2.5], "float32"), ([[1], [2]], "int64"),
    ([], "float32"), (np.float64(2), "float64"), (np.ones(2), "float64"), (np.int8(3), "int8"), ((1, 2), "int64"),
    (range(3), "int64"), (np.ones(2, ">f4"), "float32"), ([tz.tensor(1.0), tz.tensor(2.0)], "float32")])
def test_dtype_of_data(data, dtype):
    made = tz.tensor(data)
    assert str(made.dtype) == dtype
    assert made.numpy().dtype.isnative


def test_tensor_copies_and_asarray_shares():
    data = np.ones(3)
    copied, shared, row = tz.tensor(data), tz.asarray(data), tz.tensor(data[:2])
    data[:] = 5
    assert (copied.tolist(), shared.tolist(), row.tolist()) == ([1, 1, 1], [5, 5, 5], [1, 1])
    x = tz.ones(2)
    assert tz.asarray(x) is x
    assert tz.tensor(x) is not x


@pytest.mark.parametrize(("data", "match"), [
    ([[1, 2], [3]], "list does not make a tensor(.|\n)*rows of one length"), (2**70, "int does not make a tensor"),
    ("text", "'text' where a tensor is wanted"), (["a"], "a list of text where"), (None, "None where(.|\n)*[.]grad"),
    (np.array(["2024-01-01"], "M8[D]"), "a ndarray of dates where"), (object(), "where a tensor is wanted")])
def test_data_that_make_no_tensor(data, match):
    with pytest.raises((ArgumentError, DTypeError), match=match):
        tz.tensor(data)


def test_scalars_outside_a_dtype():
    with pytest.raises(ArgumentError, match="300 out of bounds for uint8"):
        tz.tensor([1], "uint8") + 300


# Out

def test_numpy_is_read_only():
    x = tz.ones(2)
    with pytest.raises(ValueError, match="read-only"):
        x.numpy()[0] = 2
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(x)[0] = 2
    assert np.array(x).flags.writeable
    assert np.asarray(x, np.float64).dtype == np.float64


def test_python_numbers():
    x = tz.tensor([[3]])
    assert (x.item(), float(x), int(x), complex(x), bool(x), [10, 20, 30, 40][x]) == (3, 3.0, 3, 3 + 0j, True, 40)
    assert tz.ones(2, 2).tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("read", [float, int, bool, lambda x: x.item()])
def test_python_number_of_many(read):
    with pytest.raises(ShapeError, match=r"of a tensor of shape \(2,\)\n.*one element\n.*reduce it first"):
        read(tz.ones(2))


def test_a_float_is_no_index():
    with pytest.raises(DTypeError, match="a tensor of float32 as an index"):
        [1, 2][tz.tensor(1.0)]


def test_length_and_iteration():
    x = tz.arange(6).reshape(3, 2)
    assert (len(x), x.ndim, x.size, x.shape) == (3, 2, 6, (3, 2))
    assert [row.tolist() for row in x] == [[0, 1], [2, 3], [4, 5]]
    first, *_ = x
    assert first.tolist() == [0, 1]
    with pytest.raises(ShapeError, match="without axes"):
        len(tz.tensor(1))
    assert 3 in x
    assert 7 not in x


# Copying

@pytest.mark.parametrize("twin", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
def test_copies_stand_alone(twin, dtype):
    x = tz.tensor([1, 2], dtype)
    y = twin(x)
    y += 1
    assert (x.tolist(), y.tolist(), y.dtype) == ([1, 2], [2, 3], x.dtype)
    assert not y.requires_grad


def test_a_deep_copy_keeps_the_gradient_and_sharing():
    w = leaf(1, 2)
    (w * 3).sum().backward()
    first, second = copy.deepcopy([w, w])
    assert first is second
    assert first.requires_grad
    first.grad.zero_()
    assert w.grad.tolist() == [3, 3]
    assert pickle.loads(pickle.dumps(w)).requires_grad


# In place

def test_slices_never_alias():
    x = tz.zeros(3)
    part, same, turned = x[1:], x[:], x.reshape(3)
    x[1] = 5
    part += 1
    assert (x.tolist(), part.tolist(), same.tolist(), turned.tolist()) == ([0, 5, 0], [1, 1], [0, 0, 0], [0, 0, 0])


@pytest.mark.parametrize(("change", "wanted"), [
    (lambda x: x.add_(2), [6, 11]), (lambda x: x.sub_(1), [3, 8]), (lambda x: x.mul_(2), [8, 18]),
    (lambda x: x.div_(2), [2, 4.5]), (lambda x: x.pow_(2), [16, 81]), (lambda x: x.clamp_(5, 7), [5, 7]),
    (lambda x: x.zero_(), [0, 0]), (lambda x: x.fill_(3), [3, 3]), (lambda x: x.copy_([7, 8]), [7, 8]),
    (lambda x: x.assign(np.array([1, 2])), [1, 2]), (lambda x: x.assign_add(1), [5, 10]),
    (lambda x: x.assign_sub(1), [3, 8])])
def test_trailing_underscore(change, wanted):
    x = tz.tensor([4.0, 9.0])
    other = x
    assert change(x) is x
    assert other.tolist() == wanted
    assert other.dtype is tz.float32


def test_operators_in_place_keep_the_handle():
    x = other = tz.tensor([5, 7])
    x += 1
    x -= tz.tensor(2, "int8")
    x *= 3
    x //= 2
    x %= 4
    x **= 2
    x <<= 1
    x >>= 1
    x |= 8
    x &= 12
    x ^= 1
    assert other is x
    assert x.tolist() == [13, 9]
    y = tz.tensor([2.0])
    y /= 4
    assert y.tolist() == [0.5]


def test_in_place_errors():
    with pytest.raises(DTypeError, match="a result of float32 in place of a tensor of int64(.|\n)*x = x \\+ y"):
        x = tz.tensor([1])
        x += 0.5
    with pytest.raises(ShapeError, match=r"a result of shape \(2, 3\) in place of a tensor of shape \(3,\)"):
        y = tz.ones(3)
        y += tz.ones(2, 3)


# Indexing

@st.composite
def keys(draw, shape):
    key = []
    for size in shape[:draw(st.integers(0, len(shape)))]:
        bound = st.none() | st.integers(-size - 1, size + 1)
        key.append(draw(st.one_of(
            st.builds(slice, bound, bound, st.none() | st.sampled_from([1, 2, -1, -2])),
            st.integers(-size, size - 1), st.lists(st.integers(-size, size - 1), min_size=2, max_size=2))))
    for place in draw(st.lists(st.integers(0, len(key)), max_size=2)):
        key.insert(place, None)
    if draw(st.booleans()):
        key.append(Ellipsis)
    return tuple(key)


SHAPE = (3, 4, 2)
ARRAY = np.arange(24.0).reshape(SHAPE)


def apart(key):
    """Whether numbers stand beside lists: there NumPy counts numbers as lists, which moves the axes about."""
    has_list = any(isinstance(item, list) for item in key)
    return has_list and any(isinstance(item, int) for item in key)


@settings(max_examples=200, deadline=None)
@given(keys(SHAPE))
def test_getitem_is_numpys(key):
    if not apart(key):
        assert_same(tz.asarray(ARRAY)[key], ARRAY[key])
        assert_same(tz.tensor(ARRAY, requires_grad=True)[key].detach(), ARRAY[key])


@settings(max_examples=200, deadline=None)
@given(keys(SHAPE), st.booleans())
def test_setitem_is_numpys(key, is_scalar):
    if apart(key):
        return
    wanted, found = ARRAY.copy(), tz.tensor(ARRAY)
    values = -1.0 if is_scalar else -1 - np.arange(wanted[key].size, dtype=float).reshape(wanted[key].shape)
    wanted[key] = values
    found[key] = values
    assert_same(found, wanted)


@pytest.mark.parametrize("mask", [ARRAY > 5, ARRAY[..., 0] > 5, np.array([True, False, True]), np.zeros(3, bool)])
def test_masks(mask):
    x = tz.tensor(ARRAY)
    assert_same(x[mask], ARRAY[mask])
    assert_same(x[tz.tensor(mask)], ARRAY[mask])
    wanted = ARRAY.copy()
    x[mask] = 0
    wanted[mask] = 0
    assert_same(x, wanted)


@pytest.mark.parametrize("key", [True, False, np.bool_(True), [True, False, True], (Ellipsis, [True, False])])
def test_other_masks(key):
    assert_same(tz.tensor(ARRAY)[key], ARRAY[key])
    assert_same(tz.tensor(ARRAY)[tz.tensor(True)], ARRAY[True])


def test_index_by_tensors():
    x, i = tz.tensor(ARRAY), tz.tensor([2, -1])
    assert_same(x[i], ARRAY[[2, -1]])
    assert_same(x[:, i, 0], ARRAY[:, [2, -1], np.array(0)])
    assert_same(x[tz.tensor(1)], ARRAY[1])
    assert_same(x[[]], ARRAY[[]].astype(float))
    assert_same(x[np.int64(1), np.array([0, 1], np.uint8)], ARRAY[1, [0, 1]])


@pytest.mark.parametrize(("key", "error", "match"), [
    (3, OutOfRangeError, "index 3 on axis 0 of size 3\n.*-3 to 2"), ((0, -5), OutOfRangeError, "index -5 on axis 1"),
    ((0, 0, 0, 0), ShapeError, "has 4 indices for a tensor of shape"), ((..., ...), ShapeError, r"one \.\.\."),
    ("a", ArgumentError, "an index of type str: 'a'"), (1.0, ArgumentError, "an index of type float"),
    (np.array([0.5]), DTypeError, "indices of float64\n.*integers"),
    ([5], OutOfRangeError, "out of bounds(.|\n)*labels"),
    ([True, False], ShapeError, "a mask of size 2 for axis 0 of size 3"), (slice(0, 2, 0), ValueError, "zero")])
def test_bad_keys(key, error, match):
    with pytest.raises(error, match=match):
        tz.tensor(ARRAY)[key]
    with pytest.raises(error, match=match):
        tz.tensor(ARRAY)[key] = 0


def test_setitem_that_does_not_broadcast():
    with pytest.raises(ShapeError, match=r"broadcast: shapes \(3,\) and \(2,\) do not broadcast"):
        tz.ones(4)[:2] = tz.ones(3)


# NumPy beside tensors

@pytest.mark.parametrize("other", [np.ones(2), np.ones((2, 1), np.float32), np.float64(2), np.float32(2), np.int64(2)])
def test_numpy_on_either_side(other):
    x = tz.tensor([1.0, 2.0])
    for result in (x + other, other + x, x * other, other - x, other < x, other == x, x @ tz.ones(2)):
        assert isinstance(result, tz.Tensor)
    assert ((x - other) + (other - x) == 0).all()


def test_numpy_scalars_of_double_precision_give_way():
    assert (tz.ones(2) * np.float64(2)).dtype is tz.float32
    assert (np.float64(2) * tz.ones(2)).dtype is tz.float32
    assert (tz.ones(2) * np.ones(2)).dtype is tz.float64


# Dtypes

PAIRS = [(a, b) for a in ALL for b in ALL]


def met(*dtypes):
    found = dtypes[0]
    for other in dtypes[1:]:
        try:
            found = promote(found, other)
        except DTypeError:
            return None
    return found


def test_promotion_is_symmetric_and_idempotent():
    for a, b in PAIRS:
        assert met(a, b) is met(b, a)
        assert met(a, a) is a


def test_promotion_is_associative_where_defined():
    for a, b in PAIRS:
        for c in ALL:
            left, right = met(a, b, c), met(b, c) and met(a, met(b, c))
            assert left is right or left is None or right is None, (a, b, c)


def test_promotion_is_numpys_within_a_kind():
    for a, b in PAIRS:
        if a.kind == b.kind and "bfloat16" not in (a.name, b.name):
            assert promote(a, b).numpy == np.promote_types(a.numpy, b.numpy)
    assert promote(tz.int8, tz.uint32) is tz.int64
    assert promote(tz.int64, tz.float16) is tz.float16
    with pytest.raises(DTypeError, match="int64 and uint64 have no common integer type(.|\n)*cast one"):
        promote(tz.int64, tz.uint64)


@pytest.mark.parametrize("dtype", ALL)
def test_python_scalars_give_way(dtype):
    order = ["bool", "uint", "int", "float", "complex"]
    for scalar, kind in ((True, "bool"), (1, "int"), (1.0, "float"), (1j, "complex")):
        found = promote_scalar(dtype, type(scalar))
        same_kind = order.index(kind) <= max(order.index(dtype.kind), 2 * (dtype.kind == "uint"))
        assert (found is dtype) == same_kind
        if kind != "bool" and dtype.kind != "bool":
            assert (tz.tensor([1], dtype) + scalar).dtype is found


@pytest.mark.parametrize("spec", ["text", str, object, np.dtype("M8[s]"), "float99"])
def test_unknown_dtypes(spec):
    with pytest.raises(DTypeError, match="not a dtype that Tarazu knows\n.*bool, int8"):
        tz.tensor([1], spec)


def test_dtype_names():
    assert (str(tz.float32), repr(tz.float32), tz.float32.numpy) == ("float32", "tarazu.float32", np.dtype("float32"))
    assert pickle.loads(pickle.dumps(tz.bfloat16)) is tz.bfloat16
    assert tz.ones(2, dtype=float).dtype is tz.float32
    x = tz.ones(2)
    assert (x.float().dtype, x.int().dtype, x.bool().dtype) == (tz.float32, tz.int32, tz.bool)


def test_pythons_round():
    assert_same(round(tz.tensor(1.26), 1), np.float32(1.3))
    assert_same(round(tz.tensor([1.25, -14.9]), 0), np.array([1.0, -15.0], np.float32))
    assert_same(round(tz.tensor([15, 24]), -1), np.array([20, 20]))
    assert_same(round(tz.tensor([1.6, -0.4])), np.array([2, 0]))
    assert_same(tz.jit(round)(tz.tensor([2.5, 3.5])), np.array([2, 4]))


# Torch's habits

def test_shape_methods():
    x = tz.arange(6)
    assert x.view(2, -1).shape == x.reshape((2, 3)).shape == (2, 3)
    y = x.view(1, 2, 3)
    assert (y.T.shape, y.mT.shape) == ((3, 2, 1), (1, 3, 2))
    assert (y.permute(2, 0, 1).shape, y.transpose(0, 2).shape) == ((3, 1, 2), (3, 2, 1))
    assert (y.squeeze().shape, y.unsqueeze(0).shape, y.flatten().shape, y.expand(4, 2, 3).shape) == (
        (2, 3), (1, 1, 2, 3), (6,), (4, 2, 3))


def test_devices():
    x = tz.ones(2, device="cpu")
    assert x.to("cpu") is x
    assert x.to(tz.float64).dtype is tz.float64
    assert x.device == tz.device("cpu") == tz.devices()[0]
    with pytest.raises(tz.TarazuError, match="there is no device 'gpu:0'"):
        x.to("gpu:0")
