"""The distributions of tz.random: shapes of samples, moments, streams, gradients, and what misuse says."""

import numpy as np
import pytest
from helpers import assert_same, leaf
from scipy import stats

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError

N = 20000


def generator(seed=5):
    return tz.random.Generator(seed)


def p_value(sample, distribution):
    return stats.kstest(sample.numpy(), distribution.cdf).pvalue


@pytest.mark.parametrize("concentration", [0.1, 0.7, 1.0, 3.5, 200.0])
def test_gamma(concentration):
    x = tz.random.gamma(concentration, N, scale=2.0, dtype="float64", generator=generator())
    assert p_value(x, stats.gamma(concentration, scale=2)) > 0.01


def test_gamma_of_many_concentrations():
    x = tz.random.gamma(tz.tensor([0.5, 4.0]), (N, 2), generator=generator())
    assert x.dtype is tz.float32
    np.testing.assert_allclose(x.numpy().mean(0), [0.5, 4], rtol=0.03)
    np.testing.assert_allclose(x.numpy().var(0), [0.5, 4], rtol=0.06)
    assert tz.random.gamma(2.0, (0, 3)).shape == (0, 3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exponential(dtype):
    x = tz.random.exponential(N, 3.0, dtype=dtype, generator=generator())
    assert p_value(x, stats.expon(scale=3)) > 0.01


def test_laplace():
    x = tz.random.laplace(N, 1.0, 3.0, generator=generator())
    assert p_value(x, stats.laplace(1, 3)) > 0.01


@pytest.mark.parametrize("parameters", [(0.5, 0.5), (2, 3), (0.05, 30)], ids=str)
def test_beta(parameters):
    x = tz.random.beta(*map(float, parameters), N, dtype="float64", generator=generator())
    assert p_value(x, stats.beta(*parameters)) > 0.01


def test_dirichlet_rows_sum_to_1():
    concentration = np.array([0.5, 2.0, 3.0])
    x = tz.random.dirichlet(concentration, N, dtype="float64", generator=generator())
    np.testing.assert_allclose(x.numpy().sum(1), 1, rtol=1e-12)
    for i, own in enumerate(concentration):
        assert p_value(x[:, i], stats.beta(own, 5.5 - own)) > 0.01
    tiny = tz.random.dirichlet([1e-4, 1e-4], N, generator=generator()).numpy()
    np.testing.assert_allclose(tiny.sum(1), 1, rtol=1e-6)  # the gamma numbers themselves are 0 in float32


def of_counts(x, distribution):
    """The p-value of Pearson's test, where numbers that are expected less than 10 times count as one."""
    numbers = np.arange(x.numpy().min(), x.numpy().max() + 1)
    seen, expected = np.bincount(x.numpy() - numbers[0]), distribution.pmf(numbers) * len(x)
    often = expected > 10
    rest = len(x) - expected[often].sum()
    if rest < 1:
        return stats.chisquare(seen, expected).pvalue
    return stats.chisquare([*seen[often], seen[~often].sum()], [*expected[often], rest]).pvalue


@pytest.mark.parametrize("mean", [0.5, 9.9, 10.5, 80.0])
def test_poisson(mean):
    x = tz.random.poisson(mean, N, generator=generator())
    assert x.dtype is tz.int64
    assert of_counts(x, stats.poisson(mean)) > 0.01


@pytest.mark.parametrize(("count", "probability"), [(9, 0.5), (40, 0.2), (40, 0.7), (300, 0.95), (1000, 0.3)])
def test_binomial(count, probability):
    assert of_counts(tz.random.binomial(count, probability, N, generator=generator()),
                     stats.binom(count, probability)) > 0.01


def test_counts_of_extreme_parameters():
    assert tz.random.binomial(tz.tensor([0, 7, 7]), tz.tensor([0.5, 0.0, 1.0])).tolist() == [0, 0, 7]
    assert tz.random.poisson(0.0, 3).tolist() == [0, 0, 0]
    large = tz.random.poisson(1e12, N, dtype="float64", generator=generator()).numpy()
    assert abs(large.mean() - 1e12) < 5 * 1e6 / N**0.5
    assert abs(large.std() / 1e6 - 1) < 5 / N**0.5
    assert abs(tz.random.binomial(10**12, 0.5, N, generator=generator()).numpy().mean() - 5e11) < 5 * 5e5 / N**0.5


def test_gumbel_softmax():
    logits = tz.tensor(np.log([0.2, 0.3, 0.5]), requires_grad=True)
    hard = tz.gumbel_softmax(logits * tz.ones((N, 1)), hard=True, generator=generator())
    assert set(hard.numpy().ravel().tolist()) == {0, 1}
    np.testing.assert_allclose(hard.numpy().mean(0), [0.2, 0.3, 0.5], atol=0.02)
    (hard * tz.tensor([1.0, 2.0, 4.0])).sum().backward()
    assert (logits.grad.numpy() != 0).all()
    soft = tz.gumbel_softmax(tz.zeros((2, 3)), 0.5, axis=0, generator=generator())
    np.testing.assert_allclose(soft.numpy().sum(0), 1, rtol=1e-6)


BOUNDS = [(-2, 2), (-np.inf, np.inf), (-np.inf, 1), (0.2, 0.5), (-0.1, 0.05), (3, np.inf), (5, 5.1), (-np.inf, -4),
          (1, 9), (-8, -6)]


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_truncated_normal(bounds):
    x = tz.random.truncated_normal(N // 4, 1.0, 2.0, *bounds, dtype="float64", generator=generator(8))
    assert p_value(x, stats.truncnorm(*bounds, loc=1, scale=2)) > 0.01


def test_truncated_normal_stays_inside_in_every_dtype():
    for dtype in ("float16", "bfloat16", "float32"):
        x = tz.random.truncated_normal(N, dtype=dtype, generator=generator())
        assert str(x.dtype) == dtype
        assert abs(x.numpy().astype(float)).max() <= 2


def test_categorical():
    logits = np.log([[0.2, 0.5, 0.3], [0.7, 0.1, 0.2]])
    x = tz.random.categorical(logits, N, generator=generator()).numpy()
    assert x.shape == (N, 2)
    for column, row in zip(x.T, np.exp(logits), strict=True):
        assert stats.chisquare(np.bincount(column, minlength=3), N * row).pvalue > 0.01
    assert tz.random.categorical(tz.zeros(3, 4), axis=0).shape == (4,)
    assert set(tz.random.categorical([-np.inf, 0.0, -np.inf], 1000).tolist()) == {1}


def test_choice_with_and_without_weights():
    weights = np.array([3.0, 0.0, 1.0, 4.0])
    x = tz.random.choice(4, N, weights=weights, generator=generator()).numpy()
    counts = np.bincount(x, minlength=4)
    assert counts[1] == 0
    assert stats.chisquare(counts[[0, 2, 3]], N * np.array([3, 1, 4]) / 8).pvalue > 0.01
    even = np.bincount(tz.random.choice(4, N, generator=generator()).numpy())
    assert stats.chisquare(even).pvalue > 0.01
    rows = tz.random.choice(tz.arange(6).reshape(3, 2), (2, 2))
    assert rows.shape == (2, 2, 2)
    assert tz.random.choice(3, 0).shape == (0,)


def test_choice_without_putting_back():
    own = generator()
    pairs = [tuple(tz.random.choice(3, 2, replace=False, weights=[1.0, 2.0, 3.0], generator=own).tolist())
             for _ in range(1500)]
    expected = {(i, j): (i + 1) / 6 * (j + 1) / (5 - i) for i in range(3) for j in range(3) if i != j}
    assert stats.chisquare([pairs.count(pair) for pair in expected], [1500 * p for p in expected.values()]).pvalue > .01
    assert sorted(tz.random.choice(5, 5, replace=False).tolist()) == [0, 1, 2, 3, 4]
    assert sorted(tz.random.choice(tz.tensor([3, 1, 2]), 2, replace=False, weights=[0.0, 1.0, 1.0]).tolist()) == [1, 2]


def test_shuffle_changes_in_place_and_permutation_does_not():
    x = tz.arange(10).reshape(5, 2)
    moved = tz.random.permutation(x, generator=generator())
    assert x.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    tz.random.shuffle(x, generator=generator())
    assert_same(x, moved)
    assert sorted(x.tolist()) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]


def test_parameters_give_the_shape():
    assert tz.random.normal(mean=tz.zeros(3), std=tz.ones((2, 1))).shape == (2, 3)
    low = tz.tensor([0.0, 10.0])
    x = tz.random.uniform(low=low, high=low + 1)
    assert (x >= low).all() and (x <= low + 1).all()
    drawn = tz.random.bernoulli(tz.full((1000,), 0.5), generator=generator())
    assert drawn.shape == (1000,) and 400 < drawn.sum().item() < 600
    assert tz.random.exponential(scale=tz.ones(3)).shape == (3,)


def test_dtypes():
    assert tz.random.randint(200, shape=1000, dtype="uint8").dtype is tz.uint8
    assert tz.random.normal(3, tz.tensor(1.0, dtype="float64"), dtype="float32").dtype is tz.float32
    assert tz.random.exponential(3, dtype="float16").dtype is tz.float16


def test_gradients_reach_what_shifts_and_scales():
    mean, std = leaf(1.0), leaf(2.0)
    x = tz.random.normal(100, mean, std, dtype="float64", generator=generator())
    x.sum().backward()
    assert mean.grad.item() == 100
    np.testing.assert_allclose(std.grad.item(), ((x - 1) / 2).sum().item())
    scale, concentration = leaf(2.0), leaf(3.0)
    x = tz.random.gamma(concentration, 100, scale, dtype="float64")
    x.sum().backward()
    np.testing.assert_allclose(scale.grad.item(), x.sum().item() / 2)
    assert concentration.grad is None


def drawn_by_all(own):
    return [tz.random.uniform(3, -1.0, 1.0, generator=own), tz.random.normal((2, 2), generator=own),
            tz.random.truncated_normal(4, generator=own),
            tz.random.truncated_normal(4, low=2.5, high=9.0, generator=own),
            tz.random.exponential(3, generator=own), tz.random.gamma(0.5, 5, generator=own),
            tz.random.randint(10, shape=4, generator=own), tz.random.bernoulli(0.5, 4, generator=own),
            tz.random.categorical(tz.zeros(5), 4, generator=own), tz.random.permutation(6, generator=own),
            tz.random.choice(9, 3, generator=own), tz.random.choice(9, 3, replace=False, generator=own),
            tz.random.choice(3, 4, weights=[1.0, 2.0, 3.0], generator=own),
            tz.dropout(tz.ones(5), 0.4, generator=own), tz.random.laplace(3, generator=own),
            tz.random.poisson(tz.tensor([2.0, 50.0]), generator=own),
            tz.random.binomial(tz.tensor([9, 90]), 0.4, generator=own), tz.random.beta(0.3, 2.0, 3, generator=own),
            tz.random.dirichlet([1.0, 2.0], 2, generator=own), tz.gumbel_softmax(tz.zeros(3), 0.5, generator=own)]


def test_the_same_stream_eagerly_and_under_jit():
    eager, compiled = generator(), generator()
    jitted = tz.jit(lambda: drawn_by_all(compiled))
    for _ in range(2):
        for one, other in zip(drawn_by_all(eager), jitted(), strict=True):
            assert_same(other, one)
    assert_same(eager.state, compiled.state)


def test_saved_and_restored_in_the_middle():
    own = generator()
    drawn_by_all(own)
    state = own.state_dict()
    first = drawn_by_all(own)
    own.load_state_dict(state)
    for one, other in zip(first, drawn_by_all(own), strict=True):
        assert_same(one, other)


def test_dropout():
    x = leaf(*range(1, 1001))
    y = tz.dropout(x, 0.25, generator=generator())
    kept = y.numpy() != 0
    assert 700 < kept.sum() < 800
    np.testing.assert_allclose(y.numpy()[kept], x.numpy()[kept] / 0.75)
    y.sum().backward()
    np.testing.assert_allclose(x.grad, kept / 0.75)
    assert tz.dropout(x, 0) is x


r = tz.random
MISUSES = [
    (lambda: r.uniform(3, dtype="int32"), DTypeError, "uniform of int32\n.*a float dtype\n.*randint"),
    (lambda: r.normal((2, -1)), ShapeError, r"normal: shape \(2, -1\)\n.*at least 0"),
    (lambda: r.normal("a"), ArgumentError, "normal: shape 'a'"),
    (lambda: r.normal(3, std=-1.0), ArgumentError, "normal: std=-1.0\n.*at least 0"),
    (lambda: r.normal(3, tz.ones(2)), ShapeError, "do not broadcast"),
    (lambda: r.normal((), tz.ones(2)), ShapeError, r"normal: shape \(\) for parameters of shapes \(2,\) and \(\)\n"
                                                   r".*broadcast to the shape\n.*leave the shape out"),
    (lambda: r.truncated_normal(3, low=2, high=1), ArgumentError, "truncated_normal: from 2 to 1\n.*low < high"),
    (lambda: r.exponential(3, tz.tensor([1.0, -2.0, 0.0])), ArgumentError, "exponential: scale=-2.0\n.*\n.*tz.clip"),
    (lambda: r.gamma(0.0), ArgumentError, "gamma: concentration=0.0\n.*above 0"),
    (lambda: r.gamma(float("nan")), ArgumentError, "gamma: concentration=nan"),
    (lambda: r.laplace(2, scale=-1.0), ArgumentError, "laplace: scale=-1.0"),
    (lambda: r.beta(0.0, 1.0), ArgumentError, "beta: alpha=0.0\n.*above 0"),
    (lambda: r.dirichlet(1.0), ShapeError, "dirichlet: a concentration without axes"),
    (lambda: r.dirichlet([1.0, -1.0]), ArgumentError, "dirichlet: concentration=-1.0\n.*above 0"),
    (lambda: r.poisson(-1.0), ArgumentError, r"poisson: mean=-1.0\n.*from 0 to 2\^53"),
    (lambda: r.binomial(2.5, 0.5), ArgumentError, "binomial: count=2.5\n.*whole numbers"),
    (lambda: r.binomial(2, 1.5), ArgumentError, "binomial: probability=1.5\n.*from 0 to 1"),
    (lambda: r.gumbel_softmax([0.0], 0.0), ArgumentError, "gumbel_softmax: temperature=0.0\n.*above 0"),
    (lambda: r.randint(3, dtype="float32"), DTypeError, "randint of float32\n.*integer"),
    (lambda: r.randint(300, dtype="uint8"), ArgumentError, "randint from 0 up to 300 as uint8\n.*holds\n.*wider"),
    (lambda: r.bernoulli(1.5), ArgumentError, "bernoulli: probability=1.5\n.*from 0 to 1"),
    (lambda: r.categorical(tz.ones((2, 0))), ShapeError, "argmax over axes"),
    (lambda: r.categorical(tz.tensor(1.0)), ShapeError, "categorical: axis -1 of a tensor with 0 axes"),
    (lambda: r.choice(3, 4, replace=False), ArgumentError, "choice: 4 of 3 rows without putting them back\n"
                                                           ".*at most 3\n.*replace=True"),
    (lambda: r.choice(3, 2, replace=False, weights=[1, 0, 0]), ArgumentError, "choice: 2 of 1 rows"),
    (lambda: r.choice(0, 2), ArgumentError, "choice: 2 of 0 rows\n.*at least one row"),
    (lambda: r.choice(2, weights=[0.0, 0.0]), ArgumentError, "choice: 1 of 0 rows"),
    (lambda: r.choice(3, weights=[1.0, 2.0]), ShapeError, r"choice: weights of shape \(2,\) for 3 rows\n.*\(3,\)"),
    (lambda: r.choice(2, weights=[1.0, -2.0]), ArgumentError, "choice: weights=-2.0"),
    (lambda: r.permutation(tz.tensor(3)), ShapeError, "permutation of a tensor without axes\n.*\n.*int"),
    (lambda: r.choice(tz.tensor(3)), ShapeError, "choice of a tensor without axes"),
    (lambda: r.permutation(-1), ShapeError, r"permutation: shape \(-1,\)"),
    (lambda: r.shuffle([1, 2]), ArgumentError, "shuffle of list\n.*\n.*permutation"),
    (lambda: tz.dropout(tz.ones(2), 1.0), ArgumentError, "rate=1.0\n.*up to but not with 1"),
]


@pytest.mark.parametrize(("call", "error", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(call, error, text):
    with pytest.raises(error, match=text):
        call()
