"""torch traces a module, in either mode, into a graph of ATen's operations."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.base.extras import require

# What Tarazu has a function for, so that torch shall not take it apart.
WHOLE = (
    "linear bilinear matmul einsum scaled_dot_product_attention layer_norm rms_norm group_norm instance_norm "
    "lstm.input gru.input rnn_tanh.input rnn_relu.input softmax.int log_softmax.int logsumexp silu hardswish "
    "hardsigmoid softplus mish celu selu elu leaky_relu hardtanh relu6 log_sigmoid softshrink hardshrink threshold "
    "max_pool1d max_pool2d max_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d pixel_shuffle "
    "pixel_unshuffle channel_shuffle embedding detach tril triu cumprod upsample_nearest1d.vec "
    "upsample_nearest2d.vec upsample_nearest3d.vec upsample_linear1d.vec upsample_bilinear2d.vec "
    "upsample_trilinear3d.vec upsample_bicubic2d.vec _upsample_nearest_exact1d.vec _upsample_nearest_exact2d.vec "
    "_upsample_nearest_exact3d.vec _upsample_bilinear2d_aa.vec _upsample_bicubic2d_aa.vec grid_sampler "
    "grid_sampler_2d grid_sampler_3d im2col col2im linalg_vector_norm index_add index_copy "
    "repeat_interleave.self_int one_hot addmm baddbmm split.Tensor unbind.int stack roll lerp.Scalar lerp.Tensor "
    "addcmul addcdiv std.correction var_mean.correction logcumsumexp cummax cummin max_pool2d_with_indices "
    "masked_fill.Scalar masked_fill.Tensor"
)


def torch() -> Any:
    """The package."""
    return require("torch", "tz.interop.from_torch")


def export(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], training: bool) -> Any:
    """torch's `ExportedProgram` of the module in that mode, for any number of rows where torch finds that it is one.

    ArgumentError for what torch cannot export, with torch's own words.
    """
    with _in_mode(module, training), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _exported(module, args, kwargs)
        except Exception as error:  # torch raises errors of many kinds here
            mode = "training" if training else "evaluation"
            raise ArgumentError(f"torch cannot export the module in {mode} mode: {_first_lines(error)}",
                                expected="a module that torch.export.export takes, called as in the example",
                                fix="take what depends on values out of forward, or move the weights alone: "
                                    "tz.interop.load_torch_weights(model, module.state_dict())") from error


def _exported(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    exporting = torch().export
    bound = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    dynamic = {name: _sizes(value) for name, value in bound.items()}
    with torch().no_grad():
        program = exporting.export(module, args, kwargs, dynamic_shapes=dynamic)
    return program.run_decompositions(_decompositions())


def _sizes(value: Any) -> Any:
    """For each tensor in an example which of its sizes torch is to leave open: that of axis 0."""
    if isinstance(value, torch().Tensor):
        return {0: torch().export.Dim.AUTO} if value.ndim else None
    if isinstance(value, list | tuple):
        return type(value)(_sizes(item) for item in value)
    return {key: _sizes(item) for key, item in value.items()} if isinstance(value, dict) else None


def _decompositions() -> Any:
    table = torch().export.default_decompositions()
    for name in WHOLE.split():
        packet, _, overload = name.partition(".")
        found = getattr(torch().ops.aten, packet, None)
        for each in ([overload] if overload else found.overloads() if found else []):
            table.pop(getattr(found, each), None)
    return table


@contextmanager
def _in_mode(module: Any, training: bool) -> Iterator[None]:
    """All modules in that mode; afterwards each is as it was."""
    before = [(each, each.training) for each in module.modules()]
    try:
        module.train(training)
        yield
    finally:
        for each, mode in before:
            each.training = mode


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:400] or type(error).__name__
