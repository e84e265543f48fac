"""The options of training on a table, with their defaults, for Python and for the command."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from tarazu.base.checks import whole_number
from tarazu.data.columns.values import MISSING_WORDS

RANDOM = "random"  # the split that no column orders
PATIENCE = 20  # epochs without a better validation loss before training ends


@dataclasses.dataclass(frozen=True)
class TableOptions:
    """How a table is split and learned; `batch_size` None takes `usual_batch_size`.

    >>> TableOptions(epochs=15).changed()
    {'epochs': 15}
    """

    hidden: Sequence[int] = (64, 64)
    dropout: float = 0.0
    epochs: int = 200
    batch_size: int | None = None
    learning_rate: float = 0.001
    optimizer: str = "adam"
    validation: float = 0.15
    test: float = 0.15
    seed: int = 0
    kinds: Mapping[str, str] = dataclasses.field(default_factory=dict)
    missing: Sequence[str] = MISSING_WORDS
    split: str = RANDOM

    @property
    def order(self) -> str | None:
        """The column by whose order rows are split; None for a random split.

        >>> TableOptions(split="time").order
        'time'
        """
        return None if self.split == RANDOM else self.split

    def changed(self) -> dict[str, object]:
        """The options that differ from their defaults, by name.

        >>> TableOptions(hidden=(8,), kinds={"year": "category"}).changed()
        {'hidden': (8,), 'kinds': {'year': 'category'}}
        """
        usual = TableOptions()
        return {name: value for name, value in vars(self).items() if value != getattr(usual, name)}


def layer_sizes(hidden: int | Sequence[int]) -> tuple[int, ...]:
    """The sizes of hidden layers, of which a number is one. Raises ArgumentError for anything else.

    >>> layer_sizes(64), layer_sizes([32, 16])
    ((64,), (32, 16))
    """
    sizes = hidden if isinstance(hidden, Sequence) and not isinstance(hidden, str) else [hidden]
    fix = "write for example hidden=(64, 64), or () for no hidden layer"
    return tuple(whole_number(f"hidden={hidden!r}", size, least=1, fix=fix) for size in sizes)


def usual_batch_size(rows: int) -> int:
    """A batch size by which an epoch has about 100 steps, from 32 to 256 rows each."""
    return min(max(rows // 100, 32), 256)
