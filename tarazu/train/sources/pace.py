"""The pace of training: how many steps a chunk takes."""

from __future__ import annotations

SECONDS = 0.25  # of a chunk, so that Ctrl-C, progress and callbacks answer within half a second
GROWTH = 8  # by so much a chunk may be longer than the last one, as the first ones are too short to be timed well


class Pace:
    """How many steps a chunk has: as many as take a quarter of a second, by the time that the last ones took."""

    def __init__(self) -> None:
        self.steps = 1
        self.single_steps = False  # one step a chunk, whatever it takes

    def start(self, steps: int) -> None:
        """Let the first chunk have so many steps, as they were found to fit before."""
        self.steps = 1 if self.single_steps else steps

    def note(self, steps: int, seconds: float) -> None:
        """Adapt the number of steps to a chunk of `steps` steps that took `seconds`, unless it is far shorter than it
        should be, as where an epoch ended: then its time is mostly that of a call."""
        if steps * GROWTH < self.steps:
            return
        fitting = int(SECONDS * steps / max(seconds, 1e-9))
        self.steps = 1 if self.single_steps else max(1, min(fitting, GROWTH * steps))
