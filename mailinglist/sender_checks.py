"""How a sender address stands: verified at Amazon SES, and its domain's DKIM, SPF and DMARC in the DNS.

Asked on request and answered in the background; the answer is kept. Called by the admin (``ask``), tasks.py (``run``)
and composing/problems.py (``findings``). A question that nobody answers blocks nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError
from celery import signature
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from mailinglist import aws, doorbell, mail_domains
from mailinglist.models import SenderCheck

#: An answer is worth so much; an older one forbids nothing any more.
FRESH = timedelta(days=1)
_LEASE = timedelta(minutes=2)
_PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    #: What is wrong, and what to do about it: a sentence each.
    says: str
    do: str
    blocking: bool = False


@transaction.atomic
def ask(senders: Iterable[str]) -> None:
    """Have these addresses looked at, also those that were before."""
    now = timezone.now()
    for sender in dict.fromkeys(senders):
        SenderCheck.objects.update_or_create(
            sender=sender, defaults={"asked_at": now, "checked_at": None, "taken_until": None}
        )
    doorbell.ring(signature("mailinglist.tasks.look_outside"))


def ask_where_old(senders: Iterable[str]) -> None:
    """Have those looked at that were not within a day."""
    wanted = set(senders)
    known = SenderCheck.objects.filter(sender__in=wanted, asked_at__gt=timezone.now() - FRESH)
    if missing := wanted - set(known.values_list("sender", flat=True)):
        ask(sorted(missing))


def run() -> int:
    """Look at one address that waits. Returns 1; 0: none waits."""
    now = timezone.now()
    with transaction.atomic():
        check = _waiting().select_for_update(skip_locked=True).first()
        if check is None:
            return 0
        SenderCheck.objects.filter(pk=check.pk).update(taken_until=now + _LEASE)
    found = [asdict(finding) for finding in examine(check.sender)]
    SenderCheck.objects.filter(pk=check.pk).update(findings=found, checked_at=timezone.now())
    return 1


def waits() -> bool:
    """Whether an address waits that no worker has in hand."""
    return _waiting().exists()


def findings(senders: Iterable[str]) -> list[Finding]:
    """What was found about these addresses. What is older than a day is only a warning."""
    checks = SenderCheck.objects.filter(sender__in=set(senders)).exclude(findings=[]).order_by("pk")
    old = timezone.now() - FRESH
    return [
        Finding(row["says"], row["do"], row["blocking"] and bool(check.checked_at and check.checked_at > old))
        for check in checks
        for row in check.findings
    ]


def examine(sender: str) -> list[Finding]:
    """Ask SES and the DNS about one address, a few seconds at most. In local mode there is nobody to ask."""
    domain = sender.rpartition("@")[2].lower()
    if settings.LOCAL:
        return []
    identity, found = _at_ses(sender, domain)
    found += _dkim(domain, identity)
    found += _spf(domain, identity)
    return [*found, *_dmarc(domain)]


def _waiting() -> QuerySet[SenderCheck]:
    free = Q(taken_until__isnull=True) | Q(taken_until__lt=timezone.now())
    return SenderCheck.objects.filter(free, checked_at__isnull=True).order_by("pk")


def _at_ses(sender: str, domain: str) -> tuple[aws.Identity | None, list[Finding]]:
    labels = domain.split(".")
    names = [".".join(labels[at:]) for at in range(len(labels) - 1)]
    try:
        known = [found for name in (sender, *names) if (found := aws.get_identity(name))]
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        do = "Allow ses:GetEmailIdentity to the user that sends, then check again."
        return None, [Finding(f"Amazon SES does not say whether {domain} is verified ({code}).", do)]
    except BotoCoreError:
        return None, [Finding(f"Amazon SES did not answer about {domain}.", "Check again in a minute.")]
    verified = [identity for identity in known if identity.verified]
    if verified:
        # That of the domain says more than that of the address: it has DKIM.
        return next((identity for identity in verified if identity.dkim_tokens), verified[-1]), []
    do = f"Verify the domain {domain} in Amazon SES, in the region {settings.AWS_SES_REGION_NAME}, then check again."
    return None, [
        Finding(f"{sender} is not verified at Amazon SES, which would refuse every mail.", do, blocking=True)
    ]


def _dkim(domain: str, identity: aws.Identity | None) -> Iterator[Finding]:
    if identity is None:
        return
    if identity.dkim != "SUCCESS":
        yield Finding(
            f"Mails from {domain} are not signed with its DKIM key: Amazon SES says {identity.dkim or 'nothing'}.",
            "Add the three CNAME records that SES shows for the domain; then mail systems can know your mails.",
        )
    for selector in identity.dkim_tokens:
        if _text(f"{selector}._domainkey.{identity.name}", "CNAME") == []:
            yield Finding(
                f"The DNS has no DKIM record {selector}._domainkey.{identity.name}.",
                f"Add it as a CNAME of {selector}.dkim.amazonses.com.",
            )


def _spf(domain: str, identity: aws.Identity | None) -> Iterator[Finding]:
    if identity is None:
        return
    if not identity.mail_from_domain:
        yield Finding(
            f"SPF stands for amazonses.com, not for {domain}, so DMARC rests on DKIM alone.",
            "Give the domain a MAIL FROM domain of its own in Amazon SES, and add the two records it shows.",
        )
        return
    records = _text(identity.mail_from_domain, "TXT")
    if records is not None and not any(
        "include:amazonses.com" in text for text in records if text.startswith("v=spf1")
    ):
        yield Finding(
            f"The DNS does not say that Amazon SES may send for {identity.mail_from_domain} (SPF).",
            f'Add to {identity.mail_from_domain} the TXT record "v=spf1 include:amazonses.com ~all".',
        )


def _dmarc(domain: str) -> Iterator[Finding]:
    labels = domain.split(".")
    for at in range(len(labels) - 1):
        name = ".".join(labels[at:])
        records = _text(f"_dmarc.{name}", "TXT")
        if records is None:
            yield Finding(f"The DNS did not answer in time about {name}.", "Check again in a minute.")
            return
        policies = [text for text in records if text.startswith("v=DMARC1")]
        if len(policies) > 1:
            yield Finding(f"{name} has {len(policies)} DMARC records, so none counts.", "Leave one of them.")
        if policies:
            return
    yield Finding(
        f"{domain} has no DMARC record; Gmail and Yahoo want one from everybody who sends many mails.",
        f'Add to _dmarc.{domain} the TXT record "v=DMARC1; p=none".',
    )


def _text(name: str, kind: str) -> list[str] | None:
    """The records of a name; []: there are none, for sure; None: nobody knows."""
    import dns.exception
    import dns.resolver  # slow to import, and few processes ask the DNS

    try:
        answer = mail_domains.resolver().resolve(name, kind, lifetime=_PATIENCE, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError, ValueError):
        return None
    if kind == "TXT":
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
    return [str(record.target) for record in answer]
