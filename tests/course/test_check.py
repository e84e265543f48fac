"""Checks of exercises: what they say of right, wrong and missing answers, in both languages."""

import pytest

from tarazu import course
from tarazu.base.errors import ArgumentError
from tarazu.course import language
from tarazu.course.check import lessons


@pytest.fixture
def punjabi():
    course.set_language("pa")
    yield
    course.set_language("en")


def test_right_and_wrong():
    assert repr(course.check("tricks.7", {"B", "D", "E"})) == "✓ Right."
    assert course.check("tricks.7", {"B", "D"}).text.startswith("E is true")
    raised = course.check("tricks.2", lambda x, kept, rate: x.nothing)
    assert raised.text.startswith("Your answer raised AttributeError: ")
    assert course.check("tensors.1", None).text == "There is no answer yet: put yours in place of None."


def test_in_punjabi(punjabi):
    assert repr(course.check("tricks.7", {"B", "D", "E"})) == "✓ ਸਹੀ।"


def test_what_is_not_there():
    with pytest.raises(ArgumentError, match="there is no exercise 'tensor.1'; the lessons are"):
        course.check("tensor.1", 1)
    with pytest.raises(ArgumentError, match="lesson tensors has no exercise '99'; it has 1"):
        course.check("tensors.99", 1)
    with pytest.raises(ArgumentError, match="the course has no language 'fr'; it has 'en' and 'pa'"):
        course.set_language("fr")


def test_both_languages_have_the_same_texts():
    for lesson in ["common", *lessons()]:
        english, punjabi = language.texts("en", lesson), language.texts("pa", lesson)
        assert {name: list(cases) for name, cases in english.items()} \
            == {name: list(cases) for name, cases in punjabi.items()}, lesson
