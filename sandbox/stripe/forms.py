"""Stripe's way to write nested parameters in a form or a query: `line_items[0][price_data][currency]=eur`."""

from __future__ import annotations

import re
from typing import Any

from sandbox.stripe.errors import invalid

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def decoded(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The parameters as nested dictionaries; lists have the keys "0", "1", … in order.

    Raises StripeError 400 for brackets that don't fit and for names given twice.
    """
    root: dict[str, Any] = {}
    for name, value in pairs:
        found = _NAME.fullmatch(name)
        if not found:
            raise invalid(f"Invalid parameter name: {name}")
        steps = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
        node = root
        for step in steps[:-1]:
            node = node.setdefault(step or str(len(node)), {})
            if not isinstance(node, dict):
                raise invalid(f"Invalid {found[1]}: both a value and members", found[1])
        last = steps[-1] or str(len(node))
        if last in node:
            raise invalid(f"Parameter given twice: {name}", name)
        node[last] = value
    return root
