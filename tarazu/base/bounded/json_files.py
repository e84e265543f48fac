"""JSON that nobody needs to trust: how large it is, how deep and how full are bounded, and no key stands twice."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
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
    _require_bounds(text)
    try:
        value = json.loads(text, object_pairs_hook=_distinct)
    except RecursionError:
        raise _too_deep() from None
    if depth(value) > DEEPEST:
        raise _too_deep()
    return value


def json_to_save(value: Any, path: Path | None = None, indent: int | None = None) -> str:
    """The JSON of a value for a file; FileFormatError where `parse_json` would refuse it: what is saved can be loaded.

    >>> json_to_save({"a": [1]}, Path("a.json"))
    '{"a": [1]}'
    """
    require_shallow(value, path)
    try:
        text = json.dumps(value, indent=indent, ensure_ascii=False)
        if len(text.encode()) >= LARGEST:  # a line's end comes behind it
            raise ValueError(f"it has {LARGEST:,} bytes or more")
        _require_bounds(text)
        _require_names(value)
    except ValueError as error:
        raise _not_loadable(str(error), path) from None
    return text


def require_shallow(value: Any, path: Path | None = None) -> None:
    """FileFormatError for a value in which lists and dicts are nested deeper than is read, or without an end.

    >>> require_shallow({"a": [1]})
    """
    if depth(value) > DEEPEST:
        raise _not_loadable(str(_too_deep()), path)


def _not_loadable(problem: str, path: Path | None) -> FileFormatError:
    return FileFormatError(f"this could be saved, but not loaded again: {problem}", path=path,
                           expected=f"at most {MOST_PARTS:,} lists and objects, {DEEPEST} of them nested, in "
                           f"{LARGEST:,} bytes", fix="keep large or deep values in a file of your own, such as one of "
                           "NumPy")


def _require_bounds(text: str) -> None:
    if len(text) > LARGEST or text.count("[") + text.count("{") > MOST_PARTS:
        raise ValueError(f"more than {LARGEST:,} characters, or {MOST_PARTS:,} lists and objects")


def _require_names(value: Any) -> None:
    """ValueError where keys become one name in JSON, as 1 and "1" do."""
    for level in _levels(value):
        for x in level:
            if isinstance(x, dict) and not all(isinstance(key, str) for key in x):
                _distinct([(key if isinstance(key, str) else json.dumps(key), None) for key in x])


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
    """How deep lists and dicts are nested in a value; no more than one beyond DEEPEST is told.

    >>> depth({"a": [1, {"b": 2}]})
    3
    """
    return sum(1 for _ in itertools.islice(_levels(value), DEEPEST + 1))


def _levels(value: Any) -> Iterator[list[Any]]:
    """The lists and dicts in a value, those of one depth at a time; of a value that holds itself there is no end."""
    level = [value]
    while level := [x for x in level if isinstance(x, dict | list | tuple)]:
        yield level
        level = [item for x in level for item in (x.values() if isinstance(x, dict) else x)]
