"""Registers the mailinglist app and its system checks."""

from django.apps import AppConfig


class MailinglistConfig(AppConfig):
    name = "mailinglist"
    verbose_name = "Mailing lists"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from mailinglist import checks, logins  # noqa: F401
