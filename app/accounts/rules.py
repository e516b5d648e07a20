"""What may be typed into the fields of an account. Pure: a sentence about what is wrong, or nothing."""

from __future__ import annotations

import re
import unicodedata

from app.core.errors import Invalid
from app.core.zones import is_zone

NAME_LENGTH = 100
EMAIL_LENGTH = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
PASSWORD_LENGTH = range(10, 201)
TOKEN_NAME_LENGTH = 60
TOKEN_DAYS = (30, 90, 365)
THEMES = ("auto", "light", "dark")

# One @, a dot in the domain, nothing that could end an address in a mail header. The mail itself is the real check.
_EMAIL = re.compile(r"[^@\s<>(),;:\"\\\[\]]+@[^@\s<>(),;:\"\\\[\]]+\.[^@\s<>(),;:\"\\\[\].]+")


def tidy(text: str) -> str:
    """One line of text as it is kept: composed (NFC), control characters dropped, runs of blanks made one."""
    visible = "".join(" " if char.isspace() else char for char in text if _is_kept(char))
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _is_kept(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) not in ("Cc", "Cs")


def normal_password(password: str) -> str:
    """The password in one Unicode form, so that every keyboard's "é" is the same (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFC", password)


def name_problem(name: str) -> str | None:
    """What is wrong with a tidy name."""
    if not name:
        return "Please tell us your name."
    if len(name) > NAME_LENGTH:
        return f"That name is longer than {NAME_LENGTH} characters."
    return None


def email_problem(email: str) -> str | None:
    """What is wrong with a tidy e-mail address."""
    if not email:
        return "Please tell us your e-mail address."
    if len(email) > EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        return "That doesn't look like an e-mail address."
    return None


def password_problem(password: str, email: str) -> str | None:
    """What is wrong with a new password of the account with `email`."""
    if len(password) < PASSWORD_LENGTH.start:
        return f"Please use at least {PASSWORD_LENGTH.start} characters."
    if len(password) not in PASSWORD_LENGTH:
        return f"Please use at most {PASSWORD_LENGTH.stop - 1} characters."
    if any(unicodedata.category(char) == "Cs" for char in password):
        return "That password holds characters we can't read."
    if password.strip().casefold() == email.casefold():
        return "Your e-mail address is the first thing anybody would try. Please choose something else."
    return None


def zone_problem(time_zone: str) -> str | None:
    """What is wrong with the name of a time zone."""
    if not time_zone:
        return "Please choose your time zone."
    return None if is_zone(time_zone) else "We don't know that time zone. Please choose one from the list."


def theme_problem(theme: str) -> str | None:
    """What is wrong with a theme."""
    return None if theme in THEMES else "Please choose one of the list."


def token_name_problem(name: str) -> str | None:
    """What is wrong with the tidy name of an access token."""
    if not name:
        return "Give it a name, so that you know it again later."
    return (
        f"That name is longer than {TOKEN_NAME_LENGTH} characters." if len(name) > TOKEN_NAME_LENGTH else None
    )


def token_days_problem(days: str) -> str | None:
    """What is wrong with the number of days, as posted, that an access token is to last."""
    return None if days in map(str, TOKEN_DAYS) else "Please choose one of the list."


def check(**problems: str | None) -> None:
    """Raise Invalid with the fields that have a problem; nothing if none has."""
    wrong = {field: problem for field, problem in problems.items() if problem}
    if wrong:
        raise Invalid(wrong)
