"""Reading requests: their formats by the headers, and the body as far as the limits go."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tarazu.serve.bodies import JSON
from tarazu.serve.limits import Limits, RefusedError, Share, too_many_bytes

if TYPE_CHECKING:
    from starlette.requests import Request

CLOSED = 499  # the status, in counts alone, of requests whose client has gone


def body_kind(headers: Mapping[str, str], kinds: Sequence[str]) -> str:
    """The format of the body. RefusedError for any other than `kinds`, for one in no UTF-8 and a compressed one.

    >>> body_kind({"content-type": "text/csv; charset=UTF-8"}, ["application/json", "text/csv"])
    'text/csv'
    """
    kind, _, parameters = headers.get("content-type", "").partition(";")
    kind, expected = kind.strip().lower(), " or ".join(f"Content-Type: {kind}" for kind in kinds)
    if kind not in kinds:
        raise RefusedError(415, f"the body has the type {kind!r}" if kind else "the body has no type",
                           expected=expected, fix=f"send the header; with curl: -H 'Content-Type: {JSON}'")
    name, _, value = parameters.partition("=")
    if name.strip().lower() == "charset" and value.strip(' "').lower() not in ("utf-8", "utf8"):
        raise RefusedError(415, f"the body is in the encoding {value.strip()}", expected="UTF-8",
                           fix="encode it as UTF-8")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(415, f"the body is compressed ({headers['content-encoding']})",
                           expected="a body as it is", fix="send it without Content-Encoding")
    return kind


def answer_kind(accept: str, kinds: Sequence[str], usual: str) -> str:
    """Of the formats `kinds` the one that the header Accept likes best, `usual` where it does not say. RefusedError
    where it takes none.

    >>> answer_kind("text/csv;q=0.5, application/json", ["application/json", "text/csv"], "text/csv")
    'application/json'
    """
    if not accept.strip():
        return usual
    shares = dict(map(_share, accept.split(",")))
    likes = {kind: shares.get(kind, shares.get(kind.split("/")[0] + "/*", shares.get("*/*", 0.0))) for kind in kinds}
    best = max(kinds, key=lambda kind: (likes[kind], kind == usual))
    if not likes[best]:
        raise RefusedError(406, f"Accept: {accept}", expected=" or ".join(kinds), fix="leave the header out")
    return best


def _share(part: str) -> tuple[str, float]:
    """A format of Accept, and how much it is liked."""
    kind, *parameters = part.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return kind.strip().lower(), float(value)
            except ValueError:
                break
    return kind.strip().lower(), 1.0


async def read_body(request: Request, limits: Limits, share: Share) -> bytes:
    """The body of a request. RefusedError for one that is too large, comes too slowly, or has no room; for one that
    says how large it is, before any of it is read.
    """
    from starlette.requests import ClientDisconnect

    length = request.headers.get("content-length", "0")
    stated = int(length) if length.isascii() and length.isdecimal() else 0
    content = bytearray()
    try:
        _grow(stated, limits, share)
        async with asyncio.timeout(limits.seconds):
            async for chunk in request.stream():
                _grow(len(content) + len(chunk), limits, share)
                content += chunk
    except TimeoutError:
        raise RefusedError(408, f"the body did not come in {limits.seconds} seconds", expected="the whole body",
                           fix="send it at once, or in several requests") from None
    except ClientDisconnect:
        raise RefusedError(CLOSED, "the client has gone") from None
    return bytes(content)


def _grow(size: int, limits: Limits, share: Share) -> None:
    if size > limits.body:
        raise too_many_bytes(limits.body)
    share.grow_to(size)
