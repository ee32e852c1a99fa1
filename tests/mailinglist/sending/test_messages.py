"""The mails themselves, serialised and read again by another parser."""

from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

import fast_mail_parser
import pytest
from django.core.exceptions import ValidationError

from mailinglist import lifecycle, tokens
from mailinglist.changes import SYSTEM
from mailinglist.composing import mime
from mailinglist.models import CampaignVersion, Delivery, MailingList, Subscriber, Subscription
from mailinglist.sending import engine, messages, queue
from mailinglist.sending.outcomes import Refused
from mailinglist.sending.transport import Raw
from tests.factories import make_campaign, make_list, make_readers, make_subscriber
from tests.mailinglist.sending.helpers import FakeSES, claim, reparsed, started

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]

NASTY = [
    "\r\nBcc: evil@x.example",
    "\r\nX-SES-CONFIGURATION-SET: other\r\nX-SES-MESSAGE-TAGS: delivery=1",
    "\nX-Evil: 1",
    "\rX-Evil: 1",
    "\x0b\x0c\x1c\x1e\x7fX-Evil: 1",
    "\x00",
    "\u2028Bcc: evil@x.example",
    "\u0085X: y",
    "\u202eevil",
    '"<x@y.example>,',
    "=?utf-8?q?=0ABcc:_x?=",
]


def mail_of(campaign: Any) -> messages.Mail | Refused:
    [(_, message)] = messages.Builder().build(claim(campaign)[:1])
    return message


def built(campaign: Any) -> EmailMessage:
    message = mail_of(campaign)
    assert not isinstance(message, Refused), message
    return reparsed(message)


def test_all_headers_of_a_campaign_mail() -> None:
    campaign = started(1, mailing_list=make_list(reply_to="office@acme.example"))
    delivery = campaign.deliveries.get()
    mail = built(campaign)
    url = tokens.unsubscribe_url(delivery.subscriber, delivery.list)
    signed = tokens.sign_delivery(delivery.pk, 1)
    assert {name: str(value) for name, value in mail.items() if name not in ("Date", "Content-Type")} == {
        "MIME-Version": "1.0",
        "Subject": "News for",
        "From": "Acme News <news@acme.example>",
        "To": "p0@post.example",
        "Reply-To": "office@acme.example",
        "Message-ID": f"<{signed}@acme.example>",
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": "<news.acme.example>",
        "List-Subscribe": "<http://127.0.0.1:8000/lists/news/subscribe>",
        "List-Help": "<mailto:office@acme.example?subject=help>",
        "Precedence": "bulk",
        "Feedback-ID": f"{campaign.pk}:news:campaign:mailinglist",
        "X-Mailinglist-Delivery": signed,
        "X-SES-CONFIGURATION-SET": "mailinglist",
        "X-SES-MESSAGE-TAGS": f"delivery={signed}, attempt=1, campaign={campaign.pk}",
    }
    assert tokens.read_delivery(mail["X-Mailinglist-Delivery"]) == (delivery.pk, 1)


def test_text_and_html_say_the_same_and_hold_the_persons_own_links() -> None:
    campaign = started(1, body='Hello {{ name|default:"friend" }} äöü\n')
    delivery = campaign.deliveries.get()
    mail = built(campaign)
    for part in ("plain", "html"):
        text = mail.get_body((part,)).get_content()  # type: ignore[union-attr]
        assert "Hello friend äöü" in text
        assert tokens.unsubscribe_url(delivery.subscriber, delivery.list) in text
        assert tokens.preferences_url(delivery.subscriber, delivery.list) in text
        assert "1 Main Street" in text and "{{" not in text


def test_every_line_is_short_enough_for_smtp_and_ascii() -> None:
    campaign = started(1, body="ä" * 3000)
    [(_, message)] = messages.Builder().build(claim(campaign))
    raw = message.message().as_bytes(linesep="\r\n")  # type: ignore[union-attr]
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()


OUR_HEADERS = [
    "Subject", "From", "To", "Date", "Message-ID", "MIME-Version", "Content-Type", "Precedence", "Feedback-ID", "List-Id",
    "List-Subscribe", "List-Unsubscribe", "List-Unsubscribe-Post", "X-Mailinglist-Delivery", "X-SES-CONFIGURATION-SET",
    "X-SES-MESSAGE-TAGS",
]  # fmt: skip


def has_our_headers_alone(message: messages.Mail, *more: str) -> None:
    """Its bytes, read by Python's parser and by one that shares no code with it, name what they should and one person."""
    mail, theirs = reparsed(message), fast_mail_parser.parse_email(message.as_bytes()).headers
    expected = sorted([*(name.lower() for name in OUR_HEADERS), *more])
    assert sorted(name.lower() for name, _ in mail.items()) == expected
    assert sorted(name.lower() for name, values in theirs.items() for _ in values) == expected
    assert getaddresses([str(mail["To"])]) == getaddresses(theirs["To"]) == [("", "p0@post.example")]
    assert [address.addr_spec for address in mail["From"].addresses] == ["news@acme.example"]
    assert theirs["From"][0].endswith("<news@acme.example>")
    assert [mail["X-SES-CONFIGURATION-SET"]] == theirs["X-SES-CONFIGURATION-SET"] == ["mailinglist"]
    signed = mail["X-Mailinglist-Delivery"]
    assert tokens.read_delivery(signed)
    assert mail["X-SES-MESSAGE-TAGS"].startswith(f"delivery={signed}, attempt=1, campaign=")


@pytest.mark.parametrize("nasty", NASTY)
def test_no_value_adds_a_header_or_a_recipient(nasty: str) -> None:
    """Though no form, no file and no validator lets most of these values in."""
    value = f"A{nasty}B".replace("\x00", "")  # PostgreSQL does not store NUL
    subject = f"Hi {value} {{{{ name }}}} {{{{ city }}}} {{{{ list_name }}}} {{{{ sender_name }}}}"
    make_subscriber("p0@post.example", attributes={"city": "Rome"})
    campaign = started(1)
    CampaignVersion.objects.update(subject=subject)
    Subscriber.objects.update(name=value, attributes={"city": value})
    MailingList.objects.update(name=value, from_name=value, postal_address=value)
    message = mail_of(campaign)
    assert not isinstance(message, Refused), message
    has_our_headers_alone(message)


@pytest.mark.parametrize("nasty", NASTY)
def test_no_reply_address_adds_a_header(nasty: str) -> None:
    campaign = started(1)
    MailingList.objects.update(reply_to=f"office@acme.example{nasty}".replace("\x00", ""))
    message = mail_of(campaign)
    assert not isinstance(message, Refused), message
    if {"\r", "\n"} & set(nasty):
        with pytest.raises(mime.Unencodable, match="Reply-To"):
            message.as_bytes()
    else:
        has_our_headers_alone(message, "reply-to", "list-help")


@pytest.mark.parametrize("nasty", [*NASTY[:-3], "\x85", "\t"])
def test_the_staff_cannot_write_a_control_character_into_a_header(nasty: str) -> None:
    value = f"A{nasty}B"
    news, plan = make_list(), make_campaign(make_list("other"))
    news.name = news.from_name = value
    news.reply_to = news.from_email = f"office@acme.example{nasty}"
    news.configuration_set = news.untracked_configuration_set = value
    plan.subject = plan.preheader = value
    for row, fields in ((news, 6), (plan, 2)):
        with pytest.raises(ValidationError) as refused:
            row.full_clean()
        assert len(refused.value.error_dict) == fields, set(refused.value.error_dict)


def test_a_sender_name_beyond_ascii_is_encoded() -> None:
    campaign = started(1, mailing_list=make_list(from_name="Bücher, „Müller“ & Co"))
    [(_, message)] = messages.Builder().build(claim(campaign))
    assert message.from_email.isascii()  # type: ignore[union-attr]
    assert reparsed(message)["From"].addresses[0].display_name == "Bücher, „Müller“ & Co"


def test_a_list_may_have_its_own_configuration_set() -> None:
    campaign = started(1, mailing_list=make_list(configuration_set="own"))
    assert built(campaign)["X-SES-CONFIGURATION-SET"] == "own"


def test_attributes_fill_tags_and_never_replace_ours() -> None:
    news = make_list()
    make_subscriber(
        "a@post.example",
        news,
        attributes={"city": "Rome", "unsubscribe_url": "https://evil.example", "vip": True},
    )
    campaign = make_campaign(news, body="{{ city }} {{ vip }}")
    lifecycle.start(campaign.pk, by=SYSTEM)
    text = built(campaign).get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Rome" in text and "evil" not in text


def test_a_confirmation_holds_the_link_and_nothing_that_the_visitor_typed() -> None:
    news = make_list()
    person = make_subscriber("a@post.example", name="Buy pills at evil.example")
    Subscription.objects.create(list=news, subscriber=person, status="pending", source="form")
    queue.enqueue(subscriber_id=person.pk, list_id=news.pk, purpose=Delivery.Purpose.CONFIRMATION)
    [(_, message)] = messages.Builder().build(queue.claim(1, campaign_id=None, lease_seconds=60))
    mail = reparsed(message)
    assert mail["Subject"] == "Please confirm your subscription to News"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None and "campaign=" not in mail["X-SES-MESSAGE-TAGS"]
    for part in ("plain", "html"):
        text = mail.get_body((part,)).get_content()  # type: ignore[union-attr]
        assert "/confirm/" in text and "evil" not in text and "1 Main Street" in text


def test_a_thousand_mails_hold_only_their_own_canary(unlimited_pace: object) -> None:
    news = make_list()
    make_readers(
        news, 1000, lambda i: {"name": f"canary-{i:04}-", "attributes": {"canary": f"canary-{i:04}-"}}
    )
    campaign = make_campaign(
        news, subject="{{ name }}", body="{{ canary }} [x](https://x.example/?q={{ canary }})"
    )
    lifecycle.start(campaign.pk, by=SYSTEM)
    ses = FakeSES()
    engine.run(campaign.pk, transport=Raw(ses), seconds=60)
    assert len(ses.mails) == 1000
    for mail in ses.mails:
        number = int(mail.to[0].removeprefix("p").partition("@")[0])
        raw = mail.as_bytes().decode().replace("=\r\n", "")
        assert raw.count("canary-") == raw.count(f"canary-{number:04}-") >= 5
