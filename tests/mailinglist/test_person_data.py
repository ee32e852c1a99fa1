"""What a person gets to see of what is stored about them: all of it, in words."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from mailinglist import consents, person_data, subscriptions, suppression
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.consents import Consent
from mailinglist.models import Delivery, Subscriber, Suppression
from mailinglist.sending import queue
from mailinglist.sending.messages import Builder
from tests.factories import make_list, make_subscriber
from tests.staff import make_story

pytestmark = pytest.mark.django_db
PERSON = Actor(Kind.PERSON)


def test_everything_of_a_story_is_in_it_and_it_is_json() -> None:
    ada = make_story(text="A telling word.")
    news = ada.subscriptions.get(list__slug="news").list
    consent = Consent(timezone.now(), ip="192.0.2.1", text="Yes.")
    person_id = ada.pk
    consents.keep(consents.Kind.ASKED, ada.subscriptions.get(list=news), consent, source="form")
    suppression.suppress(ada.pk, reason=Suppression.Reason.MANUAL, by=SYSTEM, why="Asked by phone.")
    found = json.loads(json.dumps(person_data.collect(Subscriber.objects.get(pk=person_id))))
    assert set(found) == {"person", "subscriptions", "consents", "mails", "changes", "events", "health"}
    assert found["person"]["address"] == "ada@post.example"
    assert found["person"]["gets_no_mail"]["evidence"] == "Asked by phone."
    assert {row["list"] for row in found["subscriptions"]} == {"News", "Tips"}
    assert found["consents"][0]["ip"] == "192.0.2.1" and found["consents"][0]["text"] == "Yes."
    assert {row["state"] for row in found["mails"]} == {"waiting for a retry", "outcome unknown"}
    assert [len(row["sent"]) for row in found["mails"]] == [1, 1]
    assert {row["what"] for row in found["events"]} == {"bounce", "open"}
    assert "A telling word." in {row["server_said"] for row in found["events"]}
    assert "A telling word." in {row["why"] for row in found["changes"]}
    assert found["health"]["state"] == "wavering"


def test_nothing_of_anybody_else_is_in_it() -> None:
    make_story("bob@post.example", text="About Bob.", name="Bob")
    text = json.dumps(person_data.collect(make_story()))
    assert "Bob" not in text and "bob@" not in text


def test_a_person_with_nothing_has_empty_parts() -> None:
    found = person_data.collect(make_subscriber("ada@post.example"))
    assert found["person"]["gets_no_mail"] is None
    assert all(found[name] == [] for name in ("subscriptions", "consents", "mails", "changes", "events"))


class TestAsking:
    def test_one_mail_a_day_and_the_link_of_a_new_one_is_new(self) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        assert person_data.ask(ada, news, by=PERSON)
        assert not person_data.ask(ada, make_list("other"), by=PERSON)
        Delivery.objects.update(created_at=timezone.now() - timedelta(hours=25))
        assert person_data.ask(ada, news, by=PERSON)
        assert Delivery.objects.filter(purpose="data").count() == 2

    def test_the_mail_has_the_link_and_nothing_that_was_typed(self) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news, name="Buy http://spam.example")
        person_data.ask(ada, news, by=PERSON)
        (_, mail), *_ = Builder().build(queue.claim(9, campaign_id=None, lease_seconds=60))
        text = mail.as_bytes().decode()  # type: ignore[union-attr]
        assert "/data/" in text and "24 hours" in text
        assert "spam" not in text
        assert "X-SES-MESSAGE-TAGS" in text

    def test_a_suppressed_address_gets_none(self) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        suppression.suppress(ada.pk, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why="x")
        person_data.ask(ada, news, by=PERSON)
        assert queue.claim(9, campaign_id=None, lease_seconds=60) == []

    def test_who_has_left_all_lists_still_gets_it(self) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        subscriptions.unsubscribe(ada.pk, reason="page", by=SYSTEM, why="x")  # type: ignore[arg-type]
        person_data.ask(ada, news, by=PERSON)
        assert len(queue.claim(9, campaign_id=None, lease_seconds=60)) == 1
