"""What can be asked about a person here: attributes, tags, lists, since when they are known, campaigns, activity.

Every condition is about the row ``s`` of mailinglist_subscriber. Patterns of people are never patterns of SQL: texts are
compared with strpos, and what is cast was matched before.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from mailinglist.attribute_values import DATE_PATTERN, NO, NUMBER_PATTERN, YES
from mailinglist.models import Campaign, MailingList, Tag
from mailinglist.segments.kinds import (
    CHOICE,
    DATE,
    DAYS,
    NOTHING,
    NUMBER,
    TEXT,
    Ask,
    Condition,
    Kind,
    register,
)
from mailinglist.segments.rules import Rule

#: Campaigns that are offered, newest first.
CAMPAIGNS_SHOWN = 200
#: States of a delivery: SES took the mail, it arrived, the person got it or may still get it.
SENT = ("sent", "unknown", "waiting", "delivered", "bounced", "complained", "expired")
ARRIVED = ("delivered", "complained")
GOT = ("queued", "sending", "sent", "unknown", "waiting", "delivered", "complained")

_VALUE = "(s.attributes ->> %s)"
_EMPTY = f"coalesce({_VALUE}, '') = ''"
# CASE, because PostgreSQL may evaluate the sides of an AND in any order, and a cast must come after its match.
_NUMBER = (
    f"CASE WHEN {_VALUE} ~ '^{NUMBER_PATTERN}$' THEN {_VALUE}::numeric "
    f"WHEN jsonb_typeof(s.attributes -> %s) = 'number' THEN {_VALUE}::numeric END"
)
# Dates are compared as texts, in the order of their bytes: no text can fail to be one.
_DATE = f"CASE WHEN {_VALUE} ~ '^{DATE_PATTERN}$' THEN {_VALUE} COLLATE \"C\" END"
# Texts that JSON can hold as something else than a text.
_AMBIGUOUS = re.compile(r"-?[0-9].*|true|false|[{\[].*", re.DOTALL)


def _text_is(rule: Rule, now: datetime) -> Condition:
    if _AMBIGUOUS.fullmatch(str(rule.value)):
        return f"{_VALUE} = %s", [rule.key, rule.value]
    # Found by index.
    return "s.attributes @> %s::jsonb", [json.dumps({rule.key: rule.value})]


def _text_is_not(rule: Rule, now: datetime) -> Condition:
    return f"{_VALUE} IS DISTINCT FROM %s", [rule.key, rule.value]


def _contains(rule: Rule, now: datetime) -> Condition:
    return f"strpos(lower({_VALUE}), lower(%s)) > 0", [rule.key, rule.value]


def _begins(rule: Rule, now: datetime) -> Condition:
    return f"starts_with(lower({_VALUE}), lower(%s))", [rule.key, rule.value]


def _empty(rule: Rule, now: datetime) -> Condition:
    return _EMPTY, [rule.key]


def _not_empty(rule: Rule, now: datetime) -> Condition:
    return f"NOT ({_EMPTY})", [rule.key]


def _compared(expression: str, sign: str, cast: str = "") -> Callable[[Rule, datetime], Condition]:
    keys = expression.count("%s")
    return lambda rule, now: (f"({expression}) {sign} %s{cast}", [*[rule.key] * keys, rule.value])


def _day_within(rule: Rule, now: datetime) -> Condition:
    first = (now - timedelta(days=int(rule.value))).date().isoformat()
    keys = [rule.key] * _DATE.count("%s")
    return f"({_DATE}) BETWEEN %s AND %s", [*keys, first, now.date().isoformat()]


def _word(words: Sequence[str]) -> Callable[[Rule, datetime], Condition]:
    return lambda rule, now: (f"lower({_VALUE}) = ANY(%s)", [rule.key, list(words)])


_FILLED = {
    "empty": Ask("is empty", NOTHING, _empty),
    "not-empty": Ask("is filled in", NOTHING, _not_empty),
}

register(
    Kind(
        "attribute-text",
        "value",
        {
            "is": Ask("is exactly", TEXT, _text_is),
            "is-not": Ask("is not", TEXT, _text_is_not),
            "contains": Ask("contains", TEXT, _contains),
            "begins": Ask("begins with", TEXT, _begins),
            **_FILLED,
        },
        keyed=True,
    )
)
register(
    Kind(
        "attribute-number",
        "number",
        {
            "is": Ask("is", NUMBER, _compared(_NUMBER, "=", "::numeric")),
            "more": Ask("is more than", NUMBER, _compared(_NUMBER, ">", "::numeric")),
            "less": Ask("is less than", NUMBER, _compared(_NUMBER, "<", "::numeric")),
            **_FILLED,
        },
        keyed=True,
    )
)
register(
    Kind(
        "attribute-date",
        "date",
        {
            "before": Ask("is before", DATE, _compared(_DATE, "<", ' COLLATE "C"')),
            "after": Ask("is after", DATE, _compared(_DATE, ">", ' COLLATE "C"')),
            "on": Ask("is on", DATE, _compared(_DATE, "=", ' COLLATE "C"')),
            "within": Ask("is within the last … days", DAYS, _day_within),
            **_FILLED,
        },
        keyed=True,
    )
)
register(
    Kind(
        "attribute-yes-no",
        "yes or no",
        {
            "yes": Ask("is yes", NOTHING, _word(YES)),
            "no": Ask("is no", NOTHING, _word(NO)),
            **_FILLED,
        },
        keyed=True,
    )
)


def _exists(rows: str) -> Callable[[Rule, datetime], Condition]:
    return lambda rule, now: (f"EXISTS ({rows})", [rule.value] * rows.count("%s"))


def _lacks(rows: str) -> Callable[[Rule, datetime], Condition]:
    return lambda rule, now: (f"NOT EXISTS ({rows})", [rule.value] * rows.count("%s"))


_TAGGED = "SELECT 1 FROM mailinglist_subscribertag t WHERE t.subscriber_id = s.id AND t.tag_id = %s"
_LISTED = "SELECT 1 FROM mailinglist_subscription b WHERE b.subscriber_id = s.id AND b.list_id = %s"


def _tags() -> list[tuple[int, str]]:
    return list(Tag.objects.values_list("pk", "name"))


def _lists() -> list[tuple[int, str]]:
    return list(MailingList.objects.values_list("pk", "name"))


def _campaigns() -> list[tuple[int, str]]:
    started = Campaign.objects.filter(started_at__isnull=False).order_by("-pk")
    rows = started.values_list("pk", "name", "started_at")[:CAMPAIGNS_SHOWN]
    return [(pk, f"{name}, {started_at:%d %b %Y}") for pk, name, started_at in rows if started_at]


register(
    Kind(
        "tag",
        "Tag",
        {
            "has": Ask("has the tag", CHOICE, _exists(_TAGGED)),
            "has-not": Ask("has not the tag", CHOICE, _lacks(_TAGGED)),
        },
        choices=_tags,
    )
)
register(
    Kind(
        "list",
        "List",
        {
            "confirmed": Ask("is subscribed to", CHOICE, _exists(f"{_LISTED} AND b.status = 'confirmed'")),
            "not-confirmed": Ask(
                "is not subscribed to", CHOICE, _lacks(f"{_LISTED} AND b.status = 'confirmed'")
            ),
            "pending": Ask("has not confirmed", CHOICE, _exists(f"{_LISTED} AND b.status = 'pending'")),
            "unsubscribed": Ask("has left", CHOICE, _exists(f"{_LISTED} AND b.status = 'unsubscribed'")),
            "never": Ask("was never on", CHOICE, _lacks(_LISTED)),
        },
        choices=_lists,
    )
)


def _since(rule: Rule, now: datetime) -> datetime:
    return now - timedelta(days=int(rule.value))


# A date is a day in UTC, like all times of the staff pages.
_MIDNIGHT = "(%s::date::timestamp AT TIME ZONE 'UTC')"
register(
    Kind(
        "joined",
        "Known here since",
        {
            "before": Ask("before", DATE, lambda rule, now: (f"s.created_at < {_MIDNIGHT}", [rule.value])),
            "after": Ask(
                "after",
                DATE,
                lambda rule, now: (f"s.created_at >= {_MIDNIGHT} + interval '1 day'", [rule.value]),
            ),
            "within": Ask(
                "at most … days", DAYS, lambda rule, now: ("s.created_at >= %s", [_since(rule, now)])
            ),
            "longer": Ask(
                "more than … days", DAYS, lambda rule, now: ("s.created_at < %s", [_since(rule, now)])
            ),
        },
    )
)

_MAILS = "SELECT 1 FROM mailinglist_delivery d WHERE d.subscriber_id = s.id AND d.purpose = 'campaign'"
_READ = (
    "SELECT 1 FROM mailinglist_delivery d JOIN mailinglist_engagement e ON e.delivery_id = d.id "
    "WHERE d.subscriber_id = s.id AND d.purpose = 'campaign'"
)


def _in(states: Sequence[str]) -> str:
    return "d.state IN ('" + "', '".join(states) + "')"


# Whoever followed a link has opened the mail. What only programs did does not count.
_WHAT = {
    "sent": ("was sent", "was not sent", f"{_MAILS} AND {_in(SENT)}"),
    "delivered": ("got", "did not get", f"{_MAILS} AND {_in(ARRIVED)}"),
    "opened": (
        "opened",
        "did not open",
        f"{_READ} AND (e.opened IN ('person', 'unsure') OR e.clicked IN ('person', 'unsure'))",
    ),
    "clicked": (
        "followed a link in",
        "followed no link in",
        f"{_READ} AND e.clicked IN ('person', 'unsure')",
    ),
}


def _one_campaign() -> dict[str, Ask]:
    found: dict[str, Ask] = {}
    for name, (does, does_not, rows) in _WHAT.items():
        found[name] = Ask(does, CHOICE, _exists(f"{rows} AND d.campaign_id = %s"))
        found[f"not-{name}"] = Ask(does_not, CHOICE, _lacks(f"{rows} AND d.campaign_id = %s"))
    return found


def _recently(rows: str, *, negated: bool = False) -> Callable[[Rule, datetime], Condition]:
    start = "NOT EXISTS" if negated else "EXISTS"
    return lambda rule, now: (f"{start} ({rows} AND d.created_at >= %s)", [_since(rule, now)])


def _any_campaign() -> dict[str, Ask]:
    found: dict[str, Ask] = {}
    for name, (does, does_not, rows) in _WHAT.items():
        does_not = does_not.replace("no link in", "no link in any of").replace(
            "did not open", "opened none of"
        )
        found[name] = Ask(f"{does} a mail of the last … days", DAYS, _recently(rows))
        found[f"not-{name}"] = Ask(
            f"{does_not} the mails of the last … days", DAYS, _recently(rows, negated=True)
        )
    found["never-opened"] = Ask("never opened a mail", NOTHING, _lacks(_WHAT["opened"][2]))
    return found


register(Kind("campaign", "Campaign", _one_campaign(), choices=_campaigns))
register(Kind("activity", "Activity", _any_campaign()))


def choices_of(kind: Kind, present: Any = None) -> list[tuple[int, str]]:
    """What the value can be, with ``present`` too where it is no longer offered."""
    offered = list(kind.choices()) if kind.choices else []
    known = {pk for pk, _ in offered}
    if isinstance(present, int) and present not in known:
        name = Campaign.objects.filter(pk=present).values_list("name", flat=True).first()
        offered.append((present, str(name) if kind.name == "campaign" and name else f"no. {present}, gone"))
    return offered
