"""Any other saved model, served: arrays as nested lists in and out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError, DataError
from tarazu.base.messages import listing
from tarazu.base.pytree import map_leaves
from tarazu.nn import Module
from tarazu.serve.answering import Prepared
from tarazu.serve.bodies import BODY, JSON, Body, json_text, json_value
from tarazu.serve.limits import Limits, too_many_rows
from tarazu.train.calling import takes_several
from tarazu.train.evaluate import predict
from tarazu.train.padding import can_pad
from tarazu.train.placement import placement_of
from tarazu.train.trainer.trainer import modules_of

KEY = "inputs"
ROWS: dict[str, Any] = {"type": "array", "items": {}, "minItems": 1}


class ModelService:
    """A Module that is served under a name. Raises ArgumentError for a model of several inputs."""

    kinds = (JSON,)

    def __init__(self, model: Module, name: str, limits: Limits) -> None:
        if takes_several(model):
            raise ArgumentError(f"the model {name} takes several inputs", expected="a model of one input",
                                fix="wrap it in a model that takes them as one array")
        self._model, self._limits, self.name = model, limits, name
        self.is_joined = can_pad(modules_of(model), [np.zeros((1, 1))], placement_of(model))

    @property
    def summary(self) -> str:
        """What is given, in a line."""
        return f"Gives the outputs of a {type(self._model).__name__}."

    def blank(self, rows: int) -> None:
        """None, as a model does not say what it takes."""

    def prepare(self, bodies: Sequence[Body]) -> list[Prepared | Exception]:
        """The rows of each body."""
        return [self._prepared(body) for body in bodies]

    def _prepared(self, body: Body) -> Prepared | Exception:
        try:
            rows = _array(json_value(body.content))
        except DataError as error:
            return error
        most = self._limits.rows
        return too_many_rows(most) if len(rows) > most else Prepared(rows)

    def predict(self, rows: np.ndarray) -> Any:
        """What the model gives, nested as it gives it, of arrays."""
        return map_leaves(lambda output: output.numpy(), predict(self._model, rows))

    def write(self, predicted: Any, part: slice, prepared: Prepared, wants: str) -> bytes:
        """The outputs for a part of the rows as JSON."""
        return json_text({"outputs": map_leaves(lambda output: _finite(output[part].tolist()), predicted)})

    def schemas(self) -> dict[str, Any]:
        """JSON schemas of the body and of the answer."""
        inputs = ROWS | {"maxItems": self._limits.rows, "description": "Rows, as nested lists of numbers."}
        return {"Request": {"type": "object", "required": [KEY], "additionalProperties": False,
                            "properties": {KEY: inputs}},
                "Response": {"type": "object", "required": ["outputs"], "properties": {
                    "outputs": {"description": "The outputs for each row, nested as the model gives them."}}}}

    def example(self) -> Mapping[str, Any]:
        """A body as it may be, of rows of two numbers."""
        return {KEY: [[0.5, 1.5]]}


def _array(value: object) -> np.ndarray:
    """The rows in a body, integers or float32. Raises DataError."""
    body = value if isinstance(value, dict) else {}
    given = body.get(KEY)
    if not isinstance(given, list) or not given:
        raise DataError(f"the body has no rows under {KEY!r}", path=BODY, expected="an object with a list of rows",
                        fix=f'send for example {{"{KEY}": [[0.5, 1.5]]}}')
    if others := body.keys() - {KEY}:
        raise DataError(f"the body has {listing(sorted(others))} beside {KEY!r}", path=BODY,
                        expected=f"{KEY!r} alone, as nothing else is read", fix="leave them out")
    try:
        array = np.array(given)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "iuf":
        raise DataError("the rows are no numbers of one shape", path=BODY, column=KEY,
                        expected="nested lists of numbers, equally long", fix="send rows of the same shape")
    with np.errstate(over="ignore"):  # what float32 does not hold is infinite, and refused as such
        return array if array.dtype.kind in "iu" else array.astype(np.float32)


def _finite(value: Any) -> Any:
    """Nested lists, with None in place of numbers that JSON has not."""
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
