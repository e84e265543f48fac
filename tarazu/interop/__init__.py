"""Models of other frameworks and in other formats.

files.py is `tz.load`, which tells formats apart; imported.py a model of steps that another framework described;
torch/ makes models of modules of torch.
"""

from __future__ import annotations

import importlib
import typing

import tarazu.base.hints.missing as missing

if typing.TYPE_CHECKING:
    from tarazu.interop.torch.importing import from_torch

__all__ = ["from_torch"]
_LAZY = {"from_torch": "torch.importing"}  # imported when first asked for, as `tz.load` needs none of them


def __getattr__(name: str) -> typing.Any:
    """A name of `_LAZY`."""
    if name not in _LAZY:
        raise missing.MissingAttribute(__name__, name)
    found = globals()[name] = getattr(importlib.import_module(f"tarazu.interop.{_LAZY[name]}"), name)
    return found
