"""Every kind of notification, once. Its mail lies in `templates/mail/<name>/`, whose files say what context they take.

A new kind is an entry here and a folder there; who receives it and with which context is decided by the slice that
knows (its `notices.py`), named in `jobs/events.py`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """`about`: what settings call it. `optional`: a person may turn it off. `secret`: its mail carries a link that
    lets its reader in, so the rendered text is wiped as soon as it was sent."""

    name: str
    about: str
    optional: bool = False
    secret: bool = False


_KINDS = (
    Kind("verify_email", "Confirm your e-mail address", secret=True),
    Kind("reset_password", "Choose a new password", secret=True),
    Kind("invitation", "An account was made for you", secret=True),
    Kind("already_registered", "Somebody signed up with your address again"),
    Kind("password_changed", "Your password was changed"),
    Kind("pack_granted", "Sessions were added for you"),
    Kind("pack_adjusted", "Your sessions were changed by the studio"),
    Kind("packs_onboarded", "Your sessions from before are here"),
    Kind("mentees_onboarded", "Mentees of yours from before are here"),
    Kind("seat_granted", "The studio gave you a seat"),
    Kind("seat_taken", "The studio released your seat"),
    Kind("seat_offered", "A seat that you waited for is offered to you"),
    Kind("offer_lapsed", "The time to take an offered seat is over"),
    Kind("seat_released", "A seat is free again"),
    Kind("waitlist_removed", "You were taken off a waitlist"),
    Kind("pack_purchased", "A pack was bought: the receipt"),
    Kind("payment_returned", "A payment came too late and goes back"),
    Kind("refund_issued", "Money was refunded"),
    Kind("order_flagged", "An order needs a decision"),
    Kind("renewal_asked", "Your instructor asks whether you would like to go on", optional=True),
    Kind("session_booked", "A session was booked", optional=True),
    Kind("series_booked", "Several sessions were booked together", optional=True),
    Kind("session_moved", "A session moved to another time", optional=True),
    Kind("session_canceled", "A session was canceled"),
    Kind("session_completed", "A session was marked as held", optional=True),
    Kind("session_no_show", "You were marked as absent", optional=True),
    Kind("session_auto_completed", "A session counts as held", optional=True),
    Kind("testimonial_asked", "You are asked for a few words about an instructor", optional=True),
    Kind("testimonial_approved", "Your words about an instructor are public", optional=True),
    Kind("move_proposed", "Your instructor proposes another time", optional=True),
    Kind("proposal_declined", "A mentee keeps the time that you wanted to move", optional=True),
    Kind("proposal_withdrawn", "A proposed time was taken back", optional=True),
    Kind("mentor_away", "Your instructor is away", optional=True),
    Kind("mentor_back", "Your instructor is there after all", optional=True),
    Kind("calendar_revoked", "Google Calendar is no longer connected", optional=True),
    Kind("calendar_failed", "A session could not be written to Google Calendar", optional=True),
    Kind("calendar_conflict", "A session was changed in Google Calendar", optional=True),
)
CATALOGUE: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
