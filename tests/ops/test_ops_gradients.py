"""Gradients of every op in the table: random projections against central differences, to the order its line says."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from optable import RECORDS, Record, leaves

import tarazu as tz
from tarazu.base.errors import ShapeError

STEP = 1e-3
CASES = [pytest.param(record, choice, order, id=f"{record.name}-{choice}-order{order}")
         for record in RECORDS if record.differentiable for choice in range(len(record.shapes))
         for order in range(1, record.orders + 1)]


def projected(record: Record, fixed: list[np.ndarray], rng: np.random.Generator) -> Callable[..., Any]:
    """The record's float results, times random weights and summed, as a function of its differentiable inputs."""
    weights: dict[int, np.ndarray] = {}

    def function(*inputs: Any) -> Any:
        values = [tz.asarray(x) for x in fixed]
        for place, x in zip(record.differentiable, inputs, strict=True):
            values[place] = x
        total = tz.asarray(0.0, "float64")
        for i, y in enumerate(leaves(record.function(*values))):
            if y.dtype.is_float:
                weight = weights.setdefault(i, rng.uniform(0.5, 1.5, y.shape).astype(y.dtype.numpy))
                total = total + (y * weight).sum()
        return total
    return function


def directional(function: Callable[..., Any], directions: list[np.ndarray]) -> Callable[..., Any]:
    """The derivative of a scalar function along one direction, by its gradient: again a scalar function."""
    gradient = tz.grad(function, tuple(range(len(directions))))

    def derivative(*inputs: Any) -> Any:
        steps = [(g * d).sum() for g, d in zip(gradient(*inputs), directions, strict=True)]
        return sum(steps, start=tz.asarray(0.0, "float64"))
    return derivative


def differences(function: Callable[..., Any], inputs: list[np.ndarray], directions: list[np.ndarray]) -> float:
    """The same by central differences of the fourth order."""
    def at(step: float) -> float:
        return function(*[tz.asarray(x + step * d) for x, d in zip(inputs, directions, strict=True)]).item()
    return (8 * (at(STEP) - at(-STEP)) - (at(2 * STEP) - at(-2 * STEP))) / (12 * STEP)


@pytest.mark.parametrize(("record", "choice", "order"), CASES)
def test_gradient_agrees_with_differences(record, choice, order):
    arrays = record.draw(choice)
    inputs = [arrays[i] for i in record.differentiable]
    rng = np.random.default_rng(order)
    directions = [rng.uniform(-1, 1, x.shape) for x in inputs]
    function = projected(record, arrays, rng)
    for _ in range(order - 1):
        function = directional(function, directions)
    derivative = directional(function, directions)
    found = derivative(*map(tz.asarray, inputs)).item()
    assert found == pytest.approx(differences(function, inputs, directions), rel=1e-6, abs=1e-7)
    assert tz.jit(derivative)(*map(tz.asarray, inputs)).item() == pytest.approx(found, rel=1e-12, abs=1e-14)


LISTS = {
    "mean": lambda x: tz.mean([x[0], x[1]]), "nested": lambda x: tz.sum([[x[0], 1.0], [2.0, x[1]]]) / 2,
    "operand": lambda x: (tz.tensor([0.25, 0.25]) * [x[0], x[1]]).sum() * 2,
    "asarray": lambda x: tz.asarray((x[0], x[1])).mean(),
    "coordinates": lambda x: tz.map_coordinates(tz.tensor([[0.0, 0.5], [0.5, 1.0]]), [x[:1], x[1:] - 1]).sum(),
}


@pytest.mark.parametrize("function", LISTS.values(), ids=LISTS)
def test_gradients_flow_to_tensors_in_lists(function):
    x = tz.tensor([0.5, 1.5])
    assert tz.allclose(tz.jit(function)(x), function(x))
    assert tz.grad(function)(x).tolist() == tz.jit(tz.grad(function))(x).tolist() == [0.5, 0.5]


def test_tensors_in_a_list_have_one_shape_and_promote():
    assert tz.asarray([tz.tensor(1), tz.tensor(2.5)]).dtype == tz.float32
    assert tz.asarray([tz.tensor(1), 2], "float64").dtype == tz.float64
    with pytest.raises(ShapeError, match=r"a list of tensors of shapes \(2,\) and \(3,\)"):
        tz.mean([tz.ones(2), tz.ones(3)])
