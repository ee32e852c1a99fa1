"""Which rows of bounces belong to which lists, told to mailinglist/access.py. Imported when the app is ready.

Notifications, incidents and the numbers of providers mix all lists: they take a role for the whole installation.
"""

from typing import Any

from django.db.models import QuerySet

from bounces.models import Event, Policy
from mailinglist import access


def _events(rows: QuerySet[Any], lists: access.Lists, user: Any) -> QuerySet[Any]:
    """About mails of these lists; what matches no mail of ours is nobody's."""
    return rows.filter(delivery__list_id__in=lists)


access.describe(Event, _events)
access.describe(Policy, access.of_list)
