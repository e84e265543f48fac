"""Answers to several requests at once, the same as to each alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from tarazu.serve.batches import Answer
from tarazu.serve.bodies import Body


class Prepared(NamedTuple):
    """The rows of a request as the model takes them, (rows, ...), and what is to be said of them."""

    rows: np.ndarray
    notes: Sequence[str] = ()


class Service(Protocol):
    """A model that is served."""

    @property
    def name(self) -> str:
        """What the model is called."""

    @property
    def summary(self) -> str:
        """What it gives, in a line."""

    @property
    def kinds(self) -> Sequence[str]:
        """The formats of bodies and answers."""

    @property
    def is_joined(self) -> bool:
        """Whether rows of several requests may be predicted together, because no bit of a row's outputs changes."""

    def blank(self, rows: int) -> np.ndarray | None:
        """So many rows of zeros as the model takes them; None where their shape is not known."""

    def prepare(self, bodies: Sequence[Body]) -> Sequence[Prepared | Exception]:
        """The rows of each body, or what is wrong with it."""

    def predict(self, rows: np.ndarray) -> Any:
        """What the model gives for rows, (rows, ...), nested as it gives it."""

    def write(self, predicted: Any, part: slice, prepared: Prepared, wants: str) -> bytes:
        """The answer for a part of the rows that were predicted."""

    def schemas(self) -> Mapping[str, Any]:
        """JSON schemas of what is taken, "Request", and of what is given, "Response", with those that they name."""

    def example(self) -> Mapping[str, Any]:
        """A body that is taken."""


def answers(service: Service, bodies: Sequence[Body]) -> list[Answer]:
    """The answer to each body, or the error in its place."""
    prepared = service.prepare(bodies)
    results: list[Answer] = [each if isinstance(each, Exception) else b"" for each in prepared]
    groups: dict[object, list[int]] = {}
    for number, each in enumerate(prepared):
        if isinstance(each, Prepared):
            key = (each.rows.shape[1:], each.rows.dtype) if service.is_joined else number
            groups.setdefault(key, []).append(number)
    for numbers in groups.values():
        for number, answer in zip(numbers, _predicted(service, bodies, prepared, numbers), strict=True):
            results[number] = answer
    return results


def _predicted(service: Service, bodies: Sequence[Body], prepared: Sequence[Any],
               numbers: Sequence[int]) -> list[Answer]:
    """The answers to the bodies of these numbers, predicted together; each alone where that fails."""
    ends = np.cumsum([len(prepared[number].rows) for number in numbers]).tolist()
    try:
        predicted = service.predict(np.concatenate([prepared[number].rows for number in numbers]))
        return [service.write(predicted, slice(end - len(prepared[number].rows), end), prepared[number],
                              bodies[number].wants) for number, end in zip(numbers, ends, strict=True)]
    except Exception as error:
        if len(numbers) == 1:
            return [error]
        return [_predicted(service, bodies, prepared, [number])[0] for number in numbers]
