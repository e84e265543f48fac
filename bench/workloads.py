"""What is trained in `bench/training.py`: shapes, sizes, made-up data and the speed that is aimed at."""

from __future__ import annotations

import math
import os
from typing import NamedTuple

import numpy as np

CLASSES, LEARNING_RATE = 10, 1e-3
RESNET_STAGES = [(filters, 1 + (block == 0 and filters > 64)) for filters in (64, 128, 256, 512) for block in range(2)]
SEPARABLE_STAGES = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]  # filters and stride
UNET_CHANNELS = 32, 64, 128, 256  # of its levels
DILATIONS = tuple(2 ** layer for layer in range(10))  # of the convolutions of a WaveNet
FLIPPED_LABELS = 0.1  # of all, so that losses stay well above 0 and can be compared
DECAY = 0.01  # of weights, by AdamW


class Workload(NamedTuple):
    """A network, its batches, and how much faster Tarazu should be than the others."""

    title: str
    kind: str  # of network: the name of a function of each worker
    shape: tuple[int, ...]  # of one sample
    rows: int
    batch: int
    against_torch: float
    against_best: float
    widths: tuple[int, ...] = ()  # of the layers of an MLP; layers, features and heads of a GPT or ViT
    epochs: int = 1  # in one round
    targets: tuple[int, ...] = ()  # the shape of one sample's class numbers; each has its part of the shape
    classes: int = CLASSES
    vocabulary: int = 0  # of tokens, where samples are these
    decay: float = 0.0  # with which Adam is AdamW


def _mlp(width: int, batch: int, against_torch: float, against_best: float, epochs: int) -> Workload:
    widths = width, width, CLASSES
    title = f"MLP 784-{'-'.join(map(str, widths))}, batch {batch}"
    return Workload(title, "mlp", (784,), 20_000, batch, against_torch, against_best, widths, epochs)


def _gpt(title: str, kind: str, rows: int, batch: int, vocabulary: int, widths: tuple[int, ...]) -> Workload:
    title = f"{title}, 128 tokens, batch {batch}, vocabulary {vocabulary:,}"
    return Workload(title, kind, (128,), rows, batch, 1.5, 1.5, widths, targets=(128,), classes=vocabulary,
                    vocabulary=vocabulary, decay=DECAY)


SMALLER = {
    "mlp128": _mlp(128, 64, 4, 2.5, epochs=3),
    "mlp512": _mlp(512, 128, 1.5, 1.4, epochs=1),
    "mlp32": _mlp(32, 32, 10, 3.5, epochs=3),
    "cnn": Workload("CNN conv32-pool-conv64-pool-dense128-10, batch 64", "cnn", (28, 28, 1), 3_200, 64, 1.5, 1.3),
    "lstm": Workload("LSTM 128 units on 64 x 32, batch 64", "lstm", (64, 32), 3_200, 64, 1.4, 1.4),
    "transformer": Workload("transformer, 2 layers, d 128, 4 heads, ff 512, 64 tokens, batch 32", "transformer",
                            (64, 128), 800, 32, 1.3, 1.3),
}
LARGER = {
    "resnet18": Workload("ResNet-18 on 32 x 32 x 3, batch 32", "resnet18", (32, 32, 3), 96, 32, 1.6, 1.6),
    "separable": Workload("depthwise separable convolutions 32 to 512, 32 x 32 x 3, batch 32", "separable", (32, 32, 3),
                          256, 32, 1.5, 1.5),
    "cnn_same": Workload('CNN conv32-pool-conv64-pool-dense128-10, "same", batch 64', "cnn_same", (28, 28, 1), 2_048,
                         64, 1.8, 1.8),
    "gpt": _gpt("GPT, 6 layers, d 192, 6 heads", "gpt", 64, 16, 65, (6, 192, 6)),
    "gpt2": _gpt("GPT-2 small, 12 layers, d 768, 12 heads, tied", "gpt_tied", 4, 4, 50_257, (12, 768, 12)),
    "lstm_few": SMALLER["lstm"]._replace(title="LSTM 128 units on 64 x 32, few rows", rows=1_024, against_torch=1.5,
                                         against_best=1.5),
    "unet": Workload("U-Net, 4 levels, 32 to 256, on 64 x 64 x 3, batch 8", "unet", (64, 64, 3), 32, 8, 1.15, 1.15,
                     targets=(64, 64)),
    "vit": Workload("ViT-Tiny, 12 layers, d 192, 3 heads, 32 x 32 x 3 in patches of 4, batch 32", "vit", (32, 32, 3),
                    96, 32, 1.15, 1.15, (12, 192, 3), decay=DECAY),
    "wavenet": Workload("WaveNet-like, 10 dilated convolutions of 64 on 1,024 steps, batch 8", "wavenet", (1_024, 1),
                        64, 8, 1.15, 1.15, (64,), targets=(1_024,)),
    "bags": Workload("embedding 50,000 x 64, bags of 32 tokens, batch 64", "bags", (32,), 1_280, 64, 1.15, 1.15, (64,),
                     vocabulary=50_000),
}
WORKLOADS = SMALLER | LARGER

# The loops of `bench/eager.py`: one batch each; what is aimed at is that of torch's time, over ours.
EAGER = {
    "mlp": Workload("MLP 784-128-128-10, batch 64", "mlp", (784,), 64, 64, 1 / 1.2, 1 / 1.2, (128, 128, CLASSES)),
    "cnn": Workload("CNN conv32-pool-conv64-pool-dense128-10, batch 32", "cnn", (28, 28, 1), 32, 32, 1 / 1.2, 1 / 1.2),
    "lstm": Workload("LSTM 64 units on 32 x 16, batch 32", "lstm", (32, 16), 32, 32, 1 / 1.2, 1 / 1.2, (64,)),
    "layer": Workload("transformer layer, d 128, 4 heads, ff 512, 32 tokens, batch 32", "layer", (32, 128), 32, 32,
                      1 / 1.2, 1 / 1.2, (4, 128, 512)),
}


def sized(workload: Workload) -> Workload:
    """The workload with as many rows as BENCH_ROWS says, where it does."""
    return workload._replace(rows=int(os.environ.get("BENCH_ROWS", workload.rows)))


def data(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (rows, *shape), float32 or tokens, and class numbers (rows, *targets), of which some are wrong."""
    rng = np.random.default_rng(0)
    y = rng.integers(workload.classes, size=(workload.rows, *workload.targets))
    x = _tokens(workload, y, rng) if workload.vocabulary else _noise(workload, y, rng)
    flipped = rng.random(y.shape) < FLIPPED_LABELS
    return x, np.where(flipped, rng.integers(workload.classes, size=y.shape), y)


def _noise(workload: Workload, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Normal noise around a center for each class."""
    part = workload.shape[len(workload.targets):]
    centers = rng.normal(size=(workload.classes, *part)) * 5 / math.sqrt(math.prod(part))
    return (centers[y] + rng.normal(size=(workload.rows, *workload.shape))).astype(np.float32)


def _tokens(workload: Workload, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random ones of those whose remainder by the number of classes is one more than the class."""
    whole = rng.integers(workload.vocabulary // workload.classes, size=(workload.rows, *workload.shape))
    classes = y.reshape(*y.shape, *[1] * (whole.ndim - y.ndim))
    return workload.classes * whole + (classes + 1) % workload.classes


def iris_like() -> tuple[np.ndarray, np.ndarray]:
    """150 flowers of 3 species, normal with the means and deviations of Fisher's iris data (1936), standardized."""
    means = np.array([[5.01, 3.43, 1.46, 0.25], [5.94, 2.77, 4.26, 1.33], [6.59, 2.97, 5.55, 2.03]])
    deviations = np.array([[0.35, 0.38, 0.17, 0.11], [0.52, 0.31, 0.47, 0.20], [0.64, 0.32, 0.55, 0.27]])
    y = np.repeat(np.arange(3), 50)
    x = np.random.default_rng(0).normal(means[y], deviations[y])
    return ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32), y
