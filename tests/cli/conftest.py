"""What holds for all tests of commands."""

import pytest


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Commands write to the current folder."""
    monkeypatch.chdir(tmp_path)
