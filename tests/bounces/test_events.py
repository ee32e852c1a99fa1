"""SES JSON → facts: every documented type in both shapes; a sentence for the rest, never an exception."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounces import events
from bounces.events import EventFacts, parse
from mailinglist.models import Attempt

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"
KINDS = {
    "bounce": "bounce",
    "complaint": "complaint",
    "delivery": "delivery",
    "deliverydelay": "delay",
    "send": "send",
    "reject": "reject",
    "open": "open",
    "click": "click",
    "rendering": "rendering-failure",
    "subscription": "subscription",
    "headers": "bounce",
}
DOCUMENTS = sorted([*(PAYLOADS / "events").glob("*.json"), *(PAYLOADS / "notifications").glob("*.json")])
NO_EVENTS = {"unknown-event-type.json", "setup-topic-subscribed.json"}


def document(path: str = "events/bounce-permanent-general.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / path).read_bytes())
    return found


def facts(found: dict[str, Any]) -> tuple[EventFacts, ...]:
    parsed = parse(json.dumps(found).encode())
    assert parsed.unparsed == ""
    return parsed.events


def sentence(found: Any) -> str:
    parsed = parse(found if isinstance(found, bytes) else json.dumps(found).encode())
    assert parsed.events == ()
    return parsed.unparsed


@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if path.name not in NO_EVENTS], ids=lambda path: path.name
)
def test_every_documented_notification_gives_its_events(path: Path) -> None:
    written = json.loads(path.read_bytes())
    found = facts(written)
    kind = KINDS[path.name.partition("-")[0].partition(".")[0]]
    assert {fact.kind for fact in found} == {kind}
    assert [fact.recipient for fact in found] == [
        entry["emailAddress"]
        for name in ("bounce", "complaint", "deliveryDelay")
        for key, entries in written.get(name, {}).items()
        if key.endswith("Recipients")
        for entry in entries
    ] or [fact.recipient for fact in found] == written["mail"]["destination"]
    for fact in found:
        assert fact.message_id == written["mail"]["messageId"]
        assert fact.occurred_at.tzinfo is UTC and fact.occurred_at.year == 2026
        assert len(fact.dedupe_key) == 64
        assert fact.tags.get("delivery", "") == written["mail"].get("tags", {}).get("delivery", [""])[0]
    assert len({fact.dedupe_key for fact in found}) == len(found)


def test_a_bounce_keeps_everything_that_a_verdict_needs() -> None:
    (fact,) = facts(document())
    assert (fact.type, fact.subtype, fact.action, fact.status) == ("Permanent", "General", "failed", "5.1.1")
    assert fact.diagnostic == "smtp; 550 5.1.1 user unknown"
    assert fact.mta == "a8-70.smtp-out.amazonses.com"
    assert fact.occurred_at == datetime(2026, 11, 20, 9, 0, 2, 456000, UTC)
    assert fact.extra["feedbackId"].startswith("0100019bf0000002")


def test_each_recipient_of_a_bounce_has_a_status_of_its_own() -> None:
    gone, slow = facts(document("events/bounce-multi-recipient-mixed-status.json"))
    assert (gone.recipient, gone.action, gone.status) == ("Gone@Example.org", "failed", "5.1.1")
    assert (slow.recipient, slow.action, slow.status) == ("slow@example.org", "delayed", "4.0.0")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("events/complaint-not-spam.json", {"type": "not-spam", "subtype": ""}),
        (
            "events/complaint-onaccountsuppressionlist.json",
            {"type": "", "subtype": "OnAccountSuppressionList"},
        ),
        (
            "events/deliverydelay-mailboxfull.json",
            {"type": "MailboxFull", "recipient": "delay-mailboxfull@example.org"},
        ),
        ("events/delivery.json", {"diagnostic": "250 2.0.0 OK 1234567890 abc.123 - gsmtp"}),
        ("events/reject.json", {"diagnostic": "Bad content", "recipient": "ok@example.org"}),
        (
            "events/rendering-failure.json",
            {
                "diagnostic": "Attribute 'name' is not present in the rendering data.",
                "extra": {"templateName": "inline"},
            },
        ),
        ("events/subscription.json", {"extra": {"contactList": "Newsletter", "source": "UnsubscribeHeader"}}),
        ("events/bounce-future-unknown-subtype.json", {"subtype": "SomethingNewIn2027"}),
    ],
)
def test_the_telling_part_of_each_type_is_kept(path: str, expected: dict[str, Any]) -> None:
    (fact,) = facts(document(path))
    assert {name: getattr(fact, name) for name in expected} == expected


def test_a_click_keeps_its_link() -> None:
    (fact,) = facts(document("events/click.json"))
    assert fact.extra["link"] == "https://www.example.com/offer?x=1&y=%C3%A9"


def test_a_message_id_is_no_longer_than_an_attempt_can_keep_it() -> None:
    found = document()
    found["mail"]["messageId"] = "m" * 150
    longest = Attempt._meta.get_field("message_id").max_length
    assert [len(fact.message_id) for fact in facts(found)] == [longest]


def test_our_header_is_found_whatever_its_case() -> None:
    found = document()
    found["mail"]["headers"].append({"name": "x-mailinglist-delivery", "value": "7-1-abc"})
    assert facts(found)[0].our_header == "7-1-abc"


def test_both_shapes_of_one_report_are_one_event() -> None:
    event = facts(document("events/bounce-permanent-general.json"))
    notification = facts(document("notifications/bounce-permanent-general.json"))
    assert [fact.dedupe_key for fact in event] == [fact.dedupe_key for fact in notification]


def test_the_case_of_an_address_makes_no_other_event_but_another_feedback_id_does() -> None:
    one, two, three = document(), document(), document()
    two["bounce"]["bouncedRecipients"][0]["emailAddress"] = "Permanent-General@Example.ORG"
    three["bounce"]["feedbackId"] = "another"
    keys = [facts(found)[0].dedupe_key for found in (one, two, three)]
    assert keys[0] == keys[1] != keys[2]


def test_without_a_feedback_id_time_and_message_tell_events_apart() -> None:
    one, later, other = (document("events/open.json") for _ in range(3))
    later["open"]["timestamp"] = "2026-11-20T10:00:02.456Z"
    other["mail"]["messageId"] = "another"
    assert len({facts(found)[0].dedupe_key for found in (one, later, other)}) == 3


def test_messages_of_ses_about_itself_are_no_events_and_no_errors() -> None:
    assert parse(b"Successfully validated SNS topic for Amazon SES event publishing.\n") == events.Parsed()
    assert parse((PAYLOADS / "notifications/setup-topic-subscribed.json").read_bytes()) == events.Parsed()


def test_the_end_of_our_subscription_is_said_in_the_quarantine() -> None:
    envelope = json.loads((PAYLOADS / "envelopes/unsubscribeconfirmation-sigv2.json").read_bytes())
    assert "Subscribe again" in sentence(envelope["Message"].encode())


def test_an_unknown_type_is_named() -> None:
    assert "'BrandNew'" in sentence(document("events/unknown-event-type.json"))


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    found = document()
    spot: Any = found
    for step in path[:-1]:
        spot = spot[step]
    spot[path[-1]] = value
    return found


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["mail"], None, "mail is missing"),
        (["mail"], "text", "mail is text, not an object"),
        (["mail", "messageId"], None, "mail.messageId is missing"),
        (["mail", "messageId"], 7, "mail.messageId is a number, not text"),
        (["mail", "destination"], "a@b.example", "mail.destination is text, not a list"),
        (["mail", "destination"], [1], "mail.destination[0] is a number"),
        (["bounce"], None, "bounce is missing"),
        (["bounce", "bouncedRecipients"], [], "bounce.bouncedRecipients names no recipient"),
        (["bounce", "bouncedRecipients"], [[]], "bounce.bouncedRecipients[0] is a list, not an object"),
        (["bounce", "bouncedRecipients"], [{}], "bounce.bouncedRecipients[0].emailAddress is missing"),
        (["bounce", "bouncedRecipients"], [{}] * 1001, "1001 entries"),
        (["bounce", "bouncedRecipients", 0, "status"], 5.11, "status is a number, not text"),
        (["bounce", "bounceType"], True, "bounce.bounceType is a truth value, not text"),
        (["bounce", "timestamp"], "yesterday", "bounce.timestamp is not a time: 'yesterday'"),
        (["bounce", "timestamp"], "0001-01-01T00:00:00+14:00", "bounce.timestamp"),
        (["bounce", "timestamp"], "9999-12-31T23:59:59Z", "no time of a mail"),
        (["eventType"], {"a": 1}, "eventType is an object, not text"),
        (["eventType"], None, "neither eventType nor notificationType"),
    ],
)
def test_what_is_missing_or_of_a_wrong_type_is_named_with_its_place(
    path: list[Any], value: Any, words: str
) -> None:
    assert words in sentence(changed(path, value))


def test_tags_and_headers_of_a_wrong_type_do_not_lose_the_bounce() -> None:
    for name, value in (
        ("tags", ["a"]),
        ("tags", {"delivery": [1], "x": "y"}),
        ("headers", {"a": 1}),
        ("headers", [1]),
    ):
        (fact,) = facts(changed(["mail", name], value))
        assert (fact.tags.get("delivery"), fact.status) == ("2" if name == "headers" else None, "5.1.1")


def test_a_bounce_without_a_time_has_that_of_its_mail_and_without_any_is_not_believed() -> None:
    found = changed(["bounce", "timestamp"], None)
    assert facts(found)[0].occurred_at == datetime(2026, 11, 20, 9, 0, 0, 123000, UTC)
    found["mail"]["timestamp"] = None
    assert "says when" in sentence(found)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not JSON"),
        (b"\x00", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"null", "null, not a JSON object"),
        (b"[1]", "a list, not a JSON object"),
        (b'"Bounce"', "text, not a JSON object"),
        (b"1", "a number, not a JSON object"),
        (b'{"eventType": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"eventType": "Send", "eventType": "Bounce"}', "'eventType' is there twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
        (b'{"a": "' + b"x" * 1024 * 1024 + b'"}', "bytes"),
    ],
)
def test_what_is_no_json_object_is_said_in_a_sentence(raw: bytes, words: str) -> None:
    assert words in sentence(raw)


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert parse(b"\xef\xbb\xbf" + json.dumps(document()).encode()).unparsed == ""


def test_texts_fit_the_database_and_hold_nothing_that_it_refuses() -> None:
    from bounces.models import Event

    dirty = "a\x00\ud800" + "x" * 9000
    found = changed(["bounce", "bounceType"], dirty)
    found["bounce"]["reportingMTA"] = "dns; " + dirty
    found["bounce"]["bouncedRecipients"] = [
        {"emailAddress": dirty, "status": dirty, "action": dirty, "diagnosticCode": dirty}
    ]
    found["mail"]["messageId"] = found["bounce"]["feedbackId"] = found["mail"]["tags"]["delivery"][0] = dirty
    (fact,) = facts(found)
    for name in ("type", "recipient", "message_id", "action", "status", "mta", "dedupe_key"):
        limit = Event._meta.get_field(name).max_length
        assert limit and 0 < len(getattr(fact, name)) <= limit
    whole = json.dumps(
        [fact.type, fact.recipient, fact.diagnostic, fact.mta, fact.extra, fact.tags], ensure_ascii=False
    )
    whole.encode()
    assert "\\u0000" not in whole and len(whole) < 10_000


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def broken_documents(draw: st.DrawFn) -> dict[str, Any]:
    """A real document in which some values, anywhere, are something else."""
    found = copy.deepcopy(json.loads(draw(st.sampled_from(DOCUMENTS)).read_bytes()))
    for _ in range(draw(st.integers(1, 4))):
        spot: Any = found
        while True:
            keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(spot[key], dict | list) and draw(st.booleans()):
                spot = spot[key]
                continue
            spot[key] = draw(_JSON)
            break
    return found


@settings(max_examples=200, deadline=None)
@given(broken_documents())
def test_no_content_whatever_raises(found: dict[str, Any]) -> None:
    parsed = parse(json.dumps(found).encode())
    assert not (parsed.events and parsed.unparsed)
    for fact in parsed.events:
        assert fact.recipient and fact.message_id and fact.occurred_at.tzinfo is UTC
        json.dumps(fact.extra, allow_nan=False, ensure_ascii=False).encode()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise(raw: bytes) -> None:
    assert parse(raw).events == ()
