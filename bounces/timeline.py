"""One person's story, newest first: every change, mail, attempt and report, in plain words. Read-only.

Called by the recipient page. Six queries for a page at most, however long the story is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from bounces import engagement
from bounces.humans import SENTENCES, Judgement
from bounces.models import Event
from mailinglist import words
from mailinglist.access import Lists
from mailinglist.models import Attempt, Change, ConsentRecord, Delivery

PER_PAGE = 50
#: States that no attempt and no event explains by itself.
_TOLD_BY_DELIVERY = frozenset({"skipped", "failed", "cancelled", "expired", "unknown"})
#: Changes of no list: they are about the person and the address, and so for all of their lists.
_OF_THE_ADDRESS = (Change.Noun.SUBSCRIBER, Change.Noun.SUPPRESSION)
_KINDS = {
    "send": "SES sent the mail",
    "delivery": "The receiving server took the mail",
    "delay": "The receiving server keeps SES waiting",
    "bounce": "The mail came back",
    "complaint": "Reported as spam",
    "reject": "SES refused to send the mail",
    "open": "The mail was opened",
    "click": "A link in the mail was followed",
    "rendering-failure": "SES could not build the mail",
    "subscription": "Subscription changed at SES",
    "unsubscribe": "A mail asked to end the subscription",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the story. ``facts`` are technical: (name, value). ``links``: (url name, id, text)."""

    at: datetime
    rank: int
    key: int
    tone: str
    label: str
    headline: str
    who: str = ""
    details: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, int, str], ...] = ()
    resend: int | None = None


@dataclass(slots=True)
class Page:
    """``older`` and ``newer`` are page numbers, None at the ends."""

    entries: list[Entry] = field(default_factory=list)
    older: int | None = None
    newer: int | None = None


def page(subscriber_id: int, number: int = 1, *, lists: Lists | None = None) -> Page:
    """The ``number``th page (from 1) of the story of one person; with ``lists``, only what concerns these lists."""
    number = max(number, 1)
    need = number * PER_PAGE + 1
    entries = [
        *_changes(subscriber_id, need, lists),
        *_consents(subscriber_id, need, lists),
        *_deliveries(subscriber_id, need, lists),
        *_attempts(subscriber_id, need, lists),
        *_events(subscriber_id, need, lists),
    ]
    entries.sort(key=lambda entry: (entry.at, entry.rank, entry.key), reverse=True)
    start = (number - 1) * PER_PAGE
    return Page(
        entries=entries[start : start + PER_PAGE],
        older=number + 1 if len(entries) > start + PER_PAGE else None,
        newer=number - 1 if number > 1 else None,
    )


def _changes(subscriber_id: int, need: int, lists: Lists | None) -> Iterator[Entry]:
    rows = (
        Change.objects.filter(subscriber_id=subscriber_id)
        .select_related("user", "list")
        .order_by("-at", "-pk")
    )
    if lists is not None:
        rows = rows.filter(Q(list_id__in=lists) | Q(list__isnull=True, noun__in=_OF_THE_ADDRESS))
    for row in rows[:need]:
        yield Entry(
            at=row.at,
            rank=4,
            key=row.pk,
            tone=_change_tone(row),
            label=row.get_noun_display(),
            headline=_change_headline(row),
            who=str(row.user) if row.user else row.get_actor_display(),
            details=(row.why,) if row.why else (),
            links=_evidence_links(row.evidence),
        )


def _change_headline(row: Change) -> str:
    if row.noun == Change.Noun.SUBSCRIPTION:
        where = f" from {row.list}" if row.list else ""
        words_for = {
            "unsubscribed": f"Unsubscribed{where}",
            "confirmed": f"Subscribed to {row.list}" if row.list else "Subscribed",
            "pending": f"Asked to join {row.list}" if row.list else "Asked to join",
            "expired": f"The sign-up for {row.list} was never confirmed" if row.list else "Sign-up expired",
            "tracking allowed": f"Opens and clicks of {row.list} may be noted",
            "tracking refused": f"Opens and clicks of {row.list} must not be noted",
        }
        text = words_for.get(row.after, row.after)
        if (
            row.before == "unsubscribed"
            and row.after in ("confirmed", "pending")
            and row.actor == Change.Actor.USER
        ):
            return f"Subscription to {row.list} restored" if row.list else "Subscription restored"
        return f"{text}, for a stronger reason" if row.before == row.after else text
    if row.noun == Change.Noun.SUPPRESSION:
        if row.after == "released":
            return "Address released: mail may be sent again"
        return f"Address suppressed: {words.reason(row.after)}"
    if row.noun == Change.Noun.SUBSCRIBER:
        return (
            "Details changed"
            if row.after in ("changed", "name changed")
            else f"Person: {words.spaced(row.after)}"
        )
    step = f"{words.spaced(row.before) or '–'} → {words.spaced(row.after)}"
    return f"{row.get_noun_display().capitalize()}: {step}"


def _consents(subscriber_id: int, need: int, lists: Lists | None) -> Iterator[Entry]:
    rows = (
        ConsentRecord.objects.filter(subscriber_id=subscriber_id)
        .select_related("list")
        .order_by("-at", "-pk")
    )
    if lists is not None:
        rows = rows.filter(list_id__in=lists)
    for row in rows[:need]:
        facts = [
            ("Form", row.form),
            ("Came by", row.source),
            ("IP address", row.ip or ""),
            ("Browser", row.user_agent),
            ("Opens and clicks", {None: "", True: "may be noted", False: "must not be noted"}[row.tracking]),
        ]
        yield Entry(
            at=row.at,
            rank=5,
            key=row.pk,
            tone="default",
            label="consent",
            headline=f"{row.list}: {row.get_kind_display()}",
            details=tuple(filter(None, row.text.splitlines())),
            facts=tuple((name, value) for name, value in facts if value),
        )


def _change_tone(row: Change) -> str:
    if row.noun == Change.Noun.SUPPRESSION:
        return "success" if row.after == "released" else "danger"
    if row.noun == Change.Noun.SUBSCRIPTION:
        return "success" if row.after == "confirmed" else "warning" if row.after == "unsubscribed" else "info"
    return "default"


def _evidence_links(evidence: Any) -> tuple[tuple[str, int, str], ...]:
    """Links to the events that an automatic change rests on: ``event`` (an id) or ``events`` (ids)."""
    if not isinstance(evidence, dict):
        return ()
    many = evidence.get("events")
    ids = [evidence.get("event") or evidence.get("event_id"), *(many if isinstance(many, list) else [])]
    return tuple(
        ("admin:bounces_event_change", pk, f"Evidence: event {pk}") for pk in ids[:5] if type(pk) is int
    )


def _deliveries(subscriber_id: int, need: int, lists: Lists | None) -> Iterator[Entry]:
    rows = (
        Delivery.objects.filter(subscriber_id=subscriber_id)
        .select_related("campaign", "list")
        .order_by("-pk")
    )
    if lists is not None:
        rows = rows.filter(list_id__in=lists)
    for row in rows[:need]:
        link = (("admin:mailinglist_delivery_change", row.pk, "This mail"),)
        yield Entry(
            at=row.created_at,
            rank=0,
            key=row.pk,
            tone="default",
            label="mail",
            headline=f"{mail_name(row)} was put in the queue",
            details=(f"For the list {row.list}.",),
            links=link,
        )
        if row.state in _TOLD_BY_DELIVERY:
            reason = words.reason(row.reason)
            yield Entry(
                at=row.changed_at,
                rank=2,
                key=row.pk,
                tone=words.tone(row.state),
                label="mail",
                headline=f"{mail_name(row)}: {row.get_state_display()}{f' – {reason}' if reason else ''}",
                links=link,
                resend=row.pk if row.state == Delivery.State.UNKNOWN else None,
            )


def mail_name(row: Delivery) -> str:
    """What a mail is called for people: the campaign, or its purpose."""
    return f"“{row.campaign}”" if row.campaign else row.get_purpose_display().capitalize()


def _attempts(subscriber_id: int, need: int, lists: Lists | None) -> Iterator[Entry]:
    rows = (
        Attempt.objects.filter(delivery__subscriber_id=subscriber_id)
        .select_related("delivery__campaign")
        .order_by("-started_at", "-pk")
    )
    if lists is not None:
        rows = rows.filter(delivery__list_id__in=lists)
    for row in rows[:need]:
        facts = [
            ("SES message id", row.message_id or ""),
            ("Error", f"{row.error_code} {row.error_text}".strip()),
        ]
        yield Entry(
            at=row.started_at,
            rank=1,
            key=row.pk,
            tone=words.tone(row.result) if row.result else "info",
            label="sent",
            headline=f"Attempt {row.number} of {mail_name(row.delivery)}: {row.get_result_display()}",
            details=("It may have arrived before: a possible duplicate.",) if row.possible_duplicate else (),
            facts=tuple((name, value) for name, value in facts if value),
        )


def _events(subscriber_id: int, need: int, lists: Lists | None) -> Iterator[Entry]:
    rows = (
        Event.objects.filter(subscriber_id=subscriber_id)
        .select_related("delivery__campaign")
        .order_by("-occurred_at", "-pk")
    )
    if lists is not None:
        rows = rows.filter(delivery__list_id__in=lists)
    now = timezone.now()
    found = list(rows[:need])
    judged = engagement.judged(
        {row.delivery_id for row in found if row.kind in engagement.SIGNS and row.delivery_id}
    )
    for row in found:
        plain = row.verdict in ("", "not-a-bounce")
        facts = [
            ("Server said", row.diagnostic),
            ("Status", row.status),
            ("Server", row.mta),
            ("SES type", " / ".join(filter(None, (row.type, row.subtype)))),
            ("Reported for", row.recipient),
            ("Link", str(row.extra.get("link", ""))),
            ("Program", str(row.extra.get("userAgent", ""))),
            ("Rule", " / ".join(filter(None, (words.spaced(row.reason), words.spaced(row.effect))))),
        ]
        yield Entry(
            at=row.occurred_at,
            rank=3,
            key=row.pk,
            tone=words.tone(row.verdict) if not plain else "default",
            label=words.verdict(row.verdict) if not plain else _plain_label(row),
            headline=_event_headline(row, judged),
            who=f"about {mail_name(row.delivery)}, attempt {row.attempt_number}" if row.delivery else "",
            details=tuple(_decided(row, now)),
            facts=tuple((name, value) for name, value in facts if value),
            links=(
                # The raw notification may be about people of other lists too.
                *(
                    []
                    if lists
                    else [("admin:bounces_notification_change", row.notification_id, "Raw notification")]
                ),
                ("admin:bounces_event_change", row.pk, "This event"),
            ),
        )


def _plain_label(row: Event) -> str:
    # Reports of this kind are complaints; those that are none must not look like one.
    return "report" if row.kind == "complaint" else words.spaced(row.kind)


def _event_headline(row: Event, judged: dict[int, tuple[Judgement, float | None]]) -> str:
    said = row.explanation or _KINDS.get(row.kind, words.spaced(row.kind).capitalize())
    if row.pk not in judged:
        return said
    judgement, since = judged[row.pk]
    after = "less than a second" if since is None or since < 1 else f"{int(since)} s"
    by = SENTENCES[judgement.reason].format(after=after)
    return f"{_KINDS[row.kind]} {by}." if by else said


def _decided(row: Event, now: datetime) -> Iterator[str]:
    if row.effect_text:
        yield row.effect_text
    if row.effect_at and row.applied_at is None:
        yield (
            f"Held until {row.effect_at:%d %b %Y %H:%M} UTC."
            if row.effect_at > now
            else "Takes effect in a moment."
        )
