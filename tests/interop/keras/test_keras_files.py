"""`.keras` files that were made by hand: what is read of them, and what is refused, with the layer and the way."""

import functools
import re
import struct
import zipfile
from pathlib import Path

import hand_made as made
import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DataWarning, FileFormatError
from tarazu.interop.keras.layers.preprocessing import TEXTS
from tarazu.interop.keras.layers.table import LAYERS
from tarazu.interop.keras.merging import MERGES

extras = pytest.mark.extras
KERNEL, BIAS = np.arange(6.0).reshape(3, 2), np.array([0.5, -0.5])
X = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 1.0]], np.float32)
OPTIMIZER = {"module": "keras.optimizers", "class_name": "SGD", "registered_name": "SGD", "config": {
    "name": "sgd", "learning_rate": 0.10000000149011612, "momentum": 0.9, "nesterov": False, "weight_decay": None,
    "clipnorm": None, "global_clipnorm": 1.0, "clipvalue": None, "use_ema": False, "ema_momentum": 0.99,
    "ema_overwrite_frequency": None, "loss_scale_factor": None, "gradient_accumulation_steps": None}}
COMPILED = {"optimizer": OPTIMIZER, "loss": "mse", "loss_weights": None, "metrics": ["mae"], "weighted_metrics": None}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.keras"


def one_dense(path, compiled=None, **config):
    return made.write(path, made.sequential(made.start(3), made.dense(2, **config), compiled=compiled),
                      made.weights(layers__dense=[KERNEL, BIAS]))


@extras
def test_a_sequential_model(path):
    model = tz.load(one_dense(path))
    np.testing.assert_allclose(model(X).numpy(), X @ KERNEL + BIAS)
    assert not model.training
    assert [layer.describe() for layer in model] == ["2, linear, in_features=3, bias=True"]


@extras
def test_what_compile_was_told(path):
    model = tz.load(one_dense(path, COMPILED, kernel_regularizer={"class_name": "L2", "config": {"l2": 0.5}}))
    optimizer = model._trainer.optimizer
    assert (type(optimizer).__name__, optimizer.lr) == ("SGD", 0.1)
    y = X @ KERNEL + BIAS
    expected = 0.5 * (KERNEL**2).sum()
    assert model.evaluate(X, y.astype("float32")) == pytest.approx({"loss": expected, "mae": 0.0})
    with pytest.raises(tz.TarazuError, match="compile"):
        tz.load(path, optimizer=False).fit(X, y.astype("float32"), verbose=0)


@extras
def test_a_model_that_has_predicted_and_was_never_compiled(path):
    """Keras writes {} then."""
    assert tz.load(one_dense(path, {}))._trainer is None


@extras
def test_mixed_precision_has_weights_of_float32(path):
    scaled = {"class_name": "LossScaleOptimizer", "config": {"name": "s", "inner_optimizer": OPTIMIZER}}
    policy = {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
    model = tz.load(one_dense(path, COMPILED | {"optimizer": scaled}, dtype=policy))
    np.testing.assert_allclose(model(X).numpy(), X @ KERNEL + BIAS)
    assert type(model._trainer.optimizer).__name__ == "SGD"


@extras
def test_dropout_of_whole_samples(path):
    """As EfficientNet of keras.applications has it."""
    layer = made.part("Dropout", "drop", rate=0.5, noise_shape=[None, 1])
    model = tz.load(made.write(path, made.sequential(made.start(3), layer))).train()
    assert set(model(np.ones((50, 3), "float32")).numpy().sum(1).tolist()) == {0.0, 6.0}


@extras
def test_several_inputs_by_the_names_of_keras(path):
    config = made.functional(
        made.start(3, name="a") | {"name": "a", "inbound_nodes": []},
        made.start(3, name="b") | {"name": "b", "inbound_nodes": []},
        made.part("Subtract", "less", calls=[made.call([made.tensor("a"), made.tensor("b")])]),
        inputs=[["a", 0, 0], ["b", 0, 0]], outputs=["less", 0, 0])
    model = tz.load(made.write(path, config, made.weights()))
    np.testing.assert_array_equal(model.predict({"b": X, "a": 3 * X}).numpy(), 2 * X)


@extras
def test_losses_of_several_outputs_and_their_weights(path):
    heads = [made.dense(2, name) | {"name": name, "inbound_nodes": [made.call(made.tensor("x"))]} for name in "ab"]
    config = made.functional(made.start(3) | {"name": "x", "inbound_nodes": []}, *heads, inputs=["x", 0, 0],
                             outputs={"a": ["a", 0, 0], "b": ["b", 0, 0]})
    config["compile_config"] = {**COMPILED, "loss": {"a": "mse", "b": {"class_name": "Huber", "config": {
        "delta": 0.3, "reduction": "sum_over_batch_size", "name": "h"}}}, "loss_weights": {"a": 1.0, "b": 2.0},
        "metrics": None}
    zero = np.zeros((3, 2))
    content = made.weights(layers__dense=[zero, [0, 0]], layers__dense_1=[zero, [1, 1]])
    model = tz.load(made.write(path, config, content))
    y = {"a": np.full((2, 2), 2.0, np.float32), "b": np.zeros((2, 2), np.float32)}
    assert model.evaluate(X, y)["loss"] == pytest.approx(4 + 2 * 0.3 * (1 - 0.15), rel=1e-5)


@extras
def test_a_functional_model_with_a_shared_layer_and_operations(path):
    nodes = [made.call(made.tensor("x")), made.call(made.tensor("scaled"))]
    ops = "keras.src.ops.numpy"
    config = made.functional(
        made.start(3, name="x") | {"name": "x", "inbound_nodes": []},
        made.part("Multiply", "scaled", ops, [made.call(made.tensor("x"), 2.0)]),
        made.dense(2, "shared") | {"name": "shared", "inbound_nodes": nodes},
        made.part("Concatenate", "both", calls=[made.call([made.tensor("shared"), made.tensor("shared", 1)])], axis=-1),
        made.part("GetItem", "first", ops, [made.call(made.tensor("both"), [
            {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}}, 0])]),
        inputs=["x", 0, 0], outputs=[["both", 0, 0], ["first", 0, 0]])
    model = tz.load(made.write(path, config, made.weights(layers__dense=[KERNEL, BIAS])))
    both, first = model(X)
    np.testing.assert_allclose(both.numpy(), np.concatenate([X @ KERNEL + BIAS, 2 * X @ KERNEL + BIAS], 1))
    np.testing.assert_array_equal(first.numpy(), both.numpy()[:, 0])
    assert len(model.parameters()) == 2


@extras
def test_layers_and_functions_of_ones_own(path):
    class Scaled(tz.nn.Module):
        def __init__(self, by):
            self.by, self.weight = by, tz.nn.Parameter(tz.ones(2))

        def forward(self, x):
            return x * self.weight * self.by

    config = made.sequential(made.start(3), made.dense(2, activation={"class_name": "function", "config": "cube"}),
                             made.part("Scaled", "scaled", "mine", by=3.0))
    content = made.weights(layers__dense=[KERNEL, BIAS], layers__scaled=[[1.0, 2.0]])
    own = {"Scaled": Scaled, "cube": lambda x: x**3}
    model = tz.load(made.write(path, config, content), custom_objects=own)
    np.testing.assert_allclose(model(X).numpy(), (X @ KERNEL + BIAS)**3 * [3, 6], rtol=1e-6)
    made.write(path, config, made.weights(layers__dense=[KERNEL, BIAS], layers__scaled=[[1.0, 2.0], [3.0]]))
    with pytest.raises(FileFormatError, match="2 arrays for it\n  expected: 1: weight"):
        tz.load(path, custom_objects=own)
    with pytest.raises(FileFormatError, match=r"custom_objects\['Scaled'\] raises TypeError.*\n.*the arguments by"):
        tz.load(path, custom_objects={**own, "Scaled": lambda: None})
    with pytest.raises(FileFormatError, match=r"custom_objects\['Scaled'\] gives a int"):
        tz.load(path, custom_objects={**own, "Scaled": lambda by: 1})


@extras
@pytest.mark.parametrize(("layers", "message"), [
    ([made.part("Lambda", "double", function={})],
     r"layer 'double' \(Lambda\): a Lambda layer, which is code(.|\n)*custom_objects"),
    ([made.part("ConvLSTM2D", "c", filters=2)],
     r"layer 'c' \(ConvLSTM2D\): a class that Tarazu has no layer for(.|\n)*class ConvLSTM2D\(tz.nn.Module\)"),
    ([made.part("Dense", "c", "mypackage", units=2)], "a class that Tarazu has no layer for"),
    ([{**made.dense(2), "registered_name": "Mine>Dense"}], "a class that Tarazu has no layer for"),
    ([made.dense(2, dtype={"class_name": "DTypePolicy", "config": {"name": "float16"}})],
     "dtype float16\n  expected: float32"),
    ([made.dense(2, kernel_constraint={"class_name": "NonNeg", "config": {}})], "kernel_constraint={.*does not have"),
    ([made.dense(2, kernel_regularizer={"class_name": "Orthogonal", "config": {}})], "the regularizer 'Orthogonal'"),
    ([made.dense(2, lora_rank=4)], "lora_rank=4, which Tarazu's layer does not have"),
    ([made.dense(2, activation="sparsemax")], "the activation 'sparsemax'"),
    ([made.dense(2, activation={"class_name": "__lambda__", "config": {"value": []}})], "a lambda, which is code"),
    ([made.dense(3)], r"units=3 beside a weight of shape \(3, 2\)"),
    ([made.dense(2, use_bias=False)], "has 2 arrays for it\n  expected: 1: weight"),
    ([made.dense(2), made.dense(2, "more")], "has 0 arrays for it(.|\n)*build the model"),
    ([{"class_name": "Dense", "config": None}], "it has no config"),
    ([made.part("Dropout", "d", rate=0.5, noise_shape=[1, 3]), made.dense(2)], r"noise_shape=\(1, 3\)"),
    ([made.part("StringLookup", "s", vocabulary=None)], "its words are no arrays"),
    ([made.part("Flatten", "f", data_format="channels_first"), made.dense(2)], "data_format='channels_first'"),
    ([made.part("BatchNormalization", "b", axis=1, momentum=0.9, epsilon=0.1)], "axis=1\n  expected: the last axis"),
    ([made.part("Reshape", "r", target_shape=[7]), made.dense(2)], "7"),
    ([made.part("Dropout", "d", rate=7.0), made.dense(2)], "it cannot be made: .*7.0"),
    ([made.part("Dropout", "d"), made.dense(2)], "its config lacks 'noise_shape'|lacks 'rate'"),
    ([{"module": "keras.src.models.model", "class_name": "MyModel", "config": {"name": "m"}}], "no layer for"),
])
def test_layers_that_are_refused(path, layers, message):
    config = made.sequential(made.start(3), *layers)
    made.write(path, config, made.weights(layers__dense=[KERNEL, BIAS]))
    with pytest.raises(tz.TarazuError, match=message):
        tz.load(path)


RECURRENT = {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True, "dropout": 0.0,
             "recurrent_dropout": 0.0, "return_sequences": False, "return_state": False, "go_backwards": False,
             "stateful": False, "reset_after": True}


@extras
@pytest.mark.parametrize(("kind", "changes", "message"), [
    ("GRU", {"reset_after": False}, "reset_after=False"), ("GRU", {"stateful": True}, "stateful=True"),
    ("GRU", {"recurrent_activation": "hard_sigmoid"}, "recurrent_activation='hard_sigmoid'"),
    ("GRU", {"go_backwards": True, "return_sequences": True}, "go_backwards=True with return_sequences=True"),
    ("GRU", {"units": 5}, r"units=5 beside a kernel of shape \(3, 6\)")])
def test_recurrent_layers_that_are_refused(path, kind, changes, message):
    config = made.sequential(made.start(4, 3), made.part(kind, "r", **RECURRENT | changes))
    made.write(path, config, made.weights(layers__gru__cell=[np.ones((3, 6)), np.ones((2, 6)), np.ones((2, 6))]))
    with pytest.raises(FileFormatError, match=message):
        tz.load(path)


@extras
@pytest.mark.parametrize(("parts", "outputs", "message"), [
    ([made.dense(2) | {"name": "dense", "inbound_nodes": [made.call(made.tensor("dense"))]}], "dense",
     "waits for itself"),
    ([made.dense(2) | {"name": "dense", "inbound_nodes": [made.call(made.tensor("x"), training=True)]}], "dense",
     "a call with training=True"),
    ([made.dense(2) | {"name": "dense", "inbound_nodes": [made.call(made.tensor("x"), mood="good")]}], "dense",
     "a call with mood"),
    ([made.dense(2) | {"name": "dense", "inbound_nodes": [[["x", 0, 0, {}]]]}], "dense", "as Keras 2 writes them"),
    ([made.part("Cumsum", "sum", "keras.src.ops.numpy", [made.call(made.tensor("x"))], axis=1)], "sum",
     "an operation that has no line"),
    ([made.part("Reshape", "turn", "keras.src.ops.numpy", [made.call(made.tensor("x"))], newshape=[3, 1])], "turn",
     r"a reshape to \[3, 1\]"),
    ([made.part("Concatenate", "all", calls=[made.call([made.tensor("x"), made.tensor("x")])], axis=7)], "all",
     "it cannot be called"),
])
def test_graphs_that_are_refused(path, parts, outputs, message):
    config = made.functional(made.start(3) | {"name": "x", "inbound_nodes": []}, *parts, inputs=["x", 0, 0],
                             outputs=[outputs, 0, 0])
    made.write(path, config, made.weights(layers__dense=[KERNEL, BIAS]))
    with pytest.raises(FileFormatError, match=message):
        tz.load(path)


@extras
@pytest.mark.parametrize(("start", "message"), [
    (made.start(3, dtype="string"), "an input of dtype string"), (made.start(3, sparse=True), "sparse or ragged"),
    (made.start(2**20, 2**10), "sizes of at most 16,777,216 elements")])
def test_inputs_that_are_refused(path, start, message):
    made.write(path, made.sequential(start, made.dense(2)), made.weights(layers__dense=[KERNEL, BIAS]))
    with pytest.raises(FileFormatError, match=message):
        tz.load(path)


@extras
def test_weights_that_nobody_asks_for(path):
    made.write(path, made.sequential(made.start(3), made.dense(2)),
               made.weights(layers__dense=[KERNEL, BIAS], layers__conv2d=[KERNEL]))
    with pytest.raises(FileFormatError, match="weights of layers/conv2d, which its config does not name"):
        tz.load(path)
    content = made.weights(layers__dense=[KERNEL, BIAS], layers__dropout__seed_generator=[[1, 2]], optimizer=[[1.0]])
    tz.load(made.write(path, made.sequential(made.start(3), made.dense(2)), content))


@extras
@pytest.mark.parametrize(("changes", "message"), [
    ({"optimizer": {"class_name": "Ftrl", "config": {"learning_rate": 0.1}}}, r"tz.optim.Adam\(lr=...\)"),
    ({"optimizer": {**OPTIMIZER, "config": {**OPTIMIZER["config"], "use_ema": True}}}, "use_ema=True"),
    ({"optimizer": {**OPTIMIZER, "config": {**OPTIMIZER["config"], "weight_decay": 0.1}}}, "weight_decay beside mom"),
    ({"optimizer": {**OPTIMIZER, "config": {**OPTIMIZER["config"], "learning_rate": {
        "class_name": "CosineDecayRestarts", "config": {}}}}}, "the schedule CosineDecayRestarts"),
    ({"optimizer": {**OPTIMIZER, "config": {**OPTIMIZER["config"], "momentum": 0.0, "learning_rate": {
        "class_name": "CosineDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 9, "alpha": 0.0,
                                                "warmup_steps": 3, "warmup_target": 0.2}}}}}, "a warm-up to 0.2"),
    ({"loss": "ctc"}, "the loss 'ctc'"), ({"metrics": ["top_k_categorical_accuracy"]}, "the metric 'top_k"),
    ({"loss": {"class_name": "MeanSquaredError", "config": {"reduction": "sum"}}}, "with reduction 'sum'"),
    ({"loss": {"class_name": "CategoricalCrossentropy", "config": {"axis": 1}}}, "an axis that is not the last"),
    ({"loss": {"class_name": "Hinge", "config": {"width": 1}}}, "hinge with width=1"),
    ({"metrics": [{"class_name": "Precision", "config": {"top_k": 3}}]}, "precision with top_k=3"),
    ({"metrics": [{"class_name": "AUC", "config": {"curve": "PR"}}]}, "auc with curve='PR'"),
    ({"weighted_metrics": ["mae"]}, "weighted_metrics"), ({"loss_weights": [2.0]}, "loss_weights")])
def test_what_compile_was_told_and_tarazu_has_not(path, changes, message):
    one_dense(path, {**COMPILED, **changes})
    with pytest.warns(DataWarning, match=f"left out: (.|\n)*{message}"):
        model = tz.load(path)
    assert model._trainer is None
    tz.load(path, optimizer=False)


def test_the_page_names_all_layers():
    page = (Path(__file__).parents[3] / "docs/coming_from_keras.md").read_text(encoding="utf-8")
    section = page.partition("## Files that Keras saved")[2].partition("\n## ")[0]
    families = {re.sub("[123]D", "", name) for name in (set(LAYERS) | set(MERGES)) - set(TEXTS)}
    missing = [name for name in families if name not in section]
    assert sorted(missing) == ["ConvTranspose"]  # "and their Transpose"


# The archive

@pytest.mark.parametrize(("content", "message"), [
    (b"not a zip", "no archive of Keras"), (b"", "no archive of Keras")])
def test_what_is_no_archive(path, content, message):
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message):
        tz.load(path)
    with pytest.raises(FileFormatError, match="no archive of Keras"):
        tz.load(path.with_name("missing.keras"))


@pytest.mark.parametrize(("config", "members", "message"), [
    ("{", {}, "config.json is not JSON"), ("[]", {}, "no object of JSON"),
    ("[" * 100_000, {}, "config.json is not JSON"),
    ('{"a": ' + "[" * 300 + "]" * 300 + "}", {}, "nested too deep, more than 200"),
    ("{}", {"config.json": None}, "the archive has config.json 0 times"),
    ("{}", {"metadata.json": None}, "the archive has metadata.json 0 times"),
    (" " * 2**22, {"compression": zipfile.ZIP_DEFLATED}, "config.json is said to have 4,194,304 bytes unpacked")])
def test_archives_that_are_refused(path, config, members, message):
    with pytest.raises(FileFormatError, match=message):
        tz.load(made.write(path, config, **members))


def test_a_member_that_is_there_twice(path):
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", "{}")
        archive.writestr("config.json", "{}")
    with pytest.raises(FileFormatError, match=r"config.json 2 times"):
        tz.load(path)


def test_a_member_whose_content_was_changed(path):
    made.write(path, made.sequential(made.start(3)))
    path.write_bytes(path.read_bytes().replace(b"keras_version", b"keras_wersion"))
    with pytest.raises(FileFormatError, match="Bad CRC"):
        tz.load(path)


def test_members_beside_the_three_are_not_unpacked(path):
    made.write(path, made.sequential(made.start(3)), None, **{"assets/code": "code"})
    assert len(tz.load(path)) == 0
    assert sorted(file.name for file in path.parent.rglob("*")) == ["model.keras"]


@pytest.mark.parametrize("name", ["../outside", "/etc/x", "assets/../../x", "C:\\x", "a\\x"])
def test_members_that_would_lie_outside_are_refused(path, name):
    made.write(path, made.sequential(made.start(3)), None, **{name: "code"})
    with pytest.raises(FileFormatError, match=r"^\S*model.keras: the archive has a path out of it"):
        tz.load(path)


def test_the_package_that_is_missing(path, monkeypatch):
    made.write(path, made.sequential(made.start(3)), b"an HDF5 file")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(ArgumentError, match=r"needs the package h5py(.|\n)*pip install 'tarazu\[keras\]'"):
        tz.load(path)


@pytest.mark.parametrize("name", ["model.h5", "model.weights.h5"])
def test_older_formats(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x89HDF\r\n")
    with pytest.raises(FileFormatError, match=r"expected: a whole model(.|\n)*load_model\('model.h5'\)"):
        tz.load(tmp_path / name)


# The HDF5 part

def external_link(file, outside):
    import h5py
    file["layers/dense"] = h5py.ExternalLink(str(outside), "/layers/dense")


def soft_link(file, outside):
    import h5py
    file["layers/dense"] = h5py.SoftLink("/elsewhere")


def circle(file, outside):
    group = file.create_group("layers")
    group["again"] = group


def virtual(file, outside):
    import h5py
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource(str(outside), "x", (3, 2))
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def external_data(file, outside):
    file.create_dataset("layers/dense/vars/0", (3, 2), "f4", external=[(str(outside), 0, 24)])


def huge(file, outside):
    file.create_dataset("layers/dense/vars/0", (2**20, 2**10), "f4", chunks=(64, 64))


def compressed(file, outside):
    file.create_dataset("layers/dense/vars/0", (3, 2), "f4", chunks=(3, 2), compression="lzf")


def texts(file, outside):
    file["layers/dense/vars/0"] = np.array([b"a", b"b"])


def deep(file, outside):
    file.create_group("/".join(["g"] * 150))


@extras
@pytest.mark.parametrize(("fill", "message"), [
    (external_link, "a link to another place or file, layers/dense"), (soft_link, "a link to another place"),
    (circle, "a second link to one object, layers/again"), (virtual, "not in this file as it stands"),
    (external_data, "not in this file as it stands"), (huge, "larger than 20 times the file"),
    (compressed, "not in this file as it stands"), (texts, "an array of |S1"), (deep, "nested too deep")])
def test_weights_that_are_refused(path, tmp_path, fill, message):
    content = made.hdf5(functools.partial(fill, outside=tmp_path / "outside.h5"))
    made.write(path, made.sequential(made.start(3), made.dense(2)), content)
    with pytest.raises(FileFormatError, match=message):
        tz.load(path)
    assert not (tmp_path / "outside.h5").exists()


@extras
@pytest.mark.parametrize("content", [b"no HDF5", b"\x89HDF\r\n\x1a\n" + struct.pack("<40Q", *range(40))])
def test_damaged_weights(path, content):
    made.write(path, made.sequential(made.start(3), made.dense(2)), content)
    with pytest.raises(FileFormatError, match="its weights cannot be read"):
        tz.load(path)


def compiled_with_state(path, *state, learning_rate=0.1):
    config = {**OPTIMIZER["config"], "learning_rate": learning_rate, "global_clipnorm": None}
    content = made.sequential(made.start(3), made.dense(2), compiled={**COMPILED, "optimizer": {**OPTIMIZER,
                                                                                               "config": config}})
    return made.write(path, content, made.weights(layers__dense=[KERNEL, BIAS], optimizer=state))


@extras
def test_an_optimizer_goes_on_from_its_state(path):
    """Velocities of Keras are steps: those here times the negative rate."""
    velocity = np.ones((3, 2)), np.array([2.0, -2.0])
    optimizer = tz.load(compiled_with_state(path, 7, 0.1, *velocity))._trainer.optimizer
    state = optimizer.state_dict()
    assert int(state["step_count"]) == 7
    found = [state[name].numpy() for name in state if ".velocity." in name]
    for ours, theirs in zip(found, velocity, strict=True):
        np.testing.assert_allclose(ours, theirs / -0.1, rtol=1e-6)


@extras
def test_an_optimizer_without_steps_has_no_state(path):
    optimizer = tz.load(compiled_with_state(path, 0, 0.1))._trainer.optimizer
    assert int(optimizer.step_count) == 0


@extras
@pytest.mark.parametrize(("state", "message"), [
    ((7, 0.1, 0.1, np.ones((3, 2)), np.ones(2)), "5 arrays for 2 variables"),
    ((7, 0.1, np.ones((2, 3)), np.ones(2)), r"shape \(2, 3\) for one of shape \(3, 2\)")])
def test_a_state_of_another_model_is_left_out(path, state, message):
    with pytest.warns(DataWarning, match=f"starts anew(.|\n)*{message}"):
        model = tz.load(compiled_with_state(path, *state))
    assert int(model._trainer.optimizer.step_count) == 0
    model.fit(X, X[:, :2], epochs=1, verbose=0)


@extras
def test_a_schedule_beside_momentum(path):
    schedule = {"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 2,
                                                             "decay_rate": 0.5, "staircase": False}}
    with pytest.warns(DataWarning, match="a schedule beside momentum"):
        tz.load(compiled_with_state(path, learning_rate=schedule))


@extras
def test_the_state_of_rmsprop_in_its_order(path):
    """Mean squares of all variables, then what momentum keeps of all, then the means."""
    config = {**{key: value for key, value in OPTIMIZER["config"].items() if key not in ("nesterov", "momentum")},
              "rho": 0.9, "momentum": 0.5, "epsilon": 1e-7, "centered": True}
    compiled = {**COMPILED, "optimizer": {**OPTIMIZER, "class_name": "RMSprop", "config": config}}
    kept = [np.full(shape, i + 1.0) for i, shape in enumerate([(3, 2), (2,)] * 3)]
    made.write(path, made.sequential(made.start(3), made.dense(2), compiled=compiled),
               made.weights(layers__dense=[KERNEL, BIAS], optimizer=[5.0, 0.1, *kept]))
    state = tz.load(path)._trainer.optimizer.state_dict()
    found = {name.partition(".")[2]: float(x.numpy().mean()) for name, x in state.items() if name.count(".") == 2}
    assert found == pytest.approx({"square.0": 1, "square.1": 2, "velocity.0": 30, "velocity.1": 40, "mean.0": 5,
                                   "mean.1": 6})


@extras
def test_an_embedding_behind_an_input_of_floats(path):
    """`keras.Input((7,))` is of floats, and Keras's Embedding casts them."""
    table = np.arange(8.0).reshape(4, 2)
    embedding = made.part("Embedding", "e", input_dim=4, output_dim=2, mask_zero=False)
    weights = made.weights(layers__embedding=[table])
    model = tz.load(made.write(path, made.sequential(made.start(3), embedding), weights))
    for dtype in ("int64", "float32"):
        np.testing.assert_array_equal(model(np.array([[0, 3, 1]], dtype)).numpy(), table[[[0, 3, 1]]])


@extras
def test_the_running_variance_of_batch_normalization_is_that_of_the_batch(path):
    norm = made.part("BatchNormalization", "n", axis=-1, momentum=0.5, epsilon=1e-3, center=False, scale=False)
    arrays = made.weights(layers__batch_normalization=[np.zeros(3), np.zeros(3)])
    model = tz.load(made.write(path, made.sequential(made.start(3), norm), arrays)).train()
    model(X)
    np.testing.assert_allclose(model[0].running_variance.numpy(), 0.5 * X.var(0))
