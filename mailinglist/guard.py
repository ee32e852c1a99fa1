"""The reputation guard: slows and pauses before Amazon SES does.

Called by the sweep. SES reviews an account at 5 % hard bounces or 0.1 % complaints and may stop it for all lists. Here a
campaign is slowed at 2 % or 0.05 % and paused at 4 % or 0.08 % (settings GUARD_*), by its own numbers; by those of the
account over GUARD_WINDOW_HOURS all campaigns are. A canary is awaited and judged here too. What a manager has seen and
resumed after is not held against a campaign again: only what comes on top.
"""

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count

from mailinglist import lifecycle, reputation
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, Delivery, SendBudget
from mailinglist.reputation import Numbers

Status, State = Campaign.Status, Delivery.State
#: Share of its rate that is left to what the guard slows.
SLOW_FACTOR = 0.25
#: One person's click is no rate.
LEAST_COMPLAINTS = 2
REPUTATION, ACCOUNT, CANARY = "reputation", "account-reputation", "canary"
FINE, SLOW, PAUSE = 0, 1, 2
#: States of a mail about which no server has said anything yet, or that SES did not take.
_NOTHING_BACK = (State.QUEUED, State.SENDING, State.SENT, State.UNKNOWN, State.FAILED)


@dataclass(frozen=True, slots=True)
class Finding:
    """How bad it is (FINE, SLOW or PAUSE), and the sentence for it: rate, threshold, what to do."""

    level: int = FINE
    sentence: str = ""


def judge(numbers: Numbers, *, whose: str, least: int | None = None) -> Finding:
    """What numbers mean. Fewer mails than ``least`` (None: GUARD_MIN_RECIPIENTS) mean nothing: they are not
    representative for SES either.
    """
    if numbers.accepted < (settings.GUARD_MIN_RECIPIENTS if least is None else least):
        return Finding()
    complaint_rate = numbers.complaint_rate if numbers.complaints >= LEAST_COMPLAINTS else 0.0
    bounces = _level(numbers.bounce_rate, settings.GUARD_BOUNCE_SLOW, settings.GUARD_BOUNCE_PAUSE)
    complaints = _level(complaint_rate, settings.GUARD_COMPLAINT_SLOW, settings.GUARD_COMPLAINT_PAUSE)
    level = max(bounces, complaints)
    if level == FINE:
        return Finding()
    said = []
    if bounces == level:
        limit = settings.GUARD_BOUNCE_PAUSE if level == PAUSE else settings.GUARD_BOUNCE_SLOW
        said.append(
            f"{_percent(numbers.bounce_rate)} of {whose} bounced hard ({numbers.hard} of {numbers.accepted}; the limit "
            f"is {_percent(limit)}, and Amazon SES reviews an account at 5 %)."
        )
    if complaints == level:
        limit = settings.GUARD_COMPLAINT_PAUSE if level == PAUSE else settings.GUARD_COMPLAINT_SLOW
        reached = numbers.delivered or numbers.accepted - numbers.hard
        said.append(
            f"{_percent(complaint_rate)} of {whose} were reported as spam ({numbers.complaints} of {reached}; the limit "
            f"is {_percent(limit)}, and Amazon SES reviews an account at 0.1 %)."
        )
    act = _PAUSED if level == PAUSE else _SLOWED
    return Finding(level, " ".join([*said, act]))


_PAUSED = (
    "Sending stopped before Amazon SES stops the whole account. Look where these addresses come from, take away what "
    "is old or was bought, then resume; what is known now is not held against it again."
)
_SLOWED = f"Sending goes on at {SLOW_FACTOR:.0%} of its pace until this is better."


def watch() -> None:
    """Look at the account and at every campaign that is sending; slow, pause, or let go."""
    sending = list(Campaign.objects.filter(status=Status.SENDING).order_by("pk"))
    if not sending and not SendBudget.objects.filter(guard_factor__lt=1).exists():
        return
    if not _watch_account(sending):
        return
    for campaign in sending:
        if campaign.canary_last_id is not None:
            _watch_canary(campaign)
        else:
            _watch_campaign(campaign)


def _watch_campaign(campaign: Campaign) -> None:
    numbers = reputation.of_campaign(campaign).since(campaign.guard_seen)
    finding = judge(numbers, whose="this campaign's mails")
    if finding.level == PAUSE:
        lifecycle.pause(campaign.pk, reason=REPUTATION, text=finding.sentence, by=SYSTEM)
        return
    lifecycle.slow(
        campaign.pk, factor=SLOW_FACTOR if finding.level else 1.0, text=finding.sentence, by=SYSTEM
    )


def _watch_account(sending: list[Campaign]) -> bool:
    """False when everything was paused."""
    budget = SendBudget.objects.order_by("-refilled_at").first()
    if budget is None:
        return True
    window = timedelta(hours=settings.GUARD_WINDOW_HOURS)
    numbers = reputation.of_account(_now(), window=window, since=budget.guard_since)
    finding = judge(numbers, whose=f"all mails of the last {settings.GUARD_WINDOW_HOURS:g} hours")
    factor = SLOW_FACTOR if finding.level else 1.0
    SendBudget.objects.filter(pk=budget.pk).exclude(guard_factor=factor, guard_text=finding.sentence).update(
        guard_factor=factor, guard_text=finding.sentence
    )
    if finding.level == PAUSE:
        for campaign in sending:
            lifecycle.pause(campaign.pk, reason=ACCOUNT, text=finding.sentence, by=SYSTEM)
    return finding.level != PAUSE


def _watch_canary(campaign: Campaign) -> None:
    """Wait until the first mails have left and their events had time to come; then let the rest go, or pause."""
    rows = Delivery.objects.filter(campaign_id=campaign.pk, pk__lte=campaign.canary_last_id)
    numbers = reputation.of_campaign(campaign).since(campaign.guard_seen)
    over = campaign.canary_until is not None and campaign.canary_until <= _now()
    # At the end the first mails are judged by what they are, also where some of them did not leave.
    finding = judge(numbers, whose="the first mails", least=1 if over else None)
    if finding.level:
        _stop_canary(campaign, finding.sentence.removesuffix(_SLOWED).removesuffix(_PAUSED))
    elif campaign.canary_until is None:
        if not rows.filter(state__in=[State.QUEUED, State.SENDING]).exists():
            lifecycle.await_canary(campaign.pk, minutes=campaign.canary_minutes)
    elif over:
        states = Counter(dict(rows.values_list("state").annotate(Count("pk"))))
        if sentence := _too_little(states, numbers):
            _stop_canary(campaign, sentence)
        else:
            lifecycle.release_canary(
                campaign.pk,
                why=f"The first {numbers.accepted} mails did well: {numbers.hard} hard bounces, "
                f"{numbers.complaints} complaints. The rest follows.",
                by=SYSTEM,
            )


def _too_little(states: Counter[str], numbers: Numbers) -> str:
    """Why nobody can tell how the first mails did, by their states; '' when enough is known: a report about half of those
    that were to leave.
    """
    tried = sum(states.values()) - states[State.SKIPPED] - states[State.CANCELLED]
    reported = tried - sum(states[state] for state in _NOTHING_BACK)
    if tried and 2 * reported >= tried:
        return ""
    if numbers.accepted and not reported:
        return (
            f"Not one report came back for the first {numbers.accepted} mails, so nobody can tell how they did. "
            "Look whether the events of SES reach this installation."
        )
    if not tried:
        return "None of the first mails left: everybody had left the list or was suppressed. So nothing is known."
    return (
        f"Only {reported} of the first {tried} mails have a report, so nobody can tell how they did: Amazon SES refused "
        f"{states[State.FAILED]} and gave no answer to {states[State.UNKNOWN]}. Look at their reasons."
    )


def _stop_canary(campaign: Campaign, sentence: str) -> None:
    text = f"{sentence.strip()} Nobody else got the mail yet. Resume sends it to the rest; cancel ends it."
    lifecycle.pause(campaign.pk, reason=CANARY, text=text, by=SYSTEM)


def _level(rate: float, slow: float, pause: float) -> int:
    return PAUSE if rate >= pause else SLOW if rate >= slow else FINE


def _percent(rate: float) -> str:
    digits = 1 if rate >= 0.01 or rate == 0 else 1 - math.floor(math.log10(rate * 100))
    return f"{rate * 100:.{digits}f}".rstrip("0").rstrip(".") + " %"


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
