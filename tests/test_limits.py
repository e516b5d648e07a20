"""Every route of the application has a rate limit policy, or is exempt by name."""

from __future__ import annotations

from litestar.routes import HTTPRoute, WebSocketRoute

from app.asgi import create_app
from app.limits import policy_for
from app.settings import Settings

EXEMPT = {"/api/health", "/api/health/ready"}


def test_every_route_has_a_policy(settings: Settings) -> None:
    app = create_app(settings)
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    assert routes
    exempt = set()
    for route in routes:
        for method in route.methods:
            if policy_for(method, route.path_format) is None:
                exempt.add(route.path_format)
    assert {path for path in exempt if not path.startswith(("/static", "/schema"))} == EXEMPT


def test_every_socket_has_a_policy(settings: Settings) -> None:
    routes = [route for route in create_app(settings).routes if isinstance(route, WebSocketRoute)]
    assert [route.path for route in routes] == ["/sessions/{session_id:str}/signal"]
    assert all(policy_for("WEBSOCKET", route.path_format) for route in routes)


def test_changing_things_is_limited_more_tightly_than_looking() -> None:
    booking, looking = policy_for("POST", "/sessions"), policy_for("GET", "/sessions")
    assert booking is not None
    assert looking is not None
    assert booking.per_minute < looking.per_minute
