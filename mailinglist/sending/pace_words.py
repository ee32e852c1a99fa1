"""PURE. What the pace is and why, in plain data and in sentences. Called by ``pacing.explain``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mailinglist.sending.budget import (
    CALM_SECONDS,
    CAMPAIGN_SHARE,
    NO_CAMPAIGN,
    Budget,
    active,
    present_rate,
    present_rates,
    refilled,
)

#: (provider, mails a second, until, what it said)
Slow = tuple[str, float, datetime, str]


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that makes the pace what it is. ``slows``: sending would be faster without it."""

    code: str
    sentence: str
    slows: bool = True
    #: The same without numbers of the account or of others' campaigns; "": there are none in it.
    discreet: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Rates in mails a second. ``sending``: of the last moments; ``allowed``: the most now; ``limit``: what SES
    allows. None: without a limit, or not told. ``quota`` and ``used``: mails in 24 hours.
    """

    sending: float
    allowed: float | None
    limit: float | None
    quota: float | None
    used: float
    #: Campaigns that share the rate now.
    campaigns: int
    reasons: Sequence[Reason]
    #: ``sending`` by campaign id.
    rates: Mapping[int, float] = field(default_factory=dict)
    #: ``sending`` is of some campaigns only, and what else is sent is not told (``of_some``).
    partial: bool = False

    @property
    def slowed(self) -> bool:
        return any(reason.slows for reason in self.reasons)


NO_RATE_SENTENCE = (
    "Amazon SES allows this account no mail at all now: its sending rate is 0. Look into the SES console, under account "
    "health; sending goes on by itself when SES raises it."
)

BEFORE_THE_FIRST_MAIL = Explanation(
    sending=0.0,
    allowed=None,
    limit=None,
    quota=None,
    used=0.0,
    campaigns=0,
    reasons=(
        Reason(
            "not-asked", "Nothing was sent yet. SES is asked for its limits before the first mail.", False
        ),
    ),
)


def explain(budget: Budget, now: datetime, *, guard_text: str, slow: Sequence[Slow]) -> Explanation:
    """The pace of a budget as it was read at ``now``. ``slow``: the providers that are slowed."""
    held = budget.refilled_at > now
    current = budget if held else refilled(budget, now)
    waiting = held or (budget.quota_until is not None and budget.quota_until > now) or _quota_is_used(current)
    allowed = None if current.unlimited_rate else current.rate * current.guard_factor
    sharing = [key for key in active(current, now) if key != NO_CAMPAIGN]
    return Explanation(
        sending=round(present_rate(current, now), 2),
        allowed=0.0 if waiting else allowed,
        limit=None if current.unlimited_rate else current.max_send_rate,
        quota=None if current.max_24_hour < 0 else current.max_24_hour,
        used=current.sent_24_hour,
        campaigns=len(sharing),
        reasons=[
            *_account(current, now, held),
            *_guard(current, guard_text),
            *_sharing(sharing),
            *_slow(slow),
        ],
        rates={key: round(rate, 2) for key, rate in present_rates(current, now).items()},
    )


def of_some(told: Explanation, campaigns: Collection[int]) -> Explanation:
    """The same for who may know of these campaigns (ids) and nothing of others, nor of the account's sums."""
    rates = {key: rate for key, rate in told.rates.items() if key in campaigns}
    return replace(
        told,
        sending=round(sum(rates.values()), 2),
        quota=None,
        used=0.0,
        campaigns=len(rates),
        reasons=[replace(reason, sentence=reason.discreet or reason.sentence) for reason in told.reasons],
        rates=rates,
        partial=True,
    )


def _account(budget: Budget, now: datetime, held: bool) -> list[Reason]:
    found = [_limit(budget)]
    if held:
        found.append(
            Reason(
                "ses-unavailable",
                f"Amazon SES did not answer, so it is left alone until {_clock(budget.refilled_at)}. Sending goes on by "
                "itself.",
            )
        )
    if budget.quota_until and budget.quota_until > now:
        found.append(
            Reason(
                "quota",
                "Amazon SES refused a mail because the quota of 24 hours is used up. It is tried again at "
                f"{_clock(budget.quota_until)}.",
            )
        )
    elif _quota_is_used(budget):
        found.append(
            Reason(
                "quota",
                f"{budget.sent_24_hour:,.0f} of {budget.max_24_hour:,.0f} mails of the last 24 hours are used; the rest "
                "is kept for confirmations. Sending goes on by itself when there is room.",
                discreet="The mails that Amazon SES allows this account in 24 hours are used; the rest is kept for "
                "confirmations. Sending goes on by itself when there is room.",
            )
        )
    if budget.factor < 1 and not budget.unlimited_rate:
        found.append(Reason("throttled", _throttled(budget, now)))
    return found


def _limit(budget: Budget) -> Reason:
    if budget.unlimited_rate:
        return Reason("limit", "Amazon SES sets no rate for this account.", False)
    if budget.max_send_rate == 0:
        return Reason("no-rate", NO_RATE_SENTENCE)
    day = "no quota" if budget.max_24_hour < 0 else f"{budget.max_24_hour:,.0f} in 24 hours"
    return Reason(
        "limit", f"Amazon SES allows this account {_rate(budget.max_send_rate)}, and {day}.", slows=False
    )


def _throttled(budget: Budget, now: datetime) -> str:
    share = f"{100 * budget.factor:.0f} %"
    if budget.throttled_at is None:
        return f"After a limit that SES lowered, the pace is at {share} of it, and rises."
    seconds = (now - budget.throttled_at).total_seconds()
    rises = "rises by itself" if seconds > CALM_SECONDS else "rises again when SES stays calm"
    return (
        f"SES said {_ago(seconds)} that mails came too fast. The pace is at {share} of the limit and {rises}."
    )


def _guard(budget: Budget, text: str) -> list[Reason]:
    if budget.guard_factor == 1:
        return []
    discreet = (
        "The bounces or complaints of all lists together come near what Amazon SES accepts. Sending goes on at "
        f"{budget.guard_factor:.0%} of its pace until this is better."
    )
    return [Reason("reputation", text, discreet=discreet)]


def _sharing(campaigns: Sequence[int]) -> list[Reason]:
    if len(campaigns) < 2:
        return []
    sentence = f"{len(campaigns)} campaigns are sending now; each gets the same part."
    discreet = "More than one campaign of this installation is sending now; each gets the same part."
    return [Reason("shared", sentence, False, discreet)]


def _slow(slow: Sequence[Slow]) -> list[Reason]:
    return [
        Reason(
            "provider",
            f"{provider} gets at most {_rate(per_second)} until {_clock(until)}. {why}".strip(),
        )
        for provider, per_second, until, why in slow
    ]


def _quota_is_used(budget: Budget) -> bool:
    return 0 <= budget.max_24_hour * CAMPAIGN_SHARE < budget.sent_24_hour + 1


def _rate(per_second: float) -> str:
    if 0 < per_second < 1 / 60:
        return f"{per_second * 3600:,.0f} mails an hour"
    if per_second >= 1:
        return f"{per_second:,.0f} mails a second" if per_second != 1 else "1 mail a second"
    return f"{per_second * 60:,.0f} mails a minute"


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S} UTC"


def _ago(seconds: float) -> str:
    if seconds < 90:
        return f"{max(0, seconds):.0f} s ago"
    return f"{seconds / 60:.0f} minutes ago"
