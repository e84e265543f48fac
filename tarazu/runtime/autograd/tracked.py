"""The arguments that a derivative is taken with respect to: tracked on the gradient tape while the function runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from tarazu.base.errors import ArgumentError, GradientError
from tarazu.base.pytree import Structure, flatten
from tarazu.ops.create import zeros_like
from tarazu.ops.promote import as_value
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.transform.gradient.vjp import track

Argnums: TypeAlias = int | tuple[int, ...]  # the position of an argument, or those of several


class TrackedArguments(NamedTuple):
    """The arguments of a call, those at some positions tracked."""

    args: tuple[Any, ...]
    leaves: list[Tensor]  # the tracked tensors
    structures: list[Structure]  # of the arguments that they are the leaves of

    def nested(self, gradients: Sequence[Tensor | None], bit: int) -> list[Any]:
        """For each tracked argument the gradients of its leaves, zeros for None, in its nesting.

        They are without the tape of the derivative that is over, whose mask bit is `bit`.
        """
        rest = iter([released(zeros_like(x) if gradient is None else gradient, bit)
                     for x, gradient in zip(self.leaves, gradients, strict=True)])
        return [structure.rebuild([next(rest) for _ in range(structure.leaves)]) for structure in self.structures]


def track_arguments(args: Sequence[Any], positions: Sequence[int], bit: int) -> TrackedArguments:
    """The arguments with those at `positions` tracked under the mask bit `bit`.

    ArgumentError for a position that was not passed, GradientError for leaves that are not of a float dtype.
    """
    leaves: list[Tensor] = []
    structures = []
    changed = list(args)
    for position in positions:
        inputs, structure = flatten(argument(args, position))
        own = [track(_differentiable(as_value(x)), bit) for x in inputs]
        changed[position] = structure.rebuild(own)
        leaves.extend(own)
        structures.append(structure)
    return TrackedArguments(tuple(changed), leaves, structures)


def positions_of(argnums: Argnums) -> tuple[int, ...]:
    """The positions as a tuple."""
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def argument(args: Sequence[Any], position: int) -> Any:
    """The argument at a position of `argnums`; ArgumentError for one that was not passed."""
    if not -len(args) <= position < len(args):
        raise ArgumentError(f"argnums={position} for a call with {len(args)} arguments",
                            expected="the position of an argument that was passed",
                            fix="pass the argument by position")
    return args[position]


def _differentiable(x: Tensor) -> Tensor:
    if not x.dtype.is_float:
        raise GradientError(f"the gradient with respect to a tensor of {x.dtype}", expected="a float dtype",
                            fix="cast it first: x.astype(tz.float32)")
    return x


def released(x: Tensor, bit: int) -> Tensor:
    """`x` without the tape of a `grad` that is over, unless the user or a `grad` around it tracks it too."""
    return x if x.tape_entry is None or x.tape_entry.mask & (bit - 1) else Tensor(x.raw)
