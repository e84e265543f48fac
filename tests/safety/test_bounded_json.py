"""JSON within bounds takes time in proportion to its size, whatever stands in it."""

import time

import pytest

import tarazu as tz
from tarazu.base.bounded.json_files import parse_json
from tarazu.base.errors import FileFormatError
from tarazu.train.save.saving import write_model


def test_a_key_that_stands_twice_among_many_is_found_in_one_pass():
    text = "{" + ",".join(f'"k{i}":1' for i in range(100_000)) + ',"k99999":2}'
    start = time.process_time()
    with pytest.raises(ValueError, match="the key 'k99999' stands twice"):
        parse_json(text)
    assert time.process_time() - start < 5


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    model = tz.nn.Dense(2, in_features=3)
    deep = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(FileFormatError, match="this could be saved, but not loaded again: lists and objects"):
        write_model(model, tmp_path, {"deep": deep})
    assert not list(tmp_path.iterdir())
