"""Made torch_golden.json: values of torch 2.13 for layers of tests/ops, in their layouts (channels last, x @ w).

To make it again: python -m venv /tmp/torch && /tmp/torch/bin/pip install torch==2.13.0 numpy, then
/tmp/torch/bin/python tests/golden/make_golden.py. Tests need no torch. Inputs are sin(0, 1, 2, ...) so that they need
not be stored.
"""

import json
import math
from pathlib import Path

import torch
from torch.nn import functional as f


def wave(*shape: int, phase: float = 0.0) -> torch.Tensor:
    return torch.sin(torch.arange(math.prod(shape), dtype=torch.float64) + phase).reshape(shape)


def first(x: torch.Tensor) -> torch.Tensor:
    """Channels from last to first."""
    return x.movedim(-1, 1)


def last(x: torch.Tensor) -> list:
    return [float(f"{v:.15g}") for v in x.movedim(1, -1).flatten().tolist()]


def kernel(w: torch.Tensor) -> torch.Tensor:
    """(*window, in, out) to torch's (out, in, *window), which is also (*window, out, in) to (in, out, *window)."""
    return w.movedim((-1, -2), (0, 1))


def flat(x: torch.Tensor) -> list:
    return [float(f"{v:.15g}") for v in x.flatten().tolist()]


def recurrent(layer: torch.nn.Module, gates: int, state: object) -> tuple:
    with torch.no_grad():
        layer.weight_ih_l0.copy_(wave(3, gates * 2, phase=1).T)
        layer.weight_hh_l0.copy_(wave(2, gates * 2, phase=2).T)
        layer.bias_ih_l0.copy_(wave(gates * 2, phase=3))
        layer.bias_hh_l0.copy_(wave(gates * 2, phase=4))
        return layer(wave(2, 3, 3), state)


def filled(layer: torch.nn.Module) -> torch.nn.Module:
    """With waves as parameters, in the order of `named_parameters`; the phase is the place. Matrices are of x @ w."""
    with torch.no_grad():
        for phase, parameter in enumerate(layer.parameters()):
            parameter.copy_(wave(*reversed(parameter.shape), phase=phase).T if parameter.dim() > 1
                            else wave(*parameter.shape, phase=phase))
    return layer.eval()


def encoder(norm_first: bool) -> torch.Tensor:
    layer = filled(torch.nn.TransformerEncoderLayer(4, 2, 6, batch_first=True, norm_first=norm_first,
                                                    activation="gelu" if norm_first else "relu", dtype=torch.float64))
    return layer(wave(2, 3, 4))


image, sequence = first(wave(1, 5, 4, 4)), first(wave(2, 5, 2))
y_lstm, (h, c) = recurrent(torch.nn.LSTM(3, 2, batch_first=True, dtype=torch.float64), 4,
                           (wave(1, 2, 2, phase=5), wave(1, 2, 2, phase=6)))
y_gru, h_gru = recurrent(torch.nn.GRU(3, 2, batch_first=True, dtype=torch.float64), 3, wave(1, 2, 2, phase=5))
q, k, v = wave(2, 3, 4), wave(2, 5, 4, phase=1), wave(2, 5, 2, phase=2)
heads = filled(torch.nn.MultiheadAttention(4, 2, batch_first=True, dtype=torch.float64))
cubes = kernel(wave(2, 2, 2, 1, 2))
golden = {
    "conv1d": last(f.conv1d(sequence, kernel(wave(3, 2, 3)), wave(3), stride=2, padding=2, dilation=2)),
    "conv2d": last(f.conv2d(image, kernel(wave(3, 2, 2, 2)), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)),
    "conv2d_same": last(f.conv2d(image, kernel(wave(2, 3, 4, 1)), padding="same")),
    "conv3d": last(f.conv3d(first(wave(1, 3, 2, 3, 1)), cubes)),
    "conv_transpose1d": last(f.conv_transpose1d(sequence, kernel(wave(3, 3, 2)), stride=3, padding=1,
                                                output_padding=2)),
    "conv_transpose2d": last(f.conv_transpose2d(image, kernel(wave(2, 3, 1, 4)), stride=(1, 2), padding=(0, 1),
                                                dilation=(2, 1), groups=2)),
    "conv_transpose3d": last(f.conv_transpose3d(first(wave(1, 2, 1, 2, 2)), kernel(wave(2, 1, 2, 1, 2)), stride=2)),
    "max_pool": last(f.max_pool2d(image, 3, stride=2, padding=1)),
    "average_pool": last(f.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False)),
    "average_pool_counted": last(f.avg_pool2d(image, 3, stride=2, padding=1)),
    "adaptive_max_pool": last(f.adaptive_max_pool2d(image, (2, 3))),
    "adaptive_average_pool": last(f.adaptive_avg_pool2d(image, (2, 3))),
    "interpolate_nearest": last(f.interpolate(image, (7, 3), mode="nearest")),
    "interpolate_linear": last(f.interpolate(sequence, 8, mode="linear")),
    "interpolate_bilinear": last(f.interpolate(image, (3, 6), mode="bilinear")),
    "interpolate_corners": last(f.interpolate(image, (3, 6), mode="bilinear", align_corners=True)),
    "lstm": [flat(y_lstm), flat(h), flat(c)],
    "gru": [flat(y_gru), flat(h_gru)],
    "lstm_layer": flat(filled(torch.nn.LSTM(3, 2, batch_first=True, dtype=torch.float64))(wave(2, 3, 3))[0]),
    "gru_layer": flat(filled(torch.nn.GRU(3, 2, batch_first=True, dtype=torch.float64))(wave(2, 3, 3))[0]),
    "multi_head_attention": flat(heads(wave(2, 3, 4), wave(2, 3, 4), wave(2, 3, 4))[0]),
    "multi_head_attention_masked": flat(heads(wave(2, 3, 4), wave(2, 5, 4, phase=1), wave(2, 5, 4, phase=2),
                                              attn_mask=wave(3, 5) < -0.5)[0]),
    "encoder": flat(encoder(norm_first=False)),
    "encoder_norm_first": flat(encoder(norm_first=True)),
    "attention": flat(f.scaled_dot_product_attention(q, k, v)),
    "attention_causal": flat(f.scaled_dot_product_attention(q, k, v, is_causal=True)),
    "attention_masked": flat(f.scaled_dot_product_attention(q, k, v, attn_mask=wave(3, 5) > 0, scale=0.7)),
}
Path(__file__).with_name("torch_golden.json").write_text(
    "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(values)}" for name, values in golden.items()) + "\n}\n",
    encoding="utf-8")
