"""Lines of strict JSON, with a spelling for the numbers that JSON cannot hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from tarazu.base.bounded.json_files import json_to_save, parse_json, require_shallow

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_line(value: Json, path: Path | None = None) -> str:
    """`value` as one line of strict JSON; numbers that are not finite become "NaN", "Infinity" and "-Infinity".

    FileFormatError, with the path of the file that the line is for, where `from_line` would refuse it.

    >>> to_line({"loss": math.nan, "epoch": 3})
    '{"loss": "NaN", "epoch": 3}'
    """
    require_shallow(value, path)
    return json_to_save(_encode(value), path)


def from_line(line: str) -> Any:
    """The value that `to_line` wrote; ValueError where the line is not JSON, or is beyond the bounds of JSON.

    >>> from_line('{"loss": "-Infinity"}')
    {'loss': -inf}
    """
    return _decode(parse_json(line))


def _encode(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _decode(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decode(item) for item in value]
    return NON_FINITE.get(value, value) if isinstance(value, str) else value
