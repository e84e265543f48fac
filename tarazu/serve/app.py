"""The ASGI application: what is answered at which path, and how requests are refused."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tarazu.base.errors import ArgumentError, TarazuError
from tarazu.base.extras import require
from tarazu.base.version import __version__
from tarazu.nn import Module
from tarazu.serve import pages
from tarazu.serve.answering import Service, answers
from tarazu.serve.batches import Answer, Batcher
from tarazu.serve.bodies import JSON, Body, error_content, json_text
from tarazu.serve.limits import Limits, RefusedError, Room
from tarazu.serve.metrics import Metrics
from tarazu.serve.model_service import ModelService
from tarazu.serve.openapi import document
from tarazu.serve.reading import answer_kind, body_kind, read_body
from tarazu.serve.table_service import TableService
from tarazu.tabular import run_folder
from tarazu.tabular.table_model import TableModel
from tarazu.train.save.loading import read_description, read_model
from tarazu.train.save.names import Finder

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

Handler = Callable[["Request"], Awaitable["Response"]]
Servable = str | os.PathLike[str] | TableModel | Module

PROMETHEUS = "text/plain; version=0.0.4"
HTML_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def app(model: Servable, *, limits: Limits | None = None, trust: Iterable[str] = ()) -> Starlette:
    """The ASGI application that predicts by `model`: a run folder, the folder of `model.save`, or what they hold.

    `trust` names packages whose layers may be imported, as in `tz.load`. POST /predict takes rows and gives
    predictions; GET / is a page to try it, /docs and /openapi.json describe it, /health says that it answers and
    /metrics how much. Raises FileFormatError for a folder that holds no model, ArgumentError for a model of several
    inputs and where Starlette, which the extra `serve` brings, is not installed.

    >>> import tarazu as tz
    >>> run = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
    >>> application = tz.serve.app(run)  # doctest: +SKIP
    """
    require("starlette", "a server of predictions", "serve")
    limits = limits or Limits()
    return Server(service_of(model, limits, trust), limits).application()


def service_of(model: Servable, limits: Limits, trust: Iterable[str]) -> Service:
    """The service by what `model` is, or by what the folder holds. Raises FileFormatError."""
    if isinstance(model, TableModel):
        return TableService(model, model.encoder.target.name, limits)
    if isinstance(model, Module):
        return ModelService(model, type(model).__name__, limits)
    if not isinstance(model, str | os.PathLike):
        raise ArgumentError(f"a {type(model).__name__} cannot be served", expected="a folder, a TableModel or a Module",
                            fix="pass for example the path of the run folder")
    folder = run_folder.require_folder(model)
    name, extra = folder.resolve().name, read_description(folder).get("extra")
    if isinstance(extra, dict) and "encoder" in extra:
        return TableService(TableModel.load(folder, trust=trust), name, limits)
    return ModelService(read_model(folder, Finder(trust=trust))[0], name, limits)


class Server:
    """A service behind HTTP, with its limits and what it counts."""

    def __init__(self, service: Service, limits: Limits) -> None:
        self.service, self.limits, self.metrics = service, limits, Metrics()
        self._room = Room(limits.all_bodies)
        self._batcher = Batcher(self._answers, limits.waiting)
        self._document = document(service, limits)

    def application(self) -> Starlette:
        """The ASGI application, whose state has the server."""
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.routing import Route

        gets: dict[str, Handler] = {"/": self._index, "/docs": self._docs, "/openapi.json": self._openapi,
                                    "/health": self._health, "/metrics": self._metrics}
        routes = [Route("/predict", self._predict, methods=["POST"]),
                  *(Route(path, handler, methods=["GET"]) for path, handler in gets.items())]
        application = Starlette(routes=routes, exception_handlers={HTTPException: _http_error, Exception: _failure})
        application.router.redirect_slashes = False
        application.state.server = self
        return application

    def _answers(self, bodies: Sequence[Body]) -> Sequence[Answer]:
        self.metrics.batch(len(bodies))
        return answers(self.service, bodies)

    async def _predict(self, request: Request) -> Response:
        start, status = time.perf_counter(), 500
        try:
            content, kind = await self._predicted(request)
            status = 200
            return respond(content, kind=kind)
        except TarazuError as error:
            status = error.status if isinstance(error, RefusedError) else 422
            return refuse(error, status)
        finally:
            self.metrics.answered(status, time.perf_counter() - start)

    async def _predicted(self, request: Request) -> tuple[bytes, str]:
        """The answer to a request, and its format."""
        kind = body_kind(request.headers, self.service.kinds)
        wants = answer_kind(request.headers.get("accept", ""), self.service.kinds, kind)
        with self._room.share() as share:
            content = await read_body(request, self.limits, share)
            return await self._batcher.answer(Body(content, kind, wants)), wants

    async def _index(self, request: Request) -> Response:
        return html(pages.index(self.service, f"{request.base_url}predict"))

    async def _docs(self, request: Request) -> Response:
        return html(pages.docs(self._document))

    async def _openapi(self, request: Request) -> Response:
        return respond(json_text(self._document))

    async def _health(self, request: Request) -> Response:
        return respond(json_text({"status": "ready", "model": self.service.name, "version": __version__}))

    async def _metrics(self, request: Request) -> Response:
        return respond(self.metrics.text(self._batcher.waiting).encode(), kind=PROMETHEUS)


def respond(content: bytes, status: int = 200, kind: str = JSON, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of these bytes."""
    from starlette.responses import Response

    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    return Response(content, status, headers, kind + charset)


def html(page: pages.Page) -> Response:
    """A page that may load nothing, and run no script but its own."""
    policy = (f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; base-uri 'none'; "
              f"form-action 'self'; frame-ancestors 'none'; script-src {page.script_source}")
    return respond(page.text.encode(), kind="text/html", headers={**HTML_HEADERS, "Content-Security-Policy": policy})


def refuse(error: Exception, status: int) -> Response:
    """The answer that says what is wrong with a request."""
    headers = {"Retry-After": "1"} if status == 503 else {}
    if status in (408, 413):
        headers["Connection"] = "close"  # the rest of the body is not read
    return respond(json_text(error_content(error)), status, headers=headers)


async def _http_error(request: Request, error: Any) -> Response:
    """A path that there is not, or a method that it does not take."""
    expected = {404: "POST /predict, or GET of /, /docs, /openapi.json, /health, /metrics",
                405: f"{(error.headers or {}).get('Allow', '')}"}.get(error.status_code, "")
    problem = RefusedError(error.status_code, f"{request.method} {request.url.path}: {error.detail}", expected=expected)
    return respond(json_text(error_content(problem)), error.status_code, headers=error.headers)


async def _failure(request: Request, error: Exception) -> Response:
    """A defect of the server; the log has the traceback."""
    problem = RefusedError(500, "the server failed", fix="look at what it printed, and report it")
    return respond(json_text(error_content(problem)), 500)
