"""Pages for people: one to try a model, one that shows the OpenAPI document; whole in themselves."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tarazu.diagnose.reporting.page import rendered_page
from tarazu.serve.answering import Service
from tarazu.serve.bodies import JSON

FOLDER = Path(__file__).parent
SCRIPT = "try.js"
MOST_CHOICES = 200  # of a category that the page lists


class Page(NamedTuple):
    """The text of a page, and the source of scripts that it may run, for its Content-Security-Policy."""

    text: str
    script_source: str = "'none'"


def index(service: Service, url: str) -> Page:
    """The page of a model: what it predicts, a form with its columns, and a line for the shell."""
    script = (FOLDER / SCRIPT).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    example = json.dumps(service.example(), ensure_ascii=False)
    text = rendered_page(
        "index.html.jinja", folder=FOLDER, title=service.name, summary=service.summary, script=script,
        fields=list(_fields(service.schemas().get("Row", {}), service.example())),
        lines=[f"curl {url} -H {shlex.quote(f'Content-Type: {JSON}')} -d {shlex.quote(example)}",
               *(f"curl {url} -H {shlex.quote(f'Content-Type: {kind}')} --data-binary @table.csv"
                 for kind in service.kinds if kind != JSON)])
    return Page(text, f"'sha256-{digest}'")


def _fields(row: Mapping[str, Any], example: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The fields of the form, one for each column."""
    for name, schema in row.get("properties", {}).items():
        levels = schema.get("x-levels", ())
        yield {"name": name, "kind": schema["x-kind"], "about": schema["description"], "value": example[name],
               "levels": levels if len(levels) <= MOST_CHOICES else ()}


def docs(document: Mapping[str, Any]) -> Page:
    """The OpenAPI document as a page."""
    paths = [{"path": path, "method": method.upper(), **operation}
             for path, operations in document["paths"].items() for method, operation in operations.items()]
    schemas = {name: json.dumps(schema, indent=2, ensure_ascii=False)
               for name, schema in document["components"]["schemas"].items()}
    row = document["components"]["schemas"].get("Row", {"properties": {}, "required": []})
    return Page(rendered_page("docs.html.jinja", folder=FOLDER, title=f"{document['info']['title']}: the API",
                              info=document["info"], operations=paths, schemas=schemas, row=row,
                              as_json=lambda value: json.dumps(value, indent=2, ensure_ascii=False)))
