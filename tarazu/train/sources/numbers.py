"""One array as users pass it, of any library, as an array of numbers that a model can learn from."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.base.dtypes import bfloat16
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError, TarazuError
from tarazu.ops.elementwise import astype
from tarazu.runtime.tensor.foreign import plain_array
from tarazu.runtime.tensor.tensor import Tensor


def features(x: object, name: str = "x") -> np.ndarray:
    """`x` as an array with one row per sample; float64 becomes float32, and every value must be finite."""
    return _numbers(x, name, "encode text and dates as numbers first: tz.data.TableEncoder does so for tables")


def as_given(values: object, name: str) -> np.ndarray:
    """`values` as an array of their own dtype; ShapeError, DTypeError or ArgumentError for what makes none."""
    if isinstance(values, Tensor):
        return (astype(values, "float32") if values.dtype is bfloat16 else values).numpy()
    try:
        return np.asarray(plain_array(_exchanged(values), name))
    except ValueError as error:
        if isinstance(error, TarazuError):
            raise
        raise ShapeError(f"{name} does not make an array: {_first_other(values, name) or error}",
                         expected="rows of one length", fix=f"pad or cut the rows of {name}; several inputs are for a "
                         "model whose forward takes as many") from None


def _first_other(values: object, name: str) -> str:
    """Which part of a list has another shape than the first; "" where that is not it."""
    if not isinstance(values, list | tuple) or not all(hasattr(part, "__len__") for part in values):
        return ""
    shapes = [tuple(getattr(part, "shape", (len(part),))) for part in values]
    other = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
    return "" if other is None else f"{name}[0] has shape {shapes[0]} and {name}[{other}] has {shapes[other]}"


def _exchanged(values: Any) -> Any:
    """An array in place of a tensor of a library that speaks DLPack alone; else the values as they are."""
    if hasattr(values, "__array__"):
        return values
    if hasattr(values, "detach"):
        values = values.detach()
    return np.from_dlpack(values) if hasattr(values, "__dlpack__") else values


def _numbers(values: object, name: str, fix: str) -> np.ndarray:
    array = as_given(values, name)
    if array.dtype.kind not in "fiub":
        is_text = array.dtype.kind in "UST" or (array.dtype.kind == "O" and any(type(x) is str for x in array.flat))
        if array.dtype.kind in "Om" and not is_text:
            fix = f"make numbers of them: {name}.astype(float), where each is one"
        raise DTypeError(f"{name} holds {array.dtype}{' (text)' if is_text else ''}", expected="numbers", fix=fix)
    if array.ndim == 0 or len(array) == 0:
        raise ShapeError(f"{name} of shape {array.shape}", expected="an array with one row per sample",
                         fix="pass at least one row")
    return _finite_floats(array, name) if array.dtype.kind == "f" else array


def _finite_floats(array: np.ndarray, name: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        short = array.astype(np.float32, copy=False) if array.dtype.itemsize > 4 else array
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(short.sum()):  # quicker than to look at each; a sum that overflows says nothing
            return short
    bad = ~np.isfinite(short)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ArgumentError(f"{name} holds values that are not finite in {short.dtype}: {int(bad.sum())} of "
                            f"{bad.size}, the first ({array[first]}) in row {first[0]}", expected="finite numbers",
                            fix="fill, drop or scale them first; tz.data.TableEncoder replaces missing values")
    return short


def targets(y: object, name: str = "y") -> np.ndarray:
    """`y` as float32, or as int64 when it holds whole numbers or booleans."""
    array = _numbers(y, name, "number the classes: names, y = np.unique(y, return_inverse=True); "
                     "or tz.fit_table(frame, target=...), which takes names of classes")
    return array.astype(np.int64) if array.dtype.kind in "iub" else array


def weights(weight: object, name: str = "sample_weight") -> np.ndarray:
    """The weights of samples as float32, none below 0."""
    array = _numbers(weight, name, "pass a number for each row").astype(np.float32)
    if (array < 0).any():
        raise ArgumentError(f"{name} with {int((array < 0).sum())} values below 0, the first ({array.min():g}) in row "
                            f"{int(np.argmax((array < 0).reshape(len(array), -1).any(1)))}",
                            expected="weights of 0 or more", fix="leave rows out by a weight of 0")
    return array
