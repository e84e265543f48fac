"""Losses against their formulas in NumPy, at extreme logits, with weights and masks, and their refusals."""

from functools import partial

import numpy as np
import pytest

import tarazu as tz
from tarazu import nn
from tarazu.base.errors import ArgumentError, OutOfRangeError, ShapeError
from tarazu.nn import LOSSES, binary_cross_entropy, cross_entropy, huber, mae, mse
from tarazu.nn.losses import find_loss, loss_name, traits

draw = np.random.default_rng(5)
LOGITS = draw.normal(size=(6, 4)).astype(np.float32) * 3
LABELS = draw.integers(0, 4, 6)
TARGETS = draw.normal(size=(6, 4)).astype(np.float32) * 3
BITS = draw.integers(0, 2, (6, 4))


def softmax(logits):
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def overlap(shares, bits):
    """What outputs and targets of each row have in common, and the sums of both."""
    return (shares * bits).sum(1), shares.sum(1), bits.sum(1)


def tversky(alpha, beta):
    both, predicted, actual = overlap(sigmoid(EXACT), BITS)
    return 1 - both / (both + alpha * (predicted - both) + beta * (actual - both))


EXACT, DISTANCE = LOGITS.astype(float), np.abs(LOGITS.astype(float) - TARGETS)
OWN, OTHERS = EXACT[np.arange(6), LABELS], np.where(np.eye(4)[LABELS] > 0, -np.inf, EXACT)
SHARE, SPREAD = softmax(EXACT)[np.arange(6), LABELS], softmax(TARGETS).astype(np.float32)
RIGHT, SIGNED = np.where(BITS, sigmoid(EXACT), 1 - sigmoid(EXACT)), np.where(BITS, EXACT, -EXACT)
PER_ELEMENT = {
    "cross_entropy": (cross_entropy, LABELS, -np.log(softmax(EXACT)[np.arange(6), LABELS])),
    "one-hot cross_entropy": (cross_entropy, np.eye(4, dtype=np.float32)[LABELS],
                              -np.log(softmax(EXACT)[np.arange(6), LABELS])),
    "binary_cross_entropy": (binary_cross_entropy, BITS,
                             -(BITS * np.log(sigmoid(EXACT)) + (1 - BITS) * np.log(1 - sigmoid(EXACT)))),
    "mse": (mse, TARGETS, DISTANCE**2),
    "mae": (mae, TARGETS, DISTANCE),
    "huber": (huber, TARGETS, np.where(DISTANCE <= 1, DISTANCE**2 / 2, DISTANCE - 0.5)),
    "nll": (nn.nll, LABELS, -OWN),
    "focal_loss": (nn.focal_loss, LABELS, -(1 - SHARE) ** 2 * np.log(SHARE)),
    "focal_loss, alpha": (partial(nn.focal_loss, gamma=1.5, alpha=[0.1, 0.2, 0.3, 0.4]), LABELS,
                          -(LABELS + 1) / 10 * (1 - SHARE) ** 1.5 * np.log(SHARE)),
    "kl_divergence": (nn.kl_divergence, SPREAD, (SPREAD * np.log(SPREAD / softmax(EXACT))).sum(1)),
    "categorical_hinge": (nn.categorical_hinge, LABELS, np.maximum(0, 1 + OTHERS.max(1) - OWN)),
    "multi_margin": (nn.multi_margin, LABELS, np.maximum(0, 1 - OWN[:, None] + OTHERS).sum(1) / 4),
    "binary_focal_loss": (nn.binary_focal_loss, BITS, -(1 - RIGHT) ** 2 * np.log(RIGHT)),
    "binary_focal_loss, alpha": (partial(nn.binary_focal_loss, alpha=0.25), BITS,
                                 -np.where(BITS, 0.25, 0.75) * (1 - RIGHT) ** 2 * np.log(RIGHT)),
    "binary_cross_entropy, smoothed": (
        partial(binary_cross_entropy, label_smoothing=0.2), BITS,
        -((0.8 * BITS + 0.1) * np.log(sigmoid(EXACT)) + (0.9 - 0.8 * BITS) * np.log(1 - sigmoid(EXACT)))),
    "dice_loss": (nn.dice_loss, BITS, tversky(0.5, 0.5)),
    "tversky_loss": (partial(nn.tversky_loss, alpha=0.3, beta=0.7), BITS, tversky(0.3, 0.7)),
    "hinge": (nn.hinge, 2 * BITS - 1, np.maximum(0, 1 - SIGNED)),
    "hinge of bits": (nn.hinge, BITS, np.maximum(0, 1 - SIGNED)),
    "squared_hinge": (nn.squared_hinge, BITS, np.maximum(0, 1 - SIGNED) ** 2),
    "soft_margin": (nn.soft_margin, BITS, np.log1p(np.exp(-SIGNED))),
    "smooth_l1": (nn.smooth_l1, TARGETS, np.where(DISTANCE <= 1, DISTANCE**2 / 2, DISTANCE - 0.5)),
    "log_cosh": (nn.log_cosh, TARGETS, np.log(np.cosh(DISTANCE))),
    "mape": (nn.mape, TARGETS, DISTANCE / np.abs(TARGETS)),
    "msle": (nn.msle, np.abs(TARGETS), (np.log1p(np.maximum(EXACT, 0)) - np.log1p(np.abs(TARGETS))) ** 2),
    "quantile_loss": (partial(nn.quantile_loss, q=0.9), TARGETS,
                      np.where(TARGETS > EXACT, 0.9, 0.1) * DISTANCE),
    "poisson_nll": (nn.poisson_nll, BITS, np.exp(EXACT) - BITS * EXACT),
    "cosine_distance": (nn.cosine_distance, TARGETS, 1 - (EXACT * TARGETS).sum(1) / np.sqrt(
        (EXACT**2).sum(1) * (TARGETS.astype(float) ** 2).sum(1))),
}
each_loss = pytest.mark.parametrize(("loss", "target", "wanted"), PER_ELEMENT.values(), ids=PER_ELEMENT)


@pytest.mark.parametrize(("place", "names"), [
    ("tests/nn/test_losses.py, in PER_ELEMENT,", {loss_name(loss) for loss, *_ in PER_ELEMENT.values()}),
    ("tarazu/nn/__init__.py, in __all__,", set(tz.nn.__all__))])
def test_every_loss_has_a_row(place, names):
    missing = set(LOSSES) - names
    assert not missing, f"{place} lacks: {', '.join(missing)}"


@each_loss
def test_values_and_reductions(loss, target, wanted):
    reduced = {how: loss(LOGITS, target, reduction=how).numpy() for how in ("mean", "sum", "none")}
    np.testing.assert_allclose(reduced["mean"], wanted.mean(), rtol=1e-5)
    np.testing.assert_allclose(reduced["sum"], wanted.sum(), rtol=1e-5)
    np.testing.assert_allclose(reduced["none"], wanted.reshape(6, -1).mean(1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(loss(LOGITS, target).numpy(), wanted.mean(), rtol=1e-5)


@each_loss
def test_gradients_of_first_and_second_order(loss, target, wanted):
    def at(x):
        return loss(x, tz.asarray(target))

    x = tz.asarray(EXACT)
    direction = tz.asarray(draw.normal(size=LOGITS.shape))

    def slope(x):
        return (tz.grad(at)(x) * direction).sum()

    for function in (at, slope):
        slope_along = float((tz.grad(function)(x) * direction).sum())
        quotient = (float(function(x + 1e-6 * direction)) - float(function(x - 1e-6 * direction))) / 2e-6
        assert slope_along == pytest.approx(quotient, rel=1e-4, abs=1e-7)


@each_loss
def test_traced_is_eager(loss, target, wanted):
    traced = tz.jit(loss)(tz.asarray(LOGITS), tz.asarray(target))
    np.testing.assert_allclose(traced.numpy(), loss(LOGITS, target).numpy(), rtol=1e-6)


PROBABILITIES = {  # a loss, its activation, targets, options
    "cross_entropy": (cross_entropy, tz.softmax, LABELS, {"class_weight": [1.0, 2, 3, 4], "label_smoothing": 0.1}),
    "one-hot cross_entropy": (cross_entropy, tz.softmax, np.eye(4)[LABELS], {"label_smoothing": 0.1}),
    "focal_loss": (nn.focal_loss, tz.softmax, LABELS, {"label_smoothing": 0.1}),
    "kl_divergence": (nn.kl_divergence, tz.softmax, SPREAD, {}),
    "binary_cross_entropy": (binary_cross_entropy, tz.sigmoid, BITS, {"pos_weight": 3.0}),
    "binary_focal_loss": (nn.binary_focal_loss, tz.sigmoid, BITS, {"alpha": 0.25, "label_smoothing": 0.1}),
    "dice_loss": (nn.dice_loss, tz.sigmoid, BITS, {}),
    "tversky_loss": (nn.tversky_loss, tz.sigmoid, BITS, {"alpha": 0.3}),
}


@pytest.mark.parametrize(("loss", "activation", "target", "options"), PROBABILITIES.values(), ids=PROBABILITIES)
def test_probabilities_give_the_loss_of_their_logits(loss, activation, target, options):
    logits = tz.asarray(EXACT)
    of_probabilities = loss(activation(logits), target, from_logits=False, **options)
    assert of_probabilities.item() == pytest.approx(loss(logits, target, **options).item(), rel=1e-5)
    sure = tz.tensor([[1.0, 0, 0, 0]] * 6, requires_grad=True)
    loss(sure, target, from_logits=False, **options).backward()
    assert np.isfinite(sure.grad.numpy()).all()


WEIGHTED = [name for name, loss in LOSSES.items() if name not in ("dice_loss", "tversky_loss")]
TARGET_OF = {loss_name(loss): target for loss, target, _ in PER_ELEMENT.values()}


@pytest.mark.parametrize("name", [*WEIGHTED, "dice_loss", "tversky_loss"])
def test_weights_of_samples_multiply_and_the_mean_divides_by_their_number(name):
    weights = np.array([2.0, 0, 1, 1, 0.5, 3], np.float32)
    single = LOSSES[name](LOGITS, TARGET_OF[name], reduction="none").numpy()
    for how, wanted in (("none", single * weights), ("mean", (single * weights).mean())):
        given = LOSSES[name](LOGITS, TARGET_OF[name], reduction=how, sample_weight=weights).numpy()
        np.testing.assert_allclose(given, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", WEIGHTED)
def test_a_mask_leaves_rows_out(name):
    mask = np.array([True, False, True, True, False, True])
    given = LOSSES[name](LOGITS, TARGET_OF[name], mask=mask).item()
    assert given == pytest.approx(LOSSES[name](LOGITS[mask], TARGET_OF[name][mask]).item(), rel=1e-5)
    assert LOSSES[name](LOGITS, TARGET_OF[name], mask=np.zeros(6, bool)).item() == 0


def test_padded_sequences_cost_what_unpadded_ones_do():
    draw = np.random.default_rng(1)
    logits, labels = draw.normal(size=(2, 5, 4)).astype(np.float32), draw.integers(0, 4, (2, 5))
    mask = np.arange(5) < np.array([[2], [5]])
    single = [cross_entropy(z[keep], y[keep], reduction="none").numpy()
              for z, y, keep in zip(logits, labels, mask, strict=True)]
    assert cross_entropy(logits, labels, mask=mask).item() == pytest.approx(np.concatenate(single).mean(), rel=1e-6)
    np.testing.assert_allclose(cross_entropy(logits, labels, mask=mask, reduction="none").numpy(),
                               [one.mean() for one in single], rtol=1e-5)
    weights = mask.astype(np.float32)
    assert cross_entropy(logits, labels, sample_weight=weights).item() == pytest.approx(
        np.concatenate(single).sum() / 10, rel=1e-6)
    errors = logits - 1
    assert mse(logits, np.ones_like(logits), mask=mask).item() == pytest.approx((errors[mask] ** 2).mean(), rel=1e-6)


def test_several_quantiles_of_one_target():
    prediction, target = LOGITS[:, :3], TARGETS[:, 0]
    distance = target[:, None] - prediction
    q = np.array([0.1, 0.5, 0.9])
    wanted = np.maximum(q * distance, (q - 1) * distance).mean()
    for shape in ((6,), (6, 1)):
        loss = nn.quantile_loss(prediction, target.reshape(shape), q=(0.1, 0.5, 0.9))
        assert loss.item() == pytest.approx(wanted, rel=1e-6)


def test_small_variances_can_grow():
    variance = tz.tensor([1e-9, 1.0], requires_grad=True)
    nn.gaussian_nll(tz.zeros(2), tz.ones(2), variance).backward()
    assert (variance.grad.numpy() < [-1e5, 0.1]).all()


def test_partials_keep_what_training_asks_of_a_loss():
    plain = traits(cross_entropy)
    assert traits(partial(cross_entropy, label_smoothing=0.1)) == plain._replace(trivial_predictor=None)
    assert traits(partial(partial(cross_entropy, ignore_index=-1), from_logits=False)) == plain._replace(
        trivial_predictor=None, activation=None, outputs="probabilities", ignored_target=-1)
    assert traits(partial(binary_cross_entropy, from_logits=False)).trivial_predictor == "the frequency of each output"
    assert loss_name(partial(huber, delta=2.0)) == "huber" and find_loss("huber") is huber


def test_a_loss_with_options_trains_and_is_saved(tmp_path):
    x, y = np.eye(4, dtype=np.float32)[LABELS], np.where(np.arange(6) == 2, -1, LABELS)
    loss = partial(cross_entropy, ignore_index=-1, label_smoothing=0.1, class_weight=[1.0, 2.0, 1.0, 1.0])
    model = nn.Sequential([nn.Dense(4, in_features=4)]).compile("sgd", loss)
    history = model.fit(x, y, epochs=2, seed=0, verbose=0)
    assert history[-1]["loss"] < history[0]["loss"]
    assert history.measurements["train_samples"] == 6
    model.save(tmp_path / "model.tz")
    assert tz.load(tmp_path / "model.tz").evaluate(x, y) == model.evaluate(x, y)


def test_an_activation_before_a_loss_with_options_is_found():
    model = nn.Sequential([nn.Dense(4, in_features=4, activation="softmax")])
    x = np.eye(4, dtype=np.float32)
    with pytest.raises(ArgumentError, match="ends in softmax, for the loss cross_entropy"):
        model.compile("sgd", partial(cross_entropy, label_smoothing=0.1)).fit(x, np.arange(4), verbose=0)
    history = model.compile("sgd", partial(cross_entropy, from_logits=False)).fit(x, np.arange(4), verbose=0)
    assert history[-1]["loss"] > 0


@pytest.mark.parametrize("dtype", ["int64", "bool", "float32", "float64"])
def test_one_hot_labels_of_every_dtype_are_class_numbers(dtype):
    one_hot = tz.asarray(np.eye(4)[LABELS]).astype(dtype)
    assert cross_entropy(LOGITS, one_hot).item() == pytest.approx(cross_entropy(LOGITS, LABELS).item(), rel=1e-6)
    assert cross_entropy(LOGITS, one_hot).dtype is tz.float32


def test_class_numbers_as_a_column_and_of_other_integer_dtypes():
    wanted = cross_entropy(LOGITS, LABELS).item()
    assert cross_entropy(LOGITS, LABELS[:, None].astype(np.uint8)).item() == wanted


@pytest.mark.native
@pytest.mark.parametrize("dtype", ["int64", "int8", "uint8"])
def test_traced_gradient_is_that_of_the_logit_which_the_loss_takes(dtype):
    labels = np.array([0, 3, -1, -4, -9, 7]).astype(dtype)  # compiled programs clamp them
    taken = np.clip(np.where(labels < 0, labels.astype(int) + 4, labels), 0, 3)
    computed = tz.jit(tz.value_and_grad(lambda x, y: cross_entropy(x, y)))(tz.asarray(LOGITS), tz.asarray(labels))
    wanted = tz.value_and_grad(lambda x: cross_entropy(x, taken))(tz.asarray(LOGITS))
    for one, other in zip(computed, wanted, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-7)


def test_cross_entropy_of_sequences():
    logits, labels = draw.normal(size=(2, 3, 4)), draw.integers(0, 4, (2, 3))
    losses = cross_entropy(tz.asarray(logits), labels, reduction="none")
    wanted = cross_entropy(tz.asarray(logits.reshape(6, 4)), labels.reshape(6), reduction="none").numpy().reshape(2, 3)
    np.testing.assert_allclose(losses.numpy(), wanted.mean(1))


def test_soft_labels_weigh_the_classes():
    loss = cross_entropy(LOGITS, np.full((6, 4), 0.25, np.float32))
    assert loss.item() == pytest.approx(-np.log(softmax(EXACT)).mean(), rel=1e-5)


def test_binary_is_cross_entropy_of_two_classes():
    z = LOGITS[:, :1]
    pairs = np.concatenate([np.zeros_like(z), z], 1)
    wanted = cross_entropy(pairs, BITS[:, 0]).item()
    assert binary_cross_entropy(z, BITS[:, 0]).item() == pytest.approx(wanted, rel=1e-6)


def test_logits_of_a_thousand_give_finite_losses_and_gradients():
    z = tz.tensor([[1000.0, -1000.0]], requires_grad=True)
    losses = [cross_entropy(z, [0]), cross_entropy(z, [1]), binary_cross_entropy(z, [[1, 0]]),
              binary_cross_entropy(z, [[0, 1]])]
    assert [x.item() for x in losses] == [0, 2000, 0, 1000]
    for x in losses:
        x.backward()
    assert np.isfinite(z.grad.numpy()).all()


@pytest.mark.parametrize("loss", [binary_cross_entropy, mse, mae, huber])
def test_a_missing_last_axis_of_one_is_no_matrix_of_differences(loss):
    column, row = LOGITS[:, :1], BITS[:, 0].astype(np.float32)
    wanted = loss(column[:, 0], row).item()
    assert loss(column, row).item() == loss(column[:, 0], row[:, None]).item() == wanted
    assert loss(column, row, reduction="none").shape == (6,)


def test_huber_lies_between_square_and_absolute():
    assert huber(LOGITS, TARGETS, delta=1e9).item() == pytest.approx(mse(LOGITS, TARGETS).item() / 2)
    assert huber(LOGITS, TARGETS, delta=1e-4).item() == pytest.approx(1e-4 * mae(LOGITS, TARGETS).item(), rel=1e-3)


ERRORS = {
    "reduction": (lambda: mse(LOGITS, TARGETS, reduction="avg"), ArgumentError,
                  "reduction='avg'\n  expected: \"mean\", \"sum\" or \"none\""),
    "label too high": (lambda: cross_entropy(LOGITS, LABELS + 4), ArgumentError,
                       r"labels from \d to 7 for a model with 4 outputs\n  expected: labels from 0 to 3\n"
                       r".*or give the last layer 8 outputs"),
    "label below 0": (lambda: cross_entropy(LOGITS, LABELS - 1), ArgumentError,
                      r"labels from -1 to 2.*\n.*\n  to mend it: number the classes from 0$"),
    "label too high in a trace": (lambda: tz.jit(cross_entropy)(LOGITS, tz.asarray(LABELS + 4)), OutOfRangeError,
                                  "out of bounds"),
    "float class numbers": (lambda: cross_entropy(LOGITS, LABELS.astype(np.float32)), ShapeError,
                            r"labels of float32 and shape \(6,\) for .* \(6, 4\)\n.*\n.*astype\(tz.int64\)"),
    "other rows": (lambda: cross_entropy(LOGITS, LABELS[:3]), ShapeError, r"labels of int64 and shape \(3,\)"),
    "one logit": (lambda: cross_entropy(LOGITS[:, :1], BITS[:, 0]), ShapeError,
                  r"logits of shape \(6, 1\)[\s\S]*binary_cross_entropy"),
    "other outputs": (lambda: mse(LOGITS, TARGETS[:, :2]), ShapeError,
                      r"mse: a prediction of shape \(6, 4\) for a target of shape \(6, 2\)"),
    "row and column": (lambda: mae(LOGITS[:, :1], TARGETS[:, :1].T), ShapeError, r"target of shape \(1, 6\)"),
    "label_smoothing": (lambda: cross_entropy(LOGITS, LABELS, label_smoothing=10), ArgumentError,
                        "cross_entropy: label_smoothing=10\n  expected: a number from 0 to 1"),
    "class_weight": (lambda: cross_entropy(LOGITS, LABELS, class_weight=[1.0, 2.0]), ShapeError,
                     r"cross_entropy: class_weight of shape \(2,\) for outputs of shape \(6, 4\)"),
    "pos_weight": (lambda: binary_cross_entropy(LOGITS[:, 0], BITS[:, 0], pos_weight=np.ones(6)), ShapeError,
                   r"pos_weight of shape \(6,\) for outputs of shape \(6,\)[\s\S]*pass 1 of them"),
    "negative alpha": (lambda: nn.focal_loss(LOGITS, LABELS, alpha=-1.0), ArgumentError, "alpha with -1"),
    "negative class_weight": (lambda: cross_entropy(LOGITS, LABELS, class_weight=[1.0, 2.0, 3.0, -1.0]), ArgumentError,
                              "class_weight with -1\n  expected: weights of 0 or above"),
    "negative sample_weight": (lambda: mse(LOGITS, TARGETS, sample_weight=[-1.0] * 6), ArgumentError,
                               "sample_weight with -1"),
    "infinite sample_weight": (lambda: mse(LOGITS, TARGETS, sample_weight=[np.inf] * 6), ArgumentError,
                               "sample_weight with a value that is not finite"),
    "sample_weight": (lambda: mse(LOGITS, TARGETS, sample_weight=np.ones(4)), ShapeError,
                      r"sample_weight of shape \(4,\) for losses of shape \(6, 4\)"),
    "mask": (lambda: mse(LOGITS, TARGETS, mask=np.ones((6, 4, 2), bool)), ShapeError, r"mask of shape \(6, 4, 2\)"),
    "ignored label elsewhere": (lambda: cross_entropy(LOGITS, LABELS - 1, ignore_index=-100), ArgumentError,
                                r"labels from -1 to 2"),
    "gamma": (lambda: nn.focal_loss(LOGITS, LABELS, gamma=-1), ArgumentError, "focal_loss: gamma=-1"),
    "alpha": (lambda: nn.binary_focal_loss(LOGITS, BITS, alpha=2), ArgumentError, "binary_focal_loss: alpha=2"),
    "q": (lambda: nn.quantile_loss(LOGITS, TARGETS, q=90), ArgumentError, "quantile_loss: q=90"),
    "several q": (lambda: nn.quantile_loss(LOGITS, TARGETS, q=[0.1, 0.9]), ShapeError,
                  r"2 q for a prediction of shape \(6, 4\)"),
    "variance": (lambda: nn.gaussian_nll(LOGITS, TARGETS, -TARGETS**2), ArgumentError, "a variance of -"),
    "shape of a variance": (lambda: nn.gaussian_nll(LOGITS, TARGETS, TARGETS[:, :2]), ShapeError,
                            r"a variance of shape \(6, 2\)"),
    "kl of numbers": (lambda: nn.kl_divergence(LOGITS, LABELS), ShapeError,
                      r"kl_divergence: a target of shape \(6,\)[\s\S]*one_hot"),
    "kl of no shares": (lambda: nn.kl_divergence(LOGITS, TARGETS), ArgumentError, "for kl_divergence"),
    "margin": (lambda: nn.triplet_loss(LOGITS, LOGITS, LOGITS, margin=0), ArgumentError, "triplet_loss: margin=0"),
    "vectors": (lambda: nn.triplet_loss(LOGITS, LOGITS, LOGITS[:, :2]), ShapeError,
                r"triplet_loss: vectors of shape \(6, 4\) and of shape \(6, 2\)"),
    "pairs": (lambda: nn.contrastive_loss(LOGITS, LOGITS, BITS), ShapeError, r"a target of shape \(6, 4\) for pairs"),
    "cosine margin": (lambda: nn.cosine_embedding(LOGITS, LOGITS, LABELS, margin=2), ArgumentError, "margin=2"),
    "blank": (lambda: nn.ctc_loss(LOGITS[None], LABELS[None, :2], blank=4), ArgumentError, "blank=4 for 4 classes"),
    "lengths": (lambda: nn.ctc_loss(LOGITS[None], LABELS[None, :2], [7]), ArgumentError, "input_lengths from 7 to 7"),
    "shape of lengths": (lambda: nn.ctc_loss(LOGITS[None], LABELS[None, :2], [6, 6]), ShapeError,
                         r"input_lengths of int64 and shape \(2,\) for 1 samples"),
    "ctc of one sequence": (lambda: nn.ctc_loss(LOGITS, LABELS), ShapeError, "ctc_loss: logits of shape"),
    "ctc labels": (lambda: nn.ctc_loss(LOGITS[None], LABELS[None, :2] + 4), ArgumentError,
                   "for a model with 4 outputs"),
    "delta": (lambda: huber(LOGITS, TARGETS, delta=0), ArgumentError, "huber: delta=0"),
}


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind, match=text):
        act()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_usual_cross_entropy_is_the_mean_of_the_losses_to_the_last_bit(dtype):
    """Eager code computes it in one call."""
    values, labels = np.random.default_rng(0).normal(size=(6, 4)), tz.tensor([0, 1, 2, 3, 0, 1])
    results = []
    for loss_of in (tz.nn.cross_entropy, lambda *both: tz.nn.cross_entropy(*both, reduction="none").mean()):
        logits = tz.tensor(values, dtype=dtype, requires_grad=True)
        loss = loss_of(logits, labels)
        loss.backward()
        results.append((loss.numpy().tobytes(), logits.grad.numpy().tobytes()))
    assert results[0] == results[1]


def test_label_smoothing_of_many_classes_in_float16_is_finite():
    logits = tz.asarray(np.linspace(-30, 30, 5000, dtype=np.float16)[None])
    loss = nn.cross_entropy(logits, tz.tensor([4999]), label_smoothing=0.1)
    exact = nn.cross_entropy(tz.asarray(logits, dtype=tz.float64), tz.tensor([4999]), label_smoothing=0.1)
    np.testing.assert_allclose(loss.numpy(), exact.numpy(), rtol=3e-3)
