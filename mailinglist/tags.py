"""Tags on people: the only writer of Tag and SubscriberTag. Set-based: a hundred thousand people are one statement.

Each person that a tag was put on or taken from gets an entry in the history; who had it already gets none.
"""

import json
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet

from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Campaign, Subscriber, SubscriberTag, Tag
from mailinglist.segments import uses

_PUT = """
    WITH people AS ({people}),
    done AS (INSERT INTO mailinglist_subscribertag (tag_id, subscriber_id)
             SELECT %s, id FROM people ORDER BY id ON CONFLICT DO NOTHING RETURNING subscriber_id)"""
_TAKE = """
    WITH people AS ({people}),
    done AS (DELETE FROM mailinglist_subscribertag USING people
             WHERE tag_id = %s AND subscriber_id = people.id RETURNING subscriber_id)"""
_RECORD = """,
    told AS (INSERT INTO mailinglist_change (at, actor, user_id, noun, object_id, subscriber_id, before, after, why,
                                             evidence)
             SELECT clock_timestamp(), %s, %s, 'subscriber', subscriber_id, subscriber_id, %s, %s, %s, %s::jsonb
             FROM done RETURNING 1)
    SELECT count(*) FROM told"""


class InUse(ValueError):
    """It decides who gets a campaign or is in a segment; the message names them."""


def put(tag: Tag, people: QuerySet[Subscriber], *, by: Actor) -> int:
    """Put the tag on all of them. Returns how many had it not before."""
    return _run(_PUT, tag, people, by=by, before="", after="tagged", why=f"Tagged “{tag}”.")


def take(tag: Tag, people: QuerySet[Subscriber], *, by: Actor) -> int:
    """Take the tag from all of them. Returns how many had it."""
    return _run(_TAKE, tag, people, by=by, before="tagged", after="untagged", why=f"“{tag}” taken off.")


def make(name: str, *, by: Actor) -> Tag:
    """The tag with this name, whatever its capital letters; a new one where there is none."""
    name = " ".join(name.split())
    with transaction.atomic():
        found = Tag.objects.filter(name__iexact=name).first()
        if found is None:
            found = Tag.objects.create(name=name)
            record(Noun.TAG, found.pk, before="", after="made", why=f"“{found}”.", by=by)
    return found


@transaction.atomic
def rename(tag: Tag, *, before: str, by: Actor) -> None:
    tag.save(update_fields=["name"])
    record(Noun.TAG, tag.pk, before="made", after="renamed", why=f"“{before}” is “{tag}” now.", by=by)


@transaction.atomic
def remove(tag: Tag, *, by: Actor) -> None:
    """Take the tag from everybody and forget it. Raises InUse where it still decides something."""
    if names := [*uses.segments_with("tag", tag.pk), *_campaigns(tag)]:
        raise InUse(
            f"“{tag}” is used by {', '.join(f'“{name}”' for name in names)}. Take it out there first."
        )
    had = SubscriberTag.objects.filter(tag=tag).count()
    record(
        Noun.TAG,
        tag.pk,
        before="made",
        after="removed",
        why=f"“{tag}”, which {had:,} people had.",
        by=by,
    )
    tag.delete()


def _campaigns(tag: Tag) -> list[str]:
    rows = Campaign.objects.filter(exclude_tags=tag, status__in=["draft", "scheduled"])
    return list(rows.values_list("name", flat=True)[:5])


def _run(sql: str, tag: Tag, people: QuerySet[Subscriber], *, by: Actor, **told: Any) -> int:
    try:
        ids, values = people.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return 0
    statement = (sql + _RECORD).format(people=f"SELECT id FROM ({ids}) AS chosen (id)")  # noqa: S608
    user = by.user.pk if by.user else None
    with connection.cursor() as cursor:
        known = [by.kind, user, told["before"], told["after"], told["why"], json.dumps(dict(by.evidence))]
        cursor.execute(statement, [*values, tag.pk, *known])
        return int(cursor.fetchone()[0])
