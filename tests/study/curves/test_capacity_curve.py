"""`capacity_curve` on small models: widths, depths and settings, interpolation, divergence, Ctrl-C, and its errors."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.study.curves import capacity_curve as module
from tarazu.study.curves.capacity_curve import capacity_curve
from tarazu.study.curves.estimates import CurvePoint


@pytest.fixture(autouse=True)
def in_numpy():
    tz.set_backend("numpy")


RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
Y = np.sin(2 * X[:, 0])


def network(units=8, rate=0.05):
    layers = [tz.nn.Dense(units, "tanh"), tz.nn.Dense(1)]
    return tz.nn.Sequential(layers).compile(tz.optim.SGD(lr=rate), loss="mse")


def curve(build=network, **options):
    return capacity_curve(build, X, Y, **({"epochs": 2, "seeds": 2} | options))


def test_widths_are_multiples_of_the_models_own():
    found = curve(settings=[0.25, 1, 2], epochs=1)
    assert [point.value for point in found.points] == [0.25, 1, 2]
    assert [point.parameters for point in found.points] == [11, 41, 81]  # 2, 8 and 16 units
    assert found.by == "width" and found.threshold is None and not found.interrupted
    assert found.best in (0.25, 1, 2) and f"best width: {found.best:g}" in str(found)
    assert found == curve(settings=[0.25, 1, 2], epochs=1)


def test_default_settings_give_each_model_once():
    experiment = module.Experiment.of(network, X, Y, epochs=1)
    found = module.capacities(experiment, None, "width")
    assert [capacity.setting for capacity in found] == [0.125, 0.5, 1, 2, 4, 8]  # an eighth and a quarter: 2 units
    deep = module.capacities(experiment, None, "depth")
    assert [capacity.setting for capacity in deep] == [0, 1, 2, 3]
    built = [network() if capacity.change is None else capacity.change(network()) for capacity in deep]
    assert [len(list(model)) for model in built] == [2, 3, 4, 5]


def test_settings_of_a_function_and_pictures(tmp_path):
    found = curve(lambda rate: network(rate=rate), settings=[1e-4, 0.1, 1e9], by="rate", epochs=10)
    assert found.best == 0.1 and [point.diverged for point in found.points] == [0, 0, 2]
    assert "2 fits of 6 diverged and are left out of the means (1e+09: 2)" in str(found)
    assert found.to_frame()["rate"].tolist() == [1e-4, 0.1, 1e9]
    picture = found.plot(tmp_path / "curve.svg").svg()
    assert "best: 0.1" in picture and (tmp_path / "curve.svg").read_text() == picture
    assert "mean loss by rate" in found._repr_html_()


def test_settings_may_be_names():
    units = {"small": 2, "large": 4}
    found = curve(lambda name: network(units[name]), settings=["small", "large"], by="size", epochs=1)
    assert ">small<" in found.plot().svg() and found.best in ("small", "large")


def test_the_threshold_is_where_the_training_loss_is_nearly_0():
    x = RANDOM.normal(size=(30, 40)).astype("float32")
    y = x[:, :40] @ np.ones(40) / 6
    found = capacity_curve(lambda columns: tz.nn.Sequential([tz.nn.Dense(1)]).compile(
        tz.optim.SGD(lr=0.02 if columns > 1 else 1e-6), loss="mse"), x[:10], y[:10], settings=[1, 40], by="columns",
        validation_data=(x[10:], y[10:]), epochs=150, seeds=2, weights="last")
    assert found.threshold == 40 and "nearly 0 from columns 40 on" in str(found)


def test_training_losses_near_0_do_not_stretch_the_axis():
    losses = {1: (0.1, 0.2), 2: (1e-28, 30.0), 4: (1e-29, 0.1)}
    points = tuple(CurvePoint(value, (loss,), (val_loss,), 1) for value, (loss, val_loss) in losses.items())
    picture = module.CapacityCurve(points, "width", 4, (4, 4), 2, None, False).plot().svg()
    assert "logarithmic" in picture and ">0.001<" in picture and ">0.0001<" not in picture and "1e-" not in picture


def test_an_interruption_keeps_the_fits_that_are_done(monkeypatch):
    fit, calls = module.Experiment.fit, []

    def interrupted(self, **options):
        calls.append(options)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return fit(self, **options)

    monkeypatch.setattr(module.Experiment, "fit", interrupted)
    found = curve(settings=[1, 2], seeds=3, epochs=1)
    assert found.interrupted and [len(point.losses) for point in found.points] == [2, 1]
    calls[:] = [None] * 2
    with pytest.raises(KeyboardInterrupt):
        curve(settings=[1, 2], seeds=3, epochs=1)


@pytest.mark.parametrize(("build", "options", "text"), [
    (network, {"seeds": 1}, "seeds=1.*at least 2"), (network, {"weights": "first"}, "weights='first'"),
    (network, {"by": "height"}, "by='height' with a build that takes no setting"),
    (network, {"settings": [0, 1]}, "a setting 0 for width"), (network, {"settings": [2]}, "at least two settings"),
    (network, {"settings": [0.5, 1], "by": "depth"}, "a setting 0.5 for depth"),
    (lambda units: network(units), {}, "settings=None.*at least two settings"),
    (lambda: tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss="mse"), {}, "Sequential without hidden layers")])
def test_unfit_arguments_are_named(build, options, text):
    with pytest.raises(ArgumentError, match="(?s)" + text):
        curve(build, **options)


def test_a_build_that_gives_no_compiled_model_is_named():
    with pytest.raises(TrainingError, match=r"build\(\) gave a int"):
        curve(lambda setting: setting, settings=[1, 2])
