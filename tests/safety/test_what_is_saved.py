"""What is saved can be loaded again: else saving is an error, which costs nothing that was there."""

import re
from pathlib import Path

import numpy as np
import pytest
from helpers import same_bits

import tarazu as tz
from tarazu.base.bounded import json_files
from tarazu.base.bounded.json_files import json_to_save, parse_json
from tarazu.base.errors import FileFormatError
from tarazu.record import History
from tarazu.record.json_lines import from_line, to_line
from tarazu.train.callbacks import checkpoint_folder
from tarazu.train.save.saving import write_model

SMALL = {"DEEPEST": 4, "LARGEST": 60, "MOST_PARTS": 8}


def nested(depth, kind=list):
    value = kind()
    for _ in range(depth - 1):
        value = kind([value]) if kind is not dict else {"a": value}
    return value


def endless():
    value = []
    value.append({"a": value})
    return value


REFUSED = {
    "lists": (nested(5), "nested too deep"), "tuples": (nested(5, tuple), "nested too deep"),
    "dicts": (nested(5, dict), "nested too deep"), "100,000 lists": (nested(100_000), "nested too deep"),
    "itself": (endless(), "nested too deep"), "parts": ([[]] * 8, "8 lists and objects"),
    "brackets in a text": ("{" * 9, "8 lists and objects"), "a long text": ("x" * 60, "60 bytes or more"),
    "letters of three bytes": ("ਤ" * 20, "60 bytes or more"),
    "keys that become one": ({1: 0, "1": 0}, "'1' stands twice"),
    "a lone surrogate": ("\ud800", "surrogates not allowed"),
    "5,000 digits": (10**5000, "digits")}
KEPT = {"deep": nested(4), "parts": [[]] * 7, "long": "x" * 57, "keys": {1: 0, None: 1, 0.5: 2}, "letters": "ਤਰਾਜ਼ੂ"}


@pytest.fixture
def small_bounds(monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(json_files, name, value)


@pytest.mark.parametrize("name", REFUSED)
def test_json_that_is_not_read_is_not_written(name, small_bounds):
    value, problem = REFUSED[name]
    for write in (to_line, json_to_save):
        with pytest.raises(FileFormatError, match=f"^a.json: this could be saved, but not loaded again: .*{problem}"):
            write(value, Path("a.json"))


@pytest.mark.parametrize("name", KEPT)
def test_json_within_the_bounds_is_written_and_read(name, small_bounds, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json_to_save(KEPT[name], path) + "\n", encoding="utf-8")
    assert json_files.read_json(path) == parse_json(json_to_save(KEPT[name]))
    assert from_line(to_line(KEPT[name])) == parse_json(json_to_save(KEPT[name]))


def test_a_history_that_is_not_read_leaves_the_old_one(tmp_path):
    history = History()
    history.append(loss=0.5)
    path = history.save(tmp_path / "history.jsonl")
    history.measurements["deep"] = nested(201)
    with pytest.raises(FileFormatError, match=re.escape(f"{path}: this could be saved, but not loaded again")):
        history.save(path)
    assert History.load(path).rows == [{"epoch": 1, "loss": 0.5}] and list(tmp_path.iterdir()) == [path]


def checkpoint(folder, when, values, number):
    checkpoint_folder.write(folder, when, values, [("w", tz.full((3,), number))])


@pytest.mark.parametrize("when", ["1", "2"], ids=["of the same epoch", "of the next epoch"])
@pytest.mark.parametrize("depth", [199, 200, 201])  # within two objects: the values are too deep, or the file is
def test_a_checkpoint_that_is_not_read_leaves_the_old_one(tmp_path, when, depth):
    checkpoint(tmp_path, "1", {"epoch": 1}, 1.0)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FileFormatError, match=r"checkpoint.json: this could be saved, but not loaded again: lists and"):
        checkpoint(tmp_path, when, {"epoch": 2, "deep": nested(depth)}, 2.0)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_checkpoint_of_the_same_epoch_is_whole_at_any_moment(tmp_path, monkeypatch):
    checkpoint(tmp_path, "1", {"epoch": 1}, 1.0)
    monkeypatch.setattr(checkpoint_folder, "write_text", lambda *_: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            checkpoint(tmp_path, "1", {"epoch": 1}, 2.0)
        assert checkpoint_folder.read(tmp_path).arrays["w"].tolist() == [1.0] * 3
    monkeypatch.undo()
    checkpoint(tmp_path, "1", {"epoch": 1}, 3.0)
    assert checkpoint_folder.read(tmp_path).arrays["w"].tolist() == [3.0] * 3
    assert len(list(tmp_path.iterdir())) == 2


def test_a_model_that_is_not_read_is_not_saved(tmp_path):
    with pytest.raises(FileFormatError, match="this could be saved, but not loaded again: lists and objects"):
        write_model(tz.nn.Dense(2, in_features=3), tmp_path, {"deep": nested(300)})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_does_not_get_its_name_leaves_the_old_one(tmp_path, monkeypatch):
    model, path = tz.nn.Dense(2, in_features=3), tmp_path / "model.tz"
    model.save(path)
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda old, new: 1 / 0 if old.name == "new" else rename(old, new))
    with pytest.raises(ZeroDivisionError):
        tz.nn.Dense(2, in_features=3).save(path)
    monkeypatch.undo()
    x = np.ones((1, 3), np.float32)
    assert same_bits(tz.load(path)(x).numpy(), model(x).numpy()) and list(tmp_path.iterdir()) == [path]
