"""What ends a run before all its epochs are done, limits of steps and of time; and how often it is validated."""

from __future__ import annotations

import time
from typing import NamedTuple

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError
from tarazu.train.sources.chunk import Chunk
from tarazu.train.trainer.run import Run


class Limits(NamedTuple):
    """The limits of one fit; None is no limit."""

    max_steps: int | None  # in all epochs together
    deadline: float | None  # as `time.perf_counter` counts
    validate_every: int  # epochs

    def cut(self, run: Run, chunk: Chunk) -> Chunk:
        """The chunk with no more steps than are left."""
        if self.max_steps is None:
            return chunk
        return chunk._replace(steps=min(chunk.steps, self.max_steps - run.total_steps))

    def reached(self, run: Run) -> str:
        """The limit that the run has reached, also in the middle of an epoch; "" for none."""
        if self.deadline is not None and time.perf_counter() >= self.deadline:
            return self.steps_reached(run) or "max_seconds"
        return self.steps_reached(run)

    def steps_reached(self, run: Run) -> str:
        """The limit of steps, where the run has made as many; else ""."""
        is_reached = self.max_steps is not None and run.total_steps >= self.max_steps
        return f"max_steps={self.max_steps}" if is_reached else ""

    def is_validated(self, run: Run) -> bool:
        """Whether the epoch that ends now is one to validate after: every so many, and the last."""
        is_last = run.epoch == run.epochs or run.history.stopped is not None
        return run.validation is not None and (is_last or run.epoch % self.validate_every == 0)


def limits(max_steps: int | None, max_seconds: float | None, validate_every: int) -> Limits:
    """The limits that `fit` was told, checked; time counts from now."""
    if max_steps is not None:
        max_steps = positive_int("max_steps", max_steps)
    deadline = None
    if max_seconds is not None:
        if isinstance(max_seconds, bool) or not isinstance(max_seconds, int | float) or not max_seconds > 0:
            raise ArgumentError(f"max_seconds={max_seconds!r}", expected="a number of seconds above 0",
                                fix="leave it out for no limit")
        deadline = time.perf_counter() + max_seconds
    return Limits(max_steps, deadline, positive_int("validate_every", validate_every))
