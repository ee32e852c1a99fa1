"""Composition root: which address is whose. Mails that were sent hold the three with a token: keep those."""

from django.contrib import admin
from django.urls import include, path

from mailinglist.views import health, public

urlpatterns = [
    path("", public.home, name="home"),
    path("lists/<slug:slug>/subscribe", public.subscribe, name="subscribe"),
    path("lists/<slug:slug>/check-your-mail", public.check_mail, name="check-mail"),
    path("confirm/<str:token>", public.confirm, name="confirm"),
    path("unsubscribe/<str:token>", public.unsubscribe, name="unsubscribe"),
    path("preferences/<str:token>", public.preferences, name="preferences"),
    path("hooks/", include("bounces.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
]
