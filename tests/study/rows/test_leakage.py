"""`leakage` on drawn problems whose leaks are known, and its errors."""

import numpy as np
import pytest

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.study.rows.groups import features_of
from tarazu.study.rows.leakage import leakage, leakage_of
from tarazu.study.rows.plain import PlainRows
from tarazu.study.rows.transforms import explained_share, one_hot


def problem(task, rows=500, seed=0):
    """Features of which some cause the target together, some are noise."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 6))
    score = x[:, 0] + x[:, 1] - x[:, 2] + 0.5 * random.normal(size=rows)
    return x, np.digitize(score, [-1, 0, 1]) if task == "classes" else score


def of_halves(x, y, **options):
    rows = len(x) * 3 // 4
    return leakage(x[:rows], y[:rows], x[rows:], y[rows:], **options)


@pytest.mark.parametrize("task", ["classes", "numbers"])
@pytest.mark.parametrize("seed", [0, 1])
def test_natural_causes_are_no_suspects(task, seed):
    x, y = problem(task, seed=seed)
    found = of_halves(x > 0 if task == "classes" else x, y)  # a feature of classes is tested if it has as few values
    assert found.suspects == () and found.features[0].strength > 0.05
    assert found.features[0].p_value <= 0.02


def test_a_one_hot_code_of_the_target_is_one_suspect():
    x, y = problem("classes")
    random = np.random.default_rng(1)
    told = np.where(random.random(len(y)) < 0.7, y, random.integers(4, size=len(y)))
    mixed = np.hstack([x, one_hot(told)])[:, [6, 0, 1, 7, 2, 3, 8, 4, 5, 9]]
    [suspect] = of_halves(mixed, y).suspects
    assert suspect.columns == (0, 3, 6, 9) and 0.4 < suspect.strength < 0.6


@pytest.mark.parametrize("form", [lambda told: told, np.exp, lambda told: -told])
def test_a_monotone_function_of_a_number_is_a_suspect(form):
    x, y = problem("numbers")
    told = form(0.9 * y / y.std() + 0.4 * np.random.default_rng(1).normal(size=len(y)))
    assert [suspect.columns for suspect in of_halves(np.column_stack([x, told]), y).suspects] == [(6,)]


def test_the_target_itself_is_a_suspect():
    x, y = problem("numbers")
    [suspect] = of_halves(np.column_stack([y, x]), y).suspects
    assert suspect.columns == (0,) and suspect.strength > 0.97


def test_two_natural_measurements_of_a_class_are_no_suspects():
    random = np.random.default_rng(0)
    y = random.integers(2, size=600)
    assert of_halves(random.normal(size=(600, 2)) + y[:, None], y).suspects == ()


def test_few_rows_make_no_suspects():
    x, y = problem("numbers", rows=100)
    assert of_halves(np.column_stack([x, y]), y).suspects == ()


def test_copies_are_counted_beside_those_by_nature():
    x, y = problem("classes")
    half_new = np.r_[:50, 400:450]
    copies = leakage(x[:400], y[:400], x[half_new], y[half_new]).copies
    assert (copies.share, copies.same_target, copies.expected) == (0.5, 0.5, 0.0) and copies.p_value < 1e-9
    whole = np.random.default_rng(0).integers(3, size=(500, 2))
    by_nature = of_halves(whole, y).copies
    assert by_nature.share == by_nature.expected == 1.0 and by_nature.p_value > 0.5


def test_rows_in_order_and_their_numbers_are_seen():
    x, y = problem("numbers")
    order = np.argsort(y)
    numbered = np.column_stack([np.arange(500), x[order]])
    found = leakage(numbered[::2], y[order][::2], numbered[1::2], y[order][1::2])
    assert found.order_correlation > 0.9 and found.order_p_value < 1e-20
    assert [(column.name, column.column) for column in found.numbered] == [("0", 0)]
    assert found.numbered[0].inside > 0.99
    assert "rows are not in random order" in str(found)


def test_frames_with_texts_are_read_and_give_names():
    import pandas

    x, y = problem("classes")
    random = np.random.default_rng(1)
    words = np.array(["low", "middle", "high", "top"])
    frame = pandas.DataFrame(x[:, :3], columns=["a", "b", "c"]).assign(
        grade=words[np.where(random.random(500) < 0.8, y, random.integers(4, size=500))])
    found = leakage(frame[:400], words[y[:400]], frame[400:], words[y[400:]])
    assert [suspect.name for suspect in found.suspects] == ["grade"]
    assert list(found.to_frame().columns) == ["name", "columns", "strength", "p_value", "is_suspect"]


def test_same_seed_same_result_and_a_picture(tmp_path):
    x, y = problem("numbers")
    x = np.column_stack([x, y + np.random.default_rng(2).normal(size=500)])
    assert of_halves(x, y, seed=3) == of_halves(x, y, seed=3)
    found = of_halves(x, y)
    found.plot(tmp_path / "leak.svg")
    assert (tmp_path / "leak.svg").read_text().startswith("<svg")
    assert "<svg" in found._repr_html_() and "may be made from the target" in str(found)


def test_rows_that_do_not_suit_are_named():
    x, y = problem("numbers")
    for arguments, error, text in [((x, y[:9], x, y), ShapeError, "x_train has 500 rows and its targets 9"),
                                   ((x, y, x[:, :2], y), ShapeError, "6 columns and x_validation 2"),
                                   ((x, y, x * np.nan, y), ArgumentError, "column '0' has NaN"),
                                   ((x, y * np.inf, x, y), ArgumentError, "a target is NaN"),
                                   ((x, np.c_[y, y], x, y), ShapeError, r"targets of shape \(500, 2\)"),
                                   ((x[:0], y[:0], x, y), ArgumentError, "y_train has no rows")]:
        with pytest.raises(error, match=text):
            leakage(*arguments)


def test_few_rows_are_said_to_be_few():
    x, y = problem("numbers")
    assert "not tested with 100 rows: it takes 200" in str(leakage(x[:60], y[:60], x[60:100], y[60:100]))
    assert "not tested" not in str(leakage(x[:150], y[:150], x[150:250], y[150:250]))


def test_columns_with_names_are_brought_to_one_order():
    x, y = (part[:150] for part in problem("numbers"))
    columns = {f"c{i}": column for i, column in enumerate(x.T)}
    turned = dict(reversed(columns.items()))
    assert leakage(columns, y, turned, y) == leakage(columns, y, columns, y)
    with pytest.raises(ShapeError, match="a column 'c0', which x_validation lacks"):
        leakage(columns, y, {f"d{i}": column for i, column in enumerate(x.T)}, y)
    with pytest.raises(ArgumentError, match="column 'c1' has NaN"):
        leakage(columns | {"c1": x[:, 1] * np.nan}, y, columns, y)


def test_columns_of_codes_are_grouped_and_others_are_not():
    x = np.column_stack([one_hot(np.array([0, 1, 2, 0, 1, 2])), [1, 0, 0, 0, 0, 0], np.arange(6), np.ones(6)])
    assert features_of(x) == [(0, 1, 2), (3,), (4,)]


def test_explained_share_of_random_labels_is_about_none():
    random = np.random.default_rng(0)
    shares = [explained_share(random.integers(10, size=200), random.normal(size=(200, 1))) for _ in range(200)]
    assert abs(np.mean(shares)) < 0.005


def test_columns_of_one_name_are_one_feature():
    random = np.random.default_rng(3)
    x, y = random.normal(size=(400, 3)), random.integers(0, 2, 400)
    x[:, 0] += y
    is_missing = random.random(400) < 0.02
    told = np.where(is_missing, 0, y)
    rows = PlainRows(np.column_stack([x, told, is_missing]), ("a", "b", "c", "told", "told"), y, True)
    found = leakage_of(rows, rows, 0)
    assert [(suspect.name, suspect.columns) for suspect in found.suspects] == [("told", (3, 4))]
