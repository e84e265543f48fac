"""`tarazu cache`."""

import os

import pytest
from commands import run

from tarazu.backend.native import cache


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TARAZU_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_an_empty_cache(folder):
    assert run("cache") == f"folder    {folder}\nprograms  0\nsize      0.00 MB of at most 256\n"
    assert run("cache", "--clear") == "removed 0 compiled programs\n"
    assert not folder.exists()


def test_it_shows_and_clears(folder):
    for i in range(3):
        cache.store(f"{i:064x}", cache.Entry(bytes(2**20)))
        os.utime(folder / f"{i:064x}.code", (86_400 * 365, 86_400 * (365 + i)))
    (folder / "notes.txt").write_text("not of the cache")
    lines = run("cache").splitlines()
    assert lines[1:3] == ["programs  3", "size      3.00 MB of at most 256"]
    assert lines[3].startswith("used      from 1971-01-0") or lines[3].startswith("used      from 1970-12-31")
    assert run("cache", "--clear") == "removed 3 compiled programs\n"
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    assert "programs  0" in run("cache")


def test_it_may_be_off(monkeypatch):
    monkeypatch.setenv("TARAZU_CACHE", "off")
    assert run("cache") == "no compiled programs are kept: TARAZU_CACHE is off\n"
    assert run("cache", "--clear") == "removed 0 compiled programs\n"
