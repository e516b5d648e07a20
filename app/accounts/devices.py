"""What a browser calls itself, in two words that its owner recognizes."""

from __future__ import annotations

# (what the header contains, how people call it): the first match counts, the more particular ones come first.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-httpx", "A program"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
KEPT = 300  # characters of the header that are stored


def label(user_agent: str | None) -> str:
    """`Firefox on Linux`; "A browser" where the header says nothing known."""
    text = user_agent or ""
    browser = next((name for sign, name in _BROWSERS if sign in text), "A browser")
    system = next((name for sign, name in _SYSTEMS if sign in text), None)
    return f"{browser} on {system}" if system else browser


def kept(user_agent: str | None) -> str | None:
    """The part of the header that is stored with a web session."""
    text = "".join(char for char in user_agent or "" if char.isprintable())
    return text[:KEPT] or None
