"""Learning-rate schedules: their rates step by step, also in a compiled step, joined and in epochs."""

from functools import partial

import numpy as np
import pytest
from helpers import compilations

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.optim import SGD

STEP = np.arange(8)
SCHEDULES = {
    "exponential": (tz.optim.exponential_decay(0.1, 0.5, every=2), 0.1 * 0.5 ** (STEP / 2)),
    "steps": (tz.optim.step_decay(0.1, 0.1, every=3), [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001]),  # torch's StepLR
    "inverse time": (tz.optim.inverse_time_decay(0.1, 0.5, every=2), 0.1 / (1 + 0.5 * STEP / 2)),
    "piecewise": (tz.optim.piecewise_constant([2, 5], [0.1, 0.01, 0.001]),  # torch's MultiStepLR
                  [0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001]),
    "polynomial": (tz.optim.polynomial_decay(0.1, 5, power=2.0), [0.1, 0.064, 0.036, 0.016, 0.004, 0.0, 0.0]),
    "polynomial, in cycles": (tz.optim.polynomial_decay(0.1, 2, end=0.02, cycle=True),
                              [0.1, 0.06, 0.02, 0.04, 0.02, 0.02 + 0.08 / 6, 0.02, 0.02 + 0.08 / 8]),
    "linear": (tz.optim.linear_decay(0.1, 5, end=0.02), [0.1, 0.084, 0.068, 0.052, 0.036, 0.02, 0.02]),
    "cosine": (tz.optim.cosine_decay(0.1, 4, end=0.02), 0.02 + 0.04 * (1 + np.cos(np.pi * np.minimum(STEP, 4) / 4))),
    "restarts": (tz.optim.cosine_decay_restarts(0.1, 3, end=0.01),  # torch's CosineAnnealingWarmRestarts
                 [0.1, 0.0775, 0.0325, 0.1, 0.093971143, 0.0775, 0.055, 0.0325, 0.016028857, 0.1]),
    "restarts of one length": (tz.optim.cosine_decay_restarts(0.1, 3, end=0.01, longer=1.0),
                               [0.1, 0.0775, 0.0325, 0.1, 0.0775, 0.0325, 0.1]),
    "lower restarts": (tz.optim.cosine_decay_restarts(0.1, 2, lower=0.5), [0.1, 0.05, 0.05, 0.0426777, 0.025]),
    "one cycle": (tz.optim.one_cycle(0.5, 10),  # torch's OneCycleLR
                  [0.02, 0.26, 0.5, 0.4752423, 0.4058728, 0.305631, 0.194371, 0.09412917, 0.02475968, 2e-6]),
    "one cycle in lines": (tz.optim.one_cycle(0.5, 10, warmup=0.4, start=0.05, end=0.0005, linear=True),
                           [0.05, 0.2, 0.35, 0.5, 0.41675, 0.3335, 0.25025, 0.167, 0.08375, 0.0005]),
    "cyclic": (tz.optim.cyclic(0.1, 0.5, up=2, down=3, shrink=0.5),  # torch's CyclicLR, triangular2
               [0.1, 0.3, 0.5, 0.366666667, 0.233333333, 0.1, 0.2, 0.3, 0.233333333]),
    "cyclic, exponential": (tz.optim.cyclic(0.1, 0.5, up=2, decay=0.9),
                            [0.1, 0.28, 0.424, 0.2458, 0.1, 0.218098, 0.3125764, 0.19565938]),
    "warm-up": (tz.optim.linear_warmup(0.1, 4), 0.1 * np.minimum(STEP + 1, 4) / 4),
    "warm-up, then cosine": (tz.optim.linear_warmup(tz.optim.cosine_decay(0.1, 4), 2),
                             [0.05, 0.1, *0.05 * (1 + np.cos(np.pi * np.arange(5) / 4))]),
    "joined": (tz.optim.join([(0.05, 3), (tz.optim.cosine_decay(0.1, 5), None)]),  # torch's SequentialLR
               [0.05, 0.05, 0.05, 0.1, 0.09045085, 0.06545085, 0.03454915, 0.00954915]),
    "three joined": (tz.optim.join([(tz.optim.linear_decay(0.4, 4), 2), (0.1, 1), (tz.optim.linear_decay(0.2, 2), 9)]),
                     [0.4, 0.3, 0.1, 0.2, 0.1, 0.0]),
    "own": (lambda step: 0.1 / (step + 1), 0.1 / (STEP + 1)),
}


@pytest.mark.parametrize(("schedule", "rates"), SCHEDULES.values(), ids=SCHEDULES)
def test_schedules_follow_their_formula_with_one_trace(schedule, rates):
    w = tz.tensor([0.0], requires_grad=True)
    optimizer = SGD([w], lr=schedule)

    def train():
        w.sum().backward()
        optimizer.step()
        optimizer.zero_grad()

    step = tz.jit(train)
    with compilations(exactly=1):
        for rate in rates:
            before = w.item()
            assert float(optimizer.lr) == pytest.approx(rate, rel=1e-5, abs=1e-7)
            step()
            assert before - w.item() == pytest.approx(rate, rel=1e-4, abs=1e-7)


def test_restarts_are_exact_where_logarithms_are_rounded():
    schedule = tz.optim.cosine_decay_restarts(1.0, 1)
    for i in range(20):
        assert float(schedule(tz.tensor(2.0**i - 1))) == 1.0


def test_a_schedule_may_be_replaced_after_tracing():
    w = tz.tensor([0.0], requires_grad=True)
    optimizer = SGD([w], lr=lambda step: 1.0 + 0 * step)
    step = tz.jit(lambda: optimizer.apply_gradients([(tz.ones(1), w)]))
    for rate, lr in ((1.0, None), (0.5, 0.5), (0.25, lambda step: 0.25 + 0 * step)):
        if lr is not None:
            optimizer.lr = lr
        before = w.item()
        step()
        assert before - w.item() == rate


def test_epochs_are_steps_over_their_number_and_may_be_mixed_with_steps():
    w = tz.ones(1, requires_grad=True)
    then = tz.optim.in_epochs(tz.optim.piecewise_constant([1, 2], [0.5, 0.25, 0.125]))
    optimizer = SGD([w], lr=tz.optim.linear_warmup(then, steps=2))
    step = tz.jit(lambda: optimizer.apply_gradients([(tz.zeros(1), w)]))
    optimizer.steps_per_epoch = 2
    rates = []
    with compilations(exactly=1):
        for _ in range(7):
            rates.append(float(optimizer.lr))
            step()
    assert rates == [0.25, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]
    optimizer.steps_per_epoch = 4  # 5 steps after the warm-up are 1.25 epochs
    assert float(optimizer.lr) == 0.25
    twin = SGD([w], lr=tz.optim.linear_warmup(then, steps=2), steps_per_epoch=4)
    twin.load_state_dict(optimizer.state_dict())
    assert float(twin.lr) == 0.25


def rates_of(history):
    return [row["learning_rate"] for row in history]


def test_fit_says_how_many_steps_an_epoch_has():
    x, y = np.ones((20, 1), np.float32), np.ones(20, np.float32)
    schedule = tz.optim.in_epochs(tz.optim.step_decay(0.5, 0.5, every=1))
    model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(SGD(lr=schedule), loss="mse")
    history = model.fit(x, y, epochs=3, batch_size=8, seed=0, verbose=0)
    assert rates_of(history) == [0.25, 0.125, 0.0625]  # of the step after the epoch
    model.compile(SGD(lr=schedule, accumulate_steps=3), loss="mse")
    history = model.fit(x, y, epochs=2, batch_size=8, seed=0, verbose=0)
    assert rates_of(history) == [0.25, 0.125]  # one update is an epoch
    model.compile(SGD(lr=schedule), loss="mse")
    history = model.fit(iter([(x, y)] * 4), epochs=2, steps_per_epoch=2, seed=0, verbose=0)
    assert rates_of(history) == [0.25, 0.125]


def test_epochs_without_their_steps_are_an_error():
    w = tz.ones(1, requires_grad=True)
    optimizer = SGD([w], lr=tz.optim.in_epochs(tz.optim.cosine_decay(0.1, 5)))
    assert repr(optimizer) == "SGD(lr=in epochs, chain=[], parameters=1)"
    step = partial(optimizer.apply_gradients, [(tz.ones(1), w)])
    for call in (step, tz.jit(step), lambda: optimizer.lr):
        with pytest.raises(TrainingError, match=r"the steps of an epoch are not known[\s\S]*steps_per_epoch="):
            call()
    model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(SGD(lr=tz.optim.in_epochs(lambda t: 0.1 + t)), loss="mse")
    batches = [(np.ones((2, 1), np.float32), np.ones(2, np.float32))]
    with pytest.raises(TrainingError, match="the steps of an epoch are not known"):
        model.fit((batch for batch in batches), epochs=1, verbose=0)


ERRORS = {
    "cosine": (lambda: tz.optim.cosine_decay(0.1, 0), "steps=0\n  expected: a number of steps above 0"),
    "every": (lambda: tz.optim.step_decay(0.1, 0.1, every=-1), "every=-1"),
    "values": (lambda: tz.optim.piecewise_constant([1, 2], [0.1, 0.2]), "2 boundaries and 2 values"),
    "boundaries": (lambda: tz.optim.piecewise_constant([2, 1], [0.1, 0.2, 0.3]), r"boundaries=\[2, 1\]"),
    "boundary 0": (lambda: tz.optim.piecewise_constant([0], [0.1, 0.2]), r"boundaries=\[0\]"),
    "power": (lambda: tz.optim.polynomial_decay(0.1, 5, power=0), "power=0"),
    "shorter": (lambda: tz.optim.cosine_decay_restarts(0.1, 5, longer=0.5), "longer=0.5"),
    "warm-up share": (lambda: tz.optim.one_cycle(0.1, 100, warmup=1.5), "one_cycle with warmup=1.5 of steps=100"),
    "short cycle": (lambda: tz.optim.one_cycle(0.1, 3), "one_cycle with warmup=0.3 of steps=3"),
    "down": (lambda: tz.optim.cyclic(0.1, 0.2, 5, 0), "down=0"),
    "join of schedules": (lambda: tz.optim.join([tz.optim.cosine_decay(0.1, 5)]), r"list of pairs \(schedule, steps\)"),
    "join of nothing": (lambda: tz.optim.join([]), r"join of \[\]"),
    "join without steps": (lambda: tz.optim.join([(0.1, None), (0.2, None)]), "steps=0"),
    "steps of an epoch": (lambda: setattr(SGD(), "steps_per_epoch", 0), "steps_per_epoch=0"),
}


@pytest.mark.parametrize(("act", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, text):
    with pytest.raises(ArgumentError, match=text):
        act()
