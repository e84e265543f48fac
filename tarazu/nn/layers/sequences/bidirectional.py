"""A recurrent layer in both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.nn.layers.sequences.recurrent import OverTime
from tarazu.nn.module.module import Module
from tarazu.ops.shape import concat
from tarazu.ops.typing import ArrayLike, Tree
from tarazu.runtime.tensor.tensor import Tensor

MERGES: dict[str | None, Callable[[Tensor, Tensor], Tensor | tuple[Tensor, Tensor]]] = {
    "concat": lambda x, y: concat([x, y], -1), "sum": lambda x, y: x + y, "mean": lambda x, y: (x + y) / 2,
    "mul": lambda x, y: x * y, None: lambda x, y: (x, y)}


class Bidirectional(Module):
    """A recurrent layer, and one like it that goes from the last step to the first (Schuster and Paliwal, 1997).

    `merge` says what becomes of the two outputs: "concat" (units side by side), "sum", "mean", "mul", or None for a
    pair. The second layer is made with the arguments of the first, or is `backward_layer`. Options of the call are
    those of `LSTM`: `mask`, and `initial_state`, a pair of states. Layers that return states give, beside the outputs,
    the pair of them. ArgumentError for an unknown merge and for a layer that has no direction, such as `Dense`.

    >>> import tarazu as tz
    >>> tz.nn.Bidirectional(tz.nn.GRU(8, return_sequences=True))(tz.ones((2, 10, 3))).shape
    (2, 10, 16)
    """

    def __init__(self, layer: OverTime, merge: str | None = "concat", *,
                 backward_layer: OverTime | None = None) -> None:
        if merge not in MERGES:
            raise ArgumentError(f"merge={merge!r}", expected='"concat", "sum", "mean", "mul" or None',
                                fix='"concat" is the usual one')
        self._merge = merge
        self.forward_layer = _require_direction(layer)
        self.backward_layer = _reversed(layer) if backward_layer is None else _require_direction(backward_layer)
        if self.forward_layer._is_reverse is self.backward_layer._is_reverse:
            raise ArgumentError("two layers of the same direction", expected="one with reverse=True",
                                fix="leave backward_layer out, or make it with reverse=True")

    def forward(self, x: Tensor, *, initial_state: Tree = None,
                mask: ArrayLike | None = None) -> Tensor | tuple[Any, ...]:
        first, second = (None, None) if initial_state is None else _pair(initial_state)
        one = self.forward_layer(x, initial_state=first, mask=mask)
        other = self.backward_layer(x, initial_state=second, mask=mask)
        merge = MERGES[self._merge]
        if self.forward_layer._returns_state:
            return merge(one[0], other[0]), (one[1], other[1])
        return merge(one, other)


def _require_direction(layer: OverTime) -> OverTime:
    if not isinstance(layer, OverTime):
        raise ArgumentError(f"a {type(layer).__name__} in a Bidirectional", expected="a recurrent layer: LSTM, GRU, "
                            "SimpleRNN or RNN", fix="a cell of your own goes into tz.nn.RNN(cell) first")
    return layer


def _reversed(layer: OverTime) -> OverTime:
    """A layer made with the same arguments that goes the other way."""
    twin: OverTime = _made_again(layer)
    twin._is_reverse = not layer._is_reverse
    return twin


def _made_again(value: Any) -> Any:  # an argument of any kind
    """A module made again with its arguments; modules among these, too."""
    if isinstance(value, Module):
        args, kwargs = value._arguments
        return type(value)(*map(_made_again, args), **{key: _made_again(x) for key, x in kwargs.items()})
    return type(value)(map(_made_again, value)) if type(value) in (list, tuple) else value


def _pair(state: Tree) -> tuple[Tree, Tree]:
    if not isinstance(state, tuple | list) or len(state) != 2:
        raise ArgumentError("an initial_state that is no pair", expected="(state, state): one for each direction",
                            fix="pass the states as a Bidirectional of layers with return_state=True gives them")
    return state[0], state[1]
