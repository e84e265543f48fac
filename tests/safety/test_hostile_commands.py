"""Commands end with exit code 2 and one message in three parts where a table or a run folder is hostile."""

import shutil

import pytest
from commands import run
from good_files import write_good
from hostile_data import PACKED, TABLES
from hostile_models import RUNS

COLUMNS = ["a binary first line", "a quote that stays open", "no rows", "a workbook", "UTF-32", "only separators"]


def said(*arguments):
    """What a command that fails says: three parts, and no traceback."""
    text = run(*arguments, code=2)
    assert "expected: " in text and "to mend it: " in text and "Traceback" not in text, text
    return text


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write_good(tmp_path_factory.mktemp("good"), ["CSV", "gzipped CSV", "run folder"])


def damaged(good, folder, change):
    path = folder / good.name
    (shutil.copytree if good.is_dir() else shutil.copy)(good, path)
    change(path)
    return path


@pytest.mark.parametrize("name", COLUMNS)
def test_fit_on_hostile_tables(name, good, tmp_path):
    path = damaged(good["CSV"], tmp_path, TABLES[name])
    assert path.name in said("fit", path, "--target", "answer", "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_fit_on_a_packed_bomb(good, tmp_path):
    path = damaged(good["gzipped CSV"], tmp_path, PACKED["a length that lies"])
    assert path.name in said("fit", path, "--target", "answer")


@pytest.mark.parametrize("name", ["a binary first line", "a workbook", "no rows"])
def test_predict_on_hostile_tables(name, good, tmp_path):
    path = damaged(good["CSV"], tmp_path, TABLES[name])
    assert path.name in said("predict", good["run folder"], path, "--output", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("name", ["weights gone", "a class of os", "columns of a text", "weights link out"])
def test_predict_with_hostile_run_folders(name, good, tmp_path):
    said("predict", damaged(good["run folder"], tmp_path, RUNS[name]), good["CSV"])
