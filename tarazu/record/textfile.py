"""Text files that appear whole or not at all, and lines of strict JSON that hold numbers which are not finite."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from tarazu.base.files import replacing

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def write_text(path: str | os.PathLike, text: str) -> Path:
    """Writes `text` in UTF-8 to `path`: under another name first, then renamed, so that a crash spares the old file.

    Raises OSError where the folder is missing or may not be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder) / "note.txt", "ਤਰਾਜ਼ੂ").read_text(encoding="utf-8")
    'ਤਰਾਜ਼ੂ'
    """
    path = Path(path)
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
    return path


def to_line(value: Json) -> str:
    """`value` as one line of strict JSON; numbers that are not finite become "NaN", "Infinity" and "-Infinity".

    >>> to_line({"loss": math.nan, "epoch": 3})
    '{"loss": "NaN", "epoch": 3}'
    """
    return json.dumps(_encode(value), ensure_ascii=False, allow_nan=False)


def from_line(line: str) -> Any:
    """The value that `to_line` wrote; json.JSONDecodeError where the line is not JSON.

    >>> from_line('{"loss": "-Infinity"}')
    {'loss': -inf}
    """
    return _decode(json.loads(line))


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
