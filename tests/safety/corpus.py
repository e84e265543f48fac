# ruff: noqa: E501
"""The corpus: damaged and hostile files of every format, from good ones by named damages."""

import contextlib
import shutil

from hostile_data import (
    CIFAR,
    IDX,
    IMAGES,
    MAY_LOAD_IMAGE,
    MAY_LOAD_PARQUET,
    MAY_LOAD_STREAM,
    MAY_LOAD_TEXT,
    PACKED,
    PARQUETS,
    TABLES,
    repeated_rows,
)
from hostile_interop import KERAS, KERAS_MAY_LOAD, ONNX, ONNX_MAY_LOAD, STABLEHLO, STABLEHLO_MAY_LOAD
from hostile_models import CHECKPOINTS, HISTORIES, MODELS, RUNS, SHARDED, WEIGHTS

STREAMED_PARQUETS = {name: damage for name, damage in PARQUETS.items() if name != "48 million rows"} | {
    "1.5 million rows": repeated_rows(1_500_000)}  # a stream may be long: it is read block by block
DAMAGES = {
    "model folder": MODELS, "weights": WEIGHTS, "sharded weights": SHARDED, "checkpoint": CHECKPOINTS, "run folder": RUNS,
    "history": HISTORIES, "CSV": TABLES, "gzipped CSV": PACKED, "Parquet": PARQUETS, "streamed CSV": TABLES,
    "streamed Parquet": STREAMED_PARQUETS, "idx": IDX, "CIFAR archive": CIFAR, "image": IMAGES, "Keras": KERAS, "ONNX": ONNX,
    "StableHLO": STABLEHLO}
MAY_LOAD = {
    "model folder": {"model.json a byte short", "training is None", "a million layers"}, "weights": {"ends with zeros", "one header name twice"},
    "checkpoint": {"checkpoint.json a byte short"}, "run folder": {"history a byte short"}, "history": {"a byte short"}, "gzipped CSV": {"a script"}, "idx": {"ends with zeros"},
    "CSV": MAY_LOAD_TEXT, "streamed CSV": MAY_LOAD_STREAM, "Parquet": MAY_LOAD_PARQUET, "streamed Parquet": {*MAY_LOAD_PARQUET, "1.5 million rows"},
    "Keras": KERAS_MAY_LOAD, "ONNX": ONNX_MAY_LOAD, "StableHLO": STABLEHLO_MAY_LOAD,
    "image": {*MAY_LOAD_IMAGE, "a byte short", "ends with zeros", "a chunk of 2 GB"}}


@contextlib.contextmanager
def damaged(loader, format_, name):
    """The path of a damaged copy of the good file, below the loader's folder, until the block ends."""
    good = loader.good[format_]
    place = loader.folder / "case"
    place.mkdir()
    path = place / good.name
    (shutil.copytree if good.is_dir() else shutil.copy)(good, path)
    try:
        DAMAGES[format_][name](path)
        yield path
    finally:
        shutil.rmtree(place)
