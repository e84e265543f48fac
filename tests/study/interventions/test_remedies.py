"""`tz.study.remedies`: gains of planted faults, what cannot be applied, what diverges or is interrupted, and errors."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.study import remedies
from tarazu.study.interventions.table import INTERVENTIONS

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(120, 3)).astype("float32")
Y = X @ np.float32([[1.0], [-2.0], [0.5]]) + DRAW.normal(0, 0.3, size=(120, 1)).astype("float32")
LABELS = (X[:, 0] > 0.9).astype(int)
SLOW, LONGER, FAST = "a tenth of the learning rate", "4 x the epochs", "ten times the learning rate"


@pytest.fixture(autouse=True)
def numpy_backend(monkeypatch):
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")  # the native backend takes seconds to compile


def linear(rate=0.005):
    return tz.nn.Sequential(tz.nn.Dense(1)).compile(tz.optim.SGD(lr=rate), "mse")


def classifier():
    return tz.nn.Sequential(tz.nn.Dense(8, "relu"), tz.nn.Dense(2)).compile(tz.optim.Adam(lr=0.02), "cross_entropy")


def measure(build=linear, x=X, y=Y, **options):
    return remedies(build, x, y, **{"epochs": 2, "seeds": 2, "verbose": 0, "only": [LONGER, FAST], **options})


def test_a_rate_that_is_too_low_is_found_in_units_and_in_percent(tmp_path):
    found = measure(only=[SLOW, FAST, "weight decay", LONGER], seeds=3)
    assert [gain.by for gain in found.gains] == [FAST, LONGER, "weight decay", SLOW]
    assert found.best is found.gains[0] and found.best.seeds == 3 and found.gains[-1].interval[1] < 0
    assert found.fits == 15 and found.diverged == {} and not found.is_interrupted
    unit, loss = found.trivial_loss, found.loss
    np.testing.assert_allclose(unit, Y.var(), rtol=0.5)
    text = str(found)
    assert f"{FAST}   lowers it by {unit * found.best.mean:.1f} (" in text
    assert f"{100 * unit * found.best.mean / loss:.0f} % (" in text and "raises it by" in text
    frame = found.to_frame()
    np.testing.assert_allclose(frame.percent[0], 100 * frame.gain[0] / loss)
    assert frame.gain_low[0] < frame.gain[0] < frame.gain_high[0] and frame.cause[0] == "too_little_training"
    picture = found.plot(tmp_path / "gains.svg").svg()
    assert (tmp_path / "gains.svg").read_text() == picture and picture in found._repr_html_()
    assert picture.count("whisker ink") == len(found.gains) and 'class="bar validation"' in picture


def test_the_same_seed_gives_the_same_and_leaves_the_generator():
    tz.random.seed(3)
    first = measure()
    drawn = tz.random.uniform((2,)).numpy()
    second = measure(verbose="auto")
    tz.random.seed(3)
    np.testing.assert_array_equal(tz.random.uniform((2,)).numpy(), drawn)
    assert first == second != measure(seed=7)


def test_the_verdict_of_the_fit_and_of_ones_own_has_what_was_measured():
    model = linear()
    found = measure(model, seeds=3)
    history = model.fit(X, Y, epochs=2, validation_split=0.2, seed=0, verbose=0)
    assert any(line.startswith("train longer") for line in history.verdict.advice)
    expected = f"{FAST}: lowers the validation loss by"
    for verdict in (found.history.verdict, found.advise(history), found.advise(history)):
        assert verdict.advice[0].startswith(expected) and verdict.advice[0].endswith("measured over 3 seeds")
        assert not any(line.startswith("train longer") for line in verdict.advice)
        assert sum(finding.name == "remedies" for finding in verdict.findings) == 1
    assert history.verdict == verdict
    with pytest.raises(ArgumentError, match="advise of a history without a verdict"):
        found.advise(tz.record.History())


def test_fits_that_diverge_are_left_out_and_counted():
    found = measure(lambda: linear(0.3), epochs=4)
    assert found.diverged == {FAST: 2} and [gain.by for gain in found.gains] == [LONGER]
    assert f"diverged, and left out: 2 fits of {FAST}" in str(found)
    with pytest.raises(TrainingError, match="(?s)as it is diverged with each seed.*lower the learning rate"):
        measure(lambda: linear(300.0), epochs=12)


def test_an_interruption_keeps_the_fits_that_are_done(interrupt_after):
    interrupt_after(5)
    found = measure()  # a fit as it is and two changes, for each of two seeds
    assert found.is_interrupted and found.fits == 5 and "interrupted after 5 fits" in str(found)
    assert {gain.by: gain.seeds for gain in found.gains} == {LONGER: 2, FAST: 1}


def test_an_interruption_before_a_change_is_measured_raises(interrupt_after):
    interrupt_after(1)
    with pytest.raises(KeyboardInterrupt):
        measure()


@pytest.mark.parametrize(("options", "message"), [
    ({"only": "dropuot of 0.3"}, "(?s)there is no remedy 'dropuot of 0.3'.*'weight decay'.*did you mean 'dropout of"),
    ({"only": []}, "only names no remedy"),
    ({"seeds": 0}, "seeds"),
    ({"epochs": 0}, "epochs"),
    ({"x": np.where(np.arange(120)[:, None] == 7, np.nan, X)}, "not finite .* in row 7"),
    ({"x": X[:12], "y": Y[:12]}, "a study of 2 validation rows"),
    ({"build": classifier, "y": LABELS, "validation_data": (X[:20], np.ones(20, int))}, "have the class 1"),
])
def test_what_cannot_be_studied_is_refused(options, message):
    with pytest.raises(ArgumentError, match=message):
        measure(**options)


class OwnStep(tz.nn.Module):
    def __init__(self):
        self.dense = tz.nn.Dense(1)

    def forward(self, x):
        return self.dense(x)

    def compute_loss(self, batch):
        return tz.nn.mse(self(batch[0]), batch[1])


def test_builds_that_do_not_suit_are_refused():
    with pytest.raises(TrainingError, match="whose step is its own"):
        measure(lambda: OwnStep().compile("sgd"))
    widths = iter(range(2, 9))
    with pytest.raises(TrainingError, match="gave another model each time"):
        measure(lambda: tz.nn.Sequential(tz.nn.Dense(next(widths)), tz.nn.Dense(1)).compile("sgd", "mse"))


def reasons(build, y, rows=120, **options):
    return measure(build, X[:rows], y[:rows], only=None, seeds=1, **{"epochs": 1, **options})


def test_what_cannot_be_applied_is_named_with_the_reason():
    found = reasons(linear, Y, rows=48)
    assert found.not_applicable == {
        "4 x the rows": "fits to quarters of the rows take 40 training rows, here are 38",
        "no dropout, no decay": "the model has none of them",
        "the weights of the best epoch": "the fit keeps them already",
        "a quarter of the width": "the model has no hidden layer",
        "dropout of 0.3": "the model has no hidden layer",
        "images mirrored at random": "the inputs are no images (batch, height, width, channels)",
        "images shifted at random": "the inputs are no images (batch, height, width, channels)",
        "corrected targets": "wrong targets are looked for in 240 rows or more, each an array with one number or "
                             "class number from 0",
        "balanced class weights": "the targets are no classes",
    }
    assert "  a quarter of the width, dropout of 0.3: the model has no hidden layer" in str(found)
    assert {gain.by for gain in found.gains} | {*found.not_applicable} == {*INTERVENTIONS}


def test_what_a_model_has_already_is_named():
    def build():
        layers = [tz.nn.Dense(2, "relu"), tz.nn.Dropout(0.5), tz.nn.Dense(2)]
        return tz.nn.Sequential(layers).compile(tz.optim.AdamW(lr=0.01, weight_decay=0.4), "cross_entropy")

    stop = tz.train.EarlyStopping(patience=1, min_delta=1.0)
    found = measure(build, X, np.arange(120) % 2, seeds=1, epochs=3, callbacks=[stop],
                    only=["dropout of 0.3", "weight decay", "a quarter of the width", LONGER, "balanced class weights"])
    assert found.not_applicable["dropout of 0.3"] == "the model has dropout or noise of 0.5"
    assert found.not_applicable["weight decay"] == "the model has weight decay of 0.4"
    assert found.not_applicable["a quarter of the width"] == "the model is so already, or cannot be changed so"
    assert found.not_applicable["balanced class weights"] == "the classes are even: the rarest has 50 % of the rows"
    assert found.not_applicable[LONGER] == "the fit ends by early stopping before its epochs are over"
    assert found.gains == () and found.fits == 1


class Own(tz.nn.Module):
    def __init__(self):
        self.dense = tz.nn.Dense(1)

    def forward(self, x):
        return self.dense(x)


def test_layers_of_a_module_of_ones_own_are_not_changed_and_a_loss_of_ones_own_has_no_trivial_loss():
    def cubed(prediction, target):
        return tz.mean(abs(prediction - target) ** 3)

    found = measure(lambda: Own().compile(tz.optim.SGD(lr=0.002), cubed), only=["4 x the width", LONGER])
    assert found.not_applicable == {"4 x the width": "only the layers of a tz.nn.Sequential can be changed"}
    assert np.isnan(found.trivial_loss) and "best guess" not in str(found)
    np.testing.assert_allclose(found.to_frame().percent[0], 100 * found.gains[0].mean)


def test_more_rows_are_carried_on_from_parts():
    def build():
        return tz.nn.Sequential(tz.nn.Dense(32, "relu"), tz.nn.Dense(1)).compile(tz.optim.Adam(lr=0.02), "mse")

    y = X[:, :1] * X[:, 1:2] + DRAW.normal(0, 0.3, size=(120, 1)).astype("float32")
    found = measure(build, X, y, epochs=8, only="4 x the rows")
    assert found.gains[0].mean > 0 and found.fits == 6 and found.gains[0].seeds == 2
    assert "4 x the rows: carried on from fits to halves and quarters" in str(found)


def test_the_best_epoch_is_chosen_by_other_rows():
    def build():
        layers = [tz.nn.Dense(64, "relu"), tz.nn.Dense(2)]
        return tz.nn.Sequential(layers).compile(tz.optim.Adam(lr=0.1), "cross_entropy")

    noise = DRAW.integers(2, size=120)
    found = measure(build, X[:30], noise[:30], validation_data=(X[30:], noise[30:]), epochs=20, seeds=3,
                    callbacks=[tz.train.KeepBest(restore=False)], only="the weights of the best epoch")
    assert found.fits == 3 and found.best.mean > 0.2
    assert found.loss / found.trivial_loss - found.best.mean > 0.98, "better than chance at targets that are noise"


def test_balanced_weights_are_judged_by_the_balanced_accuracy_too():
    x = DRAW.normal(size=(300, 2)).astype("float32")
    y = (x[:, 0] + DRAW.normal(0, 0.7, size=300) > 1.5).astype(int)
    found = measure(classifier, x, y, epochs=8, only="balanced class weights", seeds=3)
    balanced = found.balanced_accuracy
    assert balanced.after > balanced.before + 0.05 and balanced.low < balanced.after - balanced.before < balanced.high
    assert found.gains[0].mean < 0 and f"balanced class weights: {balanced}" in str(found)


def test_corrected_targets_are_judged_by_the_rows_that_are_not_in_doubt():
    x = DRAW.normal(size=(500, 2)).astype("float32")
    y = (x[:, 0] > 0).astype(int)
    wrong = DRAW.random(500) < 0.3
    found = measure(classifier, x, np.where(wrong, 1 - y, y), epochs=10, seeds=3, only="corrected targets")
    assert found.best.mean > 0.2 and "corrected targets: judged by the rows whose targets are not" in str(found)


def test_images_are_mirrored_and_shifted():
    x = np.zeros((80, 8, 8, 1), "float32")
    y = np.arange(80) % 2
    x[np.arange(80), DRAW.integers(1, 7, 80), np.where(y == 1, DRAW.integers(0, 3, 80), DRAW.integers(5, 8, 80))] = 4.0

    def build():
        layers = [tz.nn.Flatten(), tz.nn.Dense(2)]
        return tz.nn.Sequential(layers).compile(tz.optim.Adam(lr=0.02), "cross_entropy")

    names = ["images mirrored at random", "images shifted at random"]
    found = measure(build, x, y, epochs=10, seeds=4, only=names)
    gains = {gain.by: gain.interval for gain in found.gains}
    assert gains[names[0]][1] < 0, "left and right are what tells the classes apart"
    assert gains[names[1]][1] > gains[names[0]][1]
