"""Small modules of torch, one per family of operations, with inputs: what the importer is tested on."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

RANDOM = torch.Generator().manual_seed(0)


def floats(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=RANDOM)


def positive(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=RANDOM) + 0.5


def unit(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=RANDOM) * 1.6 - 0.8


def whole(high: int, *shape: int) -> torch.Tensor:
    return torch.randint(0, high, shape, generator=RANDOM)


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.function(*inputs)


def module(make: Callable[[], nn.Module], *inputs: torch.Tensor) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    torch.manual_seed(0)
    return make().eval(), inputs


def function(run: Callable[..., Any], *inputs: torch.Tensor) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    return Function(run).eval(), inputs


class UNet(nn.Module):
    """Down, up and across, with all that images pass through there."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.middle = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.SiLU())
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.down(x)
        across = torch.cat([first, self.up(self.middle(first))], dim=1)
        return F.interpolate(self.out(across), scale_factor=2, mode="bilinear").softmax(dim=1)


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.Module], **options: Any) -> None:
        super().__init__()
        self.layer = kind(4, 3, **options)

    def forward(self, x: torch.Tensor) -> Any:
        outputs, last = self.layer(x)
        return outputs, last


class SelfAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> Any:
        return self.attention(x, x, x, key_padding_mask=padding)


class Shuffle(nn.Module):
    """Channels shuffled between groups, as in ShuffleNet."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 4, 1, groups=2), nn.Conv2d(4, 4, 3, groups=4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        batch, channels, height, width = x.shape
        x = x.view(batch, 2, channels // 2, height, width).transpose(1, 2).reshape(batch, channels, height, width)
        return self.second(x)


def in_place(x: torch.Tensor) -> torch.Tensor:
    y = x.clone()
    y[:, 0] = 1.0
    y[:, 1:] *= 2
    y.add_(1).clamp_(min=-1)
    return y


def masked(x: torch.Tensor) -> torch.Tensor:
    y = x.clone()
    y[y > 0.5] = 0.0
    return y


def sizes(x: torch.Tensor) -> torch.Tensor:
    batch, time, features = x.shape
    positions = torch.arange(time).unsqueeze(0).expand(batch, -1)
    return x.reshape(batch * time, features).view(batch, -1) + positions.repeat_interleave(features, 1) / time


def rotary(x: torch.Tensor) -> torch.Tensor:
    angles = torch.outer(torch.arange(x.shape[1]).float(), 1.0 / 10 ** torch.arange(0, 2).float())
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()], -1)


def causal(x: torch.Tensor) -> torch.Tensor:
    scores = x @ x.transpose(-1, -2)
    mask = torch.full(scores.shape[-2:], float("-inf")).triu(1)
    return (scores + mask).softmax(-1) @ x


IMAGE = (2, 3, 8, 6)
CASES: dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]] = {
    # Elements
    "arithmetic": function(lambda x, y: (x + 2 * y - x * y / (y * y + 1)) ** 2, floats(3, 4), floats(3, 4)),
    "scaled_sums": function(lambda x, y: torch.add(x, y, alpha=2) - torch.sub(x, y, alpha=0.5) + (1 - x), floats(3, 4),
                            floats(4)),
    "exponentials": function(lambda x: x.exp() + x.log() + x.log1p() + x.expm1() + x.log2() + x.log10() + x.exp2(),
                             positive(3, 4)),
    "roots": function(lambda x: x.sqrt() + x.rsqrt() + x.reciprocal() + x.square() + x.pow(3) + 2 ** x, positive(3, 4)),
    "trigonometry": function(lambda x: x.sin() + x.cos() + x.tan() + x.asin() + x.acos() + x.atan(), unit(3, 4)),
    "hyperbolic": function(lambda x: x.sinh() + x.cosh() + x.tanh() + x.asinh() + (x + 2).acosh() + x.atanh(),
                           unit(3, 4)),
    "error_functions": function(lambda x: x.erf() + x.erfc() + x.erfinv() + torch.lgamma(x + 2) + torch.digamma(x + 2),
                                unit(3, 4)),
    "rounding": function(lambda x: x.floor() + x.ceil() + x.round() + x.trunc() + x.sign() + x.abs(), floats(3, 4)),
    "division": function(lambda x, y: (torch.div(x, y, rounding_mode="floor"), torch.div(x, y, rounding_mode="trunc"),
                                       x % y, torch.fmod(x, y), x // 3, x / 2), whole(20, 3, 4) - 10,
                         whole(5, 3, 4) + 1),
    "comparisons": function(lambda x, y: (x == y, x != y, x < y, x <= 0, x > 0.5, x >= y, (x > 0) & (y > 0),
                                          (x > 0) | ~(y > 0), (x > 0) ^ (y > 0), torch.logical_not(x)), floats(3, 4),
                            floats(3, 4)),
    "bits": function(lambda x, y: (x & y, x | y, x ^ y, ~x, x << 1, x >> 1), whole(8, 3, 4), whole(8, 3, 4)),
    "selection": function(lambda x, y: torch.where(x > 0, x, y).clamp(-1, 1) + x.masked_fill(y > 0, 0.5)
                          + torch.maximum(x, y) * torch.minimum(x, y) + torch.lerp(x, y, 0.3), floats(3, 4),
                          floats(3, 4)),
    "infinities": function(lambda x: (torch.isnan(x / 0), torch.isinf(x / 0), torch.isfinite(x),
                                      torch.nan_to_num(x / 0)), floats(3, 4)),
    "angles": function(lambda x, y: torch.atan2(x, y) + torch.hypot(x, y) + torch.copysign(x, y), floats(3, 4),
                       floats(3, 4)),
    "activations": function(lambda x: F.relu(x) + F.gelu(x) + F.gelu(x, approximate="tanh") + F.silu(x) + F.elu(x, 0.7)
                            + F.leaky_relu(x, 0.1) + F.softplus(x, 2.0) + F.hardtanh(x) + F.hardswish(x)
                            + F.hardsigmoid(x) + F.mish(x) + F.celu(x, 0.5) + F.selu(x) + F.relu6(x) + F.logsigmoid(x)
                            + F.softsign(x) + F.tanhshrink(x) + F.softshrink(x) + F.hardshrink(x)
                            + F.threshold(x, 0.1, 0.2) + x.sigmoid(), floats(3, 4)),
    "prelu": module(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.PReLU(4)), floats(*IMAGE)),
    "gated": function(lambda x: F.glu(x, -1), floats(3, 4)),
    "dtypes": function(lambda x: (x.long(), x.int().float() / 2, x.bool(), x.double().sum(), (x > 0).sum(),
                                  x.to(torch.float64).to(x.dtype)), floats(3, 4)),
    # Shapes
    "views": function(lambda x: x.reshape(x.shape[0], -1).unflatten(1, (2, -1)).flatten(1).unsqueeze(1).squeeze(1),
                      floats(3, 4, 2)),
    "turns": function(lambda x: x.permute(2, 0, 1).transpose(0, 1).movedim(0, -1).mT.contiguous(), floats(3, 4, 2)),
    "joins": function(lambda x, y: torch.stack([torch.cat([x, y], 1), torch.cat([y, x], -1)], 1), floats(3, 4),
                      floats(3, 4)),
    "cuts": function(lambda x: x[:, 1:3] + x[:, ::2] + x.narrow(1, 0, 2) + x[..., -2:] + x[:, [0, 3]], floats(3, 4)),
    "splits": function(lambda x: (*x.chunk(3, 1), *x.split([1, 3], 1), *x.unbind(1), *x.tensor_split(2, 1)),
                       floats(3, 4)),
    "repeats": function(lambda x: x.repeat(1, 2) + x.repeat_interleave(2, 1) + x.tile((1, 2)), floats(3, 4)),
    "expands": function(lambda x: x.unsqueeze(1).expand(-1, 3, -1) * x[:, None].expand(x.shape[0], 3, 4), floats(2, 4)),
    "flips": function(lambda x: x.flip(1) + x.roll(1, 1) + torch.rot90(x[:, None].expand(-1, 4, -1), 1, (1, 2))[:, 0],
                      floats(3, 4)),
    "triangles": function(lambda x: x.tril() + x.triu(1) + torch.diagonal(x, 0, 1, 2)[:, None], floats(2, 4, 4)),
    "padding": function(lambda x: F.pad(x, (1, 2), value=0.5).sum(-1) + F.pad(x, (1, 1, -1, 0)).sum(-1)[:, :1]
                        + F.pad(x, (1, 2), mode="reflect").sum(-1) + F.pad(x, (1, 2), mode="replicate").sum(-1)
                        + F.pad(x, (1, 2), mode="circular").sum(-1), floats(2, 3, 5)),
    "strided": function(lambda x: x.unfold(1, 2, 1).sum(-1), floats(3, 4)),
    "sizes": function(sizes, floats(2, 3, 4)),
    "scatters_of_slices": function(in_place, floats(3, 4)),
    # Reductions
    "sums": function(lambda x: x.sum(1) + x.mean(-1) + x.prod(1) + x.amax(1) - x.amin(1) + x.logsumexp(1),
                     floats(3, 4)),
    "whole_sums": function(lambda x: x.sum() + x.mean() + x.max() - x.min() + x.prod(), floats(3, 4)),
    "variances": function(lambda x: x.var(1) + x.std(1, correction=0) + torch.var_mean(x, 1)[0] + x.var(),
                          floats(3, 4)),
    "extremes": function(lambda x: (*x.max(1), *x.min(1, keepdim=True), x.argmax(1), x.argmin(1), x.argmax()),
                         floats(3, 4)),
    "truths": function(lambda x: ((x > 0).any(1), (x > 0).all(1), (x > 0).any(), (x > -9).all()), floats(3, 4)),
    "running": function(lambda x: x.cumsum(1) + x.cumprod(1) + torch.logcumsumexp(x, 1) + x.cummax(1)[0], floats(3, 4)),
    "norms": function(lambda x: x.norm(dim=1) + x.norm(p=1, dim=1) + x.norm(p=float("inf"), dim=1)
                      + torch.linalg.vector_norm(x, 3, dim=1) + F.normalize(x, dim=1).sum(1), floats(3, 4)),
    "softmaxes": function(lambda x: x.softmax(1) + x.log_softmax(0) + F.softmin(x, 1), floats(3, 4)),
    "sorting": function(lambda x: (*x.sort(1), *x.sort(1, descending=True), *x.topk(2, 1), *x.topk(2, 1, largest=False),
                                   x.argsort(1)), floats(3, 4)),
    "ranks": function(lambda x: (*x.kthvalue(2, 1), *x.median(0), x.median(1, keepdim=True)[0]), floats(3, 4)),
    "losses": function(lambda x, y: F.cross_entropy(x, y) + F.mse_loss(x, x * 0.5) + F.smooth_l1_loss(x, x * 0.1)
                       + F.binary_cross_entropy_with_logits(x, (x > 0).float()), floats(3, 4), whole(4, 3)),
    "similarity": function(lambda x, y: F.cosine_similarity(x, y) + torch.cdist(x[None], y[None])[0].sum(1)
                           + F.pairwise_distance(x, y), floats(3, 4), floats(3, 4)),
    # Positions
    "embedding": module(lambda: nn.Embedding(6, 4, padding_idx=0), whole(6, 3, 5)),
    "indexing": function(lambda x, i: x[i] + x[torch.arange(3), i][:, None] + x[:, i], floats(3, 3), whole(3, 3)),
    "gathering": function(lambda x, i: x.gather(1, i) + torch.take_along_dim(x, i, 1) + x.index_select(1, i[0]),
                          floats(3, 4), whole(4, 3, 2)),
    "scattering": function(lambda x, i, y: x.scatter(1, i, y) + x.scatter_add(1, i, y) + x.scatter(1, i, 0.5)
                           + x.scatter_reduce(1, i, y, "amax"), floats(3, 4), whole(4, 3, 2), floats(3, 2)),
    "index_put": function(lambda x, i, y: x.index_put((i,), y, accumulate=True) + x.index_add(0, i, y), floats(3, 4),
                          whole(3, 3), floats(3, 4)),
    "masks": function(masked, floats(3, 4)),
    "one_hot": function(lambda i: F.one_hot(i, 5).float() @ torch.ones(5, 2), whole(5, 3, 2)),
    "searching": function(lambda x: torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0])), floats(3, 4)),
    # Creation
    "creation": function(lambda x: x + torch.arange(4) + torch.ones(4) + torch.zeros_like(x) + torch.full((4,), 2.0)
                         + torch.eye(4).sum(0) + torch.linspace(0, 1, 4) + x.new_zeros(4) + torch.tensor([1., 2, 3, 4]),
                         floats(3, 4)),
    # Products
    "linear": module(lambda: nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2, bias=False)), floats(3, 4)),
    "linear_of_steps": module(lambda: nn.Linear(4, 5), floats(2, 3, 4)),
    "bilinear": module(lambda: nn.Bilinear(4, 3, 2), floats(3, 4), floats(3, 3)),
    "matmul": function(lambda x, y: x @ y + torch.bmm(x, y) + torch.baddbmm(x[..., :1], x, y) + torch.matmul(x, y[0]),
                       floats(2, 3, 4), floats(2, 4, 3)),
    "vectors": function(lambda x: (x @ x[0], torch.outer(x[0], x[1]), torch.dot(x[0], x[1]),
                                   torch.addmm(x[:, :3], x, x.T)), floats(3, 4)),
    "einsum": function(lambda x, y: torch.einsum("bij,bjk->bik", x, y) + torch.einsum("bij, jk -> bik", x, y[0]),
                       floats(2, 3, 4), floats(2, 4, 3)),
    "linear_systems": function(lambda x, y: (torch.linalg.inv(x @ x.mT + torch.eye(3)), torch.linalg.det(x @ x.mT),
                                             torch.linalg.solve(x @ x.mT + torch.eye(3), y),
                                             torch.linalg.solve(x @ x.mT + torch.eye(3), y[..., 0]),
                                             torch.linalg.solve(x @ x.mT + torch.eye(3), y.mT, left=False)),
                               floats(2, 3, 4), floats(2, 3, 5)),
    # Convolutions
    "conv1d": module(lambda: nn.Conv1d(3, 4, 3, stride=2, padding=1, dilation=2), floats(2, 3, 9)),
    "conv2d": module(lambda: nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 0)), floats(*IMAGE)),
    "conv2d_same": module(lambda: nn.Conv2d(3, 4, 4, padding="same"), floats(*IMAGE)),
    "conv2d_reflected": module(lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), floats(*IMAGE)),
    "conv2d_groups": module(lambda: nn.Conv2d(4, 8, 3, groups=2, bias=False), floats(2, 4, 6, 6)),
    "conv2d_depthwise": module(lambda: nn.Conv2d(4, 4, 3, groups=4), floats(2, 4, 6, 6)),
    "conv3d": module(lambda: nn.Conv3d(2, 3, 2), floats(2, 2, 4, 5, 3)),
    "conv_transpose1d": module(lambda: nn.ConvTranspose1d(3, 4, 3, stride=2, output_padding=1), floats(2, 3, 5)),
    "conv_transpose2d": module(lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, groups=2), floats(2, 4, 5, 6)),
    "conv_of_one_image": module(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2)), floats(3, 8, 6)),
    "shared_kernel": function(lambda x, w: F.conv2d(x, w) + w.sum(), floats(2, 3, 5, 5),
                            floats(4, 3, 2, 2)),
    # Pooling, resizing
    "max_pools": function(lambda x: F.max_pool2d(x, 2) + F.max_pool2d(x, 3, 2, 1), floats(2, 3, 8, 6)),
    "max_pool_indices": function(lambda x: F.max_pool2d(x, 3, 2, 1, return_indices=True), floats(2, 3, 8, 6)),
    "max_pool_ceil": function(lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True), floats(2, 3, 8, 7)),
    "pools_of_other_axes": function(lambda x: (F.max_pool1d(x[:, :, 0], 2), F.avg_pool1d(x[:, :, 0], 3, 2, 1),
                                               F.max_pool3d(x[:, None], (1, 2, 2)),
                                               F.avg_pool3d(x[:, None], (1, 2, 2))),
                                    floats(2, 3, 8, 6)),
    "average_pools": function(lambda x: F.avg_pool2d(x, 3, 2, 1) + F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
                              + F.avg_pool2d(x, 3, 2, 1, divisor_override=4), floats(2, 3, 8, 6)),
    "adaptive_pools": function(lambda x: (F.adaptive_avg_pool2d(x, (3, 4)), F.adaptive_avg_pool2d(x, 1),
                                          F.adaptive_max_pool2d(x, (3, 4)), F.adaptive_max_pool1d(x[:, :, 0], 3),
                                          F.adaptive_avg_pool1d(x[:, :, 0], 3)), floats(2, 3, 8, 6)),
    "resizing": function(lambda x: F.interpolate(x, scale_factor=2) + F.interpolate(x, (16, 12), mode="bilinear")
                         + F.interpolate(x, (16, 12), mode="bilinear", align_corners=True)
                         + F.interpolate(x, (16, 12), mode="bicubic")
                         + F.interpolate(x, (16, 12), mode="nearest-exact"), floats(2, 3, 8, 6)),
    "resizing_down": function(lambda x: F.interpolate(x, (4, 3), mode="bilinear", antialias=True)
                              + F.interpolate(x, scale_factor=0.5, mode="area"), floats(2, 3, 8, 6)),
    "sampling": function(lambda x, grid: F.grid_sample(x, grid, align_corners=False), floats(2, 3, 8, 6),
                         unit(2, 4, 5, 2)),
    "pixels": function(lambda x: F.pixel_unshuffle(F.pixel_shuffle(x, 2), 4), floats(2, 8, 4, 4)),
    "patches": function(lambda x: F.fold(F.unfold(x, 3, padding=1, stride=2), (8, 6), 3, padding=1, stride=2),
                        floats(2, 3, 8, 6)),
    # Normalization
    "batch_norm": module(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), floats(*IMAGE)),
    "batch_norm_of_features": module(lambda: nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5)), floats(6, 4)),
    "batch_norm_plain": module(lambda: nn.BatchNorm1d(4, affine=False, track_running_stats=False), floats(3, 4, 5)),
    "layer_norm": module(lambda: nn.LayerNorm(4), floats(3, 5, 4)),
    "layer_norm_of_axes": module(lambda: nn.LayerNorm((5, 4)), floats(3, 5, 4)),
    "layer_norm_plain": module(lambda: nn.LayerNorm(4, elementwise_affine=False), floats(3, 4)),
    "group_norm": module(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4)), floats(*IMAGE)),
    "instance_norm": module(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, affine=True)),
                            floats(*IMAGE)),
    "rms_norm": module(lambda: nn.RMSNorm(4), floats(3, 4)),
    "local_response": module(lambda: nn.LocalResponseNorm(2), floats(*IMAGE)),
    # Sequences
    "lstm": module(lambda: Recurrent(nn.LSTM, num_layers=2, bidirectional=True, batch_first=True), floats(2, 5, 4)),
    "lstm_time_first": module(lambda: Recurrent(nn.LSTM, bias=False), floats(5, 2, 4)),
    "gru": module(lambda: Recurrent(nn.GRU, bidirectional=True, batch_first=True), floats(2, 5, 4)),
    "rnn": module(lambda: Recurrent(nn.RNN, batch_first=True, bidirectional=True), floats(2, 5, 4)),
    "rnn_relu": module(lambda: Recurrent(nn.RNN, batch_first=True, nonlinearity="relu"), floats(2, 5, 4)),
    "lstm_cell": module(lambda: nn.LSTMCell(4, 3), floats(2, 4)),
    "attention": function(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True)
                          + F.scaled_dot_product_attention(q, k, v, attn_mask=(q @ k.mT) > 0, scale=0.3),
                          floats(2, 2, 5, 4), floats(2, 2, 5, 4), floats(2, 2, 5, 4)),
    "multihead": module(SelfAttention, floats(2, 5, 8), torch.tensor([[False] * 5, [False] * 3 + [True] * 2])),
    "encoder_layer": module(lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), floats(2, 5, 8)),
    "transformer": module(lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True), floats(2, 5, 8), floats(2, 3, 8)),
    "causal": function(causal, floats(2, 5, 4)),
    "rotary": function(rotary, floats(2, 5, 4)),
    # Networks
    "unet": module(UNet, floats(2, 3, 8, 8)),
    "shuffle": module(Shuffle, floats(2, 4, 6, 6)),
    "flattened": module(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                                              nn.Linear(24, 2)), floats(*IMAGE)),
    "squeeze_and_excite": function(lambda x: F.conv2d(x, torch.ones(3, 3, 1, 1)) * x.mean((2, 3), keepdim=True)
                                   .sigmoid() + x.mean(1, keepdim=True) + x.amax(3).sum(2)[:, :, None, None],
                                   floats(*IMAGE)),
    "image_steps": function(lambda x: torch.cat([F.avg_pool2d(x, 2)[:, 1:], F.avg_pool2d(x, 2).flip(3)], 1)
                            .softmax(1).cumsum(2)[:, :, 1].var(1), floats(*IMAGE)),
    "channels_last_inside": function(lambda x: F.avg_pool2d(F.layer_norm(F.avg_pool2d(x, 2).permute(0, 2, 3, 1), (3,))
                                                            .permute(0, 3, 1, 2), 3), floats(*IMAGE)),
}
