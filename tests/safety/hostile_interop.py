"""Damages of files that others read or write too: Keras, ONNX, StableHLO."""

from damages import BYTES, PLACES
from hostile_keras_archives import ARCHIVES
from hostile_keras_models import MODELS
from hostile_onnx import DAMAGES
from hostile_stablehlo import DAMAGES as PROGRAMS

KERAS = {**BYTES, **PLACES, **ARCHIVES, **MODELS}
ONNX = {**BYTES, **PLACES, **DAMAGES}
STABLEHLO = {**BYTES, **PLACES, **PROGRAMS}
