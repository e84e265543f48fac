"""What is answered to bodies, without a server around: the same to each whatever comes with it, and as the command."""

from __future__ import annotations

import csv
import io
import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tarazu as tz
from tarazu.base.errors import ArgumentError, DataError, DataWarning, TarazuError
from tarazu.serve.answering import answers
from tarazu.serve.app import service_of
from tarazu.serve.bodies import CSV, Body, error_content, json_text, json_value
from tarazu.serve.limits import Limits, RefusedError
from tarazu.serve.metrics import Metrics
from tarazu.serve.model_service import ModelService
from tarazu.serve.openapi import document
from tarazu.serve.table_service import TableService
from tarazu.tabular.predictions import csv_text, predictions

ROW = {"size": 50.5, "floor": 3, "town": "Delhi", "built": "1999-04-01"}
LIMITS = Limits(rows=5)


@pytest.fixture(scope="module")
def service(table_model):
    return TableService(table_model, "flats", LIMITS)


def ask(service, value, **kinds):
    """The answer to a JSON value, or the error."""
    (answer,) = answers(service, [Body(json_text(value), **kinds)])
    return json.loads(answer) if isinstance(answer, bytes) and "wants" not in kinds else answer


def test_json_gives_what_the_command_gives(service, table_model):
    columns = predictions(table_model, {name: [cell] for name, cell in ROW.items()})
    answer = ask(service, ROW)
    assert answer == {"target": "sold", "notes": [], "predictions": [
        {"prediction": columns["sold"][0],
         "probabilities": {label: columns[f"probability of {label}"][0] for label in ("no", "yes")}}]}
    assert ask(service, [ROW]) == answer
    assert ask(service, {name: [cell] for name, cell in ROW.items()}) == answer
    assert ask(service, ROW | {"sold": "no", "another": {"column": 3}}) == answer


def test_csv_gives_the_file_that_the_command_writes(service, table_model, tmp_path):
    path = tmp_path / "flats.csv"
    path.write_text("town;size;floor;built\nDelhi;50.5;3;1999-04-01\n;60;;2001-01-01\nKabul;NA;1;\n", encoding="utf-8")
    (answer,) = answers(service, [Body(path.read_bytes(), CSV, CSV)])
    assert answer.decode() == csv_text(predictions(table_model, path))
    assert len(list(csv.DictReader(io.StringIO(answer.decode())))) == 3


def test_a_regression_gives_numbers(price_model):
    answer = ask(TableService(price_model, "prices", LIMITS), ROW)
    columns = predictions(price_model, {name: [cell] for name, cell in ROW.items()})
    assert answer["predictions"] == [{"prediction": columns["price"][0]}]


def test_further_columns_are_not_looked_at_and_a_misspelled_one_is_named(service):
    """As by the command."""
    assert ask(service, ROW | {"further": 1, "tags": [1, 2]}) == ask(service, ROW)
    assert "not looked at" in service.schemas()["Row"]["description"]
    misspelled = {"twon" if name == "town" else name: cell for name, cell in ROW.items()}
    error = answers(service, [Body(json_text(misspelled))])[0]
    assert isinstance(error, TarazuError) and "column 'town' is missing; there are" in str(error)
    assert "'twon'" in str(error)


def test_notes_are_the_warnings_of_the_command(service):
    answer = ask(service, [ROW | {"town": "Kabul"}, ROW | {"town": "Quetta"}])
    assert answer["notes"] == ["column 'town': none of its values was there in training: there are 'Kabul', 'Quetta', "
                               "training had 'Delhi', 'Herat', 'Lahore'; all of them count as unknown"]


CELLS = {"size": st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-10**6, 10**6), st.just("1,234.5"),
                           st.booleans(), st.just("")),
         "floor": st.one_of(st.none(), st.integers(-3, 12), st.floats(0, 9), st.just("NA"), st.just("4")),
         "town": st.one_of(st.none(), st.sampled_from(["Delhi", "Herat", "Kabul", "", "na"]), st.integers(0, 2),
                           st.booleans(), st.floats(-2, 2)),
         "built": st.one_of(st.none(), st.just("2001-02-03"), st.just("1990-01-01"))}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=3), min_size=2, max_size=6))
def test_requests_together_get_the_bits_that_each_gets_alone(service, requests):
    bodies = [Body(json_text(rows[0] if len(rows) == 1 else rows)) for rows in requests]
    assert answers(service, bodies) == [answers(service, [body])[0] for body in bodies]


def test_a_wrong_request_does_not_harm_those_beside_it(service):
    wrong = ROW | {"size": "large"}
    bodies = [Body(json_text(row)) for row in (ROW, wrong, ROW | {"size": 90}, {"size": 1})]
    first, refused, third, lacking = answers(service, bodies)
    assert first == answers(service, bodies[:1])[0] and third == answers(service, bodies[2:3])[0]
    assert isinstance(refused, DataError) and isinstance(lacking, DataError)


def test_models_whose_rows_may_depend_on_each_other_are_asked_alone(table_model):
    class Centered(tz.nn.Module):
        def forward(self, x):
            return x - x.mean(0)

    service = ModelService(Centered(), "centered", LIMITS)
    bodies = [Body(b'{"inputs": [[1.0], [3.0]]}'), Body(b'{"inputs": [[5.0]]}')]
    assert not service.is_joined and answers(service, bodies) == [b'{"outputs": [[-1.0], [1.0]]}',
                                                                  b'{"outputs": [[0.0]]}']


@pytest.mark.parametrize(("value", "problem", "place"), [
    ([ROW, ROW | {"size": "large"}], r"column 'size': row 1 \(counted from 0\): 'large' is not a number", (1, "size")),
    ([ROW | {"size": 10**400}], "the number is too large", (0, "size")),
    ([ROW | {"built": "soon"}], "'soon' is not a date as those of training were", (0, "built")),
    ([ROW, {"size": 1}], r"row 1 \(counted from 0\): columns 'floor', 'town', 'built' are missing; there are 'size'",
     (1, None)),
    ({}, "columns 'size', 'floor', 'town', 'built' are missing; there are none", (0, None)),
    ([], "an empty list, which holds no rows", (None, None)),
    ("x", "this is a text, which holds no rows", (None, None)),
    ([ROW, 3], "this is a number, not a row", (1, None)),
    ([[1, 2]], "this is a list, not a row", (0, None)),
    ([ROW | {"town": {"a": 1}}], "an object is no cell", (0, "town")),
    ({name: [cell] for name, cell in ROW.items()} | {"size": 3}, "column 'size' is no list, though others are",
     (None, None)),
    ({name: [cell] for name, cell in ROW.items()} | {"size": [3, 4]}, "the columns differ in length", (None, None)),
    ({name: [] for name in ROW}, "the columns differ in length, or have no rows", (None, None)),
])
def test_errors_say_what_is_wrong_and_where(service, value, problem, place):
    error = ask(service, value)
    with pytest.raises(DataError, match=problem):
        raise error
    content = error_content(error)["error"]
    assert (content.get("row"), content.get("column")) == place
    assert content["expected"] and content["fix"]


@pytest.mark.parametrize(("content", "problem"), [
    (b"", "this is not JSON"), (b"{", "this is not JSON"), (b'[{"size": 1},]', "this is not JSON"),
    (b"\xff", "byte 0xff .number 0. is not UTF-8"), (b'{"size": NaN}', "NaN is not JSON"),
    (b"[-Infinity]", "-Infinity is not JSON"), (b'{"a": 1, "a": 2}', "an object has the key 'a' twice"),
    (b"[" * 100_000, "nested too deep|not JSON"), (b"9" * 5000, "a number cannot be read"),
])
def test_what_is_not_json_is_refused(content, problem):
    with pytest.raises(DataError, match=problem):
        json_value(content)


def test_errors_of_csv_have_the_line(service):
    (error,) = answers(service, [Body(b"size,floor,town,built\n1,2,Delhi,\nbig,2,Delhi,\n", CSV, CSV)])
    content = error_content(error)["error"]
    assert content["problem"] == "request.csv, line 3, column 'size': 'big' is not a number"
    assert (content["line"], content["row"], content["column"]) == (3, 1, "size")


@pytest.mark.parametrize("cell", ["1" * 100_000 + "x", "1," * 100_000, "+" + "9" * 5000, "1" + " " * 10_000 + "x" * 20,
                                  "1e" + "9" * 50_000, "$" * 100_000 + "1", "-" * 100_000])
@pytest.mark.parametrize("column", list(ROW))
def test_long_cells_take_no_long_time(service, column, cell):
    start = time.process_time()
    answers(service, [Body(json_text(ROW | {column: cell}))])
    assert time.process_time() - start < 1


@pytest.mark.parametrize(("body", "problem"), [
    (Body(b",".join(b"a%d" % i for i in range(50_000)) + b"\n1\n", CSV), "there are 50,000 columns"),
    (Body(b"{" + b",".join(b'"k%d":1' % i for i in range(50_000)) + b',"k1":1}'), "the key 'k1' twice"),
    (Body(b"size,floor,town,built\n" + b"1,1,a,\n" * 100_000, CSV), "more than 5 rows"),
    (Body(b"[" + b"{}," * 100_000 + b"{}]"), "columns 'size', 'floor', 'town', 'built' are missing"),
])
def test_large_bodies_take_no_long_time(service, body, problem):
    start = time.process_time()
    (error,) = answers(service, [body])
    assert problem in str(error) and time.process_time() - start < 1


@pytest.mark.parametrize("body", [Body(json_text([ROW] * 6)), Body(b"size,floor,town,built\n" + 6 * b"1,1,a,\n", CSV)])
def test_too_many_rows_are_refused(service, body):
    (error,) = answers(service, [body])
    assert isinstance(error, RefusedError) and error.status == 413 and "more than 5 rows" in str(error)


def test_half_a_surrogate_pair_comes_back_as_it_was(service):
    content = b'[{"size": "\\ud800", "floor": 1, "town": "\\ud800", "built": null}]'
    (error,) = answers(service, [Body(content)])
    assert r"'\\ud800' is not a number" in json_text(error_content(error)).decode()
    assert json_text("\ud800") == b'"\\ud800"'


def test_models_of_arrays_are_served(tmp_path):
    tz.random.seed(0)
    model = tz.nn.Sequential([tz.nn.Dense(2, in_features=3)])
    model.save(tmp_path / "line")
    service = service_of(tmp_path / "line", LIMITS, ())
    assert (service.name, service.is_joined) == ("line", True)
    rows = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert ask(service, {"inputs": rows}) == {"outputs": model.predict(rows).tolist()}
    assert ask(service, {"inputs": [[1, 2, 3]]}) == {"outputs": model.predict([[1.0, 2.0, 3.0]]).tolist()}
    bodies = [Body(json_text({"inputs": rows})), Body(json_text({"inputs": [[1.0]]})),
              Body(json_text({"inputs": rows[1:]}))]
    together = answers(service, bodies)
    assert isinstance(together[1], TarazuError) and together[::2] == [answers(service, [bodies[i]])[0] for i in (0, 2)]


def test_integers_without_a_vector_are_refused_and_numbers_that_float32_lacks(recwarn):
    words = ModelService(tz.nn.Sequential([tz.nn.Embedding(5, 2), tz.nn.Flatten()]), "words", LIMITS)
    assert len(ask(words, {"inputs": [[1, 4]]})["outputs"]) == 1
    together = answers(words, [Body(json_text({"inputs": rows})) for rows in ([[0, 1]], [[1, 5]], [[3, 2]])])
    assert [isinstance(answer, bytes) for answer in together] == [True, False, True]
    assert "index 5 is out of bounds" in str(together[1]) and isinstance(together[1], TarazuError)
    numbers = ModelService(tz.nn.Sequential([tz.nn.Dense(1, in_features=1)]), "numbers", LIMITS)
    assert "not finite in float32" in str(ask(numbers, {"inputs": [[1e39]]})) and not recwarn


@pytest.mark.parametrize(("value", "problem"), [
    ({}, "the body has no rows under 'inputs'"), ({"inputs": []}, "no rows under"), (3, "no rows under"),
    ({"inputs": [[1], [1, 2]]}, "no numbers of one shape"), ({"inputs": [["a"]]}, "no numbers of one shape"),
    ({"inputs": [None]}, "no numbers of one shape"), ({"inputs": [[10**30]]}, "no numbers of one shape"),
    ({"inputs": [[1.0]] * 6}, "the body has more than 5 rows"),
    ({"inputs": [[1.0]], "weights": [1]}, "the body has 'weights' beside 'inputs'"),
])
def test_rows_that_are_no_arrays_are_refused(value, problem):
    service = ModelService(tz.nn.Sequential([tz.nn.Dense(2, in_features=1)]), "line", LIMITS)
    with pytest.raises(TarazuError, match=problem):
        raise ask(service, value)


def test_what_cannot_be_served_is_refused(tmp_path):
    class Two(tz.nn.Module):
        def forward(self, x, y):
            return x + y

    with pytest.raises(ArgumentError, match="the model Two takes several inputs"):
        service_of(Two(), LIMITS, ())
    with pytest.raises(ArgumentError, match="a int cannot be served"):
        service_of(3, LIMITS, ())
    with pytest.raises(DataError, match="there is no such folder"):
        service_of(tmp_path / "none", LIMITS, ())
    with pytest.raises(DataError, match=r"there is no model\.json"):
        service_of(tmp_path, LIMITS, ())
    with pytest.raises(ArgumentError, match="rows"):
        Limits(rows=0)


def test_the_document_describes_each_column(service, price_model):
    schema = document(service, LIMITS)["components"]["schemas"]
    kinds = {name: cell["x-kind"] for name, cell in schema["Row"]["properties"].items()}
    assert kinds == {"size": "number", "floor": "number", "town": "category", "built": "date"}
    assert schema["Row"]["properties"]["town"]["x-levels"] == ["Delhi", "Herat", "Lahore"]
    assert ask(service, schema["Row"]["example"])["predictions"]
    of_regression = document(TableService(price_model, "prices", LIMITS), LIMITS)["components"]["schemas"]["Response"]
    assert "probabilities" not in json.dumps(of_regression)


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_rows_far_from_those_of_training_have_no_prediction(service, price_model, kind, monkeypatch):
    """Logits that overflow are no probabilities; the rows beside are predicted, and a note tells."""
    service = service if kind == "classes" else TableService(price_model, "prices", LIMITS)
    outputs = type(service._model).outputs
    monkeypatch.setattr(type(service._model), "outputs", lambda self, rows: np.where(
        rows[:, :1] > 1e30, np.inf, outputs(self, rows)))
    answer = ask(service, [ROW, ROW | {"size": 1e200}])
    assert answer["predictions"][0] == ask(service, ROW)["predictions"][0]
    assert answer["predictions"][1]["prediction"] is None
    assert set(answer["predictions"][1].get("probabilities", {}).values()) <= {None}
    note = "1 row without a prediction, the first of them row 1 (counted from 0): its cells are so far"
    assert len(answer["notes"]) == 1 and answer["notes"][0].startswith(note)
    with pytest.warns(DataWarning, match="1 row without a prediction"):
        predictions(service._model, {name: [cell] for name, cell in (ROW | {"size": 1e200}).items()})


def test_metrics_are_text_for_prometheus():
    metrics = Metrics()
    assert str(metrics) == "no requests answered" and 'quantile="0.99"} nan' in metrics.text(0)
    metrics.batch(3)
    for status, seconds in ((200, 0.001), (200, 0.003), (422, 0.002)):
        metrics.answered(status, seconds)
    lines = metrics.text(waiting=7).splitlines()
    assert {'tarazu_requests_total{status="200"} 2', 'tarazu_requests_total{status="422"} 1',
            'tarazu_request_seconds{quantile="0.5"} 0.002', "tarazu_request_seconds_count 3", "tarazu_batches_total 1",
            "tarazu_batched_requests_total 3", "tarazu_waiting_requests 7"} <= set(lines)
    assert str(metrics).startswith("3 requests answered (2 x 200, 1 x 422), 3.0 in a prediction; mean 2.0 ms, p50 2.0")
