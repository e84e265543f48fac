"""Functional models: values, gradients, nesting, saving and copies, what is recorded, and what misuse says."""

import copy
import math
import pickle

import numpy as np
import pytest
from helpers import compilations, same_bits
from optable import RECORDS, leaves
from own_layers import Residual, Scale

import tarazu as tz
from tarazu.base.errors import ArgumentError, FileFormatError, ShapeError, TarazuError, TraceError
from tarazu.nn import (
    GRU,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    Input,
    Model,
    MultiHeadAttention,
    Sequential,
    TransformerEncoderLayer,
)

DRAW = np.random.default_rng(0)
IMAGES, ROWS = DRAW.normal(size=(6, 5, 5, 1)).astype("f"), DRAW.normal(size=(6, 3)).astype("f")


def two_branches():
    """An image and a row of numbers, joined; two outputs by name."""
    image, table = Input((5, 5, 1), name="image"), Input(3)
    x = tz.concat([Flatten()(Conv2D(2, 3)(image)), Dense(4, "tanh")(table)], -1)
    return Model({"image": image, "table": table}, {"kind": Dense(2)(x), "shares": tz.softmax(x)})


def test_values_are_those_of_the_layers():
    model = two_branches()
    conv, flatten, dense, head = model.layers
    x = tz.concat([flatten(conv(IMAGES)), dense(ROWS)], -1)
    for out in (model(image=IMAGES, table=ROWS), model({"table": ROWS, "image": IMAGES}), model(IMAGES, ROWS)):
        assert list(out) == ["kind", "shares"]
        np.testing.assert_allclose(out["kind"].detach(), head(x).detach(), rtol=1e-6)
        np.testing.assert_allclose(out["shares"].detach(), tz.softmax(x).detach(), rtol=1e-6)


@pytest.mark.parametrize("nested", [list, tuple])
def test_lists_and_tuples_of_inputs_and_outputs(nested):
    a, b = Input(3), Input(3)
    model = Model(nested([a, b]), nested([a + b, a - b]))
    for out in (model(ROWS, ROWS), model([ROWS, ROWS]), model((ROWS, ROWS))):
        assert type(out) is nested
        np.testing.assert_array_equal(out[0], ROWS + ROWS)
        np.testing.assert_array_equal(out[1], 0 * ROWS)


OPERATIONS = {  # functions of a batch (n, 4, 3) that treat each sample for itself
    "elementwise": lambda x: tz.sin(x) * 2 - x / 3 + tz.tensor([1.0, 2.0, 3.0]),
    "comparison": lambda x: tz.where(x > 0, x, 0.1),
    "broadcast sizes": lambda x: x + x[:, :1] * x[:, :, 2:],
    "mean over time": lambda x: x.mean(1),
    "largest": lambda x: x.max((1, 2)),
    "index": lambda x: x[:, -1, ::2],
    "index by a list": lambda x: x[:, [0, 2, 2]],
    "flatten": lambda x: tz.reshape(x, (x.shape[0], -1)),
    "reshape": lambda x: x.reshape(-1, 2, 6),
    "transpose": lambda x: tz.permute_dims(x, (0, 2, 1)),
    "concat": lambda x: tz.concat([x, x * 2, x[:, :, :1]], 2),
    "concat with zeros": lambda x: tz.concat([x, tz.zeros((x.shape[0], 1, 3))], 1),
    "stack": lambda x: tz.stack([x, -x], 1),
    "batched product": lambda x: x @ x.mT,
    "product with a matrix": lambda x: x @ tz.reshape(tz.arange(6.0), (3, 2)),
    "softmax": lambda x: tz.softmax(x, 1),
    "sort": lambda x: tz.sort(x, axis=1),
    "argmax": lambda x: tz.argmax(x, -1),
    "einsum": lambda x: tz.einsum("btf,bsf->bts", x, x),
    "attention": lambda x: tz.scaled_dot_product_attention(x, x, x, causal=True),
    "cumulative": lambda x: tz.cumulative_sum(x, axis=1),
    "axes away and back": lambda x: tz.moveaxis(tz.moveaxis(x, 0, -1) * 2, -1, 0),
    "norm": lambda x: tz.linalg.vector_norm(x, axis=-1),
}


@pytest.mark.parametrize("function", OPERATIONS.values(), ids=OPERATIONS)
def test_operations_are_done_for_each_sample(function, tmp_path):
    x = tz.asarray(DRAW.normal(size=(5, 4, 3)).astype("f"))
    symbol = Input((4, 3))
    made = function(symbol)
    model, wanted = Model(symbol, made), function(x)
    assert made.shape == (1, *wanted.shape[1:]) and made.dtype is wanted.dtype
    np.testing.assert_allclose(model(x), wanted, rtol=1e-5, atol=1e-6)
    if model.constants or function.__code__.co_names:
        model.save(tmp_path / "model")
        assert same_bits(tz.load(tmp_path / "model")(x), model(x))


NO_OPERATIONS = {"place"}  # a model is moved as a whole
TABLE = [pytest.param(record, choice, id=f"{record.name}-{choice}") for record in RECORDS
         if record.domains and record.name not in NO_OPERATIONS for choice in sorted({0, len(record.shapes) - 1})
         if all(math.prod(shape) for shape in record.shapes[choice])]  # inputs of models have elements


@pytest.mark.parametrize(("record", "choice"), TABLE)
def test_every_operation_of_the_table_is_recorded_and_copied(record, choice):
    arrays = record.draw(choice)
    wanted = leaves(record.function(*map(tz.asarray, arrays)))
    inputs = [Input(x.shape, dtype=str(x.dtype)) for x in arrays]
    outputs = leaves(record.function(*[x[0] for x in inputs]))
    made = [y[None] for y in outputs if type(y) is type(inputs[0])]  # others do not depend on the values
    if made:
        model = pickle.loads(pickle.dumps(Model(inputs, made)))
        got = model(*[np.stack([x, x]) for x in arrays])
        for y, one in zip(got, [y for y, z in zip(wanted, outputs, strict=True) if type(z) is type(inputs[0])],
                          strict=True):
            np.testing.assert_allclose(y, np.stack([one, one]), rtol=1e-6, atol=1e-6)


def test_a_branch_and_a_loop_are_kept_as_such():
    x = Input((4, 3))
    carry, sums = tz.scan(lambda c, row: (c + row, c + row), tz.zeros(3), x[0])
    model = Model(x, [sums[None], carry[None]])
    values = DRAW.normal(size=(2, 4, 3)).astype("f")
    sums, carry = model(values)
    np.testing.assert_allclose(sums, values.cumsum(1), rtol=1e-5)
    np.testing.assert_allclose(carry, values.sum(1), rtol=1e-5)
    x = Input(3)
    largest = x.max(1)
    model = Model(x, tz.cond(tz.reshape(largest > 0, ()), lambda x: x * 2, lambda x: x - 1, x))
    np.testing.assert_array_equal(model(tz.tensor([[1.0, 2, 3], [-1, -2, -3]])), [[2, 4, 6], [-2, -3, -4]])


def test_batch_norm_and_dropout_see_the_whole_batch():
    x = Input(3)
    model = Model(x, Dropout(0.5)(BatchNorm()(x * 2)))
    plain = Sequential([BatchNorm(), Dropout(0.5)])
    tz.random.seed(0)
    got = model(ROWS)
    tz.random.seed(0)
    np.testing.assert_allclose(got.detach(), plain(tz.asarray(ROWS) * 2).detach(), rtol=1e-5)
    np.testing.assert_allclose(model.layers[0].running_mean, plain[0].running_mean, rtol=1e-5)
    assert (model.eval()(ROWS) != 0).all() and same_bits(model(ROWS).detach(), model(ROWS).detach())


def test_building_leaves_running_statistics_and_modes_alone():
    norm = BatchNorm()
    Model(x := Input(3), norm(x))
    assert norm.training and (norm.running_mean == 0).all()


def test_a_layer_called_twice_is_shared(tmp_path):
    a, b, dense = Input(3), Input(3), Dense(2)
    model = Model([a, b], dense(a) - dense(b))
    assert model.count_parameters() == 8 and len(model.layers) == 1
    assert not model(ROWS, ROWS).any()
    model.save(tmp_path / "twins")
    assert tz.load(tmp_path / "twins").count_parameters() == 8


def test_parameters_and_tensors_that_operations_read(tmp_path):
    weight, offset = tz.nn.Parameter(tz.ones(3)), tz.tensor([1.0, 2.0, 3.0])
    x = Input(3)
    model = Model(x, x * weight + offset)
    offset += 1  # the model has the value of before
    assert [path for path, _ in model.named_parameters()] == ["constants.0"] and model.parameters()[0] is weight
    model(ROWS).sum().backward()
    np.testing.assert_allclose(weight.grad, ROWS.sum(0), rtol=1e-5)
    np.testing.assert_allclose(model(ROWS).detach(), ROWS + np.array([1, 2, 3]), rtol=1e-6)
    model.save(tmp_path / "model")
    assert same_bits(tz.load(tmp_path / "model")(ROWS).detach(), model(ROWS).detach())
    with pytest.raises(ArgumentError, match="computed from parameters"):
        x * (weight * 2)


def test_intermediate_outputs_and_inputs():
    x = Input(3)
    hidden = Dense(4)(x)
    model = Model(x, Dense(2)(tz.tanh(hidden)))
    features = Model(model.inputs, hidden)
    assert features.layers[0] is model.layers[0] is model.get_layer("dense") and features(ROWS).shape == (6, 4)
    head = Model(hidden, model.outputs)
    np.testing.assert_array_equal(head(features(ROWS)).detach(), model(ROWS).detach())
    again = copy.deepcopy(model)  # whose symbols are made anew
    parts = Model(again.inputs, [again.output_of("dense"), again.outputs])
    np.testing.assert_array_equal(parts(ROWS)[0].detach(), features(ROWS).detach())
    assert parts.layers[0] is again.layers[0] is not model.layers[0]
    twice = Dense(3)
    shared = Model(x, twice(twice(x)))
    assert shared.output_of("dense", 1) is shared.outputs and shared.output_of("dense").shape == (1, 3)


def test_nested_models_and_modules_with_several_inputs():
    encoder = two_branches()
    image, table = Input((5, 5, 1)), Input(3)
    model = Model([image, table], Residual(Scale(0.5))(encoder(image=image, table=table)["kind"], strength=2.0))
    np.testing.assert_allclose(model(IMAGES, ROWS).detach(), 2 * encoder(IMAGES, ROWS)["kind"].detach(), rtol=1e-6)
    assert [name for name, _ in model.named_children()] == ["model", "residual"]
    assert model.count_parameters() == encoder.count_parameters() + 1


def test_a_subclass_with_a_constructor_of_its_own(tmp_path):
    model = Wide(4)
    model.save(tmp_path / "wide")
    again = tz.load(tmp_path / "wide")
    assert type(again) is Wide and same_bits(again(ROWS).detach(), model(ROWS).detach())


class Wide(Model):
    """A functional model by its width."""

    def __init__(self, units):
        x = Input(3)
        super().__init__(x, Dense(1)(tz.concat([Dense(units)(x), x], -1)))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_trains_as_the_same_module_does(precision):
    def build(functional):
        tz.random.seed(1)
        if not functional:
            return Sequential([Dense(4, "tanh", in_features=3), lambda x: tz.softmax(x) * 3.0, Dense(1, in_features=4)])
        x = Input(3)
        return Model(x, Dense(1)(tz.softmax(Dense(4, "tanh")(x)) * 3.0))

    losses = []
    for functional in (True, False):
        model = build(functional).compile(tz.optim.SGD(lr=0.1), "mse", precision=precision)
        with compilations(exactly=1):
            losses.append(model.fit(ROWS, ROWS.sum(1), epochs=5, batch_size=3, seed=0, verbose=0)[-1]["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5 if precision == "float32" else 0.02)


@pytest.mark.parametrize("nested", [dict, tuple, list])
def test_several_inputs_and_outputs_train_with_one_trace(nested):
    image, table = Input((5, 5, 1)), Input(3)
    x = tz.concat([Flatten()(image), table], -1)
    outputs = {"kind": Dense(2)(x), "size": Dense(1)(x)}
    inputs, rows = {"image": image, "table": table}, {"image": IMAGES, "table": ROWS}
    if nested is not dict:
        inputs, rows = nested(inputs.values()), nested(rows.values())
    model = Model(inputs, outputs).compile(tz.optim.Adam(lr=0.01), {"kind": "cross_entropy", "size": "mse"})
    targets = {"kind": [0, 1, 0, 1, 0, 1], "size": ROWS.sum(1)}
    with compilations(exactly=1):
        history = model.fit(rows, targets, epochs=60, batch_size=3, seed=0, verbose=0)
    assert history[-1]["size_loss"] < 0.5 * history[0]["size_loss"]
    assert model.evaluate(rows, targets)["loss"] < history[0]["loss"]
    predicted = model.predict(rows)
    assert predicted["kind"].shape == (6, 2) and predicted["size"].shape == (6, 1)


def test_masks_of_symbolic_tensors_reach_layers():
    words = Input(4, dtype="int64")
    embedding, layers = Embedding(9, 3, padding_idx=0), [GRU(2, True), MultiHeadAttention(1, 2), GlobalAvgPool1D()]
    x, mask = embedding(words), words != 0
    for layer in layers:
        x = layer(x, mask=mask)
    model = Model(words, x)
    short, padded = np.array([[5, 6]]), np.array([[5, 6, 0, 0], [1, 2, 3, 4]])
    y = embedding(short)
    for layer in layers:
        y = layer(y)
    np.testing.assert_allclose(model(padded)[:1].detach(), y.detach(), rtol=1e-5)


@pytest.mark.native
def test_native_agrees_with_numpy():
    model = two_branches().eval()
    compiled = tz.jit(lambda a, b: model(a, b)["shares"])(tz.asarray(IMAGES), tz.asarray(ROWS))
    np.testing.assert_allclose(compiled.detach(), model(IMAGES, ROWS)["shares"].detach(), rtol=1e-5)


@pytest.mark.xla
def test_xla_agrees_with_numpy():
    model = two_branches().eval()
    wanted = model(IMAGES, ROWS)["shares"].detach().numpy()
    model.to("xla")
    got = model(tz.asarray(IMAGES).to("xla"), tz.asarray(ROWS).to("xla"))["shares"]
    np.testing.assert_allclose(got.detach().to("cpu"), wanted, rtol=1e-5)
    with pytest.raises(ArgumentError, match="a symbolic tensor to a device"):
        Input(3).to("xla")


@pytest.mark.parametrize("duplicate", ["save", copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_saved_copied_pickled(duplicate, tmp_path):
    model = two_branches()
    if duplicate == "save":
        model.save(tmp_path / "model")
        again = tz.load(tmp_path / "model")
    else:
        again = duplicate(model)
    for own, other in zip(model(IMAGES, ROWS).values(), again(IMAGES, ROWS).values(), strict=True):
        assert same_bits(own.detach(), other.detach())
    assert again.summary() == model.summary() and again.inputs.keys() == model.inputs.keys()
    assert not {id(x) for x in again.parameters()} & {id(x) for x in model.parameters()}


def test_replicas():
    def build():
        x = Input(3)
        return Model(x, tz.softmax(Dense(2)(x) + 1) * tz.nn.Parameter(tz.randn(2)))

    replicas = tz.replicate(build, 3, seeds=[4, 5, 6])
    together = replicas.map(lambda model, x: model(x))(tz.asarray(ROWS))
    for seed, member, got in zip([4, 5, 6], replicas, together, strict=True):
        tz.random.seed(seed)
        np.testing.assert_allclose(got.detach(), build()(ROWS).detach(), rtol=1e-6)
        np.testing.assert_allclose(got.detach(), member(ROWS).detach(), rtol=1e-6)


@pytest.mark.parametrize("change", [
    lambda text: text.replace('"concat"', '"no such primitive"'), lambda text: text.replace('"value"', '"constant"'),
    lambda text: text.replace('"outputs"', '"inputs"'), lambda text: text.replace("softmax_rule", "other_rule")])
def test_damaged_files_are_refused(change, tmp_path):
    model = two_branches()
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    text = path.read_text()
    if change(text) == text:
        pytest.fail("nothing was changed")
    path.write_text(change(text))
    with pytest.raises(FileFormatError):
        tz.load(tmp_path / "model")


def test_integers_and_embeddings():
    words = Input(4, dtype="int64")
    model = Model(words, Dense(2)(Embedding(10, 3)(words).mean(1)))
    assert model(np.ones((5, 4), int)).shape == (5, 2)


def sequences():
    """A model of sequences of any length; one output has the length of the input."""
    words = Input((None,), dtype="int64", name="words")
    mask, x = words != 0, Embedding(9, 4, padding_idx=0)(words)
    x = TransformerEncoderLayer(2, 4, feedforward=6, dropout=0)(x, mask=mask)
    x = tz.concat([x * 2 + x, x], -1)
    return Model(words, [Dense(1)(x), GRU(3)(x, mask=mask), x.max(1), x[:, 0], x @ x.mT])


def test_sizes_that_are_left_open(tmp_path):
    model = sequences()
    assert repr(model.outputs[0]) == "Tensor(symbolic, shape=(batch, None, 1), dtype=float32)"
    assert "words" in model.summary() and "(None, 8)" in model.summary()
    model.save(tmp_path / "model")
    for again in (model, tz.load(tmp_path / "model"), copy.deepcopy(model)):
        for length in (1, 3, 50):
            whole = again(DRAW.integers(1, 9, (2, length)))
            assert [x.shape for x in whole] == [(2, length, 1), (2, 3), (2, 8), (2, 8), (2, length, length)]
    x = DRAW.integers(1, 9, (3, 5))
    embedding, encoder, dense, gru = model.layers
    y = encoder(embedding(x))
    y = tz.concat([y * 3, y], -1)
    for got, wanted in zip(model(x), [dense(y), gru(y), y.max(1), y[:, 0], y @ y.mT], strict=True):
        np.testing.assert_allclose(got.detach(), wanted.detach(), rtol=1e-5, atol=1e-6)
    assert model.to_html(tmp_path / "model.html").exists()
    images = Input((None, None, 2))
    assert repr(Conv2D(3, 3, 2)(images)) == "Tensor(symbolic, shape=(batch, None, None, 3), dtype=float32)"
    assert GlobalAvgPool2D()(Conv2D(3, 3, 2)(images)).shape == (1, 3)


NEEDS_THE_SIZE = {
    "mean": lambda x: x.mean(1),
    "last step": lambda x: x[:, -1],
    "steps from 1": lambda x: x[:, 1:],
    "steps but the last": lambda x: x[:, :-1],
    "last steps": lambda x: x[:, -3:],
    "features of all steps": lambda x: x[..., :2],
    "reshape": lambda x: x.reshape(1, -1),
    "composite": tz.softmax,
    "division by the size": lambda x: x / x.shape[1],
    "half of the size": lambda x: x.shape[1] // 2,
    "number of elements": lambda x: x.size,
    "zeros": lambda x: x + tz.zeros(x.shape),
    "positions": lambda x: x + tz.arange(x.shape[1])[:, None],
    "scan": lambda x: tz.scan(lambda c, row: (c + row, c), tz.zeros(3), x[0]),
}


@pytest.mark.parametrize("function", NEEDS_THE_SIZE.values(), ids=NEEDS_THE_SIZE)
def test_operations_that_need_a_size_that_is_left_open(function):
    with pytest.raises(TraceError, match="needs the size of an axis that an Input leaves open"):
        function(Input((None, 3)))


def test_summary():
    a, b = Input((4, 3), name="words"), Input(2)
    dense = Dense(2)
    model = Model([a, b], Dense(1)(dense(a).mean(1) + dense(a)[:, -1] + b))
    assert model.summary() == """\
layer           kind       output shape  parameters  connected to
-------------------------------------------------------------------
words           Input      (4, 3)                 0
input           Input      (2,)                   0
dense           Dense      (4, 2)                 8  words
sum             operation  (2,)                   0  dense
div             operation  (2,)                   0  sum
dense (call 2)  Dense      (4, 2)            shared  words
slice           operation  (1, 2)                 0  dense (call 2)
reshape         operation  (2,)                   0  slice
add             operation  (2,)                   0  div, reshape
add_1           operation  (2,)                   0  add, input
dense_1         Dense      (1,)                   3  add_1
-------------------------------------------------------------------
11 parameters, 11 of them trainable; 44 B"""


def test_drawing(tmp_path):
    page = two_branches().to_html(tmp_path / "model.html", "Two branches").read_text()
    assert "Two branches" in page and "conv2d Conv2D" in page and "<svg" in page


def test_what_a_symbolic_tensor_says():
    x = Input((4, 3))
    assert repr(x) == "Tensor(symbolic, shape=(batch, 4, 3), dtype=float32)"
    assert copy.deepcopy(x) is x and x.device == tz.device("cpu")
    changed = x + 0
    changed[:, 0] = 5.0
    doubled = changed * 2
    changed += 1
    model = Model(x, [doubled, changed])
    np.testing.assert_array_equal(model(tz.ones(2, 4, 3))[0][0, :, 0], [10, 2, 2, 2])
    np.testing.assert_array_equal(model(tz.ones(2, 4, 3))[1][0, :, 0], [6, 2, 2, 2])


X = Input((4, 3))
MODEL = Model([X, OTHER := Input(2)], [X * 2, OTHER])
MISUSES = {
    "size 0": (lambda: Input(0), ArgumentError, "a size of Input=0"),
    "value": (lambda: X.numpy(), TraceError, r"cannot read its values: a symbolic tensor of type float32\[1,4,3\]"),
    "condition": (lambda: bool(X > 0), TraceError, "condition .* on a symbolic tensor"),
    "compiled function": (lambda: tz.jit(tz.sin)(X), TraceError, "a symbolic tensor in a compiled function"),
    "pickled": (lambda: pickle.dumps(X), ArgumentError, "cannot be pickled"),
    "shapes": (lambda: X + tz.ones(7), ShapeError, r"add: shapes \(1, 4, 3\) and \(7,\)"),
    "features": (lambda: Dense(2, in_features=9)(X), ShapeError, r"in Dense\(2, in_features=9\)"),
    "sum over the batch": (lambda: X.sum(), ShapeError, r"sum of shape \(1, 4, 3\) joins the samples"),
    "mean of the batch": (lambda: X - X.mean(0), ShapeError, r"joins the samples of a batch"),
    "product of samples": (lambda: tz.tensordot(OTHER, OTHER, ([1], [1])), ShapeError, "dot of shape .* joins"),
    "sort of samples": (lambda: tz.sort(X, axis=0), ShapeError, "joins the samples"),
    "concat of samples": (lambda: tz.concat([X, X], 0), ShapeError, "joins the samples"),
    "against itself": (lambda: OTHER[:, :1] - OTHER[:, :1].T, ShapeError, "sub of shape .* joins the samples"),
    "batch axis moved": (lambda: Dense(2)(OTHER.T), ShapeError, r"Dense\(2\) called with a symbolic tensor of shape"),
    "batch axis lost": (lambda: Model(X, X[0]), ShapeError, r"outputs with a symbolic tensor of shape \(4, 3\)"),
    "module without rows": (lambda: Sequential([lambda x: x.sum()])(X), ShapeError, r"gave a tensor of shape \(\)"),
    "no inputs": (lambda: Model([], X), ArgumentError, "a model without inputs"),
    "real outputs": (lambda: Model(X, tz.ones(3)), ArgumentError, "outputs with a Tensor"),
    "other inputs": (lambda: Model(OTHER, X * 2), ArgumentError, "not among the inputs"),
    "input twice": (lambda: Model([X, X], X), ArgumentError, "the same tensor twice"),
    "custom gradient": (lambda: Model(X, tz.custom_vjp(lambda x: x)(X)), ArgumentError,
                        "an operation with a CustomGradient in a functional model"),
    "one input of two": (lambda: MODEL(tz.ones((2, 4, 3))), ArgumentError,
                         r"with 1 input\n  expected: 2 inputs\n.*model\(a, b\)"),
    "wrong names": (lambda: two_branches()(image=IMAGES, rows=ROWS), ArgumentError,
                    r"inputs 'image', 'rows'\n  expected: 'image', 'table'\n.*model\(image=\.\.\., table=\.\.\.\)"),
    "other shape": (lambda: MODEL(tz.ones((2, 4, 3)), tz.ones((2, 5))), ShapeError,
                    r"input 1 of shape \(2, 5\)\n  expected: shape \(batch, 2\)"),
    "open sizes, other axes": (lambda: sequences()(np.ones((2, 3, 4), int)), ShapeError,
                               r"input words of shape \(2, 3, 4\)\n  expected: shape \(batch, None\)"),
    "other rows": (lambda: MODEL(tz.ones((2, 4, 3)), tz.ones((3, 2))), ShapeError, "input 1 has 3 rows"),
    "no such layer": (lambda: two_branches().output_of("dense_7"), ArgumentError,
                      "no layer 'dense_7'\n  expected: one of conv2d, flatten, dense, dense_1"),
    "no layer to get": (lambda: two_branches().get_layer("gru"), ArgumentError, "there is no layer 'gru'"),
    "no such call": (lambda: two_branches().output_of("dense", 1), ArgumentError, "call 1 of layer 'dense'"),
}


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES.values(), ids=MISUSES)
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text) as caught:
        act()
    assert isinstance(caught.value, TarazuError)


def test_a_list_of_inputs_is_also_passed_by_their_names():
    model = _difference("a", "b")
    a, b = tz.ones((3, 2)), tz.zeros((3, 2))
    assert model(b=b, a=a).tolist() == model({"b": b, "a": a}).tolist() == (a - b).tolist()
    assert model.predict({"b": b, "a": a}).tolist() == (a - b).tolist()
    with pytest.raises(tz.TarazuError, match="with inputs 'a', 'c'\n  expected: 2 inputs, by name 'a', 'b'"):
        model(a=a, c=b)
    with pytest.raises(tz.TarazuError, match="with inputs 'a', 'b'\n  expected: 2 inputs\n"):
        _difference(None, "b")(a=a, b=b)


def _difference(*names):
    first, second = (tz.nn.Input(2, name=name) for name in names)
    return tz.nn.Model([first, second], first - second)


def test_relu_leaves_an_axis_open():
    x = tz.nn.Input((None, 3))
    model = tz.nn.Model(x, tz.relu(x - 1))
    assert [model(tz.ones(2, n, 3)).shape for n in (1, 4)] == [(2, 1, 3), (2, 4, 3)]


def test_second_gradients_of_relu_are_no_products_of_zero():
    slope = tz.grad(lambda x: tz.relu(x * x - 1).sum())
    second = tz.grad(lambda x: slope(x).sum())
    np.testing.assert_array_equal(second(tz.tensor([np.inf, 2.0, 0.0])).numpy(), [2, 2, 0])
