"""The exercises of lesson 2: right answers, and the typical mistakes."""

from answers import check_answers

import tarazu as tz


def test_centering():
    check_answers("low_level", "1", [lambda x: x - x.mean(axis=0)], {
        "whole": lambda x: x - x.mean(), "rows": lambda x: x - x.mean(axis=1, keepdims=True), "value": lambda x: x * 2,
        "shape": lambda x: x.mean(axis=0), "not_callable": 1, "no_result": lambda x: None})


def test_accuracy():
    check_answers("low_level", "2", [lambda z, y: ((z > 0) == y).float().mean(),
                                     lambda z, y: ((z > 0) == y).float().mean().item()], {
        "half": lambda z, y: ((z > 0.5) == y).float().mean(), "errors": lambda z, y: ((z > 0) != y).float().mean(),
        "count": lambda z, y: ((z > 0) == y).float().sum(),
        "percent": lambda z, y: 100 * ((z > 0) == y).float().mean(),
        "other": lambda z, y: 0.9, "no_number": lambda z, y: z > 0, "not_callable": 0.6})


def test_gradient():
    point = tz.tensor([3.0, 4.0], requires_grad=True)
    (point * point).sum().sqrt().backward()
    check_answers("low_level", "3", [point.grad, (0.6, 0.8), (tz.tensor(0.6), tz.tensor(0.8))], {
        "the_value": 5, "squares": (6, 8), "not_divided": (3, 4), "swapped": (0.8, 0.6), "value": (1.2, 1.6),
        "shape": 0.6})


def test_twice():
    check_answers("low_level", "4", [12, tz.tensor(12.0)], {
        "once": 6, "multiplied": 36, "the_value": 9, "other": 1, "no_number": (12, 12)})


def descend(f, start, rate, steps, is_cleared=True):
    x = start.clone().requires_grad_()
    for _ in range(steps):
        if is_cleared:
            x.grad = None
        f(x).backward()
        with tz.no_grad():
            x -= rate * x.grad
    return x


def test_descent():
    def in_place(f, start, rate, steps):
        start.copy_(descend(f, start, rate, steps).detach())
        return start

    check_answers("low_level", "5", [descend, lambda *args: descend(*args).detach()], {
        "accumulated": lambda *args: descend(*args, is_cleared=False),
        "uphill": lambda f, start, rate, steps: descend(f, start, -rate, steps),
        "one_step": lambda f, start, rate, steps: descend(f, start, rate, 1),
        "stayed": lambda f, start, rate, steps: start,
        "one_more": lambda f, start, rate, steps: descend(f, start, rate, steps + 1),
        "one_less": lambda f, start, rate, steps: descend(f, start, rate, steps - 1),
        "value": lambda f, start, rate, steps: descend(f, start, rate / 2, steps),
        "start_changed": in_place, "shape": lambda *args: descend(*args)[0]})


def batches(x, y, size):
    for i in range(0, len(x), size):
        yield x[i:i + size], y[i:i + size]


def test_minibatches():
    check_answers("low_level", "6", [batches, lambda *args: list(batches(*args))], {
        "no_generator": lambda x, y, size: 5, "no_pairs": lambda x, y, size: [x, y],
        "last_lost": lambda x, y, size: list(batches(x, y, size))[:-1],
        "sizes": lambda x, y, size: batches(x, y, 10),
        "apart": lambda x, y, size: batches(x, tz.flip(y), size),
        "twice": lambda x, y, size: batches(*[part[[0, *range(69)]] for part in (x, y)], size),
        "not_callable": 1})


def recorded(x, y, valid_x, valid_y, epochs, sign=1):
    w, b = tz.zeros(2, requires_grad=True), tz.zeros(1, requires_grad=True)
    history = {"loss": [], "val_loss": [], "accuracy": [], "val_accuracy": []}
    optimizer = tz.optim.SGD([w, b], lr=0.5)
    for _ in range(epochs):
        optimizer.zero_grad()
        (sign * tz.nn.binary_cross_entropy(x @ w + b, y)).backward()
        optimizer.step()
        for start, rows, labels in [("", x, y), ("val_", valid_x, valid_y)]:
            z = (rows @ w + b).detach()
            history[start + "loss"].append(tz.nn.binary_cross_entropy(z, labels).item())
            history[start + "accuracy"].append(((z > 0).float() == labels).float().mean().item())
    return history


def test_curves():
    def changed(change):
        def answer(*args):
            history = recorded(*args)
            change(history)
            return history
        return answer

    check_answers("low_level", "7", [recorded], {
        "no_dict": lambda *args: list(recorded(*args).values()),
        "no_name": changed(lambda history: history.pop("val_loss")),
        "length": changed(lambda history: history["loss"].pop()),
        "no_floats": changed(lambda history: history.update(loss=[None] * 5)),
        "not_falling": lambda *args: recorded(*args, sign=-1),
        "same_data": lambda x, y, valid_x, valid_y, epochs: recorded(x, y, x, y, epochs),
        "no_share": changed(lambda history: history.update(accuracy=[90.0] * 5)),
        "not_callable": {}})
