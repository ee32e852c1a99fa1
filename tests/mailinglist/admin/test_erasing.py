"""The staff's way to download and erase a person's data."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from mailinglist.models import Change, Subscriber
from tests.factories import make_list, make_subscriber

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Subscriber:
    return make_subscriber("ada@post.example", make_list())


def erase(client: Client, ada: Subscriber, address: str) -> str:
    page = reverse("admin:mailinglist_subscriber_erase", args=[ada.pk])
    return client.post(page, {"address": address}, follow=True).content.decode()


def test_the_page_says_what_goes_and_what_stays(staff: Client, ada: Subscriber) -> None:
    page = staff.get(reverse("admin:mailinglist_subscriber_erase", args=[ada.pk])).content.decode()
    assert "This cannot be undone." in page and "numbers of campaigns stay" in page


@pytest.mark.parametrize("typed", ["", "bob@post.example", "ada"])
def test_another_address_erases_nobody(staff: Client, ada: Subscriber, typed: str) -> None:
    erase(staff, ada, typed)
    assert Subscriber.objects.exists()


def test_the_typed_address_erases_and_the_manager_is_on_record(
    staff: Client, boss: User, ada: Subscriber
) -> None:
    assert "Erased." in erase(staff, ada, " ADA@Post.example ")
    assert not Subscriber.objects.exists()
    change = Change.objects.get(after="erased")
    assert (change.user, change.object_id, change.why) == (boss, ada.pk, "Erased by a manager.")


def test_erasing_is_a_right_of_its_own(client: Client, ada: Subscriber) -> None:
    helper = User.objects.create_user("helper", is_staff=True)
    rights = ["view_subscriber", "change_subscriber", "view_subscription"]
    helper.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(helper)
    assert client.get(reverse("admin:mailinglist_subscriber_erase", args=[ada.pk])).status_code == 403
    person = client.get(reverse("admin:bounces_recipient", args=[ada.pk])).content.decode()
    assert "Download data" not in person and "Erase …" not in person
    assert client.get(reverse("admin:mailinglist_subscriber_data", args=[ada.pk])).status_code == 403
    erase(client, ada, ada.email)
    assert Subscriber.objects.exists()


def test_the_data_of_a_person_are_one_file(staff: Client, ada: Subscriber) -> None:
    page = reverse("admin:mailinglist_subscriber_data", args=[ada.pk])
    assert "Content-Disposition" not in staff.get(page)
    assert not Change.objects.filter(after="exported").exists()
    answer = staff.post(page)
    assert Change.objects.get(after="exported").subscriber == ada
    assert answer["Content-Disposition"].startswith("attachment")
    assert json.loads(answer.content)["person"]["address"] == "ada@post.example"
