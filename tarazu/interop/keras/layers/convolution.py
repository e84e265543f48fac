"""Convolutions, pooling, and layers that pad, crop and resize; channels last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.interop.keras.options import Options
from tarazu.nn.layers.reshaping import Reshape
from tarazu.nn.layers.sequential import Sequential
from tarazu.nn.layers.spatial import (
    convolution,
    global_pooling,
    padding,
    pooling,
    resizing,
    separable,
    transposed,
)
from tarazu.nn.module.module import Module

Maker = Callable[[Options], Module]
AXES = (1, 2, 3)


def channels_last(options: Options) -> None:
    """FileFormatError for a layer whose channels come first."""
    if options.take("data_format", "channels_last") not in ("channels_last", None):
        raise options.place.refused("data_format='channels_first'", "channels last, as everywhere in Tarazu",
                                    "make the model with channels last in Keras, and move its weights there")


def _window(options: Options) -> dict[str, Any]:
    """The arguments that layers with a kernel share."""
    channels_last(options)
    return {"kernel_size": options.take("kernel_size"), "strides": options.take("strides"),
            "padding": options.take("padding"), "dilation": options.take("dilation_rate"),
            "activation": options.activation(), "bias": options.take("use_bias")}


def _convolution(kind: Callable[..., Module]) -> Maker:
    def make(options: Options) -> Module:
        window, groups = _window(options), options.take("groups")
        kernel = options.weights("weight", *["bias"] * window["bias"])[0]
        return kind(options.size("filters", kernel, -1), groups=groups, in_channels=kernel.shape[-2] * groups, **window)
    return make


def _transposed(kind: Callable[..., Module]) -> Maker:
    def make(options: Options) -> Module:
        window, more = _window(options), options.take("output_padding", None)
        options.require("groups", 1)
        kernel = options.weights("weight", *["bias"] * window["bias"])[0]
        _require_like_sizes(options, window, more)
        return kind(options.size("filters", kernel, -2), in_channels=kernel.shape[-1], **window)
    return make


def _require_like_sizes(options: Options, window: dict[str, Any], more: Any) -> None:
    """FileFormatError where Keras makes outputs of another size than Tarazu: n * stride + max(window - stride, 0)."""
    pairs = [*zip(window["kernel_size"], window["strides"], strict=True)]
    if more is not None or (window["padding"] == "valid" and any(k < stride for k, stride in pairs)):
        raise options.place.refused(f"output_padding={more} with kernel_size={window['kernel_size']} and "
                                    f"strides={window['strides']}", "no output_padding, and strides within the kernel",
                                    'use padding="same" in Keras')


def _depthwise(kind: Callable[..., Module]) -> Maker:
    """The kernel (window, channels, multiplier) becomes (window, 1, channels * multiplier)."""
    def make(options: Options) -> Module:
        window = _window(options)
        kernel = options.weights("weight", *["bias"] * window["bias"])[0]
        multiplier = options.size("depth_multiplier", kernel, -1)
        options.tensors["weight"] = kernel.reshape(*kernel.shape[:-2], 1, -1)
        return kind(depth_multiplier=multiplier, in_channels=kernel.shape[-2], **window)
    return make


def _separable(kind: Callable[..., Module]) -> Maker:
    def make(options: Options) -> Module:
        window = _window(options)
        depthwise, pointwise, *_ = options.weights("depthwise.weight", "pointwise.weight",
                                                   *["pointwise.bias"] * window["bias"])
        multiplier = options.size("depth_multiplier", depthwise, -1)
        options.tensors["depthwise.weight"] = depthwise.reshape(*depthwise.shape[:-2], 1, -1)
        return kind(options.size("filters", pointwise, -1), depth_multiplier=multiplier,
                    in_channels=depthwise.shape[-2], **window)
    return make


def _pool(kind: Callable[..., Module]) -> Maker:
    def make(options: Options) -> Module:
        channels_last(options)
        return kind(options.take("pool_size"), options.take("strides"), options.take("padding"))
    return make


def _adaptive(kind: Callable[..., Module]) -> Maker:
    def make(options: Options) -> Module:
        channels_last(options)
        return kind(options.take("output_size"))
    return make


def _global(kind: Callable[[], Module], axes: int) -> Maker:
    def make(options: Options) -> Module:
        channels_last(options)
        return Sequential([kind(), Reshape((1,) * axes + (-1,))]) if options.take("keepdims", False) else kind()
    return make


def _pairs(value: Any) -> Any:
    """Widths as Keras writes them, with a pair for each axis; of one axis the pair stands alone."""
    return [tuple(value)] if all(isinstance(n, int) for n in value) else tuple(map(tuple, value))


def _widths(kind: Callable[..., Module], option: str) -> Maker:
    def make(options: Options) -> Module:
        channels_last(options)
        return kind(_pairs(options.take(option)))
    return make


def _up_sampling(kind: Callable[..., Module]) -> Maker:
    def make(options: Options) -> Module:
        channels_last(options)
        return kind(options.take("size"), options.take("interpolation", "nearest"))
    return make


def _resizing(options: Options) -> Module:
    channels_last(options)
    for name, neutral in (("pad_to_aspect_ratio", False), ("fill_mode", "constant"), ("fill_value", 0.0)):
        options.require(name, neutral)
    if options.take("crop_to_aspect_ratio") or options.take("interpolation") != "bilinear":
        raise options.place.refused(f"interpolation={options.take('interpolation')!r} or crop_to_aspect_ratio",
                                    "interpolation='bilinear' of the whole image: others take other pixels here",
                                    "put tz.nn.Resizing before the model in its place")
    return resizing.Resizing(options.take("height"), options.take("width"), antialias=options.take("antialias"))


def _center_crop(options: Options) -> Module:
    channels_last(options)
    return padding.CenterCrop(options.take("height"), options.take("width"))


def _per_axes(maker: Callable[[Any], Maker], module: Any, keras: str, ours: str) -> dict[str, Maker]:
    """The makers of layers over 1 to 3 axes, of those that there are; # stands for the number of axes."""
    names = [(keras.replace("#", f"{n}D"), ours.replace("#", f"{n}D")) for n in AXES]
    return {name: maker(getattr(module, own)) for name, own in names if hasattr(module, own)}


CONVOLUTION: dict[str, Maker] = {
    **_per_axes(_convolution, convolution, "Conv#", "Conv#"),
    **_per_axes(_transposed, transposed, "Conv#Transpose", "Conv#Transpose"),
    **_per_axes(_depthwise, separable, "DepthwiseConv#", "DepthwiseConv#"),
    **_per_axes(_separable, separable, "SeparableConv#", "SeparableConv#"),
    **_per_axes(_pool, pooling, "MaxPooling#", "MaxPool#"),
    **_per_axes(_pool, pooling, "AveragePooling#", "AvgPool#"),
    **_per_axes(_adaptive, pooling, "AdaptiveAveragePooling#", "AdaptiveAvgPool#"),
    **_per_axes(_adaptive, pooling, "AdaptiveMaxPooling#", "AdaptiveMaxPool#"),
    **_per_axes(lambda kind: _widths(kind, "padding"), padding, "ZeroPadding#", "ZeroPadding#"),
    **_per_axes(lambda kind: _widths(kind, "cropping"), padding, "Cropping#", "Cropping#"),
    **_per_axes(_up_sampling, resizing, "UpSampling#", "UpSampling#"),
    **{f"Global{keras}Pooling{n}D": _global(getattr(global_pooling, f"Global{ours}Pool{n}D"), n)
       for keras, ours in (("Average", "Avg"), ("Max", "Max")) for n in AXES},
    "Resizing": _resizing, "CenterCrop": _center_crop}
