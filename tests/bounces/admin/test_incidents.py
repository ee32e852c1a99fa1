"""The pages where a manager decides about a provider's wave of bounces."""

from typing import Any

import pytest
from django.test import Client

from bounces import incidents
from bounces.models import Event, Incident
from mailinglist.models import Change, Subscription
from tests import ses_events as ses
from tests.bounces.helpers import take
from tests.bounces.outage import OUTAGE, PEOPLE, history, mail_all, refuse

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_waves")]


@pytest.fixture
def incident() -> Incident:
    refuse(mail_all(history(), OUTAGE), OUTAGE)
    incidents.watch()
    return Incident.objects.get()


def lost() -> int:
    return Subscription.objects.filter(status="unsubscribed").count()


def text_of(staff: Client, address: str) -> str:
    answer = staff.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_an_open_incident_stands_on_the_first_page_and_in_the_list(staff: Client, incident: Incident) -> None:
    assert "decide whether to believe them" in text_of(staff, "/admin/")
    listed = text_of(staff, "/admin/bounces/incident/")
    assert "gmail.com" in listed and "Believe it …" in listed and f"{PEOPLE} of {PEOPLE} mails" in listed
    assert f"{PEOPLE} people have a hard bounce that has no effect" in text_of(
        staff, f"/admin/bounces/incident/{incident.pk}/change/"
    )


def test_asking_changes_nothing_and_a_reason_is_needed(staff: Client, incident: Incident) -> None:
    for act in ("confirm", "release"):
        address = f"/admin/bounces/incident/{incident.pk}/{act}/"
        assert f"{PEOPLE} of {PEOPLE} mails" in text_of(staff, address)
        assert staff.post(address, {"why": ""}).status_code == 200
    incident.refresh_from_db()
    assert incident.state == "open" and lost() == 0


def test_believing_the_provider_and_taking_it_back(staff: Client, incident: Incident) -> None:
    page = f"/admin/bounces/incident/{incident.pk}"
    staff.post(f"{page}/confirm/", {"why": "They closed the accounts."})
    assert lost() == PEOPLE
    assert "Take back …" in text_of(staff, f"{page}/change/")
    staff.post(f"{page}/release/", {"why": "It was an outage after all."})
    assert lost() == 0
    assert Change.objects.filter(noun="incident", why="It was an outage after all.").exists()
    assert "decided" in text_of(staff, f"{page}/change/")
    again = staff.post(f"{page}/confirm/", {"why": "x"}, follow=True)
    assert f"{PEOPLE} people" not in again.content.decode() and lost() == 0


def test_who_may_not_change_people_may_not_decide(client: Client, incident: Incident) -> None:
    from django.contrib.auth.models import Permission, User

    reader = User.objects.create_user("reader", password="x", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_incident"))
    client.force_login(reader)
    assert client.get("/admin/bounces/incident/").status_code == 200
    assert client.post(f"/admin/bounces/incident/{incident.pk}/confirm/", {"why": "x"}).status_code == 403
    assert lost() == 0


def test_a_single_held_bounce_is_left_alone_or_let_count_from_the_list(
    staff: Client, incident: Incident
) -> None:
    first, second = Event.objects.filter(verdict="hard").order_by("pk")[:2]
    for event, act in ((first, "leave_alone"), (second, "let_count")):
        staff.post("/admin/bounces/event/", {"action": act, "_selected_action": [event.pk]})
        event.refresh_from_db()
    assert (first.ruling, second.ruling) == ("leave", "apply")
    ended = Subscription.objects.filter(status="unsubscribed").values_list("subscriber_id", flat=True)
    assert list(ended) == [second.subscriber_id]


def test_without_incidents_the_page_says_what_would_appear(staff: Client) -> None:
    assert "No incident so far" in text_of(staff, "/admin/bounces/incident/")


def test_a_wave_of_blocks_is_closed_and_offers_nothing_to_believe(staff: Client) -> None:
    sent = mail_all(history(), OUTAGE)
    take(*(ses.blocked(row, at=OUTAGE) for row in sent))
    incidents.watch()
    page = f"/admin/bounces/incident/{Incident.objects.get().pk}"
    shown = text_of(staff, f"{page}/change/")
    assert "Close …" in shown and "nothing is held" in shown and "Believe it" not in shown
    assert staff.get(f"{page}/release/").status_code == 404
    assert "Closed, it leaves the first page." in text_of(staff, f"{page}/confirm/")
    answer = staff.post(f"{page}/confirm/", {"why": "Mended our SPF."}, follow=True).content.decode()
    assert "The incident is closed." in answer and "Close …" not in answer and "believed" not in answer


def test_the_page_of_an_incident_takes_few_queries(
    staff: Client, incident: Incident, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):
        page = text_of(staff, f"/admin/bounces/incident/{incident.pk}/change/")
    assert f"{PEOPLE} people have a hard bounce that has no effect" in page
