"""The exercises of lesson 1: right answers, and the typical mistakes."""

import numpy as np
from answers import check_answers


def softmax(z, axis=1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def losses(z, labels):
    z = z - z.max(axis=1, keepdims=True)
    return np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(labels)), labels]


def test_shape():
    check_answers("tensors", "1", [(32, 64, 48, 3), [32, 64, 48, 3]], {
        "no_batch": (64, 48, 3), "no_colors": (32, 64, 48), "channels_first": (32, 3, 64, 48),
        "width_first": (32, 48, 64, 3), "other": (3,), "no_tuple": 4})


def test_chain_rule():
    check_answers("tensors", "2", [28, 28.0, np.float32(28)], {
        "no_inner": 14, "the_value": 49, "twice": 56, "other": 7, "no_number": "28"})


def test_softmax():
    check_answers("tensors", "3", [softmax], {
        "columns": lambda z: softmax(z, 0), "whole": lambda z: np.exp(z) / np.exp(z).sum(),
        "overflow": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), "other": np.exp,
        "not_callable": 3, "shape": lambda z: z.sum(1), "no_result": lambda z: None,
        "raised": lambda z: z.nothing})


def test_cross_entropy():
    check_answers("tensors", "4", [lambda z, labels: losses(z, labels).mean()], {
        "sign": lambda z, labels: -losses(z, labels).mean(), "sum": lambda z, labels: losses(z, labels).sum(),
        "all_classes": lambda z, labels: -np.log(softmax(z)).mean(), "other": lambda z, labels: 0.0,
        "overflow": lambda z, labels: -np.log(softmax(z)[np.arange(len(labels)), labels]).mean(),
        "shape": losses})


class Relu:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, gradient):
        return gradient * self.mask


def test_layer():
    def with_method(name, method):
        return type("Other", (Relu,), {name: method})

    check_answers("tensors", "5", [Relu], {
        "no_class": Relu(), "no_method": type("Half", (), {"forward": Relu.forward}),
        "forward": with_method("forward", lambda self, x: np.abs(x)),
        "no_chain": with_method("backward", lambda self, gradient: self.mask.astype(float)),
        "passes_all": with_method("backward", lambda self, gradient: gradient),
        "backward": with_method("backward", lambda self, gradient: gradient * 2)})


def test_one_layer():
    check_answers("tensors", "6", [lambda w1, b1, w2, b2: (w1 @ w2, b1 @ w2 + b2)], {
        "no_pair": lambda w1, b1, w2, b2: w1 @ w2, "order": lambda w1, b1, w2, b2: (w2 @ w1, b2),
        "weight": lambda w1, b1, w2, b2: (w1, b2), "bias_left_out": lambda w1, b1, w2, b2: (w1 @ w2, b2),
        "bias": lambda w1, b1, w2, b2: (w1 @ w2, b1), "not_callable": 1})


class Value:
    def __init__(self, data, parents=()):
        self.data, self.parents = data, parents


def test_exponential():
    def result(data=None, derivative=None, parent=None):
        def answer(value):
            e = np.exp(value.data)
            return Value(data or e, [(parent or value, derivative or e)])
        return answer

    check_answers("tensors", "7", [result()], {
        "no_value": lambda value: np.exp(value.data), "data": result(data=0.5), "parents": result(parent=Value(1)),
        "derivative": result(derivative=1.0), "not_callable": 1})
