"""The staff pages of bounces: everything about a recipient, events, notifications, policies, undo.

Pages that belong to no single model are addresses of the site itself; ``extra_urls`` is unfold's hook for
them.
"""

from django.contrib import admin

from bounces.admin import (
    dashboard,
    endings,
    events,
    incidents,
    notifications,
    policies,
    provider_pages,
    recipients,
    restore,
    results,
)

site = admin.site
site.extra_urls = lambda: [  # type: ignore[attr-defined]
    *recipients.urls(),
    *restore.urls(),
    *provider_pages.urls(),
    *dashboard.urls(),
    *results.urls(),
]

__all__ = [
    "dashboard",
    "endings",
    "events",
    "incidents",
    "notifications",
    "policies",
    "provider_pages",
    "recipients",
    "restore",
    "results",
]
