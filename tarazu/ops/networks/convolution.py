"""Convolutions and transposed convolutions in one, two and three dimensions, channels last.

All are one primitive, `conv`. So are its gradients, which therefore have gradients too.
"""

from __future__ import annotations

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ir.type_rules.convolution import Widths, span
from tarazu.ops.create import full
from tarazu.ops.elementwise import add
from tarazu.ops.networks.window_options import Numbers, Padding, Sizes, padding_widths, per_axis, require_windows_fit
from tarazu.ops.promote import as_number, same_dtype
from tarazu.ops.reduce import sum
from tarazu.ops.shape import flip, permute_dims, reshape
from tarazu.ops.typing import ArrayLike, Tensor


def conv1d(x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None = None, *, stride: Numbers = 1,
           padding: Padding = "valid", dilation: Numbers = 1, groups: int = 1) -> Tensor:
    """The sum of window times kernel at every position along one axis: (batch, size, channels) to (batch, size, out).

    `kernel` has the shape (window, channels / groups, out), `bias` (out,). Options as in `conv2d`. ShapeError when
    axes, channels, groups or windows do not fit, ArgumentError for options out of range.

    >>> import tarazu as tz
    >>> tz.conv1d(tz.tensor([[[1.0], [2.0], [4.0]]]), tz.tensor([[[-1.0]], [[1.0]]])).flatten()
    Tensor([1., 2.], dtype=float32)
    """
    return _convolve(1, x, kernel, bias, stride, padding, dilation, groups)


def conv2d(x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None = None, *, stride: Numbers = 1,
           padding: Padding = "valid", dilation: Numbers = 1, groups: int = 1) -> Tensor:
    """The sum of window times kernel at every position of an image: (batch, height, width, channels) to (..., out).

    `kernel` has the shape (height, width, channels / groups, out), `bias` (out,). As in every framework the kernel is
    not flipped (it is a cross-correlation). Every option is one number, or one per axis:

    - `stride`: elements from one window to the next;
    - `padding`: zeros around the input: "valid" (none), "same" (so many that the result has the size
      ceil(size / stride), one more behind than before when the number is odd), numbers, or pairs (before, after);
    - `dilation`: elements of the input from one element of the window to the next (Yu and Koltun, 2016);
    - `groups`: the channels are split into that many groups that do not see each other (Krizhevsky, Sutskever and
      Hinton, 2012); groups=channels is a depthwise convolution.

    ShapeError when axes, channels or groups do not fit, or no window fits; ArgumentError for options out of range.

    >>> import tarazu as tz
    >>> tz.conv2d(tz.ones((1, 28, 28, 3)), tz.ones((5, 5, 3, 8)), stride=2, padding="same").shape
    (1, 14, 14, 8)
    """
    return _convolve(2, x, kernel, bias, stride, padding, dilation, groups)


def conv3d(x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None = None, *, stride: Numbers = 1,
           padding: Padding = "valid", dilation: Numbers = 1, groups: int = 1) -> Tensor:
    """The sum of window times kernel at every position of a volume, (batch, depth, height, width, channels).

    `kernel` has the shape (depth, height, width, channels / groups, out), `bias` (out,), the result (batch, depth,
    height, width, out). Options as in `conv2d`. Errors as in `conv2d`.

    >>> import tarazu as tz
    >>> tz.conv3d(tz.ones((1, 4, 4, 4, 1)), tz.ones((2, 2, 2, 1, 3))).shape
    (1, 3, 3, 3, 3)
    """
    return _convolve(3, x, kernel, bias, stride, padding, dilation, groups)


def conv_transpose1d(x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None = None, *, stride: Numbers = 1,
                     padding: Padding = "valid", output_padding: Numbers = 0, dilation: Numbers = 1,
                     groups: int = 1) -> Tensor:
    """The transpose of `conv1d`: (batch, size, channels) to (batch, larger size, out).

    `kernel` has the shape (window, out / groups, channels), `bias` (out,). Options and errors as in `conv_transpose2d`.

    >>> import tarazu as tz
    >>> tz.conv_transpose1d(tz.tensor([[[1.0], [2.0]]]), tz.tensor([[[1.0]], [[10.0]]]), stride=2).flatten()
    Tensor([ 1., 10.,  2., 20.], dtype=float32)
    """
    return _convolve_transposed(1, x, kernel, bias, stride, padding, output_padding, dilation, groups)


def conv_transpose2d(x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None = None, *, stride: Numbers = 1,
                     padding: Padding = "valid", output_padding: Numbers = 0, dilation: Numbers = 1,
                     groups: int = 1) -> Tensor:
    """The transpose of the convolution with the same kernel and options: what maps its results back to its input.

    `kernel` has the shape (height, width, out / groups, channels), that of the convolution from `out` channels to
    `channels`. `padding` is that of this convolution, so it cuts off; "same" gives the size size * stride. As several
    sizes lead to one size under a stride, `output_padding` (less than the stride) adds elements behind. Zeiler,
    Krishnan, Taylor and Fergus, 2010. ShapeError when axes, channels or groups do not fit, ArgumentError for options
    out of range.

    >>> import tarazu as tz
    >>> tz.conv_transpose2d(tz.ones((1, 7, 7, 8)), tz.ones((3, 3, 4, 8)), stride=2, padding="same").shape
    (1, 14, 14, 4)
    """
    return _convolve_transposed(2, x, kernel, bias, stride, padding, output_padding, dilation, groups)


def conv_transpose3d(x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None = None, *, stride: Numbers = 1,
                     padding: Padding = "valid", output_padding: Numbers = 0, dilation: Numbers = 1,
                     groups: int = 1) -> Tensor:
    """The transpose of `conv3d`: (batch, depth, height, width, channels) to larger volumes with `out` channels.

    `kernel` has the shape (depth, height, width, out / groups, channels), `bias` (out,). Options and errors as in
    `conv_transpose2d`.

    >>> import tarazu as tz
    >>> tz.conv_transpose3d(tz.ones((1, 2, 2, 2, 1)), tz.ones((2, 2, 2, 3, 1)), stride=2).shape
    (1, 4, 4, 4, 3)
    """
    return _convolve_transposed(3, x, kernel, bias, stride, padding, output_padding, dilation, groups)


def _inputs(name: str, axes: int, x: ArrayLike, kernel: ArrayLike) -> tuple[Tensor, Tensor]:
    x, kernel = same_dtype(x, kernel)
    for value, what in ((x, "an input (batch, *sizes, channels)"), (kernel, "a kernel (*window, channels, channels)")):
        if len(value.shape) != axes + 2:
            raise ShapeError(f"{name}: {what.split(' (')[0]} of shape {value.shape}",
                             expected=f"{what} with {axes + 2} axes",
                             fix="x[None] is a batch of one, x[..., None] has one channel")
    return as_number(x), as_number(kernel)


def _convolve(axes: int, x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None, stride: Numbers, padding: Padding,
              dilation: Numbers, groups: int) -> Tensor:
    name = f"conv{axes}d"
    x, kernel = _inputs(name, axes, x, kernel)
    strides, gaps = per_axis(name, "stride", stride, axes), per_axis(name, "dilation", dilation, axes)
    spans = [span(k, d) for k, d in zip(kernel.shape[:-2], gaps, strict=True)]
    widths = padding_widths(name, padding, x.shape[1:-1], spans, strides)
    require_windows_fit(name, x.shape, spans, widths)
    y = convolution(x, kernel, strides, widths, gaps, (1,) * axes, groups)
    return y if bias is None else add(y, bias)


def _convolve_transposed(axes: int, x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None, stride: Numbers,
                         padding: Padding, output_padding: Numbers, dilation: Numbers, groups: int) -> Tensor:
    name = f"conv_transpose{axes}d"
    x, kernel = _inputs(name, axes, x, kernel)
    strides, gaps = per_axis(name, "stride", stride, axes), per_axis(name, "dilation", dilation, axes)
    extra = per_axis(name, "output_padding", output_padding, axes, least=0)
    if any(more >= max(s, d) for more, s, d in zip(extra, strides, gaps, strict=True)):
        raise ArgumentError(f"{name}: output_padding={output_padding} with stride={stride}, dilation={dilation}",
                            expected="less than the stride or less than the dilation",
                            fix="output_padding=stride - 1 gives the largest result")
    if groups < 1 or x.shape[-1] % groups:
        raise ShapeError(f"{name}: {x.shape[-1]} channels in {groups} groups",
                         expected="a number of groups that divides the channels",
                         fix="groups=1 joins every channel with every other")
    spans = [span(k, d) for k, d in zip(kernel.shape[:-2], gaps, strict=True)]
    upsampled = [n * s for n, s in zip(x.shape[1:-1], strides, strict=True)]
    widths = padding_widths(name, padding, upsampled, spans, strides)
    least = upsampled if padding == "same" else [
        max(span(n, s) + reach - 1 - before - after, 0)
        for n, s, reach, (before, after) in zip(x.shape[1:-1], strides, spans, widths, strict=True)]
    sizes = tuple(n + more for n, more in zip(least, extra, strict=True))
    y = input_cotangent(x, kernel, sizes, strides, widths, gaps, (1,) * axes, groups)
    return y if bias is None else add(y, bias)


def convolution(x: Tensor, kernel: Tensor, stride: Sizes, padding: Widths, dilation: Sizes, dilation_input: Sizes,
                groups: int) -> Tensor:
    """The primitive; `dilation_input` puts zeros between the elements of the input, negative padding cuts off."""
    return bind(ops.CONV, x, kernel, stride=stride, padding=padding, dilation=dilation, dilation_input=dilation_input,
                groups=groups)


def input_cotangent(g: Tensor, kernel: Tensor, sizes: Sizes, stride: Sizes, padding: Widths, dilation: Sizes,
                    dilation_input: Sizes, groups: int) -> Tensor:
    """The cotangent of the input, whose axes have `sizes`, of a convolution: stride and input dilation swap.

    Element i of the input meets element k of the kernel in the window o for which o * stride + k * dilation - before
    is i * dilation_input.
    """
    axes = range(len(sizes))
    *window, inner, outer = kernel.shape
    if 0 in g.shape or 0 in sizes:
        return _zeros((g.shape[0], *sizes, inner * groups), g, kernel)
    split = reshape(flip(kernel, tuple(axes)), (*window, inner, groups, outer // groups))
    transposed = reshape(permute_dims(split, (*axes, -1, -2, -3)), (*window, outer // groups, groups * inner))
    widths = []
    for n, o, k, s, (before, _), d, di in zip(sizes, g.shape[1:-1], window, stride, padding, dilation, dilation_input,
                                              strict=True):
        widths.append((span(k, d) - 1 - before, (n - 1) * di - (o - 1) * s + before))
    return convolution(g, transposed, dilation_input, tuple(widths), dilation, stride, groups)


def _zeros(shape: Sizes, first: Tensor, second: Tensor) -> Tensor:
    """Sums without products of two tensors, whose gradients are zeros."""
    return add(full(shape, 0, dtype=first.dtype), add(sum(first[..., :0]), sum(second[..., :0])))


def kernel_cotangent(g: Tensor, x: Tensor, window: Sizes, stride: Sizes, padding: Widths, dilation: Sizes,
                     dilation_input: Sizes, groups: int) -> Tensor:
    """The cotangent of the kernel: `g` goes over `x` as a kernel, with batch and channels swapped."""
    axes = range(1, len(window) + 1)
    if 0 in g.shape or 0 in x.shape:
        return _zeros((*window, x.shape[-1] // groups, g.shape[-1]), g, x)
    widths = []
    for n, o, k, s, (before, _), d, di in zip(x.shape[1:-1], g.shape[1:-1], window, stride, padding, dilation,
                                              dilation_input, strict=True):
        widths.append((before, (k - 1) * d + (o - 1) * s - (n - 1) * di - before))
    if groups > 1:
        return _grouped_cotangent(g, x, window, stride, tuple(widths), dilation, dilation_input, groups)
    order = (*axes, 0, len(window) + 1)
    cotangent = convolution(permute_dims(x, (-1, *axes, 0)), permute_dims(g, order), dilation, tuple(widths), stride,
                            dilation_input, 1)
    return permute_dims(cotangent, order)


def _grouped_cotangent(g: Tensor, x: Tensor, window: Sizes, stride: Sizes, padding: Widths, dilation: Sizes,
                       dilation_input: Sizes, groups: int) -> Tensor:
    """That of a kernel in groups. The channels of each group of the input stand for a batch, and the batch is one more
    axis that `g` goes over, so nothing changes places in memory."""
    inner, axes = x.shape[-1] // groups, range(1, len(window) + 1)
    samples = x[None] if inner == 1 else permute_dims(reshape(x, (*x.shape[:-1], groups, inner)), (-1, 0, *axes, -2))
    cotangent = convolution(samples, reshape(g, (*g.shape[:-1], 1, g.shape[-1])), (1, *dilation), ((0, 0), *padding),
                            (1, *stride), (1, *dilation_input), groups)
    if inner == 1:
        return reshape(cotangent, (*window, 1, g.shape[-1]))
    return permute_dims(reshape(cotangent, (inner, *window, g.shape[-1])), (*axes, 0, -1))
