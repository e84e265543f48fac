"""Images channels last: which values lie so, and what their steps then say.

torch has (batch, channels, *sizes), Tarazu (batch, *sizes, channels). A value lies *last* where a convolution, pooling
or the like made it, and stays so through all that can be said of other axes as well: functions of elements, reductions,
joining, slices. Where a step cannot, a value is turned back first, by a step `as_first`; so one turn at the input is
all that most networks for images need. Values that lie *first* are as in torch.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tarazu.interop.imported import Ref, Step, names
from tarazu.interop.torch.operations import elementwise, images, pooling
from tarazu.interop.torch.reading import Reading, Shape

ELEMENTWISE = {*elementwise.TABLE, "native_dropout", "dropout", "full_like", "zeros_like", "ones_like", "empty_like",
               "rand_like", "randn_like"}
NORMALIZATIONS = {"_native_batch_norm_legit_no_training", "_native_batch_norm_legit_functional",
                  "_native_batch_norm_legit", "_native_batch_norm_legit.no_stats", "native_group_norm", "group_norm",
                  "instance_norm"}
TO_PLAIN, FROM_PLAIN = {"im2col"}, {"col2im"}  # take an image and give patches; the other way round
IMAGES = {*pooling.TABLE, *images.TABLE} - TO_PLAIN - FROM_PLAIN
KEEPING = {"softmax.int": 1, "_softmax": 1, "log_softmax.int": 1, "_log_softmax": 1, "cumsum": 1, "cumprod": 1,
           "logcumsumexp": 1, "cummax": 1, "cummin": 1, "cat": 1, "slice": 1, "split.Tensor": 2, "split_with_sizes": 2,
           "flip": 1, "roll": 2, "sort": 1, "topk": 2, "index_select": 1, "repeat_interleave.self_int": 2}
REDUCING = {"mean.dim": 1, "sum.dim_IntList": 1, "amax": 1, "amin": 1, "any.dim": 1, "any.dims": 1, "all.dim": 1,
            "all.dims": 1, "prod.dim_int": 1, "logsumexp": 1, "max.dim": 1, "min.dim": 1, "argmax": 1, "argmin": 1,
            "var.correction": 1, "std.correction": 1, "var_mean.correction": 1, "linalg_vector_norm": 2,
            "select": 1, "unbind": 1, "squeeze.dim": 1, "squeeze.dims": 1}  # those without keepdim drop their axes
PADDING = {"constant_pad_nd": "constant", **{f"reflection_pad{n}d": "reflect" for n in (1, 2, 3)},
           **{f"replication_pad{n}d": "edge" for n in (1, 2, 3)}}


@dataclasses.dataclass
class Turned:
    """Steps for values that lie last where they can, what they give, and the kernels that they read turned."""

    steps: list[Step]
    outputs: Any
    updates: dict[str, Ref]
    images: set[str]  # inputs that are turned


def turn(reading: Reading, images_last: Iterable[str] = (), outputs_last: bool = False) -> Turned:
    """The steps of a reading, turned. The inputs in `images_last` are given channels last, and with `outputs_last`
    outputs that lie so are given so."""
    turner = _Turner(reading, set(images_last))
    for step in reading.steps:
        turner.add(step)
    outputs = reading.outputs if outputs_last else turner.first(reading.outputs, "the outputs")
    updates = turner.first(reading.updates, "the running statistics")
    return Turned(turner.steps, outputs, updates, turner.images)


def order(rank: int) -> tuple[int, ...]:
    """Which of torch's axes each stored one is, where a value lies last."""
    return (0, *range(2, rank), 1)


class _Turner:
    def __init__(self, reading: Reading, last: set[str]) -> None:
        self._shapes, self._inputs, self._last = dict(reading.shapes), set(reading.inputs), last
        self._made: set[str] = set()  # names of values in their other layout
        self.steps: list[Step] = []
        self.images: set[str] = set()

    # Values

    def _rank(self, value: Any) -> int:
        return len(self._shapes.get(value.name, ())) if isinstance(value, Ref) else 0

    def _is_last(self, tree: Any) -> bool:
        return bool(names(tree) & self._last)

    def first(self, tree: Any, where: str) -> Any:
        """The tree with every value as in torch."""
        if isinstance(tree, Ref):
            return self._made_once(tree, "as_first", (tree,), where) if tree.name in self._last else tree
        if isinstance(tree, list | tuple):
            return type(tree)(self.first(item, where) for item in tree)
        return {key: self.first(item, where) for key, item in tree.items()} if isinstance(tree, dict) else tree

    def _turned(self, tree: Any, rank: int, where: str) -> Any:
        """The tree with every value lying last, as one of so many axes."""
        if isinstance(tree, list | tuple):
            return type(tree)(self._turned(item, rank, where) for item in tree)
        if not isinstance(tree, Ref) or self._rank(tree) == 0 or (tree.name in self._last and self._rank(tree) == rank):
            return tree
        if tree.name in self._inputs and self._rank(tree) == rank:
            self.images.add(tree.name)
        return self._made_once(self.first(tree, where), "as_last", (rank,), where, f"{rank}")

    def _made_once(self, value: Ref, operation: str, more: tuple[Any, ...], where: str, suffix: str = "") -> Ref:
        name = f"{value.name}|{operation}{suffix}"
        if name not in self._made:
            self._made.add(name)
            arguments = more if more[0] is value else (value, *more)
            self.steps.append(Step(operation, arguments, {}, (name,), where))
        return Ref(name)

    # Steps

    def add(self, step: Step) -> None:
        """Append the step, as one for values that lie last if it knows how."""
        if not self._rule(step)(step):
            self._plain(step)

    def _rule(self, step: Step) -> Callable[[Step], bool]:
        name = step.operation
        if name == "convolution":
            return self._convolution
        if name in IMAGES or name in NORMALIZATIONS or name in FROM_PLAIN or name in TO_PLAIN:
            return self._image
        if name == "permute":
            return self._permute
        if not self._is_last((step.arguments, step.options)):
            return lambda step: False
        if name in ELEMENTWISE:
            return self._elementwise
        if name in KEEPING:
            return self._keeping
        if name in REDUCING:
            return self._reducing
        return {"view": self._view, "reshape": self._view, "_unsafe_view": self._view, "unsqueeze": self._unsqueeze,
                "expand": self._sizes, "repeat": self._sizes, "sym_size": self._size, "transpose": self._transpose,
                **dict.fromkeys(PADDING, self._padding)}.get(name, lambda step: False)

    def _plain(self, step: Step) -> bool:
        where = step.position
        return self._put(step, self.first(step.arguments, where), self.first(step.options, where), last=False)

    def _put(self, step: Step, arguments: Sequence[Any], options: dict[str, Any] | None = None, *, last: bool,
             operation: str = "") -> bool:
        self.steps.append(Step(operation or step.operation, tuple(arguments), step.options if options is None
                               else options, step.results, step.position))
        if last:
            self._last |= {name for name in step.results if len(self._shapes.get(name, ())) > 2}
        return True

    def _convolution(self, step: Step) -> bool:
        x, weight, *rest = step.arguments
        weight = self._made_once(weight, "kernel", (weight,), step.position)
        return self._image_step(step, [x, weight, *rest], self._rank(step.arguments[1]))

    def _image(self, step: Step) -> bool:
        """What is of images; the rest of its arguments, such as a grid, is as in torch."""
        x, *rest = step.arguments
        if step.operation in FROM_PLAIN:
            return self._put(step, self.first(step.arguments, step.position), last=True)
        axes = next((n for n in (1, 2, 3) if f"{n}d" in step.operation), 0)
        rank = axes + 2 if axes and step.operation not in NORMALIZATIONS else self._rank(x)
        if rank < 3:
            return False
        return self._image_step(step, [x, *self.first(rest, step.position)], rank)

    def _image_step(self, step: Step, arguments: list[Any], rank: int) -> bool:
        if self._rank(arguments[0]) == rank:
            arguments[0] = self._turned(arguments[0], rank, step.position)
            return self._put(step, arguments, last=step.operation not in TO_PLAIN)
        return self._single(step, arguments)

    def _single(self, step: Step, arguments: list[Any]) -> bool:
        """A single image, (channels, *sizes): a batch of one around it."""
        x, where = self.first(arguments[0], step.position), step.position
        rank = self._rank(x) + 1
        wide = tuple(f"{name}|batch" if name else "" for name in step.results)
        self.steps += [Step("unsqueeze", (x, 0), {}, (f"{wide[0]}|in",), where),
                       Step("as_last", (Ref(f"{wide[0]}|in"), rank), {}, (f"{wide[0]}|last",), where),
                       Step(step.operation, (Ref(f"{wide[0]}|last"), *arguments[1:]), step.options, wide, where)]
        for name, result in zip(wide, step.results, strict=True):
            if name:
                self.steps += [Step("as_first", (Ref(name),), {}, (f"{name}|first",), where),
                               Step("squeeze", (Ref(f"{name}|first"), 0), {}, (result,), where)]
        return True

    def _elementwise(self, step: Step) -> bool:
        tree = (step.arguments, step.options)
        rank = max(len(self._shapes.get(name, ())) for name in names(tree))
        if not any(len(self._shapes[name]) == rank for name in names(tree) & self._last):
            return False
        arguments = self._turned(step.arguments, rank, step.position)
        return self._put(step, arguments, last=True)

    def _axes(self, step: Step, place: int) -> tuple[int, tuple[int, ...]] | None:
        """The rank of the first argument, and the axes in argument `place` from the front; None where there is none."""
        dims = step.arguments[place] if place < len(step.arguments) else None
        known = step.arguments[0]
        rank = max((self._rank(each) for each in (known if isinstance(known, list) else [known])), default=0)
        if dims is None or isinstance(dims, Ref) or dims == [] or rank < 3:
            return None
        return rank, tuple(dim % rank for dim in ([dims] if isinstance(dims, int) else dims))

    def _keeping(self, step: Step) -> bool:
        place = KEEPING[step.operation]
        if (found := self._axes(step, place)) is None:
            return False
        rank, axes = found
        return self._put(step, self._with_axes(step, place, rank, axes), last=True)

    def _with_axes(self, step: Step, place: int, rank: int, axes: Sequence[int]) -> list[Any]:
        stored = [order(rank).index(axis) for axis in axes]
        arguments = list(step.arguments)
        arguments[0] = self._turned(arguments[0], rank, step.position)
        arguments[place] = stored[0] if isinstance(arguments[place], int) else stored
        return arguments

    def _reducing(self, step: Step) -> bool:
        place = REDUCING[step.operation]
        if (found := self._axes(step, place)) is None:
            return False
        rank, axes = found
        result = next(len(self._shapes[name]) for name in step.results if name)
        if step.operation.startswith("squeeze"):
            axes = tuple(axis for axis in axes if self._shapes[step.arguments[0].name][axis] == 1)
        if result == rank:
            return self._put(step, self._with_axes(step, place, rank, axes), last=True)
        left = [axis for axis in order(rank) if axis not in axes]
        ranks = tuple(sorted(left).index(axis) for axis in left)
        if ranks not in (tuple(range(result)), order(result)):
            return False
        return self._put(step, self._with_axes(step, place, rank, axes), last=ranks == order(result) and result > 2)

    def _permute(self, step: Step) -> bool:
        """A permutation of axes that brings a value to lie the other way moves nothing."""
        x, dims = step.arguments
        rank = self._rank(x)
        stored = order(rank) if self._is_last(x) else tuple(range(rank))
        dims = [dim % rank for dim in dims]
        ranks = tuple(dims.index(axis) for axis in stored)
        if rank < 3 or ranks not in (order(rank), tuple(range(rank))):
            return self._put(step, (x, [stored.index(dim) for dim in dims]), last=False) if rank > 2 else False
        return self._put(step, (x,), last=ranks == order(rank), operation="alias")

    def _transpose(self, step: Step) -> bool:
        x, first, second = step.arguments
        dims = list(range(self._rank(x)))
        dims[first], dims[second] = dims[second], dims[first]
        return self._permute(dataclasses.replace(step, operation="permute", arguments=(x, dims)))

    def _view(self, step: Step) -> bool:
        """Sizes between batch and channels that are merged or split."""
        x, sizes = step.arguments
        old, new = self._shapes[x.name], self._shapes[step.results[0]]
        if len(new) < 3 or old[1] is None or old[1] != new[1] or not _same_rest(old, new):
            return False
        return self._put(step, (x, [sizes[i] for i in order(len(sizes))]), last=True)

    def _unsqueeze(self, step: Step) -> bool:
        x, dim = step.arguments
        axis = dim % (self._rank(x) + 1)
        return axis > 1 and self._put(step, (x, axis - 1), last=True)

    def _sizes(self, step: Step) -> bool:
        x, sizes, *rest = step.arguments
        rank = len(sizes)
        return rank == self._rank(x) and self._put(step, (x, [sizes[i] for i in order(rank)], *rest), last=True)

    def _size(self, step: Step) -> bool:
        x, dim = step.arguments
        return self._put(step, (x, order(self._rank(x)).index(dim % self._rank(x))), last=False)

    def _padding(self, step: Step) -> bool:
        x, widths, *value = step.arguments
        if len(widths) > 2 * (self._rank(x) - 2):
            return False
        arguments = (x, widths, value[0] if value else 0, PADDING[step.operation])
        return self._put(step, arguments, operation="pad_last", last=True)


def _same_rest(old: Shape, new: Shape) -> bool:
    """Whether two shapes of equally many elements have the same batch."""
    if None not in (*old[2:], *new[2:]):
        return math.prod(x or 0 for x in old[2:]) == math.prod(x or 0 for x in new[2:])
    return old[0] is not None and old[0] == new[0]
