"""Models of other frameworks and in other formats.

files.py is `tz.load` and `tz.export`, which tell formats apart; imported.py a model of steps that another framework
described; keras/ reads files of Keras, onnx/ is ONNX, torch/ makes models of modules of torch, torch_weights/ takes
over their weights.
"""

from __future__ import annotations

import importlib
import typing

import tarazu.base.hints.missing as missing

if typing.TYPE_CHECKING:
    from tarazu.interop.torch.importing import from_torch
    from tarazu.interop.torch_weights.export import to_torch_state
    from tarazu.interop.torch_weights.load import load_torch_weights
    from tarazu.interop.torch_weights.report import TorchLoaded
    from tarazu.interop.torch_weights.shards import read_shards

__all__ = ["TorchLoaded", "from_torch", "load_torch_weights", "read_shards", "to_torch_state"]
# By module: imported when they are first asked for, as `tz.load` and tables need none of them.
_LAZY = {"from_torch": "torch.importing", "to_torch_state": "torch_weights.export",
         "load_torch_weights": "torch_weights.load", "TorchLoaded": "torch_weights.report",
         "read_shards": "torch_weights.shards"}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> typing.Any:
    """A name of `_LAZY`."""
    if name not in _LAZY:
        raise missing.MissingAttribute(__name__, name)
    found = globals()[name] = getattr(importlib.import_module(f"tarazu.interop.{_LAZY[name]}"), name)
    return found
