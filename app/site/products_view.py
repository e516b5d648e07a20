"""Packs on sale as their templates take them: as saved, or as posted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from app.core.money import CURRENCIES, plain_amount
from app.core.unit_of_work import UnitOfWork
from app.mentors import products
from app.mentors.models import Product
from app.mentors.product_rules import DESCRIPTION_LENGTH, FIELDS, SESSIONS, TITLE_LENGTH, VALIDITY
from app.mentors.rules import Form, first
from app.site import mentor_names

Section = dict[str, Any]
USUAL: Final = {"sessions_per_pack": "4", "validity_days": "45", "currency": "EUR"}
_LIMITS: Final = {
    "title": TITLE_LENGTH,
    "description": DESCRIPTION_LENGTH,
    "sessions": SESSIONS,
    "days": VALIDITY,
}


def shared(base: str) -> Section:
    """What every product's form needs; `base` is the address that forms post to."""
    return {"base": base, "currencies": [(code, code) for code in CURRENCIES], "limits": _LIMITS}


async def section(uow: UnitOfWork, base: str, mentor_id: UUID, instead: Section | None = None) -> Section:
    """The context of mentors/_product_list.html; `instead`: a product as it is to be shown, by its `id`."""
    found = await products.of_mentor(uow, mentor_id)
    rows = [row(product) for product in found]
    if instead is not None:
        rows = [instead if shown["id"] == instead["id"] else shown for shown in rows]
    usual = USUAL | ({"currency": found[-1].currency} if found else {})
    new = {"form": usual, "errors": {}}
    return {"products": rows, "mentor_id": mentor_id, "new": new, "said": None, **shared(base)}


def row(product: Product) -> Section:
    """A product as mentors/_product.html takes it."""
    form = {
        "title": product.title,
        "description": product.description,
        "price": plain_amount(product.price_minor, product.currency),
        "currency": product.currency,
        "sessions_per_pack": str(product.sessions_per_pack),
        "validity_days": str(product.validity_days),
    }
    return {
        "id": product.id,
        "title": product.title,
        "description": product.description,
        "price_minor": product.price_minor,
        "currency": product.currency,
        "sessions_per_pack": product.sessions_per_pack,
        "validity_days": product.validity_days,
        "active": product.active,
        "form": form,
        "errors": {},
        "said": None,
    }


def typed(product: Product, form: Form, errors: Mapping[str, str]) -> Section:
    """A product as it is, with its form as it was posted."""
    return row(product) | {"form": _fields(form), "errors": errors}


def new_form(form: Form, errors: Mapping[str, str]) -> Section:
    """The form of a new product as it was posted."""
    return {"new": {"form": _fields(form), "errors": errors}}


async def chooser(uow: UnitOfWork, base: str, words: str, chosen: UUID | None) -> Section:
    """The context of mentors/_product_chooser.html: mentors by name."""
    found = await mentor_names.find(uow, words)
    choices = [
        {
            "name": mentor.name,
            "href": f"{base}?{urlencode({'mentor_id': mentor.id} | ({'q': words} if words else {}))}",
            "selected": mentor.id == chosen,
        }
        for mentor in found
    ]
    return {"base": base, "q": words, "mentors": choices, "more": len(found) == mentor_names.FEW}


def _fields(form: Form) -> dict[str, str]:
    return {name: first(form, name) for name in FIELDS}
