"""The pages of the API: every public name has its place, and docstrings become what Sphinx reads."""

import importlib.util
import sys
from pathlib import Path

import pytest
from helpers import modules

import tarazu as tz

EXTENSION = Path(__file__).parents[2] / "docs" / "_extensions" / "api_pages.py"
spec = importlib.util.spec_from_file_location("api_pages", EXTENSION)
api_pages = importlib.util.module_from_spec(spec)
sys.modules["api_pages"] = api_pages
spec.loader.exec_module(api_pages)

TEXTS = api_pages.page_texts()
NAMES = {public.name for public in api_pages.public_names()}


def test_each_public_name_stands_on_one_page():
    together = "\n".join(TEXTS.values()).splitlines()
    described = [line.split(":: ")[1] for line in together if line.startswith(".. ") and ":: tarazu." in line]
    assert sorted(described) == sorted(NAMES)


def test_lazy_names_and_parts_are_described():
    lazy = {f"tarazu.{name}" for names in tz._LAZY.values() for name in names.split()}
    assert lazy <= NAMES
    for part in tz._PARTS:
        assert any(name.startswith(f"tarazu.{part}.") for name in NAMES), part


def test_everything_that_packages_list_is_described():
    for package in ("nn", "nn.init", "optim", "data", "train", "tabular", "record", "diagnose", "study",
                    "serve"):
        module = importlib.import_module(f"tarazu.{package}")
        listed = {f"tarazu.{package}.{name}" for name in module.__all__}
        assert {name for name in listed if name not in ("tarazu.nn.init", "tarazu.data.augment")} <= NAMES


def test_an_unplaced_module_is_an_error():
    def stray():
        pass

    stray.__module__ = "tarazu.nowhere.new"
    with pytest.raises(LookupError, match=r"no place for tarazu\.stray \(nowhere\.new\)"):
        api_pages.place_of(api_pages.Public("tarazu.stray", stray, "tarazu.stray"))


def test_each_module_in_the_table_is_there():
    known = {name.removeprefix("tarazu.") for name in modules()}
    named = {name for name in api_pages.places() if not name.startswith("=")}
    assert named <= known


def test_every_page_is_in_the_index():
    lines = (EXTENSION.parents[1] / "api" / "index.md").read_text(encoding="utf-8").splitlines()
    assert {line.removeprefix("generated/") for line in lines if line.startswith("generated/")} == set(TEXTS)


def test_every_command_is_described():
    assert all(f"\n{command}\n-" in TEXTS["commands"] for command in ("tarazu fit", "tarazu predict", "tarazu report"))


@pytest.mark.parametrize(("text", "wanted"), [
    ("The sum of `x` and *args.", r"The sum of ``x`` and \*args."),
    ("|x| and w_ and a_b", r"\|x\| and w\_ and a_b"),
    ("`Tensor`s of `tz.nn.Dense(3)`", r"``Tensor``\ s of :py:obj:`tz.nn.Dense(3) <tarazu.nn.Dense>`"),
    ("*A map before `.batch` sees one.* Then", "A map before ``.batch`` sees one. Then"),
    ("`tz.nothing`", "``tz.nothing``"),
])
def test_prose(text, wanted):
    assert api_pages.prose(text, NAMES) == wanted


def test_examples_and_listings():
    lines = ["Text.", ">>> 1 + 1", "2", "", "    a  b", "", "End."]
    assert api_pages.as_rst(lines, set()) == [
        "Text.", "", ".. code-block:: pycon", "", "   >>> 1 + 1", "   2", "", ".. code-block:: text", "", "   a  b", "",
        "End.", ""]


def test_sources_are_found():
    path, line = api_pages.source_of(tz.nn.Dense)
    text = (EXTENSION.parents[2] / path).read_text(encoding="utf-8").splitlines()
    assert path == "tarazu/nn/layers/dense.py" and text[line - 1].startswith("class Dense")
    assert api_pages.source_of(tz.pi) is None
