"""Models of other frameworks and in other formats.

files.py is `tz.load` and `tz.export`, which tell formats apart; imported.py a model of steps that another framework
described; keras/ reads files of Keras, onnx/ is ONNX, torch/ makes models of modules of torch, torch_weights/ takes
over their weights.
"""

from __future__ import annotations

import typing

if typing.TYPE_CHECKING:
    from tarazu.interop.torch.importing import from_torch
    from tarazu.interop.torch_weights.export import to_torch_state
    from tarazu.interop.torch_weights.load import load_torch_weights
    from tarazu.interop.torch_weights.report import TorchLoaded
    from tarazu.interop.torch_weights.shards import read_shards
else:  # to type checkers any name would be right
    from tarazu.base.hints.missing import imported_when_asked

    # Imported when they are first asked for, as `tz.load` and tables need none of them.
    _LAZY = {"torch.importing": "from_torch", "torch_weights.export": "to_torch_state",
             "torch_weights.load": "load_torch_weights", "torch_weights.report": "TorchLoaded",
             "torch_weights.shards": "read_shards"}
    __getattr__ = imported_when_asked(__name__, _LAZY)

__all__ = ["TorchLoaded", "from_torch", "load_torch_weights", "read_shards", "to_torch_state"]


def __dir__() -> list[str]:
    return __all__
