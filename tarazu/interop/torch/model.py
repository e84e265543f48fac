"""`TorchModel`: a module of torch as a model of Tarazu, with a list of steps for each of its modes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.interop.imported import Imported, Ref, Step, last_reads
from tarazu.interop.torch.operations import OPERATIONS
from tarazu.nn.module.module import Module
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor

BATCH_NORM = "_native_batch_norm_legit_functional"
IN_TRAINING = 5  # which of its arguments says whether the batch's statistics count


@dataclasses.dataclass(frozen=True)
class Program:
    """Steps, the outputs, and by the names of tensors the values that they have afterwards: running statistics."""

    steps: list[Step]
    outputs: Any
    updates: dict[str, Ref]


class TorchModel(Imported):
    """What `tz.interop.from_torch` gives: it is called as the module of torch was, and trained and saved as any other.

    `evaluation` and `learning` are what it computes in the two modes. The tensors have torch's names; those in `turned`
    are kernels of convolutions, which are kept as (*window, in, out); those `beside` are not in torch's state_dict.
    """

    operations = OPERATIONS

    def __init__(self, inputs: Sequence[str], evaluation: Program, learning: Program, tensors: Mapping[str, Tensor],
                 turned: Sequence[str] = (), beside: Sequence[str] = ()) -> None:
        super().__init__(inputs, evaluation.outputs, evaluation.steps, tensors)
        self.turned, self.beside = list(turned), list(beside)
        self._learning = learning
        self._learning_reads = last_reads(learning.steps, (learning.outputs, learning.updates))

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The outputs, as the module of torch gives them: nested tuples, lists and dicts of tensors."""
        given = self._in_order(inputs, named)
        if not self.training:
            return super().forward(*given)
        learning = self._learning
        outputs, updates = self._evaluate(learning.steps, self._learning_reads, (learning.outputs, learning.updates),
                                          given)
        with no_grad():
            for name, value in updates.items():
                if not self.has_frozen_statistics:
                    self.tensors[name].copy_(value)
        return outputs

    def _in_order(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
        rest = self.inputs[len(inputs):]
        if named.keys() - set(rest):
            wrong = ", ".join(sorted(named.keys() - set(rest)))
            raise ArgumentError(f"inputs named {wrong}", expected=f"names among: {', '.join(rest) or 'none is left'}",
                                fix="give inputs in the order of the example, or by these names")
        return [*inputs, *(named[name] for name in rest if name in named)]

    def _run(self, step: Step, values: dict[str, Any]) -> None:
        if step.operation == BATCH_NORM and self.has_frozen_statistics:
            arguments = (*step.arguments[:IN_TRAINING], False, *step.arguments[IN_TRAINING + 1:])
            step = dataclasses.replace(step, arguments=arguments)
        super()._run(step, values)

    def _contents(self) -> list[tuple[str, Tensor | Module]]:
        """By torch's names."""
        return [(name.removeprefix("tensors."), value) for name, value in super()._contents()]

    def torch_state(self) -> dict[str, np.ndarray]:
        """The tensors as arrays in torch's layouts, by torch's names, for `module.load_state_dict`.

        Constants and buffers that torch does not save are left out.

        >>> tz.interop.from_torch(module, (images,)).torch_state()["conv1.weight"].shape  # doctest: +SKIP
        (64, 3, 7, 7)
        """
        arrays = {name: np.array(x.detach().numpy()) for name, x in self.tensors.items()  # torch wants writable ones
                  if name not in self.beside}
        return {name: np.ascontiguousarray(_torch_kernel(x)) if name in self.turned else x
                for name, x in arrays.items()}


def _torch_kernel(kernel: np.ndarray) -> np.ndarray:
    """(*window, in, out) as torch's (out, in, *window)."""
    return np.moveaxis(kernel, (-1, -2), (0, 1))
