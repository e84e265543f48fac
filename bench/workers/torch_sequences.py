"""Transformers, a WaveNet and bags of words in torch."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional
from workloads import CLASSES, DILATIONS, Workload


class Block(nn.Module):
    """Attention and two dense layers, each of which normalizes its input."""

    def __init__(self, width: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        hidden = functional.gelu(self.up(self.norm2(x)), approximate="tanh" if self.causal else "none")
        return x + self.down(hidden)


def blocks(workload: Workload, *, causal: bool) -> nn.Sequential:
    layers, width, heads = workload.widths
    return nn.Sequential(*[Block(width, heads, causal) for _ in range(layers)], nn.LayerNorm(width))


class GPT(nn.Module):
    def __init__(self, workload: Workload, *, tied: bool = False) -> None:
        super().__init__()
        _, width, _ = workload.widths
        self.words, self.position = nn.Embedding(workload.vocabulary, width), nn.Embedding(*workload.shape, width)
        self.blocks, self.head = blocks(workload, causal=True), nn.Linear(width, workload.vocabulary, bias=not tied)
        if tied:
            self.head.weight = self.words.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.words(x) + self.position.weight))


class ViT(nn.Module):
    def __init__(self, workload: Workload) -> None:
        super().__init__()
        _, width, _ = workload.widths
        self.patches, self.position = nn.Conv2d(3, width, 4, 4), nn.Embedding(64, width)
        self.blocks, self.head = blocks(workload, causal=False), nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2) + self.position.weight
        return self.head(self.blocks(x).mean(1))


class Gated(nn.Module):
    """A causal convolution through a gate; gives what is added to the input, and what goes to the output."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.before = dilation
        self.value, self.gate = (nn.Conv1d(width, width, 2, dilation=dilation) for _ in range(2))
        self.residual, self.skip = nn.Conv1d(width, width, 1), nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        padded = functional.pad(x, (self.before, 0))
        y = self.value(padded).tanh() * self.gate(padded).sigmoid()
        return x + self.residual(y), self.skip(y)


class WaveNet(nn.Module):
    def __init__(self, workload: Workload) -> None:
        super().__init__()
        (width,) = workload.widths
        self.first, self.layers = nn.Conv1d(1, width, 1), nn.ModuleList(Gated(width, step) for step in DILATIONS)
        self.hidden, self.head = nn.Conv1d(width, width, 1), nn.Conv1d(width, CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        x, total = self.first(x.transpose(1, 2)), 0
        for layer in self.layers:
            x, skip = layer(x)
            total = total + skip
        return self.head(self.hidden(total.relu()).relu()).transpose(1, 2)


def bags(workload: Workload) -> nn.Module:
    (width,) = workload.widths
    return nn.Sequential(nn.EmbeddingBag(workload.vocabulary, width, mode="mean"), nn.Linear(width, CLASSES))
