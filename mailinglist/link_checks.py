"""Whether the links of a campaign lead anywhere: asked on request, answered in the background by a worker.

Called by the admin (``ask``), tasks.py (``run``) and composing/problems.py (``broken``). Nobody waits for a page here.
"""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from celery import signature
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from mailinglist import doorbell, egress, mail_domains, merge
from mailinglist.composing import body
from mailinglist.models import Campaign, LinkCheck

#: Links of one campaign that are looked at; further ones are not.
MOST = 100
#: Asked in one run, and how many at once.
_IN_A_RUN, _AT_ONCE = 16, 8
#: Longer than one run may take.
_LEASE = timedelta(minutes=2)
# Not 401 and the like: they answer, and programs are not people.
_GONE = frozenset({404, 410})
_HREF = re.compile(r'<a\s(?:[^>"]|"[^"]*")*?href="([^"]*)"', re.IGNORECASE)


def addresses(version_html: str) -> list[str]:
    """The http and https links of compiled HTML that are the same for everybody, each once, in order."""
    found = (html.unescape(href).strip() for href in _HREF.findall(version_html))
    return list(
        dict.fromkeys(
            address
            for address in found
            if address.lower().startswith(("http://", "https://")) and not merge.tags(address)
        )
    )


@transaction.atomic
def ask(campaign_id: int) -> int:
    """Have the links of a campaign looked at as it is written now. Returns how many. Raises body.CannotCompile."""
    campaign = Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)
    found = [address for address in addresses(body.compile(campaign).html) if not _is_ours(address)][:MOST]
    campaign.link_checks.all().delete()
    now = timezone.now()
    LinkCheck.objects.bulk_create(
        LinkCheck(campaign=campaign, address=address, asked_at=now) for address in found
    )
    doorbell.ring(signature("mailinglist.tasks.look_outside"))
    return len(found)


def run() -> int:
    """Look at a handful of the links that wait. Returns how many; 0: none waits."""
    taken = _take()
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as threads:
        answers = list(threads.map(_look, [check.address for check in taken]))
    now = timezone.now()
    for check, (is_broken, says) in zip(taken, answers, strict=True):
        LinkCheck.objects.filter(pk=check.pk).update(is_broken=is_broken, says=says[:200], checked_at=now)
    return len(taken)


def broken(campaign: Campaign, version_html: str) -> list[str]:
    """A sentence for each link, of those that are in it now, that was found broken."""
    present = set(addresses(version_html))
    return [
        f"The link {check.address[:120]} is broken: {check.says}"
        for check in sorted(campaign.link_checks.all(), key=lambda check: check.pk)
        if check.is_broken and check.address in present
    ]


def waits() -> bool:
    """Whether a link waits that no worker has in hand."""
    return _waiting().exists()


def _waiting() -> QuerySet[LinkCheck]:
    free = Q(taken_until__isnull=True) | Q(taken_until__lt=timezone.now())
    return LinkCheck.objects.filter(free, checked_at__isnull=True).order_by("pk")


def _take() -> list[LinkCheck]:
    now = timezone.now()
    with transaction.atomic():
        taken = list(_waiting().select_for_update(skip_locked=True)[:_IN_A_RUN])
        LinkCheck.objects.filter(pk__in=[check.pk for check in taken]).update(taken_until=now + _LEASE)
    return taken


def _look(address: str) -> tuple[bool, str]:
    """(whether it is broken, a sentence). Touches no database."""
    try:
        answer = egress.ask(address, resolver=mail_domains.resolver())
    except egress.NotAllowed as refused:
        return True, f"Not asked. {refused}"
    except (egress.NotReached, OSError, ValueError) as error:
        return True, str(error) if isinstance(error, egress.NotReached) else "It cannot be reached."
    if answer.status in _GONE:
        return True, f"There is no such page (it answers {answer.status})."
    if answer.status >= 500:
        return True, f"Its server is in trouble (it answers {answer.status})."
    if answer.address != address:
        return False, f"It answers, and leads on to {answer.address}"
    return False, "It answers."


def _is_ours(address: str) -> bool:
    return address.startswith(f"{settings.PUBLIC_URL}/")
