"""Writing the audit trail: every capability function records what it changed, by whom and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from mailinglist.models import Change

Kind = Change.Actor
Noun = Change.Noun


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. ``evidence`` is kept with the change: event ids, form fields, file names; never secrets."""

    kind: Change.Actor
    user: Any = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


SYSTEM = Actor(Kind.SYSTEM)


def record(
    noun: Change.Noun,
    object_id: int,
    *,
    before: str,
    after: str,
    why: str,
    by: Actor,
    subscriber_id: int | None = None,
    list_id: int | None = None,
    at: datetime | None = None,
) -> None:
    """Append one Change. Call it in the transaction that makes the change."""
    entry(
        noun,
        object_id,
        before=before,
        after=after,
        why=why,
        by=by,
        subscriber_id=subscriber_id,
        list_id=list_id,
        at=at,
    ).save(force_insert=True)


def entry(
    noun: Change.Noun,
    object_id: int,
    *,
    before: str,
    after: str,
    why: str,
    by: Actor,
    subscriber_id: int | None = None,
    list_id: int | None = None,
    at: datetime | None = None,
) -> Change:
    """What ``record`` appends, for a caller that stores it together with other rows."""
    return Change(
        at=at or timezone.now(),
        actor=by.kind,
        user=by.user,
        noun=noun,
        object_id=object_id,
        subscriber_id=subscriber_id,
        list_id=list_id,
        before=before,
        after=after,
        why=why,
        evidence=dict(by.evidence),
    )
