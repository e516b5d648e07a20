"""What a mentor may sell, read from the form: every field's value or the sentence that stands beside it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.core.errors import Invalid
from app.core.money import CURRENCIES, LARGEST, SMALLEST, format_money, parse_money
from app.mentors.rules import Form, Range, first, whole_number

FIELDS: Final = ("title", "description", "price", "currency", "sessions_per_pack", "validity_days")
TITLE_LENGTH: Final = 120
DESCRIPTION_LENGTH: Final = 600
SESSIONS: Final = Range(1, 100, "sessions")
VALIDITY: Final = Range(1, 365, "days")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a product promises and costs; `price_minor` in minor units of `currency`."""

    title: str
    description: str = ""
    price_minor: int
    currency: str
    sessions_per_pack: int = 4
    validity_days: int = 45


def read_offer(form: Form) -> Offer:
    """The product that a form spells; fields: FIELDS. Raises Invalid with their names."""
    errors: dict[str, str] = {}
    title = _text(form, "title", TITLE_LENGTH, errors)
    if not title and "title" not in errors:
        errors["title"] = "Give it a name, such as “Four sessions”."
    description = _text(form, "description", DESCRIPTION_LENGTH, errors)
    price = _price(form, errors)
    currency = first(form, "currency")
    if currency not in CURRENCIES:
        errors["currency"] = "Choose a currency from the list."
    sessions = whole_number(form, "sessions_per_pack", SESSIONS, errors)
    days = whole_number(form, "validity_days", VALIDITY, errors)
    if errors:
        raise Invalid(errors)
    return Offer(
        title=title,
        description=description,
        price_minor=price,
        currency=currency,
        sessions_per_pack=sessions,
        validity_days=days,
    )


def _text(form: Form, name: str, length: int, errors: dict[str, str]) -> str:
    text = " ".join(first(form, name).split())
    if len(text) > length:
        errors[name] = f"Keep it within {length} characters; these are {len(text)}."
    elif "\0" in text:
        errors[name] = "There is a character in it that can't be kept."
    return text


def _price(form: Form, errors: dict[str, str]) -> int:
    """The price in minor units. In an unknown currency, which is wrong by itself, it is read as if in euros."""
    asked = first(form, "currency")
    currency = asked if asked in CURRENCIES else "EUR"
    try:
        price = parse_money(first(form, "price"), currency)
    except ValueError as error:
        errors["price"] = str(error)
        return 0
    if not SMALLEST[currency] <= price <= LARGEST:
        low, high = (format_money(bound, currency) for bound in (SMALLEST[currency], LARGEST))
        errors["price"] = f"From {low} to {high}: that is what can be charged."
    return price
