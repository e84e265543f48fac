"""What judges of many lessons ask first of an answer: a number, a tuple of numbers, a function with such a result."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.course.wrong import Wrong
from tarazu.runtime.tensor.tensor import Tensor


def as_array(value: Any) -> np.ndarray:
    """An array of a tensor, also of one that requires grad, or of anything that NumPy takes."""
    return value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)


def number(answer: Any) -> float | Wrong:
    """The answer as a float; Wrong where it is no single number."""
    array = as_array(answer)
    if array.shape != () or array.dtype.kind not in "biuf":
        return Wrong("no_number", type=type(answer).__name__)
    return float(array)


def tuple_of_ints(answer: Any) -> tuple[int, ...] | Wrong:
    """The answer as a tuple of ints; Wrong where it is neither a tuple nor a list of them."""
    if not isinstance(answer, tuple | list) or not all(isinstance(size, int | np.integer) for size in answer):
        return Wrong("no_tuple", type=type(answer).__name__)
    return tuple(int(size) for size in answer)


def called(answer: Any, *args: Any, shape: tuple[int, ...]) -> np.ndarray | Wrong:
    """The result of the answer, a function, as an array; Wrong where it is no function, or the shape is another."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    with np.errstate(all="ignore"):
        result = answer(*args)
    if result is None:
        return Wrong("no_result")
    found = as_array(result)
    return found if found.shape == shape else Wrong("shape", expected=shape, found=found.shape)
