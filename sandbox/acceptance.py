"""Whether a mail may pass, and what becomes of it: the decisions of SendEmail, without I/O. Pure but for ids.

Called by ``state.py`` for every mail of SendEmail and SendBulkEmail. The order of the refusals is account,
sender, configuration set, recipient, then quota and rate: only a mail that would pass otherwise costs a
permit.
"""

import hashlib
import itertools
import uuid
from collections.abc import Iterable, Iterator
from email.utils import parseaddr
from typing import NamedTuple

from sandbox.errors import SesError
from sandbox.events import Account, decoded, mail_object
from sandbox.faults import Config
from sandbox.journal import PushEvent
from sandbox.ledger import Entry, ledger_time
from sandbox.mails import Mail
from sandbox.outcomes import SIMULATOR_DOMAIN, rule_for, share
from sandbox.planning import Fate, plan

DELIVERY_HEADER = "x-mailinglist-delivery"


class Accepted(NamedTuple):
    """A mail that SES took; ``at`` is in seconds since the epoch."""

    message_id: str
    at: float
    mail: Mail
    fates: tuple[Fate, ...]
    events: list[PushEvent]


class MessageIds:
    """Ids of SES's form, ``0100`` + milliseconds + UUID + ``000000``: unique over runs, cheap to make."""

    def __init__(self) -> None:
        self._run = str(uuid.uuid4())[:23]
        self._numbers: Iterator[int] = itertools.count(1)

    def next(self, at: float) -> str:
        return f"0100{int(at * 1000):012x}-{self._run}-{next(self._numbers):012x}-000000"


def refuse_where_due(mail: Mail, config: Config, account: Account) -> None:
    """Raise the SesError that this mail gets, if any, before quota and rate are looked at."""
    refuse_by_account(config)
    sender = parseaddr(mail.source)[1]
    if config.from_not_verified:
        raise SesError(
            "MessageRejected",
            "Email address is not verified. The following identities failed the check in region "
            f"{account.region.upper()}: {sender}",
        )
    if config.mail_from_not_verified:
        domain = sender.rpartition("@")[2]
        raise SesError(
            "MailFromDomainNotVerifiedException", f"MAIL FROM domain is not verified for {domain}."
        )
    name = mail.configuration_set
    if name and config.configuration_sets and name not in config.configuration_sets:
        raise SesError("NotFoundException", f"Configuration set <{name}> does not exist.")
    for recipient in mail.recipients:
        if rule_for(recipient, seed=config.seed, mix=config.mix) == "refused":
            raise SesError(
                "MessageRejected", f"The message was refused because of its recipient {recipient}."
            )


def refuse_by_account(config: Config) -> None:
    """Raise the SesError of an account that may not send at all now."""
    if config.account_suspended:
        raise SesError("AccountSuspendedException", "Your account's ability to send email is suspended.")
    if config.sending_paused:
        raise SesError("SendingPausedException", "Email sending is paused for your account.")
    if config.throttle_all:
        raise SesError("TooManyRequestsException", "Maximum sending rate exceeded.")


def counted_for_quota(recipients: Iterable[str]) -> int:
    """How many of them weigh on the 24-hour quota: the mailbox simulator's addresses do not."""
    return sum(not recipient.lower().endswith("@" + SIMULATOR_DOMAIN) for recipient in recipients)


def planned_events(
    message_id: str,
    mail: Mail,
    fates: tuple[Fate, ...],
    *,
    at: float,
    config: Config,
    account: Account,
    source_ip: str,
    operation: str,
) -> list[PushEvent]:
    """The events of an accepted mail; none for a mail without a configuration set, as with SES."""
    configuration_set = mail.configuration_set or config.default_configuration_set
    if not configuration_set:
        return []
    told = mail_object(
        mail,
        message_id=message_id,
        at=at,
        account=account,
        configuration_set=configuration_set,
        source_ip=source_ip,
    )
    told["tags"]["ses:operation"] = [operation]
    return plan(told, fates, sent_at=at, config=config)


def ledger_entries(accepted: Accepted) -> list[Entry]:
    """One line per recipient, all that a test needs to account for the mail."""
    mail = accepted.mail
    shared = {
        "message_id": accepted.message_id,
        "at": ledger_time(accepted.at),
        "delivery": mail.tags.get("delivery"),
        "attempt": mail.tags.get("attempt"),
        "campaign": mail.tags.get("campaign"),
        "x_mailinglist_delivery": mail.header(DELIVERY_HEADER) or None,
        "sha256": hashlib.sha256(mail.raw).hexdigest(),
        "subject": decoded(mail.header("subject")),
        "size": mail.size,
    }
    return [{**shared, "recipient": fate.recipient, "rule": fate.outcome.rule} for fate in accepted.fates]


def happens(config: Config, fault: str, recipient: str, nth_post: int) -> bool:
    """Whether the fault of that name strikes the ``nth_post`` call for this recipient: seeded."""
    chance: float = getattr(config, fault)
    return chance > 0 and share(config.seed, fault, recipient.lower(), nth_post) < chance


def latency_seconds(config: Config, recipient: str, nth_post: int) -> float:
    least, most = config.latency
    return (least + share(config.seed, "latency", recipient.lower(), nth_post) * (most - least)) / 1000
