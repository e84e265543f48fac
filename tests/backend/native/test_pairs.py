"""Products of bfloat16 in pairs: their values, by an emulation of the instruction, and their code."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from support.pair_products import install, pair_target

import tarazu as tz
from tarazu.backend.native import compiler
from tarazu.backend.native.compiler import lower
from tarazu.backend.native.inspect.schedule_text import schedule_text
from tarazu.backend.native.kernels import row_blocks
from tarazu.backend.native.llvm.assemble import assembly
from tarazu.backend.native.llvm.target import Target, avx512_bf16, host
from tarazu.backend.native.lowering.prepare import prepare
from tarazu.backend.native.lowering.steps import NestLaunch, Step, every
from tarazu.runtime.compile import simplified

SMALL = [(1, 2, 3), (7, 33, 17), (33, 65, 40), (64, 128, 96)]


def halves(*shapes: tuple[int, ...]) -> list[tz.Tensor]:
    random = np.random.default_rng(0)
    return [tz.tensor(random.normal(size=shape).astype(np.float32)).astype("bfloat16") for shape in shapes]


def numbers(x: tz.Tensor) -> np.ndarray:
    return x.astype("float32").numpy()


def with_gradients(function: Callable[..., tz.Tensor]) -> Callable[..., tuple[tz.Tensor, ...]]:
    """The function, which also gives what its result as a cotangent becomes."""
    def both(*given: tz.Tensor) -> tuple[tz.Tensor, ...]:
        out, back = tz.vjp(function, *given)
        return out, *back(out)
    return both


def assert_close_to_float32(wanted: list[np.ndarray], found: tuple[tz.Tensor, ...]) -> None:
    """Results in bfloat16 are near those in float32: to some roundings, and as near as sums of large terms allow."""
    for got, exact in zip(found, wanted, strict=True):
        np.testing.assert_allclose(numbers(got), exact, rtol=2.0**-5, atol=2.0**-6 * abs(exact).max())


def sums_of_pairs(a: tz.Tensor, b: tz.Tensor) -> tz.Tensor:
    """a @ b as the instruction sums: of each pair the second product first. float32 has all digits of products."""
    left, right = numbers(a), numbers(b)
    if left.shape[1] % 2:
        left, right = np.pad(left, ((0, 0), (0, 1))), np.pad(right, ((0, 1), (0, 0)))
    total = np.zeros((left.shape[0], right.shape[1]), np.float32)
    for k in range(0, left.shape[1], 2):
        for one in (k + 1, k):
            total += left[:, one, None] * right[one]
    return tz.tensor(total).astype("bfloat16")


@pytest.mark.parametrize("narrowed", [None, "sse"])
@pytest.mark.parametrize(("rows", "depth", "columns"), SMALL)
def test_products_are_those_of_the_instruction(rows, depth, columns, narrowed, monkeypatch):
    install(monkeypatch, pair_target(narrowed))
    a, b = halves((rows, depth), (depth, columns))
    step = tz.jit(lambda a, b: a @ b)
    np.testing.assert_array_equal(numbers(step(a, b)), numbers(sums_of_pairs(a, b)))
    assert "_pairs" in step.native_text()


@pytest.mark.parametrize("function", [
    lambda a, b: tz.relu(a @ b + b[0]), lambda a, b: (a @ b).T, lambda a, b: b.T @ a.T, lambda a, b: -(a @ b[:, 0]),
    lambda a, b: tz.einsum("ij,jk->ki", a, b) * 0.5, lambda a, b: a @ tz.concat([b[::2], b[1::2]]),
    lambda a, b: tz.einsum("ij,ik->jk", a, a), lambda a, b: tz.expand_dims(a, 0) @ tz.stack([b, -b, b * 2])])
def test_products_among_other_operations(function, monkeypatch):
    install(monkeypatch, pair_target())
    for shapes in (((21, 45), (45, 19)), ((16, 48), (48, 34))):
        given = halves(*shapes)
        wanted = numbers(function(*[x.astype("float32") for x in given]))
        np.testing.assert_allclose(numbers(tz.jit(function)(*given)), wanted, rtol=2.0**-7, atol=2.0**-8)


def attention(x: tz.Tensor, w: tz.Tensor) -> tz.Tensor:
    q, k, v = ((x @ w[i]).reshape(2, 12, 3, 8).permute(0, 2, 1, 3) for i in range(3))
    return tz.scaled_dot_product_attention(q, k, v, causal=True)


CASES: dict[str, tuple[Callable[..., tz.Tensor], list[tuple[int, ...]]]] = {
    "conv": (lambda x, w: tz.conv2d(x, w, padding="same"), [(2, 9, 7, 6), (3, 3, 6, 19)]),
    "conv odd channels": (lambda x, w: tz.conv2d(x, w), [(3, 9, 7, 5), (3, 3, 5, 8)]),
    "conv stride": (lambda x, w: tz.conv2d(x, w, padding="same", stride=2), [(2, 9, 8, 6), (3, 3, 6, 16)]),
    "conv dilation": (lambda x, w: tz.conv2d(x, w, dilation=2), [(2, 9, 8, 6), (3, 3, 6, 16)]),
    "conv groups": (lambda x, w: tz.conv2d(x, w, groups=2), [(2, 6, 6, 8), (3, 3, 4, 10)]),
    "layers": (lambda x, w: tz.tanh(x @ w) @ w.T, [(13, 24), (24, 40)]),
    "attention": (attention, [(2, 12, 24), (3, 24, 24)]),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_on_one_to_four_threads(name, set_threads, monkeypatch):
    function, shapes = CASES[name]

    both = with_gradients(function)
    given = [x * 0.25 for x in halves(*shapes)]
    wanted = [numbers(x) for x in tz.jit(both)(*[x.astype("float32") for x in given])]
    for threads in (1, 2, 3, 4):
        install(monkeypatch, pair_target()._replace(threads=threads))
        set_threads(threads)
        assert_close_to_float32(wanted, tz.jit(both)(*given))


def test_loops_have_products_in_pairs(monkeypatch):
    def step(state: tz.Tensor, x: tz.Tensor) -> tuple[tz.Tensor, tz.Tensor]:
        state = tz.tanh(state @ weight + x)
        return state, state

    weight, rows, start = halves((48, 48), (5, 16, 48), (16, 48))
    weight = weight / 8
    loop = tz.jit(lambda start, rows: tz.scan(step, start, rows)[1])
    wanted = numbers(loop(start, rows))
    install(monkeypatch, pair_target())
    loop = tz.jit(lambda start, rows: tz.scan(step, start, rows)[1])
    np.testing.assert_allclose(numbers(loop(start, rows)), wanted, atol=2.0**-6)
    assert loop.native_text().index("_pairs") < loop.native_text().index("loop 5 turns")  # once for all turns


def test_while_loops_make_pairs_of_a_weight_once_and_of_what_changes_anew(monkeypatch):
    def turn(state: tuple[tz.Tensor, tz.Tensor]) -> tuple[tz.Tensor, tz.Tensor]:
        count, x = state
        return count + 1, tz.tanh((x @ weight) @ x)

    weight, start = halves((32, 32), (32, 32))
    weight, start = weight / 8, start / 8
    loop = tz.jit(lambda weight, start: tz.while_loop(lambda state: state[0] < 3, turn, (0, start))[1])
    wanted = numbers(loop(weight, start))
    install(monkeypatch, pair_target())
    loop = tz.jit(lambda start: tz.while_loop(lambda state: state[0] < 3, turn, (0, start))[1])
    np.testing.assert_allclose(numbers(loop(start)), wanted, atol=2.0**-6)
    before, inside = re.split("loop of unknown length|while|loop", loop.native_text(), maxsplit=1)
    assert before.count("_pairs") == inside.count("_pairs") == 1


@pytest.mark.parametrize(("tokens", "keys", "rows"), [
    (33, 33, None), (48, 48, None), (67, 20, None), (48, 48, 24), (40, 66, 24)])
def test_causal_attention_of_many_lengths(tokens, keys, rows, set_threads, monkeypatch):
    attend = with_gradients(lambda q, k, v: tz.scaled_dot_product_attention(q, k, v, causal=True))
    given = halves((2, 7, tokens, 16), (2, 7, keys, 16), (2, 7, keys, 24))
    wanted = [numbers(x) for x in tz.jit(attend)(*[x.astype("float32") for x in given])]
    if rows:
        monkeypatch.setenv("TARAZU_CACHE", "off")  # whose key does not know of these
        monkeypatch.setattr(row_blocks, "LARGE", 1)
        monkeypatch.setattr(row_blocks, "MOST", rows)
    for threads in (1, 3):
        install(monkeypatch, pair_target()._replace(threads=threads))
        set_threads(threads)
        step = tz.jit(attend)
        assert_close_to_float32(wanted, step(*given))
        assert rows is None or "-> local" in step.native_text()


def test_products_stop_at_the_diagonal_of_a_causal_mask(monkeypatch):
    attend = with_gradients(lambda q, k, v: tz.scaled_dot_product_attention(q, k, v, causal=True))
    steps: list[Step] = []
    original = compiler.with_triangles
    monkeypatch.setattr(compiler, "with_triangles", lambda given: steps.extend(original(given)) or original(given))
    code(attend, avx512_bf16(), *[(2, 4, 64, 32)] * 3)
    products = [step.nest for step in every(steps) if isinstance(step, NestLaunch) and step.title == "dot"]
    assert len(products) == 6 and all(nest.triangle is not None for nest in products)


# Code

def code(function: Callable[..., tz.Tensor], target: Target, *shapes: tuple[int, ...]) -> str:
    graph = simplified(tz.trace(function)(*halves(*shapes)))
    return assembly(lower(prepare(graph, target), target).text, target)


def test_few_halves_that_are_rounded_often_compile():
    """LLVM ended the process on this where it did not optimize."""
    def update(x: tz.Tensor) -> tz.Tensor:
        root = tz.sqrt(tz.abs(x * 0.988281 + x * x * 0.01)) + 0.25
        return x - (x.max() * 0.898438 + x * 0.1) / root * 0.01

    assert "program" in code(update, host(), (3,))


def test_few_bools_compile():
    assert "program" in code(lambda x: (x > 0).any(), host(), (3, 5))


def inner_loops(text: str) -> list[list[str]]:
    """The instructions of the innermost loops that have products of pairs."""
    blocks = re.split(r"^\.LBB\w+:.*$", text, flags=re.MULTILINE)
    lines = [[line.strip() for line in block.splitlines() if line.startswith("\t")] for block in blocks]
    return [block for block in lines if any(line.startswith("vdpbf16ps") for line in block)]


@pytest.mark.parametrize(("function", "shapes"), [
    (lambda a, b: a @ b, [(512, 768), (768, 512)]), (lambda a, b: a.T @ b, [(512, 192), (512, 768)]),
    (lambda x, w: tz.conv2d(x, w, stride=2), [(8, 33, 33, 64), (3, 3, 64, 128)])])
def test_inner_loops_keep_sums_in_registers(function, shapes):
    loops = inner_loops(code(function, avx512_bf16(), *shapes))
    assert max(sum(line.startswith("vdpbf16ps") for line in loop) for loop in loops) >= 24
    for loop in loops:
        sums = [line.split()[-1] for line in loop if line.startswith("vdpbf16ps")]
        assert all(re.fullmatch(r"%zmm\d+", one) for one in sums)
        assert not any("(%rsp)" in line and "mm" in line for line in loop)


def test_attention_is_done_head_by_head():
    def heads(q: tz.Tensor, k: tz.Tensor, v: tz.Tensor) -> tz.Tensor:
        split = [x.reshape(8, 64, 4, 32).permute(0, 2, 1, 3) for x in (q, k, v)]
        return tz.scaled_dot_product_attention(*split, causal=True)

    graph = simplified(tz.trace(heads)(*halves(*[(8, 64, 128)] * 3)))
    (run,) = [line for line in schedule_text(graph, avx512_bf16()).splitlines() if line.startswith("run of")]
    assert re.search(r"_dot, .*_pairs, k\d+_dot ", run)


def test_vectors_of_256_bits_have_the_instruction_too():
    target = avx512_bf16()._replace(vector_bytes=32)
    assert re.search(r"vdpbf16ps\s.*%ymm", code(lambda a, b: a @ b, target, (64, 64), (64, 64)))


def test_other_processors_multiply_in_float32():
    text = code(lambda a, b: a @ b, avx512_bf16()._replace(has_pairs=False), (64, 64), (64, 64))
    assert "vfmadd" in text and "vdpbf16ps" not in text


def test_convolutions_that_winograd_makes_faster_stay_in_float32():
    for tile in (2, 4):
        text = code(lambda x, w: tz.conv2d(x, w, padding="same"), avx512_bf16()._replace(winograd=tile),
                    (8, 32, 32, 64), (3, 3, 64, 64))
        assert ("vdpbf16ps" in text) == (tile == 2)
