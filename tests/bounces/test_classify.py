"""Facts about one recipient → verdict: the order of evidence, the vetoes, and wordings of many servers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounces.classify import classify
from bounces.events import EventFacts
from bounces.verdicts.facts import BounceFacts
from bounces.verdicts.judge import judge
from bounces.verdicts.reasons import REASONS


def event(kind: str, type: str = "", subtype: str = "", **facts: str) -> EventFacts:
    return EventFacts(
        kind=kind,
        occurred_at=datetime(2026, 11, 20, tzinfo=UTC),
        recipient="ada@post.example",
        type=type,
        subtype=subtype,
        **facts,
    )


def said(diagnostic: str, status: str = "", action: str = "failed") -> dict[str, str]:
    return {"diagnostic": diagnostic, "status": status, "action": action}


@pytest.mark.parametrize(
    ("fact", "verdict", "reason"),
    [
        (event("send"), "not-a-bounce", "sent"),
        (event("open"), "not-a-bounce", "opened"),
        (event("click"), "not-a-bounce", "clicked"),
        (event("subscription"), "not-a-bounce", "subscription"),
        (event("delivery", diagnostic="250 OK"), "delivered", "delivered"),
        (event("reject", diagnostic="Bad content"), "message", "virus"),
        (event("rendering-failure"), "message", "rendering-failure"),
        (event("delay", "MailboxFull", **said("smtp; 452 4.2.2 full")), "delayed", "mailbox-full"),
        (event("delay", "Undetermined", **said("smtp; 550 5.1.1 user unknown")), "delayed", "user-unknown"),
        (event("delay", "NewType"), "delayed", "temporary"),
        (event("complaint", "abuse"), "complaint", "abuse"),
        (event("complaint"), "complaint", "abuse"),
        (event("complaint", "not-spam"), "complaint", "not-spam"),
        (event("complaint", "Fraud (phishing)"), "complaint", "fraud"),
        (event("complaint", "opt-out-list"), "complaint", "opt-out"),
        (event("complaint", "other"), "complaint", "other-complaint"),
        (event("complaint", "Auth-Failure"), "not-a-bounce", "auth-report"),
        (event("complaint", "dmarc"), "not-a-bounce", "auth-report"),
        (event("complaint", "brand-new"), "not-a-bounce", "other-report"),
        (event("complaint", "", "OnAccountSuppressionList"), "suppressed", "account-list"),
        (event("bounce", "Permanent", "General"), "hard", "address-refused"),
        (event("bounce", "Permanent", "NoEmail"), "hard", "user-unknown"),
        (
            event("bounce", "Permanent", "General", **said("smtp; 550 5.1.1 user unknown")),
            "hard",
            "user-unknown",
        ),
        (event("bounce", "Permanent", "General", **said("smtp; 550 xyzzy", "5.7.1")), "block", "policy"),
        (event("bounce", "Permanent", "General", **said("smtp; 550 xyzzy", "5.2.2")), "soft", "mailbox-full"),
        (
            event("bounce", "Permanent", "General", **said("smtp; 550 xyzzy", "5.0.0")),
            "hard",
            "address-refused",
        ),
        (event("bounce", "Permanent", "Suppressed"), "suppressed", "suppressed"),
        (event("bounce", "Permanent", "OnAccountSuppressionList"), "suppressed", "account-list"),
        (event("bounce", "Permanent", "OnTenantSuppressionList"), "suppressed", "tenant-list"),
        (event("bounce", "Permanent", "EmailValidationSuppressed"), "suppressed", "address-validation"),
        (event("bounce", "Permanent", "UnsubscribedRecipient"), "suppressed", "unsubscribed-recipient"),
        (event("bounce", "Permanent", "NewSubtype"), "unknown", "unclear"),
        (event("bounce", "Transient", "General"), "auto-reply", "auto-reply"),
        (event("bounce", "Transient", "General", action="failed"), "soft", "temporary"),
        (
            event("bounce", "Transient", "General", **said("smtp; 452 4.2.2 mailbox full")),
            "soft",
            "mailbox-full",
        ),
        (event("bounce", "Transient", "MailboxFull"), "soft", "mailbox-full"),
        (event("bounce", "Transient", "MessageTooLarge"), "message", "message-too-large"),
        (event("bounce", "Transient", "ContentRejected"), "message", "content-rejected"),
        (event("bounce", "Transient", "AttachmentRejected"), "message", "attachment-rejected"),
        (event("bounce", "Transient", "CustomTimeoutExceeded"), "soft", "timeout"),
        (event("bounce", "Transient", "NewSubtype"), "soft", "temporary"),
        (event("bounce", "Undetermined", "Undetermined"), "unknown", "unclear"),
        (event("bounce", "Undetermined", "Undetermined", status="5.1.1"), "unknown", "unclear"),
        (event("bounce", "Undetermined", "Undetermined", **said("550 No such user")), "hard", "user-unknown"),
        (
            event("bounce", "Permanent", "General", **said("smtp; 550 5.4.4 Invalid domain")),
            "soft",
            "domain-not-found",
        ),
        (event("teleport"), "unknown", "unheard-of"),
    ],
    ids=lambda value: f"{value.kind}-{value.type}-{value.subtype}" if isinstance(value, EventFacts) else None,
)
def test_what_ses_reports(fact: EventFacts, verdict: str, reason: str) -> None:
    found = classify(fact)
    assert (found.kind, found.reason) == (verdict, reason)
    assert found.explanation.endswith(".")


@pytest.mark.parametrize(
    "diagnostic",
    [
        "550 5.2.2 mailbox full",
        "550 5.1.1 <a@example.com>: user is over quota",
        "552 5.1.1 User unknown: mailbox exceeds its quota",
        "550 5.1.1 User unknown; message blocked using zen.spamhaus.org",
        "550 5.1.1 Recipient rejected: your message looks like spam",
        "550 5.1.1 user unknown, your domain's DMARC policy does not allow this",
        "550 5.1.1 <a@example.com> has sent to too many recipients this hour",
        "550 5.1.1 message size exceeds fixed limit",
        "450 4.1.1 user unknown",
        "550 5.1.8 Address does not exist",
        "550 user unknown (in reply to MAIL FROM command)",
        "554 5.7.1 <a@example.com>: Relay access denied",
        "550 5.2.1 user unknown",
        "550-Requested action not taken: mailbox unavailable 550-Reject due to policy restrictions. 550 For "
        "explanation visit https://postmaster.gmx.net/en/case?c=hi0137",
        "550 Requested action not taken: mailbox unavailable - Sender address has null MX",
        "550 Requested action not taken: mailbox unavailable invalid DNS MX or A/AAAA resource record",
        "550 Requested action not taken: mailbox unavailable. The sender IP was found on a list",
        "550 mailbox unavailable: your IP is not allowed",
        "550 mailbox unavailable (not allowed to send from your network)",
        "550 Mailbox unavailable or access denied due to policy",
        "550 Access denied: mailbox unavailable",
        "550 5.7.1 Requested action not taken: mailbox unavailable",
        "550 5.7.1 Client host blocked; if this is an error, ask who runs the user unknown list",
    ],
)
def test_a_full_block_rate_or_sender_text_vetoes_hard_whatever_else_is_said(diagnostic: str) -> None:
    for type, subtype in (("Permanent", "General"), ("Permanent", "NoEmail"), ("", "")):
        assert classify(event("bounce", type, subtype, **said(diagnostic))).kind != "hard"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "550 5.1.1 The email account that you tried to reach does not exist. Learn more - gsmtp",
            "user-unknown",
        ),
        (
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            "user-unknown",
        ),
        (
            "550 5.4.1 Recipient address rejected: Access denied. [x.prod.protection.outlook.com]",
            "user-unknown",
        ),
        ("550 Empfänger unbekannt", "user-unknown"),
        ("550 Requested action not taken: mailbox unavailable", "user-unknown"),
        ("550 5.1.1 L'adresse du destinataire est inconnue", "user-unknown"),
        ("550 El usuario no existe", "user-unknown"),
        ("550 L'indirizzo non esiste", "user-unknown"),
        ("550 Пользователь не существует", "user-unknown"),
        ("550 宛先のメールアドレスが見つかりませんでした", "user-unknown"),
        ("550 收件人不存在", "user-unknown"),
        ("511 sorry, no mailbox here by that name (#5.1.1 - chkuser)", "user-unknown"),
        ("User carlos (a@example.com) not listed in Domino Directory", "user-unknown"),
        ("551 User has moved to another host", "address-moved"),
        ("Das Postfach ist voll", "mailbox-full"),
        ("La boîte aux lettres est pleine", "mailbox-full"),
        ("El buzón está lleno", "mailbox-full"),
        ("The recipient's mailbox is full and can't accept messages now", "mailbox-full"),
        ("Sorry, the user's maildir has overdrawn his diskspace quota", "mailbox-full"),
        ("550 5.2.1 The email account that you tried to reach is disabled", "mailbox-disabled"),
        ("554 Account has been suspended", "mailbox-disabled"),
        ("421 4.7.0 Too many concurrent SMTP connections", "over-rate"),
        ("450 4.2.0 Greylisted, please try again in 300 seconds", "greylisting"),
        ("connect to mx.example.net[192.0.2.1]:25: Connection refused", "connection"),
        ("lost connection with mx.example.net while receiving the initial server greeting", "connection"),
        ("Retry time not reached for any host after a long failure period", "timeout"),
        ("554 5.4.6 Too many hops", "mail-loop"),
        ("554 5.4.4 Host or domain name not found. type=A: Host not found", "domain-not-found"),
        ("450 4.4.3 Name service error: Host not found, try again", "connection"),
        ("450 4.0.0 example.com returned Null MX", "domain-not-found"),
        ("550 5.7.26 This mail is unauthenticated; SPF and DKIM did not pass", "authentication"),
        ("550 5.7.1 Client host rejected: cannot find your reverse hostname", "reverse-dns"),
        ("554 Service unavailable; Client host blocked using bl.spamcop.net", "blocklist"),
        ("421 4.7.28 unusual rate of unsolicited mail from your IP", "reputation"),
        ("550 Message contains a virus", "virus"),
        ("552 5.7.0 attachment type is not allowed", "attachment-rejected"),
        ("553 5.1.8 Sender address rejected: Domain not found", "sender-refused"),
        ("530 5.7.0 Authentication required", "login-required"),
        ("500 5.5.1 Unrecognized command", "protocol"),
        ("554 5.6.0 Message is malformed", "malformed"),
        ("xyzzy (in reply to end of DATA command)", "policy"),
        ("hostunknown", "domain-not-found"),
        ("550 xyzzy", "unclear"),
    ],
)
def test_wordings_of_many_servers_and_languages(text: str, reason: str) -> None:
    assert judge(BounceFacts("bounce", diagnostic=text)).reason == reason


def test_a_mailbox_called_spam_is_no_spam_block() -> None:
    assert (
        judge(BounceFacts("bounce", diagnostic="550 5.1.1 <spam@example.com>: User unknown")).kind == "hard"
    )


def test_the_same_words_mean_another_thing_at_another_provider() -> None:
    words = "550 5.4.1 Recipient address rejected: Access denied"
    assert judge(BounceFacts("bounce", diagnostic=words, domain="outlook.com")).kind == "hard"
    assert judge(BounceFacts("bounce", diagnostic=words, domain="example.com")).kind != "hard"


texts = st.text(max_size=300)


@given(
    kind=st.sampled_from(["bounce", "delay", "complaint", "delivery", "x"]),
    values=st.lists(texts, min_size=8, max_size=8),
)
def test_no_facts_whatever_raise_or_leave_the_columns(kind: str, values: list[str]) -> None:
    found = judge(BounceFacts(kind, *values))
    assert found.reason in REASONS
    assert len(found.kind) <= 14 and found.explanation
