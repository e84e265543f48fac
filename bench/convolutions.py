"""How close convolutions come to the peaks of one thread: forward, gradient of the input, gradient of the kernel.

Run `TARAZU_THREADS=1 python bench/convolutions.py [CASE ...] [--torch] [--rounds N]`. Times are the least processor
time of many calls, in rounds in which all have their turn. Rates count true products only, none by the zeros of the
padding, and each byte of the operands and the result once; where tiles spare products, more than 100 % is possible.

With `--sweep` it goes over many convolutions of 3 x 3 instead, and measures those that are computed in tiles both so
and as sums of products.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from report import text_table

import tarazu as tz
from tarazu.backend.native.inspect.peak import peak
from tarazu.backend.native.lowering.region.convolutions.winograd import tiles
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.runtime.compile import compile_in_full

ENOUGH, MOST = 0.1, 12  # seconds and calls of a turn
KINDS = ("forward", "input", "kernel")
Calls = dict[str, Callable[[], object]]


class Case(NamedTuple):
    """A convolution of square pictures, padded so that a stride alone makes them smaller."""

    name: str
    channels: int
    pixels: int  # of a side
    filters: int
    window: int = 3
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    batch: int = 32

    @property
    def padding(self) -> int:
        return self.dilation * (self.window // 2)

    @property
    def outputs(self) -> int:
        """Of a side."""
        return (self.pixels + 2 * self.padding - self.dilation * (self.window - 1) - 1) // self.stride + 1

    @property
    def flops(self) -> float:
        """Multiplications and additions, those of zeros around the picture left out."""
        along = sum(0 <= i * self.stride + tap * self.dilation - self.padding < self.pixels
                    for i in range(self.outputs) for tap in range(self.window))
        return 2.0 * self.batch * along**2 * self.channels * self.filters / self.groups

    @property
    def bytes(self) -> int:
        """Of the input, the kernel and the result: each of the three products has two of them as factors."""
        pictures = self.pixels**2 * self.channels + self.outputs**2 * self.filters
        return 4 * (self.batch * pictures + self.window**2 * self.channels * self.filters // self.groups)

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """An input, a kernel, and a gradient of the result."""
        random = np.random.default_rng(0)
        shapes = ((self.batch, self.pixels, self.pixels, self.channels),
                  (self.window, self.window, self.channels // self.groups, self.filters),
                  (self.batch, self.outputs, self.outputs, self.filters))
        x, kernel, gradient = (random.normal(size=shape).astype(np.float32) for shape in shapes)
        return x, kernel / 30, gradient


def depthwise(name: str, channels: int, pixels: int, stride: int = 1) -> Case:
    return Case(name, channels, pixels, channels, stride=stride, groups=channels)


class Tiled(NamedTuple):
    """A product in tiles, and how long it takes in these and directly."""

    name: str
    tile: int  # outputs, or taps, of a side
    seconds: float
    directly: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.directly


CASES = [
    Case("3@32 to 64", 3, 32, 64), Case("32@64", 32, 64, 32, batch=8),
    *[Case(f"{channels}@{pixels}", channels, pixels, channels)
      for channels, pixels in ((64, 32), (128, 16), (256, 8), (512, 4))],
    *[Case(f"{channels}@{pixels} s2", channels, pixels, 2 * channels, stride=2)
      for channels, pixels in ((64, 32), (128, 16), (256, 8))],
    *[Case(f"1x1 {channels}@{pixels}", channels, pixels, 2 * channels, 1)
      for channels, pixels in ((32, 32), (64, 16), (128, 16), (256, 8), (512, 4))],
    Case("1x1 64@32 s2", 64, 32, 128, 1, 2),
    Case("64@32 d2", 64, 32, 64, dilation=2), Case("128@16 d4", 128, 16, 128, dilation=4),
    Case("64@32 g4", 64, 32, 64, groups=4), Case("128@16 g32", 128, 16, 128, groups=32),
    Case("256@16 g32", 256, 16, 256, groups=32), Case("512@8 g32", 512, 8, 512, groups=32),
    Case("256@8 g8", 256, 8, 256, groups=8),
    depthwise("depthwise 32@32", 32, 32), depthwise("depthwise 128@16", 128, 16), depthwise("depthwise 512@4", 512, 4),
    depthwise("depthwise 64@32 s2", 64, 32, 2),
    Case("7x7 3@64 s2", 3, 64, 64, 7, 2, batch=8), Case("5x5 32@16", 32, 16, 64, 5),
]


def products(case: Case) -> dict[str, Callable[[tz.Tensor, tz.Tensor, tz.Tensor], tz.Tensor]]:
    """The three products of a case as functions of its arrays."""
    def convolved(x: tz.Tensor, kernel: tz.Tensor) -> tz.Tensor:
        return tz.conv2d(x, kernel, stride=case.stride, padding=((case.padding,) * 2,) * 2, dilation=case.dilation,
                         groups=case.groups)

    return {"forward": lambda x, kernel, gradient: convolved(x, kernel),
            "input": lambda x, kernel, gradient: tz.vjp(lambda x: convolved(x, kernel), x)[1](gradient)[0],
            "kernel": lambda x, kernel, gradient: tz.vjp(lambda kernel: convolved(x, kernel), kernel)[1](gradient)[0]}


def ours(case: Case) -> Calls:
    """The three products, each compiled alone."""
    tensors = list(map(tz.tensor, case.arrays()))
    return {kind: functools.partial(tz.jit(product), *tensors) for kind, product in products(case).items()}


def of_torch(case: Case) -> Calls:
    """The same in torch on one thread, channels last."""
    import torch

    torch.set_num_threads(1)
    last = torch.channels_last
    x, kernel, gradient = map(torch.from_numpy, case.arrays())
    x, gradient = (t.permute(0, 3, 1, 2).contiguous(memory_format=last) for t in (x, gradient))
    kernel = kernel.permute(3, 2, 0, 1).contiguous(memory_format=last)
    twice = [[size] * 2 for size in (case.stride, case.padding, case.dilation)]
    backward = functools.partial(torch.ops.aten.convolution_backward, gradient, x, kernel, None, *twice, False, [0, 0],
                                 case.groups)
    return {"forward": lambda: torch.nn.functional.conv2d(x, kernel, None, *twice, case.groups),
            "input": lambda: backward([True, False, False]), "kernel": lambda: backward([False, True, False])}


def least(calls: Iterable[Calls], rounds: int) -> list[dict[str, float]]:
    """The least seconds of each call of each peer, over rounds in which all have their turn."""
    found: list[dict[str, float]] = [dict.fromkeys(one, float("inf")) for one in calls]
    for _ in range(rounds):
        for one, times in zip(calls, found, strict=True):
            for kind, call in one.items():
                call()
                times[kind] = min(times[kind], _turn(call))
    return found


def _turn(call: Callable[[], object]) -> float:
    """The least processor time of some calls."""
    times: list[float] = []
    while len(times) < 3 or (len(times) < MOST and sum(times) < ENOUGH):
        before = time.process_time()
        call()
        times.append(time.process_time() - before)
    return min(times)


def rows(case: Case, rounds: int, torch: bool) -> list[list[str]]:
    """A row for each kind of product."""
    best = peak(1)
    times, *others = least([ours(case), *([of_torch(case)] if torch else [])], rounds)
    return [[f"{case.name} {kind}", f"{1e3 * times[kind]:.2f}", f"{case.flops / times[kind] / best.gflops / 1e9:.0%}",
             f"{case.bytes / times[kind] / best.gigabytes / 1e9:.0%}",
             *[f"{other[kind] / times[kind]:.2f}" for other in others]] for kind in KINDS]


# Tiles beside sums of products

LARGEST = 5e9  # additions and multiplications of a case
NOISE = 1.1  # what is slower by less is as fast


def swept() -> list[Case]:
    """Convolutions of 3 x 3 of many sizes."""
    sizes = itertools.product((3, 8, 16, 32, 64, 128, 256, 512), (4, 8, 16, 32, 64), (1, 8, 32))
    cases = [Case(f"{channels}@{pixels} x {batch}", channels, pixels, max(channels, 32), batch=batch)
             for channels, pixels, batch in sizes]
    return [case for case in cases if case.flops <= LARGEST]


def beside_direct(case: Case, rounds: int) -> list[Tiled]:
    """The products of a case that are computed in tiles, measured with and without them."""
    arrays = case.arrays()
    graphs = {kind: tz.trace(product)(*map(tz.tensor, arrays)) for kind, product in products(case).items()}
    chosen = {kind: tile for kind, graph in graphs.items() if (tile := tile_of(graph))}
    both = []
    for most in (4, 0):
        tz.set_winograd(most)
        both.append({kind: functools.partial(compile_in_full(graphs[kind]), *arrays) for kind in chosen})
    found = least(both, rounds)
    if any(found[0][kind] > NOISE * found[1][kind] for kind in chosen):
        found = [{kind: min(one[kind], two[kind]) for kind in chosen}
                 for one, two in zip(found, least(both, 3 * rounds), strict=True)]
    return [Tiled(f"{case.name} {kind}", tile, found[0][kind], found[1][kind]) for kind, tile in chosen.items()]


def tile_of(graph: Graph) -> int:
    """How large the tiles of a graph's convolution are; 0 where it has none."""
    found = [tiles(node, 4) for node in graph.nodes if node.op is ops.CONV]
    return max((tile.step for each in found if each for tile in each), default=0)


def print_sweep(cases: list[Case], rounds: int) -> None:
    """A row for each product that has tiles, the slowest beside sums of products first."""
    found = sorted([one for case in cases for one in beside_direct(case, rounds)], key=lambda one: -one.ratio)
    print(text_table(["product", "tile", "ms in tiles", "ms directly", "ratio"],
                     [[one.name, str(one.tile), f"{1e3 * one.seconds:.3f}", f"{1e3 * one.directly:.3f}",
                       f"{one.ratio:.2f}"] for one in found]))
    slower = [one for one in found if one.ratio > NOISE]
    print(f"{len(found)} of {len(KINDS) * len(cases)} products have tiles; {len(slower)} of these are slower than "
          f"without, by more than {NOISE - 1:.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="*", help="names, or beginnings of them; all without any")
    parser.add_argument("--torch", action="store_true", help="measure torch in turns: how many times longer it takes")
    parser.add_argument("--sweep", action="store_true", help="measure what has tiles with and without them")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    every = swept() if arguments.sweep else CASES
    chosen = [case for case in every if not arguments.case or case.name.startswith(tuple(arguments.case))]
    header = ["batch 32", "ms", "of products' peak", "of memory's peak", *(["torch / ours"] * arguments.torch)]
    tz.set_threads(1)
    if arguments.sweep:
        print_sweep(chosen, arguments.rounds)
        return
    print(f"peaks: {peak(1).gflops:.0f} GF/s, {peak(1).gigabytes:.1f} GB/s")
    print(text_table(header, [row for case in chosen for row in rows(case, arguments.rounds, arguments.torch)]))


if __name__ == "__main__":
    main()
