"""Why layers of a state and of a model are no match: the error that names what is near."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import listing, plural
from tarazu.interop.torch_weights.attention_names import TORCH
from tarazu.interop.torch_weights.kinds import Row
from tarazu.interop.torch_weights.layouts import same_size
from tarazu.interop.torch_weights.matching import Matching, paths_of
from tarazu.interop.torch_weights.slots import Slot, renamed
from tarazu.interop.torch_weights.units import Unit

_MOST = 5
Arrays = Mapping[str, np.ndarray]


def no_match(found: Matching, arrays: Arrays, names: Mapping[str, str], *, tells_order: bool) -> ArgumentError:
    """The error for layers that are left over: each with the nearest of the state, the others by name."""
    said, used = [], set()
    for slot in found.slots[:_MOST]:
        unit = _nearest(slot, found.units, names)
        said.append(_difference(slot, unit, arrays, names))
        used.add(unit.path if unit else "")
    extra = [name for unit in found.units if unit.path not in used for name in unit.names.values()]
    left = [*([plural(len(found.slots), "layer") + " of the model"] if found.slots else []),
            *([plural(len(found.units), "layer") + " of the state"] if found.units else [])]
    more = [f"and {len(found.slots) - _MOST} more"] if len(found.slots) > _MOST else []
    said += [*more, *([f"the state also has {listing(extra, _MOST)}"] if extra else [])]
    return ArgumentError(f"{' and '.join(left)} without a match" + "".join(f"\n    {line}" for line in said),
                         expected="the same layers on both sides, of the same sizes", fix=_fix(found, tells_order))


def _fix(found: Matching, tells_order: bool) -> str:
    if found.is_ambiguous and not tells_order:
        return ("say what the model's layers are called in the file, which is sorted by name and does not tell their "
                'order: names={"hidden": "mlp.c_fc"}; or pass module.state_dict()')
    if found.is_ambiguous:
        return ('layers stand in another order here than in torch, so say which is which: names={"shortcut": '
                '"downsample"}, the model\'s paths to torch\'s; or make the attributes in torch\'s order')
    return "make the model as torch's is; or load the part that fits by strict=False, and read the report"


def _nearest(slot: Slot, units: tuple[Unit, ...], names: Mapping[str, str]) -> Unit | None:
    """The unit of the same path, or else the one whose path, or whose tensors' names, are most alike."""
    paths = paths_of(slot, names)
    for path in paths:
        for unit in units:
            if unit.path == path or unit.path.endswith(f".{path}"):
                return unit
    alike = [unit for unit in units if any(variant.names == unit.names.keys() for variant in slot.variants)]
    by_path = {unit.path: unit for unit in alike or units}
    near = difflib.get_close_matches(paths[0], by_path, n=1, cutoff=0.0 if alike else 0.6)
    return by_path[near[0]] if near else None


def _difference(slot: Slot, unit: Unit | None, arrays: Arrays, names: Mapping[str, str]) -> str:
    """How a layer of the model and its nearest of the state differ."""
    told = renamed(slot.path, names)
    by_names = f"; by names {told!r}" if told != slot.path else ""
    here = f"{slot.path or 'the model itself'!r} ({slot.kind}{by_names})"
    if unit is None:
        return f"{here}: nothing in the state is like it"
    there = f"{unit.path or 'the state itself'!r}"
    near = next((variant for variant in slot.variants if variant.names == unit.names.keys()), None)
    if near is None:
        wanted, given = slot.variants[0].names, set(unit.names)
        lacks, has = (sorted(TORCH.get(name, name) for name in some) for some in (wanted - given, given - wanted))
        parts = [f"lacks {listing(lacks)}"] if lacks else []
        parts += [f"has {listing(has)} in addition"] if has else []
        return f"{here}: the nearest, {there}, {' and '.join(parts)}{_about_bias(lacks, has)}"
    differences = [text for row in near.rows if row.torch for text in _shapes(slot, unit, row, arrays)]
    if not differences:
        return f"{here}: may be {there} or another one of the same shapes"
    return f"{here}: the nearest is {there}, where {'; '.join(differences)}"


def _about_bias(lacks: list[str], has: list[str]) -> str:
    if lacks == ["bias"]:
        return ": a layer with bias=False fits"
    return ": a layer with bias=True fits" if has == ["bias"] else ""


def _shapes(slot: Slot, unit: Unit, row: Row, arrays: Arrays) -> Iterator[str]:
    """Where shapes differ from those that torch's tensors would have for the tensor here."""
    own = slot.own_shape(row)
    shapes = [tuple(arrays[unit.names[name]].shape) for name in row.torch]
    if row.layout.fits(own, shapes):
        return
    for name, given, wanted in zip(row.torch, shapes, row.layout.shapes(own), strict=True):
        if given != wanted:
            order = ", the same size in another order" if same_size(given, wanted) else ""
            yield f"{unit.names[name]} has shape {given} and {wanted} would fit{order}"
