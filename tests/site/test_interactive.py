"""The interactive pages: their data are what Tarazu computes, they need no network, and every slider moves them."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest
from chromium import browser

HERE = Path(__file__).parents[2] / "docs" / "interactive"
LARGEST = 400_000  # bytes
SLIDERS = """(() => {
  const sliders = [...document.querySelectorAll('input[type=range]')];
  const seen = () => document.querySelector('main').innerText
    + [...document.querySelectorAll('svg')].map(one => one.outerHTML).join('');
  return sliders.map(slider => {
    const start = slider.value, found = new Set();
    for (let k = +slider.min; k <= +slider.max; k++) {
      slider.value = k;
      slider.dispatchEvent(new Event('input', {bubbles: true}));
      found.add(seen());
    }
    slider.value = start;
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    return [slider.labels.length > 0, found.size, slider.max - slider.min + 1];
  });
})()"""


def module(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


build, compute = module("build"), module("compute")


def data(name):
    return json.loads((HERE / "data" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", build.PAGES)
def test_a_page_is_small_and_needs_nothing_else(name):
    text = build.page(name)
    assert len(text.encode()) < LARGEST
    without_names = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|\bsrc=|@import|\burl\((?!#)", without_names)


@pytest.mark.parametrize("name", [*build.PAGES, "page"])
def test_both_languages_have_all_words(name):
    words = json.loads((HERE / "pages" / f"{name}.json").read_text(encoding="utf-8"))
    asked = set(re.findall(r'data-word="(\w+)"', build.page(name))) if name != "page" else words["en"].keys()
    shared = json.loads((HERE / "pages" / "page.json").read_text(encoding="utf-8"))
    for language in ("en", "pa"):
        assert asked <= words[language].keys() | shared[language].keys()


def fits_of(name):
    found = data(name)
    return next(value for value in found.values() if isinstance(value, list) and isinstance(value[0], dict))


@pytest.mark.parametrize("parameters", [2, 7])
def test_five_dots_are_what_is_computed(parameters):
    found = compute.five_dots(parameters)
    stored = next(fit for fit in fits_of("five_dots") if fit["parameters"] == parameters)
    np.testing.assert_allclose(found["errors"], stored["errors"], atol=0.05)
    np.testing.assert_allclose(found["curve"], stored["curve"], atol=0.05)


@pytest.mark.parametrize("setting", [{"noise": 0.4, "rows": 40, "width": 64, "dropout": 0.0, "decay": 0.0},
                                     {"noise": 0.1, "rows": 120, "width": 8, "dropout": 0.0, "decay": 1.0}])
def test_a_network_on_two_moons_is_what_is_computed(setting):
    stored = data("decision")["fits"][list(compute.settings(compute.AXES)).index(setting)]
    found = compute.decision(**setting)
    surfaces = [np.frombuffer(base64.b64decode(fit["surface"]), np.uint8).astype(int) for fit in (found, stored)]
    assert np.abs(surfaces[0] - surfaces[1]).mean() < 3  # of 255
    np.testing.assert_allclose(found["loss"], stored["loss"], atol=0.03)
    assert (found["verdict"], found["headline"][:30]) == (stored["verdict"], stored["headline"][:30])


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "pa"])
@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_every_slider_moves_every_page(tmp_path, language, width, theme):
    build.write_pages(tmp_path)
    with browser() as tab:
        for name in build.PAGES:
            tab.open((tmp_path / f"{name}.html").as_uri() + f"?lang={language}", width=width, theme=theme)
            sliders = tab.evaluate(SLIDERS)
            assert sliders and all(labelled and seen == places for labelled, seen, places in sliders), (name, sliders)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            assert tab.evaluate("document.documentElement.lang") == language
            assert tab.problems() == []
