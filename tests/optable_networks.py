"""The op table, continued: convolutions, pooling, recurrent layers, attention and what else networks are made of."""

import naive
import numpy as np
from optable import OTHER, POSITIVE, SPREAD, UNARY, UNIT, case, index, op
from scipy import special

import tarazu as tz

# Convolutions
case("conv1d", lambda x, w: tz.conv1d(x, w), lambda x, w: naive.convolution(x, w, stride=(1,)), SPREAD, UNIT,
     also="i", shapes=[((2, 5, 2), (3, 2, 3)), ((0, 3, 1), (2, 1, 2)), ((2, 2, 1), (2, 1, 1))])
case("conv1d with stride", lambda x, w, b: tz.conv1d(x, w, b, stride=2, padding=[(2, 1)], dilation=2),
     lambda x, w, b: naive.convolution(x, w, stride=(2,), padding=[(2, 1)], dilation=(2,)) + b, SPREAD, UNIT, UNIT,
     shapes=[((2, 6, 2), (2, 2, 2), (2,)), ((1, 3, 1), (1, 1, 1), (1,))])
case("conv2d", lambda x, w: tz.conv2d(x, w, stride=(2, 1), padding="same", dilation=(1, 2)),
     lambda x, w: naive.convolution(x, w, stride=(2, 1), padding=[(0, 1), (1, 1)], dilation=(1, 2)), SPREAD, UNIT,
     also="i", shapes=[((2, 4, 3, 2), (3, 2, 2, 3))])
case("conv2d groups", lambda x, w: tz.conv2d(x, w, groups=2, padding=1),
     lambda x, w: naive.convolution(x, w, stride=(1, 1), padding=[(1, 1)] * 2, groups=2), SPREAD, UNIT,
     shapes=[((2, 2, 3, 4), (2, 2, 2, 6))])
case("conv2d depthwise", lambda x, w: tz.conv2d(x, w, groups=3, stride=3),
     lambda x, w: naive.convolution(x, w, stride=(3, 3), groups=3), SPREAD, UNIT, shapes=[((2, 5, 4, 3), (2, 1, 1, 6))])
case("conv3d", lambda x, w: tz.conv3d(x, w), lambda x, w: naive.convolution(x, w, stride=(1, 1, 1)), SPREAD, UNIT,
     shapes=[((1, 3, 2, 3, 2), (2, 1, 2, 2, 2))])
case("conv_transpose1d", lambda x, w, b: tz.conv_transpose1d(x, w, b, stride=3, padding=1, output_padding=2),
     lambda x, w, b: naive.transposed_convolution(x, w, stride=(3,), cut=[(1, 1)], extra=(2,)) + b, SPREAD, UNIT, UNIT,
     shapes=[((2, 3, 2), (4, 3, 2), (3,)), ((0, 3, 2), (4, 3, 2), (3,))])
case("conv_transpose2d", lambda x, w: tz.conv_transpose2d(x, w, stride=2, padding="same", dilation=(1, 2)),
     lambda x, w: naive.transposed_convolution(x, w, stride=(2, 2), cut=[(0, 1), (1, 2)], dilation=(1, 2)), SPREAD,
     UNIT, also="i", shapes=[((2, 2, 3, 2), (3, 3, 2, 2))])
case("conv_transpose2d groups", lambda x, w: tz.conv_transpose2d(x, w, groups=2),
     lambda x, w: naive.transposed_convolution(x, w, stride=(1, 1), groups=2), SPREAD, UNIT,
     shapes=[((1, 2, 3, 4), (2, 1, 3, 4))])
case("conv_transpose3d", lambda x, w: tz.conv_transpose3d(x, w, stride=2),
     lambda x, w: naive.transposed_convolution(x, w, stride=(2, 2, 2)), SPREAD, UNIT,
     shapes=[((1, 2, 1, 2, 2), (2, 1, 2, 1, 2))])


def _shape(*channels_last: int) -> tuple[tuple[int, ...]]:
    return (channels_last,)


# Pooling
case("max_pool", lambda x: tz.max_pool(x, 2), lambda x: naive.pooled(x, (2, 2), (2, 2), np.max), SPREAD, also="i",
     shapes=[_shape(2, 4, 5, 2), _shape(0, 2, 2, 1)])
case("max_pool of large windows", lambda x: tz.max_pool(x, (9, 2)),
     lambda x: naive.pooled(x, (9, 2), (9, 2), np.max), SPREAD, also="i", shapes=[_shape(1, 10, 4, 1)])
case("average_pool of large windows", lambda x: tz.average_pool(x, 17), lambda x: naive.pooled(
    x, (17,), (17,), np.mean), SPREAD, shapes=[_shape(1, 35, 1)])
case("max_pool overlapping", lambda x: tz.max_pool(x, 3, stride=2), lambda x: naive.pooled(x, (3,), (2,), np.max),
     SPREAD, also="i", shapes=[_shape(2, 8, 2), _shape(1, 3, 1)])
case("max_pool padded", lambda x: tz.max_pool(x, (3, 2), stride=1, padding=[(1, 1), (0, 1)], dilation=(1, 2)),
     lambda x: naive.pooled(np.pad(x, [(0, 0), (1, 1), (0, 1), (0, 0)], constant_values=-np.inf)[:, :, [0, 2, 1, 3]],
                            (3, 2), (1, 2), np.max), SPREAD, shapes=[_shape(1, 3, 3, 2)])
case("average_pool", lambda x: tz.average_pool(x, (1, 2, 2)),
     lambda x: naive.pooled(x, (1, 2, 2), (1, 2, 2), np.mean), SPREAD, shapes=[_shape(1, 2, 3, 4, 2)])
case("average_pool overlapping", lambda x: tz.average_pool(x, 3, stride=(1, 2)),
     lambda x: naive.pooled(x, (3, 3), (1, 2), np.mean), SPREAD, shapes=[_shape(2, 4, 5, 2)])
case("average_pool padded", lambda x: tz.average_pool(x, 3, stride=2, padding=1),
     lambda x: naive.pooled(np.pad(x, [(0, 0), (1, 1), (0, 0)], constant_values=np.nan), (3,), (2,), np.nanmean),
     SPREAD, shapes=[_shape(2, 5, 2)])
case("average_pool with counted padding",
     lambda x: tz.average_pool(x, 3, stride=2, padding="same", count_padding=True),
     lambda x: naive.pooled(np.pad(x, [(0, 0), (0, 1), (0, 0)]), (3,), (2,), np.mean), SPREAD, shapes=[_shape(2, 4, 2)])
for _sizes in ((2, 3), (1, 1)):
    case(f"adaptive_average_pool {_sizes}", lambda x, sizes=_sizes: tz.adaptive_average_pool(x, sizes),
         lambda x, sizes=_sizes: naive.adaptively_pooled(x, sizes, np.mean), SPREAD, shapes=[_shape(2, 4, 5, 2)])
case("adaptive_max_pool", lambda x: tz.adaptive_max_pool(x, (2, 3)),
     lambda x: naive.adaptively_pooled(x, (2, 3), np.max), SPREAD, also="i", shapes=[_shape(2, 3, 6, 2),
                                                                                    _shape(1, 1, 2, 1)])
case("max_pool with ceil_mode", lambda x: tz.max_pool(x, 2, ceil_mode=True),
     lambda x: np.stack([x[:, :2].max(1), x[:, 2]], 1), SPREAD, also="i", shapes=[_shape(1, 3, 2)])
case("average_pool with ceil_mode",
     lambda x: tz.average_pool(x, 3, stride=2, padding=1, count_padding=True, ceil_mode=True),
     lambda x: np.stack([x[:, :2].sum(1) / 3, x[:, 1:4].mean(1), x[:, 3] / 2], 1), SPREAD, shapes=[_shape(1, 4, 2)])
case("lp_pool", lambda x: tz.lp_pool(x, 2, 3, stride=1), lambda x: np.cbrt(abs(x[:, 1:]) ** 3 + abs(x[:, :-1]) ** 3),
     SPREAD, shapes=[_shape(1, 3, 2)])


def _with_indices(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = x.reshape(1, 2, 2, 2, 2, 2).transpose(0, 1, 3, 2, 4, 5).reshape(1, 2, 2, 4, 2)
    inside = parts.argmax(3)
    rows, columns = np.arange(2)[:, None, None], np.arange(2)[:, None]
    return parts.max(3), (2 * rows + inside // 2) * 4 + 2 * columns + inside % 2


case("max_pool_with_indices", lambda x: tz.max_pool_with_indices(x, 2), _with_indices, SPREAD,
     shapes=[_shape(1, 4, 4, 2)])


def _unpooled(x: np.ndarray) -> np.ndarray:
    out = np.zeros((1, 16, 2), x.dtype)
    values, indices = (part.reshape(1, 4, 2) for part in _with_indices(x))
    np.put_along_axis(out, indices, values, 1)
    return out.reshape(1, 4, 4, 2)


case("max_unpool", lambda x: tz.max_unpool(*tz.max_pool_with_indices(x, 2), 2), _unpooled, SPREAD,
     shapes=[_shape(1, 4, 4, 2)])

# Interpolation and embedding
case("interpolate nearest", lambda x: tz.interpolate(x, (4, 2), mode="nearest"),
     lambda x: x[:, [0, 0, 1, 2]][:, :, [0, 2]], SPREAD, also="ib", shapes=[_shape(2, 3, 5, 2)])
case("interpolate linear", lambda x: tz.interpolate(x, 4),
     lambda x: np.stack([x[:, 0], 0.75 * x[:, 0] + 0.25 * x[:, 1], 0.25 * x[:, 0] + 0.75 * x[:, 1], x[:, 1]], 1),
     SPREAD, shapes=[_shape(2, 2, 3)])
case("interpolate with corners", lambda x: tz.interpolate(x, (3, 2), align_corners=True),
     lambda x: np.stack([x[:, 0], (x[:, 0] + x[:, 1]) / 2, x[:, 1]], 1)[:, :, [0, 3]], SPREAD, shapes=[
         _shape(2, 2, 4, 2)])
case("embedding", tz.embedding, lambda i, table: table[i], index(4), SPREAD, also="ib", shapes=[((2, 3), (4, 2))])

# Recurrent
case("lstm_cell", tz.lstm_cell, lambda x, *rest: naive.lstm(x[:, None], *rest)[1:], UNIT, UNIT, UNIT, UNIT, UNIT, UNIT,
     shapes=[((2, 3), (2, 2), (2, 2), (3, 8), (2, 8), (8,))])
case("lstm", tz.lstm, lambda *xs: (naive.lstm(*xs)[0], naive.lstm(*xs)[1:]), UNIT, UNIT, UNIT, UNIT, UNIT, UNIT,
     shapes=[((2, 3, 2), (2, 2), (2, 2), (2, 8), (2, 8), (8,))])
case("lstm reversed", lambda x, h, c, w, u: tz.lstm(x, h, c, w, u, reverse=True)[0],
     lambda x, h, c, w, u: naive.lstm(x[:, ::-1], h, c, w, u, np.zeros(8))[0][:, ::-1], UNIT, UNIT, UNIT, UNIT, UNIT,
     shapes=[((1, 3, 2), (1, 2), (1, 2), (2, 8), (2, 8))])
case("gru_cell", tz.gru_cell, lambda x, *rest: naive.gru(x[:, None], *rest)[1], UNIT, UNIT, UNIT, UNIT, UNIT, UNIT,
     shapes=[((2, 3), (2, 2), (3, 6), (2, 6), (6,), (6,))])
case("gru", tz.gru, naive.gru, UNIT, UNIT, UNIT, UNIT, UNIT, UNIT,
     shapes=[((2, 3, 2), (2, 2), (2, 6), (2, 6), (6,), (6,))])
_STEPS = np.array([[True, True, False], [False, True, True]])
case("lstm, masked", lambda *xs: tz.lstm(*xs, mask=_STEPS),
     lambda *xs: (lambda y, *last: (y, tuple(last)))(*naive.lstm(*xs, _STEPS)), UNIT, UNIT, UNIT, UNIT, UNIT, UNIT,
     shapes=[((2, 3, 2), (2, 2), (2, 2), (2, 8), (2, 8), (8,))])
case("gru, masked", lambda *xs: tz.gru(*xs, mask=_STEPS), lambda *xs: naive.gru(*xs, _STEPS), UNIT, UNIT, UNIT, UNIT,
     UNIT, UNIT, shapes=[((2, 3, 2), (2, 2), (2, 6), (2, 6), (6,), (6,))])

# Attention
_ATTENTION = ((2, 2, 3), (2, 4, 3), (2, 4, 2)), ((2, 3), (3, 2, 3), (2, 1))
case("scaled_dot_product_attention", tz.scaled_dot_product_attention, naive.attention, UNIT, UNIT, UNIT,
     shapes=[_ATTENTION[0], ((2, 3), (3, 2, 3), (3, 2, 1))])
case("attention, causal", lambda *xs: tz.scaled_dot_product_attention(*xs, causal=True),
     lambda *xs: naive.attention(*xs, np.tri(2, 4) == 1), UNIT, UNIT, UNIT, shapes=_ATTENTION[:1])
_MASK = np.array([[True, False, True, True], [False] * 4])
case("attention, masked", lambda *xs: tz.scaled_dot_product_attention(*xs, mask=_MASK),
     lambda *xs: naive.attention(*xs, _MASK), UNIT, UNIT, UNIT, shapes=_ATTENTION[:1])
case("attention, added mask", lambda q, k, v, m: tz.scaled_dot_product_attention(q, k, v, mask=m),
     lambda q, k, v, m: special.softmax(q @ k.mT / np.sqrt(3) + m, -1) @ v, UNIT, UNIT, UNIT, UNIT,
     shapes=[(*_ATTENTION[0], (2, 4))])

# Activations and normalization
op("relu6", SPREAD, also="i", like=lambda x: np.clip(x, 0, 6), shapes=UNARY)  # of -0.0 the sign may be lost
op("selu", SPREAD, like=lambda x: 1.0507009873554805 * np.where(
    x > 0, x, 1.6732632423543772 * np.expm1(np.where(x > 0, 0, x))))
op("log_sigmoid", SPREAD, like=special.log_expit, orders=3)
op("softsign", SPREAD, like=lambda x: x / (1 + abs(x)))
op("hard_tanh", SPREAD, like=lambda x: np.clip(x, -1, 1))
op("hard_sigmoid", SPREAD, like=lambda x: np.clip(x + 3, 0, 6) / 6)
op("hard_swish", SPREAD, like=lambda x: x * (np.clip(x + 3, 0, 6) / 6))
op("gelu", SPREAD, like=lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))), shapes=[((2, 3),)],
   approximate=True)
op("mish", SPREAD, like=lambda x: x * np.tanh(np.logaddexp(x, 0)), shapes=[((2, 3),), ((),)])
op("glu", SPREAD, like=lambda x: x[:2] * special.expit(x[2:]), shapes=[((4, 3),)], axis=0)
op("softmin", UNIT, like=lambda x: special.softmax(-x, -1), shapes=[((2, 3),)])
op("rms_norm", SPREAD, SPREAD, like=lambda x, w: x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * w,
   shapes=[((2, 3), (3,))])
op("batch_norm", SPREAD, SPREAD, POSITIVE, SPREAD, SPREAD,
   like=lambda x, m, v, w, b: (x - m) / np.sqrt(v + 1e-5) * w + b, shapes=[((2, 4, 3), (3,), (3,), (3,), (3,))])
op("softplus", SPREAD, like=lambda x: np.where(2 * x > 3, x, np.logaddexp(2 * x, 0) / 2), shapes=[((2, 3),)], beta=2,
   threshold=3)
op("celu", SPREAD, like=lambda x: np.where(x > 0, x, 2 * np.expm1(x / 2)), shapes=[((2, 3),)], alpha=2)
op("threshold", SPREAD, also="i", like=lambda x: np.where(x > 0, x, -7), shapes=[((2, 3),)], threshold=0, value=-7)
op("hard_shrink", SPREAD, like=lambda x: np.where(abs(x) > 0.5, x, 0), shapes=[((2, 3),)])
op("soft_shrink", SPREAD, like=lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0), shapes=[((2, 3),)])
op("tanh_shrink", SPREAD, like=lambda x: x - np.tanh(x), shapes=[((2, 3),)])


def _grouped(x: np.ndarray, groups: int, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    parts = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
    scaled = (parts - parts.mean((1, 3), keepdims=True)) / np.sqrt(parts.var((1, 3), keepdims=True) + 1e-5)
    return scaled.reshape(x.shape) * w + b


case("group_norm", lambda x, w, b: tz.group_norm(x, 2, w, b), lambda x, w, b: _grouped(x, 2, w, b), SPREAD, SPREAD,
     SPREAD, shapes=[((2, 3, 4), (4,), (4,))])
case("instance_norm", tz.instance_norm, lambda x: _grouped(x, 3, 1, 0), SPREAD, shapes=[((2, 2, 2, 3),)])

# Linear maps, lengths and distances
op("linear", SPREAD, SPREAD, SPREAD, also="i", like=lambda x, w, b: x @ w + b, shapes=[((2, 3), (3, 2), (2,))])
op("bilinear", SPREAD, OTHER, UNIT, SPREAD, like=lambda x, y, w, b: np.einsum("bi,bj,ijk->bk", x, y, w) + b,
   shapes=[((2, 3), (2, 2), (3, 2, 2), (2,))])
op("addmm", SPREAD, SPREAD, SPREAD, like=lambda c, x, y: 3 * c + 2 * (x @ y), shapes=[((2,), (3, 2), (2, 2))], beta=3,
   alpha=2)
op("normalize", SPREAD, like=lambda x: x / np.linalg.norm(x, axis=0), shapes=[((3, 2),)], axis=0)
op("cosine_similarity", SPREAD, OTHER, like=lambda x, y: (x * y).sum(-1) / (
    np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)), shapes=[((2, 3), (3,))])
op("pairwise_distance", SPREAD, OTHER, like=lambda x, y: np.linalg.norm(x - y, 1, axis=-1), shapes=[((2, 3), (3,))],
   p=1)
