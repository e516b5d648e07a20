"""Where a `next` may lead: never to another site."""

import pytest

from app.core.web import local_path


@pytest.mark.parametrize("path", ["/", "/calendar?mentor_id=1&day=2026-11-24", "/sessions/1#notes", "/a//b"])
def test_a_path_of_this_site_is_kept(path: str) -> None:
    assert local_path(path, "/home") == path


@pytest.mark.parametrize(
    "elsewhere",
    [
        "",
        None,
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/a\r\nset-cookie: session=x",
        "javascript:alert(1)",
        "evil.example",
        "/ü",
    ],
)
def test_anything_else_is_replaced(elsewhere: str | None) -> None:
    assert local_path(elsewhere, "/home") == "/home"
