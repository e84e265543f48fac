"""What a server takes in at most, and the room that bodies take up while they are read and wait."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

from tarazu.base.checks import positive_int
from tarazu.base.errors import TarazuError


@dataclasses.dataclass(frozen=True)
class Limits:
    """The most bytes of a body and rows in it, the most requests that wait, and the seconds in which a body must come.

    All bodies together, those that are read and those that wait, are at most 8 times the largest. Raises ArgumentError
    for anything but whole numbers from 1.

    >>> Limits(rows=100).body
    4194304
    """

    body: int = 4 * 2**20
    rows: int = 10_000
    waiting: int = 256
    seconds: int = 30

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            positive_int(field.name, getattr(self, field.name))

    @property
    def all_bodies(self) -> int:
        """The most bytes of all bodies together.

        >>> Limits(body=10).all_bodies
        80
        """
        return 8 * self.body


class RefusedError(TarazuError):
    """A request that is not answered; `status` is its HTTP status."""

    def __init__(self, status: int, problem: str, *, expected: str = "", fix: str = "") -> None:
        super().__init__(problem, expected=expected, fix=fix)
        self.status = status


def too_many_bytes(most: int) -> RefusedError:
    """The refusal of a body of more than `most` bytes."""
    return RefusedError(413, f"the body has more than {most:,} bytes", expected=f"at most {most:,} bytes",
                        fix="send the rows in several requests, or start the server with a larger --max-body")


def too_many_rows(most: int) -> RefusedError:
    """The refusal of a body of more than `most` rows."""
    return RefusedError(413, f"the body has more than {most:,} rows", expected=f"at most {most:,} rows",
                        fix="send them in several requests, or start the server with a larger --max-rows")


def busy() -> RefusedError:
    """The refusal of a request for which there is no room at the moment."""
    return RefusedError(503, "the server has as many requests waiting as it takes", expected="fewer at the same time",
                        fix="send it again later: the header Retry-After says in how many seconds")


class Room:
    """The bytes that bodies take up, of at most so many."""

    def __init__(self, most: int) -> None:
        self._free = most

    @contextlib.contextmanager
    def share(self) -> Iterator[Share]:
        """A block with a share of the room, which is free again afterwards."""
        share = Share(self)
        try:
            yield share
        finally:
            self._free += share.taken

    def take(self, size: int) -> None:
        """Take so many bytes; RefusedError where they are not free."""
        if size > self._free:
            raise busy()
        self._free -= size


class Share:
    """What one request has taken of the room."""

    def __init__(self, room: Room) -> None:
        self._room, self.taken = room, 0

    def grow_to(self, size: int) -> None:
        """Have so many bytes at least; RefusedError where there is no room."""
        if size > self.taken:
            self._room.take(size - self.taken)
            self.taken = size
