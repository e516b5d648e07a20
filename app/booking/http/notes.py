"""Notes and the recording's link as mentors write them: checked, one sentence beside the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from app.core.errors import Invalid

MAX_NOTES: Final = 5000
MAX_LINK: Final = 2000


def checked_notes(text: str) -> str:
    """The notes with plain line ends. Raises Invalid (`notes`)."""
    notes = text.replace("\r\n", "\n").rstrip()
    if len(notes) > MAX_NOTES:
        raise Invalid(
            {"notes": f"Notes hold {MAX_NOTES} characters; these are {len(notes) - MAX_NOTES} too many."}
        )
    if "\x00" in notes:
        raise Invalid({"notes": "There is a character in it that can’t be kept."})
    return notes


def checked_recording(text: str | None) -> str | None:
    """The https address, None where there is none. Raises Invalid (`recording_url`)."""
    link = (text or "").strip()
    if not link:
        return None
    try:
        parts = urlsplit(link)
        good = (
            parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:
        good = False
    if not good or not link.isprintable() or " " in link or not link.startswith("https://"):
        raise Invalid({"recording_url": "That is no https address, such as https://example.com/recording."})
    if len(link) > MAX_LINK:
        raise Invalid({"recording_url": f"Addresses hold {MAX_LINK} characters."})
    return link


CHECKED: Final[Mapping[str, Callable[[str], str | None]]] = {
    "notes": checked_notes,
    "recording_url": checked_recording,
}
"""How each text is checked, by its field."""
