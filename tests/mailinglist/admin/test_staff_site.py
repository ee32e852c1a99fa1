"""What the staff pages do not work out anew for each page, and that nothing is missing without it."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from unfold.settings import get_config

from mailinglist.admin.subscribers import SubscriberAdmin
from tests.factories import make_list, make_subscriber

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@post.example", "x"))
    return client


def test_the_colours_are_in_the_stylesheet_and_not_in_each_page(staff: Client) -> None:
    page = staff.get(reverse("admin:bounces_restore")).content.decode()
    assert "mailinglist/admin.css" in page and "--color-base-50:" not in page
    found = finders.find("mailinglist/admin.css")
    assert isinstance(found, str)
    styles = Path(found).read_text()
    for name, weights in get_config()["COLORS"].items():
        for weight, value in weights.items():
            assert f"--color-{name}-{weight}: {value};" in styles


def test_a_value_that_is_only_shown_is_worked_out_three_times_at_most(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, asked = make_subscriber("ada@post.example", make_list()), []

    def tags(table: SubscriberAdmin, row: Any) -> str:
        asked.append(row)
        return "press, and more"

    monkeypatch.setattr(SubscriberAdmin, "tags", tags)
    page = staff.get(reverse("admin:mailinglist_subscriber_change", args=[ada.pk])).content.decode()
    assert page.count("press, and more") == 1
    assert len(asked) <= 3


def test_the_tables_of_an_app_and_the_search_for_one_are_there(staff: Client) -> None:
    campaigns = reverse("admin:mailinglist_campaign_changelist")
    app = staff.get(reverse("admin:app_list", args=["mailinglist"])).content.decode()
    assert f'<a href="{campaigns}"' in app.partition('id="main"')[2]
    assert campaigns in staff.get(reverse("admin:search"), {"s": "campaign"}).content.decode()


def test_the_navigation_leads_everywhere_and_shows_one_open_page(staff: Client) -> None:
    for name in ("admin:index", "admin:mailinglist_campaign_changelist", "admin:second_step"):
        page = staff.get(reverse(name)).content.decode()
        side = page.partition('id="nav-sidebar-apps"')[2].partition("</nav>")[0]
        assert side.count("<li>") > 20 and side.count(' active"') == 1, name
        assert f'href="{reverse(name)}"' in side.partition(' active"')[0].rpartition("<a ")[2], name
