"""Models and functions as ONNX, run by onnxruntime beside Tarazu."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import tarazu as tz
from tarazu.base.dtypes import as_dtype
from tarazu.base.pytree import flatten
from tarazu.interop.onnx.export.to_onnx import model_of_graphs, onnx_model
from tarazu.interop.onnx.export.values import constant
from tarazu.ir.types import TensorType
from tarazu.runtime.trace.trace import trace_function


def runs(proto: Any, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What onnxruntime computes of the model for these inputs."""
    return outputs(session(proto), arrays)


def session(proto: Any) -> Any:
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # further threads take longer to start than these models to run
    return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def outputs(opened: Any, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    names = [x.name for x in opened.get_inputs()]
    given = dict(zip(names, map(np.asarray, arrays), strict=True))
    return opened.run(None, given)


def exported_as_called(function: Any, *arrays: np.ndarray, rows: Sequence[int] = (1, 3, 7), rtol: float = 1e-5,
                       atol: float = 1e-5) -> Any:
    """The ONNX model of a module or function, after its outputs for so many rows were compared with Tarazu's."""
    if isinstance(function, tz.nn.Module):
        function(*map(tz.asarray, arrays))
        function.eval()
    proto = onnx_model(function, tuple(arrays))
    opened = session(proto)
    for count in rows:
        some = [np.concatenate([x] * -(-count // len(x)))[:count] for x in arrays]
        wanted = flatten(function(*map(tz.asarray, some)))[0]
        assert_close(outputs(opened, some), wanted, rtol, atol, f"{count} rows")
    return proto


def assert_close(found: Sequence[np.ndarray], wanted: Sequence[Any], rtol: float, atol: float, what: str) -> None:
    assert len(found) == len(wanted), what
    for one, other in zip(found, map(np.asarray, wanted), strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype, (what, one.shape, other.shape, one.dtype,
                                                                       other.dtype)
        np.testing.assert_allclose(one, other, rtol, atol, err_msg=what)


def of_fixed_shapes(function: Any, arrays: Sequence[np.ndarray], count: int) -> Any:
    """The ONNX model of a function of inputs of just these shapes, with `count` results."""
    traced = trace_function(function, [TensorType(x.shape, as_dtype(x.dtype)) for x in arrays])
    weights = [constant(x.numpy(), x.dtype, f"weight.{i}") for i, x in enumerate(traced.captured)]
    return model_of_graphs([traced.graph] * 3, [f"x{i}" for i in range(len(arrays))], weights,
                           [f"y{i}" for i in range(count)])


def count(proto: Any) -> dict[str, int]:
    """How many nodes of each operator the graph has, without those in bodies."""
    kinds = [node.op_type for node in proto.graph.node]
    return {kind: kinds.count(kind) for kind in kinds}
