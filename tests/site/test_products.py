"""`/instructor/products` and `/admin/products`: by fragments and by plain forms."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.core.db import Database
from app.core.unit_of_work import ANONYMOUS
from app.mentors import products
from app.mentors.models import Product
from tests.accounts.browser import Browser, target
from tests.cast import Cast
from tests.site.conftest import Visit
from tests.site.selling import FORM, errors, on_sale

OWN, ALL = "/instructor/products", "/admin/products"


async def stored(database: Database, cast: Cast, mentor: str = "mentor") -> list[Product]:
    async with database.unit_of_work(cast.principal(mentor)) as uow:
        return list(await products.of_mentor(uow, cast[mentor]))


@pytest.mark.parametrize("htmx", [True, False], ids=["htmx", "plain"])
async def test_a_mentor_puts_a_pack_on_sale(
    mentor: Browser, database: Database, cast: Cast, htmx: bool
) -> None:
    assert "will be here" in (await mentor.get(OWN)).text
    # A mentor_id in the form is an admin's business: here it changes nothing.
    answer = await mentor.post(OWN, FORM | {"mentor_id": str(cast["other_mentor"])}, htmx=htmx)
    if htmx:
        assert answer.status_code == 200
        assert answer.text.lstrip().startswith('<section id="products"')
        assert "“Six evenings” is on sale." in answer.text
    else:
        assert target(answer) == OWN
        assert mentor.flashes() == ["“Six evenings” is on sale."]
    (product,) = await stored(database, cast)
    assert (product.title, product.price_minor, product.currency) == ("Six evenings", 66_000, "EUR")
    assert (product.sessions_per_pack, product.validity_days, product.active) == (6, 40, True)
    assert await stored(database, cast, "other_mentor") == []


@pytest.mark.parametrize("htmx", [True, False], ids=["htmx", "plain"])
async def test_a_pack_is_changed_in_its_row(
    mentor: Browser, database: Database, cast: Cast, htmx: bool
) -> None:
    id_ = await on_sale(database, cast)
    page = (await mentor.get(OWN)).text
    assert 'value="480.00"' in page
    answer = await mentor.post(f"{OWN}/{id_}", FORM, htmx=htmx)
    if htmx:
        assert answer.status_code == 200
        assert answer.text.lstrip().startswith(f'<article id="product-{id_}"')
        assert "Saved." in answer.text
    else:
        assert target(answer) == OWN
    (product,) = await stored(database, cast)
    assert (product.id, product.title, product.price_minor) == (id_, "Six evenings", 66_000)


@pytest.mark.parametrize("htmx", [True, False], ids=["htmx", "plain"])
async def test_a_pack_is_taken_from_sale_and_put_back(
    mentor: Browser, database: Database, cast: Cast, htmx: bool
) -> None:
    id_ = await on_sale(database, cast)
    for path, active, says in (("deactivation", False, "Not on sale"), ("activation", True, "Take off sale")):
        answer = await mentor.post(f"{OWN}/{id_}/{path}", htmx=htmx)
        if htmx:
            assert says in answer.text
        else:
            assert target(answer) == OWN
        assert [product.active for product in await stored(database, cast)] == [active]
        async with database.unit_of_work(ANONYMOUS) as uow:
            assert len(await products.of_mentor(uow, cast["mentor"])) == active


@pytest.mark.parametrize("htmx", [True, False], ids=["htmx", "plain"])
async def test_wrong_fields_are_refused_where_they_stand(
    mentor: Browser, database: Database, cast: Cast, htmx: bool
) -> None:
    id_ = await on_sale(database, cast)
    wrong = FORM | {"title": "", "price": "1.999", "currency": "XAU", "validity_days": "400"}
    fields = ("title", "price", "currency", "days")
    for path, prefix in ((OWN, "new"), (f"{OWN}/{id_}", f"product-{id_}")):
        answer = await mentor.post(path, wrong, htmx=htmx)
        assert answer.status_code == 422
        assert ("<html" in answer.text) is not htmx
        assert set(errors(answer.text)) == {f"{prefix}-{field}" for field in fields}
        assert 'value="1.999"' in answer.text
        assert answer.text.count("autofocus") == 1
    (product,) = await stored(database, cast)
    assert product.title == "Four sessions"


async def test_a_name_can_not_break_the_page(mentor: Browser) -> None:
    answer = await mentor.post(OWN, FORM | {"title": "<b>X</b>", "description": "</textarea><i>"}, htmx=True)
    assert "&lt;b&gt;X&lt;/b&gt;" in answer.text
    assert "<b>X</b>" not in answer.text
    assert "</textarea><i>" not in answer.text


async def test_an_admin_chooses_whose_packs_to_look_at(visit: Visit, database: Database, cast: Cast) -> None:
    await on_sale(database, cast)
    admin = await visit("admin")
    page = (await admin.get(ALL)).text
    assert f'href="{ALL}?mentor_id={cast["mentor"]}"' in page
    assert 'id="products"' not in page
    found = await admin.fragment(f"{ALL}?q=other")
    assert found.text.lstrip().startswith('<nav id="chooser"')
    assert str(cast["other_mentor"]) in found.text
    assert str(cast["mentor"]) not in found.text
    assert "goes by" in (await admin.get(f"{ALL}?q=%25_")).text
    chosen = (await admin.get(f"{ALL}?mentor_id={cast['mentor']}")).text
    assert "Four sessions" in chosen
    for nobody in (cast["student"], UUID(int=1), "nonsense"):
        assert (await admin.get(f"{ALL}?mentor_id={nobody}")).status_code == 404


@pytest.mark.parametrize("htmx", [True, False], ids=["htmx", "plain"])
async def test_an_admin_sells_for_a_mentor(visit: Visit, database: Database, cast: Cast, htmx: bool) -> None:
    admin, home = await visit("admin"), f"{ALL}?mentor_id={cast['mentor']}"
    form = FORM | {"mentor_id": str(cast["mentor"])}
    created = await admin.post(ALL, form, htmx=htmx)
    (product,) = await stored(database, cast)
    edited = await admin.post(f"{ALL}/{product.id}", FORM | {"title": "Other"}, htmx=htmx)
    ended = await admin.post(f"{ALL}/{product.id}/deactivation", htmx=htmx)
    for answer in (created, edited, ended):
        if htmx:
            assert answer.status_code == 200
            assert f'action="{ALL}/{product.id}"' in answer.text
        else:
            assert target(answer) == home
    (product,) = await stored(database, cast)
    assert (product.title, product.active) == ("Other", False)
    wrong = await admin.post(ALL, form | {"price": "x"}, htmx=htmx)
    assert set(errors(wrong.text)) == {"new-price"}
    assert str(cast["mentor"]) in wrong.text
    for nobody in (str(cast["student"]), "nonsense", ""):
        assert (await admin.post(ALL, FORM | {"mentor_id": nobody}, htmx=htmx)).status_code == 404


async def test_what_a_mentor_sells_stands_on_their_page(
    mentor: Browser, visit: Visit, database: Database, cast: Cast
) -> None:
    await mentor.post(OWN, FORM)
    profile = (await (await visit("anonymous")).get("/instructors/mentor")).text
    assert "Six evenings" in profile
    assert "€660.00" in profile
    assert "For beginners." in profile
