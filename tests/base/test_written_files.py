"""What is written to a path: it spares devices and pipes there, and names the file that is in the way."""

import os
import stat

import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError

MODEL = tz.nn.Dense(2, in_features=3)
PICTURE = tz.draw.roc([0, 1], [0.1, 0.8])
WRITERS = {
    "weights": MODEL.save_weights,
    "picture": lambda path: PICTURE.save(path.with_suffix(".svg")),
    "history": tz.record.History().save,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_pipe_stays_what_it_is(name, tmp_path):
    """A rename put a file in the place of /dev/null, for all programs of the machine."""
    path = tmp_path / "pipe.svg"
    os.mkfifo(path)
    with pytest.raises(ArgumentError, match="pipe.svg is a device or a pipe"):
        WRITERS[name](path)
    assert stat.S_ISFIFO(path.stat().st_mode) and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("write", [MODEL.save, MODEL.save_weights])
def test_a_file_in_the_place_of_a_folder_is_named(write, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ArgumentError, match="file is a file, so that nothing can be written in it"):
        write(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "mine"
