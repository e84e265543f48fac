"""How tensors are made of data, and arrays of what users pass."""

from __future__ import annotations

import numpy as np

from tarazu.base.dtypes import DEFAULT_FLOAT, DType, as_dtype
from tarazu.base.errors import ArgumentError, DTypeError
from tarazu.ir.interpreter import state
from tarazu.ops import create, elementwise
from tarazu.ops.promote import as_value, require_imaginary_part_kept
from tarazu.ops.typing import ArrayLike, DeviceLike, DTypeLike, Scalar, ShapeLike
from tarazu.runtime.tensor.foreign import plain_array
from tarazu.runtime.tensor.operators import sizes_of
from tarazu.runtime.tensor.tensor import Tensor


def tensor(data: ArrayLike, dtype: DTypeLike | None = None, *, requires_grad: bool = False,
           device: DeviceLike | None = None) -> Tensor:
    """A new tensor with a copy of `data`: a number, a nested list, an array or a tensor.

    Python floats become float32, Python ints int64; arrays keep their dtype. ArgumentError for rows of different
    lengths, DTypeError for what holds no numbers, DeviceError for a device that is not there, GradientError where
    `requires_grad` is asked of integers.

    >>> import tarazu as tz
    >>> tz.tensor([1.0, 2.5])
    Tensor([1. , 2.5], dtype=float32)
    """
    made = asarray(data, dtype, device=device)
    if isinstance(made.raw, np.ndarray):
        made = Tensor(made.raw.copy() if made.raw.base is not None or made.raw is data else made.raw)
    else:
        made = made.detach()
    return made.requires_grad_(requires_grad) if requires_grad else made


def zeros(shape: ShapeLike = (), *more: int, dtype: DTypeLike | None = None, requires_grad: bool = False,
          device: DeviceLike | None = None) -> Tensor:
    """A new tensor of zeros, float32 unless `dtype` says otherwise; the shape as numbers or as one tuple.

    ShapeError for a size below 0, DeviceError for a device that is not there.

    >>> import tarazu as tz
    >>> tz.zeros(2, requires_grad=True)
    Tensor([0., 0.], dtype=float32, requires_grad=True)
    """
    return _filled(0, (shape, *more), dtype, requires_grad, device)


def ones(shape: ShapeLike = (), *more: int, dtype: DTypeLike | None = None, requires_grad: bool = False,
         device: DeviceLike | None = None) -> Tensor:
    """A new tensor of ones, float32 unless `dtype` says otherwise; the shape as numbers or as one tuple.

    ShapeError for a size below 0, DeviceError for a device that is not there.

    >>> import tarazu as tz
    >>> tz.ones((2, 3), dtype="int8")
    Tensor([[1, 1, 1],
            [1, 1, 1]], dtype=int8)
    """
    return _filled(1, (shape, *more), dtype, requires_grad, device)


def _filled(value: Scalar, shape: tuple[ShapeLike, ...], dtype: DTypeLike | None, requires_grad: bool,
            device: DeviceLike | None) -> Tensor:
    made = create.full(sizes_of(shape), value, dtype=dtype or DEFAULT_FLOAT, device=device)
    return made.requires_grad_(requires_grad) if requires_grad else made


def asarray(data: ArrayLike, dtype: DTypeLike | None = None, *, device: DeviceLike | None = None,
            copy: bool | None = None) -> Tensor:
    """`data` as a tensor; a tensor of the right dtype, on the device that is asked for, is given back as it is.

    The memory of a NumPy array is shared: it must then not be changed any more, while operations that are given the
    array itself copy it. `copy=True` takes a copy in any case; `copy=False` raises ArgumentError where one would be
    needed. Otherwise the errors are those of `tensor`.

    >>> import numpy as np, tarazu as tz
    >>> tz.asarray(np.arange(3), "float32")
    Tensor([0., 1., 2.], dtype=float32)
    """
    if copy and not isinstance(data, Tensor):
        return tensor(data, dtype, device=device)
    wanted = as_dtype(dtype) if dtype is not None else None
    is_array = not isinstance(data, Tensor | list | tuple)
    made = state.interpreter.constant(data, wanted, is_shared=True) if is_array else as_value(data, wanted)
    if device is not None or not isinstance(data, Tensor):
        made = state.interpreter.to_device(made, device)
    if wanted is not None and made.dtype is not wanted:
        made = elementwise.astype(made, wanted)
    if copy is False and made is not data and not _shares_memory(made, data):
        raise ArgumentError(f"asarray(copy=False) of {type(data).__name__} needs a copy",
                            expected="a tensor or a NumPy array, of the wanted dtype", fix="leave out copy=False")
    return made.clone() if copy else made


def _shares_memory(made: Tensor, data: ArrayLike) -> bool:
    return isinstance(made.raw, np.ndarray) and isinstance(data, np.ndarray) and np.may_share_memory(made.raw, data)


def _complex_dtype(data: ArrayLike) -> DType | None:
    """The dtype of a complex number or array; None for anything else."""
    if isinstance(data, np.ndarray | np.generic):
        return as_dtype(data.dtype) if data.dtype.kind == "c" else None
    return as_dtype(complex) if isinstance(data, complex) else None


def to_array(data: ArrayLike, dtype: DType | None) -> np.ndarray:
    """`data` as a NumPy array of a dtype that Tarazu knows; errors as those of `tensor`."""
    if type(data) in (bool, int, float, complex) and dtype is None:
        dtype = as_dtype(type(data))
    data = plain_array(data, type(data).__name__)
    keeps_dtype = isinstance(data, np.ndarray | np.generic) or dtype is not None
    if dtype is not None and (given := _complex_dtype(data)):
        require_imaginary_part_kept(given, dtype)
    try:
        array = np.asarray(data, dtype.numpy if dtype is not None else None)
    except (ValueError, OverflowError, TypeError) as error:
        raise ArgumentError(f"{type(data).__name__} does not make a tensor: {error}",
                            expected="numbers, or nested lists of numbers with rows of one length",
                            fix="check the rows' lengths and that every element is a number") from None
    if array.dtype.kind in "OSUMm":
        raise _not_numbers(data, array)
    own = as_dtype(array.dtype)
    if keeps_dtype or not own.is_inexact:
        return array if array.dtype.isnative else array.astype(own.numpy)
    return array.astype(as_dtype(float if own.kind == "float" else complex).numpy)


def to_own_array(data: ArrayLike, dtype: DType | None) -> np.ndarray:
    """As `to_array`, but for arrays that others may write to, which are copied."""
    array = to_array(data, dtype)
    return array.copy("K") if (array is data or array.base is not None) and array.flags.writeable else array


def _not_numbers(data: object, array: np.ndarray) -> DTypeError:
    """The error for what NumPy makes an array of, but not one of numbers."""
    what = {"O": "objects", "S": "text", "U": "text"}.get(array.dtype.kind, "dates")
    name = "None" if data is None else f"a {type(data).__name__} of {what}" if array.ndim else repr(data)
    fix = ("the .grad of a tensor is None before backward() has reached it" if data is None
           else "turn its elements into numbers first; text and dates must be encoded")
    return DTypeError(f"{name} where a tensor is wanted", expected="numbers, or nested lists of numbers", fix=fix)
