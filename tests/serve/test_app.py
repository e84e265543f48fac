"""The application as a client sees it."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from test_services import ROW

import tarazu as tz
from tarazu.serve import Limits
from tarazu.serve.bodies import CSV, JSON

pytestmark = pytest.mark.extras
LIMITS = Limits(body=2000, rows=50, waiting=4, seconds=1)
CSV_ROWS = b"size,floor,town,built\n50.5,3,Delhi,1999-04-01\n60,,Herat,\n"


@pytest.fixture(scope="module")
def application(table_model):
    return tz.serve.app(table_model, limits=LIMITS)


@pytest.fixture(scope="module")
def client(application):
    from starlette.testclient import TestClient

    with TestClient(application) as started:
        yield started


def post(client, content, kind=JSON, **headers):
    return client.post("/predict", content=content, headers={"Content-Type": kind, **headers})


def test_rows_come_in_and_predictions_go_out(client):
    answer = post(client, json.dumps([ROW, ROW]))
    assert answer.status_code == 200 and answer.headers["content-type"] == JSON
    assert len(answer.json()["predictions"]) == 2
    as_csv = post(client, CSV_ROWS, CSV)
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert as_csv.text.splitlines()[0] == "sold,probability of no,probability of yes"
    assert post(client, CSV_ROWS, CSV, Accept=JSON).json()["predictions"][0] == answer.json()["predictions"][0]
    assert post(client, json.dumps([ROW]), Accept="text/csv").text.count("\n") == 2


def test_a_wrong_body_is_refused_with_the_message_of_the_command(client):
    answer = post(client, json.dumps([ROW, ROW | {"size": "large"}]))
    assert answer.status_code == 422
    assert answer.json() == {"error": {
        "problem": "column 'size': row 1 (counted from 0): 'large' is not a number", "row": 1, "column": "size",
        "expected": "numbers in this column", "fix": "correct the cell, or empty it so that it counts as unknown"}}


@pytest.mark.parametrize(("headers", "status", "problem"), [
    ({"Content-Type": "text/plain"}, 415, "the body has the type 'text/plain'"),
    ({"Content-Type": ""}, 415, "the body has no type"),
    ({"Content-Type": f"{JSON}; charset=latin-1"}, 415, "the body is in the encoding latin-1"),
    ({"Content-Type": JSON, "Content-Encoding": "gzip"}, 415, "the body is compressed (gzip)"),
    ({"Content-Type": JSON, "Accept": "image/png"}, 406, "Accept: image/png"),
    ({"Content-Type": JSON, "Accept": "application/json;q=0"}, 406, "Accept: application/json;q=0"),
])
def test_formats_that_are_not_read_or_written_are_refused(client, headers, status, problem):
    answer = client.post("/predict", content="{}", headers=headers)
    assert (answer.status_code, answer.json()["error"]["problem"]) == (status, problem)


def test_large_bodies_are_refused_before_they_are_read(application):
    """By Content-Length before anything is read, and without it once too much has come."""
    sent = []

    def chunks():
        while True:
            sent.append(1)
            yield {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    for length, most in ((b"5000", 0), (None, 3)):
        sent.clear()
        status, headers, _ = ask(application, chunks(), length)
        assert status == 413 and len(sent) == most and (b"connection", b"close") in headers


def test_slow_bodies_are_given_up(application):
    start = time.monotonic()
    status, _, body = ask(application, iter([{"type": "http.request", "body": b"{", "more_body": True}]))
    assert status == 408 and b"did not come in 1 seconds" in body and 0.9 < time.monotonic() - start < 5


def test_clients_that_leave_are_no_failure(application):
    assert ask(application, iter([{"type": "http.disconnect"}]))[0] == 499


def ask(application, messages, length=None):
    """Status, headers and body that the application gives for messages of a body; it waits where they end."""
    headers = [(b"content-type", JSON.encode()), *([(b"content-length", length)] if length else [])]
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": headers, "query_string": b"",
             "http_version": "1.1", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "scheme": "http"}
    sent = []

    async def receive():
        message = next(messages, None)
        return await asyncio.sleep(60) if message is None else message

    async def send(message):
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    return sent[0]["status"], sent[0]["headers"], sent[1]["body"]


def test_what_waits_is_computed_together_and_too_many_are_told_to_come_again(table_model):
    """One request is computed and holds up the others: as many as may wait do, and are then computed at once."""
    from starlette.testclient import TestClient

    application = tz.serve.app(table_model, limits=LIMITS)
    server, go, batches, results = application.state.server, threading.Event(), [], []
    prepare = server.service.prepare

    def slowly(bodies):
        batches.append(len(bodies))
        assert go.wait(20)
        return prepare(bodies)

    server.service.prepare = slowly
    with TestClient(application) as client:
        threads = []
        for size in range(1 + LIMITS.waiting + 3):
            threads.append(threading.Thread(target=lambda size=size: results.append(
                (size, post(client, json.dumps(ROW | {"size": size}))))))
            threads[-1].start()
            while not (server._batcher.waiting == min(size, LIMITS.waiting) and batches):
                time.sleep(0.002)
        while len(results) < 3:
            time.sleep(0.002)
        assert client.get("/health").json()["status"] == "ready"  # the loop is free meanwhile
        go.set()
        for thread in threads:
            thread.join()
        refused = [answer for _, answer in results if answer.status_code == 503]
        assert len(refused) == 3 and {answer.headers["retry-after"] for answer in refused} == {"1"}
        answered = {size: answer for size, answer in results if answer.status_code == 200}
        assert batches == [1, LIMITS.waiting] and len(answered) == 1 + LIMITS.waiting
        for size, answer in answered.items():
            assert answer.content == post(client, json.dumps(ROW | {"size": size})).content


def test_bodies_together_have_a_limit(application):
    room = application.state.server._room
    with room.share() as share:
        share.grow_to(LIMITS.all_bodies - 10)
        status, _, _ = ask(application, iter([{"type": "http.request", "body": b"x" * 11}]))
        assert status == 503
    assert room._free == LIMITS.all_bodies


def test_other_paths_and_methods_are_refused_in_json(client):
    missing, wrong = client.get("/nothing"), client.get("/predict")
    assert (missing.status_code, wrong.status_code) == (404, 405) and wrong.headers["allow"] == "POST"
    assert missing.json()["error"]["expected"].startswith("POST /predict")
    assert client.options("/predict").status_code == 405  # no page of another site may ask


def test_a_defect_is_said_to_be_one(table_model, monkeypatch):
    from starlette.testclient import TestClient

    application = tz.serve.app(table_model)
    monkeypatch.setattr(application.state.server.service, "predict", lambda rows: 1 / 0)
    client = TestClient(application, raise_server_exceptions=False)
    answer = post(client, json.dumps(ROW))
    assert (answer.status_code, answer.json()["error"]["problem"]) == (500, "the server failed")


def test_health_metrics_and_document(client):
    assert client.get("/health").json() == {"status": "ready", "model": "sold", "version": tz.__version__}
    post(client, json.dumps(ROW))
    lines = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines() if line[0] != "#")
    assert int(lines['tarazu_requests_total{status="200"}']) >= 1
    assert int(lines["tarazu_request_seconds_count"]) >= 1
    document = client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0" and set(document["paths"]) == {"/predict", "/health", "/metrics"}
    example_body = document["paths"]["/predict"]["post"]["requestBody"]["content"][JSON]["example"]
    assert post(client, json.dumps(example_body)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_nothing_and_name_each_column(client, path):
    answer = client.get(path)
    assert answer.status_code == 200 and all(name in answer.text for name in ROW)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "src=" not in answer.text and "@import" not in answer.text and "<link" not in answer.text


def test_names_of_columns_do_not_break_pages(tmp_path):
    from starlette.testclient import TestClient

    name = "<script>alert(1)</script>'\"&"
    table = {name: ["</script>", "b"] * 20, "size": range(40), "y": ["<b>", "d"] * 20}
    client = TestClient(tz.serve.app(tz.fit_table(table, target="y", epochs=1, verbose=0)))
    for path in ("/", "/docs"):
        assert "<script>alert" not in client.get(path).text and "<b>" not in client.get(path).text
    assert post(client, json.dumps({name: "b", "size": 3})).status_code == 200


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(list(ROW)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(ROW)) | st.text(max_size=3), inner,
                                                               max_size=4), max_leaves=8)
BODIES = st.one_of(
    st.binary(max_size=60), VALUES.map(json.dumps).map(str.encode),
    st.fixed_dictionaries(dict.fromkeys(ROW, VALUES)).map(json.dumps).map(str.encode),
    st.lists(st.fixed_dictionaries(dict.fromkeys(ROW, VALUES)), max_size=3).map(json.dumps).map(str.encode),
    st.binary(max_size=40).map(lambda rest: CSV_ROWS + rest), st.text(',;\n"\t|a1.#', max_size=40).map(str.encode),
    st.tuples(st.integers(0, len(CSV_ROWS)), st.binary(max_size=3)).map(
        lambda cut: CSV_ROWS[:cut[0]] + cut[1] + CSV_ROWS[cut[0]:]))


def check_no_defect(client, content, kind):
    """200 or a refusal with a message, never a failure."""
    answer = post(client, content, kind)
    assert answer.status_code in (200, 413, 422), answer.text
    if answer.status_code != 200:
        assert answer.json()["error"]["problem"]


def fuzzed(examples):
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None,
                    suppress_health_check=[HealthCheck.too_slow])


@fuzzed(200)
@example(b"[" * 1999, JSON)
@example(b'{"size": 1e205, "floor": -1e308, "town": 2, "built": "0001-01-01"}', JSON)
@example(b'{"size": 1e999, "floor": 1, "town": 2, "built": 3}', JSON)
@example(b'{"size": [1], "floor": [1], "town": ["\\ud800"], "built": ["9999-99-99"]}', JSON)
@given(BODIES, st.sampled_from([JSON, CSV]))
def test_no_body_is_a_defect(client, content, kind):
    check_no_defect(client, content, kind)


@pytest.mark.long
@fuzzed(10_000)
@given(BODIES, st.sampled_from([JSON, CSV]))
def test_no_body_of_many_is_a_defect(client, content, kind):
    check_no_defect(client, content, kind)
