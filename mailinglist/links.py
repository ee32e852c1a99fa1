"""Public addresses without a token: the same for everybody, so they may stand in mails, feeds and archives.

Those that prove who uses them are in tokens.py. Built from PUBLIC_URL, never from a request.
"""

from django.conf import settings

from mailinglist.models import Campaign, MailingList


def list_page(mailing_list: MailingList) -> str:
    """Where anybody can join; the first page for a list that is closed."""
    return _absolute(f"lists/{mailing_list.slug}/" if mailing_list.is_public else "")


def archive_index(mailing_list: MailingList) -> str:
    """The archive of a list that has one."""
    return _absolute(f"archive/{mailing_list.slug}/")


def archive_feed(mailing_list: MailingList) -> str:
    """The archive as an Atom feed."""
    return _absolute(f"archive/{mailing_list.slug}/feed.atom")


def archived(campaign: Campaign, mailing_list: MailingList) -> str:
    """The campaign's page in the archive of a list; empty where it has none, or will have none."""
    if not (mailing_list.has_archive and campaign.in_archive):
        return ""
    return _absolute(f"archive/{mailing_list.slug}/{campaign.public_id}/")


def _absolute(path: str) -> str:
    # Workers build these too; reverse() would load all pages and the admin for it.
    return f"{settings.PUBLIC_URL}/{path}"
