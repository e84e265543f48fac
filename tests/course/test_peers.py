"""The pages that compare Tarazu with a peer: both sides run, and what has one name on both has one value."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import tarazu as tz

COURSE = Path(__file__).parents[2] / "docs" / "course"
PAGES = ["09_tensorflow", "10_pytorch", "11_keras", "12_lightning"]
BLOCK = re.compile(r"^```\{(code-block|code-cell)\}.*?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(path):
    """The peer's blocks ("peer"), the cells of Tarazu ("tarazu") and those of "both", up to the first exercise."""
    found = []
    for kind, text in BLOCK.findall(path.read_text(encoding="utf-8")):
        code = "\n".join(line for line in text.splitlines() if not re.match(r":\w+:", line)).strip()
        if "course.check" in code:
            break
        found.append(("peer" if kind == "code-block" else "both" if "[both-sides]" in text else "tarazu", code))
    return found


def pairs(path):
    """What the two sides run, in pairs: the peer's block and the cell beside it, or the same cell, or nothing."""
    rest = blocks(path)
    while rest:
        kind, code = rest.pop(0)
        if kind == "peer":
            assert rest[0][0] == "tarazu", f"no cell beside {code}"
            yield code, rest.pop(0)[1]
        else:
            yield code if kind == "both" else "", code


def assigned(code):
    """The names to which a program assigns by `=`, outside of functions and classes."""
    outside = [node for statement in ast.parse(code).body if not isinstance(statement, ast.FunctionDef | ast.ClassDef)
               for node in ast.walk(statement)]
    return {name.id for node in outside if isinstance(node, ast.Assign) for target in node.targets
            for name in ast.walk(target) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}


def numbers(value):
    """A value as an array, if it is one or a number or a list of them; None for anything else."""
    if isinstance(value, list | tuple):
        parts = [numbers(part) for part in value]
        return None if not parts or any(part is None or part.shape != parts[0].shape for part in parts) \
            else np.stack(parts)
    if hasattr(value, "detach"):
        value = value.detach()
    if hasattr(value, "numpy") and callable(value.numpy):
        try:
            value = value.numpy()
        except tz.TarazuError:  # the symbolic tensor of a functional model
            return None
    is_number = isinstance(value, int | float | np.ndarray | np.number | np.bool_)
    return np.asarray(value, dtype=float) if is_number and not (hasattr(value, "dtype") and value.dtype == object) \
        else None


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("page", PAGES)
def test_both_sides_compute_the_same(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    peer, own = {"__name__": "peer"}, {"__name__": "own"}
    compared = 0
    for left, right in pairs(COURSE / f"{page}.md"):
        exec(compile(left, f"{page}, the peer", "exec"), peer)
        exec(compile(right, f"{page}, Tarazu", "exec"), own)
        if left in ("", right):
            continue
        before = compared
        for name in sorted(assigned(left) & assigned(right)):
            theirs, ours = numbers(peer[name]), numbers(own[name])
            if theirs is not None and ours is not None:
                np.testing.assert_allclose(np.squeeze(ours), np.squeeze(theirs), 2e-4, 1e-5, err_msg=name)
                compared += 1
        assert compared > before, f"nothing to compare beside\n{left}"
    assert compared >= 10


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_have_the_same_code(page):
    def outline(path):
        return [(kind, re.sub(r"'.*?'", "''", ast.dump(ast.parse(code)))) for kind, code in blocks(path)]
    english, punjabi = COURSE / f"{page}.md", COURSE / "pa" / f"{page}.md"
    assert outline(english) == outline(punjabi)
    assert [kind for kind, _ in outline(english)].count("peer") >= 5
    text = punjabi.read_text(encoding="utf-8")
    assert len(re.findall("[\u0a00-\u0a7f]+", text)) > 150
    assert re.findall(r'course.check\("([\w.]+)"', text) == re.findall(r'course.check\("([\w.]+)"', english.read_text())


@pytest.mark.parametrize("page", PAGES)
def test_the_sides_fit_beside_each_other(page):
    lines = [line for left, right in pairs(COURSE / f"{page}.md") if left not in ("", right)
             for line in [*left.splitlines(), *right.splitlines()]]
    assert not [line for line in lines if len(line) > 60]
