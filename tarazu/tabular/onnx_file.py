"""A model of tables as one file of ONNX: columns go in as they are, labels and probabilities come out.

What encodes the columns is traced together with the model; ONNX's LabelEncoder makes numbers of texts, and labels of
numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.base.extras import require
from tarazu.data import TableEncoder
from tarazu.data.columns.dates import DAY
from tarazu.data.columns.values import value_key
from tarazu.data.tables.column_encoders import CategoryEncoder, ColumnEncoder, NumberEncoder
from tarazu.data.tables.date_encoder import PERIODS, DateEncoder
from tarazu.data.tables.target import CLASSIFICATION
from tarazu.interop.onnx.export.to_onnx import Names, onnx_model
from tarazu.nn import Module
from tarazu.ops.create import arange
from tarazu.ops.elementwise import astype, clip, cos, equal, floor, isnan, remainder, sin, where
from tarazu.ops.networks.softmax import softmax
from tarazu.ops.reduce import argmax
from tarazu.ops.shape import concat, stack
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.save.export import evaluating, function_of

MOST = float(np.finfo(np.float32).max)


def table_model_proto(model: Module, encoder: TableEncoder) -> Any:
    """The model with its encoder as an `onnx.ModelProto`. Raises what `tz.export` raises."""
    columns = [np.zeros(2, np.int64 if isinstance(coder, CategoryEncoder) else np.float64) for coder in encoder.coders]
    features = asarray(np.zeros((1, len(encoder.feature_names)), np.float32))
    with evaluating(model):
        proto = onnx_model(_rows_of(function_of(model, [features]), encoder), tuple(columns), Names(
            [_number_name(coder) for coder in encoder.coders], _outputs(encoder), model))
    return _with_texts(proto, encoder)


def _number_name(coder: ColumnEncoder) -> str:
    """The name of what the traced function takes: of a category the number of the level."""
    return f"{coder.name}:number" if isinstance(coder, CategoryEncoder) else coder.name


def _outputs(encoder: TableEncoder) -> list[str]:
    name = encoder.target.name
    return [f"{name}:number", f"probabilities of {name}"] if encoder.task == CLASSIFICATION else [name]


def _rows_of(network: Callable[..., Tensor], encoder: TableEncoder) -> Callable[..., list[Tensor]]:
    """The function of columns that gives class number and probabilities, or the value in the target's units."""
    def predicted(*columns: Tensor) -> list[Tensor]:
        parts = [_encoded(coder, column) for coder, column in zip(encoder.coders, columns, strict=True)]
        outputs = astype(network(concat(parts, 1)), "float64")
        if encoder.task == CLASSIFICATION:
            probabilities = softmax(outputs)
            return [argmax(probabilities, 1), probabilities]
        return [outputs[:, 0] * encoder.target_scale + encoder.target_mean]
    return predicted


# The features of a column, float32 (rows, features), as the encoders' own `encode` has them. -----------------------

def _encoded(coder: ColumnEncoder, column: Tensor) -> Tensor:
    if isinstance(coder, NumberEncoder):
        return _of_numbers(coder, column)
    return _of_dates(coder, column) if isinstance(coder, DateEncoder) else _of_levels(coder, column)


def _of_levels(coder: CategoryEncoder, number: Tensor) -> Tensor:
    number = number[:, None]
    return astype(number if coder.embedded else equal(number, arange(1, len(coder.names) + 1)), "float32")


def _of_numbers(coder: NumberEncoder, x: Tensor) -> Tensor:
    missing = isnan(x)
    values = where(missing, 0.0, _standardized(x, coder.mean, coder.scale))
    return _side_by_side([values, missing] if coder.indicator else [values])


def _standardized(x: Tensor, mean: float, scale: float) -> Tensor:
    return clip((x - mean) / scale, -MOST, MOST)


def _side_by_side(columns: Sequence[Tensor]) -> Tensor:
    return stack([astype(x, "float32") for x in columns], 1)


def _of_dates(coder: DateEncoder, seconds: Tensor) -> Tensor:
    missing = isnan(seconds)
    known = where(missing, coder.first, seconds)
    lines, columns = iter(zip(coder.means, coder.scales, strict=True)), []
    for part in coder.parts:
        values = _part(known, part, coder.first)
        if part in PERIODS:
            angle = values * (2 * np.pi / PERIODS[part])
            columns += [sin(angle), cos(angle)]
        else:
            columns.append(_standardized(values, *next(lines)))
    columns = [where(missing, 0.0, x) for x in columns]
    return _side_by_side([*columns, missing] if coder.indicator else columns)


def _part(seconds: Tensor, part: str, first: float) -> Tensor:
    if part == "days":
        return (seconds - first) / DAY
    if part == "hour":
        return remainder(seconds, DAY) / 3600
    days = floor(seconds / DAY)
    if part == "day of week":
        return remainder(days + 3, 7.0)
    year, month = _year_and_month(days)
    return year if part == "year" else month - 1


def _year_and_month(days: Tensor) -> tuple[Tensor, Tensor]:
    """Year and month of days since 1970; the years inside begin in March, so that leap days are last."""
    since = days + 719_468  # days from the first of March of the year 0
    era = floor(since / 146_097)
    day = since - era * 146_097
    year = floor((day - floor(day / 1460) + floor(day / 36_524) - floor(day / 146_096)) / 365)
    day_of_year = day - (year * 365 + floor(year / 4) - floor(year / 100))
    place = floor((day_of_year * 5 + 2) / 153)  # of the month, from March
    month = where(place < 10, place + 3, place - 9)
    return year + era * 400 + where(month <= 2, 1.0, 0.0), month


# Texts ------------------------------------------------------------------------------------------------------------

def _with_texts(proto: Any, encoder: TableEncoder) -> Any:
    """The model with a text for each category and for the class, and the classes in the file's metadata."""
    onnx = require("onnx", "tz.export to ONNX", "onnx")
    nodes = [_text_to_number(onnx, coder, encoder) for coder in encoder.coders if isinstance(coder, CategoryEncoder)]
    for x in proto.graph.input:
        if x.name.endswith(":number"):
            x.CopyFrom(onnx.helper.make_tensor_value_info(x.name.removesuffix(":number"), onnx.TensorProto.STRING,
                                                          ["batch"]))
    nodes += proto.graph.node
    if encoder.task == CLASSIFICATION:
        name = encoder.target.name
        nodes.append(onnx.helper.make_node(
            "LabelEncoder", [f"{name}:number"], [name], name=f"name of {name}", domain="ai.onnx.ml",
            keys_int64s=list(range(len(encoder.classes))), values_strings=list(encoder.classes)))
        proto.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.STRING, ["batch"]))
        onnx.helper.set_model_props(proto, {**{x.key: x.value for x in proto.metadata_props},
                                            "classes": json.dumps(encoder.classes)})
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    proto.opset_import.append(onnx.helper.make_opsetid("ai.onnx.ml", 3))
    onnx.checker.check_model(proto, full_check=True)
    return proto


def _text_to_number(onnx: Any, coder: CategoryEncoder, encoder: TableEncoder) -> Any:
    """The node from a text to the number of its level: 0 for an unknown one."""
    numbers = {text: i for i, level in enumerate(coder.levels, 1) for text in _spellings(level)}
    missing = len(coder.levels) + 1 if coder.missing_level else 0
    for word in ("", *encoder.missing_words):
        for text in (word, word.upper(), word.capitalize(), "NaN" if word == "nan" else word):
            numbers[text] = missing
    return onnx.helper.make_node("LabelEncoder", [coder.name], [f"{coder.name}:number"],
                                 name=f"number of {coder.name}", domain="ai.onnx.ml", keys_strings=list(numbers),
                                 values_int64s=list(numbers.values()), default_int64=0)


def _spellings(level: str) -> list[str]:
    """The texts that are read as a level: of a whole number with ".0" too, of True and 1 both, and in small letters."""
    truth = {"1": ["1", "1.0", "True", "true", "TRUE"], "0": ["0", "0.0", "False", "false", "FALSE"]}
    key = value_key(level)
    return [level, *truth.get(key, [f"{key}.0"] if key.lstrip("-").isdecimal() else [])]
