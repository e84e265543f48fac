"""The built site in a headless Chromium, read from files: search, phones, light and dark. `make docs` first."""

from pathlib import Path

import pytest
from chromium import browser

SITE = Path(__file__).parents[2] / "docs" / "_build" / "html"
PAGES = ["index.html", "install.html", "guide/index.html", "course/index.html", "api/index.html",
         "api/generated/layers.html", "double_descent.html", "parity.html", "changelog.html"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tab():
    assert (SITE / "index.html").exists(), "the site is not built: make docs"
    with browser() as opened:
        yield opened


def address(page: str) -> str:
    path, mark, query = page.partition("?")
    return (SITE / path).as_uri() + mark + query


@pytest.mark.parametrize(("term", "title"), [
    ("dropout", "tarazu.nn.Dropout"), ("cross_entropy", "tarazu.nn.cross_entropy"), ("ਟੈਂਸਰ", "PyTorch ਅਤੇ Tarazu"),
])
def test_search_works_from_a_file(tab, term, title):
    tab.open(address(f"search.html?q={term}"))
    tab.wait_for("document.querySelectorAll('ul.search li a').length")
    found = tab.evaluate("[...document.querySelectorAll('ul.search li')].map(item => item.innerText).join('\\n')")
    assert title in found
    assert tab.problems() == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1280, "light")])
def test_pages_fit_and_load(tab, page, width, theme):
    tab.open(address(page), width=width, theme=theme)
    assert tab.evaluate("document.documentElement.dataset.theme") == theme
    assert tab.evaluate("document.documentElement.scrollWidth") <= width, "the page is wider than the screen"
    assert tab.problems() == []


def test_pages_say_their_language(tab):
    tab.open(address("course/index.html"))
    assert tab.evaluate("document.documentElement.lang") == "en"
    for path in sorted((SITE / "course" / "pa").glob("*.html")):
        tab.open(path.as_uri())
        assert tab.evaluate("document.documentElement.lang") == "pa", path.name


def test_the_theme_can_be_switched(tab):
    tab.open(address("index.html"))
    for theme in ("dark", "light"):
        tab.evaluate(f"document.querySelector('.theme-change-button[data-mode={theme}]').click()")
        tab.wait_for(f"document.documentElement.dataset.theme === '{theme}'")
    tab.evaluate("localStorage.clear()")


def test_icons_are_drawn(tab):
    tab.open(address("index.html"))
    assert tab.evaluate("document.fonts.load('900 16px \"Font Awesome 7 Free\"').then(found => found.length)") == 1
