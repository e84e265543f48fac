"""The error for a path at which a model has nothing."""

from __future__ import annotations

from collections.abc import Iterable

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import listing
from tarazu.base.spelling import did_you_mean


def nothing_at(kind: str, path: str, known: Iterable[str]) -> ArgumentError:
    """The error for a path at which there is no `kind`, where there are such at the paths `known`.

    >>> nothing_at("layer", "0.lfet", ["", "0", "0.left"]).fix
    "did you mean '0.left'?"
    """
    paths = [name for name in known if name]
    return ArgumentError(f"no {kind} at {path!r}", expected=f"one of {listing(paths) or 'no paths: it has none'}",
                         fix=did_you_mean(path, paths))
