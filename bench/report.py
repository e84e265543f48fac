"""How measurements are shown: tables of text, how much faster Tarazu is than aimed at, and rows for the docs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

OURS, TORCH = "Tarazu fit", "torch eager"


class Ratio(NamedTuple):
    """How many times faster than another framework Tarazu is, and should be."""

    against: str
    times: float
    target: float

    def __str__(self) -> str:
        met = "met" if self.times >= self.target else "not met"
        return f"{self.times:.2f} x faster than {self.against} (target {self.target:g}: {met})"


class Comparison(NamedTuple):
    """The median seconds that Tarazu and others took, None and left out where there is no figure."""

    title: str
    ours: float | None
    peers: Mapping[str, float]
    against_torch: float
    against_best: float
    cells: Mapping[str, str] = MappingProxyType({})  # by label: what a table shows in place of the median
    costs: Mapping[str, str] = MappingProxyType({})  # by label: first call and memory

    def ratios(self) -> list[Ratio]:
        if not self.ours or not self.peers:
            return []
        best = min(self.peers, key=lambda label: self.peers[label])
        found = [Ratio(f"the best peer, {best}", self.peers[best] / self.ours, self.against_best)]
        if TORCH in self.peers:
            found.insert(0, Ratio(TORCH, self.peers[TORCH] / self.ours, self.against_torch))
        return found


def text_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns of text under a header, the first of them to the left."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join("  ".join([line[0].ljust(widths[0]), *[cell.rjust(width) for cell, width in
                                                           zip(line[1:], widths[1:], strict=True)]]) for line in lines)


def markdown(comparisons: Sequence[Comparison], labels: Sequence[str]) -> str:
    """A table for the docs, a row for each comparison."""
    rows = [["seconds", "Tarazu", *labels, "against torch eager (target)", "against the best peer (target)"]]
    rows.append(["---"] * len(rows[0]))
    for comparison in comparisons:
        known = {OURS: comparison.ours, **comparison.peers}
        shown = [comparison.cells.get(label) or seconds(known.get(label)) for label in (OURS, *labels)]
        against = [f"{ratio.times:.2f} x ({ratio.target:g})" for ratio in comparison.ratios()]
        rows.append([comparison.title, *shown, *["-"] * (2 - len(against)), *against])
    return _lines(rows)


def markdown_of_costs(comparisons: Sequence[Comparison], labels: Sequence[str]) -> str:
    """Beside that table: by how much the first epoch was longer, and the memory at most beyond the imports."""
    rows = [["first call, memory", "Tarazu", *labels], ["---"] * (2 + len(labels))]
    rows += [[comparison.title, *[comparison.costs.get(label, "-") for label in (OURS, *labels)]]
             for comparison in comparisons if comparison.costs]
    return _lines(rows) if len(rows) > 2 else ""


def _lines(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def spread(times: Sequence[float]) -> str:
    """The median, and the ends."""
    return f"{seconds(statistics.median(times))} ({seconds(min(times))} to {seconds(max(times))})"


def seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}" if value < 1 else f"{value:.2f}"
