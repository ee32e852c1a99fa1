"""Any rules: they compile, run, and choose whom a slow look in Python chooses. Values are never more than values."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bounces.models import AddressHealth
from mailinglist import tags
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, Delivery, Engagement, Subscriber, Subscription
from mailinglist.segments import kinds, rules, sql, words
from tests.factories import make_list, make_subscriber
from tests.staff import make_delivery, make_started

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOSTILE = [
    "'; DROP TABLE mailinglist_subscriber; --", "%s", "%(x)s", "{0}", "\\", '"', "a' OR '1'='1", "$1", "*", "ÄÖ", "ß",
]  # fmt: skip
STORED: list[Any] = [
    "Rome", "rome", "", "42", "42.5", "-3", "1e5", "2026-11-20", "2026-02-30", "2019-01-01", "yes", "No", "true", None,
    42, 42.5, True, False, [1], {"deep": "Rome"}, 10**30, *HOSTILE,
]  # fmt: skip
KEYS = ["city", "age", "no such", "a'b", "%s"]
DAYS = (1, 7, 30, 400)


def make_people() -> tuple[list[int], list[int], list[int]]:
    """A few people of every sort; (ids of tags, lists, campaigns)."""
    lists = [make_list("news"), make_list("tips")]
    marks = [tags.make("press", by=SYSTEM), tags.make("vip", by=SYSTEM)]
    campaigns = [make_started(lists[0], name=f"Week {n}") for n in (1, 2)]
    states = [state for state in Delivery.State if state != "sending"]
    for number in range(len(STORED)):
        person = make_subscriber(f"p{number}@post.example")
        values = {KEYS[number % 3]: STORED[number], "age": STORED[-number - 1], "city": STORED[number]}
        joined = NOW - timedelta(days=DAYS[number % 4], hours=number % 3 - 1)
        Subscriber.objects.filter(pk=person.pk).update(attributes=values, created_at=joined)
        if number % 3:
            tags.put(marks[number % 2], Subscriber.objects.filter(pk=person.pk), by=SYSTEM)
        if number % 4:
            status = ("confirmed", "pending", "unsubscribed")[number % 3]
            reason = "page" if status == "unsubscribed" else ""
            Subscription.objects.create(
                list=lists[number % 2],
                subscriber=person,
                status=status,
                unsubscribe_reason=reason,
                source="test",
            )
        for place, campaign in enumerate(campaigns):
            if number % (place + 2):
                mail = make_delivery(campaign, person, states[(number + place) % len(states)])
                Delivery.objects.filter(pk=mail.pk).update(
                    created_at=NOW - timedelta(days=DAYS[number % 4], hours=-1)
                )
                if number % 5 > 1:
                    who = ("", "machine", "unsure", "person")
                    Engagement.objects.create(
                        delivery=mail,
                        campaign=campaign,
                        opens=1,
                        opened=who[number % 4],
                        clicked=who[number // 4 % 4],
                    )
        if number % 2:
            at = NOW - timedelta(days=DAYS[number % 4], hours=-1) if number % 3 else None
            state = ("healthy", "wavering", "unreachable")[number % 3]
            AddressHealth.objects.create(subscriber=person, state=state, last_bounce_at=at)
    return [row.pk for row in marks], [row.pk for row in lists], [row.pk for row in campaigns]


def rule_of(kind: kinds.Kind, ids: list[int]) -> st.SearchStrategy[dict[str, Any]]:
    values = {
        "": st.just(""),
        "text": st.sampled_from([text for text in STORED if isinstance(text, str) and text] + ["o", "R"])
        | st.text(min_size=1, max_size=8).filter(lambda text: text.strip() and text.isprintable()),
        "number": st.sampled_from(["42", "42.5", "-3", "0", "1000000000000000000000000000000"[:30]]),
        "date": st.sampled_from(["2026-11-20", "2019-01-01", "2026-10-28"]),
        "days": st.sampled_from([1, 8, 31, 401]),
        "choice": st.sampled_from([*ids, 999_999_999]) if ids else st.just(1),
    }
    keys = st.sampled_from(KEYS) if kind.keyed else st.just("")

    def of(name: str) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(
            {
                "rule": st.just(kind.name),
                "ask": st.just(name),
                "key": keys,
                "value": values[kind.asks[name].takes],
            }
        )

    return st.sampled_from(sorted(kind.asks)).flatmap(of)


def trees(ids: dict[str, list[int]]) -> st.SearchStrategy[dict[str, Any]]:
    leaf = st.one_of([rule_of(kind, ids.get(kind.name, [])) for kind in kinds.every()])

    def group(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(
            {"match": st.sampled_from(["all", "any"]), "parts": st.lists(parts, min_size=1, max_size=3)}
        )

    return group(leaf | group(leaf | group(leaf)))


def people() -> list[dict[str, Any]]:
    """Everybody as Python knows them."""
    health = {row.subscriber_id: row for row in AddressHealth.objects.all()}
    read = {row.delivery_id: row for row in Engagement.objects.all()}
    return [
        {
            "id": row.pk,
            "values": row.attributes,
            "joined": row.created_at,
            "tags": set(row.tag_rows.values_list("tag_id", flat=True)),
            "lists": dict(row.subscriptions.values_list("list_id", "status")),
            "mails": [(mail, read.get(mail.pk)) for mail in row.deliveries.filter(purpose="campaign")],
            "health": health.get(row.pk),
        }
        for row in Subscriber.objects.all()
    ]


def holds(part: rules.Rule | rules.Group, person: dict[str, Any]) -> bool:
    if isinstance(part, rules.Group):
        return (all if part.match == "all" else any)(holds(inner, person) for inner in part.parts)
    negated = part.ask.startswith("not-") or part.ask in ("is-not", "has-not")
    ask = {"is-not": "is", "has-not": "has"}.get(part.ask, part.ask.removeprefix("not-"))
    found = CHECKS[part.kind](part, ask, person)
    return not found if negated else found


def of_text(rule: rules.Rule, ask: str, person: dict[str, Any]) -> bool:
    raw = person["values"].get(rule.key)
    text = as_text(raw)
    if ask == "empty":
        return not text
    if text is None:
        return False
    value = str(rule.value)
    match rule.kind.removeprefix("attribute-"):
        case "text":
            return {"is": text == value, "contains": lower(value) in lower(text), "begins": lower(text).startswith(lower(value))}[ask]  # fmt: skip  # noqa: E501
        case "number":
            if re.fullmatch(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", text) or (
                isinstance(raw, int | float) and not isinstance(raw, bool)
            ):
                number, wanted = Decimal(text), Decimal(value)
                return {"is": number == wanted, "more": number > wanted, "less": number < wanted}[ask]
            return False
        case "date":
            if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                return False
            if ask == "within":
                return str((NOW - timedelta(days=int(value))).date()) <= text <= str(NOW.date())
            return {"before": text < value, "after": text > value, "on": text == value}[ask]
    return lower(text) in (("yes", "true", "1", "y", "on", "ja") if ask == "yes" else ("no", "false", "0", "n", "off", "nein"))  # fmt: skip  # noqa: E501


def of_list(rule: rules.Rule, ask: str, person: dict[str, Any]) -> bool:
    status = person["lists"].get(rule.value)
    return status is None if ask == "never" else status == ask


def of_joined(rule: rules.Rule, ask: str, person: dict[str, Any]) -> bool:
    if ask in ("within", "longer"):
        return (person["joined"] >= NOW - timedelta(days=int(rule.value))) == (ask == "within")
    day = date.fromisoformat(str(rule.value))
    return person["joined"].date() < day if ask == "before" else person["joined"].date() > day


def of_mails(rule: rules.Rule, ask: str, person: dict[str, Any]) -> bool:
    if ask == "never-opened":
        return not any(did("opened", mail, read) for mail, read in person["mails"])
    if rule.kind == "campaign":
        mails = [(mail, read) for mail, read in person["mails"] if mail.campaign_id == rule.value]
    else:
        since = NOW - timedelta(days=int(rule.value))
        mails = [(mail, read) for mail, read in person["mails"] if mail.created_at >= since]
    return any(did(ask, mail, read) for mail, read in mails)


def did(what: str, mail: Delivery, read: Engagement | None) -> bool:
    people = ("person", "unsure")
    if what == "sent":
        return mail.state in ("sent", "unknown", "waiting", "delivered", "bounced", "complained", "expired")
    if what == "delivered":
        return mail.state in ("delivered", "complained")
    clicked = read is not None and read.clicked in people
    return clicked if what == "clicked" else clicked or (read is not None and read.opened in people)


def of_health(rule: rules.Rule, ask: str, person: dict[str, Any]) -> bool:
    found = person["health"]
    if ask == "bounced":
        since = NOW - timedelta(days=int(rule.value))
        return bool(found and found.last_bounce_at and found.last_bounce_at >= since)
    return (found.state if found else "healthy") == ask


CHECKS: dict[str, Any] = {
    **{f"attribute-{kind}": of_text for kind in ("text", "number", "date", "yes-no")},
    "tag": lambda rule, ask, person: rule.value in person["tags"],
    "list": of_list,
    "joined": of_joined,
    "campaign": of_mails,
    "activity": of_mails,
    "health": of_health,
}


def as_text(value: Any) -> str | None:
    """What ->> makes of a value."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)


def lower(text: str) -> str:
    """As PostgreSQL does it: letter by letter, in the collation of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lower(%s)", [text])
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_any_rules_choose_whom_a_slow_look_chooses() -> None:
    marks, lists, campaigns = make_people()
    everybody = people()

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(trees({"tag": marks, "list": lists, "campaign": campaigns}))
    def check(data: dict[str, Any]) -> None:
        tree = rules.read(data)
        assert rules.read(rules.as_json(tree)) == tree
        where, values = sql.condition(tree, NOW)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT s.id FROM mailinglist_subscriber s WHERE {where}", values)
            chosen = {row[0] for row in cursor.fetchall()}
            cursor.execute(f"SELECT count(*) FROM mailinglist_subscriber s WHERE ({where}) IS NULL", values)
            assert cursor.fetchone()[0] == 0
        assert chosen == {person["id"] for person in everybody if holds(tree, person)}

    check()
    assert (
        Campaign.objects.count() == 2
        and words.sentence(
            rules.read({"match": "any", "parts": [{"rule": "tag", "ask": "has", "value": marks[0]}]})
        )
        == "has the tag “press”."
    )


BAD: list[tuple[Any, str]] = [
    (None, "all or any"),
    ({"match": "all"}, "no rules"),
    ({"match": "all", "parts": []}, "no rules"),
    ({"match": "none", "parts": [1]}, "all or any"),
    ({"match": "all", "parts": [1]}, "A rule is missing"),
    ({"match": "all", "parts": [{"rule": "no", "ask": "has"}]}, "what the rule is about"),
    ({"match": "all", "parts": [{"rule": "tag", "ask": ["has"]}]}, "what to ask"),
    ({"match": "all", "parts": [{"rule": "tag", "ask": "has", "value": True}]}, "Choose one"),
    ({"match": "all", "parts": [{"rule": "tag", "ask": "has", "value": "²"}]}, "Choose one"),
    ({"match": "all", "parts": [{"rule": "tag", "ask": "has", "value": 2**63}]}, "Choose one"),
    ({"match": "all", "parts": [{"rule": "joined", "ask": "within", "value": "0"}]}, "from 1 to 3650"),
    ({"match": "all", "parts": [{"rule": "joined", "ask": "before", "value": "2026-02-30"}]}, "no day"),
    ({"match": "all", "parts": [{"rule": "attribute-text", "ask": "is", "value": "x"}]}, "Name the value"),
    (
        {"match": "all", "parts": [{"rule": "attribute-text", "ask": "is", "key": "k", "value": "\0"}]},
        "no text",
    ),
    (
        {"match": "all", "parts": [{"rule": "attribute-text", "ask": "is", "key": "k", "value": "\ud800"}]},
        "no text",
    ),
    (
        {"match": "all", "parts": [{"rule": "attribute-text", "ask": "is", "key": "k", "value": "x" * 201}]},
        "200",
    ),
    (
        {"match": "all", "parts": [{"rule": "attribute-number", "ask": "is", "key": "k", "value": "1e9"}]},
        "number",
    ),
    ({"match": "all", "parts": [{"rule": "activity", "ask": "never-opened"}] * 41}, "40 rules"),
    (
        {
            "match": "all",
            "parts": [{"match": "any", "parts": [{"rule": "activity", "ask": "never-opened"}] * 21}] * 2,
        },
        "40 rules",
    ),
]


@pytest.mark.parametrize(("data", "sentence"), BAD)
def test_what_is_no_rule_is_refused_with_a_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(rules.BadRules, match=re.escape(sentence)):
        rules.read(data)


def test_groups_stand_in_each_other_four_deep_and_no_deeper() -> None:
    tree: Any = {"rule": "activity", "ask": "never-opened"}
    for _ in range(4):
        tree = {"match": "all", "parts": [tree]}
    rules.read(tree)
    with pytest.raises(rules.BadRules, match="4 deep"):
        rules.read({"match": "all", "parts": [tree]})
    for _ in range(10_000):
        tree = {"match": "all", "parts": [tree]}
    with pytest.raises(rules.BadRules, match="4 deep"):
        rules.read(tree)
