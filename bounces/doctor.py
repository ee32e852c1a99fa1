"""Is everything in place for bounces to come back and to be acted on? Each part green, amber or red, with what to do.

Called by ``bounce_doctor``. An examination that itself fails (the database or SES is away) is a finding, not an error.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core import checks
from django.db import Error as DatabaseError
from django.utils import timezone

from bounces import heartbeat, reputation, suppression_sync
from bounces.models import Incident, Notification, Watermark
from mailinglist import aws
from mailinglist.models import MailingList

#: Notifications wait so long at most while a worker is running, and while nobody is alarmed.
LATE, LOST = timedelta(minutes=5), timedelta(hours=1)
#: Share of the 24-hour quota from which a campaign may have to wait.
FULL = 0.9
#: Without these kinds bounces are not acted on; without the others something is not known.
NEEDED = frozenset({"BOUNCE", "COMPLAINT"})
TRACKED = frozenset({"OPEN", "CLICK"})
WANTED = frozenset({"SEND", "DELIVERY", "DELIVERY_DELAY", "REJECT", "RENDERING_FAILURE"})


class Level(StrEnum):
    GREEN = "green"
    #: It works; something should be looked at.
    AMBER = "amber"
    #: Bounces are lost, or mail is not sent.
    RED = "red"


@dataclass(frozen=True, slots=True)
class Finding:
    """``do`` is empty where nothing has to be done."""

    part: str
    level: Level
    says: str
    do: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"part": self.part, "level": self.level.value, "says": self.says, "do": self.do}


def green(says: str) -> tuple[Level, str, str]:
    return Level.GREEN, says, ""


def amber(says: str, do: str) -> tuple[Level, str, str]:
    return Level.AMBER, says, do


def red(says: str, do: str) -> tuple[Level, str, str]:
    return Level.RED, says, do


Findings = Iterator[tuple[Level, str, str]]


def examine() -> list[Finding]:
    """All findings, part by part. Never raises."""
    found = []
    for part, look in _PARTS.items():
        try:
            found += [Finding(part, *finding) for finding in look()]
        except DatabaseError as error:
            do = "Start PostgreSQL, check DATABASE_URL, run manage.py migrate."
            found.append(Finding(part, Level.RED, f"The database does not answer: {_first_line(error)}", do))
        except ClientError as error:
            found.append(Finding(part, Level.AMBER, f"SES refused to tell: {error}", _permission(error)))
        except BotoCoreError as error:
            do = "Check the network, AWS_SES_REGION_NAME and the credentials."
            found.append(Finding(part, Level.RED, f"SES does not answer: {error}", do))
        except Exception as error:
            says = f"This could not be examined ({type(error).__name__}: {_first_line(error)})."
            found.append(Finding(part, Level.RED, says, "Look into the log; the other parts are examined."))
    return found


def worst(findings: list[Finding]) -> Level:
    order = [Level.GREEN, Level.AMBER, Level.RED]
    return max((finding.level for finding in findings), key=order.index, default=Level.GREEN)


def _settings() -> Findings:
    problems = [
        message
        for message in checks.run_checks()
        if message.id and message.id.startswith(("mailinglist.", "bounces."))
    ]
    for message in problems:
        level = Level.RED if message.level >= checks.ERROR else Level.AMBER
        yield level, f"{message.msg} ({message.id})", message.hint or ""
    if not problems:
        yield green(f"All settings are in order ({settings.MODE} mode).")


def _account() -> Findings:
    account = aws.get_account()
    if not account.sending_enabled or account.enforcement_status == "SHUTDOWN":
        yield red("SES does not send for this account.", "Look into the SES console, under account health.")
    elif account.enforcement_status == "PROBATION":
        yield red(
            "SES has the account under review.", "Answer its mail; send to good addresses only until then."
        )
    elif account.max_send_rate == 0:
        yield red(
            "SES allows this account no mail at all: its sending rate is 0.",
            "Look into the SES console, under account health. Campaigns wait by themselves.",
        )
    else:
        yield green(f"SES sends {account.max_send_rate:g} mails a second for this account.")
    if not account.production_access:
        yield amber(
            "The account is in SES's sandbox: only verified people get mail.",
            "Ask AWS for production access.",
        )
    quota = account.max_24_hour_send
    if quota > 0 and account.sent_last_24_hours >= FULL * quota:
        used = f"{account.sent_last_24_hours:,.0f} of {quota:,.0f}"
        yield amber(
            f"The 24-hour quota is nearly used up: {used}.", "Campaigns wait by themselves, or ask for more."
        )


def _identities() -> Findings:
    senders = MailingList.objects.order_by("pk").values_list("from_email", flat=True)[:50]
    domains = {address.rpartition("@")[2]: address for address in senders if "@" in address}
    for domain, address in sorted(domains.items()):
        found = aws.get_identity(domain) or aws.get_identity(address)
        if found is None or not found.verified:
            yield red(
                f"{domain} is not verified at SES: it sends nothing for {address}.",
                "Verify the domain at SES.",
            )
        elif found.dkim != "SUCCESS":
            yield amber(
                f"{domain} is verified, its DKIM is not ({found.dkim or 'off'}).", "Add SES's DKIM records."
            )
        elif found.mail_from == "FAILED":
            yield amber(f"The MAIL FROM domain of {domain} has no valid MX record.", "Mend its DNS records.")
        else:
            yield green(f"{domain} is verified, and signed by DKIM.")
    if not domains:
        yield green("There is no list yet, so there is no sender to verify.")


def _configuration_sets() -> Findings:
    own = set(
        MailingList.objects.exclude(configuration_set="").values_list("configuration_set", flat=True)[:50]
    )
    quiet = set(
        MailingList.objects.exclude(untracked_configuration_set="").values_list(
            "untracked_configuration_set", flat=True
        )[:50]
    )
    quiet = (quiet | {settings.SES_UNTRACKED_CONFIGURATION_SET}) - {""}
    names = sorted({*own, settings.SES_CONFIGURATION_SET, *quiet} - {""})
    if not names:
        yield red("No configuration set is named, so SES publishes no events.", "Set SES_CONFIGURATION_SET.")
    if settings.LOCAL and settings.SES_ENDPOINT_URL:
        yield green("The local SES publishes all its events by itself.")
        return
    for name in names:
        yield _destinations(name)
        if name in quiet and (tracked := TRACKED & _kinds(name)):
            yield amber(
                f"{name} is for mails without tracking, and publishes {', '.join(sorted(tracked))}: SES puts its picture "
                "into them.",
                "Take these event types out of all its destinations.",
            )


def _kinds(name: str) -> frozenset[str]:
    return frozenset().union(*(row.kinds for row in aws.get_destinations(name) if row.enabled))


def _destinations(name: str) -> tuple[Level, str, str]:
    topics = [
        row for row in aws.get_destinations(name) if row.enabled and row.topic_arn in settings.SNS_TOPIC_ARNS
    ]
    kinds = frozenset().union(*(row.kinds for row in topics))
    if not topics:
        return red(
            f"The configuration set {name} publishes to no topic of SNS_TOPIC_ARNS.",
            "Add an event destination to it: SNS, one of these topics, all event types.",
        )
    if missing := NEEDED - kinds:
        return red(f"{name} does not publish {', '.join(sorted(missing))}.", "Choose all event types.")
    if missing := WANTED - kinds:
        return amber(f"{name} does not publish {', '.join(sorted(missing))}.", "Choose all event types.")
    return green(f"{name} publishes its events to a topic that is believed here.")


def _way_back() -> Findings:
    if settings.LOCAL and settings.SES_ENDPOINT_URL:
        yield green("The local SES keeps an event until it is taken.")
    elif getattr(settings, "SQS_QUEUE_URL", ""):
        yield green("Events come through an SQS queue, which keeps them for up to fourteen days.")
    else:
        bare = [topic for topic in settings.SNS_TOPIC_ARNS if not aws.has_dead_letter_queue(topic)]
        if bare:
            yield red(
                f"Events come by HTTP alone: {bare[0]} has no dead-letter queue, so that an outage of an hour loses "
                "them for ever.",
                "Set SQS_QUEUE_URL, or give the subscription of /hooks/ses/ a dead-letter queue (RedrivePolicy).",
            )
        else:
            yield green("What cannot be delivered by HTTP goes to a dead-letter queue.")


def _events() -> Findings:
    pulse = heartbeat.listen()
    if pulse.silent_since:
        yield red(
            f"SES accepted mails since {pulse.silent_since:%d %b %Y %H:%M} UTC, and nothing came back about them.",
            "Is the topic's subscription confirmed, and can SNS reach /hooks/ses/? bounce_doctor --self-test proves it.",
        )
    elif pulse.last_event is None:
        yield amber("No event has come from SES yet.", "Run bounce_doctor --self-test.")
    else:
        yield green(f"The last event came at {pulse.last_event:%d %b %Y %H:%M} UTC.")


def _queue() -> Findings:
    stored = Notification.objects.filter(state=Notification.State.STORED)
    oldest = stored.order_by("pk").values_list("received_at", flat=True).first()
    age = timezone.now() - oldest if oldest else timedelta()
    if age > LATE:
        says = f"The oldest notification has waited {age.total_seconds() / 60:.0f} minutes to be processed."
        do = "Is a worker running? manage.py process_notifications does it now."
        yield (red if age > LOST else amber)(says, do)
    else:
        yield green("Notifications are processed as they come.")
    if count := Notification.objects.filter(state=Notification.State.QUARANTINED).count():
        yield amber(
            f"{count} notifications are in the quarantine.", "Look at them under Bounces › Notifications."
        )


def _incidents() -> Findings:
    rows = Incident.objects.filter(state=Incident.State.OPEN)
    for row in rows.order_by("-pk")[:10]:
        yield amber(f"An incident waits for a decision: {row}.", "Decide under Bounces › Incidents.")
    if not rows:
        yield green("No provider refuses people it took mail for before.")


def _reputation() -> Findings:
    for rate in reputation.rates():
        level = {"danger": Level.RED, "warning": Level.AMBER}.get(rate.tone, Level.GREEN)
        do = (
            "Send to people who confirmed lately; look at Bounces › Providers."
            if level != Level.GREEN
            else ""
        )
        yield level, f"{rate.name.capitalize()}: {rate.words}", do


def _suppressions() -> Findings:
    mark = Watermark.objects.filter(name=suppression_sync.NAME).first()
    if mark and mark.error:
        yield amber(
            f"The last synchronisation with SES's list stopped: {mark.error}",
            "Run manage.py sync_suppressions.",
        )
    elif mark is None or mark.finished_at is None:
        yield amber("SES's suppression list was never read.", "Run manage.py sync_suppressions.")
    elif timezone.now() - mark.finished_at > 3 * suppression_sync.PULL_EVERY:
        yield amber(
            f"SES's suppression list was last read on {mark.finished_at:%d %b}.", "Is the scheduler running?"
        )
    else:
        yield green(f"SES's suppression list was read at {mark.finished_at:%d %b %Y %H:%M} UTC.")


_PARTS: dict[str, Callable[[], Findings]] = {
    "settings": _settings,
    "account": _account,
    "senders": _identities,
    "configuration sets": _configuration_sets,
    "way back": _way_back,
    "events": _events,
    "queue": _queue,
    "incidents": _incidents,
    "reputation": _reputation,
    "suppressions": _suppressions,
}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]


def _permission(error: ClientError) -> str:
    return f"Allow {error.operation_name} to the credentials, or check the name in the message."
