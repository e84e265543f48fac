"""What many judges ask of an answer: a number, a tuple, a function with such a result; which mistake it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from tarazu.course.wrong import Wrong
from tarazu.data import Dataset
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


def mistake(found: Any, cases: Mapping[str, Any], rtol: float = 1e-5) -> Wrong | None:
    """The first of the cases whose value is the one found, up to rounding; None where it is none of them."""
    return next((Wrong(case) for case, value in cases.items() if np.allclose(found, value, rtol=rtol)), None)


def choices(answer: Any, right: Mapping[str, str], words: Collection[str]) -> Wrong | None:
    """Whether a dict has the right one of some words for each name; a wrong one is the case of its name."""
    if not isinstance(answer, dict):
        return Wrong("not_dict", type=type(answer).__name__)
    for name, word in right.items():
        if answer.get(name) is None:
            return Wrong("missing", name=name)
        if answer[name] not in words:
            return Wrong("unknown", name=name, found=answer[name])
        if answer[name] != word:
            return Wrong(name, found=answer[name])
    return None


def letters(answer: Any, right: Collection[str]) -> Wrong | None:
    """Whether these are the right ones of the letters A to E; the first that is missing, or too much, is the case."""
    if not isinstance(answer, Iterable) or not all(one in [*"ABCDE"] for one in answer):
        return Wrong("not_letters", found=answer)
    given = {*answer}
    return next((Wrong(letter) for letter in "ABCDE" if (letter in given) != (letter in right)), None)


def is_affine(model: Any, x: np.ndarray) -> bool:
    """Whether a model has no activation: f(x) + f(-x) is 2 f(0) then."""
    both, zero = model(x) + model(-x), model(np.zeros_like(x))
    return np.allclose(as_array(both), 2 * as_array(zero), atol=1e-5)


def arrays(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """All samples of a data set, x and y."""
    found = dataset.in_memory()
    assert found is not None
    return found
