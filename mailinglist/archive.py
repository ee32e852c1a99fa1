"""The public archive of a list: the mails that were sent to it, as nobody in particular.

Called by views/archive.py and the admin. Shows the frozen version only, with neutral values in place of the merge
tags: no name, no address, and no link that acts for anybody (unsubscribing leads to the list's page). A campaign
appears when it has started, stays while it is paused, and disappears when it is cancelled or taken off.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from mailinglist import links, merge
from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Campaign, CampaignVersion, MailingList, Subscriber
from mailinglist.sending import messages

Status = Campaign.Status
#: Started, and not stopped for good.
SHOWN = (Status.SENDING, Status.PAUSED, Status.FINISHED)
_BODIES = ("version__html", "version__text")
#: Nobody: the defaults of the merge tags stand where a person's values would.
_NOBODY = Subscriber(email="", name="", attributes={}, token="")


@dataclass(frozen=True, slots=True)
class Issue:
    """A campaign as the archive of one list names it."""

    campaign: Campaign
    subject: str
    preheader: str


def issues(mailing_list: MailingList) -> QuerySet[Campaign]:
    """What the archive of a list shows, newest first, without the bodies; nothing where it has none."""
    if not mailing_list.has_archive:
        return Campaign.objects.none()
    found = Campaign.objects.filter(lists=mailing_list, in_archive=True, status__in=SHOWN)
    return found.select_related("version").defer(*_BODIES).order_by("-started_at", "-pk")


def issue(mailing_list: MailingList, public_id: str) -> Campaign | None:
    """One of ``issues``, with its bodies."""
    return issues(mailing_list).defer(None).filter(public_id=public_id).first()


def named(campaign: Campaign, mailing_list: MailingList) -> Issue:
    """Its subject and preheader, for the index, the feed and the head of its page."""
    version, values = _version(campaign), _values(campaign, mailing_list)
    subject, preheader = (
        merge.one_line(merge.render(text, values, merge.Context.HEADER))
        for text in (version.subject, version.preheader)
    )
    return Issue(campaign, subject, preheader)


def mail(campaign: Campaign, mailing_list: MailingList) -> messages.Filled:
    """The mail as nobody in particular would have got it."""
    version = _version(campaign)
    parsed = messages.parse(subject=version.subject, html=version.html, text=version.text)
    return parsed.fill(_values(campaign, mailing_list))


def neighbours(campaign: Campaign, mailing_list: MailingList) -> tuple[Campaign | None, Campaign | None]:
    """(the one before, the one after) in the archive."""
    found, at = issues(mailing_list), campaign.started_at
    older = found.filter(Q(started_at__lt=at) | Q(started_at=at, pk__lt=campaign.pk)).first()
    newer = found.filter(Q(started_at__gt=at) | Q(started_at=at, pk__gt=campaign.pk)).reverse().first()
    return older, newer


def changed_at(mailing_list: MailingList) -> datetime:
    """When anything in the archive may have changed last: the list, or one of its campaigns."""
    last: datetime | None = Campaign.objects.filter(lists=mailing_list).aggregate(last=Max("updated_at"))[
        "last"
    ]
    return max(filter(None, [mailing_list.updated_at, last]))


@transaction.atomic
def put_in(campaign_id: int, wanted: bool, *, by: Actor) -> bool:
    """Show a campaign in the archives of its lists, or take it off, also after it was sent. False: it was so before."""
    campaign = Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)
    if campaign.in_archive == wanted:
        return False
    campaign.in_archive = wanted
    campaign.save(update_fields=["in_archive", "updated_at"])
    record(
        Noun.CAMPAIGN,
        campaign_id,
        before="not in the archive" if wanted else "in the archive",
        after="in the archive" if wanted else "not in the archive",
        why="Put into the public archive." if wanted else "Taken off the public archive.",
        by=by,
    )
    return True


def _version(campaign: Campaign) -> CampaignVersion:
    if campaign.version is None:
        raise ValueError(f"Campaign {campaign.pk} has never been started.")
    return campaign.version


def _values(campaign: Campaign, mailing_list: MailingList) -> dict[str, str]:
    home = links.list_page(mailing_list)
    return messages.values_for(_NOBODY, mailing_list) | {
        "unsubscribe_url": home,
        "preferences_url": home,
        "archive_url": links.archived(campaign, mailing_list),
    }
