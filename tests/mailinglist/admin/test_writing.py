"""Drafts that are kept while somebody types, versions of what was saved, and nothing written over unseen."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from mailinglist import lifecycle, mail_templates, writing
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.models import Campaign, CampaignDraft, CampaignRevision, Template
from tests.factories import make_campaign, make_list, make_subscriber
from tests.mailinglist.admin.test_campaigns import typed, url
from tests.staff import NASTY

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    news = make_list()
    make_subscriber("ada@post.example", news)
    return make_campaign(news, body="first\nsecond\nthird")


@pytest.fixture
def other(db: Any) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("bert"))
    return client


def save(client: Client, campaign: Campaign, **more: Any) -> str:
    """Save as the page would, with the revision that was on it."""
    campaign.refresh_from_db()
    more.setdefault("base", campaign.revision)
    return client.post(url(campaign), typed(campaign, **more), follow=True).content.decode()


def numbers(campaign: Campaign) -> list[tuple[int, str]]:
    return list(campaign.revisions.order_by("number").values_list("number", "body"))


def test_each_save_keeps_the_text_before_it(staff: Client, boss: User, campaign: Campaign) -> None:
    before = campaign.body
    save(staff, campaign, body="other")
    save(staff, campaign, name="Another name")
    save(staff, campaign, body="third time")
    assert numbers(campaign) == [(1, before), (2, "other"), (3, "third time")]
    assert campaign.revisions.get(number=3).saved_by == boss
    campaign.refresh_from_db()
    assert campaign.revision == 3


def test_versions_are_compared_and_brought_back(staff: Client, campaign: Campaign) -> None:
    before = campaign.body
    save(staff, campaign, body=f"first\n{NASTY}\nthird", subject="Other")
    page = staff.get(url(campaign, "versions"), {"number": 2}).content.decode()
    assert '<del class="ml-removed">second</del>' in page and "&lt;script&gt;" in page and NASTY not in page
    assert '<del class="ml-removed">News for {{ name }}</del>' in page
    assert "Bring back" in page
    restore = f"{url(campaign, 'restore')}?number=1"
    assert "version 1" in staff.get(restore).content.decode()
    staff.post(restore)
    campaign.refresh_from_db()
    assert (campaign.body, campaign.revision) == (before, 3) and len(numbers(campaign)) == 3
    assert staff.get(f"{url(campaign, 'restore')}?number=9").status_code == 404


def test_a_started_campaign_keeps_its_text(staff: Client, campaign: Campaign) -> None:
    save(staff, campaign, body="other")
    lifecycle.start(campaign.pk, by=SYSTEM)
    answer = staff.post(f"{url(campaign, 'restore')}?number=1", follow=True).content.decode()
    campaign.refresh_from_db()
    assert "its text is fixed" in answer and campaign.body == "other"
    late = staff.post(url(campaign, "typed"), {"body_format": "markdown", "body": "late"})
    assert late.status_code == 409


def test_a_save_over_a_newer_one_is_refused_and_nothing_is_lost(
    staff: Client, other: Client, campaign: Campaign
) -> None:
    save(staff, campaign, body="mine")
    seen = Campaign.objects.get().revision
    save(other, campaign, body="theirs")
    page = save(staff, campaign, body="mine, longer", base=seen)
    assert f'href="{url(campaign, "versions")}?number=3#difference"' in page
    assert "bert saved version 3" in page and "mine, longer" in page and "Replace theirs with mine" in page
    assert Campaign.objects.get().body == "theirs"
    save(staff, campaign, body="mine, longer", base=seen, write_over="on")
    assert [text for _, text in numbers(campaign)][1:] == ["mine", "theirs", "mine, longer"]


def test_what_is_typed_is_kept_apart_and_offered_again(staff: Client, campaign: Campaign) -> None:
    half = {
        "name": "N",
        "subject": "S",
        "preheader": "",
        "body_format": "markdown",
        "body": "half a wor",
        "base": "0",
    }
    answer = staff.post(url(campaign, "typed"), half)
    assert answer.json()["says"] == "Kept as a draft."
    campaign.refresh_from_db()
    assert campaign.body.startswith("first") and campaign.revision == 0
    assert "did not save it" in staff.get(url(campaign)).content.decode()
    page = staff.get(url(campaign), {"draft": "1"}).content.decode()
    assert "half a wor</textarea>" in page
    assert "half a wor" in staff.get(url(campaign, "preview_html"), {"draft": "1"}).content.decode()
    assert "half a wor" not in staff.get(url(campaign, "preview_html")).content.decode()
    mark = answer.json()["kept"]
    assert f'name="kept" value="{mark}"' in page
    save(staff, campaign, body="half a word", kept=mark)
    assert not CampaignDraft.objects.exists()


def test_two_windows_of_one_manager_lose_nothing(staff: Client, campaign: Campaign) -> None:
    base = campaign.revision
    staff.post(url(campaign, "typed"), {"body_format": "markdown", "body": "window A", "base": base})
    staff.post(url(campaign, "typed"), {"body_format": "markdown", "body": "window B", "base": base})
    save(staff, campaign, body="window A, saved", base=base)
    assert CampaignDraft.objects.get().body == "window B"  # also if window B dies now
    refused = save(staff, campaign, body="window B, longer", base=base)
    draft = CampaignDraft.objects.get()
    assert (draft.body, draft.base) == ("window B, longer", base) and "kept as your draft" in refused
    assert writing.mark(draft) in refused
    save(staff, campaign, body="window B, decided", base=base, write_over="on", kept=writing.mark(draft))
    assert not CampaignDraft.objects.exists() and Campaign.objects.get().body == "window B, decided"


def test_what_cannot_be_a_draft_is_not_said_to_be_one(
    staff: Client, other: Client, campaign: Campaign
) -> None:
    save(other, campaign, body="theirs")
    page = save(staff, campaign, body="mine", subject="x" * 300, base=0)
    assert "it is on this page" in page and not CampaignDraft.objects.exists()


def test_bringing_a_version_back_leaves_the_draft(staff: Client, campaign: Campaign) -> None:
    save(staff, campaign, body="other")
    staff.post(url(campaign, "typed"), {"body_format": "markdown", "body": "unsaved", "base": 2})
    staff.post(f"{url(campaign, 'restore')}?number=1")
    assert CampaignDraft.objects.get().body == "unsaved"


def test_a_draft_over_a_newer_save_says_so_and_is_kept(
    staff: Client, other: Client, campaign: Campaign
) -> None:
    save(other, campaign, body="theirs")
    answer = staff.post(url(campaign, "typed"), {"body_format": "markdown", "body": "mine", "base": "1"})
    assert answer.status_code == 409 and "bert saved version 2" in answer.json()["says"]
    assert CampaignDraft.objects.get().body == "mine"
    page = staff.get(url(campaign), {"draft": "1"}).content.decode()
    assert 'name="base" value="1"' in page and "mine</textarea>" in page


def test_a_new_campaign_is_kept_too_one_for_each_manager(staff: Client, other: Client) -> None:
    new = reverse("admin:mailinglist_campaign_typed_new")
    add = reverse("admin:mailinglist_campaign_add")
    for text in ("a", "ab"):
        staff.post(new, {"name": "Week 50", "body_format": "markdown", "body": text})
    assert CampaignDraft.objects.get().body == "ab"
    assert "did not save it" in staff.get(add).content.decode()
    assert "did not save it" not in other.get(add).content.decode()
    page = staff.get(add, {"draft": "1"}).content.decode()
    assert "ab</textarea>" in page and 'value="Week 50"' in page
    staff.post(reverse("admin:mailinglist_campaign_throw_away_new"))
    assert not CampaignDraft.objects.exists()


def test_what_cannot_be_kept_is_told(staff: Client, campaign: Campaign, client: Client) -> None:
    bad = staff.post(url(campaign, "typed"), {"body_format": "nonsense", "body": "x"})
    assert bad.status_code == 400 and "body_format" in bad.json()["says"]
    assert staff.get(url(campaign, "typed")).status_code == 405
    eve = Client()
    eve.force_login(User.objects.create_user("eve", is_staff=True))
    assert eve.post(url(campaign, "typed"), {"body_format": "html"}).status_code == 403


def test_a_copy_has_the_template_and_no_versions(staff: Client, campaign: Campaign) -> None:
    mail_templates.ship()
    letter = Template.objects.get(name="Plain letter")
    save(staff, campaign, template=letter.pk)
    staff.post(url(campaign, "duplicate"))
    copy = Campaign.objects.exclude(pk=campaign.pk).get()
    assert copy.template == letter and not copy.revisions.exists()


def test_old_versions_go_and_the_database_wants_one_draft(
    campaign: Campaign, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST", 3)
    for number in range(6):
        campaign.body = str(number)
        writing.keep(campaign, by=Actor(Kind.USER, user=boss))
    assert [text for _, text in numbers(campaign)] == ["3", "4", "5"]
    draft = CampaignDraft(user=boss, campaign=None, body_format="html", typed_at=campaign.created_at)
    draft.save()
    draft.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        draft.save(force_insert=True)
    assert CampaignRevision.objects.count() == 3


def test_a_difference_shows_what_is_around_it() -> None:
    old = "\n".join(map(str, range(30)))
    lines = writing.difference(old, old.replace("15", "fifteen") + "\nend")
    assert [(line.kind, line.text) for line in lines if line.kind != "same"] == [
        ("removed", "15"),
        ("added", "fifteen"),
        ("gap", "…"),
        ("added", "end"),
    ]
