"""Mails → reports: one sample of each kind, and mails that are built to do harm."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounces import dsn, opinion
from tests.bounces import mailed

MAILS = Path(__file__).parent.parent / "payloads" / "mails"
ADA, BOB = "ada@post.example", "bob@post.example"
GONE, FULL = ("hard", "user-unknown"), ("soft", "mailbox-full")
NOT_A_BOUNCE = "not-a-bounce"

SAMPLES: dict[str, tuple[str, list[tuple[str | None, str, str]]]] = {
    "dsn-user-unknown": ("bounce", [(ADA, *GONE)]),
    "dsn-two-recipients": ("bounce", [(ADA, *GONE), (BOB, *FULL)]),
    "dsn-alias": ("bounce", [("Ada@post.example", "block", "spam")]),
    "dsn-delayed": ("delay", [(ADA, "delayed", "timeout")]),
    "dsn-success": ("delivery", [(ADA, "delivered", "delivered")]),
    "dsn-no-domain": ("bounce", [(ADA, "hard", "domain-not-found")]),
    "dsn-reason-only-in-prose": ("bounce", [(ADA, *FULL)]),
    "dsn-two-voices": ("bounce", [(ADA, *FULL)]),
    "forwarded-dsn": ("bounce", [(ADA, *GONE)]),
    "forwarded-quoted-dsn": ("bounce", [(ADA, *GONE)]),
    "qmail": ("bounce", [(ADA, *GONE), (BOB, *FULL)]),
    "exim": ("bounce", [(ADA, *GONE)]),
    "exchange-german": ("bounce", [(ADA, *FULL)]),
    "notes": ("bounce", [(ADA, *GONE)]),
    "gmail-delay": ("delay", [(ADA, "delayed", "temporary")]),
    "carrier-japanese": ("bounce", [(ADA, *GONE)]),
    "yahoo-html": ("bounce", [(ADA, *GONE)]),
    "arf-abuse": ("complaint", [(ADA, "complaint", "abuse")]),
    "sns-by-mail": ("bounce", [(ADA, *GONE)]),
    "out-of-office": ("auto-reply", [(None, "auto-reply", "auto-reply")]),
    "out-of-office-unmarked": ("auto-reply", [(None, "auto-reply", "auto-reply")]),
    "read-receipt": ("receipt", [(None, NOT_A_BOUNCE, "receipt")]),
    "challenge": ("challenge", [(None, NOT_A_BOUNCE, "challenge")]),
    "person-about-bounces": ("ordinary", [(None, NOT_A_BOUNCE, "ordinary-mail")]),
    "phishing": ("ordinary", [(None, NOT_A_BOUNCE, "ordinary-mail")]),
}


def sample(name: str) -> bytes:
    return (MAILS / f"{name}.eml").read_bytes()


def answers(raw: bytes) -> list[tuple[str | None, str, str]]:
    return [(found.recipient, found.verdict, found.reason) for found in opinion.of_document("mail", raw)]


@pytest.mark.parametrize("name", SAMPLES)
def test_each_kind_of_mail_is_told_apart(name: str) -> None:
    kind, expected = SAMPLES[name]
    found = opinion.of_document(name, sample(name))
    assert {row.kind for row in found} == {kind}
    assert answers(sample(name)) == expected


def test_every_sample_has_its_expectation() -> None:
    assert {file.stem for file in MAILS.glob("*.eml")} == set(SAMPLES)


@pytest.mark.parametrize("name", ["dsn-user-unknown", "arf-abuse", "dsn-alias"])
def test_the_signed_header_of_the_returned_mail_is_handed_on_unchecked(name: str) -> None:
    assert dsn.read(sample(name)).our_header == "17-1-0123456789abcdef0123"


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("ending", [b"\r\n", b"\r"], ids=["crlf", "cr"])
def test_line_ends_make_no_difference(name: str, ending: bytes) -> None:
    assert answers(sample(name).replace(b"\n", ending)) == SAMPLES[name][1]


@pytest.mark.parametrize("subject", ["Delivery failure", "Niedostarczona wiadomość", "系统退信"])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"<{ADA}>: 550 5.1.1 收件人信箱已滿", FULL),
        (f"<{ADA}>:\n    550 5.1.1 사서함 용량 초과", FULL),
        (f"{ADA}: 550 5.1.1 schránka příjemce je plná", FULL),
        (f"<{ADA}>; 550 5.1.1 Εσφαλμένος παραλήπτης", GONE),
    ],
)
def test_a_servers_answer_to_an_address_is_a_bounce_in_any_language(
    subject: str, line: str, expected: tuple[str, str]
) -> None:
    assert answers(mailed.plain("MAILER-DAEMON@mx.example.net", subject, text=f"\n{line}\n")) == [
        (ADA, *expected)
    ]


QUOTE = f"the following address failed: {ADA}\n550 5.1.1 user unknown"
FIELDS = f"> Final-Recipient: rfc822; {ADA}\n> Action: failed\n> Status: 5.1.1\n"
OURS = "> X-Mailinglist-Delivery: 17-1-0123456789abcdef0123\n"


@pytest.mark.parametrize(
    ("sender", "subject", "extra", "text", "kind"),
    [
        (
            "Ann <ann@c.example>",
            "Re: Delivery failure",
            "Return-Path: <>",
            f"I got this: {QUOTE}",
            "ordinary",
        ),
        ("Ann <ann@c.example>", "Fwd: Undelivered Mail Returned to Sender", "", f"Look: {QUOTE}", "ordinary"),
        ("Ann <ann@c.example>", "AW: Undelivered mail", "", f"{QUOTE}\n{OURS}", "ordinary"),
        ("Team <postmaster@b.example>", "About rejected mail", "", f"{QUOTE}. Can you check?", "ordinary"),
        ("MAILER-DAEMON@b.example", "Out of office: Re: News", "", f"I am away. {QUOTE}", "auto-reply"),
        ("MAILER-DAEMON@b.example", "Delivery failure", "Auto-Submitted: auto-replied", QUOTE, "bounce"),
        ("Router@b.example", "RE: News of the month of May: non remis", "Return-Path: <>", QUOTE, "bounce"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_people_who_quote_a_bounce_and_notes_of_absence_are_no_bounces(
    sender: str, subject: str, extra: str, text: str, kind: str
) -> None:
    assert dsn.read(mailed.plain(sender, subject, extra=extra, text=text)).kind == kind


def test_our_header_proves_nothing_in_what_a_person_quotes() -> None:
    report = dsn.read(mailed.plain("Ann <ann@c.example>", "Fwd: Undelivered Mail", text=FIELDS + OURS))
    assert (report.kind, report.our_header) == ("bounce", "")


def test_a_subject_about_confirming_does_not_make_a_bounce_a_challenge() -> None:
    raw = sample("dsn-user-unknown").replace(
        b"Undelivered Mail Returned", b"Undeliverable: Confirm your subscription"
    )
    assert answers(raw) == [(ADA, *GONE)]


def test_an_address_that_a_server_quotes_is_no_recipient() -> None:
    raw = sample("qmail").replace(
        b"Remote host said: 550 sorry, no mailbox",
        b"Remote host said:\n    <eve@elsewhere.example>: 550 sorry, no mailbox",
    )
    assert {recipient for recipient, _, _ in answers(raw)} == {ADA, BOB}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n\n",
        b"\x00" * 1000,
        b"From: <>\n",
        b"From: MAILER-DAEMON\nSubject: Undelivered Mail\n\nHello\n",
        b"Content-Type: multipart/report; report-type=delivery-status\n\nno boundary\n",
        b'Content-Type: text/plain; charset="no-such-charset"\n\n\xff\xfe\n',
        b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!not base64!!!\n",
        b"From: =?utf-8?b?broken?=\nSubject: =?no-such?q?x?=\n\nbody\n",
        b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/delivery-status\n\nAction",
        b"{",
        b"[1, 2]",
        b"{" * 100_000,
    ],
    ids=lambda raw: repr(raw[:30]),
)
def test_a_broken_mail_is_answered_and_names_nobody(raw: bytes) -> None:
    found = answers(raw)
    assert len(found) == 1 and found[0][1] in ("not-a-bounce", "unknown")


def nested(depth: int, boundary: str = "same") -> bytes:
    head = f'Content-Type: multipart/mixed; boundary="{boundary}"\n\n--{boundary}\n'
    return (head * depth + "Content-Type: text/plain\n\nend\n").encode()


@pytest.mark.parametrize(
    "raw",
    [
        nested(150),
        nested(5000),
        b"".join(nested(1, f"b{number}") for number in range(190)),
        b"Subject: " + b"=?utf-8?q?" * 30_000,
        b"X: y\n" * 200_000,
        b"From: MAILER-DAEMON\nSubject: Undelivered\n\n" + b"a@b.example: 550 failed\n" * 40_000,
        b"From: MAILER-DAEMON\nSubject: Undelivered\n\nfailed " + b"a@" * 400_000,
        b"From: MAILER-DAEMON\nContent-Type: text/html\nSubject: Undelivered\n\n" + b"<a " * 300_000,
        b"From: MAILER-DAEMON\nSubject: Undelivered\n\n" + b"- " * 500_000,
    ],
    ids=["150 deep", "5000 deep", "other names", "words", "headers", "addresses", "signs", "tags", "dashes"],
)
def test_no_mail_takes_longer_than_two_seconds(raw: bytes) -> None:
    started = time.process_time()
    assert answers(raw)
    assert time.process_time() - started < 2


@given(st.binary(max_size=400))
def test_no_bytes_whatever_raise(raw: bytes) -> None:
    assert answers(raw)


@settings(deadline=None)
@given(
    name=st.sampled_from(sorted(SAMPLES)),
    at=st.integers(0, 2000),
    junk=st.binary(max_size=40),
    cut=st.integers(0, 200),
)
def test_no_damage_to_a_real_mail_raises(name: str, at: int, junk: bytes, cut: int) -> None:
    raw = sample(name)
    assert answers(raw[:at] + junk + raw[at + cut :])


def test_a_mail_with_too_many_nested_parts_is_refused_with_a_reason() -> None:
    (found,) = opinion.of_document("mail", nested(5000))
    assert (found.kind, found.verdict) == ("unreadable", "unknown")
    assert found.explanation == "The mail has too many nested parts."
