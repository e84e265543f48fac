"""How large the tiles of convolutions by Winograd's algorithm may be: what the user says."""

from __future__ import annotations

from tarazu.base.settings import note_change, number_of_variable, require_number

TILES, EXPECTED = (0, 2, 4), "0, 2 or 4"
_chosen: int | None = None  # by set_winograd


def set_winograd(tile: int) -> None:
    """Let programs that are compiled from now on compute 3 x 3 convolutions in tiles of up to `tile` x `tile` outputs.

    Tiles take fewer products (Winograd, 1980; Lavin and Gray, 2016): 4 for each output instead of 9 where `tile` is 2,
    2.25 where it is 4, the default. Each is used for float32, and for halves, which are summed in float32, where a
    model of costs says that it is faster. In tiles of 2 results are about as exact as those of sums of products, in
    tiles of 4 errors are up to some 10 times larger (1e-5 of the largest value), and a number that is not finite makes
    all of a tile nan. 0 turns tiles off.
    TARAZU_WINOGRAD sets the same for a process.

    ArgumentError where `tile` is not 0, 2 or 4.

    >>> set_winograd(2)
    >>> set_winograd(4)
    """
    global _chosen
    chosen = require_number(f"set_winograd({tile!r})", tile, TILES, expected=EXPECTED,
                            fix="4 is the fastest, 2 is as exact as 0, which turns tiles off")
    if chosen != _chosen:
        _chosen = chosen
        note_change()


def winograd_tile() -> int:
    """What `set_winograd` said, else TARAZU_WINOGRAD, else 4; ArgumentError where that is not 0, 2 or 4.

    >>> winograd_tile()
    4
    """
    if _chosen is not None:
        return _chosen
    found = number_of_variable("TARAZU_WINOGRAD", TILES, expected=EXPECTED, fix="leave it unset for 4")
    return TILES[-1] if found is None else found
