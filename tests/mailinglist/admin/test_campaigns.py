"""Writing, checking, starting and steering a campaign in the admin."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mailinglist import lifecycle, mail_templates
from mailinglist.admin.schedule_form import ScheduleForm
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, Change, Delivery, MailingList, Tag, Template
from tests.factories import make_campaign, make_list, make_subscriber
from tests.staff import NASTY, make_started, make_suppressed

pytestmark = pytest.mark.django_db


@pytest.fixture
def news() -> MailingList:
    news = make_list("news")
    for number in range(3):
        make_subscriber(f"p{number}@post.example", news, name=f"Person {number}")
    return news


@pytest.fixture
def draft(news: MailingList) -> Campaign:
    return make_campaign(news)


def url(campaign: Campaign, act: str = "change") -> str:
    return reverse(f"admin:mailinglist_campaign_{act}", args=[campaign.pk])


def status(campaign: Campaign) -> str:
    campaign.refresh_from_db()
    return campaign.status


def typed(campaign: Campaign, **more: Any) -> dict[str, Any]:
    values = {
        "canary_minutes": 0,
        "name": campaign.name,
        "subject": campaign.subject,
        "preheader": "",
        "body_format": campaign.body_format,
        "body": campaign.body,
        "template": campaign.template_id or "",
        "base": campaign.revision,
        "lists": [row.pk for row in campaign.lists.all()],
    }
    return {**values, **more}


def test_a_campaign_is_written_and_remembers_by_whom(staff: Client, boss: User, news: MailingList) -> None:
    values = {
        "name": "Week 48",
        "lists": [news.pk],
        "subject": "News",
        "preheader": "",
        "body_format": "markdown",
        "body": "Hello",
        "canary_minutes": 30,
    }
    staff.post(reverse("admin:mailinglist_campaign_add"), values)
    campaign = Campaign.objects.get()
    assert (campaign.created_by, campaign.status, list(campaign.lists.all())) == (boss, "draft", [news])
    assert campaign.canary_minutes == 30


def test_a_line_break_in_the_subject_is_refused(staff: Client, draft: Campaign) -> None:
    page = staff.post(url(draft), typed(draft, subject="Hi\r\nBcc: x@y.example")).content.decode()
    assert "without control characters" in page


def test_the_merge_tags_are_explained_next_to_the_body(staff: Client, draft: Campaign) -> None:
    assert "{{ name|default:&quot;friend&quot; }}" in staff.get(url(draft)).content.decode()


def test_what_speaks_against_a_start_is_listed(staff: Client, news: MailingList) -> None:
    page = staff.get(url(make_campaign(subject="", body=""))).content.decode()
    assert "Write a subject." in page and "Choose a list." in page and "must be mended" in page


def test_mjml_with_a_mistake_is_told_at_the_field_and_what_was_typed_stays(
    staff: Client, draft: Campaign
) -> None:
    text = "<mjml>\n<mj-body>\n<mj-typo/></mj-body></mjml>"
    page = staff.post(url(draft), typed(draft, body_format="mjml", body=text)).content.decode()
    assert "Line 3: There is no &lt;mj-typo&gt;." in page and "&lt;mj-typo/&gt;" in page
    draft.refresh_from_db()
    assert draft.body_format == "markdown"
    Campaign.objects.filter(pk=draft.pk).update(body_format="mjml", body=text)
    assert "Line 3: There is no" in staff.get(url(draft, "preview")).content.decode()
    assert staff.get(url(draft, "preview_html")).content == b""


def test_start_shows_who_gets_it_and_who_does_not(staff: Client, draft: Campaign) -> None:
    make_suppressed(draft.lists.get().subscriptions.first().subscriber)
    page = staff.get(url(draft, "start")).content.decode()
    assert "<strong>2</strong>" in page
    assert 'suppressed (hard bounce, complaint, or by hand)</td><td class="ml-number">1<' in page


def test_start_wants_the_number_typed(staff: Client, draft: Campaign) -> None:
    assert "Type that number." in staff.post(url(draft, "start"), {"number": "30"}).content.decode()
    assert status(draft) == "draft"


def test_start_begins_the_campaign_and_names_the_manager(staff: Client, boss: User, draft: Campaign) -> None:
    answer = staff.post(url(draft, "start"), {"number": "3"}, follow=True).content.decode()
    assert status(draft) == "sending"
    assert Delivery.objects.filter(campaign=draft, state="queued").count() == 3
    assert Change.objects.get(noun="campaign", after="sending").user == boss
    assert "Started." in answer and "3 recipients" in answer


def test_the_number_must_be_that_of_now_not_of_the_page(staff: Client, draft: Campaign) -> None:
    make_subscriber("new@post.example", draft.lists.get())
    assert "4 people now" in staff.post(url(draft, "start"), {"number": "3"}).content.decode()
    assert status(draft) == "draft"


def test_a_campaign_that_is_not_ready_does_not_start(staff: Client, news: MailingList) -> None:
    campaign = make_campaign(news, subject="")
    assert '<form method="post"' not in staff.get(url(campaign, "start")).content.decode().split("ml-page")[1]
    answer = staff.post(url(campaign, "start"), {"number": "3"}, follow=True).content.decode()
    assert "Write a subject." in answer and status(campaign) == "draft"


def test_a_second_start_says_that_nothing_changed(staff: Client, draft: Campaign) -> None:
    lifecycle.start(draft.pk, by=SYSTEM)
    assert (
        "Nothing was changed"
        in staff.post(url(draft, "start"), {"number": "3"}, follow=True).content.decode()
    )


def test_schedule_and_take_back(staff: Client, boss: User, draft: Campaign) -> None:
    day = timezone.now() + timedelta(days=40)
    page = staff.get(url(draft, "schedule")).content.decode()
    assert "Type 3 to confirm" in page and "get it" in page
    chosen = {"local": f"{day:%Y-%m-%d}T09:30", "zone": "Asia/Tokyo"}
    for wrong in ({}, {"number": 4}):
        staff.post(url(draft, "schedule"), {**chosen, **wrong})
        assert status(draft) == "draft"
    staff.post(url(draft, "schedule"), {**chosen, "number": 3})
    assert (status(draft), draft.confirmed_for) == ("scheduled", 3)
    assert "It was confirmed for 3 people" in staff.get(url(draft)).content.decode()
    assert draft.scheduled_at == datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC)
    staff.post(url(draft, "unschedule"))
    assert status(draft) == "draft"
    assert set(Change.objects.filter(noun="campaign").values_list("user", flat=True)) == {boss.pk}


def test_a_time_in_the_past_or_one_that_the_clocks_skip_is_refused() -> None:
    past = ScheduleForm({"local": "2020-01-01T10:00", "zone": "UTC"}, expected=3)
    assert "has passed" in str(past.errors)
    skipped = ScheduleForm({"local": "2031-03-30T02:30", "zone": "Europe/Berlin"}, expected=3)
    assert "does not exist on this day in Europe/Berlin" in str(skipped.errors)
    assert "zone" in ScheduleForm({"local": "2031-03-30T02:30", "zone": "../etc"}, expected=3).errors


def test_pause_resume_and_cancel(staff: Client, boss: User, news: MailingList) -> None:
    campaign = make_started(news)
    assert "No further mail" in staff.get(url(campaign, "pause")).content.decode()
    page = staff.post(url(campaign, "pause"), {"why": "A wrong link."}, follow=True).content.decode()
    assert status(campaign) == "paused" and "A wrong link." in page
    staff.post(url(campaign, "resume"))
    assert status(campaign) == "sending"
    assert "cannot be undone" in staff.get(url(campaign, "cancel")).content.decode()
    staff.post(url(campaign, "cancel"))
    assert status(campaign) == "cancelled"
    changes = Change.objects.filter(noun="campaign", object_id=campaign.pk)
    assert [(row.after, row.user) for row in changes.order_by("pk")] == [
        ("paused", boss),
        ("sending", boss),
        ("cancelled", boss),
    ]


def test_cancel_of_a_draft_is_refused_with_a_sentence(staff: Client, draft: Campaign) -> None:
    assert "it cannot become cancelled" in staff.post(url(draft, "cancel"), follow=True).content.decode()


def test_a_test_mail_is_queued_for_each_address(staff: Client, draft: Campaign) -> None:
    staff.post(url(draft, "test"), {"to": "me@acme.example\nyou@acme.example"})
    assert Delivery.objects.filter(purpose="test").count() == 2


def test_a_bad_test_address_is_told(staff: Client, draft: Campaign) -> None:
    page = staff.post(url(draft, "test"), {"to": "me@acme.example, bad\n<i>@"}).content.decode()
    assert "“bad”: The address has no @ sign." in page and "“&lt;i&gt;@”: " in page
    assert not Delivery.objects.exists()
    many = "\n".join(f"p{n}@acme.example" for n in range(11))
    assert "10 at most" in staff.post(url(draft, "test"), {"to": many}).content.decode()


def test_duplicate_makes_a_draft_with_the_same_content(staff: Client, boss: User, news: MailingList) -> None:
    campaign = make_started(news)
    staff.post(url(campaign, "duplicate"))
    copy = Campaign.objects.exclude(pk=campaign.pk).get()
    assert (copy.status, copy.body, copy.created_by, list(copy.lists.all())) == (
        "draft",
        campaign.body,
        boss,
        [news],
    )


def test_a_started_campaign_cannot_be_edited(staff: Client, news: MailingList) -> None:
    campaign = make_started(news)
    assert staff.get(url(campaign)).status_code == 200
    assert staff.post(url(campaign), typed(campaign, subject="Other")).status_code == 403
    campaign.refresh_from_db()
    assert campaign.subject != "Other"


def test_saving_a_scheduled_campaign_keeps_its_schedule(staff: Client, draft: Campaign) -> None:
    lifecycle.schedule(draft.pk, at=timezone.now() + timedelta(days=1), by=SYSTEM)
    staff.post(url(draft), typed(draft, subject="Other"))
    assert status(draft) == "scheduled" and draft.subject == "Other"


def test_a_scheduled_campaign_to_other_people_is_confirmed_anew(
    staff: Client, draft: Campaign, news: MailingList
) -> None:
    later = timezone.now() + timedelta(days=1)
    lifecycle.schedule(draft.pk, at=later, number=3, by=SYSTEM)
    lists = [news.pk, make_list("tips").pk]
    page = staff.post(url(draft), typed(draft, lists=lists), follow=True).content.decode()
    assert (status(draft), draft.confirmed_for) == ("draft", None) and "schedule it anew" in page
    assert "changed after it was confirmed: lists" in Change.objects.latest("pk").why


def test_who_signs_up_until_the_time_needs_no_new_confirmation(draft: Campaign, news: MailingList) -> None:
    lifecycle.schedule(draft.pk, at=timezone.now() + timedelta(days=1), number=3, by=SYSTEM)
    for number in range(3):
        make_subscriber(f"late{number}@post.example", news)
    Campaign.objects.update(scheduled_at=timezone.now())
    assert lifecycle.start_due() == [draft.pk] and draft.deliveries.count() == 6
    assert Campaign.objects.get().confirmed_for is None


def test_only_a_fresh_draft_can_be_deleted(staff: Client, draft: Campaign, news: MailingList) -> None:
    started = make_started(news)
    assert staff.post(url(started, "delete"), {"post": "yes"}).status_code == 403
    staff.post(url(draft, "delete"), {"post": "yes"})
    assert list(Campaign.objects.all()) == [started]


def test_watching_reloads_only_while_it_is_sending(staff: Client, news: MailingList, draft: Campaign) -> None:
    started = make_started(news)
    assert 'http-equiv="refresh"' in staff.get(url(started), {"watch": "1"}).content.decode()
    assert 'http-equiv="refresh"' not in staff.get(url(started)).content.decode()
    assert 'http-equiv="refresh"' not in staff.get(url(draft), {"watch": "1"}).content.decode()


def test_the_preview_shows_the_mail_of_the_person_asked_for(staff: Client, draft: Campaign) -> None:
    page = staff.get(url(draft, "preview"), {"to": "p1@post.example"}).content.decode()
    assert "News for Person 1" in page
    assert (
        "No subscriber has this address"
        in staff.get(url(draft, "preview"), {"to": "nobody"}).content.decode()
    )


def test_the_preview_of_a_list_without_people_uses_an_example(staff: Client) -> None:
    page = staff.get(url(make_campaign(make_list("empty")), "preview")).content.decode()
    assert "Anna Example" in page


def test_the_preview_without_a_list_says_what_is_missing(staff: Client) -> None:
    assert "Choose a list" in staff.get(url(make_campaign(), "preview")).content.decode()


def test_the_html_of_a_preview_can_run_nothing(staff: Client, news: MailingList) -> None:
    campaign = make_campaign(news, body_format="html", body=f"<p>{NASTY}</p>")
    answer = staff.get(url(campaign, "preview_html"))
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox;") and "default-src 'none'" in policy and "allow" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    page = staff.get(url(campaign, "preview")).content.decode()
    assert '<iframe class="ml-frame" sandbox=""' in page


def test_the_preview_hands_out_no_link_that_acts(staff: Client, draft: Campaign) -> None:
    person = draft.lists.get().subscriptions.first().subscriber
    pages = [staff.get(url(draft, act)).content.decode() for act in ("preview", "preview_html")]
    assert all("/unsubscribe/preview" in page and person.token not in page for page in pages)


def test_numbers_by_state_link_to_the_recipients(staff: Client, draft: Campaign) -> None:
    lifecycle.start(draft.pk, by=SYSTEM)
    page = staff.get(url(draft)).content.decode()
    link = f"{reverse('admin:mailinglist_delivery_changelist')}?campaign={draft.pk}&amp;state__exact=queued"
    assert link in page
    found = staff.get(link.replace("&amp;", "&")).context["cl"].result_count
    assert found == 3


def test_a_schedule_is_changed_and_sent_at_everybodys_own_time(staff: Client, draft: Campaign) -> None:
    day = timezone.now() + timedelta(days=3)
    chosen = {"local": f"{day:%Y-%m-%d}T09:30", "zone": "Asia/Tokyo", "number": 3}
    staff.post(url(draft, "schedule"), chosen)
    page = staff.get(url(draft)).content.decode()
    assert "09:30 in Asia/Tokyo" in page and "Change the time" in page
    form = staff.get(url(draft, "schedule")).content.decode()
    assert f'value="{day:%Y-%m-%d}T09:30"' in form
    staff.post(url(draft, "schedule"), {**chosen, "local": f"{day:%Y-%m-%d}T10:00", "everywhere": "on"})
    assert status(draft) == "scheduled" and draft.at_local_time
    assert draft.planned_at == datetime(day.year, day.month, day.day, 1, 0, tzinfo=UTC)
    assert "when their own clock shows" in staff.get(url(draft)).content.decode()


def test_a_schedule_in_another_age_is_refused(staff: Client, draft: Campaign) -> None:
    chosen = {"local": "9999-12-31T23:59", "zone": "UTC", "number": 3}
    assert "Is the year right?" in staff.post(url(draft, "schedule"), chosen).content.decode()
    assert status(draft) == "draft"
    far = timezone.now() + timedelta(days=3700)
    with pytest.raises(lifecycle.NotAllowed, match="ten years"):
        lifecycle.schedule(draft.pk, at=far, by=SYSTEM)


def test_a_night_in_which_the_clocks_are_changed_is_explained(staff: Client, draft: Campaign) -> None:
    skipped = ScheduleForm({"local": "2031-03-30T02:30", "zone": "Europe/Berlin"}, expected=3)
    assert "Choose 03:30" in skipped.errors["local"][0]
    twice = {"local": "2031-10-26T02:30", "zone": "Europe/Berlin", "number": 3}
    answer = staff.post(url(draft, "schedule"), twice, follow=True).content.decode()
    assert "02:30 twice. It starts the first time, at 00:30 UTC, not at 01:30 UTC." in answer
    assert status(draft) == "scheduled" and draft.scheduled_at == datetime(2031, 10, 26, 0, 30, tzinfo=UTC)


def test_the_panel_of_a_campaign_that_is_sending_says_how_fast_and_why(
    staff: Client, draft: Campaign
) -> None:
    Campaign.objects.filter(pk=draft.pk).update(canary_minutes=5)
    lifecycle.start(draft.pk, by=SYSTEM)
    Campaign.objects.filter(pk=draft.pk).update(canary_last_id=1, guard_text="Slowed: 2.1 % bounced.")
    page = staff.get(url(draft)).content.decode()
    assert "mails a second now" in page and "SES is asked for its limits" in page
    assert "Only the first 1 %" in page and "Slowed: 2.1 % bounced." in page


@pytest.mark.parametrize("act", ["change", "start", "schedule", "audience"])
def test_the_pages_of_a_draft_take_few_queries(
    staff: Client, draft: Campaign, act: str, django_assert_max_num_queries: Any
) -> None:
    mail_templates.ship()
    draft.lists.add(make_list("tips"))
    Campaign.objects.update(template=Template.objects.first())
    staff.get(url(draft, act))
    # Savepoints and limits that are put back are due to the test's own transaction.
    with django_assert_max_num_queries(15 + 3):
        assert staff.get(url(draft, act)).status_code == 200


def test_the_page_shows_what_a_draft_chooses_and_saving_keeps_it(staff: Client, draft: Campaign) -> None:
    vip, tips = Tag.objects.create(name="vip"), make_list("tips")
    draft.exclude_tags.add(vip)
    draft.exclude_lists.add(tips)
    page = staff.get(url(draft)).content.decode()
    assert f'<option value="{vip.pk}" selected>vip</option>' in page
    assert re.search(rf'name="exclude_lists"[^>]*value="{tips.pk}"[^>]*checked', page)
    staff.post(url(draft), typed(draft, subject="Other", exclude_tags=[vip.pk], exclude_lists=[tips.pk]))
    draft.refresh_from_db()
    assert draft.subject == "Other"
    assert list(draft.exclude_tags.all()) == [vip] and list(draft.exclude_lists.all()) == [tips]
