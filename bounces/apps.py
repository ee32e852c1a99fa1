"""Registers the bounces app, its checks and its signal receivers."""

from django.apps import AppConfig


class BouncesConfig(AppConfig):
    name = "bounces"
    verbose_name = "Bounces"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from bounces import access, checks, metrics, person_data, receivers  # noqa: F401
