"""The gradients of `lstm` and `gru`: one scan back over what the forward scan kept, then one product per weight.

Nothing of the forward part is computed again. Both are linear in the cotangents that are given; what was kept has
cotangents in derivatives of higher order only. In the steps the cotangent of a value x is called to_x, that of the sum
inside its sigmoid or tanh to_x_sum.
"""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.ops.contract import dot_general
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.control_flow.loops import scan
from tarazu.ops.create import zeros_like
from tarazu.ops.elementwise import add, multiply, subtract, where
from tarazu.ops.networks.activations import sigmoid_cotangent, tanh_cotangent
from tarazu.ops.reduce import sum
from tarazu.ops.shape import concat
from tarazu.ops.typing import Tensor

Flags = tuple[bool, ...]
Cotangents = Sequence[Tensor | None]  # None where a result has none
LSTM_STATES, GRU_STATES = 2, 1


def lstm_cotangents(cotangents: Cotangents, outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                    needed: Sequence[bool], *, reverse: bool) -> list[Tensor | None]:
    """Those of the arguments of `_lstm`, (x_parts, h, c, w_hh, *mask), for its results (outputs, h, c, *kept)."""
    values, mask = _given(cotangents, outputs[1 + LSTM_STATES:]), inputs[4:]
    return [*_lstm_vjp(inputs[3], *mask, *values, live=_live(cotangents), masked=bool(mask), reverse=reverse),
            *[None] * len(mask)]


def gru_cotangents(cotangents: Cotangents, outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                   needed: Sequence[bool], *, reverse: bool) -> list[Tensor | None]:
    """Those of the arguments of `_gru`, (x_parts, h, w_hh, b_hh, *mask), for its results (outputs, h, *kept)."""
    values, mask = _given(cotangents, outputs[1 + GRU_STATES:]), inputs[4:]
    return [*_gru_vjp(inputs[2], *mask, *values, live=_live(cotangents), masked=bool(mask), reverse=reverse),
            *[None] * len(mask)]


def _live(cotangents: Cotangents) -> Flags:
    """Which results have a cotangent."""
    return tuple([g is not None for g in cotangents])


def _given(cotangents: Cotangents, kept: Sequence[Tensor]) -> list[Tensor]:
    """The kept intermediate values, then the cotangents that are not None, as one list; `_parted` divides it again."""
    return [*kept, *[g for g in cotangents if g is not None]]


def _parted(values: Sequence[Tensor], states: int, live: Flags) -> tuple[list[Tensor], list[Tensor], Cotangents]:
    """What was kept; the cotangents of the last states; those of the outputs and of what was kept, None where none."""
    count = len(live) - 1 - states
    rest = iter(values[count:])
    of_outputs, *others = [next(rest) if flag else None for flag in live]
    kept = list(values[:count])
    last = [zeros_like(x[0]) if g is None else g for g, x in zip(others[:states], kept[count - states:], strict=True)]
    return kept, last, [of_outputs, *others[states:]]


def _plus(x: Tensor, cotangent: Tensor | None) -> Tensor:
    return x if cotangent is None else add(x, cotangent)


def _divided(mask: Tensor | None, cotangent: Tensor) -> tuple[Tensor, Tensor | None]:
    """The cotangent of a state after a step: its part for the step, and that for the state before, which passes the
    steps that the mask leaves out.
    """
    if mask is None:
        return cotangent, None
    return where(mask, cotangent, 0), where(mask, 0, cotangent)


def _through_gate(cotangent: Tensor, y: Tensor) -> Tensor:
    """The cotangent times the slope of a gate."""
    return multiply(cotangent, sigmoid_cotangent(1.0, y))


def _weight_cotangent(before: Tensor, to_sums: Tensor) -> Tensor:
    """The sum over steps and samples of the products of each unit's state before a step with a gate's cotangent."""
    return dot_general(before, to_sums, ((0, 1), (0, 1)))


@composite("lstm_vjp")
def _lstm_vjp(w_hh: Tensor, *values: Tensor, live: Flags, masked: bool, reverse: bool) -> tuple[Tensor, ...]:
    mask, values = (values[0], values[1:]) if masked else (None, values)
    kept, last, arriving = _parted(values, LSTM_STATES, live)

    def step(states: list[Tensor], row: tuple[list[Tensor], Cotangents, Tensor | None]) -> tuple[list[Tensor], Tensor]:
        (to_h, to_c), (i, f, g, o, tanh_c, _, c) = states, row[0]
        to_y, to_i, to_f, to_g, to_o, to_tanh_c, to_h_before, to_c_before = row[1]
        (to_h, past_h), (to_c, past_c) = _divided(row[2], _plus(to_h, to_y)), _divided(row[2], to_c)
        to_c = add(to_c, tanh_cotangent(_plus(multiply(to_h, o), to_tanh_c), tanh_c))
        to_sums = concat([_through_gate(_plus(multiply(to_c, g), to_i), i),
                          _through_gate(_plus(multiply(to_c, c), to_f), f),
                          tanh_cotangent(_plus(multiply(to_c, i), to_g), g),
                          _through_gate(_plus(multiply(to_h, tanh_c), to_o), o)], 1)
        to_h = _plus(_plus(dot_general(to_sums, w_hh, ((1,), (1,))), to_h_before), past_h)
        return [to_h, _plus(_plus(multiply(to_c, f), to_c_before), past_c)], to_sums

    (to_h, to_c), to_x_parts = scan(step, last, (kept, arriving, mask), reverse=not reverse)
    return to_x_parts, to_h, to_c, _weight_cotangent(kept[5], to_x_parts)


@composite("gru_vjp")
def _gru_vjp(w_hh: Tensor, *values: Tensor, live: Flags, masked: bool, reverse: bool) -> tuple[Tensor, ...]:
    mask, values = (values[0], values[1:]) if masked else (None, values)
    kept, last, arriving = _parted(values, GRU_STATES, live)

    def step(states: list[Tensor], row: tuple[list[Tensor], Cotangents, Tensor | None]
             ) -> tuple[list[Tensor], list[Tensor]]:
        (to_h,), (r, z, n, h_n, h) = states, row[0]
        to_y, to_r, to_z, to_n, to_h_n, to_h_before = row[1]
        to_h, past_h = _divided(row[2], _plus(to_h, to_y))
        to_n_sum = tanh_cotangent(_plus(multiply(to_h, subtract(1, z)), to_n), n)
        to_r_sum = _through_gate(_plus(multiply(to_n_sum, h_n), to_r), r)
        to_z_sum = _through_gate(_plus(multiply(to_h, subtract(h, n)), to_z), z)
        to_h_part = concat([to_r_sum, to_z_sum, _plus(multiply(to_n_sum, r), to_h_n)], 1)
        before = add(multiply(to_h, z), dot_general(to_h_part, w_hh, ((1,), (1,))))
        return [_plus(_plus(before, to_h_before), past_h)], [concat([to_r_sum, to_z_sum, to_n_sum], 1), to_h_part]

    (to_h,), (to_x_parts, to_h_parts) = scan(step, last, (kept, arriving, mask), reverse=not reverse)
    return to_x_parts, to_h, _weight_cotangent(kept[4], to_h_parts), sum(to_h_parts, (0, 1))
