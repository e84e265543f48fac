"""What `bench/gpu.py` has found so far, as JSON and as a table."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path

from peers import PEERS, XLA
from report import text_table

HEADER = ["part", "precision", "", "ms/step", "from", "to", "first s", "MB", "first loss", "Tarazu / this", ""]


@dataclass
class Run:
    """What one framework did with a workload; `failure` says why there is nothing, or no more."""

    part: str
    precision: str
    peer: str
    rows: int
    steps: int  # of an epoch
    first_seconds: float | None = None  # of the first epoch, while the others compile too
    seconds: list[float] = field(default_factory=list)  # per epoch, of each turn
    memory: int = 0  # bytes at most
    loss: float | None = None  # of the first epoch
    failure: str = ""

    @property
    def milliseconds(self) -> list[float]:
        """Of a step: the median and both ends; nothing where there was no turn."""
        if not self.seconds:
            return []
        return [1e3 * x / self.steps for x in (statistics.median(self.seconds), min(self.seconds), max(self.seconds))]


@dataclass
class OpTable:
    """How many lines of the op table were compared, of how many; what is wrong, and what failed beside."""

    checked: int = 0
    lines: int = 0
    seconds: float = 0.0
    memory: int = 0
    wrong: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass
class Found:
    """All of it."""

    machine: str
    device: str
    op_table: OpTable = field(default_factory=OpTable)
    runs: list[Run] = field(default_factory=list)

    def write(self, file: Path) -> None:
        """As JSON, to a file beside it that takes its place when it is whole."""
        beside = file.with_name(f"{file.name}.part")
        beside.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        beside.replace(file)

    def table(self) -> str:
        """A row for the op table, then one for each framework, workload and precision."""
        ours = {(run.part, run.precision): run.milliseconds for run in self.runs if run.peer == XLA}
        rows = [_row(run, ours[run.part, run.precision]) for run in self.runs]
        wrong = [[*[""] * 10, problem] for problem in self.op_table.wrong]
        return text_table(HEADER, [self._op_table_row(), *rows, *wrong])

    def _op_table_row(self) -> list[str]:
        table = self.op_table
        said = f"{table.checked} of {table.lines} lines compared, {len(table.wrong)} wrong, in {table.seconds:.0f} s"
        return ["op table", "float32", PEERS[XLA].label, *[""] * 4, _megabytes(table.memory), "", "",
                "; ".join([said, *table.failures])]


def _row(run: Run, ours: list[float]) -> list[str]:
    own = run.milliseconds
    times = [f"{x:.3f}" for x in own] or ["-"] * 3
    first = "-" if run.first_seconds is None else f"{run.first_seconds:.1f}"
    loss = "-" if run.loss is None else f"{run.loss:.3f}"
    against = f"{ours[0] / own[0]:.2f}" if ours and own and run.peer != XLA else "-"
    return [run.part, run.precision, PEERS[run.peer].label, *times, first, _megabytes(run.memory), loss, against,
            run.failure]


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.0f}" if count else "-"
