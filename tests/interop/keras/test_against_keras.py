"""Files that Keras itself saves (with its torch backend), read by `tz.load`: the same outputs, losses and steps."""

import os
import warnings

import numpy as np
import pytest

import tarazu as tz
from tarazu.interop.keras.activations import FUNCTIONS

pytestmark = pytest.mark.peers

SERIES, IMAGE, VOLUME, VECTOR = (9, 4), (9, 8, 4), (5, 6, 7, 2), (6,)


@pytest.fixture(scope="session")
def keras():
    os.environ["KERAS_BACKEND"] = "torch"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras
    return keras


@pytest.fixture(autouse=True)
def quiet():
    """Warnings of Keras and torch are theirs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def randomized(model, seed=0):
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if variable.dtype.startswith("float"):
            positive = "variance" in variable.path
            values = rng.uniform(0.5, 1.5, variable.shape) if positive else rng.normal(0, 0.5, variable.shape)
            variable.assign(values.astype("float32"))
    return model


def of_layer(keras, layer, *shapes, **options):
    """A functional model of one layer, with random weights."""
    inputs = [keras.Input(shape) for shape in shapes]
    return randomized(keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0], **options)))


def saved(model, tmp_path):
    path = tmp_path / "model.keras"
    model.save(path)
    return path


def flat(y):
    if isinstance(y, dict):
        y = [y[key] for key in sorted(y)]
    return [x for part in y for x in flat(part)] if isinstance(y, list | tuple) else [y]


def numbers(y):
    return y.detach().cpu().numpy()


def both(model, path, *arrays, **options):
    """The outputs of Keras and ours."""
    ours = tz.load(path, **options)
    given = list(arrays) if len(arrays) > 1 else arrays[0]
    return [numbers(y) for y in flat(model(given, training=False))], [y.numpy() for y in flat(ours(*arrays))]


def largest_error(expected, got):
    assert [x.shape for x in expected] == [y.shape for y in got]
    return max(float(np.abs(x - y).max() / max(1.0, np.abs(x).max())) for x, y in zip(expected, got, strict=True))


def arrays_of(*shapes, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(3, *shape)).astype("float32") for shape in shapes]


LAYERS = {
    "Dense": [("Dense(5)", VECTOR), ("Dense(5, 'gelu', use_bias=False)", SERIES),
              ("Dense(5, kernel_regularizer='l2', bias_regularizer='l1')", VECTOR)],
    "Activation": [(f"Activation({name!r})", VECTOR) for name in FUNCTIONS],
    "ReLU": [("ReLU()", VECTOR), ("ReLU(6.0)", VECTOR), ("ReLU(1.5)", VECTOR), ("ReLU(negative_slope=0.2)", VECTOR),
             ("ReLU(threshold=0.5)", VECTOR)],
    "LeakyReLU": [("LeakyReLU()", VECTOR), ("LeakyReLU(negative_slope=0.1)", VECTOR)],
    "ELU": [("ELU(0.7)", VECTOR)], "Softmax": [("Softmax()", VECTOR), ("Softmax(axis=1)", SERIES)],
    "PReLU": [("PReLU()", VECTOR), ("PReLU(shared_axes=[1, 2])", IMAGE), ("PReLU(shared_axes=[1, 2, 3])", IMAGE)],
    "EinsumDense": [("EinsumDense('abc,cde->abde', (None, 2, 3), bias_axes='de')", SERIES),
                    ("EinsumDense('...x,xy->...y', 5, activation='relu')", SERIES)],
    "Conv1D": [("Conv1D(5, 3)", SERIES), ("Conv1D(6, 3, 2, 'same', groups=2, activation='relu')", SERIES),
               ("Conv1D(5, 3, padding='causal', dilation_rate=2)", SERIES)],
    "Conv2D": [("Conv2D(5, 3)", IMAGE), ("Conv2D(6, (3, 2), (2, 1), 'same', groups=2)", IMAGE),
               ("Conv2D(5, 3, dilation_rate=2, use_bias=False, activation='silu')", IMAGE),
               ("Conv2D(5, 4, 3, 'same')", IMAGE)],
    "Conv3D": [("Conv3D(3, 2)", VOLUME), ("Conv3D(3, (2, 3, 2), 2, 'same')", VOLUME)],
    "Conv1DTranspose": [("Conv1DTranspose(5, 3, 2, 'same')", SERIES), ("Conv1DTranspose(5, 3, 2)", SERIES)],
    "Conv2DTranspose": [("Conv2DTranspose(5, 3, 2, 'same')", IMAGE), ("Conv2DTranspose(5, (4, 3), (2, 3))", IMAGE),
                        ("Conv2DTranspose(5, 4, 2, 'same', use_bias=False)", IMAGE),
                        ("Conv2DTranspose(5, 2, 2, activation='relu')", IMAGE)],
    "Conv3DTranspose": [("Conv3DTranspose(3, 2, 2)", VOLUME), ("Conv3DTranspose(3, 3, 2, 'same')", VOLUME)],
    "DepthwiseConv1D": [("DepthwiseConv1D(3, depth_multiplier=2)", SERIES)],
    "DepthwiseConv2D": [("DepthwiseConv2D(3)", IMAGE), ("DepthwiseConv2D(3, 2, 'same', depth_multiplier=3)", IMAGE)],
    "SeparableConv1D": [("SeparableConv1D(5, 3, padding='same', depth_multiplier=2)", SERIES)],
    "SeparableConv2D": [("SeparableConv2D(5, 3, 2, 'same', activation='relu')", IMAGE),
                        ("SeparableConv2D(5, 3, depth_multiplier=2, use_bias=False)", IMAGE)],
    "MaxPooling1D": [("MaxPooling1D()", SERIES), ("MaxPooling1D(3, 2, 'same')", SERIES)],
    "MaxPooling2D": [("MaxPooling2D()", IMAGE), ("MaxPooling2D((3, 2), 2, 'same')", IMAGE)],
    "MaxPooling3D": [("MaxPooling3D(2, 1, 'same')", VOLUME)],
    "AveragePooling1D": [("AveragePooling1D(2)", SERIES), ("AveragePooling1D(3, 2, 'same')", SERIES)],
    "AveragePooling2D": [("AveragePooling2D(2)", IMAGE), ("AveragePooling2D(3, (2, 1), 'same')", IMAGE)],
    "AveragePooling3D": [("AveragePooling3D(2, 1, 'same')", VOLUME)],
    **{f"Adaptive{kind}Pooling{n}D": [(f"Adaptive{kind}Pooling{n}D(2)", shape)] for kind in ("Average", "Max")
       for n, shape in ((1, SERIES), (2, IMAGE), (3, VOLUME))},
    **{f"Global{kind}Pooling{n}D": [(f"Global{kind}Pooling{n}D()", shape),
                                    (f"Global{kind}Pooling{n}D(keepdims=True)", shape)] for kind in ("Average", "Max")
       for n, shape in ((1, SERIES), (2, IMAGE), (3, VOLUME))},
    "ZeroPadding1D": [("ZeroPadding1D(2)", SERIES), ("ZeroPadding1D((1, 3))", SERIES)],
    "ZeroPadding2D": [("ZeroPadding2D(((0, 1), (2, 3)))", IMAGE), ("ZeroPadding2D((1, 2))", IMAGE)],
    "ZeroPadding3D": [("ZeroPadding3D(1)", VOLUME)], "Cropping1D": [("Cropping1D((2, 1))", SERIES)],
    "Cropping2D": [("Cropping2D(((1, 2), (0, 1)))", IMAGE)], "Cropping3D": [("Cropping3D(1)", VOLUME)],
    "UpSampling1D": [("UpSampling1D(3)", SERIES)],
    "UpSampling2D": [("UpSampling2D((2, 3))", IMAGE), ("UpSampling2D(2, interpolation='bilinear')", IMAGE)],
    "UpSampling3D": [("UpSampling3D(2)", VOLUME)],
    "Resizing": [("Resizing(5, 12)", IMAGE), ("Resizing(18, 16)", IMAGE), ("Resizing(4, 4, antialias=True)", IMAGE)],
    "CenterCrop": [("CenterCrop(4, 5)", IMAGE)],
    "Flatten": [("Flatten()", IMAGE)], "Reshape": [("Reshape((-1, 2))", SERIES), ("Reshape((4, 9))", SERIES)],
    "Permute": [("Permute((2, 3, 1))", IMAGE)], "RepeatVector": [("RepeatVector(3)", VECTOR)],
    "Identity": [("Identity()", VECTOR)],
    "Dropout": [("Dropout(0.4)", VECTOR)], "SpatialDropout1D": [("SpatialDropout1D(0.4)", SERIES)],
    "SpatialDropout2D": [("SpatialDropout2D(0.4)", IMAGE)], "SpatialDropout3D": [("SpatialDropout3D(0.4)", VOLUME)],
    "GaussianDropout": [("GaussianDropout(0.4)", VECTOR)], "AlphaDropout": [("AlphaDropout(0.4)", VECTOR)],
    "GaussianNoise": [("GaussianNoise(0.4)", VECTOR)],
    "ActivityRegularization": [("ActivityRegularization()", VECTOR)],
    "BatchNormalization": [("BatchNormalization()", IMAGE), ("BatchNormalization(axis=2, epsilon=0.1)", SERIES),
                           ("BatchNormalization(center=False)", VECTOR), ("BatchNormalization(scale=False)", VECTOR),
                           ("BatchNormalization(center=False, scale=False)", VECTOR)],
    "LayerNormalization": [("LayerNormalization()", SERIES), ("LayerNormalization(axis=[1, 2])", SERIES),
                           ("LayerNormalization(center=False)", SERIES), ("LayerNormalization(scale=False)", SERIES)],
    "GroupNormalization": [("GroupNormalization(2)", IMAGE), ("GroupNormalization(-1, scale=False)", IMAGE),
                           ("GroupNormalization(2, center=False, scale=False)", SERIES)],
    "RMSNormalization": [("RMSNormalization()", SERIES)],
    "UnitNormalization": [("UnitNormalization()", VECTOR), ("UnitNormalization(axis=1)", SERIES)],
    "LSTM": [("LSTM(5)", SERIES), ("LSTM(5, return_sequences=True, use_bias=False)", SERIES),
             ("LSTM(5, return_state=True, return_sequences=True)", SERIES), ("LSTM(5, go_backwards=True)", SERIES)],
    "GRU": [("GRU(5)", SERIES), ("GRU(5, return_sequences=True, use_bias=False)", SERIES),
            ("GRU(5, return_state=True)", SERIES), ("GRU(5, go_backwards=True)", SERIES)],
    "SimpleRNN": [("SimpleRNN(5)", SERIES), ("SimpleRNN(5, 'relu', return_sequences=True, use_bias=False)", SERIES)],
    "RNN": [("RNN(keras.layers.GRUCell(5), return_sequences=True)", SERIES), ("RNN(keras.layers.LSTMCell(5))", SERIES),
            ("RNN([keras.layers.SimpleRNNCell(5), keras.layers.LSTMCell(4)], return_state=True)", SERIES)],
    "Bidirectional": [("Bidirectional(keras.layers.LSTM(5))", SERIES),
                      ("Bidirectional(keras.layers.GRU(5, return_sequences=True), merge_mode='ave')", SERIES),
                      ("Bidirectional(keras.layers.LSTM(5, return_sequences=True), merge_mode='sum')", SERIES),
                      ("Bidirectional(keras.layers.SimpleRNN(5, return_state=True), merge_mode='mul')", SERIES)],
    "TimeDistributed": [("TimeDistributed(keras.layers.Dense(5))", SERIES),
                        ("TimeDistributed(keras.layers.Conv2D(3, 2, activation='relu'))", (3, 6, 5, 2))],
    "Masking": [("Masking(0.5)", SERIES)],
    "Normalization": [("Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 0.5])", SERIES),
                      ("Normalization(axis=None, mean=1.0, variance=4.0, invert=True)", SERIES),
                      ("Normalization()", SERIES)],
    "Rescaling": [("Rescaling(0.5, 0.25)", IMAGE)],
    "Discretization": [("Discretization([-0.5, 0.0, 0.5])", VECTOR)],
    **{kind: [(f"{kind}({arguments})", (9, 8, 3))] for kind, arguments in (
        ("RandomFlip", ""), ("RandomRotation", "0.1"), ("RandomZoom", "0.1, fill_mode='constant'"),
        ("RandomTranslation", "0.1, 0.2, fill_mode='nearest'"), ("RandomContrast", "0.1"),
        ("RandomBrightness", "0.1, value_range=[0, 1]"))},
    "Attention": [("Attention()", SERIES, SERIES), ("Attention()", (7, 4), SERIES, SERIES)],
    "AdditiveAttention": [("AdditiveAttention()", SERIES, SERIES), ("AdditiveAttention(use_scale=False)", SERIES,
                                                                    SERIES)],
    **{kind: [(f"{kind}()", IMAGE, IMAGE)] for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum",
                                                        "Minimum")},
    "Concatenate": [("Concatenate()", SERIES, SERIES), ("Concatenate(axis=1)", SERIES, (3, 4))],
    "Dot": [("Dot(2)", SERIES, SERIES), ("Dot((1, 2), normalize=True)", SERIES, (5, 9)), ("Dot(1)", VECTOR, VECTOR)]}
CASES = [case for cases in LAYERS.values() for case in cases]


@pytest.mark.parametrize(("text", "shapes"), [(text, shapes) for text, *shapes in CASES])
def test_layers(keras, tmp_path, text, shapes):
    model = of_layer(keras, eval(f"keras.layers.{text}", {"keras": keras}), *shapes)
    assert largest_error(*both(model, saved(model, tmp_path), *arrays_of(*shapes))) < 1e-5


def test_every_layer_of_the_table_is_compared():
    from tarazu.interop.keras.layers.preprocessing import TEXTS
    from tarazu.interop.keras.layers.table import LAYERS as TABLE
    from tarazu.interop.keras.merging import MERGES

    below = {"Embedding", "MultiHeadAttention", "GroupQueryAttention", "CategoryEncoding", "LSTMCell", "GRUCell",
             "SimpleRNNCell", "StackedRNNCells"}  # and in cases of others
    assert set(TABLE) | set(MERGES) == set(LAYERS) | set(TEXTS) | below


@pytest.mark.parametrize("text", [
    "MultiHeadAttention(2, 3)", "MultiHeadAttention(2, 3, value_dim=5, use_bias=False)",
    "GroupQueryAttention(4, 4, 2)", "GroupQueryAttention(3, 4, 1, use_bias=False)"])
@pytest.mark.parametrize("causal", [False, True])
def test_attention(keras, tmp_path, text, causal):
    memory = 6 if causal and text.startswith("Multi") else 4
    query, value = keras.Input((9, 4)), keras.Input((7, memory))
    layer = eval(f"keras.layers.{text}", {"keras": keras})
    y = layer(query, value, use_causal_mask=causal) if causal else layer(query, value)
    model = randomized(keras.Model([query, value], y))
    assert largest_error(*both(model, saved(model, tmp_path), *arrays_of((9, 4), (7, memory)))) < 1e-5


@pytest.mark.parametrize("layer", ["GlobalAveragePooling1D()", "LSTM(4)", "Bidirectional(keras.layers.GRU(4))",
                                   "GRU(4)", "Flatten()"])
def test_embeddings_and_masks(keras, tmp_path, layer):
    tokens = keras.Input((8,), dtype="int32")
    x = keras.layers.Embedding(20, 5, mask_zero=True)(tokens)
    model = randomized(keras.Model(tokens, eval(f"keras.layers.{layer}", {"keras": keras})(x)))
    x = np.random.default_rng(0).integers(1, 20, (4, 8)).astype("int32")
    x[1, 5:] = x[3, 2:] = 0
    assert largest_error(*both(model, saved(model, tmp_path), x)) < 1e-5


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_category_encoding(keras, tmp_path, mode):
    x = keras.Input((1 if mode == "one_hot" else 3,), dtype="int32")
    model = keras.Model(x, keras.layers.CategoryEncoding(7, mode)(x))
    rows = np.random.default_rng(0).integers(0, 7, (4, x.shape[1])).astype("int32")
    assert largest_error(*both(model, saved(model, tmp_path), rows)) == 0


OPERATIONS = [
    "x + y", "x - 2 * y", "x / (1.5 + y * y)", "-x", "ops.abs(x) ** 0.5", "ops.exp(x)", "ops.log1p(ops.abs(x))",
    "ops.sqrt(ops.square(x) + 1)", "ops.maximum(x, y)", "ops.minimum(x, 0.5)", "ops.mean(x, axis=1)",
    "ops.sum(x, axis=[1, 2], keepdims=True)", "ops.max(x, axis=-1)", "ops.std(x, axis=1)", "ops.var(x, axis=2)",
    "ops.concatenate([x, y], axis=1)", "ops.stack([x, y], axis=1)", "ops.reshape(x, (-1, 4, 9))",
    "ops.transpose(x, (0, 2, 1))", "ops.expand_dims(x, 1)", "ops.squeeze(ops.expand_dims(x, 1), 1)",
    "ops.matmul(x, ops.swapaxes(y, 1, 2))", "ops.einsum('abc,adc->abd', x, y)", "x[:, 1:5]", "x[:, 0]", "x[..., -1]",
    "ops.relu(x)", "ops.gelu(x, approximate=True)", "ops.softmax(x, axis=1)", "ops.log_softmax(x)", "ops.sigmoid(x)",
    "ops.clip(x, -0.5, 0.5)", "ops.where(x > 0, x, y)", "ops.leaky_relu(x, 0.1)", "ops.elu(x)", "ops.flip(x, axis=1)",
    "ops.cast(x > 0, 'float32')", "ops.sin(x) * ops.cos(y)", "ops.rsqrt(1 + x * x)", "ops.erf(x)", "ops.silu(x)"]


@pytest.mark.parametrize("text", OPERATIONS)
def test_operations(keras, tmp_path, text):
    x, y = keras.Input(SERIES), keras.Input(SERIES)
    model = keras.Model([x, y], eval(text, {"ops": keras.ops, "x": x, "y": y}))
    path = saved(model, tmp_path)
    assert largest_error(*both(model, path, *arrays_of(SERIES, SERIES))) < 1e-5


# Whole models

def mlp(keras):
    return keras.Sequential([keras.Input(VECTOR), keras.layers.Dense(16, "relu"), keras.layers.BatchNormalization(),
                             keras.layers.Dropout(0.0), keras.layers.Dense(3, "softmax")]), [VECTOR]


def cnn(keras):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((16, 16, 3)), layers.Rescaling(0.5), layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(), layers.Conv2D(16, 3), layers.BatchNormalization(), layers.ReLU(), layers.Flatten(),
        layers.Dense(3, "softmax")]), [(16, 16, 3)]


def resnet(keras):
    layers = keras.layers
    x = inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same")(layers.ZeroPadding2D(1)(x))
    for filters, strides in ((8, 1), (16, 2)):
        before = x
        x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(filters, 3, strides, "same")(x)))
        x = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(x))
        if strides > 1:
            before = layers.BatchNormalization()(layers.Conv2D(filters, 1, strides)(before))
        x = layers.ReLU()(layers.Add()([x, before]))
    return keras.Model(inputs, layers.Dense(3, "softmax")(layers.GlobalAveragePooling2D()(x))), [(16, 16, 3)]


def mobilenet(keras):
    layers = keras.layers
    x = inputs = keras.Input((16, 16, 3))
    x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(8, 3, 2, "same", use_bias=False)(x)))
    before = x
    x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(24, 1, use_bias=False)(x)))
    x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)))
    squeezed = layers.Dense(6, "relu")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Multiply()([x, layers.Dense(24, "hard_sigmoid")(squeezed)])
    x = layers.Add()([before, layers.BatchNormalization()(layers.Conv2D(8, 1, use_bias=False)(x))])
    x = layers.Activation("hard_silu")(x)
    return keras.Model(inputs, layers.Dense(3, "softmax")(layers.Flatten()(layers.AveragePooling2D(4)(x)))), [
        (16, 16, 3)]


def text_model(keras):
    layers = keras.layers
    return keras.Sequential([keras.Input((12,), dtype="int32"), layers.Embedding(30, 8, mask_zero=True),
                             layers.Bidirectional(layers.LSTM(6, return_sequences=True)), layers.LSTM(5),
                             layers.Dense(3, "softmax")]), [(12,)]


def transformer(keras):
    layers, ops = keras.layers, keras.ops
    tokens = keras.Input((10,), dtype="int32")
    positions = layers.Embedding(10, 8)(ops.cast(ops.clip(tokens, 0, 9), "int32"))
    x = layers.Embedding(30, 8)(tokens) + positions
    attended = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    x = layers.LayerNormalization()(x + attended)
    x = layers.LayerNormalization()(x + layers.Dense(8)(layers.Dense(16, "gelu")(x)))
    return keras.Model(tokens, layers.Dense(3, "softmax")(ops.mean(x, axis=1))), [(10,)]


def shared_and_nested(keras):
    layers = keras.layers
    inner_input = keras.Input((6,))
    inner = keras.Model(inner_input, [layers.Dense(4, "tanh")(inner_input), layers.Dense(2)(inner_input)])
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    shared = keras.Sequential([layers.Dense(6), layers.LayerNormalization()])
    (p, q), (r, s) = inner(shared(a)), inner(shared(shared(b)))
    x = layers.Concatenate()([p, q, r, s])
    return keras.Model([a, b], layers.Dense(3, "softmax")(x)), [(6,), (6,)]


MODELS = [mlp, cnn, resnet, mobilenet, text_model, transformer, shared_and_nested]


def model_and_data(keras, build, rows=8):
    model, shapes = build(keras)
    rng = np.random.default_rng(0)
    is_text = build in (text_model, transformer)
    x = [rng.integers(1, 30, (rows, *shape)).astype("int32") if is_text else
         rng.normal(size=(rows, *shape)).astype("float32") for shape in shapes]
    if build is text_model:
        x[0][2, 7:] = 0
    return randomized(model), x, rng.integers(0, 3, rows)


@pytest.mark.parametrize("build", MODELS)
def test_models(keras, tmp_path, build):
    model, x, _ = model_and_data(keras, build)
    assert largest_error(*both(model, saved(model, tmp_path), *x)) < 1e-5


@pytest.mark.parametrize("build", MODELS)
@pytest.mark.parametrize("optimizer", ["SGD(0.05, momentum=0.9)", "Adam(0.003)"])
def test_steps_of_training(keras, tmp_path, build, optimizer):
    """Loss before and after three steps, on the whole batch each."""
    model, x, y = model_and_data(keras, build)
    model.compile(eval(f"keras.optimizers.{optimizer}", {"keras": keras}), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    path = saved(model, tmp_path)
    ours = tz.load(path)
    given = x if len(x) > 1 else x[0]
    theirs = [model.train_on_batch(given, y)[0] for _ in range(4)]
    history = ours.fit(tuple(x) if len(x) > 1 else x[0], y, epochs=4, batch_size=len(y), shuffle=False, verbose=0)
    np.testing.assert_allclose(history.history["loss"], theirs, rtol=2e-3, atol=1e-5)
    assert list(history.history)[:2] == ["loss", "accuracy"]


@pytest.mark.parametrize("loss", [
    "mean_squared_error", "mae", "msle", "Huber()", "LogCosh()", "poisson",
    "BinaryCrossentropy(from_logits=True)", "binary_crossentropy", "BinaryCrossentropy(label_smoothing=0.1)",
    "CategoricalCrossentropy(label_smoothing=0.1)", "categorical_crossentropy", "kl_divergence", "hinge",
    "SquaredHinge()"])
def test_losses(keras, tmp_path, loss):
    object_ = eval(f"keras.losses.{loss}", {"keras": keras}) if loss.endswith(")") else loss
    model = randomized(keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, "softmax")]))
    model.compile("adam", object_)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 6)).astype("float32"), np.eye(4, dtype="float32")[rng.integers(0, 4, 8)]
    expected = float(numbers(model.loss(y, model(x)))) if callable(model.loss) else model.evaluate(x, y, verbose=0)
    assert tz.load(saved(model, tmp_path)).evaluate(x, y)["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("optimizer", [
    "SGD(0.1)", "SGD(0.1, momentum=0.9, nesterov=True)", "SGD(0.1, weight_decay=0.1)", "Adam(0.01, amsgrad=True)",
    "Adam(0.01, weight_decay=0.1)", "AdamW(0.01, weight_decay=0.1)", "Adamax(0.01)", "Adadelta(1.0)",
    "Lion(0.01)", "Lion(0.01, weight_decay=0.1)", "SGD(0.1, clipnorm=0.1)", "SGD(0.1, clipvalue=0.01)",
    "SGD(0.1, global_clipnorm=0.1)", "RMSprop(0.01)", "RMSprop(0.01, momentum=0.5, centered=True)", "Adagrad(0.1)",
    "Nadam(0.01, weight_decay=0.1)",
    "SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5))",
    "SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5, staircase=True))",
    "SGD(keras.optimizers.schedules.CosineDecay(0.1, 4, alpha=0.1))",
    "SGD(keras.optimizers.schedules.PolynomialDecay(0.1, 4, power=2.0))",
    "SGD(keras.optimizers.schedules.InverseTimeDecay(0.1, 2, 0.5))"])
def test_optimizers(keras, tmp_path, optimizer):
    """Weights after five steps."""
    model = randomized(keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, "tanh", kernel_regularizer="l2"),
                                         keras.layers.Dense(1)]))
    model.compile(eval(f"keras.optimizers.{optimizer}", {"keras": keras}), "mse")
    x, y = arrays_of((6,), (1,))
    ours = tz.load(saved(model, tmp_path))
    theirs = [float(model.train_on_batch(x, y)) for _ in range(5)]
    history = ours.fit(x, y, epochs=5, batch_size=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(history.history["loss"], theirs, rtol=1e-4)
    for mine, variable in zip(ours.parameters(), model.trainable_variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), numbers(variable.value), atol=1e-4)


@pytest.mark.parametrize("build", [*MODELS, None])
@pytest.mark.parametrize("optimizer", [
    "SGD(0.05, momentum=0.9)", "SGD(0.05, momentum=0.9, nesterov=True)", "Adam(0.003)", "Adam(0.003, amsgrad=True)",
    "AdamW(0.003, weight_decay=0.1)", "Adamax(0.01)", "Adadelta(1.0)", "Lion(0.001)", "RMSprop(0.001)",
    "RMSprop(0.001, momentum=0.5, centered=True)", "Adagrad(0.1)", "Nadam(0.003)",
    "Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.5))"])
def test_training_goes_on(keras, tmp_path, build, optimizer):
    """Three steps in Keras, and three more in both: the same losses and weights, so the state was taken over."""
    if build is None:
        model = randomized(keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(3)]))
        inputs, y = arrays_of((6,), (3,))
        x, loss = [inputs], "mse"
    else:
        model, x, y = model_and_data(keras, build)
        loss = "sparse_categorical_crossentropy"
    model.compile(eval(f"keras.optimizers.{optimizer}", {"keras": keras}), loss)
    given = x if len(x) > 1 else x[0]
    for _ in range(3):
        model.train_on_batch(given, y)
    ours = tz.load(saved(model, tmp_path))
    assert int(ours._trainer.optimizer.step_count) == 3
    theirs = [float(model.train_on_batch(given, y)) for _ in range(3)]
    history = ours.fit(tuple(x) if len(x) > 1 else x[0], y, epochs=3, batch_size=len(y), shuffle=False, verbose=0)
    # Adam's epsilon stands beside other roots in Keras, which gradients near 0 feel: those before norms.
    np.testing.assert_allclose(history.history["loss"], theirs, rtol=1e-5 if build is None else 1e-4, atol=1e-5)


def test_saved_again_as_our_own(keras, tmp_path):
    for build in MODELS:
        model, x, _ = model_and_data(keras, build)
        ours = tz.load(saved(model, tmp_path))
        ours.save(tmp_path / "own.tz")
        assert bool((tz.load(tmp_path / "own.tz")(*x) == ours(*x)).all())


def test_layers_that_do_not_learn(keras, tmp_path):
    model = mlp(keras)[0]
    model.layers[0].trainable = model.layers[1].trainable = False
    ours = tz.load(saved(model, tmp_path))
    assert [x.requires_grad for x in ours.parameters()] == [False] * 4 + [True] * 2
    assert ours[1].has_frozen_statistics
