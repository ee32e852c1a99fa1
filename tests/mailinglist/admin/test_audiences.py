"""Values, tags, segments, and the people of a campaign, on the staff pages."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.urls import reverse

from mailinglist import attributes, tags
from mailinglist.changes import SYSTEM
from mailinglist.composing import problems
from mailinglist.models import Attribute, Campaign, Change, MailingList, Segment, Subscriber, Tag
from mailinglist.segments import people, rules, store
from mailinglist.sending import audience_preview
from mailinglist.staff import CappedPaginator
from tests.factories import make_campaign, make_list, make_readers, make_subscriber
from tests.staff import NASTY, make_delivery, make_started

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]
NEW = "admin:mailinglist_segment_add"
PEOPLE = "admin:mailinglist_subscriber_changelist"


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailinglist.doorbell._send", lambda task, args: None)


@pytest.fixture
def news(db: Any) -> MailingList:
    return make_list("news")


def define(key: str, kind: str, *choices: str) -> Attribute:
    found = Attribute(key=key, label=key.title(), kind=kind, choices=list(choices))
    attributes.save(found, by=SYSTEM)
    return found


def rule(
    number: int, about: str, ask: str = "", value: str = "", parent: int = 0, **more: str
) -> dict[str, str]:
    values = {"parent": str(parent), "about": about, "ask": ask, "value": value, **more}
    return {f"node-{number}-{name}": text for name, text in values.items()}


def slow_count(paginator: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    return 0


def text(answer: Any) -> str:
    return str(answer.content.decode())


class TestSegments:
    def test_is_put_together_without_a_script(self, staff: Client, news: MailingList) -> None:
        ada = make_subscriber("ada@post.example", news, attributes={"city": "Rome"})
        make_subscriber("bob@post.example", news, attributes={"city": "Ulm"})
        typed = {"name": "Romans", "node-0-match": "all"}
        page = text(staff.post(reverse(NEW), {**typed, **rule(1, "list"), "act": "refresh"}))
        assert "is subscribed to" in page and "is in it" in page and not Segment.objects.exists()
        one = rule(1, "list", "confirmed", str(news.pk))
        page = text(staff.post(reverse(NEW), {**typed, **one, "act": "add-group:0"}))
        assert 'name="node-2-match"' in page and 'name="node-3-about"' in page
        group = {"node-2-parent": "0", "node-2-match": "any"}
        two = rule(3, "attribute-text:", "is", "Rome", 2, key="city")
        page = text(staff.post(reverse(NEW), {**typed, **one, **group, **two, "act": "refresh"}))
        assert "<strong>1</strong> of all people" in page and ada.email in page and "bob@post" not in page
        good = staff.post(reverse(NEW), {**typed, **one, **group, **two, "act": "check"})
        assert good.status_code == 204 and not Segment.objects.exists()
        answer = staff.post(reverse(NEW), {**typed, **one, **group, **two, "act": "save"}, follow=True)
        assert "is saved" in text(answer) and 'value="city"' in text(answer)
        assert Segment.objects.get().rules == {
            "match": "all",
            "parts": [
                {"rule": "list", "ask": "confirmed", "value": news.pk},
                {
                    "match": "any",
                    "parts": [{"rule": "attribute-text", "ask": "is", "key": "city", "value": "Rome"}],
                },
            ],
        }
        assert Change.objects.get(noun="segment").user is not None

    def test_what_is_wrong_stands_beside_the_rule_and_nothing_is_lost(self, staff: Client) -> None:
        define("born", "date")
        bad = {**rule(1, "attribute-date:born", "before", "soon"), **rule(2, ""), "node-0-match": "any"}
        for act in ("check", "save"):
            page = text(staff.post(reverse(NEW), {"name": NASTY, **bad, "act": act}))
            assert "“soon” is not a date" in page and "Choose what the rule is about." in page
            assert 'value="soon"' in page and NASTY not in page and not Segment.objects.exists()

    @pytest.mark.parametrize(
        "typed",
        [
            {},
            {"node-0-match": "no", "node-1-about": "tag:x:y"},
            {"node-5-parent": "5", "node-5-match": "all"},
            {"node-0-match": "all", "node-1-parent": "7", "node-999-parent": "0", "node-999-match": "all"},
            {f"node-{n}-parent": str(n - 1) for n in range(1, 300)}
            | {f"node-{n}-match": "all" for n in range(300)},
            {"node-0-match": "all", **rule(1, "campaign", "sent", "9" * 400)},
        ],
    )
    @pytest.mark.parametrize("act", ["save", "refresh", "add-rule:0", "add-group:²", "remove:0", "x"])
    def test_whatever_a_form_sends_is_answered(self, staff: Client, typed: dict[str, str], act: str) -> None:
        assert staff.post(reverse(NEW), {"name": "x", **typed, "act": act}).status_code == 200
        assert not Segment.objects.exists()

    def test_who_may_only_look_sees_numbers_but_no_addresses_and_saves_nothing(self, client: Client) -> None:
        make_subscriber("ada@post.example")
        segment = Segment(name="All")
        never = {"rule": "activity", "ask": "never-opened"}
        store.save(segment, rules.read({"match": "all", "parts": [never]}), by=SYSTEM)
        viewer = User.objects.create_user("eve", password="x", is_staff=True)
        viewer.user_permissions.set(Permission.objects.filter(codename="view_segment"))
        client.force_login(viewer)
        address = reverse("admin:mailinglist_segment_change", args=[segment.pk])
        page = text(client.get(address))
        assert "<strong>1</strong> of all people" in page and "ada@post" not in page
        typed = {"name": "Mine", "node-0-match": "all", **rule(1, "activity", "never-opened"), "act": "save"}
        assert client.post(address, typed).status_code == 403
        assert client.get(reverse(NEW)).status_code == 403


class TestPeople:
    def test_typed_values_have_fields_are_checked_and_what_does_not_fit_stays(self, staff: Client) -> None:
        born, plan = define("born", "date"), define("plan", "choice", "Gold", "Tin")
        kept = {"born": "long ago", "plan": "Platinum", "note": "x", "size": 4}
        ada = make_subscriber("ada@post.example", attributes=kept)
        address = reverse("admin:mailinglist_subscriber_change", args=[ada.pk])
        page = text(staff.get(address))
        assert (
            'value="long ago"' in page and "Platinum (not offered any more)" in page and "{{ born }}" in page
        )
        form = {"name": "Ada", "language": "", "time_zone": "", "attributes": '{"note": "x", "size": 4}'}
        old = {f"value_{born.pk}": "long ago", f"value_{plan.pk}": "Platinum"}
        assert staff.post(address, {**form, **old}).status_code == 302
        ada.refresh_from_db()
        assert ada.name == "Ada" and ada.attributes == kept
        page = text(staff.post(address, {**form, **old, f"value_{born.pk}": "soon"}))
        assert "“soon” is not a date" in page
        assert "has a field of its own" in text(
            staff.post(address, {**form, **old, "attributes": '{"born": "x"}'})
        )
        assert (
            staff.post(address, {**form, f"value_{born.pk}": "4.11.2001", f"value_{plan.pk}": ""}).status_code
            == 302
        )
        ada.refresh_from_db()
        assert ada.attributes == {"born": "2001-11-04", "note": "x", "size": 4}
        assert "born" in Change.objects.filter(subscriber=ada).latest("pk").why

    def test_are_found_by_value_tag_and_segment(self, staff: Client, news: MailingList) -> None:
        define("city", "text")
        vip = define("vip", "yes-no")
        make_subscriber("ada@post.example", news, attributes={"city": "Rome", "vip": True})
        make_subscriber("bob@post.example", news, attributes={"city": "Ulm", "vip": "no"})
        press = tags.make("press", by=SYSTEM)
        tags.put(press, Subscriber.objects.filter(email="ada@post.example"), by=SYSTEM)
        segment = Segment(name="Press")
        part = {"rule": "tag", "ask": "has", "value": press.pk}
        store.save(segment, rules.read({"match": "all", "parts": [part]}), by=SYSTEM)
        for asked in (
            {"q": "city = Rome"},
            {f"value_{vip.pk}": "yes"},
            {"tag": press.pk},
            {"segment": segment.pk},
        ):
            page = text(staff.get(reverse(PEOPLE), asked))
            assert "ada@post.example" in page and "bob@post.example" not in page, asked

    def test_are_tagged_and_untagged_by_actions(self, staff: Client) -> None:
        people = [make_subscriber(f"p{number}@post.example").pk for number in range(3)]
        chosen = {"action": "add_tag", "_selected_action": people[:2]}
        page = text(staff.post(reverse(PEOPLE), chosen))
        assert "2 people are chosen" in page and not Tag.objects.exists()
        assert "Choose a tag, or write a new one." in text(
            staff.post(reverse(PEOPLE), {**chosen, "answered": "1"})
        )
        answer = staff.post(reverse(PEOPLE), {**chosen, "answered": "1", "new": "press"}, follow=True)
        assert "2 people got the tag “press”." in text(answer)
        both = {**chosen, "answered": "1", "new": "more", "tag": Tag.objects.get().pk}
        assert "not both" in text(staff.post(reverse(PEOPLE), both)) and Tag.objects.count() == 1
        take = {
            "action": "remove_tag",
            "_selected_action": people,
            "answered": "1",
            "tag": Tag.objects.get().pk,
        }
        assert "2 people lost the tag" in text(staff.post(reverse(PEOPLE), take, follow=True))
        assert Change.objects.filter(noun="subscriber", user__isnull=False).count() == 4

    def test_of_a_segment_are_shown_at_once_or_where_somebody_waits_for_them(
        self, staff: Client, news: MailingList, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_readers(news, 60)
        segment = Segment(name="Slow")
        rules_of_it = {"match": "all", "parts": [{"rule": "activity", "ask": "never-opened"}]}
        store.save(segment, rules.read(rules_of_it), by=SYSTEM)
        address, asked = reverse(PEOPLE), {"segment": segment.pk}
        assert staff.get(address, asked).context["cl"].result_count == 60
        slow = "(SELECT true FROM pg_sleep(0.01))"
        monkeypatch.setattr(
            "mailinglist.segments.sql.condition", lambda tree, now: (f"s.id > 0 AND {slow}", [])
        )
        monkeypatch.setattr(people, "QUICK", 0.001)
        answer = staff.get(address, asked)
        page = text(answer)
        assert "This takes longer." in page and "p1@post.example" not in page
        assert not answer.context["cl"].multi_page, "there are no pages to turn"
        longer = staff.get(address, {**asked, "longer": "1"})
        assert "p59@post.example" in text(longer) and longer.context["cl"].result_count == 60

    def test_who_could_be_found_but_not_counted_at_once_is_shown_all_the_same(
        self, staff: Client, news: MailingList, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_readers(news, 60)
        segment = Segment(name="Slow to count")
        never = {"rule": "activity", "ask": "never-opened"}
        store.save(segment, rules.read({"match": "all", "parts": [never]}), by=SYSTEM)
        monkeypatch.setattr(people, "QUICK", 0.2)
        monkeypatch.setattr(CappedPaginator, "count", property(slow_count))
        shown = staff.get(reverse(PEOPLE), {"segment": segment.pk})
        assert "p59@post.example" in text(shown) and shown.context["cl"].result_count == 10_000
        assert "p5@post.example" not in text(shown)  # on the second page

    def test_a_column_with_a_meaning_is_no_value(self, staff: Client) -> None:
        values = {"label": "Mail", "key": "E-Mail", "kind": "text", "choices": ""}
        assert "meaning of its own" in text(staff.post(reverse("admin:mailinglist_attribute_add"), values))
        reserved = {**values, "key": "archive_url"}
        assert "fills in by itself" in text(staff.post(reverse("admin:mailinglist_attribute_add"), reserved))
        choices = {**values, "key": "plan", "kind": "choice"}
        assert "Write the choices" in text(staff.post(reverse("admin:mailinglist_attribute_add"), choices))
        staff.post(reverse("admin:mailinglist_attribute_add"), {**choices, "choices": "Gold\n gold \nTin\n"})
        assert Attribute.objects.get().choices == ["Gold", "Tin"]


class TestCampaigns:
    @pytest.fixture
    def campaign(self, news: MailingList) -> Campaign:
        make_readers(news, 200)
        return make_campaign(news)

    def url(self, campaign: Campaign, tail: str) -> str:
        return reverse(f"admin:mailinglist_campaign_{tail}", args=[campaign.pk])

    def test_the_choice_is_saved_and_the_page_says_who_gets_it_and_who_not(
        self, staff: Client, campaign: Campaign, news: MailingList
    ) -> None:
        press = tags.make("press", by=SYSTEM)
        tags.put(press, Subscriber.objects.filter(email__startswith="p1"), by=SYSTEM)
        values = {
            "name": "x",
            "lists": [news.pk],
            "subject": "Hi",
            "preheader": "",
            "body_format": "markdown",
        }
        more = {"body": "Hello", "in_archive": "on", "canary_minutes": "0", "exclude_tags": [press.pk]}
        answer = staff.post(self.url(campaign, "change"), {**values, **more})
        assert answer.status_code == 302 and list(campaign.exclude_tags.all()) == [press]
        page = text(staff.get(self.url(campaign, "audience")))
        assert "have a tag that is left out" in page and "<strong>89</strong>" in page and ">111<" in page

    def test_one_that_chooses_by_everything_is_written_and_started_with_few_queries(
        self, staff: Client, campaign: Campaign, django_assert_max_num_queries: Any
    ) -> None:
        for name, asked in (("New", "never-opened"), ("Old", "not-opened"), ("Readers", "opened")):
            found = Segment(name=name)
            part = {"rule": "activity", "ask": asked, **({} if asked == "never-opened" else {"value": 9})}
            store.save(found, rules.read({"match": "all", "parts": [part]}), by=SYSTEM)
            (campaign.exclude_segments if asked == "opened" else campaign.include_segments).add(found)
        campaign.exclude_tags.set([tags.make(name, by=SYSTEM) for name in ("press", NASTY[:50])])
        campaign.exclude_lists.add(make_list("others"))
        campaign.exclude_campaigns.add(make_started(make_list("third"), name="Earlier"))
        Campaign.objects.filter(pk=campaign.pk).update(body="{{ city }}, {{ street }}, {{ born }}")
        # Three savepoints and the time limit that is put back are due to the test's own transaction.
        with django_assert_max_num_queries(15 + 7):
            page = text(staff.get(self.url(campaign, "change")))
        assert "selected>press<" in page and "selected>Earlier<" in page
        assert [page.count(f'name="{name}"') for name in ("include_segments", "exclude_lists")] == [3, 3]
        for tail in ("start", "schedule", "audience"):
            with django_assert_max_num_queries(15 + 7):
                staff.get(self.url(campaign, tail))

    def test_pages_open_before_they_could_count_and_say_so(
        self, staff: Client, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        segment = Segment(name="Slow")
        store.save(
            segment,
            rules.read({"match": "all", "parts": [{"rule": "activity", "ask": "never-opened"}]}),
            by=SYSTEM,
        )
        campaign.include_segments.add(segment)
        slow = "(SELECT true FROM pg_sleep(0.02))"
        monkeypatch.setattr(
            "mailinglist.segments.sql.condition", lambda tree, now: (f"(s.id > 0 AND {slow})", [])
        )
        monkeypatch.setattr(people, "QUICK", 0.005)
        for tail in ("start", "schedule", "audience"):
            page = text(staff.get(self.url(campaign, tail)))
            assert "The people are being counted." in page and "counting.js" in page
            page = text(staff.get(self.url(campaign, tail), {"count": "1"}))
            assert ">200<" in page and "being counted" not in page
        change = reverse("admin:mailinglist_segment_change", args=[segment.pk])
        assert "They are being counted." in text(staff.get(change))

    def test_a_value_that_is_sought_too_long_is_told_and_sought_before_the_start(
        self, staff: Client, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Campaign.objects.filter(pk=campaign.pk).update(body="{{ nmae }} {{ ")
        monkeypatch.setattr(people, "QUICK", 0.05)
        slow = "SELECT unnest(%s::text[]) WHERE (SELECT pg_sleep(0.2))::text = 'x' AND %s::int[] IS NOT NULL"
        monkeypatch.setattr("mailinglist.composing.problems._HAS_VALUES", slow)
        page = text(staff.get(self.url(campaign, "change")))
        assert (
            "could be looked at yet for a value of {{ nmae }}" in page
            and "{{ nmae }} is no merge" not in page
        )
        campaign.refresh_from_db()
        [first, *_] = [problem.message for problem in problems.find(campaign) if problem.field == "body"]
        assert first.startswith("{{ nmae }} is no merge tag")

    def test_a_draft_opens_on_a_database_that_is_busy(
        self, staff: Client, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(people, "QUICK", 0.05)
        monkeypatch.setattr(audience_preview, "_ANYBODY", "SELECT pg_sleep(0.3), %s{chosen}")
        assert staff.get(self.url(campaign, "change")).status_code == 200

    def test_where_no_segment_is_the_form_says_how_to_make_one(
        self, staff: Client, campaign: Campaign
    ) -> None:
        page = text(staff.get(self.url(campaign, "change")))
        assert "There is no segment yet." in page and f'href="{reverse(NEW)}"' in page

    def test_a_number_that_moved_a_little_is_taken_and_one_that_moved_much_is_not(
        self, staff: Client, campaign: Campaign, news: MailingList
    ) -> None:
        make_subscriber("new@post.example", news)
        typed = {"shown": "190", "number": "190"}
        page = text(staff.post(self.url(campaign, "start"), typed))
        assert "It would go to 201 people now, not to 190 any more." in page and 'value="201"' in page
        wrong = {"shown": "200", "number": "201"}
        assert "Type that number." in text(staff.post(self.url(campaign, "start"), wrong))
        staff.post(self.url(campaign, "start"), {"shown": "200", "number": "200"})
        campaign.refresh_from_db()
        assert campaign.status == "sending"

    def test_can_be_stopped_before_the_first_mail(self, staff: Client, campaign: Campaign) -> None:
        MailingList.objects.update(stop_seconds=60)
        assert "60 seconds to stop it" in text(staff.get(self.url(campaign, "start")))
        page = text(staff.post(self.url(campaign, "start"), {"shown": "200", "number": "200"}, follow=True))
        assert "Stop, send nothing" in page and "countdown.js" in page and "Check and start" not in page
        staff.get(self.url(campaign, "stop"))
        campaign.refresh_from_db()
        assert campaign.status == "scheduled"
        assert "No mail has left" in text(staff.post(self.url(campaign, "stop"), follow=True))
        campaign.refresh_from_db()
        assert campaign.status == "draft"

    def test_is_sent_again_to_those_who_did_not_get_it(self, staff: Client, news: MailingList) -> None:
        first = make_started(news)
        make_delivery(first, make_subscriber("ada@post.example", news), "failed")
        assert "not over yet" in text(staff.post(self.url(first, "follow_up"), {}, follow=True))
        Campaign.objects.update(status="finished")
        assert "Send to those who did not get it" in text(staff.get(self.url(first, "change")))
        page = text(staff.post(self.url(first, "follow_up"), {"newcomers": "on"}, follow=True))
        assert "did not reach, and to those who subscribed since" in page.replace("</a>", "")
        assert Campaign.objects.get(follows=first).follow_newcomers
