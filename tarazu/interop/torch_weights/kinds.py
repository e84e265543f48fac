"""The table of layers: which tensors of torch's layers those here are, under which names and in which layout.

A layer has one or several `Variant`s, as torch's may be made with other options or be another library's. The first is
what `to_torch_state` writes. Names are those that units.py gives: of attention "qkv.weight", of recurrent layers
"weight_ih", whatever their number and direction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tarazu.interop.torch_weights.layouts import (
    Axes,
    Beside,
    ByPlace,
    Count,
    Layout,
    Length,
    Same,
    Sum,
    Unrolled,
    Zeros,
)
from tarazu.nn.layers.dense import Bilinear, Dense
from tarazu.nn.layers.normalization import BatchNorm, NormalizationLayer
from tarazu.nn.layers.reparametrized.reparametrized import Reparametrized
from tarazu.nn.layers.reparametrized.spectral_norm import SpectralNorm
from tarazu.nn.layers.reparametrized.weight_norm import WeightNorm
from tarazu.nn.layers.sequences.attention import MultiHeadAttention
from tarazu.nn.layers.sequences.recurrent_weights import GRUWeights, RecurrentWeights
from tarazu.nn.layers.spatial.convolution import ConvolutionLayer
from tarazu.nn.layers.spatial.transposed import TransposedConvolution
from tarazu.nn.module.module import Module


@dataclass(frozen=True)
class Row:
    """A tensor here, "" for none, the names of those of torch that are it, and their layout."""

    own: str
    torch: tuple[str, ...]
    layout: Layout


@dataclass(frozen=True)
class Variant:
    """The rows of a layer. With `inputs_first` weights are (inputs, outputs), as Hugging Face's Conv1D has them."""

    rows: tuple[Row, ...]
    inputs_first: bool = False

    @property
    def names(self) -> set[str]:
        """The names of torch's tensors."""
        return {name for row in self.rows for name in row.torch}


def variants(layer: Module) -> list[Variant]:
    """The variants of a layer that has all its tensors; of one that the table lacks the tensors are the same."""
    kinds = (make for kind, make in TABLE.items() if isinstance(layer, kind))
    return next(kinds, _the_same)(layer)


def _the_same(layer: Module) -> list[Variant]:
    rows = [Row(name, (name,), Same()) for name in layer.own_tensors()]
    return [Variant(tuple(rows))]


def _with_bias(layer: Module, weight: Layout) -> tuple[Row, ...]:
    rows = Row("weight", ("weight",), weight), Row("bias", ("bias",), Same())
    return rows if "bias" in layer.own_tensors() else rows[:1]


def _dense(layer: Module) -> list[Variant]:
    return [Variant(_with_bias(layer, Axes((1, 0)))), Variant(_with_bias(layer, Axes((0, 1))), inputs_first=True)]


def _one_weight(layer: Module) -> list[Variant]:
    return [Variant(_with_bias(layer, Axes(weight_order(layer))))]


def weight_order(layer: Module) -> tuple[int, ...]:
    """The axes of torch's weight, as numbers of the axes here: outputs, inputs, window.

    Of transposed convolutions outputs and inputs are the other way round in both.

    >>> import tarazu as tz
    >>> weight_order(tz.nn.Conv2D(8, 3))
    (3, 2, 0, 1)
    """
    if isinstance(layer, Dense):
        return 1, 0
    if isinstance(layer, Bilinear):
        return 2, 0, 1
    if isinstance(layer, ConvolutionLayer):
        return layer._axes + 1, layer._axes, *range(layer._axes)
    raise NotImplementedError(f"the weight of a {type(layer).__name__}")


def _normalization(layer: Module) -> list[Variant]:
    own = layer.own_tensors()
    rows = [Row(name, (name,), Same()) for name in own]
    without_bias = [Row("bias", (), Zeros()) if row.own == "bias" else row for row in rows]
    return [Variant(tuple(rows)), *([Variant(tuple(without_bias))] if "bias" in own else [])]


def _batch_norm(layer: Module) -> list[Variant]:
    there = {"running_variance": "running_var"}
    rows = tuple(Row(name, (there.get(name, name),), Same()) for name in layer.own_tensors())
    return [Variant((*rows, Row("", ("num_batches_tracked",), Count()))), Variant(rows)]


def _recurrent(layer: Module) -> list[Variant]:
    matrices = Row("weight", ("weight_ih",), Axes((1, 0))), Row("recurrent_weight", ("weight_hh",), Axes((1, 0)))
    biases: tuple[Row, ...]
    if isinstance(layer, GRUWeights):
        biases = Row("bias", ("bias_ih",), Same()), Row("recurrent_bias", ("bias_hh",), Same())
    else:
        biases = (Row("bias", ("bias_ih", "bias_hh"), Sum()),)
    return [Variant((*matrices, *biases)), Variant((*matrices, *(Row(row.own, (), Zeros()) for row in biases)))]


def _attention(layer: Any) -> list[Variant]:
    """Queries, keys and values in one, or apart; of those biases in one (torch) or apart (others)."""
    own = layer.own_tensors()
    found = []
    for inputs_first in (False, True):
        matrix = Axes((0, 1) if inputs_first else (1, 0))
        out = Row("output_weight", ("out.weight",), matrix), Row("output_bias", ("out.bias",), Same())
        biases = Row("bias", ("qkv.bias",), Same()), Row("bias", ("q.bias", "k.bias", "v.bias"), Beside(layer._widths))
        packed = [] if "memory_weight" in own else [((Row("weight", ("qkv.weight",), matrix),), biases[0])]
        apart = _apart(layer, inputs_first)
        for weights, bias in (*packed, (apart, biases[0]), (apart, biases[1])):
            rows = (*weights, bias, *out) if "bias" in own else (*weights, out[0])
            found.append(Variant(rows, inputs_first))
    return found


def _apart(layer: Any, inputs_first: bool) -> tuple[Row, ...]:
    names = "q.weight", "k.weight", "v.weight"
    if "memory_weight" in layer.own_tensors():
        return (Row("weight", names[:1], Beside(layer._widths[:1], inputs_first)),
                Row("memory_weight", names[1:], Beside(layer._widths[1:], inputs_first)))
    return (Row("weight", names, Beside(layer._widths, inputs_first)),)


def _of_inner(wrapper: Any) -> tuple[Row, ...]:
    """The rows of the layer inside that has lost its weight."""
    return tuple(Row(f"layer.{name}", (name,), Same()) for name in wrapper.layer.own_tensors())


def _weight_norm(wrapper: Any) -> list[Variant]:
    order = weight_order(wrapper.layer)
    along = order.index(wrapper._axis % len(order))
    found = []
    for length, direction in (("parametrizations.weight.original0", "parametrizations.weight.original1"),
                              ("weight_g", "weight_v")):
        own = Row("magnitude", (length,), Length(len(order), along)), Row("direction", (direction,), Axes(order))
        found.append(Variant((*own, *_of_inner(wrapper))))
    return found


def _spectral_norm(wrapper: Any) -> list[Variant]:
    order, shape = weight_order(wrapper.layer), wrapper.weight.shape
    left = Unrolled(tuple(shape[:-1]), tuple(order[1:]))
    found = []
    for weight, u, v in (("parametrizations.weight.original", "parametrizations.weight.0._u",
                          "parametrizations.weight.0._v"), ("weight_orig", "weight_u", "weight_v")):
        own = Row("left", (v,), left), Row("right", (u,), Same()), Row("weight", (weight,), Axes(order))
        found.append(Variant((*own, *_of_inner(wrapper))))
    return found


def _reparametrized(wrapper: Any) -> list[Variant]:
    """Wrappers of a layer in the table, around its weight; of others the tensors are the same."""
    has_order = isinstance(wrapper.layer, Dense | Bilinear | ConvolutionLayer) and wrapper._name == "weight"
    if isinstance(wrapper, WeightNorm) and has_order:
        return _weight_norm(wrapper)
    if isinstance(wrapper, SpectralNorm) and has_order and not isinstance(wrapper.layer, TransposedConvolution):
        return _spectral_norm(wrapper)
    names = [*wrapper.own_tensors(), *(f"layer.{name}" for name in wrapper.layer.own_tensors())]
    return [Variant(tuple(Row(name, (name,), Same()) for name in names))]


TABLE: dict[type[Module], Callable[[Any], list[Variant]]] = {
    Reparametrized: _reparametrized, Dense: _dense, Bilinear: _one_weight, ConvolutionLayer: _one_weight,
    BatchNorm: _batch_norm, NormalizationLayer: _normalization, RecurrentWeights: _recurrent,
    MultiHeadAttention: _attention}


def by_place(found: list[Variant], channels: int) -> list[Variant]:
    """The variants of a layer behind a `Flatten` of so many channels, whose inputs torch has in another order."""
    is_dense = any(isinstance(row.layout, Axes) for row in found[0].rows)

    def turned(row: Row) -> Row:
        along_inputs = row.own in ("weight", "direction", "left") if is_dense else row.own != ""
        return Row(row.own, row.torch, ByPlace(row.layout, channels)) if along_inputs else row

    return [Variant(tuple(turned(row) for row in variant.rows), variant.inputs_first) for variant in found]
