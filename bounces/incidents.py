"""Incidents: a provider that refuses many people it took mail for before. Seen here, decided by a manager here.

``watch`` is called by the sweep. An incident is an interval of a provider's time; which bounces belong to it is
asked anew whenever they are judged (``history.Scene.standing``), so that the order in which events and incidents
appear cannot matter. What a bounce had done before its incident was seen is taken back when it is. A wave of blocks is
only shown, until a manager closes it: blocks take nothing from anybody, and say nothing about hard bounces.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from bounces import judgement, providers, slots, undo
from bounces.history import Scene
from bounces.models import Event, Incident, ProviderSlot, Watermark
from bounces.policy import DOMAIN_NOT_FOUND, Effect, Standing
from bounces.waves import BLOCK, HARD, QUIET, SLOT, Limits, Slot, Wave, baseline, waves
from mailinglist import suppression
from mailinglist.changes import SYSTEM, Actor, Noun, record
from mailinglist.models import Suppression

State = Incident.State
LIMITS = Limits()
#: How far back the usual share of a provider is looked up.
HISTORY = timedelta(days=28)
BATCH = 200
#: A soft bounce that ends a person's mails, because their domain was not found a second time.
_DOMAIN_GONE = {"verdict": "soft", "reason": DOMAIN_NOT_FOUND, "effect": Effect.UNSUBSCRIBE_AND_SUPPRESS}
#: The row that is locked while an incident is opened or extended.
NOTING = "incidents"


class CannotDecide(ValueError):
    """The incident was decided before, or there is nothing to decide; the message says which."""


@dataclass(slots=True)
class Decided:
    """What a decision changed: people it is about, subscriptions and suppressions that came or went."""

    people: int = 0
    subscriptions: int = 0
    suppressions: int = 0


def watch() -> list[Incident]:
    """Count what came in, and open or extend incidents. Returns those that were opened or grew."""
    touched = slots.refresh()
    if not touched.times:
        return []
    start, end = touched.first - LIMITS.window * SLOT, touched.last + LIMITS.window * SLOT
    changed = []
    for kind in (HARD, BLOCK):
        for provider in _suspects(kind, start, end):
            for wave in _waves(provider, kind, start - QUIET, end):
                if incident := _note(provider, wave):
                    changed.append(incident)
                    if kind == HARD:
                        _judge_anew(incident)
    return changed


def affected(incident: Incident) -> QuerySet[Event]:
    """The bounces in the time of an incident that are believed or not with it, whoever they are about."""
    return Event.objects.at(incident.provider).filter(
        Q(verdict="hard") | Q(**_DOMAIN_GONE),
        occurred_at__gte=incident.started_at,
        occurred_at__lt=incident.ended_at,
        subscriber__isnull=False,
    )


def confirm(incident_id: int, *, by: Actor, why: str) -> Decided:
    """The provider is right: its hard bounces take effect now. Raises CannotDecide when it is not open.

    A wave of blocks is closed by it, and has no effect on anybody.
    """
    incident = _decide(incident_id, State.CONFIRMED, (State.OPEN,), by, why)
    done = Decided()
    for people in _batches(incident):
        with transaction.atomic():
            counts = judgement.settle(subscriber_ids=people)
        done.people += len(people) if incident.kind == HARD else 0
        done.subscriptions += counts.unsubscribed
        done.suppressions += counts.suppressed
    return done


def release(
    incident_id: int,
    *,
    by: Actor,
    why: str,
    dry_run: bool = False,
    progress: Callable[[Decided], None] | None = None,
) -> Decided:
    """It was an outage: its bounces never count, and what they did is taken back, here and at SES.

    Also for a confirmed incident: everybody it cost a subscription gets it back. Interrupted, it can be repeated.
    ``dry_run`` does and undoes it, a batch of people at a time. Raises CannotDecide for a wave of blocks.
    """
    if Incident.objects.filter(pk=incident_id, kind=BLOCK).exists():
        raise CannotDecide("Blocks take nothing from anybody, so there is nothing to take back.")

    def decide() -> Incident:
        return _decide(incident_id, State.RELEASED, tuple(State), by, why)

    with transaction.atomic():
        incident = decide()
        transaction.set_rollback(dry_run)
    done = Decided()
    for people in _batches(incident):
        with transaction.atomic():
            if dry_run:
                decide()
            _release(incident, people, by, why, done)
            transaction.set_rollback(dry_run)
        if progress:
            progress(done)
    return done


@transaction.atomic
def rule(event_ids: Collection[int], ruling: Event.Ruling, *, by: Actor, why: str) -> int:
    """A manager's word about single bounces that had no effect yet. Returns how many it is about."""
    events = list(
        Event.objects.select_for_update().filter(
            pk__in=event_ids,
            verdict__in=("hard", "soft"),
            applied_at__isnull=True,
            subscriber__isnull=False,
        )
    )
    for event in events:
        record(
            Noun.SUBSCRIBER,
            event.subscriber_id or 0,
            before="bounce decided by the policy",
            after=f"bounce {Event.Ruling(ruling).label}",
            why=why,
            by=Actor(by.kind, by.user, {"event": event.pk}),
            subscriber_id=event.subscriber_id,
        )
        event.ruling = ruling
        event.save(update_fields=["ruling"])
    judgement.settle(subscriber_ids={event.subscriber_id for event in events if event.subscriber_id})
    return len(events)


def held_people(incident: Incident) -> list[int]:
    """Who has a hard bounce of this incident that has no effect yet (ids), at most ten thousand."""
    if incident.kind == BLOCK:
        return []
    in_time = Event.objects.filter(
        applied_at__isnull=True,
        occurred_at__gte=incident.started_at,
        occurred_at__lt=incident.ended_at,
        subscriber__isnull=False,
        delivery__isnull=False,
    )
    # The few that wait are found by two indexes; asked for the domain too, PostgreSQL reads all bounces of the provider.
    domains = set(providers.domains(incident.provider))
    people: set[int] = set()
    for waiting in (in_time.filter(verdict="hard"), in_time.filter(**_DOMAIN_GONE)):
        rows = waiting.values_list("subscriber_id", "recipient").iterator()
        people |= {pk for pk, address in rows if pk and domains.intersection(address.lower().split("@")[1:2])}
    return sorted(people)[:10_000]


def delivered_since(incident: Incident, people: list[int]) -> int:
    """How many of them took a mail after their bounce: proof that the provider was wrong about them."""
    later = Event.objects.filter(
        subscriber_id__in=people, verdict="delivered", occurred_at__gte=incident.started_at
    )
    return later.values("subscriber_id").distinct().count()


def _release(incident: Incident, people: list[int], by: Actor, why: str, done: Decided) -> None:
    scene = Scene(people)
    events = [event for event in scene.events if _belongs(event, incident, scene)]
    for event in events:
        restored = undo.take_back(event, by=by, why=why)
        done.subscriptions += restored.subscriptions
        done.suppressions += restored.suppressions
    for subscriber_id in sorted({event.subscriber_id for event in events if event.subscriber_id}):
        # SES lists every hard bounce by itself, and reports the mails after it as suppressed.
        row = Suppression.objects.filter(
            key=scene.subscribers[subscriber_id].suppression_key,
            reason=Suppression.Reason.SES_LIST,
            since__gte=incident.started_at,
            released_at__isnull=True,
        ).first()
        done.suppressions += bool(row and suppression.release(row.pk, by=by, why=why))
        suppression.forgive(subscriber_id)
        done.people += 1
    judgement.settle(subscriber_ids=people)


def _judge_anew(incident: Incident) -> None:
    """Hold what belongs to the incident. What it had done before the incident was seen is taken back."""
    why = f"The bounce belongs to an incident that was seen later: {incident}."
    by = Actor(SYSTEM.kind, evidence={"incident": incident.pk})
    for people in _batches(incident):
        with transaction.atomic():
            scene = Scene(people)
            for event in scene.events:
                if event.applied_at and _speaks(event) and scene.standing(event) == Standing.HELD:
                    undo.take_back(event, by=by, why=why, forgive=False)
                    event.applied_at = None
                    event.save(update_fields=["applied_at"])
            judgement.settle(subscriber_ids=people)


def _speaks(event: Event) -> bool:
    """Whether a bounce says that the address does not exist: hard, or soft once a second one confirmed the first."""
    gone = {name: getattr(event, name) for name in _DOMAIN_GONE}
    return event.verdict == "hard" or gone == _DOMAIN_GONE


def _belongs(event: Event, incident: Incident, scene: Scene) -> bool:
    found = scene.incident(event)
    return _speaks(event) and found is not None and found.pk == incident.pk and scene.delivered_before(event)


def _batches(incident: Incident) -> Iterator[list[int]]:
    """The people with hard bounces in its time, by id."""
    last = 0
    while True:
        rows = affected(incident).filter(subscriber_id__gt=last).order_by("subscriber_id")
        people = list(rows.values_list("subscriber_id", flat=True).distinct()[:BATCH])
        if not people:
            return
        yield people
        last = people[-1]


@transaction.atomic
def _decide(
    incident_id: int, state: Incident.State, allowed: tuple[str, ...], by: Actor, why: str
) -> Incident:
    incident = Incident.objects.select_for_update().filter(pk=incident_id).first()
    if incident is None:
        raise CannotDecide("This incident became part of another one. Decide about that one.")
    if incident.state not in allowed:
        raise CannotDecide(f"This incident was decided before: {incident.get_state_display()}.")
    before, now = incident.state, timezone.now()
    incident.state, incident.decided_at, incident.why = state, now, why
    incident.decided_by = by.user
    incident.ended_at = max(incident.started_at + SLOT, min(incident.ended_at, now))
    incident.save(update_fields=["state", "decided_at", "why", "decided_by", "ended_at"])
    record(Noun.INCIDENT, incident.pk, before=before, after=state, why=why, by=by)
    return incident


def _suspects(kind: str, start: datetime, end: datetime) -> list[str]:
    """Providers with enough bounces in this time to be looked at."""
    column = f"known_{kind}"
    rows = ProviderSlot.objects.filter(starts_at__gte=start, starts_at__lt=end, **{f"{column}__gt": 0})
    sums = rows.values("provider").annotate(bounced=Sum(column)).filter(bounced__gte=LIMITS.minimum)
    return sorted(row["provider"] for row in sums)


def _waves(provider: str, kind: str, start: datetime, end: datetime) -> list[Wave]:
    rows = ProviderSlot.objects.filter(provider=provider, starts_at__gte=start, starts_at__lt=end)
    found = [Slot(row.starts_at, row.known_seen, hard=row.known_hard, block=row.known_block) for row in rows]
    return waves(found, kind, usual_share(provider, kind, start), LIMITS)


def usual_share(provider: str, kind: str, before: datetime) -> float:
    """The share of known addresses that bounced at a provider in the four weeks before, without its incidents."""
    rows = ProviderSlot.objects.filter(
        provider=provider, starts_at__gte=before - HISTORY, starts_at__lt=before
    )
    for incident in Incident.objects.filter(provider=provider, ended_at__gt=before - HISTORY):
        rows = rows.exclude(starts_at__gte=incident.started_at - SLOT, starts_at__lt=incident.ended_at)
    sums = rows.aggregate(seen=Sum("known_seen"), bounced=Sum(f"known_{kind}"))
    return baseline(sums["seen"] or 0, sums["bounced"] or 0)


@transaction.atomic
def _note(provider: str, wave: Wave) -> Incident | None:
    """Open or extend the incident of a wave. None when that changes nothing.

    Only a wave less than QUIET away extends an open incident: one that nobody decided about must not swallow what its
    provider says weeks later. A wave between two open incidents makes them one.
    """
    _one_at_a_time()
    end = wave.ends_at + QUIET
    start = wave.starts_at
    rows = Incident.objects.select_for_update().filter(provider=provider, kind=wave.kind)
    for row in rows.exclude(state=State.OPEN).filter(started_at__lt=wave.ends_at, ended_at__gt=start):
        # Decided already, up to here: what comes later is to be decided anew.
        start = max(start, row.ended_at)
    if start > wave.starts_at and not _goes_on(provider, wave, start):
        return None
    near = list(
        rows.filter(state=State.OPEN, started_at__lt=end, ended_at__gt=start).order_by("started_at", "pk")
    )
    if near and near[0].started_at <= start and near[0].ended_at >= end:
        _count(near[0], wave).save(update_fields=["bounced", "seen", "share"])
        return None
    incident = near[0] if near else Incident(provider=provider, kind=wave.kind)
    incident.started_at = min([start, *(row.started_at for row in near)])
    incident.ended_at = max([end, *(row.ended_at for row in near)])
    for other in near[1:]:
        _absorb(other, incident)
    incident.baseline = usual_share(provider, wave.kind, incident.started_at - SLOT)
    is_new = incident.pk is None
    _count(incident, wave).save()
    if is_new:
        record(
            Noun.INCIDENT,
            incident.pk,
            before="",
            after=State.OPEN,
            why=f"{incident}: {incident.share:.0%} of its known addresses, usually {incident.baseline:.1%}.",
            by=SYSTEM,
        )
    return incident


def _one_at_a_time() -> None:
    """Until the end of the transaction: two looks at once would open an incident twice."""
    Watermark.objects.get_or_create(name=NOTING)
    Watermark.objects.select_for_update().get(name=NOTING)


def _goes_on(provider: str, wave: Wave, after: datetime) -> bool:
    """Whether a wave has a bounce of a known address after the decision about its beginning, which fell into a slot."""
    later = Event.objects.at(provider).filter(
        verdict=wave.kind,
        occurred_at__gte=after,
        occurred_at__lt=wave.ends_at,
        subscriber__health__first_delivered_at__lt=F("occurred_at"),
    )
    return later.exists()


def _absorb(other: Incident, incident: Incident) -> None:
    """``other`` is in the time of ``incident`` now. Nothing was decided about it, so nothing is lost with it."""
    record(
        Noun.INCIDENT,
        other.pk,
        before=State.OPEN,
        after=f"part of incident {incident.pk}",
        why=f"A wave between them makes them one: {other}; {incident}.",
        by=SYSTEM,
    )
    incident.share = max(incident.share, other.share)
    other.delete()


def _count(incident: Incident, wave: Wave) -> Incident:
    sums: dict[str, Any] = ProviderSlot.objects.filter(
        provider=incident.provider,
        starts_at__gt=incident.started_at - SLOT,
        starts_at__lt=incident.ended_at,
    ).aggregate(seen=Sum("known_seen"), bounced=Sum(f"known_{incident.kind}"))
    incident.seen, incident.bounced = sums["seen"] or 0, sums["bounced"] or 0
    incident.share = max(incident.share, wave.share)
    return incident
