"""Tensors of torch as tensors of Tarazu."""

from __future__ import annotations

from typing import Any

import numpy as np

from tarazu.base.dtypes import bfloat16
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.elementwise import bitcast
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.tensor import Tensor


def to_tensor(x: Any) -> Tensor:
    """A copy of a torch tensor; parameters come as such, frozen where they are frozen in torch."""
    from torch import nn

    value = _value(x.detach().cpu())
    return Parameter(value, trainable=bool(x.requires_grad)) if isinstance(x, nn.Parameter) else value


def _value(x: Any) -> Tensor:
    import torch

    if x.dtype is torch.bfloat16:  # NumPy lacks it
        return bitcast(tensor(x.contiguous().view(torch.int16).numpy()), bfloat16)
    return tensor(np.array(x.resolve_conj().numpy(), order="C"))
