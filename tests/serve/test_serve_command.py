"""`tarazu serve` as a process of its own, at an address of this machine."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import NamedTuple

import pytest
from commands import run
from test_services import ROW

from tarazu.tabular import TableModel
from tarazu.tabular.predictions import predictions

pytestmark = pytest.mark.extras
CLIENTS, REQUESTS = 64, 8
JSON_HEADERS = {"Content-Type": "application/json"}


class Started(NamedTuple):
    """A server that runs."""

    process: subprocess.Popen[str]
    port: int

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def stop(self, number: int = signal.SIGTERM) -> str:
        """What it prints at its end, which must be a good one."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, rest
        return rest


@contextlib.contextmanager
def serving(run_path, *options):
    process = subprocess.Popen([sys.executable, "-m", "tarazu", "serve", str(run_path), "--port", "0", *options],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        lines = [process.stdout.readline(), process.stdout.readline()]
        found = re.fullmatch(r"at http://127\.0\.0\.1:(\d+) \(Ctrl-C ends it\)\n", lines[1])
        assert found and lines[0] == "flats-sold: Predicts sold, one of 2 classes.\n", lines
        yield Started(process, int(found[1]))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def expected(run_path):
    """The answer to each of the rows that clients send."""
    sizes = [20 + 0.5 * number for number in range(CLIENTS)]
    columns = predictions(TableModel.load(run_path), {"size": sizes, **{
        name: [cell] * CLIENTS for name, cell in ROW.items() if name != "size"}})
    return {size: {"prediction": columns["sold"][i], "probabilities": {
        label: columns[f"probability of {label}"][i] for label in ("no", "yes")}} for i, size in enumerate(sizes)}


def ask(connection, size, expected):
    """One request; the answer must be that of its row."""
    connection.request("POST", "/predict", json.dumps(ROW | {"size": size}), JSON_HEADERS)
    answer = connection.getresponse()
    content = json.loads(answer.read())
    assert answer.status == 200 and content["predictions"] == [expected[size]]


def crowd(started, expected, client):
    """Run `client(connection, size, outcomes)` for all clients at once; what they noted."""
    outcomes, begin = [], threading.Barrier(CLIENTS)

    def work(size):
        begin.wait()
        connection = started.connect()
        try:
            client(connection, size, outcomes)
        except Exception as error:
            outcomes.append(error)
        connection.close()

    threads = [threading.Thread(target=work, args=(size,)) for size in expected]
    for thread in threads:
        thread.start()
    yield outcomes
    for thread in threads:
        thread.join()


def test_64_clients_at_once_lose_nothing_and_stopping_answers_what_is_in_flight(run_path, expected):
    with serving(run_path) as started:
        def all_requests(connection, size, outcomes):
            for _ in range(REQUESTS):
                start = time.perf_counter()
                ask(connection, size, expected)
                outcomes.append(time.perf_counter() - start)

        work = crowd(started, expected, all_requests)
        outcomes = next(work)
        next(work, None)
        assert [each for each in outcomes if isinstance(each, Exception)] == []
        assert len(outcomes) == CLIENTS * REQUESTS and max(outcomes) < 10

        def until_it_stops(connection, size, outcomes):
            while True:
                try:
                    ask(connection, size, expected)
                except (ConnectionError, http.client.RemoteDisconnected) as error:
                    outcomes.append("closed" if not isinstance(error, http.client.IncompleteRead) else error)
                    return
                outcomes.append("answered")

        work = crowd(started, expected, until_it_stops)
        outcomes = next(work)
        while outcomes.count("answered") < CLIENTS:
            time.sleep(0.005)
        rest = started.stop()
        next(work, None)
    counts = Counter(map(str, outcomes))
    assert counts.keys() == {"answered", "closed"} and counts["closed"] == CLIENTS
    told = re.match(r"stopped: ([\d,]+) requests answered \(([\d,]+) x 200\), ([\d.]+) in a prediction; mean", rest)
    assert told, rest
    assert int(told[1].replace(",", "")) == CLIENTS * REQUESTS + counts["answered"]
    assert float(told[3]) > 1.5 and re.search(r"p99 [\d.]+ ms$", rest)


def test_a_port_in_use_and_other_addresses_that_cannot_be_had(run_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        output = run("serve", run_path, "--port", port, code=2)
    assert f"port {port} of 127.0.0.1 is in use" in output and "--port 8001" in output
    assert "192.0.2.1 is not an address of this machine" in run("serve", run_path, "--host", "192.0.2.1", code=2)
    assert "there is no such folder" in run("serve", "runs/none", "--port", "0", code=2)


def test_limits_are_options_and_ctrl_c_ends_it(run_path):
    with serving(run_path, "--max-rows", "2", "--max-body", "0.001", "--max-waiting", "3", "--timeout", "1") as started:
        connection = started.connect()
        for body, status in ((json.dumps([ROW] * 3), 413), (" " * 1100, 413), (json.dumps([ROW] * 2), 200)):
            connection.request("POST", "/predict", body, JSON_HEADERS)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
        connection.close()
        rest = started.stop(signal.SIGINT)
    assert rest.startswith("stopped: 3 requests answered (1 x 200, 2 x 413)")
