"""How numbers and dates are written: what each spelling means, and what is told of it."""

from collections import Counter

import numpy as np
import pytest

from tarazu.data import Table, TableEncoder
from tarazu.data.columns.column import column_of_objects
from tarazu.data.columns.dates import DateFormat, date_format, date_text, in_time_order
from tarazu.data.columns.numbers import NumberFormat, number_format, split_unit
from tarazu.data.tables.column_kinds import column_kind


def column_of(cells):
    return column_of_objects("x", cells, np.zeros(len(cells), bool))


NUMBERS = {
    "thousands": (["900", "1,234", "2,500,000"], [900, 1234, 2500000]),
    "decimal comma": (["1,5", "2,25"], [1.5, 2.25]),
    "decimal comma and thousands": (["1,5", "1.234,5", "1.234"], [1.5, 1234.5, 1234]),
    "spaces": (["1 234,5", "2\u00a0000,5"], [1234.5, 2000.5]),
    "apostrophes": (["1'234.5", "3"], [1234.5, 3]),
    "Indian groups": (["12,34,567", "1,00,000"], [1234567, 100000]),
    "money": (["$1,234", "-$5", "$-7.5", "12"], [1234, -5, -7.5, 12]),
    "money behind": (["5 €", "6,50 €"], [5, 6.5]),
    "money with letters": (["USD 5", "USD 7.5"], [5, 7.5]),
    "percent": (["79.8%", "3 %"], [79.8, 3]),
    "in brackets": (["(12)", "5", "(1,234.5)"], [-12, 5, -1234.5]),
    "minus sign": (["\u22127", "3"], [-7, 3]),
    "units": (["12 km", "1.5 km"], [12, 1.5]),
    "exponents": (["1e5 m", "3 m"], [100000, 3]),
    "booleans among numbers": (["1", "0", "True", "2"], [1, 0, 1, 2]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name):
    cells, values = NUMBERS[name]
    column = column_of(cells)
    assert number_format(column).numbers(column).tolist() == values
    assert column_kind(Table.from_frame({"x": cells}), "x").kind == "number"


@pytest.mark.parametrize("cells", [["12 km", "5 mi"], ["A1", "A2"], ["192.168.1.1", "10.0.0.1"], ["1-2", "3-4"],
                                   ["555-1234", "555-2345"], ["1st", "2nd"], ["1.2.13", "1.3.14"]])
def test_texts_that_are_no_numbers(cells):
    assert column_kind(Table.from_frame({"x": cells}), "x").kind == "category"


@pytest.mark.parametrize(("semicolons", "other", "value"), [
    (False, ["a", "b"], 1234), (True, ["a", "b"], 1.234), (True, ["1.5", "2.5"], 1234), (False, ["1,5", "2,5"], 1.234)])
def test_what_can_be_read_in_two_ways_is_read_as_the_rest_of_the_file(semicolons, other, value):
    import dataclasses

    table = dataclasses.replace(Table.from_frame({"x": ["1,234", "2,345"], "other": other}), semicolons=semicolons)
    assert column_kind(table, "x").format.parse("1,234") == value


DATES = {
    "iso": (["2013-01-05T10:00:00Z", "2013-12-31 23:59"], ["2013-01-05T10:00", "2013-12-31T23:59"]),
    "with an offset": (["2020-01-31 00:00:00+02:00"], ["2020-01-31T00:00"]),
    "day first": (["31/12/2013", "01/02/2013"], ["2013-12-31", "2013-02-01"]),
    "month first": (["12/31/2013 5:03 PM", "1/2/2013 12:00 am"], ["2013-12-31T17:03", "2013-01-02"]),
    "points": (["01.02.2013", "03.04.99"], ["2013-02-01", "1999-04-03"]),
    "names of months": (["5 Jan 2013", "Jan 6, 2013", "Sat, 7 January 2012 10:00", "12-Jan-13"],
                        ["2013-01-05", "2013-01-06", "2012-01-07T10:00", "2013-01-12"]),
    "months": (["2013-01", "2013/02"], ["2013-01-01", "2013-02-01"]),
    "times": (["10:30", "23:59:59"], ["1970-01-01T10:30", "1970-01-01T23:59:59"]),
}


@pytest.mark.parametrize("name", DATES)
def test_dates(name):
    cells, expected = DATES[name]
    column = column_of(cells)
    seconds = date_format(column).seconds(column)
    assert seconds.tolist() == [float(np.datetime64(text, "s").astype(np.int64)) for text in expected]


@pytest.mark.parametrize("cell", ["2013-02-30", "Gate 5, 2013", "1.2.13", "25:00", "13:00 PM", "Foo 5, 2013"])
def test_texts_that_are_no_dates(cell):
    assert date_format(column_of([cell])) is None


def test_the_order_of_day_and_month_is_told():
    assert column_kind(Table.from_frame({"x": ["31/12/2013", "01/02/2013"]}), "x").notes[0].text == (
        "dates such as '31/12/2013' are read as 2013-12-31 (the day first)")


def test_time_order_holds_for_blocks_and_backwards_but_not_for_chance():
    hours = np.arange(500) * 3600.0
    assert in_time_order(hours) and in_time_order(hours[::-1]) and in_time_order(np.tile(hours, 3))
    assert not in_time_order(np.random.default_rng(0).permutation(hours))


def test_date_features_by_hand():
    train = Table.from_frame({"when": ["2019-01-01 00:00", "2019-07-02 06:00", None, "2020-01-01 18:00"],
                              "y": [0, 1, 0, 1]})
    encoder = TableEncoder.fit(train, target="y")
    assert encoder.feature_names == (
        "when (days since 2019-01-01)", "when (year)", "when (month, sine)", "when (month, cosine)",
        "when (day of week, sine)", "when (day of week, cosine)", "when (hour, sine)", "when (hour, cosine)",
        "when (missing)")
    first, _, missing, _ = encoder.features(train)
    days = np.array([0, 182.25, 365.75])
    week = 2 * np.pi / 7  # a Tuesday
    assert first == pytest.approx([-days.mean() / days.std(), -1 / np.sqrt(2), 0, 1, np.sin(week), np.cos(week), 0, 1,
                                   0])
    assert missing.tolist() == [0] * 8 + [1]
    assert date_text(encoder.coders[0].first) == "2019-01-01"
    assert TableEncoder.from_json(encoder.to_json()) == encoder


def test_datetime_columns_and_texts_give_the_same_features():
    days = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]")
    y = np.arange(len(days)) % 2
    encoder = TableEncoder.fit(Table.from_frame({"d": days, "y": y}), target="y")
    texts = Table.from_frame({"d": [str(day) for day in days], "y": y})
    assert TableEncoder.fit(texts, target="y") == encoder
    moments = Table.from_frame({"d": [f"{day} 00:00:00" for day in days], "y": y})
    assert np.array_equal(encoder.features(moments), encoder.features(texts))


def test_whole_numbers_above_2_to_the_53_are_told_apart():
    table = Table.from_frame({"k": np.arange(8) % 2 + 2**60, "y": [0, 1, 1, 0] * 2})
    encoder = TableEncoder.fit(table, target="y")
    assert encoder.feature_names == (f"k={2**60}", f"k={2**60 + 1}")
    assert encoder.features(Table.from_frame({"k": [str(2**60), str(2**60 + 1)]})).tolist() == [[1, 0], [0, 1]]


def test_a_target_of_money_is_a_number_and_said_to_be_read_so():
    table = Table.from_frame({"x": range(8), "y": [f"${1000 + i / 4:,.2f}" for i in range(8)]})
    encoder = TableEncoder.fit(table, target="y")
    assert encoder.task == "regression" and encoder.target_mean == 1000.875
    assert [str(note) for note in encoder.notes] == ["y: numbers such as '$1,000.00' are read as 1,000"]


@pytest.mark.parametrize(("text", "parts"), [("60.5 m2", ("60.5", "m2")), ("1,000 cm^3", ("1,000", "cm^3")),
                                             ("12ft2", ("12", "ft2")), ("3 b2", ("", ""))])
def test_units_of_areas_and_volumes_end_with_a_digit(text, parts):
    assert split_unit(text) == parts


def counted(parse, read):
    def parse_and_count(self, text):
        read[self, text] += 1
        return parse(self, text)
    return parse_and_count


def test_cells_are_read_once_and_dates_looked_at_as_examples_up_to_three_times(monkeypatch):
    read = Counter()
    for kind in (NumberFormat, DateFormat):
        monkeypatch.setattr(kind, "parse", counted(kind.parse, read))
    table = Table.from_frame({"price": [f"${i}.50" for i in range(300)],
                              "day": [f"{1 + i % 12}/{1 + i // 12}/2013" for i in range(300)], "y": ["a", "b"] * 150})
    encoder = TableEncoder.fit(table, target="y", rows=np.arange(200))
    price, day = (encoder.coders[0].format, DateFormat(encoder.coders[1].order))
    assert {read[price, text] for text in table["price"].level_texts} == {1}
    counts = [read[day, text] for text in table["day"].level_texts]
    assert min(counts) == 1 == np.median(counts) and max(counts) <= 3
    read.clear()
    encoder.features(table)
    assert not read
