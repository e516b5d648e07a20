"""Which route has which rate limit: the one table. A route that matches no line fails a test."""

from __future__ import annotations

import re
from functools import cache

from app.core.limits import Policy

DEFAULT = Policy("default", 120, 2000, "address")
USER = Policy("user", 120, 6000, "user or address")
AUTH = Policy("auth", 15, 60, "address")
BOOKING = Policy("booking", 5, 20, "user or address")
CHECKOUT = Policy("checkout", 3, 10, "user or address")
AVAILABILITY = Policy("availability", 60, 600, "user or address")
INSTRUCTOR = Policy("instructor", 60, 1200, "user or address")
WEBHOOK = Policy("webhook", 300, 6000, "address")
INVITATION = Policy("invitation", 20, 200, "user or address")
EXEMPT = None

# (methods, path template as a regular expression, policy): the first that matches.
TABLE: tuple[tuple[str, str, Policy | None], ...] = (
    ("GET", r"/api/health(/ready)?", EXEMPT),
    ("GET", r"/api/health/.+|/metrics", DEFAULT),
    ("GET", r"/static/.*|/schema.*", EXEMPT),  # files, the same for everybody
    ("POST", r"/api/webhooks/.+", WEBHOOK),
    ("POST", r"/sign-in|/sign-up|/check-mail|/verify/.+|/reset-password(/.+)?", AUTH),
    ("POST", r"/settings/password", AUTH),
    ("GET", r"/auth/.+", AUTH),
    ("POST", r"/invitations/.+", AUTH),
    ("POST", r"/sign-out|/impersonation/end", USER),
    ("POST", r"/unsubscribe/.+", WEBHOOK),  # mail programs press the button, for many people from one address
    ("GET", r"/unsubscribe/.+", DEFAULT),
    ("GET", r"/sign-in|/sign-up|/check-mail|/verify/.+|/reset-password(/.+)?|/invitations/.+", DEFAULT),
    ("GET", r"/api/mentors/.+/availability", AVAILABILITY),
    ("POST", r"/sessions|/api/sessions|/calendar/series", BOOKING),
    ("PATCH", r"/api/sessions/.+", BOOKING),
    ("POST", r"/checkout|/api/checkout/(stripe|paypal)", CHECKOUT),
    ("POST", r"/checkout/code", USER),
    ("GET", r"/checkout(/.+)?|/api/checkout/verify|/receipts/.+", USER),
    ("GET", r"/api/checkout/(success|cancel)", DEFAULT),
    ("POST", r"/sessions/.+/(move|cancellation|proposal/(acceptance|refusal))", BOOKING),
    ("POST", r"/sessions/.+/dispute(/(withdrawal|agreement))?", BOOKING),
    ("POST", r"/sessions/.+/recording-consent", USER),
    ("GET|POST", r"/instructor/.+", INSTRUCTOR),
    ("GET|PATCH", r"/api/instructor/.+", INSTRUCTOR),
    ("POST", r"/admin/invitations|/admin/users/.+/invitation", INVITATION),
    ("GET|POST", r"/admin(/.+)?|/api/admin/.+", USER),
    ("GET|POST", r"/waitlist(/.+)?", USER),
    (
        "POST",
        r"/api/video/.+/token",
        USER,
    ),  # one for each coming in, and a bad line makes people come in often
    ("WEBSOCKET", r"/sessions/.+/signal", USER),
    ("GET", r"/packs/.+", USER),
    ("GET|POST", r"/dashboard(/.+)?|/testimonials(/.+)?", USER),
    ("GET", r"/calendar(/series)?|/sessions(/.+)?|/settings(/.+)?|/api/sessions(/.+)?|/events", USER),
    ("POST", r"/settings/.+", USER),
    ("GET", r"/|/instructors(/.+)?|/privacy|/terms|/\{path\}", DEFAULT),
)


class NoPolicy(LookupError):
    """A route that the table doesn't name."""


@cache
def policy_for(method: str, path_template: str) -> Policy | None:
    """The policy of a route; HEAD counts as GET, OPTIONS as whatever the path is for. Raises NoPolicy."""
    asked = "GET" if method == "HEAD" else method
    for methods, pattern, policy in TABLE:
        if (asked == "OPTIONS" or asked in methods.split("|")) and re.fullmatch(pattern, path_template):
            return policy
    raise NoPolicy(f"{method} {path_template}")
