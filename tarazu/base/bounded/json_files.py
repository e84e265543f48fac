"""JSON that nobody needs to trust: how large it is, how deep and how full are bounded, and no key stands twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tarazu.base.errors import FileFormatError
from tarazu.base.files import require_file

DEEPEST = 200  # nested lists and objects; a model in a model takes six
LARGEST = 100 * 2**20  # bytes
MOST_PARTS = 500_000  # lists and objects, each of which takes some 100 bytes of memory


def read_json(path: Path) -> Any:
    """The value in a file of JSON. OSError, ValueError as of `parse_json`, and FileFormatError for what is no file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "one.json"
    ...     _ = path.write_text("[1]")
    ...     read_json(path)
    [1]
    """
    require_file(path)
    if (size := path.stat().st_size) > LARGEST:
        raise FileFormatError(f"{size:,} bytes of JSON", path=path, expected=f"at most {LARGEST:,}",
                              fix="take another copy, from someone whom you trust")
    return parse_json(path.read_bytes())


def parse_json(text: str | bytes) -> Any:
    """The value of JSON; ValueError, which says why, for what is no JSON, and for what is beyond the bounds.

    >>> parse_json('{"a": [1, 2]}')
    {'a': [1, 2]}
    >>> parse_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: the key 'a' stands twice in one object
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    if len(text) > LARGEST or text.count("[") + text.count("{") > MOST_PARTS:
        raise ValueError(f"more than {LARGEST:,} characters, or {MOST_PARTS:,} lists and objects")
    try:
        value = json.loads(text, object_pairs_hook=_distinct)
    except RecursionError:
        raise _too_deep() from None
    if depth(value) > DEEPEST:
        raise _too_deep()
    return value


def json_to_save(value: Any, path: Path, indent: int | None = None) -> str:
    """The JSON of a value for a file; FileFormatError where `parse_json` would refuse it: what is saved can be loaded.

    >>> json_to_save({"a": [1]}, Path("a.json"))
    '{"a": [1]}'
    """
    try:
        text = json.dumps(value, indent=indent, ensure_ascii=False)
        parse_json(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"this could be saved, but not loaded again: {error}", path=path,
                              expected=f"at most {MOST_PARTS:,} lists and objects, {DEEPEST} of them nested",
                              fix="keep large or deep values in a file of your own, such as one of NumPy") from None
    return text


def _too_deep() -> ValueError:
    return ValueError(f"lists and objects are nested too deep, more than {DEEPEST} of them")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError(f"the key {repeated_key(pairs)[:100]!r} stands twice in one object")
    return content


def repeated_key(pairs: list[tuple[str, Any]]) -> str:
    """The first key of the pairs that stood before, found in one pass; "" where there is none.

    >>> repeated_key([("a", 1), ("b", 2), ("a", 3)])
    'a'
    """
    seen = set[str]()
    for key, _ in pairs:
        if key in seen:
            return key
        seen.add(key)
    return ""


def depth(value: Any) -> int:
    """How deep lists and dicts are nested in a value.

    >>> depth({"a": [1, {"b": 2}]})
    3
    """
    deepest, level = 0, [value]
    while level := [x for x in level if isinstance(x, dict | list)]:
        deepest += 1
        level = [item for x in level for item in (x.values() if isinstance(x, dict) else x)]
    return deepest
