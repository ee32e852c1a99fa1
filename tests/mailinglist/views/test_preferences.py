"""The page where people see and change what they get."""

import pytest
from django.test import Client

from mailinglist import subscriptions
from mailinglist.changes import SYSTEM
from mailinglist.models import Subscription
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
