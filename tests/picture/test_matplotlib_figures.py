"""Pictures by matplotlib: each kind of mark, on axes of the user's, and as files."""

import numpy as np
import pytest
from picture_cases import MARKS, chart_of

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.picture.axis import make_axis
from tarazu.picture.bar_rows import Row, bar_rows
from tarazu.picture.chart import ColorBar
from tarazu.picture.grids import heat_chart, image_chart
from tarazu.picture.picture import Picture

pytestmark = pytest.mark.extras


@pytest.fixture(autouse=True)
def without_windows():
    import matplotlib

    matplotlib.use("Agg")


@pytest.mark.parametrize("kind", MARKS)
def test_each_kind_of_mark_is_drawn_with_the_names_of_the_axes(kind):
    from matplotlib import pyplot

    axes = Picture("", (chart_of(MARKS[kind][0]),)).on()
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("x & y", "up", "a < b")
    assert len(axes.lines) + len(axes.patches) + len(axes.collections) + len(axes.images) + len(axes.texts) > 0
    np.testing.assert_allclose(axes.get_ylim(), (0, 3))
    pyplot.close("all")


def test_a_picture_of_several_charts_fills_axes_of_the_users_and_switches_off_the_rest():
    from matplotlib.figure import Figure

    axes = Figure().subplots(2, 2)
    picture = Picture("three", (chart_of(), heat_chart("", np.eye(2), ColorBar(0, 1, "shares"), rows=["a", "b"]),
                                image_chart("", np.zeros((2, 2, 3), np.uint8))))
    assert picture.on(axes) is axes and not axes[1, 1].axison and axes[0, 0].axison
    assert [text.get_text() for text in axes[0, 1].get_yticklabels()] == ["a", "b"]
    with pytest.raises(ArgumentError, match="2 axes for 3 charts"):
        picture.on(axes[0])


@pytest.mark.parametrize(("kind", "begin"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("jpg", b"\xff\xd8")])
def test_files_are_of_the_kind_that_their_ending_says(kind, begin, tmp_path):
    rows = [Row("age", 0.5, "0.5", 0.4, 0.6), Row("height", -0.2, "-0.2", role="validation")]
    picture = Picture("two", (bar_rows("bars", rows, make_axis([-1, 1])), chart_of()), columns=2)
    assert picture.save(tmp_path / f"a.{kind}").read_bytes().startswith(begin)


NAMES = ["a rather long name of a class", "dog", "another name that is long"]


def overlap(extents):
    return any(a.overlaps(b) for number, a in enumerate(extents) for b in extents[:number])


def test_nothing_is_cut_off_and_a_long_title_is_wrapped(tmp_path):
    from matplotlib.image import imread

    pictures = {"names": tz.draw.confusion([0, 1, 2], [0, 1, 1], NAMES)}
    for name, title in (("long", "a title that goes on " * 12), ("short", "a")):
        pictures[name] = Picture(title, (chart_of(), chart_of()), columns=2)
    pixels = {name: imread(picture.save(tmp_path / f"{name}.png")) for name, picture in pictures.items()}
    for image in pixels.values():
        edges = [image[0], image[-1], image[:, 0], image[:, -1]]
        assert all((edge == 1).all() for edge in edges) and (image < 1).any()
    assert abs(pixels["long"].shape[1] - pixels["short"].shape[1]) < 40


@pytest.mark.parametrize("names", [NAMES, ["short", "c", "d"], [f"class {n}" for n in range(12)]])
def test_names_below_do_not_overlap(names):
    from matplotlib import pyplot

    axes = tz.draw.confusion(np.arange(len(names)), np.arange(len(names)), names).on()
    axes.figure.canvas.draw()
    assert not overlap([text.get_window_extent() for text in axes.get_xticklabels()])
    pyplot.close("all")


def test_a_legend_stands_below_a_title_that_leaves_no_room_beside_it():
    from matplotlib import pyplot

    axes = tz.draw.roc(np.arange(9) % 3, np.eye(3)[np.arange(9) % 3 - 1], ["apple", "banana", "cherry"]).on()
    axes.figure.canvas.draw()
    assert not overlap([axes.get_legend().get_window_extent(), axes._left_title.get_window_extent()])
    pyplot.close("all")


def test_a_picture_without_charts_is_a_file_too(tmp_path):
    assert Picture("no epochs", ()).save(tmp_path / "a.png").stat().st_size > 100
