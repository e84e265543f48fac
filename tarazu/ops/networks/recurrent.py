"""Recurrent networks: one step (cells) and whole sequences, which are scans over time."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import ShapeError
from tarazu.ops.contract import matmul
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.control_flow.loops import scan
from tarazu.ops.create import full
from tarazu.ops.elementwise import add, multiply, sigmoid, subtract, tanh
from tarazu.ops.networks.recurrent_gradient import gru_cotangents, lstm_cotangents
from tarazu.ops.promote import as_float, as_value, promote_all
from tarazu.ops.shape import slice_axis, swapaxes


def lstm_cell(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b: Any = None) -> tuple[Any, Any]:
    """One step of a long short-term memory; gives the new (h, c). See `lstm`, without the time axis.

    >>> import tarazu as tz
    >>> h, c = tz.lstm_cell(tz.ones((2, 3)), tz.zeros((2, 4)), tz.zeros((2, 4)), tz.ones((3, 16)), tz.ones((4, 16)))
    >>> h.shape
    (2, 4)
    """
    x, w_ih, w_hh, h, c, *bias = _values("lstm_cell", x, w_ih, w_hh, h, c, b)
    _require_shapes("lstm_cell", 4, 2, x, w_ih, w_hh, h, c)
    return _lstm_cell(_affine(x, w_ih, *bias), h, c, w_hh)


def lstm(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b: Any = None, *,
         reverse: bool = False) -> tuple[Any, tuple[Any, Any]]:
    """A long short-term memory over the time axis of `x`; gives all outputs and the last (h, c).

    x (batch, time, features), h and c (batch, units), w_ih (features, 4 units), w_hh (units, 4 units), b (4 units,);
    outputs (batch, time, units). The four gates lie side by side in the order input, forget, cell, output:
    c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'). Hochreiter and Schmidhuber, 1997, with the forget
    gate of Gers, Schmidhuber and Cummins, 2000. `reverse` goes from the last step to the first; each output stays with
    its step. ShapeError when the sizes do not fit.

    >>> import tarazu as tz
    >>> y, (h, c) = tz.lstm(tz.ones((2, 5, 3)), tz.zeros((2, 4)), tz.zeros((2, 4)), tz.ones((3, 16)), tz.ones((4, 16)))
    >>> y.shape, h.shape
    ((2, 5, 4), (2, 4))
    """
    x, w_ih, w_hh, h, c, *bias = _values("lstm", x, w_ih, w_hh, h, c, b)
    _require_shapes("lstm", 4, 3, x, w_ih, w_hh, h, c)
    y, h, c, *_ = _lstm(_affine(swapaxes(x, 0, 1), w_ih, *bias), h, c, w_hh, reverse=reverse)
    return swapaxes(y, 0, 1), (h, c)


def gru_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of a gated recurrent unit; gives the new h. See `gru`, without the time axis.

    >>> import tarazu as tz
    >>> tz.gru_cell(tz.ones((2, 3)), tz.zeros((2, 4)), tz.ones((3, 12)), tz.ones((4, 12))).shape
    (2, 4)
    """
    x, w_ih, w_hh, h, b_ih, b_hh = _gru_values("gru_cell", x, w_ih, w_hh, h, b_ih, b_hh)
    _require_shapes("gru_cell", 3, 2, x, w_ih, w_hh, h)
    return _gru_cell(_affine(x, w_ih, b_ih), h, w_hh, b_hh)


def gru(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *,
        reverse: bool = False) -> tuple[Any, Any]:
    """A gated recurrent unit over the time axis of `x`; gives all outputs and the last h.

    x (batch, time, features), h (batch, units), w_ih (features, 3 units), w_hh (units, 3 units), b_ih and b_hh
    (3 units,); outputs (batch, time, units). The gates lie in the order reset, update, new: with i = x w_ih + b_ih and
    p = h w_hh + b_hh, n = tanh(i_n + sigmoid(i_r + p_r) p_n) and h' = (1 - z) n + z h for z = sigmoid(i_z + p_z).
    Cho et al., 2014, with the reset after the product, as in cuDNN and torch. `reverse` as in `lstm`.
    ShapeError when the sizes do not fit.

    >>> import tarazu as tz
    >>> y, h = tz.gru(tz.ones((2, 5, 3)), tz.zeros((2, 4)), tz.ones((3, 12)), tz.ones((4, 12)))
    >>> y.shape, h.shape
    ((2, 5, 4), (2, 4))
    """
    x, w_ih, w_hh, h, b_ih, b_hh = _gru_values("gru", x, w_ih, w_hh, h, b_ih, b_hh)
    _require_shapes("gru", 3, 3, x, w_ih, w_hh, h)
    y, h, *_ = _gru(_affine(swapaxes(x, 0, 1), w_ih, b_ih), h, w_hh, b_hh, reverse=reverse)
    return swapaxes(y, 0, 1), h


def _values(name: str, *tensors: Any) -> list[Any]:
    """The tensors that are not None, as floats of the one dtype in which they meet."""
    return promote_all([as_float(x) for x in tensors if x is not None], name)


def _gru_values(name: str, x: Any, w_ih: Any, w_hh: Any, h: Any, b_ih: Any, b_hh: Any) -> list[Any]:
    width = as_value(w_hh).shape[-1:]
    biases = [full(width, 0, dtype=as_float(w_hh).dtype) if b is None else b for b in (b_ih, b_hh)]
    return _values(name, x, w_ih, w_hh, h, *biases)


def _require_shapes(name: str, gates: int, axes: int, x: Any, w_ih: Any, w_hh: Any, *states: Any) -> None:
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


def _affine(x: Any, weight: Any, bias: Any = None) -> Any:
    product = matmul(x, weight)
    return product if bias is None else add(product, bias)


def _gates(x: Any, count: int) -> list[Any]:
    units = x.shape[-1] // count
    return [slice_axis(x, len(x.shape) - 1, i * units, (i + 1) * units) for i in range(count)]


def _lstm_step(own: Any, h: Any, c: Any, w_hh: Any) -> tuple[Any, ...]:
    """The new h and c, and what their gradient needs: the gates and tanh(c)."""
    i, f, g, o = _gates(add(own, matmul(h, w_hh)), 4)
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = add(multiply(f, c), multiply(i, g))
    tanh_c = tanh(c)
    return multiply(o, tanh_c), c, i, f, g, o, tanh_c


def _gru_step(own: Any, h: Any, w_hh: Any, b_hh: Any) -> tuple[Any, ...]:
    """The new h, and what its gradient needs: the gates and p_n."""
    past = _affine(h, w_hh, b_hh)
    (own_r, own_z, own_n), (past_r, past_z, past_n) = _gates(own, 3), _gates(past, 3)
    r, z = sigmoid(add(own_r, past_r)), sigmoid(add(own_z, past_z))
    n = tanh(add(own_n, multiply(r, past_n)))
    return add(n, multiply(z, subtract(h, n))), r, z, n, past_n


@composite("lstm_cell")
def _lstm_cell(own: Any, h: Any, c: Any, w_hh: Any) -> tuple[Any, Any]:
    return _lstm_step(own, h, c, w_hh)[:2]


@composite("gru_cell")
def _gru_cell(own: Any, h: Any, w_hh: Any, b_hh: Any) -> Any:
    return _gru_step(own, h, w_hh, b_hh)[0]


# Rows are steps here: (time, batch, ...). Beside the outputs and the last state, the sequences give for each step what
# its gradient needs, and the state before it. Where no gradient is taken, compilation leaves these results out.

@composite("lstm", gradient=lstm_cotangents)
def _lstm(own: Any, h: Any, c: Any, w_hh: Any, *, reverse: bool) -> tuple[Any, ...]:
    def step(states: tuple[Any, Any], row: Any) -> tuple[tuple[Any, Any], tuple[Any, ...]]:
        h, c, *inner = _lstm_step(row, *states, w_hh)
        return (h, c), (h, *inner, *states)

    (h, c), (outputs, *kept) = scan(step, (h, c), own, reverse=reverse)
    return outputs, h, c, *kept


@composite("gru", gradient=gru_cotangents)
def _gru(own: Any, h: Any, w_hh: Any, b_hh: Any, *, reverse: bool) -> tuple[Any, ...]:
    def step(h: Any, row: Any) -> tuple[Any, tuple[Any, ...]]:
        after, *inner = _gru_step(row, h, w_hh, b_hh)
        return after, (after, *inner, h)

    h, (outputs, *kept) = scan(step, h, own, reverse=reverse)
    return outputs, h, *kept
