"""A check of gradients for users: along a random direction, against central differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tarazu.base import dtypes
from tarazu.base.errors import GradientError
from tarazu.base.pytree import Structure, flatten
from tarazu.ops.typing import Tree
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.autograd.derivatives import vjp
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor


def grad_check(function: Callable[..., Any], *args: Tree, step: float = 1e-3, tolerance: float = 1e-5,
               seed: int = 0) -> None:
    """GradientError unless the gradients of `function` at `args` agree with central differences.

    Results are weighted at random and summed, and each float tensor among the arguments, nested ones too, is moved in a
    random direction, by `step` in differences of the fourth order; all is in float64. `tolerance` is the largest error
    relative to the slope, or to 1 where that is smaller. Kinks within 2 steps, and functions that draw random numbers,
    do not pass. The error names the first argument whose gradient differs.

    >>> import tarazu as tz
    >>> tz.grad_check(lambda x, y: tz.sin(x) * y, tz.tensor([0.5, 1.0]), tz.tensor(2.0))
    """
    leaves, structure = flatten(args)
    rng = np.random.default_rng(seed)
    values = [_in_double(x) for x in leaves]
    moving = [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.dtype.is_float]

    def at(*moved: Tensor) -> list[Tensor]:
        own = list(values)
        for i, x in zip(moving, moved, strict=True):
            own[i] = x
        return [y for y in flatten(function(*structure.rebuild(own)))[0] if isinstance(y, Tensor) and y.dtype.is_float]

    outputs, pull = vjp(at, *[values[i] for i in moving])
    weights = [rng.uniform(0.5, 1.5, y.shape) for y in outputs]
    gradients = pull([asarray(w, y.dtype) for w, y in zip(weights, outputs, strict=True)])
    names = list(_names(structure, "argument"))
    for number, (position, gradient) in enumerate(zip(moving, gradients, strict=True)):
        direction = rng.uniform(-1, 1, gradient.shape)
        wanted = _difference(at, [values[i] for i in moving], number, direction, weights, step)
        slope = float((gradient.numpy() * direction).sum())
        error = abs(slope - wanted) / max(abs(wanted), 1)
        if not error <= tolerance:
            raise GradientError(f"grad_check: the gradient with respect to {names[position]} gives a slope of "
                                f"{slope:.9g} along a random direction, central differences {wanted:.9g}: error "
                                f"{error:.2g}",
                                expected=f"an error of at most {tolerance:g}",
                                fix="look at custom gradients, stop_gradient and kinks on the way from that argument")


def _in_double(x: Tree) -> Tree:
    """Float tensors and arrays as tensors of float64; everything else as it is."""
    if isinstance(x, Tensor | np.ndarray):
        x = asarray(x)
        return asarray(x.numpy(), dtypes.float64) if x.dtype.is_float else x
    return x


def _difference(at: Callable[..., list[Tensor]], values: list[Tensor], number: int, direction: np.ndarray,
                weights: list[np.ndarray], step: float) -> float:
    """The slope along a direction of the value of that number, by central differences of the fourth order."""
    def total(distance: float) -> float:
        moved = list(values)
        moved[number] = asarray(values[number].numpy() + distance * direction)
        with no_grad():
            return sum(float((y.numpy() * w).sum()) for y, w in zip(at(*moved), weights, strict=True))
    near, far = total(step) - total(-step), total(2 * step) - total(-2 * step)
    return (8 * near - far) / (12 * step)


def _names(structure: Structure, name: str) -> Iterator[str]:
    """The name of each leaf: "argument 0['weights'][1]"."""
    if structure.kind is None:
        yield name
    for i, child in enumerate(structure.children):
        key = structure.keys[i] if structure.keys else i
        is_field = structure.keys and structure.kind is not dict
        inner = f"argument {i}" if name == "argument" else f"{name}.{key}" if is_field else f"{name}[{key!r}]"
        yield from _names(child, inner)
