"""The instructions of AMX in plain LLVM IR, for processors that lack it: tiles lie in memory, with their shapes. And
vscalef, which targets with vectors of 512 bits have.

A program has one set of tiles, so a kernel that uses them waits until the kernel of another thread has released them.
Of shapes that do not fit each other, for which the processor stops a program, the sums are no numbers. Subnormal
numbers are kept, which the processor takes for 0.
"""

from __future__ import annotations

import functools
import math
import re

from support import pair_products

from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.target import Target, host
from tarazu.backend.native.llvm.values import Value, constant, short_name

_NAMES = {name: f"emulated_{name}" for name in ("ldtilecfg", "tilerelease", "tilezero", "tileloadd64", "tilestored64",
                                                "tdpbf16ps")}
_DECLARED = re.compile(rf"declare void @llvm\.x86\.({'|'.join(_NAMES)})\(.*\)\n")
_SCALE = re.compile(r"declare (<\d+ x (?:float|double)>) @(llvm\.x86\.avx512\.mask\.scalef\.[.\w]+)\((.*)\)\n")
_STATE = Value("@tiles", "ptr")  # the configuration, then eight tiles
_LOCK = Value("@tiles_lock", "ptr")
_SHAPES, _TILE, _ROW = 64, 1024, 64  # bytes
_WIDTHS, _HEIGHTS = 16, 48  # where they are in a configuration
_SUMS = "<16 x float>"


def matrix_target() -> Target:
    """This processor, as if it had the instructions, and vectors of 512 bits."""
    return host()._replace(vector_bytes=64, registers=32, has_pairs=True, has_matrices=True)


def install(monkeypatch, target: Target) -> None:
    """Let programs be compiled for `target`, with the functions, and none be taken from the cache."""
    monkeypatch.setenv("TARAZU_CACHE", "off")
    pair_products.install(monkeypatch, target, emulated)


def emulated(text: str) -> str:
    """The module with functions in the place of the instructions, those of pairs too."""
    text, count = _DECLARED.subn("", text)
    for name, own in _NAMES.items():
        text = text.replace(f"@llvm.x86.{name}(", f"@{own}(")
    while (found := _SCALE.search(text)) is not None:
        type_, name, parameters = found.groups()
        text = text.replace(found[0], "").replace(name, f"emulated.{name}") + _scaling(type_, name, parameters)
    return pair_products.emulated(text + (_definitions() if count else ""))


def _scaling(type_: str, name: str, parameters: str) -> str:
    """A function for x 2^n with all lanes, where the result is a normal number."""
    short = short_name(type_)
    listed = ", ".join([f"{parameter} %{i}" for i, parameter in enumerate(re.split(r", (?![^<]*>)", parameters))])
    return (f"declare {type_} @llvm.exp2.{short}({type_})\ndefine internal {type_} @emulated.{name}({listed}) #0 {{\n"
            f"%power = call {type_} @llvm.exp2.{short}({type_} %1)\n%result = fmul {type_} %0, %power\n"
            f"ret {type_} %result\n}}\n")


@functools.cache
def _definitions() -> str:
    module = Module()
    module.globals["tiles"] = f"@tiles = internal global [{_SHAPES + 8 * _TILE} x i8] zeroinitializer, align 64"
    module.globals["tiles_lock"] = "@tiles_lock = internal global i32 0, align 4"
    _set_shapes(module.function("emulated_ldtilecfg", [("ptr", "from")]))
    _release(module.function("emulated_tilerelease", []))
    _zero(module.function("emulated_tilezero", [("i8", "tile")]))
    _load(module.function("emulated_tileloadd64", [("i8", "tile"), ("ptr", "from"), ("i64", "row")]))
    _store(module.function("emulated_tilestored64", [("i8", "tile"), ("ptr", "to"), ("i64", "row")]))
    _add_product(module.function("emulated_tdpbf16ps", [("i8", "total"), ("i8", "left"), ("i8", "right")]))
    return module.text().split("attributes #0")[0]


def _set_shapes(f: Function) -> None:
    free, wait = f.label("free"), f.label("wait")
    f.do(f"br label %{wait}")
    f.start(wait)
    f.do(f"%old = cmpxchg ptr {_LOCK.text}, i32 0, i32 1 acquire monotonic")
    f.do("%done = extractvalue { i32, i1 } %old, 1")
    f.do(f"br i1 %done, label %{free}, label %{wait}")
    f.start(free)
    with f.loop(0, _SHAPES, 8) as loop:
        f.store(f.load("i64", f.offset(f.parameters["from"], loop.index), 8), f.offset(_STATE, loop.index), 8)
    f.ret()


def _release(f: Function) -> None:
    with f.loop(0, _SHAPES, 8) as loop:
        f.store(constant("i64", 0), f.offset(_STATE, loop.index), 8)
    f.do(f"store atomic i32 0, ptr {_LOCK.text} release, align 4")
    f.ret()


def _zero(f: Function) -> None:
    _clear(f, _memory(f, "tile"))
    f.ret()


def _clear(f: Function, tile: Value) -> None:
    with f.loop(0, _TILE, _ROW) as row:
        f.store(constant(_SUMS, 0), f.offset(tile, row.index), _ROW)


def _load(f: Function) -> None:
    tile = _memory(f, "tile")
    _clear(f, tile)
    with f.loop(0, _rows(f, "tile")) as row, f.loop(0, _width(f, "tile"), 4) as place:
        source = f.offset(f.offset(f.parameters["from"], f.multiply(row.index, f.parameters["row"])), place.index)
        f.store(f.load("i32", source, 1), f.offset(f.offset(tile, f.multiply(row.index, _ROW)), place.index), 4)
    f.ret()


def _store(f: Function) -> None:
    tile = _memory(f, "tile")
    with f.loop(0, _rows(f, "tile")) as row, f.loop(0, _width(f, "tile"), 4) as place:
        to = f.offset(f.offset(f.parameters["to"], f.multiply(row.index, f.parameters["row"])), place.index)
        f.store(f.load("i32", f.offset(f.offset(tile, f.multiply(row.index, _ROW)), place.index), 4), to, 1)
    f.ret()


def _add_product(f: Function) -> None:
    """Of each pair the first products are summed for themselves, and the second ones, before they meet the total."""
    total, left, right = (_memory(f, name) for name in ("total", "left", "right"))
    pairs = f.divide(_width(f, "left"), 4)
    fit = [f.compare("icmp eq", one, other) for one, other in (
        (f.index(_rows(f, "total")), f.index(_rows(f, "left"))), (f.index(pairs), f.index(_rows(f, "right"))),
        (f.index(_width(f, "total")), f.index(_width(f, "right"))))]
    wrong = f.select(f.op("and", f.op("and", fit[0], fit[1]), fit[2]), constant("float", 0),
                     constant("float", math.nan))
    with f.loop(0, _rows(f, "total")) as row:
        place = f.offset(total, f.multiply(row.index, _ROW))
        a_row = f.offset(left, f.multiply(row.index, _ROW))
        with f.loop(0, pairs, carried=[constant(_SUMS, 0)] * 2) as pair:
            a = f.splat(f.load("i32", f.offset(a_row, f.multiply(pair.index, 4)), 4), 16)
            b = f.load("<16 x i32>", f.offset(right, f.multiply(pair.index, _ROW)), _ROW)
            pair.next = [f.op("fadd", value, f.op("fmul", part(f, a), part(f, b)))
                         for value, part in zip(pair.values, (_first, _second), strict=True)]
        added = f.op("fadd", f.op("fadd", *pair.results), f.splat(wrong, 16))
        f.store(f.op("fadd", f.load(_SUMS, place, _ROW), added), place, _ROW)
    f.ret()


def _first(f: Function, pairs: Value) -> Value:
    return f.convert("bitcast", f.op("shl", pairs, constant(pairs.type, 16)), "float")


def _second(f: Function, pairs: Value) -> Value:
    return f.convert("bitcast", f.op("and", pairs, constant(pairs.type, 0xFFFF0000)), "float")


def _memory(f: Function, name: str) -> Value:
    return f.offset(f.offset(_STATE, _SHAPES), f.multiply(_number(f, name), _TILE))


def _rows(f: Function, name: str) -> Value:
    return f.convert("zext", f.load("i8", f.offset(f.offset(_STATE, _HEIGHTS), _number(f, name)), 1), "i64")


def _width(f: Function, name: str) -> Value:
    """The bytes of each row."""
    return f.convert("zext", f.load("i16", f.offset(f.offset(_STATE, _WIDTHS), _number(f, name), "i16"), 2), "i64")


def _number(f: Function, name: str) -> Value:
    return f.convert("zext", f.parameters[name], "i64")
