"""What another policy would have done: the last ninety days of stored events, judged again. Changes nothing.

Called by ``simulate_policy`` and by the page of the policies. The same pure policy decides as in earnest, with the same
incidents and the same word of managers; only the numbers are others. What mails would have been sent or not after an
earlier end cannot be known, so every report that came is judged as it came.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from bounces import judgement, policy
from bounces.history import JUDGED, Scene, is_harmless
from bounces.list_events import of_list
from bounces.models import Event, Policy
from mailinglist.models import MailingList

DAYS = 90
#: So many names of each kind are kept; the counts are complete.
NAMES = 200
#: People per batch: the memory that a run needs does not grow with the number of events.
BATCH = 200
#: What may be set, in the order of the form.
FIELDS = (
    "soft_retry_days",
    "soft_exhausted_unsubscribes",
    "block_retry_days",
    "hold_hours",
    "repeated_soft",
    "repeated_window",
    "repeated_days",
)


class TooManyReports(Exception):
    """More than somebody can wait for."""


class BadSetting(ValueError):
    """A value that a policy cannot have; the message names it and says what is allowed."""


@dataclass(frozen=True, slots=True)
class Fate:
    """One person, and the sentence of the policy that would have ended their subscription."""

    email: str
    subscriber_id: int
    why: str


@dataclass(slots=True)
class Comparison:
    """People whose mails of the list bounced; how many each policy ends; who differs (at most NAMES each)."""

    people: int = 0
    events: int = 0
    ended_now: int = 0
    ended_then: int = 0
    kept: int = 0
    dropped: int = 0
    kept_names: list[Fate] = field(default_factory=list)
    dropped_names: list[Fate] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class _Proposed(judgement.Rulebook):
    """The stored policies, but another one for one list."""

    def __init__(self, stored: judgement.Rulebook, list_id: int, rules: policy.Rules) -> None:
        self._of = {**stored._of, list_id: rules}


def current(mailing_list: MailingList) -> Policy:
    """The policy that holds for a list now, as an unsaved copy."""
    found = (
        Policy.objects.filter(list=mailing_list).first() or Policy.objects.filter(list__isnull=True).first()
    )
    builtin = policy.Rules()
    values = {name: getattr(found or builtin, name) for name in FIELDS}
    return Policy(**{**values, "soft_retry_days": list(values["soft_retry_days"])})


def changed(base: Policy, settings: Sequence[str]) -> Policy:
    """``base`` with ``key=value`` settings, unsaved. Raises BadSetting."""
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in FIELDS:
            raise BadSetting(f"{setting!r}: write key=value with one of {', '.join(FIELDS)}.")
        try:
            setattr(base, name, _value(name, text.strip()))
            base.clean_fields(exclude=["list"])
        except (ValidationError, ValueError) as error:
            words = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            raise BadSetting(f"{setting!r}: {words}") from error
    if base.repeated_soft > base.repeated_window:
        raise BadSetting(
            f"repeated_soft={base.repeated_soft} is more than repeated_window={base.repeated_window}."
        )
    return base


def compare(
    mailing_list: MailingList,
    proposed: Policy,
    *,
    now: datetime | None = None,
    progress: Callable[[Comparison], None] | None = None,
    most: int | None = None,
) -> Comparison:
    """The present policy of a list against ``proposed`` (unsaved), over the reports of the last DAYS days.

    Raises TooManyReports for more than ``most`` of them.
    """
    since = (now or timezone.now()) - timedelta(days=DAYS)
    reports = of_list(Event.objects.filter(verdict__in=JUDGED, occurred_at__gte=since), mailing_list.pk)
    if most is not None and reports.order_by()[: most + 1].count() > most:
        raise TooManyReports
    present = judgement.Rulebook()
    other = _Proposed(present, mailing_list.pk, judgement.rules_of(proposed))
    done = Comparison()
    for people in _batches(reports):
        scene = Scene(people)
        for subscriber_id in people:
            _compare_one(scene, subscriber_id, mailing_list.pk, since, present, other, done)
        if progress:
            progress(done)
    return done


def _compare_one(
    scene: Scene,
    subscriber_id: int,
    list_id: int,
    since: datetime,
    present: judgement.Rulebook,
    other: judgement.Rulebook,
    done: Comparison,
) -> None:
    events = [
        event
        for event in scene.events_of(subscriber_id)
        if event.occurred_at >= since
        and event.verdict in JUDGED
        and not is_harmless(event)
        and (delivery := scene.deliveries.get(event.delivery_id or 0)) is not None
        and delivery.list_id == list_id
    ]
    now, then = _end(events, scene, present), _end(events, scene, other)
    done.people += 1
    done.events += len(events)
    done.ended_now += bool(now)
    done.ended_then += bool(then)
    email = scene.subscribers[subscriber_id].email
    if now and not then:
        done.kept += 1
        _add(done.kept_names, Fate(email, subscriber_id, now))
    if then and not now:
        done.dropped += 1
        _add(done.dropped_names, Fate(email, subscriber_id, then))


def _end(events: Sequence[Event], scene: Scene, rules: judgement.Rulebook) -> str:
    """The sentence of the first report that ends the subscription, or ""."""
    for event in events:
        decision = judgement.decide(event, scene, rules)
        if decision.effect.startswith("unsubscribe") and not decision.held:
            return decision.sentence
    return ""


def _batches(reports: QuerySet[Event]) -> Iterator[list[int]]:
    last = 0
    while True:
        rows = reports.filter(subscriber_id__gt=last)
        people = list(
            rows.order_by("subscriber_id").values_list("subscriber_id", flat=True).distinct()[:BATCH]
        )
        if not people:
            return
        yield people
        last = people[-1]


def _value(name: str, text: str) -> object:
    if name == "soft_retry_days":
        return [_number(part) for part in text.replace(" ", "").split(",") if part]
    if name == "soft_exhausted_unsubscribes":
        known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() not in known:
            raise ValueError("write true or false.")
        return known[text.lower()]
    if name.startswith("repeated"):
        return int(text)
    return _number(text)


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number that can be counted with.")
    return number


def _add(names: list[Fate], fate: Fate) -> None:
    if len(names) < NAMES:
        names.append(fate)
