"""The public archive: what it shows and to whom, that nobody's data is in it, and its feed."""

import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mailinglist import archive, lifecycle, links
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, MailingList, Subscriber
from mailinglist.sending.messages import Builder
from tests.factories import make_campaign, make_list, make_subscriber
from tests.mailinglist.sending.helpers import claim, reparsed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]
ATOM = "{http://www.w3.org/2005/Atom}"
BODY = (
    'Hello {{ name|default:"friend" }} in {{ city|default:"your town" }}, {{ email }}!\n\n'
    "[Read it]({{ archive_url }}) [Leave]({{ unsubscribe_url }}) [Choose]({{ preferences_url }})"
)


def sent(news: MailingList, **values: object) -> Campaign:
    """A campaign that has started."""
    campaign = make_campaign(news, **{"subject": 'News for {{ name|default:"all" }}', "body": BODY, **values})
    lifecycle.start(campaign.pk, by=SYSTEM)
    campaign.refresh_from_db()
    return campaign


@pytest.fixture
def ada(news: MailingList) -> Subscriber:
    return make_subscriber("ada@post.example", news, name="Ada", attributes={"city": "London"})


@pytest.fixture
def news() -> MailingList:
    return make_list("news", has_archive=True)


@pytest.mark.usefixtures("ada")
class TestWhatItShows:
    def test_a_list_has_none_until_a_manager_wants_it(self, client: Client, news: MailingList) -> None:
        campaign = sent(news)
        MailingList.objects.update(has_archive=False)
        for path in ("", "feed.atom", f"{campaign.public_id}/", f"{campaign.public_id}/mail"):
            assert client.get(f"/archive/news/{path}").status_code == 404

    def test_only_what_was_sent_to_this_list_is_in_it(self, client: Client, news: MailingList) -> None:
        other = make_list("other", has_archive=True)
        make_subscriber("bob@post.example", other, attributes={"city": "Rome"})
        draft = make_campaign(news, subject="A draft")
        elsewhere, left_out = sent(other, subject="Elsewhere"), sent(news, subject="Secret", in_archive=False)
        stopped = sent(news, subject="Stopped")
        lifecycle.cancel(stopped.pk, by=SYSTEM)
        shown = sent(news, subject="Shown")
        page = client.get("/archive/news/").content.decode()
        assert "Shown" in page
        for campaign in (draft, elsewhere, left_out, stopped):
            assert campaign.subject not in page
            assert client.get(f"/archive/news/{campaign.public_id}/").status_code == 404
            assert client.get(f"/archive/news/{campaign.public_id}/mail").status_code == 404
        assert client.get(f"/archive/news/{shown.public_id}/").status_code == 200

    def test_a_paused_campaign_stays(self, client: Client, news: MailingList) -> None:
        campaign = sent(news)
        lifecycle.pause(campaign.pk, reason="manager", text="Paused.", by=SYSTEM)
        assert client.get(f"/archive/news/{campaign.public_id}/").status_code == 200

    def test_the_frozen_version_is_shown(self, client: Client, news: MailingList) -> None:
        campaign = sent(news, subject="As it was sent")
        Campaign.objects.update(subject="Changed", body="Changed")
        for path in ("", "mail"):
            page = client.get(f"/archive/news/{campaign.public_id}/{path}").content.decode()
            assert "Changed" not in page
        assert "As it was sent" in client.get("/archive/news/").content.decode()

    def test_it_can_be_taken_off_and_put_in_again(self, client: Client, news: MailingList) -> None:
        campaign = sent(news)
        assert archive.put_in(campaign.pk, False, by=SYSTEM) is True
        assert archive.put_in(campaign.pk, False, by=SYSTEM) is False
        assert client.get(f"/archive/news/{campaign.public_id}/").status_code == 404
        assert archive.put_in(campaign.pk, True, by=SYSTEM) is True
        assert client.get(f"/archive/news/{campaign.public_id}/").status_code == 200

    def test_a_closed_list_may_have_an_open_archive_without_a_way_in(
        self, client: Client, news: MailingList
    ) -> None:
        campaign = sent(news)
        MailingList.objects.update(is_public=False)
        page = client.get(f"/archive/news/{campaign.public_id}/").content.decode()
        assert "/lists/news/" not in page
        assert links.list_page(MailingList.objects.get()) == "http://127.0.0.1:8000/"


class TestNobody:
    def test_nobody_s_name_address_value_or_link_is_in_it(
        self, client: Client, news: MailingList, ada: Subscriber
    ) -> None:
        campaign = sent(news)
        start = f"/archive/news/{campaign.public_id}/"
        pages = [
            client.get(path).content.decode() for path in (start, f"{start}mail", "/archive/news/feed.atom")
        ]
        for page in pages:
            for secret in (
                "Ada",
                "ada@",
                "London",
                ada.token,
                "/unsubscribe/",
                "/preferences/",
                "@post.example",
            ):
                assert secret not in page, secret
        assert "Hello friend in your town" in pages[0] and "Hello friend in your town" in pages[1]
        assert pages[1].count('href="http://127.0.0.1:8000/lists/news/"') >= 4

    def test_its_address_in_a_mail_is_the_page_s_and_the_same_for_all(
        self, client: Client, news: MailingList, ada: Subscriber
    ) -> None:
        make_subscriber("bob@post.example", news)
        campaign = sent(news)
        address = links.archived(campaign, news)
        assert (
            address == f"http://127.0.0.1:8000{reverse('archive-issue', args=['news', campaign.public_id])}"
        )
        mails = [
            reparsed(mail).get_body(("html",)).get_content() for _, mail in Builder().build(claim(campaign))
        ]
        assert len(mails) == 2 and all(f'href="{address}"' in mail for mail in mails)
        assert str(campaign.pk) not in address.rpartition("archive")[2].replace(campaign.public_id, "")

    @pytest.mark.usefixtures("ada")
    def test_without_an_archive_the_address_is_empty(self, news: MailingList) -> None:
        campaign = sent(news, in_archive=False)
        mail = reparsed(Builder().build(claim(campaign))[0][1]).get_body(("html",)).get_content()
        assert "/archive/" not in mail


@pytest.mark.usefixtures("ada")
class TestFrame:
    def test_the_mail_is_sealed_off(self, client: Client, news: MailingList) -> None:
        campaign = sent(news, body_format="html", body="<p>Hi</p><script>alert(1)</script>")
        page = client.get(f"/archive/news/{campaign.public_id}/")
        frame = client.get(f"/archive/news/{campaign.public_id}/mail")
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.content.decode()
        policy = frame["Content-Security-Policy"]
        assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")
        assert "allow-scripts" not in policy and "allow-same-origin" not in policy
        assert "frame-ancestors 'self'" in policy and frame["X-Frame-Options"] == "SAMEORIGIN"
        assert frame["X-Robots-Tag"] == "noindex"
        assert b"<script" not in frame.content and b'<base target="_blank">' in frame.content
        assert not frame.cookies and not page.cookies

    def test_older_and_newer_are_linked(self, client: Client, news: MailingList) -> None:
        first, middle, last = (sent(news, subject=name) for name in ("First", "Middle", "Last"))
        assert archive.neighbours(middle, news) == (first, last)
        assert archive.neighbours(first, news) == (None, middle)
        assert archive.neighbours(last, news) == (middle, None)
        page = client.get(f"/archive/news/{middle.public_id}/").content.decode()
        assert first.public_id in page and last.public_id in page

    @pytest.mark.parametrize(
        ("language", "shown_in", "date"),
        [("en", "en", "01 Mar 2026"), ("de", "de", "1. März 2026"), ("tlh", "en", "01 Mar 2026")],
    )
    def test_the_date_is_written_in_the_language_of_the_list(
        self, client: Client, news: MailingList, language: str, shown_in: str, date: str
    ) -> None:
        MailingList.objects.update(language=language)
        campaign = sent(news)
        Campaign.objects.update(started_at="2026-03-01T12:00Z")
        for path in ("", f"{campaign.public_id}/"):
            page = client.get(f"/archive/news/{path}").content.decode()
            assert f'<time datetime="2026-03-01" lang="{shown_in}">{date}</time>' in page


@pytest.mark.usefixtures("ada")
class TestCaches:
    def test_what_has_not_changed_is_not_sent_again(self, client: Client, news: MailingList) -> None:
        campaign = sent(news)
        start = f"/archive/news/{campaign.public_id}/"
        for path in ("/archive/news/", start, f"{start}mail", "/archive/news/feed.atom"):
            answer = client.get(path)
            for sent_back in (
                {"HTTP_IF_NONE_MATCH": answer["ETag"]},
                {"HTTP_IF_MODIFIED_SINCE": answer["Last-Modified"]},
            ):
                assert client.get(path, **sent_back).status_code == 304, (path, sent_back)

    def test_what_has_changed_is(self, client: Client, news: MailingList) -> None:
        with time_machine.travel(timezone.now() - timedelta(hours=1)):
            campaign = sent(news)
            MailingList.objects.update(updated_at=timezone.now())
            Campaign.objects.update(updated_at=timezone.now())
            before = client.get("/archive/news/")
        archive.put_in(campaign.pk, False, by=SYSTEM)
        for asked in (
            {"HTTP_IF_NONE_MATCH": before["ETag"]},
            {"HTTP_IF_MODIFIED_SINCE": before["Last-Modified"]},
        ):
            assert client.get("/archive/news/", **asked).status_code == 200, asked

    def test_search_engines_are_let_in_by_the_manager_s_choice(
        self, client: Client, news: MailingList
    ) -> None:
        campaign = sent(news)
        page = client.get(f"/archive/news/{campaign.public_id}/")
        assert page["X-Robots-Tag"] == "noindex" and 'content="noindex"' in page.content.decode()
        MailingList.objects.update(archive_in_search=True)
        page = client.get(f"/archive/news/{campaign.public_id}/")
        assert "X-Robots-Tag" not in page and "noindex" not in page.content.decode()


@pytest.mark.usefixtures("ada")
class TestIndex:
    def test_twenty_are_on_a_page_newest_first(self, client: Client, news: MailingList) -> None:
        one, now = sent(news, subject="Letter 0"), timezone.now()
        for number in range(1, 22):
            copy = Campaign.objects.create(
                name="x",
                status="finished",
                version=one.version,
                started_at=now + timedelta(days=number),
                retry_until=now,
            )
            copy.lists.add(news)
        page = client.get("/archive/news/").content.decode()
        assert page.count('class="issue"') == 20 and "Page 1 of 2" in page
        last = client.get("/archive/news/?page=2").content.decode()
        assert last.count('class="issue"') == 2 and one.public_id in last
        for odd in ("0", "-1", "99", "x"):
            assert client.get(f"/archive/news/?page={odd}").status_code == 200

    def test_a_page_costs_the_same_however_many_there_are(
        self, client: Client, news: MailingList, django_assert_max_num_queries: object
    ) -> None:
        for _ in range(5):
            sent(news)
        with django_assert_max_num_queries(4):  # type: ignore[operator]
            client.get("/archive/news/")


@pytest.mark.usefixtures("ada")
class TestFeed:
    def test_it_is_atom_as_rfc_4287_wants_it(self, client: Client, news: MailingList) -> None:
        MailingList.objects.update(description="All that\x0b is new & good.", language="de")
        newest = [sent(news, subject=f"Letter & {number}", preheader="<Short>") for number in range(2)][-1]
        answer = client.get("/archive/news/feed.atom")
        assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
        root = ET.fromstring(answer.content)
        assert root.tag == f"{ATOM}feed"
        assert root.attrib["{http://www.w3.org/XML/1998/namespace}lang"] == "de"
        for element in (root, *root.findall(f"{ATOM}entry")):
            for name in ("id", "title", "updated"):
                assert len(element.findall(f"{ATOM}{name}")) == 1 and element.findtext(f"{ATOM}{name}")
        assert root.findtext(f"{ATOM}author/{ATOM}name") == "Acme News"
        relations = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
        assert relations["self"] == "http://127.0.0.1:8000/archive/news/feed.atom"
        entry = root.findall(f"{ATOM}entry")[0]
        assert (
            entry.findtext(f"{ATOM}title") == "Letter & 1" and entry.findtext(f"{ATOM}summary") == "<Short>"
        )
        assert entry.findtext(f"{ATOM}id") == links.archived(newest, news)
        ids = [found.findtext(f"{ATOM}id") for found in root.findall(f"{ATOM}entry")]
        assert len(ids) == len(set(ids)) == 2

    def test_pages_name_it(self, client: Client, news: MailingList) -> None:
        for path in ("/archive/news/", "/lists/news/"):
            page = client.get(path).content.decode()
            assert '<link rel="alternate" type="application/atom+xml" href="/archive/news/feed.atom"' in page
