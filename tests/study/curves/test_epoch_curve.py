"""`epoch_curve` on losses that are drawn and on small models: turning point, second descent, Ctrl-C, errors."""

import math

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.study.curves.epoch_curve import curve_of, epoch_curve


@pytest.fixture(autouse=True)
def in_numpy():
    tz.set_backend("numpy")


RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
Y = X @ np.array([1.0, 2.0, 3.0])
EPOCHS = np.arange(1, 41)


def drawn(validation, seeds=4, noise=0.02):
    random = np.random.default_rng(0)
    return curve_of([np.stack([1 / EPOCHS, validation + noise * random.normal(size=40)]) for _ in range(seeds)], 7)


def linear(rate=0.02):
    return tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=rate), loss="mse")


def curve(build=linear, **options):
    return epoch_curve(build, X, Y, **({"epochs": 3, "seeds": 2} | options))


def test_the_turning_point_is_told_with_the_epochs_as_good():
    found = drawn(1 + ((EPOCHS - 15) / 15)**2)
    first, last = found.as_good
    assert found.turns and 10 < first <= found.best <= last < 20 and first <= 15 <= last
    assert found.double_descent is None and f"(epochs {first} to {last} are as good) and then rises" in str(found)


def test_a_loss_that_only_falls_does_not_turn():
    found = drawn(1 / EPOCHS)
    assert not found.turns and found.double_descent is None
    assert "the validation loss is lowest at epoch" in str(found) and "then rises" not in str(found)


def test_a_second_descent_is_told():
    found = drawn(1 / EPOCHS + np.exp(-((EPOCHS - 20) / 5)**2))
    assert found.double_descent is not None and 18 <= found.double_descent.peak <= 22
    assert found.double_descent.rise.low > 0.5 and "double descent: the loss rises by" in str(found)


def test_fits_of_different_lengths_are_compared_as_far_as_all_go():
    fits = [np.ones((2, 5)), np.ones((2, 3)), np.full((2, 9), np.nan)]
    found = curve_of(fits, 7)
    assert len(found.points) == 3 and found.points[0].diverged == 1 and found.points[2].val_loss.mean == 1
    assert "1 fit of 3 diverged" in str(found)


def test_epochs_of_a_model(tmp_path):
    stop = tz.train.EarlyStopping("loss", patience=1, min_delta=1e9)
    found = curve(epochs=6, callbacks=[stop])
    assert len(found.points) == 6 and found.best == 6 and not found.turns
    assert "lowest at epoch 6" in str(found) and "the last: it may fall further" in str(found)
    losses = [point.val_loss.mean for point in found.points]
    assert losses == sorted(losses, reverse=True) and found.points[0].parameters == 4
    assert found.to_frame()["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert found.plot(tmp_path / "curve.svg").svg() == (tmp_path / "curve.svg").read_text()
    assert "best: epoch 6" in found._repr_html_() and found == curve(epochs=6)


def test_many_epochs_have_a_logarithmic_axis_and_few_points():
    epochs = np.arange(1, 3001)
    found = curve_of([np.stack([1 / epochs, 2 / epochs])] * 2, 7)
    picture = found.plot().svg()
    assert len(picture) < 20_000 and "epoch (logarithmic axis)" in picture and ">300<" in picture
    shown = [line.split()[0] for line in str(found).splitlines()[2:-1]]
    assert shown == ["1", "2", "5", "11", "25", "55", "122", "272", "605", "1,347", "3,000"]
    assert "logarithmic" not in drawn(1 / EPOCHS).plot().svg().split("epoch")[-1]


def test_fits_that_all_diverge_have_no_best_epoch():
    found = curve(lambda: linear(1e9), epochs=12)
    assert math.isnan(found.points[0].val_loss.mean) and found.points[0].diverged == 2
    assert "lowest" not in str(found) and "2 fits of 2 diverged" in str(found) and found.plot().svg().startswith("<svg")


@pytest.mark.parametrize("after", [0, 2])
def test_an_interruption_keeps_the_fits_that_are_done(interrupt_after, after):
    interrupt_after(after)
    if not after:
        with pytest.raises(KeyboardInterrupt):
            curve()
        return
    found = curve(seeds=5)
    assert found.interrupted and len(found.points[0].losses) == 2 and "interrupted: fits are missing" in str(found)


@pytest.mark.parametrize(("options", "text"), [({"seeds": 1}, "seeds=1.*at least 2"), ({"epochs": 0}, "epochs=0")])
def test_unfit_arguments_are_named(options, text):
    with pytest.raises(ArgumentError, match="(?s)" + text):
        curve(**options)


def test_a_build_that_gives_no_model_is_named():
    with pytest.raises(TrainingError, match=r"build\(\) gave a int"):
        curve(lambda: 3)
