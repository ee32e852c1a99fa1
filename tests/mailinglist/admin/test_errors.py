"""What a manager reads where a page is missing or a request could not be read, and what everybody else does."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from mailinglist import second_step
from tests.factories import make_subscriber

pytestmark = pytest.mark.django_db
GONE = reverse("admin:mailinglist_campaign_start", args=[404])
PUBLIC = "See the public lists"
LARGE = {"body": "x" * 3_000_000}


def read(answer: Any, status: int) -> str:
    assert answer.status_code == status
    return str(answer.content.decode())


def test_a_manager_is_told_in_the_admin_and_finds_back(staff: Client) -> None:
    page = read(staff.get(GONE), 404)
    assert "may be deleted" in page and PUBLIC not in page
    assert f'href="{reverse("admin:mailinglist_campaign_changelist")}">All campaigns<' in page
    assert "All " not in read(staff.get("/admin/bounces/nothing/"), 404)
    odd = read(staff.get(reverse("admin:mailinglist_delivery_changelist"), {"nothing": "<b>"}), 400)
    assert "nothing: no filter of this table." in odd and "All deliveries" in odd and PUBLIC not in odd


def test_what_was_too_large_is_said(staff: Client) -> None:
    add = reverse("admin:mailinglist_campaign_add")
    page = read(staff.post(add, LARGE), 400)
    assert "a form may send 2 MB" in page and "Nothing was changed." in page and "All campaigns" in page
    fields = "&".join(f"f{number}=1" for number in range(2001))
    many = staff.post(add, fields, content_type="application/x-www-form-urlencoded")
    assert "too many fields" in read(many, 400)


def test_who_may_not_is_told_in_the_admin(client: Client) -> None:
    client.force_login(User.objects.create_user("eve", is_staff=True))
    page = read(
        client.get(reverse("admin:mailinglist_subscriber_change", args=[make_subscriber("a@b.example").pk])),
        403,
    )
    assert "Ask an owner" in page and PUBLIC not in page and "All " not in page


def test_everybody_else_gets_the_public_page(staff: Client, django_assert_num_queries: Any) -> None:
    guest = Client()
    with django_assert_num_queries(0):
        assert PUBLIC in read(guest.get("/nothing/"), 404)
        assert PUBLIC in read(staff.get("/nothing/"), 404)
    assert PUBLIC in read(guest.post(reverse("admin:login"), LARGE), 400)
    guest.force_login(User.objects.create_user("eve"))
    assert PUBLIC in read(guest.post(reverse("admin:login"), LARGE), 400)


def test_who_has_not_passed_the_second_step_sees_nothing_of_the_admin(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_step, "is_on", lambda user: True)
    session = staff.session
    session["second_step"] = [session["second_step"][0], "wanted"]
    session.save()
    assert PUBLIC in read(staff.post(reverse("admin:second_step_code"), LARGE), 400)
