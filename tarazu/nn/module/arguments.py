"""The arguments that a module was made with: a saved model is made again from them, and the printed tree shows them."""

from __future__ import annotations

from typing import Any

MOST_SHOWN = 12  # items of a list that the printed tree shows


def with_own_containers(value: Any) -> Any:  # an argument of any kind
    """`value` with copies of its lists, tuples and dicts, so that later changes of these do not change it."""
    if type(value) in (list, tuple):
        return type(value)([with_own_containers(item) for item in value])
    if type(value) is dict:
        return {key: with_own_containers(item) for key, item in value.items()}
    return value


def short_text(value: object) -> str:
    """An argument as the printed tree shows it: functions by their names, tensors by their shapes, and long
    lists by their length.
    """
    if isinstance(value, list | tuple | dict) and len(value) > MOST_SHOWN:
        return f"<{type(value).__name__} of {len(value):,}>"
    shape = getattr(value, "shape", ())
    if shape:
        return f"{type(value).__name__} of shape {tuple(shape)}"
    return getattr(value, "__name__", None) or repr(value)
