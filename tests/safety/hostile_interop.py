# ruff: noqa: E501
"""Damages of files that others read or write too: Keras, ONNX, StableHLO; those that may be read, each with the reason."""

from damages import BYTES, PLACES
from hostile_keras_archives import ARCHIVES
from hostile_keras_models import MODELS
from hostile_onnx import DAMAGES
from hostile_stablehlo import BYTES_AT
from hostile_stablehlo import DAMAGES as PROGRAMS

KERAS = {**BYTES, **PLACES, **ARCHIVES, **MODELS}
ONNX = {**BYTES, **PLACES, **DAMAGES}
STABLEHLO = {**BYTES, **PLACES, **PROGRAMS}

NOT_READ = "what nobody reads is not unpacked"
NOT_COMPUTED = "a model without weights takes no memory before it is called"
A_NAME = "a name is a key, and never a path or code"
KERAS_MAY_LOAD = {
    "a bomb beside": NOT_READ, "3,000 members": NOT_READ, "65,535 members that are not there": "the directory is read by its size, and its members are whole",
    "a module with ..": "modules are compared, and never imported", "an initializer of os": "weights that are in the file need no initial values",
    "an optimizer of os": "the model is left uncompiled, with a warning", "a loss of os": "the model is left uncompiled, with a warning", "a compile of texts": "what is no object is left out",
    "input [1000000000000, 3]": "Tarazu's inputs take any number of rows", "a build of 10^12": "sizes come from the weights",
    "a million repetitions": NOT_COMPUTED, "images made huge": NOT_COMPUTED, "sizes that double": NOT_COMPUTED,
    "a name of 10 MB": A_NAME, "a name with ..": A_NAME, "a name with zeros": A_NAME,
    "models 20 deep": "it is within the bound", "doubled 60 times": "a line of 60 layers is a model"}
ONNX_MAY_LOAD = {
    "a loop of -1": "ONNX runs no round of it", "Pad of -10^12": "it cuts off more than all, which leaves nothing", "a division of integers by 0": "ONNX leaves the result open"}
A_WEIGHT = "anybody who can write a checksum can change a number, or a part that nobody reads"
STABLEHLO_MAY_LOAD = {
    "sealed, a byte short": A_WEIGHT, "another version of MLIR": "JAX does not read the name of who wrote it", "a version of 99": "JAX does not read the name of who wrote it",
    **{f"a byte at {share}": A_WEIGHT for share in BYTES_AT}, **{f"the number at 4 is {value}": A_WEIGHT for value in ("2,147,483,647", "4,294,967,295")},
    "of JAX, a fixed number of rows": "a program of JAX's that fits the input is one"}
