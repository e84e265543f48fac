"""JSON within bounds takes time in proportion to its size, whatever stands in it."""

import time

import pytest

from tarazu.base.bounded.json_files import parse_json


def test_a_key_that_stands_twice_among_many_is_found_in_one_pass():
    text = "{" + ",".join(f'"k{i}":1' for i in range(100_000)) + ',"k99999":2}'
    start = time.process_time()
    with pytest.raises(ValueError, match="the key 'k99999' stands twice"):
        parse_json(text)
    assert time.process_time() - start < 5
