"""What people say about themselves: name, time zone, light or dark."""

from __future__ import annotations

from app.accounts import repository, rules
from app.core import audit
from app.core.unit_of_work import UnitOfWork


async def change_profile(uow: UnitOfWork, *, name: str, time_zone: str, theme: str) -> None:
    """Change the signed-in user's profile. `theme`: `auto`, `light` or `dark`.

    Raises Invalid naming `name`, `time_zone` or `theme`.
    """
    name = rules.tidy(name)
    rules.check(
        name=rules.name_problem(name),
        time_zone=rules.zone_problem(time_zone),
        theme=rules.theme_problem(theme),
    )
    fields = {"name": name, "time_zone": time_zone, "theme": theme}
    user = await repository.user_by_id(uow.session, uow.user_id, lock=True)
    changed = [field for field, value in fields.items() if user is None or getattr(user, field) != value]
    if changed:
        await repository.change_user(uow.session, uow.user_id, fields)
        await audit.record(uow, "change_profile", "users", uow.user_id, None, {"changed": changed})
