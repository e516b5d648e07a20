"""CSV files as people have them: every encoding and delimiter, and a sentence for what can't be read. Never a crash."""

from __future__ import annotations

import csv
import io
import time
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.admin.onboarding import file, rules
from app.admin.onboarding.file import COLUMNS, SAMPLE
from app.admin.onboarding.plan import checked
from app.core.errors import Invalid

ROW = ["ana@example.test", "Ána “O’Neill”, née Žižek", "ines@example.test", "4", "3", "2026-12-31", "R 1"]
PLAIN = ["ana@example.test", "Chloé Müller", "ines@example.test", "4", "3", "2026-12-31", "R 1"]


def table(*rows: list[str], delimiter: str = ",", header: list[str] | None = None, end: str = "\r\n") -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    writer.writerows([header or list(COLUMNS), *rows])
    return out.getvalue()


def refused(content: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        file.read(content)
    assert list(caught.value.fields) == ["file"]
    return caught.value.fields["file"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_and_delimiters(encoding: str, delimiter: str, end: str) -> None:
    sheet = file.read(table(ROW, delimiter=delimiter, end=end).encode(encoding))
    (cells,) = sheet.rows
    assert list(cells.values.values()) == ROW
    assert cells.number == 2
    assert sheet.delimiter == {",": "comma", ";": "semicolon", "\t": "tab"}[delimiter]
    assert file.read_text(sheet.text).rows == sheet.rows


def test_what_windows_writes() -> None:
    sheet = file.read(table(PLAIN, delimiter=";").encode("cp1252"))
    assert (sheet.encoding, sheet.rows[0].values["student_name"]) == ("Windows-1252", "Chloé Müller")


def test_what_no_encoding_explains_is_refused() -> None:
    assert "encoded" in refused(table(PLAIN).encode("cp1252").replace(b"R 1", b"\x81\x8d\xe9"))
    assert "encoded" in refused(b"\xff\xfe" + b"abc")
    assert "can’t be kept" in refused(table(PLAIN).encode().replace(b"R 1", b"R\x001"))


@pytest.mark.parametrize("book", [b"PK\x03\x04rest of a workbook", b"\xd0\xcf\x11\xe0 older one"])
def test_a_workbook_is_recognised(book: bytes) -> None:
    assert "workbook" in refused(book)


def test_quoted_newlines_and_marks() -> None:
    name = 'Ana\n"the great",; of Porto'
    sheet = file.read(table([ROW[0], name, *ROW[2:]], ROW).encode())
    assert [row.number for row in sheet.rows] == [2, 3]
    row, problems = rules.check(2, sheet.rows[0].values)
    assert problems == {}
    assert row is not None
    assert row.student_name == 'Ana "the great",; of Porto'


def test_columns_in_any_order_case_and_without_the_last() -> None:
    header = [
        "Remaining Sessions",
        "STUDENT_EMAIL",
        "student-name",
        " mentor_email ",
        "expires_on",
        "total_sessions",
    ]
    row = ["3", ROW[0], "Ana", ROW[2], "2026-12-31", "4"]
    (cells,) = file.read(table(row, header=header).encode()).rows
    assert (cells.values["remaining_sessions"], cells.values["reference"]) == ("3", "")


def test_the_line_that_names_the_delimiter_is_no_row() -> None:
    (cells,) = file.read(b"sep=;\r\n" + table(PLAIN, delimiter=";").encode()).rows
    assert cells.number == 3


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["student_email"], "missing: student_name, mentor_email"),
        ([*COLUMNS, "price"], "not known: price"),
        ([*COLUMNS, "student_email"], "there twice: student_email"),
        (["email", "name"], "not known: email, name"),
    ],
)
def test_wrong_columns_are_named(header: list[str], said: str) -> None:
    assert said in refused(table(header, header=header).encode())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Choose a file"),
        (b"\n\n \n", "nothing in this file"),
        (b"\xef\xbb\xbf", "nothing in this file"),
        (table().encode(), "no row below it"),
        (table().encode() + b",,,,,,\n", "no row below it"),
        (table(ROW).encode() + b'"unclosed', "quotation mark"),
        (b"x" * 1_000_001, "larger than 1 MB"),
        (table(*[PLAIN] * 5001).encode(), "5001 rows"),
    ],
)
def test_files_that_are_none(content: bytes, said: str) -> None:
    assert said in refused(content)


def test_rows_count_as_the_spreadsheet_does_and_empty_ones_are_left_out() -> None:
    text = table(ROW, [""] * 7, ROW, ["x"] * 9, ["y"])
    sheet = file.read(text.encode())
    assert [(row.number, row.problem) for row in sheet.rows] == [
        (2, ""),
        (4, ""),
        (5, "It has 9 cells, the header has 7."),
        (6, ""),
    ]


def test_the_sample_is_right() -> None:
    rows = checked(file.read(SAMPLE.encode()).rows)
    assert [type(row) for row in rows] == [rules.Row] * 2


def cells(**changes: str) -> dict[str, str]:
    return dict(zip(COLUMNS, ROW, strict=True)) | changes


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"student_email": "ana"}, "student_email"),
        ({"student_email": ""}, "student_email"),
        ({"student_name": " \x07"}, "student_name"),
        ({"student_name": "x" * 101}, "student_name"),
        ({"mentor_email": "ines@"}, "mentor_email"),
        ({"total_sessions": "0", "remaining_sessions": "0"}, "total_sessions"),
        ({"total_sessions": "4.0"}, "total_sessions"),
        ({"total_sessions": "٤"}, "total_sessions"),
        ({"total_sessions": "1001"}, "total_sessions"),
        ({"remaining_sessions": "5"}, "remaining_sessions"),
        ({"remaining_sessions": "-1"}, "remaining_sessions"),
        ({"remaining_sessions": ""}, "remaining_sessions"),
        ({"expires_on": "31.12.2026"}, "expires_on"),
        ({"expires_on": "2026-02-30"}, "expires_on"),
        ({"expires_on": "20261231"}, "expires_on"),
        ({"expires_on": "1999-12-31"}, "expires_on"),
        ({"expires_on": "2101-01-01"}, "expires_on"),
        ({"reference": "x" * 101}, "reference"),
    ],
)
def test_each_field_has_its_sentence(changes: dict[str, str], field: str) -> None:
    row, problems = rules.check(7, cells(**changes))
    assert row is None
    assert list(problems) == [field]


def test_the_key_is_the_same_pack() -> None:
    def key(**changes: str) -> str:
        row, _ = rules.check(1, cells(**changes))
        assert row is not None
        return row.key

    same = key(
        student_email="ANA@example.test ", remaining_sessions="1", total_sessions="6", student_name="A"
    )
    assert key() == same
    assert "ana" not in key()
    assert key(reference="") == key(reference=" ", remaining_sessions="0")
    others = [
        key(reference="R 2"),
        key(reference=""),
        key(reference="", total_sessions="5"),
        key(reference="", expires_on="2026-12-30"),
        key(mentor_email="b@example.test"),
    ]
    assert len({key(), *others}) == 6


def test_a_row_is_what_its_cells_say() -> None:
    row, problems = rules.check(3, cells())
    assert (row, problems) == (
        rules.Row(3, ROW[0], ROW[1], ROW[2], 4, 3, date(2026, 12, 31), "R 1"),
        {},
    )


def attempt(content: bytes) -> file.Sheet | Invalid:
    try:
        return file.read(content)
    except Invalid as error:
        return error


@given(st.binary(max_size=400))
@example(b"\xfe\xff")
@example(b"\x00\x00\x00\x00")
@example(b"\xff\xfe\x00\xd8")
@example(b'student_email,"')
def test_no_bytes_crash_it(content: bytes) -> None:
    found = attempt(content)
    if isinstance(found, Invalid):
        assert list(found.fields) == ["file"]
    else:
        assert len(checked(found.rows)) == len(found.rows)


@given(st.lists(st.lists(st.text(max_size=30), max_size=9), max_size=6), st.sampled_from(",;\t"))
def test_no_cells_crash_it(rows: list[list[str]], delimiter: str) -> None:
    text = table(*rows, delimiter=delimiter)
    found = attempt(text.encode("utf-8", "surrogatepass"))
    if isinstance(found, Invalid):
        assert list(found.fields) == ["file"]
    else:
        assert len(checked(found.rows)) == len(found.rows)


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40), min_size=7, max_size=7
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(",;\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_every_cell_comes_through(rows: list[list[str]], delimiter: str, encoding: str) -> None:
    wanted = [row for row in rows if any(cell.strip() for cell in row)]
    if not wanted:
        return
    sheet = file.read(table(*rows, delimiter=delimiter).encode(encoding))
    assert [list(row.values.values()) for row in sheet.rows] == wanted


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\n" * 999_000, "nothing in this file"),
        (b"x," * 499_000, "not known: x"),
        (b"student_email," * 71_000, "there twice: student_email"),
        (table().encode() + b"a\n" * 400_000, "400000 rows"),
    ],
    ids=["empty lines", "columns", "the same column", "rows"],
)
def test_a_file_of_odd_shape_holds_nobody_up(content: bytes, said: str) -> None:
    began = time.process_time()
    assert said in refused(content)
    assert time.process_time() - began < 10
