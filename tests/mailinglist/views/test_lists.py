"""The page of a list, its style sheet and its logo."""

import re

import pytest
from django.db import IntegrityError
from django.test import Client

from mailinglist import looks, tokens
from mailinglist.changes import SYSTEM
from mailinglist.forms import consent_text
from mailinglist.models import Change, ListLogo, MailingList, Subscription
from mailinglist.pictures import BadPicture
from tests import logos
from tests.factories import make_list
from tests.mailinglist.views.visits import path, pending, sign_up, unsubscribe_path

pytestmark = pytest.mark.django_db
PICTURES = [
    (logos.PNG, "image/png"),
    (logos.GIF, "image/gif"),
    (logos.JPEG, "image/jpeg"),
    (logos.WEBP_LOSSY, "image/webp"),
]


def with_logo(data: bytes = logos.PNG, **values: object) -> MailingList:
    news = make_list("news", **values)
    looks.set_logo(news.pk, data, by=SYSTEM)
    news.refresh_from_db()
    return news


class TestPage:
    def test_it_says_what_the_list_is_and_leads_to_the_form(self, client: Client) -> None:
        make_list("news", description="All that is new.\n\nEvery Friday.", language="de")
        page = client.get("/lists/news/").content.decode()
        assert "<p>All that is new.</p>\n\n<p>Every Friday.</p>" in page
        assert 'href="/lists/news/subscribe"' in page
        assert 'lang="de"' in page
        assert "/archive/" not in page

    def test_a_closed_list_has_none(self, client: Client) -> None:
        make_list("staff", is_public=False)
        assert client.get("/lists/staff/").status_code == 404

    def test_the_first_page_leads_to_it_and_to_its_archive(self, client: Client) -> None:
        make_list("news", has_archive=True)
        page = client.get("/").content.decode()
        assert 'href="/lists/news/"' in page and 'href="/archive/news/"' in page


class TestLook:
    def test_the_colour_comes_in_a_style_sheet_of_its_own(self, client: Client) -> None:
        make_list("news", accent="#1a7f5a")
        page = client.get("/lists/news/subscribe").content.decode()
        address = re.findall(r'href="(/lists/news/look\.css\?v=\w+)"', page)
        assert len(address) == 1 and 'class="look-news"' in page
        answer = client.get(address[0])
        assert answer["Content-Type"] == "text/css; charset=utf-8"
        assert "immutable" in answer["Cache-Control"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        css = answer.content.decode()
        assert (
            css.startswith(".look-news{") and "--fill:#1a7f5a" in css and "prefers-color-scheme:dark" in css
        )

    def test_another_colour_has_another_address(self, client: Client) -> None:
        make_list("news", accent="#1a7f5a")
        before = client.get("/lists/news/").content
        MailingList.objects.update(accent="#7f1a5a")
        assert client.get("/lists/news/").content != before

    def test_without_a_colour_nothing_is_loaded(self, client: Client) -> None:
        make_list("news")
        assert b"look" not in client.get("/lists/news/").content.replace(b"Look", b"")
        assert client.get("/lists/news/look.css").content == b""

    def test_the_first_page_shows_each_list_in_its_colour(self, client: Client) -> None:
        make_list("news", accent="#1a7f5a")
        make_list("other", accent="#7f1a5a")
        make_list("staff", accent="#123456", is_public=False)
        page = client.get("/").content.decode()
        address = re.findall(r'href="(/lists/looks\.css\?v=\w+)"', page)[0]
        css = client.get(address).content.decode()
        assert ".look-news{" in css and ".look-other{" in css and "staff" not in css

    def test_nobody_finds_a_closed_list_by_its_look(self, client: Client) -> None:
        staff = with_logo(is_public=False, accent="#1a7f5a")
        for part, version in (("look.css", looks.version([staff])), ("logo", staff.logo_version)):
            assert client.get(f"/lists/news/{part}").status_code == 404
            assert client.get(f"/lists/news/{part}?v=0123456789ab").status_code == 404
            assert client.get(f"/lists/news/{part}", HTTP_IF_NONE_MATCH="*").status_code == 404
            assert client.get(f"/lists/news/{part}?v={version}").status_code == 200

    @pytest.mark.parametrize("accent", ["red", "#fff", "#1a7f5;", "#1A7F5A"])
    def test_the_database_takes_nothing_but_colours(self, accent: str) -> None:
        with pytest.raises(IntegrityError):
            make_list("news", accent=accent)


class TestLogo:
    @pytest.mark.parametrize(("data", "kind"), PICTURES)
    def test_it_is_served_as_what_it_is(self, client: Client, data: bytes, kind: str) -> None:
        news = with_logo(data)
        answer = client.get(f"/lists/news/logo?v={news.logo_version}")
        assert (answer["Content-Type"], answer.content) == (kind, data)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "immutable" in answer["Cache-Control"]
        again = client.get("/lists/news/logo", HTTP_IF_NONE_MATCH=answer["ETag"])
        assert again.status_code == 304
        assert "immutable" not in client.get("/lists/news/logo")["Cache-Control"]

    def test_pages_show_it_with_the_name_of_the_list_and_room_for_it(self, client: Client) -> None:
        with_logo(logos.png(640, 128), name='The "weekly" letter')
        page = client.get("/lists/news/subscribe").content.decode()
        assert 'alt="The &quot;weekly&quot; letter" width="220" height="44"' in page

    @pytest.mark.parametrize(
        ("size", "shown"),
        [((640, 128), (220, 44)), ((32, 16), (32, 16)), ((64, 2000), (2, 64)), ((2000, 1), (220, 1))],
    )
    def test_it_is_never_shown_larger_than_there_is_room(
        self, size: tuple[int, int], shown: tuple[int, int]
    ) -> None:
        assert looks.shown_size(MailingList(logo_width=size[0], logo_height=size[1])) == shown

    def test_a_new_one_takes_its_place_and_it_can_be_removed(self, client: Client) -> None:
        news = with_logo()
        looks.set_logo(news.pk, logos.GIF, by=SYSTEM)
        assert client.get("/lists/news/logo").content == logos.GIF
        assert looks.remove_logo(news.pk, by=SYSTEM) is True
        assert looks.remove_logo(news.pk, by=SYSTEM) is False
        assert client.get("/lists/news/logo").status_code == 404
        assert b"<img" not in client.get("/lists/news/").content
        assert [row.after for row in Change.objects.order_by("pk")] == [
            "logo set",
            "logo set",
            "logo removed",
        ]

    def test_what_is_no_picture_changes_nothing(self) -> None:
        news = with_logo()
        with pytest.raises(BadPicture):
            looks.set_logo(news.pk, b"<svg/>", by=SYSTEM)
        assert bytes(ListLogo.objects.get().data) == logos.PNG


class TestTexts:
    TEXT = "First <b>part</b>.\n\nSecond part."
    SHOWN = "<p>First &lt;b&gt;part&lt;/b&gt;.</p>\n\n<p>Second part.</p>"

    def test_the_wording_of_the_consent_is_shown_and_kept(self, client: Client) -> None:
        make_list("news", consent_wording=self.TEXT)
        assert self.SHOWN in client.get("/lists/news/subscribe").content.decode()
        sign_up(client, "ada@post.example")
        assert Subscription.objects.get().consent_text == self.TEXT

    def test_without_one_the_standard_wording_holds(self) -> None:
        assert consent_text(make_list("news", name="News")).startswith("Yes, send me the mails of “News”.")

    def test_each_page_shows_its_text(self, client: Client) -> None:
        news = make_list("news", sign_up_text=self.TEXT)
        assert self.SHOWN in client.get("/lists/news/check-your-mail").content.decode()
        row = pending("ada@post.example", news)
        link = path(tokens.confirm_url(row))
        MailingList.objects.update(welcome_text=self.TEXT, goodbye_text="Farewell.")
        assert self.SHOWN in client.post(link).content.decode()
        assert (
            "<p>Farewell.</p>"
            in client.post(unsubscribe_path(row.subscriber, news), {"confirm": "1"}).content.decode()
        )
