# ruff: noqa: E501
"""The corpus: damaged and hostile files of every format, from good ones by named damages."""

import contextlib
import shutil

from hostile_data import (
    CIFAR,
    IDX,
    IDX_MAY_LOAD,
    IMAGES,
    IMAGES_MAY_LOAD,
    PACKED,
    PACKED_MAY_LOAD,
    PARQUETS,
    PARQUETS_MAY_LOAD,
    STREAMS_MAY_LOAD,
    TABLES,
    TABLES_MAY_LOAD,
    repeated_rows,
)
from hostile_interop import KERAS, KERAS_MAY_LOAD, ONNX, ONNX_MAY_LOAD, STABLEHLO, STABLEHLO_MAY_LOAD
from hostile_models import (
    CHECKPOINTS,
    CHECKPOINTS_MAY_LOAD,
    HISTORIES,
    HISTORIES_MAY_LOAD,
    MODELS,
    MODELS_MAY_LOAD,
    RUNS,
    RUNS_MAY_LOAD,
    SHARDED,
    WEIGHTS,
    WEIGHTS_MAY_LOAD,
)

STREAMED_PARQUETS = {name: damage for name, damage in PARQUETS.items() if name != "48 million rows"} | {
    "1.5 million rows": repeated_rows(1_500_000)}  # a stream may be long: it is read block by block
DAMAGES = {
    "model folder": MODELS, "weights": WEIGHTS, "sharded weights": SHARDED, "checkpoint": CHECKPOINTS, "run folder": RUNS,
    "history": HISTORIES, "CSV": TABLES, "gzipped CSV": PACKED, "Parquet": PARQUETS, "streamed CSV": TABLES,
    "streamed Parquet": STREAMED_PARQUETS, "idx": IDX, "CIFAR archive": CIFAR, "image": IMAGES, "Keras": KERAS, "ONNX": ONNX,
    "StableHLO": STABLEHLO}
MAY_LOAD = {  # with the reason of each
    "model folder": MODELS_MAY_LOAD, "weights": WEIGHTS_MAY_LOAD, "checkpoint": CHECKPOINTS_MAY_LOAD, "run folder": RUNS_MAY_LOAD,
    "history": HISTORIES_MAY_LOAD, "CSV": TABLES_MAY_LOAD, "gzipped CSV": PACKED_MAY_LOAD, "Parquet": PARQUETS_MAY_LOAD,
    "streamed CSV": STREAMS_MAY_LOAD, "streamed Parquet": {**PARQUETS_MAY_LOAD, "1.5 million rows": "a stream is read block by block"},
    "idx": IDX_MAY_LOAD, "image": IMAGES_MAY_LOAD, "Keras": KERAS_MAY_LOAD, "ONNX": ONNX_MAY_LOAD, "StableHLO": STABLEHLO_MAY_LOAD}


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
