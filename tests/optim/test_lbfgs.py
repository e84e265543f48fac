"""L-BFGS: its points against torch's, its ends, its state."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.optim import LBFGS

# Of torch 2.13: the losses before three steps, the weights after them, and the number of evaluations.
OF_TORCH = {
    "five iterations": ({"max_iterations": 5}, [29.2625, 6.63799243, 3.54846618],
                        [-0.6588336, 0.4061423, 2.6109312], 18),
    "defaults": ({}, [29.2625, 1.44741248, 0.00399786], [0.9999888, 0.9999775, 2.0051705], 68),
    "short history": ({"max_iterations": 5, "history_size": 2, "lr": 0.5}, [29.2625, 8.46232222, 4.74585423],
                      [-0.8706441, 0.8261476, 1.5922849], 18),
    "no line search": ({"lr": 0.001, "max_iterations": 5, "line_search": None}, [29.2625, 28.94536497, 28.75798624],
                       [-1.1974663, 1.0016166, 0.501057], 15),
}


class Problem:
    """Rosenbrock's valley, with a flat direction beside it."""

    def __init__(self, **options):
        self.w = tz.tensor([-1.2, 1.0], "float64", requires_grad=True)
        self.v = tz.tensor([0.5], "float64", requires_grad=True)
        self.optimizer, self.evaluations = LBFGS([self.w, self.v], **options), 0

    def closure(self):
        self.evaluations += 1
        self.optimizer.zero_grad()
        w = self.w
        loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2 + (self.v[0] - 2) ** 4
        loss.backward()
        return loss

    def weights(self):
        return [*self.w.tolist(), *self.v.tolist()]


@pytest.mark.parametrize(("options", "losses", "weights", "evaluations"), OF_TORCH.values(), ids=OF_TORCH)
def test_steps_are_those_of_torch(options, losses, weights, evaluations):
    problem = Problem(**options)
    np.testing.assert_allclose([float(problem.optimizer.step(problem.closure)) for _ in losses], losses, rtol=1e-6)
    np.testing.assert_allclose(problem.weights(), weights, rtol=1e-5)
    assert problem.evaluations == evaluations


def test_a_saved_state_goes_on_to_the_same_weights():
    first, second = Problem(max_iterations=5), Problem(max_iterations=5)
    first.optimizer.step(first.closure)
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    with tz.no_grad():
        second.w.copy_(first.w)
        second.v.copy_(first.v)
    for problem in (first, second):
        problem.optimizer.step(problem.closure)
    assert first.weights() == second.weights()


def test_a_jitted_loss_with_a_model_and_a_frozen_parameter():
    x = np.linspace(-2, 2, 40, dtype=np.float32)[:, None]
    tz.random.seed(0)
    model = tz.nn.Sequential([tz.nn.Dense(8, activation="tanh", in_features=1), tz.nn.Dense(1, in_features=8)])
    model[1].bias.requires_grad_(False)
    optimizer = LBFGS(model.parameters(), max_iterations=200)
    loss_of = tz.jit(lambda: tz.nn.mse(model(tz.asarray(x)), np.sin(x)))

    def closure():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert float(closure()) < 1e-4 and model[1].bias.tolist() == [0.0]


def test_a_step_at_the_minimum_moves_nothing():
    w = tz.tensor([0.0], requires_grad=True)
    optimizer = LBFGS([w])

    def closure():
        optimizer.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        return loss

    assert float(optimizer.step(closure)) == 0 and w.tolist() == [0.0]


def test_a_line_that_ends_in_nan_is_searched_nearer():
    w = tz.tensor([1.0], "float64", requires_grad=True)
    optimizer = LBFGS([w], lr=50.0)

    def closure():
        optimizer.zero_grad()
        loss = (w - 2 * tz.log(w)).sum()  # not a number below 0; lowest at 2
        loss.backward()
        return loss

    optimizer.step(closure)
    assert w.item() == pytest.approx(2.0, abs=1e-3)


def test_errors():
    w = tz.ones(1, requires_grad=True)
    for act, kind, text in [
        (lambda: LBFGS([w], line_search="wolfe"), ArgumentError, "line_search='wolfe'"),
        (lambda: LBFGS([w], max_iterations=0), ArgumentError, "max_iterations=0"),
        (lambda: LBFGS([w], lr=0), ArgumentError, "lr=0"),
        (lambda: LBFGS([]), ArgumentError, "an optimizer without parameters"),
        (lambda: LBFGS([w]).step(lambda: w.sum()), TrainingError, "a closure that leaves no gradient"),
        (lambda: LBFGS([w]).load_state_dict({}), ArgumentError, "does not fit LBFGS: missing"),
        (lambda: LBFGS([w]).load_state_dict(LBFGS([tz.ones(2)]).state_dict()), ArgumentError,
         "another number of weights\n  expected: rows of 1 numbers"),
        (lambda: tz.nn.Dense(1).compile("lbfgs", loss="mse"), ArgumentError, "optimizer 'lbfgs'"),
    ]:
        with pytest.raises(kind, match=text):
            act()


def test_a_loss_that_is_not_finite_at_the_start():
    w = tz.tensor([-1.0], requires_grad=True)

    def closure():
        loss = tz.log(w).sum()
        loss.backward()
        return loss

    with np.errstate(all="ignore"), pytest.raises(TrainingError, match=r"LBFGS.step with a loss of nan"):
        LBFGS([w]).step(closure)
