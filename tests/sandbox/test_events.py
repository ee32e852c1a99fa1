"""What becomes of a mail, as the hook hears of it: rules, copies, order, retries, and the suppression list."""

from collections import Counter
from typing import Any

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.aws import send
from tests.sandbox.hook import Hook

EVENTS_OF_RULE = {
    "ada": ["Send", "Delivery"],
    "success": ["Send", "Delivery"],
    "hard": ["Send", "Bounce Permanent General 5.1.1"],
    "bounce": ["Send", "Bounce Permanent General 5.1.1"],
    "nodomain": ["Send", "Bounce Transient General 5.4.4"],
    "soft": ["Send", "Bounce Transient General 4.4.7"],
    "full": ["Send", "Bounce Transient MailboxFull 5.2.2"],
    "later+1": ["Send", "Delivery"],
    "later+2": ["Send", "Bounce Transient MailboxFull 5.2.2"],
    "block": ["Send", "Bounce Permanent General 5.7.1"],
    "toolarge": ["Send", "Bounce Transient MessageTooLarge 5.3.4"],
    "content": ["Send", "Bounce Transient ContentRejected 5.7.1"],
    "ooto": ["Send", "Delivery", "Bounce Transient General -"],
    "complaint": ["Send", "Delivery", "Complaint abuse"],
    "notspam": ["Send", "Delivery", "Complaint not-spam"],
    "suppressionlist": ["Send", "Bounce Permanent OnAccountSuppressionList 5.1.1"],
    "delay": ["Send", "DeliveryDelay TransientCommunicationFailure", "Delivery"],
    "delivered-then-bounce": ["Send", "Delivery", "Bounce Permanent NoEmail 5.1.1"],
    "reject": ["Reject Bad content"],
    "undetermined": ["Send", "Bounce Undetermined Undetermined -"],
    "slow+0": ["Send", "Delivery"],
}


def told(event: dict[str, Any]) -> str:
    kind = event["eventType"]
    if kind == "Bounce":
        bounce = event["bounce"]
        status = bounce["bouncedRecipients"][0].get("status", "-")
        return f"Bounce {bounce['bounceType']} {bounce['bounceSubType']} {status}"
    if kind == "Complaint":
        return f"Complaint {event['complaint']['complaintFeedbackType']}"
    if kind == "DeliveryDelay":
        return f"DeliveryDelay {event['deliveryDelay']['delayType']}"
    return f"Reject {event['reject']['reason']}" if kind == "Reject" else kind


def test_every_rule_has_its_events(ses: RunningSandbox, sesv2: Any, hook: Hook) -> None:
    local_of = {send(sesv2, f"{local}@example.com"): local for local in EVENTS_OF_RULE}
    ses.wait_for_pushes()
    heard: dict[str, list[str]] = {local: [] for local in EVENTS_OF_RULE}
    for event in hook.events():
        heard[local_of[event["mail"]["messageId"]]].append(told(event))
    expected = {local: sorted(events) for local, events in EVENTS_OF_RULE.items()}
    assert {local: sorted(events) for local, events in heard.items()} == expected


def test_later_is_delivered_at_the_second_mail(ses: RunningSandbox, sesv2: Any, hook: Hook) -> None:
    for _ in range(2):
        send(sesv2, "later+2@example.com")
        ses.wait_for_pushes()
    assert [told(event) for event in hook.events() if event["eventType"] != "Send"] == [
        "Bounce Transient MailboxFull 5.2.2",
        "Delivery",
    ]


def test_hard_bounces_and_complaints_fill_the_suppression_list(
    ses: RunningSandbox, sesv2: Any, hook: Hook
) -> None:
    for local in ("hard", "complaint", "soft", "notspam"):
        send(sesv2, f"{local}@example.com")
    send(sesv2, "bounce@simulator.amazonses.com")
    ses.wait_for_pushes()
    rows = sesv2.list_suppressed_destinations()["SuppressedDestinationSummaries"]
    assert {row["EmailAddress"]: row["Reason"] for row in rows} == {
        "hard@example.com": "BOUNCE",
        "complaint@example.com": "COMPLAINT",
    }
    assert send(sesv2, "hard@example.com")
    ses.wait_for_pushes()
    assert hook.events("Bounce")[-1]["bounce"]["bounceSubType"] == "OnAccountSuppressionList"


def test_a_mail_without_a_configuration_set_has_no_events(
    ses: RunningSandbox, sesv2: Any, hook: Hook
) -> None:
    ses.config(default_configuration_set=None)
    send(sesv2, "hard@example.com")
    assert ses.pushes()["open"] == 0
    send(sesv2, "hard@example.com", extra="X-SES-CONFIGURATION-SET: mailinglist")
    ses.wait_for_pushes()
    assert {event["mail"]["tags"]["ses:configuration-set"][0] for event in hook.events()} == {"mailinglist"}


def test_a_server_error_is_repeated_with_the_same_message(
    ses: RunningSandbox, sesv2: Any, hook: Hook
) -> None:
    seen: Counter[str] = Counter()

    def third_time(envelope: dict[str, Any]) -> int:
        seen[envelope["MessageId"]] += 1
        ses.config(signature_version="2")  # concerns messages that are signed from now on
        return 200 if seen[envelope["MessageId"]] == 3 else 500

    hook.answer = third_time
    send(sesv2, "ada@example.com")
    ses.wait_for_pushes()
    assert list(seen.values()) == [3, 3]
    assert len({one.body for one in hook.received}) == 2, "a repeated message is the same to the byte"
    stats = ses.stats()
    assert (stats["pushed"], stats["retried"], stats["lost"]) == (2, 4, 0)


def test_a_client_error_loses_the_event(ses: RunningSandbox, sesv2: Any, hook: Hook) -> None:
    hook.answer = lambda envelope: 400 if '"eventType":"Delivery"' in envelope["Message"] else 200
    send(sesv2, "ada@example.com")
    ses.wait_for_pushes()
    stats = ses.stats()
    assert (stats["pushed"], stats["retried"], stats["lost"]) == (1, 0, 1)


def test_held_pushes_wait_until_released(ses: RunningSandbox, sesv2: Any, hook: Hook) -> None:
    ses.config(pushes="hold")
    send(sesv2, "hard@example.com")
    with pytest.raises(TimeoutError):
        ses.wait_for_pushes(timeout=0.3)
    assert hook.received == [] and ses.pushes()["waiting"] == 2
    assert ses.stats()["events"] == {"Send": 1, "Bounce": 1}, "they have happened all the same"
    ses.release()
    ses.wait_for_pushes()
    assert len(hook.received) == 2


def heard_with(ses: RunningSandbox, sesv2: Any, hook: Hook, **switches: Any) -> Counter[tuple[str, str]]:
    ses.reset()
    hook.clear()
    ses.config(**switches)
    for i in range(30):
        send(sesv2, f"p{i}@example.com")
    ses.wait_for_pushes()
    return Counter((event["mail"]["destination"][0], told(event)) for event in hook.events())


def test_fates_and_copies_depend_on_the_seed_alone(ses: RunningSandbox, sesv2: Any, hook: Hook) -> None:
    switches = {"duplicates": 0.5, "mix": {"hard": 0.3, "soft": 0.2}}
    first = heard_with(ses, sesv2, hook, seed=7, **switches)
    copies = ses.stats()["copies"]
    assert copies > 0 and sum(first.values()) == 60 + copies
    assert heard_with(ses, sesv2, hook, seed=7, **switches) == first
    assert heard_with(ses, sesv2, hook, seed=8, **switches) != first


def test_a_copy_by_sns_repeats_the_message_and_one_by_ses_does_not(
    ses: RunningSandbox, sesv2: Any, hook: Hook
) -> None:
    heard_with(ses, sesv2, hook, duplicates=1)
    ids = Counter(one.envelope["MessageId"] for one in hook.received)
    bodies = Counter(one.body for one in hook.received)
    assert set(ids.values()) == {1, 2} and sorted(ids.values()) == sorted(bodies.values())
