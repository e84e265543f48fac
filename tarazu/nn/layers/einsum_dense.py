"""A dense layer over the axes that an equation names."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.init import Initializer, find_initializer
from tarazu.nn.layers.activation import ActivationFunction, find_activation
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.einsum import einsum
from tarazu.ops.shape import permute_dims, reshape
from tarazu.runtime.tensor.tensor import Tensor

_FORM = re.compile(r"([a-zA-Z]*(?:\.\.\.)?[a-zA-Z]*),([a-zA-Z]+)->([a-zA-Z]*(?:\.\.\.)?[a-zA-Z]*)")


class EinsumDense(Module):
    """activation(einsum(equation, x, weight) + bias): a dense layer over any axes, such as heads of attention.

    `equation` has a letter for each axis of input, weight and output, of which the first of input and output is the
    batch: "btf,fhd->bthd" makes (batch, time, features) into (batch, time, heads, depth). `...` stands for further
    axes. `output_shape` has the sizes of the output's lettered axes but the batch, (None, heads, depth), where None, or
    a number, may stand for what the input has; `bias_axes` names the axes that have a bias each, "hd", or is None.

    `weight`, with an axis for each of its letters, starts as `kernel_initializer` says, which sees it as a matrix of
    the axes that are summed and the others. ArgumentError for an equation that is not of this form, unknown sizes and
    names; ShapeError for an input that does not fit. Keras's layer of that name.

    >>> import tarazu as tz
    >>> layer = tz.nn.EinsumDense("btf,fhd->bthd", (None, 2, 8), bias_axes="hd")
    >>> layer(tz.ones((5, 7, 16))).shape, layer.weight.shape, layer.bias.shape
    ((5, 7, 2, 8), (16, 2, 8), (2, 8))
    """

    def __init__(self, equation: str, output_shape: int | Sequence[int | None],
                 activation: str | ActivationFunction | None = None, bias_axes: str | None = None, *,
                 kernel_initializer: str | Initializer = "glorot_uniform",
                 bias_initializer: str | Initializer = "zeros") -> None:
        self._equation, self._bias_axes = equation.replace(" ", ""), bias_axes or ""
        self._input_letters, self._weight_letters, self._output_letters = _parts(self._equation)
        lettered = _without_batch(self._output_letters)
        sizes = tuple(output_shape) if isinstance(output_shape, Sequence) else (output_shape,)
        if len(sizes) != len(lettered):
            raise ArgumentError(f"EinsumDense: output_shape={output_shape!r} for {equation!r}",
                                expected=f"a size, or None, for each of {', '.join(lettered) or 'no axes'}",
                                fix="leave out the batch and the axes of the ellipsis")
        self._given = {letter: size for letter, size in zip(lettered, sizes, strict=True) if size is not None}
        if not set(self._bias_axes) <= set(lettered) or "." in self._bias_text():
            raise ArgumentError(f"EinsumDense: bias_axes={bias_axes!r} for {equation!r}",
                                expected="letters of the output that come after the batch and after an ellipsis",
                                fix="the last letter alone is usual")
        self._activation, self._initializer = find_activation(activation), find_initializer(kernel_initializer)
        self._bias_initializer = find_initializer(bias_initializer)

    def _bias_text(self) -> str:
        """The output from the first axis that has a bias on."""
        positions = [self._output_letters.index(letter) for letter in self._bias_axes]
        return self._output_letters[min(positions):] if positions else ""

    def build(self, x: Tensor) -> None:
        """Make weight and bias for an input of this shape. ShapeError where it does not fit the equation."""
        known = self._sizes_of(x)
        sizes = {**self._given, **known}
        if unknown := [letter for letter in self._weight_letters + self._bias_axes if letter not in sizes]:
            raise ArgumentError(f"EinsumDense: no size for axis {unknown[0]!r} of {self._equation!r}",
                                expected="sizes in output_shape for the axes that the input lacks",
                                fix="write numbers in place of None")
        self.weight = Parameter(self._initial_weight(sizes))
        if self._bias_axes:
            shape = tuple(sizes[letter] if letter in self._bias_axes else 1 for letter in self._bias_text())
            self.bias = Parameter(self._bias_initializer(shape, None))

    def _sizes_of(self, x: Tensor) -> dict[str, int]:
        """The sizes of the input's letters. ShapeError for another number of axes, or sizes other than given ones."""
        before, ellipsis, after = self._input_letters.partition("...")
        if len(x.shape) < len(before + after) or (len(x.shape) > len(before) and not ellipsis):
            raise ShapeError(f"an input of shape {tuple(x.shape)}", expected=f"the axes {self._input_letters}",
                             fix="add axes, or use an ellipsis for more of them")
        sizes = dict(zip(before, x.shape, strict=False)) | dict(zip(after[::-1], x.shape[::-1], strict=False))
        for letter, size in sizes.items():
            if self._given.get(letter, size) != size:
                raise ShapeError(f"an input of shape {tuple(x.shape)}",
                                 expected=f"the size {self._given[letter]} for axis {letter!r}, as in output_shape",
                                 fix="write None there to take the input's")
        return sizes

    def _initial_weight(self, sizes: dict[str, int]) -> Tensor:
        """Drawn with the axes that are summed as inputs and new ones as outputs, then put into the weight's order."""
        letters = self._weight_letters
        summed = [letter for letter in letters if letter not in self._output_letters]
        new = [letter for letter in letters if letter not in self._input_letters]
        order = [*(letter for letter in letters if letter not in summed + new), *summed, *new]
        shape = [sizes[letter] for letter in order]
        inputs, outputs = (math.prod(sizes[letter] for letter in group) for group in (summed, new))
        drawn = self._initializer((*shape[:len(shape) - len(summed + new)], inputs, outputs), None)
        return permute_dims(reshape(drawn, shape), [order.index(letter) for letter in letters])

    def forward(self, x: Tensor) -> Tensor:
        self._sizes_of(x)
        y = einsum(self._equation, x, self.weight)
        return self._activation(y + self.bias if self._bias_axes else y)


def _parts(equation: str) -> tuple[str, str, str]:
    """The letters of input, weight and output; ArgumentError for an equation of another form."""
    match = _FORM.fullmatch(equation)
    x, weight, y = match.groups() if match else ("", "", "")
    has_batch = x[:1] == y[:1] and x[:1] not in weight if match and x else False
    is_once = all(len(set(part.replace(".", ""))) == len(part.replace(".", "")) for part in (x, weight, y))
    if not has_batch or not is_once or ("." in x) != ("." in y) or set(weight) - set(x + y) or set(y) - set(x + weight):
        raise ArgumentError(f"EinsumDense: the equation {equation!r}",
                            expected='one of the form "input,weight->output" with a letter for each axis, in which '
                                     "input and output begin with the batch, and the weight lacks it",
                            fix='write for example "btf,fh->bth" or "...f,fh->...h"')
    return x, weight, y


def _without_batch(letters: str) -> str:
    """The letters without the first one, the batch; where an ellipsis stands first, the batch is in it."""
    return letters.removeprefix("...") if letters.startswith(".") else letters[1:].replace("...", "")
