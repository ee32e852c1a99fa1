"""PURE. Programs that open mails and follow links, by what they call themselves. Data only; asked by humans.py.

A program that says its name is the easy case; most scanners call themselves a browser, and humans.py finds them by
what they do. ``pattern`` is searched in the lower-case text and is linear. A test runs every ``example``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

#: A program of the receiving side that looks for harm.
SCANNER = "scanner"
#: A program without a person before it: a library, a browser without a screen, a search engine.
SCRIPT = "script"
#: A program that shows a link's preview to others.
PREVIEW = "preview"
#: A mail provider that loads pictures before anybody looks.
PREFETCH = "prefetch"
#: A mail provider that loads the pictures when the person opens the mail.
PROXY = "proxy"
#: Apple Mail with its privacy protection: it loads all pictures, read or not.
APPLE = "apple-privacy"


@dataclass(frozen=True, slots=True)
class Agent:
    """``means``: one of the codes above. ``source``: who says so, or where it was seen."""

    pattern: str
    means: str
    example: str
    source: str
    compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", re.compile(self.pattern))


_LOGS = "click logs of senders, suped.com and live-direct-marketing.online"
#: The first that fits counts.
AGENTS: Sequence[Agent] = (
    Agent(
        r"edge/12\.246 mozilla/5\.0$",
        PREFETCH,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 "
        "Safari/537.36 Edge/12.246 Mozilla/5.0",
        "Gmail's pre-fetching, in senders' lists of bots since 2021",
    ),
    Agent(
        r"googleimageproxy|via ggpht\.com",
        PROXY,
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "Gmail loads pictures through its proxy when the mail is opened (support.google.com/mail/answer/145919)",
    ),
    Agent(
        r"yahoomailproxy",
        PROXY,
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "help.yahoo.com SLN28749",
    ),
    Agent(
        r"^mozilla/5\.0$",
        APPLE,
        "Mozilla/5.0",
        "Apple Mail Privacy Protection; mailgun.com/blog/product/bot-detection",
    ),
    Agent(r"barracuda", SCANNER, "Barracuda Sentinel (EE)", "braze.com documentation, bot filtering"),
    Agent(r"proofpoint|urldefense", SCANNER, "Mozilla/5.0 (compatible; Proofpoint URL Defense)", _LOGS),
    Agent(r"mimecast", SCANNER, "Mozilla/5.0 (compatible; Mimecast URL Protect)", _LOGS),
    Agent(
        r"safelinks|office existence discovery",
        SCANNER,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Microsoft Office Existence Discovery",
        "Microsoft Defender and Office; senders' lists of bots",
    ),
    Agent(r"ironport|ciscosecure|cisco secure", SCANNER, "CiscoSecureEmail", _LOGS),
    Agent(
        r"messagelabs|symantec|trendmicro|\btmes\b|sophos|fireeye|trellix|zscaler|forcepoint|websense|fortimail|"
        r"fortinet|checkpoint|avanan|kaspersky|virustotal|urlscan|hornetsecurity|cloudmark|vadesecure",
        SCANNER,
        "Mozilla/5.0 (compatible; TrendMicro Email Security)",
        _LOGS,
    ),
    Agent(
        r"headlesschrome|phantomjs|puppeteer|playwright|selenium|electron/.{0,40}headless",
        SCRIPT,
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
        "Chromium without a screen",
    ),
    Agent(
        r"python-requests|python-urllib|python-httpx|aiohttp|^python/|^curl/|^wget/|go-http-client|^java/|"
        r"apache-httpclient|jetty/|lua-resty-http|libwww-perl|^axios/|node-fetch|^undici|^ruby|guzzlehttp|^ahc/|scrapy",
        SCRIPT,
        "python-requests/2.32.3",
        "the libraries' own defaults",
    ),
    Agent(
        r"slackbot|facebookexternal|twitterbot|linkedinbot|whatsapp/|telegrambot|discordbot|skypeuripreview|"
        r"googlemessages|snap url preview|bingpreview",
        PREVIEW,
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "the makers of the messengers",
    ),
    Agent(
        r"bot\b|bot/|crawler|spider|scanner|feedfetcher",
        SCRIPT,
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "what search engines and scanners call themselves",
    ),
)


def meaning(agent: str) -> str:
    """The code of the first rule that fits what a program calls itself; "" where it looks like a person's."""
    text = agent.strip().lower()[:1000]
    return next((rule.means for rule in AGENTS if rule.compiled.search(text)), "")
