"""The exercises of lesson 8, training tricks: initialization, dropout, clipping, momentum, normalization, depth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tarazu import nn
from tarazu.course.forms import as_array, called, number
from tarazu.course.wrong import Judge, Wrong
from tarazu.data.sets.load import load

TRUE = {"B", "D", "E"}
HIDDEN, RIGHT_SHARE = 8, 0.85


def deviation(answer: object) -> Wrong | None:
    """sqrt(2 / 200)."""
    found = number(answer)
    if isinstance(found, Wrong):
        return found
    cases = {"variance": 2 / 200, "lecun": (1 / 200) ** 0.5, "inverse": (200 / 2) ** 0.5}
    for case, value in cases.items():
        if np.isclose(found, value, rtol=0.01):
            return Wrong(case, found=f"{found:.4g}")
    return None if np.isclose(found, 0.1, rtol=0.01) else Wrong("value", found=f"{found:.4g}")


def dropout(answer: object) -> Wrong | None:
    """x * kept / (1 - rate)."""
    x, kept = np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, True])
    found = called(answer, x, kept, 0.2, shape=(4,))
    if isinstance(found, Wrong):
        return found
    for case, wrong in {"not_scaled": x * kept, "scaled_down": x * kept * 0.8, "by_rate": x * kept / 0.2,
                        "inverted": x * ~kept / 0.8, "all_kept": x / 0.8}.items():
        if np.allclose(found, wrong):
            return Wrong(case)
    expected = x * kept / 0.8
    return None if np.allclose(found, expected) else Wrong("value", found=found.tolist(), expected=expected.tolist())


def clipping(answer: object) -> Wrong | None:
    """gradient * min(1, threshold / norm)."""
    long, short = np.array([30.0, 40.0]), np.array([0.3, 0.4])
    found, kept = called(answer, long, 10.0, shape=(2,)), called(answer, short, 10.0, shape=(2,))
    for result in (found, kept):
        if isinstance(result, Wrong):
            return result
    assert isinstance(found, np.ndarray) and isinstance(kept, np.ndarray)
    if np.allclose(found, long / 50):
        return Wrong("norm_one")
    if np.allclose(found, [10, 10]):
        return Wrong("by_element")
    if not np.allclose(found, [6, 8]):
        return Wrong("value", found=found.tolist(), expected=[6.0, 8.0])
    if not np.allclose(kept, short):
        return Wrong("short", found=kept.tolist(), expected=short.tolist())
    zero = called(answer, np.zeros(2), 10.0, shape=(2,))
    return None if isinstance(zero, np.ndarray) and np.allclose(zero, 0) else Wrong("zero")


def momentum_step(answer: object) -> Wrong | None:
    """v = momentum v - rate g; (w + v, v)."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    result = answer(1.0, 0.5, 2.0, 0.1, 0.9)
    if not isinstance(result, tuple | list) or len(result) != 2:
        return Wrong("not_pair")
    w, v = (float(as_array(value)) for value in result)
    for case, wrong in {"sign": (1.65, 0.65), "old_velocity": (1.5, 0.25), "no_momentum": (0.8, -0.2),
                        "swapped": (0.25, 1.25)}.items():
        if np.allclose((w, v), wrong):
            return Wrong(case)
    return None if np.allclose((w, v), (1.25, 0.25)) else Wrong("value", found=(w, v), expected=(1.25, 0.25))


def normalized(answer: object) -> Wrong | None:
    """(x - mean) / deviation over rows."""
    x = np.array([[1.0, 10.0], [2.0, 30.0], [6.0, 80.0]])
    found = called(answer, x, shape=x.shape)
    if isinstance(found, Wrong):
        return found
    def scaled(axis: int | None) -> Any:
        return (x - x.mean(axis, keepdims=axis is not None)) / x.std(axis, keepdims=axis is not None)
    centered = x - x.mean(0)
    for case, wrong in {"layer_norm": scaled(1), "all_together": scaled(None), "variance": centered / x.var(0),
                        "only_mean": centered}.items():
        if np.allclose(found, wrong):
            return Wrong(case)
    expected = scaled(0).round(3).tolist()
    return None if np.allclose(found, scaled(0), atol=0.01) else Wrong("value", found=found.tolist(), expected=expected)


def deep_network(answer: object) -> Wrong | None:
    """A compiled network with eight hidden layers or more that learns the digits in ten epochs."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    model = answer()
    if not isinstance(model, nn.Module):
        return Wrong("not_model", type=type(model).__name__)
    found = load("digits").in_memory()
    assert found is not None
    images, labels = found
    x, y = images.reshape(-1, 64).astype("float32") / 16, labels
    model.fit(x[:600], y[:600], epochs=10, batch_size=30, seed=0, verbose=0)
    hidden = sum(isinstance(module, nn.Dense) for _, module in model.named_modules()) - 1
    if hidden < HIDDEN:
        return Wrong("shallow", found=hidden)
    share = (as_array(model.predict(x[600:])).argmax(1) == y[600:]).mean()
    return None if share >= RIGHT_SHARE else Wrong("guesses" if share < 0.3 else "low", found=f"{share:.1%}")


def truths(answer: object) -> Wrong | None:
    """The letters of the true sentences."""
    if not isinstance(answer, Iterable) or not all(one in [*"ABCDE"] for one in answer):
        return Wrong("not_letters", found=answer)
    given = {*answer}
    return next((Wrong(letter) for letter in "ABCDE" if (letter in given) != (letter in TRUE)), None)


EXERCISES: dict[str, Judge] = {"1": deviation, "2": dropout, "3": clipping, "4": momentum_step, "5": normalized,
                               "6": deep_network, "7": truths}
