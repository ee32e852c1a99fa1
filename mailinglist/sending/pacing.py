"""How fast and how much: one budget of the SES account and region, shared by all processes through one row.

Called by the engine before each claim. A permit is the right to post one recipient at a given moment. The rate comes
from GetAccount (asked once a minute, outside any transaction) times a factor that falls when SES throttles and
grows back slowly. Campaigns that send at once share the rate; 5 % of it, and of the 24-hour quota, are kept for mail
that a person waits for (confirmations). Times are the database's.

The decisions are pure functions in ``budget.py``; the row is only locked around them. ``explain`` tells people what the
pace is and why; ``providers.py`` slows the mails to single providers.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from mailinglist import aws
from mailinglist.models import SendBudget
from mailinglist.sending import pace_words, providers
from mailinglist.sending.budget import (
    CAMPAIGN_SHARE,
    NO_CAMPAIGN,
    QUOTA,
    QUOTA_SECONDS,
    RATE,
    UNAVAILABLE,
    Budget,
    Permit,
    Taker,
    decide,
    halved,
    informed,
    refilled,
    returned,
    slowed,
    without_future,
)
from mailinglist.sending.hot import hot_cursor
from mailinglist.sending.pace_words import Explanation

__all__ = [
    "QUOTA",
    "QUOTA_SECONDS",
    "RATE",
    "UNAVAILABLE",
    "Explanation",
    "Permit",
    "explain",
    "give_back",
    "hold",
    "refused_for_quota",
    "take",
    "throttled",
]

logger = logging.getLogger(__name__)

#: GetAccount is asked again after so many seconds, and after a failure.
ACCOUNT_SECONDS, ACCOUNT_RETRY_SECONDS = 60, 10
_ACCOUNT_AGE = timedelta(seconds=ACCOUNT_SECONDS)

_FIELDS = tuple(field.name for field in fields(Budget))
_CASTS = {"takers": "jsonb", **{name: "timestamptz" for name in _FIELDS if name.endswith(("_at", "_until"))}}
_READ = f"""
    SELECT {", ".join(_FIELDS)}, clock_timestamp(),
           coalesce((SELECT guard_factor FROM mailinglist_campaign WHERE id = %s), 1),
           EXISTS (SELECT 1 FROM mailinglist_providerpace WHERE until > clock_timestamp())
    FROM mailinglist_sendbudget WHERE name = %s"""  # noqa: S608
_SET = ", ".join(f"{name} = %s::{_CASTS.get(name, 'float')}" for name in _FIELDS)
_WRITE = f"UPDATE mailinglist_sendbudget SET {_SET} WHERE name = %s"  # noqa: S608


def take(
    n: int,
    *,
    campaign_id: int | None = None,
    urgent: bool = False,
    get_account: Callable[[], aws.Account] | None = None,
) -> Permit:
    """Up to ``n`` permits for a campaign. ``urgent``: mail that a person waits for, which goes first and may use
    the whole quota.
    """
    share = 1.0 if urgent else CAMPAIGN_SHARE
    permit = _take(n, campaign_id, share)
    if permit is None:
        _ask_account(get_account or aws.get_account)
        permit = _take(n, campaign_id, share, whatever_age=True)
    return permit or Permit(0, ACCOUNT_RETRY_SECONDS, UNAVAILABLE)


def give_back(n: int, campaign_id: int | None = None) -> None:
    """Permits that were not used."""
    if n:
        with _locked() as found:
            budget = refilled(found.budget, found.now)
            _write(returned(budget, n, campaign_id or NO_CAMPAIGN, found.now))


def throttled() -> None:
    """SES said: too fast. Go slower, once for answers that come together, and ask for the rate anew."""
    with _locked() as found:
        _write(replace(slowed(refilled(found.budget, found.now), found.now), fetched_at=None))


def refused_for_quota() -> None:
    """SES said: the quota of 24 hours is used up. Nothing is sent until there is room again."""
    with _locked() as found:
        _write(replace(found.budget, quota_until=found.now + timedelta(seconds=QUOTA_SECONDS)))


def hold(seconds: float) -> None:
    """SES does not answer: no permits for so long, for any process, and then few at first."""
    with _locked() as found:
        budget = halved(refilled(found.budget, found.now), found.now)
        until = max(budget.refilled_at, found.now + timedelta(seconds=seconds))
        _write(replace(budget, refilled_at=until))


def explain() -> Explanation:
    """The present pace, the limit, and why it is what it is. For the admin and the doctor; locks and changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [None, _name()])
        row = cursor.fetchone()
    if row is None:
        return pace_words.BEFORE_THE_FIRST_MAIL
    found = _Found.of(row)
    text, slow = "", []
    if found.budget.guard_factor < 1:
        text = SendBudget.objects.values_list("guard_text", flat=True).get(pk=_name())
    if found.slowed:
        slow = [(pace.provider, pace.per_second, pace.until, pace.why) for pace in providers.slowed()]
    return pace_words.explain(found.budget, found.now, guard_text=text, slow=slow)


@dataclass(frozen=True, slots=True)
class _Found:
    """The budget's row, the database's time, the part of the rate that the guard leaves to the campaign, and
    whether some provider is to be slowed.
    """

    budget: Budget
    now: datetime
    part: float
    slowed: bool
    #: The clock was set back since the row was written; ``budget`` is as it is after that.
    stepped: bool

    @classmethod
    def of(cls, row: Any) -> "_Found":
        *values, now, part, some_slowed = row
        named = dict(zip(_FIELDS, values, strict=True))
        named["takers"] = _takers(named["takers"])
        stored = Budget(**named)
        budget = without_future(stored, now)
        return cls(budget, now, part, some_slowed, stepped=budget != stored)


def _take(n: int, campaign_id: int | None, share: float, *, whatever_age: bool = False) -> Permit | None:
    """None when SES is to be asked for the account's limits first."""
    with _locked(campaign_id) as found:
        budget, now = found.budget, found.now
        if not whatever_age and (budget.fetched_at is None or now - budget.fetched_at > _ACCOUNT_AGE):
            return None
        permit, used = decide(
            refilled(budget, now),
            n,
            now,
            share=share,
            campaign_id=campaign_id or NO_CAMPAIGN,
            part=found.part,
        )
        _write(used)
    return replace(permit, slowed=found.slowed)


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
    with _locked() as found:
        _write(informed(refilled(found.budget, found.now), account))


@contextmanager
def _locked(campaign_id: int | None = None) -> Iterator[_Found]:
    """The budget under the row's lock. Its commit need not wait for the disk: a crash can lose the last few
    permits' count, and no mail.
    """
    with transaction.atomic(), hot_cursor() as cursor:
        cursor.execute("SELECT set_config('synchronous_commit', 'off', true)")
        row = cursor.execute(f"{_READ} FOR UPDATE", [campaign_id, _name()]).fetchone()
        if row is None:
            _make_row()
            row = cursor.execute(f"{_READ} FOR UPDATE", [campaign_id, _name()]).fetchone()
        found = _Found.of(row)
        if found.stepped:
            logger.warning(
                "The clock of the database was set back; the sending rate goes on from the new time."
            )
            _write(found.budget)
        yield found


def _write(budget: Budget) -> None:
    """Write the budget back. Call it while it is locked."""
    values = [getattr(budget, name) for name in _FIELDS[:-1]]
    with hot_cursor(plan=False) as cursor:
        cursor.execute(_WRITE, [*values, _as_json(budget), _name()])


def _as_json(budget: Budget) -> str:
    return json.dumps(
        {
            key: [round(taker.debt, 3), round(taker.recent, 3), taker.at.timestamp()]
            for key, taker in budget.takers.items()
        }
    )


def _takers(stored: Any) -> dict[int, Taker]:
    found = json.loads(stored) if isinstance(stored, str) else stored
    return {
        int(key): Taker(debt, recent, datetime.fromtimestamp(at, UTC))
        for key, (debt, recent, at) in found.items()
    }


def _make_row() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO mailinglist_sendbudget (name, max_send_rate, max_24_hour, sent_24_hour, tokens, "
            "refilled_at, factor) VALUES (%s, 1, 200, 0, 1, clock_timestamp(), 1) ON CONFLICT DO NOTHING",
            [_name()],
        )


def _name() -> str:
    return f"ses {settings.AWS_SES_REGION_NAME}"
