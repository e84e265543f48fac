"""Convolutions, pooling and recurrent layers as plain loops, to compare with."""

import functools
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit


def convolution(x: np.ndarray, kernel: np.ndarray, *, stride: Any, padding: Any = None, dilation: Any = None,
                groups: int = 1) -> np.ndarray:
    """One product per window: (batch, *sizes, channels) with (*window, channels / groups, out); padding in pairs."""
    axes = len(stride)
    dilation = dilation or (1,) * axes
    x = np.pad(x, [(0, 0), *(padding or [(0, 0)] * axes), (0, 0)])
    spans = [(k - 1) * d + 1 for k, d in zip(kernel.shape, dilation, strict=False)]
    places = [(n - span) // s + 1 for n, span, s in zip(x.shape[1:], spans, stride, strict=False)]
    inner, outer = kernel.shape[-2], kernel.shape[-1] // groups
    y = np.zeros((x.shape[0], *places, kernel.shape[-1]), x.dtype)
    for place in np.ndindex(*places):
        window = x[:, *[slice(p * s, p * s + span, d) for p, s, span, d in zip(place, stride, spans, dilation,
                                                                               strict=True)]]
        for g in range(groups):
            own = slice(g * outer, (g + 1) * outer)
            y[:, *place, own] = np.tensordot(window[..., g * inner:(g + 1) * inner], kernel[..., own], axes + 1)
    return y


def transposed_convolution(x: np.ndarray, kernel: np.ndarray, *, stride: Any, cut: Any = None, extra: Any = None,
                           dilation: Any = None, groups: int = 1) -> np.ndarray:
    """Each element of the input adds its multiple of the kernel (*window, out / groups, channels) to the result."""
    axes = len(stride)
    dilation, cut, extra = dilation or (1,) * axes, cut or [(0, 0)] * axes, extra or (0,) * axes
    spans = [(k - 1) * d + 1 for k, d in zip(kernel.shape, dilation, strict=False)]
    sizes = [(n - 1) * s + span + e for n, s, span, e in zip(x.shape[1:], stride, spans, extra, strict=False)]
    outer, inner = kernel.shape[-2], kernel.shape[-1] // groups
    y = np.zeros((x.shape[0], *sizes, outer * groups), x.dtype)
    for place in np.ndindex(*x.shape[1:-1]):
        where = [slice(p * s, p * s + span, d) for p, s, span, d in zip(place, stride, spans, dilation, strict=True)]
        for g in range(groups):
            own = slice(g * inner, (g + 1) * inner)
            y[:, *where, g * outer:(g + 1) * outer] += np.tensordot(x[:, *place, own], kernel[..., own], (1, axes + 1))
    return y[:, *[slice(a, n - b) for n, (a, b) in zip(sizes, cut, strict=True)]]


def pooled(x: np.ndarray, window: Any, stride: Any, reduce: Any) -> np.ndarray:
    """`reduce` (np.max, np.mean) of every window that lies inside."""
    places = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:], window, stride, strict=False)]
    y = np.zeros((x.shape[0], *places, x.shape[-1]), x.dtype)
    axes = tuple(range(1, len(places) + 1))
    for place in np.ndindex(*places):
        y[:, *place] = reduce(x[:, *[slice(p * s, p * s + k) for p, s, k in zip(place, stride, window, strict=True)]],
                              axes)
    return y


def adaptively_pooled(x: np.ndarray, sizes: Any, reduce: Any) -> np.ndarray:
    """`reduce` of parts from floor(i n / m) to ceil((i + 1) n / m)."""
    y = np.zeros((x.shape[0], *sizes, x.shape[-1]), x.dtype)
    for place in itertools.product(*map(range, sizes)):
        parts = [slice(i * n // m, -(-(i + 1) * n // m)) for i, n, m in zip(place, x.shape[1:-1], sizes, strict=True)]
        y[:, *place] = reduce(x[:, *parts], tuple(range(1, len(sizes) + 1)))
    return y


def lstm(x: np.ndarray, h: np.ndarray, c: np.ndarray, w_ih: np.ndarray, w_hh: np.ndarray,
         b: np.ndarray, mask: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Step by step; gates input, forget, cell, output. Steps where the mask is False change no state and give 0."""
    outputs = []
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    for step in range(x.shape[1]):
        i, f, g, o = np.split(x[:, step] @ w_ih + h @ w_hh + b, 4, -1)
        valid = mask[:, step, None]
        c = np.where(valid, expit(f) * c + expit(i) * np.tanh(g), c)
        h = np.where(valid, expit(o) * np.tanh(c), h)
        outputs.append(valid * h)
    return np.stack(outputs, 1), h, c


def gru(x: np.ndarray, h: np.ndarray, w_ih: np.ndarray, w_hh: np.ndarray, b_ih: np.ndarray,
        b_hh: np.ndarray, mask: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Step by step; gates reset, update, new. The mask as in `lstm`."""
    outputs = []
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    for step in range(x.shape[1]):
        own, past = np.split(x[:, step] @ w_ih + b_ih, 3, -1), np.split(h @ w_hh + b_hh, 3, -1)
        r, z = expit(own[0] + past[0]), expit(own[1] + past[1])
        valid = mask[:, step, None]
        h = np.where(valid, (1 - z) * np.tanh(own[2] + r * past[2]) + z * h, h)
        outputs.append(valid * h)
    return np.stack(outputs, 1), h


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, allowed: Any = True) -> np.ndarray:
    """Row by row, over the keys that the row may see."""
    lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    q, k, v = (np.broadcast_to(a, lead + a.shape[-2:]) for a in (q, k, v))
    allowed = np.broadcast_to(allowed, (*lead, q.shape[-2], k.shape[-2]))
    y = np.zeros((*lead, q.shape[-2], v.shape[-1]))
    for place in np.ndindex(*lead, q.shape[-2]):
        seen = allowed[place]
        if seen.any():
            scores = np.exp(k[place[:-1]][seen] @ q[place] / np.sqrt(q.shape[-1]))
            y[place] = scores / scores.sum() @ v[place[:-1]][seen]
    return y


def wave(*shape: int, phase: float = 0.0) -> np.ndarray:
    """The inputs of tests/golden/make_golden.py."""
    return np.sin(np.arange(np.prod(shape)) + phase).reshape(shape)


@functools.cache
def golden() -> Any:
    """What torch gave for them."""
    return json.loads(Path(__file__).with_name("golden").joinpath("torch_golden.json").read_text(encoding="utf-8"))


def assert_golden(found: Any, name: str, *place: int) -> None:
    """A readable failure when a result is not torch's."""
    wanted = golden()[name]
    for i in place:
        wanted = wanted[i]
    np.testing.assert_allclose(np.asarray(found).reshape(-1), wanted, rtol=1e-12, atol=1e-13)
