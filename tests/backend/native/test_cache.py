"""Compiled programs on disk."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from tarazu.backend.native import cache
from tarazu.backend.native.cache import Entry
from tarazu.backend.native.llvm.target import aarch64, host

NAME = "5" * 64
ENTRY = Entry(b"the code" * 100, b"the metadata")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TARAZU_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_what_is_stored_is_loaded(folder):
    assert cache.load(NAME) is None and not folder.exists()
    for entry in (ENTRY, Entry(b"code alone"), Entry(b"", b"")):
        cache.store(NAME, entry)
        assert cache.load(NAME) == entry
    assert [path.name for path in folder.iterdir()] == [f"{NAME}.code"]


def test_the_key_follows_from_all_that_the_code_follows_from(monkeypatch):
    keys = [cache.key(b"content", host()), cache.key(b"Content", host()), cache.key(b"content", aarch64()),
            cache.key(b"content", host()._replace(features="")), cache.key(b"content", host()._replace(vector_bytes=8))]
    monkeypatch.setattr(cache, "_sources", lambda: "another compiler")
    keys.append(cache.key(b"content", host()))
    assert len(set(keys)) == 6 and all(len(key) == 64 for key in keys)
    assert cache.key(b"content", host()) == keys[-1]


def test_the_compilers_source_is_read_fast(capsys):
    cache._sources.cache_clear()
    start = time.perf_counter()
    first = cache._sources()
    with capsys.disabled():
        print(f"\n{1e3 * (time.perf_counter() - start):.2f} ms to hash the compiler's source", end="")
    cache._sources.cache_clear()
    assert cache._sources() == first


def spoilt(data):
    """Versions of a file that are not what was written."""
    yield from (b"", b"x", data[:40], data[:-1], data + b"x", b"\0" * len(data))
    for place in np.random.default_rng(0).integers(0, len(data), 50):
        yield data[:place] + bytes([data[place] ^ 1]) + data[place + 1:]


def test_damaged_entries_are_ignored_and_removed(folder):
    cache.store(NAME, ENTRY)
    path = folder / f"{NAME}.code"
    whole = path.read_bytes()
    for data in spoilt(whole):
        path.write_bytes(data)
        assert cache.load(NAME) is None and not path.exists()
    path.write_bytes(whole)
    assert cache.load(NAME) == ENTRY


def test_the_entry_of_another_key_is_foreign(folder):
    cache.store(NAME, ENTRY)
    (folder / f"{NAME}.code").rename(folder / f"{'6' * 64}.code")
    assert cache.load("6" * 64) is None


def test_damage_is_told_in_the_log(folder, monkeypatch, capsys):
    monkeypatch.setenv("TARAZU_LOG", "native")
    cache.store(NAME, ENTRY)
    (folder / f"{NAME}.code").write_bytes(b"junk")
    cache.load(NAME)
    assert capsys.readouterr().err == f"tarazu native: {folder / NAME}.code is damaged and will be made anew\n"


def test_a_folder_that_cannot_be_used_is_no_cache(folder, monkeypatch, capsys):
    folder.write_text("a file, not a folder")
    cache.store(NAME, ENTRY)
    assert cache.load(NAME) is None and cache.info().entries == 0 and cache.clear() == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("TARAZU_LOG", "native")
    cache.store(NAME, ENTRY)
    assert "tarazu native: the cache cannot be written: " in capsys.readouterr().err


def test_off(folder, monkeypatch):
    monkeypatch.setenv("TARAZU_CACHE", "off")
    cache.store(NAME, ENTRY)
    assert cache.load(NAME) is None and cache.folder() is None and cache.info() == (None, 0, 0, None, None)


def test_the_usual_folder(monkeypatch):
    monkeypatch.delenv("TARAZU_CACHE")
    assert "tarazu" in str(cache.folder())
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert cache.folder() == Path.home() / ".cache" / "tarazu"


def test_the_least_recently_used_go_when_the_limit_is_reached(folder, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 10_000)
    for i in range(12):
        cache.store(f"{i:064x}", Entry(bytes(1000)))
        path = folder / f"{i:064x}.code"
        os.utime(path, (0, 1e9 + i)) if path.exists() else None
        cache.load(f"{0:064x}")  # always in use
    assert cache.info().size <= 10_000
    kept = {i for i in range(12) if cache.load(f"{i:064x}")}
    assert {0, 9, 10, 11} <= kept and 1 not in kept


def test_looks_at_the_folder_are_rare():
    keys = [cache.key(b"%d" % i, host()) for i in range(2000)]
    looks = sum(cache._is_time_to_trim(key, 100_000) for key in keys)
    assert 20 < looks < 100, "2000 entries are 200 MB: about 50 looks"


def test_abandoned_files_are_removed(folder):
    cache.store(NAME, ENTRY)
    for number, age in ((1, 10), (2, 10_000)):
        (folder / f"{NAME}.code.{number}.1").write_bytes(b"unfinished")
        os.utime(folder / f"{NAME}.code.{number}.1", (time.time() - age,) * 2)
    (folder / "notes.txt").write_text("not of the cache")
    cache._trim(folder)
    assert {path.name for path in folder.iterdir()} == {f"{NAME}.code", f"{NAME}.code.1.1", "notes.txt"}


def test_info(folder):
    for i in range(3):
        cache.store(f"{i:064x}", ENTRY)
        os.utime(folder / f"{i:064x}.code", (0, 1e9 + i))
    size = (folder / f"{0:064x}.code").stat().st_size
    assert cache.info() == (folder, 3, 3 * size, 1e9, 1e9 + 2)
    assert cache.clear() == 3 and cache.info() == (folder, 0, 0, None, None)


WRITER = """
    import sys
    from tarazu.backend.native import cache
    cache.LIMIT = 60_000
    for turn in range(150):
        name = f"{turn % 10:064x}"
        cache.store(name, cache.Entry(bytes([turn % 10]) * 8_000, name.encode()))
        for other in range(10):
            found = cache.load(f"{other:064x}")
            assert found is None or found == (bytes([other]) * 8_000, b"%064x" % other)
        if sys.argv[1] == "0" and turn % 20 == 0:
            cache.clear()
"""


def test_several_processes_at_once(folder):
    source = textwrap.dedent(WRITER)
    writers = [subprocess.Popen([sys.executable, "-c", source, str(i)], stderr=subprocess.PIPE, text=True)
               for i in range(3)]
    assert [writer.communicate(timeout=60)[1] for writer in writers] == [""] * 3
    assert cache.info().size <= 60_000
    assert all(path.suffix == ".code" for path in folder.iterdir())
