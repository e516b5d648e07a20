"""Pages for people: plain forms and links, no script."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from sandbox.http import HttpResponse, page

HERE = Path(__file__).parent
STATIC = HERE / "static"
_LINK_END = ".,;:!?)>"


class Pages:
    """Renders the templates."""

    def __init__(self, platform: str) -> None:
        self._env = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
        )
        self._env.globals["platform"] = platform
        self._env.filters["linked"] = linked
        self._env.filters["moment"] = moment

    def show(self, template: str, status: int = 200, **values: Any) -> HttpResponse:
        """The page made from a template."""
        return page(self._env.get_template(template).render(**values), status)


def linked(text: str) -> Markup:
    """Plain text with its web addresses made links."""
    words = []
    for word in text.split(" "):
        lines = [_linked_word(part) for part in word.split("\n")]
        words.append(Markup("\n").join(lines))
    return Markup(" ").join(words)


def _linked_word(word: str) -> Markup:
    begun = word.lstrip("<(")
    address = begun.rstrip(_LINK_END)
    if not address.startswith(("http://", "https://")):
        return escape(word)
    before, after = word[: len(word) - len(begun)], begun[len(address) :]
    return Markup('{1}<a href="{0}">{0}</a>{2}').format(address, before, after)


def moment(instant: datetime | str) -> str:
    """An instant as people read it, in UTC."""
    value = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return f"{value:%a %d %b %Y, %H:%M:%S} UTC"
