"""Languages and other people's files: grades in Punjabi, judges that cannot use an answer, lessons by number."""

import json

import pytest
from click.testing import CliRunner

from tarazu import course
from tarazu.cli.main import main
from tarazu.course.labs.grade import Grade, Mark


def test_a_grade_is_all_in_its_language():
    mark = Mark("a", "ਕਾਲਮ", 0, 10, "raised", "ਕਾਰਨ", hint="ਸੁਝਾਅ", line=3, code="x")
    text = str(Grade("iris", (mark,), "pa"))
    assert "Hint" not in text and "points" not in text and "line" not in text


@pytest.mark.long
def test_a_file_beside_the_students_does_not_replace_a_module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    assert run(main, ["lab", "start", "iris", "--solution"]).exit_code == 0
    (tmp_path / "random.py").write_text("raise SystemExit('mine')\n")
    (file,) = tmp_path.glob("iris*.py")
    result = run(main, ["lab", "grade", "iris", str(file), "--json"])
    found = json.loads(result.output)
    assert found["points"] == found["of"]


def test_an_error_of_the_judge_is_not_blamed_on_the_answer():
    assert "cannot be used here" in course.check("overfitting.1", lambda losses: [3]).text
    assert course.check("overfitting.1", lambda losses: losses.nothing).text.startswith("Your answer raised")


def test_lessons_by_number_and_notebook():
    lists = [CliRunner().invoke(main, ["quiz", name, "--list"]).output for name in ("tensors", "1", "01_tensors")]
    assert lists[0] == lists[1] == lists[2] != ""
    both = CliRunner().invoke(main, ["quiz", "tensors", "--before", "--after", "--list"]).output
    assert "before" in both and "after" in both


def test_a_page_needs_a_folder():
    for page in ("nowhere/quiz.html", ".", ""):
        result = CliRunner().invoke(main, ["quiz", "--page", page])
        assert result.exit_code == 2 and "a file in a folder that is there" in result.output + (result.stderr or "")
