"""How fast and how much: one budget of the SES account and region, shared by all processes through one row.

Called by the engine before each claim. A permit is the right to post one recipient at a given moment: permits
are handed out up to a second ahead, evenly spaced, so that no second sees more than the account's rate. The
rate comes from GetAccount (asked once a minute, outside any transaction) times a factor that is halved when
SES throttles and grows back slowly. Of the 24-hour quota, 5 % are kept for mail that a person waits for
(confirmations). Times are the database's.

The decisions are pure functions on a ``Budget``; the row is only locked around them.
"""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from mailinglist import aws
from mailinglist.models import SendBudget
from mailinglist.sending.hot import hot_cursor

logger = logging.getLogger(__name__)

QUOTA, UNAVAILABLE, RATE = "quota", "ses-unavailable", "rate"
#: Permits reach so many seconds ahead.
HORIZON = 1.0
#: Share of a second's permits that may be used at once after a pause.
BURST = 0.1
#: Share of the quota that campaigns may use.
CAMPAIGN_SHARE = 0.95
#: GetAccount is asked again after so many seconds, and after a failure.
ACCOUNT_SECONDS, ACCOUNT_RETRY_SECONDS = 60, 10
QUOTA_SECONDS = 60.0
MIN_FACTOR, CALM_SECONDS, GROWTH_PER_SECOND = 0.1, 5.0, 0.02


@dataclass(frozen=True, slots=True)
class Budget:
    """The fields of the SendBudget row that decisions are made of."""

    max_send_rate: float
    max_24_hour: float
    sent_24_hour: float
    tokens: float
    refilled_at: datetime
    factor: float = 1.0
    throttled_at: datetime | None = None
    quota_until: datetime | None = None
    #: When SES last told the account's limits; None: it is to be asked.
    fetched_at: datetime | None = None

    @property
    def rate(self) -> float:
        return self.max_send_rate * self.factor

    @property
    def unlimited_rate(self) -> bool:
        return self.max_send_rate < 0


_FIELDS = tuple(field.name for field in fields(Budget))
_ACCOUNT_AGE = timedelta(seconds=ACCOUNT_SECONDS)
_READ = (
    f"SELECT {', '.join(_FIELDS)}, clock_timestamp() FROM mailinglist_sendbudget WHERE name = %s FOR UPDATE"  # noqa: S608
)
_SET = ", ".join(
    f"{name} = %s::{'timestamptz' if name.endswith(('_at', '_until')) else 'float'}" for name in _FIELDS
)
_WRITE = f"UPDATE mailinglist_sendbudget SET {_SET} WHERE name = %s"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Permit:
    """``granted`` recipients may be posted, the i-th after ``delays[i]`` seconds; none: ask after
    wait_seconds.
    """

    granted: int
    wait_seconds: float = 0
    why: str = ""
    delays: tuple[float, ...] = ()


def take(n: int, *, urgent: bool = False, get_account: Callable[[], aws.Account] | None = None) -> Permit:
    """Up to ``n`` permits. ``urgent``: mail that a person waits for, which may use the whole quota."""
    share = 1.0 if urgent else CAMPAIGN_SHARE
    permit = _take(n, share)
    if permit is None:
        _ask_account(get_account or aws.get_account)
        permit = _take(n, share, whatever_age=True)
    return permit or Permit(0, ACCOUNT_RETRY_SECONDS, UNAVAILABLE)


def give_back(n: int) -> None:
    """Permits that were not used."""
    if n:
        with _locked() as (found, now):
            budget = refilled(found, now)
            sent = max(0, budget.sent_24_hour - n)
            _write(_capped(replace(budget, tokens=budget.tokens + n, sent_24_hour=sent)))


def throttled() -> None:
    """SES said: too fast. Halve the factor, once for answers that come together, and ask for the rate anew."""
    with _locked() as (budget, now):
        _write(replace(slowed(refilled(budget, now), now), fetched_at=None))


def refused_for_quota() -> None:
    """SES said: the quota of 24 hours is used up. Nothing is sent until there is room again."""
    with _locked() as (budget, now):
        _write(replace(budget, quota_until=now + timedelta(seconds=QUOTA_SECONDS)))


def hold(seconds: float) -> None:
    """SES does not answer: no permits for so long, for any process, and then few at first."""
    with _locked() as (found, now):
        budget = slowed(refilled(found, now), now)
        until = max(budget.refilled_at, now + timedelta(seconds=seconds))
        _write(replace(budget, refilled_at=until))


def refilled(budget: Budget, now: datetime) -> Budget:
    """PURE. The budget as time has refilled it by ``now``."""
    elapsed = (now - budget.refilled_at).total_seconds()
    if elapsed <= 0:
        return budget
    calm = budget.throttled_at is None or now - budget.throttled_at > timedelta(seconds=CALM_SECONDS)
    factor = min(1.0, budget.factor + GROWTH_PER_SECOND * elapsed) if calm else budget.factor
    grown = replace(budget, factor=factor, refilled_at=now)
    return _capped(replace(grown, tokens=budget.tokens + elapsed * max(0.0, grown.rate)))


def decide(budget: Budget, n: int, now: datetime, *, share: float) -> tuple[Permit, Budget]:
    """PURE. How many of ``n`` permits a refilled budget grants, and the budget afterwards."""
    if budget.quota_until and budget.quota_until > now:
        return Permit(0, (budget.quota_until - now).total_seconds(), QUOTA), budget
    if budget.refilled_at > now:
        return Permit(0, (budget.refilled_at - now).total_seconds(), UNAVAILABLE), budget
    room = n if budget.max_24_hour < 0 else math.floor(budget.max_24_hour * share - budget.sent_24_hour)
    if room <= 0:
        return Permit(0, QUOTA_SECONDS, QUOTA), budget
    if budget.unlimited_rate:
        granted = min(n, room)
        return Permit(granted, delays=(0.0,) * granted), _used(budget, granted)
    ahead = max(1.0, budget.rate * HORIZON)
    granted = min(n, room, math.floor(budget.tokens + ahead + 1e-9))
    if granted <= 0:
        return Permit(0, max(0.001, (1 - ahead - budget.tokens) / budget.rate), RATE), budget
    delays = tuple(max(0.0, (i + 1 - budget.tokens) / budget.rate) for i in range(granted))
    return Permit(granted, delays=delays), _used(budget, granted)


def slowed(budget: Budget, now: datetime) -> Budget:
    """PURE. The budget after SES throttled."""
    if budget.throttled_at and now - budget.throttled_at < timedelta(seconds=1):
        return budget
    factor = max(MIN_FACTOR, budget.factor / 2)
    return replace(budget, factor=factor, tokens=min(budget.tokens, 0.0), throttled_at=now)


def informed(budget: Budget, account: aws.Account) -> Budget:
    """PURE. The budget with what SES says about the account. A changed rate starts at its full."""
    factor = budget.factor if account.max_send_rate == budget.max_send_rate else 1.0
    has_room = account.max_24_hour_send < 0 or account.sent_last_24_hours < account.max_24_hour_send
    return _capped(
        replace(
            budget,
            max_send_rate=account.max_send_rate,
            max_24_hour=account.max_24_hour_send,
            sent_24_hour=account.sent_last_24_hours,
            factor=factor,
            quota_until=None if has_room else budget.quota_until,
        )
    )


def _used(budget: Budget, n: int) -> Budget:
    tokens = budget.tokens if budget.unlimited_rate else budget.tokens - n
    return replace(budget, tokens=tokens, sent_24_hour=budget.sent_24_hour + n)


def _capped(budget: Budget) -> Budget:
    most = 0.0 if budget.unlimited_rate else max(1.0, budget.rate * BURST)
    return replace(budget, tokens=min(budget.tokens, most, max(0.0, budget.max_send_rate + 1)))


def _take(n: int, share: float, *, whatever_age: bool = False) -> Permit | None:
    """None when SES is to be asked for the account's limits first."""
    with _locked() as (budget, now):
        if not whatever_age and (budget.fetched_at is None or now - budget.fetched_at > _ACCOUNT_AGE):
            return None
        permit, used = decide(refilled(budget, now), n, now, share=share)
        _write(used)
    return permit


def _ask_account(get_account: Callable[[], aws.Account]) -> None:
    # One process at a time asks: the first to move fetched_at. The network is outside the transaction.
    _make_row()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE mailinglist_sendbudget SET fetched_at = clock_timestamp() WHERE name = %s AND "
            "(fetched_at IS NULL OR fetched_at < clock_timestamp() - make_interval(secs => %s))",
            [_name(), ACCOUNT_SECONDS],
        )
        if not cursor.rowcount:
            return
    try:
        account = get_account()
    except (BotoCoreError, ClientError) as error:
        logger.warning("SES did not tell the account's sending rate (%s); going on with the last one.", error)
        again = timedelta(seconds=ACCOUNT_SECONDS - ACCOUNT_RETRY_SECONDS)
        SendBudget.objects.filter(pk=_name()).update(fetched_at=Now() - again)
        return
    with _locked() as (budget, now):
        _write(informed(refilled(budget, now), account))


@contextmanager
def _locked() -> Iterator[tuple[Budget, datetime]]:
    """The budget and the database's time, under the row's lock. Its commit need not wait for the disk: a crash can
    lose the last few permits' count, and no mail.
    """
    with transaction.atomic(), hot_cursor() as cursor:
        cursor.execute("SELECT set_config('synchronous_commit', 'off', true)")
        if not (found := cursor.execute(_READ, [_name()]).fetchall()):
            _make_row()
            found = cursor.execute(_READ, [_name()]).fetchall()
        *values, now = found[0]
        yield Budget(*values), now


def _write(budget: Budget) -> None:
    """Write the budget back. Call it while it is locked."""
    with hot_cursor(plan=False) as cursor:
        cursor.execute(_WRITE, [*(getattr(budget, name) for name in _FIELDS), _name()])


def _make_row() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO mailinglist_sendbudget (name, max_send_rate, max_24_hour, sent_24_hour, tokens, "
            "refilled_at, factor) VALUES (%s, 1, 200, 0, 1, clock_timestamp(), 1) ON CONFLICT DO NOTHING",
            [_name()],
        )


def _name() -> str:
    return f"ses {settings.AWS_SES_REGION_NAME}"
