"""PURE. Mails that come back without being bounces: automatic replies, receipts, challenges, traffic
reports.
"""

import re

from bounces.mail.parts import Mail

_SUBJECT = re.compile(
    r"^(?:re: |aw: )?(?:out of (?:the )?office|automatic reply|auto(?:matic)?[ -]?(?:reply|response|"
    r"antwort)|autoreply|"
    r"auto:|abwesenheit|automatische (?:antwort|e-mail)|reponse automatique|réponse automatique|absence|"
    r"absent du bureau|automatisch antwoord|afwezig|resposta autom|respuesta autom|risposta automatica|"
    r"fuera de (?:la )?oficina|vacation|on (?:vacation|leave|holiday)|away from|i am (?:away|out)|autosvar|"
    r"autom\w{0,10} (?:svar|odpov|vastaus)|автоответ|自動(?:返信|応答)|不在|自动回复|"
    r"thank you for your e?-?mail)",
    re.IGNORECASE,
)
_CHALLENGE = re.compile(
    r"\(action\s+required\)|\b(?:verify that you are human|please (?:click|reply|confirm) to (?:deliver|be)|"
    r"sender verification|approval required|spamarrest|boxbe|"
    r"challenge-response)\b",
    re.IGNORECASE,
)
_REPORTS = ("tlsrpt", "application/tlsrpt", "application/gzip", "application/zip")


def kind_of(mail: Mail) -> str:
    """receipt, report, challenge or auto-reply; "" for a mail that is none of these."""
    if "message/disposition-notification" in mail.types or mail.parameter("report-type") == (
        "disposition-notification"
    ):
        return "receipt"
    if mail.parameter("report-type") == "tlsrpt" or mail.types[0].startswith(_REPORTS):
        return "report"
    if is_challenge(mail):
        return "challenge"
    return "auto-reply" if is_automatic(mail) else ""


def is_challenge(mail: Mail) -> bool:
    """A program that asks the sender to prove to be human, even where it dresses up as a bounce."""
    sender = mail.header("From").lower()
    if "mailer-daemon" in sender or "postmaster" in sender:
        return False
    return _CHALLENGE.search(mail.header("Subject")) is not None or "boxbe.com" in sender


def is_automatic(mail: Mail) -> bool:
    """An out-of-office note or another reply that a program wrote (RFC 3834)."""
    if mail.header("X-Failed-Recipients"):
        return False
    submitted = mail.header("Auto-Submitted").lower()
    marked = submitted.startswith("auto-replied") or any(
        mail.header(name)
        for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-From", "X-AutoReply-From")
    )
    precedence = mail.header("Precedence").lower() in ("auto_reply", "auto-reply", "autoreply")
    return marked or precedence or is_titled(mail)


def is_titled(mail: Mail) -> bool:
    """Whether the subject says that this is an automatic reply."""
    return _SUBJECT.search(mail.header("Subject")) is not None
