"""What import contracts can't say: which libraries may be met in which kind of module."""

from __future__ import annotations

import grimp
import pytest

SLICES = (
    *("accounts", "mentors", "packs", "calendars", "booking", "notifications", "payments"),
    *("video", "mentees", "disputes", "absences", "testimonials", "dashboards", "admin", "site"),
)
PURE = ("rules", "slots", "hours", "zones", "refusals", "money", "errors")
OUTSIDE = ("sqlalchemy", "litestar", "httpx", "saq", "psycopg", "googleapiclient", "resend")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom, other people's packages included."""
    return grimp.build_graph("app", "bot", "jobs", "sandbox", include_external_packages=True, cache_dir=None)


def modules(graph: grimp.ImportGraph, *prefixes: str) -> list[str]:
    return sorted(m for m in graph.modules if m.startswith(prefixes))


def imports(graph: grimp.ImportGraph, module: str) -> set[str]:
    return {found.split(".")[0] for found in graph.find_modules_directly_imported_by(module)}


def test_pure_modules_touch_nothing_outside(graph: grimp.ImportGraph) -> None:
    pure = [m for m in modules(graph, "app.") if m.split(".")[-1] in PURE]
    assert pure
    assert {m: found for m in pure if (found := imports(graph, m).intersection(OUTSIDE))} == {}


def test_services_know_no_web_framework(graph: grimp.ImportGraph) -> None:
    services = [m for m in modules(graph, "app.") if m.split(".")[-1] in {"service", "repository", "models"}]
    assert services
    assert [m for m in services if "litestar" in imports(graph, m)] == []


@pytest.mark.parametrize("door", ["jobs", "bot"])
def test_worker_and_bot_know_no_web_framework_and_no_sql(graph: grimp.ImportGraph, door: str) -> None:
    assert modules(graph, f"{door}.")
    assert {
        m: found
        for m in modules(graph, door)
        if (found := imports(graph, m) & {"litestar", "sqlalchemy", "psycopg"})
    } == {}


def test_three_modules_know_the_library_of_discord(graph: grimp.ImportGraph) -> None:
    knowing = {m for m in modules(graph, "bot") if "hikari" in imports(graph, m)}
    assert knowing == {"bot.building", "bot.gateway", "bot.main"}


def test_pages_hold_no_sql(graph: grimp.ImportGraph) -> None:
    doors = [m for m in modules(graph, *(f"app.{name}." for name in SLICES)) if "http" in m.split(".")]
    assert doors
    assert [m for m in doors if imports(graph, m) & {"sqlalchemy", "psycopg"}] == []


def test_every_slice_is_under_contract(graph: grimp.ImportGraph) -> None:
    known = {*SLICES, "core", "dev", "commands", "seeds"}
    packages = {m.split(".")[1] for m in graph.modules if m.startswith("app.") and m.count(".") > 1}
    assert packages <= known
