"""From a kind and its context to the words of a mail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment

_GAP = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Words:
    """A rendered mail: `subject` is one line, `text` stands alone, `html` says the same."""

    subject: str
    text: str
    html: str


def render(templates: Environment, kind: str, context: Mapping[str, Any]) -> Words:
    """The mail of `kind`, from `mail/<kind>/` in `templates`. Raises jinja2.TemplateNotFound for an unknown kind."""
    subject, text, html = (
        templates.get_template(f"mail/{kind}/{part}").render(context)
        for part in ("subject.txt", "body.txt", "body.html")
    )
    return Words(" ".join(subject.split()), _GAP.sub("\n\n", text).strip() + "\n", html.strip() + "\n")
