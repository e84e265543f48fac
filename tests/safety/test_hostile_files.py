# ruff: noqa: E501
"""Damaged and hostile files give errors that name them, in bounded memory and time, and nothing else happens.

A child process loads all files of the corpus (corpus.py); CONTRIBUTING.md tells how to add one.
"""

from pathlib import Path

import pytest
from corpus import DAMAGES, MAY_LOAD, damaged
from good_files import DEFAULT, EXTRAS, XLA, write_good
from loading import Loader, faults

import tarazu as tz

SLOW = "CSV", "gzipped CSV", "streamed CSV", "streamed Parquet", "image", "model folder"  # of large files
SLOW_CASES = {
    "Keras": ("5,000 groups", "20,000 layers backwards", "a class of 10 MB", "50,000 layers more", "metadata of 300 MB in 300 KB", "weights of 300 MB in 300 KB",
              "a config of 300 MB in 300 KB", "a kernel packed 1,000 times", "models 100,000 deep", "a bomb beside"),
    "ONNX": ("a loop without an end", "a loop that records", "a loop that gathers", "a loop of large values", "branches 10,000 deep", "Concat 50 times", "an equation of 10 MB", "an operator of 10 MB", "functions 5,000 deep")}
MOST_MEMORY = 200 * 2**20
MARK = Path("/tmp/tarazu-was-here")  # what hostile files try to write


@pytest.fixture(scope="module")
def loader(tmp_path_factory, request):
    """What loads the files of several formats. Those are an argument of its own below: so tests share the process."""
    folder = tmp_path_factory.mktemp("hostile")
    with Loader(folder, write_good(folder, request.param)) as loader:
        yield loader


def check(loader, format_, names):
    """The named files of a format are loaded; what is wrong is listed."""
    MARK.unlink(missing_ok=True)
    wrong = []
    for name in names:
        with damaged(loader, format_, name) as path:
            answer = loader.load(format_, path)
            found = faults(path, answer, MOST_MEMORY)
            if answer["outcome"] == "value" and name not in MAY_LOAD.get(format_, {}):
                found.append("it is loaded")
            wrong += [f"{format_}, {name}: {fault}" for fault in found]
    assert not wrong, "\n".join(wrong)
    assert not MARK.exists()


@pytest.mark.parametrize("loader", [DEFAULT], indirect=True, ids=["default"])
@pytest.mark.parametrize("format_", [pytest.param(name, marks=pytest.mark.long if name in SLOW else ()) for name in DEFAULT])
def test_hostile_files(loader, format_):
    check(loader, format_, DAMAGES[format_])


@pytest.mark.extras
@pytest.mark.parametrize("loader", [EXTRAS], indirect=True, ids=["extras"])
@pytest.mark.parametrize("format_", EXTRAS)
def test_hostile_files_of_others(loader, format_):
    check(loader, format_, [name for name in DAMAGES[format_] if name not in SLOW_CASES[format_]])


@pytest.mark.long
@pytest.mark.extras
@pytest.mark.parametrize("loader", [EXTRAS], indirect=True, ids=["extras"])
@pytest.mark.parametrize("format_", EXTRAS)
def test_large_hostile_files_of_others(loader, format_):
    check(loader, format_, SLOW_CASES[format_])


@pytest.mark.xla
@pytest.mark.parametrize("loader", [XLA], indirect=True, ids=["xla"])
@pytest.mark.parametrize("format_", XLA)
def test_hostile_programs(loader, format_):
    check(loader, format_, DAMAGES[format_])


def test_the_corpus_is_large():
    assert sum(len(damages) for damages in DAMAGES.values()) >= 200


def test_what_may_load_is_in_the_corpus_with_a_reason():
    for format_, reasons in MAY_LOAD.items():
        assert reasons.keys() <= DAMAGES[format_].keys() and all(reasons.values()), format_


def test_good_files_are_read(tmp_path):
    assert tz.load(write_good(tmp_path, ["model folder"])["model folder"])(tz.zeros(1, 3)).shape == (1, 2)
