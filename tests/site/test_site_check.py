"""docs/check.py finds what is wrong with a site, and nothing in a good one."""

import importlib.util
import sys
import zlib
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "check.py"
spec = importlib.util.spec_from_file_location("site_check", SCRIPT)
site_check = importlib.util.module_from_spec(spec)
sys.modules["site_check"] = site_check
spec.loader.exec_module(site_check)

HEAD = '<html lang="en"><link rel="stylesheet" href="style.css"><article id="top">'


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site of two pages, whose API is complete."""
    monkeypatch.setattr(site_check, "missing_names", lambda site: [])
    site_check.loaded_by_style.cache_clear()
    (tmp_path / "style.css").write_text("body { background: url('dot.png') }")
    (tmp_path / "dot.png").write_bytes(b"0" * 100)
    (tmp_path / "other.html").write_text(f'{HEAD}<h2 id="here">a</h2></article>')

    def faults(body):
        (tmp_path / "page.html").write_text(HEAD + body + "</article>", encoding="utf-8")
        return site_check.check(tmp_path)

    return faults


def test_a_good_page(site):
    faults, sizes = site('<a href="other.html#here">a</a><a href="#top">b</a><a href="https://a.example">c</a>'
                         '<img src="dot.png" alt="a dot"><svg aria-label="a line"></svg><svg><title>b</title></svg>')
    assert faults == []
    assert len(sizes) == 2 and max(sizes.values()) < 1000


@pytest.mark.parametrize(("body", "fault"), [
    ('<a href="none.html">a</a>', "the link none.html leads nowhere"),
    ('<a href="other.html#gone">a</a>', "the link other.html#gone leads to no such place on other.html"),
    ('<img src="dot.png">', "the image dot.png has no alternative text"),
    ('<img src="dot.png" alt="dot.png">', "the image dot.png has no alternative text"),
    ('<img src="gone.png" alt="a">', "page.html loads gone.png, which is not there"),
    ('<script src="https://cdn.example/a.js"></script>', "page.html loads https://cdn.example/a.js"),
    ("<p>a</p><svg><g></g></svg>", "line 1: a drawing (svg) has no title and no aria-label"),
    ("<p>" + "a" * 1_000_000 + "</p>", "loads 1,000,"),
    ('<div class="cell tag_hide-cell"><div class="cell_output"><pre>✗ no</pre></div></div>',
     "a solution is judged wrong: ✗ no"),
])
def test_faults(site, body, fault):
    faults, _ = site(body)
    assert len(faults) == 1 and faults[0].startswith(f"page.html: {fault}")


def test_a_wrong_answer_outside_a_solution_is_no_fault(site):
    assert site('<div class="cell"><div class="cell_output"><pre>✗ no answer yet</pre></div></div>')[0] == []


def test_the_language_of_a_page(site, tmp_path):
    (tmp_path / "course" / "pa").mkdir(parents=True)
    (tmp_path / "course" / "pa" / "a.html").write_text('<html lang="en"></html>')
    assert site("")[0] == ["course/pa/a.html: its language is said to be 'en'"]


def test_names_of_the_inventory(tmp_path):
    packed = zlib.compress(b"tarazu.exp py:function 1 a.html#$ -\nindex std:doc -1 index.html -\n")
    (tmp_path / "objects.inv").write_bytes(b"# Sphinx\n# Project\n# Version\n# zlib\n" + packed)
    assert site_check.inventory(tmp_path) == {"tarazu.exp"}
