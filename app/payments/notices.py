"""Who is told what about money: composed from the ids that an event carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.unit_of_work import UnitOfWork
from app.notifications.service import Message
from app.payments import sales
from app.settings import Settings

Payload = Mapping[str, Any]


async def pack_purchased(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """`{"order_id"}`: the student gets a receipt, the mentor learns of the new pack."""
    sale = await sales.sale(uow.session, UUID(payload["order_id"]))
    student = {
        **_amounts(sale),
        "link": f"{settings.public_url}/calendar?mentor_id={sale.mentor_id}",
        "receipt_link": f"{settings.public_url}/receipts/{sale.order_id}",
    }
    mentor = {**_amounts(sale), "link": f"{settings.public_url}/instructor/sessions"}
    return [_to_student(sale, student), _to_mentor(sale, mentor)]


async def payment_returned(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """`{"order_id"}`: the seat was gone before the payment came, all of it goes back; both."""
    sale = await sales.sale(uow.session, UUID(payload["order_id"]))
    student = {**_amounts(sale), "link": f"{settings.public_url}/instructors/{sale.slug}"}
    mentor = {**_amounts(sale), "link": f"{settings.public_url}/instructor/waitlist"}
    return [_to_student(sale, student), _to_mentor(sale, mentor)]


async def refund_issued(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """`{"refund_id"}`: money went back; both."""
    refund = await sales.refund(uow.session, UUID(payload["refund_id"]))
    sale = await sales.sale(uow.session, refund.order_id)
    facts = {**_amounts(sale), "refunded": refund.amount, "sessions_taken": refund.sessions}
    student = {**facts, "link": f"{settings.public_url}/receipts/{sale.order_id}"}
    mentor = {**facts, "link": f"{settings.public_url}/instructor/sessions"}
    return [_to_student(sale, student), _to_mentor(sale, mentor)]


async def order_flagged(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """`{"order_id", "flag"}`: every admin, something about money needs a decision."""
    sale = await sales.sale(uow.session, UUID(payload["order_id"]))
    context = {
        "flag": payload["flag"],
        "student_name": sale.student_name,
        "mentor_name": sale.mentor_name,
        "link": f"{settings.public_url}/admin/orders/{sale.order_id}",
    }
    return [
        Message(admin.id, admin.email, context | {"recipient_name": admin.name})
        for admin in await sales.admins(uow.session)
    ]


def _amounts(sale: Any) -> dict[str, Any]:
    return {
        "title": sale.title,
        "sessions": sale.sessions,
        "currency": sale.currency,
        "original_amount": sale.original_amount,
        "discount_amount": sale.discount_amount,
        "discount_code": sale.discount_code,
        "tax_amount": sale.tax_amount,
        "total_amount": sale.total_amount,
        "provider": sale.provider,
        "paid_at": sale.paid_at,
        "expires_at": sale.expires_at,
    }


def _to_student(sale: Any, more: Mapping[str, Any]) -> Message:
    own = {
        "recipient_name": sale.student_name,
        "other_name": sale.mentor_name,
        "role": "student",
        "zone": sale.student_zone,
    }
    return Message(sale.student_id, sale.student_email, own | dict(more))


def _to_mentor(sale: Any, more: Mapping[str, Any]) -> Message:
    own = {
        "recipient_name": sale.mentor_name,
        "other_name": sale.student_name,
        "role": "mentor",
        "zone": sale.mentor_zone,
    }
    return Message(sale.mentor_id, sale.mentor_email, own | dict(more))


NOTICES = {
    "pack_purchased": pack_purchased,
    "payment_returned": payment_returned,
    "refund_issued": refund_issued,
    "order_flagged": order_flagged,
}
