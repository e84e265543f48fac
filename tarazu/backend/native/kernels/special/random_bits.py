"""The random generator Philox 4x32-10 (`base/formulas/philox.py`), a block of four words per lane.

A word takes the low half of 64 bits, where the products have room.
"""

from __future__ import annotations

from collections.abc import Sequence

from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.kernels.special.kernel_function import KernelFunction
from tarazu.backend.native.llvm.function import Function, Module
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.values import Value, constant, constants, vector
from tarazu.base.formulas.philox import MULTIPLIERS, ROUNDS, WEYL, WORD
from tarazu.ir.node import Node


def random_bits(module: Module, target: Target, name: str, node: Node) -> Kernel | None:
    """The kernel of a draw of random words; an item is as many blocks as a vector has lanes."""
    size, lanes = node.type.size, target.vector_bytes // 8
    if size >= 4 << 32:  # the number of a block would need a second word
        return None
    kernel, group = KernelFunction(module, name, node), 4 * lanes
    if not size:
        return kernel.finish(0)
    writer = _Philox(kernel.f, kernel.inputs[0], lanes)
    with kernel.f.loop(kernel.begin, kernel.f.minimum(kernel.end, size // group)) as loop:
        writer.store(loop.index, kernel.f.offset(kernel.outputs[0], kernel.f.multiply(loop.index, group), "i32"))
    if size % group:
        _rest(kernel, writer, size // group, group, size % group)
        return kernel.finish(size // group + 1, scratch=4 * group)
    return kernel.finish(size // group, rows=size // group)


def _rest(kernel: KernelFunction, writer: _Philox, item: int, group: int, words: int) -> None:
    """The last item, which is cut off: it is written to the scratch memory, and its first words are copied."""
    f = kernel.f
    first = f.compare("icmp sle", kernel.begin, f.index(item))
    last = f.compare("icmp sgt", kernel.end, f.index(item))
    with f.when(f.op("and", first, last)):
        writer.store(item, kernel.frame)
        with f.loop(0, words) as loop:
            word = f.load("i32", f.offset(kernel.frame, loop.index, "i32"), 4)
            f.store(word, f.offset(kernel.outputs[0], f.add(loop.index, item * group), "i32"), 4)


class _Philox:
    """Writes the blocks of one draw; what all of them share is computed ahead of the loop."""

    def __init__(self, f: Function, state: Value, lanes: int) -> None:
        self.f, self.lanes, self.type = f, lanes, vector("i64", lanes)
        words = [f.load("i32", f.offset(state, word, "i32"), 4) for word in range(4)]
        self.draw = [self.in_both_halves(word) for word in words[2:]]
        self.keys = [[self.in_both_halves(f.op("add", word, constant("i32", round_ * weyl & WORD)))
                      for word, weyl in zip(words[:2], WEYL, strict=True)] for round_ in range(ROUNDS)]

    def in_both_halves(self, word: Value) -> Value:
        """A word in both halves of every lane: with high halves of 0, LLVM would move the masks away from products."""
        words = self.f.splat(word, 2 * self.lanes)
        return self.f.emit(self.type, f"bitcast {words.type} {words.text} to {self.type}")

    def store(self, item: int | Value, pointer: Value) -> None:
        """The words of the item's blocks, block after block."""
        f, lanes = self.f, self.lanes
        blocks = f.op("add", f.splat(f.index(f.multiply(item, lanes)), lanes), constants("i64", range(lanes)))
        c0, c1, c2, c3 = self.words(blocks)
        low, high = self.pair(c0, c1), self.pair(c2, c3)
        for half in range(2):
            order = [source for lane in range(half * lanes // 2, (half + 1) * lanes // 2)
                     for source in (lane, lane + lanes)]
            f.store(f.shuffle(low, high, order), f.offset(pointer, half * lanes, "i64"), 4)

    def words(self, blocks: Value) -> Sequence[Value]:
        """The four words of each block; the bits above their 32 have no meaning."""
        f, half = self.f, constant(self.type, 32)
        c0, c1, c2, c3 = blocks, constant(self.type, 0), *self.draw
        for k0, k1 in self.keys:
            first, second = (f.op("mul", self.low(c), constant(self.type, multiplier))
                             for c, multiplier in zip((c0, c2), MULTIPLIERS, strict=True))
            c0 = f.op("xor", f.op("xor", f.op("lshr", second, half), c1), k0)
            c2 = f.op("xor", f.op("xor", f.op("lshr", first, half), c3), k1)
            c1, c3 = second, first
        return c0, c1, c2, c3

    def low(self, word: Value) -> Value:
        """The low halves alone; LLVM then sees that products need 32 bits of them only."""
        return self.f.op("and", word, constant(self.type, WORD))

    def pair(self, low: Value, high: Value) -> Value:
        """Two words side by side."""
        return self.f.op("or", self.low(low), self.f.op("shl", high, constant(self.type, 32)))
