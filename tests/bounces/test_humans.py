"""Who opened a mail or followed a link, a case a line; and what holds whatever the reports are."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounces import agents, humans
from bounces.agents import AGENTS, Agent
from bounces.humans import CLICK, OPEN, Facts, Judgement, Sign, Who, judge, judge_all
from tests.ses_events import T0

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
IP, OTHER_IP = "192.0.2.1", "198.51.100.9"


def at(seconds: float) -> datetime:
    """So long after the delivery."""
    return T0 + timedelta(seconds=seconds)


def opened(seconds: float, agent: str = FIREFOX, ip: str = IP) -> Sign:
    return Sign(OPEN, at(seconds), agent, ip)


def click(seconds: float, link: int = 1, agent: str = FIREFOX, ip: str = IP) -> Sign:
    return Sign(CLICK, at(seconds), agent, ip, link)


def trap(seconds: float, agent: str = FIREFOX, ip: str = OTHER_IP) -> Sign:
    return Sign(CLICK, at(seconds), agent, ip, -1, honeypot=True)


CASES: list[tuple[str, Sign, tuple[Sign, ...], int, str]] = [
    # what it is, the sign, the others, links of the mail, expected
    ("a person an hour later", opened(3600), (), 5, "person: person"),
    ("a person's click", click(3600), (opened(3590),), 5, "person: person"),
    ("through Gmail's proxy", opened(60, GMAIL), (), 5, "person: proxy"),
    ("Gmail's proxy at once", opened(1, GMAIL), (), 5, "machine: too-soon"),
    ("Apple Mail, whenever", opened(3600, "Mozilla/5.0"), (), 5, "unsure: apple-privacy"),
    ("a click of so short an agent", click(3600, agent="Mozilla/5.0"), (), 5, "person: person"),
    ("no name at all", opened(3600, " "), (), 5, "unsure: no-agent"),
    ("4.9 s after delivery", click(4.9), (), 5, "machine: too-soon"),
    ("5 s after delivery", click(5), (), 5, "person: person"),
    ("before the delivery", opened(-0.2), (), 5, "machine: before-delivery"),
    ("a library", click(3600, agent="python-requests/2.32.3"), (), 5, "machine: script"),
    ("a scanner by name", click(3600, agent="Barracuda Sentinel (EE)"), (), 5, "machine: scanner"),
    ("a messenger", click(3600, agent="Slackbot-LinkExpanding 1.0"), (), 5, "machine: preview"),
    ("the honeypot", trap(3600), (), 5, "machine: honeypot"),
    ("a click a minute after the honeypot", click(3660), (trap(3600),), 5, "machine: beside-honeypot"),
    ("a click a minute before it", click(3540), (trap(3600),), 5, "machine: beside-honeypot"),
    ("a click two minutes after it", click(3720), (trap(3600),), 5, "person: person"),
    ("the same program an hour later", click(7200), (trap(3600, ip=IP),), 5, "machine: beside-honeypot"),
    ("an opening half a minute after it", opened(3630), (trap(3600),), 5, "person: person"),
    ("an opening beside it", opened(3605), (trap(3600),), 5, "machine: beside-honeypot"),
    ("three links in three seconds", click(3600), (click(3601, 2), click(3603, 3)), 9, "machine: burst"),
    ("three links in four seconds", click(3600), (click(3602, 2), click(3604, 3)), 9, "person: person"),
    ("one link three times", click(3600), (click(3601), click(3602)), 9, "person: person"),
    ("every link of three", click(3600), (click(3604, 2), click(3609, 3)), 3, "machine: every-link"),
    ("all but one", click(3600), (click(3604, 2), click(3609, 3)), 4, "person: person"),
    ("both links of a mail at once", click(3600), (click(3601, 2),), 2, "machine: every-link"),
    ("both links by a person", click(3600), (click(3605, 2),), 2, "person: person"),
    ("the one link of a mail", click(3600), (), 1, "person: person"),
    (
        "pictures loaded by who followed every link", opened(3601),
        (click(3600), click(3601, 2), click(3602, 3)), 9, "machine: burst",
    ),
    (
        "a person after a scanner", click(3600),
        (click(3, 1, ip=OTHER_IP), click(3, 2, ip=OTHER_IP), click(4, 3, ip=OTHER_IP)), 3, "person: person",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("_", "sign", "others", "links", "expected"), CASES, ids=[case[0] for case in CASES])
def test_who_it_was(_: str, sign: Sign, others: tuple[Sign, ...], links: int, expected: str) -> None:
    found = judge(sign, Facts(others, links=links, sent_at=at(-1), delivered_at=T0))
    assert f"{found.who}: {found.reason}" == expected


def test_without_a_report_of_delivery_the_time_of_sending_counts() -> None:
    facts = Facts((), links=5, sent_at=T0)
    assert judge(opened(4), facts).reason == "too-soon"
    assert judge(opened(-1), facts).reason == "too-soon"
    assert judge(opened(60), facts).who == Who.PERSON
    assert judge(opened(0.1), Facts(())).who == Who.PERSON


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.example[:40])
def test_every_rule_about_a_program_fits_its_example_and_is_no_rule_for_browsers(agent: Agent) -> None:
    assert agents.meaning(agent.example) == agent.means
    assert agent.source
    for browser in (
        FIREFOX,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Microsoft Outlook 16.0.17328; ms-office)",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.9.0",
        "Outlook-iOS/723.4027091.prod.iphone (4.2447.0)",
        "Mozilla/5.0 (X11; CUBOT NOTE) AppleWebKit/537.36 Chrome/100.0 Mobile Safari/537.36 ",
    ):
        assert not agent.compiled.search(browser.strip().lower()) or "cubot" in browser.lower(), browser


def test_every_reason_has_its_sentence() -> None:
    seen = {judge(sign, Facts(others, links, at(-1), T0)).reason for _, sign, others, links, _ in CASES}
    assert seen | {"prefetch"} == set(humans.SENTENCES)


SIGNS = st.lists(
    st.builds(
        Sign,
        kind=st.sampled_from([OPEN, CLICK]),
        at=st.integers(-5, 200).map(lambda tenths: at(tenths / 2)),
        agent=st.sampled_from([FIREFOX, GMAIL, "Mozilla/5.0", "", "curl/8.1.2"]),
        ip=st.sampled_from([IP, OTHER_IP, ""]),
        link=st.integers(0, 4),
        honeypot=st.just(False),
    ).flatmap(lambda sign: st.sampled_from([sign, replace(sign, honeypot=sign.kind == CLICK and sign.link == 4)])),
    max_size=12,
)  # fmt: skip


@given(signs=SIGNS, links=st.integers(0, 5), seed=st.integers(), delivered=st.booleans())
def test_the_order_of_the_reports_never_matters(
    signs: list[Sign], links: int, seed: int, delivered: bool
) -> None:
    facts = Facts(signs, links, delivered_at=T0 if delivered else None)
    shuffled = signs[:]
    random.Random(seed).shuffle(shuffled)
    found = sorted(zip(map(repr, signs), judge_all(facts), strict=True))
    again = sorted(zip(map(repr, shuffled), judge_all(replace(facts, signs=shuffled)), strict=True))
    assert found == again
    assert all(judgement.reason in humans.SENTENCES for _, judgement in found)


@given(signs=SIGNS, more=SIGNS, links=st.integers(0, 5))
def test_a_later_report_can_only_reveal_a_program_never_clear_one(
    signs: list[Sign], more: list[Sign], links: int
) -> None:
    before: list[Judgement] = judge_all(Facts(signs, links, delivered_at=T0))
    after = judge_all(Facts([*signs, *more], links, delivered_at=T0))
    assert all(
        now.who == Who.MACHINE
        for was, now in zip(before, after, strict=False)
        if was.who == Who.MACHINE
    )  # fmt: skip
