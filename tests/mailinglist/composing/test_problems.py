"""What a manager is told before a campaign starts: what forbids it, and what does not."""

from datetime import timedelta
from typing import Any

import dns.resolver
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mailinglist import aws, egress, lifecycle, link_checks, mail_domains, sender_checks, tasks
from mailinglist.changes import SYSTEM
from mailinglist.composing import advice, problems
from mailinglist.models import Campaign, LinkCheck, SenderCheck
from mailinglist.sending import queue
from mailinglist.sending.messages import Builder, Mail
from tests.factories import make_campaign, make_list, make_subscriber


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("BIG NEWS FOR ALL OF YOU", "SHOUTS"),
        ("Hello!! {{ name }}", "exclamation"),
        ("Win! Win! Win!", "exclamation"),
        ("You have won: free money", "“free money”, “you have won”"),
        ("Earn $$$ at home", "“$$$”"),
        ("Re: your order", "an answer"),
    ],
)
def test_a_subject_that_looks_like_spam(subject: str, says: str) -> None:
    assert any(says in sentence for sentence in advice.of_subject(subject))


@pytest.mark.parametrize(
    "subject", ["News for {{ name }}", "NASA und ESA", "Reise nach Rom", "Prizewinning beans!"]
)
def test_a_subject_that_does_not(subject: str) -> None:
    assert advice.of_subject(subject) == []


@pytest.mark.django_db
@pytest.mark.parametrize("sign", ["\r\n", "\n", "\t", "\x1b", "\x85", "\u2028"])
def test_a_subject_with_control_characters_does_not_start(sign: str) -> None:
    news = make_list()
    make_subscriber("ada@post.example", news)
    campaign = make_campaign(news, subject=f"A{sign}Bcc: x@post.example")
    found = [one for one in problems.find(campaign) if one.blocking]
    assert [(one.field, one.message) for one in found] == [
        ("subject", "Write the subject in one line, without control characters.")
    ]
    with pytest.raises(lifecycle.CampaignNotReady):
        lifecycle.start(campaign.pk, by=SYSTEM)


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["name", "from_name", "reply_to"])
def test_a_list_with_control_characters_sends_nothing(field: str) -> None:
    news = make_list(**{field: "news@acme.example\r\nBcc: x@post.example"})
    make_subscriber("ada@post.example", news)
    (found,) = [one for one in problems.find(make_campaign(news)) if one.blocking]
    assert found.field == "lists" and "in one line each" in found.message


def test_pictures_without_words_and_links_without_tls() -> None:
    page = (
        '<img src="https://a.example/1"><img alt="a > b" src="http://a.example/2"><img alt="" role="presentation">'
        '<a href="http://a.example/?a=1&amp;b=2">x</a><a href="https://a.example/">y</a><a href="http://ours.example/x"></a>'
    )
    assert [sentence[:40] for sentence in advice.of_html(page, ours="http://ours.example")] == [
        "A picture has no description. Write what",
        "http://a.example/2 is not secure: write ",
        "http://a.example/?a=1&b=2 is not secure:",
    ]


@pytest.mark.django_db
class TestOutside:
    @pytest.fixture
    def campaign(self) -> Campaign:
        news = make_list()
        make_subscriber("ada@post.example", news, name="Ada")
        text = "[a](https://a.example/) [b](https://b.example/) [c](https://c.example/{{ name }}) [a](https://a.example/)"
        return make_campaign(news, body=text)

    def told(self, campaign: Campaign) -> list[tuple[str, bool]]:
        return [(found.message, found.blocking) for found in problems.find(campaign)]

    def test_links_are_looked_at_on_request_in_the_background(
        self,
        campaign: Campaign,
        staff: Client,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        answers = {"https://a.example/": egress.Answer(200, "https://a.example/")}

        def ask(address: str, **_: Any) -> egress.Answer:
            if address not in answers:
                raise egress.NotAllowed("It leads into a private network.")
            return answers[address]

        monkeypatch.setattr(egress, "ask", ask)
        page = reverse("admin:mailinglist_campaign_check", args=[campaign.pk])
        assert "opened once from this server" in staff.get(page).content.decode()
        assert not LinkCheck.objects.exists()
        assert "2 links and the sender" in staff.post(page, follow=True).content.decode()
        assert link_checks.waits() and sender_checks.waits()
        while link_checks.waits() or sender_checks.waits():
            tasks.look_outside()
        change = staff.get(reverse("admin:mailinglist_campaign_change", args=[campaign.pk])).content.decode()
        assert "It answers." in change and "it can start all the same" in change
        [(sentence, blocking)] = self.told(campaign)
        assert (
            sentence == "The link https://b.example/ is broken: Not asked. It leads into a private network."
        )
        assert not blocking
        campaign.body = "no links any more"
        assert self.told(campaign) == []

    def test_two_workers_do_not_take_the_same_link(self, campaign: Campaign) -> None:
        link_checks.ask(campaign.pk)
        assert len(link_checks._take()) == 2 and link_checks._take() == [] and not link_checks.waits()
        LinkCheck.objects.update(taken_until=timezone.now() - timedelta(seconds=1))
        assert link_checks.waits()

    @pytest.mark.parametrize(
        ("status", "is_broken"), [(404, True), (410, True), (503, True), (403, False), (200, False)]
    )
    def test_which_answers_are_broken(
        self, status: int, is_broken: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(egress, "ask", lambda address, **_: egress.Answer(status, address))
        assert link_checks._look("https://a.example/")[0] is is_broken

    def test_a_sender_that_ses_would_refuse_blocks_for_a_day(self, campaign: Campaign) -> None:
        row = {"says": "Not verified.", "do": "Verify it.", "blocking": True}
        now = timezone.now()
        check = SenderCheck.objects.create(
            sender="news@acme.example", findings=[row], asked_at=now, checked_at=now
        )
        assert self.told(campaign) == [("Not verified. Verify it.", True)]
        with pytest.raises(lifecycle.CampaignNotReady):
            lifecycle.start(campaign.pk, by=SYSTEM)
        SenderCheck.objects.filter(pk=check.pk).update(checked_at=now - timedelta(days=2))
        assert self.told(campaign) == [("Not verified. Verify it.", False)]

    def test_an_old_answer_is_asked_for_again_when_a_campaign_is_saved(self) -> None:
        sender_checks.ask_where_old(["a@x.example"])
        first = SenderCheck.objects.get()
        sender_checks.ask_where_old(["a@x.example"])
        assert SenderCheck.objects.get().asked_at == first.asked_at

    def test_a_test_mail_shows_the_values_of_somebody_else_and_links_of_its_own(
        self, campaign: Campaign
    ) -> None:
        Campaign.objects.filter(pk=campaign.pk).update(
            subject="{{ name }}", body='{{ name }} {{ city|default:"nowhere" }} {{ email }} {{ odd }}'
        )
        news = campaign.lists.get()
        bob = make_subscriber(
            "bob@post.example", news, name="{{ email }}", attributes={"odd": "{{ name }}<b>"}
        )
        me = make_subscriber("me@acme.example", news, name="Me", attributes={"city": "Mine"})
        [pk] = lifecycle.send_test(campaign.pk, ["me@acme.example"], by=SYSTEM, as_seen_by=bob.pk)
        version = campaign.versions.get()
        assert "bob@" not in version.html + version.text
        [row] = queue.claim(10, campaign_id=None, lease_seconds=60)
        assert row.delivery_id == pk
        [(_, mail)] = Builder().build([row])
        assert isinstance(mail, Mail)
        filled = mail.content.parsed.fill(mail.values)
        assert filled.subject.endswith("{{ email }}")
        assert "{{ email }} nowhere bob@post.example {{ name }}&lt;b&gt;" in filled.html
        assert bob.token not in filled.html and me.email not in filled.html
        assert mail.to == ["me@acme.example"]


class TestSender:
    """What SES and the DNS say → what a manager reads."""

    @pytest.fixture(autouse=True)
    def outside(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.LOCAL = False
        self.identities: dict[str, Any] = {}
        self.records: dict[tuple[str, str], Any] = {}
        monkeypatch.setattr(aws, "get_identity", lambda name: self.identity(name))
        monkeypatch.setattr(sender_checks, "_text", self.text)

    def identity(self, name: str) -> aws.Identity | None:
        found = self.identities.get(name)
        if isinstance(found, Exception):
            raise found
        return found

    def text(self, name: str, kind: str) -> Any:
        return self.records.get((name, kind), [])

    def good(self) -> None:
        self.identities["acme.example"] = aws.Identity(
            True, "SUCCESS", "SUCCESS", "acme.example", ("abc",), "mail.acme.example"
        )
        self.records = {
            ("abc._domainkey.acme.example", "CNAME"): ["abc.dkim.amazonses.com."],
            ("mail.acme.example", "TXT"): ["v=spf1 include:amazonses.com ~all"],
            ("_dmarc.acme.example", "TXT"): ["v=DMARC1; p=none"],
        }

    def says(self, sender: str = "news@acme.example") -> str:
        return " ".join(f"{found.says} {found.do}" for found in sender_checks.examine(sender))

    def test_all_is_well_also_for_a_subdomain(self) -> None:
        self.good()
        assert self.says() == "" and self.says("x@news.acme.example") == ""

    def test_not_verified_blocks_and_nothing_else_does(self) -> None:
        found = sender_checks.examine("news@acme.example")
        assert [row.blocking for row in found] == [True, False]
        assert "_dmarc.acme.example" in found[1].do

    def test_each_part_that_is_missing_is_named_with_what_to_do(self) -> None:
        self.good()
        self.records = {}
        said = self.says()
        assert "abc._domainkey.acme.example" in said and "abc.dkim.amazonses.com" in said
        assert "include:amazonses.com" in said and "v=DMARC1; p=none" in said
        self.identities["acme.example"] = aws.Identity(True, "PENDING", "", "acme.example", ())
        assert "three CNAME records" in self.says() and "MAIL FROM" in self.says()

    def test_questions_without_an_answer_block_nothing(self) -> None:
        denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetEmailIdentity")
        for error in (denied, EndpointConnectionError(endpoint_url="x")):
            self.identities["news@acme.example"] = error
            assert not any(row.blocking for row in sender_checks.examine("news@acme.example"))
        self.records[("_dmarc.acme.example", "TXT")] = None
        assert "did not answer in time" in self.says()

    def test_in_local_mode_nobody_is_asked(self, settings: Any) -> None:
        settings.LOCAL = True
        self.identities["news@acme.example"] = AssertionError()
        assert sender_checks.examine("news@acme.example") == []


def test_records_are_read_and_silence_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Names:
        def resolve(self, name: str, kind: str, **_: Any) -> Any:
            raise dns.resolver.NXDOMAIN if name.startswith("gone") else dns.resolver.LifetimeTimeout

    monkeypatch.setattr(mail_domains, "resolver", Names)
    assert (
        sender_checks._text("gone.example", "TXT") == [] and sender_checks._text("x.example", "TXT") is None
    )
