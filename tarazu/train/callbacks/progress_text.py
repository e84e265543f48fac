"""The texts of progress: where a run stands, how fast it is and its numbers so far, in lines that fit a width."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.train.trainer.limits import Limits
from tarazu.train.trainer.run import Run

LEAST_BAR = 10  # characters; where there is less room there is no bar
GAP = "  "


def number_texts(row: dict[str, Any]) -> list[str]:
    """The numbers of an epoch's row, each behind its name; not the epoch, its seconds and learning rates.

    >>> number_texts({"epoch": 3, "seconds": 1.0, "loss": 173.45849, "val_loss": 0.000123456, "learning_rate": 0.1})
    ['loss 173.5', 'val_loss 0.0001235']
    """
    return [f"{name} {value:#.4g}" if isinstance(value, int | float) else f"{name} {value}"
            for name, value in row.items()
            if name not in ("epoch", "seconds") and not name.endswith("learning_rate")]


def status_lines(where: list[str], pace: list[str], numbers: list[str], width: int,
                 bar: Callable[[int], str] | None = None) -> list[str]:
    """All texts in lines of at most `width` characters: in one line, or with what does not fit below; none is left out.

    Behind `where` comes `bar(n)`, of as many characters as are left, where these are enough. A text that is itself
    longer than `width` has a line of its own.

    >>> status_lines(["epoch 1/2"], ["9 steps/s"], ["loss 0.5000", "val_loss 0.2500"], 34, lambda n: "=" * n)
    ['epoch 1/2  ============  9 steps/s', 'loss 0.5000  val_loss 0.2500']
    """
    for first, below in (([*pace, *numbers], []), (pace, numbers), ([], [*pace, *numbers])):
        room = width - len(GAP.join([*where, *first]))
        if bar is None and room >= 0:
            return [GAP.join([*where, *first]), *_wrapped(below, width)]
        if bar is not None and room >= LEAST_BAR + len(GAP):
            return [GAP.join([*where, bar(room - len(GAP)), *first]), *_wrapped(below, width)]
    return [*_wrapped([*where, *pace], width), *_wrapped(numbers, width)]


def _wrapped(texts: list[str], width: int) -> list[str]:
    lines: list[str] = []
    for text in texts:
        if lines and len(lines[-1]) + len(GAP) + len(text) <= width:
            lines[-1] += GAP + text
        else:
            lines.append(text)
    return lines


def rate_text(rate: float) -> str:
    """Steps in a second, or seconds of a step.

    >>> rate_text(12345.6), rate_text(2.5), rate_text(0.25)
    ('12,346 steps/s', '2.5 steps/s', '4.0 s/step')
    """
    if rate < 1:
        return step_time_text(1 / rate)
    return f"{rate:.1f} steps/s" if rate < 10 else f"{rate:,.0f} steps/s"


def step_time_text(seconds: float) -> str:
    """How long a step takes.

    >>> step_time_text(0.000234), step_time_text(0.0412), step_time_text(2.5)
    ('0.23 ms/step', '41 ms/step', '2.5 s/step')
    """
    milliseconds = 1000 * seconds
    if milliseconds >= 1000:
        return f"{seconds:.1f} s/step"
    return f"{milliseconds:.0f} ms/step" if milliseconds >= 10 else f"{milliseconds:.2g} ms/step"


def time_text(seconds: float) -> str:
    """Minutes and seconds, with hours before them where there are some.

    >>> time_text(3.2), time_text(3723)
    ('0:03', '1:02:03')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Meter:
    """Measures a run: steps in a second of training, and how long it still takes.

    Both leave out the first chunk of steps, in which the program is compiled, and what a resumed run did before.
    """

    def __init__(self, ends: Limits) -> None:
        self._ends = ends
        self._start = self._last = time.perf_counter()
        self._total: int | None = None  # steps of the run at the end of the last chunk
        self._steps, self._seconds = 0, 0.0  # of training, since the first chunk
        self._counting_since = 0.0

    def start_epoch(self) -> None:
        """Say that training goes on now, after validation or whatever else was done between."""
        self._last = time.perf_counter()

    def end_chunk(self, run: Run) -> None:
        """Count the chunk of steps that ends now."""
        now = time.perf_counter()
        if self._total is None:
            self._counting_since = now
        else:
            self._steps, self._seconds = self._steps + run.total_steps - self._total, self._seconds + now - self._last
        self._last, self._total = now, run.total_steps

    def share(self, run: Run) -> float | None:
        """How much of the run is done, from 0 to 1; None for a stream whose length is not known yet."""
        most = self._most_steps(run)
        return None if most is None else min(run.total_steps / most, 1.0)

    def rate(self) -> list[str]:
        """The text of the rate, once it is known."""
        return [rate_text(self._steps / self._seconds)] if self._steps and self._seconds else []

    def time_left(self, run: Run) -> list[str]:
        """The text of the time left, where it is known."""
        left = self._seconds_left(run)
        return [] if left is None else [f"{time_text(left)} left"]

    def time_in_all(self) -> list[str]:
        """The text of how long the run took."""
        return [f"in {time_text(time.perf_counter() - self._start)}"]

    def _most_steps(self, run: Run) -> int | None:
        counts = [count for count in (run.steps and run.epochs * run.steps, self._ends.max_steps) if count]
        return min(counts) if counts else None

    def _seconds_left(self, run: Run) -> float | None:
        """By the time of all since the first chunk, with validation; no longer than to the deadline of the run."""
        now, most, times = time.perf_counter(), self._most_steps(run), []
        if most is not None and self._steps:
            times.append((now - self._counting_since) / self._steps * (most - run.total_steps))
        if self._ends.deadline is not None:
            times.append(self._ends.deadline - now)
        return max(min(times), 0.0) if times else None


def where_texts(run: Run) -> list[str]:
    """The epoch, and the step in it."""
    step = f"step {run.step:>{len(str(run.steps))}}/{run.steps}" if run.steps else f"step {run.step}"
    return [f"epoch {run.epoch:>{len(str(run.epochs))}}/{run.epochs}", step]


def numbers_so_far(run: Run) -> dict[str, Any]:
    """The numbers of the epoch so far, with the last validation's; between two epochs the row of the last one."""
    row = run.history[-1] if len(run.history) else {}
    if not run.rows or row.get("epoch") == run.epoch:
        return row
    with np.errstate(all="ignore"):  # a metric of few rows may be 0 / 0
        values = run.trainer.results(run.sums)
    return {**values, **{name: value for name, value in row.items() if name.startswith("val_")}}
