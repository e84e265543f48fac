"""The scripts of docs/double_descent.md: their results have the shapes that the papers claim, over several seeds.

Exact cases run always; networks, on the digits of scikit-learn in place of MNIST, with the marker `long`.
"""

import gzip
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import tarazu as tz
from tarazu.study.curves.epoch_curve import curve_of

REPOSITORY = Path(__file__).parents[2]
SCRIPTS = REPOSITORY / "examples" / "known_results"


@pytest.fixture
def script(monkeypatch):
    """A function that imports a script by its name."""
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module


def noisy_rows(rows, seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows + 200, 8))
    y = np.tanh(x[:, :1] - x[:, 1:2]) + 0.2 * random.normal(size=(rows + 200, 1))
    return x[:rows], y[:rows], (x[rows:], y[rows:])


def small_digits(rows, test_rows, wrong):
    """As digits.digits of the scripts."""
    from sklearn.datasets import load_digits
    data = load_digits()
    random = np.random.default_rng(0)
    order = random.permutation(len(data.target))[:rows + test_rows]
    x, y = (data.data[order] / 16).astype(np.float32), data.target[order]
    is_wrong = (random.random(len(y)) < wrong) & (np.arange(len(y)) < rows)
    y = np.eye(10, dtype=np.float32)[np.where(is_wrong, (y + random.integers(1, 10, len(y))) % 10, y)]
    x = x - x[:rows].mean(axis=0)
    return x[:rows], y[:rows], (x[rows:], y[rows:])


def test_the_page_has_its_scripts_and_pictures():
    page = (REPOSITORY / "docs" / "double_descent.md").read_text(encoding="utf-8")
    scripts = set(re.findall(r"\w+\.py", page)) - {"test_known_results.py"}
    assert scripts | {"digits.py"} <= {path.name for path in SCRIPTS.glob("*.py")}
    pictures = re.findall(r"\]\((pictures/.*?)\)", page)
    assert len(pictures) == 6 and all((REPOSITORY / "docs" / name).stat().st_size < 60_000 for name in pictures)


def test_small_digits_with_wrong_labels(script, tmp_path, monkeypatch):
    for part, rows in (("train", 40), ("t10k", 10)):
        labels = np.arange(rows, dtype=np.uint8) % 10
        images = np.broadcast_to(25 * labels[:, None, None], (rows, 28, 28)).astype(np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            path = tmp_path / "mnist" / f"{part}-{name}-ubyte.gz"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(gzip.compress(header + array.tobytes()))
    monkeypatch.setenv("TARAZU_DATA", str(tmp_path))
    x, y, (x_test, y_test) = script("digits").digits(40, 10, wrong=0.5, pixels=7)
    assert x.shape == (40, 49) and x_test.shape == (10, 49) and y.sum(axis=1).tolist() == [1.0] * 40
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    mean = 25 * 4.5 / 255

    def of_pictures(x):
        return np.rint((x[:, 0] + mean) * 255 / 25).astype(int)

    np.testing.assert_array_equal(of_pictures(x_test), y_test.argmax(axis=1))
    assert 10 <= (of_pictures(x) != y.argmax(axis=1)).sum() <= 30


def test_least_squares_on_random_features_descends_twice_in_width(script):
    widths = (2, 5, 10, 20, 30, 36, 44, 50, 70, 120, 300, 1000)  # at 40 the loss has no mean
    curve = script("random_features").width_curve(lambda seed: noisy_rows(40, seed), widths, seeds=8,
                                                  scale=0.3)
    found, losses = curve.double_descent, {point.value: point.val_loss.mean for point in curve.points}
    assert curve.threshold == 44 and found.peak in (36, 44) and found.valley <= 20 and found.end in (300, 1000)
    assert losses[found.peak] > 3 * losses[1000] and losses[found.peak] > 3 * losses[found.valley]
    assert max(point.loss.mean for point in curve.points if point.value >= 44) < 1e-12
    assert losses[44] > losses[50] > losses[70] > losses[120]


def test_gradient_descent_on_two_scales_descends_twice_in_epochs(script):
    two = script("two_scales")

    def descent(**options):
        losses = [two.losses(1500, seed, **options)[:, 1::4] for seed in range(6)]  # points of epochs 2, 6, 10, ...
        return curve_of(losses, 160).double_descent

    found = descent()
    assert found.valley < 4 and 15 < found.peak < 60 and found.end == 375
    assert found.rise.low > 0.2 and found.fall.low > 0.6
    assert descent(scales=(1.0, 1.0)) is None


def test_the_closed_form_is_gradient_descent(script):
    two = script("two_scales")
    x, y, *_ = two.rows(30, 0, columns=(6, 3))
    layer = tz.nn.Dense(1, bias=False, kernel_initializer="zeros")
    tz.set_backend("numpy")
    tz.nn.Sequential([layer]).compile(tz.optim.SGD(lr=two.RATE), loss="mse").fit(
        x.astype(np.float32), y.astype(np.float32), epochs=25, batch_size=30, validation_split=0, verbose=0)
    np.testing.assert_allclose(layer.weight.numpy().ravel(), two.weights_after(x, y, [25])[0], rtol=1e-4, atol=1e-5)


def test_ridge_regression_on_random_units_has_one_peak_of_variance_and_a_falling_bias(script):
    ridge = script("ridge_terms")
    widths = (2, 12, 40, 150, 600)
    terms = [point.loss for point in ridge.terms(widths, 0.05).points]
    bias, variance = [term.bias.mean for term in terms], [term.sample_variance.mean + term.seed_variance.mean
                                                          for term in terms]
    assert bias == sorted(bias, reverse=True) and bias[0] > 5 * bias[-1]
    assert variance[:3] == sorted(variance[:3]) and variance[2:] == sorted(variance[2:], reverse=True)
    assert variance[2] > 2 * variance[0] and variance[2] > 2 * variance[-1]
    assert terms[2].seed_variance.low > terms[-1].seed_variance.high
    losses = [term.loss.mean for term in terms]
    unpenalized = [point.loss.loss.mean for point in ridge.terms((12, 100, 600), 1e-3).points]
    assert losses[2] < 1.1 * losses[0] and unpenalized[1] > 2 * unpenalized[0] > 2 * unpenalized[2]


@pytest.mark.long
def test_networks_descend_twice_in_width(script):
    curve = script("network_width").curve_over_widths(*small_digits(200, 400, 0.1), widths=(4, 8, 16, 32, 64, 512))
    found = curve.double_descent
    assert found.valley in (4, 8, 16) and found.peak in (16, 32, 64) and found.end == 512


@pytest.mark.long
def test_a_network_descends_twice_in_epochs_where_labels_are_wrong(script):
    curve = script("noisy_epochs").curve_over_epochs(*small_digits(300, 400, 0.2), epochs=1500)
    found = curve.double_descent
    assert found.valley < 40 and 40 < found.peak < 800 and found.end > 1000
    assert found.rise.mean > 0.005 and found.fall.mean > 0.002


@pytest.mark.long
def test_bias_and_variance_of_networks_over_width(script):
    found = script("network_terms").terms(*small_digits(400, 400, 0.0), widths=(2, 8, 48, 512), rounds=3)
    terms = [point.loss for point in found.points]
    bias, variance = [term.bias.mean for term in terms], [term.sample_variance.mean + term.seed_variance.mean
                                                          for term in terms]
    assert bias[0] > 1.5 * bias[1] > 1.5 * bias[2] and bias[3] < 1.1 * bias[2]
    assert variance[0] < variance[2] and variance[3] < 0.8 * variance[2]
    assert terms[3].seed_variance.high < terms[2].seed_variance.low / 2
    assert terms[3].sample_variance.mean < 1.3 * terms[2].sample_variance.mean
