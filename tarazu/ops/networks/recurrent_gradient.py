"""The gradients of `lstm` and `gru`: one scan back over what the forward scan kept, then one product per weight.

Nothing of the forward part is computed again. Both are linear in the cotangents that are given; a cotangent of what was
kept is there in derivatives of higher order only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tarazu.ops.contract import dot_general
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.control_flow.loops import scan
from tarazu.ops.create import zeros_like
from tarazu.ops.elementwise import add, multiply, subtract
from tarazu.ops.reduce import sum
from tarazu.ops.shape import concat

Flags = tuple[bool, ...]
LSTM_STATES, GRU_STATES = 2, 1


def lstm_cotangents(cotangents: Any, outputs: Any, inputs: Any, needed: Any, *, reverse: bool) -> list[Any]:
    """Those of (own, h, c, w_hh) for the results (outputs, h, c, *kept) of `lstm`; see its `_lstm` for what is kept."""
    return list(_lstm_vjp(inputs[3], *_given(cotangents, outputs[1 + LSTM_STATES:]), live=_live(cotangents),
                          reverse=reverse))


def gru_cotangents(cotangents: Any, outputs: Any, inputs: Any, needed: Any, *, reverse: bool) -> list[Any]:
    """Those of (own, h, w_hh, b_hh) for the results (outputs, h, *kept) of `gru`; see its `_gru` for what is kept."""
    return list(_gru_vjp(inputs[2], *_given(cotangents, outputs[1 + GRU_STATES:]), live=_live(cotangents),
                         reverse=reverse))


def _live(cotangents: Sequence[Any]) -> Flags:
    return tuple([g is not None for g in cotangents])


def _given(cotangents: Sequence[Any], kept: Sequence[Any]) -> list[Any]:
    return [*kept, *[g for g in cotangents if g is not None]]


def _parted(values: Sequence[Any], states: int, live: Flags) -> tuple[list[Any], list[Any], list[Any]]:
    """What was kept; the cotangents of the last states; those of the outputs and of what was kept, None where none."""
    count = len(live) - 1 - states
    rest = iter(values[count:])
    of_outputs, *others = [next(rest) if flag else None for flag in live]
    kept = list(values[:count])
    last = [zeros_like(x[0]) if g is None else g for g, x in zip(others[:states], kept[count - states:], strict=True)]
    return kept, last, [of_outputs, *others[states:]]


def _plus(x: Any, cotangent: Any) -> Any:
    return x if cotangent is None else add(x, cotangent)


def _through_sigmoid(cotangent: Any, y: Any) -> Any:
    return multiply(cotangent, multiply(y, subtract(1, y)))


def _through_tanh(cotangent: Any, y: Any) -> Any:
    return multiply(cotangent, subtract(1, multiply(y, y)))


def _weight_cotangent(before: Any, raws: Any) -> Any:
    """The sum over steps and samples of each product of a unit's state before a step with what arrives at a gate."""
    return dot_general(before, raws, ((0, 1), (0, 1)))


@composite("lstm_vjp")
def _lstm_vjp(w_hh: Any, *values: Any, live: Flags, reverse: bool) -> tuple[Any, ...]:
    kept, last, arriving = _parted(values, LSTM_STATES, live)

    def step(states: list[Any], row: tuple[list[Any], list[Any]]) -> tuple[list[Any], Any]:
        (to_h, to_c), (i, f, g, o, tanh_c, _, c) = states, row[0]
        to_y, to_i, to_f, to_g, to_o, to_tanh_c, to_h_before, to_c_before = row[1]
        to_h = _plus(to_h, to_y)
        to_c = add(to_c, _through_tanh(_plus(multiply(to_h, o), to_tanh_c), tanh_c))
        raw = concat([_through_sigmoid(_plus(multiply(to_c, g), to_i), i),
                      _through_sigmoid(_plus(multiply(to_c, c), to_f), f),
                      _through_tanh(_plus(multiply(to_c, i), to_g), g),
                      _through_sigmoid(_plus(multiply(to_h, tanh_c), to_o), o)], 1)
        return [_plus(dot_general(raw, w_hh, ((1,), (1,))), to_h_before), _plus(multiply(to_c, f), to_c_before)], raw

    (to_h, to_c), raws = scan(step, last, (kept, arriving), reverse=not reverse)
    return raws, to_h, to_c, _weight_cotangent(kept[5], raws)


@composite("gru_vjp")
def _gru_vjp(w_hh: Any, *values: Any, live: Flags, reverse: bool) -> tuple[Any, ...]:
    kept, last, arriving = _parted(values, GRU_STATES, live)

    def step(states: list[Any], row: tuple[list[Any], list[Any]]) -> tuple[list[Any], list[Any]]:
        (to_h,), (r, z, n, past_n, h) = states, row[0]
        to_y, to_r, to_z, to_n, to_past_n, to_h_before = row[1]
        to_h = _plus(to_h, to_y)
        raw_n = _through_tanh(_plus(multiply(to_h, subtract(1, z)), to_n), n)
        raw_r = _through_sigmoid(_plus(multiply(raw_n, past_n), to_r), r)
        raw_z = _through_sigmoid(_plus(multiply(to_h, subtract(h, n)), to_z), z)
        past = concat([raw_r, raw_z, _plus(multiply(raw_n, r), to_past_n)], 1)
        before = add(multiply(to_h, z), dot_general(past, w_hh, ((1,), (1,))))
        return [_plus(before, to_h_before)], [concat([raw_r, raw_z, raw_n], 1), past]

    (to_h,), (raws, pasts) = scan(step, last, (kept, arriving), reverse=not reverse)
    return raws, to_h, _weight_cotangent(kept[4], pasts), sum(pasts, (0, 1))
