"""Power laws recovered from losses that were drawn by one, their intervals, and curves of other forms."""

import numpy as np
import pytest

from tarazu.study.curves.power_law import PowerLaw, extrapolation, fitted_laws

ROWS = [20, 40, 80, 160, 320]


def drawn(curve, seed, noise=0.05, draws=4):
    random = np.random.default_rng(seed)
    return [[curve(n) * (1 + noise * (n / 20)**-0.3 * random.normal()) for _ in range(draws)] for n in ROWS]


def test_a_law_without_noise_is_recovered():
    losses = np.array([[0.2 + 3 * n**-0.5 for n in ROWS]])
    law, misfit = fitted_laws(np.array(ROWS, float), losses, np.full(5, 0.01), 0.0)
    floor, scale, exponent = law[0]
    assert floor == pytest.approx(0.2, abs=0.02) and exponent == pytest.approx(0.5, rel=0.05)
    assert scale == pytest.approx(3, rel=0.1) and misfit[0] < 0.1
    assert PowerLaw(floor, scale, exponent).at(1280) == pytest.approx(0.2 + 3 * 1280**-0.5, abs=0.01)


def test_weights_are_those_of_a_weighted_linear_fit():
    rows, errors = np.array(ROWS, float), np.array([0.3, 0.2, 0.1, 0.05, 0.02])
    losses = np.random.default_rng(0).uniform(1, 2, (3, 5)) + rows**-0.7 * 20
    laws, misfits = fitted_laws(rows, losses, errors, -np.inf)
    for loss, (floor, scale, exponent), misfit in zip(losses, laws, misfits, strict=True):
        basis = np.stack([np.ones(5), rows**-exponent], 1) / errors[:, None]
        expected, squares, *_ = np.linalg.lstsq(basis, loss / errors, rcond=None)
        assert expected == pytest.approx([floor, scale]) and squares[0] == pytest.approx(misfit)


@pytest.mark.parametrize("law", [PowerLaw(0.2, 3.0, 0.5), PowerLaw(0.0, 2.0, 0.3), PowerLaw(0.5, 10.0, 1.0)])
def test_intervals_hold_what_they_say_and_laws_are_told(law):
    results = [extrapolation(ROWS, drawn(law.at, seed), np.random.default_rng(seed)) for seed in range(15)]
    lawful = [found for found in results if found.kind == "power law"]
    assert len(lawful) >= 14
    held = [found.at(1280).low <= law.at(1280) <= found.at(1280).high for found in lawful]
    assert sum(held) >= len(lawful) - 2
    assert np.median([found.at(1280).high - found.at(1280).low for found in lawful]) < 0.5 * law.at(1280)


@pytest.mark.parametrize(("curve", "kind"), [
    (lambda n: 1.0 + 0 * n, "not falling"), (lambda n: n / 100, "not falling"),
    (lambda n: 1 / (1 + (n / 100)**4), "misfit"), (lambda n: {20: 3, 40: 2, 80: 4, 160: 2, 320: 1}[n], "peaking")])
def test_curves_of_other_forms_are_told(curve, kind):
    kinds = [extrapolation(ROWS, drawn(curve, seed), np.random.default_rng(0)).kind for seed in range(5)]
    assert kinds.count(kind) >= 4


def test_floors_may_be_negative_where_losses_are():
    found = extrapolation(ROWS, drawn(lambda n: -2 + 9 * n**-0.5, 0, 0.02), np.random.default_rng(0))
    assert found.kind == "power law" and found.law.floor < -1.5


def test_diverged_fits_do_not_count():
    losses = drawn(PowerLaw(0.2, 3.0, 0.5).at, 3)
    whole = extrapolation(ROWS, losses, np.random.default_rng(0))
    losses[1][2] = np.nan
    without = extrapolation(ROWS, losses, np.random.default_rng(0))
    assert without.kind == "power law" and without.law != whole.law
    assert extrapolation(ROWS, [[np.nan] * 4, [np.nan] * 4, *losses[2:]], np.random.default_rng(0)).kind == "undecided"
    assert extrapolation(ROWS, [values[:1] for values in losses], np.random.default_rng(0)).kind == "undecided"


def test_same_generator_same_interval():
    losses = drawn(PowerLaw(0.2, 3.0, 0.5).at, 1)
    first, second = (extrapolation(ROWS, losses, np.random.default_rng(5)) for _ in range(2))
    assert first.at(999) == second.at(999) and first.at(999).low <= first.at(999).mean <= first.at(999).high
