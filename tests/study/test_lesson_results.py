"""Known results: the lesson's five dots, Domingos's 0-1 loss, Prechelt's criteria, bias and variance over capacity.

What is tested is in examples/known_results, whose pictures docs/generalization.md shows.
"""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import tarazu as tz
from tarazu.study import decompose_zero_one

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples" / "known_results"
PAGE = REPOSITORY / "docs" / "generalization.md"


@pytest.fixture
def example(monkeypatch):
    """A function that imports an example by its name."""
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")  # small fits, which compile for longer than they run
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


def test_five_dots_have_the_errors_of_the_lesson(example):
    dots = example("five_dots")
    assert [round(error, 1) for error in dots.errors(2)] == [5.3, 5.1]
    training, validation = dots.errors(7)
    assert training < 1e-6 and round(validation) == 20


def test_gradient_descent_finds_the_least_of_all_polynomials_through_the_dots(example):
    dots = example("five_dots")
    found = dots.fitted(7)[0].weight.numpy()[:, 0]
    np.testing.assert_allclose(found, np.linalg.pinv(dots.terms(dots.X, 7)) @ dots.Y, atol=1e-3)


def test_over_many_draws_more_parameters_fit_better_and_predict_worse_than_a_line(example):
    drawn = example("five_dots").drawn_errors(2000)
    training, validation = drawn.mean(axis=0).T
    assert (np.diff(training[:5]) < 0).all() and training[4:].max() < 1e-10
    assert training[1] == pytest.approx(9 * 3 / 5, rel=0.05)  # the variance of the noise, times rows less parameters
    assert validation.argmin() == 1 and (drawn[:, 6, 1] > drawn[:, 1, 1]).mean() > 0.65


def test_the_0_1_loss_is_as_domingos_has_it_with_noise():
    """His theorem 2: the expected loss is (2 P(the best is predicted) - 1) N + B + c V, with c = 1 or -1."""
    random = np.random.default_rng(0)
    predicted, best, noise = (random.random((50, 1, 200)) < random.random(200)).astype(int), np.arange(200) % 2, 0.2
    right, wrong = decompose_zero_one(predicted, best, best), decompose_zero_one(predicted, 1 - best, best)
    loss = (1 - noise) * right.loss + noise * wrong.loss
    share = (predicted[:, 0] == best).mean(axis=0)
    biased = right.main != best
    variance = (predicted[:, 0] != right.main).mean(axis=0)
    np.testing.assert_allclose(loss, (2 * share - 1) * noise + biased + np.where(biased, -1, 1) * variance, atol=1e-12)
    np.testing.assert_allclose((1 - noise) * right.noise_effect + noise * wrong.noise_effect, (2 * share - 1) * noise,
                               atol=1e-12)


def test_of_several_classes_variance_helps_only_as_often_as_it_hits_the_best():
    """His theorem 3: on a biased row c is minus the share of the best class among other predictions than the main."""
    predicted = np.array([0, 0, 0, 1, 2, 2])[:, None, None]
    assert decompose_zero_one(predicted, [1]).variance_coefficient == pytest.approx(-1 / 3)
    assert decompose_zero_one(predicted, [2]).variance_coefficient == pytest.approx(-2 / 3)
    assert decompose_zero_one(predicted, [3]).variance_coefficient == pytest.approx(0)


def test_bias_rises_and_variance_falls_with_the_neighbors_and_trees_are_the_other_way_round(example):
    domingos = example("domingos")
    nearest, tree = (domingos.terms(learner, samples=40, new_rows=400) for learner in (domingos.nearest, domingos.tree))
    for found in (nearest, tree):
        np.testing.assert_allclose(found[:, 0], found[:, 1] + found[:, 2] - found[:, 3], atol=1e-12)
        np.testing.assert_allclose(found[:, 4], found[:, 2] + found[:, 3], atol=1e-12)  # true of two classes
    assert (np.diff(nearest[:7, 1]) > 0).all() and (np.diff(nearest[:4, 4]) < 0).all()
    assert tree[0, 1] > tree[2, 1] > tree[-1, 1] and tree[-1, 4] > tree[2, 4]
    assert nearest[6, 3] > 3 * nearest[0, 3]  # variance helps where there is bias


def test_criteria_stop_where_prechelt_says(example):
    stopped = example("stopping").stopped
    validation = np.array([1.0, 0.8, 0.81, 0.79, 0.80, 0.81, 0.83, 0.86])
    slow, fast = (np.tile([1.0, 1.0, 1.0, 1.0, low], (8, 1)) for low in (0.99, 0.5))
    assert [stopped("UP", s, slow, validation) for s in (1, 2, 4, 9)] == [3, 6, 8, 8]
    assert [stopped("GL", a, slow, validation) for a in (1, 2, 5, 9)] == [3, 6, 7, 8]
    assert stopped("PQ", 0.2, slow, validation) == 6 and stopped("PQ", 0.2, fast, validation) == 8


def test_the_callback_of_the_page_stops_a_fit_where_the_criterion_stops_its_long_run(example):
    stopping, found = example("stopping"), {"np": np, "tz": tz}
    exec(compile(blocks()[2], str(PAGE), "exec"), found)
    long = stopping.run("sum", 1.0, 0, epochs=60)
    expected = stopping.stopped("GL", 5, *long[:2]) * stopping.STRIP
    assert expected < 60 and len(found["history"]) == expected and found["history"].stopped == "GL"


def test_bias_falls_and_variance_rises_with_the_parameters(example):
    found = example("bias_and_variance").decomposed((2, 4, 12), parts=2, rounds=2, epochs=40)
    line, four, twelve = (point.loss for point in found.points)
    assert line.bias.mean > 0.25 and abs(four.bias.mean) < 0.1
    assert twelve.sample_variance.mean > 2 * four.sample_variance.mean and four.loss.mean < line.loss.mean
    for each in (line, four, twelve):
        assert abs(each.seed_variance.mean) < 1e-9  # all start from zeros, and each step is of all rows
        total = each.noise + each.bias.mean + each.sample_variance.mean + each.seed_variance.mean
        assert total == pytest.approx(each.loss.mean, rel=1e-12)


@pytest.mark.long
def test_over_epochs_the_bias_of_a_network_falls_and_its_variance_rises(example):
    early, late = example("domingos").network_terms(parts=6, at_epochs=(3, 300))
    assert late[1] < 0.7 * early[1] and late[4] > 1.3 * early[4]


@pytest.mark.long
def test_slow_criteria_take_some_times_as_long_for_a_test_loss_that_is_a_little_lower(example):
    stopping = example("stopping")
    runs = [[stopping.run(*problem, seed) for seed in range(2)] for problem in stopping.PROBLEMS]
    for name, strengths in stopping.CRITERIA.items():
        (time, *_), (loss, low, high) = stopping.compared(runs, (name, strengths[-1]), (name, strengths[0]))
        assert 1.3 < time < 8 and 0.85 < loss < 1.01 and low < 0.99 and high < 1.05


def blocks():
    """The Python code of the page, block by block."""
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


def test_the_page_runs_and_prints_what_it_shows(capsys, example):
    text = PAGE.read_text(encoding="utf-8")
    names = {}
    for code in blocks():
        exec(compile(code, str(PAGE), "exec"), names)
        for line in capsys.readouterr().out.splitlines():
            assert line in text


def test_the_pictures_of_the_page_are_there_and_small():
    pictures = re.findall(r"\((pictures/.*?\.svg)\)", PAGE.read_text(encoding="utf-8"))
    assert len(pictures) == 4 == len(set(pictures))
    for path in pictures:
        assert 1000 < (PAGE.parent / path).stat().st_size < 60_000
