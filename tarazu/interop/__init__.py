"""Models of other frameworks and in other formats.

files.py is `tz.load`, which tells formats apart; imported.py a model of steps that another framework described;
torch_weights/ takes over the weights of models of torch, keras/ reads models that Keras saved.
"""

from tarazu.interop.torch_weights.export import to_torch_state
from tarazu.interop.torch_weights.load import load_torch_weights
from tarazu.interop.torch_weights.report import TorchLoaded
from tarazu.interop.torch_weights.shards import read_shards

__all__ = ["TorchLoaded", "load_torch_weights", "read_shards", "to_torch_state"]
