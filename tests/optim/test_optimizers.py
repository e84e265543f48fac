"""The contract of optimizers, one row per configuration, and their steps against the papers' formulas in NumPy."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import compilations, same_bits

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError, TraceError, TrainingError
from tarazu.optim import (
    LAMB,
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    Muon,
    NAdam,
    RAdam,
    RMSprop,
    ScheduleFreeAdamW,
)


class Row(NamedTuple):
    """An optimizer, its options, and a formula: (gradient, parameter, state, step from 1) to the step before lr."""

    kind: Any
    options: dict
    formula: Any


def plain(g, p, state, t):
    return g


def momentum(g, p, state, t):
    state["v"] = 0.9 * state.get("v", 0) + g
    return state["v"]


def nesterov(g, p, state, t):
    state["v"] = 0.9 * state.get("v", 0) + g
    return g + 0.9 * state["v"]


def adam(g, p, state, t, beta1=0.9, beta2=0.999, epsilon=1e-8):
    state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
    state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g**2
    return state["m"] / (1 - beta1**t) / (np.sqrt(state["v"] / (1 - beta2**t)) + epsilon)


def rms(g, p, state, t):
    state["v"] = 0.9 * state.get("v", 0) + 0.1 * g**2
    return g / (np.sqrt(state["v"]) + 1e-8)


def clipped(g, p, state, t):
    return g * min(1, 0.5 / np.sqrt((g**2).sum()))


def adagrad(g, p, state, t):
    state["s"] = state.get("s", 0.1) + g**2
    return g / (np.sqrt(state["s"]) + 1e-10)


def adadelta(g, p, state, t):
    state["v"] = 0.9 * state.get("v", 0) + 0.1 * g**2
    d = g * np.sqrt(state.get("w", 0) + 1e-2) / np.sqrt(state["v"] + 1e-2)
    state["w"] = 0.9 * state.get("w", 0) + 0.1 * d**2
    return d


def adamax(g, p, state, t):
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    state["u"] = np.maximum(0.999 * state.get("u", 0), abs(g) + 1e-8)
    return state["m"] / (1 - 0.9**t) / state["u"]


def nadam(g, p, state, t):
    mu, following = (0.9 * (1 - 0.5 * 0.96 ** (i * 0.004)) for i in (t, t + 1))
    state["product"] = state.get("product", 1) * mu
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    state["v"] = 0.999 * state.get("v", 0) + 0.001 * g**2
    m = following * state["m"] / (1 - state["product"] * following) + (1 - mu) * g / (1 - state["product"])
    return m / (np.sqrt(state["v"] / (1 - 0.999**t)) + 1e-8)


def radam(g, p, state, t, beta2=0.9):
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g**2
    m, rho = state["m"] / (1 - 0.9**t), 2 / (1 - beta2) - 1
    r = rho - 2 * t * beta2**t / (1 - beta2**t)
    if r <= 5:
        return m
    factor = np.sqrt((r - 4) * (r - 2) * rho / ((rho - 4) * (rho - 2) * r))
    return m * factor * np.sqrt(1 - beta2**t) / (np.sqrt(state["v"]) + 1e-8)


def lion(g, p, state, t):
    m = state.get("m", 0)
    state["m"] = 0.99 * m + 0.01 * g
    return np.sign(0.9 * m + 0.1 * g) + 0.1 * p


def lamb(g, p, state, t):
    r = adam(g, p, state, t, epsilon=1e-6) + 0.1 * p
    return r * np.linalg.norm(p) / np.linalg.norm(r)


def adafactor(g, p, state, t):  # of a vector; the matrix is among the values of torch
    state["v"] = state.get("v", 0) + t**-0.8 * (g**2 - state.get("v", 0))
    d = g / np.sqrt(state["v"])
    size = max(1e-3, np.sqrt((p**2).mean())) * min(1, 1 / (0.1 * np.sqrt(t)))
    return size * d / max(1, np.sqrt((d**2).mean()))


def schedule_free(g, p, state, t):
    """What moves y to the next one, from the definitions in the paper of x, y and z."""
    z, x = state.get("z", p), state.get("x", p)
    state["v"] = 0.999 * state.get("v", 0) + 0.001 * g**2
    state["z"] = z - 0.1 * g / (np.sqrt(state["v"] / (1 - 0.999**t)) + 1e-8)
    state["x"] = x + (state["z"] - x) / t
    return (p - (0.1 * state["z"] + 0.9 * state["x"])) / 0.1


ROWS = {
    "sgd": Row(SGD, {"lr": 0.1}, plain),
    "sgd, momentum": Row(SGD, {"lr": 0.02, "momentum": 0.9}, momentum),
    "sgd, nesterov": Row(SGD, {"lr": 0.02, "momentum": 0.9, "nesterov": True}, nesterov),
    "sgd, weight decay": Row(SGD, {"lr": 0.1, "weight_decay": 0.01}, lambda g, p, s, t: g + 0.01 * p),
    "sgd, clipped": Row(SGD, {"lr": 0.1, "clip_norm": 0.5}, clipped),
    "adam": Row(Adam, {"lr": 0.1}, adam),
    "adam, other betas": Row(Adam, {"lr": 0.1, "betas": (0.8, 0.99), "epsilon": 1e-3},
                             lambda g, p, s, t: adam(g, p, s, t, 0.8, 0.99, 1e-3)),
    "adam, weight decay": Row(Adam, {"lr": 0.1, "weight_decay": 0.01}, lambda g, p, s, t: adam(g + 0.01 * p, p, s, t)),
    "adamw": Row(AdamW, {"lr": 0.1, "weight_decay": 0.05}, lambda g, p, s, t: adam(g, p, s, t) + 0.05 * p),
    "rmsprop": Row(RMSprop, {"lr": 0.02}, rms),
    "rmsprop, momentum": Row(RMSprop, {"lr": 0.005, "momentum": 0.9},
                             lambda g, p, s, t: momentum(rms(g, p, s, t), p, s.setdefault("inner", {}), t)),
    "adagrad": Row(Adagrad, {"lr": 0.5, "initial_sum": 0.1}, adagrad),
    "adadelta": Row(Adadelta, {"lr": 1.0, "epsilon": 1e-2}, adadelta),
    "adamax": Row(Adamax, {"lr": 0.1}, adamax),
    "nadam": Row(NAdam, {"lr": 0.1}, nadam),
    "radam": Row(RAdam, {"lr": 0.1, "betas": (0.9, 0.9)}, radam),
    "lion": Row(Lion, {"lr": 0.02, "weight_decay": 0.1}, lion),
    "lamb": Row(LAMB, {"lr": 0.02, "weight_decay": 0.1}, lamb),
    "adafactor": Row(Adafactor, {"lr": 0.1}, adafactor),
    "muon": Row(Muon, {"lr": 0.1, "weight_decay": 0.05}, lambda g, p, s, t: adam(g, p, s, t) + 0.05 * p),
    "schedule-free": Row(ScheduleFreeAdamW, {"lr": 0.1}, schedule_free),
}
each_optimizer = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)

CENTER, CURVES = np.array([1.0, -2.0, 0.5]), np.array([1.0, 3.0, 0.3])


def bowl(w):
    return (tz.asarray(CURVES) * (w - tz.asarray(CENTER)) ** 2).sum() / 2


def start():
    return tz.tensor([3.0, 1.0, -1.0], "float64", requires_grad=True)


def one_step(optimizer, loss, *parameters):
    optimizer.zero_grad()
    value = loss(*parameters)
    value.backward()
    optimizer.step()
    return value


PUBLIC = {x for name in tz.optim.__all__ if isinstance(x := getattr(tz.optim, name), type)
          and issubclass(x, tz.optim.Optimizer)} - {tz.optim.Optimizer}


@pytest.mark.parametrize(("place", "rows"), [
    ("tarazu/optim/named.py, in OPTIMIZERS,", set(OPTIMIZERS.values())),
    ("tests/optim/test_optimizers.py, in ROWS,", {row.kind for row in ROWS.values()}),
    ("tarazu/optim/__init__.py, in __all__,", PUBLIC)])
def test_every_optimizer_has_a_row(place, rows):
    missing = (PUBLIC | set(OPTIMIZERS.values())) - rows
    assert not missing, f"{place} lacks: {', '.join(x.__name__ for x in missing)}"


@each_optimizer
def test_five_steps_follow_the_formula(row):
    w = start()
    optimizer = row.kind([w], **row.options)
    expected, state = w.numpy().copy(), {}
    for t in range(1, 6):
        one_step(optimizer, bowl, w)
        expected = expected - row.options["lr"] * row.formula(CURVES * (expected - CENTER), expected, state, t)
        np.testing.assert_allclose(w.numpy(), expected, atol=1e-6)  # hyper-parameters are float32
    assert int(optimizer.step_count) == 5


# Of torch 2.13 after eight steps of `matrix_steps`: elements of the matrix, then of the vector.
OF_TORCH = {
    "sgd, dampening": (SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.5},
                       [1.109747324, 2.34159328, 1.412901374, 1.468957991, 1.109747324, 0.607463468]),
    "sgd, maximize": (SGD, {"lr": 0.1, "momentum": 0.9, "maximize": True, "weight_decay": 0.1},
                      [-2.083138658, -30.95171504, -13.145664627, -8.119398033, -2.083138658, -6.629772152]),
    "adam": (Adam, {"lr": 0.1}, [1.156946006, -0.212336943, -1.207241191, 0.856148878, 1.156946006, -0.709142281]),
    "adam, amsgrad": (Adam, {"lr": 0.1, "amsgrad": True, "betas": (0.9, 0.8)},
                      [1.14528703, -0.195360777, -1.194495039, 0.864811183, 1.14528703, -0.69412605]),
    "adamw, amsgrad": (AdamW, {"lr": 0.1, "amsgrad": True, "betas": (0.9, 0.8), "weight_decay": 0.1},
                       [1.101999594, -0.146144991, -1.06714499, 0.833519679, 1.101999594, -0.606058414]),
    "rmsprop, centered": (RMSprop, {"lr": 0.02, "rho": 0.9, "centered": True, "momentum": 0.5},
                          [0.958854309, -0.386097573, -1.372815204, 0.657238028, 0.958854309, -0.878014997]),
    "adagrad": (Adagrad, {"lr": 0.1, "initial_sum": 0.1, "weight_decay": 0.01},
                [0.819921389, -0.58288328, -1.576835204, 0.485687111, 0.819921389, -1.082302041]),
    "adadelta": (Adadelta, {"rho": 0.8, "epsilon": 1e-3},
                 [0.910184514, -0.418384238, -1.400010501, 0.611586079, 0.910184514, -0.907862294]),
    "adamax": (Adamax, {"lr": 0.1, "weight_decay": 0.01},
               [1.027963772, -0.273382423, -1.248714206, 0.740718369, 1.027963772, -0.758868882]),
    "nadam": (NAdam, {"lr": 0.1}, [0.959859121, -0.39502599, -1.382287843, 0.651811528, 0.959859121, -0.887292499]),
    "nadam, decoupled": (NAdam, {"lr": 0.1, "weight_decay": 0.1, "decoupled": True},
                         [0.923841202, -0.34370035, -1.255598815, 0.627382458, 0.923841202, -0.798504324]),
    "radam": (RAdam, {"lr": 0.1}, [0.73289941, 0.604272344, -0.768542368, 0.679416323, 0.73289941, -0.788421561]),
    "radam, decoupled": (RAdam, {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1, "decoupled": True},
                         [0.765722889, 0.628184704, -0.612582387, 0.711908218, 0.765722889, -0.631999819]),
    "adafactor": (Adafactor, {"lr": 0.1, "weight_decay": 0.1},
                  [0.814173068, -0.144174948, -0.687192486, 0.64839298, 0.920409974, -0.77056629]),
    "adafactor, large": (Adafactor, {"lr": 0.9, "clip_rms": 1.5, "beta2_decay": -0.5},
                         [0.854129498, 1.000458619, 1.000142907, 0.905077315, 0.780523844, 0.988562191]),
}


def matrix_steps(make, count=8):
    """The matrix and the vector after `count` steps of quadratic loss."""
    w = tz.tensor([[0.5, -1.0, 0.25, 2.0], [1.5, 0.75, -0.5, -2.0], [-1.25, 0.1, 1.0, 0.3]], "float64",
                  requires_grad=True)
    b = tz.tensor([0.5, -0.25, 1.0, -1.5], "float64", requires_grad=True)
    curves = tz.tensor([[1.0, 2.0, 0.5, 0.3], [0.7, 1.2, 0.2, 0.9], [0.4, 1.5, 0.8, 1.1]], "float64")
    vector_curves = tz.tensor([1.0, 0.2, 2.0, 0.6], "float64")
    optimizer = make([w, b])
    for _ in range(count):
        one_step(optimizer, lambda: (curves * (w - 1) ** 2).sum() / 2 + (vector_curves * (b - 1) ** 2).sum() / 2)
    return w.numpy(), b.numpy()


@pytest.mark.parametrize(("kind", "options", "values"), OF_TORCH.values(), ids=OF_TORCH)
def test_steps_are_those_of_torch(kind, options, values):
    w, b = matrix_steps(lambda parameters: kind(parameters, **options))
    np.testing.assert_allclose([w[0, 0], w[0, 1], w[1, 3], w[2, 1], b[0], b[3]], values, atol=5e-6)


def test_muon_is_that_of_torch_which_computes_in_bfloat16():
    w, _ = matrix_steps(lambda parameters: Muon(parameters, lr=0.1), count=3)
    np.testing.assert_allclose([w[0, 0], w[0, 1], w[1, 3], w[2, 1]], [0.475028, -0.843145, -1.864642, 0.127317],
                               atol=2e-3)


def test_muon_makes_singular_values_alike_of_tall_and_wide_matrices_and_kernels():
    draw = np.random.default_rng(0)
    for shape in ((6, 3), (3, 6), (2, 2, 3, 4)):
        w = tz.tensor(np.zeros(shape), requires_grad=True)
        optimizer = Muon([w], lr=1.0, weight_decay=0.0, momentum=0.0, iterations=12)
        optimizer.apply_gradients([(tz.asarray(draw.normal(size=shape)), w)])
        matrix = w.numpy().reshape(-1, shape[-1]) / (0.2 * np.sqrt(max(np.prod(shape[:-1]), shape[-1])))
        values = np.linalg.svd(matrix, compute_uv=False)
        assert ((values > 0.6) & (values < 1.3)).all()


@each_optimizer
def test_the_minimum_of_the_bowl_is_reached(row):
    w = start()
    optimizer = row.kind([w], **row.options)
    step = tz.jit(lambda: one_step(optimizer, bowl, w))
    for _ in range(400):
        step()
    pull = row.options.get("weight_decay", 0)  # decay pulls to 0, with AdamW most where the curve is flat
    assert float(bowl(w)) < (0.3 if pull else 2e-3)


@each_optimizer
def test_logistic_regression_is_learned(row):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(200, 2)).astype(np.float32)
    y = (x @ [2, -1] + 0.5 > 0).astype(np.float32)
    tz.random.seed(0)
    model = tz.nn.Dense(1, in_features=2)
    optimizer = row.kind(model.parameters(), **row.options)
    step = tz.jit(lambda: one_step(optimizer, lambda: tz.nn.binary_cross_entropy(model(tz.asarray(x)), y)))
    for _ in range(300):
        step()
    assert ((model(tz.asarray(x)).detach().numpy()[:, 0] > 0) == y).mean() > 0.95


@each_optimizer
def test_traced_steps_are_eager_steps_with_one_trace(row):
    eager, traced = start(), start()
    first, second = row.kind([eager], **row.options), row.kind([traced], **row.options)
    step = tz.jit(lambda: one_step(second, bowl, traced))
    with compilations(exactly=1):
        for _ in range(5):
            one_step(first, bowl, eager)
            step()
    np.testing.assert_allclose(traced.numpy(), eager.numpy(), rtol=1e-12)


@each_optimizer
def test_a_saved_state_goes_on_to_the_same_bits(row):
    w = start()
    optimizer = row.kind([w], **row.options)
    for _ in range(3):
        one_step(optimizer, bowl, w)
    twin = tz.tensor(w.numpy().copy(), requires_grad=True)
    restored = row.kind([twin], **{**row.options, "lr": 0.77})
    restored.load_state_dict({name: x.numpy().copy() for name, x in optimizer.state_dict().items()})
    for _ in range(3):
        one_step(optimizer, bowl, w)
        one_step(restored, bowl, twin)
    assert same_bits(w.numpy(), twin.numpy())


@each_optimizer
def test_frozen_and_unused_parameters_stay(row):
    used, frozen, unused = start(), start(), start()
    optimizer = row.kind([unused, used, frozen], **row.options)
    frozen.requires_grad_(False)
    one_step(optimizer, lambda: bowl(used) + bowl(frozen))
    assert used.tolist() != start().tolist()
    assert frozen.tolist() == unused.tolist() == start().tolist()


def test_rosenbrock_valley():
    w = tz.tensor([-1.2, 1.0], "float64", requires_grad=True)
    optimizer = Adam([w], lr=0.05)
    step = tz.jit(lambda: one_step(optimizer, lambda: (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2))
    for _ in range(2000):
        step()
    np.testing.assert_allclose(w.numpy(), [1, 1], atol=1e-2)


def test_momentum_of_0_is_plain_and_of_1_never_slows():
    first, second = start(), start()
    a, b = SGD([first], lr=0.1, momentum=0), SGD([second], lr=0.1)
    for _ in range(3):
        one_step(a, bowl, first)
        one_step(b, bowl, second)
    assert same_bits(first.numpy(), second.numpy())
    w = tz.tensor([0.0], requires_grad=True)
    inertia = SGD([w], lr=1.0, momentum=1.0)
    one_step(inertia, lambda: w.sum())
    for _ in range(3):
        one_step(inertia, lambda: 0 * w.sum())
    assert w.tolist() == [-4]


def test_decay_with_the_gradient_and_apart_from_it_differ():
    by_loss, apart = (tz.tensor([2.0], requires_grad=True) for _ in range(2))
    one_step(Adam([by_loss], lr=0.1, weight_decay=0.5), lambda: 0 * by_loss.sum())
    one_step(AdamW([apart], lr=0.1, weight_decay=0.5), lambda: 0 * apart.sum())
    assert by_loss.item() == pytest.approx(2 - 0.1) and apart.item() == pytest.approx(2 - 0.1 * 0.5 * 2)


def test_clipping_is_over_all_parameters_together_and_keeps_small_gradients():
    a, b = tz.tensor([0.0], requires_grad=True), tz.tensor([0.0], requires_grad=True)
    optimizer = SGD([a, b], lr=1.0, clip_norm=1.0)
    one_step(optimizer, lambda: (3 * a + 4 * b).sum())
    assert (a.item(), b.item()) == pytest.approx((-0.6, -0.8))
    one_step(optimizer, lambda: (0.3 * a + 0.4 * b).sum())
    assert (a.item(), b.item()) == pytest.approx((-0.9, -1.2))
    one_step(optimizer, lambda: (0 * a + 0 * b).sum())
    assert (a.item(), b.item()) == pytest.approx((-0.9, -1.2))


def test_a_learning_rate_may_change_without_a_new_trace():
    w = start()
    optimizer = SGD([w], lr=0.1)
    step = tz.jit(lambda: one_step(optimizer, lambda: w.sum()))
    with compilations(exactly=1):
        for rate in (0.1, 1.0, tz.tensor(0.01)):
            before = w.numpy()
            optimizer.lr = rate
            step()
            np.testing.assert_allclose(before - w.numpy(), float(optimizer.lr), rtol=1e-6)


def test_numpy_numbers_are_hyper_parameters():
    assert float(Adam(lr=np.float32(0.5), betas=[np.float64(0.5), 0.5]).lr) == 0.5


def test_parameters_of_half_precision_keep_their_dtype():
    w = tz.tensor([1.0], "float16", requires_grad=True)
    one_step(Adam([w], lr=0.5), lambda: w.sum())
    assert w.dtype is tz.float16 and w.item() == 0.5


def test_a_parameter_that_is_given_twice_moves_once():
    w = tz.tensor([1.0], requires_grad=True)
    optimizer = SGD([w, w], lr=0.25)
    one_step(optimizer, lambda: w.sum())
    assert w.item() == 0.75 and len(optimizer.parameters) == 1


def test_repr():
    assert repr(Adam([start()], lr=0.01,
                     clip_norm=1.0)) == "Adam(lr=0.01, chain=[ClipByNorm, ScaleByAdam], parameters=1)"


W = tz.tensor([1.0], requires_grad=True)
ERRORS = {
    "lr": (lambda: SGD(lr=-0.1), ArgumentError, r"lr=-0.1\n  expected: a number of at least 0\n.*example lr=0.001"),
    "nan": (lambda: Adam(lr=float("nan")), ArgumentError, "lr=nan"),
    "infinite": (lambda: Adam(lr=float("inf")), ArgumentError, "lr=inf"),
    "text": (lambda: Adam(lr="fast"), ArgumentError, "lr='fast'"),
    "later lr": (lambda: setattr(SGD(), "lr", -1), ArgumentError, "lr=-1"),
    "clip_norm 0": (lambda: SGD(clip_norm=0), ArgumentError, "clip_norm=0\n  expected: a number above 0"),
    "clip_norm": (lambda: Adam(clip_norm=-1.0), ArgumentError, "clip_norm=-1.0"),
    "momentum": (lambda: SGD(momentum=1.1), ArgumentError, "momentum=1.1\n  expected: a number from 0 to 1"),
    "nesterov": (lambda: SGD(nesterov=True), ArgumentError, "nesterov=True with momentum=0"),
    "beta": (lambda: Adam(betas=(0.9, 1.0)), ArgumentError,
             "betas=1.0\n  expected: a number from 0 up to but not with 1"),
    "betas": (lambda: Adam(betas=0.9), ArgumentError, "betas=0.9\n  expected: two numbers"),
    "rho": (lambda: RMSprop(rho=1), ArgumentError, "rho=1"),
    "decay": (lambda: AdamW(weight_decay=-1), ArgumentError, "weight_decay=-1"),
    "no parameters": (lambda: SGD([]), ArgumentError, "an optimizer without parameters"),
    "not a tensor": (lambda: SGD([1.0]), ArgumentError, "a float as parameter"),
    "integers": (lambda: SGD([tz.tensor([1])]), ArgumentError, "a tensor of int64 as parameter"),
    "step without parameters": (lambda: SGD().step(), TrainingError,
                                r"without parameters[\s\S]*Adam\(model.parameters"),
    "step without gradient": (lambda: SGD([start()]).step(), TrainingError,
                              r"without a gradient[\s\S]*loss.backward\(\)"),
    "state of another": (lambda: SGD([start()]).load_state_dict(Adam([start()]).state_dict()), ArgumentError,
                         "a state that does not fit the optimizer: missing nothing; not known 0.beta1"),
    "state's shape": (lambda: SGD([start()], momentum=0.9).load_state_dict(
        SGD([tz.ones(2, requires_grad=True)], momentum=0.9).state_dict()), ShapeError, r"0.velocity.0 in the state"),
    "variable twice": (lambda: SGD().apply_gradients([(tz.ones(1), W), (tz.ones(1), W)]), ArgumentError,
                       "a variable that stands there twice"),
    "schedule": (lambda: tz.optim.cosine_decay(0.1, 0), ArgumentError, "steps=0"),
}


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind, match=text):
        act()


def test_the_first_apply_gradients_inside_a_trace():
    w, optimizer = tz.ones(1, requires_grad=True), SGD(None, lr=0.5)
    step = tz.jit(lambda g: optimizer.apply_gradients([(g, w)]))
    with pytest.raises(TraceError, match="the optimizer has not seen a parameter yet, so its state is not there"):
        step(tz.ones(1))
    optimizer.attach([w])
    step(tz.ones(1))
    assert w.tolist() == [0.5]


def test_attaching_anew_starts_all_state_and_a_refused_call_none():
    w, other = (tz.ones(1, requires_grad=True) for _ in range(2))
    optimizer = SGD([w], lr=0.5, momentum=0.9)
    optimizer.apply_gradients([(tz.ones(1), w)])
    before = optimizer.state_dict()
    for refused in ([], [w, tz.tensor([1])], [w, 3], 3):
        with pytest.raises(ArgumentError):
            optimizer.attach(refused)
    assert optimizer.parameters[0] is w and optimizer.step_count.item() == 1
    assert optimizer.state_dict().keys() == before.keys() and optimizer.state_dict()["0.velocity.0"].item() == 1
    optimizer.attach([other])
    assert (optimizer.step_count.item(), optimizer.state_dict()["0.velocity.0"].item()) == (0, 0)
    assert (optimizer.lr.item(), optimizer.chain[0].momentum.item()) == (0.5, pytest.approx(0.9))


@each_optimizer
def test_an_optimizer_that_starts_anew_is_as_one_that_never_stepped(row):
    steps = {}
    for has_stepped in (False, True):
        w = start()
        means = {} if row.kind is ScheduleFreeAdamW else {"ema": 0.5}
        optimizer = row.kind([w], **row.options, **means, accumulate_steps=2)
        for _ in range(3 * has_stepped):
            one_step(optimizer, bowl, w)
        with tz.no_grad():
            w.copy_(start())
        optimizer.start_anew()
        for _ in range(4):
            one_step(optimizer, bowl, w)
        steps[has_stepped] = {"w": w.tolist(), **{name: x.tolist() for name, x in optimizer.state_dict().items()}}
    assert steps[True] == steps[False]
