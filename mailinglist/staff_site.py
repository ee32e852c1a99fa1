"""The site of the staff pages: unfold's, without what it works out for each page anew and none of ours shows."""

from functools import cached_property
from typing import Any

from django.http import HttpRequest
from unfold.settings import get_config
from unfold.sites import UnfoldAdminSite


class StaffSite(UnfoldAdminSite):
    @cached_property
    def _config(self) -> dict[str, Any]:
        """UNFOLD of the settings, with the defaults."""
        config: dict[str, Any] = get_config(self.settings_name)
        return config

    def _get_config(self, key: str, *args: Any) -> Any:
        value = self._config.get(key)
        return self._get_value(value, *args) if value else None

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # The colours are in admin.css, which browsers keep.
        return {**super().each_context(request), "colors": None}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """The tables of one app, if one is asked for. Every page asks for all of them, and shows the navigation."""
        return super().get_app_list(request, app_label) if app_label else []

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The navigation as it is: it has asked already who may see what, and which page is open."""
        navigation: list[dict[str, Any]] = self._config["SIDEBAR"]["navigation"](request)
        return navigation
