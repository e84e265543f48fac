"""Models of other frameworks and in other formats.

files.py is `tz.load`, which tells formats apart; imported.py a model of steps that another framework described;
torch/ makes models of modules of torch.
"""

from tarazu.interop.torch.importing import from_torch

__all__ = ["from_torch"]
