"""The report of a diagnosis: one self-contained HTML page that needs no knowledge of statistics."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tarazu.base.messages import listing, plural
from tarazu.diagnose.judging.thresholds import worth
from tarazu.diagnose.reporting.page import rendered_page
from tarazu.record import write_text
from tarazu.study.diagnosis.causes import CAUSES, HEALTHY, UNDECIDED, in_words
from tarazu.study.diagnosis.findings import Findings, value_text
from tarazu.study.diagnosis.pictures import cause_chart, loss_curves, percent, rows_chart
from tarazu.study.trials.chart import gain_chart
from tarazu.study.trials.trials import Gain

TEMPLATE = "diagnosis.html.jinja"
NO_BREAK = "\N{NO-BREAK SPACE}"
MOST_ROWS = 20  # whose targets are in doubt
UNIT = ("Losses are given in percent: 100 % is a guess that ignores the inputs and always says the same, 0 % is a "
        "perfect model, so lower is better. New rows are rows that the model was not trained on.")
# How sure a probability is, in words, from the largest down.
WORDS_OF_PROBABILITY = {0.95: "almost certain", 0.8: "very likely", 0.65: "likely", 0.0: "more likely than not"}


class Section(NamedTuple):
    """A heading, a sentence on what is to be seen, and a picture or the rows of a table."""

    title: str
    text: str
    chart: str = ""
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


def write_diagnosis(path: str | os.PathLike[str], found: Findings, title: str, notes: Sequence[str]) -> Path:
    """Write the page to `path`, in place of what was there, and give the path. OSError where it cannot be written."""
    text = rendered_page(TEMPLATE, title=title, answer=_answer(found), sections=list(_sections(found)),
                         notes=[*_notes(found), *notes])
    return write_text(path, text.replace(" %", f"{NO_BREAK}%"))  # a number and its sign stay in one line


def _answer(found: Findings) -> dict[str, str]:
    """The cause in plain words, how sure it is, and what to do first."""
    kind = found.cause if found.cause in (HEALTHY, UNDECIDED) else "ill"
    best = _best(found)
    return {"kind": kind, "name": in_words(found.cause), "means": _meaning(found), "sure": _certainty(found),
            "first_title": "What would help first" if kind == "ill" else "What to do",
            "first": _first(found, best), "unit": UNIT}


def _meaning(found: Findings) -> str:
    if found.cause == HEALTHY:
        return "The model does about as well on new rows as can be had from these data and such a model."
    if found.cause == UNDECIDED:
        return "The experiments do not tell what keeps the model from doing better, or whether anything does."
    return CAUSES[found.cause].means


def _certainty(found: Findings) -> str:
    if found.cause == UNDECIDED:
        likely = [f"{in_words(cause)} ({percent(p)})" for cause, p in found.ranking[:3]]
        return f"The most probable answers are {', '.join(likely)}; that is not sure enough to name one."
    probability = found.probability(found.cause)
    word = next(word for least, word in WORDS_OF_PROBABILITY.items() if probability >= least)
    return f"How sure that is: {percent(probability)}, {word}."


def _best(found: Findings) -> Gain | None:
    """The best remedy of the cause, or of all where there is none; None where nothing gains enough to speak of."""
    of_cause = [gain for gain in found.remedies if gain.cause == found.cause or found.cause not in CAUSES]
    best = max(of_cause, key=lambda gain: gain.mean, default=None)
    return best if best is not None and best.mean >= worth(found.loss) else None


def _first(found: Findings, best: Gain | None) -> str:
    if found.cause == HEALTHY:
        return "Nothing has to be mended: of all that was tried, nothing would lower the loss on new rows by much."
    effect = "" if best is None else (
        f"“{best.by}”, the loss on new rows falls from {_losses(found.loss)} to about "
        f"{_losses(found.loss - best.mean)} (between {_losses(found.loss - best.interval[1])} and "
        f"{_losses(found.loss - best.interval[0])})")
    if found.cause == UNDECIDED:
        again = "Diagnose again with a larger budget, more rows, or other seeds."
        return f"{again} The best that was tried: with {effect}." if effect else again
    advice = f"{CAUSES[found.cause].remedy[0].upper()}{CAUSES[found.cause].remedy[1:]}."
    return f"{advice} As measured: with {effect}." if effect else advice


def _losses(loss: float) -> str:
    return f"{100 * max(loss, 0.0):.0f} %"


def _sections(found: Findings) -> Iterator[Section]:
    if found.remedies:
        yield Section("What was tried, and what it changes",
                      "Each bar is the same model with one thing changed: to the right the loss on new rows gets "
                      "lower, which is better. The line over a bar is where the true value lies in about 95 of 100 "
                      "cases; where it crosses zero, the change may do nothing.",
                      gain_chart(found.remedies, "what lowers the loss on new rows").svg_of_page())
    yield Section("How probable each cause is",
                  "The longer the bar, the more the experiments speak for that cause. The bars add up to 100 %.",
                  cause_chart(found.ranking).svg_of_page())
    yield from _curves(found)
    yield from _doubtful_rows(found)
    yield from _columns(found)
    yield from _not_tried(found)
    yield Section("The evidence", "Every number that the answer rests on, with the study that gave it and, where it is "
                  "known, the range in which the true value lies in about 95 of 100 cases.",
                  header=("study", "number", "value", "range", "what it says"),
                  rows=[(in_words(one.study), one.name, f"{one.value:.3g}",
                         f"{one.interval[0]:.3g} to {one.interval[1]:.3g}" if one.interval else "", one.says)
                        for one in found.evidence])


def _curves(found: Findings) -> Iterator[Section]:
    if found.history is not None and (curves := loss_curves(found.history, found.kept_epoch)):
        yield Section("How the model learned",
                      "An epoch is one pass over the training rows. Where the line of the validation rows, which are "
                      "new to the model, turns up or stays far above that of the training rows, the model learns "
                      "single rows by heart; where both stay high, it learns too little. These losses are as the "
                      "training counts them, not in percent.", curves.svg_of_page())
    if len(found.by_rows) > 1:
        more = found.by_rows[-1]
        expected = "" if more.is_measured else (
            f" The dashed line goes on to {more.rows:,} rows: {_losses(more.loss.mean)} is expected there "
            f"({_losses(more.loss.low)} to {_losses(more.loss.high)}).")
        yield Section("What more rows would bring",
                      "The same model, trained on a part of the rows and on all of them. Where the line still falls at "
                      f"its right end, more rows help; where it is level, they do not.{expected}",
                      rows_chart(found.by_rows).svg_of_page())


def _doubtful_rows(found: Findings) -> Iterator[Section]:
    if not found.suspect_targets:
        return
    shown = found.suspect_targets[:MOST_ROWS]
    rate = "" if found.noise_rate is None else f"About {100 * found.noise_rate:.0f} % of all targets seem to be wrong. "
    more = ", the most suspicious ones" if len(shown) < len(found.suspect_targets) else ""
    count = "this row" if len(shown) == 1 else f"these {len(shown)} rows"
    counted = " Rows are counted from 0." if any(one.unit == "row" for one in shown) else ""
    yield Section("Targets to check",
                  f"{rate}Another method, which did not see the row itself, expects something else for {count}{more}."
                  f"{counted} Look at them before you change them: some will be right.",
                  header=("row", "target", "expected"),
                  rows=[(one.name, value_text(one.target), value_text(one.expected)) for one in shown])


def _columns(found: Findings) -> Iterator[Section]:
    if found.leaking:
        yield Section("Columns that may give the answer away",
                      "Each of these tells much of the target, and apart from that goes with nothing else, as what is "
                      "made from the target does. If it is not known when the model is used, leave it out.",
                      header=("column", "tells of the target, alone"),
                      rows=[(one.name, f"{100 * one.strength:.0f} %") for one in found.leaking])
    if found.shifted:
        yield Section("Columns that differ",
                      "In these columns the rows that test the model differ from those that trained it, by more than "
                      "chance explains. The distance is 0 where both are alike and 1 where no value is in both.",
                      header=("column", "distance", "mean is higher by, in standard deviations"),
                      rows=[(one.name, f"{one.distance:.2f}", f"{one.difference:.2g}")
                            for one in found.shifted[:MOST_ROWS]])


def _not_tried(found: Findings) -> Iterator[Section]:
    if found.is_interrupted or found.skipped:
        why = "It was interrupted: what comes after that is not known. " if found.is_interrupted else ""
        left = ("Not tried, for want of budget or of a way to change this model: "
                f"{listing(found.skipped)}. Another one of them may help more." if found.skipped else "")
        yield Section("What was not tried", why + left)


def _notes(found: Findings) -> list[str]:
    return [f"The model was trained about {plural(round(found.fits), 'time')}: as it is, on parts of the rows, and "
            "with one thing changed. All were judged by the same rows. What cannot help was left out, for example a "
            "larger model where the loss on the training rows is nearly nothing."]
