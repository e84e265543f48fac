"""Pictures: each kind of mark as SVG, what users name is escaped, files are written whole, styles stay inside."""

import base64
import re
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
from picture_cases import MARKS, NAN, chart_of

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.picture.axis import Axis, named_axis
from tarazu.picture.chart import Chart, ColorBar
from tarazu.picture.colors import colored
from tarazu.picture.elements import STYLE
from tarazu.picture.grids import heat_chart, image_chart
from tarazu.picture.picture import Picture
from tarazu.picture.png import png
from tarazu.record import Finding, History, Verdict


def elements(picture: Picture) -> list[ElementTree.Element]:
    return [*ElementTree.fromstring(picture.svg()).iter()]


@pytest.mark.parametrize("kind", MARKS)
def test_each_kind_of_mark_is_drawn_and_texts_are_escaped(kind):
    mark, name = MARKS[kind]
    picture = Picture("a < b", (chart_of(mark),))
    assert any(found.tag.endswith(f"}}{name}") for found in elements(picture))
    texts = [found.text for found in elements(picture) if found.tag.endswith("}text")]
    assert {"a < b", "x & y", "up"} <= set(texts) and "<i>" not in picture.svg()
    assert "nan" not in picture.svg() and "<b>" not in picture._repr_html_()


def test_gaps_divide_a_curve_and_a_lone_point_is_a_dot():
    found = elements(Picture("", (chart_of(MARKS["curve"][0]),)))
    assert sum(each.tag.endswith("}polyline") for each in found) == 1
    assert sum(each.get("class") == "point train" for each in found) == 1


def test_the_style_reaches_no_other_picture_of_a_notebook():
    style = re.search("<style>(.*?)</style>", Picture("", ()).svg())[1]
    rules = [selector for rule in style.split("}") if rule for selector in rule.split("{")[0].split(",")]
    assert rules and all(".tz-picture" in selector for selector in rules)


def test_charts_stand_in_rows_and_columns():
    picture = Picture("four", (chart_of(),) * 4, columns=2)
    places = [re.findall(r"\d+", each.get("transform")) for each in elements(picture) if each.tag.endswith("}g")]
    assert len({x for x, _ in places}) == 2 and len({y for _, y in places}) == 2


def test_texts_at_ticks_do_not_overlap():
    chart = Chart("", named_axis([f"class {n}" for n in range(30)]), Axis(0, 1, 0, 1, ()), ())
    texts = [each for each in elements(Picture("", (chart,))) if each.tag.endswith("}text")]
    places = [float(each.get("x")) for each in texts]
    assert 3 < len(places) < 30 and min(np.diff(places)) > 6 * len("class 29")


def test_images_are_png_with_the_pixels_that_were_given():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    raw = zlib.decompress(png(pixels).split(b"IDAT")[1].split(b"IEND")[0][:-8])
    assert raw == b"".join(b"\0" + row.tobytes() for row in pixels)
    drawn = Picture("", (image_chart("", pixels),)).svg()
    assert base64.b64decode(re.search("base64,([^\"]+)", drawn)[1]) == png(pixels)


def test_colors_of_numbers_end_where_the_bar_ends_and_nan_is_seen():
    colors = colored(np.array([[-9.0, -1.0, 1.0, 9.0, NAN]]), -1, 1, "signs")[0].tolist()
    assert colors[0] == colors[1] != colors[2] == colors[3] and colors[4] not in colors[:4]
    assert heat_chart("", np.eye(2), ColorBar(0, 1, "shares"), texts=np.array(["a", "b", "c", "d"])).size == (48, 48)


def test_a_picture_is_saved_whole_or_not_at_all(tmp_path):
    picture = Picture("a", (chart_of(),))
    assert picture.save(tmp_path / "a.svg").read_text(encoding="utf-8") == picture.svg()
    with pytest.raises(ArgumentError, match=r"save\('a\.gif'\)\n  expected: an ending of \.svg, \.png"):
        picture.save("a.gif")
    with pytest.raises(ArgumentError, match=r"save\('\.'\)(.|\n)*for example save\('picture\.svg'\)"):
        picture.save("")
    assert picture.save(tmp_path / "new folder" / "a.svg").is_file()
    with pytest.raises(ArgumentError, match="a.svg is a file, so that nothing can be written in it"):
        picture.save(tmp_path / "a.svg" / "b.svg")


def history_of(**columns) -> History:
    history = History()
    for values in zip(*columns.values(), strict=True):
        history.append(**dict(zip(columns, values, strict=True)))
    return history


def test_a_history_draws_its_metrics_the_loss_first_and_rates_that_change_last():
    history = history_of(learning_rate=[0.1, 0.05], accuracy=[0.5, 0.6], loss=[0.7, 0.6], val_loss=[0.8, 0.9])
    history.measurements = {"kept_epoch": 1}
    titles = [chart.title for chart in history.plot().charts]
    assert titles == ["loss", "accuracy", "learning_rate"]
    drawn = history.plot("loss").svg()
    assert drawn == history.plot(["loss"]).svg()
    assert drawn.count("kept: epoch 1") == 1 and ">train<" in drawn and ">validation<" in drawn
    with pytest.raises(ArgumentError, match=r"plot of 'f1', which no epoch has\n  expected: some of loss, accuracy"):
        history.plot(["f1"])


def test_histories_without_epochs_or_numbers_are_pictures_too():
    assert History().plot().charts == () and "no epochs" in History()._repr_html_()
    history = history_of(loss=[NAN, NAN], note=["a", "<b>"])
    assert "nan" not in history.plot().svg() and "<b>" not in history._repr_html_()


def test_a_verdict_shows_scales_evidence_and_advice():
    finding = Finding("gap", "warning", "the loss on new rows is 0.4 above that on others, " * 3, advice=("more data",))
    verdict = Verdict("overfitting", "overfitting: the gap is <large>", (finding,))
    html = verdict._repr_html_()
    assert "variance" in html and "→ more data" in html and "&lt;large&gt;" in html and "<large>" not in html
    assert max(len(text) for text in re.findall("<text[^>]*>([^<]*)</text>", html)) < 80


def test_what_needs_matplotlib_says_so_where_it_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    for use in (lambda: Picture("", ()).on(), lambda: tz.draw.images(tz.zeros((1, 2, 2))).save(tmp_path / "a.png")):
        with pytest.raises(ArgumentError, match=r"matplotlib, which is not installed(.|\n)*tarazu\[plot\]"):
            use()
    assert list(tmp_path.iterdir()) == []


def test_a_point_alone_and_few_dots_are_seen_on_dark_pages():
    history = History()
    history.append(loss=0.5)
    assert 'class="point train"' in history.plot().svg() and ".point{fill:currentColor;fill-opacity:1}" in STYLE
    few, many = (tz.draw.predictions(np.arange(n), np.arange(n)).svg() for n in (5, 100))
    assert few.count('class="dot sparse train"') == 5 and "sparse train" not in many


def test_long_headlines_take_lines_instead_of_room():
    verdict = Verdict("about right", "about right: " + "the model removes much of the trivial loss " * 4)
    svg = verdict.plot().svg()
    assert svg.count('class="title"') == 3 and float(svg.split("viewBox=\"0 0 ")[1].split()[0]) < 800


def test_maps_of_attention_are_no_wider_than_notebooks():
    for names in (["a long word"] * 10, list("many tokens " * 4)):
        model = tz.nn.MultiHeadAttention(4, 8)
        picture = tz.draw.attention(model, tz.ones((1, len(names), 8)), tokens=names)
        width = float(picture.svg().split("viewBox=\"0 0 ")[1].split()[0])
        assert len(picture.charts) == 4 and width <= 1200


def test_images_stand_level_with_the_maps_beside_them():
    picture = tz.draw.gradients(tz.nn.Sequential([tz.nn.Flatten(), tz.nn.Dense(2)]), tz.ones((1, 6, 6, 1)))
    tops = {float(part.split('y="')[1].split('"')[0]) for part in picture.svg().split("<image ")[1:]}
    assert len(picture.charts) == 2 and len(tops) == 1


def test_curves_of_more_classes_than_colors_are_dashed():
    scores = np.eye(7)[[0, 1, 2, 3, 4, 5, 6] * 2] + 0.1
    svg = tz.draw.roc([0, 1, 2, 3, 4, 5, 6] * 2, scores).svg()
    assert svg.count("curve dashed train") == 1 and svg.count("curve train dashed") == 1 and ">5: 1<" in svg
