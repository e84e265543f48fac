"""What the tests of exercises share: every case of the texts is reached by an answer, in both languages."""

import re

from tarazu import course
from tarazu.course import language


def texts_of(lesson, number, spoken="en"):
    """The texts of an exercise by case, those for all exercises among them."""
    return {**language.texts(spoken, "common")["any"], **language.texts(spoken, lesson)[number]}


def check_right(lesson, number, answer):
    found = course.check(f"{lesson}.{number}", answer)
    assert found.is_right, found
    assert found.text == texts_of(lesson, number)["right"]


def check_wrong(lesson, number, case, answer):
    """The answer is wrong, and what is said is the text of that case, which both languages have."""
    found = course.check(f"{lesson}.{number}", answer)
    assert not found.is_right, case
    assert matches(found.text, texts_of(lesson, number)[case]), (case, found.text)
    assert case in texts_of(lesson, number, "pa")


def check_answers(lesson, number, right, wrong):
    """The right answers are right; wrong ones, by case, say the text of that case, and no case is left out."""
    for answer in right:
        check_right(lesson, number, answer)
    for case, answer in wrong.items():
        check_wrong(lesson, number, case, answer)
    own = language.texts("en", lesson)[number]
    assert set(own) - {"right"} <= set(wrong), set(own) - set(wrong)


def check_coverage(lesson, right, wrong):
    """Each exercise of a lesson has a right answer, and each case of its own texts one of the wrong (number, case)."""
    own = {(number, case) for number, cases in language.texts("en", lesson).items() for case in cases}
    assert {number for number, _ in own} <= set(right)
    assert own - {(number, "right") for number in right} == set(wrong) & own


def matches(found, text):
    """Whether this is the text with anything in place of its fields (and of braces, which are doubled to stand)."""
    parts = re.split(r"\{\{|\}\}|\{[^{}]*\}", text)
    return re.fullmatch(".*".join(map(re.escape, parts)), found, re.DOTALL) is not None
