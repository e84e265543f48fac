"""CONTRIBUTING.md: the files that it names exist, and the hunks of its examples still fit them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = {part.splitlines()[0]: part for part in re.split(r"(?m)^## ", TEXT)[1:]}
EXAMPLES = {title: part for title, part in SECTIONS.items() if "```diff\n" in part}
SMALL = ("Add an operation that composes others", "Add a layer")


def hunks(section: str) -> Iterator[tuple[str, bool, list[str]]]:
    """The file of each hunk, whether the example makes that file, and the hunk's lines."""
    for block in re.findall(r"(?ms)^```diff\n(.*?)^```$", section):
        for part in re.split(r"(?m)^--- ", block)[1:]:
            header, *bodies = re.split(r"(?m)^@@ .*\n", part)
            path = re.search(r"(?m)^\+\+\+ b/(.*)$", header)
            assert path, f"a diff without a line '+++ b/FILE': {header!r}"
            for body in bodies:
                yield path[1], header.startswith("/dev/null"), body.splitlines()


def test_named_files_exist():
    prose = re.sub(r"(?ms)^```.*?^```$", "", TEXT)
    named = re.findall(r"`((?:tarazu|tests|docs)/[\w./]*)`|\]\(([\w./]+)\)", prose)
    created = {path for section in EXAMPLES.values() for path, is_new, _ in hunks(section) if is_new}
    missing = sorted({path for pair in named for path in pair if path and not (ROOT / path).exists()} - created)
    assert not missing, f"CONTRIBUTING.md names files that do not exist; say where they are now: {', '.join(missing)}"


@pytest.mark.parametrize("title", EXAMPLES)
def test_hunks_fit(title):
    start: dict[str, int] = {}
    for path, is_new, lines in hunks(EXAMPLES[title]):
        if is_new:
            assert not (ROOT / path).exists(), f"CONTRIBUTING.md, {title!r}: {path} exists; choose another example"
            continue
        kept = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
        position = ("\n" + (ROOT / path).read_text(encoding="utf-8")).find("\n" + kept, start.get(path, 0))
        assert position >= 0, (f"CONTRIBUTING.md, {title!r}: this hunk of {path} no longer fits; write its lines "
                               "as they stand in the file now:\n" + "\n".join(lines))
        start[path] = position + len(kept)


@pytest.mark.parametrize("title", SMALL)
def test_small_additions_touch_three_files(title):
    listed = re.findall(r"(?m)^\d+\. `(.*?)`", SECTIONS[title])
    touched = {path for path, _, _ in hunks(SECTIONS[title])}
    assert len(listed) <= 3, f"CONTRIBUTING.md, {title!r} lists more than 3 files: mend the code so that 3 are enough"
    assert touched == set(listed), f"CONTRIBUTING.md, {title!r}: its diff touches {touched}, its list says {listed}"
