"""What Jinja escapes, and how often: once, whatever way a value takes to the page."""

from __future__ import annotations

from types import CodeType

import pytest
from jinja2 import DictLoader
from markupsafe import Markup, escape

from app.core.templating import QuickEnvironment, environment, quick_escape
from app.settings import Settings

NASTY = """<b title="x" class='y'>R&D</b>"""
ESCAPED = str(escape(NASTY))


def shown(template: str, **context: object) -> str:
    return environment(Settings()).from_string(template).render(**context)


@pytest.mark.parametrize("value", [NASTY, "plain", "", 24, 1.5, None, True, Markup("<i>ink</i>"), ["<"]])
def test_quick_is_the_same(value: object) -> None:
    assert quick_escape(value) == str(escape(value))


@pytest.mark.parametrize(
    "template",
    [
        "{{ it }}",
        "{% set other = it %}{{ other }}",
        "{% set other %}{{ it }}{% endset %}{{ other }}",
        "{% macro say(it) %}{{ it }}{% endmacro %}{{ say(it) }}",
        "{% macro say() %}{{ caller() }}{% endmacro %}{% call say() %}{{ it }}{% endcall %}",
        "{% for each in [it] %}{{ each }}{% endfor %}",
        "{{ it ~ '' }}",
        "{{ [it]|join }}",
        "{{ it|e }}",
        "{% filter trim %}{{ it }}{% endfilter %}",
    ],
)
def test_a_value_is_escaped_once(template: str) -> None:
    assert shown(template, it=NASTY) == ESCAPED


def test_safe_is_left_alone() -> None:
    assert shown("{{ it|safe }}{{ ready }}", it=NASTY, ready=Markup("<i>")) == NASTY + "<i>"


def test_a_text_is_not_html() -> None:
    jinja = environment(Settings())
    assert jinja.overlay(autoescape=False).from_string("{{ it }}").render(it=NASTY) == NASTY


def test_an_error_names_its_line() -> None:
    with pytest.raises(TypeError) as caught:
        shown("first\nsecond\n{{ 1 + 'a' }}")
    assert caught.traceback[-1].lineno == 2  # counted from 0


def test_a_template_is_compiled_once_and_anew_when_it_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    compile_ = QuickEnvironment._compile

    def noted(self: QuickEnvironment, source: str, filename: str) -> CodeType:
        compiled.append(source)
        return compile_(self, source, filename)

    monkeypatch.setattr(QuickEnvironment, "_compile", noted)
    words = {"tea": "green"}
    for pot in (1, 2):
        for _ in range(2):
            jinja = environment(Settings())
            jinja.loader = DictLoader(words)
            assert jinja.get_template("tea").render() == words["tea"]
        assert len(compiled) == pot
        words["tea"] = "black"
