"""Calls of functions written out: those of the model's own, and operators that ONNX defines by others.

So every operator is either in our table, or is made of such that are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tarazu.base.errors import FileFormatError
from tarazu.base.extras import require
from tarazu.interop.onnx.reading.table import key_of

MOST_NODES = 1_000_000  # that functions may become
MOST_ROUNDS = 8  # of functions that are defined by others
SMALL = 1024  # bytes; larger tensors are put aside, so that they are not copied


def without_functions(proto: Any) -> Any:
    """The model with calls written out. FileFormatError where they have no end, or nearly none."""
    _require_an_end(proto)
    functions = {(function.domain, function.name) for function in proto.functions}
    for _ in range(MOST_ROUNDS):
        versions = versions_of(proto)
        unknown = {(node.domain, node.op_type) for node in nodes(proto.graph)
                   if key_of(node.domain, node.op_type, versions.get(node.domain, 0)) is None
                   and node.op_type != "Constant"}
        defined = [name for name in unknown | functions if name in functions or _is_function(*name)]
        if not defined:
            break
        proto = _inlined(proto, defined)
        functions = {(function.domain, function.name) for function in proto.functions}
    return proto


def versions_of(proto: Any) -> dict[str, int]:
    """The version of each domain of operators; the usual one is ""."""
    versions = {entry.domain: entry.version for entry in proto.opset_import}
    usual = versions.get("", versions.get("ai.onnx", 1))
    return {**versions, "": usual, "ai.onnx": usual}


def nodes(graph: Any) -> Iterator[Any]:
    """The nodes of a graph and of those in their attributes."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from nodes(inner)


def _is_function(domain: str, name: str) -> bool:
    onnx = require("onnx", "tz.load of an ONNX file", "onnx")
    try:
        schema = onnx.defs.get_schema(name, domain=domain)
    except onnx.defs.SchemaError:
        return False
    return bool(schema.has_function or schema.has_context_dependent_function)


def _inlined(proto: Any, names: list[tuple[str, str]]) -> Any:
    """The model with these functions written out, by ONNX's own inliner; large tensors do not go through it."""
    inliner = require("onnx.inliner", "tz.load of an ONNX file", "onnx")
    aside = {}
    for tensor in proto.graph.initializer:
        if len(tensor.raw_data) > SMALL:
            aside[tensor.name] = tensor.raw_data
            tensor.ClearField("raw_data")
    inlined = inliner.inline_selected_functions(proto, names, exclude=False, inline_schema_functions=True)
    for tensor in inlined.graph.initializer:
        if tensor.name in aside:
            tensor.raw_data = aside[tensor.name]
    return inlined


def _require_an_end(proto: Any) -> None:
    """FileFormatError for functions that call themselves, or that become too many nodes."""
    functions = {(function.domain, function.name): function for function in proto.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(body: Any, callers: tuple[tuple[str, str], ...]) -> int:
        total = 0
        for node in nodes(body):
            name = (node.domain, node.op_type)
            if name in callers:
                raise FileFormatError(f"function {name[1]!r}, which calls itself", expected="functions that end",
                                      fix="export the model again")
            if name in functions and name not in sizes:
                sizes[name] = size(functions[name], (*callers, name))
            total += sizes.get(name, 1)
        return total

    if functions and size(proto.graph, ()) > MOST_NODES:
        raise FileFormatError(f"functions that become more than {MOST_NODES:,} operators",
                              expected="a model of fewer", fix="take models only from those whom you trust")
