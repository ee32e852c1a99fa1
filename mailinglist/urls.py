"""Composition root: which address is whose. Mails that were sent hold those with a token: keep them."""

from django.contrib import admin
from django.urls import include, path

from mailinglist.admin import own_password
from mailinglist.composing import links
from mailinglist.views import (
    archive,
    embedding,
    health,
    images,
    joining,
    leaving,
    lists,
    nothing,
    personal_data,
    preferences,
)

handler400 = "mailinglist.admin.errors.bad_request"
handler403 = "mailinglist.admin.errors.forbidden"
handler404 = "mailinglist.admin.errors.not_found"
admin.autodiscover()

urlpatterns = [
    path("", joining.home, name="home"),
    path("lists/looks.css", lists.all_looks, name="looks"),
    path("lists/<slug:slug>/", lists.list_page, name="list"),
    path("lists/<slug:slug>/look.css", lists.look, name="list-look"),
    path("lists/<slug:slug>/logo", lists.logo, name="list-logo"),
    path("lists/<slug:slug>/subscribe", joining.subscribe, name="subscribe"),
    path("lists/<slug:slug>/subscribe.json", embedding.subscribe_json, name="subscribe-json"),
    path("lists/<slug:slug>/form.json", embedding.form_json, name="form-json"),
    path("lists/<slug:slug>/embed-preview/<slug:way>", embedding.preview, name="embed-preview"),
    path("embed.js", embedding.script, name="embed-script"),
    path("lists/<slug:slug>/check-your-mail", joining.check_mail, name="check-mail"),
    path("confirm/<str:token>", joining.confirm, name="confirm"),
    path("unsubscribe/<str:token>", leaving.unsubscribe, name="unsubscribe"),
    path("preferences/<str:token>", preferences.preferences, name="preferences"),
    path("preferences/<str:token>/data", personal_data.ask, name="ask-data"),
    path("data/<str:token>", personal_data.data, name="data"),
    path("archive/<slug:slug>/", archive.index, name="archive"),
    path("archive/<slug:slug>/feed.atom", archive.feed, name="archive-feed"),
    path("archive/<slug:slug>/<slug:public_id>/", archive.issue, name="archive-issue"),
    path("archive/<slug:slug>/<slug:public_id>/mail", archive.mail, name="archive-mail"),
    path(links.HONEYPOT_PATH.lstrip("/"), nothing.nothing_here, name="nothing-here"),
    path("images/<slug:token>.<slug:ending>", images.image, name="image"),
    path("hooks/", include("bounces.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/password_change/", admin.site.admin_view(own_password.change, cacheable=True)),
    path("admin/", admin.site.urls),
]
