"""What the tests of exercises share: every case of the texts is reached by an answer, in both languages."""

from tarazu import course
from tarazu.course import language

COMMON = {"not_callable", "shape", "value", "no_number", "no_tuple", "no_result", "raised"}


def check_answers(lesson, number, right, wrong):
    """The right answers are right; wrong ones, by case, say the text of that case, and no case is left out."""
    exercise, english = f"{lesson}.{number}", language.texts("en", lesson)[number]
    common = language.texts("en", "common")["any"]
    for answer in right:
        found = course.check(exercise, answer)
        assert found.is_right, found
        assert found.text == english.get("right", common["right"])
    for case, answer in wrong.items():
        found = course.check(exercise, answer)
        assert not found.is_right, case
        text = english.get(case, common.get(case))
        assert matches(found.text, text), (case, found.text)
    assert set(english) - {"right"} <= set(wrong), set(english) - set(wrong)
    for case in wrong:
        assert case in COMMON or case in language.texts("pa", lesson)[number]


def matches(found, text):
    """Whether the parts of a text between what is filled in come one after another in what was found."""
    place = 0
    for part in split_at_fields(text):
        place = found.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


def split_at_fields(text):
    return [part.rpartition("}")[2] for part in text.replace("{{", "").split("{")]
