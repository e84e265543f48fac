"""How masks over time go from the call of one module to that of the next.

A module that has a method `compute_mask` makes a mask of its first input: booleans (batch, time), True where there is a
value. A module takes masks by options of its `forward`: `mask` is that of the first input, or of the one that the class
names by `mask_is_of`, and an option `memory_mask` that of the input `memory`. The output carries the mask of the input
(masked.py), and where several inputs have one, what all of them say. A module that takes a mask and gives up the time
axis ends it.

Masks live in the outermost call of a module alone. What that gives carries none, so calls give the same under `jit`.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, ClassVar, Protocol

from tarazu.base.errors import DataWarning
from tarazu.base.pytree import map_leaves
from tarazu.base.spelling import is_ours
from tarazu.nn.module.masked import Masked, both, fits, joined, mask_of, without_mask
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import note_warning
from tarazu.runtime.trace.origins import frames_to_user


class ModuleLike(Protocol):
    """What this file needs of a module, whose file imports this one."""

    compute_mask: ClassVar[Callable[[Any, Any], Tensor | None] | None]
    hands_masks_on: bool
    mask_is_of: str

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """The output for the inputs."""


Sizes = tuple[int, ...]

# What made masks of which size (batch, time) in the outermost call that is running, "" for one that a layer has ended;
# None outside of any call.
_made: ContextVar[dict[Sizes, str] | None] = ContextVar("_made", default=None)


@contextlib.contextmanager
def keeping_masks() -> Iterator[None]:
    """A block in which what modules give goes on carrying its masks, for who computes losses of it."""
    token = _made.set({})
    try:
        yield
    finally:
        _made.reset(token)


def with_mask(x: Any, mask: ArrayLike | None, maker: str = "the call") -> Any:
    """A tensor with a mask, which holds together with the one that it carries, if any; None adds none.

    What is no array, such as a list of texts, carries none.
    """
    if mask is None:
        return x
    mask = as_value(mask)
    made = _made.get()
    if made is not None:
        made[tuple(mask.shape)] = maker
    return Masked(as_value(x), both(mask_of(x), mask)) if hasattr(x, "shape") else x


def call_forward(module: ModuleLike, inputs: tuple, options: dict[str, Any]) -> Any:
    """What `forward` of the module gives, with masks as this file says."""
    made = _made.get()
    if made is not None:
        is_plain = not made and "mask" not in options and type(module).compute_mask is None
        return module.forward(*inputs, **options) if is_plain else _call(module, inputs, options, made)
    token = _made.set(made := {})
    try:
        is_plain = "mask" not in options and type(module).compute_mask is None
        y = module.forward(*inputs, **options) if is_plain else _call(module, inputs, options, made)
        return map_leaves(without_mask, y) if made else y
    finally:
        _made.reset(token)


def _call(module: ModuleLike, inputs: tuple, options: dict[str, Any], made: dict[Sizes, str]) -> Any:
    """`call_forward` where there are masks."""
    kind = type(module)
    if kind.hands_masks_on:  # its forward sees to that
        return module.forward(*inputs, **options)
    names, taken = _parameters(kind.forward)
    further = map(str, range(len(names), len(inputs)))  # those of a `*inputs` have no names
    given = {**dict(zip([*names, *further], inputs, strict=False)), **options}
    first = next(iter(given), "")
    masks = {name: x.mask for name, x in given.items() if isinstance(x, Masked)}
    own = computed_mask(module, given.get(first))
    if own is not None:
        made[tuple(own.shape)] = kind.__name__
        masks[first] = both(masks.get(first), own)
    if not taken:
        y = module.forward(*inputs, **options)
        return _carrying(y, given.get(first), masks, first)
    options = dict(options)
    for option in taken:
        if option not in given:
            source = _source(kind, option, given, first)
            if source in masks:
                options[option] = masks[source]
            else:
                _warn_of_lost_mask(kind, option, given.get(source), made)
    is_over_time = is_ours(kind.__module__)  # the mask that a user's module is called with may be another
    if is_over_time and given.get("mask") is not None and _source(kind, "mask", given, first) == first:
        masks[first] = as_value(given["mask"])
        made.setdefault(tuple(masks[first].shape), "the call")
    y = module.forward(*map(without_mask, inputs), **{name: without_mask(x) for name, x in options.items()})
    return _carrying_on(y, masks.get(first), made)


def computed_mask(module: ModuleLike, x: Any) -> Tensor | None:
    """What `compute_mask` of a module makes of its input; None for a module that has no such method."""
    compute = type(module).compute_mask
    return None if compute is None else compute(module, x)


@functools.lru_cache(maxsize=256)
def _parameters(forward: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """The names of the inputs that a `forward` takes by position, and of the masks that it takes."""
    parameters = [*inspect.signature(forward).parameters.values()][1:]
    names = [x.name for x in parameters]
    inputs = [x.name for x in parameters if x.kind in (x.POSITIONAL_ONLY, x.POSITIONAL_OR_KEYWORD)]
    return inputs, [x for x in names if x == "mask" or (x.endswith("_mask") and x.removesuffix("_mask") in names)]


def _source(kind: type[ModuleLike], option: str, given: Mapping[str, Any], first: str) -> str:
    """The input whose mask an option is."""
    if option != "mask":
        return option.removesuffix("_mask")
    return first if given.get(kind.mask_is_of) is None else kind.mask_is_of


def _carrying(y: Any, x: Any, masks: Mapping[str, Tensor], first: str) -> Any:
    """The output of a module that takes no masks, with those of its inputs.

    One that no longer fits stays as long as there is a time axis: the next module that takes it raises.
    """
    fitting = joined(mask for mask in masks.values() if isinstance(y, Tensor) and fits(y, mask))
    mask = masks.get(first) if fitting is None else fitting
    if mask is None or not isinstance(y, Tensor):
        return y if mask is None else _parts_carrying(y, mask)
    keeps_time = y.ndim > 2 or (isinstance(x, Tensor) and tuple(x.shape) == (*y.shape, 1))
    return Masked(y, mask) if keeps_time and not isinstance(y, Masked) else y


def _carrying_on(y: Any, mask: Tensor | None, made: dict[Sizes, str]) -> Any:
    """The output of a module that took a mask, with it, unless it has no time axis any more."""
    if mask is None or isinstance(y, Masked):
        return y
    if not isinstance(y, Tensor):
        return _parts_carrying(y, mask)
    if y.ndim > 2 and fits(y, mask):
        return Masked(y, mask)
    made[tuple(mask.shape)] = ""
    return y


def _parts_carrying(y: Any, mask: Tensor) -> Any:
    """Several outputs, of which sequences of vectors carry the mask."""
    return map_leaves(lambda x: Masked(x, mask) if type(x) is Tensor and x.ndim == 3 and fits(x, mask) else x, y)


def _warn_of_lost_mask(kind: type[ModuleLike], option: str, x: Any, made: Mapping[Sizes, str]) -> None:
    """Warn where a mask of the size of an input was made, and the input does not carry it."""
    maker = made.get(tuple(x.shape[:2])) if isinstance(x, Tensor) and x.ndim > 2 else None
    if maker:
        note_warning()
        warnings.warn(f"{kind.__name__} takes a mask and gets none, although {maker} made one of the size of its "
                      f"input, {tuple(x.shape[:2])}: a function between them does not hand masks on. Pass it: "
                      f"layer(x, {option}=embedding.compute_mask(tokens)); or say that there is none: {option}=None",
                      DataWarning, stacklevel=frames_to_user())
