"""Sums of products: matrix products, batches of them and convolutions, against numpy.einsum over the same views."""

from __future__ import annotations

import ctypes
import re
from typing import NamedTuple

import numpy as np
import pytest

from tarazu.backend.native.kernels import contraction_choice
from tarazu.backend.native.kernels.contraction import contraction
from tarazu.backend.native.kernels.contraction_form import normal_form
from tarazu.backend.native.kernels.expression import Writer
from tarazu.backend.native.kernels.kernel import Kernel
from tarazu.backend.native.llvm.assemble import Loaded, assembly, object_code
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import Target, aarch64, host
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Accumulated,
    Apply,
    Constant,
    Load,
    Nest,
    Position,
    Reduction,
    Store,
)
from tarazu.base.dtypes import DType, bool_, float32, float64, int64
from tarazu.ir import op as ops

MARGIN = 24  # elements around every buffer that must stay as they are


class Case(NamedTuple):
    """A nest by its sizes and strides; the strides of `out` are those over the kept axes."""

    kept: tuple[int, ...]
    reduced: tuple[int, ...]
    a: tuple[int, ...]
    b: tuple[int, ...]
    out: tuple[int, ...]
    dtype: DType = float32


def product(subscripts: str, dtype: DType = float32, out: str = "", **sizes: int) -> Case:
    """A case by einsum's subscripts, all arrays dense in their written order; `out` is another order in memory."""
    inputs, result = subscripts.split("->")
    first, second = inputs.split(",")
    reduced = "".join(dict.fromkeys(name for name in first + second if name not in result))

    def strides(names: str, axes: str) -> tuple[int, ...]:
        return tuple(int(np.prod([sizes[n] for n in names[names.index(axis) + 1:]])) if axis in names else 0
                     for axis in axes)

    return Case(tuple(sizes[n] for n in result), tuple(sizes[n] for n in reduced), strides(first, result + reduced),
                strides(second, result + reduced), strides(out or result, result), dtype)


def convolution(b: int, h: int, w: int, c: int, o: int, k: int, step: int = 1, dilation: int = 1,
                groups: int = 1) -> Case:
    """A convolution of an already padded input (b, h, w, groups, c) with a kernel (k, k, groups, c, o)."""
    reach = dilation * (k - 1) + 1
    oy, ox, all_c = (h - reach) // step + 1, (w - reach) // step + 1, groups * c
    return Case((b, oy, ox, groups, o), (k, k, c),
                (h * w * all_c, step * w * all_c, step * all_c, c, 0, dilation * w * all_c, dilation * all_c, 1),
                (0, 0, 0, o, 1, k * all_c * o, all_c * o, groups * o),
                (oy * ox * groups * o, ox * groups * o, groups * o, o, 1))


def weight_gradient(b: int, h: int, w: int, c: int, o: int, k: int) -> Case:
    """The gradient of that convolution's kernel, its kept axes in the order (c, ky, kx, o)."""
    oy, ox = h - k + 1, w - k + 1
    return Case((c, k, k, o), (oy, ox, b), (1, w * c, c, 0, w * c, c, h * w * c), (0, 0, 0, 1, ox * o, o, oy * ox * o),
                (o, k * c * o, c * o, 1))


def input_gradient(b: int, h: int, w: int, c: int, o: int, k: int) -> Case:
    """The gradient of a convolution's input, from a padded gradient (b, h, w, o) and the same kernel backwards."""
    oy, ox = h - k + 1, w - k + 1
    return Case((b, oy, ox, c), (k, k, o), (h * w * o, w * o, o, 0, w * o, o, 1),
                (0, 0, 0, o, -k * c * o, -c * o, 1), (oy * ox * c, ox * c, c, 1))


def groups_gradient(b: int, size: int, groups: int, c: int, o: int) -> Case:
    """The gradient of the kernel (c, 3, 3, groups, o) of a convolution in groups of an already padded input."""
    h, left, right = size + 2, groups * c, groups * o
    return Case((c, 3, 3, groups, o), (b, size, size), (1, h * left, left, c, 0, h * h * left, h * left, left),
                (0, 0, 0, o, 1, size * size * right, size * right, right),
                (9 * right, 3 * right, right, o, 1))


def extent(sizes: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, int]:
    """Before and after the first element: how far a buffer reaches."""
    reach = [(n - 1) * s for n, s in zip(sizes, strides, strict=False)]
    return -sum(r for r in reach if r < 0), sum(r for r in reach if r > 0) + 1


def view(buffer: np.ndarray, offset: int, sizes: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    return np.lib.stride_tricks.as_strided(buffer[offset:], sizes, [s * buffer.itemsize for s in strides])


class Buffers(NamedTuple):
    """Random numbers in arrays with a margin, and the offset of the first element of each."""

    arrays: list[np.ndarray]
    offsets: list[int]


def buffers(case: Case, *strides: tuple[int, ...]) -> Buffers:
    random = np.random.default_rng(0)
    arrays, offsets = [], []
    for one in strides:
        before, after = extent(case.kept + case.reduced, one)
        arrays.append(random.standard_normal(before + after + 2 * MARGIN).astype(case.dtype.name))
        offsets.append(before + MARGIN)
    return Buffers(arrays, offsets)


def expected(case: Case, made: Buffers) -> np.ndarray:
    """The sums, in double precision."""
    return summed(case, [array.astype("float64") for array in made.arrays[:2]], made.offsets)


def rounding(case: Case, made: Buffers) -> np.ndarray:
    """How far sums in whatever order may be off: as many roundings as terms, relative to the sum of all magnitudes."""
    magnitudes = summed(case, [np.abs(array.astype("float64")) for array in made.arrays[:2]], made.offsets)
    return magnitudes * (np.prod(case.reduced) + 2) * np.finfo(case.dtype.name).eps


def summed(case: Case, arrays: list[np.ndarray], offsets: list[int]) -> np.ndarray:
    sizes = case.kept + case.reduced
    a, b = (view(array, offset, sizes, strides)
            for array, offset, strides in zip(arrays, offsets, (case.a, case.b), strict=False))
    every = list(range(len(sizes)))
    return np.einsum(a, every, b, every, every[:len(case.kept)], optimize=False)


def nest(case: Case, made: Buffers, stores: tuple[Store, ...] | None = None) -> Nest:
    loads = tuple(Load(Access(i, case.dtype, made.offsets[i], strides)) for i, strides in enumerate((case.a, case.b)))
    total = Reduction(ops.SUM, Apply(ops.MUL, loads, (), case.dtype))
    plain = (Store(Accumulated(0, case.dtype), Access(2, case.dtype, made.offsets[2], case.out)),)
    return Nest(case.kept + case.reduced, len(case.kept), (total,), stores or plain)


def written(nest: Nest, target: Target, threads: int = 2) -> tuple[Module, Kernel | None]:
    """The kernel with an entry that can be called from outside."""
    module = Module()
    kernel = contraction(module, target, "kernel", nest, Writer(target), threads)
    if kernel:
        inner = module.functions["kernel"]
        parameters = [(value.type, name) for name, value in inner.parameters.items()]
        entry = module.function("entry", parameters, linkage="")
        entry.call("void", "kernel", *entry.parameters.values())
        entry.ret()
    return module, kernel


def run(nest: Nest, arrays: list[np.ndarray], target: Target, shares: int, only: int | None = None) -> Kernel:
    """Execute a nest on arrays, its items in so many shares one after the other, or just the share number `only`."""
    module, kernel = written(nest, target, max(shares, 2))
    assert kernel is not None
    loaded = Loaded(object_code(module.text(target.attributes), target))
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (1 + len(arrays)), ctypes.c_int64, ctypes.c_int64)(
        loaded.address("entry"))
    for share in range(shares) if only is None else [only]:
        memory = np.full(kernel.scratch + 128, 255, np.uint8)
        start = -memory.ctypes.data % 64
        function(memory.ctypes.data + start, *[array.ctypes.data for array in arrays], kernel.items * share // shares,
                 kernel.items * (share + 1) // shares)
        assert np.all(memory[start + kernel.scratch:] == 255)
    return kernel


def check(case: Case, target: Target, shares: int = 1) -> None:
    made = buffers(case, case.a, case.b, case.out)
    wanted, allowed = made.arrays[2].astype("float64"), np.zeros(len(made.arrays[2]))
    view(wanted, made.offsets[2], case.kept, case.out)[...] = expected(case, made)
    view(allowed, made.offsets[2], case.kept, case.out)[...] = rounding(case, made)
    run(nest(case, made), made.arrays, target, shares)
    worst = np.argmax(np.abs(made.arrays[2] - wanted) - allowed)
    assert abs(made.arrays[2][worst] - wanted[worst]) <= allowed[worst]


CASES = {
    "nn": product("mk,kn->mn", m=64, k=50, n=128),
    "nn odd": product("mk,kn->mn", m=37, k=41, n=83),
    "nn tiny": product("mk,kn->mn", m=16, k=4, n=3),
    "nn ten": product("mk,kn->mn", m=64, k=20, n=10),
    "nn double": product("mk,kn->mn", float64, m=21, k=17, n=43),
    "nn one row": product("mk,kn->mn", m=1, k=33, n=70),
    "nn wide rows": product("mk,kn->mn", m=40, k=300, n=1024),
    "tn": product("km,kn->mn", m=50, k=31, n=48),
    "nt": product("mk,nk->mn", m=29, k=53, n=100),
    "nt short": product("mk,nk->mn", m=29, k=5, n=100),
    "nt double": product("mk,nk->mn", float64, m=29, k=21, n=19),
    "tt": product("km,nk->mn", m=33, k=40, n=35),
    "nn to transposed": product("mk,kn->mn", out="nm", m=33, k=40, n=35),
    "matrix vector": product("km,k->m", m=100, k=65),
    "vector matrix": product("k,kn->n", n=100, k=65),
    "outer": product("m,n->mn", m=21, n=37),
    "batch": product("bmk,bkn->bmn", b=3, m=21, k=10, n=37),
    "few batches, nt": product("bmk,bnk->bmn", b=2, m=21, k=40, n=70),
    "scores": product("bthd,bshd->bhts", b=3, t=20, h=4, s=24, d=32),
    "mixtures": product("bhts,bshd->bthd", b=3, t=20, h=4, s=24, d=32),
    "two inner": product("aibj,ijn->abn", a=3, i=4, b=5, j=6, n=40),
    "long": product("km,kn->mn", m=60, k=9000, n=33),
    "long nt": product("mk,nk->mn", m=50, k=5000, n=33),
    "long rows": product("km,kn->mn", m=300, k=5003, n=16),
    "tn wide": product("km,kn->mn", m=70, k=600, n=100),
    "tn double": product("km,kn->mn", float64, m=45, k=150, n=70),
    "nn deep": product("mk,kn->mn", m=80, k=2000, n=150),
    "nt deep": product("mk,nk->mn", m=80, k=2000, n=170),
    "nn apart": product("mk,kn->mn", m=150, k=900, n=256),
    "backwards": Case((20, 30), (10,), (-10, 0, -1), (0, -1, 30), (30, -1)),
    "apart": Case((20, 30), (10,), (50, 0, 3), (0, 2, 70), (70, 2)),
    "conv": convolution(2, 9, 15, 8, 24, 3),
    "conv few places": convolution(16, 4, 4, 5, 6, 3),
    "conv stride": convolution(2, 9, 15, 3, 24, 3, step=2),
    "conv dilation": convolution(2, 9, 15, 3, 17, 3, dilation=2),
    "conv one channel": convolution(3, 12, 12, 1, 32, 3),
    "conv groups": convolution(2, 9, 9, 4, 20, 3, groups=3),
    "conv groups of four": convolution(2, 9, 9, 4, 4, 3, groups=5),
    "conv groups of two": convolution(2, 9, 9, 2, 2, 3, groups=9),
    "conv 1x1": convolution(2, 5, 7, 9, 24, 1),
    "depthwise": Case((2, 7, 7, 40), (3, 3), (9 * 9 * 40, 9 * 40, 40, 1, 9 * 40, 40), (0, 0, 0, 1, 120, 40),
                      (7 * 7 * 40, 7 * 40, 40, 1)),
    "depthwise dw": groups_gradient(2, 7, 40, 1, 1),
    "depthwise dw large": groups_gradient(21, 14, 40, 1, 1),
    "conv dx": input_gradient(2, 9, 9, 24, 20, 3),
    "conv dx few": input_gradient(2, 9, 9, 3, 5, 3),
    "conv dw": weight_gradient(4, 9, 9, 8, 24, 3),
    "conv dw one channel": weight_gradient(4, 12, 12, 1, 32, 3),
    "conv dw long": weight_gradient(60, 15, 15, 4, 64, 3),
    "conv dw groups": groups_gradient(2, 7, 3, 4, 12),
    **{f"tn blocks of {k}": product("km,kn->mn", m=40, k=k, n=80) for k in (1024, 1030, 1031)},
    "nn large weight": product("mk,kn->mn", m=305, k=1031, n=1201),
    "nt large weight": product("mk,nk->mn", m=305, k=1031, n=1201),
    "tn large gradient": product("km,kn->mn", m=305, k=1031, n=1201),
    "conv dw groups of four": groups_gradient(21, 14, 10, 4, 4),
    "conv dw wider groups": groups_gradient(9, 12, 5, 8, 24),
}


@pytest.mark.parametrize("name", CASES)
def test_equals_einsum(name):
    for shares in (1, 2, 3):
        check(CASES[name], host(), shares)


@pytest.mark.parametrize("threads", [1, 2, 16])
def test_tiles_that_are_not_looked_at_are_no_cheaper(monkeypatch, threads):
    target = host()
    nests = [nest(case, buffers(case, case.a, case.b, case.out)) for case in CASES.values()]
    forms = [form for each in nests if (form := normal_form(each, target.vector_bytes)) is not None]
    chosen = [contraction_choice.choose_contraction(form, target, threads) for form in forms]
    monkeypatch.setattr(contraction_choice, "_least_cost", lambda *_: 0.0)  # so all of them are
    assert chosen == [contraction_choice.choose_contraction(form, target, threads) for form in forms]


@pytest.mark.parametrize("name", ["nn odd", "nn wide rows", "nt", "conv", "conv dw long"])
def test_equals_einsum_for_many_threads(name):
    check(CASES[name], host(), 16)


@pytest.mark.parametrize(("sizes", "kinds"), [({"m": 100, "k": 64, "n": 36}, 1), ({"m": 999, "k": 700, "n": 1001}, 2)])
def test_small_products_have_one_kind_of_tile(sizes, kinds):  # each takes LLVM longer than many runs
    case = product("mk,kn->mn", **sizes)
    target = host()._replace(vector_bytes=32, registers=32)
    module, _ = written(nest(case, buffers(case, case.a, case.b, case.out)), target)
    assert len([name for name in module.functions if re.fullmatch(r"kernel_\d+x\d+", name)]) == kinds


@pytest.mark.parametrize(("subscripts", "sizes", "words"), [
    ("km,kn->mn", {"m": 768, "k": 2048, "n": 192}, "left packed"),  # the gradient of a weight
    ("mk,nk->mn", {"m": 512, "k": 768, "n": 5000}, "rows of tiles at a time"),  # large outputs
    ("mk,kn->mn", {"m": 2048, "k": 192, "n": 576}, "packed")])  # rows of the weight collide in the cache
def test_factors_that_caches_do_not_hold_are_packed(subscripts, sizes, words):
    case = product(subscripts, **sizes)
    target = host()._replace(vector_bytes=32, registers=16)
    kernel = written(nest(case, buffers(case, case.a, case.b, case.out)), target, 1)[1]
    assert kernel is not None
    assert words in kernel.tile


def test_large_factors_with_long_rows_are_read_block_by_block():
    case = groups_gradient(32, 16, 64, 1, 1)
    kernel = written(nest(case, buffers(case, case.a, case.b, case.out)), host("avx2"))[1]
    assert kernel is not None and "blocks 32" in kernel.tile, kernel.tile


@pytest.mark.parametrize("channels", [4, 8])
def test_groups_that_lie_side_by_side_are_summed_block_by_block(channels):
    case = groups_gradient(32, 16, 128 // channels, channels, channels)
    kernel = written(nest(case, buffers(case, case.a, case.b, case.out)), host("avx2"))[1]
    assert kernel is not None and "blocks 32" in kernel.tile, kernel.tile


def test_batches_that_lie_apart_are_not():
    case = product("bkm,bkn->bmn", b=32, k=128, m=64, n=64)
    kernel = written(nest(case, buffers(case, case.a, case.b, case.out)), host("avx2"))[1]
    assert kernel is not None and "blocks 1," in kernel.tile, kernel.tile


def test_a_tile_leaves_a_register_free():  # with none the sums of blocks go through memory at half the speed
    case = product("mk,kn->mn", m=512, k=768, n=3000)
    target = host()._replace(vector_bytes=32, registers=16)
    kernel = written(nest(case, buffers(case, case.a, case.b, case.out)), target)[1]
    assert kernel is not None
    assert "tile 6 x 16" in kernel.tile


def test_items_of_rows_are_equal_parts_of_the_first_axis():
    case = product("mk,kn->mn", m=64, k=20, n=10)
    made = buffers(case, case.a, case.b, case.out)
    target = host()._replace(vector_bytes=64, registers=32)  # what is written depends on it, and is not run here
    kernel = written(nest(case, made), target)[1]
    assert kernel is not None
    assert kernel.rows == kernel.items > 1
    assert kernel.items * kernel.per_item == 64


@pytest.mark.parametrize("name", CASES)
def test_items_that_are_rows_write_no_others(name):
    case = CASES[name]
    made = buffers(case, case.a, case.b, case.out)
    found = view(made.arrays[2], made.offsets[2], case.kept, case.out)
    before = found.copy()
    kernel = run(nest(case, made), made.arrays, host(), 2, only=0)
    if kernel.rows:
        own = kernel.items // 2 * kernel.per_item
        assert (found[:own] != before[:own]).all()
        assert (found[own:] == before[own:]).all()


@pytest.mark.parametrize("narrowed", ["avx2", "sse"])
@pytest.mark.parametrize("name", ["nn odd", "nn double", "nt", "nt double", "scores", "conv stride", "depthwise",
                                  "conv dw", "apart", "long rows", "conv groups of four", "conv dw groups of four"])
def test_equals_einsum_on_older_processors(name, narrowed):
    check(CASES[name], host(narrowed), 2)


@pytest.mark.parametrize("name", ["nn odd", "nt double", "conv stride", "conv dw long"])
def test_code_for_arm(name):
    case = CASES[name]
    module, kernel = written(nest(case, buffers(case, case.a, case.b, case.out)), aarch64())
    assert kernel is not None
    assert "fmla" in assembly(module.text(aarch64().attributes), aarch64())


def test_epilogue_stores_several_results():
    case = product("mk,kn->mn", m=30, k=40, n=70)
    made = buffers(case, case.a, case.b, case.out, (0, 1), case.out)
    add = Apply(ops.ADD, (Accumulated(0, float32), Load(Access(3, float32, made.offsets[3], (0, 1)))), (), float32)
    relu = Apply(ops.MAXIMUM, (add, Constant(0, float32)), (), float32)
    stores = (Store(add, Access(2, float32, made.offsets[2], case.out)),
              Store(relu, Access(4, float32, made.offsets[4], case.out)))
    wanted = expected(case, made) + made.arrays[3][made.offsets[3]:][:70]
    run(nest(case, made, stores), made.arrays, host(), 2)
    for which, result in ((2, wanted), (4, np.maximum(wanted, 0))):
        found = view(made.arrays[which], made.offsets[which], case.kept, case.out)
        np.testing.assert_allclose(found, result, atol=1e-4)


def test_epilogue_updates_in_place():
    case = product("km,kn->mn", m=45, k=3000, n=52)
    made = buffers(case, case.a, case.b, case.out, ())
    rate = Load(Access(3, float32, made.offsets[3], (0, 0)))
    place = Access(2, float32, made.offsets[2], case.out)
    step = Apply(ops.MUL, (rate, Accumulated(0, float32)), (), float32)
    stores = (Store(Apply(ops.SUB, (Load(place), step), (), float32), place),)
    wanted = view(made.arrays[2], made.offsets[2], case.kept, case.out).copy()
    wanted = wanted - made.arrays[3][MARGIN] * expected(case, made)
    run(nest(case, made, stores), made.arrays, host(), 3)
    np.testing.assert_allclose(view(made.arrays[2], made.offsets[2], case.kept, case.out), wanted, atol=3e-3)


def adam(gradient, weight, first, second, number):
    """The update of Adam, in whatever arithmetic the arguments have; `number` makes constants for it."""
    first = first * number(0.9) + gradient * number(0.1)
    second = second * number(0.99) + gradient * gradient * number(0.01)
    return weight - first * number(0.05) / (second * second + number(1)), first, second


class Symbol:
    """An expression of a nest that is written with operators."""

    def __init__(self, expression) -> None:
        self.expression = expression


for _name, _op in {"add": ops.ADD, "sub": ops.SUB, "mul": ops.MUL, "truediv": ops.DIV}.items():
    setattr(Symbol, f"__{_name}__", lambda x, y, op=_op: Symbol(
        Apply(op, (x.expression, y.expression), (), x.expression.dtype)))


@pytest.mark.parametrize("name", ["nn odd", "nt double", "long rows", "conv dw", "conv dw one channel", "conv dw long"])
def test_epilogue_of_a_whole_update(name):
    case = CASES[name]
    made = buffers(case, case.a, case.b, case.out, case.out, case.out)
    places = [Access(i, case.dtype, made.offsets[i], case.out) for i in (2, 3, 4)]
    results = adam(Symbol(Accumulated(0, case.dtype)), *[Symbol(Load(place)) for place in places],
                   lambda number: Symbol(Constant(number, case.dtype)))
    stores = tuple(Store(result.expression, place) for result, place in zip(results, places, strict=True))
    state = [view(made.arrays[i], made.offsets[i], case.kept, case.out).astype("float64") for i in (2, 3, 4)]
    wanted = adam(expected(case, made), *state, float)
    run(nest(case, made, stores), made.arrays, host(), 2)
    exactness = 1e-3 if case.dtype is float32 else 1e-10
    for i, result in zip((2, 3, 4), wanted, strict=True):
        found = view(made.arrays[i], made.offsets[i], case.kept, case.out)
        np.testing.assert_allclose(found, result, rtol=exactness, atol=exactness)


def test_epilogue_knows_its_place():
    case = product("mk,kn->mn", m=30, k=40, n=70)
    made = buffers(case, case.a, case.b, case.out)
    above = Apply(ops.LESS, (Position(0, (1, 0), int64), Position(0, (0, 1), int64)), (), bool_)
    kept = Apply(ops.WHERE, (above, Accumulated(0, float32), Constant(0, float32)), (), float32)
    stores = (Store(kept, Access(2, float32, made.offsets[2], case.out)),)
    wanted = np.triu(expected(case, made), 1)
    run(nest(case, made, stores), made.arrays, host(), 2)
    np.testing.assert_allclose(view(made.arrays[2], made.offsets[2], case.kept, case.out), wanted, atol=1e-4)


@pytest.mark.parametrize("case", [product("k,k->", k=40), product("mk,kn->mn", m=3, k=0, n=4),
                                  product("mk,k->m", m=64, k=200)])
def test_leaves_the_rest_to_others(case):
    made = buffers(case, case.a, case.b, case.out)
    assert written(nest(case, made), host())[1] is None
