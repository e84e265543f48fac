"""Good files of every format with random damages: 10,000 loads, each an error in three parts that names the file, or a
value; in bounded memory and time, without a crash or a file outside."""

import random
import shutil

import pytest
from corpus import DAMAGES
from good_files import DEFAULT, EXTRAS, XLA, write_good
from loading import Loader, faults
from mutations import mutate
from test_hostile_files import MARK, MOST_MEMORY

LOADS = 10_000
EACH = -(-LOADS // len(DAMAGES))  # of a format
SLOWEST = 5  # seconds
SEED = 0

pytestmark = pytest.mark.long


def loads(loader, format_, seed):
    """What came of the mutated files of one format: how many gave values and errors, and what is wrong."""
    generator = random.Random(f"{seed} {format_}")
    good, values, wrong = loader.good[format_], 0, []
    for number in range(EACH):
        place = loader.folder / "case"
        place.mkdir()
        try:
            mutate(good, place / good.name, generator)
            answer = loader.load(format_, place / good.name)
            found = faults(place / good.name, answer, MOST_MEMORY)
            if answer["seconds"] > SLOWEST:
                found.append(f"it takes {answer['seconds']:.1f} s")
            values += answer["outcome"] == "value"
            wrong += [f"{format_}, number {number} of seed {seed}: {fault}" for fault in found]
        finally:
            shutil.rmtree(place)
    print(f"{format_}: {EACH} loads, {values} read, {EACH - values} refused, {len(wrong)} faults")
    return wrong


def check(tmp_path, formats, format_):
    MARK.unlink(missing_ok=True)
    with Loader(tmp_path, write_good(tmp_path, formats)) as loader:
        wrong = loads(loader, format_, SEED)
    assert not wrong, "\n".join(wrong)
    assert not MARK.exists()


@pytest.mark.parametrize("format_", DEFAULT)
def test_mutated_files(format_, tmp_path):
    check(tmp_path, [format_], format_)


@pytest.mark.extras
@pytest.mark.parametrize("format_", EXTRAS)
def test_mutated_files_of_others(format_, tmp_path):
    check(tmp_path, [format_], format_)


@pytest.mark.xla
@pytest.mark.parametrize("format_", XLA)
def test_mutated_programs(format_, tmp_path):
    check(tmp_path, [format_], format_)
