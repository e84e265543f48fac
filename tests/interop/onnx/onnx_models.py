"""Small ONNX models made by hand."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import tarazu as tz


def graph_of(nodes, inputs, outputs, arrays=None, name="graph"):
    """A graph; `inputs` and `outputs` are shapes of floats by name, `arrays` its initial values."""
    initial = [numpy_helper.from_array(np.asarray(array), key) for key, array in (arrays or {}).items()]
    return helper.make_graph(nodes, name, [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape)
                                           for key, shape in inputs.items()],
                             [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape)
                              for key, shape in outputs.items()], initial)


def proto_of(graph, opset=21, functions=()):
    """A model of a graph."""
    domains = [helper.make_opsetid("", opset), *(helper.make_opsetid(one.domain, 1) for one in functions)]
    return helper.make_model(graph, opset_imports=domains, functions=functions, ir_version=10)


def loaded(proto, folder, name="model.onnx"):
    """The model, written to a file and read from there."""
    path = folder / name
    path.write_bytes(proto if isinstance(proto, bytes) else proto.SerializeToString())
    return tz.load(path)


def convolutional():
    """Conv, BatchNormalization, Relu, MaxPool, the mean of the sizes, Gemm: images (n, 3, 8, 8) to 4 numbers."""
    draw = np.random.default_rng(0).normal
    arrays = {"kernel": draw(size=(5, 3, 3, 3)), "bias": draw(size=5), "scale": draw(size=5), "shift": draw(size=5),
              "mean": draw(size=5), "variance": draw(size=5) ** 2, "w": draw(size=(4, 5)), "b": draw(size=4)}
    nodes = [helper.make_node("Conv", ["x", "kernel", "bias"], ["h1"], pads=[1, 1, 1, 1]),
             helper.make_node("BatchNormalization", ["h1", "scale", "shift", "mean", "variance"], ["h2"]),
             helper.make_node("Relu", ["h2"], ["h3"]),
             helper.make_node("MaxPool", ["h3"], ["h4"], kernel_shape=[2, 2], strides=[2, 2]),
             helper.make_node("GlobalAveragePool", ["h4"], ["h5"]), helper.make_node("Flatten", ["h5"], ["h6"]),
             helper.make_node("Gemm", ["h6", "w", "b"], ["y"], transB=1)]
    floats = {key: array.astype(np.float32) for key, array in arrays.items()}
    return proto_of(graph_of(nodes, {"x": ["n", 3, 8, 8]}, {"y": ["n", 4]}, floats))
