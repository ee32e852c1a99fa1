"""What is known about some people and their mails: everything that the policy may ask, read in a handful of queries.

Read-only. ``judgement`` builds one ``Scene`` per batch and asks it; nothing here depends on the order in which events
arrived.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from functools import cached_property

from bounces import providers
from bounces.models import Event, Incident
from bounces.policy import FAULTLESS, NO_COMPLAINT, Standing
from mailinglist.models import Attempt, Campaign, Delivery, Subscriber

#: What a report about a mail can say, strongest first: a stronger report of the same attempt outranks a weaker one,
#: whichever came first.
STRENGTH = (
    "complaint",
    "hard",
    "suppressed",
    "message",
    "soft",
    "block",
    "unknown",
    "delivered",
    "not-a-bounce",
)
#: Verdicts that a decision is made about.
JUDGED = ("complaint", "hard", "suppressed", "message", "soft", "block", "unknown")
#: Verdicts that the state of a mail or the health of an address depends on.
SETTLING = (*JUDGED, "delivered")
#: Verdicts that say that the mail did not arrive.
FAILED = ("hard", "suppressed", "message", "soft", "block", "unknown")

#: After these nothing is sent again, whatever a newer attempt in doubt came to.
_LAST_WORD = ("complaint", "hard", "suppressed", "delivered")
_NOT_TAKEN = (Attempt.Result.REFUSED, Attempt.Result.UNKNOWN)

#: What no decision is made by: half of an event, and not read for the thousands of a batch.
_UNASKED = (
    "subtype",
    "message_id",
    "action",
    "status",
    "diagnostic",
    "mta",
    "extra",
    "explanation",
    "created_at",
)


class Scene:
    """The events, deliveries and attempts of some subscribers (ids)."""

    def __init__(self, subscriber_ids: Collection[int]) -> None:
        people = Subscriber.objects.filter(pk__among=subscriber_ids).defer("attributes")
        self.subscribers = {row.pk: row for row in people}
        self.events = list(
            Event.objects.filter(subscriber_id__among=subscriber_ids, verdict__in=SETTLING)
            .defer(*_UNASKED)
            .order_by("occurred_at", "dedupe_key")
        )
        self._by_attempt: dict[tuple[int, int], list[Event]] = defaultdict(list)
        self._by_subscriber: dict[int, list[Event]] = defaultdict(list)
        self._incidents = _incidents(self.events)
        for event in self.events:
            self._by_attempt[event.delivery_id or 0, event.attempt_number].append(event)
            self._by_subscriber[event.subscriber_id or 0].append(event)

    @cached_property
    def deliveries(self) -> dict[int, Delivery]:
        """The mails that the events are about; read when first asked for, because the health of addresses never does."""
        found = {row.pk: row for row in Delivery.objects.filter(pk__among=self._delivery_ids())}
        # A batch has thousands of mails and few campaigns: one object for each campaign, not one for each mail.
        campaigns = Campaign.objects.in_bulk({row.campaign_id for row in found.values() if row.campaign_id})
        for row in found.values():
            row.campaign = campaigns.get(row.campaign_id or 0)
        return found

    @cached_property
    def sent_at(self) -> dict[tuple[int, int], datetime]:
        """(delivery, attempt) → when it was sent, of the mails that came back."""
        back = {event.delivery_id for event in self.events if event.delivery_id and event.verdict in JUDGED}
        attempts = Attempt.objects.filter(delivery_id__among=back)
        return {
            (pk, number): at for pk, number, at in attempts.values_list("delivery_id", "number", "started_at")
        }

    def _delivery_ids(self) -> set[int]:
        return {event.delivery_id for event in self.events if event.delivery_id}

    def events_of(self, subscriber_id: int) -> list[Event]:
        """The events of one subscriber, oldest first."""
        return self._by_subscriber.get(subscriber_id, [])

    def strongest(self, delivery_id: int, attempt: int) -> Event | None:
        """The report that counts for an attempt."""
        found = [
            event for event in self._by_attempt.get((delivery_id, attempt), []) if not is_harmless(event)
        ]
        return min(found, key=_rank, default=None)

    def counting(self, delivery: Delivery) -> Event | None:
        """The report that says what became of a delivery: of its newest attempt that SES has taken, as far as is known.

        Of an earlier attempt only while each newer one was refused, or is in doubt and the report asks for no retry.
        """
        in_doubt = False
        for attempt in range(delivery.attempts, 0, -1):
            if found := self.strongest(delivery.pk, attempt):
                return found if not in_doubt or found.verdict in _LAST_WORD else None
            if attempt == 1 or (result := self._results.get((delivery.pk, attempt))) not in _NOT_TAKEN:
                return None
            in_doubt = in_doubt or result == Attempt.Result.UNKNOWN
        return None

    @cached_property
    def _results(self) -> dict[tuple[int, int], str]:
        """(delivery, attempt) → what SES answered, of those that are not the first."""
        attempts = Attempt.objects.filter(delivery_id__among=self._delivery_ids(), number__gt=1)
        return {
            (pk, number): result
            for pk, number, result in attempts.values_list("delivery_id", "number", "result")
        }

    def complaint(self, delivery: Delivery) -> Event | None:
        """The first complaint about any attempt of a delivery."""
        for attempt in range(1, delivery.attempts + 1):
            event = self.strongest(delivery.pk, attempt)
            if event and event.verdict == "complaint":
                return event
        return None

    def mail_time(self, event: Event) -> datetime:
        """When the mail that ``event`` is about was sent."""
        return self.sent_at.get((event.delivery_id or 0, event.attempt_number), event.occurred_at)

    def is_forgiven(self, subscriber_id: int, at: datetime) -> bool:
        """Whether the person confirmed again, or was restored, after ``at``."""
        reset_at = self.subscribers[subscriber_id].reset_at
        return reset_at is not None and at < reset_at

    def is_old_news(self, event: Event) -> bool:
        """Whether a bounce is about a mail from before the person confirmed again or was restored."""
        pk = event.subscriber_id or 0
        if self.subscribers[pk].reset_at is None:
            return False
        return self.is_forgiven(pk, event.occurred_at) or self.is_forgiven(pk, self.mail_time(event))

    def failures_up_to(self, event: Event, verdicts: Collection[str]) -> int:
        """How many attempts of the delivery, up to the event's own, failed with one of ``verdicts``."""
        count = 0
        for attempt in range(1, event.attempt_number + 1):
            found = self.strongest(event.delivery_id or 0, attempt)
            count += found is not None and found.verdict in verdicts
        return count

    def delivered_before(self, event: Event) -> bool:
        """Whether the address took another mail before this event, with no bounce of that mail against it."""
        mine = (event.delivery_id, event.attempt_number)
        return any(
            at < event.occurred_at
            for key, at in self.arrived(event.subscriber_id or 0).items()
            if key != mine
        )

    def arrived(self, subscriber_id: int) -> dict[tuple[int | None, int], datetime]:
        """(delivery, attempt) → time of its Delivery event, where no bounce contradicts it."""
        events = self.events_of(subscriber_id)
        failed = {(event.delivery_id, event.attempt_number) for event in events if event.verdict in FAILED}
        return {
            key: event.occurred_at
            for event in events
            if event.verdict == "delivered"
            and (key := (event.delivery_id, event.attempt_number)) not in failed
        }

    def earlier(self, event: Event, *, verdict: str, reason: str = "") -> tuple[datetime, ...]:
        """Times of earlier reports about the same address with ``verdict`` (and ``reason``), of other attempts."""
        mine = (event.delivery_id, event.attempt_number)
        return tuple(
            other.occurred_at
            for other in self.events_of(event.subscriber_id or 0)
            if other.verdict == verdict
            and (not reason or other.reason == reason)
            and other.occurred_at < event.occurred_at
            and (other.delivery_id, other.attempt_number) != mine
        )

    def earlier_hard(self, event: Event) -> tuple[datetime, ...]:
        """Times of earlier hard bounces of the address, without those that an incident or a manager holds or drops."""
        mine = (event.delivery_id, event.attempt_number)
        return tuple(
            other.occurred_at
            for other in self.events_of(event.subscriber_id or 0)
            if other.verdict == "hard"
            and other.occurred_at < event.occurred_at
            and (other.delivery_id, other.attempt_number) != mine
            and self.standing(other) not in (Standing.HELD, Standing.DROPPED)
        )

    def listed_without_fault(self, event: Event) -> bool:
        """Whether the last report before ``event`` that made SES list the address says nothing against the person."""
        if event.verdict != "suppressed":
            return False
        earlier = [
            other
            for other in self.events_of(event.subscriber_id or 0)
            if other.occurred_at < event.occurred_at and is_listing(other)
        ]
        return bool(earlier) and (
            earlier[-1].verdict in FAULTLESS or self.standing(earlier[-1]) == Standing.DROPPED
        )

    def standing(self, event: Event) -> Standing:
        """What a manager, else an incident of the provider, says about a bounce.

        An incident speaks only about addresses that had been delivered before.
        """
        if event.ruling:
            return _RULED[Event.Ruling(event.ruling)]
        found = self.incident(event)
        return (
            _DECIDED[Incident.State(found.state)] if found and self.delivered_before(event) else Standing.NONE
        )

    def incident(self, event: Event) -> Incident | None:
        """The incident in whose time the event's provider sent it; an open one before those that were decided."""
        found = [
            row
            for row in self._incidents.get(providers.of_address(event.recipient), [])
            if row.started_at <= event.occurred_at < row.ended_at
        ]
        return min(found, key=lambda row: (row.state != Incident.State.OPEN, -row.pk), default=None)

    def campaigns(self, event: Event) -> list[tuple[datetime, bool, bool]]:
        """(time, bounced softly, arrived) of the address's campaign mails up to this event, oldest first."""
        arrived = self.arrived(event.subscriber_id or 0)
        mails: dict[int, tuple[datetime, bool, bool]] = {}
        for other in self.events_of(event.subscriber_id or 0):
            delivery = self.deliveries.get(other.delivery_id or 0)
            if delivery is None or delivery.purpose != Delivery.Purpose.CAMPAIGN:
                continue
            if other.occurred_at > event.occurred_at:
                continue
            at, soft, came = mails.get(delivery.pk, (delivery.created_at, False, False))
            came = came or (other.delivery_id, other.attempt_number) in arrived
            mails[delivery.pk] = (at, soft or other.verdict == "soft", came)
        return sorted(mails.values())


def _rank(event: Event) -> tuple[int, datetime, str]:
    return STRENGTH.index(event.verdict), event.occurred_at, event.dedupe_key


_RULED = {Event.Ruling.APPLY: Standing.BELIEVED, Event.Ruling.LEAVE: Standing.DROPPED}
_DECIDED = {
    Incident.State.OPEN: Standing.HELD,
    Incident.State.CONFIRMED: Standing.BELIEVED,
    Incident.State.RELEASED: Standing.DROPPED,
}


def _incidents(events: list[Event]) -> dict[str, list[Incident]]:
    """The incidents of the providers and the time of these bounces. Blocks say nothing about addresses."""
    bounced = [event for event in events if event.verdict in ("hard", "soft")]
    times = [event.occurred_at for event in bounced]
    names = {providers.of_address(event.recipient) for event in bounced}
    found: dict[str, list[Incident]] = defaultdict(list)
    if times:
        rows = Incident.objects.filter(
            kind=Incident.Kind.HARD,
            provider__in=names,
            started_at__lte=max(times),
            ended_at__gt=min(times),
        )
        for row in rows:
            found[row.provider].append(row)
    return found


def is_harmless(event: Event) -> bool:
    """Praise (type not-spam) and the like, though its kind is a complaint."""
    return event.verdict == "complaint" and event.reason in NO_COMPLAINT


def is_listing(event: Event) -> bool:
    """Whether SES puts the address on the account's suppression list because of it: whatever it calls permanent.

    What it swallowed changes nothing on that list, and what came by mail SES does not know.
    """
    if event.verdict == "complaint":
        return not is_harmless(event)
    return event.kind == "bounce" and event.type == "Permanent" and event.verdict != "suppressed"
