"""The corpus: damaged and hostile files of every format, from good ones by named damages."""

import shutil
from typing import NamedTuple

from hostile_data import (
    CIFAR,
    IDX,
    IMAGES,
    MAY_LOAD,
    MAY_LOAD_IMAGE,
    MAY_LOAD_PARQUET,
    PACKED,
    PARQUETS,
    TABLES,
)
from hostile_interop import KERAS, ONNX, STABLEHLO
from hostile_models import CHECKPOINTS, HISTORIES, MODELS, RUNS, SHARDED, WEIGHTS

DAMAGES = {
    "model folder": MODELS, "weights": WEIGHTS, "sharded weights": SHARDED, "checkpoint": CHECKPOINTS, "run folder": RUNS,
    "history": HISTORIES, "CSV": TABLES, "gzipped CSV": PACKED, "Parquet": PARQUETS, "streamed CSV": TABLES,
    "streamed Parquet": PARQUETS, "idx": IDX, "CIFAR archive": CIFAR, "image": IMAGES, "Keras": KERAS, "ONNX": ONNX,
    "StableHLO": STABLEHLO}
