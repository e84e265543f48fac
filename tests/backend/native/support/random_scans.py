"""Random scans over steps of several rows, with their gradients: cells as users write them, most of which keep the rows
apart; a seed gives always the same."""

from __future__ import annotations

from choices import Choices, from_seed
from inputs import Source
from random_gradients import with_gradients
from random_graphs import Case

import tarazu as tz
from tarazu import Tensor

ROWS = {1: 1, 2: 1, 3: 1, 8: 3, 9: 2, 12: 2, 16: 4, 33: 2}
WIDTHS = {1: 1, 4: 2, 7: 2, 16: 3, 24: 3}


class Cell:
    """A scan that grows by what is chosen; weights come from `arrays`, or as zeros whose shapes are noted."""

    def __init__(self, choose: Choices, arrays: list[Tensor] | None = None) -> None:
        self.choose, self.arrays = choose, arrays
        self.shapes: list[tuple[int, ...]] = []
        self.sources: list[Source] = []
        self.rows, self.width = choose.weighted(ROWS), choose.weighted(WIDTHS)

    def fresh(self, *shape: int, inner: int = 1) -> Tensor:
        """An input, or a weight that sums over `inner` values."""
        self.shapes.append(shape)
        self.sources.append(Source("small", 2 * inner))
        return self.arrays[len(self.shapes) - 1] if self.arrays else tz.zeros(shape)

    def run(self) -> list[Tensor]:
        """The last carries, and what the steps give."""
        choose = self.choose
        states = [self.fresh(self.rows, self.width) for _ in range(choose.between(1, 3))]
        xs = self.fresh(choose.weighted({1: 1, 2: 2, 4: 3, 6: 2}), self.rows, self.width)
        count = tz.zeros(self.rows, 1, dtype="int32")
        (states, count), ys = tz.scan(self.step, (states, count), xs, reverse=choose.chance(40))
        return [*states, count, *ys]

    def step(self, carry: tuple[list[Tensor], Tensor], x: Tensor) -> tuple[tuple[list[Tensor], Tensor], list[Tensor]]:
        states, count = [*carry[0]], carry[1]
        for _ in range(self.choose.between(1, 4)):
            place, other = self.choose.below(len(states)), self.choose.one_of([x, *states])
            way = self.choose.weighted(WAYS)
            states[place] = way(self, states[place], other, count)
        return (states, count + 1), [state * 2 for state in states if self.choose.chance(50)]


def product(cell: Cell, h: Tensor, x: Tensor, count: Tensor) -> Tensor:
    return tz.tanh(h @ cell.fresh(cell.width, cell.width, inner=cell.width) + x)


def gates(cell: Cell, h: Tensor, x: Tensor, count: Tensor) -> Tensor:
    both = x @ cell.fresh(cell.width, 2 * cell.width, inner=cell.width) + cell.fresh(2 * cell.width)
    return tz.sigmoid(both[:, :cell.width]) * h + tz.tanh(both[:, cell.width:]) / 2


def masked(cell: Cell, h: Tensor, x: Tensor, count: Tensor) -> Tensor:
    return tz.where(x[:, :1] > 0, (h + x) / 2, h)


def every_other(cell: Cell, h: Tensor, x: Tensor, count: Tensor) -> Tensor:
    return tz.where(count % 2 == 0, x, h)


def along_rows(cell: Cell, h: Tensor, x: Tensor, count: Tensor) -> Tensor:
    return tz.softmax(h + x) if cell.choose.chance(50) else h / (1 + tz.abs(x).sum(1, keepdims=True))


def across_rows(cell: Cell, h: Tensor, x: Tensor, count: Tensor) -> Tensor:
    return h - x.mean(0) if cell.choose.chance(50) else tz.flip(h, 0)


def from_the_left(cell: Cell, h: Tensor, x: Tensor, count: Tensor) -> Tensor:
    return tz.tanh(cell.fresh(cell.rows, cell.rows, inner=cell.rows) @ h + x)


def inner_loop(cell: Cell, h: Tensor, x: Tensor, count: Tensor) -> Tensor:
    return tz.while_loop(lambda carry: carry[0] < 2, lambda carry: (carry[0] + 1, tz.tanh(carry[1] + x / 2)),
                         (tz.tensor(0), h), bound=3)[1]


WAYS = {product: 5, gates: 4, masked: 3, every_other: 2, along_rows: 2, across_rows: 1, from_the_left: 1, inner_loop: 1}


def scan_of_seed(seed: int) -> Case:
    """A scan with the gradients of all that goes into it."""
    sketch = Cell(from_seed(seed))
    sketch.run()

    def evaluate(*arrays: Tensor) -> list[Tensor]:
        return Cell(from_seed(seed), list(arrays)).run()

    graph = tz.trace(evaluate)(*[tz.zeros(shape) for shape in sketch.shapes])
    return with_gradients(Case(graph, tuple(sketch.sources), seed))
