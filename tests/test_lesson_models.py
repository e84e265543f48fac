"""What the lesson shows or asks of data, layers, losses, optimizers, fitting and pictures: a test for each row of its
inventory (A, E4, E5, F to K). Each is written as the lesson writes it, or shorter.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import tarazu as tz
from tarazu.course.check import lessons
from tarazu.nn import Dense, Sequential


@pytest.fixture(autouse=True)
def numpy_backend(monkeypatch):
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")  # other tests run the native backend, which takes longer to compile


@pytest.fixture
def blobs():
    """The two classes of the lesson: seed 0, two features, `flip_y` 0.1, rows 70/15/15."""
    datasets = pytest.importorskip("sklearn.datasets")
    np.random.seed(0)
    x, y = datasets.make_classification(n_samples=100, n_features=2, n_redundant=0, n_informative=2, flip_y=0.1,
                                        class_sep=1.5)
    return np.split(x.astype("float32"), [70, 85]), np.split(y.astype("int64"), [70, 85])


def fitted(blobs, *layers, epochs=10, **options):
    (x, x_valid, _), (y, y_valid, _) = blobs
    tz.random.seed(0)
    model = Sequential(list(layers)).compile(tz.optim.Adam(lr=0.05), "cross_entropy", ["accuracy"])
    history = model.fit(x, y, validation_data=(x_valid, y_valid), batch_size=16, epochs=epochs, seed=0, verbose=0,
                        **options)
    return model, history


# What a framework must offer

def test_a1_operations_on_devices():
    x = tz.tensor([1.0, 2.0], device=tz.devices()[0])
    assert (x * x + tz.sigmoid(x) + tz.softmax(x)).device == tz.devices()[0]


def test_a2_gradients_of_any_expression():
    assert tz.grad(lambda x: tz.where(x > 0, x.sin() / x, 1.0).sum())(tz.tensor(2.0)).item() \
        == pytest.approx((2 * np.cos(2) - np.sin(2)) / 4, rel=1e-5)


def test_a3_parallel_over_devices():
    assert {"devices"} <= set(tz.nn.Module.fit.__annotations__)  # tests/backend/xla/test_sharding.py runs it
    assert tz.mesh is not None


def test_a4_a_graph_that_is_differentiated():
    graph = tz.trace(lambda x: (x * x).sum(), backward=True)(tz.ones(3))
    assert "mul" in str(graph)


def test_a5_layers_and_fit(blobs):
    assert fitted(blobs, Dense(2))[1][-1]["loss"] < 0.5


def test_a6_both_levels_mixed(blobs):
    class Scale(tz.nn.Module):
        def __init__(self):
            self.factor = tz.nn.Parameter(tz.ones(2))

        def forward(self, x):
            return x * self.factor

    model, _ = fitted(blobs, Scale(), Dense(2))
    optimizer = tz.optim.SGD(model.parameters(), lr=0.1)
    before = model[0].factor.numpy().copy()
    tz.nn.cross_entropy(model(blobs[0][0]), blobs[1][0]).backward()
    optimizer.step()
    assert (model[0].factor.numpy() != before).all()


def test_a7_several_optimizers():
    assert {"sgd", "adam", "adagrad", "rmsprop"} <= set(tz.optim.OPTIMIZERS)


def test_a8_data_abstractions():
    assert len(tz.data.Dataset((np.ones((7, 2)), np.ones(7))).shuffle(seed=0).batch(3)) == 3


def test_a9_static_and_dynamic_graphs():
    def double(x):
        return x + x if x.shape[0] > 1 else x
    assert tz.jit(double)(tz.ones(2)).tolist() == double(tz.ones(2)).tolist() == [2, 2]


def test_a10_the_same_code_on_each_device():
    for device in tz.devices():
        with tz.default_device(device):
            assert (tz.ones(2) + 1).tolist() == [2, 2]


def test_a11_data_sets_in_a_line():
    train, test = tz.data.load("mnist_small")
    assert train[0][0].shape == (28, 28) and len(test) > 0


def test_a12_one_api_over_several_backends(blobs, monkeypatch):
    losses = []
    for backend in ("numpy", "native"):
        monkeypatch.setenv("TARAZU_BACKEND", backend)
        losses.append(fitted(blobs, Dense(2), epochs=2)[1][-1]["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_a13_fit_as_in_scikit_learn(blobs):
    model, _ = fitted(blobs, Dense(2))
    assert model.predict(blobs[0][2]).shape == (15, 2)


# Devices of the high level

def test_e4_fit_places_model_and_data(blobs):
    model, _ = fitted(blobs, Dense(2), epochs=1, devices=tz.devices()[0])
    assert model[0].weight.device == tz.devices()[0]


def test_e5_which_accelerators_there_are():
    assert str(tz.devices()[0]) == "cpu"


# Data

def test_f1_f2_random_numbers_and_own_batches():
    order = np.random.default_rng(13).permutation(10)
    x = tz.tensor(np.linspace(0, 3, 10))[order]
    assert [len(x[i:i + 4]) for i in range(0, len(x), 4)] == [4, 4, 2]


def test_f3_f4_dataset_and_loader():
    loader = tz.data.Dataset((np.ones((70, 2), "float32"), np.ones(70))).batch(16)
    assert [len(x) for x, _ in loader] == [16, 16, 16, 16, 6]
    assert next(iter(loader))[0].shape == (16, 2)


def test_f5_by_index_or_as_a_stream():
    squares = tz.data.Dataset([0.0, 1.0, 4.0])
    assert float(squares[2]) == 4
    model = Sequential([Dense(1)]).compile("sgd", "mse")
    stream = ((np.ones((4, 1), "float32"), np.ones((4, 1), "float32")) for _ in range(6))
    assert len(model.fit(stream, epochs=2, steps_per_epoch=3, verbose=0)) == 2


def test_f6_slices_shuffle_batch():
    batches = tz.data.Dataset((np.arange(1024.0), np.arange(1024.0))).shuffle(seed=0).batch(256)
    assert [i for i, (x, y) in enumerate(batches) if (x == y).all()] == [0, 1, 2, 3]


def test_f7_validation_data_of_their_own(blobs):
    train, valid = (tz.data.Dataset((x, y)).batch(16) for x, y in zip(blobs[0][:2], blobs[1][:2], strict=True))
    model = Sequential([Dense(2)]).compile("sgd", "cross_entropy")
    assert "val_loss" in model.fit(train, validation_data=valid, epochs=1, verbose=0)[-1]


def test_f8_f9_splits():
    x = np.arange(100)
    assert [len(part) for part in np.split(x, [70, 85])] == [70, 15, 15]
    train, test = tz.data.train_test_split(x, test_size=0.2, seed=0)
    assert (len(train), len(test)) == (80, 20)


def test_f10_the_lessons_blobs(blobs):
    x, y = blobs
    np.testing.assert_allclose(x[0][0], [1.5442, 2.5290], atol=1e-4)
    assert "".join(map(str, y[0][:16])) == "1000001010001111" and [part.sum() for part in y] == [32, 7, 9]


def test_f11_iris_with_names():
    iris = tz.data.load("iris")
    assert iris.class_names == ["setosa", "versicolor", "virginica"] and len(iris.feature_names) == 4


def test_f12_f13_mnist_in_a_line_scaled_with_a_channel():
    images, labels = tz.data.load("mnist_small")[0].in_memory()
    x = np.expand_dims(images, -1).astype("float32") / 255
    assert x.shape[1:] == (28, 28, 1) and x.max() == 1 and set(labels) == set(range(10))


def test_f14_range_of_the_training_rows():
    train, valid = np.array([[0.0, 10], [4, 20]], "float32"), np.array([[2.0, 30]], "float32")
    scaler = tz.data.MinMaxScaler().fit(train)
    assert scaler.transform(train).max() == 1 and scaler.transform(valid).tolist() == [[0.5, 2.0]]


def test_f15_one_hot():
    assert tz.data.one_hot([0, 2], 3).tolist() == np.eye(3)[[0, 2]].tolist()


def test_f16_a_data_frame():
    pandas = pytest.importorskip("pandas")
    x, y = tz.data.load("iris").in_memory()
    frame = pandas.DataFrame(x, columns=tz.data.load("iris").feature_names).assign(label=y)
    frame["label"] = frame["label"].map("kind {}".format)
    fitted_table = tz.fit_table(frame, target="label", epochs=2, verbose=0)
    assert len(frame) == 150 and len(fitted_table.predict(frame)) == 150


def test_f17_casts():
    assert tz.tensor([1.7]).astype(tz.int32).tolist() == [1]


# Layers and models

def test_g1_a_plain_class():
    class Network:
        def __init__(self):
            self.w = tz.randn(2, 1, requires_grad=True)

        def forward(self, x):
            return x @ self.w

        def update(self, lr):
            with tz.no_grad():
                self.w -= lr * self.w.grad
                self.w.grad.zero_()

    net = Network()
    for _ in range(2):
        net.forward(tz.ones(3, 2)).sum().backward()
        before = net.w.numpy().copy()
        net.update(0.1)
        np.testing.assert_allclose(before - net.w.numpy(), 0.3, rtol=1e-5)


def test_g2_parameters():
    assert [x.shape for x in Dense(1, in_features=2).parameters()] == [(2, 1), (1,)]


def test_g3_a_sequence_prints_its_layers():
    text = str(Sequential([Dense(5, "sigmoid", in_features=2), Dense(1, in_features=5)]))
    assert text.count("Dense") == 2


def test_g4_g5_a_class_with_layers_as_attributes():
    class Net(tz.nn.Module):
        def __init__(self, hidden, activation):
            self.hidden, self.out = Dense(hidden, in_features=2), Dense(1, in_features=hidden)
            self.activation = activation

        def forward(self, x):
            return self.out(self.activation(self.hidden(x)))

    net = Net(10, tz.relu)
    assert net(tz.ones(3, 2)).shape == (3, 1) and len(list(net.parameters())) == 4


def test_g6_other_kinds_of_layers():
    assert {"Conv2D", "LSTM", "MultiHeadAttention", "Embedding", "BatchNorm"} <= set(dir(tz.nn))


def test_g7_layers_one_by_one_or_as_a_list():
    model = Sequential()
    model.add(Dense(5, "relu"))
    model.add(Dense(2))
    assert len(model) == len(Sequential([Dense(5), Dense(2)])) == 2


def test_g8_input_and_initializers():
    x = tz.nn.Input((2,))
    model = tz.nn.Model(x, tz.nn.Activation("sigmoid")(Dense(1, kernel_initializer="glorot_uniform")(x)))
    assert ((out := model(tz.ones(3, 2)).numpy()) > 0).all() and out.shape == (3, 1)


def test_g9_functional_models():
    x = tz.nn.Input((2,))
    hidden = Dense(4, "relu")(x)
    assert tz.nn.Model(x, Dense(1)(hidden) + Dense(1)(x))(tz.ones(3, 2)).shape == (3, 1)


def test_g10_summary():
    text = Sequential([Dense(5), Dense(1)]).summary(input_shape=(2,))
    assert "21 parameters, 21 of them trainable" in text and re.search(r"Dense.*\b15\b", text)


def test_g11_weights_of_a_layer():
    model = Sequential([Dense(1, in_features=2)])
    assert model.layers[0].weight.shape == (2, 1) and model[0].bias.shape == (1,)


def test_g12_names_by_themselves():
    assert list(Sequential([Dense(1, in_features=2)]).state_dict()) == ["0.weight", "0.bias"]


def test_g13_an_own_layer_in_a_model(blobs):
    class Square(tz.nn.Module):
        def forward(self, x):
            return x * x
    assert fitted(blobs, Square(), Dense(2))[1][-1]["accuracy"] > 0.4


def test_g14_convolution_pooling_dropout():
    model = Sequential([tz.nn.Conv2D(4, 3, activation="relu"), tz.nn.MaxPool2D(2), tz.nn.Flatten(), tz.nn.Dropout(0.5),
                        Dense(10)])
    assert model(tz.ones(2, 8, 8, 1)).shape == (2, 10)


def test_g15_g16_steps_as_methods(blobs):
    class Classifier(tz.nn.Module):
        def __init__(self):
            self.net = Dense(2, in_features=2)

        def forward(self, x):
            return self.net(x)

        def compute_loss(self, batch):
            x, y = batch
            logits = self(x)
            right = (logits.argmax(-1) == y).astype("float32").mean()
            return {"loss": tz.nn.cross_entropy(logits, y), "accuracy": right}

    (x, x_valid, x_test), (y, y_valid, y_test) = blobs
    model = Classifier().compile(tz.optim.SGD(lr=0.1))
    history = model.fit(x, y, validation_data=(x_valid, y_valid), epochs=20, seed=0, verbose=0)
    assert history[-1]["val_accuracy"] > 0.7 and model.evaluate(x_test, y_test).keys() == {"loss", "accuracy"}
    assert model.predict(x_test).shape == (15, 2)


def test_g17_an_own_framework():
    assert "tensors" in lessons()  # docs/course/01_tensors.md builds one


# Activations and losses

def test_h1_functions_and_layers():
    x = tz.randn(4)
    assert tz.nn.Activation("relu")(x).tolist() == tz.relu(x).tolist()


def test_h2_by_name_or_object():
    assert {"sigmoid", "relu", "softmax", "tanh"} <= set(tz.nn.ACTIVATIONS)
    x = tz.ones(1, 2)
    assert Dense(1, "tanh", kernel_initializer="ones", in_features=2)(x).item() \
        == Dense(1, tz.tanh, kernel_initializer="ones", in_features=2)(x).item()


def test_h3_stable_softmax():
    x = tz.tensor([1000.0, 1000.0], requires_grad=True)
    tz.softmax(x)[0].backward()
    assert tz.softmax(x).tolist() == [0.5, 0.5] and x.grad.tolist() == [0.25, -0.25]


def test_h4_h5_losses_of_numbers():
    p, t = tz.tensor([1.0, 2.0]), tz.tensor([0.0, 4.0])
    assert ((p - t) ** 2).mean().item() == tz.nn.mse(p, t).item() == 2.5 and tz.nn.mae(p, t).item() == 1.5
    assert tz.train.zero_one_loss(tz.tensor([[0.0, 1.0]]), tz.tensor([0])).item() == 1


def test_h6_h7_h8_binary_cross_entropy():
    logits, y = tz.tensor([2.0, -1.0]), tz.tensor([1.0, 0.0])
    by_hand = -np.log(1 / (1 + np.exp([-2.0, -1.0]))).mean()
    assert tz.nn.binary_cross_entropy(logits, y).item() == pytest.approx(by_hand, rel=1e-6)
    of_probabilities = tz.nn.binary_cross_entropy(tz.sigmoid(logits), y, from_logits=False)
    assert of_probabilities.item() == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "cross_entropy", "mse", "mae"])
def test_h9_by_name_or_function(name):
    assert tz.nn.LOSSES[name] is not None
    Sequential([Dense(2)]).compile("sgd", name)
    Sequential([Dense(2)]).compile("sgd", getattr(tz.nn, name))


def test_h10_h11_cross_entropy_of_classes_or_probabilities():
    logits = tz.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    dense = tz.nn.cross_entropy(logits, tz.tensor([[0.0, 0.0, 1.0]]))
    assert tz.nn.cross_entropy(logits, tz.tensor([2])).item() == pytest.approx(dense.item(), rel=1e-6)
    dense.backward()
    shares = np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum()
    np.testing.assert_allclose(logits.grad.numpy(), [shares - [0, 0, 1]], atol=1e-6)


def test_h12_h13_several_labels_at_once():
    x = np.random.default_rng(0).normal(size=(200, 2)).astype("float32")
    y = (x > 0).astype("float32")
    model = Sequential([Dense(8, "relu"), Dense(2)])
    model.compile(tz.optim.Adam(lr=0.02), "binary_cross_entropy", ["accuracy"])
    assert model.fit(x, y, epochs=20, seed=0, verbose=0)[-1]["accuracy"] > 0.9


# Optimizers

def test_i1_the_rule_by_hand():
    w = tz.tensor([1.0], requires_grad=True)
    (w * 3).sum().backward()
    with tz.no_grad():
        w -= 0.1 * w.grad
    assert w.item() == pytest.approx(0.7)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "Adagrad", "RMSprop"])
def test_i2_i3_i6_zero_grad_and_step(kind):
    w = tz.nn.Parameter(tz.ones(1))
    optimizer = getattr(tz.optim, kind)([w], lr=0.1)
    optimizer.zero_grad()
    (w * w).sum().backward()
    optimizer.step()
    assert w.item() < 1


def test_i4_by_name_or_with_a_rate(blobs):
    for optimizer in ("sgd", "adam", tz.optim.SGD(lr=0.1), tz.optim.Adam(lr=0.1)):
        Sequential([Dense(2)]).compile(optimizer, "cross_entropy").fit(blobs[0][0], blobs[1][0], epochs=1, verbose=0)


def test_i5_own_loop_with_an_optimizer():
    w = tz.Variable([1.0])
    with tz.GradientTape() as tape:
        loss = (w * w).sum()
    optimizer = tz.optim.SGD(lr=0.1)
    optimizer.apply_gradients([(tape.gradient(loss, w), w)])
    assert w.tolist() == pytest.approx([0.8])


def test_i6_momentum_clipping_decay():
    w = tz.nn.Parameter(tz.ones(2))
    tz.optim.SGD([w], lr=tz.optim.exponential_decay(1.0, 0.98, every=1), momentum=0.9, clip_norm=1.0, weight_decay=0.1)


# Fitting

def test_j1_j2_compile_and_fit_as_keras_writes_them(blobs):
    (x, x_valid, _), (y, y_valid, _) = blobs
    model = Sequential([Dense(2)])
    model.compile("adam", "cross_entropy", ["acc"])
    assert model.fit(x, y, validation_data=[x_valid, y_valid], epochs=1, verbose=0)[-1].keys() >= {"acc", "val_acc"}


def test_j3_a_line_per_epoch(blobs, capsys):
    fitted(blobs, Dense(2), epochs=1)
    model = Sequential([Dense(2)]).compile("sgd", "cross_entropy", ["accuracy"])
    model.fit(blobs[0][0], blobs[1][0], validation_data=(blobs[0][1], blobs[1][1]), epochs=1, verbose=2)
    line = r"epoch 1/1  [\d.]+ s  [\d.]+ ms/step  loss [\d.]+  accuracy [\d.]+  val_loss [\d.]+  val_accuracy [\d.]+"
    assert re.search(line, capsys.readouterr().out)


def test_j4_fit_goes_on_and_compile_keeps_weights(blobs):
    model, first = fitted(blobs, Dense(2), epochs=5)
    second = model.fit(blobs[0][0], blobs[1][0], epochs=1, seed=0, verbose=0)
    weights = model[0].weight.numpy().copy()
    model.compile("sgd", "cross_entropy")
    assert second[0]["loss"] < first[0]["loss"] and (model[0].weight.numpy() == weights).all()


def test_j5_history(blobs):
    history = fitted(blobs, Dense(2), epochs=3)[1].history
    assert all(len(history[name]) == 3 for name in ("loss", "accuracy", "val_loss", "val_accuracy"))


def test_j6_acc_and_accuracy(blobs):
    for name in ("acc", "accuracy"):
        model = Sequential([Dense(2)]).compile("sgd", "cross_entropy", [name])
        assert name in model.fit(blobs[0][0], blobs[1][0], epochs=1, verbose=0)[-1]


def test_j7_j8_an_own_loop_with_accuracy(blobs):
    (x, x_valid, _), (y, y_valid, _) = blobs
    tz.random.seed(0)
    net = Dense(2, in_features=2)
    optimizer, accuracies = tz.optim.Adam(net.parameters(), lr=0.05), []
    for _ in range(10):
        for batch_x, batch_y in tz.data.Dataset((x, y)).batch(16):
            optimizer.zero_grad()
            tz.nn.cross_entropy(net(batch_x), batch_y).backward()
            optimizer.step()
        accuracies.append((net(x_valid).argmax(-1) == tz.asarray(y_valid)).astype("float32").mean().item())
    assert accuracies[-1] >= 0.73  # of 15 rows; the lesson's runs give 0.80


def test_j9_j10_one_call_for_epochs_devices_and_logs(blobs, tmp_path):
    history = fitted(blobs, Dense(2), epochs=2, callbacks=[tz.train.CSVLog(tmp_path / "log.csv")], devices="cpu")[1]
    assert (tmp_path / "log.csv").read_text().count("\n") == 3 and len(history) == 2


def test_j11_evaluate_predict_stop_and_save(blobs, tmp_path):
    model, history = fitted(blobs, Dense(2), epochs=100,
                            callbacks=[tz.train.EarlyStopping(patience=2), tz.train.BestModel(tmp_path / "best.tz")])
    model.save(tmp_path / "last.tz")
    assert len(history) < 100 and tz.load(tmp_path / "best.tz").predict(blobs[0][2]).shape == (15, 2)
    assert model.evaluate(blobs[0][2], blobs[1][2])["accuracy"] > 0.8


# Pictures

def test_k1_k2_k3_values_to_draw(blobs):
    model, _ = fitted(blobs, Dense(2))
    w, b = model[0].weight.numpy(), model[0].bias.numpy()
    normal, offset = w[:, 1] - w[:, 0], b[1] - b[0]
    on_the_line = np.array([[t, -(normal[0] * t + offset) / normal[1]] for t in (-1.0, 2.0)], "float32")
    logits = model.predict(on_the_line).numpy()
    np.testing.assert_allclose(logits[:, 0], logits[:, 1], atol=1e-5)


def test_k4_k8_curves_of_a_history(blobs, tmp_path):
    history = fitted(blobs, Dense(2), epochs=3)[1]
    assert len(history.history["val_accuracy"]) == 3  # what matplotlib draws
    page = tz.diagnose.write_report(tmp_path / "report.html", title="blobs", history=history,
                                    table={"x": {"accuracy": 1.0}})
    assert page.read_text(encoding="utf-8").count("<svg") >= 3


def test_k5_k9_a_decision_map_and_largest_weights(blobs):
    largest = []

    class Weights(tz.train.Callback):
        def on_epoch_end(self, run):
            largest.append(max(abs(x).max().item() for x in run.model.parameters()))

    model, _ = fitted(blobs, Dense(8, "relu"), Dense(2), epochs=4, callbacks=[Weights()])
    grid = np.stack(np.meshgrid(np.linspace(-3, 3, 20), np.linspace(-3, 3, 20)), -1).reshape(-1, 2).astype("float32")
    shares = tz.softmax(model.predict(grid))[:, 1]
    assert len(largest) == 4 and shares.min() < 0.5 < shares.max()


def test_k6_losses_as_curves():
    p = tz.linspace(0.01, 0.99, 99)
    assert (tz.diff(tz.nn.binary_cross_entropy(p, tz.ones(99), from_logits=False, reduction="none")) < 0).all()


def test_k7_a_frame_for_a_pair_plot():
    pandas = pytest.importorskip("pandas")
    x, y = tz.data.load("iris").in_memory()
    assert pandas.DataFrame(x).assign(label=y).groupby("label").mean().shape == (3, 4)
