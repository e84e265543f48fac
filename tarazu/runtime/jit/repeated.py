"""Calls of a jitted function again and again, with other values of its only array and all else as it was."""

from __future__ import annotations

import weakref

import numpy as np

from tarazu.backend.base import HoldingProgram
from tarazu.base.device import CPU, default
from tarazu.ir.interpreter import state
from tarazu.ir.types import Data
from tarazu.runtime.jit.compiled import Compiled, Result
from tarazu.runtime.jit.jit import MatchedCall
from tarazu.runtime.trace.guards import guards_hold


class RepeatedCall:
    """A call that was matched once, of a function of one array that changes nothing: it looks up no signature.

    Between calls what the function reads from outside is held by weak references, so that others may write into its
    memory, as donating programs do; the program knows where it lies.
    """

    def __init__(self, matched: MatchedCall) -> None:
        program = matched.compiled.program
        assert isinstance(program, HoldingProgram)
        self._compiled = matched.compiled
        self.has_guards = bool(matched.compiled.guards)  # such as on the mode that a model is in
        held = map(weakref.ref, matched.inputs[1:])
        self._held = [*zip(matched.compiled.captured_handles(), held, strict=True)]
        self._program = program.holding(matched.inputs[1:])

    def arrays(self) -> list[Data] | None:
        """What the tensors from outside hold, to be passed to the call; None where guards do not hold, or the tensors
        have other arrays than then, and so maybe other types.

        Nobody writes there, or frees it, while the call runs: another thread may train.
        """
        if state.interpreter.is_tracing or state.interpreter.notes_lines or default() is not CPU:
            return None
        arrays: list[Data] = []
        for handle, held in self._held:
            array = held()
            if array is None or array is not handle.raw:
                return None
            arrays.append(array)
        return arrays if guards_hold(self._compiled.guards) and self._compiled.attributes.hold() else None

    def __call__(self, array: np.ndarray, arrays: list[Data]) -> np.ndarray:
        """The program's only output for an array of the shape and dtype of then, and `arrays` of now."""
        self._compiled.uses += 1
        return self._program(array, *arrays)[0]


def repeated(matched: MatchedCall) -> RepeatedCall | None:
    """The call to be repeated; None where the program takes other arguments too, gives several outputs, or changes
    something."""
    compiled = matched.compiled
    is_plain = (len(matched.arguments) == 1 and compiled.device is None and not compiled.outputs.updates
                and not compiled.outputs.differentiable and _gives_one_output(compiled))
    if not is_plain or not isinstance(compiled.program, HoldingProgram):
        return None
    return RepeatedCall(matched) if all(type(x) is np.ndarray for x in matched.inputs) else None


def _gives_one_output(compiled: Compiled) -> bool:
    results = [x for x in compiled.outputs.results if isinstance(x, Result)]
    return len(compiled.graph.outputs) == len(results) == 1
