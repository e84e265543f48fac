"""Decompositions of given predictions: sums hold to rounding, and estimates meet closed forms."""

import numpy as np
import pytest

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.study import decompose_cross_entropy, decompose_squared, decompose_zero_one
from tarazu.study.decompose.additive import geometric_mean, log_softmax

RANDOM = np.random.default_rng(0)


def test_the_terms_of_the_squared_loss_add_up_and_are_those_of_the_analysis_of_variance():
    f, y = RANDOM.normal(size=(3, 4, 5, 2)), RANDOM.normal(size=(5, 2))
    terms = decompose_squared(f, y, noise=0.1)
    np.testing.assert_allclose(terms.noise + terms.bias + terms.variance, terms.loss, rtol=1e-12)
    np.testing.assert_allclose(terms.loss, ((f - y)**2).mean((0, 1, 3)), rtol=1e-12)
    within = f.var(axis=1, ddof=1).mean(axis=0)
    np.testing.assert_allclose(terms.seed_variance, within.mean(-1), rtol=1e-12)
    between = f.mean(axis=1).var(axis=0, ddof=1) - within / 4
    np.testing.assert_allclose(terms.sample_variance, between.mean(-1), rtol=1e-11)


def test_the_terms_of_the_cross_entropy_add_up_also_for_soft_targets():
    z = log_softmax(RANDOM.normal(size=(3, 2, 6, 4)))
    p = np.exp(log_softmax(RANDOM.normal(size=(6, 4))))
    noise = -(p * np.log(p)).sum(-1)
    terms = decompose_cross_entropy(z, p, noise)
    np.testing.assert_allclose(terms.noise + terms.bias + terms.variance, terms.loss, rtol=1e-12)
    np.testing.assert_allclose(terms.loss, -(p * z).sum(-1).mean((0, 1)), rtol=1e-12)
    mean = geometric_mean(z)
    divergence = (np.exp(mean) * (mean - z)).sum(-1).mean((0, 1))  # from the geometric mean, without correction
    bias = (p * (np.log(p) - mean)).sum(-1)
    np.testing.assert_allclose(noise + bias + divergence, terms.loss, rtol=1e-12)


def test_near_the_mean_the_cross_entropy_has_the_variance_of_logits_with_the_softmax_curvature():
    sample, seed = RANDOM.normal(size=(400, 1, 1, 2)), 2 * RANDOM.normal(size=(400, 5, 1, 2))
    terms = decompose_cross_entropy(0.01 * (sample + seed), [0])
    curvature = 0.25 / 2 * 2 * 1e-4  # p (1 - p) / 2 of the difference of two logits, which has twice the variance
    assert terms.sample_variance[0] == pytest.approx(curvature, rel=0.2)
    assert terms.seed_variance[0] == pytest.approx(4 * curvature, rel=0.2)


def test_classes_are_those_of_probabilities_of_0_and_1():
    z, labels = RANDOM.normal(size=(2, 2, 5, 3)), np.array([0, 1, 2, 1, 0])
    soft, hard = decompose_cross_entropy(z, np.eye(3)[labels]), decompose_cross_entropy(z, labels)
    np.testing.assert_array_equal(soft.bias, hard.bias)


def test_least_squares_has_the_variance_sigma_squared_p_over_n():
    n, p, sigma = 30, 5, 0.7
    x = RANDOM.normal(size=(n, p))
    hat = x @ np.linalg.solve(x.T @ x, x.T)
    truth = x @ RANDOM.normal(size=p)
    fits = (truth + sigma * RANDOM.normal(size=(4000, n))) @ hat
    terms = decompose_squared(np.repeat(fits[:, None, :, None], 2, axis=1), truth[:, None])
    assert terms.sample_variance.mean() == pytest.approx(sigma**2 * p / n, rel=0.05)
    np.testing.assert_allclose(terms.sample_variance, sigma**2 * np.diag(hat), rtol=0.15)
    assert abs(terms.seed_variance).max() < 1e-12 and abs(terms.bias).max() < 0.002


def test_a_constant_has_bias_alone():
    y = RANDOM.normal(size=(7, 1))
    terms = decompose_squared(np.full((2, 2, 7, 1), 0.5), y)
    np.testing.assert_allclose(terms.bias, (y[:, 0] - 0.5)**2, rtol=1e-12)
    assert not terms.variance.any()


def test_nearest_neighbors_have_the_variance_sigma_squared_over_k_and_the_bias_of_their_mean():
    n, k, sigma = 40, 4, 0.5
    x = np.sort(RANDOM.uniform(-1, 1, n))
    nearest = np.argsort(abs(x[:, None] - x), axis=1)[:, :k]
    truth = np.sin(6 * x)
    drawn = truth + sigma * RANDOM.normal(size=(4000, n))
    fits = drawn[:, nearest].mean(axis=2)
    terms = decompose_squared(np.repeat(fits[:, None, :, None], 2, axis=1), truth[:, None])
    np.testing.assert_allclose(terms.sample_variance, sigma**2 / k, rtol=0.15)
    np.testing.assert_allclose(terms.bias, (truth - truth[nearest].mean(1))**2, atol=0.02)


def test_estimates_are_unbiased_and_tell_sample_from_seed():
    sample, seed = RANDOM.normal(size=(3000, 2, 1)), 0.5 * RANDOM.normal(size=(3000, 2, 2))
    f = np.moveaxis(sample + seed, 0, -1)[..., None]  # 3000 independent rows of 2 samples with 2 seeds
    terms = decompose_squared(f, np.ones((3000, 1)))
    assert terms.sample_variance.mean() == pytest.approx(1, abs=0.1)
    assert terms.seed_variance.mean() == pytest.approx(0.25, abs=0.03)
    assert terms.bias.mean() == pytest.approx(1, abs=0.1)


def test_domingos_holds_for_each_row_with_and_without_noise_and_many_classes():
    classes, targets, best = (RANDOM.integers(0, 4, size) for size in ((5, 3, 200), 200, 200))
    for known in (None, best):
        terms = decompose_zero_one(classes, targets, known)
        np.testing.assert_allclose(terms.noise_effect + terms.bias + terms.variance_effect, terms.loss, atol=1e-12)
        np.testing.assert_allclose(terms.variance_coefficient * terms.variance, terms.variance_effect, atol=1e-12)
    np.testing.assert_allclose(terms.loss, (classes != targets).mean((0, 1)), rtol=1e-12)


def test_domingos_has_his_coefficients_for_two_classes():
    classes = np.array([[1, 1], [1, 0], [0, 0], [0, 0], [0, 0]])[:, :, None]  # the main prediction is 0
    share = (classes == 0).mean()
    unbiased, biased = decompose_zero_one(classes, [0]), decompose_zero_one(classes, [1])
    assert unbiased.variance_coefficient == pytest.approx(1)
    assert biased.variance_coefficient == pytest.approx(-1)
    assert unbiased.loss == pytest.approx(1 - share) and biased.loss == pytest.approx(share)
    noisy = decompose_zero_one(classes, [1], best=[0])
    assert noisy.noise_effect == pytest.approx(2 * share - 1) and noisy.bias == 0


@pytest.mark.parametrize(("arguments", "error", "text"), [
    ((np.zeros((1, 2, 3, 1)), np.zeros((3, 1))), ArgumentError, "1 samples with 2 seeds each"),
    ((np.zeros((2, 2, 3)), np.zeros(3)), ShapeError, "samples, seeds, rows"),
    ((np.zeros((2, 2, 3, 1)), np.zeros(3)), ShapeError, r"targets of shape \(3,\)"),
    ((np.full((2, 2, 3, 1), np.nan), np.zeros((3, 1))), ArgumentError, "NaN or infinite"),
])
def test_arrays_that_do_not_fit(arguments, error, text):
    with pytest.raises(error, match=text):
        decompose_squared(*arguments)


def test_classes_out_of_range():
    with pytest.raises(ArgumentError, match="class numbers from 0 to 1"):
        decompose_cross_entropy(np.zeros((2, 2, 1, 2)), [2])
    with pytest.raises(ArgumentError, match="no class numbers"):
        decompose_zero_one(np.zeros((2, 2, 1)), [-1])
    with pytest.raises(ArgumentError, match="predicted that are no class numbers"):
        decompose_zero_one(np.full((2, 2, 1), "a"), [0])
    with pytest.raises(ShapeError, match="targets of shape"):
        decompose_zero_one(np.zeros((2, 2, 1)), [1, 1])
    with pytest.raises(ShapeError, match=r"best of shape \(2,\)"):
        decompose_zero_one(np.zeros((2, 2, 1)), [1], best=[1, 1])
    for predicted in (np.zeros((3, 5), int), np.zeros((0, 2, 5), int)):
        with pytest.raises(ShapeError, match="predicted classes of shape"):
            decompose_zero_one(predicted, np.zeros(5, int))
