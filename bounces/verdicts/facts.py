"""PURE. What ``judge`` is asked and what it answers. Mails, SES events and CSV rows all become
BounceFacts.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BounceFacts:
    """One report about one recipient. Everything but ``kind`` may be empty.

    ``kind``: send, delivery, delay, bounce, complaint, reject, open, click, rendering-failure, subscription;
    for mails also auto-reply, challenge, receipt, report, ordinary and unreadable. ``type`` and ``subtype``:
    SES's words, or a complaint's feedback type. ``status``: enhanced status ("5.1.1"). ``code``: SMTP reply
    code ("550"). ``provider``: a provider's name ("google") or any host name of the receiving side.
    ``domain``: the recipient's. ``phase``: the command that was refused (connect, helo, mail, rcpt, data).
    """

    kind: str
    type: str = ""
    subtype: str = ""
    action: str = ""
    status: str = ""
    code: str = ""
    diagnostic: str = ""
    provider: str = ""
    domain: str = ""
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``kind``: hard, soft, block, message, auto-reply, complaint, suppressed, delivered, delayed,
    not-a-bounce or
    unknown. ``reason``: a code of ``reasons``. ``explanation``: one sentence for a list manager."""

    kind: str
    reason: str
    explanation: str
