"""Requests that wait while others are computed are computed together, in a thread of their own."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tarazu.serve.bodies import Body
from tarazu.serve.limits import busy

MOST_BYTES = 2**18  # of bodies that are answered together: larger ones have rows enough of their own

Answer = bytes | Exception


class Batcher:
    """Answers requests, those together that came while others were computed; an idle one begins at once.

    `answer` gives the answers to several bodies, or the errors in place of some. More than `most_waiting` requests do
    not wait.
    """

    def __init__(self, answer: Callable[[Sequence[Body]], Sequence[Answer]], most_waiting: int) -> None:
        self._answer, self._most_waiting = answer, most_waiting
        self._waiting: collections.deque[tuple[Body, asyncio.Future[bytes]]] = collections.deque()
        self._work: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tarazu-serve")

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    async def answer(self, body: Body) -> bytes:
        """The answer to one body; raises its error, and RefusedError where too many wait already."""
        if len(self._waiting) >= self._most_waiting:
            raise busy()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        self._waiting.append((body, future))
        if self._work is None or self._work.done():
            self._work = loop.create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        while self._waiting:
            batch = self._next()
            bodies = [body for body, _ in batch]
            answers = await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, bodies)
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():  # its client is gone
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    def _next(self) -> list[tuple[Body, asyncio.Future[bytes]]]:
        """The first of those that wait, and those after it that fit."""
        batch, size = [self._waiting.popleft()], 0
        size = len(batch[0][0].content)
        while self._waiting and size + len(self._waiting[0][0].content) <= MOST_BYTES:
            size += len(self._waiting[0][0].content)
            batch.append(self._waiting.popleft())
        return batch
