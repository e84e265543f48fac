"""The exercises of lesson 8, training tricks: initialization, dropout, clipping, momentum, normalization, depth."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu import nn
from tarazu.course.forms import arrays, as_array, called, letters, mistake, number
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
    expected = x * kept / 0.8
    if np.allclose(found, expected):
        return None
    return mistake(found, {"not_scaled": x * kept, "scaled_down": x * kept * 0.8, "by_rate": x * kept / 0.2,
                           "inverted": x * ~kept / 0.8, "all_kept": x / 0.8}) \
        or Wrong("value", found=found.tolist(), expected=expected.tolist())


def clipping(answer: object) -> Wrong | None:
    """gradient * min(1, threshold / norm)."""
    long, short = np.array([30.0, 40.0]), np.array([0.3, 0.4])
    found, kept = called(answer, long, 10.0, shape=(2,)), called(answer, short, 10.0, shape=(2,))
    for result in (found, kept):
        if isinstance(result, Wrong):
            return result
    assert isinstance(found, np.ndarray) and isinstance(kept, np.ndarray)
    if not np.allclose(found, [6, 8]):
        return mistake(found, {"norm_one": long / 50, "by_element": [10, 10]}) \
            or Wrong("value", found=found.tolist(), expected=[6.0, 8.0])
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
    if np.allclose((w, v), (1.25, 0.25)):
        return None
    return mistake((w, v), {"sign": (1.65, 0.65), "old_velocity": (1.5, 0.25), "no_momentum": (0.8, -0.2),
                            "swapped": (0.25, 1.25)}) or Wrong("value", found=(w, v), expected=(1.25, 0.25))


def normalized(answer: object) -> Wrong | None:
    """(x - mean) / deviation over rows."""
    x = np.array([[1.0, 10.0], [2.0, 30.0], [6.0, 80.0]])
    found = called(answer, x, shape=x.shape)
    if isinstance(found, Wrong):
        return found
    def scaled(axis: int | None) -> Any:
        return (x - x.mean(axis, keepdims=axis is not None)) / x.std(axis, keepdims=axis is not None)
    centered = x - x.mean(0)
    if np.allclose(found, scaled(0), atol=0.01):
        return None
    return mistake(found, {"layer_norm": scaled(1), "all_together": scaled(None), "variance": centered / x.var(0),
                           "only_mean": centered}) \
        or Wrong("value", found=found.tolist(), expected=scaled(0).round(3).tolist())


def deep_network(answer: object) -> Wrong | None:
    """A compiled network with eight hidden layers or more that learns the digits in ten epochs."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    model = answer()
    if not isinstance(model, nn.Module):
        return Wrong("not_model", type=type(model).__name__)
    images, y = arrays(load("digits"))
    x = images.reshape(-1, 64).astype("float32") / 16
    model.fit(x[:600], y[:600], epochs=10, batch_size=30, seed=0, verbose=0)
    hidden = sum(isinstance(module, nn.Dense) for _, module in model.named_modules()) - 1
    if hidden < HIDDEN:
        return Wrong("shallow", found=hidden)
    share = (as_array(model.predict(x[600:])).argmax(1) == y[600:]).mean()
    return None if share >= RIGHT_SHARE else Wrong("guesses" if share < 0.3 else "low", found=f"{share:.1%}")


def truths(answer: object) -> Wrong | None:
    """The letters of the true sentences."""
    return letters(answer, TRUE)


EXERCISES: dict[str, Judge] = {"1": deviation, "2": dropout, "3": clipping, "4": momentum_step, "5": normalized,
                               "6": deep_network, "7": truths}
