"""Running one row of the elementwise table on arrays: a kernel that loads some lanes, applies the row and stores."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.backend.native.llvm.assemble import Loaded, object_code
from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.target import Target, host
from tarazu.backend.native.llvm.types import HALVES, memory_type
from tarazu.backend.native.llvm.values import Value, vector
from tarazu.backend.native.math.elementwise import emit
from tarazu.backend.native.math.half import load_half, store_half
from tarazu.base import dtypes
from tarazu.base.dtypes import DType
from tarazu.ir.op import Op

Array = np.ndarray


def _load(function: Function, dtype: DType, lanes: int, pointer: Value) -> Value:
    value = function.load(vector(memory_type(dtype), lanes), pointer, dtype.itemsize)
    if dtype in HALVES:
        return load_half(function, value, dtype)
    return function.convert("trunc", value, "i1") if dtype is dtypes.bool_ else value


def _store(function: Function, dtype: DType, value: Value, pointer: Value) -> None:
    if dtype in HALVES:
        value = store_half(function, value, dtype)
    elif dtype is dtypes.bool_:
        value = function.convert("zext", value, "i8")
    function.store(value, pointer, dtype.itemsize)


def text(op: Op, inputs: Sequence[DType], attributes: dict[str, Any], result: DType, lanes: int,
         target: Target, known: Sequence[Value] = ()) -> str:
    """A module with `run(inputs..., result, count)`; `known` values come after the inputs."""
    function = Module().function("run", [*(("ptr", f"x{i}") for i in range(len(inputs))), ("ptr", "y"), ("i64", "n")],
                                 linkage="")
    with function.loop(0, function.parameters["n"], step=lanes or 1) as loop:
        def place(name: str, dtype: DType) -> Value:
            return function.offset(function.parameters[name], loop.index, memory_type(dtype))

        values = [_load(function, dtype, lanes, place(f"x{i}", dtype)) for i, dtype in enumerate(inputs)]
        kinds = [*inputs, *(inputs[0] for _ in known)]
        value = emit(function, target, op, [*values, *known], kinds, attributes, result)
        _store(function, result, value, place("y", result))
    function.ret()
    return function.module.text(target.attributes)


@functools.cache
def _compiled(source: str, target: Target) -> Loaded:
    return Loaded(object_code(source, target))


def compiled(op: Op, inputs: Sequence[DType], result: DType, *, lanes: int = 16, target: Target | None = None,
             known: Sequence[Value] = (), **attributes: Any) -> Callable[..., Array]:
    """The row of `op` as a function of arrays of one size."""
    target = target or host()
    loaded = _compiled(text(op, inputs, attributes, result, lanes, target, known), target)
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(inputs) + 1), ctypes.c_int64)(loaded.address("run"))

    def run(*arrays: Array) -> Array:
        assert loaded
        size = len(arrays[0])
        room = -(-size // (lanes or 1)) * (lanes or 1)
        padded = [np.resize(x, room) for x in arrays]
        out = np.empty(room, result.numpy)
        call(*(x.ctypes.data for x in (*padded, out)), room)
        return out[:size]
    return run
