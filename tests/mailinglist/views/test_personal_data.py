"""The way to one's data: an ordinary link only asks for a mail, the link in that mail opens the page."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from mailinglist import tokens
from mailinglist.changes import SYSTEM
from mailinglist.models import ConsentRecord, Delivery, MailingList, Subscriber, Subscription, Suppression
from mailinglist.subscriptions import Reason, unsubscribe
from tests.factories import make_list, make_subscriber
from tests.mailinglist.views.visits import (
    path,
    pending,
    preferences_path,
    sign_up,
    subscription,
    unsubscribe_path,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def news() -> MailingList:
    return make_list()


@pytest.fixture
def ada(news: MailingList) -> Subscriber:
    return make_subscriber("ada@post.example", news)


def data_path(who: Subscriber, news: MailingList) -> str:
    return path(tokens.data_url(who, news))


class TestAsking:
    def test_the_preferences_page_has_the_button_and_it_mails_a_link(
        self, news: MailingList, ada: Subscriber
    ) -> None:
        client = Client(enforce_csrf_checks=True)
        page = client.get(preferences_path(ada, news)).content.decode()
        action = f"{preferences_path(ada, news)}/data"
        assert f'action="{action}"' in page and "Mail me a link to my data" in page
        assert "Check your mail" in client.post(action).content.decode()
        assert Delivery.objects.get().purpose == "data"

    def test_asking_again_is_answered_the_same_and_mails_nothing(
        self, client: Client, news: MailingList, ada: Subscriber
    ) -> None:
        action = f"{preferences_path(ada, news)}/data"
        assert client.post(action).content == client.post(action).content
        assert Delivery.objects.count() == 1

    def test_looking_mails_nothing(self, client: Client, news: MailingList, ada: Subscriber) -> None:
        assert client.get(f"{preferences_path(ada, news)}/data").status_code == 200
        assert not Delivery.objects.exists()

    def test_links_of_other_purposes_open_no_data(
        self, client: Client, news: MailingList, ada: Subscriber
    ) -> None:
        waiting = pending("bob@post.example", news)
        links = [unsubscribe_path(ada, news), preferences_path(ada, news), path(tokens.confirm_url(waiting))]
        for link in links:
            token = link.rpartition("/")[2]
            answer = client.post(f"/data/{token}", {"act": "erase", "sure": "1"})
            assert answer.status_code == 404
        mine = data_path(ada, news).rpartition("/")[2]
        assert client.post(f"/unsubscribe/{mine}", {"confirm": "1"}).status_code == 404
        assert client.post(f"/preferences/{mine}/data").status_code == 404
        assert Subscriber.objects.count() == 2


class TestThePage:
    def test_everything_is_downloaded_by_a_button(
        self, client: Client, news: MailingList, ada: Subscriber
    ) -> None:
        answer = client.post(data_path(ada, news), {"act": "download"})
        assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
        assert "no-store" in answer["Cache-Control"]
        assert json.loads(answer.content)["person"]["address"] == "ada@post.example"

    def test_a_scanner_that_looks_sees_no_address(
        self, client: Client, news: MailingList, ada: Subscriber
    ) -> None:
        page = client.get(data_path(ada, news)).content.decode()
        assert "ada@post.example" not in page and "a•••@post.example" in page
        assert Subscriber.objects.exists()

    def test_erasing_wants_the_box_ticked(self, client: Client, news: MailingList, ada: Subscriber) -> None:
        page = client.post(data_path(ada, news), {"act": "erase"}).content.decode()
        assert "Tick the box first" in page
        assert Subscriber.objects.exists()

    def test_erased_is_erased_and_the_links_are_dead(
        self, client: Client, news: MailingList, ada: Subscriber
    ) -> None:
        link = data_path(ada, news)
        assert "erased" in client.post(link, {"act": "erase", "sure": "1"}).content.decode()
        assert not Subscriber.objects.exists()
        assert Suppression.objects.get().reason == "erased"
        for dead in (link, unsubscribe_path(ada, news), preferences_path(ada, news)):
            assert client.get(dead).status_code == 404

    def test_the_link_works_for_a_day(self, client: Client, news: MailingList, ada: Subscriber) -> None:
        link = data_path(ada, news)
        with time_machine.travel(timezone.now() + timedelta(hours=23)):
            assert client.get(link).status_code == 200
        with time_machine.travel(timezone.now() + timedelta(hours=25)):
            answer = client.get(link)
        assert answer.status_code == 404 and "too old" in answer.content.decode()

    def test_a_changed_key_keeps_the_link_while_it_is_a_fallback(
        self, client: Client, news: MailingList, ada: Subscriber, settings: object
    ) -> None:
        link, old = data_path(ada, news), settings.SECRET_KEY  # type: ignore[attr-defined]
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [old]  # type: ignore[attr-defined]
        assert client.get(link).status_code == 200
        settings.SECRET_KEY_FALLBACKS = []  # type: ignore[attr-defined]
        assert client.get(link).status_code == 404


class TestTrackingConsent:
    @pytest.fixture
    def news(self) -> MailingList:
        return make_list(tracking="consent")

    @pytest.mark.parametrize("ticked", [True, False])
    def test_the_box_is_not_ticked_and_the_answer_is_kept(
        self, client: Client, news: MailingList, ticked: bool
    ) -> None:
        page = client.get("/lists/news/subscribe").content.decode()
        assert '<input type="checkbox" name="tracking" id="id_tracking">' in page
        sign_up(client, "bob@post.example", **({"tracking": "on"} if ticked else {}))
        row = ConsentRecord.objects.get()
        assert (row.tracking, "which links I follow" in row.text) == (ticked, ticked)
        assert Subscription.objects.get().tracking_consent == ticked
        assert (row.form, row.user_agent) == ("form", "Firefox/140")

    @pytest.mark.parametrize("mode", ["on", "off"])
    def test_a_list_that_does_not_ask_has_no_box(self, client: Client, news: MailingList, mode: str) -> None:
        MailingList.objects.update(tracking=mode)
        assert 'name="tracking"' not in client.get("/lists/news/subscribe").content.decode()
        sign_up(client, "bob@post.example", tracking="on")
        assert ConsentRecord.objects.get().tracking is None
        assert not Subscription.objects.get().tracking_consent

    def test_a_wrong_address_keeps_the_tick(self, client: Client, news: MailingList) -> None:
        page = client.post("/lists/news/subscribe", {"email": "x", "tracking": "on"}).content.decode()
        assert '<input type="checkbox" name="tracking" id="id_tracking" checked>' in page

    def test_the_preferences_page_shows_and_changes_it(
        self, client: Client, news: MailingList, ada: Subscriber
    ) -> None:
        link = preferences_path(ada, news)
        assert 'name="track" value="news">' in client.get(link).content.decode()
        form = {"name": "", "shown": "news", "keep": "news", "track-shown": "news"}
        page = client.post(link, {**form, "track": "news"}).content.decode()
        assert 'name="track" value="news" checked>' in page
        assert ConsentRecord.objects.get().text in page
        client.post(link, form)
        assert not subscription(ada, news).tracking_consent

    def test_who_leaves_the_list_is_asked_nothing_more(
        self, client: Client, news: MailingList, ada: Subscriber
    ) -> None:
        form = {"name": "", "shown": "news", "track-shown": "news", "track": "news"}
        client.post(preferences_path(ada, news), form)
        assert not subscription(ada, news).tracking_consent
        assert unsubscribe(ada.pk, reason=Reason.PAGE, by=SYSTEM, why="x") == 0
