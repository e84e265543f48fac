"""Training in torch as most users write it; also the models for `torch_compile.py`.

BENCH_DEVICE=gpu takes the GPU, where float32 products have all their digits; BENCH_PRECISION=bfloat16 mixed precision.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

import torch
import torch_networks
import torch_sequences
from first_weights import given
from serve import Train, serve
from torch import Tensor, nn
from torch_weights import draw, share
from workloads import CLASSES, LEARNING_RATE, Workload, data

UNITS = 128  # of the LSTM
DEVICE = "cuda" if os.environ.get("BENCH_DEVICE") == "gpu" else "cpu"
IS_HALF = os.environ.get("BENCH_PRECISION") == "bfloat16"
Forward = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def mlp(workload: Workload) -> nn.Module:
    layers: list[nn.Module] = []
    features = workload.shape[0]
    for width in workload.widths:
        layers += [nn.Linear(features, width), nn.ReLU()]
        features = width
    return nn.Sequential(*layers[:-1])


def cnn(padding: int, size: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=padding), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=padding), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * size * size, 128), nn.ReLU(), nn.Linear(128, CLASSES))


class LSTM(nn.Module):
    def __init__(self, workload: Workload) -> None:
        super().__init__()
        self.lstm = nn.LSTM(workload.shape[-1], UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


class Transformer(nn.Module):
    def __init__(self, workload: Workload) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.zeros(workload.shape))
        layer = nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(128, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x + self.position).mean(1))


IMAGES = {"cnn": lambda _: cnn(0, 5), "cnn_same": lambda _: cnn(1, 7), "resnet18": lambda _: torch_networks.resnet18(),
          "separable": lambda _: torch_networks.separable(), "unet": lambda _: torch_networks.UNet(),
          "vit": torch_sequences.ViT}
MODELS = {"mlp": mlp, "lstm": LSTM, "transformer": Transformer, "gpt": torch_sequences.GPT,
          "gpt_tied": functools.partial(torch_sequences.GPT, tied=True), "wavenet": torch_sequences.WaveNet,
          "bags": torch_sequences.bags}


def model_for(workload: Workload) -> nn.Module:
    """The model with its first weights."""
    if workload.kind in IMAGES:
        model = IMAGES[workload.kind](workload).to(memory_format=torch.channels_last)
    else:
        model = MODELS[workload.kind](workload)
    (share if given() else draw)(model, workload)
    return model.to(DEVICE)


def tensors_for(workload: Workload) -> tuple[Tensor, Tensor]:
    x, y = (torch.from_numpy(part).to(DEVICE) for part in data(workload))
    return (x.permute(0, 3, 1, 2) if workload.kind in IMAGES else x), y  # a view: channels stay last in memory


def forward_for(model: nn.Module) -> Forward:
    def forward(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(DEVICE, torch.bfloat16, enabled=IS_HALF):
            prediction = model(x).float().flatten(0, -2)
        y = y.flatten()
        return nn.functional.cross_entropy(prediction, y), (prediction.argmax(1) == y).sum()
    return forward


def trainer(workload: Workload, model: nn.Module, forward: Forward) -> Train:
    x, y = tensors_for(workload)
    adam = functools.partial(torch.optim.AdamW, weight_decay=workload.decay) if workload.decay else torch.optim.Adam
    optimizer = adam(model.parameters(), lr=LEARNING_RATE, fused=True)

    def epoch() -> dict[str, float]:
        order = torch.randperm(len(x), device=DEVICE)
        loss_sum, correct_sum = torch.zeros((), device=DEVICE), torch.zeros((), dtype=torch.int64, device=DEVICE)
        for rows in order.split(workload.batch):
            optimizer.zero_grad()
            loss, correct = forward(x[rows], y[rows])
            loss.backward()
            optimizer.step()
            loss_sum += loss.detach() * len(rows)
            correct_sum += correct
        return {"loss": loss_sum.item() / len(x), "accuracy": correct_sum.item() / y.numel()}

    return lambda epochs: [epoch() for _ in range(epochs)][-1]


def start() -> None:
    """Two threads, a seed, and no products of fewer digits than float32 has."""
    torch.set_num_threads(2)
    torch.manual_seed(0)
    torch.backends.cudnn.allow_tf32 = False


def prepare(workload: Workload) -> Train:
    start()
    model = model_for(workload)
    return trainer(workload, model, forward_for(model))


if __name__ == "__main__":
    serve(prepare)
