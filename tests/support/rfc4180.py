"""A reader of CSV that forgives nothing: RFC 4180 letter by letter, as a small state machine of our own."""

from __future__ import annotations

from enum import Enum, auto


class Broken(ValueError):
    """The text isn't RFC 4180; the message says where."""


class State(Enum):
    """Where the reader is."""

    START = auto()  # of a field
    BARE = auto()
    QUOTED = auto()
    QUOTE = auto()  # after a quote within a quoted field: it ends, or the quote was doubled
    RETURN = auto()  # after a carriage return: only a line feed may follow


def parse(text: str) -> list[list[str]]:
    """The records. Raises Broken: bare quotes, lone line ends, records of unequal length, no line end at the end."""
    records: list[list[str]] = []
    record: list[str] = []
    field: list[str] = []
    state = State.START
    for at, letter in enumerate(text):
        if state is State.QUOTED:
            if letter == '"':
                state = State.QUOTE
            else:
                field.append(letter)
        elif state is State.RETURN:
            if letter != "\n":
                raise Broken(f"{at}: a carriage return without its line feed")
            records.append(record)
            record, state = [], State.START
        elif letter in ",\r":
            record.append("".join(field))
            field, state = [], State.START if letter == "," else State.RETURN
        elif letter == "\n":
            raise Broken(f"{at}: a line feed of its own")
        elif letter == '"':
            if state is State.BARE:
                raise Broken(f"{at}: a quote in a bare field")
            if state is State.QUOTE:
                field.append('"')
            state = State.QUOTED
        elif state is State.QUOTE:
            raise Broken(f"{at}: something after the closing quote")
        else:
            field.append(letter)
            state = State.BARE
    if state is not State.START or record or field:
        raise Broken("the last record has no end")
    if len({len(each) for each in records}) > 1:
        raise Broken("records of unequal length")
    return records
