"""Products of bfloat16 by the tiles of AMX: their values, by an emulation of the instructions, and their code."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from support.matrix_products import emulated, install, matrix_target
from test_contraction import Case, extent, product, view
from test_pairs import CASES, assert_close_to_float32, code, halves, numbers, with_gradients

import tarazu as tz
from tarazu.backend.native import cache
from tarazu.backend.native.compiler import lower
from tarazu.backend.native.kernels import contraction, contraction_choice
from tarazu.backend.native.kernels.amx.operations import Shape, set_shapes
from tarazu.backend.native.kernels.contraction_choice import Choice
from tarazu.backend.native.kernels.expression import Writer
from tarazu.backend.native.llvm import permission
from tarazu.backend.native.llvm.assemble import FULL, QUICK, Loaded, object_code
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import Target, amx_bf16, avx512_bf16, host
from tarazu.backend.native.lowering.loop_nest import (
    Access,
    Accumulated,
    Load,
    Nest,
    Reduction,
    Store,
    Triangle,
    loads,
    product_of_pairs,
)
from tarazu.backend.native.lowering.prepare import prepare
from tarazu.base.dtypes import float32, uint32
from tarazu.ir import op as ops
from tarazu.runtime.compile import simplified


def whole_numbers(*shapes: tuple[int, ...]) -> list[tz.Tensor]:
    """Tensors of bfloat16 whose products and sums have no roundings."""
    random = np.random.default_rng(1)
    return [tz.tensor(random.integers(-2, 3, shape).astype(np.float32)).astype("bfloat16") for shape in shapes]


# Values of kernels: each way to divide a product

def nest_of(case: Case, triangle: Triangle | None = None) -> tuple[Nest, list[np.ndarray]]:
    """The nest of a product of pairs, of which the axes of the case are, and memory with numbers for it."""
    random, memory, offsets = np.random.default_rng(0), [], []
    for strides in (case.a, case.b, case.out):
        before, after = extent(case.kept + case.reduced, strides)
        bits = random.integers(-4, 5, 2 * (before + after + 32)).astype(np.float32).view(np.uint32) >> 16
        memory.append(bits.astype(np.uint16).view(np.uint32) if strides is not case.out
                      else np.zeros(before + after + 32, np.float32))
        offsets.append(before + 16)
    a, b = (Load(Access(i, uint32, offsets[i], strides)) for i, strides in enumerate((case.a, case.b)))
    store = Store(Accumulated(0, float32), Access(2, float32, offsets[2], case.out))
    total = Reduction(ops.SUM, product_of_pairs(a, b))
    return Nest(case.kept + case.reduced, len(case.kept), (total,), (store,), triangle=triangle), memory


def expected(case: Case, nest: Nest, memory: list[np.ndarray]) -> np.ndarray:
    every = list(range(len(nest.sizes)))
    total = np.zeros(case.kept, np.float32)
    for shift in (0, 16):
        a, b = (view((memory[i] >> shift << 16).view(np.float32), access.offset, nest.sizes, access.strides)
                for i, access in enumerate(load_accesses(nest)))
        total += np.einsum(a, every, b, every, every[:nest.kept])
    return total


def load_accesses(nest: Nest) -> list[Access]:
    return loads(nest.reductions[0].value)


def matrix_choices(nest: Nest, target: Target, threads: int) -> list[Choice]:
    """The ways to do a product by tiles that differ in more than the number of their parts."""
    found: dict[tuple, Choice] = {}

    def note(form, layout, tile, *rest) -> Iterator[Choice]:
        for choice in original(form, layout, tile, *rest):
            if choice.tile.pairs:
                uneven = form.kept[tile.cut] % tile.parts > 0
                found.setdefault(choice._replace(cost=0, tile=tile._replace(parts=uneven)), choice)
            yield choice

    original = contraction_choice._choices
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contraction_choice, "_choices", note)
        contraction_choice.choose_contraction(contraction.normal_form(nest, target.vector_bytes), target, threads)
    return list(found.values())


def run(nest: Nest, memory: list[np.ndarray], choice: Choice, shares: int) -> str:
    """Run the kernel of a choice on memory, its items in so many shares; gives what it says of itself."""
    target, module = matrix_target(), Module()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contraction, "choose_contraction", lambda *_: choice)
        kernel = contraction.contraction(module, target, "kernel", nest, Writer(target), shares)
    entry = module.function("entry", [(x.type, name) for name, x in module.functions["kernel"].parameters.items()],
                            linkage="")
    entry.call("void", "kernel", *entry.parameters.values())
    entry.ret()
    loaded = Loaded(object_code(emulated(module.text(target.attributes)), target, QUICK))
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, ctypes.c_int64, ctypes.c_int64)(loaded.address("entry"))
    for share in range(shares):
        scratch = np.full(kernel.scratch + 192, 255, np.uint8)
        start = -scratch.ctypes.data % 64
        call(scratch.ctypes.data + start, *[x.ctypes.data for x in memory], kernel.items * share // shares,
             kernel.items * (share + 1) // shares)
        assert (scratch[start + kernel.scratch:] == 255).all()
    return kernel.tile


PRODUCTS = {  # the summed axes in pairs
    "nn": product("mk,kn->mn", m=96, k=48, n=80),
    "nn uneven": product("mk,kn->mn", m=67, k=28, n=33),
    "nn few rows": product("mk,kn->mn", m=16, k=16, n=7),
    "nn deep": product("mk,kn->mn", m=66, k=640, n=96),
    "nn deep, prime": product("mk,kn->mn", m=64, k=16 * 37, n=96),
    "nt": product("mk,nk->mn", m=50, k=40, n=70),
    "nt deep": product("mk,nk->mn", m=96, k=960, n=50),
    "tn": product("km,kn->mn", m=70, k=48, n=40),
    "tn deep": product("km,kn->mn", m=130, k=768, n=96),
    "tt": product("km,nk->mn", m=33, k=80, n=70),
    "nn to transposed": product("mk,kn->mn", out="nm", m=64, k=32, n=50),
    "batch": product("bmk,bkn->bmn", b=3, m=40, k=24, n=37),
    "batch tn": product("bkm,bkn->bmn", b=2, m=40, k=24, n=64),
    "scores": product("bthd,bshd->bhts", b=2, t=40, h=3, s=48, d=16),
    "mixtures": product("bhts,bshd->bthd", b=2, t=40, h=3, s=24, d=32),
    "two summed": product("mik,ikn->mn", m=48, i=3, k=32, n=40),
    "two summed, tn": product("ikm,ikn->mn", m=50, i=5, k=32, n=70),
    "conv": Case((2, 8, 18, 24), (3, 3, 16), (10 * 20 * 16, 20 * 16, 16, 0, 20 * 16, 16, 1),
                 (0, 0, 0, 1, 3 * 16 * 24, 16 * 24, 24), (8 * 18 * 24, 18 * 24, 24, 1)),
    "backwards": Case((40, 30), (16,), (-16, 0, 1), (0, -1, 30), (30, -1)),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_every_way_to_divide_a_product_is_right(name):
    nest, memory = nest_of(PRODUCTS[name])
    wanted = expected(PRODUCTS[name], nest, memory)
    choices = [(threads, choice) for threads in (1, 5) for choice in matrix_choices(nest, matrix_target(), threads)]
    assert choices
    place = nest.stores[0].access
    for threads, choice in choices:
        memory[2][:] = 77
        assert "AMX" in run(nest, memory, choice, threads)
        found = view(memory[2], place.offset, PRODUCTS[name].kept, place.strides)
        np.testing.assert_array_equal(found, wanted, err_msg=str(choice))
        found[...] = 77
        assert (memory[2] == 77).all()


@pytest.mark.parametrize(("row", "column"), [(0, 1), (0, 2), (2, 1)])
@pytest.mark.parametrize("names", ["mk,kn->mn", "km,nk->mn"])
def test_products_stop_at_a_diagonal(names, row, column):
    """What is above the diagonal of both factors and of the result holds numbers that do not count."""
    case = product(names, m=96, k=96, n=96)
    nest, memory = nest_of(case, Triangle(row, column))
    for i, access in enumerate(load_accesses(nest)):
        if access.strides[row] and access.strides[column]:
            factor = view(memory[i], access.offset, nest.sizes, access.strides)
            factor[np.broadcast_to(above(nest.sizes, row, column), nest.sizes)] = 0
    wanted = expected(case, nest, memory)
    counts = ~above(case.kept, row, column) if column < 2 and row < 2 else np.ones(case.kept, bool)
    for choice in matrix_choices(nest, matrix_target(), 2):
        memory[2][:] = 77
        run(nest, memory, choice, 2)
        found = view(memory[2], nest.stores[0].access.offset, case.kept, case.out)
        np.testing.assert_array_equal(found[counts], wanted[counts], err_msg=str(choice))


def above(sizes: tuple[int, ...], row: int, column: int) -> np.ndarray:
    places = np.indices(sizes)
    return places[column] > places[row]


# Values of programs

@pytest.mark.parametrize("function", [
    lambda a, b: a @ b, lambda a, b: tz.relu(a @ b + b[0]), lambda a, b: (a @ b).T, lambda a, b: b.T @ a.T,
    lambda a, b: tz.einsum("ij,jk->ki", a, b) * 0.5, lambda a, b: tz.einsum("ij,ik->jk", a, a),
    lambda a, b: a @ tz.concat([b[::2], b[1::2]]), lambda a, b: tz.expand_dims(a, 0) @ tz.stack([b, -b, b * 2])])
@pytest.mark.parametrize("shapes", [((64, 96), (96, 48)), ((70, 112), (112, 100)), ((16, 34), (34, 16))])
def test_products_among_other_operations(function, shapes, monkeypatch):
    given = whole_numbers(*shapes)
    wanted = numbers(function(*[x.astype("float32") for x in given]))
    install(monkeypatch, matrix_target())
    step = tz.jit(function)
    np.testing.assert_array_equal(numbers(step(*given)), wanted)
    assert shapes[0][0] < 64 or "AMX" in step.native_text()


@pytest.mark.parametrize("name", [*CASES, "larger attention"])
def test_gradients_on_several_threads(name, set_threads, monkeypatch):
    function, shapes = CASES.get(name, (attention, [(2, 48, 96), (3, 96, 96)]))

    both = with_gradients(function)
    given = [x * 0.25 for x in halves(*shapes)]
    wanted = [numbers(x) for x in tz.jit(both)(*[x.astype("float32") for x in given])]
    for threads in (1, 3):
        install(monkeypatch, matrix_target()._replace(threads=threads))
        set_threads(threads)
        step = tz.jit(both)
        assert_close_to_float32(wanted, step(*given))
        assert name != "larger attention" or step.native_text().count("AMX") > 5


def attention(x: tz.Tensor, w: tz.Tensor) -> tz.Tensor:
    q, k, v = ((x @ w[i]).reshape(2, 48, 3, 32).permute(0, 2, 1, 3) for i in range(3))
    return tz.scaled_dot_product_attention(q, k, v, causal=True)


# Code

def test_inner_loops_load_four_tiles_for_four_products():
    text = code(lambda a, b: a @ b, amx_bf16(), (512, 768), (768, 512))
    loops = [block for block in re.split(r"^\.LBB\w+:.*$", text, flags=re.MULTILINE) if "tdpbf16ps" in block]
    assert loops
    for loop in loops:
        assert [loop.count(name) for name in ("tdpbf16ps", "tileloadd", "tilestored", "ldtilecfg")] == [4, 4, 0, 0]
        assert len(set(re.findall(r"tdpbf16ps\s+%tmm\d, %tmm\d, (%tmm\d)", loop))) == 4
        assert not re.search(r"%[xyz]mm|%rsp", loop)
    assert text.count("ldtilecfg") == text.count("tilerelease") == 1
    assert "vdpbf16ps" not in text


def test_tiles_are_what_a_configuration_says():
    module = Module()
    set_shapes(module.function("f", []), "shapes", [Shape(16, 16), Shape(3, 5), Shape(0, 7)])
    data = bytes.fromhex("".join(re.findall(r"\\([0-9A-F]{2})", module.globals["shapes"])))
    assert data == bytes([1, *[0] * 15, 64, 0, 20, 0, *[0] * 28, 16, 3, *[0] * 14])


@pytest.mark.parametrize("effort", [QUICK, FULL])
def test_code_is_made_with_any_effort(effort):
    target = amx_bf16()
    graph = simplified(tz.trace(lambda a, b: a.T @ b)(*halves((640, 96), (640, 128))))
    text = object_code(lower(prepare(graph, target), target).text, target, effort)
    names = {"tilezero": b"\\xc4\\xe2\\x7b\\x49[\\xc0-\\xff]", "tilerelease": b"\\xc4\\xe2\\x78\\x49\\xc0",
             "tdpbf16ps": b"\\xc4\\xe2[\\x00-\\xff]\\x5c[\\xc0-\\xff]"}
    assert {name: bool(re.search(bits, text, re.DOTALL)) for name, bits in names.items()} == dict.fromkeys(names, True)


@pytest.mark.parametrize("shapes", [((8, 768), (768, 512)), ((512, 2), (2, 512))])
def test_small_products_are_done_by_vectors(shapes):
    assert "tdpbf16ps" not in code(lambda a, b: a @ b, amx_bf16(), *shapes)


def test_convolutions_are_products_of_matrices_rather_than_of_transformed_tiles():
    text = code(lambda x, w: tz.conv2d(x, w, padding="same"), amx_bf16(), (8, 32, 32, 64), (3, 3, 64, 64))
    assert "tdpbf16ps" in text and "vfmadd" not in text


# The processor

@pytest.fixture
def sapphire_rapids(monkeypatch) -> Iterator[list[tuple[int, ...]]]:
    """Lets llvmlite find such a processor; gives the system calls that are made."""
    import llvmlite.binding as llvm

    flags = {name.lstrip("+"): True for name in amx_bf16().features.split(",")}
    calls: list[tuple[int, ...]] = []
    monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: flags)
    monkeypatch.setattr(llvm, "get_default_triple", lambda: "x86_64-unknown-linux-gnu")
    monkeypatch.setattr(permission, "_system_call", lambda *numbers: calls.append(numbers) or 0)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("TARAZU_CPU", raising=False)
    forget()
    yield calls
    forget()


def forget() -> None:
    host.cache_clear()
    permission.may_use_tiles.cache_clear()


def test_matrices_are_multiplied_where_the_system_says_yes(sapphire_rapids):
    assert host() == amx_bf16()
    assert sapphire_rapids == [(158, 0x1023, 18)]


def test_vectors_are_where_it_says_no(sapphire_rapids, monkeypatch):
    monkeypatch.setattr(permission, "_system_call", lambda *numbers: -1)
    assert not host().has_matrices and host().has_pairs


def test_other_systems_are_not_asked(sapphire_rapids, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert not host().has_matrices and not sapphire_rapids


@pytest.mark.parametrize("narrowed", ["avx512", "avx2", "sse"])
def test_narrower_processors_have_none(narrowed, sapphire_rapids):
    target = host(narrowed)
    assert not target.has_matrices and "+amx" not in target.features and not sapphire_rapids
    assert target.has_pairs == (narrowed == "avx512")


def test_processors_without_tiles_are_not_asked(sapphire_rapids, monkeypatch):
    import llvmlite.binding as llvm

    flags = {name.lstrip("+"): True for name in avx512_bf16().features.split(",")}
    monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: flags)
    assert host() == avx512_bf16() and not sapphire_rapids


def test_the_key_of_the_cache_knows_the_permission():
    assert cache.key(b"", amx_bf16()) != cache.key(b"", amx_bf16()._replace(has_matrices=False))


@pytest.mark.skipif((sys.platform, platform.machine()) != ("linux", "x86_64"), reason="numbers of system calls")
def test_system_calls_give_what_the_system_says():
    getpid, no_command = 39, 0xFFFF
    assert permission._system_call(getpid) == os.getpid()
    assert permission._system_call(158, no_command, 18) == -1
