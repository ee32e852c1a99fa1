"""Roles of managers: given and taken, with who did it."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Membership


def words(rows: Iterable[Membership]) -> str:
    """All roles of one manager in a line, the whole installation first."""
    parts = sorted(
        f"{'' if row.list_id is None else ' '}{row}{' with downloads' if row.may_export else ''}"
        for row in rows
    )
    return ", ".join(part.strip() for part in parts)


def held(user: Any) -> str:
    """The same of a manager as it is now."""
    return words(Membership.objects.filter(user_id=user.pk).select_related("list"))


@transaction.atomic
def record_roles(user: Any, *, before: str, by: Actor) -> bool:
    """Write down how the roles changed since ``before`` (``held``). False when they did not."""
    now = held(user)
    if now == before:
        return False
    record(
        Noun.MANAGER,
        user.pk,
        before="roles",
        after="roles changed",
        why=f"{user}: {before or 'no role'} → {now or 'no role'}.",
        by=by,
    )
    return True


@transaction.atomic
def record_account(user: Any, changed: Iterable[str], *, added: bool, by: Actor) -> None:
    """Write down that an account was made or changed; names of fields only, never a password."""
    fields = ", ".join(changed)
    if added or fields:
        record(
            Noun.MANAGER,
            user.pk,
            before="" if added else "account",
            after="added" if added else "changed",
            why=f"Added {user}." if added else f"{user}: {fields}.",
            by=by,
        )
