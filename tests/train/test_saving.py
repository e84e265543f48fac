"""Models on disk: what comes back, what is replaced, and damaged folders."""

import functools
import json
import math

import numpy as np
import pytest
from helpers import same_bits
from own_layers import Branches, Mode, Multilayer, Residual, Scale, Settings, doubled

import tarazu as tz
from tarazu.base.errors import ArgumentError, FileFormatError
from tarazu.nn import Activation, Dense, Sequential
from tarazu.train.save.content import Describer, Maker
from tarazu.train.save.names import Finder

X = np.random.default_rng(3).normal(size=(20, 4)).astype(np.float32)


def saved(folder, layers=None):
    model = Sequential(layers or [Dense(3, "relu"), Dense(2)])
    model(tz.asarray(X))
    model.save(folder / "model")
    return model


def test_a_loaded_model_predicts_the_same_and_can_be_trained_on(tmp_path):
    model = Sequential([Dense(3, "relu"), Dense(2)]).compile(loss="cross_entropy")
    model.fit(X, X[:, 0] > 0, epochs=2, verbose=0)
    model.save(tmp_path / "model")
    again = tz.load(tmp_path / "model")
    assert not again.training and same_bits(again.predict(X).numpy(), model.predict(X).numpy())
    assert len(again.compile(loss="cross_entropy").fit(X, X[:, 0] > 0, verbose=0)) == 1


def test_two_saves_give_the_same_bytes(tmp_path):
    model = saved(tmp_path)
    model.save(tmp_path / "again")
    for name in ("model.json", "model.safetensors"):
        assert (tmp_path / "model" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "model"]


def test_own_layers_scalars_functions_and_added_layers_come_back(tmp_path):
    model = Sequential([Branches(3), Scale(2.5), Residual(Sequential([Dense(3)])), doubled, Multilayer(4, 2)])
    model(tz.asarray(X))
    model.add(Activation("softmax"))
    model.save(tmp_path / "model")
    assert same_bits(tz.load(tmp_path / "model").predict(X).numpy(), model.predict(X).numpy())


def test_arguments_of_many_kinds_come_back():
    arguments = [1, 2.5, None, True, "text", (1, [2]), {"a": (3,)}, np.arange(3), np.float32(1.5), doubled,
                 math.nan, -math.inf, 1 + 2j, b"bytes", {1: "one", (2, 3): None}, {3, 1}, frozenset(), slice(1, None),
                 range(4), tz.bfloat16, np.dtype("int16"), np.array([1 + 2j]), np.array(["a", "bc"]), np.array([b"a"]),
                 np.array(["2024-01-31"], "datetime64[D]"), np.zeros((2, 0, 3)),
                 tz.tensor([1.5, 2.0], dtype="bfloat16"), tz.tensor([[1, 2]]), tz.relu, tz.nn.LayerNorm,
                 functools.partial(tz.leaky_relu, slope=0.5), Mode.EXACT, Settings(3, Mode.FAST, {"k": (1,)})]
    content = json.loads(json.dumps(Describer().describe(arguments)))
    assert repr(Maker(Finder()).make(content)) == repr(arguments)


def test_frozen_parameters_stay_frozen(tmp_path):
    model = saved(tmp_path)
    model[0].freeze()
    model.save(tmp_path / "model")
    assert [x.requires_grad for x in tz.load(tmp_path / "model").parameters()] == [False, False, True, True]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_weights_of_other_dtypes_come_back(tmp_path, dtype):
    model = Sequential([Dense(2, in_features=4, kernel_initializer=ones_of[dtype])])
    model.save(tmp_path / "model")
    assert tz.load(tmp_path / "model")[0].weight.dtype is tz.base.dtypes.as_dtype(dtype)


def ones_of_float16(shape, generator):
    return tz.full(shape, 1.0, dtype="float16")


def ones_of_bfloat16(shape, generator):
    return tz.full(shape, 1.0, dtype="bfloat16")


def ones_of_float64(shape, generator):
    return tz.full(shape, 1.0, dtype="float64")


ones_of = {"float16": ones_of_float16, "bfloat16": ones_of_bfloat16, "float64": ones_of_float64}


def test_saving_over_a_saved_model_replaces_it(tmp_path):
    saved(tmp_path)
    model = saved(tmp_path, [Dense(5)])
    assert same_bits(tz.load(tmp_path / "model").predict(X).numpy(), model.predict(X).numpy())


def test_what_stands_in_the_way_stays(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").write_text("precious")
    for name in ("notes", "file"):
        with pytest.raises(ArgumentError, match=f"{name} is there and is not a saved model\n.*\n.*choose another path"):
            saved(tmp_path).save(tmp_path / name)
    saved(tmp_path)
    (tmp_path / "model" / "report.html").write_text("precious")
    with pytest.raises(ArgumentError, match=r"model holds more than a model: report.html"):
        saved(tmp_path)
    assert (tmp_path / "file").read_text() == (tmp_path / "model" / "report.html").read_text() == "precious"


def test_what_cannot_be_saved_is_said_and_the_old_model_stays(tmp_path):
    model = saved(tmp_path)
    with pytest.raises(ArgumentError, match=r"a layer was made with <function .*lambda.*>, which cannot be saved\n.*\n"
                                            r"  to mend it: define the function at the top level of a module"):
        saved(tmp_path, [Dense(3), lambda x: x * 2])
    assert same_bits(tz.load(tmp_path / "model").predict(X).numpy(), model.predict(X).numpy())
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def change(key, value):
    def damage(folder):
        content = json.loads((folder / "model.json").read_text())
        content[key] = value
        (folder / "model.json").write_text(json.dumps(content))
    return damage


def cut(name, size):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


LAYER = {"class": "tarazu.nn:Dense", "args": [2], "kwargs": {}}
DAMAGES = {
    "no folder": (lambda folder: folder.rename(folder.parent / "elsewhere"),
                  r"model: there is no model.json\n  expected: a folder"),
    "no description": (lambda folder: (folder / "model.json").unlink(), "there is no model.json"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors: the file is missing"),
    "cut weights": (cut("model.safetensors", 100), "model.safetensors: damaged or cut short"),
    "empty weights": (cut("model.safetensors", 0), "model.safetensors: damaged or cut short"),
    "cut description": (cut("model.json", 50), "model.json: not JSON"),
    "bytes": (lambda folder: (folder / "model.json").write_bytes(b"\xff\xfe"), "model.json: not JSON"),
    "other format": (change("format", "tarazu model 99"), "not a description of a model\n.*tarazu model 1"),
    "other layers": (change("model", LAYER), r"cannot be made again|does not fit model.json: a state"),
    "unknown class": (change("model", {**LAYER, "class": "tarazu.nn:Dens"}), "cannot be made again: module .* has no"),
    "unknown module": (change("model", {**LAYER, "class": "no_such_module:Dense"}),
                       "no_such_module:Dense is of a module that is not"),
    "not a layer": (change("model", {"class": "os:system", "args": ["true"], "kwargs": {}}),
                    "os:system is not a layer class"),
    "bad argument": (change("model", {**LAYER, "args": [-3]}), "cannot be made again: units=-3"),
    "no layer": (change("model", 3), "cannot be made again"),
    "builds": (change("builds", {"9": [[1, 4]]}), "cannot be made again: there is no '9'"),
    "sizes": (change("builds", {"0": [[1, 7]], "1": [[1, 3]]}),
              "does not fit model.json: 0.weight in the state has shape"),
}


@pytest.mark.parametrize(("damage", "text"), DAMAGES.values(), ids=DAMAGES)
def test_damaged_folders(tmp_path, damage, text):
    saved(tmp_path)
    damage(tmp_path / "model")
    with pytest.raises(FileFormatError, match=text):
        tz.load(tmp_path / "model")
