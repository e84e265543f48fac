"""Graphs of one row as programs of any number of rows that JAX writes out and reads again (`jax.export`)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from tarazu.backend.xla import devices
from tarazu.backend.xla.program import OPTIONS
from tarazu.backend.xla.rules import bounds
from tarazu.backend.xla.rules.table import interpret
from tarazu.base.device import CPU, Device
from tarazu.base.errors import ArgumentError, CompileError, DeviceError
from tarazu.ir.graph import Graph

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")


def serialize(graph: Graph, constants: Sequence[np.ndarray], rebuild: Callable[[list[Any]], Any]) -> bytes:
    """The program of a graph whose first parameters, and all outputs, have one row, which becomes any number of rows.

    `constants` are the values of its last parameters; `rebuild` makes of the outputs what the program gives. Raises
    ArgumentError for what a file cannot hold, CompileError for what JAX refuses.
    """
    _require_flatbuffers()
    if bounds.is_bounded(graph):
        raise ArgumentError("a while_loop with a bound, which an exported program could not report",
                            expected="loops without a bound", fix="leave bound= out: it serves gradients")

    def one(*row: jax.Array) -> Any:
        outputs = interpret(graph, [*[jnp.expand_dims(x, 0) for x in row], *map(jnp.asarray, constants)])
        return rebuild([jnp.squeeze(x, 0) for x in outputs])

    (batch,) = export.symbolic_shape("batch")
    types = [x.type for x in graph.parameters[:len(graph.parameters) - len(constants)]]
    inputs = [jax.ShapeDtypeStruct((batch, *type_.shape[1:]), type_.dtype.numpy) for type_ in types]
    try:
        with jax.enable_x64(True):
            exported = export.export(jax.jit(jax.vmap(one)), platforms=PLATFORMS)(*inputs)
            content = exported.serialize()
    except (NotImplementedError, TypeError, ValueError) as error:
        raise CompileError(f"JAX does not export this: {str(error).splitlines()[0]}",
                           expected="operations that JAX can write out for CPUs, GPUs and TPUs, of rows by themselves",
                           fix="export the part of the model without them, or save the model: model.save(path)"
                           ) from error
    if exported.nr_devices > 1:
        raise ArgumentError(f"a function that divides tensors over {exported.nr_devices} devices",
                            expected="a function of one device", fix="leave tz.shard out of what is exported")
    return bytes(content)


def _require_flatbuffers() -> None:
    if importlib.util.find_spec("flatbuffers") is None:
        raise DeviceError("an exported program, and flatbuffers is not installed",
                          expected="flatbuffers, in which JAX writes programs", fix="pip install 'tarazu[xla]'")


class Program:
    """What `serialize` wrote. Where JAX cannot read it, its own error is raised.

    `inputs` has JAX's abstract value (shape, dtype) of each input, `outputs` the same in the containers of the result.
    """

    def __init__(self, content: bytes) -> None:
        _require_flatbuffers()
        self._exported = export.deserialize(bytearray(content))
        self._jitted = jax.jit(self._exported.call, compiler_options=OPTIONS)
        self.inputs = self._exported.in_avals
        self.outputs = jax.tree.unflatten(self._exported.out_tree, self._exported.out_avals)

    def __call__(self, arrays: Sequence[np.ndarray], where: Device) -> Any:
        """The outputs for arrays with one number of rows, as NumPy's arrays; compiled anew for each number."""
        device = devices.find("xla", None) if where == CPU else where
        placed = [devices.put(x, device) for x in arrays]
        with jax.enable_x64(True):
            return jax.tree.map(np.asarray, self._jitted(*placed))

    def text(self) -> str:
        """The program as a StableHLO module."""
        return self._exported.mlir_module()
