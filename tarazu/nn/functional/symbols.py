"""Symbolic tensors: what they stand for, and how operations and modules that are called on them record themselves.

A symbolic tensor has the shape of a batch of one sample, so axes count as in real batches. Its `raw` is a `Symbol`: a
node that knows which step makes it. Steps refer to the tensors that they are given, so the last symbol of a model
holds all of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn, TypeGuard

import numpy as np

from tarazu.base.device import CPU, Device
from tarazu.base.errors import ArgumentError, ShapeError, TraceError
from tarazu.base.pytree import Structure, flatten
from tarazu.ir import op as ops
from tarazu.ir.node import Symbolic, infer
from tarazu.ir.op import Op
from tarazu.ir.types import TensorType
from tarazu.nn.functional.batch_axis import batch_axes
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import zeros
from tarazu.runtime.tensor.tensor import Tensor

_OFTEN_IDENTITIES = (ops.BROADCAST, ops.RESHAPE, ops.CAST)  # where the type stays the same
TRIAL_ROWS = 2  # samples of zeros in the call that builds a module: not 1, so that the batch axis is told from others


class Step:
    """What makes symbols: an input, an operation, or a call of a module. Steps are numbered as they are recorded."""

    _numbers: ClassVar = itertools.count()

    def __init__(self, arguments: Sequence[Any]) -> None:
        self.arguments = tuple(arguments)  # tensors, symbolic or real; those of modules may be anything
        self.outputs: list[Tensor] = []
        self.number = next(Step._numbers)

    def add_output(self, type_: TensorType, batch_axis: int | None = 0) -> SymbolicTensor:
        """A symbolic tensor for the next result of the step."""
        output = SymbolicTensor(Symbol(self, len(self.outputs), type_, batch_axis))
        self.outputs.append(output)
        return output


class InputStep(Step):
    """An input of a model; `name` is the user's, or None."""

    def __init__(self, name: str | None) -> None:
        super().__init__(())
        self.name = name


class OperationStep(Step):
    """A primitive on symbolic and real tensors."""

    def __init__(self, op: Op, inputs: Sequence[Tensor], attributes: dict[str, Any]) -> None:
        super().__init__(inputs)
        self.op, self.attributes = op, attributes


class ModuleStep(Step):
    """A call of a module; `structure` and `result` are those of its arguments (args, kwargs) and of its result."""

    def __init__(self, module: Module, leaves: Sequence[Any], structure: Structure, result: Structure) -> None:
        super().__init__(leaves)
        self.module, self.structure, self.result = module, structure, result


class Symbol(Symbolic):
    """The node of a symbolic tensor: result number `position` of `step`.

    `batch_axis` is the axis that the samples of a batch lie along; None where that is not known.
    """

    __slots__ = ("batch_axis", "position", "step")

    def __init__(self, step: Step, position: int, type_: TensorType, batch_axis: int | None) -> None:
        super().__init__("symbol", (), {}, type_, None)
        self.step, self.position, self.batch_axis = step, position, batch_axis

    def __getattr__(self, name: str) -> NoReturn:
        """What a compiled program asks of arrays, and a symbol does not have."""
        raise AttributeError(name) if name.startswith("__") else _in_compiled_function()

    def __array_ufunc__(self, *args: object, **kwargs: object) -> NoReturn:  # type: ignore[override]  # None in Node
        raise _in_compiled_function()

    def __array__(self, *args: object, **kwargs: object) -> np.ndarray:
        raise _in_compiled_function()

    def bind(self, op: Op, inputs: tuple[Tensor, ...], attributes: dict[str, Any]) -> Any:
        if op is ops.PLACE:
            raise ArgumentError("a symbolic tensor to a device", expected="a model that is moved as a whole",
                                fix='leave it out, and call model.to("gpu")')
        types = [TensorType(tuple(x.shape), x.dtype) for x in inputs]
        result = infer(op, types, attributes)
        if op in _OFTEN_IDENTITIES and result == types[0]:
            return inputs[0]
        axes = batch_axes(op, types, [x.raw.batch_axis if is_symbolic(x) else None for x in inputs], attributes)
        step = OperationStep(op, [x if is_symbolic(x) else kept(x) for x in inputs], attributes)
        if op.multiple:
            return [step.add_output(type_, axis) for type_, axis in zip(result, axes, strict=True)]
        return step.add_output(result, axes[0])

    def call(self, module: Module, inputs: tuple, options: dict[str, Any]) -> Any:
        leaves, structure = flatten((inputs, options))
        for x in leaves:
            require_samples(x, f"{type(module).__name__}({module.describe()}) called with")
        args, kwargs = structure.rebuild([_zeros_like(x) if is_symbolic(x) else x for x in leaves])
        with in_mode(module, training=False), no_grad():
            results, result = flatten(module(*args, **kwargs))
        _require_rows(module, results)
        step = ModuleStep(module, [kept(x) if isinstance(x, Tensor) and not is_symbolic(x) else x for x in leaves],
                          structure, result)
        return result.rebuild([step.add_output(TensorType((1, *y.shape[1:]), y.dtype)) for y in results])


class SymbolicTensor(Tensor):
    """A tensor of a functional model: it has a shape and a dtype, and gets values when the model is called."""

    __slots__ = ()

    @property
    def device(self) -> Device:
        """The plain CPU: a model decides where its values are."""
        return CPU

    def __bool__(self) -> bool:
        raise TraceError("a Python condition (if, while, and, or, not) on a symbolic tensor, which has no value yet",
                         expected="operations on tensors, or modules", fix=_FIX)

    def _concrete(self, wish: str) -> NoReturn:
        raise TraceError(f"cannot {wish}: a symbolic tensor of type {self.raw.type} has no values yet",
                         expected="operations on tensors, or modules", fix=_FIX)

    def __repr__(self) -> str:
        shape = str(tuple(self.shape))
        if self.shape[:1] == (1,):
            shape = shape.replace("1", "batch", 1)
        return f"Tensor(symbolic, shape={shape}, dtype={self.dtype})"

    def __copy__(self) -> SymbolicTensor:
        return self

    def __deepcopy__(self, memo: dict) -> SymbolicTensor:
        return self

    def __reduce__(self) -> NoReturn:
        raise ArgumentError("a symbolic tensor cannot be pickled", expected="a model, which can",
                            fix="make the model first: tz.nn.Model(inputs, outputs)")


def _in_compiled_function() -> TraceError:
    return TraceError("a symbolic tensor in a compiled function, which needs values",
                      expected="functions without tz.jit: fit and predict compile the whole model",
                      fix="call the function itself; or write it as the forward of a Module, and call that")


_FIX = "choose between values by tz.where(condition, x, y); write a Module whose forward does the rest, and call that"


def is_symbolic(x: object) -> TypeGuard[Tensor]:
    """Whether it is a symbolic tensor."""
    return isinstance(x, Tensor) and isinstance(x.raw, Symbol)


def kept(x: Tensor) -> Tensor:
    """What a step keeps of a real tensor: parameters and variables themselves, of others the present value.

    ArgumentError for one that was computed from parameters, as it would not follow them.
    """
    if x.requires_grad and not x.is_leaf:
        raise ArgumentError(f"a tensor of shape {tuple(x.shape)} that was computed from parameters meets a symbolic "
                            "one",
                            expected="parameters themselves, or tensors without a gradient",
                            fix="do that computation in the forward of a Module; or let it be a constant: x.detach()")
    return x if type(x) is not Tensor else x.detach()


def require_samples(x: object, what: str) -> None:
    """ShapeError, which begins with `what`, for a symbolic tensor that has no longer one row for each sample."""
    if is_symbolic(x) and not has_samples(x.raw):
        raise ShapeError(f"{what} a symbolic tensor of shape {tuple(x.shape)}",
                         expected="the batch axis first: shape (1, ...), as a symbolic tensor is a batch of one sample",
                         fix="keep axis 0 as it is: reshape to (1, ...), and let reductions and transpositions leave "
                             "it out")


def has_samples(symbol: Symbol) -> bool:
    """Whether the batch axis is the first."""
    return symbol.shape[:1] == (1,) and symbol.batch_axis in (0, None)


def _zeros_like(x: Tensor) -> Tensor:
    return zeros((TRIAL_ROWS, *x.shape[1:]), dtype=x.dtype)


def _require_rows(module: Module, results: Sequence[Any]) -> None:
    for y in results:
        if not isinstance(y, Tensor | np.ndarray) or y.shape[:1] != (TRIAL_ROWS,):
            shown = f"a tensor of shape {tuple(y.shape)}" if hasattr(y, "shape") else f"a {type(y).__name__}"
            raise ShapeError(f"{type(module).__name__} gave {shown} for {TRIAL_ROWS} samples of zeros",
                             expected=f"tensors with a row for each sample: shape ({TRIAL_ROWS}, ...)",
                             fix="keep the batch axis in forward")
