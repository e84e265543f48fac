"""`tz.export` and its files: the numbers of `predict`, without the model's classes and without Tarazu; errors."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tarazu as tz
from tarazu import backend
from tarazu.base.errors import ArgumentError, CompileError, DeviceError, DTypeError, FileFormatError, ShapeError
from tarazu.runtime.jit import exported as files
from tarazu.tabular import fit_table

draw = np.random.default_rng(0)
layers = tz.nn


def floats(*shape):
    return draw.normal(size=shape).astype(np.float32)


class Own(tz.nn.Module):
    """A model with a class of its own, which a process that loads it does not have."""

    def __init__(self):
        self.hidden, self.out = layers.Dense(6, "gelu"), layers.Dense(2)

    def forward(self, x):
        return self.out(self.hidden(x) + x.mean(-1, keepdims=True))


def mlp():
    return tz.nn.Sequential([layers.Dense(8, "relu"), layers.BatchNorm(), layers.Dropout(0.5), layers.Dense(3)])


def cnn():
    return tz.nn.Sequential([layers.Conv2D(4, 3), layers.BatchNorm(), layers.MaxPool2D(2), layers.Conv2D(4, 3),
                             layers.AvgPool2D(2), layers.Flatten(), layers.Dense(2)])


def float64():
    model = tz.nn.Sequential([layers.Dense(3, "tanh", in_features=4), layers.Dense(2, in_features=3)])
    for x in model.parameters():
        x.raw = x.numpy().astype(np.float64)
    return model


def half():
    return mlp().compile("adam", "mse", precision="bfloat16")


X, TOKENS = floats(7, 4), draw.integers(0, 9, size=(7, 5))
MODELS = {  # a model, seven rows of input, and whether it needs an example
    "mlp": (mlp, X, False),
    "own class": (Own, X, True),
    "cnn": (cnn, floats(7, 12, 12, 1), False),
    "lstm": (lambda: tz.nn.Sequential([layers.LSTM(5), layers.Dense(2)]), floats(7, 6, 3), False),
    "gru": (lambda: tz.nn.Sequential([layers.GRU(5, return_sequences=True), layers.Dense(2)]), floats(7, 6, 3), False),
    "transformer": (lambda: tz.nn.Sequential([layers.PositionalEmbedding(6),
                                              layers.TransformerEncoderLayer(2, 8, feedforward=16),
                                              layers.GlobalAvgPool1D(), layers.Dense(2)]), floats(7, 6, 8), True),
    "embedding": (lambda: tz.nn.Sequential([layers.Embedding(9, 4), layers.LSTM(5), layers.Dense(2)]), TOKENS, True),
    "float64": (float64, X, True),
    "bfloat16": (half, X, False),
}


@pytest.mark.parametrize("name", MODELS)
def test_any_number_of_rows_gives_what_predict_gives(name, tmp_path):
    make, x, needs_example = MODELS[name]
    model = make()
    model(tz.asarray(x))  # in training mode: batch norm has statistics
    wanted = model.predict(x)
    tz.export(model, tmp_path / "m", example=x if needs_example else None)
    assert model.training
    again = tz.load(tmp_path / "m")
    for rows in (1, 2, 7):
        found = again.predict(x[:rows])
        assert isinstance(found, tz.Tensor) and found.dtype is wanted.dtype and found.shape == wanted[:rows].shape
        np.testing.assert_allclose(found.numpy(), wanted[:rows].numpy(), rtol=1e-5,
                                   atol=1e-2 if name == "bfloat16" else 1e-6)


@pytest.mark.parametrize("levels", [3, 40])
def test_models_of_tables(levels, tmp_path):
    table = tz.data.Table.from_frame({"a": floats(60).tolist(), "b": [f"c{i % levels}" for i in range(60)],
                                        "y": [str(i % 2) for i in range(60)]})
    fit = fit_table(table, "y", epochs=2, verbose=0)
    x = fit.encoder.features(table)
    tz.export(fit.model, tmp_path / "m", example=x)
    np.testing.assert_allclose(tz.load(tmp_path / "m")(x).numpy(), fit.model.predict(x).numpy(), rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A model with an own class, its file and what it predicts for X."""
    model = Own()
    wanted = model.predict(X).numpy()
    path = tmp_path_factory.mktemp("export") / "own.stablehlo"
    tz.export(model, path, example=X[:2])
    return path, wanted


def in_a_fresh_process(code, *args):
    environment = {key: value for key, value in os.environ.items() if key != "JAX_NUM_CPU_DEVICES"}
    done = subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True,
                          env=environment, cwd=args[0].parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_fresh_process_needs_none_of_the_models_classes(written):
    path, wanted = written
    np.save(path.with_suffix(".npy"), X)
    code = ("import sys, numpy as np, tarazu as tz\nx = np.load(sys.argv[2])\n"
            "np.save(sys.argv[2], tz.load(sys.argv[1]).predict(x).numpy())")
    in_a_fresh_process(code, path, path.with_suffix(".npy"))
    np.testing.assert_allclose(np.load(path.with_suffix(".npy")), wanted, rtol=1e-5, atol=1e-6)


def test_jax_reads_it_without_tarazu(written):
    path, wanted = written
    np.save(path.with_suffix(".npy"), X)
    code = ("import sys, numpy as np\nfrom pathlib import Path\nfrom jax import export\nx = np.load(sys.argv[2])\n"
            "found = export.deserialize(bytearray(Path(sys.argv[1]).read_bytes()))\n"
            "np.save(sys.argv[2], found.call(x)); print(found.platforms, 'tarazu' in sys.modules)")
    out = in_a_fresh_process(code, path, path.with_suffix(".npy"))
    assert out.strip() == "('cpu', 'cuda', 'rocm', 'tpu') False"
    np.testing.assert_allclose(np.load(path.with_suffix(".npy")), wanted, rtol=1e-5, atol=1e-6)


def test_what_it_shows(written):
    again = tz.load(written[0])
    assert repr(again) == "Exported(float32[batch,4] -> float32[batch,2])"
    assert "stablehlo.dot_general" in again.stablehlo and "func.func public @main" in again.stablehlo


def test_inputs_take_the_dtype_that_was_exported(written, tmp_path):
    again = tz.load(written[0])
    for x in (X.astype(np.float64), tz.tensor(X), X.tolist(), tz.tensor(X, device="xla:1")):
        np.testing.assert_allclose(again(x).numpy(), written[1], rtol=1e-5, atol=1e-6)
    assert again(np.ones((2, 4), int)).dtype is tz.float32
    tz.export(lambda x: x.astype("int64") * 2, tmp_path / "m", example=np.ones((1, 2), np.uint8))
    assert tz.load(tmp_path / "m")(np.array([[1, 255]])).tolist() == [[2, 510]]
    with pytest.raises(DTypeError, match=r"an input of int64 for an exported program\n  expected: uint8\n.*cast it"):
        tz.load(tmp_path / "m")([[1, 256]])
    with pytest.raises(DTypeError, match="an input of float32"):
        tz.load(tmp_path / "m")(np.ones((1, 2), np.float32))


def test_many_rows_go_in_parts(written, monkeypatch):
    monkeypatch.setattr(files, "MOST_ROWS", 4)
    np.testing.assert_allclose(tz.load(written[0])(X).numpy(), written[1], rtol=1e-5, atol=1e-6)


def test_it_runs_on_the_default_device(written):
    with tz.default_device("xla:3"):
        assert str(tz.load(written[0])(X).device) == "xla:3"


def test_functions_of_several_inputs_and_results(tmp_path):
    w = tz.randn(4, device="xla:1")

    def f(x, y):
        return {"sum": x * w + y, "parts": (tz.linalg.inv(y[:, None] * y[..., None] + tz.eye(4)), [x.argmax(-1)])}
    tz.export(f, tmp_path / "m", example=(X, X.astype(np.float64)))
    again = tz.load(tmp_path / "m")
    assert repr(again) == ("Exported(float32[batch,4], float64[batch,4] -> {'parts': (float64[batch,4,4], "
                           "[int64[batch]]), 'sum': float64[batch,4]})")
    wide = X.astype(np.float64)
    found, wanted = again(X, wide), f(tz.asarray(X, device="xla:1"), tz.asarray(wide))
    np.testing.assert_allclose(found["sum"].numpy(), wanted["sum"].numpy(), rtol=1e-6)
    np.testing.assert_allclose(found["parts"][0].numpy(), wanted["parts"][0].numpy(), rtol=1e-6, atol=1e-9)
    assert found["parts"][1][0].tolist() == wanted["parts"][1][0].tolist()
    with pytest.raises(ArgumentError, match=r"1 inputs for Exported\(.*\n  expected: 2\n"):
        again(X)
    with pytest.raises(ShapeError, match="inputs of 7, 3 rows\n.*one number of rows"):
        again(X, wide[:3])


def test_loops_and_branches(tmp_path):
    def f(x):
        return tz.while_loop(lambda c: (c < 100).any(), lambda c: tz.cond(c.sum() > 0, lambda c: c * 2, abs, c), x)
    tz.export(f, tmp_path / "m", example=X[:1])
    wanted = np.concatenate([f(tz.asarray(X[i:i + 1])).numpy() for i in range(7)])
    np.testing.assert_allclose(tz.load(tmp_path / "m")(X).numpy(), wanted, rtol=1e-6)


def test_a_model_that_was_loaded_or_lies_on_a_mesh(tmp_path):
    model = mlp()
    model(X)
    model.save(tmp_path / "saved")
    again = tz.load(tmp_path / "saved")
    tz.export(again, tmp_path / "one")
    again.to(tz.mesh(data=8))
    tz.export(again, tmp_path / "two")
    for name in ("one", "two"):
        np.testing.assert_allclose(tz.load(tmp_path / name)(X).numpy(), model.predict(X).numpy(), rtol=1e-5, atol=1e-6)


def fresh():
    return tz.nn.Sequential([layers.Dense(2)])


def dropping():
    return tz.nn.Sequential([layers.Dropout(0.5), layers.Dense(2, in_features=4)])


class Pair(tuple):
    _fields = ("a", "b")

    def __new__(cls, a, b):
        return super().__new__(cls, (a, b))


REFUSED = {
    "not seen": (fresh, None, ArgumentError, r"first layer is Dense, and what a row looks like is not known\n"
                 r"  expected: an example of an input\n.*tz\.export\(model, path, example=x\[:2\]\)"),
    "embedding": (lambda: tz.nn.Sequential([layers.Embedding(9, 2)]), None, ArgumentError,
                  r"first layer is Embedding, which takes integers\n.*\n.*example="),
    "function": (lambda: abs, None, ArgumentError, r"a function without an example\n.*\n.*example=x"),
    "no rows": (lambda: abs, X[:0], ShapeError, r"an example of shape \(0, 4\)\n.*at least one row"),
    "rows of two": (lambda: lambda x, y: x, (X, X[:2]), ShapeError, r"shape \(7, 4\), \(2, 4\)\n.*as many for each"),
    "random": (lambda: dropping().__call__, X, ArgumentError, r"draws random numbers .*\n.*\n.*model\.eval\(\)"),
    "reduced": (lambda: lambda x: x.sum(), X, ShapeError, r"for a single row the result has shape \(\)"),
    "mixed": (lambda: lambda x: x - x.mean(0), X, ArgumentError, "rows that depend on each other"),
    "joined": (lambda: lambda x: x.sum(0, keepdims=True), X, ArgumentError, "rows that depend on each other"),
    "bound": (lambda: lambda x: tz.while_loop(lambda c: c.sum() < 9, lambda c: c + 1, x, bound=9), X[:1],
              ArgumentError, "a while_loop with a bound.*\n.*\n.*leave bound= out"),
    "own container": (lambda: lambda x: Pair(x, x), X, ArgumentError, "a result in a Pair\n.*tuples, lists and dicts"),
    "mesh": (lambda: lambda x: tz.shard(x, tz.mesh(data=8), (None, "data")), floats(1, 8), ArgumentError,
             "divides tensors over 8 devices\n.*\n.*leave tz.shard out"),
}


@pytest.mark.parametrize(("make", "example", "kind", "text"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(make, example, kind, text, tmp_path):
    (tmp_path / "m").write_text("what was there")
    with pytest.raises(kind, match=text):
        tz.export(make(), tmp_path / "m", example=example)
    assert [one.name for one in tmp_path.iterdir()] == ["m"] and (tmp_path / "m").read_text() == "what was there"


def test_a_failure_of_jax_or_of_the_disk_leaves_the_file(tmp_path, monkeypatch):
    (tmp_path / "m").write_text("what was there")
    with monkeypatch.context() as patch, pytest.raises(CompileError, match=r"JAX does not export this: no such thing"):
        patch.setattr("jax.export.export", refuse(NotImplementedError("no such thing\nmore")))
        tz.export(abs, tmp_path / "m", example=X)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk full"):
        patch.setattr(Path, "replace", refuse(OSError("disk full")))
        tz.export(abs, tmp_path / "m", example=X)
    assert [one.name for one in tmp_path.iterdir()] == ["m"] and (tmp_path / "m").read_text() == "what was there"
    with pytest.raises(ArgumentError, match="is a folder\n.*the path of a file"):
        tz.export(abs, tmp_path, example=X)


def refuse(error):
    def function(*_, **__):
        raise error
    return function


@pytest.mark.parametrize(("x", "text"), [
    (X[:, :3], r"an input of shape \(7, 3\) for an exported program\n  expected: \(rows, 4\)\n.*at least one row"),
    (X[0], r"an input of shape \(4,\)"), (X[:0], r"an input of shape \(0, 4\)")])
def test_inputs_of_other_shapes(written, x, text):
    with pytest.raises(ShapeError, match=text):
        tz.load(written[0])(x)


DAMAGES = {
    "cut": (lambda content: content[:len(content) // 2], "not an exported model, or one that was cut short"),
    "empty": (lambda content: b"", "not an exported model"),
    "another kind": (lambda content: b"PK\3\4" * 100, "not an exported model.*\n.*\n.*loaded by its folder"),
    "changed": (lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:], "its checksum is another"),
    "another jax": (lambda content: b"\0" * 200 + files._seal(b"\0" * 200), "the installed jax does not read it")}


@pytest.mark.parametrize(("damage", "text"), DAMAGES.values(), ids=DAMAGES)
def test_damaged_files(written, damage, text, tmp_path):
    (tmp_path / "m").write_bytes(damage(written[0].read_bytes()))
    with pytest.raises(FileFormatError, match=f"m: .*{text}"):
        tz.load(tmp_path / "m")


def test_without_jax_or_flatbuffers(written, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        for attempt in (lambda: tz.load(written[0]), lambda: tz.export(abs, tmp_path / "m", example=X)):
            with pytest.raises(DeviceError, match=r"flatbuffers is not installed\n.*\n.*tarazu\[xla\]"):
                attempt()
    backend.load.cache_clear()
    monkeypatch.setattr("importlib.import_module", refuse(ModuleNotFoundError("no jax", name="jax")))
    for attempt in (lambda: tz.load(written[0]), lambda: tz.export(abs, tmp_path / "m", example=X)):
        with pytest.raises(DeviceError, match=r"jax is not installed\n.*\n.*pip install 'tarazu\[xla\]'"):
            attempt()
    assert not list(tmp_path.iterdir())
