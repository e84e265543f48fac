"""The same loops and small operations as in `eager_tarazu.py`, in torch."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch_eager
from eager_cases import Cases, serve_eager
from torch import Tensor, nn
from torch.nn import functional
from workloads import CLASSES, LEARNING_RATE, Workload


class Recurrent(nn.Module):
    def __init__(self, workload: Workload) -> None:
        super().__init__()
        (units,) = workload.widths
        self.lstm, self.head = nn.LSTM(workload.shape[-1], units, batch_first=True), nn.Linear(units, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


class Layer(nn.Module):
    def __init__(self, workload: Workload) -> None:
        super().__init__()
        heads, width, feedforward = workload.widths
        self.layer = nn.TransformerEncoderLayer(width, heads, feedforward, dropout=0.0, batch_first=True)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x).mean(1))


MODELS = {"mlp": torch_eager.mlp, "cnn": lambda _: torch_eager.cnn(0, 5).to(memory_format=torch.channels_last),
          "lstm": Recurrent, "layer": Layer}


def step_of(workload: Workload) -> Callable[[], float]:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, y = torch_eager.tensors_for(workload)
    model = MODELS[workload.kind](workload)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)

    def step() -> float:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


def _backward_of_chain(w: Tensor) -> None:
    w.grad = None
    torch.tanh(w * 2.0 + 1.0).sum().backward()


def small() -> Cases:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, y, w = torch.randn(8), torch.randn(8), torch.randn(8, requires_grad=True)
    rows, matrix, labels = torch.randn(8, 8), torch.randn(8, 8, requires_grad=True), torch.arange(8)
    ones, zeros = torch.ones(8), torch.zeros(8)
    return {
        "add": lambda: x + y, "add a number": lambda: x + 1.0, "add, tracked": lambda: w + y,
        "exp": lambda: torch.exp(x), "relu": lambda: torch.relu(x), "sum": lambda: x.sum(), "mean": lambda: x.mean(),
        "max of rows": lambda: rows.amax(dim=1), "reshape": lambda: rows.reshape(4, 16), "transpose": lambda: rows.T,
        "x[i]": lambda: rows[3], "x[i:j]": lambda: rows[2:5], "x[i, j]": lambda: rows[3, 4], "x > 0": lambda: x > 0,
        "matrix product": lambda: rows @ matrix, "softmax": lambda: torch.softmax(x, -1), "softmax, tracked":
        lambda: torch.softmax(w, -1), "layer norm": lambda: functional.layer_norm(rows, (8,), ones, zeros), "gelu":
        lambda: functional.gelu(x), "cross entropy, tracked": lambda: functional.cross_entropy(matrix, labels),
        "concat": lambda: torch.cat([x, y]), "forward and backward": lambda: _backward_of_chain(w)}


if __name__ == "__main__":
    serve_eager(step_of, small)
