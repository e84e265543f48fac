"""A place in the middle of an epoch, from which a resumed run goes on."""

from __future__ import annotations

import zlib
from collections.abc import Generator
from typing import Any, NamedTuple

from tarazu.runtime import random
from tarazu.runtime.trace_lock import replace_data
from tarazu.train.sources.chunk import Chunk

_OTHER_BATCHES = ("the stream gives other batches than before the run was interrupted, so it does not go on to the "
                  "same bits; let it start from its first batch, in the same order")


class Position(NamedTuple):
    """So many steps of an epoch were taken; `generator` is the state from which the order of its rows was drawn."""

    steps: int
    rows: int
    generator: Any
    first_batch: int  # the checksum of the epoch's first batch
    sums: dict[str, Any]  # over the rows so far

    def skip(self, chunks: Generator[Chunk], notes: list[str]) -> Generator[Chunk]:
        """The chunks of the epoch without the steps that were taken; other draws than its order go on as they are.

        A stream that gives other batches than before is a note for a warning.
        """
        now = random.default.state.raw
        replace_data(random.default.state, self.generator)
        left = self.steps
        for i, chunk in enumerate(chunks):
            if i == 0:  # the order is drawn
                replace_data(random.default.state, now)
                if self.first_batch and checksum(chunk) != self.first_batch:
                    notes.append(_OTHER_BATCHES)
            if chunk.steps > left:
                yield chunk.after(left)
            left = max(0, left - chunk.steps)


def checksum(chunk: Chunk) -> int:
    """That of the first batch of a chunk."""
    total = 0
    for leaf in chunk._replace(steps=1).arrays().leaves:
        total = zlib.crc32(leaf.tobytes(), total)
    return total
