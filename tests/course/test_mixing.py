"""The exercises of lesson 5: the right answer to each, and for every case of its texts an answer that reaches it."""

import numpy as np
import pytest
from answers import check_coverage, check_right, check_wrong

import tarazu as tz
from tarazu import course


def layer_class(start=1.0, columns=1, kept=tz.nn.Parameter, is_used=True):
    class Scale(tz.nn.Module):
        def __init__(self, size):
            self.scale = kept(tz.full((columns, size) if columns > 1 else (size,), start))

        def forward(self, x):
            return x * (self.scale if columns == 1 else self.scale[0]) if is_used else x

    return Scale


def loss(weight=10, sign=1, power=2, reduce=tz.mean):
    def weighted(predicted, target):
        size = tz.abs(predicted - target)**power
        return reduce(tz.where(sign * predicted < sign * target, weight * size, size))
    return weighted


def freeze(chosen=slice(None, -1), count=lambda p: p.size * p.requires_grad):
    def frozen(model):
        for layer in model.layers[chosen]:
            layer.freeze()
        return sum(count(parameter) for parameter in model.parameters())
    return frozen


def step(zero=True, steps=1, result=lambda before, after: before):
    def made(model, optimizer, x, y):
        if zero:
            optimizer.zero_grad()
        before = tz.nn.mse(model(x), y)
        before.backward()
        for _ in range(steps):
            optimizer.step()
        return result(before, tz.nn.mse(model(x), y))
    return made


def near(p, t):
    return (tz.abs(p - t) <= 0.5).astype("float32")


RIGHT = {"1": layer_class(), "2": loss(), "3": freeze(), "4": step(), "5": near}
WRONG = [
    ("1", "not_class", 3),
    ("1", "not_class", layer_class()(3)),
    ("1", "not_module", lambda size: tz.ones(size)),
    ("1", "shape", lambda size: tz.nn.Dense(2, in_features=3)),
    ("1", "no_parameters", layer_class(kept=lambda x: x)),
    ("1", "count", layer_class(columns=2)),
    ("1", "start", layer_class(start=0.0)),
    ("1", "not_used", layer_class(is_used=False)),
    ("2", "not_callable", "mse"),
    ("2", "shape", loss(reduce=lambda x: x)),
    ("2", "no_result", lambda predicted, target: None),
    ("2", "other_side", loss(sign=-1)),
    ("2", "no_weight", tz.nn.mse),
    ("2", "sum", loss(reduce=tz.sum)),
    ("2", "all", lambda predicted, target: 10 * tz.nn.mse(predicted, target)),
    ("2", "absolute", loss(power=1)),
    ("2", "value", loss(weight=3)),
    ("2", "no_gradient", lambda predicted, target: loss()(predicted, target).item()),
    ("3", "not_callable", 14),
    ("3", "no_result", lambda model: None),
    ("3", "no_number", lambda model: "14"),
    ("3", "not_frozen", freeze(slice(0))),
    ("3", "last_frozen", freeze(slice(2, 3))),
    ("3", "all_frozen", freeze(slice(None))),
    ("3", "some_frozen", freeze(slice(1))),
    ("3", "all_counted", freeze(count=lambda p: p.size)),
    ("3", "frozen_counted", freeze(count=lambda p: p.size * (not p.requires_grad))),
    ("3", "tensors", freeze(count=lambda p: p.requires_grad)),
    ("3", "no_biases", freeze(count=lambda p: p.size * (p.requires_grad and p.ndim == 2))),
    ("3", "value", freeze(count=lambda p: 7)),
    ("4", "not_callable", None.__class__.__name__),
    ("4", "no_result", step(result=lambda before, after: None)),
    ("4", "no_step", step(steps=0)),
    ("4", "step", step(steps=2)),
    ("4", "no_zero", step(zero=False)),
    ("4", "after", step(result=lambda before, after: after)),
    ("4", "value", step(result=lambda before, after: before * 2)),
    ("5", "not_callable", 0.5),
    ("5", "no_result", lambda p, t: None),
    ("5", "mean", lambda p, t: near(p, t).mean()),
    ("5", "shape", lambda p, t: near(p, t)[:, None]),
    ("5", "signed", lambda p, t: p - t <= 0.5),
    ("5", "strict", lambda p, t: tz.abs(p - t) < 0.5),
    ("5", "errors", lambda p, t: tz.abs(p - t)),
    ("5", "outside", lambda p, t: 1 - near(p, t)),
    ("5", "value", lambda p, t: tz.ones(5)),
]


@pytest.mark.parametrize("exercise", RIGHT)
def test_right(exercise):
    check_right("mixing", exercise, RIGHT[exercise])


@pytest.mark.parametrize(("exercise", "case", "answer"), WRONG)
def test_wrong(exercise, case, answer):
    check_wrong("mixing", exercise, case, answer)


def test_every_case_is_reached():
    check_coverage("mixing", RIGHT, [(exercise, case) for exercise, case, _ in WRONG])


def test_a_layer_with_a_scale_of_other_shape_is_right():
    class Scale(tz.nn.Module):
        def __init__(self, size):
            self.scale = tz.nn.Parameter(np.ones((1, size), "float32"))

        def forward(self, x):
            return x * self.scale

    assert course.check("mixing.1", Scale).is_right
