"""`tz.interop.load_torch_weights`: the weights of a model of torch in one of Tarazu."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import listing
from tarazu.base.spelling import did_you_mean
from tarazu.interop.torch_weights.kinds import Row
from tarazu.interop.torch_weights.matching import Match, Matcher, Matching, match
from tarazu.interop.torch_weights.misses import no_match
from tarazu.interop.torch_weights.report import Placement, TorchLoaded
from tarazu.interop.torch_weights.slots import Slot, renamed, slots
from tarazu.interop.torch_weights.state import State, TorchState, read_state
from tarazu.interop.torch_weights.units import copies, natural_order, not_learned, units
from tarazu.nn.layers.sequences.attention import MultiHeadAttention
from tarazu.nn.module.module import Module
from tarazu.runtime.autograd.autograd import no_grad


def load_torch_weights(model: Module, state: TorchState, *, names: Mapping[str, str] | None = None,
                       flattened: Mapping[str, int | None] | None = None, strict: bool = True) -> TorchLoaded:
    """Take over the weights of a model of torch, turned into Tarazu's layouts; gives a report of what went where.

    `state` is a `state_dict()`, a dict of arrays, or the path of a .safetensors file, of an index of several, or of the
    folder with either; torch need not be installed. `model` has the same layers as torch's, and has seen an input. They
    are matched by equal names, where one side may have further parts in front; else by position and shape, all in one
    order. `names` says where the names differ: {"blocks": "h", "attention": "attn"} for parts of the model's paths.

    Kernels are transposed, two biases of recurrent layers added, queries, keys and values put side by side, and what
    torch's layer is made without is 0. Behind a `Flatten` of images torch counts channels first: that is undone where
    the order of layers tells it; `flattened`, {path of the layer: channels, or None for no change}, says it otherwise.

    With `strict` both sides have to be used up, else nothing is changed; with `strict=False` what fits is taken over,
    such as a body without its head. ArgumentError where layers are left over, which names what is near; FileFormatError
    for files that are missing, damaged or pickled.

    >>> import numpy as np
    >>> import tarazu as tz
    >>> model = tz.nn.Sequential(tz.nn.Dense(3, "relu", in_features=2), tz.nn.Dense(1, in_features=3))
    >>> state = {"0.weight": np.ones((3, 2)), "0.bias": np.ones(3), "2.weight": np.ones((1, 3)), "2.bias": np.ones(1)}
    >>> tz.interop.load_torch_weights(model, state)
    here      torch     shape   torch's shape  change      by
    0.weight  0.weight  (2, 3)  (3, 2)         transposed  position and shape
    0.bias    0.bias    (3,)    (3,)                       position and shape
    1.weight  2.weight  (3, 1)  (1, 3)         transposed  position and shape
    1.bias    2.bias    (1,)    (1,)                       position and shape
    4 of 4 tensors loaded
    """
    content = read_state(state)
    found, shared, ignored = matched(slots(model, flattened or {}), content, names or {}, strict=strict)
    if not found.matches or (strict and not found.is_whole):
        raise no_match(found, content.arrays, names or {}, tells_order=content.tells_order)
    values = [(path, row, x) for each in found.matches for path, row, x in _values(each, content.arrays)]
    own = dict(model.named_tensors())
    with no_grad():
        for path, _, x in values:
            own[path].copy_(x)
    placements = tuple(_placement(each, row, content.arrays) for each in found.matches for row in each.variant.rows
                       if row.own)
    return TorchLoaded(placements, tuple(path for slot in found.slots for path, _ in slot.tensors.values()),
                       tuple(name for unit in found.units for name in unit.names.values()), shared, tuple(ignored))


def matched(own: list[Slot], state: State, names: Mapping[str, str], *, strict: bool = True
            ) -> tuple[Matching, dict[str, str], list[str]]:
    """The layers of a model and of a state side by side, the copies that were left out, and the buffers.

    ArgumentError for names of parts that the model's paths lack.
    """
    _require_parts(own, names)
    order = list(state.arrays) if state.tells_order else natural_order(state.arrays)
    ignored = not_learned(state.arrays)
    arrays = {name: state.arrays[name] for name in order if name not in ignored}
    shared = copies(arrays)
    with_attention = any(slot.kind == MultiHeadAttention.__name__ for slot in own)

    def match_to(part: Mapping[str, np.ndarray]) -> Matching:
        matcher = Matcher(own, units(part, with_attention=with_attention), part, names)
        return match(matcher, tells_order=state.tells_order, strict=strict)

    found = match_to({name: x for name, x in arrays.items() if name not in shared})
    if shared and found.slots:  # the model may have weights of its own for each of them
        with_copies = match_to(arrays)
        if len(with_copies.slots) < len(found.slots):
            return with_copies, {}, ignored
    return found, shared, ignored


def _require_parts(own: list[Slot], names: Mapping[str, str]) -> None:
    """ArgumentError unless each key of `names` is a part of some path of the model."""
    for part in names:
        if all(renamed(slot.path, {part: ""}) == slot.path for slot in own):
            parts = [each for slot in own for each in (slot.path, *slot.path.split("."))]
            raise ArgumentError(f"names={{{part!r}: {names[part]!r}}}: no path in the model has this part",
                                expected=f"parts of paths such as {listing([slot.path for slot in own], 3)}",
                                fix=did_you_mean(part, parts))


def _values(each: Match, arrays: Mapping[str, np.ndarray]) -> list[tuple[str, Row, np.ndarray]]:
    """What the tensors of a matched layer become, by their paths."""
    found = []
    for row in each.variant.rows:
        if row.own:
            path, x = each.slot.tensors[row.own]
            given = [arrays[each.unit.names[name]] for name in row.torch]
            value = row.layout.read(tuple(x.shape), given)
            if value.dtype.kind == "c":
                raise ArgumentError(f"complex numbers for {path!r}", expected="real ones", fix="pass real weights")
            found.append((path, row, np.ascontiguousarray(value)))
    return found


def _placement(each: Match, row: Row, arrays: Mapping[str, np.ndarray]) -> Placement:
    path, x = each.slot.tensors[row.own]
    names = tuple(each.unit.names[name] for name in row.torch)
    shapes = tuple(tuple(arrays[name].shape) for name in names)
    return Placement(path, names, tuple(x.shape), shapes, row.layout.describe(), each.by)
