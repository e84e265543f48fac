"""Batches as trees: several inputs and outputs in tuples, lists and dicts, with losses and metrics for each output."""

import numpy as np
import pandas as pd
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError, TrainingError

draw = np.random.default_rng(5)
A, B = draw.normal(size=(70, 3)).astype(np.float32), draw.normal(size=(70, 2)).astype(np.float32)
KIND = (A.sum(1) + B.sum(1) > 0).astype(int)
BOX = A[:, :2] * 2 + B
BOTH = {"kind": "cross_entropy", "box": ("mse", 0.5)}
TARGETS = {"kind": KIND, "box": BOX}


class Two(tz.nn.Module):
    """Two inputs; `outputs` makes a tree of the two outputs."""

    def __init__(self, outputs=lambda kind, box: {"kind": kind, "box": box}):
        self.a, self.b, self.outputs = tz.nn.Dense(8, "relu"), tz.nn.Dense(8, "relu"), outputs
        self.kind, self.box = tz.nn.Dense(2), tz.nn.Dense(2)

    def forward(self, a, b):
        hidden = self.a(a) + self.b(b)
        return self.outputs(self.kind(hidden), self.box(hidden))


class Joined(tz.nn.Module):
    """As `Two`, with both inputs in one array, and one output."""

    def __init__(self):
        self.two = Two(lambda kind, box: kind)

    def forward(self, x):
        return self.two(x[:, :3], x[:, 3:])


def two(loss=BOTH, metrics=(), **options):
    tz.random.seed(1)
    return Two(**options).compile(tz.optim.Adam(lr=0.01), loss, metrics)


def fitted(model, x, y, **options):
    return model.fit(x, y, epochs=3, batch_size=16, seed=0, verbose=0, **options).history


def assert_near(history, wanted):
    assert list(history) == list(wanted)
    for name, values in wanted.items():
        assert history[name] == pytest.approx(values, rel=1e-5)


def test_inputs_by_place_and_by_name_give_the_numbers_of_one_array():
    tz.random.seed(1)
    one = Joined().compile(tz.optim.Adam(lr=0.01), "cross_entropy", ["accuracy"])
    wanted = fitted(one, np.concatenate([A, B], 1), KIND, validation_split=0.2)
    frame = pd.DataFrame(B)
    for x in ((A, B), [A, B], {"b": B, "a": A}, (A, frame), {"a": tz.asarray(A), "b": B}):
        model = two("cross_entropy", ["accuracy"], outputs=lambda kind, box: kind)
        history = fitted(model, x, KIND, validation_split=0.2)
        assert_near(history, wanted)
        assert model._trainer.train_chunk.traces == 2
        assert model.predict(x).numpy() == pytest.approx(one.predict(np.concatenate([A, B], 1)).numpy(), rel=1e-5)


def test_columns_of_a_frame_by_name():
    class Columns(tz.nn.Module):
        def __init__(self):
            self.dense = tz.nn.Dense(1)

        def forward(self, age, size):
            return self.dense(tz.stack([age, size], -1))

    frame = pd.DataFrame({"age": A[:, 0], "size": A[:, 1]})
    model = Columns().compile("sgd", "mse")
    model.fit(dict(frame), A[:, 0], verbose=0)
    assert model.predict(dict(frame)).shape == (70, 1)


def test_several_outputs_are_trained_by_the_weighted_sum_of_their_losses():
    model = two(metrics={"kind": ["accuracy"], "box": "mae"})
    history = model.fit((A, B), TARGETS, epochs=30, batch_size=16, seed=0, verbose=0, validation_split=0.2)
    row = history[-1]
    for name in ("", "val_"):
        assert row[f"{name}loss"] == pytest.approx(row[f"{name}kind_loss"] + 0.5 * row[f"{name}box_loss"], rel=1e-5)
    assert row["kind_accuracy"] > 0.8 and row["val_box_mae"] < 1.5
    prediction = model.predict((A, B))
    scores = model.evaluate((A, B), TARGETS)
    assert scores["box_mae"] == pytest.approx(np.abs(prediction["box"].numpy() - BOX).mean(), rel=1e-5)
    assert scores["kind_accuracy"] == pytest.approx((prediction["kind"].numpy().argmax(1) == KIND).mean())
    assert history.verdict.name != "undecided" and "the best constant of each output" in str(history.verdict)


@pytest.mark.parametrize("kind", [tuple, list])
def test_outputs_by_place(kind):
    def made(pair):
        return kind(pair)

    by_name = fitted(two(metrics={"kind": "accuracy"}), (A, B), TARGETS)
    model = two(made(["cross_entropy", ("mse", 0.5)]), [["accuracy"], []], outputs=lambda *both: made(both))
    history = fitted(model, (A, B), made([KIND, BOX]))
    assert history["output_0_accuracy"] == by_name["kind_accuracy"] and history["loss"] == by_name["loss"]
    assert history["output_1_loss"] == by_name["box_loss"]
    assert type(model.predict((A, B))) is kind


def test_an_output_without_a_loss_and_one_whose_loss_is_none():
    def outputs(kind, box):
        return {"kind": kind, "box": box, "features": box * 2}

    model = two({"kind": "cross_entropy", "box": None, "features": None}, outputs=outputs)
    assert list(fitted(model, (A, B), {"kind": KIND})) == ["loss", "kind_loss", "learning_rate"]
    with pytest.raises(ArgumentError, match="the output 'features' without a loss(.|\\n)*None"):
        fitted(two(outputs=outputs), (A, B), TARGETS)


def test_a_loss_of_ones_own_gets_outputs_and_targets_as_they_are():
    def total(prediction, target):
        return tz.nn.mse(prediction["box"], target["box"]) + tz.nn.cross_entropy(prediction["kind"], target["kind"])

    history = two(total).fit((A, B), TARGETS, epochs=2, seed=0, verbose=0)
    by_name = two({"kind": "cross_entropy", "box": "mse"}).fit((A, B), TARGETS, epochs=2, seed=0, verbose=0)
    assert history.history["loss"] == pytest.approx(by_name.history["loss"], rel=1e-5) and history.verdict is not None


def test_streams_of_trees():
    batches = [((A[i:i + 14], B[i:i + 14]), {"kind": KIND[i:i + 14], "box": BOX[i:i + 14]}) for i in range(0, 70, 14)]
    model = two()
    history = model.fit(batches, epochs=2, validation_data=batches, verbose=0)
    rows = model.evaluate((A, B), TARGETS)
    assert model.evaluate(batches) == pytest.approx(rows, rel=1e-5) and history[-1]["val_loss"] > 0
    for given in (batches, iter(batches), [x for x, _ in batches], iter([{"a": A, "b": B}])):
        assert model.predict(given)["box"].numpy() == pytest.approx(model.predict((A, B))["box"].numpy(), rel=1e-5)
    assert str(history.verdict) and history.measurements["train_samples"] == 70


def test_best_weights_and_going_on_after_a_stop(tmp_path):
    whole = two().fit((A, B), TARGETS, epochs=4, validation_split=0.2, seed=0, verbose=0)
    for epochs in (2, 4):
        model = two()
        again = model.fit((A, B), TARGETS, epochs=epochs, validation_split=0.2, seed=0, verbose=0,
                          callbacks=tz.train.Checkpoint(tmp_path / "run"))
    assert again.history == whole.history
    assert model.evaluate((A, B), TARGETS)["loss"] > 0


def test_a_saved_model_goes_on(tmp_path):
    model = two(metrics={"kind": ["accuracy"]}, outputs=_named)
    fitted(model, (A, B), TARGETS)
    model.save(tmp_path / "two")
    again = tz.load(tmp_path / "two")
    assert again.evaluate((A, B), TARGETS) == model.evaluate((A, B), TARGETS)
    assert fitted(again, (A, B), TARGETS) == fitted(model, (A, B), TARGETS)


def _named(kind, box):
    return {"kind": kind, "box": box}


def fit(x=(A, B), y=TARGETS, model=two, **options):
    return lambda: model().fit(x, y, verbose=0, **options)


def single():
    return Joined().compile("sgd", "cross_entropy")


WRONG = {
    "rows of a leaf": (fit({"a": A, "b": B[:9]}), ShapeError, r"x\['a'\] has 70 rows and x\['b'\] has 9"),
    "rows of a leaf, predicted": (lambda: two().predict([A, B[:9]]), ShapeError,
                                  r"x\[0\] has 70 rows and x\[1\] has 9(.|\n)*check how x\[0\] and x\[1\] were made"),
    "rows of a dict, predicted": (lambda: two().predict({"a": A, "b": B[:9]}), ShapeError, r"x\['b'\] has 9"),
    "several for one, predicted": (lambda: tz.nn.Sequential([tz.nn.Dense(1)]).predict([A, A[:9]]), ShapeError,
                                   r"x\[0\] has shape \(70, 3\) and x\[1\] has \(9, 3\)(.|\n)*forward takes as many"),
    "rows of a target": (fit(y={"kind": KIND, "box": BOX[:8]}), ShapeError, r"y\['kind'\] has 70 rows and y\['box'\]"),
    "a missing input": (fit({"a": A}), ArgumentError, r"x is a dict without 'b': it has 'a'(.|\n)*Two.forward"),
    "another input": (fit({"a": A, "b": B, "c": B}), ArgumentError, "x has 'c', which Two.forward does not take"),
    "too many": (fit((A, B, B)), ArgumentError, "x has 3 inputs(.|\n)*those of Two.forward: a, b"),
    "one of two": (fit(A), ArgumentError, "x has 1 input(.|\n)*those of Two.forward: a, b"),
    "text": (fit({"a": A, "b": np.array(["x"] * 70)}), Exception, r"x\['b'\] holds <U1 \(text\)"),
    "not finite": (fit((A, B * np.nan)), ArgumentError, r"x\[1\] holds values that are not finite"),
    "a missing target": (fit(y={"kind": KIND}), ArgumentError, "losses for 'box', and targets 'kind'"),
    "one target": (fit(y=KIND), ArgumentError, "losses for 'kind', 'box', and targets that are one"),
    "one loss": (fit(model=lambda: two("mse")), TrainingError, "gives a dict of 2 as output"),
    "a dict of targets for one": (fit(A, {"y": KIND}, single), ArgumentError, "y has 1 part, and there is one loss"),
    "no loss": (lambda: two({"kind": None}), ArgumentError, "no output with a loss"),
    "a weight": (lambda: two({"kind": ("mse", -1)}), ArgumentError, "a loss with the weight -1"),
    "metrics of another": (lambda: two(metrics={"bx": "mae"}), ArgumentError, "metrics for 'bx', which has no loss"),
    "a list of metrics": (lambda: two(metrics=["mae"]), ArgumentError, "a list of metrics for several outputs"),
    "metrics by name": (lambda: two("mse", {"a": "mae"}), ArgumentError, "metrics by the names of outputs"),
    "validation": (fit(validation_data=((A, B[:, :1]), TARGETS)), ShapeError,
                   r"validation_data with x\[1\] of shape \(70, 1\)"),
    "validation of another kind": (fit(validation_data=(A, TARGETS)), ArgumentError, "of another structure"),
}


@pytest.mark.parametrize(("act", "kind", "text"), WRONG.values(), ids=WRONG)
def test_refusals(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
