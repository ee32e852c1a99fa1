"""Roles: what a manager of one list sees and does of another (nothing). What each may open: test_role_matrix.py."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from bounces.models import Event, Incident, Notification, Policy, ProviderSlot
from mailinglist import attributes, images, import_runs, tags
from mailinglist.changes import SYSTEM, Noun, record
from mailinglist.models import (
    Attribute,
    Campaign,
    Change,
    Delivery,
    Import,
    ImportBadRow,
    ListDay,
    MailingList,
    Membership,
    Segment,
    SendBudget,
    Subscriber,
    Subscription,
    Suppression,
    Template,
)
from mailinglist.segments import rules, store
from mailinglist.sending import pacing
from tests.bounces.admin.test_all_pages import fill
from tests.factories import make_campaign, make_list, make_subscriber
from tests.logos import png
from tests.mailinglist.sending.test_pacing import account
from tests.staff import make_delivery, make_event, make_started

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
MARKER = "Zqxforeign"
#: Names that must not be on any page that the manager of another list gets.
SECRETS = (MARKER, "ada@post.example", "gone@post.example")
#: Pages of one's own account, and the end of the session.
LEFT_OUT = ("logout", "login")
#: What a form could want; each view takes what it knows.
ANSWERS = {
    "why": "Because.",
    "address": "ada@post.example",
    "number": "1",
    "to": "ada@post.example",
    "do": "1",
    "status": "confirmed",
    "encoding": "utf-8",
    "email": "ada@post.example",
    "domain": "post.example",
    "start": "2025-01-01T00:00",
    "end": "2026-01-01T00:00",
    "consent": "By hand.",
    "name": "x",
    "code": "123456",
    "_selected_action": "1",
    "index": "0",
    "post": "yes",
}


def member(name: str, role: str, mailing_list: MailingList | None, **values: Any) -> User:
    user = User.objects.create_user(name, password="secret-secret", is_staff=True)
    Membership.objects.create(user=user, list=mailing_list, role=role, **values)
    return user


@pytest.fixture
def foreign() -> Subscriber:
    """A list of somebody else with everything a list can have, the marker in each text."""
    ada = fill(MARKER)
    for row in MailingList.objects.all():
        MailingList.objects.filter(pk=row.pk).update(name=f"{MARKER} {row.pk}", description=MARKER)
        Policy.objects.create(list=row, soft_retry_days=[1])
        ListDay.objects.create(list=row, day="2025-11-20", joined=1, left=1)
    for row in Campaign.objects.all():
        record(Noun.CAMPAIGN, row.pk, before="", after="x", why=MARKER, by=SYSTEM)
        Campaign.objects.filter(pk=row.pk).update(name=f"{MARKER} {row.pk}")
    news = MailingList.objects.get(slug="news")
    brought = import_runs.create(news, [b"email\nx\n"], file_name=f"{MARKER}.csv", encoding="", by=SYSTEM)
    ImportBadRow.objects.create(owner=brought, line=2, value=MARKER, reason=MARKER)
    image = images.store(png(8, 8), name=MARKER, alt=MARKER, by=SYSTEM)
    Campaign.objects.filter(started_at=None).update(body=f"{MARKER} {images.markdown(image)}")
    attributes.save(Attribute(key="town", label="Town"), by=SYSTEM)
    tag = tags.make(MARKER, by=SYSTEM)
    tree = rules.read({"match": "all", "parts": [{"rule": "tag", "ask": "has", "value": tag.pk}]})
    store.save(Segment(name=MARKER), tree, by=SYSTEM)
    # Looks are everybody's.
    for look in Template.objects.all():
        look.name, look.description, look.source = f"Look {look.pk}", "", "{{ content }}"
        look.save()
    return ada


def places(resolver: Any) -> Iterator[tuple[str, list[str]]]:
    """(name, names of the arguments) of each admin address."""
    for pattern in resolver:
        if isinstance(pattern, URLResolver):
            yield from places(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            by_pattern = getattr(pattern.pattern, "regex", None)
            yield pattern.name, list(by_pattern.groupindex) if by_pattern else []


def first(model: Any, **values: Any) -> int:
    row = model._default_manager.filter(**values).order_by("pk").first()
    assert row is not None, model
    return int(row.pk)


def argument(name: str, page: str) -> Any:
    """The foreign row that an argument of an address may name. A new kind of argument needs a line here."""
    known: dict[str, Any] = {
        "campaign_id": lambda: first(Campaign, name__startswith=MARKER, started_at=None),
        "subscriber_id": lambda: first(Subscriber, email="ada@post.example"),
        "list_id": lambda: first(MailingList, slug="news"),
        "delivery_id": lambda: first(Delivery, subscriber__email="ada@post.example"),
        "event_id": lambda: first(Event, subscriber__email="ada@post.example"),
        "subscription_id": lambda: first(Subscription, subscriber__email="ada@post.example"),
        "suppression_id": lambda: first(Suppression),
        "import_id": lambda: first(Import),
        "template_id": lambda: first(Template),
        "incident_id": lambda: first(Incident),
        "user_id": lambda: first(User, username="other"),
        "id": lambda: first(User, username="other"),
        "provider": lambda: "post.example",
        "app_label": lambda: "mailinglist",
        "url": lambda: "no-such-page/",
    }
    if page == "view_on_site":
        return ContentType.objects.get_for_model(Subscriber).pk if name == "content_type_id" else 1
    if name == "object_id":
        label, _, model_name = page.rpartition("_")[0].partition("_")
        model = apps.get_model(label, model_name)
        return first(model, username="other") if model is User else first(model)
    return known[name]()


def addresses() -> list[tuple[str, bool]]:
    """Every address of the admin, and whether it names a foreign row."""
    found = []
    for name, arguments in places(admin.site.get_urls()):
        if name in LEFT_OUT or (name.startswith("auth_group_") and arguments):
            continue
        values = {argument_name: argument(argument_name, name) for argument_name in arguments}
        # Looks and names of values belong to everybody, and hold nothing of a list.
        is_shared = name.startswith(("mailinglist_template_", "mailinglist_attribute_"))
        names_a_row = bool(set(arguments) - {"url", "app_label"}) and not is_shared
        found.append((reverse(f"admin:{name}", kwargs=values), names_a_row))
    return found


def everything() -> dict[str, Any]:
    """All rows but sessions and counters of logins."""
    models = [m for m in apps.get_models() if m._meta.app_label in ("mailinglist", "bounces", "auth")]
    rows = {m._meta.label: sorted(map(str, m._default_manager.values_list())) for m in models}
    return {label: found for label, found in rows.items() if label != "auth.User"}


def text(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(body.decode("utf-8", "replace"))


def without_token(answer: Any) -> str:
    """The page without its CSRF token, which is another one each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text(answer))


def leaks(answer: Any) -> bool:
    return any(secret in text(answer) for secret in SECRETS)


def test_nothing_of_a_foreign_list_is_shown_or_changed_at_any_address(
    client: Client, foreign: Subscriber
) -> None:
    User.objects.create_superuser("other", "other@acme.example", "secret-secret")
    ours = make_list("ours", name="Ours")
    make_subscriber("mine@our.example", ours)
    client.force_login(member("eve", "owner", ours))
    pages = addresses()
    assert len(pages) > 90

    before = everything()
    shown, open_doors = [], []
    for address, names_a_row in pages:
        queries = ["", "?q=ada"] if address.count("/") == 4 else [""]
        for query in queries:
            answer = client.get(address + query)
            shown += [address + query] if leaks(answer) else []
            if names_a_row and answer.status_code not in (302, 403, 404, 405):
                open_doors.append((address, answer.status_code))
    for list_id in MailingList.objects.exclude(pk=ours.pk).values_list("pk", flat=True):
        for address in (
            reverse("admin:index") + f"?list={list_id}",
            reverse("admin:mailinglist_subscriber_changelist") + f"?list={list_id}",
            reverse("admin:bounces_event_changelist") + f"?list={list_id}",
            reverse("admin:bounces_policy_simulate") + f"?mailing_list={list_id}",
            reverse("admin:mailinglist_import_changelist") + f"?list__id__exact={list_id}",
            reverse("admin:mailinglist_import_add") + f"?list={list_id}",
            reverse("admin:mailinglist_delivery_changelist")
            + f"?campaign={Campaign.objects.filter(lists=list_id).values_list('pk', flat=True).first()}",
        ):
            shown += [address] if leaks(client.get(address)) else []
    assert (shown, open_doors) == ([], [])
    assert everything() == before, "a GET changed something"

    wrong = []
    list_id = first(MailingList, slug="news")
    for address, names_a_row in pages:
        data = {**ANSWERS, "mailing_list": list_id, "lists": [list_id], "list": list_id}
        answer = client.post(address, data)
        wrong += [address] if names_a_row and answer.status_code not in (302, 403, 404, 405) else []
        shown += (
            [address] if leaks(answer) and "ada@post.example" not in str(answer.wsgi_request.POST) else []
        )
        shown += [address] if MARKER in text(answer) else []
    assert (shown, wrong) == ([], [])
    after = everything()
    changed = {label for label, rows in before.items() if after[label] != rows}
    assert changed == set(), {label: set(after[label]) ^ set(before[label]) for label in changed}


def test_no_action_on_chosen_rows_reaches_a_foreign_list(client: Client, foreign: Subscriber) -> None:
    client.force_login(member("eve", "owner", make_list("ours")))
    before = everything()
    for model, model_admin in admin.site._registry.items():
        options = model._meta
        if options.app_label not in ("mailinglist", "bounces"):
            continue
        rows = list(model._default_manager.values_list("pk", flat=True)[:20])
        page = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        for action in [*map(str, model_admin.actions or ()), "delete_selected"]:
            client.post(page, {"action": action, "_selected_action": rows, "why": "x", "post": "yes"})
    assert everything() == before


@pytest.fixture
def own(client: Client) -> MailingList:
    """A list with a campaign, a mail in doubt, and somebody who is on another list too."""
    ours, theirs = make_list("ours", name="Ours"), make_list("theirs", name=MARKER)
    ada = make_subscriber("ada@post.example", ours, theirs)
    make_campaign(ours, name="Plan")
    for mailing_list, name in ((ours, "Sent"), (theirs, f"{MARKER} sent")):
        delivery = make_delivery(make_started(mailing_list, name=name), ada, "unknown")
        make_event(delivery, "soft", f"Told about {name}.")
    return ours


def test_a_person_on_two_lists_shows_each_manager_their_own_half(client: Client, own: MailingList) -> None:
    client.force_login(member("eve", "editor", own))
    ada = Subscriber.objects.get()
    page = client.get(reverse("admin:bounces_recipient", args=[ada.pk])).content.decode()
    assert "Ours" in page
    assert "Told about Sent." in page
    assert MARKER not in page
    assert MARKER not in client.get(reverse("admin:mailinglist_subscriber_changelist")).content.decode()
    client.post(reverse("admin:bounces_recipient_unsubscribe", args=[ada.pk]), {"why": "She called."})
    states = dict(ada.subscriptions.values_list("list__slug", "status"))
    assert states == {"ours": "unsubscribed", "theirs": "confirmed"}


def test_looking_at_one_list_and_writing_on_another_do_not_add_up(client: Client, own: MailingList) -> None:
    eve = member("eve", "analyst", own)
    Membership.objects.create(user=eve, list=MailingList.objects.get(slug="theirs"), role="editor")
    client.force_login(eve)
    plan = Campaign.objects.get(name="Plan")
    assert client.get(reverse("admin:mailinglist_campaign_start", args=[plan.pk])).status_code == 403
    page = reverse("admin:mailinglist_campaign_change", args=[plan.pk])
    client.post(page, {"name": "Taken over", "lists": [own.pk], "body_format": "markdown"})
    plan.refresh_from_db()
    assert plan.name == "Plan"
    doubt = Delivery.objects.get(list=own, state="unknown")
    table = reverse("admin:mailinglist_delivery_changelist")
    client.post(table, {"action": "send_again", "_selected_action": [doubt.pk]})
    doubt.refresh_from_db()
    assert doubt.state == "unknown"


def test_a_campaign_to_a_foreign_list_too_is_not_seen(client: Client, own: MailingList) -> None:
    both = make_campaign(own, MailingList.objects.get(slug="theirs"), name="Both")
    client.force_login(member("eve", "owner", own))
    assert client.get(reverse("admin:mailinglist_campaign_preview", args=[both.pk])).status_code == 404
    assert "Both" not in client.get(reverse("admin:mailinglist_campaign_changelist")).content.decode()


def test_a_campaign_cannot_be_written_to_a_foreign_list(client: Client, own: MailingList) -> None:
    client.force_login(member("eve", "editor", own))
    theirs = MailingList.objects.get(slug="theirs")
    page = reverse("admin:mailinglist_campaign_add")
    assert MARKER not in client.get(page).content.decode()
    client.post(page, {"name": "X", "lists": [theirs.pk], "body_format": "markdown", "canary_minutes": 0})
    assert not Campaign.objects.filter(name="X").exists()
    client.post(page, {"name": "X", "lists": [own.pk], "body_format": "markdown", "canary_minutes": 0})
    assert Campaign.objects.filter(name="X").exists()


def test_a_list_of_ones_own_gives_no_policy_for_all_lists(client: Client, own: MailingList) -> None:
    client.force_login(member("eve", "owner", own))
    form = {"soft_retry_days": "1", "repeated_soft": 3, "repeated_window": 5, "repeated_days": 7}
    form |= {"block_retry_days": "1", "hold_hours": 1}
    client.post(reverse("admin:bounces_policy_add"), {**form, "list": ""})
    assert not Policy.objects.filter(list=None).exists()
    client.post(reverse("admin:bounces_policy_add"), {**form, "list": own.pk})
    assert Policy.objects.filter(list=own).exists()


def test_an_editor_of_everything_reaches_lists_that_come_later(client: Client, own: MailingList) -> None:
    client.force_login(member("eve", "editor", None))
    make_list("later", name="Later")
    assert "Later" in client.get(reverse("admin:mailinglist_campaign_add")).content.decode()
    assert client.get(reverse("admin:bounces_providers")).status_code == 200
    assert client.get(reverse("admin:auth_user_add")).status_code == 403


def form_of(user: User, **values: Any) -> dict[str, Any]:
    """What the page of a manager posts: the account, and one more role."""
    management = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1000}
    form = {f"memberships-{key}": value for key, value in management.items()}
    return {"username": user.username, "is_active": "on", **form, **values}


def test_an_owner_gives_a_role_and_the_history_says_who_did(client: Client, own: MailingList) -> None:
    client.force_login(member("olga", "owner", None))
    eve = User.objects.create_user("eve", password="x", is_staff=True)
    page = reverse("admin:auth_user_change", args=[eve.pk])
    given = {"memberships-0-role": "editor", "memberships-0-list": own.pk, "memberships-0-user": eve.pk}
    assert client.post(page, form_of(eve, **given)).status_code == 302
    assert Membership.objects.get(user=eve).list == own
    change = Change.objects.get(noun="manager", after="roles changed")
    assert (str(change.user), change.why) == ("olga", "eve: no role → editor of Ours.")
    assert change.evidence == {"ip": "127.0.0.1"}
    assert "roles changed" in client.get(reverse("admin:mailinglist_change_changelist")).content.decode()


def add_form(**values: Any) -> dict[str, Any]:
    """What the page of a new manager posts, with an untouched row of roles."""
    password = {"password1": "long-secret-9", "password2": "long-secret-9", "usable_password": "true"}
    row = {"memberships-0-role": "", "memberships-0-list": ""}
    return {**form_of(User(username="new")), **password, **row, **values}


def test_a_new_manager_has_no_role_until_one_is_chosen(client: Client, own: MailingList) -> None:
    client.force_login(member("olga", "owner", None))
    page = reverse("admin:auth_user_add")
    rows = client.get(page).context["inline_admin_formsets"][0].formset.forms
    for name, first in (("role", "Choose …"), ("list", "Choose …")):
        assert str(rows[0][name]).count("selected") <= 1
        assert next(iter(rows[0].fields[name].choices)) == ("", first)
    answer = client.post(page, add_form(), follow=True)
    eve = User.objects.get(username="new")
    assert not eve.memberships.exists()
    assert "new has no role: they can log in, and see nothing." in answer.content.decode()
    # Saving their page as it stands gives none either.
    shown = answer.context["inline_admin_formsets"][0].formset.forms[0]
    given = {f"memberships-0-{name}": shown[name].value() or "" for name in ("role", "list")}
    client.post(reverse("admin:auth_user_change", args=[eve.pk]), form_of(eve, **given))
    assert not eve.memberships.exists()


def test_no_list_chosen_is_not_all_lists(client: Client, own: MailingList) -> None:
    client.force_login(member("olga", "owner", None))
    page, role = reverse("admin:auth_user_add"), {"memberships-0-role": "editor"}
    answer = client.post(page, add_form(**role))
    assert "Choose the list that the role is for, or the whole installation." in answer.content.decode()
    answer = client.post(page, add_form(**{"memberships-0-list": own.pk}))
    assert "Choose a role." in answer.content.decode()
    assert not User.objects.filter(username="new").exists()
    answer = client.post(page, add_form(**role, **{"memberships-0-list": "everywhere"}), follow=True)
    assert "has no role" not in answer.content.decode()
    assert str(Membership.objects.get(user__username="new")) == "editor of the whole installation"
    shown = answer.context["inline_admin_formsets"][0].formset.forms[0]["list"]
    assert 'value="everywhere" selected>the whole installation: all lists, also those that come later' in str(
        shown
    )


def test_one_place_has_one_role(client: Client, own: MailingList) -> None:
    client.force_login(member("olga", "owner", None))
    rows = {
        f"memberships-{number}-{name}": value
        for number, role in enumerate(("owner", "analyst"))
        for name, value in (("role", role), ("list", "everywhere"))
    }
    answer = client.post(reverse("admin:auth_user_add"), add_form(**rows, **{"memberships-TOTAL_FORMS": 2}))
    assert "There are two roles for the whole installation. Keep one of them." in answer.content.decode()


def test_the_own_roles_are_said_in_words(client: Client, own: MailingList) -> None:
    olga = member("olga", "owner", None)
    client.force_login(olga)
    page = client.get(reverse("admin:auth_user_change", args=[olga.pk])).content.decode()
    assert re.search(r"<div[^>]*>\s*the whole installation\s*</div>", page)


def test_nobody_gives_a_role_to_themselves_or_touches_a_superuser(client: Client, own: MailingList) -> None:
    boss = User.objects.create_superuser("boss", "b@acme.example", "secret-secret")
    olga = member("olga", "owner", None)
    client.force_login(olga)
    page = reverse("admin:auth_user_change", args=[olga.pk])
    given = {"memberships-0-role": "editor", "memberships-0-list": own.pk, "memberships-0-user": olga.pk}
    client.post(page, form_of(olga, **given, is_superuser="on", user_permissions=["1"]))
    olga.refresh_from_db()
    assert (olga.memberships.count(), olga.is_superuser, olga.user_permissions.count()) == (1, False, 0)
    for tail in ("change", "delete"):
        assert (
            client.post(reverse(f"admin:auth_user_{tail}", args=[boss.pk]), {"post": "yes"}).status_code
            == 403
        )
    password = {"password1": "another-secret", "password2": "another-secret"}
    client.post(reverse("admin:auth_user_password_change", args=[boss.pk]), password)
    boss.refresh_from_db()
    assert boss.check_password("secret-secret")
    assert client.post(reverse("admin:auth_group_add"), {"name": "x"}).status_code == 403


def test_an_editor_of_a_list_makes_no_manager(client: Client, own: MailingList) -> None:
    eve = member("eve", "editor", own)
    client.force_login(eve)
    given = {"memberships-0-role": "owner", "memberships-0-list": "", "memberships-0-user": eve.pk}
    page = reverse("admin:auth_user_change", args=[eve.pk])
    assert client.post(page, form_of(eve, **given)).status_code == 403
    assert Membership.objects.get().role == "editor"


def test_what_is_mixed_of_all_lists_stays_with_the_whole_installation(
    client: Client, own: MailingList
) -> None:
    assert Notification.objects.exists()
    ProviderSlot.objects.create(provider=f"{MARKER}.example", starts_at="2025-11-20T00:00Z", hard=1)
    client.force_login(member("eve", "owner", own))
    page = client.get(reverse("admin:index"))
    assert page.status_code == 200
    assert MARKER not in page.content.decode()
    assert 'aria-label="Reputation"' not in page.content.decode()


def test_what_the_whole_account_sends_takes_a_role_for_the_whole_installation(
    client: Client, own: MailingList
) -> None:
    campaign, other = make_started(own), make_started(make_list("else", name="Else"))
    for sender, mails in ((campaign, 300), (other, 4321)):
        pacing.take(mails, campaign_id=sender.pk, get_account=lambda: account(rate=1e4, day=50_000))
    SendBudget.objects.update(sent_24_hour=4621)
    pages = [reverse("admin:index"), reverse("admin:mailinglist_campaign_change", args=[campaign.pk])]
    for list_, told in ((own, False), (None, True)):
        client.force_login(member(f"eve{told}", "editor", list_))
        for page in pages:
            shown = text(client.get(page))
            assert ("4,621 of 50,000 used in 24 hours" in shown) is told, page
            assert ("mails a second to your lists now" in shown) is not told, page
            assert ("2 campaigns are sending now" in shown) is told, page
        rows = client.get(reverse("admin:bounces_progress")).json()["campaigns"]
        assert (other.pk in {row["id"] for row in rows}) is told


def test_results_tell_nothing_of_an_address_on_foreign_lists_only(
    client: Client, foreign: Subscriber
) -> None:
    ours = make_list("ours", name="Ours")
    campaign = make_started(ours)
    client.force_login(member("eve", "owner", ours))
    answer = client.get(
        reverse("admin:bounces_results_people", args=[campaign.pk]), {"q": "ada@post.example"}
    )
    assert "Nobody with this address is on the lists that you manage." in text(answer)
    assert reverse("admin:bounces_recipient", args=[foreign.pk]) not in text(answer)


@pytest.mark.parametrize("typed", ["ada@post.exam", "ada@"])
def test_results_do_not_tell_which_beginnings_somebody_on_a_foreign_list_has(
    client: Client, own: MailingList, typed: str
) -> None:
    make_subscriber("secret@post.example", MailingList.objects.get(slug="theirs"))
    client.force_login(member("eve", "owner", own))
    address = reverse("admin:bounces_results_people", args=[Campaign.objects.get(name="Sent").pk])
    foreign = client.get(address, {"q": typed.replace("ada", "secret")})
    nobody = client.get(address, {"q": typed.replace("ada", "nobody")})
    assert without_token(foreign).replace("secret", "nobody") == without_token(nobody)
    assert "answer" not in client.get(address, {"q": typed}).context


@pytest.mark.parametrize("typed", ["secret@post.example", "secret@po", "secret"])
def test_a_test_mail_shows_the_values_of_nobody_on_a_foreign_list(
    client: Client, own: MailingList, typed: str
) -> None:
    make_subscriber("secret@post.example", MailingList.objects.get(slug="theirs"), name=MARKER)
    plan = Campaign.objects.get(name="Plan")
    page = reverse("admin:mailinglist_campaign_test", args=[plan.pk])
    client.force_login(member("eve", "editor", own))
    answers = [
        without_token(client.post(page, {"to": "eve@acme.example", "seen_by": seen_by}))
        for seen_by in (typed, typed.replace("secret", "nobody"))
    ]
    assert answers[0].replace("secret", "nobody") == answers[1]
    assert "No subscriber of your lists" in answers[0]
    assert not plan.versions.exists()
    client.post(page, {"to": "eve@acme.example", "seen_by": "ada@"})
    assert str(plan.versions.get().as_seen_by) == "ada@post.example"


def test_saving_a_campaign_keeps_a_choice_of_people_that_one_may_not_see(
    client: Client, own: MailingList
) -> None:
    segment, tag = Segment(name="Some"), tags.make("some", by=SYSTEM)
    rule = {"rule": "tag", "ask": "has", "value": tag.pk}
    store.save(segment, rules.read({"match": "all", "parts": [rule]}), by=SYSTEM)
    theirs = MailingList.objects.get(slug="theirs")
    campaign = make_campaign(own, name="Ours")
    campaign.include_segments.add(segment)
    campaign.exclude_lists.add(theirs)
    client.force_login(member("eve", "editor", own))
    page = reverse("admin:mailinglist_campaign_change", args=[campaign.pk])
    client.post(
        page,
        {
            "name": "Ours",
            "lists": [own.pk],
            "body_format": "markdown",
            "canary_minutes": 0,
            "subject": "New",
            "exclude_lists": [own.pk],
        },
    )
    campaign.refresh_from_db()
    assert campaign.subject == "New"
    assert list(campaign.include_segments.all()) == [segment]
    assert list(campaign.exclude_lists.all()) == [theirs]
