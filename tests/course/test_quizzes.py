"""The quizzes: every question is answered rightly and explained, code prints what is said, pages are accessible."""

from __future__ import annotations

import contextlib
import io
import re
from html.parser import HTMLParser

import pytest
from chromium import browser

from tarazu.base.errors import ArgumentError
from tarazu.course.language import LANGUAGES
from tarazu.course.quizzes import quiz, quiz_page, quizzes
from tarazu.course.quizzes.questions import words

LESSONS = ["tensors", "low_level", "graphs", "high_level", "mixing", "overfitting", "bias_variance", "tricks"]
QUESTIONS = {language: [(f"{each.lesson} {each.time} {question.name}", question)
                        for each in quizzes(language) for question in each.questions] for language in LANGUAGES}
WITH_CODE = [pytest.param(question, id=name) for name, question in QUESTIONS["en"] if question.code]


def test_there_is_a_quiz_before_and_after_each_lesson():
    assert [(each.lesson, each.time) for each in quizzes()] \
        == [(lesson, time) for lesson in LESSONS for time in ("before", "after")]
    assert all(3 <= len(each.questions) <= 5 for each in quizzes())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_is_answered_and_explained(language):
    for name, question in QUESTIONS[language]:
        texts = [answer.text for answer in question.answers]
        right = sum(answer.is_right for answer in question.answers)
        assert 3 <= len(texts) == len(set(texts)) <= 4, name
        assert (1 < right < len(texts)) if question.takes_several else right == 1, name
        assert all(len(answer.why) > 10 and answer.why[-1] in ".?!।" for answer in question.answers), name
        assert len({answer.why for answer in question.answers}) == len(texts), name


def test_both_languages_have_the_same_questions():
    def outline(language):
        return [(name, question.code, question.takes_several, [answer.is_right for answer in question.answers])
                for name, question in QUESTIONS[language]]
    assert outline("en") == outline("pa")
    assert words("en").keys() == words("pa").keys()
    assert all(re.search("[\u0a00-\u0a7f]", question.text + answer.why)
               for _, question in QUESTIONS["pa"] for answer in question.answers)


@pytest.mark.parametrize("question", WITH_CODE)
def test_code_prints_the_right_answer_and_no_other(question):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(question.code, question.name, "exec"), {"__name__": question.name})
    assert [answer.is_right for answer in question.answers] \
        == [answer.text == printed.getvalue().strip() for answer in question.answers]


def test_the_right_answers_are_not_always_at_one_place():
    places = [[answer.is_right for answer in question.answers].index(True) for _, question in QUESTIONS["en"]]
    assert max(places.count(place) for place in set(places)) < len(places) / 2


def test_what_is_not_there():
    with pytest.raises(ArgumentError, match=r"there is no lesson 'tensor'\n  expected: one of tensors, low_level"):
        quiz("tensor", "before")
    with pytest.raises(ArgumentError, match=r"there is no time 'during'\n  expected: one of before, after"):
        quiz("tensors", "during")
    with pytest.raises(ArgumentError, match="the course has no language 'fr'"):
        quizzes("fr")


class Elements(HTMLParser):
    """The elements of a page in their order: name, attributes, and the text within."""

    def __init__(self, page):
        super().__init__()
        self.found, self._open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes), []))
        if tag not in ("meta", "input"):
            self._open.append(self.found[-1])

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        for _, _, texts in self._open:
            texts.append(data)

    def named(self, tag):
        return [(attributes, " ".join("".join(texts).split())) for name, attributes, texts in self.found if name == tag]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_whole_and_accessible(language):
    page = quiz_page(language)
    elements = Elements(page)
    count = len(QUESTIONS[language])
    assert elements.named("html") == [({"lang": language}, elements.named("html")[0][1])]
    assert not re.search(r"https?:|//|@import|url\(", page)
    assert len(page.encode()) < 200_000
    legends = [text for _, text in elements.named("legend")]
    assert len(elements.named("fieldset")) == len(legends) == count
    for legend, (_, question) in zip(legends, QUESTIONS[language], strict=True):
        assert legend.endswith(" ".join(question.text.replace("`", "").split()))
    labels = {attributes["for"]: text for attributes, text in elements.named("label")}
    inputs = [attributes for attributes, _ in elements.named("input")]
    assert len(inputs) == len({entry["id"] for entry in inputs}) == len(labels)
    assert all(labels[entry["id"]] for entry in inputs)
    assert {entry["type"] for entry in inputs} == {"radio", "checkbox"}
    assert all(attributes["aria-live"] == "polite" for attributes, _ in elements.named("output"))
    ids = [attributes["id"] for _, attributes, _ in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"][1:] for attributes, _ in elements.named("a")} <= set(ids)
    assert "tabindex" in page and "prefers-color-scheme: dark" in page and ":focus-visible" in page


def test_a_page_of_one_quiz():
    page = quiz_page("en", [quiz("tricks", "after")])
    assert page.count("<fieldset>") == 5 and "<nav" not in page
    assert '<code lang="en" dir="ltr">' in quiz_page("en", [quiz("low_level", "before")])


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_answered_by_keyboard(language, tmp_path):
    chosen, say = quiz("overfitting", "before", language), words(language)
    path = tmp_path / "quiz.html"
    path.write_text(quiz_page(language, [chosen]), encoding="utf-8")
    with browser() as page:
        page.open(path.as_uri())
        several, radios, more = chosen.questions
        assert several.takes_several and not radios.takes_several
        assert page.evaluate("document.querySelector('output').textContent") == ""
        for answer in several.answers:  # a tab for each, and a space where it is right
            page.press("Tab", *([" "] if answer.is_right else []))
        page.press("Tab", "Enter")  # the button
        assert page.evaluate("document.activeElement.tagName") == "BUTTON"
        assert page.evaluate("document.querySelector('output').textContent") == say["right"]
        for index, question in enumerate((radios, more), 1):
            right = [answer.is_right for answer in question.answers].index(True)
            wrong = 1 if right == 0 else 0
            output = f"document.querySelectorAll('output')[{index}].textContent"
            shown = f"[...document.forms[{index}].querySelectorAll('.why:not([hidden])')].map(e => e.innerText)"
            page.press("Tab", " ", *["ArrowDown"] * wrong, "Enter")
            assert page.evaluate(output) == f"{say['wrong']} {say['again']}"
            assert page.evaluate(shown) == [f"{say['wrong']} {question.answers[wrong].why}".replace("`", "")]
            page.press(*["ArrowDown" if right > wrong else "ArrowUp"] * abs(right - wrong), "Enter")
            assert page.evaluate(output) == say["right"]
            assert len(page.evaluate(shown)) == 3
            page.press("Tab")
        assert page.evaluate("document.querySelector('.score').textContent") == say["score"].format(right=1, all=3)


@pytest.mark.browser
def test_a_page_fits_a_phone(tmp_path):
    path = tmp_path / "quiz.html"
    path.write_text(quiz_page("pa"), encoding="utf-8")
    with browser() as page:
        page.open(path.as_uri(), width=390, height=800)
        assert page.evaluate("innerWidth") <= 500
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("performance.getEntriesByType('resource').length") == 0
        for form in range(page.evaluate("document.forms.length")):
            page.evaluate(f"document.forms[{form}].querySelectorAll('[data-right]').forEach(e => e.click())")
            page.evaluate(f"document.forms[{form}].requestSubmit()")
        scores = page.evaluate("[...document.querySelectorAll('.score')].map(e => e.textContent)")
        assert scores == [words("pa")["score"].format(right=len(each.questions), all=len(each.questions))
                          for each in quizzes("pa")]
