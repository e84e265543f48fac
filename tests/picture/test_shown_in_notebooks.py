"""What notebooks show is well-formed and of bounded size, and names of users do no harm."""

from html.parser import HTMLParser

import numpy as np
import pytest

import tarazu as tz
from tarazu.record import Finding, History, Verdict
from tarazu.study.rows.shown import bars

EVIL = "<script>alert('&')</script>"
EMPTY = {"meta", "link", "br", "img", "input"}


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.found, self.text = [], set(), ""

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def elements(shown) -> Elements:
    """The parsed HTML of what is shown: all elements are closed, none is a script."""
    parser = Elements()
    parser.feed(shown._repr_html_())
    parser.close()
    assert parser.open == [] and "script" not in parser.found and "on" not in parser.found
    return parser


def evil_history() -> History:
    history = History()
    history.append(loss=0.5, **{EVIL: 1.0, "note": EVIL})
    history.verdict = Verdict("undecided", EVIL, (Finding("gap", "warning", EVIL, advice=(EVIL,)),))
    return history


SHOWN = {
    "module": lambda: tz.nn.Sequential([type(EVIL, (tz.nn.Dense,), {})(3, in_features=1)]),
    "module without parameters yet": lambda: tz.nn.Sequential([type(EVIL, (tz.nn.Dense,), {})(3)]),
    "graph": lambda: tz.trace(lambda **x: x[EVIL] * 2)(**{EVIL: tz.ones(2)}),
    "table": lambda: tz.data.Table({EVIL: tz.data.Table.from_frame({"a": [EVIL, "b"]}).columns["a"]}),
    "history": evil_history,
    "verdict": lambda: evil_history().verdict,
    "picture": lambda: tz.draw.confusion([0, 1], [0, 1], [EVIL, "b"]),
    "cross-validation": lambda: tz.train.CrossValidation(({EVIL: 0.5}, {EVIL: 0.7}), 0.5),
    "learning rates": lambda: tz.train.LearningRates((0.01, 0.1), (4.0, 2.0), (4.0, 2.0), 0.01, 0.1, EVIL),
    "study of rows": lambda: bars(EVIL, {EVIL: 0.5}),
}


@pytest.mark.parametrize("kind", SHOWN)
def test_names_of_users_are_texts(kind):
    parsed = elements(SHOWN[kind]())
    assert "alert" in parsed.text or kind == "graph"


def test_large_things_are_shown_in_part():
    deep = tz.nn.Sequential([tz.nn.Dense(2, in_features=2) for _ in range(300)])
    wide = tz.data.Table.from_frame({f"column {n}": np.arange(3000.0) for n in range(300)})
    history = History()
    for n in range(2000):
        history.append(loss=1 / (n + 1), val_loss=2 / (n + 1))
    graph = tz.trace(lambda x: sum((tz.sin(x) * n for n in range(300)), x))(tz.ones(2))
    for shown, most in ((deep, 40_000), (wide, 40_000), (history, 80_000), (graph, 2000)):
        assert len(shown._repr_html_()) < most and elements(shown).text
    assert "100 more rows" in deep._repr_html_() and "3000 rows, 300 columns" in wide._repr_html_().replace(",0", "0")
    classes = tz.draw.confusion(np.arange(300), np.arange(300), [f"class {n}" for n in range(300)])
    assert len(classes._repr_html_()) < 200_000


def test_a_picture_of_a_history_measures_nothing():
    asked = []
    history = evil_history()
    history.judge_later(asked.append)
    history.plot().svg()
    assert asked == []
    history._repr_html_()
    assert asked == [history]
