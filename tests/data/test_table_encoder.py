"""Kinds, targets, the encoder and its summary."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarazu.base.errors import DataWarning, FileFormatError
from tarazu.data import Table, TableEncoder, find_target, split_table, summarize
from tarazu.data.tables.column_kinds import feature_kinds


def make_table(rows=60):
    random = np.random.default_rng(0)
    values = random.normal(50.0, 9.0, rows)
    values[[3, 40]] = np.nan
    return Table.from_frame({
        "number": values, "flag": random.random(rows) < 0.5, "same": ["x"] * rows, "empty": [None] * rows,
        "city": [f"city {k}" for k in random.integers(0, 20, rows)],
        "size": random.choice(["small", "large", ""], rows), "y": random.choice(["no", "yes"], rows)})


def kinds_of(table, stated=None):
    return {name: found.kind for name, found in feature_kinds(table, "y", stated).items()}


def test_kinds():
    kinds = kinds_of(make_table(), {"flag": "ignore"})
    assert kinds == {"number": "number", "flag": "ignore", "same": "category", "empty": "number", "city": "category",
                     "size": "category"}


def test_categories_that_the_frame_states_stay_categories():
    pandas = pytest.importorskip("pandas")
    table = Table.from_frame(pandas.DataFrame({"c": pandas.Categorical([1, 2]), "y": [0, 1]}))
    assert kinds_of(table) == {"c": "category"}


@pytest.mark.parametrize(("values", "task", "classes"), [
    ([0, 1], "classification", ("0", "1")),
    ([0.0, 1.0, 1.0], "classification", ("0", "1")),
    ([True, False], "classification", ("False", "True")),
    (["b", "a"], "classification", ("a", "b")),
    ([10, 9, 2] * 3, "classification", ("2", "9", "10")),
    ([4, 5, 6, 8], "regression", ()),
    ([0.5, 1.5] * 9, "regression", ()),
    (list(range(11)) * 9, "regression", ()),
])
def test_tasks(values, task, classes):
    target = find_target(Table.from_frame({"y": values}), "y")
    assert (target.task, target.classes) == (task, classes)


def test_the_kind_of_the_target_overrides_the_guess():
    table = Table.from_frame({"y": [0, 1, 1]})
    assert find_target(table, "y", {"y": "number"}).task == "regression"
    assert find_target(Table.from_frame({"y": [1.5, 2.5]}), "y", {"y": "category"}).classes == ("1.5", "2.5")


def test_features_by_hand():
    train = Table.from_frame({"n": [1.0, 3.0, None], "c": ["b", "a", None], "m": [0, 2, 4], "y": [0, 1, 0]})
    encoder = TableEncoder.fit(train, target="y")
    assert encoder.feature_names == ("n", "n (missing)", "c=a", "c=b", "c (missing)", "m")
    new = Table.from_frame({"m": [2, None], "c": ["unseen", None], "n": [4.0, None]})
    with pytest.warns(DataWarning, match="column 'c': none of its values was there in training: there are 'unseen', "
                      "training had 'a', 'b'; all of them count as unknown"):
        features = encoder.features(new)
    assert features.tolist() == [[2.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]]
    assert features.dtype == np.float32


def test_embedded_categories_come_last_as_codes():
    encoder = TableEncoder.fit(make_table(), target="y")
    levels = encoder.coders[-1].levels
    assert len(levels) == 18
    assert encoder.feature_names[-1] == "city" and encoder.num_dense == len(encoder.feature_names) - 1
    assert encoder.embeddings == ((19, 8),)
    new = make_table().take(np.arange(3))
    assert encoder.features(new)[:, -1].astype(int).tolist() == [
        1 + levels.index(new["city"].level_texts[code]) for code in new["city"].codes]
    unseen = Table.from_frame({"number": [None, 1], "flag": [True, None], "size": ["small", None],
                               "city": ["nowhere", None]})
    with pytest.warns(DataWarning, match="column 'city': none of its values was there"):
        assert encoder.features(unseen)[:, -1].tolist() == [0.0, 0.0]


def test_only_the_training_rows_are_learned_from():
    table = Table.from_frame({"n": [1.0, 3.0, 100.0], "c": ["a", "b", "late"], "k": [1, 1, 2], "y": [0, 1, 1]})
    encoder = TableEncoder.fit(table, target="y", rows=np.array([0, 1]))
    assert encoder.feature_names == ("n", "c=a", "c=b") and encoder.ignored == {
        "k": "one value only in the 2 training rows"}
    assert encoder.features(table).tolist() == [[-1, 1, 0], [1, 0, 1], [98, 0, 0]]


def test_regression_returns_to_the_units_of_the_user():
    table = Table.from_frame({"x": [1, 2, 3, 4], "y": [1000.5, 2000.5, 3000.5, 4000.5]})
    encoder = TableEncoder.fit(table, target="y")
    labels = encoder.labels(table)
    assert labels.shape == (4, 1) and labels.dtype == np.float32
    assert (encoder.target_mean, round(encoder.target_scale, 2)) == (2500.5, 1118.03)
    assert np.allclose(encoder.decode_target(labels)[:, 0], table["y"].numbers())


def test_classification_labels_and_their_names():
    table = make_table()
    encoder = TableEncoder.fit(table, target="y")
    labels = encoder.labels(table)
    assert labels.dtype == np.int64 and encoder.classes == ("no", "yes")
    assert encoder.decode_target(labels).tolist() == [table["y"].level_texts[code] for code in table["y"].codes]


def test_text_and_frame_give_the_same_numbers():
    table = make_table()
    texts = Table.from_frame({name: [column.level_texts[c] if c >= 0 else "NA" for c in column.codes]
                              for name, column in table.columns.items()})
    assert TableEncoder.fit(table, target="y") == TableEncoder.fit(texts, target="y")


def test_a_number_beyond_float32_stays_finite():
    encoder = TableEncoder.fit(Table.from_frame({"x": [1, 2], "y": [0, 1]}), target="y")
    assert np.isfinite(encoder.features(Table.from_frame({"x": [1e300]}))).all()


FINITE = st.floats(-1e100, 1e100)


@given(st.lists(st.tuples(FINITE | st.none(), st.text(max_size=3), FINITE), min_size=2, max_size=20))
def test_json_round_trip(rows):
    columns = {"n": [row[0] for row in rows], "c": [row[1] for row in rows], "y": [row[2] for row in rows]}
    columns["z"] = list(range(len(rows)))
    columns["y"][:2] = [0.5, 1.5]
    encoder = TableEncoder.fit(Table.from_frame(columns), target="y", kinds={"c": "category"})
    assert TableEncoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False))) == encoder


def places(content, path=()):
    """The path to each value inside JSON content."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


SAVED = json.dumps(TableEncoder.fit(make_table(), target="y").to_json())


SAVED_DATE = json.dumps(TableEncoder.fit(
    Table.from_frame({"d": [f"{2000 + i}-05-{1 + i} 10:{i}0" for i in range(6)], "n": ["$1", "$2", "$3"] * 2,
                      "y": [0, 1, 1] * 2}), target="y").to_json())


@pytest.mark.parametrize("saved", [SAVED, SAVED_DATE], ids=["text", "dates"])
@pytest.mark.parametrize("junk", [None, "", -1, float("nan"), [], {}, [3]], ids=repr)
def test_damaged_json_is_an_error_or_an_encoder_that_works(junk, saved):
    for path in places(json.loads(saved)):
        content = json.loads(saved)
        inner = content
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = junk
        try:
            encoder = TableEncoder.from_json(content)
        except FileFormatError as error:
            assert "the saved table encoder is damaged: " in str(error)
        else:
            assert type(junk) in (str, int, list, dict) and encoder.feature_names


def test_json_that_lacks_a_key():
    for path in places(json.loads(SAVED)):
        content = json.loads(SAVED)
        inner = content
        for key in path[:-1]:
            inner = inner[key]
        if isinstance(inner, dict) and path[0] != "ignored":  # whose keys are columns
            del inner[path[-1]]
            with pytest.raises(FileFormatError, match=f"{path[-1]!r} is missing"):
                TableEncoder.from_json(content)
    with pytest.raises(FileFormatError, match="its format is 1, this version of Tarazu reads 2"):
        TableEncoder.from_json({**json.loads(SAVED), "format": 1})
    with pytest.raises(FileFormatError, match="None stands where a JSON object should"):
        TableEncoder.from_json(None)


def test_summary_of_a_classification():
    table = make_table()
    summary = summarize(table, TableEncoder.fit(table, target="y", kinds={"flag": "ignore"}))
    missing = int(table["size"].missing().sum())
    yes = sum(table["y"].codes == table["y"].level_texts.index("yes"))
    assert str(summary) == (
        f"60 rows, 3 features: 1 number, 2 categories (1 embedded); {2 + missing} missing cells in 2 columns\n"
        f"target y, classification: 2 classes: no {60 - yes}, yes {yes}\n"
        "ignored: flag (as asked), same (one value only), empty (no values)")


def test_summary_of_a_regression():
    table = Table.from_frame({"x": [1, 2, 3], "y": [0.5, 20000.0, 12.0]})
    assert str(summarize(table, TableEncoder.fit(table, target="y"))) == (
        "3 rows, 1 feature: 1 number; no missing cells\ntarget y, regression: 0.5 to 20,000, mean 6,671")


def test_the_whole_way():
    table = make_table()
    split = split_table(table, "y")
    encoder = TableEncoder.fit(table, target="y", rows=split.train)
    x = encoder.features(table)[split.train]
    assert x.shape == (len(split.train), len(encoder.feature_names))
    assert abs(x[:, 0].mean()) < 1e-6
