"""The manager's side of a form under pressure: the state in the table, the numbers, and the button that opens it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mailinglist import gate
from mailinglist.models import Change, FormStep, MailingList
from tests.factories import make_list


@pytest.fixture
def news(db: None) -> MailingList:
    news, now = make_list("news"), timezone.now()
    until = now + timedelta(minutes=30)
    FormStep.objects.create(list=news, step=FormStep.Step.CLOSED, since=now, until=until, counted_from=now)
    sent = gate.Request(
        "ada@post.example", ip="198.51.100.7", filled_seconds=9, captcha_solution="", trapped=False
    )
    gate.ask(news, sent, now=now)
    return news


def address(news: MailingList) -> str:
    return reverse("admin:mailinglist_mailinglist_sign_ups", args=[news.pk])


def test_the_table_and_the_page_of_the_list_say_that_the_form_is_closed(
    staff: Client, news: MailingList
) -> None:
    make_list("calm")
    table = staff.get(reverse("admin:mailinglist_mailinglist_changelist")).content.decode()
    assert "Closed for a while" in table and address(news) in table and ">Open<" in table
    page = staff.get(reverse("admin:mailinglist_mailinglist_change", args=[news.pk])).content.decode()
    assert "Closed for a while" in page and address(news) in page


def test_the_numbers_of_the_day_are_shown(staff: Client, news: MailingList) -> None:
    page = staff.get(address(news))
    lines = {line.label: line.count for line in page.context["numbers"].lines}
    assert lines["While the form was closed"] == 1
    assert "Open the form now" in page.content.decode()


def test_the_first_page_counts_the_forms_under_a_burst(staff: Client, news: MailingList) -> None:
    assert "under a burst of sign-ups" in staff.get(reverse("admin:index")).content.decode()


def test_the_button_opens_the_form_and_is_written_down(staff: Client, boss: User, news: MailingList) -> None:
    staff.post(address(news))
    assert FormStep.objects.get().step == FormStep.Step.OPEN
    change = Change.objects.get(noun="list")
    assert (change.user, change.before, change.after) == (boss, "form closed for a while", "form open")
    assert "open already" in staff.post(address(news), follow=True).content.decode()
    assert Change.objects.filter(noun="list").count() == 1


def test_who_may_only_look_cannot_open_it(client: Client, news: MailingList) -> None:
    viewer = User.objects.create_user("viewer", password="x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_mailinglist"))
    client.force_login(viewer)
    assert "Open the form now" not in client.get(address(news)).content.decode()
    assert client.post(address(news)).status_code == 403
    assert FormStep.objects.get().step == FormStep.Step.CLOSED


def test_a_list_that_is_not_there_has_no_page(staff: Client, news: MailingList) -> None:
    assert (
        staff.get(reverse("admin:mailinglist_mailinglist_sign_ups", args=[news.pk + 99])).status_code == 404
    )
