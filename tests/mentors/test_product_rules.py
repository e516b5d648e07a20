"""What a product's form may say: every field's value, or a sentence beside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.core.money import CURRENCIES, plain_amount
from app.mentors.product_rules import FIELDS, Offer, read_offer

FORM = {
    "title": "Four sessions",
    "description": "",
    "price": "480.00",
    "currency": "EUR",
    "sessions_per_pack": "4",
    "validity_days": "45",
}


def posted(**change: str) -> dict[str, list[str]]:
    return {name: [value] for name, value in (FORM | change).items()}


def test_a_product_as_people_write_it() -> None:
    form = posted(title="  Four \n sessions ", price="€1,480.5", description=" For beginners. ")
    assert read_offer(form) == Offer(
        title="Four sessions",
        description="For beginners.",
        price_minor=148_050,
        currency="EUR",
        sessions_per_pack=4,
        validity_days=45,
    )
    assert read_offer(posted(price="52,000", currency="JPY")).price_minor == 52_000


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"title": " "}, "title", "Give it a name"),
        ({"title": "x" * 121}, "title", "within 120 characters; these are 121"),
        ({"title": "a\0b"}, "title", "can't be kept"),
        ({"description": "x" * 601}, "description", "within 600"),
        ({"price": ""}, "price", "such as 120.00"),
        ({"price": "a lot"}, "price", "such as 120.00"),
        ({"price": "1.999"}, "price", "at most 2 decimals"),
        ({"price": "120.00", "currency": "JPY"}, "price", "no decimals"),
        ({"price": "0"}, "price", "From €0.50 to €999,999.99"),
        ({"price": "1000000"}, "price", "From €0.50"),
        ({"price": "49", "currency": "JPY"}, "price", "From ¥50"),
        ({"currency": "HUF"}, "currency", "from the list"),
        ({"currency": ""}, "currency", "from the list"),
        ({"sessions_per_pack": "0"}, "sessions_per_pack", "1 to 100"),
        ({"sessions_per_pack": "4.5"}, "sessions_per_pack", "whole number"),
        ({"validity_days": "366"}, "validity_days", "1 to 365"),
        ({"validity_days": "-3"}, "validity_days", "whole number"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(change: dict[str, str], field: str, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_offer(posted(**change))
    assert list(caught.value.fields) == [field]
    assert says in caught.value.fields[field]


def test_everything_wrong_is_said_at_once_in_the_order_of_the_fields() -> None:
    with pytest.raises(Invalid) as caught:
        read_offer({})
    assert list(caught.value.fields) == [name for name in FIELDS if name != "description"]


def answer(form: dict[str, list[str]]) -> Offer | dict[str, str]:
    """The product, or what is wrong with the form."""
    try:
        return read_offer(form)
    except Invalid as error:
        return error.fields


@given(st.dictionaries(st.sampled_from(FIELDS), st.lists(st.text(max_size=12), max_size=2)))
def test_any_form_is_a_product_or_says_what_is_wrong(form: dict[str, list[str]]) -> None:
    found = answer(posted() | form)
    if isinstance(found, Offer):
        assert found.title
        assert found.price_minor > 0
    else:
        assert found.keys() <= set(FIELDS)
        assert all(sentence.endswith(".") for sentence in found.values())


@given(st.sampled_from(CURRENCIES), st.integers(1500, 99_999_999))
def test_what_a_form_shows_is_what_was_saved(currency: str, minor: int) -> None:
    shown = posted(price=plain_amount(minor, currency), currency=currency)
    assert read_offer(shown).price_minor == minor
