"""Opens and clicks: judged per mail, and written down as what people and programs did with it.

Called by the pipeline with each batch, in its transaction, by the timeline (which shows the judgement of each event)
and by ``rebuild_engagement``. A mail's row is computed anew from all its events whenever one of them comes, so that
neither the order of arrival nor a repetition matters. Nothing here acts on a person.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from bounces import humans
from bounces.humans import CLICK, OPEN, Facts, Judgement, Sign, Who
from bounces.models import Event
from bounces.writing import Found
from mailinglist import engagement
from mailinglist.composing.links import HONEYPOT
from mailinglist.models import Engagement
from mailinglist.sending import queue

SIGNS = (OPEN, CLICK)
#: More of one mail say nothing new: whoever holds the address of its picture could make any number of them.
MOST = {OPEN: 50, CLICK: 300}
BATCH = 500
#: The strongest first: one person makes it a mail that a person opened.
_STRONGEST = (Who.PERSON, Who.UNSURE, Who.MACHINE)


class _Mail(NamedTuple):
    """A delivery, as far as it is asked for."""

    pk: int
    campaign_id: int | None
    version_id: int | None


class _Told(NamedTuple):
    """The columns of an event that are read."""

    pk: int
    attempt: int
    kind: str
    at: datetime
    extra: dict[str, Any]


_MAIL = ("delivery_id", "delivery__campaign_id", "delivery__version_id")
_TOLD = ("pk", "attempt_number", "kind", "occurred_at", "extra")


def within_limit(found: Sequence[Found]) -> list[Found]:
    """Without the opens and clicks that are too many of one mail. Their notifications are kept."""
    counts = engagement.known(touched(found))
    kept = []
    for each in found:
        kind, delivery_id = each.event.fact.kind, each.match.delivery_id
        if kind in SIGNS and delivery_id:
            count = counts.setdefault(delivery_id, {OPEN: 0, CLICK: 0})
            if count[kind] >= MOST[kind]:
                continue
            count[kind] += 1
        kept.append(each)
    return kept


def touched(found: Sequence[Found]) -> set[int]:
    """The deliveries that these events open or follow. Lock them before ``note``."""
    return {match.delivery_id for _, event, match in found if event.fact.kind in SIGNS and match.delivery_id}


def note(found: Sequence[Found]) -> None:
    """Write down anew what was done with the mails that these events are about."""
    opened = touched(found)
    delivered = {
        match.delivery_id
        for _, event, match in found
        if event.fact.kind in ("delivery", "send") and match.delivery_id
    }
    # When it was delivered says how soon it was opened, so a late report of it can change the judgement.
    recompute(opened | engagement.known(delivered - opened).keys())


def recompute(delivery_ids: Collection[int]) -> int:
    """Write the rows of these deliveries anew, those of campaigns. Returns how many. The caller has locked them."""
    if not delivery_ids:
        return 0
    rows = [row for mail, told in _told(delivery_ids).items() if (row := _row(mail, told)) is not None]
    engagement.write(rows)
    return len(rows)


def judged(delivery_ids: Collection[int]) -> dict[int, tuple[Judgement, float | None]]:
    """The judgement of every open and click of these deliveries, by the event's id, with the seconds since delivery."""
    if not delivery_ids:
        return {}
    return {
        event.pk: (judgement, since)
        for mail, told in _told(delivery_ids).items()
        for event, _, judgement, since in _judged(mail, told)
    }


def rebuild(progress: Callable[[int], None] | None = None) -> int:
    """Compute the rows of all deliveries with opens or clicks anew, for instance after the rules have changed."""
    last, count = 0, 0
    while True:
        rows = Event.objects.filter(delivery_id__gt=last, kind__in=SIGNS).order_by("delivery_id")
        ids = list(rows.values_list("delivery_id", flat=True).distinct()[:BATCH])
        if not ids:
            return count
        with transaction.atomic():
            queue.lock(ids)
            count += recompute(ids)
        last = ids[-1]
        if progress:
            progress(count)


def _told(delivery_ids: Collection[int]) -> dict[_Mail, list[_Told]]:
    """What was reported about each of these deliveries, by time."""
    rows = Event.objects.filter(delivery_id__among=delivery_ids, kind__in=[*SIGNS, "delivery", "send"])
    found: dict[_Mail, list[_Told]] = defaultdict(list)
    for values in rows.order_by("occurred_at", "dedupe_key").values_list(*_MAIL, *_TOLD):
        found[_Mail(*values[: len(_MAIL)])].append(_Told(*values[len(_MAIL) :]))
    return found


def _judged(mail: _Mail, told: Sequence[_Told]) -> Iterable[tuple[_Told, Sign, Judgement, float | None]]:
    """Each attempt is a mail of its own."""
    followed = any(event.kind == CLICK for event in told)
    links = engagement.links_of(mail.version_id) if followed and mail.version_id else None
    for attempt in sorted({event.attempt for event in told}):
        events = [event for event in told if event.attempt == attempt]
        acts = [event for event in events if event.kind in SIGNS]
        delivered_at = min((event.at for event in events if event.kind == "delivery"), default=None)
        signs = [
            _sign(
                event, links.number(str(event.extra.get("link", ""))) if links and event.kind == CLICK else 0
            )
            for event in acts
        ]
        facts = Facts(
            signs,
            links=len(links.addresses) if links else 0,
            sent_at=min((event.at for event in events if event.kind == "send"), default=None),
            delivered_at=delivered_at,
        )
        for event, sign, judgement in zip(acts, signs, humans.judge_all(facts), strict=True):
            since = (event.at - delivered_at).total_seconds() if delivered_at else None
            yield event, sign, judgement, since


def _sign(event: _Told, number: int) -> Sign:
    return Sign(
        kind=event.kind,
        at=event.at,
        agent=str(event.extra.get("userAgent", "")),
        ip=str(event.extra.get("ipAddress", "")),
        link=number,
        honeypot=number == HONEYPOT,
    )


def _row(mail: _Mail, told: Sequence[_Told]) -> engagement.Row | None:
    if mail.campaign_id is None:
        return None
    found = [(sign, judgement) for _, sign, judgement, _ in _judged(mail, told)]
    opens = [judgement for sign, judgement in found if sign.kind == OPEN]
    clicks = [judgement for sign, judgement in found if sign.kind == CLICK]
    if not found:
        return None
    people = {judgement.reason for judgement in opens if judgement.who == Who.PERSON}
    followed: dict[int, list[Who]] = defaultdict(list)
    for sign, judgement in found:
        if sign.kind == CLICK and not sign.honeypot:
            followed[sign.link].append(judgement.who)
    by_who = {
        who: tuple(sorted(link for link, all_of_it in followed.items() if _strongest(all_of_it) == who))
        for who in _STRONGEST
    }
    return engagement.Row(
        delivery_id=mail.pk,
        campaign_id=mail.campaign_id,
        opened=_strongest([judgement.who for judgement in opens]),
        clicked=_strongest([judgement.who for judgement in clicks]),
        proxied=people == {"proxy"},
        opens=len(opens),
        clicks=len(clicks),
        links_person=by_who[Who.PERSON],
        links_unsure=by_who[Who.UNSURE],
        links_machine=by_who[Who.MACHINE],
    )


def _strongest(all_of_it: Collection[Who]) -> str:
    return next((who.value for who in _STRONGEST if who in all_of_it), Engagement.Who.NOBODY.value)
