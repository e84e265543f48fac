"""Options of layers: checks of those that are names, and vocabularies that layers learn in place of given ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import did_you_mean
from tarazu.nn.module.module import Module


def require_name(option: str, name: str | None, names: Collection[str | None]) -> None:
    """ArgumentError unless `name`, given as that option, is one of the names."""
    if name not in names:
        known = [repr(one) for one in names]
        raise ArgumentError(f"{option}={name!r}", expected=f"one of {', '.join(known)}",
                            fix=did_you_mean(name, [one for one in names if one is not None]))


def keep_vocabulary(layer: Module, kind: type[Module], vocabulary: Sequence[str] | Sequence[int] | str) -> None:
    """Note a vocabulary among the arguments of a `kind` of layer, so that a saved model makes it with the vocabulary.

    Constructors of other layers may ask for its size, and the file that it came from may be elsewhere by then. Classes
    with constructors of their own may not take a vocabulary.
    """
    if type(layer).__init__ is kind.__init__:
        args, kwargs = layer._arguments
        layer._arguments = args, {**kwargs, "vocabulary": vocabulary}
