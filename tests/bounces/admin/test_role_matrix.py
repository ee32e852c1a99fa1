"""Every address of the admin × every role × a list of one's own: who gets in, and who does not.

The addresses come from the URL resolver. One that no line of FROM names fails: say there who may open it.
"""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from mailinglist.models import MailingList, Membership
from tests.test_get_changes_nothing import Watch, addresses, cast

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
#: From the least to the most: staff without a role, an analyst of the list, one who may download, its editor and owner,
#: and an owner of the whole installation. Who comes later may do all that those before may.
ROLES = ("nobody", "analyst", "exporter", "editor", "owner", "installation")
#: The first role that gets in. What the cast has of a kind may belong to no list (a picture that no mail shows), or not
#: to its table (subscriptions: only those that ended).
FROM = {
    "nobody": """
        index search password_change password_change_done jsi18n second_step logged_in
    """,
    "analyst": """
        app_list
        bounces_recipient bounces_progress bounces_results bounces_results_people bounces_compare
        bounces_event_changelist bounces_event_change bounces_event_history
        bounces_policy_changelist bounces_policy_change bounces_policy_history bounces_policy_simulate
        mailinglist_attribute_changelist mailinglist_attribute_change mailinglist_attribute_history
        mailinglist_campaign_changelist mailinglist_campaign_change mailinglist_campaign_history
        mailinglist_campaign_preview mailinglist_campaign_preview_html mailinglist_campaign_versions
        mailinglist_campaign_audience
        mailinglist_change_changelist mailinglist_change_change mailinglist_change_history
        mailinglist_delivery_changelist mailinglist_delivery_change mailinglist_delivery_history
        mailinglist_import_changelist mailinglist_import_change mailinglist_import_history
        mailinglist_mailinglist_changelist mailinglist_mailinglist_change mailinglist_mailinglist_history
        mailinglist_mailinglist_embed mailinglist_mailinglist_sign_ups
        mailinglist_subscriber_changelist mailinglist_subscriber_change mailinglist_subscriber_history
        mailinglist_subscription_changelist
        mailinglist_suppression_changelist
        mailinglist_template_changelist mailinglist_template_change mailinglist_template_history
        mailinglist_template_preview mailinglist_template_preview_html
    """,
    "exporter": "mailinglist_delivery_export mailinglist_subscriber_export",
    "editor": """
        bounces_recipient_unsubscribe bounces_recipient_restore bounces_recipient_resend bounces_recipient_try_now
        mailinglist_campaign_add mailinglist_campaign_delete mailinglist_campaign_duplicate mailinglist_campaign_follow_up
        mailinglist_campaign_typed mailinglist_campaign_typed_new mailinglist_campaign_throw_away
        mailinglist_campaign_throw_away_new mailinglist_campaign_restore mailinglist_campaign_test
        mailinglist_campaign_check mailinglist_campaign_ask_approval mailinglist_campaign_approve
        mailinglist_campaign_start mailinglist_campaign_schedule mailinglist_campaign_unschedule
        mailinglist_campaign_pause mailinglist_campaign_resume mailinglist_campaign_cancel mailinglist_campaign_stop
        mailinglist_campaign_archive mailinglist_campaign_unarchive
        mailinglist_import_add mailinglist_import_read_as mailinglist_import_start mailinglist_import_cancel
        mailinglist_import_undo mailinglist_import_refused
        mailinglist_mailimage_changelist mailinglist_mailimage_add mailinglist_mailimage_pick
        mailinglist_mailimage_upload
        mailinglist_subscriber_add
    """,
    "owner": "bounces_policy_add bounces_policy_delete",
    "installation": """
        auth_group_changelist auth_group_change auth_group_history
        auth_user_changelist auth_user_add auth_user_change auth_user_delete auth_user_history auth_user_unlock
        auth_user_password_change
        bounces_incident_changelist bounces_incident_change bounces_incident_history bounces_incident_confirm
        bounces_incident_release
        bounces_notification_changelist bounces_notification_change bounces_notification_history
        bounces_providers bounces_provider bounces_restore
        bounces_recipient_suppress bounces_recipient_release bounces_recipient_take_back
        bounces_recipient_leave_alone bounces_recipient_let_count
        mailinglist_attribute_add mailinglist_attribute_delete
        mailinglist_mailimage_change mailinglist_mailimage_delete mailinglist_mailimage_history
        mailinglist_mailinglist_add mailinglist_mailinglist_delete
        mailinglist_segment_changelist mailinglist_segment_add mailinglist_segment_change mailinglist_segment_delete
        mailinglist_segment_history
        mailinglist_subscriber_data mailinglist_subscriber_erase
        mailinglist_suppression_add mailinglist_suppression_change mailinglist_suppression_history
        mailinglist_suppression_release
        mailinglist_tag_changelist mailinglist_tag_add mailinglist_tag_change mailinglist_tag_delete
        mailinglist_tag_history
        mailinglist_template_add mailinglist_template_delete mailinglist_template_duplicate
    """,
    "none of them": """
        autocomplete view_on_site
        auth_group_add auth_group_delete
        bounces_event_add bounces_event_delete bounces_incident_add bounces_incident_delete
        bounces_notification_add bounces_notification_delete
        mailinglist_change_add mailinglist_change_delete mailinglist_delivery_add mailinglist_delivery_delete
        mailinglist_import_delete
        mailinglist_subscriber_delete mailinglist_subscription_add mailinglist_subscription_delete
        mailinglist_subscription_change mailinglist_subscription_history mailinglist_suppression_delete
    """,
}
#: What those who get in are answered where it is not the page: nothing to restore, or a form that wants more.
ANSWERS = {
    "mailinglist_campaign_restore": 404,
    "mailinglist_import_read_as": 404,
    "mailinglist_import_start": 404,
    "mailinglist_campaign_typed": 400,
    "mailinglist_campaign_typed_new": 400,
    "mailinglist_mailimage_upload": 400,
    "mailinglist_campaign_stop": 302,
    "bounces_recipient_release": 302,
    "mailinglist_mailinglist_delete": 302,
}
#: The ends of a session.
LEFT_OUT = ("login", "logout", "second_step_code")


@pytest.fixture
def pages() -> dict[str, str]:
    """Name → address, with an object of the list "news"."""
    values = cast()
    User.objects.create_user("other", is_staff=True)
    found: dict[str, str] = {}
    for name, path in addresses(values):
        space, _, short = name.partition(":")
        if space == "admin" and "/" not in short and short not in LEFT_OUT:
            found.setdefault(short, path)
    # Stands under the deliveries, and is about a campaign.
    found["mailinglist_delivery_export"] = reverse(
        "admin:mailinglist_delivery_export", args=[values["campaign_id"]]
    )
    return found


def visitor(role: str) -> Client:
    user = User.objects.create_user(role, password="x", is_staff=True)
    if role != "nobody":
        news = None if role == "installation" else MailingList.objects.get(slug="news")
        kind = {"exporter": "analyst", "installation": "owner"}.get(role, role)
        Membership.objects.create(user=user, role=kind, list=news, may_export=role == "exporter")
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def answer(client: Client, path: str) -> int:
    """The status for the first of the ways that is allowed there; nothing is left of it. 403 too where it leads back to
    the first page because there is no such row for this manager."""
    for way in ("get", "post"):
        with transaction.atomic():
            found = getattr(client, way)(path)
            transaction.set_rollback(True)
        if found.status_code != 405:
            break
    return 403 if found.get("Location", "") == reverse("admin:index") else int(found.status_code)


def test_every_page_has_a_first_role_that_gets_in_and_the_one_below_does_not(
    pages: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {name: role for role, names in FROM.items() for name in names.split()}
    assert set(pages) - set(first) == set(), "Say in FROM who may open this."
    assert set(first) - set(pages) == set(), "FROM names what there is no more."
    monkeypatch.setattr("django.template.response.SimpleTemplateResponse.rendered_content", "")
    clients, wrong = {role: visitor(role) for role in ROLES}, []
    for name, path in pages.items():
        place = ROLES.index(first[name]) if first[name] in ROLES else len(ROLES)
        if place < len(ROLES):
            got = answer(clients[ROLES[place]], path)
            wrong += [(name, ROLES[place], got)] if got != ANSWERS.get(name, 200) else []
        if place:
            got = answer(clients[ROLES[place - 1]], path)
            wrong += (
                [(name, ROLES[place - 1], got)] if got not in (403, 404) or got == ANSWERS.get(name) else []
            )
    assert wrong == [], wrong


def test_who_has_no_role_posts_in_vain_and_a_stranger_is_sent_to_the_login(pages: dict[str, str]) -> None:
    nobody, stranger, watch = visitor("nobody"), Client(), Watch()
    own = set(FROM["nobody"].split())
    told: list[tuple[str, int | str]] = []
    for name, path in pages.items():
        got = nobody.post(path) if name not in own else None
        if got is not None and got.status_code not in (403, 404, 405):
            told += [(name, got.status_code)] if got.get("Location", "") != reverse("admin:index") else []
        if "/admin/login/" not in stranger.post(path).get("Location", ""):
            told.append((name, "a stranger"))
    assert told == []
    assert watch.changed() == set()
