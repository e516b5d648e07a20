"""From a kind and its context to the words of a mail, and of a message on Discord.

Templates know `channel`, the one they are rendered for: what speaks of attachments, or of answering, is for mails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, TemplateNotFound
from markupsafe import Markup

from app.core.templating import ROOT, Compiled, QuickEnvironment, environment_of
from app.notifications import markdown
from app.notifications.models import Channel
from app.settings import Settings

_GAP = re.compile(r"\n{3,}")
_COMPILED = Compiled()


@dataclass(frozen=True, slots=True)
class Words:
    """A rendered mail: `subject` is one line, `text` stands alone, `html` says the same."""

    subject: str
    text: str
    html: str


def render(templates: Environment, kind: str, context: Mapping[str, Any]) -> Words:
    """The mail of `kind`, from `mail/<kind>/` in `templates`. Raises jinja2.TemplateNotFound for an unknown kind."""
    subject, text, html = (
        templates.get_template(f"mail/{kind}/{part}").render(context, channel=Channel.EMAIL)
        for part in ("subject.txt", "body.txt", "body.html")
    )
    return Words(_one_line(subject), _tidy(text) + "\n", html.strip() + "\n")


def render_direct(templates: Environment, kind: str, context: Mapping[str, Any]) -> str:
    """The Discord message of `kind`, in `templates` as `for_discord` makes them: Discord's markdown, however long.

    It is `mail/<kind>/discord.md` where there is one; else what the mail says, its subject as the title.
    """
    try:
        whole = templates.get_template(f"mail/{kind}/discord.md")
    except TemplateNotFound:
        title, text = (
            templates.get_template(f"mail/{kind}/{part}").render(context, channel=Channel.DISCORD)
            for part in ("subject.txt", "body.txt")
        )
        return f"**{_one_line(title)}**\n\n{_tidy(text)}"
    return _tidy(whole.render(context, channel=Channel.DISCORD))


class DiscordEnvironment(QuickEnvironment):
    """Escapes what is put into a template for Discord's markdown instead of HTML."""

    def escape(self, value: object) -> str:
        """`value` as it is: our own links stay links, Markup stays markup."""
        if isinstance(value, Markup):
            return value
        text = str(value)
        if markdown.is_our_link(text, str(self.globals["public_url"])):
            return text
        return markdown.escape(text)


def for_discord(settings: Settings) -> DiscordEnvironment:
    """The environment for messages on Discord: the mails' templates in a layout, escaping and times of their own.

    The code it makes of a template isn't that of mails, so it is remembered apart from it.
    """
    jinja = environment_of(DiscordEnvironment, settings)
    ours = FileSystemLoader(ROOT / "templates" / "discord")
    jinja.loader = ChoiceLoader([ours, FileSystemLoader(ROOT / "templates")])
    jinja.autoescape = True
    jinja.bytecode_cache = _COMPILED
    jinja.filters.update(stamp=_time("F"), day_in=_time("D"), time_in=_time("t"), zone_aside=lambda _: "")
    return jinja


def _time(style: str) -> Any:
    """A filter for instants; Discord knows the reader's zone."""

    def shown(instant: datetime, zone: str) -> Markup:
        return Markup(markdown.timestamp(instant, style))  # noqa: S704

    return shown


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tidy(text: str) -> str:
    return _GAP.sub("\n\n", text).strip()
