"""Bodies of requests, and what their JSON holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from tarazu.base.bounded.json_files import repeated_key
from tarazu.base.errors import DataError
from tarazu.base.messages import shortened

BODY = "the body"  # where errors say that they are
JSON, CSV = "application/json", "text/csv"


class Body(NamedTuple):
    """The content of a request, in the format `kind`, and the format in which it wants its answer."""

    content: bytes
    kind: str = JSON
    wants: str = JSON


def json_value(content: bytes) -> Any:
    """What a JSON text holds. Raises DataError for any other text, keys that stand twice and NaN, which JSON has not.

    >>> json_value(b'[{"age": 31}]')
    [{'age': 31}]
    """
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_no_number, object_pairs_hook=_distinct)
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise DataError(f"byte 0x{content[error.start]:02x} (number {error.start}) is not UTF-8", path=BODY,
                        expected="text in UTF-8", fix="encode the text as UTF-8") from None
    except json.JSONDecodeError as error:
        raise DataError(f"this is not JSON: {error.msg} (character {error.colno} of the line)", path=BODY,
                        line=error.lineno, expected="JSON", fix="make the text by a JSON library") from None
    except RecursionError:
        raise DataError("lists or objects are nested too deep", path=BODY, expected="rows, or objects of cells",
                        fix="send no nested values") from None
    except ValueError as error:  # a number of more digits than Python reads
        raise DataError(f"a number cannot be read: {error}", path=BODY, expected="numbers of few digits",
                        fix="send it as text, or round it") from None


def _no_number(word: str) -> float:
    raise DataError(f"{word} is not JSON", path=BODY, expected="numbers, texts, true, false or null",
                    fix="write null for a missing cell")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a dict. Raises DataError where a key stands twice."""
    result = dict(pairs)
    if len(result) < len(pairs):
        raise DataError(f"an object has the key {shortened(repeated_key(pairs), 60)!r} twice", path=BODY,
                        expected="a name of its own for each value", fix="leave one of them out")
    return result


def json_text(value: object) -> bytes:
    """A value as JSON in UTF-8, in which half a surrogate pair stays what it is.

    >>> json_text({"city": "ہرات"}).decode()
    '{"city": "ہرات"}'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", errors="backslashreplace")


def error_content(error: Exception) -> Mapping[str, Any]:
    """What the answer to a refused request holds: the three parts of an error, and where it is."""
    named = {name: getattr(error, name, None) for name in ("expected", "fix", "line", "row", "column")}
    return {"error": {"problem": getattr(error, "problem", None) or str(error),
                      **{name: value for name, value in named.items() if value not in (None, "")}}}
