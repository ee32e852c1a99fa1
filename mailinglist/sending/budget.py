"""PURE. How many mails may go now: decisions on the account's budget, without a database or a clock.

Used by ``pacing.py``, which keeps the budget in one row. Permits are handed out up to a second ahead, evenly spaced, so
that no second sees more than the account's rate. Who may reach how far ahead is the order of precedence: mail that a
person waits for reaches the whole second; a campaign leaves the last 5 % of it free, so that such mail finds a place at
once; a campaign that has had its fair part takes only what nobody else has asked for.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailinglist import aws

QUOTA, UNAVAILABLE, NO_RATE, RATE = "quota", "ses-unavailable", "no-rate", "rate"
#: Permits reach so many seconds ahead.
HORIZON = 1.0
#: At a very low rate, too, no permit is so far ahead that the lease of its row might end before it.
FURTHEST = 15.0
#: Share of a second's permits that may be used at once after a pause.
BURST = 0.1
#: Share of the quota, and of a second's permits, that campaigns may use.
CAMPAIGN_SHARE = 0.95
QUOTA_SECONDS = 60.0
#: No hold and no permit puts a time of the budget further ahead.
MOST_AHEAD = timedelta(seconds=120)
MIN_FACTOR, CALM_SECONDS, GROWTH_PER_SECOND = 0.1, 5.0, 0.02
#: The factor at which SES said no is called the ceiling. Around it, by so much, the pace grows so much slower; and a no
#: there takes a tenth off and not a half, or a little more while the last no is fresh.
AROUND, SLOWER, A_LITTLE_LESS, LESS = 0.1, 0.05, 0.9, 0.85
#: A campaign shares the rate with others for so many seconds after it last asked for permits.
ACTIVE_SECONDS = 3.0
#: Mails of the last moments, from which the present rate is told, are forgotten at this pace.
RECENT_SECONDS = 5.0
#: Key of the mail without a campaign among the takers.
NO_CAMPAIGN = 0


@dataclass(frozen=True, slots=True)
class Taker:
    """What one campaign has had. ``debt``: permits that its part has not paid for yet; ``recent``: the mails of
    the last moments.
    """

    debt: float
    recent: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Budget:
    """The fields of the SendBudget row that decisions are made of."""

    max_send_rate: float
    max_24_hour: float
    sent_24_hour: float
    tokens: float
    refilled_at: datetime
    factor: float = 1.0
    #: The factor at which SES last throttled; 0: it never did, or long ago.
    ceiling: float = 0.0
    throttled_at: datetime | None = None
    quota_until: datetime | None = None
    #: When SES last told the account's limits; None: it is to be asked.
    fetched_at: datetime | None = None
    #: Share of the rate that campaigns are left by the reputation guard.
    guard_factor: float = 1.0
    takers: Mapping[int, Taker] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.max_send_rate * self.factor

    @property
    def unlimited_rate(self) -> bool:
        return self.max_send_rate < 0


@dataclass(frozen=True, slots=True)
class Permit:
    """``granted`` recipients may be posted, the i-th after ``delays[i]`` seconds; none: ask after
    wait_seconds. ``slowed``: some provider is to get its mails more slowly (``providers.py``).
    """

    granted: int
    wait_seconds: float = 0
    why: str = ""
    delays: tuple[float, ...] = ()
    slowed: bool = False


def decide(
    budget: Budget,
    n: int,
    now: datetime,
    *,
    share: float,
    campaign_id: int = NO_CAMPAIGN,
    part: float = 1.0,
) -> tuple[Permit, Budget]:
    """How many of ``n`` permits a refilled budget grants, and the budget afterwards.

    ``share``: how much of quota and horizon the taker may use, 1 for mail that a person waits for. ``part``:
    the most of the rate that this campaign may have (less than 1 while the reputation guard slows it).
    """
    if budget.quota_until and budget.quota_until > now:
        return Permit(0, (budget.quota_until - now).total_seconds(), QUOTA), budget
    if budget.refilled_at > now:
        return Permit(0, (budget.refilled_at - now).total_seconds(), UNAVAILABLE), budget
    room = n if budget.max_24_hour < 0 else math.floor(budget.max_24_hour * share - budget.sent_24_hour)
    if room <= 0:
        return Permit(0, QUOTA_SECONDS, QUOTA), budget
    if budget.unlimited_rate:
        granted = min(n, room)
        return Permit(granted, delays=(0.0,) * granted), _used(budget, granted, campaign_id, now, math.inf)
    if budget.rate <= 0:
        return Permit(0, QUOTA_SECONDS, NO_RATE), budget
    ahead, own = _ahead(budget.rate, share), math.inf
    if campaign_id != NO_CAMPAIGN:
        most = part * budget.guard_factor * budget.rate
        fair = fair_rate(budget, campaign_id, now)
        own = min(most, fair)
        left = math.floor(max(1.0, own * HORIZON) - _debt(budget, campaign_id, now, own) + 1e-9)
        if left > 0:
            room = min(room, left) if own < budget.rate else room
        elif most < budget.rate:
            # The guard's part is a limit: what others leave is not for this campaign.
            return _asked(budget, campaign_id, now, own, 1 / own)
        elif fair < budget.rate:
            ahead = 0.0
    granted = min(n, room, math.floor(budget.tokens + ahead + 1e-9))
    if granted <= 0:
        return _asked(budget, campaign_id, now, own, (1 - ahead - budget.tokens) / budget.rate)
    delays = tuple(max(0.0, (i + 1 - budget.tokens) / budget.rate) for i in range(granted))
    return Permit(granted, delays=delays), _used(budget, granted, campaign_id, now, own)


def refilled(budget: Budget, now: datetime) -> Budget:
    """The budget as time has refilled it by ``now``."""
    elapsed = (now - budget.refilled_at).total_seconds()
    if elapsed <= 0:
        return budget
    calm = budget.throttled_at is None or now - budget.throttled_at > timedelta(seconds=CALM_SECONDS)
    factor = _grown(budget.factor, budget.ceiling, elapsed) if calm else budget.factor
    ceiling = budget.ceiling if factor <= budget.ceiling * (1 + AROUND) else 0.0
    grown = replace(budget, factor=factor, ceiling=ceiling, refilled_at=now)
    return capped(replace(grown, tokens=budget.tokens + elapsed * max(0.0, grown.rate)))


def without_future(budget: Budget, now: datetime) -> Budget:
    """The budget after the clock of the database was set back: times that lie further ahead than we ever put them are
    now, or forgotten. Else nothing would be sent, and SES not be asked, until the old time comes again.
    """
    end = now + MOST_AHEAD

    def near(at: datetime | None) -> datetime | None:
        return None if at and at > end else at

    takers = budget.takers
    if any(taker.at > end for taker in takers.values()):
        takers = {key: taker for key, taker in takers.items() if taker.at <= end}
    return replace(
        budget,
        refilled_at=near(budget.refilled_at) or now,
        throttled_at=near(budget.throttled_at),
        quota_until=near(budget.quota_until),
        fetched_at=near(budget.fetched_at),
        takers=takers,
    )


def slowed(budget: Budget, now: datetime) -> Budget:
    """The budget after SES throttled: at half the pace, or near the ceiling a little below it."""
    since = now - budget.throttled_at if budget.throttled_at else None
    if since is not None and since < timedelta(seconds=1):
        return budget
    fresh = since is not None and since <= timedelta(seconds=CALM_SECONDS)
    known = 0 < budget.factor <= budget.ceiling * (1 + AROUND)
    if not known or (fresh and budget.factor < budget.ceiling * A_LITTLE_LESS * A_LITTLE_LESS):
        kept = 0.5
    else:
        kept = LESS if fresh else A_LITTLE_LESS
    return replace(_at(budget, kept, now), ceiling=budget.factor)


def halved(budget: Budget, now: datetime) -> Budget:
    """The budget after SES did not answer, which says nothing about its limit."""
    return _at(budget, 0.5, now)


def informed(budget: Budget, account: "aws.Account") -> Budget:
    """The budget with what SES says about the account. A changed rate starts at its full."""
    same = account.max_send_rate == budget.max_send_rate
    has_room = account.max_24_hour_send < 0 or account.sent_last_24_hours < account.max_24_hour_send
    return capped(
        replace(
            budget,
            max_send_rate=account.max_send_rate,
            max_24_hour=account.max_24_hour_send,
            sent_24_hour=account.sent_last_24_hours,
            factor=budget.factor if same else 1.0,
            ceiling=budget.ceiling if same else 0.0,
            quota_until=None if has_room else budget.quota_until,
        )
    )


def returned(budget: Budget, n: int, campaign_id: int, now: datetime) -> Budget:
    """The budget after ``n`` permits came back unused. Who used none has asked for nothing."""
    takers = dict(budget.takers)
    if taker := takers.pop(campaign_id, None):
        debt, recent = max(0.0, taker.debt - n), max(0.0, taker.recent - n)
        if recent > 0.01:
            takers[campaign_id] = Taker(debt, recent, taker.at)
    sent = max(0, budget.sent_24_hour - n)
    tokens = budget.tokens if budget.unlimited_rate else budget.tokens + n
    return capped(replace(budget, tokens=tokens, sent_24_hour=sent, takers=takers))


def capped(budget: Budget) -> Budget:
    """No more permits saved up than may be used at once."""
    most = 0.0 if budget.unlimited_rate else max(1.0, budget.rate * BURST)
    return replace(budget, tokens=min(budget.tokens, most, max(0.0, budget.max_send_rate + 1)))


def active(budget: Budget, now: datetime) -> dict[int, Taker]:
    """Who asked for permits lately; key NO_CAMPAIGN for mail without a campaign."""
    # At less than one mail a second, who waits for its turn asks less often.
    seconds = max(ACTIVE_SECONDS, 3 * len(budget.takers) / max(budget.rate, 0.001))
    if budget.unlimited_rate:
        seconds = ACTIVE_SECONDS
    return {key: taker for key, taker in budget.takers.items() if (now - taker.at).total_seconds() < seconds}


def fair_rate(budget: Budget, campaign_id: int, now: datetime) -> float:
    """The campaign's part of the rate when all campaigns that send now get the same."""
    sharing = {key for key in active(budget, now) if key != NO_CAMPAIGN} | {campaign_id}
    return budget.rate / len(sharing)


def present_rate(budget: Budget, now: datetime) -> float:
    """Mails a second over the last moments, of all takers."""
    return sum(present_rates(budget, now).values())


def present_rates(budget: Budget, now: datetime) -> dict[int, float]:
    """The same by campaign id."""
    return {key: _recent(taker, now) / RECENT_SECONDS for key, taker in budget.takers.items()}


def _at(budget: Budget, kept: float, now: datetime) -> Budget:
    factor = max(MIN_FACTOR, budget.factor * kept)
    return replace(budget, factor=factor, tokens=min(budget.tokens, 0.0), throttled_at=now)


def _grown(factor: float, ceiling: float, elapsed: float) -> float:
    """The factor after ``elapsed`` calm seconds: quickly to the neighbourhood of the ceiling, slowly through it, quickly
    on. Without one, quickly all the way.
    """
    low, high = ceiling * (1 - AROUND), ceiling * (1 + AROUND)
    for until, pace in ((low, 1.0), (high, SLOWER * ceiling), (1.0, 1.0)):
        if ceiling and until > factor:
            seconds = (until - factor) / (GROWTH_PER_SECOND * pace)
            if seconds >= elapsed:
                return min(1.0, factor + elapsed * GROWTH_PER_SECOND * pace)
            factor, elapsed = until, elapsed - seconds
    return min(1.0, factor + GROWTH_PER_SECOND * elapsed)


def _ahead(rate: float, share: float) -> float:
    # At a mail a second, too, there is one place for the campaign and one behind it.
    whole = min(max(2.0, rate * HORIZON), rate * FURTHEST)
    return whole if share >= 1 else max(0.0, min(whole - 1, whole * share))


def _debt(budget: Budget, campaign_id: int, now: datetime, own: float) -> float:
    taker = budget.takers.get(campaign_id)
    return max(0.0, taker.debt - (now - taker.at).total_seconds() * own) if taker else 0.0


def _recent(taker: Taker, now: datetime) -> float:
    return taker.recent * math.exp(-max(0.0, (now - taker.at).total_seconds()) / RECENT_SECONDS)


def _asked(
    budget: Budget, campaign_id: int, now: datetime, own: float, seconds: float
) -> tuple[Permit, Budget]:
    return Permit(0, max(0.001, min(seconds, 60.0)), RATE), _used(budget, 0, campaign_id, now, own)


def _used(budget: Budget, n: int, campaign_id: int, now: datetime, own: float) -> Budget:
    tokens = budget.tokens if budget.unlimited_rate else budget.tokens - n
    takers = active(budget, now)
    before = takers.get(campaign_id)
    recent = (_recent(before, now) if before else 0.0) + n
    debt = 0.0
    if own < math.inf:
        # Spare permits that nobody wanted are not held against a campaign for longer than a moment.
        debt = min(_debt(budget, campaign_id, now, own) + n, max(2.0, own * HORIZON + 1))
    takers[campaign_id] = Taker(debt, recent, now)
    return replace(budget, tokens=tokens, sent_24_hour=budget.sent_24_hour + n, takers=takers)
