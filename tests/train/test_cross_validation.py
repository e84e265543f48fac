"""Cross-validation: folds, their weights, seeds and callbacks, and what it refuses."""

import copy
import itertools

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.train import BestModel, Callback, Checkpoint, CrossValidation, CSVLog, EarlyStopping, Log, TensorBoard
from tarazu.train.trainer.divergence import TrainingWarning

X = np.random.default_rng(5).normal(size=(40, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)
WEIGHT = np.random.default_rng(6).uniform(0.5, 2.0, 40).astype(np.float32)


def build():
    layers = [tz.nn.Dense(4, in_features=3), tz.nn.Dense(1)]  # one has its weights from the start, one waits
    return tz.nn.Sequential(layers).compile(tz.optim.SGD(lr=0.01), "mse", ["mae"])


def validated(make=build, x=X, y=Y, **options):
    return tz.cross_validate(make, x, y, **{"folds": 4, "epochs": 2, "seed": 3, **options})


def by_hand(fold, make=build, x=X, y=Y, weight=None, folds=4, **options):
    """The scores of a fold by `fit` and `evaluate`; of targets that are no classes."""
    parts = np.empty(len(x), int)
    parts[np.random.default_rng(3).permutation(len(x))] = np.arange(len(x)) % folds
    tz.random.seed(3)
    model = make()
    (x_train, y_train, w_train), (x_test, y_test, w_test) = (
        (x[rows], y[rows], None if weight is None else weight[rows]) for rows in (parts != fold, parts == fold))
    model.fit(x_train, y_train, sample_weight=w_train, seed=3, verbose=0, **{"epochs": 2, **options})
    return model.evaluate(x_test, y_test, sample_weight=w_test)


def test_cross_validation():
    labels = (X[:, 0] > 0.5).astype(int)

    def classifier():
        return tz.nn.Sequential([tz.nn.Dense(2)]).compile(tz.optim.SGD(lr=0.5), "cross_entropy", ["accuracy"])

    found = validated(classifier, y=labels, epochs=20)
    assert len(found.rows) == 4 and found.mean("accuracy") > 0.7
    low, high = found.interval("accuracy")
    assert low < found.mean("accuracy") < high and "4 folds" in str(found) and found._repr_html_().endswith("</pre>")
    picture = found.plot()
    assert [chart.title.split(" ")[0] for chart in picture.charts] == ["loss", "accuracy"]
    assert picture.svg().count('class="dot sparse train"') == 8 and picture.svg().count('class="band muted"') == 2


def test_folds_without_a_score_have_no_dot_and_a_failed_fold_no_mean():
    found = tz.train.CrossValidation(({"loss": 0.5, "auc": 0.7}, {"loss": float("nan")}, {"loss": 0.4, "auc": 0.8}),
                                     0.3)
    picture = found.plot().svg()
    assert picture.count('class="dot sparse train"') == 4 and picture.count('class="band muted"') == 0
    assert "nan" not in picture and ">loss<" in picture


def test_weights_of_samples_are_cut_as_rows_are():
    found = validated(sample_weight=WEIGHT)
    assert found.rows[2] == by_hand(2, weight=WEIGHT)
    assert found.rows != validated().rows
    # Weights of 0 leave a row out, of training and of the loss in validation.
    odd = np.where(np.arange(40) % 8 == 0, 1e3, 0).astype(np.float32)[:, None]
    spoiled = validated(y=Y + odd, sample_weight=(odd[:, 0] == 0).astype(float))
    assert spoiled.mean("loss") < 100 < spoiled.mean("mae")


def test_weights_of_outputs_are_cut_as_rows_are():
    class Two(tz.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = tz.nn.Dense(1), tz.nn.Dense(1)

        def forward(self, x):
            return {"a": self.a(x), "b": self.b(x)}

    def two():
        return Two().compile("sgd", {"a": "mse", "b": "mse"})

    targets = {"a": Y, "b": -Y}
    found = validated(two, y=targets, folds=2, sample_weight={"a": WEIGHT, "b": np.zeros(40)})
    assert all(row["b_loss"] == 0 < row["a_loss"] for row in found.rows)


def test_a_loss_of_the_models_own_gets_weights_and_trees():
    class Own(tz.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = tz.nn.Dense(1)

        def compute_loss(self, batch):
            x, y, *weight = batch.values() if isinstance(batch, dict) else batch
            return (tz.mean((self.layer(x) - y) ** 2, 1) * (weight[0] if weight else 1.0)).mean()

    weighted = validated(lambda: Own().compile("sgd"), folds=2, sample_weight=WEIGHT)
    as_tree = validated(lambda: Own().compile("sgd"), {"x": X, "y": Y, "weight": WEIGHT}, None, folds=2)
    assert weighted.rows == as_tree.rows
    with pytest.raises(ArgumentError, match="sample_weight without y"):
        validated(lambda: Own().compile("sgd"), {"x": X, "y": Y}, None, sample_weight=WEIGHT)


def test_the_seed_covers_what_build_draws_and_the_global_generator_stays():
    tz.random.seed(11)
    first, after = validated().rows, tz.random.normal(2).tolist()
    tz.random.seed(11)
    assert tz.random.normal(2).tolist() == after
    assert validated().rows == first != validated(seed=4).rows
    assert first[1] == by_hand(1)
    tz.random.seed(11)
    with pytest.raises(ArgumentError):
        validated(batch_size=0)
    assert tz.random.normal(2).tolist() == after


def test_callbacks_are_those_of_the_fold(tmp_path):
    stop = EarlyStopping("loss", patience=1, min_delta=1e9)  # the objects of a list start anew in each fold
    epochs = []

    class Note(Callback):
        def on_fit_end(self, run):
            epochs.append(len(run.history))

    validated(callbacks=[stop, Note()], epochs=9)
    assert epochs == [2, 2, 2, 2]
    asked = []

    def callbacks(fold):
        asked.append(fold)
        return [CSVLog(tmp_path / f"{fold}.csv"), BestModel(tmp_path / f"{fold}.tz", "loss")]

    validated(callbacks=callbacks)
    assert asked == [0, 1, 2, 3] and all((tmp_path / f"{fold}.csv").exists() for fold in asked)
    x = tz.load(tmp_path / "2.tz").evaluate(X, Y)["loss"]
    assert x != tz.load(tmp_path / "1.tz").evaluate(X, Y)["loss"]
    validated(callbacks=lambda fold: CSVLog(tmp_path / f"one-{fold}.csv"))


def test_an_interrupted_cross_validation_keeps_the_folds_that_are_done():
    fits = []

    class Interrupt(Callback):
        def on_fit_start(self, run):
            fits.append(run)

        def on_epoch_end(self, run):
            if len(fits) == 2:
                raise KeyboardInterrupt

    found = validated(callbacks=Interrupt())
    assert len(fits) == 2 and len(found.rows) == 1


def test_an_interrupted_cross_validation_resumes(tmp_path):
    class Interrupt(Callback):
        def __init__(self, fold):
            self.fold = fold

        def on_epoch_end(self, run):
            trained.append((self.fold, run.epoch))
            if trained[-1] == (1, 2):
                raise KeyboardInterrupt

    def checkpoint(fold):
        return Checkpoint(tmp_path / f"run-{fold}.ckpt")

    trained = []
    whole = validated(epochs=3, folds=3)
    found = validated(epochs=3, folds=3, callbacks=lambda fold: [Interrupt(fold), checkpoint(fold)])
    assert found.rows == whole.rows[:1] and trained == [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2)]

    class Note(Interrupt):
        def on_epoch_end(self, run):
            again.append((self.fold, run.epoch))

    again = []
    resumed = validated(epochs=3, folds=3, callbacks=lambda fold: [Note(fold), checkpoint(fold)])
    assert resumed.rows == whole.rows and again == [(1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    # Folds of another seed are other rows: nothing of theirs is taken over.
    with pytest.raises(ArgumentError, match=r"run-0\.ckpt does not fit this run: its training data is another"):
        validated(epochs=3, folds=3, seed=9, callbacks=checkpoint)


@pytest.mark.parametrize("kind", [Checkpoint, Log, CSVLog, TensorBoard, BestModel])
def test_one_path_for_all_folds_is_refused_before_training(tmp_path, kind):
    fix = rf"{kind.__name__}\(f\".*run-{{fold}}\.out\"\)"
    for callbacks in (kind(tmp_path / "run.out"), lambda fold: [kind(tmp_path / "run.out")]):
        with pytest.raises(ArgumentError, match=rf"{kind.__name__}\(.*run\.out'\) in more than one fold") as raised:
            validated(callbacks=callbacks)
        raised.match(fix)
    assert not (tmp_path / "run.out").exists()


def sharing(part):
    """A `build` whose models share a part."""
    layer, optimizer = tz.nn.Dense(4, in_features=3), tz.optim.SGD(lr=0.01)
    waiting, model, tensor = tz.nn.Dense(4), build(), tz.ones(3, requires_grad=True)

    class Scaled(tz.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.last = tensor, tz.nn.Dense(1)

        def forward(self, x):
            return self.last(x * self.scale)

    def make():
        first = {"layer": layer, "waiting": waiting}.get(part) or tz.nn.Dense(4)
        own = tz.nn.Sequential([first, tz.nn.Dense(1)])
        made = {"model": model, "tensor": Scaled()}.get(part, own)
        return made.compile(optimizer if part == "optimizer" else "sgd", "mse")
    return make


@pytest.mark.parametrize(("part", "text"), [
    ("model", "build() gave the same Sequential each time"), ("layer", "the same layer '0', a Dense, each time"),
    ("waiting", "the same layer '0', a Dense, each time"), ("tensor", "the same tensor 'scale' each time"),
    ("optimizer", "the same optimizer SGD(lr=0.01")])
def test_models_that_share_a_part_are_refused_before_training(part, text):
    with pytest.raises(TrainingError) as raised:
        validated(sharing(part))
    assert text in str(raised.value) and "inside build" in str(raised.value)


def test_copies_of_a_trained_layer_are_a_fold_s_own():
    layer = tz.nn.Dense(4, in_features=3)
    before = layer.weight.tolist()
    found = validated(lambda: tz.nn.Sequential([copy.deepcopy(layer), tz.nn.Dense(1)]).compile("sgd", "mse"))
    assert len(found.rows) == 4 and layer.weight.tolist() == before


def test_refusals():
    found = CrossValidation(({"loss": 1.0}, {"loss": 2.0}), 0.5)
    for act, text in ((lambda: validated(folds=1), "folds=1"),
                      (lambda: validated(x=X[:2], y=Y[:2], folds=3), "3 folds of 2 rows"),
                      (lambda: validated(x=itertools.repeat((X, Y)), y=None), "of a repeat, which gives batches"),
                      (lambda: validated(x=tz.data.Dataset((X, Y)), y=None), "of a Dataset, which gives batches"),
                      (lambda: validated(callbacks=EarlyStopping), "callbacks=EarlyStopping, a class"),
                      (lambda: found.mean("auc"), "no score 'auc'")):
        with pytest.raises(ArgumentError, match=text):
            act()
    with pytest.raises(TrainingError, match=r"build\(\) gave a int"):
        validated(lambda: 3)


def test_a_score_that_is_undefined_in_some_folds():
    labels = np.zeros(40, int)
    labels[:2] = 1  # two folds of four have one class only

    def classifier():
        return tz.nn.Sequential([tz.nn.Dense(2)]).compile("sgd", "cross_entropy", ["auc", "accuracy"])

    with pytest.warns(TrainingWarning, match=r"'auc' is undefined in 2 of 4 folds \(folds \d, \d, counted from 0"):
        found = validated(classifier, y=labels, epochs=1)
    values = found.values("auc")
    undefined = np.flatnonzero(np.isnan(values))
    assert found.undefined("auc") == undefined.tolist() and len(undefined) == 2 and not found.undefined("accuracy")
    alone = CrossValidation(tuple({"auc": value} for value in values[~np.isnan(values)]), 1 / 4)
    assert found.mean("auc") == alone.mean("auc") and found.interval("auc") == alone.interval("auc")
    assert ", undefined in 2 of 4 folds" in str(found)


def test_nothing_is_left_out_of_a_fold_whose_training_failed():
    nan = float("nan")
    found = CrossValidation(({"loss": nan, "auc": nan}, {"loss": 1.0, "auc": 0.5}), 0.5)
    assert np.isnan(found.mean("loss")) and np.isnan(found.mean("auc")) and not found.undefined("auc")
    nowhere = CrossValidation(({"loss": 1.0, "auc": nan}, {"loss": 1.0, "auc": nan}), 0.5)
    assert np.isnan(nowhere.mean("auc")) and np.isnan(nowhere.interval("auc")).all() and "auc" in str(nowhere)


def test_printed_intervals_end_where_the_range_of_the_score_does():
    def classifier():
        def accuracy(prediction, target):  # a user's metric, of which no range is known
            return prediction[:, 0]

        metrics = ["f1", tz.train.Recall(average=None, name="recall"), accuracy]
        return tz.nn.Sequential([tz.nn.Dense(2)]).compile("sgd", "cross_entropy", metrics)

    ranges = validated(classifier, y=(X[:, 0] > 0).astype(int), folds=2, epochs=1).ranges
    assert ranges == {"f1": (0.0, 1.0), "recall": (0.0, 1.0), "loss": (0.0, np.inf)}
    values = [{"f1": 0.0, "recall_0": 0.2, "accuracy": 0.0, "loss": 0.1},
              {"f1": 1.0, "recall_0": 0.9, "accuracy": 1.0, "loss": 5.0}]
    found = CrossValidation(tuple(values), 1 / 2, ranges)
    assert found.interval("f1")[0] < 0 < 1 < found.interval("f1")[1]
    lines = str(found).splitlines()[1:]
    assert [line.endswith("(0 to 1)") for line in lines] == [True, True, False, False] and "(0 to " in lines[3]
