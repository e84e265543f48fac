"""The OpenAPI document of a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tarazu.base.version import __version__
from tarazu.serve.answering import Service
from tarazu.serve.bodies import CSV, JSON
from tarazu.serve.limits import Limits

REFUSALS = {
    406: "No format of the answer fits the header Accept.", 408: "The body did not come in time.",
    413: "The body is too large, or has too many rows.", 415: "The body is in another format, or compressed.",
    422: "The body cannot be used; the error says what is wrong where, what was expected, and how to mend it.",
    503: "Too many requests wait; the header Retry-After says in how many seconds there may be room."}
ERROR: dict[str, Any] = {"type": "object", "required": ["error"], "properties": {"error": {
    "type": "object", "required": ["problem"], "properties": {
        "problem": {"type": "string", "description": "What was found, and where."},
        "expected": {"type": "string", "description": "What would have been right."},
        "fix": {"type": "string", "description": "How to mend it."},
        "row": {"type": "integer", "description": "The row, counted from 0."},
        "line": {"type": "integer", "description": "The line of the body, counted from 1."},
        "column": {"type": "string", "description": "The column."}}}}}


def document(service: Service, limits: Limits) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a server of the service."""
    return {
        "openapi": "3.1.0",
        "info": {"title": service.name, "version": __version__, "description": service.summary},
        "paths": {
            "/predict": {"post": _predict(service, limits)},
            "/health": {"get": _get("Whether the server answers, and what it serves.", JSON, {
                "type": "object", "required": ["status", "model", "version"], "properties": {
                    name: {"type": "string"} for name in ("status", "model", "version")}})},
            "/metrics": {"get": _get("Counts and times, in the text format of Prometheus.", "text/plain",
                                     {"type": "string"})}},
        "components": {"schemas": {**service.schemas(), "Error": ERROR}}}


def _predict(service: Service, limits: Limits) -> dict[str, Any]:
    schemas = {JSON: {"$ref": "#/components/schemas/Request"}, CSV: {"type": "string"}}
    answers = {JSON: {"$ref": "#/components/schemas/Response"}, CSV: {"type": "string"}}
    asked: dict[str, Any] = {kind: {"schema": schemas[kind]} for kind in service.kinds}
    asked[JSON]["example"] = service.example()
    formats = (" The answer is in the format that Accept names, else in that of the body." if CSV in service.kinds
               else "")
    return {
        "summary": service.summary,
        "description": f"At most {limits.body:,} bytes and {limits.rows:,} rows.{formats}",
        "operationId": "predict", "requestBody": {"required": True, "content": asked},
        "responses": {
            "200": {"description": "The predictions, in the order of the rows.",
                    "content": {kind: {"schema": answers[kind]} for kind in service.kinds}},
            **{str(status): _refusal(status, text) for status, text in REFUSALS.items()}}}


def _refusal(status: int, text: str) -> Mapping[str, Any]:
    headers = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}} if status == 503 else {}
    return {"description": text, "headers": headers,
            "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}


def _get(summary: str, kind: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": summary, "content": {kind: {"schema": schema}}}}}
