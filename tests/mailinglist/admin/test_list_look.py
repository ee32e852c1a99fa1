"""The form of a list: its colour, logo, texts and archive, and what people told when they left."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from mailinglist import farewell, lifecycle, looks, subscriptions
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, Change, ListLogo, MailingList, Subscription
from tests import logos
from tests.factories import make_campaign, make_list, make_subscriber

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]


def save(staff: Client, news: MailingList, **values: Any) -> str:
    body = {
        "name": news.name,
        "slug": news.slug,
        "language": "en",
        "from_name": news.from_name,
        "from_email": news.from_email,
        "postal_address": news.postal_address,
        "tracking": "on",
        "double_opt_in": "on",
        "is_public": "on",
        "accent": "#1a4f8b",
        **values,
    }
    answer = staff.post(reverse("admin:mailinglist_mailinglist_change", args=[news.pk]), body, follow=True)
    news.refresh_from_db()
    return answer.content.decode()


def picture(data: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/png")


def test_a_colour_is_kept_only_where_it_is_wanted(staff: Client) -> None:
    news = make_list()
    save(staff, news)
    assert news.accent == "" and not Change.objects.exclude(noun="manager").exists()
    save(staff, news, own_colour="on", accent="#AA3377")
    assert news.accent == "#aa3377"
    assert Change.objects.get(noun="list").why == "Changed: accent."
    save(staff, news, accent="#aa3377")
    assert news.accent == ""


@pytest.mark.parametrize("accent", ["red", "#fff", "#12345g", "#1a4f8b;}body{"])
def test_no_other_text_is_a_colour(staff: Client, accent: str) -> None:
    news = make_list()
    page = save(staff, news, own_colour="on", accent=accent)
    assert news.accent == "" and "Write a colour as # and six digits" in page


def test_a_logo_is_stored_shown_and_removed(staff: Client) -> None:
    news = make_list()
    page = save(staff, news, logo=picture(logos.PNG))
    assert bytes(ListLogo.objects.get().data) == logos.PNG
    page = staff.get(reverse("admin:mailinglist_mailinglist_change", args=[news.pk])).content.decode()
    assert f'src="/lists/news/logo?v={news.logo_version}"' in page
    save(staff, news, remove_logo="on")
    assert news.logo_version == "" and not ListLogo.objects.exists()
    assert list(Change.objects.exclude(noun="manager").order_by("pk").values_list("after", "actor")) == [
        ("logo set", "user"),
        ("logo removed", "user"),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no PNG, JPEG, WebP or GIF"),
        (logos.PNG.ljust(200_001, b"\0"), "200 kB is the most"),
        (logos.PNG.ljust(900_000, b"\0"), "The file has 900 kB"),
        (logos.png(2001, 4), "2001 × 4 pixels"),
    ],
)
def test_a_bad_picture_is_refused_in_words_and_nothing_is_saved(
    staff: Client, data: bytes, words: str
) -> None:
    news = make_list()
    page = save(staff, news, name="Another name", logo=picture(data))
    assert words in page
    assert news.name == "News" and not ListLogo.objects.exists()


def test_a_new_list_can_have_a_logo_at_once(staff: Client) -> None:
    body = {
        "name": "Fresh", "slug": "fresh", "language": "en", "from_name": "Acme", "from_email": "news@acme.example",
        "postal_address": "1 Main Street", "tracking": "on", "accent": "#1a4f8b", "logo": picture(logos.GIF),
    }  # fmt: skip
    staff.post(reverse("admin:mailinglist_mailinglist_add"), body)
    assert ListLogo.objects.get().list.slug == "fresh"


def test_texts_and_archive_are_kept(staff: Client) -> None:
    news = make_list()
    save(staff, news, consent_wording="Yes.", welcome_text="Hi.\n\nThere.", has_archive="on")
    assert (news.consent_wording, news.welcome_text, news.has_archive) == ("Yes.", "Hi.\n\nThere.", True)
    page = staff.get(reverse("admin:mailinglist_mailinglist_change", args=[news.pk])).content.decode()
    assert "http://127.0.0.1:8000/archive/news/" in page


def test_why_people_left_is_counted_and_told(staff: Client) -> None:
    news = make_list()
    for number, because in enumerate(["other", "too-often", "too-often"]):
        person = make_subscriber(f"p{number}@post.example", news)
        subscriptions.unsubscribe(person.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="Left.")
        farewell.tell(person, [news.pk], because=because, words=f"Words <{number}>", by=SYSTEM)
    page = staff.get(reverse("admin:mailinglist_mailinglist_change", args=[news.pk])).content.decode()
    assert "<dt>The mails come too often</dt><dd>2</dd><dt>Another reason</dt><dd>1</dd>" in page
    page = staff.get(reverse("admin:bounces_recipient", args=[person.pk])).content.decode()
    assert "They told why: The mails come too often." in page and "Words &lt;2&gt;" in page


def test_a_sent_campaign_is_taken_off_the_archive_and_put_back(staff: Client) -> None:
    news = make_list("news", has_archive=True)
    make_subscriber("ada@post.example", news)
    campaign = make_campaign(news)
    lifecycle.start(campaign.pk, by=SYSTEM)
    panel = reverse("admin:mailinglist_campaign_change", args=[campaign.pk])
    assert "Take off the archive" in staff.get(panel).content.decode()
    for act, wanted in (("unarchive", False), ("unarchive", False), ("archive", True)):
        address = reverse(f"admin:mailinglist_campaign_{act}", args=[campaign.pk])
        assert staff.get(address).status_code == 200
        staff.post(address)
        assert Campaign.objects.get().in_archive is wanted
    assert "Put into the archive" not in staff.get(panel).content.decode()


def test_a_logo_of_a_list_goes_with_it(staff: Client) -> None:
    news = make_list()
    looks.set_logo(news.pk, logos.PNG, by=SYSTEM)
    staff.post(reverse("admin:mailinglist_mailinglist_delete", args=[news.pk]), {"post": "yes"})
    assert not ListLogo.objects.exists()
