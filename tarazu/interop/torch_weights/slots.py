"""The layers of a model, each with the paths under which torch may have it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tarazu.interop.torch_weights.flattened import flattened_channels, with_users_word
from tarazu.interop.torch_weights.kinds import TABLE, Row, Variant, by_place, variants
from tarazu.interop.torch_weights.layouts import Same
from tarazu.interop.torch_weights.units import IN_LAYERS
from tarazu.nn.layers.reparametrized.reparametrized import Reparametrized
from tarazu.nn.layers.sequences.bidirectional import Bidirectional
from tarazu.nn.layers.sequences.positions import PositionalEmbedding
from tarazu.nn.layers.sequences.recurrent import OverTime
from tarazu.nn.layers.sequences.recurrent_weights import RecurrentWeights
from tarazu.nn.layers.sequences.transformer import TransformerDecoderLayer, TransformerEncoderLayer
from tarazu.nn.module.module import Module
from tarazu.runtime.tensor.tensor import Tensor

# the layers inside of these, in the order and under the names that they have in torch
_CHILDREN = {
    TransformerEncoderLayer: {"attention": "self_attn", "hidden": "linear1", "output": "linear2",
                              "attention_norm": "norm1", "output_norm": "norm2"},
    TransformerDecoderLayer: {"attention": "self_attn", "memory_attention": "multihead_attn", "hidden": "linear1",
                              "output": "linear2", "attention_norm": "norm1", "memory_norm": "norm2",
                              "output_norm": "norm3"},
    Bidirectional: {"forward_layer": "#l0", "backward_layer": "#l0_reverse"}}


@dataclass(frozen=True)
class Slot:
    """A layer of the model, or a tensor that is no layer's: its paths here and there, tensors, and variants."""

    path: str
    torch_path: str
    kind: str
    tensors: Mapping[str, tuple[str, Tensor]]
    variants: tuple[Variant, ...]

    def own_shape(self, row: Row) -> tuple[int, ...]:
        """The shape of the tensor of a row; () where the row has none here."""
        return tuple(self.tensors[row.own][1].shape) if row.own else ()

    def fits(self, variant: Variant, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Whether a layer with tensors of these shapes is this one, in this variant."""
        return variant.names == shapes.keys() and all(
            row.layout.fits(self.own_shape(row), [shapes[name] for name in row.torch])
            for row in variant.rows if row.torch)

    def fitting(self, shapes: Mapping[str, tuple[int, ...]]) -> list[Variant]:
        """The variants that a layer with tensors of these shapes may be."""
        return [variant for variant in self.variants if self.fits(variant, shapes)]


def slots(model: Module, flattened: Mapping[str, int | None]) -> list[Slot]:
    """The layers of `model` that have tensors, in torch's order. ArgumentError where some have yet to see an input."""
    model.parameters()
    walked = list(_walk(model, "", "#l0" if _is_over_time(model) else "", set()))
    modules = dict(model.named_modules())
    channels = with_users_word(flattened_channels(modules.items()), flattened, modules)
    seen: set[int] = set()
    return [slot for path, torch_path, module in walked
            for slot in _of_module(path, torch_path, module, channels, seen)]


def _walk(module: Module, path: str, torch_path: str, seen: set[int]) -> Iterator[tuple[str, str, Module]]:
    if id(module) in seen:
        return
    seen.add(id(module))
    yield path, torch_path, module
    if isinstance(module, Reparametrized):
        return  # the layer inside is part of it
    children = dict(module.named_children())
    names = next((names for kind, names in _CHILDREN.items() if isinstance(module, kind)), {})
    for name in dict.fromkeys((*(name for name in names if name in children), *children)):
        there = names.get(name, name)
        below = f"{torch_path}{there}" if there[:1] == "#" else _joined(torch_path, there)
        if _is_over_time(children[name]) and "#" not in below:
            below += "#l0"
        yield from _walk(children[name], _joined(path, name), below, seen)


def _is_over_time(module: Module) -> bool:
    """Whether torch numbers its weights by layer and direction; those of cells it does not."""
    return isinstance(module, RecurrentWeights) and isinstance(module, OverTime)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _of_module(path: str, torch_path: str, module: Module, channels: Mapping[str, int],
               seen: set[int]) -> Iterator[Slot]:
    """The slot of a layer, and one for each tensor of a module that is no usual part of a layer."""
    own = {name: (_joined(path, name), x) for name, x in _tensors(module).items() if id(x) not in seen}
    seen.update(id(x) for _, x in own.values())
    kind = type(module).__name__
    usual = own if _is_known(module) else {name: x for name, x in own.items() if name in IN_LAYERS}
    if usual:
        found = _variants(module, set(usual))
        places = channels.get(path) or channels.get(_joined(path, "layer"))
        found = by_place(found, places) if places else found
        yield Slot(path, torch_path, kind, usual, tuple(found))
    for name, (full, x) in own.items():
        if name not in usual:
            alone = tuple(Variant((Row(name, (there,), Same()),)) for there in ("", "weight"))
            yield Slot(full, _joined(torch_path, name), kind, {name: (full, x)}, alone)


def _tensors(module: Module) -> dict[str, Tensor]:
    if not isinstance(module, Reparametrized):
        return module.own_tensors()
    return {**module.own_tensors(), **{f"layer.{name}": x for name, x in module.layer.own_tensors().items()}}


def _is_known(module: Module) -> bool:
    """Whether the table has it, so that its tensors are those of one layer of torch."""
    return isinstance(module, tuple(TABLE))


def _variants(module: Module, names: set[str]) -> list[Variant]:
    """The variants of the tensors that no earlier layer has: of a shared one those are fewer."""
    found = [Variant(tuple(row for row in variant.rows if row.own in names or not row.own), variant.inputs_first)
             for variant in variants(module)]
    if isinstance(module, PositionalEmbedding):
        found.append(Variant((Row("weight", ("",), Same()),)))
    return found


def renamed(path: str, names: Mapping[str, str]) -> str:
    """A path with those of its parts replaced that `names` has, the longest first.

    >>> renamed("blocks.3.attention", {"blocks": "h", "attention": "attn"})
    'h.3.attn'
    """
    parts = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    new = re.sub(rf"(?<![^.])(?:{parts})(?![^.#])", lambda match: names[match.group()], path) if parts else path
    return re.sub(r"\.+", ".", new).strip(".")
