"""What of a state of torch went where in a model."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tarazu.base.messages import listing, plural

_MOST_ROWS = 40


@dataclass(frozen=True)
class Placement:
    """A tensor of the model, those of torch that it was made of, their shapes, what was done, and what told them."""

    path: str
    torch: tuple[str, ...]
    shape: tuple[int, ...]
    torch_shapes: tuple[tuple[int, ...], ...]
    change: str
    by: str


@dataclass(frozen=True)
class TorchLoaded:
    """The report of `load_torch_weights`: a table when it is printed.

    `placements` has a `Placement` for each tensor that was loaded; `missing` are the paths of the model's tensors that
    were not, `unused` the names of torch's tensors that went nowhere. `copies` are names of tensors that others equal,
    as layers share them, and `ignored` those of buffers that nothing was learned in.

    >>> import numpy as np
    >>> import tarazu as tz
    >>> model = tz.nn.Sequential(tz.nn.Embedding(5, 3), tz.nn.Dense(2, in_features=3))
    >>> report = tz.interop.load_torch_weights(model, {"words.weight": np.ones((5, 3))}, strict=False)
    >>> report.is_complete, report.missing, report.placements[0].torch
    (False, ('1.weight', '1.bias'), ('words.weight',))
    """

    placements: tuple[Placement, ...]
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether the whole state went into the whole model."""
        return not (self.missing or self.unused)

    def __str__(self) -> str:
        return "\n".join([*self._table(), *self._summary()])

    __repr__ = __str__

    def _table(self) -> list[str]:
        rows = [("here", "torch", "shape", "torch's shape", "change", "by"),
                *((x.path, _together(x.torch), str(x.shape), " ".join(map(str, x.torch_shapes)) or "-",
                   x.change, x.by) for x in self.placements)]
        shown = rows[:_MOST_ROWS + 1]
        widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in shown]
        return lines + ([f"... and {len(rows) - len(shown)} more"] if len(rows) > len(shown) else [])

    def _summary(self) -> list[str]:
        total = len(self.placements) + len(self.missing)
        copies = [f"{name} of {first}" for name, first in self.copies.items()]
        return [f"{len(self.placements)} of {plural(total, 'tensor')} loaded",
                *([f"missing in the state: {listing(self.missing)}"] if self.missing else []),
                *([f"not used: {listing(self.unused)}"] if self.unused else []),
                *([f"copies: {listing(copies)}"] if copies else []),
                *([f"left out, as nothing is learned in them: {listing(self.ignored, 5)}"] if self.ignored else [])]


def _together(names: Sequence[str]) -> str:
    """Names with the parts that they share written once: attn.{q, k, v}.weight."""
    if len(names) < 2:
        return "".join(names) or "-"
    parts = [name.split(".") for name in names]
    first, last = _shared(parts), _shared([each[::-1] for each in parts])
    middle = ", ".join(".".join(each[first:len(each) - last]) for each in parts)
    return ".".join([*parts[0][:first], f"{{{middle}}}", *parts[0][len(parts[0]) - last:]])


def _shared(parts: Sequence[Sequence[str]]) -> int:
    """How many of the first parts all have."""
    return len(list(itertools.takewhile(lambda column: len(set(column)) == 1, zip(*parts, strict=False))))
