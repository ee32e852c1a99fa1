"""The page where people see and change what they get."""

import pytest
from django.test import Client

from mailinglist import subscriptions
from mailinglist.changes import SYSTEM
from mailinglist.models import Change, Subscription
from tests.factories import make_list, make_subscriber
from tests.mailinglist.views.visits import preferences_path, subscription

pytestmark = pytest.mark.django_db
Status, Reason = Subscription.Status, Subscription.Reason


class TestPreferences:
    def test_the_page_shows_the_name_and_the_present_lists(self, client: Client) -> None:
        news, gone = make_list("news"), make_list("gone", name="Long gone")
        ada = make_subscriber("ada@post.example", news, gone, name="Ada")
        subscriptions.unsubscribe(ada.pk, reason=Reason.PAGE, by=SYSTEM, why="Left.", list_ids=[gone.pk])
        page = client.get(preferences_path(ada, news)).content.decode()
        assert 'value="Ada"' in page
        assert "News" in page
        assert "Long gone" not in page
        assert "ada@post.example" not in page

    def test_saving_changes_the_name_and_leaves_unticked_lists(self) -> None:
        news, other = make_list("news"), make_list("other")
        ada = make_subscriber("ada@post.example", news, other)
        client = Client(enforce_csrf_checks=True)
        body = {"name": "Ada L.", "shown": ["news", "other"], "keep": ["news"]}
        page = client.post(preferences_path(ada, news), body).content.decode()
        assert "Saved. You left one list." in page
        ada.refresh_from_db()
        assert ada.name == "Ada L."
        assert subscription(ada, news).status == Status.CONFIRMED
        assert subscription(ada, other).unsubscribe_reason == Reason.PAGE

    def test_a_list_joined_in_another_window_stays(self, client: Client) -> None:
        news, fresh = make_list("news"), make_list("fresh")
        ada = make_subscriber("ada@post.example", news, fresh)
        client.post(preferences_path(ada, news), {"name": "", "shown": ["news"], "keep": ["news"]})
        assert subscription(ada, fresh).status == Status.CONFIRMED

    def test_a_bad_name_is_refused_and_nothing_is_saved(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        page = client.post(preferences_path(ada, news), {"name": "A\x07", "shown": ["news"]}).content.decode()
        assert "one line" in page
        assert subscription(ada, news).status == Status.CONFIRMED

    def test_nobody_can_join_export_or_erase_here(self, client: Client) -> None:
        news, other = make_list("news"), make_list("other")
        ada = make_subscriber("ada@post.example", news)
        body = {"name": "", "shown": ["news", "other"], "keep": ["news", "other"]}
        page = client.post(preferences_path(ada, news), body).content.decode()
        assert not Subscription.objects.filter(list=other).exists()
        assert "rase" not in page
        assert "xport" not in page

    def test_language_and_time_zone_are_kept_and_written_down(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news, name="Ada", time_zone="Europe/Busingen")
        page = client.get(preferences_path(ada, news)).content.decode()
        assert '<option value="Europe/Busingen" selected>' in page and '<option value="de">Deutsch' in page
        body = {
            "name": "Ada",
            "language": "de",
            "time_zone": "Asia/Tokyo",
            "shown": ["news"],
            "keep": ["news"],
        }
        assert "Gespeichert." in client.post(preferences_path(ada, news), body).content.decode()
        ada.refresh_from_db()
        assert (ada.name, ada.language, ada.time_zone) == ("Ada", "de", "Asia/Tokyo")
        assert Change.objects.get().after == "language, time zone changed"

    @pytest.mark.parametrize("body", [{"language": "xx"}, {"time_zone": "Mars/Base"}])
    def test_what_was_not_offered_is_refused(self, client: Client, body: dict[str, str]) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news, name="Ada")
        page = client.post(
            preferences_path(ada, news), {"name": "Eve", **body, "shown": ["news"]}
        ).content.decode()
        assert "Nothing was saved yet" in page
        ada.refresh_from_db()
        assert (ada.name, ada.language, ada.time_zone) == ("Ada", "", "")

    def test_a_page_from_before_the_languages_loses_none(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news, language="de", time_zone="Asia/Tokyo")
        client.post(preferences_path(ada, news), {"name": "Ada", "shown": ["news"], "keep": ["news"]})
        ada.refresh_from_db()
        assert (ada.name, ada.language, ada.time_zone) == ("Ada", "de", "Asia/Tokyo")


class TestPause:
    def test_the_page_offers_a_break_and_its_end(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        link = preferences_path(ada, news)
        assert client.get(link).content.decode().count('name="pause"') == 3
        page = client.post(link, {"pause": "30"}).content.decode()
        assert "Saved. No mails for a while." in page and "You are taking a break" in page
        ada.refresh_from_db()
        assert ada.paused_until is not None
        page = client.post(link, {"resume": "1"}).content.decode()
        assert "Welcome back." in page and "Need a break?" in page
        ada.refresh_from_db()
        assert ada.paused_until is None
        assert subscription(ada, news).status == Status.CONFIRMED

    @pytest.mark.parametrize("days", ["", "0", "8", "-30", "9" * 400, "x"])
    def test_other_lengths_do_nothing(self, client: Client, days: str) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        page = client.post(preferences_path(ada, news), {"pause": days}).content.decode()
        ada.refresh_from_db()
        assert ada.paused_until is None and "Saved" not in page
