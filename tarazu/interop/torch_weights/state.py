"""A state of torch as NumPy arrays: from a state_dict, from arrays, from safetensors files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from tarazu.base.errors import ArgumentError, DTypeError, FileFormatError
from tarazu.interop.torch_weights.shards import INDEX, read_shards
from tarazu.train.save.tensor_file import read_tensors

TorchState: TypeAlias = "Mapping[str, Any] | str | os.PathLike[str]"
_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".tar")
_ONE_FILE = "model.safetensors"
CONVERT = ('import torch; from safetensors.torch import save_file; state = torch.load(path, weights_only=True); '
           'save_file({name: x.clone() for name, x in state.items()}, "model.safetensors")')


@dataclass(frozen=True)
class State:
    """Arrays by torch's names. In files these are sorted by name, and do not tell the order of layers."""

    arrays: Mapping[str, np.ndarray]
    tells_order: bool


def read_state(state: TorchState) -> State:
    """The state of a state_dict, a dict of arrays, or a path: a safetensors file, an index of several, or their folder.

    ArgumentError for anything else, FileFormatError for files that are missing, damaged or pickled, DTypeError for
    values that are no numbers.

    >>> import numpy as np
    >>> read_state({"weight": np.ones((3, 2))}).arrays["weight"].shape
    (3, 2)
    """
    if isinstance(state, str | os.PathLike):
        return State(_of_path(Path(state)), tells_order=False)
    if not isinstance(state, Mapping):
        of_module = hasattr(state, "state_dict")
        raise ArgumentError(f"a {type(state).__name__} as a state of torch",
                            expected="module.state_dict(), a dict of arrays, or the path of a .safetensors file",
                            fix="pass its state: module.state_dict()" if of_module else "pass one of these")
    return State({name: _array(name, value) for name, value in state.items()}, tells_order=True)


def _of_path(path: Path) -> dict[str, np.ndarray]:
    if path.is_dir():
        inside = [path / name for name in (_ONE_FILE, INDEX) if (path / name).is_file()]
        if not inside:
            raise FileFormatError("no weights in this folder", path=path, expected=f"{_ONE_FILE} or {INDEX}",
                                  fix="pass the path of the file")
        path = inside[0]
    if path.suffix.lower() in _PICKLES:
        raise FileFormatError("a pickle, which can run any code when it is read", path=path,
                              expected="a .safetensors file", fix=f"convert it where torch is installed: {CONVERT}")
    if path.suffix == ".json":
        return read_shards(path)
    return read_tensors(path, fix="pass the path of a .safetensors file, or take another copy")


def _array(name: str, value: Any) -> np.ndarray:
    """A tensor of torch, of Tarazu, or an array, as an array. torch's bfloat16, which NumPy lacks, becomes float32."""
    if isinstance(value, Mapping):
        raise ArgumentError(f"the value of {name!r} is a dict", expected="tensors or arrays by their names",
                            fix=f"pass the state alone: state[{name!r}]")
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
        value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "fiubc" and array.dtype.name != "bfloat16":
        raise DTypeError(f"the value of {name!r} is a {type(value).__name__}",
                         expected="a tensor or an array of numbers", fix="leave it out of the state")
    return array
