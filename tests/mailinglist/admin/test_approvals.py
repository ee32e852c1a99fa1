"""Four eyes: who may approve what, and what makes it void."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mailinglist import approvals, lifecycle, writing
from mailinglist.changes import Actor, Kind
from mailinglist.models import Approval, Campaign, MailingList, Membership, Segment, Template
from tests.factories import make_campaign, make_list, make_subscriber

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailinglist.doorbell._send", lambda task, args: None)


@pytest.fixture
def news() -> MailingList:
    news = make_list(four_eyes=True)
    make_subscriber("ada@post.example", news)
    return news


def editor(name: str, news: MailingList | None) -> User:
    user = User.objects.create_user(name, password="x", is_staff=True)
    Membership.objects.create(user=user, list=news, role="editor")
    return user


def by(user: User) -> Actor:
    return Actor(Kind.USER, user=user)


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(campaign: Campaign, tail: str) -> str:
    return reverse(f"admin:mailinglist_campaign_{tail}", args=[campaign.pk])


def approved(news: MailingList) -> tuple[Campaign, User, User]:
    writer, second = editor("writer", news), editor("second", news)
    campaign = make_campaign(news, created_by=writer)
    approvals.ask(campaign.pk, by=by(writer))
    assert approvals.approve(campaign.pk, approvals.fingerprint(campaign), by=by(second))
    return campaign, writer, second


def test_one_asks_another_approves_and_it_starts(news: MailingList) -> None:
    writer, second = editor("writer", news), editor("second", news)
    campaign = make_campaign(news, created_by=writer)
    assert "A second manager has to approve it" in as_(writer).get(page(campaign, "change")).content.decode()
    as_(writer).post(page(campaign, "start"), {"number": "1"})
    campaign.refresh_from_db()
    assert campaign.status == "draft"

    as_(writer).post(page(campaign, "ask_approval"))
    assert "Look and approve" not in as_(writer).get(page(campaign, "change")).content.decode()
    seen = as_(second).get(page(campaign, "change")).content.decode()
    assert "Look and approve" in seen
    assert "Nothing speaks against sending it" not in seen
    assert "waiting for a second manager" in as_(second).get(reverse("admin:index")).content.decode()
    look = as_(second).get(page(campaign, "approve"))
    as_(second).post(page(campaign, "approve"), {"seen": look.context["seen"]})
    assert "approved it as it is" in as_(writer).get(page(campaign, "change")).content.decode()
    as_(writer).post(page(campaign, "start"), {"number": "1"})
    campaign.refresh_from_db()
    assert campaign.status == "sending"


def test_nobody_approves_what_they_wrote_changed_or_asked_for(news: MailingList) -> None:
    writer, helper, second = editor("writer", news), editor("helper", news), editor("second", news)
    campaign = make_campaign(news, created_by=writer)
    form = {"name": "x", "lists": [news.pk], "subject": "s", "body": "b", "body_format": "markdown"}
    as_(helper).post(page(campaign, "change"), {**form, "canary_minutes": 0})
    campaign.refresh_from_db()
    assert campaign.subject == "s"
    asker = editor("asker", news)
    approvals.ask(campaign.pk, by=by(asker))
    seen = approvals.fingerprint(campaign)
    for user in (writer, helper, asker):
        as_(user).post(page(campaign, "approve"), {"seen": seen})
        assert not Approval.objects.get().approved_at, user
    assert approvals.approve(campaign.pk, seen, by=by(second))
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.update(approved_by=asker)


def test_an_analyst_and_a_manager_of_another_list_approve_nothing(news: MailingList) -> None:
    writer = editor("writer", news)
    campaign = make_campaign(news, created_by=writer)
    approvals.ask(campaign.pk, by=by(writer))
    analyst = User.objects.create_user("ana", is_staff=True)
    Membership.objects.create(user=analyst, list=news, role="analyst")
    assert as_(analyst).post(page(campaign, "approve"), {"seen": "x"}).status_code == 403
    assert as_(editor("far", make_list("far"))).post(page(campaign, "approve"), {}).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        "subject",
        "body",
        "preheader",
        "lists",
        "name",
        "from_name",
        "from_email",
        "reply_to",
        "postal_address",
    ],
)
def test_any_change_after_the_approval_makes_it_void(news: MailingList, change: str) -> None:
    campaign, writer, _ = approved(news)
    if change == "lists":
        campaign.lists.add(make_list("more"))
    elif change in ("from_name", "from_email", "reply_to", "postal_address"):
        MailingList.objects.update(**{change: "else@acme.example"})
    else:
        Campaign.objects.update(**{change: "Something else"})
    with pytest.raises(lifecycle.CampaignNotReady, match="changed after second had approved it"):
        lifecycle.start(campaign.pk, by=by(writer))
    with pytest.raises(lifecycle.CampaignNotReady):
        lifecycle.schedule(campaign.pk, at=timezone.now() + timedelta(hours=1), by=by(writer))
    assert approvals.ask(campaign.pk, by=by(writer))


def test_what_changed_while_somebody_looked_is_not_approved(news: MailingList) -> None:
    writer, second = editor("writer", news), editor("second", news)
    campaign = make_campaign(news, created_by=writer)
    approvals.ask(campaign.pk, by=by(writer))
    seen = approvals.fingerprint(campaign)
    Campaign.objects.update(subject="Swapped")
    with pytest.raises(approvals.CannotApprove, match="after writer had asked"):
        approvals.approve(campaign.pk, seen, by=by(second))
    assert approvals.ask(campaign.pk, by=by(writer))
    with pytest.raises(approvals.CannotApprove, match="while you looked"):
        approvals.approve(campaign.pk, seen, by=by(second))


def test_who_writes_it_through_its_template_does_not_approve_that(news: MailingList) -> None:
    writer, second = editor("writer", None), editor("second", None)
    template = Template.objects.create(name="Own", format="html", source="<p>{{ content }}</p>")
    campaign = make_campaign(news, created_by=writer, template=template)
    approvals.ask(campaign.pk, by=by(writer))
    form = {"name": "Own", "format": "html", "source": "<p>Buy beans! {{ content }}</p>"}
    as_(second).post(reverse("admin:mailinglist_template_change", args=[template.pk]), form)
    answer = (
        as_(second)
        .post(page(campaign, "approve"), {"seen": approvals.fingerprint(campaign)}, follow=True)
        .content.decode()
    )
    assert "was changed after writer had asked: ask for the approval again." in answer
    assert "Look and approve" not in answer and "Ask for approval" in answer
    assert not Approval.objects.get().approved_at
    campaign.refresh_from_db()
    assert "ask for the approval again" in str(approvals.problem(campaign))
    # Who asks for it as it is now has looked at it, and is not the one who approves.
    as_(second).post(page(campaign, "ask_approval"))
    seen = approvals.fingerprint(campaign)
    with pytest.raises(approvals.CannotApprove, match="somebody else"):
        approvals.approve(campaign.pk, seen, by=by(second))
    assert approvals.approve(campaign.pk, seen, by=by(editor("third", news)))


def test_who_changes_a_segment_does_not_approve_it_for_that(news: MailingList) -> None:
    writer, second = editor("writer", None), editor("second", None)
    segment = Segment.objects.create(name="Some", rules={})
    campaign = make_campaign(news, created_by=writer)
    campaign.include_segments.add(segment)
    approvals.ask(campaign.pk, by=by(writer))
    Segment.objects.update(rules={"match": "all", "parts": []})
    with pytest.raises(approvals.CannotApprove, match="after writer had asked"):
        approvals.approve(campaign.pk, approvals.fingerprint(campaign), by=by(second))


def test_who_brings_back_an_old_text_wrote_it(news: MailingList) -> None:
    writer, second = editor("writer", news), editor("second", news)
    campaign = make_campaign(news, created_by=writer, subject="Old")
    writing.keep(campaign, by=by(writer))
    Campaign.objects.update(subject="New")
    approvals.ask(campaign.pk, by=by(writer))
    as_(second).post(f"{page(campaign, 'restore')}?number=1")
    campaign.refresh_from_db()
    assert campaign.subject == "Old"
    assert approvals.ask(campaign.pk, by=by(writer))
    with pytest.raises(approvals.CannotApprove, match="You wrote it"):
        approvals.approve(campaign.pk, approvals.fingerprint(campaign), by=by(second))


def test_what_changed_while_one_looked_is_not_asked_for(news: MailingList) -> None:
    writer = editor("writer", news)
    campaign = make_campaign(news, created_by=writer)
    look = as_(writer).get(page(campaign, "ask_approval"))
    MailingList.objects.update(from_name="Somebody else")
    as_(writer).post(page(campaign, "ask_approval"), {"seen": look.context["seen"]})
    assert not Approval.objects.exists()


def test_a_mail_that_cannot_be_made_has_a_page_too(news: MailingList) -> None:
    writer = editor("writer", news)
    campaign = make_campaign(news, created_by=writer, body_format="mjml", body="<mjml><mj-x></mj-x></mjml>")
    assert as_(writer).get(page(campaign, "ask_approval")).status_code == 200


def test_a_scheduled_one_that_is_changed_does_not_start_by_itself(news: MailingList) -> None:
    campaign, writer, _ = approved(news)
    lifecycle.schedule(campaign.pk, at=timezone.now() + timedelta(hours=1), by=by(writer))
    Campaign.objects.update(subject="Swapped", scheduled_at=timezone.now() - timedelta(minutes=1))
    assert lifecycle.start_due() == []
    campaign.refresh_from_db()
    assert campaign.status == "draft"


def test_the_command_refuses_with_a_sentence(news: MailingList) -> None:
    campaign = make_campaign(news)
    with pytest.raises(CommandError, match="A second manager has to approve it first"):
        call_command("send_campaign", str(campaign.pk), stdout=StringIO())


def test_sending_back_wants_a_new_question(news: MailingList) -> None:
    writer, second = editor("writer", news), editor("second", news)
    campaign = make_campaign(news, created_by=writer)
    approvals.ask(campaign.pk, by=by(writer))
    as_(second).post(page(campaign, "approve"), {"back": "1", "why": "The date is wrong."})
    assert not Approval.objects.exists()
    assert "A second manager" in str(approvals.problem(campaign))


def test_a_list_without_four_eyes_asks_nobody(django_assert_num_queries: Any) -> None:
    campaign = make_campaign(make_list())
    with django_assert_num_queries(1):
        assert approvals.problem(campaign) is None
