"""A CSV file of students, as spreadsheets write them: read whatever its encoding and delimiter, or refused with a sentence. Pure."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from typing import Final

from app.core.errors import Invalid

REQUIRED: Final = (
    "student_email",
    "student_name",
    "mentor_email",
    "total_sessions",
    "remaining_sessions",
    "expires_on",
)
COLUMNS: Final = (*REQUIRED, "reference")
MOST_ROWS: Final = 5000
MOST_BYTES: Final = 1_000_000
LONGEST_CELL: Final = 1000
SAMPLE: Final = (
    ",".join(COLUMNS) + "\r\n"
    'maya@example.com,Maya Brooks,ines@example.com,4,3,2026-12-31,"Invoice 17"\r\n'
    '"jonas@example.com","Weber, Jonas",ines@example.com,6,1,2026-12-31,\r\n'
)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
_BOOK: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class Cells:
    """A row by column; `number` counts as a spreadsheet does, the header being row 1. `problem`: about the row as such."""

    number: int
    values: dict[str, str]
    problem: str = ""


@dataclass(frozen=True)
class Sheet:
    """What a file holds. `text` is the whole of it, to be sent again when the import is confirmed."""

    text: str
    encoding: str
    delimiter: str
    rows: list[Cells]


def read(content: bytes) -> Sheet:
    """The rows of an uploaded file. Raises Invalid (`file`)."""
    if not content:
        raise _no("Choose a file: none came, or it was empty.")
    if len(content) > MOST_BYTES:
        raise _no("This file is larger than 1 MB. Split it; each part can be imported by itself.")
    if content.startswith(_BOOK):
        raise _no("This is a workbook of a spreadsheet. Save it as CSV (UTF-8) and choose that file.")
    text, encoding = _decoded(content)
    return _sheet(text, encoding)


def read_text(text: str) -> Sheet:
    """As `read`, of text that was read before. Raises Invalid (`file`)."""
    if len(text.encode("utf-8", "surrogatepass")) > 3 * MOST_BYTES:
        raise _no("This file is larger than 1 MB. Split it; each part can be imported by itself.")
    return _sheet(text, "UTF-8")


def _decoded(content: bytes) -> tuple[str, str]:
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return _in(content[len(bom) :], encoding), encoding.upper().removesuffix("-LE").removesuffix(
                "-BE"
            )
    guess = _utf16_without_bom(content)
    if guess:
        return _in(content, guess), "UTF-16"
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        return _in(content, "cp1252"), "Windows-1252"


def _utf16_without_bom(content: bytes) -> str:
    """UTF-16's byte order where every other byte of the beginning is zero, as in any header of ours; else ""."""
    start = content[:200]
    if len(start) >= 4 and set(start[1::2]) == {0}:
        return "utf-16-le"
    return "utf-16-be" if len(start) >= 4 and set(start[::2]) == {0} else ""


def _in(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise _no("We can’t tell how this file is encoded. Save it as CSV (UTF-8) and try again.") from None


def _sheet(text: str, encoding: str) -> Sheet:
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise _no(
            "There are characters in this file that can’t be kept. Save it as CSV (UTF-8) and try again."
        )
    first, _, rest = text.partition("\n")
    told = first.strip().lower()
    skipped = told.startswith("sep=")  # how some spreadsheets name their delimiter
    body = rest if skipped else text
    delimiter = _delimiter(body)
    filled = _filled(body, delimiter, 2 if skipped else 1)
    if not filled:
        raise _no("There is nothing in this file.")
    header = _header(filled[0][1])
    rows = [_cells(number, header, row) for number, row in filled[1:]]
    if not rows:
        raise _no("There is a header in this file, but no row below it.")
    return Sheet(text, encoding, _DELIMITERS[delimiter], rows)


def _filled(body: str, delimiter: str, first: int) -> list[tuple[int, list[str]]]:
    """The rows with anything in them, by number, the header among them; of too many only the count is kept."""
    found: list[tuple[int, list[str]]] = []
    count = 0
    try:
        reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
        for number, row in enumerate(reader, first):
            if any(map(str.strip, row)):
                count += 1
                if count <= 1 + MOST_ROWS:
                    found.append((number, row))
    except csv.Error as error:
        raise _no(f"A row can’t be read: {error}. Is a quotation mark missing?") from None
    if count > 1 + MOST_ROWS:
        raise _no(f"There are {count - 1} rows in this file; {MOST_ROWS} can be imported at a time.")
    return found


def _delimiter(text: str) -> str:
    """The one that makes most of our columns out of the first line with anything in it."""
    line = next((line for line in text.splitlines() if line.strip()), "")

    def known(delimiter: str) -> int:
        return len({_name(cell) for cell in line.split(delimiter)} & set(COLUMNS))

    return max(_DELIMITERS, key=known)


def _name(cell: str) -> str:
    return cell.strip().strip('"').strip().lower().replace(" ", "_").replace("-", "_")


def _header(cells: list[str]) -> list[str]:
    names = [_name(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    missing = [name for name in REQUIRED if name not in names]
    unknown = [
        cell.strip()[:40] or "a column without a name"
        for cell, name in zip(cells, names, strict=False)
        if name not in COLUMNS
    ]
    twice = [name for name in sorted(COLUMNS) if names.count(name) > 1]
    said = [
        f"{what}: {', '.join(found[:8])}"
        for what, found in (("missing", missing), ("not known", unknown), ("there twice", twice))
        if found
    ]
    if said:
        raise _no(f"The columns are not those of the sample; {'; '.join(said)}.")
    return names


def _cells(number: int, header: list[str], row: list[str]) -> Cells:
    given = dict(zip(header, row, strict=False))
    values = {name: given.get(name, "") for name in COLUMNS}
    if any(cell.strip() for cell in row[len(header) :]):
        return Cells(number, values, f"It has {len(row)} cells, the header has {len(header)}.")
    if any(len(cell) > LONGEST_CELL for cell in values.values()):
        return Cells(number, values, f"A cell holds more than {LONGEST_CELL} characters.")
    return Cells(number, values)


def _no(sentence: str) -> Invalid:
    return Invalid({"file": sentence})
