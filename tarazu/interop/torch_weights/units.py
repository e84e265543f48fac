"""The tensors of a state put together by the layers of torch that they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tarazu.interop.torch_weights.attention_names import attention_layers

# names of tensors that stand beside each other in one layer; any other name is a tensor of its own
IN_LAYERS = frozenset(("weight", "bias", "running_mean", "running_var", "num_batches_tracked", "weight_g", "weight_v",
                       "weight_orig", "weight_u"))
_OLD_NAMES = {"gamma": "weight", "beta": "bias"}  # of layer norm, in the first BERT
_NOT_LEARNED = frozenset(("position_ids", "token_type_ids", "masked_bias", "inv_freq"))  # in no layer here
_RECURRENT = re.compile(r"(?:(.*)\.)?((?:weight|bias)_(?:ih|hh))(?:_(l\d+(?:_reverse)?))?")
_PARAMETRIZED = re.compile(r"(?:(.*)\.)?(parametrizations\.\w+\..*)")


@dataclass
class Unit:
    """A layer of a state: its path, and {name in the layer: name in the state}. A tensor alone has the name ""."""

    path: str
    names: dict[str, str] = field(default_factory=dict)

    def shapes(self, arrays: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
        """The shapes by the names in the layer."""
        return {name: tuple(arrays[full].shape) for name, full in self.names.items()}


def units(arrays: Mapping[str, np.ndarray], *, with_attention: bool) -> list[Unit]:
    """The layers in the order of their first tensors; `with_attention` puts the projections of attention together.

    >>> import numpy as np
    >>> [unit.path for unit in units({"0.weight": np.ones(2), "0.bias": np.ones(2), "cls": np.ones(2)},
    ...                              with_attention=False)]
    ['0', 'cls']
    """
    attention = attention_layers(arrays) if with_attention else {}
    place = {full: (path, name) for path, names in attention.items() for name, full in names.items()}
    found: dict[tuple[str, bool], Unit] = {}
    for full in arrays:
        is_attention = full in place
        path, name = place.get(full) or _place(full)
        found.setdefault((path, is_attention), Unit(path)).names[name] = full
    return list(found.values())


def _place(full: str) -> tuple[str, str]:
    """The path of the layer that a tensor is in, and its name there."""
    if match := _RECURRENT.fullmatch(full):
        path, name, number = match.groups("")
        return f"{path}#{number}" if number else path, name
    if match := _PARAMETRIZED.fullmatch(full):
        return match.group(1) or "", match.group(2)
    path, _, name = full.rpartition(".")
    name = _OLD_NAMES.get(name, name)
    return (path, name) if name in IN_LAYERS else (full, "")


def not_learned(arrays: Mapping[str, np.ndarray]) -> list[str]:
    """The names of buffers that say nothing about what was learned: numbers of positions, masks of causal attention.

    >>> import numpy as np
    >>> not_learned({"embeddings.position_ids": np.arange(8), "h.0.attn.bias": np.tri(8)[None, None]})
    ['embeddings.position_ids', 'h.0.attn.bias']
    """
    return [name for name, x in arrays.items() if name.rpartition(".")[2] in _NOT_LEARNED
            or (name.endswith("attn.bias") and len(x.shape) == 4)]


def copies(arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Matrices whose elements are those of an earlier one, with its name: weights that torch's layers share.

    >>> import numpy as np
    >>> words = np.arange(6.0).reshape(3, 2)
    >>> copies({"wte.weight": words, "lm_head.weight": words})
    {'lm_head.weight': 'wte.weight'}
    """
    by_look: dict[tuple[object, ...], list[str]] = {}
    found = {}
    for name, x in arrays.items():
        if x.ndim < 2 or not x.size or (x == x.flat[0]).all():
            continue  # equal ones that nobody shares, such as biases of zeros
        alike = by_look.setdefault((x.shape, x.dtype, x.flat[:16].tobytes()), [])
        first = next((other for other in alike if np.array_equal(arrays[other], x)), None)
        if first is None:
            alike.append(name)
        else:
            found[name] = first
    return found


def natural_order(names: Iterable[str]) -> list[str]:
    """Names sorted with numbers in them as numbers.

    >>> natural_order(["h.10.weight", "h.9.weight"])
    ['h.9.weight', 'h.10.weight']
    """
    return sorted(names, key=lambda name: [(0, int(part), "") if part.isdigit() else (1, 0, part)
                                           for part in re.split(r"(\d+)", name)])
