"""`learning_curve` on small models: parts, steps, divergence, Ctrl-C, what is shown, and its errors."""

import math

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.study.curves import learning_curve as module
from tarazu.study.curves.estimates import CurvePoint
from tarazu.study.curves.learning_curve import LearningCurve, learning_curve, part_of_rows


@pytest.fixture(autouse=True)
def in_numpy():
    tz.set_backend("numpy")


RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(300, 8))
Y = X @ RANDOM.normal(size=8) + RANDOM.normal(size=300)


def linear(rate=0.1):
    return tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=rate), loss="mse")


def curve(build=linear, rows=200, **options):
    options = {"validation_data": (X[200:], Y[200:]), "epochs": 5, "draws": 2} | options
    return learning_curve(build, X[:rows], Y[:rows], **options)


def test_more_rows_bring_a_lower_loss_and_the_noise_is_the_floor():
    tz.random.seed(3)
    expected = tz.random.normal((3,)).tolist()
    tz.random.seed(3)
    found = curve(draws=3)
    assert found.rows == (12, 25, 50, 100, 200) and found.kind == "power law"
    losses = [point.val_loss.mean for point in found.points]
    assert losses == sorted(losses, reverse=True)
    assert 0.6 < found.predict(800).low <= found.predict(800).mean < losses[-1] + 0.05
    assert found.points[0].loss.mean < found.points[-1].loss.mean and found.points[0].parameters == 9
    assert "4 x the rows: " in str(found) and "power law: loss = " in str(found)
    assert tz.random.normal((3,)).tolist() == expected  # the global generator is as before


def test_the_same_seed_gives_the_same_curve():
    sizes = [10, 20, 40, 80]
    first, second, other = (curve(rows=100, sizes=sizes, seed=seed) for seed in (0, 0, 1))
    assert first == second and first.points != other.points


def test_parts_are_disjoint_while_there_are_rows():
    parts = [part_of_rows(20, 6, draw, 0) for draw in range(4)]
    assert len(np.unique(np.concatenate(parts[:3]))) == 18 and all(len(set(part)) == 6 for part in parts)
    assert np.intersect1d(parts[3], np.concatenate(parts[:3])).size
    assert sorted(part_of_rows(20, 20, 3, 0)) == list(range(20))


def test_steps_say_how_long_smaller_parts_are_trained(monkeypatch):
    seen = []
    fit = module.Experiment.fit
    monkeypatch.setattr(module.Experiment, "fit", lambda self, **options: (
        seen.append((options["train"].rows, options["epochs"])), fit(self, **options))[1])
    curve(sizes=[0.1, 0.2, 0.5, 1.0], epochs=2)
    assert seen[:4] == [(20, 14), (40, 7), (100, 4), (200, 2)]  # 14 steps of 32 rows each
    seen.clear()
    found = curve(sizes=[0.1, 0.2, 0.5, 1.0], epochs=2, steps="epochs")
    assert {epochs for _, epochs in seen} == {None} and "as many epochs for all" in str(found)


def test_diverged_fits_are_reported_apart():
    found = curve(lambda: linear(1e9), sizes=[10, 20, 40, 80], epochs=20)
    assert found.kind == "undecided" and found.law is None
    assert [point.diverged for point in found.points] == [2, 2, 2, 2] and math.isnan(found.points[0].loss.mean)
    assert "8 fits of 8 diverged and are left out of the means (10: 2, 20: 2, 40: 2, 80: 2)" in str(found)
    assert found.plot().svg().startswith("<svg") and found.to_frame()["diverged"].sum() == 8


@pytest.mark.parametrize(("after", "kept"), [(3, False), (4, True), (6, True)])
def test_an_interruption_keeps_the_fits_that_are_done(interrupt_after, after, kept):
    interrupt_after(after)
    if not kept:
        with pytest.raises(KeyboardInterrupt):
            curve(sizes=[10, 20, 40, 80])
        return
    found = curve(sizes=[10, 20, 40, 80])
    assert found.interrupted and sum(len(point.val_losses) for point in found.points) == after
    assert "interrupted: fits are missing" in str(found)
    assert (found.kind == "undecided") == (after == 4)


def test_frames_and_pictures(tmp_path):
    found = curve(sizes=[10, 20, 40, 80])
    frame = found.to_frame()
    assert frame["rows"].tolist() == [10, 20, 40, 80] and frame["fits"].tolist() == [2] * 4
    assert (frame["val_loss_low"] < frame["val_loss"]).all() and (frame["val_loss"] < frame["val_loss_high"]).all()
    picture = found.plot(tmp_path / "curve.svg").svg()
    assert (tmp_path / "curve.svg").read_text() == picture and ">40<" in picture
    assert ">mean loss by training rows" in found._repr_html_()


@pytest.mark.parametrize("kind", ["not falling", "peaking", "misfit", "undecided"])
def test_what_is_no_power_law_is_not_carried_on(kind):
    points = tuple(CurvePoint(rows, (1.0, 1.1), (2.0, 2.1), 3) for rows in (10, 20))
    found = LearningCurve(points, kind, None, "epochs", False)
    assert "power law" in str(found) and ('steps="same" tells' in str(found)) == (kind == "misfit")
    with pytest.raises(ArgumentError, match=f"of a curve that is {kind}"):
        found.predict(100)


@pytest.mark.parametrize(("options", "text"), [
    ({"rows": 79}, "learning_curve of 79 training rows.*expected: at least 80: 4 parts"),
    ({"draws": 1}, "draws=1.*at least 2"), ({"steps": "twice"}, "steps='twice'"),
    ({"sizes": [10, 20, 30]}, r"sizes=\[10, 20, 30\] of 200 training rows"),
    ({"sizes": [5, 10, 20, 30]}, "sizes="), ({"sizes": [10, 20, 30, 999]}, "sizes="), ({"epochs": 0}, "epochs=0")])
def test_unfit_arguments_are_named(options, text):
    with pytest.raises(ArgumentError, match="(?s)" + text):
        curve(**options)


def test_a_build_that_gives_one_model_twice_is_named():
    model = linear()
    with pytest.raises(TrainingError, match="same layers twice"):
        curve(lambda: model)


def test_fewer_rows_than_were_measured_are_no_question():
    found = curve(draws=3)
    with pytest.raises(ArgumentError, match="of a curve from 12 rows on"):
        found.predict(5)
