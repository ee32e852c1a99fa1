"""The address that a page asks whether somebody is still logged in."""

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_a_script_gets_a_good_token_and_a_person_a_way_back(staff: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["sessionid"] = staff.cookies["sessionid"].value
    page = reverse("admin:logged_in")
    assert "go on in the other one" in strict.get(page, headers={"Accept": "text/html"}).content.decode()
    answer = strict.get(page, headers={"Accept": "application/json"})
    assert "no-store" in answer["Cache-Control"]
    typed = {"body_format": "markdown", "body": "Beans"}
    token = {"X-CSRFToken": answer.json()["token"]}
    address = reverse("admin:mailinglist_campaign_typed_new")
    assert strict.post(address, typed, headers=token).status_code == 200
    assert strict.post(address, typed, headers={"X-CSRFToken": "old"}).status_code == 403


def test_a_guest_is_sent_to_the_login(client: Client) -> None:
    page = reverse("admin:logged_in")
    answer = client.get(page, headers={"Accept": "application/json"})
    assert answer.status_code == 302 and answer["Location"] == f"{reverse('admin:login')}?next={page}"
