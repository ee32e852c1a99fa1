"""Whatever the staff changes stands in the history: who did it, and from where.

Posts to every address of the admin, to each row of the cast, what its page holds with one thing changed. A new table,
page or action is asked by itself.
"""

from collections import Counter
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from mailinglist.models import Change, Tag
from tests import logos
from tests.factories import make_campaign, make_list, make_subscriber
from tests.test_get_changes_nothing import Watch, addresses, cast

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
WHERE = "198.51.100.7"
#: What is no change of anything that others see: the manager's own unsaved text, what was looked up, counters.
QUIET = {
    "mailinglist_campaigndraft",
    "mailinglist_linkcheck",
    "mailinglist_sendercheck",
    # Before it is started an import changes nobody, and is itself the note of who brought the file.
    "mailinglist_import",
    "mailinglist_importpart",
    "mailinglist_importbadrow",
}
#: Pages of the admin that change nothing: see test_get_changes_nothing.py. Rows that each page is asked for.
LEFT_OUT, ROWS = ("logout", "login", "_history", "_changelist", "jsi18n", "autocomplete", "view_on_site"), 3
#: Pages whose own form is filled in.
FORMS = ("_change", "_add", "_start", "_approve", "_erase", "_password_change", "_schedule")
#: What a page could want, beside what it shows.
ANSWERS = {
    "why": "Because.",
    "address": "ada@post.example",
    "number": "1",
    "to": "me@acme.example",
    "do": "1",
    "post": "yes",
    "consent": "By hand.",
    "consent_text": "By hand.",
    "email": "new@post.example",
    "domain": "post.example",
    "start": "2025-01-01T00:00",
    "end": "2036-01-01T00:00",
    "status": "confirmed",
    "answered": "1",
    "new": "fair",
    "act": "save",
    "name": "Another name",
    "label": "Another label",
    "username": "another",
    "password1": "an0ther-secret",
    "password2": "an0ther-secret",
    "new_password1": "an0ther-secret",
    "new_password2": "an0ther-secret",
    "old_password": "x",
    "usable_password": "true",
}


@pytest.fixture(autouse=True)
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are asked for what they hold, not drawn: that is most of their work, and writes nothing."""
    monkeypatch.setattr("django.template.response.SimpleTemplateResponse.rendered_content", "")


@pytest.fixture
def boss(client: Client) -> User:
    boss = User.objects.create_superuser("boss", "boss@acme.example", "x")
    client.force_login(boss)
    client.defaults["REMOTE_ADDR"] = WHERE
    client.raise_request_exception = False
    return boss


def shown(page: Any) -> dict[str, Any]:
    """What a browser would post back from a page with a form, with ANSWERS in its fields."""
    context = getattr(page, "context_data", None) or {}
    form = context["adminform"].form if "adminform" in context else context.get("form")
    formsets = [one.formset for one in context.get("inline_admin_formsets", ())]
    data: dict[str, Any] = {}
    for one in (form, *(formset.management_form for formset in formsets)):
        for field in one if hasattr(one, "fields") else ():
            value = field.value()
            if value is not None and value is not False:
                data[field.html_name] = value
    return data


class Poster:
    """Posts, looks what came of it, and takes it back."""

    def __init__(self, client: Client, boss: User) -> None:
        self.client, self.boss = client, boss
        self.rows = Watch()
        self.last = Change.objects.order_by("-pk").values_list("pk", flat=True)[0]
        self.acted: set[str] = set()
        self.unsaid: list[tuple[str, list[str]]] = []

    def post(self, what: str, address: str, data: dict[str, Any]) -> None:
        cookie = self.client.cookies["sessionid"].value
        with transaction.atomic():
            answer = self.client.post(address, data)
            assert answer.status_code < 500, (what, answer.status_code)
            changed: set[str] = set()
            if answer.status_code in (200, 201, 302):
                changed = self.rows.changed(kept=False) - QUIET
            told = Change.objects.filter(pk__gt=self.last, user=self.boss, evidence__ip=WHERE).exists()
            transaction.set_rollback(True)
        self.client.cookies["sessionid"] = cookie  # a new password makes another one
        if changed:
            self.acted.add(what)
            self.unsaid += [] if told else [(what, sorted(changed))]


def test_whatever_a_page_of_the_admin_changes_is_written_down(client: Client, boss: User) -> None:
    values = cast()
    watch, asked = Poster(client, boss), Counter[str]()
    for name, address in addresses(values):
        asked[name] += 1
        if not name.startswith("admin:") or name.endswith(LEFT_OUT) or asked[name] > ROWS:
            continue
        known = shown(client.get(address)) if name.endswith(FORMS) else {}
        data = {**ANSWERS, **known, **{key: text for key, text in ANSWERS.items() if key in known}}
        data = {"lists": [values["list_id"]], "list": values["list_id"], **data}
        watch.post(name, address, {**data, "file": SimpleUploadedFile("p.png", logos.PNG)})
    assert watch.unsaid == []
    assert len(watch.acted) > 45, watch.acted
    for model in ("campaign", "template", "mailimage", "attribute"):
        assert {f"admin:mailinglist_{model}_{act}" for act in ("change", "delete")} <= watch.acted


def test_whatever_an_action_on_chosen_rows_changes_is_written_down(client: Client, boss: User) -> None:
    cast()
    request = RequestFactory().get("/")
    request.user = boss
    watch = Poster(client, boss)
    for model, table in admin.site._registry.items():
        chosen = list(model._default_manager.values_list("pk", flat=True))
        page = reverse(f"admin:{table.opts.app_label}_{table.opts.model_name}_changelist")
        for action in table.get_actions(request):
            form = {**ANSWERS, "tag": Tag.objects.get().pk, "action": action, "_selected_action": chosen}
            watch.post(action, page, form)
    assert watch.unsaid == []
    assert len(watch.acted) > 5, watch.acted


def test_what_was_deleted_or_given_is_told_in_words(client: Client, boss: User) -> None:
    """What the walk cannot do to its cast, and what the sentences say."""
    group = Group.objects.create(name="Desk")
    group.user_set.add(boss)
    right = Permission.objects.get(codename="change_campaign")
    client.post(
        reverse("admin:auth_group_change", args=[group.pk]), {"name": "Desk", "permissions": [right.pk]}
    )
    client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    empty = make_list("empty", name="Empty")
    client.post(reverse("admin:mailinglist_mailinglist_delete", args=[empty.pk]), {"post": "yes"})
    plan = make_campaign(name="Plan")
    client.post(reverse("admin:mailinglist_campaign_delete", args=[plan.pk]), {"post": "yes"})
    ada = make_subscriber()
    actions = {"action": "add_tag", "_selected_action": [ada.pk], "answered": "1", "new": "press"}
    client.post(reverse("admin:mailinglist_subscriber_changelist"), actions)
    told = list(Change.objects.filter(user=boss, evidence__ip=WHERE).order_by("pk"))
    assert [(row.after, row.why) for row in told if row.after != "made"] == [
        ("group changed", "“Desk”: no right → change_campaign."),
        ("group removed", "“Desk” with change_campaign, which boss had."),
        ("removed", "“Empty” deleted."),
        ("removed", "“Plan” deleted."),
        ("tagged", "Tagged “press”."),
    ]
