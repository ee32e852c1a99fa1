"""PURE. Who opened a mail or followed a link in it: a person, or a program that opens all of them.

Called by engagement.py and the timeline with everything that is known about one mail at once, so that the order in
which reports arrive cannot matter: a click that looked like a person's is a program's when later reports show that
every link was followed in the same seconds. When in doubt it is a person; where nothing can be known (Apple's privacy
protection) it is neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bounces import agents

OPEN, CLICK = "open", "click"
#: Nobody has read a mail so soon after the receiving server took it.
TOO_SOON = timedelta(seconds=5)
#: So many different links in so short a time are followed by programs only.
BURST_LINKS, BURST = 3, timedelta(seconds=3)
#: Every link of the mail in this time; a mail with two links is read and left more quickly.
EVERY_LINK, BOTH_LINKS = timedelta(seconds=10), timedelta(seconds=2)
#: The same program is at work for so long before and after it followed the honeypot. A person may well open a mail
#: that was scanned half a minute ago, but does not follow a link at once.
AROUND_HONEYPOT = {CLICK: timedelta(seconds=60), OPEN: timedelta(seconds=10)}


class Who(StrEnum):
    #: A person, as far as anybody can tell.
    PERSON = "person"
    #: A program of a provider, a filter or somebody else.
    MACHINE = "machine"
    #: Nothing in it tells a person from a program.
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Sign:
    """One report of SES. ``agent``: what the program calls itself. ``link``: the number of the link (see
    ``mailinglist.composing.links``), 0 for an opening. ``honeypot``: the link that people cannot see.
    """

    kind: str
    at: datetime
    agent: str = ""
    ip: str = ""
    link: int = 0
    honeypot: bool = False

    @property
    def program(self) -> tuple[str, str]:
        return self.ip, self.agent


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one mail (one attempt). ``links``: how many different links it has; 0: not known.
    ``sent_at``, ``delivered_at``: by SES's clock, None while not reported.
    """

    signs: Sequence[Sign]
    links: int = 0
    sent_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """``reason``: a key of SENTENCES."""

    who: Who
    reason: str


#: reason → how the timeline goes on after "Opened" or "A link was followed", with {after} for the time since delivery.
SENTENCES: dict[str, str] = {
    "person": "",
    "proxy": "by the person, through the picture proxy of the mail provider",
    "apple-privacy": "by Apple Mail, which loads all pictures, read or not: nobody can tell",
    "no-agent": "by a program that does not say what it is: nobody can tell",
    "honeypot": "by a program: people cannot see the link that it followed",
    "beside-honeypot": "by the program that also followed a link that people cannot see",
    "before-delivery": "by a program on the way, before the mail was delivered",
    "too-soon": "by a program of the receiving side, {after} after delivery",
    "every-link": "by a program that followed every link at once",
    "burst": "by a program that followed several links within seconds",
    "scanner": "by a program that looks for harmful mails",
    "script": "by a program without a person before it",
    "preview": "by a program that makes previews of links",
    "prefetch": "by the mail provider, which loads pictures before anybody looks",
}
_BY_AGENT = {
    agents.SCANNER: Judgement(Who.MACHINE, "scanner"),
    agents.SCRIPT: Judgement(Who.MACHINE, "script"),
    agents.PREVIEW: Judgement(Who.MACHINE, "preview"),
    agents.PREFETCH: Judgement(Who.MACHINE, "prefetch"),
}


def judge(sign: Sign, facts: Facts) -> Judgement:
    """Who made this one of ``facts.signs``."""
    return judge_all(Facts((*facts.signs, sign), facts.links, facts.sent_at, facts.delivered_at))[-1]


def judge_all(facts: Facts) -> list[Judgement]:
    """Who made each of ``facts.signs``, in their order."""
    crowd = _Crowd(facts)
    return [_judge(sign, facts, crowd) for sign in facts.signs]


def _judge(sign: Sign, facts: Facts, crowd: "_Crowd") -> Judgement:
    if sign.honeypot:
        return Judgement(Who.MACHINE, "honeypot")
    means = agents.meaning(sign.agent)
    if found := _BY_AGENT.get(means):
        return found
    if facts.delivered_at and sign.at < facts.delivered_at:
        return Judgement(Who.MACHINE, "before-delivery")
    start = facts.delivered_at or facts.sent_at
    if start and sign.at - start < TOO_SOON:
        return Judgement(Who.MACHINE, "too-soon")
    if crowd.is_beside_honeypot(sign):
        return Judgement(Who.MACHINE, "beside-honeypot")
    if reason := crowd.rush(sign):
        return Judgement(Who.MACHINE, reason)
    if sign.kind == OPEN and means in (agents.PROXY, agents.APPLE):
        return Judgement(Who.PERSON if means == agents.PROXY else Who.UNSURE, means)
    if not sign.agent.strip():
        return Judgement(Who.UNSURE, "no-agent")
    return Judgement(Who.PERSON, "person")


class _Crowd:
    """What the signs of one mail say together."""

    def __init__(self, facts: Facts) -> None:
        traps = [sign for sign in facts.signs if sign.honeypot]
        self._trapped_at = [sign.at for sign in traps]
        self._trapped = {sign.program for sign in traps if sign.ip and sign.agent}
        self._clicks = sorted(
            (sign for sign in facts.signs if sign.kind == CLICK and not sign.honeypot),
            key=lambda sign: sign.at,
        )
        self._rushes = [(start, end, "burst") for start, end in self._runs(BURST, BURST_LINKS)]
        if facts.links > 1:
            window = EVERY_LINK if facts.links > 2 else BOTH_LINKS
            self._rushes = [
                *((start, end, "every-link") for start, end in self._runs(window, facts.links)),
                *self._rushes,
            ]

    def is_beside_honeypot(self, sign: Sign) -> bool:
        return sign.program in self._trapped or any(
            abs(sign.at - at) <= AROUND_HONEYPOT[sign.kind] for at in self._trapped_at
        )

    def rush(self, sign: Sign) -> str:
        """Why a click in the midst of others is a program's; "" if it is not. Pictures load in the same seconds."""
        return next((reason for start, end, reason in self._rushes if start <= sign.at <= end), "")

    def _runs(self, window: timedelta, enough: int) -> list[tuple[datetime, datetime]]:
        """The spans within ``window`` in which so many different links were followed."""
        found, first = [], 0
        for last, click in enumerate(self._clicks):
            while click.at - self._clicks[first].at > window:
                first += 1
            within = self._clicks[first : last + 1]
            if len(within) >= enough and len({each.link for each in within}) >= enough:
                found.append((within[0].at, click.at))
        return found
