"""Composition root: which address is whose. Mails that were sent hold the three with a token: keep those."""

from django.contrib import admin
from django.urls import include, path

from mailinglist.composing import links
from mailinglist.views import health, joining, leaving, nothing, preferences

urlpatterns = [
    path("", joining.home, name="home"),
    path("lists/<slug:slug>/subscribe", joining.subscribe, name="subscribe"),
    path("lists/<slug:slug>/check-your-mail", joining.check_mail, name="check-mail"),
    path("confirm/<str:token>", joining.confirm, name="confirm"),
    path("unsubscribe/<str:token>", leaving.unsubscribe, name="unsubscribe"),
    path("preferences/<str:token>", preferences.preferences, name="preferences"),
    path(links.HONEYPOT_PATH.lstrip("/"), nothing.nothing_here, name="nothing-here"),
    path("hooks/", include("bounces.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
]
