"""Who would get a campaign to a list."""

from mailinglist.models import MailingList
from mailinglist.sending import audience_preview
from tests.factories import make_campaign


def counted(*lists: MailingList) -> tuple[int | None, int, int]:
    """(people who would get it, suppressed, paused) of a campaign that is not kept."""
    campaign = make_campaign(*lists)
    found = audience_preview.preview(campaign)
    campaign.delete()
    return found.to_send, found.suppressed, found.paused
