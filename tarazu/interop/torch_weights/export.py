"""`tz.interop.to_torch_state`: the weights of a model of Tarazu for the same one of torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.interop.torch_weights.attention_names import TORCH
from tarazu.interop.torch_weights.kinds import Row, Variant
from tarazu.interop.torch_weights.load import matched
from tarazu.interop.torch_weights.misses import no_match
from tarazu.interop.torch_weights.slots import Slot, slots
from tarazu.interop.torch_weights.state import TorchState, read_state
from tarazu.nn.module.module import Module


def to_torch_state(model: Module, like: TorchState | None = None, *, names: Mapping[str, str] | None = None,
                   flattened: Mapping[str, int | None] | None = None) -> dict[str, np.ndarray]:
    """The weights of `model` as arrays in torch's layouts, by torch's names: what `load_torch_weights` reads.

    Names are the model's paths with torch's names of tensors. With `like`, a state of the module of torch that they are
    for, in any form that `load_torch_weights` takes, they have its names and shapes, and are in its order; layers are
    matched in the same way, and `names` and `flattened` mean the same. In torch:
    `module.load_state_dict({name: torch.from_numpy(x) for name, x in state.items()})`.

    ArgumentError for a model with layers that have yet to see an input, and where `like` is of other layers or has no
    place for a bias that is not 0.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential(tz.nn.Dense(3, in_features=2), tz.nn.BatchNorm(3))
    >>> {name: x.shape for name, x in tz.interop.to_torch_state(model).items()}  # doctest: +NORMALIZE_WHITESPACE
    {'0.weight': (3, 2), '0.bias': (3,), '1.weight': (3,), '1.bias': (3,), '1.running_mean': (3,),
     '1.running_var': (3,), '1.num_batches_tracked': ()}
    """
    own = slots(model, flattened or {})
    if like is None:
        return {_torch_name(slot, name): x for slot in own for name, x in _written(slot, slot.variants[0])}
    content = read_state(like)
    found, shared, ignored = matched(own, content, names or {})
    if not found.is_whole:
        raise no_match(found, content.arrays, names or {}, tells_order=content.tells_order)
    state = {name: content.arrays[name] for name in ignored}
    for each in found.matches:
        for name, x in _written(each.slot, each.variant):
            full = each.unit.names[name]
            state[full] = x.reshape(content.arrays[full].shape)
    state.update({name: state[first] for name, first in shared.items()})
    return {name: state[name] for name in content.arrays}


def _written(slot: Slot, variant: Variant) -> list[tuple[str, np.ndarray]]:
    """torch's tensors of a layer, by their names in it."""
    found = []
    for row in variant.rows:
        own = slot.tensors[row.own][1].numpy() if row.own else np.zeros(())
        _require_zeros(slot, row, own)
        found += [(name, np.array(x, order="C")) for name, x in zip(row.torch, row.layout.write(own), strict=True)]
    return found


def _require_zeros(slot: Slot, row: Row, own: np.ndarray) -> None:
    """ArgumentError where torch's layer has no place for a tensor that is not 0."""
    if not row.torch and own.any():
        path = slot.tensors[row.own][0]
        raise ArgumentError(f"{path!r} is not 0, and the layer of torch that it would go to has none",
                            expected="a layer made with bias=True in torch", fix="make it so, or set the bias to 0")


def _torch_name(slot: Slot, name: str) -> str:
    """The name in a state of a tensor of a layer, such as "lstm.weight_ih_l0"."""
    path, _, number = slot.torch_path.partition("#")
    name = TORCH.get(name, name) + (f"_{number}" if number else "")
    return f"{path}.{name}" if path and name else path or name
