"""`vdpbf16ps` in plain LLVM IR, for processors that lack it: the programs that use it run, and give the same numbers.

Odd elements are added first, then even ones, each product and sum rounded once, to the nearest even number; subnormal
factors count as 0, and subnormal sums become 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import tarazu.backend.native.compiler as compiler
from tarazu.backend.native.llvm.assemble import object_code
from tarazu.backend.native.llvm.target import Target, host

_NAME = re.compile(r"declare <(\d+) x float> @(llvm\.x86\.avx512bf16\.dpbf16ps\.\d+)\(.*\)")


def emulated(text: str) -> str:
    """The module with functions in the place of the instruction; without its type, which takes a library elsewhere."""
    while (found := _NAME.search(text)) is not None:
        lanes, name = int(found[1]), found[2]
        text = text.replace(found[0], "").replace(name, f"pairs{lanes}") + _definition(lanes)
        declared = f"declare <{lanes} x float> @llvm.fma.v{lanes}f32({', '.join([f'<{lanes} x float>'] * 3)})"
        text += "" if declared in text else f"{declared}\n"
    return text.replace("x bfloat>", "x i16>")


def pair_target(narrowed: str | None = None) -> Target:
    """This processor, as if it had the instruction."""
    return host(narrowed)._replace(has_pairs=True)


def install(monkeypatch, target: Target, emulate: Callable[[str], str] = emulated) -> None:
    """Let programs be compiled for `target`, with the functions, or with those that `emulate` puts into their text."""
    monkeypatch.setattr(compiler, "object_code", lambda text, *rest: object_code(emulate(text), *rest))
    for module in ("program", "inspect.schedule_text"):
        monkeypatch.setattr(f"tarazu.backend.native.{module}.processor", lambda: target)


def _definition(lanes: int) -> str:
    number, bits = f"<{lanes} x float>", f"<{lanes} x i32>"
    lines = [f"define internal {number} @pairs{lanes}({number} %sum, <{2 * lanes} x bfloat> %a, "
             f"<{2 * lanes} x bfloat> %b) #0 {{"]
    for x in "ab":
        lines += [f"%{x}i = bitcast <{2 * lanes} x bfloat> %{x} to {bits}",
                  f"%{x}even = shl {bits} %{x}i, splat (i32 16)",
                  f"%{x}odd = and {bits} %{x}i, splat (i32 4294901760)",
                  *_flushed(f"{x}even", bits, number), *_flushed(f"{x}odd", bits, number)]
    lines += [f"%sumi = bitcast {number} %sum to {bits}", *_flushed("sumi", bits, number)]
    before = "sumif"
    for part in ("odd", "even"):
        lines += [f"%{part} = call {number} @llvm.fma.v{lanes}f32({number} %a{part}f, {number} %b{part}f, "
                  f"{number} %{before})", f"%{part}i = bitcast {number} %{part} to {bits}",
                  *_flushed(f"{part}i", bits, number)]
        before = f"{part}if"
    return "\n".join(["", *lines, f"ret {number} %{before}", "}", ""])


def _flushed(name: str, bits: str, number: str) -> list[str]:
    """`%namef`: the float of the bits `%name`, 0 with its sign where it is subnormal."""
    lanes = bits[1:].split(" ", 1)[0]
    return [f"%{name}e = and {bits} %{name}, splat (i32 2139095040)",
            f"%{name}s = and {bits} %{name}, splat (i32 2147483648)",
            f"%{name}z = icmp eq {bits} %{name}e, zeroinitializer",
            f"%{name}c = select <{lanes} x i1> %{name}z, {bits} %{name}s, {bits} %{name}",
            f"%{name}f = bitcast {bits} %{name}c to {number}"]
