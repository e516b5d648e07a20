"""Every kind of notification, once. Its words lie in `templates/mail/<name>/`, whose files say what context they take.

A new kind is an entry here and a folder there. Timed ones are composed by what their anchor is about; for the others
the slice that knows says who receives them and with which context (its `notices.py`, gathered in `jobs/events.py`).
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from app.notifications.kinds import ADMIN, BOTH, EVERYBODY, MAIL_ONLY, MENTOR, STUDENT, Anchor, Kind, Timed

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

_SECURITY = partial(Kind, to=EVERYBODY, channels=MAIL_ONLY, optional=False)
_LINK = partial(_SECURITY, key=("email_token_id",), secret=True)
_ACCOUNT = (
    _LINK("verify_email", "Confirm your e-mail address", "somebody signed up"),
    _LINK("reset_password", "Choose a new password", "a new password was asked for"),
    _LINK("invitation", "An account was made for you", "an admin invited somebody"),
    _SECURITY(
        "already_registered",
        "Somebody signed up with your address again",
        "an address signed up once more, within ten minutes once",
        key=("user_id", "moment"),
    ),
    _SECURITY("password_changed", "Your password was changed", "it was"),
    Kind(
        "getting_started_day",
        "Getting started isn’t finished",
        "24 h after the account became usable, with steps left",
        STUDENT,
        key=("user_id",),
        timed=Timed(Anchor.ACCOUNT, _DAY, _DAY),
    ),
    Kind(
        "getting_started_two_days",
        "Getting started isn’t finished, again",
        "48 h after the account became usable, with steps left",
        STUDENT,
        key=("user_id",),
        timed=Timed(Anchor.ACCOUNT, 2 * _DAY, 5 * _DAY),
    ),
)

_PACKS = (
    Kind("pack_granted", "Sessions were added for you", "a pack was granted", BOTH, key=("pack_id",)),
    Kind("pack_adjusted", "Your sessions were changed by the studio", "an admin adjusted a pack", BOTH),
    Kind("packs_onboarded", "Your sessions from before are here", "sessions were brought over", STUDENT),
    Kind("mentees_onboarded", "Mentees of yours from before are here", "they were brought over", MENTOR),
    Kind(
        "pack_purchased",
        "A pack was bought: the receipt",
        "an order was paid",
        BOTH,
        key=("order_id",),
        optional=False,
    ),
    Kind(
        "payment_returned",
        "A payment came too late and goes back",
        "no seat was left for it",
        BOTH,
        key=("order_id",),
        optional=False,
    ),
    Kind(
        "refund_issued",
        "Money was refunded",
        "a refund was paid out",
        BOTH,
        key=("refund_id",),
        optional=False,
    ),
    Kind(
        "order_flagged",
        "An order needs a decision",
        "only a person can decide about it",
        ADMIN,
        key=("order_id", "flag", "about"),
        optional=False,
    ),
    Kind(
        "renewal_reminder",
        "One session is left: time to renew",
        "one session left over all packs of the two, after at least one was used",
        STUDENT,
        key=("mentor_id", "student_id", "total"),
    ),
    Kind(
        "renewal_asked",
        "Your instructor asks whether you would like to go on",
        "the mentor asked, once a day at most",
        STUDENT,
        key=("mentor_id", "student_id", "day"),
    ),
    Kind(
        "final_renewal_notice",
        "The last session was used",
        "the seat's grace begins",
        BOTH,
        key=("seat_id", "until"),
    ),
    Kind(
        "pack_expiring_week",
        "Sessions expire in a week",
        "7 days before a pack expires with sessions left",
        STUDENT,
        key=("pack_id", "anchor_at"),
        timed=Timed(Anchor.PACK, -7 * _DAY, 6 * _DAY),
    ),
    Kind(
        "pack_expiring_day",
        "Sessions expire tomorrow",
        "1 day before a pack expires with sessions left",
        STUDENT,
        key=("pack_id", "anchor_at"),
        timed=Timed(Anchor.PACK, -_DAY, _DAY),
    ),
    Kind(
        "pack_expired",
        "A pack has expired",
        "a pack expired and nothing of it is scheduled",
        BOTH,
        key=("pack_id", "expires_at"),
    ),
)

_SEATS = (
    Kind(
        "grace_warning",
        "Your seat is kept for 12 more hours",
        "12 h before the grace ends",
        STUDENT,
        key=("seat_id", "anchor_at"),
        timed=Timed(Anchor.GRACE, -12 * _HOUR, 12 * _HOUR),
    ),
    Kind("seat_released", "A seat is free again", "a grace ended", BOTH, key=("seat_id",)),
    Kind("seat_granted", "The studio gave you a seat", "an admin granted it", BOTH),
    Kind("seat_taken", "The studio released your seat", "an admin released it", BOTH),
    Kind(
        "seat_offered",
        "A seat that you waited for is offered to you",
        "a seat is free and somebody has waited longest",
        STUDENT,
        key=("seat_id",),
    ),
    Kind(
        "offer_lapsed",
        "The time to take an offered seat is over",
        "an offer wasn't taken in time",
        STUDENT,
        key=("seat_id",),
    ),
    Kind(
        "waitlist_removed",
        "You were taken off a waitlist",
        "the mentor or an admin did so",
        STUDENT,
        key=("entry_id",),
    ),
)

_SESSION = ("session_id", "version")
_SESSIONS = (
    Kind("session_booked", "A session was booked", "it was", BOTH, key=_SESSION),
    Kind(
        "series_booked",
        "Several sessions were booked together",
        "a whole pack was booked",
        BOTH,
        key=("session_id",),
    ),
    Kind("session_moved", "A session moved to another time", "it was", BOTH, key=_SESSION),
    Kind("session_canceled", "A session was canceled", "it was", BOTH, key=_SESSION, optional=False),
    Kind(
        "session_reminder_day",
        "A session is tomorrow",
        "24 h before a session",
        BOTH,
        key=_SESSION,
        timed=Timed(Anchor.SESSION, -_DAY, 23 * _HOUR),
    ),
    Kind(
        "session_reminder_hour",
        "A session begins in an hour",
        "1 h before a session",
        BOTH,
        key=_SESSION,
        timed=Timed(Anchor.SESSION, -_HOUR, _HOUR),
    ),
    Kind("session_completed", "A session was marked as held", "the mentor did", STUDENT, key=_SESSION),
    Kind("session_no_show", "You were marked as absent", "the mentor did", STUDENT, key=_SESSION),
    Kind(
        "session_auto_completed",
        "A session counts as held",
        "nobody marked it within 48 h of its end",
        BOTH,
        key=_SESSION,
    ),
    Kind(
        "session_disputed",
        "A student disputes how a session is marked",
        "the student did",
        MENTOR | ADMIN,
        key=("dispute_id",),
        optional=False,
    ),
    Kind(
        "dispute_decided",
        "A dispute about a session was decided",
        "its mentor agreed, or an admin decided",
        BOTH,
        key=("dispute_id",),
    ),
    Kind(
        "recording_ready",
        "A recording can be watched",
        "the mentor left its link",
        STUDENT,
        key=("session_id", "expires_at"),
    ),
    Kind(
        "recording_expiring_week",
        "The link to a recording goes in a week",
        "7 days before it is removed",
        BOTH,
        key=("session_id", "anchor_at"),
        timed=Timed(Anchor.RECORDING, -7 * _DAY, 6 * _DAY),
    ),
    Kind(
        "recording_expiring_day",
        "The link to a recording goes tomorrow",
        "1 day before it is removed",
        BOTH,
        key=("session_id", "anchor_at"),
        timed=Timed(Anchor.RECORDING, -_DAY, _DAY),
    ),
)

_BETWEEN_THE_TWO = (
    Kind(
        "testimonial_asked",
        "You are asked for a few words about an instructor",
        "after the third session of a pack, and after its last",
        STUDENT,
        key=("pack_id", "after"),
    ),
    Kind(
        "testimonial_approved",
        "Your words about an instructor are public",
        "an admin approved them",
        STUDENT,
        key=("testimonial_id",),
    ),
    Kind(
        "move_proposed",
        "Your instructor proposes another time",
        "the mentor did",
        STUDENT,
        key=("proposal_id",),
    ),
    Kind(
        "proposal_declined",
        "A mentee keeps the time that you wanted to move",
        "the student declined",
        MENTOR,
        key=("proposal_id",),
    ),
    Kind(
        "proposal_withdrawn",
        "A proposed time was taken back",
        "the mentor did",
        STUDENT,
        key=("proposal_id",),
    ),
    Kind(
        "mentor_away",
        "Your instructor is away",
        "the mentor said so",
        STUDENT,
        key=("absence_id", "student_id"),
    ),
    Kind(
        "mentor_back",
        "Your instructor is there after all",
        "an absence was taken back",
        STUDENT,
        key=("absence_id", "student_id"),
    ),
)

_CALENDARS = (
    Kind("calendar_revoked", "Google Calendar is no longer connected", "Google refused the grant", MENTOR),
    Kind(
        "calendar_failed",
        "A session could not be written to Google Calendar",
        "trying again by itself is no use",
        MENTOR,
        key=_SESSION,
    ),
    Kind(
        "calendar_conflict",
        "A session was changed in Google Calendar",
        "the mentor moved or deleted its event",
        MENTOR,
    ),
)

_STUDIO = (
    Kind(
        "sending_stuck",
        "Messages wait to be sent for too long",
        "the oldest has waited for longer than ALERT_AFTER_MINUTES",
        ADMIN,
        key=("hour",),
        optional=False,
    ),
)

# As settings group them.
TOPICS: dict[str, tuple[Kind, ...]] = {
    "Sessions": _SESSIONS,
    "Packs": _PACKS,
    "Seats": _SEATS,
    "Between the two of you": _BETWEEN_THE_TWO,
    "Google Calendar": _CALENDARS,
    "Your account": _ACCOUNT,
    "The studio": _STUDIO,
}
CATALOGUE: dict[str, Kind] = {kind.name: kind for kinds in TOPICS.values() for kind in kinds}
