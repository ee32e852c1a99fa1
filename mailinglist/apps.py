"""Registers the mailinglist app and its system checks, and Django's admin."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core.checks import CheckMessage, Tags, register


class MailinglistConfig(AppConfig):
    name = "mailinglist"
    verbose_name = "Mailing lists"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from mailinglist import checks, logins  # noqa: F401
        from mailinglist.segments import questions  # noqa: F401


class AdminConfig(SimpleAdminConfig):
    """In place of ``django.contrib.admin``: our site (staff_site.py). Its pages are imported with the first address
    (urls.py) or to be checked: no worker and no scheduler shows one.
    """

    default = False
    default_site = "mailinglist.staff_site.StaffSite"

    def ready(self) -> None:
        register(check_dependencies, Tags.admin)
        register(check_pages, Tags.admin)


def check_pages(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    admin.autodiscover()
    found: list[CheckMessage] = check_admin_app(app_configs, **kwargs)
    return found
