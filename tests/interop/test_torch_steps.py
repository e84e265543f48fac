"""Models of torch's steps, without torch: operations on steps written by hand, layouts, saving, what is missing."""

import sys

import numpy as np
import pytest

import tarazu as tz
from tarazu.interop.imported import Ref, Step
from tarazu.interop.torch.layout import turn
from tarazu.interop.torch.model import Program, TorchModel
from tarazu.interop.torch.operations import OPERATIONS
from tarazu.interop.torch.reading import Reading

X = np.arange(12, dtype="float32").reshape(3, 4) - 5
IMAGE = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
PLACES = np.array([[0, 2], [1, 1], [3, 0]])


@pytest.mark.parametrize(("name", "arguments", "expected"), [
    ("add", (X, X, 0.5), X * 1.5), ("sub", (X, 1, 2), X - 2), ("rsub", (X, 1), 1 - X),
    ("div", (X, 2, "floor"), X // 2), ("div", (X.astype("int64"), 2, "trunc"), np.trunc(X / 2).astype("int64")),
    ("mul", (X > 0, X > 1), X > 1), ("clamp", (X, None, 1.0), np.minimum(X, 1)), ("clamp", (X, -1), np.maximum(X, -1)),
    ("sum.dim_IntList", (X, [], False), X.sum()), ("mean.dim", (X, [1], True), X.mean(1, keepdims=True)),
    ("var.correction", (X, [1]), X.var(1, ddof=1)), ("cat", ([np.zeros(0, "float32"), X, X], 1), np.hstack([X, X])),
    ("slice", (X, 1, 1, 9223372036854775807, 2), X[:, 1::2]), ("select", (X, 1, -1), X[:, -1]),
    ("squeeze", (X[None], [0, 1]), X), ("expand", (X[:, None], [-1, 2, 4]), np.stack([X, X], 1)),
    ("split.Tensor", (X, 3, 1), (X[:, :3], X[:, 3:])), ("constant_pad_nd", (X, [1, 0], 2.0), np.pad(
        X, [(0, 0), (1, 0)], constant_values=2)),
    ("gather", (X, 1, PLACES), np.take_along_axis(X, PLACES, 1)),
    ("index.Tensor", (X, [None, PLACES[:, 0]]), X[:, PLACES[:, 0]]),
    ("index_put", (X, [np.array([0, 0])], np.ones((2, 4), "float32"), True), X + 2 * np.eye(3, 4)[:, :1]),
    ("index_put", (X, [X > 0], np.float32(9)), np.where(X > 0, 9, X)),
    ("as_strided", (X, [2, 2], [4, 1], 1), X[:2, 1:3]), ("sym_stride", (X, 0), 4),
    ("softmax.int", (X, 1), np.exp(X) / np.exp(X).sum(1, keepdims=True)),
    ("linear", (X, X), X @ X.T), ("addmm", (np.ones(3, "float32"), X, X.T, 2.0, 0.5), 2 + X @ X.T / 2),
    ("arange.start_step", (0, 3), np.arange(3)), ("full", ([2], 1.5), np.full(2, 1.5, "float32")),
    ("embedding", (X, PLACES % 3, 1), X[PLACES % 3]),
    ("as_last", (IMAGE, 4), IMAGE.transpose(0, 2, 3, 1)),
    ("as_first", (IMAGE,), IMAGE.transpose(0, 3, 1, 2))], ids=lambda value: value if isinstance(value, str) else "")
def test_operations(name, arguments, expected):
    def tensors(value):
        is_array = isinstance(value, np.ndarray | np.generic)
        return tz.tensor(value) if is_array else [tensors(x) for x in value] if isinstance(value, list) else value

    result = OPERATIONS[name](*map(tensors, arguments))
    pairs = zip(result, expected, strict=True) if isinstance(result, tuple) else [(result, expected)]
    for own, other in pairs:
        np.testing.assert_allclose(own.numpy() if isinstance(own, tz.Tensor) else own, other, rtol=1e-5)


def image_steps() -> Reading:
    """conv(x).relu().mean((2, 3)) + bias, of (n, 3, 4, 5)."""
    def step(name, arguments, result):
        return Step(name, arguments, {}, (result,), "model.py, line 3: ...")

    convolution = (Ref("x"), Ref("kernel"), None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1)
    steps = [step("convolution", convolution, "%conv"), step("relu", (Ref("%conv"),), "%relu"),
             step("mean.dim", (Ref("%relu"), [2, 3], False), "%mean"),
             step("add", (Ref("%mean"), Ref("bias")), "%sum")]
    shapes = {"x": (None, 3, 4, 5), "kernel": (2, 3, 3, 3), "%conv": (None, 2, 2, 3), "%relu": (None, 2, 2, 3),
              "%mean": (None, 2), "%sum": (None, 2), "bias": (2,)}
    return Reading(["x"], Ref("%sum"), steps, {}, shapes, {})


def model() -> TorchModel:
    evaluation, learning = (Program(each.steps, each.outputs, each.updates)
                            for each in (turn(image_steps()), turn(image_steps())))
    tensors = {"kernel": tz.nn.Parameter(tz.ones((2, 3, 3, 3)) / 27), "bias": tz.tensor([0.0, 1.0])}
    return TorchModel(["x"], evaluation, learning, tensors)


def test_images_are_turned_once():
    turned = turn(image_steps())
    assert [step.operation for step in turned.steps] == ["kernel", "as_last", "convolution", "relu", "mean.dim", "add"]
    assert turned.steps[4].arguments[1] == [1, 2]
    assert turned.images == {"x"}
    given_last = turn(image_steps(), {"x"})
    assert "as_last" not in [step.operation for step in given_last.steps]


def test_what_knows_no_other_layout_gets_torchs():
    reading = image_steps()
    reading.steps.insert(2, Step("view", (Ref("%relu"), [-1, 12]), {}, ("%flat",), ""))
    reading.shapes["%flat"] = (None, 12)
    reading.outputs = Ref("%flat")
    names = [step.operation for step in turn(reading).steps]
    assert names[4:6] == ["as_first", "view"]


def test_a_model_of_steps_is_called_differentiated_and_saved(tmp_path):
    made = model()
    np.testing.assert_allclose(made(tz.ones((5, 3, 4, 5))).detach().numpy(), [[1, 2]] * 5, rtol=1e-5)
    tz.jit(made)(tz.ones((2, 3, 4, 5))).sum().backward()
    assert made.tensors["kernel"].grad.shape == (2, 3, 3, 3)
    assert [name for name, _ in made.named_tensors()] == ["kernel", "bias"]
    made.save(tmp_path / "model")
    loaded = tz.load(tmp_path / "model")
    np.testing.assert_allclose(loaded(x=tz.ones((1, 3, 4, 5))).detach().numpy(), [[1, 2]], rtol=1e-5)


def test_errors_say_where_a_step_stood():
    with pytest.raises(tz.TarazuError, match=r"model\.py, line 3: \.\.\., convolution: "):
        model()(tz.ones((5, 2, 4, 5)))


def test_torch_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(tz.TarazuError, match="tz.interop.from_torch needs the package torch") as caught:
        tz.interop.from_torch(None, None)
    assert "pip install torch" in str(caught.value)
