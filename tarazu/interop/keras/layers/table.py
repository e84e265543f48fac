"""All layer classes of Keras that become layers of Tarazu, by name, each with the function that makes one."""

from __future__ import annotations

from collections.abc import Callable

from tarazu.interop.keras.layers.attention import ATTENTION
from tarazu.interop.keras.layers.convolution import CONVOLUTION
from tarazu.interop.keras.layers.core import CORE
from tarazu.interop.keras.layers.normalization import NORMALIZATION
from tarazu.interop.keras.layers.preprocessing import PREPROCESSING
from tarazu.interop.keras.layers.recurrent import RECURRENT
from tarazu.interop.keras.options import Options
from tarazu.nn.module.module import Module

LAYERS: dict[str, Callable[[Options], Module]] = {**CORE, **CONVOLUTION, **NORMALIZATION, **RECURRENT, **ATTENTION,
                                                  **PREPROCESSING}
