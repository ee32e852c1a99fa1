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


def may_nothing(user: Any) -> bool:
    """Whether the manager has neither a role nor anything in Django's way."""
    in_any_way = (user.memberships, user.groups, user.user_permissions)
    return not user.is_superuser and not any(rows.exists() for rows in in_any_way)


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


def rights(group: Any) -> str:
    """The single rights of a group in a line."""
    names = group.permissions.order_by("content_type__app_label", "codename")
    return ", ".join(names.values_list("codename", flat=True))


@transaction.atomic
def record_group(group: Any, *, before: str | None, by: Actor) -> None:
    """Write down that a group was made or saved, with its rights ``before`` (``rights``; None: it is new) and now."""
    now = rights(group) or "no right"
    record(
        Noun.MANAGER,
        0,
        before="" if before is None else "group",
        after="group added" if before is None else "group changed",
        why=f"“{group}”: {now}." if before is None else f"“{group}”: {before or 'no right'} → {now}.",
        by=by,
    )


@transaction.atomic
def remove_group(group: Any, *, by: Actor) -> None:
    """Its people lose its rights."""
    people = ", ".join(group.user_set.order_by("username").values_list("username", flat=True)) or "nobody"
    why = f"“{group}” with {rights(group) or 'no right'}, which {people} had."
    record(Noun.MANAGER, 0, before="group", after="group removed", why=why, by=by)
    group.delete()
