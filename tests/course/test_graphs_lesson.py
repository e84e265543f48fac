"""The exercises of lesson 3: right answers, and the typical mistakes."""

import numpy as np
from answers import check_answers

import tarazu as tz
from tarazu.base.device import Device


def test_nodes():
    graph = tz.trace(lambda x, w: (x * w).exp().mean())(tz.ones(4), tz.ones(4))
    check_answers("graphs", "1", [4, graph.counts().total.nodes], {
        "mean_is_one": 3, "inputs_counted": len(graph.nodes), "result_counted": 5, "other": 40, "no_number": "4"})


def test_traces():
    function = tz.jit(lambda x: x + 1)
    for size in (3, 3, 4, 3):
        function(tz.ones(size))
    check_answers("graphs", "2", [2, function.traces], {
        "every_call": 4, "only_first": 1, "forgotten": 3, "other": 0, "no_number": None.__class__})


def test_choice():
    def with_if(x):
        return tz.stack([2 * row if row > 0 else 0.1 * row for row in x])

    def right(x):
        return tz.where(x > 0, 2 * x, 0.1 * x)

    check_answers("graphs", "3", [right, tz.jit(right), lambda x: tz.maximum(2 * x, 0.1 * x)], {
        "not_traceable": with_if, "swapped": lambda x: tz.where(x > 0, 0.1 * x, 2 * x), "all_doubled": lambda x: 2 * x,
        "zero": lambda x: 2 * tz.relu(x), "value": lambda x: x, "shape": lambda x: x.sum(), "not_callable": 1})


def test_loop():
    def halved(condition):
        return lambda x: tz.while_loop(condition, lambda x: x / 2, x)

    def with_while(x):
        while x.max() >= 1:
            x = x / 2
        return x

    check_answers("graphs", "4", [halved(lambda x: x.max() >= 1)], {
        "not_traceable": with_while, "once": lambda x: x / 2, "value": lambda x: x,
        "below": lambda x: halved(lambda x: x.max() >= 1)(x / 2), "equal": halved(lambda x: x.max() > 1),
        "not_callable": 1})


def test_device():
    def choose(devices):
        gpus = [device for device in devices if device.name.startswith("gpu")]
        return gpus[0] if gpus else devices[0]

    check_answers("graphs", "5", [choose], {
        "no_gpu": lambda devices: None, "always_cpu": lambda devices: devices[0], "last": lambda devices: devices[-1],
        "other": lambda devices: devices[0] if len(devices) == 1 else "gpu", "not_callable": Device("cpu").name})


def test_memory():
    check_answers("graphs", "6", [(24, 8), [24, 8], tuple(np.array([24, 8]))], {
        "no_pair": 24, "one_way": (12, 4), "numbers": (6, 2), "swapped": (8, 24), "nothing_saved": (24, 24),
        "fused_one_way": (24, 4), "bytes": (24_000_000, 8_000_000), "other": (1, 1)})
