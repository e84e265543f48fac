"""`debug_nans`: an interpreter, and programs, that look at every result and say which operation gave the first NaN."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tarazu.backend.base import Program, Renewed
from tarazu.backend.numpy import evaluate
from tarazu.base.device import Device, Mesh
from tarazu.base.errors import NanError, TraceError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import state
from tarazu.ir.node import Node
from tarazu.ir.op import Op
from tarazu.runtime.device import put, resolve, values
from tarazu.runtime.eager import Eager
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.origins import user_line
from tarazu.transform.gradient.notes import notes_of
from tarazu.transform.gradient.tape import Leaf, TapeNode


class debug_nans(contextlib.ContextDecorator):  # noqa: N801 - a context, used like a function
    """A block, or a decorated function, in which the first operation that gives a NaN raises NanError.

    The error names the operation and the line of the user's program, for an operation in the backward pass that of the
    forward operation whose gradient it is. With `inf` infinite results out of finite inputs raise too. Jitted functions
    are traced again and run node by node, so everything is much slower. It holds for this thread; TraceError inside a
    traced function.

    >>> import tarazu as tz
    >>> with tz.debug_nans():
    ...     try:
    ...         tz.log(tz.tensor([-1.0]))
    ...     except FloatingPointError as error:
    ...         print(str(error).split(",")[0])
    log gave NaN out of inputs without one
    """

    def __init__(self, *, inf: bool = False) -> None:
        self.inf = inf
        self._before: list[Eager] = []

    def __enter__(self) -> None:
        if state.interpreter.is_tracing:
            raise TraceError("debug_nans inside a function that is being traced", expected="a block around its call",
                             fix="write `with tz.debug_nans():` where the function is called")
        self._before.append(state.interpreter)
        state.interpreter = Watching(self.inf)

    def __exit__(self, *_: object) -> None:
        state.interpreter = self._before.pop()


class Watching(Eager):
    """Runs primitives like `Eager` does, and checks what they give."""

    notes_lines, compiles_often = True, False

    def __init__(self, inf: bool) -> None:
        self.inf = inf
        self._gone_through: TapeNode | None = None  # what the backward pass has come to

    def bind(self, op: Op, inputs: tuple[Tensor, ...], attributes: dict[str, Any]) -> Any:
        line = user_line()
        if op is ops.CALL and not any(isinstance(x.raw, Node) for x in inputs):
            run = CheckedProgram(attributes["body"], self, attributes["label"], self._forward_line() or line)
            run(*[values(x.raw) for x in inputs])
        out = super().bind(op, inputs, attributes)
        results = out if op.multiple else [out]
        for x in results:
            if x.tape_entry is not None:
                notes_of(x.tape_entry).line = line
        self.check(op.name, [values(x.raw) for x in inputs], [values(x.raw) for x in results], self._where(line))
        return out

    def _where(self, line: str) -> str:
        if self._gone_through is None:
            return f"at {line}"
        forward = self._gone_through.name.removesuffix("Backward")
        return f"on the way back through {forward}, which was computed at " \
               f"{self._forward_line() or 'a place before debug_nans'}"

    def _forward_line(self) -> str | None:
        """The line of the forward operation that the backward pass has come to."""
        node = self._gone_through
        return node.notes.line if node is not None and node.notes is not None else None

    def check(self, name: str, inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray], where: str) -> None:
        """NanError when the outputs hold what the inputs do not."""
        bad = next((what for is_bad, what in ((np.isnan, "NaN"), (np.isinf, "inf"))
                    if (what == "NaN" or self.inf) and _any(is_bad, outputs)), None)
        if bad is None or _any(np.isnan, inputs) or (self.inf and _any(np.isinf, inputs)):
            return
        shapes = ", ".join(f"{x.dtype}{list(x.shape)}" for x in inputs)
        wanted = "finite inputs" if self.inf else "inputs without one"
        raise NanError(f"{name} gave {bad} out of {wanted}, {where}", expected=f"numbers out of ({shapes})",
                       fix="print the inputs there; log, sqrt, a division or exp outside of its range is the usual "
                           "cause")

    def enter_backward(self, node: TapeNode | Leaf | None) -> None:
        self._gone_through = node if isinstance(node, TapeNode) else None

    def compile(self, graph: Graph, device: Device | Mesh | None, renewed: Renewed = ()) -> Program:
        run = CheckedProgram(graph, self)
        if device is None:
            return run
        where = resolve(device)
        return lambda *arrays: [put(x, where) for x in run(*map(values, arrays))]


class CheckedProgram:
    """A graph that is run node by node; the lines are those noted when it was traced."""

    def __init__(self, graph: Graph, watching: Watching, label: str = "", line: str = "") -> None:
        self._graph, self._watching, self._label, self._line = graph, watching, label, line
        self._node: Node  # that is run now

    @np.errstate(all="ignore")
    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        note_node = functools.partial(setattr, self, "_node")
        return self._graph.evaluate(arrays, self._apply, lambda array: array, note_node)

    def _apply(self, op: Op, inputs: list[np.ndarray], attributes: dict[str, Any]) -> Any:
        origin = self._node.origin
        line = origin.line or self._line
        if op is ops.CALL:
            return CheckedProgram(attributes["body"], self._watching, attributes["label"], line)(*inputs)
        out = evaluate(op, inputs, attributes)
        where = f"at {line}" if line else "at a line that was not noted"
        if origin.is_backward:
            where = f"on the way back through what was computed {where}"
        label = self._label.removesuffix("_vjp")
        name = f"{op.name} in {label}" if label else op.name
        self._current().check(name, inputs, out if op.multiple else [out], where)
        return out

    def _current(self) -> Watching:
        """The interpreter of the `debug_nans` block that is running now; the program may be from an earlier block."""
        now = state.interpreter
        return now if isinstance(now, Watching) else self._watching


def _any(is_bad: Callable[[np.ndarray], np.ndarray], arrays: Sequence[np.ndarray]) -> bool:
    return any(bool(is_bad(x).any()) for x in map(_numbers, arrays) if x.dtype.kind in "fc")


def _numbers(array: np.ndarray) -> np.ndarray:
    """`array` in a dtype that NumPy can test: bfloat16 is no kind of its own."""
    return array.astype(np.float32) if array.dtype.kind == "V" else np.asarray(array)
