"""Test that the rows of a table are read whole, with the headings of their columns."""

from __future__ import annotations

import pytest

from inference import document_text


def rows(text: str, name: str = "a.csv") -> list[str]:
    return document_text(text.encode(), name).splitlines()


@pytest.mark.parametrize("sign", ["\N{LINE SEPARATOR}", "\N{PARAGRAPH SEPARATOR}", "\v", "\f", "\x1c", "\N{NEXT LINE}"])
def test_only_a_line_break_begins_a_row(sign: str) -> None:
    table = f"city,note\nRome,first{sign}second\nOslo,x\n"
    assert rows(table) == ["city: Rome; note: first second", "city: Oslo; note: x"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_end_as_any_system_ends_lines(end: str) -> None:
    table = end.join(["city,note", 'Rome,"first', 'second"', "Oslo,x"])
    assert rows(table) == ["city: Rome; note: first second", "city: Oslo; note: x"]


def test_zeros_in_a_table_are_left_out() -> None:
    assert rows("city,note\nRo\0me,first and second\n\0\0\0") == ["city: Rome; note: first and second"]


@pytest.mark.parametrize("line", ["sep=;", "SEP=;\r", '"sep=;"', "sep=; "])
def test_the_line_that_names_the_delimiter_is_followed_and_not_read(line: str) -> None:
    assert rows(f"{line}\ncity;people, in all\nRome;2\n") == ["city: Rome; people, in all: 2"]


def test_any_sign_can_be_named_as_delimiter() -> None:
    assert rows("sep=^\ncity^people\nRome^2\n") == ["city: Rome; people: 2"]
    assert rows("sep=\t\ncity\tpeople\nRome\t2\n") == ["city: Rome; people: 2"]


@pytest.mark.parametrize(
    "table",
    [
        "city;people\nRome;2,8\nOslo;0,7",
        "city\tpeople\nRome\t2,8\nOslo\t0,7",
        "city|people\nRome|2,8\nOslo|0,7",
        'city,people\nRome,"2,8"\nOslo,"0,7"',
    ],
)
def test_the_delimiter_is_the_sign_that_divides_all_rows_alike(table: str) -> None:
    assert rows(table) == ["city: Rome; people: 2,8", "city: Oslo; people: 0,7"]


def test_commas_in_the_headings_do_not_hide_the_delimiter() -> None:
    table = "city, town or village;people, in millions, of 2020\nRome;2.8\nOslo;0.7"
    assert rows(table)[0] == "city, town or village: Rome; people, in millions, of 2020: 2.8"


def test_decimal_commas_without_headings_are_not_the_delimiter() -> None:
    assert rows("1,5;2,5\n3,5;4,5\n") == ["1,5; 2,5", "3,5; 4,5"]


def test_a_cell_may_be_very_long() -> None:
    assert rows("city,note\nRome," + "x " * 100_000 + "\nOslo,y")[1] == "city: Oslo; note: y"
    assert rows('city,note\nRome,"' + "x\n" * 100_000 + '"\nOslo,y')[1] == "city: Oslo; note: y"


@pytest.mark.parametrize(
    ("headings", "read"),
    [
        ("country,2019,2020", "country: Italy; 2019: 4; 2020: 7"),
        ("country,2019-01,2019-02", "country: Italy; 2019-01: 4; 2019-02: 7"),
        ("country,31.12.2019,31.12.2020", "country: Italy; 31.12.2019: 4; 31.12.2020: 7"),
        (",2019,2020", "Italy; 2019: 4; 2020: 7"),
        (",people,towns", "Italy; people: 4; towns: 7"),
    ],
)
def test_dates_and_an_empty_cell_may_be_headings(headings: str, read: str) -> None:
    assert rows(f"{headings}\nItaly,4,7\nFrance,5,8\n")[0] == read


@pytest.mark.parametrize(
    "table", ["Rome,2019,2020\nOslo,2018,2021\n", "Rome,4,7\nOslo,5,8\n", "2019,2019\n1,2\n", "Rome,2019\n"]
)
def test_values_are_not_headings(table: str) -> None:
    assert rows(table)[0] == table.splitlines()[0].replace(",", "; ")


def test_a_table_of_one_row_is_not_only_headings() -> None:
    assert rows("city,people") == ["city; people"]


def test_the_title_above_a_table_is_not_its_headings() -> None:
    table = "Towns of Europe,\nas of 2020,\ncity,people\nRome,2.8\n"
    assert rows(table) == ["Towns of Europe", "as of 2020", "city: Rome; people: 2.8"]


@pytest.mark.parametrize("open_cell", ['"5 inch', '"', '"a ""quote"" and no end'])
def test_an_open_quotation_mark_does_not_swallow_the_rows_after_it(open_cell: str) -> None:
    table = f"city,size\nRome,{open_cell}\nOslo,7\n" + "".join(f"c{i},{i}\n" for i in range(50))
    read = rows(table)
    assert read[0] == f"city: Rome; size: {open_cell}"
    assert read[1:3] == ["city: Oslo; size: 7", "city: c0; size: 0"]
    assert len(read) == 52


def test_an_open_quotation_mark_is_not_closed_by_that_of_a_later_row() -> None:
    table = 'city,size,note\nRome,"5 inch,x\nOslo,7,"two\nlines"\nBern,8,"a, b"\n'
    assert rows(table) == [
        'city: Rome; size: "5 inch; note: x',
        "city: Oslo; size: 7; note: two lines",
        "city: Bern; size: 8; note: a, b",
    ]


def test_quotation_marks_with_a_backslash_are_read() -> None:
    assert rows('city,note\nRome,"the \\"eternal\\" city, they say"\n') == [
        'city: Rome; note: the "eternal" city, they say'
    ]


def test_text_after_a_closing_quotation_mark_is_kept() -> None:
    assert rows('city,note\n"Rome" (Italy),x\nOslo,y\n') == ["city: Rome (Italy); note: x", "city: Oslo; note: y"]


def test_a_blank_before_a_quotation_mark_is_not_a_part_of_the_cell() -> None:
    assert rows('city, note\nRome, "old, large"\n') == ["city: Rome; note: old, large"]


def test_comments_above_a_table_are_not_its_headings() -> None:
    table = "# Made by a program, in 2026\n# m, km\ncity,people\nRome,28\n"
    assert rows(table) == ["# Made by a program, in 2026", "# m, km", "city: Rome; people: 28"]
    assert rows("#,city\n1,Rome\n") == ["#: 1; city: Rome"]


@pytest.mark.parametrize("part", ['"', 'a,"', 'a,"""\n', 'a,""\n', 'a,"b" c\n', 'a,"b\n', '"\n', ',"",\n'])
def test_many_broken_rows_are_read_in_time(part: str) -> None:
    assert rows(part * 50_000 + "\n\nEnd,x")[-1].endswith("x")
