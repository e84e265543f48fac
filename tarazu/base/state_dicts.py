"""The comparison of a saved state, tensors or arrays by name, with what it is loaded into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tarazu.base.errors import ArgumentError, ShapeError


class HasShape(Protocol):
    """A tensor or an array."""

    @property
    def shape(self) -> tuple[int, ...]: ...


def other_names(own: Mapping[str, object], saved: Mapping[str, object]) -> str:
    """Which names a saved state lacks or has in addition, in words; "" where they are the same.

    >>> other_names({"weight": 1, "bias": 2}, {"weight": 1})
    'missing bias; not known nothing'
    """
    if own.keys() == saved.keys():
        return ""
    missing, extra = sorted(own.keys() - saved.keys()), sorted(saved.keys() - own.keys())
    return f"missing {', '.join(missing) or 'nothing'}; not known {', '.join(extra) or 'nothing'}"


def require_same_state(owner: str, own: Mapping[str, HasShape], saved: Mapping[str, HasShape]) -> None:
    """ArgumentError unless the names are the same, ShapeError unless the shapes are; `owner` is what has the state.

    >>> import numpy as np
    >>> require_same_state("model", {"weight": np.ones(2)}, {"weight": np.zeros(2)})
    """
    if differences := other_names(own, saved):
        raise ArgumentError(f"a state that does not fit the {owner}: {differences}",
                            expected=f"the names of {owner}.state_dict()",
                            fix=f"make the {owner} as it was when the state was saved")
    for name, x in own.items():
        if tuple(saved[name].shape) != tuple(x.shape):
            raise ShapeError(f"{name} in the state has shape {tuple(saved[name].shape)}",
                             expected=f"shape {tuple(x.shape)}",
                             fix=f"make the {owner} with the sizes that it had when the state was saved")
