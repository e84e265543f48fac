"""LSTM and GRU: cells for one step, and whole sequences as scans over time."""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.base.errors import DTypeError, ShapeError
from tarazu.ops.contract import matmul
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.control_flow.loops import scan
from tarazu.ops.create import full
from tarazu.ops.elementwise import add, multiply, sigmoid, subtract, tanh, where
from tarazu.ops.networks.linear import affine
from tarazu.ops.networks.recurrent_gradient import gru_cotangents, lstm_cotangents
from tarazu.ops.promote import as_float, as_value, promote_all
from tarazu.ops.shape import expand_dims, slice_axis, swapaxes
from tarazu.ops.typing import ArrayLike, Tensor


def lstm_cell(x: ArrayLike, h: ArrayLike, c: ArrayLike, w_ih: ArrayLike, w_hh: ArrayLike,
              b: ArrayLike | None = None) -> tuple[Tensor, Tensor]:
    """One step of a long short-term memory (Hochreiter and Schmidhuber, 1997); gives the new (h, c).

    x (batch, features); weights, states and formulas as in `lstm`. ShapeError when the sizes do not fit.

    >>> import tarazu as tz
    >>> h, c = tz.lstm_cell(tz.ones((2, 3)), tz.zeros((2, 4)), tz.zeros((2, 4)), tz.ones((3, 16)), tz.ones((4, 16)))
    >>> h.shape
    (2, 4)
    """
    x, w_ih, w_hh, h, c, *bias = _values("lstm_cell", x, w_ih, w_hh, h, c, b)
    _require_shapes("lstm_cell", 4, 2, x, w_ih, w_hh, h, c)
    return _lstm_cell(affine(x, w_ih, *bias), h, c, w_hh)


def lstm(x: ArrayLike, h: ArrayLike, c: ArrayLike, w_ih: ArrayLike, w_hh: ArrayLike, b: ArrayLike | None = None, *,
         reverse: bool = False, mask: ArrayLike | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """A long short-term memory over the time axis of `x`; gives all outputs and the last (h, c).

    x (batch, time, features), h and c (batch, units), w_ih (features, 4 units), w_hh (units, 4 units), b (4 units,);
    outputs (batch, time, units). The four gates lie side by side in the order input, forget, cell, output:
    c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'). Hochreiter and Schmidhuber, 1997, with the forget
    gate of Gers, Schmidhuber and Cummins, 2000. `reverse` goes from the last step to the first; each output stays with
    its step. `mask` (batch, time) is True where there is a value: the states pass the other steps unchanged, and the
    outputs there are 0. ShapeError when the sizes do not fit, DTypeError for a mask that is not boolean.

    >>> import tarazu as tz
    >>> y, (h, c) = tz.lstm(tz.ones((2, 5, 3)), tz.zeros((2, 4)), tz.zeros((2, 4)), tz.ones((3, 16)), tz.ones((4, 16)))
    >>> y.shape, h.shape
    ((2, 5, 4), (2, 4))
    """
    x, w_ih, w_hh, h, c, *bias = _values("lstm", x, w_ih, w_hh, h, c, b)
    _require_shapes("lstm", 4, 3, x, w_ih, w_hh, h, c)
    steps = _mask_of_steps("lstm", mask, x)
    y, last_h, last_c, *_ = _lstm(affine(swapaxes(x, 0, 1), w_ih, *bias), h, c, w_hh, *steps, reverse=reverse)
    return swapaxes(_zeros_outside(y, *steps), 0, 1), (last_h, last_c)


def gru_cell(x: ArrayLike, h: ArrayLike, w_ih: ArrayLike, w_hh: ArrayLike, b_ih: ArrayLike | None = None,
             b_hh: ArrayLike | None = None) -> Tensor:
    """One step of a gated recurrent unit (Cho et al., 2014); gives the new h.

    x (batch, features); weights, state and formulas as in `gru`. ShapeError when the sizes do not fit.

    >>> import tarazu as tz
    >>> tz.gru_cell(tz.ones((2, 3)), tz.zeros((2, 4)), tz.ones((3, 12)), tz.ones((4, 12))).shape
    (2, 4)
    """
    x, w_ih, w_hh, h, b_ih, b_hh = _gru_values("gru_cell", x, w_ih, w_hh, h, b_ih, b_hh)
    _require_shapes("gru_cell", 3, 2, x, w_ih, w_hh, h)
    return _gru_cell(affine(x, w_ih, b_ih), h, w_hh, b_hh)


def gru(x: ArrayLike, h: ArrayLike, w_ih: ArrayLike, w_hh: ArrayLike, b_ih: ArrayLike | None = None,
        b_hh: ArrayLike | None = None, *, reverse: bool = False,
        mask: ArrayLike | None = None) -> tuple[Tensor, Tensor]:
    """A gated recurrent unit over the time axis of `x`; gives all outputs and the last h.

    x (batch, time, features), h (batch, units), w_ih (features, 3 units), w_hh (units, 3 units), b_ih and b_hh
    (3 units,); outputs (batch, time, units). The gates lie in the order reset, update, new: with i = x w_ih + b_ih and
    p = h w_hh + b_hh, n = tanh(i_n + sigmoid(i_r + p_r) p_n) and h' = (1 - z) n + z h for z = sigmoid(i_z + p_z).
    Cho et al., 2014, with the reset after the product, as in cuDNN and torch. `reverse` and `mask` as in `lstm`.
    ShapeError when the sizes do not fit, DTypeError for a mask that is not boolean.

    >>> import tarazu as tz
    >>> y, h = tz.gru(tz.ones((2, 5, 3)), tz.zeros((2, 4)), tz.ones((3, 12)), tz.ones((4, 12)))
    >>> y.shape, h.shape
    ((2, 5, 4), (2, 4))
    """
    x, w_ih, w_hh, h, b_ih, b_hh = _gru_values("gru", x, w_ih, w_hh, h, b_ih, b_hh)
    _require_shapes("gru", 3, 3, x, w_ih, w_hh, h)
    steps = _mask_of_steps("gru", mask, x)
    y, last_h, *_ = _gru(affine(swapaxes(x, 0, 1), w_ih, b_ih), h, w_hh, b_hh, *steps, reverse=reverse)
    return swapaxes(_zeros_outside(y, *steps), 0, 1), last_h


def checked_time_mask(name: str, mask: ArrayLike, x: Tensor) -> Tensor:
    """`mask` as booleans (batch, time) for an input (batch, time, ...); DTypeError or ShapeError for others."""
    mask = as_value(mask)
    if mask.dtype.kind != "bool":
        raise DTypeError(f"{name}: a mask of {mask.dtype}", expected="booleans, True where there is a value",
                         fix="compare: mask = x != padding, or mask.astype(tz.bool)")
    if mask.shape != x.shape[:2]:
        raise ShapeError(f"{name}: a mask of shape {mask.shape} for an input of shape {x.shape}",
                         expected=f"a mask of shape {x.shape[:2]}: (batch, time)",
                         fix="of lengths it is made so: tz.arange(time) < lengths[:, None]")
    return mask


def _mask_of_steps(name: str, mask: ArrayLike | None, x: Tensor) -> list[Tensor]:
    """The mask as (time, batch, 1), in a list; an empty one where there is none."""
    return [] if mask is None else [expand_dims(swapaxes(checked_time_mask(name, mask, x), 0, 1), 2)]


def _zeros_outside(y: Tensor, *mask: Tensor) -> Tensor:
    return where(mask[0], y, 0) if mask else y


def _values(name: str, *tensors: ArrayLike | None) -> list[Tensor]:
    """The tensors that are not None, as floats of their common dtype."""
    return promote_all([as_float(x) for x in tensors if x is not None], name)


def _gru_values(name: str, x: ArrayLike, w_ih: ArrayLike, w_hh: ArrayLike, h: ArrayLike, b_ih: ArrayLike | None,
                b_hh: ArrayLike | None) -> list[Tensor]:
    """All as floats of their common dtype; a bias of None is zeros."""
    width = as_value(w_hh).shape[-1:]
    biases = [full(width, 0, dtype=as_float(w_hh).dtype) if b is None else b for b in (b_ih, b_hh)]
    return _values(name, x, w_ih, w_hh, h, *biases)


def _require_shapes(name: str, gates: int, axes: int, x: Tensor, w_ih: Tensor, w_hh: Tensor, *states: Tensor) -> None:
    units = w_hh.shape[0] if w_hh.shape else 0
    fit = (len(x.shape) == axes and w_ih.shape == (x.shape[-1], gates * units) and w_hh.shape == (units, gates * units)
           and all(state.shape == (x.shape[0], units) for state in states))
    if not fit:
        time = ", time" if axes == 3 else ""
        raise ShapeError(f"{name}: an input of shape {x.shape}, weights of shapes {w_ih.shape} and {w_hh.shape}, "
                         f"states of shapes {' and '.join(str(state.shape) for state in states)}",
                         expected=f"an input (batch{time}, features), weights (features, {gates} units) and (units, "
                                  f"{gates} units), states (batch, units)",
                         fix="the weights are those of x @ w: transpose those that come from torch")


def _gates(x: Tensor, count: int) -> list[Tensor]:
    """The last axis in `count` equal parts."""
    units = x.shape[-1] // count
    return [slice_axis(x, len(x.shape) - 1, i * units, (i + 1) * units) for i in range(count)]


def lstm_step(x_part: Tensor, h: Tensor, c: Tensor, w_hh: Tensor) -> tuple[Tensor, ...]:
    """The new h and c, and what their gradient needs: the gates and tanh(c); `x_part` is x w_ih + b."""
    i, f, g, o = _gates(add(x_part, matmul(h, w_hh)), 4)
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = add(multiply(f, c), multiply(i, g))
    tanh_c = tanh(c)
    return multiply(o, tanh_c), c, i, f, g, o, tanh_c


def gru_step(x_part: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor,
             factor: Tensor | None = None) -> tuple[Tensor, ...]:
    """The new h, and what its gradient needs: the gates and h_n, that part of h w_hh + b_hh;
    `x_part` is x w_ih + b_ih. Where there is a `factor`, h w_hh is (factor h) w_hh.
    """
    past = affine(h if factor is None else multiply(factor, h), w_hh, b_hh)
    (x_r, x_z, x_n), (h_r, h_z, h_n) = _gates(x_part, 3), _gates(past, 3)
    r, z = sigmoid(add(x_r, h_r)), sigmoid(add(x_z, h_z))
    n = tanh(add(x_n, multiply(r, h_n)))
    return add(n, multiply(z, subtract(h, n))), r, z, n, h_n


@composite("lstm_cell")
def _lstm_cell(x_part: Tensor, h: Tensor, c: Tensor, w_hh: Tensor) -> tuple[Tensor, Tensor]:
    new_h, new_c, *_ = lstm_step(x_part, h, c, w_hh)
    return new_h, new_c


@composite("gru_cell")
def _gru_cell(x_part: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor) -> Tensor:
    return gru_step(x_part, h, w_hh, b_hh)[0]


# Rows are steps here: (time, batch, ...). Beside the outputs and the last state, the sequences give for each step what
# its gradient needs, and the state before it. Where no gradient is taken, compilation leaves these results out.

@composite("lstm", gradient=lstm_cotangents)
def _lstm(x_parts: Tensor, h: Tensor, c: Tensor, w_hh: Tensor, *mask: Tensor, reverse: bool) -> tuple[Tensor, ...]:
    def step(states: tuple[Tensor, Tensor], row: list[Tensor]) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, ...]]:
        h, c, *inner = lstm_step(row[0], *states, w_hh)
        h, c = _where_valid(row[1:], (h, c), states)
        return (h, c), (h, *inner, *states)

    (h, c), (outputs, *kept) = scan(step, (h, c), [x_parts, *mask], reverse=reverse)
    return outputs, h, c, *kept


@composite("gru", gradient=gru_cotangents)
def _gru(x_parts: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor, *mask: Tensor, reverse: bool) -> tuple[Tensor, ...]:
    def step(h: Tensor, row: list[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
        after, *inner = gru_step(row[0], h, w_hh, b_hh)
        (after,) = _where_valid(row[1:], (after,), (h,))
        return after, (after, *inner, h)

    h, (outputs, *kept) = scan(step, h, [x_parts, *mask], reverse=reverse)
    return outputs, h, *kept


def _where_valid(mask: Sequence[Tensor], after: tuple[Tensor, ...], before: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The states after a step, and those before it where the step has no value."""
    return tuple([where(mask[0], new, old) for new, old in zip(after, before, strict=True)]) if mask else after
