"""The commands on tables as people hand them over: nothing but the target is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import read_csv, run

import tarazu as tz


def fit(text, *options, target="y"):
    """What `tarazu fit` prints for a file of that text."""
    Path("t.csv").write_text(text, encoding="utf-8")
    return run("fit", "t.csv", "--target", target, "--epochs", 1, "--hidden", 0, "--out", "run", "--force", *options)


def predicted(text):
    """The rows that `tarazu predict` writes for a file of that text."""
    Path("new.csv").write_text(text, encoding="utf-8")
    run("predict", "run", "new.csv", "-o", "p.csv", "--force")
    return read_csv("p.csv")


def csv_of(**columns):
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("base", "scale"), [(1.357e9, 3600.0), (5.1e6, 250.0), (2e6, 8e5), (0.0, 1e-7)])
def test_predictions_keep_what_float32_tells_apart(base, scale):
    x = np.random.default_rng(0).normal(size=60)
    text = csv_of(x=x, y=base + scale * x)
    fit(text)
    written = np.array([float(row["y"]) for row in predicted(text)])
    exact = tz.tabular.TableModel.load("run").predict("t.csv")
    assert np.array_equal(written.astype(np.float32), exact.astype(np.float32))
    assert np.abs(written - exact).max() <= 1e-7 * np.std(base + scale * x) + 1e-7 * np.abs(exact - base).max()
    assert len(set(written)) == len(set(x))


def test_probabilities_are_written_as_the_shortest_digits_of_their_float32():
    text = csv_of(x=range(40), y=["a", "b"] * 20)
    fit(text)
    exact = tz.tabular.TableModel.load("run").probabilities("t.csv")[:, 0].astype(np.float32)
    assert [row["probability of a"] for row in predicted(text)] == [str(value) for value in exact]


RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=60).round(3)
AB = ["a", "b"] * 30


def test_rows_without_a_target_are_left_out_and_counted():
    output = fit(csv_of(x=X, y=["NA" if i % 12 == 0 else "ab"[i % 2] for i in range(60)]))
    assert "y: missing ('NA'; --missing says which words mean that) in 5 of 60 rows, which are left out" in output
    assert "2 classes: a 25, b 30" in output
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert "in 5 of 60 rows, which are left out" in page


def test_missing_says_which_words_mean_missing_in_training_and_prediction():
    text = csv_of(x=X, kind=["None", "some", "-"] * 20, y=AB)
    assert "kind: 'None' is taken as missing; if it is a value" in fit(text)
    fit(text, "--missing", "-")
    encoder = tz.tabular.TableModel.load("run").encoder
    assert encoder.feature_names == ("x", "kind=None", "kind=some", "kind (missing)")
    assert len(predicted("x,kind\n1,None\n2,-\n")) == 2
    Path("t.csv").write_text(csv_of(x=X, y=["None", "a"] * 30))
    assert "to mend it: say with --missing which words mean missing" in run("fit", "t.csv", "--target", "y", code=2)
    assert "2 classes: None 30, a 30" in fit(csv_of(x=X, y=["None", "a"] * 30), "--missing", "NA")


def test_dates_become_features_and_their_order_is_a_way_to_split():
    days = np.arange("2019-11-01", "2020-03-01", dtype="datetime64[D]")[:60]
    text = csv_of(day=days, x=X, y=AB)
    output = fit(text)
    assert "2 features: 1 number, 1 date" in output
    assert "day: the rows stand in its order, and a random split lets the model see the future" in output
    assert "--split time" in output
    later = fit(text, "--split", "time")
    assert "day: the model learns from rows up to 2019-12-12 and is measured by later ones" in later
    assert "random split" not in later
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert "in the order of time, 15% validation, 15% test; seed 0" in page and "at random" not in page
    assert len(predicted("day,x\n2021-05-01,1\n,2\n")) == 2


def test_split_by_a_column_without_an_order_or_without_dates():
    text = csv_of(x=X, kind=["u", "v", "w"] * 20, y=AB)
    Path("t.csv").write_text(text)
    assert "no column holds dates" in run("fit", "t.csv", "--target", "y", "--split", "time", code=2)
    assert "gives rows no order" in run("fit", "t.csv", "--target", "y", "--split", "kind", code=2)
    assert "there is no column 'when'" in run("fit", "t.csv", "--target", "y", "--split", "when", code=2)


def test_columns_that_name_rows_are_left_out_with_the_reason():
    words = ["the", "quick", "brown", "fox", "jumps"]
    notes = [" ".join(RANDOM.choice(words, 6)) + f" {i}" for i in range(60)]
    codes = [f"N{i:05d}" for i in range(60)]
    ids = RANDOM.permutation(np.arange(5000, 5060))
    output = fit(csv_of(**{"": range(60), "customer_id": ids, "code": codes, "note": notes, "x": X, "y": AB}))
    assert "1 feature: 1 number" in output
    assert "column 1 (it numbers the rows: 0, 1, 2, ...; --kind 'column 1=number' keeps it)" in output
    assert "customer_id (an identifier: 60 distinct whole numbers in 60 rows;" in output
    assert "code (60 distinct texts, for example 'N00000'; --kind code=category keeps it)" in output
    assert "note (free text, for example" in output


def test_row_numbers_alone_are_learned_from():
    assert "1 feature: 1 number" in fit(csv_of(row=range(60), y=AB))


def test_a_column_that_gives_the_target_away_is_a_warning():
    species = np.array(["Adelie", "Gentoo", "Chinstrap"])[np.arange(90) % 3]
    output = fit(csv_of(y_code=np.arange(90) % 3, x=RANDOM.normal(size=90), species=species), target="species")
    assert "warning: y_code: it alone predicts 'species' in 100 % of rows" in output and "x: " not in output
    delay = RANDOM.normal(10, 30, 400).round()
    late = delay > 15
    output = fit(csv_of(delay=delay, x=RANDOM.normal(size=400), late=late), target="late")
    assert "warning: delay: it alone predicts 'late' in 99" in output and "x: " not in output
    celsius = RANDOM.normal(10, 9, 400).round(2)
    output = fit(csv_of(celsius=celsius, x=RANDOM.normal(size=400), y=(celsius * 1.8 + 32).round(4)))
    assert "warning: celsius: it alone explains 99" in output and "x: " not in output


def test_numbers_as_people_write_them():
    cells = {"price": ["$1,234", "$5"], "share": ["79.8%", "3%"], "balance": ["(12)", "\u22127"],
             "way": ["12 km", "1.5 km"]}
    rows = {name: [f'"{pair[i % 2]}"' for i in range(60)] for name, pair in cells.items()}
    output = fit(csv_of(**rows, x=X, y=AB))
    assert "5 features: 5 numbers" in output
    for text in ("price: numbers such as '$1,234' are read as 1,234", "share: numbers such as '79.8%' are read as 79.8",
                 "balance: numbers such as '(12)' are read as -12", "way: numbers such as '12 km' are read as 12"):
        assert text in output
    assert predicted('price,share,balance,way,x\n"$1,234",79.8%,(12),12 km,0\n') == \
           predicted("price,share,balance,way,x\n1234,79.8,-12,12,0\n")


def test_decimal_commas_are_read_in_prediction_as_in_training():
    text = "x;z;y\n" + "".join(f"{x:.2f};{1000 + 7 * i:,};{'ab'[i % 2]}\n" for i, x in enumerate(X))
    output = fit(text.replace(",", "!").replace(".", ",").replace("!", "."))
    assert "x: numbers such as" in output and "z: numbers such as '1.000' are read as 1,000" in output
    assert predicted("x;z\n0,25;1.000\n") == predicted("x,z\n0.25,1000\n")


def test_spellings_of_one_value_are_one_value():
    flags, codes = ["True", "TRUE", "false"] * 20, ["1", "1.0", "2"] * 20
    fit(csv_of(x=X, flag=flags, code=codes, y=["1", "1.0", "0"] * 20), "--kind", "code=category")
    encoder = tz.tabular.TableModel.load("run").encoder
    assert encoder.feature_names == ("x", "flag=False", "flag=True", "code=1", "code=2")
    assert encoder.classes == ("0", "1")
    assert len({tuple(row.values()) for row in predicted("x,flag,code\n0,true,1\n0,1,1.0\n0,TRUE,1e0\n")}) == 1


def test_a_column_of_unknown_values_is_a_warning():
    fit(csv_of(x=X, city=["Lahore", "Delhi"] * 30, y=AB))
    Path("new.csv").write_text("x,city\n1,LHR\n2,DEL\n")
    output = run("predict", "run", "new.csv", "-o", "p.csv")
    assert "warning: column 'city': none of its values was there in training: there are 'LHR', 'DEL'" in output
    Path("new.csv").write_text("x,city\n1,Delhi\n2,DEL\n")
    assert run("predict", "run", "new.csv", "-o", "p.csv", "--force") == ""


def test_classes_of_two_rows_stay_in_training():
    output = fit(csv_of(x=X, y=["rare", "rare", *AB[2:]]))
    assert "y: too few rows to measure class rare (2 rows): all of them are in training" in output


def test_words_among_numbers_count_as_missing_if_they_are_few():
    cells = ["many", *X[1:]]
    output = fit(csv_of(x=cells, y=AB))
    assert "x: 1 cell that are no numbers" not in output and "x: not a number and so missing in 1 row: 'many'" in output
    assert predicted("x\nmany\n") == predicted("x\nNA\n")
