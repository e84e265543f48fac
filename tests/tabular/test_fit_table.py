"""`tz.fit_table`: from any kind of table to a model, its scores and its report, the same as the command gives."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.data import read_table
from tarazu.diagnose import r2
from tarazu.tabular import run_folder, score_text

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


@pytest.fixture(scope="module")
def penguins():
    return tz.fit_table(PENGUINS, target="species", epochs=6, verbose=0)


@pytest.fixture(scope="module")
def flats():
    generator = np.random.default_rng(0)
    size, noise = generator.uniform(20, 200, 200), generator.normal(size=200)
    return tz.fit_table({"size": size, "noise": noise, "price": 1000 * size + 5e4}, target="price", epochs=60,
                        learning_rate=0.01, verbose=0)


def test_string_targets_come_back_as_strings(penguins):
    table = read_table(PENGUINS)
    predicted = penguins.predict(PENGUINS)
    assert set(predicted) == {"Adelie", "Chinstrap", "Gentoo"} == set(penguins.classes)
    true = np.array(table["species"].level_texts)[table["species"].codes]
    for part, rows in penguins.split._asdict().items():
        assert penguins.scores[part]["accuracy"] == pytest.approx((predicted == true)[rows].mean())
    probabilities = penguins.probabilities(PENGUINS)
    assert probabilities.shape == (344, 3)
    assert (probabilities.argmax(1) == [penguins.classes.index(name) for name in predicted]).all()


def test_paths_frames_and_tables_give_the_same(penguins):
    pandas = pytest.importorskip("pandas")
    for data in (str(PENGUINS), read_table(PENGUINS), pandas.read_csv(PENGUINS)):
        other = tz.fit_table(data, target="species", epochs=6, verbose=0)
        assert other.scores == penguins.scores
        assert other.encoder == penguins.encoder


def test_the_scores_are_those_of_the_parts(penguins):
    rows = read_table(PENGUINS).take(penguins.split.test)
    assert penguins.evaluate(rows) == pytest.approx(penguins.scores["test"])
    assert list(penguins.scores) == ["train", "validation", "test", "majority"]
    assert penguins.assessment.guess == "Adelie"
    assert penguins.scores["majority"]["accuracy"] == pytest.approx(23 / 51)
    assert penguins.scores["majority"]["balanced_accuracy"] == pytest.approx(1 / 3)
    assert sum(row["rows"] for row in penguins.assessment.classes.values()) == len(penguins.split.test)


def test_each_loss_has_one_value(penguins, flats):
    """The validation loss of the kept epoch, in the history, the measurements and the scores."""
    measured = penguins.history.measurements
    kept = penguins.history[measured["kept_epoch"] - 1]["val_loss"]
    assert penguins.scores["validation"]["log_loss"] == pytest.approx(kept) == measured["validation_loss"]
    kept = flats.history[flats.history.measurements["kept_epoch"] - 1]
    assert flats.scores["validation"]["mae"] == pytest.approx(kept["val_mae"], rel=1e-4)
    assert flats.scores["validation"]["rmse"] == pytest.approx(
        np.sqrt(kept["val_loss"]) * flats.encoder.target_scale, rel=1e-4)


def test_numbers_are_scored_in_their_units(flats):
    assert flats.scores["mean"]["rmse"] > 30_000 > 10_000 > flats.scores["test"]["rmse"]
    assert flats.scores["test"]["r2"] > 0.9 > 0.1 > flats.scores["mean"]["r2"]
    assert r2(np.array([7.0e4, 2.0e5]), flats.predict({"size": [20.0, 150.0], "noise": [0, 0]})) > 0.9
    with pytest.raises(ArgumentError, match="the target 'price' is a number, which has no probabilities"):
        flats.probabilities({"size": [20.0], "noise": [0]})


def test_importance_knows_which_column_matters(flats):
    size, noise = flats.importance
    assert size.column == "size" and size.low > 10 * max(noise.high, 0)


def test_the_worst_rows_are_named_by_their_lines_and_are_wrong():
    fitted = tz.fit_table(PENGUINS, target="species", epochs=1, learning_rate=0.0001, verbose=0)
    lines = PENGUINS.read_text().splitlines()
    wrong = [row.wrong for row in fitted.worst]
    assert wrong and wrong == sorted(wrong, reverse=True)
    for row in fitted.worst:
        cells = lines[int(row.name.removeprefix("line ")) - 1].split(",")
        assert row.true == cells[0] != row.predicted
        assert len(row.cells) == 6 and set(row.cells.values()) - {""} <= set(cells)


def test_rows_of_frames_are_named_by_their_number(flats):
    worst = flats.worst[0]
    number = int(worst.name.removeprefix("row "))
    assert number in flats.split.test and worst.wrong == max(row.wrong for row in flats.worst)


def test_a_saved_fit_predicts_the_same(penguins, tmp_path):
    folder = penguins.save(tmp_path / "run")
    loaded = tz.tabular.TableModel.load(folder)
    assert (loaded.probabilities(PENGUINS) == penguins.probabilities(PENGUINS)).all()
    with pytest.raises(ArgumentError, match="run is there already"):
        penguins.save(tmp_path / "run")
    assert penguins.save(tmp_path / "run", force=True) == folder
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_report_says_how_many_rows_there_are_and_how_it_was_made(penguins, tmp_path):
    text = penguins.report(tmp_path / "report.html").read_text()
    assert "241 train rows, 52 validation rows, 51 test rows" in text
    assert "tz.fit_table(" in text and "target=&#39;species&#39;, epochs=6)" in text
    for part in ("adam, learning rate 0.001, batches of 32 rows", "hidden layers of 64, 64 (relu)", "seed 0",
                 "Calibration on test data", "Importance of the columns", "majority: always"):
        assert part in text, part
    assert "majority" in str(penguins) and str(penguins.verdict) in str(penguins)
    assert "test accuracy" in repr(penguins)


def test_notes_on_columns_are_printed_and_in_the_report(tmp_path, capsys):
    table = {"id": [7] * 40, "a": list(range(40)), "b": ["x", "y"] * 20}
    fitted = tz.fit_table(table, target="b", epochs=1, verbose=1)
    assert "id (one value only)" in capsys.readouterr().out
    assert "id: left out, one value only" in fitted.report(tmp_path / "report.html").read_text()


def test_verbose_0_prints_nothing(capsys):
    tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
    assert capsys.readouterr() == ("", "")


def test_the_options_are_those_of_the_command_with_the_same_defaults():
    signature = inspect.signature(tz.fit_table)
    options = {name: value.default for name, value in signature.parameters.items()}
    for name, value in vars(tz.tabular.TableOptions()).items():
        assert options[name] == value or name == "kinds"


def test_fit_with_strings_names_the_way():
    model = tz.nn.Sequential([tz.nn.Dense(2)]).compile("adam", loss="cross_entropy")
    for y in (np.array(["a", "b"]), ["a", "b"], np.array(["a", None], object)):
        with pytest.raises(tz.TarazuError, match=r"y holds \S+ \(text\)(.|\n)*np.unique(.|\n)*tz.fit_table"):
            model.fit([[1.0], [2.0]], y)


@pytest.mark.parametrize("parts", [{"validation": 0.0, "test": 0.0}, {"validation": 0.0, "test": 0.25}, {}])
@pytest.mark.parametrize("target", ["kind", "value"])
def test_the_smallest_tables(parts, target, tmp_path):
    """Parts of one row, or of none: nothing is known there, and nothing fails."""
    table = {"a": [1.0, 2.5, 3.0, 4.5, 5.0, 6.5], "kind": ["x", "y"] * 3, "value": [0.5, 1.5, 2.5, 3.25, 4.5, 5.5]}
    fitted = tz.fit_table(table, target=target, epochs=1, verbose=0, **parts)
    assert fitted.assessment.subset == ("train" if parts and not parts["test"] else "test")
    _, again = run_folder.read_outcome(fitted.save(tmp_path / "run"))
    assert score_text.all_scores(again, 60) == score_text.all_scores(fitted.assessment, 60)
    assert "nan" not in score_text.all_scores(again) and "inf" not in score_text.all_scores(again)
    assert "NaN" not in (tmp_path / "run" / "model.json").read_text()


def test_of_many_classes_a_terminal_shows_those_of_lowest_f1():
    classes = {f"c{i}": {"rows": 10.0, "precision": 1.0, "recall": 1.0, "f1": i / 20} for i in range(20)}
    classes["absent"] = {"rows": 0.0, "precision": np.nan, "recall": np.nan, "f1": np.nan}
    assessment = tz.tabular.Assessment("classification", "test", "c0", {}, classes, {}, ())
    lines = score_text.by_class(assessment).splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [f"c{i}" for i in range(12)]
    assert lines[-1] == "and 9 more classes, of higher F1, in the report"


def test_numbers_name_the_columns_of_a_frame_that_has_numbers_as_names():
    frame = {0: [float(i) for i in range(40)], 1: ["a", "b"] * 20, 2: [2.0 * i for i in range(40)]}
    fitted = tz.fit_table(frame, target=2, epochs=1, kinds={1: "ignore"}, split=0, verbose=0)
    assert fitted.encoder.target.name == "2" and fitted.encoder.ignored["1"] == "as asked"
    assert sorted(fitted.split.test) == list(range(34, 40))
    assert fitted.predict({0: [1.0]}).shape == (1,)


def test_one_number_is_one_hidden_layer_and_one_text_one_missing_word():
    frame = {"x": [float(i) for i in range(40)], "y": ["n", "a", "gone", "b"] * 10}
    fitted = tz.fit_table(frame, target="y", hidden=8, missing="gone", epochs=1, verbose=0)
    assert [layer.bias.shape for layer in fitted.model] == [(8,), (3,)]
    assert fitted.classes == ("a", "b", "n")
    with pytest.raises(ArgumentError, match=r"hidden='64'\n  expected: a whole number of at least 1"):
        tz.fit_table(frame, target="y", hidden="64", verbose=0)


def test_codes_of_embedded_categories_are_no_unscaled_inputs():
    generator = np.random.default_rng(0)
    frame = {"street": [f"street {i % 40}" for i in range(400)], "y": generator.normal(size=400)}
    fitted = tz.fit_table(frame, target="y", epochs=3, verbose=0)
    assert fitted.encoder.embeddings and "scaled" not in str(fitted.verdict)


def test_large_numbers_keep_their_whole_part():
    size = np.arange(60.0)
    fitted = tz.fit_table({"size": size, "north": 5_300_000 + size}, target="north", epochs=1, verbose=0)
    assert "5,300,000 to 5,300,059, mean 5,300,03" in str(fitted.summary)
    assert "always 5,300,0" in str(fitted)
    assert all(row.true.startswith("5,300,0") for row in fitted.worst)
