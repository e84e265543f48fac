"""Blocks in which Python's garbage collector does not run."""

from __future__ import annotations

import gc

import pytest

from tarazu.runtime.collection import importing, no_collection


@pytest.fixture
def thawed():
    gc.unfreeze()  # what conftest.py has frozen
    yield
    gc.freeze()


@pytest.mark.parametrize("block", [no_collection, importing])
def test_collector_runs_again_also_after_an_error(block):
    with pytest.raises(KeyError), block():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()


def test_what_was_made_while_importing_is_old(thawed):
    with importing():
        made = [[] for _ in range(1000)]
    old = {id(x) for x in gc.get_objects(generation=2)}
    assert set(map(id, made)) <= old
    assert gc.get_freeze_count() == 0


def test_what_others_have_frozen_stays_so(thawed):
    gc.freeze()
    before = gc.get_freeze_count()
    with importing():
        pass
    assert 0 < gc.get_freeze_count() <= before
