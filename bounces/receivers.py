"""The receivers of signals: an erased person's address leaves the events, the raw notifications and the incidents;
whoever was released wakes the synchronisation with SES; and whose bounces count no more is well again.

``forget`` runs in the transaction of mailinglist/erasure.py. What is found: the events of the person; events of
nobody that name the address (an index has those); the notifications of all these; what is not processed yet or lies
in the quarantine (the newest SCANNED, read one by one); reasons that managers wrote on incidents. What is not: a
processed notification without any event of its own, such as a second report of the same bounce. It goes with
RAW_RETENTION_DAYS.
"""

import email
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import CharField, F, Func
from django.dispatch import receiver

from bounces import health, tasks
from bounces.models import Notification
from mailinglist import doorbell
from mailinglist.erasure import Erased
from mailinglist.models import Subscriber
from mailinglist.signals import address_released, bounces_forgiven, subscriber_erased

#: So many notifications without events are read for an address.
SCANNED = 20_000
_SAYS = "It was about a person who was erased."


@receiver(subscriber_erased, dispatch_uid="bounces.forget")
def forget(people: Sequence[Erased], **_: Any) -> None:
    """Take the people out of everything that bounces keeps."""
    values: dict[str, Any] = {
        "ids": [one.pk for one in people],
        "keys": [needle for one in people for needle in one.needles],
        "says": _SAYS,
        "shared": _shared_domains(people),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BLANK_EVENTS, values)
        emptied = {row[0] for row in cursor.fetchall()}
        cursor.execute(_EMPTY, {**values, "notifications": list(emptied)})
        cursor.execute(_BLANK_INCIDENTS, values)
        if unread := _unread(people):
            cursor.execute(_SET_ASIDE, {**values, "notifications": unread})


@receiver(address_released)
def tell_ses_soon(**_: Any) -> None:
    """SES swallows every mail to an address that is still on its list, also the retry of a blocked one."""
    doorbell.ring_together(tasks.sync_suppressions)


@receiver(bounces_forgiven, dispatch_uid="bounces.heal")
def heal(subscriber_id: int, **_: Any) -> None:
    """The health of the address says at once what the manager, or the person, was told."""
    health.heal(subscriber_id)


def _shared_domains(people: Sequence[Erased]) -> list[str]:
    """The domains of these people where we know others, too: such a domain names nobody."""
    domains = {one.email_key.rpartition("@")[2] for one in people}
    others = Subscriber.objects.exclude(pk__in=[one.pk for one in people]).alias(
        reversed=Func(F("email_key"), function="reverse", output_field=CharField())
    )
    return [name for name in domains if others.filter(reversed__startswith=f"{name[::-1]}@").exists()]


def _unread(people: Sequence[Erased]) -> list[int]:
    """Notifications that have no events yet, or never will, and name one of the people."""
    needles = [needle.encode() for one in people for needle in one.needles]
    states = (Notification.State.STORED, Notification.State.QUARANTINED)
    rows = Notification.objects.filter(state__in=states, raw__isnull=False).order_by("-pk")
    found = rows.values_list("pk", "raw", "error")[:SCANNED].iterator(chunk_size=200)
    return [pk for pk, raw, error in found if _names(bytes(raw or b"") + error.encode(), needles)]


def _names(raw: bytes, needles: Sequence[bytes]) -> bool:
    text = raw.lower()
    if any(needle in text for needle in needles):
        return True
    if b"content-transfer-encoding" not in text:
        return False
    # A mail may hold it in base64 or quoted-printable.
    parts = [part for part in email.message_from_bytes(raw).walk() if not part.is_multipart()]
    decoded = [bytes(part.get_payload(decode=True) or b"").lower() for part in parts]
    return any(needle in body for body in decoded for needle in needles)


# The provider's part of the address stays where others share it: the counts per provider are made from it.
_BLANK_EVENTS = """
    WITH about AS MATERIALIZED (
        SELECT id, lower(split_part(recipient, '@', 2)) AS domain FROM bounces_event
        WHERE subscriber_id = ANY(%(ids)s)
        UNION
        SELECT id, lower(split_part(recipient, '@', 2)) FROM bounces_event
        WHERE subscriber_id IS NULL AND recipient <> '' AND lower(recipient) = ANY(%(keys)s)
    )
    UPDATE bounces_event e SET
        subscriber_id = NULL, diagnostic = '', extra = '{}',
        recipient = CASE WHEN about.domain = ANY(%(shared)s) THEN '@' || about.domain ELSE '' END,
        explanation = CASE WHEN n.named THEN '' ELSE e.explanation END,
        effect_text = CASE WHEN n.named THEN '' ELSE e.effect_text END
    FROM about, bounces_event x
    CROSS JOIN LATERAL (
        SELECT bool_or(strpos(lower(x.explanation || ' ' || x.effect_text), needle) > 0) AS named
        FROM unnest(%(keys)s::text[]) AS needle) n
    WHERE e.id = about.id AND x.id = about.id
    RETURNING e.notification_id"""
_EMPTY = """
    UPDATE bounces_notification SET raw = NULL, error = CASE WHEN error = '' THEN '' ELSE %(says)s END
    WHERE id = ANY(%(notifications)s)"""
_SET_ASIDE = """
    UPDATE bounces_notification SET raw = NULL, error = %(says)s, state = 'processed'
    WHERE id = ANY(%(notifications)s)"""
_BLANK_INCIDENTS = """
    UPDATE bounces_incident SET why = %(says)s
    WHERE EXISTS (SELECT FROM unnest(%(keys)s::text[]) AS needle WHERE strpos(lower(why), needle) > 0)"""
