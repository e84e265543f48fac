"""Whole models as files of ONNX: names, operators, transposes, any number of rows, and what stands in the file."""

import numpy as np
import pytest
from onnx_programs import count, exported_as_called, outputs, runs, session

import tarazu as tz
from tarazu import nn
from tarazu.interop.onnx.export.to_onnx import onnx_model

pytestmark = pytest.mark.extras
draw = np.random.default_rng(0)


def floats(*shape):
    return draw.normal(size=shape).astype(np.float32)


class Block(nn.Module):
    """A residual block, as in ResNet."""

    def __init__(self, channels):
        self.first, self.second = (nn.Conv2D(channels, 3, padding="same", bias=False) for _ in range(2))
        self.first_norm, self.second_norm = nn.BatchNorm(), nn.BatchNorm()

    def forward(self, x):
        inner = tz.relu(self.first_norm(self.first(x)))
        return tz.relu(x + self.second_norm(self.second(inner)))


def residual():
    return nn.Sequential([nn.Conv2D(4, 3), nn.BatchNorm(), nn.Activation("relu"), Block(4), Block(4),
                          nn.GlobalAvgPool2D(), nn.Dense(2)])


def cnn():
    return nn.Sequential([nn.Conv2D(4, 3), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D(2),
                          nn.Conv2D(4, 3, padding="same", activation="relu"), nn.AvgPool2D(2), nn.Flatten(),
                          nn.Dense(2)])


def generator():
    return nn.Sequential([nn.Conv2DTranspose(4, 3, 2, "same", activation="relu"), nn.BatchNorm(),
                          nn.UpSampling2D(), nn.Conv2D(1, 3, padding="same", activation="sigmoid")])


def two_inputs():
    first, second = nn.Input(4), nn.Input(3)
    hidden = tz.concat([nn.Dense(5, "relu")(first), nn.Dense(5, "tanh")(second)], -1)
    return nn.Model((first, second), (nn.Dense(2)(hidden), tz.softmax(nn.Dense(3)(hidden))))


def transformer():
    return nn.Sequential([nn.PositionalEmbedding(6), nn.TransformerEncoderLayer(2, 8, feedforward=16,
                                                                              activation="gelu"),
                          nn.GlobalAvgPool1D(), nn.Dense(2)])


def language_model():
    embedding = nn.Embedding(9, 8)
    return nn.Sequential([embedding, nn.TransformerEncoderLayer(2, 8, feedforward=8, causal=True, norm_first=True),
                          nn.TiedOutput(embedding)])


TOKENS = draw.integers(0, 9, size=(4, 5))
MODELS = {
    "mlp": (lambda: nn.Sequential([nn.Dense(8, "relu"), nn.BatchNorm(), nn.Dropout(0.5), nn.Dense(3)]), [floats(4, 4)]),
    "cnn": (cnn, [floats(4, 12, 12, 1)]),
    "residual": (residual, [floats(4, 9, 9, 3)]),
    "generator": (generator, [floats(4, 4, 4, 3)]),
    "lstm": (lambda: nn.Sequential([nn.LSTM(5), nn.Dense(2)]), [floats(4, 6, 3)]),
    "lstm of tokens": (lambda: nn.Sequential([nn.Embedding(9, 4, padding_idx=0, mask=True), nn.LSTM(5)]), [TOKENS]),
    "transformer": (transformer, [floats(4, 6, 8)]),
    "language model": (language_model, [TOKENS]),
    "two inputs": (two_inputs, [floats(4, 4), floats(4, 3)]),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_computes_the_same_in_onnxruntime(name):
    make, arrays = MODELS[name]
    exported_as_called(make(), *arrays)


@pytest.mark.parametrize(("name", "operators"), {
    "cnn": {"Transpose": 2, "Conv": 2, "BatchNormalization": 1, "Relu": 2, "MaxPool": 1, "AveragePool": 1, "Reshape": 1,
            "MatMul": 1, "Add": 1},
    "residual": {"Transpose": 1, "Conv": 5, "BatchNormalization": 5, "Relu": 5, "Add": 3, "ReduceSum": 1, "Div": 1,
                 "MatMul": 1},
}.items())
def test_channels_are_moved_at_the_borders_only(name, operators):
    make, arrays = MODELS[name]
    assert count(exported_as_called(make(), *arrays, rows=(2,))) == operators


def test_operators_that_onnx_has_are_used():
    found = count(exported_as_called(transformer(), floats(4, 6, 8), rows=(2,)))
    assert found["LayerNormalization"] == 2 and found["Gelu"] == 1 and "Erf" not in found
    weights = nn.Sequential([nn.Activation("softmax")])
    assert count(exported_as_called(weights, floats(4, 6), rows=(2,))) == {"Softmax": 1}
    generated = count(exported_as_called(generator(), floats(4, 4, 4, 3), rows=(2,)))
    assert generated["ConvTranspose"] == 1 and generated["Conv"] == 1


POOLS = {
    "maximum": (lambda: nn.MaxPool2D(2), "MaxPool"),
    "padded maximum": (lambda: nn.MaxPool2D(3, 2, padding="same"), "MaxPool"),
    "dilated maximum": (lambda: lambda x: tz.max_pool(x, 2, stride=1, dilation=2), "MaxPool"),
    "mean": (lambda: nn.AvgPool2D(2), "AveragePool"),
    "padded mean": (lambda: nn.AvgPool2D(3, 2, padding="same"), "AveragePool"),
    "mean that counts padding": (lambda: lambda x: tz.average_pool(x, 3, stride=2, padding=1, count_padding=True),
                                 "AveragePool"),
    "overlapping mean": (lambda: nn.AvgPool2D((3, 1), (1, 2)), "AveragePool"),
}


@pytest.mark.parametrize("name", POOLS)
def test_pooling_is_one_operator(name):
    make, operator = POOLS[name]
    assert count(exported_as_called(make(), floats(3, 7, 6, 2), rows=(2,)))[operator] == 1


@pytest.mark.parametrize("function", [
    lambda x: tz.average_pool(x, 3, stride=2, ceil_mode=True), lambda x: tz.max_pool(x, 3, stride=2, ceil_mode=True),
    lambda x: tz.lp_pool(x, 2), lambda x: tz.max_pool(tz.astype(x * 9, "int64"), 2),
    lambda x: tz.average_pool(tz.astype(x, "float64"), 2)],
    ids=["mean, ceil", "maximum, ceil", "norm", "integers", "float64"])
def test_other_windows_are_composed(function):
    exported_as_called(function, floats(3, 8, 8, 2), rows=(2,))


def test_weights_have_their_paths_and_inputs_their_names():
    model = cnn()
    proto = exported_as_called(model, floats(4, 12, 12, 1), rows=(1,))
    names = {x.name: tuple(x.dims) for x in proto.graph.initializer}
    assert {path for path, _ in model.named_tensors()} <= set(names)
    assert names["0.weight"] == (4, 1, 3, 3) and names["0.bias"] == (4,) and names["7.weight"] == (16, 2)
    inputs, outputs_ = list(proto.graph.input), list(proto.graph.output)
    assert [x.name for x in inputs] == ["x"] and [x.name for x in outputs_] == ["output"]
    assert [d.dim_param or d.dim_value for d in inputs[0].type.tensor_type.shape.dim] == ["batch", 12, 12, 1]
    assert [d.dim_param or d.dim_value for d in outputs_[0].type.tensor_type.shape.dim] == ["batch", 2]


def test_the_file_says_what_wrote_it_and_nodes_say_where_they_come_from(tmp_path):
    import onnx

    model = cnn()
    model(tz.asarray(floats(2, 12, 12, 1)))
    tz.export(model, tmp_path / "new" / "m.onnx")
    proto = onnx.load(tmp_path / "new" / "m.onnx")
    assert proto.producer_name == "tarazu" and proto.producer_version == tz.__version__
    assert {x.key: x.value for x in proto.metadata_props} == {"tarazu_version": tz.__version__}
    assert proto.opset_import[0].version == 21 and model.training
    conv = next(node for node in proto.graph.node if node.op_type == "Conv")
    assert conv.name.startswith("Sequential/0 Conv2D/"), conv.name
    x = floats(5, 12, 12, 1)
    np.testing.assert_allclose(runs(proto, [x])[0], model.predict(x).numpy(), rtol=1e-5, atol=1e-5)


def test_a_tied_weight_stands_in_the_file_once():
    proto = exported_as_called(language_model(), TOKENS, rows=(2,))
    tables = [x.name for x in proto.graph.initializer if sorted(x.dims) == [8, 9]]
    assert len(tables) == 1


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_a_model_in_half_precision(precision):
    model = nn.Sequential([nn.Dense(8, "gelu"), nn.LayerNorm(), nn.Dense(3)]).compile("adam", "mse",
                                                                                    precision=precision)
    x = floats(4, 4)
    wanted = model.predict(x).numpy()
    (found,) = runs(onnx_model(model), [x])
    np.testing.assert_allclose(found, wanted, atol=2e-2)


def test_a_model_in_float64():
    model = nn.Sequential([nn.Conv2D(4, 3, 2, groups=2, in_channels=2), nn.Activation("tanh"), nn.Flatten(),
                           nn.Dense(2, in_features=36)])
    for x in model.parameters():
        x.raw = x.numpy().astype(np.float64)
    model.eval()
    x = draw.normal(size=(3, 7, 8, 2))
    proto = onnx_model(lambda x: model(tz.astype(x, "float64")), x.astype(np.float64))
    wanted = model(tz.asarray(x)).numpy()
    np.testing.assert_allclose(runs(proto, [x])[0], wanted, rtol=1e-10)


def test_results_in_containers_have_names_of_their_own():
    shared = tz.ones(3)
    proto = onnx_model(lambda x, y: {"sum": x + y, "parts": (x, x + y, shared * 1), "x": shared},
                       (floats(2, 3), floats(2, 3)))
    assert [x.name for x in proto.graph.input] == ["x", "y"]
    assert [x.name for x in proto.graph.output] == ["output.sum", "output.parts.0", "output.parts.1", "output.parts.2",
                                                    "output.x"]
    x, y = floats(5, 3), floats(5, 3)
    found = outputs(session(proto), [x, y])
    np.testing.assert_array_equal(found[1], x)
    np.testing.assert_array_equal(found[2], x + y)
    np.testing.assert_array_equal(found[4], np.ones(3))


def opened(path):
    import onnx

    return session(onnx.load(path))


class Unlike(nn.Module):
    def forward(self, image, facts):
        return image - facts


@pytest.mark.parametrize("example", [{"facts": floats(2, 3), "image": floats(2, 3)}, [floats(2, 3), floats(2, 3)],
                                     (floats(2, 3), floats(2, 3))])
def test_several_inputs_as_predict_takes_them(example, tmp_path):
    tz.export(Unlike(), tmp_path / "m.ONNX", example)
    image, facts = floats(5, 3), floats(5, 3)
    (out,) = opened(tmp_path / "m.ONNX").run(None, {"image": image, "facts": facts})
    np.testing.assert_array_equal(out, image - facts)


def test_inputs_of_functional_models_have_their_names_and_need_no_example(tmp_path):
    left, right = nn.Input(3, name="left"), nn.Input(3, "int64", name="right")
    tz.export(nn.Model([left, right], left - right), tmp_path / "m.onnx")
    rows = {"left": floats(5, 3), "right": np.ones((5, 3), np.int64)}
    (out,) = opened(tmp_path / "m.onnx").run(None, rows)
    np.testing.assert_array_equal(out, rows["left"] - 1)
