"""Verdicts on mailed reports: what the server says, and what is written for people around it."""

import pytest

from bounces.mail.report import Finding
from bounces.verdicts.facts import BounceFacts
from bounces.verdicts.mails import judge_findings


def reported(text: str, diagnostic: str = "", *, people: int = 1) -> set[str]:
    facts = BounceFacts("bounce", action="failed", status="5.1.1", diagnostic=diagnostic)
    findings = tuple(Finding(f"{number}@post.example", facts, text) for number in range(people))
    return {found.reason for found in judge_findings(findings)}


@pytest.mark.parametrize("diagnostic", ["", "550 5.1.1", "smtp; 550 5.1.1 xyzzy"])
@pytest.mark.parametrize("people", [1, 2])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Ihre Nachricht wurde als Spam abgelehnt.", "spam"),
        ("Your server is on a blocklist.", "blocklist"),
        ("Too many messages from you, slow down.", "over-rate"),
        ("受信者のメールボックスの容量を超えています。", "mailbox-full"),
    ],
)
def test_a_mere_code_does_not_outweigh_what_is_written_for_people(
    text: str, reason: str, diagnostic: str, people: int
) -> None:
    assert reported(text, diagnostic, people=people) == {reason}


@pytest.mark.parametrize(
    "text", ["", "Your message could not be delivered.", "This mail was scanned for viruses."]
)
def test_a_mere_code_is_believed_where_nothing_contradicts_it(text: str) -> None:
    assert reported(text) == {"user-unknown"}


def test_the_servers_own_words_outweigh_those_around_them_unless_a_mailbox_is_full() -> None:
    assert reported("If this is about spam, ask us.", "550 5.1.1 User unknown") == {"user-unknown"}
    assert reported("The mailbox is full.", "550 5.1.1 User unknown") == {"mailbox-full"}
