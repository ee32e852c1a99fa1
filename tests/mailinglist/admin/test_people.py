"""Lists, subscribers, suppressions, deliveries and the audit trail in the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from mailinglist import subscriptions, suppression
from mailinglist.changes import Actor, Kind
from mailinglist.models import Attempt, Change, Delivery, MailingList, Subscriber, Subscription, Suppression
from tests.factories import make_campaign, make_list, make_readers, make_subscriber
from tests.staff import make_delivery, make_started, make_suppressed

pytestmark = pytest.mark.django_db


@pytest.fixture
def news() -> MailingList:
    return make_list("news")


def found(client: Client, name: str, **query: Any) -> int:
    count: int = client.get(reverse(f"admin:{name}_changelist"), query).context["cl"].result_count
    return count


def test_who_logs_in_at_the_login_page_itself_comes_to_the_first_page(client: Client) -> None:
    User.objects.create_superuser("boss", "boss@post.example", "a-long-password")
    answer = client.post("/admin/login/", {"username": "boss", "password": "a-long-password"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_lists_show_how_many_people_are_in_each_state(staff: Client, news: MailingList) -> None:
    make_readers(news, 3)
    subscriptions.unsubscribe(
        Subscriber.objects.first().pk, reason=Subscription.Reason.PAGE, by=Actor(Kind.PERSON), why="Left."
    )
    row = staff.get(reverse("admin:mailinglist_mailinglist_changelist")).context["cl"].result_list[0]
    assert (row.size.confirmed, row.size.pending, row.size.unsubscribed) == (2, 0, 1)


def test_a_list_links_to_its_public_page_and_says_how_to_import(staff: Client, news: MailingList) -> None:
    page = staff.get(reverse("admin:mailinglist_mailinglist_change", args=[news.pk])).content.decode()
    assert "/lists/news/subscribe" in page and "import_subscribers news people.csv" in page


def test_changing_a_list_is_written_down(staff: Client, boss: User, news: MailingList) -> None:
    values = {
        "name": "News",
        "slug": "news",
        "description": "",
        "language": "en",
        "from_name": "Other",
        "from_email": news.from_email,
        "reply_to": "",
        "postal_address": news.postal_address,
        "configuration_set": "",
        "tracking": "on",
        "untracked_configuration_set": "",
    }
    staff.post(reverse("admin:mailinglist_mailinglist_change", args=[news.pk]), values)
    change = Change.objects.get(noun="list")
    assert change.user == boss and "from_name" in change.why


def test_a_list_with_people_cannot_be_deleted_and_says_why(staff: Client, news: MailingList) -> None:
    make_subscriber("ada@post.example", news)
    delete = reverse("admin:mailinglist_mailinglist_delete", args=[news.pk])
    assert "cannot be deleted" in staff.post(delete, {"post": "yes"}, follow=True).content.decode()
    assert MailingList.objects.exists()


def test_an_empty_list_can_be_deleted(staff: Client, news: MailingList) -> None:
    make_campaign(news, name="Week 51")
    page = staff.get(reverse("admin:mailinglist_mailinglist_delete", args=[news.pk])).content.decode()
    assert "campaigns that go to it: “Week 51”." in page and "relationship" not in page
    staff.post(reverse("admin:mailinglist_mailinglist_delete", args=[news.pk]), {"post": "yes"})
    assert not MailingList.objects.exists()


def test_a_list_of_a_mail_cannot_be_deleted_though_nobody_is_on_it_any_more(staff: Client) -> None:
    delivery = make_delivery(make_started(make_list()), make_subscriber(), "delivered")
    delete = reverse("admin:mailinglist_mailinglist_delete", args=[delivery.list_id])
    assert "mails were sent to it" in staff.post(delete, {"post": "yes"}, follow=True).content.decode()
    assert MailingList.objects.exists()


@pytest.mark.parametrize(
    ("term", "hits"),
    [
        ("ada", 2),
        ("ADA@post.example", 1),
        ("ada@bücher.example", 1),
        ("ada@", 2),
        ("post.example", 0),
        ("%", 0),
        ("'; --", 0),
    ],
)
def test_subscribers_are_found_by_address_or_its_beginning(staff: Client, term: str, hits: int) -> None:
    for email in ("Ada@post.example", "ada@bücher.example", "bob@post.example"):
        make_subscriber(email)
    assert found(staff, "mailinglist_subscriber", q=term) == hits


def test_subscribers_are_filtered_by_one_subscription_that_fits_both(
    staff: Client, news: MailingList
) -> None:
    tips = make_list("tips")
    ada = make_subscriber("ada@post.example", news, tips)
    subscriptions.unsubscribe(
        ada.pk,
        reason=Subscription.Reason.PAGE,
        by=Actor(Kind.PERSON),
        why="Left.",
        list_ids=[tips.pk],
    )
    assert found(staff, "mailinglist_subscriber", list=news.pk, status="confirmed") == 1
    assert found(staff, "mailinglist_subscriber", list=tips.pk, status="confirmed") == 0
    assert found(staff, "mailinglist_subscriber", list="x") == 0


def test_adding_a_subscriber_to_a_list_needs_the_consent(staff: Client, news: MailingList) -> None:
    values = {"email": "ada@post.example", "name": "Ada", "mailing_list": news.pk, "consent": ""}
    page = staff.post(reverse("admin:mailinglist_subscriber_add"), values).content.decode()
    assert "Write down how this person agreed" in page and not Subscriber.objects.exists()


def test_adding_a_subscriber_sends_a_confirmation_and_names_the_manager(
    staff: Client, boss: User, news: MailingList
) -> None:
    values = {"email": "Ada@post.example", "name": "Ada", "mailing_list": news.pk, "consent": "Paper form."}
    page = staff.post(reverse("admin:mailinglist_subscriber_add"), values, follow=True).content.decode()
    row = Subscription.objects.get()
    assert (row.status, row.consent_text, row.source) == ("pending", "Paper form.", "manager")
    assert Delivery.objects.get().purpose == "confirmation"
    assert Change.objects.get(noun="subscription").user == boss
    assert "confirmation mail" in page


def test_adding_a_suppressed_address_says_so(staff: Client, news: MailingList) -> None:
    make_suppressed(make_subscriber("ada@post.example"))
    values = {"email": "ada@post.example", "name": "", "mailing_list": news.pk, "consent": "Paper form."}
    page = staff.post(reverse("admin:mailinglist_subscriber_add"), values, follow=True).content.decode()
    assert "suppressed, so it was not subscribed" in page and not Subscription.objects.exists()


@pytest.mark.parametrize("email", ["no address", "ada@localhost", "<ada@post.example>"])
def test_a_bad_address_is_refused_with_its_reason(staff: Client, email: str) -> None:
    values = {"email": email, "name": "", "mailing_list": "", "consent": ""}
    assert staff.post(reverse("admin:mailinglist_subscriber_add"), values).status_code == 200
    assert not Subscriber.objects.exists()


def test_name_and_values_are_editable_and_keys_are_not(staff: Client, boss: User) -> None:
    ada = make_subscriber("ada@post.example")
    values = {
        "name": "Ada L.",
        "attributes": '{"city": "London"}',
        "language": "en",
        "time_zone": "",
        "email": "evil@post.example",
        "email_key": "evil@post.example",
    }
    staff.post(reverse("admin:mailinglist_subscriber_change", args=[ada.pk]), values)
    ada.refresh_from_db()
    assert (ada.name, ada.attributes, ada.email_key) == ("Ada L.", {"city": "London"}, "ada@post.example")
    assert Change.objects.get(noun="subscriber").user == boss


@pytest.mark.parametrize("attributes", ["[1, 2]", '"text"', '{"city": {"deep": 1}}', "{", '{"a b": "x"}'])
def test_values_that_no_merge_tag_can_use_are_refused(staff: Client, attributes: str) -> None:
    ada = make_subscriber("ada@post.example")
    values = {"name": "", "attributes": attributes, "language": "", "time_zone": ""}
    assert (
        staff.post(reverse("admin:mailinglist_subscriber_change", args=[ada.pk]), values).status_code == 200
    )
    ada.refresh_from_db()
    assert ada.attributes == {}


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("time_zone", "Mars/X", "“Mars/X” is no time zone"),
        ("language", "zz", "zz is not one of the available choices"),
        ("attributes", '{"unsubscribe_url": "x"}', "“unsubscribe_url” is what every mail fills in by itself"),
    ],
)
def test_what_no_mail_could_use_is_refused_in_words_and_what_is_stored_stays(
    staff: Client, field: str, typed: str, says: str
) -> None:
    ada = make_subscriber("ada@post.example")
    values = {"name": "", "attributes": "{}", "language": "", "time_zone": "Europe/Rome", field: typed}
    address = reverse("admin:mailinglist_subscriber_change", args=[ada.pk])
    assert says in staff.post(address, values).content.decode()
    Subscriber.objects.update(language="zz", time_zone="Mars/X", attributes={"unsubscribe_url": "x"})
    assert "zz (as stored)" in staff.get(address).content.decode()
    stored = {"attributes": '{"unsubscribe_url": "x"}', "language": "zz", "time_zone": "Mars/X"}
    assert staff.post(address, {**stored, "name": "Ada"}).status_code == 302
    ada.refresh_from_db()
    assert (ada.name, ada.language, ada.time_zone) == ("Ada", "zz", "Mars/X")


def test_suppressions_are_looked_up_by_the_address_typed(staff: Client) -> None:
    make_suppressed(make_subscriber("ada@post.example"))
    assert found(staff, "mailinglist_suppression", q="ADA@post.example") == 1
    assert found(staff, "mailinglist_suppression", q="bob@post.example") == 0
    page = staff.get(reverse("admin:mailinglist_suppression_changelist"), {"q": "ada"})
    assert page.context["cl"].result_count == 0 and "Only whole addresses" in page.content.decode()


def test_an_erased_address_stays_suppressed_and_can_be_found(staff: Client) -> None:
    ada = make_subscriber("ada@post.example")
    make_suppressed(ada)
    ada.delete()
    page = staff.get(
        reverse("admin:mailinglist_suppression_changelist"), {"q": "ada@post.example"}
    ).content.decode()
    assert "fingerprint only" in page


def test_an_address_is_suppressed_and_released_by_hand_with_a_reason(staff: Client, boss: User) -> None:
    add = reverse("admin:mailinglist_suppression_add")
    assert (
        "This field is required" in staff.post(add, {"email": "ada@post.example", "why": ""}).content.decode()
    )
    staff.post(add, {"email": "Ada@post.example", "why": "By letter."})
    row = Suppression.objects.get()
    assert row.active and row.key == suppression.key_for("ada@post.example")
    release = reverse("admin:mailinglist_suppression_release", args=[row.pk])
    assert "By letter." in staff.get(release).content.decode()
    staff.post(release, {"why": "Another letter."})
    row.refresh_from_db()
    assert not row.active
    changes = Change.objects.filter(noun="suppression").order_by("pk")
    assert [(change.user, change.why) for change in changes] == [
        (boss, "By letter."),
        (boss, "Another letter."),
    ]


def test_released_addresses_are_filtered(staff: Client) -> None:
    row = make_suppressed(make_subscriber("ada@post.example"))
    make_suppressed(make_subscriber("bob@post.example"))
    suppression.release(row.pk, by=Actor(Kind.USER), why="x")
    assert found(staff, "mailinglist_suppression", state="active") == 1
    assert found(staff, "mailinglist_suppression", state="released") == 1


def test_deliveries_are_filtered_by_what_came_back_and_by_campaign(staff: Client, news: MailingList) -> None:
    campaign = make_started(news)
    for state in ("delivered", "bounced", "queued"):
        make_delivery(campaign, make_subscriber(f"{state}@post.example", news), state)
    Attempt.objects.filter(delivery__state="bounced").update(verdict="hard")
    assert found(staff, "mailinglist_delivery", verdict="hard") == 1
    assert found(staff, "mailinglist_delivery", campaign=campaign.pk) == 3
    assert found(staff, "mailinglist_delivery", campaign="none") == 0
    assert found(staff, "mailinglist_delivery", campaign="x") == 0
    assert found(staff, "mailinglist_delivery", q="bounc") == 1


def test_send_again_takes_what_is_in_doubt_and_leaves_the_rest(
    staff: Client, boss: User, news: MailingList
) -> None:
    campaign = make_started(news)
    rows = [
        make_delivery(campaign, make_subscriber(f"{state}@post.example", news), state)
        for state in ("unknown", "failed", "delivered")
    ]
    answer = staff.post(
        reverse("admin:mailinglist_delivery_changelist"),
        {"action": "send_again", "_selected_action": [row.pk for row in rows]},
        follow=True,
    ).content.decode()
    assert "2 mails will be sent again." in answer and "1 left alone." in answer
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["delivered", "queued", "queued"]
    assert set(Change.objects.filter(noun="delivery").values_list("user", flat=True)) == {boss.pk}


def test_a_delivery_shows_its_attempts(staff: Client, news: MailingList) -> None:
    delivery = make_delivery(make_started(news), make_subscriber("ada@post.example", news), "bounced")
    Attempt.objects.update(verdict="hard", reason="no-such-user")
    page = staff.get(reverse("admin:mailinglist_delivery_change", args=[delivery.pk])).content.decode()
    assert f"0100-{delivery.pk}" in page and "hard bounce" in page and "no such user" in page


def test_changes_are_found_by_person_and_tell_who(staff: Client, boss: User, news: MailingList) -> None:
    ada = make_subscriber("ada@post.example", news)
    subscriptions.unsubscribe(
        ada.pk, reason=Subscription.Reason.MANAGER, by=Actor(Kind.USER, user=boss), why="By phone."
    )
    page = staff.get(
        reverse("admin:mailinglist_change_changelist"), {"q": "ada@post.example"}
    ).content.decode()
    assert "By phone." in page and "boss" in page and "confirmed → unsubscribed" in page
