"""Mixed precision: the forward and backward part in a half type, weights and optimizer in float32.

Micikevicius and others, "Mixed Precision Training", 2018. `FullPrecision` and its subclasses say in what type a model
computes; `LossScale` keeps gradients within the range of float16.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from tarazu.base.dtypes import DType, bfloat16, float16, float32
from tarazu.base.errors import ArgumentError
from tarazu.base.pytree import map_leaves
from tarazu.base.spelling import did_you_mean
from tarazu.nn.module.module import Module
from tarazu.nn.module.observers import wrap_calls
from tarazu.ops.elementwise import astype, isfinite, logical_and, where
from tarazu.ops.reduce import all as all_of
from tarazu.optim.optimizer import Optimizer
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.substitution import substitute_keeping_changes
from tarazu.train.calling import call

# How the scale changes is as in section 3.2 of the paper and its "automatic loss scaling"; the numbers are those of
# NVIDIA's "Mixed-Precision Training" guide and of jmp.DynamicLossScale.
INITIAL_SCALE = 2.0 ** 15
GOOD_STEPS = 2000  # so many steps in a row without an overflow, and the scale doubles
LARGEST_SCALE = 2.0 ** 32  # gradients that are all zero never overflow, and the scale must not become infinite
SMALLEST_SCALE = 2.0 ** -14  # what overflows even so is above 65504 * 2**14, or is none of the scale's doing

Losses = Callable[[], tuple[Tensor, Any]]  # the loss of a batch, and what else came with it


class FullPrecision:
    """Everything in the type that it has: what `precision="float32"` stands for."""

    likely_overflow = ""  # what in the model may have become infinite for this type alone

    def forward(self, model: Module, inputs: Any) -> Any:
        """The model's output for one input, or for a tuple, list or dict of them."""
        return call(model, inputs)

    def compilable(self, model: Module) -> Callable[[Any], Any]:
        """`forward` of one model, as a function to be compiled."""
        return model.__call__

    def in_own_step(self) -> contextlib.AbstractContextManager[None]:
        """A block with code that users write, in which this policy holds for each model that they call."""
        return contextlib.nullcontext()

    def loss_scale(self) -> Unscaled:
        """The object whose `step` takes the steps of one training run, with or without a loss scale."""
        return Unscaled()


class HalfPrecision(FullPrecision):
    """Parameters float32, computation in `dtype`, output float32."""

    def __init__(self, dtype: DType) -> None:
        self._dtype = dtype

    def forward(self, model: Module, inputs: Any) -> Any:
        """The model's output, computed with half copies of its float32 parameters; gradients flow to these."""
        return self._computed(model, lambda given: call(model, given), inputs)

    def compilable(self, model: Module) -> Callable[[Any], Any]:
        def forward(*inputs: Any, **options: Any) -> Any:
            return self._call(model, inputs, options)
        return forward

    def in_own_step(self) -> contextlib.AbstractContextManager[None]:
        return wrap_calls(self._call)

    def _call(self, model: Module, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        with wrap_calls(None):
            return self._computed(model, lambda given: model(*given[0], **given[1]), (inputs, options))

    def _computed(self, model: Module, function: Callable[[Any], Any], inputs: Any) -> Any:
        singles = [x for _, x in model.named_parameters() if x.dtype is float32]
        if not singles:
            return function(inputs)  # a float64 model stays one, with all digits of its inputs
        if not any(module.reads_codes for _, module in model.named_modules()):
            inputs = map_leaves(lambda x: _cast(x, float32, self._dtype), inputs)
        with substitute_keeping_changes(singles, [astype(x, self._dtype) for x in singles]):
            output = function(inputs)
        return map_leaves(lambda x: _cast(x, self._dtype, float32), output)


class ScaledHalfPrecision(HalfPrecision):
    """As `HalfPrecision`, for a type in which small gradients would become zero."""

    likely_overflow = 'a number above 65504 in the model, which float16 does not hold (try precision="bfloat16"), or '

    def loss_scale(self) -> Unscaled:
        return LossScale()


def _cast(x: Tensor, from_dtype: DType, to_dtype: DType) -> Tensor:
    """`x`, in `to_dtype` where it is a tensor of `from_dtype`; a model may take and give other things too."""
    return x.astype(to_dtype) if isinstance(x, Tensor) and x.dtype is from_dtype else x


class Unscaled:
    """Steps without a loss scale."""

    def step(self, losses: Losses, optimizer: Optimizer, state: Sequence[Tensor]) -> tuple[Tensor, Any]:
        """Take a step of the optimizer, which changes tensors of `state`; gives what `losses` gives."""
        loss, prediction = losses()
        loss.backward()
        optimizer.step()
        return loss, prediction

    def state(self) -> list[Tensor]:
        """The tensors that a step changes here."""
        return []

    def failure(self) -> str:
        """Why no more steps will be taken, if so."""
        return ""


class LossScale(Unscaled):
    """Steps with the gradient of the loss times a scale, so that small gradients do not become zero in float16.

    Where a gradient overflows, the step is not taken and the scale is halved; after `GOOD_STEPS` others it is doubled.
    """

    def __init__(self) -> None:
        self.scale, self.good_steps = tensor(INITIAL_SCALE), tensor(0, dtype="int64")

    def step(self, losses: Losses, optimizer: Optimizer, state: Sequence[Tensor]) -> tuple[Tensor, Any]:
        before = [(x, x.raw, x.detach()) for x in state]
        loss, prediction = losses()
        (loss * self.scale).backward()
        is_finite = self._unscale(optimizer.parameters)
        optimizer.step()
        with no_grad():
            for x, raw, old in before:
                if x.raw is not raw:  # what no step changes stays out of it
                    x.copy_(where(is_finite, x, old))
            self._adapt(is_finite)
        return loss, prediction

    def _unscale(self, parameters: Sequence[Tensor]) -> Tensor:
        """Divide the gradients by the scale; gives whether they are all finite."""
        is_finite = tensor(True)
        with no_grad():
            for x in parameters:
                if x.grad is not None:
                    x.grad = x.grad / self.scale
                    is_finite = logical_and(is_finite, all_of(isfinite(x.grad)))
        return is_finite

    def _adapt(self, is_finite: Tensor) -> None:
        count = where(is_finite, self.good_steps + 1, 0)
        is_due = count >= GOOD_STEPS
        larger, smaller = (self.scale * 2).clip(max=LARGEST_SCALE), (self.scale / 2).clip(min=SMALLEST_SCALE)
        self.scale.copy_(where(is_finite, where(is_due, larger, self.scale), smaller))
        self.good_steps.copy_(where(is_due, 0, count))

    def state(self) -> list[Tensor]:
        return [self.scale, self.good_steps]

    def failure(self) -> str:
        is_lowest = float(self.scale) <= SMALLEST_SCALE
        return "the gradients were infinite or NaN at every loss scale" if is_lowest else ""


FULL = FullPrecision()
POLICIES = {"float32": FULL, "bfloat16": HalfPrecision(bfloat16), "float16": ScaledHalfPrecision(float16)}


def policy(name: str) -> FullPrecision:
    """The policy of that name."""
    if isinstance(name, str) and name in POLICIES:
        return POLICIES[name]
    raise ArgumentError(f"precision {name!r}", expected=f"one of {', '.join(POLICIES)}", fix=_meant(name))


def _meant(name: str) -> str:
    if isinstance(name, DType) and name.name in POLICIES:
        return f"write its name: precision={name.name!r}"
    if str(name) in ("half", "mixed", "16", "mixed_bfloat16", "bf16"):
        return "precision='bfloat16' needs half the memory of float32 and has its range"
    if str(name) in ("fp16", "mixed_float16"):
        return "did you mean 'float16'?"
    return did_you_mean(name, POLICIES)
