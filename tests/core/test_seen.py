"""The name of a text that a form saw."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.core.seen import digest


@given(st.text(), st.text())
def test_equal_texts_have_one_name_and_others_another(one: str, other: str) -> None:
    assert (digest(one) == digest(other)) == (one == other)


def test_a_name_fits_a_hidden_field() -> None:
    assert digest("") == "e3b0c44298fc1c149afbf4c8996fb924"
    assert digest("\ud800") != digest("\ud801")
