"""Checks of options that are names."""

from __future__ import annotations

from collections.abc import Collection

from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import did_you_mean


def require_name(option: str, name: str | None, names: Collection[str | None]) -> None:
    """ArgumentError unless `name`, given as that option, is one of the names."""
    if name not in names:
        known = [repr(one) for one in names]
        raise ArgumentError(f"{option}={name!r}", expected=f"one of {', '.join(known)}",
                            fix=did_you_mean(name, [one for one in names if one is not None]))
