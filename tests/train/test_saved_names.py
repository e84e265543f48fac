"""Names in saved models: classes that another program does not find, and files that would run code of others."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from helpers import same_bits
from own_layers import Scale, doubled

import tarazu as tz
from tarazu.base.errors import ArgumentError, FileFormatError
from tarazu.nn import Activation, Dense, Sequential
from tarazu.train import TrainingWarning

X = np.random.default_rng(3).normal(size=(20, 4)).astype(np.float32)


def local_classes():
    class Mine(tz.nn.Module):
        def __init__(self, factor):
            self.factor = factor

        def forward(self, x):
            return x * self.factor

    def halved(x):
        return x / 2

    return Mine, halved


# Classes that cannot be found again

def test_local_classes_are_named_at_once_and_loaded_by_custom_objects(tmp_path):
    mine, halved = local_classes()
    model = Sequential([Dense(3, halved, in_features=4), mine(3.0)])
    text = (r"another program does not find Mine, halved, as .*\n  to mend it: load with "
            r'tz.load\(path, custom_objects=\{"Mine": Mine, "halved": halved\}\)')
    with pytest.warns(TrainingWarning, match=text) as said:
        model.save(tmp_path / "model")
    assert said[0].filename == __file__
    with pytest.raises(FileFormatError, match=r"has no 'local_classes.<locals>.halved'[\s\S]*objects=\{\"halved\""):
        tz.load(tmp_path / "model")
    again = tz.load(tmp_path / "model", custom_objects={"Mine": mine, "halved": halved})
    assert type(again[1]) is mine and same_bits(again.predict(X), model.predict(X))


@pytest.mark.parametrize("save", [Sequential.save, tz.train.save])
def test_the_warning_shows_the_line_that_saves(tmp_path, save):
    model = Sequential([local_classes()[0](3.0)])
    with pytest.warns(TrainingWarning, match="does not find Mine") as said:
        save(model, tmp_path / "model")
    assert said[0].filename == __file__


def test_a_class_of_a_script_is_loaded_by_another(tmp_path):  # takes two processes, as __main__ has to be a script
    script = """
        import sys
        import tarazu as tz

        class Mine(tz.nn.Module):
            def forward(self, x):
                return x * 2

        if sys.argv[1] == "save":
            tz.nn.Sequential([tz.nn.Dense(3, in_features=4), Mine()]).save("model.tz")
        else:
            print(tz.load("model.tz").predict(tz.ones((1, 4))).shape)
    """
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(script))

    def run(word):
        return subprocess.run([sys.executable, path, word], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert "script.py:10: TrainingWarning: saved, but another program does not find Mine" in run("save").stderr
    assert run("load").stdout == "(1, 3)\n"
    with pytest.raises(FileFormatError, match=r"module '__main__' has no 'Mine'"):
        tz.load(tmp_path / "model.tz")
    again = tz.load(tmp_path / "model.tz", custom_objects={"Mine": local_classes()[0].__base__})
    assert len(again) == 2


def test_two_classes_of_one_name_cannot_be_told_apart(tmp_path):
    model = Sequential([local_classes()[0](1.0), local_classes()[0](2.0)])
    with pytest.raises(ArgumentError, match="two different classes or functions are called local_classes.*Mine"):
        model.save(tmp_path / "model")


def test_two_classes_of_one_last_name_are_given_by_their_whole_names(tmp_path):
    def others():
        class Mine(Scale):
            pass

        return Mine

    mine, other = local_classes()[0], others()
    model = Sequential([mine(1.0), other(2.0)])
    with pytest.warns(TrainingWarning, match=r'objects=\{"test_saved_names:local_classes.<locals>.Mine": Mine, "'):
        model.save(tmp_path / "model")
    names = [f"test_saved_names:{kind.__qualname__}" for kind in (mine, other)]
    again = tz.load(tmp_path / "model", custom_objects=dict(zip(names, (mine, other), strict=True)))
    assert [type(layer) for layer in again] == [mine, other]


def test_a_class_that_is_called_like_one_of_ours_does_not_replace_it(tmp_path):
    class Dense(Scale):
        pass

    model = Sequential([tz.nn.Dense(3, in_features=4), Dense(2.0)])
    with pytest.warns(TrainingWarning, match="does not find Dense"):
        model.save(tmp_path / "model")
    again = tz.load(tmp_path / "model", custom_objects={"Dense": Dense})
    assert [type(layer) for layer in again] == [tz.nn.Dense, Dense] and same_bits(again.predict(X), model.predict(X))


@pytest.mark.parametrize("given", [{"own_layers:Scale": 1}, {"Scale": None}, {1: Scale}])
def test_custom_objects_that_are_none(tmp_path, given):
    Sequential([Scale(1.0)]).save(tmp_path / "model")
    with pytest.raises(ArgumentError, match="custom_objects with .*\n  expected: classes and functions by name"):
        tz.load(tmp_path / "model", custom_objects=given)


def test_custom_objects_go_before_modules(tmp_path):
    class Other(Scale):
        pass

    Sequential([Scale(2.0)]).save(tmp_path / "model")
    assert type(tz.load(tmp_path / "model", custom_objects={"Scale": Other})[0]) is Other


# Loading runs no code

MARK = "EVIL_WAS_IMPORTED"
EVIL = f"""
import os
import tarazu as tz
os.environ["{MARK}"] = "yes"

def f(x):
    return x

class Layer(tz.nn.Module):
    def forward(self, x):
        return x
"""


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """A package `evil` that could be imported and would leave a mark."""
    (tmp_path / "path" / "evil").mkdir(parents=True)
    (tmp_path / "path" / "evil" / "__init__.py").write_text(EVIL)
    (tmp_path / "path" / "evil" / "part.py").write_text(EVIL)
    monkeypatch.syspath_prepend(tmp_path / "path")
    monkeypatch.delenv(MARK, raising=False)
    yield
    for name in ("evil", "evil.part"):
        sys.modules.pop(name, None)


def is_untouched():
    import os
    return MARK not in os.environ and "evil" not in sys.modules


def write_model(folder, **parts):
    """A saved model whose description has these parts."""
    Sequential([Dense(4, in_features=4), Activation(doubled)]).compile("adam", "mse").save(folder)
    content = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(content | parts))


def layer(name, *args, **kwargs):
    return {"class": name, "args": list(args), "kwargs": kwargs}


def function(name):
    return layer("tarazu.nn:Activation", {"function": name})


@pytest.mark.parametrize("parts", [
    {"model": layer("evil:Layer")},
    {"model": layer("evil.part:Layer")},
    {"model": function("evil:f")},
    {"model": layer("tarazu.nn:Sequential", {"list": [function("evil:f")]})},
    {"model": layer("tarazu.nn:Dense", 3, kernel_initializer={"function": "evil:f"})},
    {"model": layer("tarazu.nn:Activation", {"partial": "evil:f", "args": [], "kwargs": {}})},
    {"model": layer("tarazu.nn:Activation", {"enum": "evil:f", "member": "A"})},
    {"layers": [layer("evil:Layer")]},
    {"changes": {"": {"extra": {"function": "evil:f"}}}},
], ids=str)
def test_a_module_that_is_not_imported_stays_so(tmp_path, evil, parts):
    write_model(tmp_path / "model", **parts)
    text = (r"model.json: the model cannot be made again: evil(.part)?:\w+ is of a module that is not imported, and "
            r'loading imports none\n.*\n.*import evil.* first, or pass trust=\["evil"\] \(--trust evil in commands\)')
    with pytest.raises(FileFormatError, match=text):
        tz.load(tmp_path / "model")
    assert is_untouched()


@pytest.mark.parametrize("part", ["loss", "metrics", "schedule", "optimizer"])
def test_what_compile_was_told_imports_nothing(tmp_path, evil, part):
    write_model(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    content = json.loads(path.read_text())
    content["training"][part] = {"loss": {"function": "evil:f"}, "metrics": {"list": [{"function": "evil:f"}]},
                                 "schedule": {"function": "evil:f"},
                                 "optimizer": {"object": "evil:f", "attributes": {}, "chain": {"list": []}}}[part]
    path.write_text(json.dumps(content))
    with pytest.raises(FileFormatError, match=r"evil:f is of a module that is not imported[\s\S]*optimizer=False"):
        tz.load(tmp_path / "model")
    assert is_untouched() and len(tz.load(tmp_path / "model", optimizer=False)) == 2


def test_a_trusted_package_is_imported(tmp_path, evil):
    write_model(tmp_path / "model", model=layer("tarazu.nn:Sequential", {"list": [
        layer("tarazu.nn:Dense", 4, in_features=4), layer("evil.part:Layer"), function("evil:f")]}), training=None)
    for trust in ([], ["evi"], ["evil.par"], ["part"]):
        with pytest.raises(FileFormatError, match=r"evil.part:Layer is of a module that is not imported"):
            tz.load(tmp_path / "model", trust=trust)
        assert is_untouched()
    assert tz.load(tmp_path / "model", trust=["evil"]).predict(X).shape == (20, 4)
    assert not is_untouched() and len(tz.load(tmp_path / "model")) == 3  # it is imported now


def test_a_trusted_package_that_is_not_there(tmp_path):
    write_model(tmp_path / "model", model=layer("no_such_module:Layer"))
    with pytest.raises(FileFormatError, match=r"No module named 'no_such_module'\n.*\n.*sys.path"):
        tz.load(tmp_path / "model", trust="no_such_module")


@pytest.fixture
def calls(monkeypatch):
    """Whatever would start a process, or write a file, is noted here instead."""
    noted = []
    for name in ("Popen", "run", "getoutput"):
        monkeypatch.setattr(subprocess, name, type(name, (), {"__init__": lambda self, *a, **k: noted.append(a)}))
    yield noted
    assert not noted


REFUSED = {
    "a class that is no layer": layer("subprocess:Popen", {"list": ["true"]}),
    "a class of ours that is no layer": layer("tarazu.random:Generator", 3),
    "a function as a class": layer("own_layers:doubled", 3),
    "a builtin function": function("os:system"),
    "a builtin function by its own module": function("posix:system"),
    "builtins": function("builtins:eval"),
    "through another module": function("own_layers:threading.Thread"),
    "through one of our modules": function("tarazu.cli.launch:subprocess.Popen"),
    "imported by another module": function("textwrap:re"),
    "a function that another module imports": function("tarazu.train.save.saving:write_text"),
    "a function of the standard library": function("shutil:rmtree"),
    "a class of the standard library": function("subprocess:Popen"),
    "a function of ours that does something": function("tarazu.train.save.saving:save"),
    "a function of ours that starts programs": function("tarazu.cli.launch:launch"),
    "a method of a class that is no layer": function("pathlib:Path.unlink"),
    "a special attribute": function("own_layers:__builtins__.eval"),
    "a special attribute of a function": function("own_layers:doubled.__globals__"),
    "a special attribute of a class": function("own_layers:Scale.__class__"),
    "arguments for a function": layer("tarazu.nn:Activation", {
        "partial": "own_layers:doubled", "args": [1], "kwargs": {}}),
    "arguments for a function of ours that starts programs": layer("tarazu.nn:Activation", {
        "partial": "tarazu.cli.launch:launch", "args": [{"list": ["true"]}, 1], "kwargs": {}}),
    "a dataclass as a layer": layer("own_layers:Settings", 3),
    "a class that is no dataclass": layer("tarazu.nn:Activation", {"dataclass": "subprocess:Popen", "fields": {}}),
    "a dataclass that gets a method": layer("tarazu.nn:Activation", {
        "dataclass": "own_layers:Settings", "fields": {"__post_init__": {"function": "own_layers:doubled"}}}),
    "no name": function("own_layers.doubled"),
    "a number as a name": function(3),
    "a list as a name": layer(["os", "system"]),
    "no kind": layer("tarazu.nn:Activation", {"reduce": "os:system"}),
    "an empty object": {},
}


@pytest.mark.parametrize("model", REFUSED.values(), ids=REFUSED)
def test_names_that_no_model_needs(tmp_path, calls, model):
    import tarazu.cli.launch  # noqa: F401 - so that its functions could be found

    write_model(tmp_path / "model", model=model, builds={}, changes={})
    with pytest.raises(FileFormatError, match=r"model.json: the model cannot be made again: "):
        tz.load(tmp_path / "model")


@pytest.mark.parametrize("name", ["forward", "__class__", "__call__", "build", "named_children", "training", "_trainer",
                                  "_arguments", "_built_with"])
def test_attributes_that_stand_in_for_methods(tmp_path, name):
    write_model(tmp_path / "model", changes={"": {name: {"function": "own_layers:doubled"}}})
    with pytest.raises(FileFormatError, match=rf"attribute '{name}'"):
        tz.load(tmp_path / "model")


def test_modules_that_load_lazily_are_not_loaded(tmp_path, evil):
    import importlib.util

    spec = importlib.util.find_spec("evil")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules["evil"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    write_model(tmp_path / "model", model=function("evil:f"))
    with pytest.raises(FileFormatError, match="module 'evil' has no 'f'"):
        tz.load(tmp_path / "model")
    sys.modules.pop("evil")
    assert is_untouched()


def test_deeply_nested_content(tmp_path):
    write_model(tmp_path / "model")
    (tmp_path / "model" / "model.json").write_text("[" * 100_000)
    with pytest.raises(FileFormatError, match="not JSON"):
        tz.load(tmp_path / "model")


@pytest.mark.parametrize("trust", [True, 5, None, [1]])
def test_a_trust_that_names_no_modules_is_an_error(trust, tmp_path):
    Dense(1, in_features=2).save(tmp_path / "m.tz")
    with pytest.raises(ArgumentError, match="trust=.*\n  expected: the names of modules"):
        tz.load(tmp_path / "m.tz", trust=trust)


@pytest.mark.parametrize("objects", [Dense, [Dense], "Dense"])
def test_custom_objects_that_are_no_dict_are_an_error(objects, tmp_path):
    Dense(1, in_features=2).save(tmp_path / "m.tz")
    with pytest.raises(ArgumentError, match="custom_objects=.*\n  expected: a dict of classes and functions by name"):
        tz.load(tmp_path / "m.tz", custom_objects=objects)
