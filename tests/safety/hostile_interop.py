"""Damages of files that others read or write too: Keras, ONNX, StableHLO."""

from damages import BYTES, PLACES
from hostile_keras_archives import ARCHIVES
from hostile_keras_models import MODELS

KERAS = {**BYTES, **PLACES, **ARCHIVES, **MODELS}
ONNX = {**BYTES, **PLACES}
STABLEHLO = {**BYTES, **PLACES}
