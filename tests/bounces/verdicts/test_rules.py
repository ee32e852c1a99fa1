"""The tables of rules: every row has an example that it decides, and no row can be made slow."""

import re
import time

import pytest

from bounces.mail import addresses, answers, parts, prose
from bounces.verdicts import text
from bounces.verdicts.facts import BounceFacts
from bounces.verdicts.judge import judge
from bounces.verdicts.reasons import REASONS
from bounces.verdicts.rules import GENERAL, PROVIDERS, Rule, providers
from bounces.verdicts.rules.names import NAMES
from bounces.verdicts.ses_types import BOUNCE_TYPES, COMPLAINTS, DELAYS, NOT_SENT, SETTLED
from bounces.verdicts.statuses import reason_of
from bounces.verdicts.text import code_in, prepare, status_in

VERDICTS = {
    "hard",
    "soft",
    "block",
    "message",
    "auto-reply",
    "complaint",
    "suppressed",
    "delivered",
    "delayed",
    "not-a-bounce",
    "unknown",
}
ROWS = [("", rule) for rule in GENERAL] + [
    (name, rule) for name, table in PROVIDERS.items() for rule in table
]


def name_of(row: tuple[str, Rule]) -> str:
    provider, rule = row
    return f"{provider}:{rule.reason}:{rule.example[:40]}"


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_each_rule_matches_its_own_example_and_decides_it(row: tuple[str, Rule]) -> None:
    provider, rule = row
    prepared = prepare(rule.example)
    assert rule.matches(prepared, status_in(prepared.raw), code_in(prepared.raw))
    assert judge(BounceFacts("bounce", diagnostic=rule.example, provider=provider)).reason == rule.reason
    assert rule.source


def test_every_reason_that_a_table_names_is_explained() -> None:
    named = (
        {rule.reason for _, rule in ROWS} | set(NAMES.values()) | set(SETTLED.values()) | set(DELAYS.values())
    )
    named |= set(BOUNCE_TYPES.values()) | set(COMPLAINTS.values()) | set(NOT_SENT.values())
    assert named <= set(REASONS)


def test_verdicts_and_reasons_fit_their_columns_and_every_sentence_is_one() -> None:
    for code, reason in REASONS.items():
        assert reason.verdict in VERDICTS and len(reason.verdict) <= 14
        assert len(code) <= 60 and re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert reason.sentence[0].isupper() and reason.sentence.endswith(".")


@pytest.mark.parametrize("status", ["5.0.0", "5.5.0", "5.1.0", "5.2.0", "", "9.9.9", "2.0.0"])
def test_a_placeholder_status_says_nothing(status: str) -> None:
    assert reason_of(status) == ""


PATTERNS: list[re.Pattern[str]] = [rule.compiled for _, rule in ROWS] + [
    value
    for module in (addresses, answers, parts, prose, text, providers)
    for value in vars(module).values()
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str)
]
HOSTILE = (
    "a",
    "a ",
    "@",
    "a@",
    "<",
    "<a ",
    " ",
    "\n",
    "1.",
    "550-",
    "- ",
    '"',
    '"a',
    "=?utf-8?q?",
    "<addr>",
    "not ",
)


def seconds(pattern: re.Pattern[str], seed: str, length: int) -> float:
    """What a search in ``length`` characters of repeated ``seed`` takes."""
    hostile = (seed * (length // len(seed) + 1))[:length]
    started = time.process_time()
    pattern.search(hostile)
    return time.process_time() - started


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.pattern[:50])
def test_no_pattern_needs_half_a_second_for_a_hundred_kilobytes(pattern: re.Pattern[str]) -> None:
    own = re.findall(r"[a-z]{3,}", pattern.pattern)
    for seed in (*HOSTILE, " ".join(own) + " ", f"{(own or ['x'])[0]} "):
        # Even what grows with the square needs only four hundred times as long for twenty times the text, and 25 times as
        # long for five times the text. What grows faster is seen in the first five kilobytes, or in the first twenty.
        if seconds(pattern, seed, 5_000) >= 0.00125 and seconds(pattern, seed, 20_000) >= 0.02:
            assert seconds(pattern, seed, 100_000) < 0.5, seed[:40]


def test_preparing_a_hundred_kilobytes_of_anything_is_quick() -> None:
    for seed in HOSTILE:
        started = time.process_time()
        prepare(seed * (100_000 // len(seed)))
        assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("550 5.1.1 user unknown", "5.1.1"),
        ("550-5.7.26 line one 550 5.7.26 line two", "5.7.26"),
        ("5.0.0 failed: 550 5.2.2 full", "5.2.2"),
        ("host 5.7.1.12 said no", ""),
        ("no code at all", ""),
        ("554 5.0.0 Service unavailable", "5.0.0"),
    ],
)
def test_the_telling_status_in_a_text(written: str, status: str) -> None:
    assert status_in(written) == status


def test_addresses_and_web_pages_are_masked_before_wordings_are_looked_for() -> None:
    prepared = prepare("550 <Spam@blocked.example> see https://example.com/spam/blocklist?ip=192.0.2.7")
    assert "spam" not in prepared.plain and "blocked" not in prepared.plain
    assert "blocklist" in prepared.raw
