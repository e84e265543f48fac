"""Products of tensors: MatMul where it fits, Einsum for the rest."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

from tarazu.interop.onnx.export.emitter import Emitter
from tarazu.interop.onnx.export.merged import Typed
from tarazu.interop.onnx.export.values import Order, Value
from tarazu.ir import op as ops
from tarazu.ir.op import Op

Pairs = tuple[Order, Order]


def dot(emit: Emitter, out: Typed, x: Value, y: Value, *, contract: Pairs, batch: Pairs) -> Value:
    free = [tuple(i for i in range(side.rank) if i not in c + b)
            for side, c, b in zip((x, y), contract, batch, strict=True)]
    is_matrix = len(contract[0]) == 1 and len(free[1]) == 1 and (len(free[0]) == 1 or not batch[0])
    if not is_matrix or not free[0]:
        return _einsum(emit, out, x, y, contract, batch)
    left = emit.physical(x, (*batch[0], *free[0], *contract[0]))
    right = emit.physical(y, (*batch[1], *contract[1], *free[1]))
    return emit.op("MatMul", left, right, shape=out.shape)


def _einsum(emit: Emitter, out: Typed, x: Value, y: Value, contract: Pairs, batch: Pairs) -> Value:
    letters = string.ascii_letters
    of_x = letters[:x.rank]
    of_y = list(letters[x.rank:x.rank + y.rank])
    for pairs in (contract, batch):
        for one, other in zip(*pairs, strict=True):
            of_y[other] = of_x[one]
    kept = [of_x[i] for i in batch[0]]
    kept += [of_x[i] for i in range(x.rank) if i not in contract[0] + batch[0]]
    kept += [of_y[i] for i in range(y.rank) if i not in contract[1] + batch[1]]
    return emit.op("Einsum", x, y, shape=out.shape, equation=f"{of_x},{''.join(of_y)}->{''.join(kept)}")


ROWS: dict[Op, Callable[..., Any]] = {ops.DOT: dot}
