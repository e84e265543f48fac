"""Running the application by uvicorn, from a free port to a graceful end."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Iterable, Iterator

from tarazu.base.errors import ArgumentError
from tarazu.base.extras import require
from tarazu.serve.answering import Service
from tarazu.serve.app import Servable, Server, service_of
from tarazu.serve.limits import Limits
from tarazu.train.padding import padded_size

GRACE = 30  # seconds that requests in flight have to end
MOST_CONNECTIONS = 1000
WARM_ROWS = 256  # up to which programs are compiled before the first request


def serve(model: Servable, *, host: str = "127.0.0.1", port: int = 8000, limits: Limits | None = None,
          trust: Iterable[str] = (), tell: Callable[[str], object] = print) -> None:
    """Serve predictions by `model`, as `app` does, until SIGINT or SIGTERM; requests in flight are answered first.

    `host` is the address to listen at, by default that of this machine alone, and port 0 takes a free one. `tell` is
    called with lines: the address, and what was done. Raises what `app` raises, and ArgumentError for an address or a
    port that cannot be had.

    >>> import tarazu as tz
    >>> tz.serve.serve("runs/penguins-species", port=8080)  # doctest: +SKIP
    penguins-species: Predicts species, one of 3 classes.
    at http://127.0.0.1:8080 (Ctrl-C ends it)
    """
    for package in ("starlette", "uvicorn"):
        require(package, "a server of predictions", "serve")
    limits = limits or Limits()
    with _bound(host, port) as listener:
        server = Server(service_of(model, limits, trust), limits)
        _warm_up(server.service)
        listener.listen(MOST_CONNECTIONS)
        tell(f"{server.service.name}: {server.service.summary}")
        tell(f"at {_address(host, listener.getsockname()[1])} (Ctrl-C ends it)")
        _run(server, listener)
    tell(f"stopped: {server.metrics}")


def _run(server: Server, listener: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(server.application(), log_config=None, log_level="error", access_log=False,
                            lifespan="off", ws="none", server_header=False, limit_concurrency=MOST_CONNECTIONS,
                            timeout_graceful_shutdown=GRACE, backlog=MOST_CONNECTIONS)
    with _signals_seen():
        uvicorn.Server(config).run(sockets=[listener])


@contextlib.contextmanager
def _signals_seen() -> Iterator[None]:
    """A block in which SIGINT and SIGTERM do nothing by themselves: uvicorn, which heeds them, raises them once more at
    its end, and the end is a good one.
    """
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket at the address, which does not listen yet, closed with the block. Raises ArgumentError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM,
                                                                flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)  # without the protocol asyncio lets answers wait 40 ms (Nagle)
    except (OSError, OverflowError) as error:
        raise ArgumentError(f"there is no address {host!r} with a port {port}: {error}",
                            expected="an address of this machine and a port from 0 to 65535",
                            fix="use 127.0.0.1 for this machine alone, 0.0.0.0 for all that reach it") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise _not_had(host, port, error) from error
        yield listener


def _not_had(host: str, port: int, error: OSError) -> ArgumentError:
    if error.errno == errno.EADDRINUSE:
        return ArgumentError(f"port {port} of {host} is in use", expected="a free port",
                             fix="end the other program, or choose another port: --port 8001; 0 takes a free one")
    if error.errno == errno.EACCES:
        return ArgumentError(f"port {port} may not be used", expected="a port that you may use",
                             fix="choose one from 1024, such as --port 8000")
    return ArgumentError(f"{host} is not an address of this machine: {error.strerror}", expected="one of its addresses",
                         fix="use 127.0.0.1 for this machine alone, 0.0.0.0 for all that reach it")


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _warm_up(service: Service) -> None:
    """Let what is compiled for each number of rows be compiled, or read from the disk, before requests wait for it."""
    for size in sorted({padded_size(rows, WARM_ROWS) for rows in range(1, WARM_ROWS + 1)}):
        blank = service.blank(size)
        if blank is not None:
            service.predict(blank)
