"""First weights of the networks in torch: drawn as the other frameworks draw theirs, or those that all share."""

from __future__ import annotations

import numpy as np
import torch
from first_weights import in_order
from torch import nn
from workloads import Workload


def draw(model: nn.Module, _: Workload) -> None:
    """Glorot's, zeros for biases, normal ones in tables."""
    for name, parameter in model.named_parameters():
        if isinstance(_owner(model, name), nn.EmbeddingBag):
            nn.init.normal_(parameter)
        elif _is_table(name):
            nn.init.normal_(parameter, std=0.02)
        elif parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter)
        elif "bias" in name:
            nn.init.zeros_(parameter)
        if name == "lstm.bias_ih_l0":
            units = len(parameter) // 4
            nn.init.ones_(parameter.data[units:2 * units])  # the forget gates


def share(model: nn.Module, workload: Workload) -> None:
    """Those of all, laid out as torch has them; of the two biases of an LSTM one, as the others have."""
    for name, parameter in model.named_parameters():
        if "bias_hh" in name:
            nn.init.zeros_(parameter.requires_grad_(requires_grad=False))
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    arrays = in_order(parameter.numel() for parameter in trained.values())
    for (name, parameter), array in zip(trained.items(), arrays, strict=True):
        is_table = _is_table(name) or isinstance(_owner(model, name), nn.EmbeddingBag)
        array = array if is_table or array.ndim < 2 else _laid_out(array, workload, parameter)
        parameter.data.copy_(torch.from_numpy(np.ascontiguousarray(array)).reshape(parameter.shape))


def _owner(model: nn.Module, name: str) -> nn.Module:
    return model.get_submodule(name.rpartition(".")[0])


def _is_table(name: str) -> bool:
    return "position" in name or "words" in name


def _laid_out(array: np.ndarray, workload: Workload, parameter: torch.Tensor) -> np.ndarray:
    """Outputs and inputs first; a dense layer after pictures sees their channels before their places."""
    if workload.kind in ("cnn", "cnn_same") and len(array) == parameter.shape[-1] == 64 * (side := _side(array)) ** 2:
        array = array.reshape(side, side, 64, -1).transpose(2, 0, 1, 3).reshape(array.shape)
    return np.moveaxis(array, (-1, -2), (0, 1))


def _side(array: np.ndarray) -> int:
    return round((len(array) / 64) ** 0.5)
