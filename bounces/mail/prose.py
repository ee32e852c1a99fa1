"""PURE. Bounces that are written for people only: qmail, Exim, Exchange, Notes, Yahoo, GMX, carriers, and
more.

First it must be shown that a mail system speaks; then the addresses in what it says are the recipients,
each with the words that follow it.
"""

import re

from bounces.mail import statuses
from bounces.mail.addresses import ADDRESS, addresses_in, clean, is_robot
from bounces.mail.parts import Mail, fields, header_of
from bounces.mail.report import Finding
from bounces.verdicts.facts import BounceFacts
from bounces.verdicts.text import code_in, status_in

MAX_RECIPIENTS = 100
MAX_LINES = 400

_DAEMON = re.compile(
    r"mailer[-_ ]?daemon|mail[-_ ]?daemon|\bpost_?master\b|mail delivery (?:sub)?system|mail ?system|^<>$|"
    r"^$|"
    r"system administrator|mail_service|mail router|microsoft ?exchange|delivery system|\bmdaemon\b|"
    r"\bdaemon\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"undeliver|delivery (?:fail|has fail|status|problem|error|report|unsuccess)|fail(?:ure|"
    r"ed)? (?:notice|delivery)|"
    r"returned (?:mail|message|to sender)|mail (?:delivery|system|error|status)|non[- ]?deliver|"
    r"not delivered|"
    r"could ?n[o']t be delivered|message (?:status|delivery|not)|bounce|unzustellbar|rejected mail|"
    r"warning: |"
    r"returning message|delivery notification|delayed|mail fail|unable to deliver|не доставлен|配信|"
    r"エラー|echec de|niet bezorg|no entregad|non remis|no se (?:puede|pudo) entregar|"
    r"onbestelbaar|mancato recapito|échec de|nicht zugestellt|zustellung|nondeliverable|"
    r"returned to sender|undelivered",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"(?:could|can|did|was|were|is|are|has|have|be|been)(?: ?not|n[o']t)\b.{0,60}(?:deliver|reach|receiv|"
    r"sent|send|"
    r"transmit|complete)|undeliver|unable to (?:deliver|send|reach)|deliver\w{0,5} (?:has |have |"
    r"to .{0,80} )?(?:failed|"
    r"failure|unsuccess|error|incomplete|delayed|problem)|fail(?:ed|ure)? .{0,40}(?:address|recipient|"
    r"deliver)|"
    r"address(?:\(?es\)?)? (?:\w{1,20} )?failed|failed recipients?|permanent (?:fatal )?errors?|"
    r"permanent failure|"
    r"error (?:delivering|transferring|while|occurred|message)|undelivered|following (?:address|recipient|"
    r"user)|"
    r"returned (?:mail|message)|not deliver|rejected|mailbox (?:is )?full|user unknown|unknown user|"
    r"exceed|invalid|"
    r"did not reach|temporary problem|delayed|not be delivered|nicht (?:zugestellt|ausgeliefert)|"
    r"unzustellbar|"
    r"nao (?:foi|pode)|no (?:se )?(?:ha |pudo|puede)|non (?:e stato|remis)|n'a pas|"
    r"niet (?:worden )?(?:bezorgd|afgeleverd)|"
    r"не (?:может|был|удалось)|невозможно|送信できません|配信|届|失敗|エラー|无法|失败|退信|"
    r"not a valid (?:user|address|recipient)|encountered an error|has been returned|postponed|"
    r"error was detected|incorrectly constructed|malformed address|attempting to deliver|"
    r"warning message only|"
    r"fehler bei der \w{0,12}zustellung|konnte nicht|unbekannt|echec de|échec de|"
    r"error al entregar|mancat[ao] |"
    r"falha na entrega|mislukt|onbestelbaar|ist voll|"
    r"transcript of session|failure reasons|disabled|suspended",
    re.IGNORECASE,
)
#: What a server answered about an address: "<a@b.example>: 550 5.1.1 …", in whatever language.
_ANSWER = re.compile(rf"^[ \t]{{0,8}}<?{ADDRESS}>?[ \t]{{0,4}}[:;,]\s{{0,12}}[45]\d\d[ -]\S", re.MULTILINE)
#: A subject that a person answers to or forwards.
_REPLIED = re.compile(r"(?:re|aw|antw|sv|vs|odp|fwd?|wg|tr|rv|i|enc|回复|转发|答复)\s?[:：]", re.IGNORECASE)
_QUESTION = re.compile(
    r"\b(?:can|could|would|will|did|do|have|may) (?:you|we|i)\b[^?\n]{0,120}\?", re.IGNORECASE
)
#: Sentences that only mail systems write.
_TEMPLATE = re.compile(
    r"(?:could not|couldn't|cannot|can't|was not|were not|not be|wasn't able to|"
    r"unable to) (?:be )?deliver(?:ed)?(?: your| the| this)?"
    r"(?: message| mail| e-?mail)? to\b|did not reach the following|following (?:address(?:\(?es\)?)?|"
    r"recipients?(?:\(?s\)?)?) "
    r"(?:\w{1,20} )?(?:failed|had|did not)|error message below|"
    r"following (?:mail|message) (?:has been|was) returned|"
    r"i've given up|wasn't able to deliver|"
    r"n'a pas pu etre delivre|nicht zugestellt werden|"
    r"the following text was generated|delivery to the following|advisory-only email",
    re.IGNORECASE,
)
#: From here on the text is the returned mail.
_RETURNED = re.compile(
    r"^[>\s]*(?:[-=*_#~]{2,}\s*)?(?:(?:begin(?:ning)? of )?(?:the )?(?:original|returned|unsent|"
    r"undelivered|old|"
    r"rejected) (?:message|mail|header|e-?mail)\b(?! was received| could| has| is| you).{0,60}$|(?:this|"
    r"below|here) (?:line )?(?:is|follows) (?:a|the) "
    r"(?:copy|original)|below (?:this|the next) line is|message headers? follow|"
    r"message header\b.{0,20}follow|included is a copy|"
    r"the headers? of the|header of the (?:source|original)|a copy of (?:the|your)|the (?:first|"
    r"original) .{0,40}follow|"
    r"original message headers|copy of (?:the )?(?:message|your)|"
    r"-{3,} ?(?:unsent|original|message|returned|forwarded|end of)|"
    r".{0,40}original mail info|--- message|"
    r"the message (?:contents|text) |oorspronkelijke berichtkoppen|ursprüngliche nachrichtenkopf|"
    r"en-têtes (?:du|de) message|"
    r".{0,30}non-delivered (?:message|information) follows|mail text follows|texte du message|"
    r"original-nachricht)|"
    r"^>? ?(?:return-path: |received: (?:from|by|\()|content-type: message/rfc822|x-mailer: |"
    r"message-id: ?<|"
    r"content-description: (?:undelivered|returned))",
    re.IGNORECASE,
)
_ENTRY = re.compile(
    rf"^[\s>*\-•]{{0,12}}(?:\d{{1,3}}[.)] )?(?:(?:intended )?(?:recipient|original)(?: address)?: +|"
    rf"rcpt to: |error-for: +|for |user )?[\"'<(]{{0,3}}(?:smtp:|mailto:|rfc822;\s?)?"
    rf"(?P<address>{ADDRESS})[.\"'>)]{{0,4}}(?P<rest>.{{0,1000}})$",
    re.IGNORECASE,
)
_REST = re.compile(r"^\s*(?:$|[:;,\-–(<\[.]|on \w{3},|mailto)", re.IGNORECASE)
_REPLY = re.compile(
    rf"^\s*\d{{3}}[ -](?:\d\.\d\.\d{{1,3}} )?<?(?P<address>{ADDRESS})>?(?:\.\.\.|:)(?P<rest>.{{0,1000}})$"
)
_PHRASE = re.compile(
    rf"(?:deliver\w{{0,5}}|mail|message|sent|send|failed|recipients?|address(?:es)?|user|mailbox|account|"
    rf"to|for)\b[^@]{{0,60}}?"
    rf"[\s<:\"'(]{{1,3}}(?P<address>{ADDRESS})",
    re.IGNORECASE,
)
#: The line after which the recipients stand.
_INTRODUCTION = re.compile(
    r"following (?:\w{1,20} )?(?:recipients?|address|users?|groups?|e-?mail)|not (?:be )?delivered to|"
    r"did not reach|failed recipients|"
    r"failed to these|could(?: not|n't) be delivered|affected recipient|folgende|destinataires? suivant|"
    r"siguientes|geadresseerden",
    re.IGNORECASE,
)
_NAMED = re.compile(rf"^ ?<(?:mailto:)?(?P<address>{ADDRESS})>(?P<rest>.{{0,1000}})$")
_LOCAL = re.compile(r"^[ \t]{1,8}([\w.+-]{2,64})$")
_TO_LINE = re.compile(r"(?:^|\s)To: {0,3}([^\n]{3,300})")
_NOBODY: frozenset[str] = frozenset()
_DELAY = re.compile(
    r"warning message only|do not need to resend|will (?:be )?(?:retried|retry|keep trying|continue to)|"
    r"has been delayed|"
    r"delivery incomplete|not yet been delivered|still (?:trying|being)|temporary problem delivering|"
    r"delivery attempts will continue|"
    r"could not send message for past|has not (?:yet )?been (?:delivered|collected)|"
    r"message (?:is )?delayed|will continue to be",
    re.IGNORECASE,
)


def is_bounce(mail: Mail, text: str) -> bool:
    """Whether a mail system says that a mail did not arrive. A person who writes about bounces is no mail
    system.
    """
    if _is_by_person(mail, text):
        return False
    daemon, answered = is_daemon(mail), _ANSWER.search(text) is not None
    signs = (
        3 * bool(mail.header("X-Failed-Recipients"))
        + 2 * daemon
        + 2 * (daemon and answered)
        + 2 * bool(_SUBJECT.search(mail.header("Subject")))
        + (
            mail.header("Return-Path").strip("<> ").lower() in ("", "mailer-daemon")
            and "Return-Path" in mail.headers
        )
        + 2 * (mail.parameter("report-type") == "delivery-status" or mail.types[0] == "multipart/report")
        + 2 * bool(_TEMPLATE.search(text))
        + bool(mail.returned)
    )
    return signs >= 5 or (signs >= 3 and (answered or _FAILURE.search(text) is not None))


def _is_by_person(mail: Mail, text: str) -> bool:
    """Whether a person quotes a bounce or asks about one, perhaps from a postmaster's address; programs return
    something, and ask nothing.
    """
    if mail.header("X-Failed-Recipients") or mail.returned or mail.types[0] == "multipart/report":
        return False
    return _is_reply(mail) or _QUESTION.search(text) is not None


def _is_reply(mail: Mail) -> bool:
    """Whether somebody answers to a subject or forwards it. A program may put its news behind ours:
    "Re: News of May: non remis".
    """
    subject = mail.header("Subject")
    prefix = _REPLIED.match(subject)
    if prefix is None or is_daemon(mail):
        return False
    news = _SUBJECT.search(subject, prefix.end())
    return news is None or news.start() < prefix.end() + 20


def own_words(mail: Mail) -> str:
    """What the mail system itself says: the text up to the returned mail."""
    kept: list[str] = []
    for line in mail.text.split("\n")[:MAX_LINES]:
        if kept and _RETURNED.match(line):
            break
        kept.append(line.rstrip())
    return "\n".join(kept)


def read(mail: Mail, text: str) -> list[Finding]:
    """A finding for each recipient; one without an address when no address can be told apart."""
    embedded = statuses.read(fields(text)) if "ecipient:" in text else []
    if any(finding.recipient for finding in embedded):
        return [Finding(finding.recipient, finding.facts, text) for finding in embedded if finding.recipient]
    kind = "delay" if _DELAY.search(text) or _DELAY.search(mail.header("Subject")) else "bounce"
    blocks = _blocks(text, mail)
    named = addresses_in(mail.header("X-Failed-Recipients"))
    if named:
        lower = {address.lower(): block for address, block in blocks.items()}
        rest = next(iter(blocks.values()), "") if len(named) == 1 else ""
        blocks = {address: lower.get(address.lower(), rest) for address in named}
    if not blocks:
        blocks = dict.fromkeys(_returned_to(mail), "") or {"": ""}
    return [
        Finding(recipient, _facts(kind, recipient, block or text), text)
        for recipient, block in list(blocks.items())[:MAX_RECIPIENTS]
    ]


def _facts(kind: str, recipient: str, block: str) -> BounceFacts:
    return BounceFacts(
        kind=kind,
        status=status_in(block),
        code=code_in(block),
        diagnostic=" ".join(block.split()),
        domain=recipient.rpartition("@")[2],
    )


def _blocks(text: str, mail: Mail) -> dict[str, str]:
    """Recipient → the words about it."""
    lines = text.split("\n")
    ours = _not_recipients(mail)
    begin = next((number for number, line in enumerate(lines) if _INTRODUCTION.search(line)), 0)
    for finder, excluded, first in (
        (_entry, ours, begin),
        (_entry, ours, 0),
        (_entry, _NOBODY, begin),
        (_reply, _NOBODY, 0),
    ):
        starts = [
            (number, found)
            for number, line in enumerate(lines)
            if number >= first and (found := finder(line, excluded))
        ]
        if starts:
            return _cut(lines, _outermost(lines, starts))
    if local := _local_names(lines[begin:], mail):
        return local
    starts = [
        (number, found)
        for number, line in enumerate(lines)
        if number >= begin and (found := _phrase(line, ours))
    ]
    if starts:
        return _cut(lines, _outermost(lines, starts))
    later = "\n".join(lines[begin:])
    return {
        address: ""
        for address in addresses_in(later)
        if address.lower() not in ours and not is_robot(address)
    }


def _local_names(lines: list[str], mail: Mail) -> dict[str, str]:
    """Recipients that a big provider names by their local part only, one a line after the introduction."""
    domain = addresses_in(mail.header("From"))[:1]
    if not lines or not domain or not _INTRODUCTION.search(lines[0]) or not lines[0].rstrip().endswith(":"):
        return {}
    names = [match[1] for line in lines[1:20] if (match := _LOCAL.match(line))]
    return {f"{name}@{domain[0].rpartition('@')[2].lower()}": lines[0] for name in names}


def _outermost(
    lines: list[str], starts: list[tuple[int, tuple[str, str]]]
) -> list[tuple[int, tuple[str, str]]]:
    """Without addresses in lines that continue the words about another one: those are indented more."""
    depth = _indent(lines[starts[0][0]])
    return [start for start in starts if _indent(lines[start[0]]) <= depth]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _cut(lines: list[str], starts: list[tuple[int, tuple[str, str]]]) -> dict[str, str]:
    blocks: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for position, (number, (address, rest)) in enumerate(starts):
        end = starts[position + 1][0] if position + 1 < len(starts) else len(lines)
        words = [rest.strip(), *(line.strip() for line in lines[number + 1 : min(end, number + 25)])]
        key = address.lower()
        spelled.setdefault(key, address)
        blocks.setdefault(key, []).extend(word for word in words if word)
    return {spelled[key]: "\n".join(words)[:3000] for key, words in blocks.items()}


def _entry(line: str, ours: frozenset[str]) -> tuple[str, str] | None:
    if "@" not in line or len(line) > 1200:
        return None
    match = _ENTRY.match(line)
    if match is None or "|" in line.partition("@")[0] or not _REST.match(match["rest"]):
        return None
    # "name <address>", where the name is an address too.
    named = _NAMED.match(match["rest"])
    address, rest = (named["address"], named["rest"]) if named else (match["address"], match["rest"])
    return _allowed(address, rest.lstrip(" :;,.-"), ours)


def _reply(line: str, ours: frozenset[str]) -> tuple[str, str] | None:
    match = _REPLY.match(line) if "@" in line else None
    return _allowed(match["address"], line.strip(), ours) if match else None


def _phrase(line: str, ours: frozenset[str]) -> tuple[str, str] | None:
    match = _PHRASE.search(line) if "@" in line and len(line) <= 1200 else None
    return _allowed(match["address"], line.strip(), ours) if match else None


def _allowed(address: str, rest: str, ours: frozenset[str]) -> tuple[str, str] | None:
    address = clean(address)
    return None if address.lower() in ours else (address, rest)


def _not_recipients(mail: Mail) -> frozenset[str]:
    """Addresses that a report names without meaning its recipient: who sent the mail, and who reports."""
    found = [mail.header("From"), mail.header("To"), mail.header("Delivered-To"), mail.header("Return-Path")]
    for message in mail.returned[:1]:
        found += [header_of(message, "From"), header_of(message, "Return-Path"), header_of(message, "Sender")]
    return frozenset(address.lower() for value in found for address in addresses_in(value))


def _returned_to(mail: Mail) -> list[str]:
    """Whom the returned mail was for, where the report itself names nobody."""
    if mail.returned:
        return addresses_in(header_of(mail.returned[0], "To"))[:1]
    match = _TO_LINE.search(mail.text)
    return addresses_in(match[1])[:1] if match else []


def is_daemon(mail: Mail) -> bool:
    """Whether the sender is a mail system by its name."""
    return _DAEMON.search(mail.header("From")) is not None
