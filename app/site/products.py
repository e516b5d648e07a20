"""Packs on sale: `/instructor/products` for a mentor's own, `/admin/products` for those of a mentor chosen by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from app.accounts.guards import requires_admin, requires_mentor
from app.core.errors import Invalid, NotFound
from app.core.ids import parse_id
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, see_other
from app.mentors import products
from app.mentors.models import Product
from app.mentors.product_rules import read_offer
from app.mentors.rules import first
from app.site import mentor_names, products_view
from app.site.forms import posted
from app.site.products_view import Section

OWN, ALL = "/instructor/products", "/admin/products"
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get("/", include_in_schema=False)
async def own_products(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """The mentor's products."""
    return await _page(request, uow, viewer, viewer.id)


@get("/", include_in_schema=False)
async def products_of(
    request: AppRequest,
    uow: Uow,
    viewer: Me,
    mentor: Annotated[str, QueryParameter(name="mentor_id")] = "",
    q: Annotated[str, QueryParameter(max_length=100)] = "",
) -> Response[str]:
    """Choose a mentor by name; then their products."""
    mentor_id = parse_id(mentor) if mentor else None
    if is_htmx(request):
        chooser = await products_view.chooser(uow, ALL, q.strip(), mentor_id)
        return fragment(request, "mentors/_product_chooser.html", chooser=chooser)
    return await _page(request, uow, viewer, mentor_id, words=q.strip())


@post("/", include_in_schema=False)
async def create(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Put a product on sale."""
    form = await posted(request)
    mentor_id = parse_id(first(form, "mentor_id")) if viewer.role is Role.ADMIN else viewer.id
    try:
        offer = read_offer(form)
    except Invalid as error:
        typed = products_view.new_form(form, error.fields)
        return await _list(request, uow, viewer, mentor_id, 422, typed)
    await products.create(uow, mentor_id, offer)
    said = f"“{offer.title}” is on sale."
    if not is_htmx(request):
        return see_other(request, _home(viewer, mentor_id), Flash("done", said))
    return await _list(request, uow, viewer, mentor_id, 200, {"said": said})


@post("/{product_id:str}", include_in_schema=False)
async def edit(request: AppRequest, uow: Uow, viewer: Me, product_id: FromPath[str]) -> Response[str]:
    """Change what is sold from now on."""
    form, id_ = await posted(request), parse_id(product_id)
    try:
        offer = read_offer(form)
    except Invalid as error:
        product = await products.lock(uow, id_)
        typed = products_view.typed(product, form, error.fields)
        return await _row(request, uow, viewer, product, typed, 422)
    return await _changed(request, uow, viewer, lambda: products.edit(uow, id_, offer), "Saved.")


@post("/{product_id:str}/deactivation", include_in_schema=False)
async def deactivate(request: AppRequest, uow: Uow, viewer: Me, product_id: FromPath[str]) -> Response[str]:
    """Take a product from sale; packs that were sold stay as they are."""
    id_ = parse_id(product_id)
    return await _changed(
        request, uow, viewer, lambda: products.set_active(uow, id_, False), "No longer on sale."
    )


@post("/{product_id:str}/activation", include_in_schema=False)
async def activate(request: AppRequest, uow: Uow, viewer: Me, product_id: FromPath[str]) -> Response[str]:
    """Put a product on sale again."""
    id_ = parse_id(product_id)
    return await _changed(request, uow, viewer, lambda: products.set_active(uow, id_, True), "On sale again.")


async def _changed(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, change: Callable[[], Awaitable[Product]], said: str
) -> Response[str]:
    product = await change()
    if not is_htmx(request):
        return see_other(
            request, _home(viewer, product.mentor_id), Flash("done", f"“{product.title}”: {said}")
        )
    return await _row(request, uow, viewer, product, products_view.row(product) | {"said": said}, 200)


async def _row(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, product: Product, row: Section, status: int
) -> Response[str]:
    """One product as it is, or as it was posted; without HTMX within the page."""
    if is_htmx(request):
        shared = products_view.shared(_base(viewer))
        return fragment(request, "mentors/_product.html", status=status, product=row, **shared)
    return await _page(request, uow, viewer, product.mentor_id, status=status, instead=row)


async def _list(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, mentor_id: UUID, status: int, more: Section
) -> Response[str]:
    if not is_htmx(request):
        return await _page(request, uow, viewer, mentor_id, status=status, more=more)
    context = await products_view.section(uow, _base(viewer), mentor_id)
    return fragment(request, "mentors/_product_list.html", status=status, **context | more)


async def _page(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    mentor_id: UUID | None,
    *,
    words: str = "",
    status: int = 200,
    instead: Section | None = None,
    more: Section | None = None,
) -> Response[str]:
    base, is_admin = _base(viewer), viewer.role is Role.ADMIN
    mentor = await mentor_names.named(uow, mentor_id) if mentor_id else None
    if mentor_id and mentor is None:
        raise NotFound("There is no such instructor.")
    context: Section = {"base": base, "mentor": mentor, "chooser": None}
    if is_admin:
        context["chooser"] = await products_view.chooser(uow, base, words, mentor_id)
    if mentor_id:
        context |= await products_view.section(uow, base, mentor_id, instead)
    return page(request, "mentors/products.html", status=status, **context | (more or {}))


def _base(viewer: Viewer) -> str:
    return ALL if viewer.role is Role.ADMIN else OWN


def _home(viewer: Viewer, mentor_id: UUID) -> str:
    return f"{ALL}?mentor_id={mentor_id}" if viewer.role is Role.ADMIN else OWN


_CHANGES = [create, edit, deactivate, activate]
HANDLERS = [
    Router(OWN, guards=[requires_mentor], route_handlers=[own_products, *_CHANGES]),
    Router(ALL, guards=[requires_admin], route_handlers=[products_of, *_CHANGES]),
]
