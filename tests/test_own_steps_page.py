"""The models of docs/own_steps.md train, and learn what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "own_steps.md"
START, *MODELS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
TITLES = re.findall(r"^## (.*)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def page():
    """What all scripts of the page have made, by their titles: each goes on from those before."""
    names: dict[str, object] = {"__name__": "page"}
    exec(compile(START, PAGE.name, "exec"), names)
    made = {}
    for title, script in zip(TITLES, MODELS, strict=True):
        exec(compile(script.replace("seed=0)", "seed=0, verbose=0)"), PAGE.name, "exec"), names)
        made[title] = dict(names)
    return made


def test_the_first_scripts_run():
    """For one epoch: all of them, and what they learn, in `make long`."""
    short = re.sub(r"epochs=\d+", "epochs=1", "\n".join([START, *MODELS[:3]]))
    exec(compile(short.replace("seed=0)", "seed=0, verbose=0)"), PAGE.name, "exec"), {"__name__": "page"})


@pytest.mark.long
@pytest.mark.parametrize("title", TITLES)
def test_a_model_of_the_page_learns(page, title):
    history = page[title]["history"]
    assert history[0].keys() >= history[-1].keys() - {"val_loss"} and history.verdict is not None
    if title.startswith("Generative"):
        assert np.isfinite(list(history[-1].values())).all()
    else:
        assert history[-1]["loss"] < 0.75 * history[0]["loss"]


@pytest.mark.long
def test_what_they_learn(page):
    assert page["Siamese network with a triplet loss"]["history"][-1]["right"] > 0.95
    assert page["Knowledge distillation"]["history"][-1]["val_accuracy"] > 0.85
    assert page["Physics-informed network"]["error"] < 0.1
    contrastive = page["Contrastive pretraining"]["history"]
    assert contrastive[-1]["found"] > 0.45 and contrastive.verdict.name == "undecided"
    assert page["Variational autoencoder"]["history"].history["val_kl"][-1] > 0.5
