"""Requests per second and their times, of `tarazu serve` and of a bare Starlette application with the same model.

Run `python bench/serve.py` (needs the extra `serve`). 1, 8 and 64 clients send the next request as soon as the last is
answered, with 1 and 100 rows each; both servers run as processes of their own and are measured in turns. The bare one
calls `tarazu.tabular.predictions` in Starlette's threads for each request by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import tarazu as tz

TABLE = Path(__file__).parents[1] / "examples" / "penguins.csv"
SECONDS, TURNS = 2.0, 3
ROW = {"island": "Biscoe", "bill_length_mm": 45.2, "bill_depth_mm": 15.1, "flipper_length_mm": 212, "body_mass_g": 4900,
       "sex": "female", "year": 2008}
SERVERS = {"tarazu": """
import sys, tarazu as tz
tz.serve.serve(sys.argv[1], port=0, tell=lambda line: print(line, flush=True))
""", "bare": """
import json, socket, sys
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route
from tarazu.tabular import TableModel
from tarazu.tabular.predictions import predictions
model = TableModel.load(sys.argv[1])

def answer(rows):
    columns = predictions(model, {name: [row[name] for row in rows] for name in rows[0]})
    return {name: column.tolist() for name, column in columns.items()}

async def predict(request):
    return JSONResponse(await run_in_threadpool(answer, await request.json()))

listener = socket.socket(proto=socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
listener.listen(1000)
print("bare")
print(f"at http://127.0.0.1:{listener.getsockname()[1]} (Ctrl-C ends it)", flush=True)
config = uvicorn.Config(Starlette(routes=[Route("/predict", predict, methods=["POST"])]), log_level="critical")
uvicorn.Server(config).run(sockets=[listener])
"""}


@contextlib.contextmanager
def started(name: str, run: Path) -> Iterator[int]:
    """A server in a process of its own; its port."""
    process = subprocess.Popen([sys.executable, "-c", SERVERS[name], str(run)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield int(process.stdout.readline().split(":")[2].split()[0])
    finally:
        process.terminate()
        process.wait()


async def client(port: int, request: bytes, end: float, times: list[float]) -> None:
    """Send the request again and again until the time `end`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (start := time.perf_counter()) < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
        times.append(time.perf_counter() - start)
    writer.close()


async def load(port: int, clients: int, rows: int) -> tuple[list[float], float]:
    """The time of each request of so many clients, and all seconds."""
    body = json.dumps([ROW] * rows).encode()
    request = (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               b"Content-Length: %d\r\n\r\n" % len(body)) + body
    times: list[float] = []
    start = time.perf_counter()
    await asyncio.gather(*(client(port, request, start + SECONDS, times) for _ in range(clients)))
    return times, time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        run = Path(tz.fit_table(TABLE, target="species", epochs=10, verbose=0).save(f"{folder}/run"))
        ports = {name: stack.enter_context(started(name, run)) for name in SERVERS}
        for port in ports.values():
            asyncio.run(load(port, 1, 1))
        print(f"{'clients':>7} {'rows':>5} {'server':<7} {'requests/s':>10} {'rows/s':>9} {'p50 ms':>8} {'p99 ms':>8}")
        for rows in (1, 100):
            for clients in (1, 8, 64):
                found: dict[str, list[tuple[list[float], float]]] = {name: [] for name in SERVERS}
                for _ in range(TURNS):
                    for name, port in ports.items():
                        found[name].append(asyncio.run(load(port, clients, rows)))
                for name, turns in found.items():
                    times = [value for turn, _ in turns for value in turn]
                    rate = len(times) / sum(seconds for _, seconds in turns)
                    cuts = statistics.quantiles(times, n=100)
                    print(f"{clients:>7} {rows:>5} {name:<7} {rate:>10.0f} {rate * rows:>9.0f} {1000 * cuts[49]:>8.1f} "
                          f"{1000 * cuts[98]:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
