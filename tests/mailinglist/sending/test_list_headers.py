"""The headers of list mail, read again by two other parsers and obeyed as mail programs obey them."""

import json
import re
from collections.abc import Iterator
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import fast_mail_parser
import pytest
from django.conf import LazySettings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from mailinglist import tokens
from mailinglist.composing import mime
from mailinglist.models import Delivery, MailingList, Subscription
from mailinglist.sending import bulk, list_headers, messages
from mailinglist.sending.messages import Mail
from tests.factories import make_list
from tests.mailinglist.sending.helpers import claim, reparsed, started

#: RFC 2919 section 2: list-label "." list-id-namespace, a dot-atom-text in angle brackets.
LIST_ID = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)+>")
MAILTO = "unsubscribe@lists.acme.example"


def mail_of(campaign: Any) -> Mail:
    [(_, mail)] = messages.Builder().build(claim(campaign, 1))
    assert isinstance(mail, Mail)
    return mail


def others_headers(mail: Mail) -> dict[str, str]:
    """By another parser; each header once."""
    found = fast_mail_parser.parse_email(mail.as_bytes()).headers
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


def as_sent(campaign: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """The headers of the same mail by each transport, each read by two parsers where it is a mail."""
    mail = mail_of(campaign)
    yield "raw", {name: str(value) for name, value in reparsed(mail).items()}
    yield "raw, other parser", others_headers(mail)
    [entry] = json.loads(bulk.body([mail]))["BulkEmailEntries"]
    yield "bulk", {header["Name"]: header["Value"] for header in entry["ReplacementHeaders"]}


@pytest.mark.django_db
@pytest.mark.usefixtures("rung")
class TestInMails:
    def test_both_transports_carry_every_list_header(self, settings: LazySettings) -> None:
        settings.UNSUBSCRIBE_MAILTO = MAILTO
        campaign = started(1, mailing_list=make_list(reply_to="office@acme.example"))
        delivery = campaign.deliveries.get()
        url = tokens.unsubscribe_url(delivery.subscriber, delivery.list)
        wanted = {
            "List-Unsubscribe": f"<{url}>, <mailto:{MAILTO}?subject=unsubscribe%20{url.rpartition('/')[2]}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-Id": "<news.acme.example>",
            "List-Subscribe": "<http://127.0.0.1:8000/lists/news/subscribe>",
            "List-Help": "<mailto:office@acme.example?subject=help>",
            "Precedence": "bulk",
            "Feedback-ID": f"{campaign.pk}:news:campaign:mailinglist",
        }
        for transport, headers in as_sent(campaign):
            assert {name: headers.get(name) for name in wanted} == wanted, transport

    def test_the_mailto_alone_tells_whom_and_which_list(self, settings: LazySettings) -> None:
        settings.UNSUBSCRIBE_MAILTO = MAILTO
        campaign = started(1)
        delivery = campaign.deliveries.get()
        value = str(reparsed(mail_of(campaign))["List-Unsubscribe"])
        assert len(value) < 870  # what SES takes in a header of SendBulkEmail
        https, mailto = (part.strip("<> ") for part in value.split(","))
        assert https.startswith("http")
        parts = urlsplit(mailto)
        [subject] = parse_qs(parts.query, strict_parsing=True)["subject"]
        assert unquote(parts.path) == MAILTO
        word, token = subject.split(" ")
        assert word == "unsubscribe"
        assert tokens.read_link("unsubscribe", token) == (delivery.subscriber, delivery.list)

    def test_without_a_mailbox_there_is_no_mailto(self) -> None:
        for _, headers in as_sent(started(1)):
            assert "mailto" not in headers["List-Unsubscribe"]

    def test_a_private_list_names_no_page_for_joining(self) -> None:
        for _, headers in as_sent(started(1, mailing_list=make_list(is_public=False))):
            assert "List-Subscribe" not in headers and "List-Help" not in headers

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            # RFC 8058 section 8.1 (urlencoded) and 8.2 (multipart); Gmail and Yahoo post the first.
            (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
            (
                b'--FormBoundaryjWmhtjORrn\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
                b"One-Click\r\n--FormBoundaryjWmhtjORrn--\r\n",
                "multipart/form-data; boundary=FormBoundaryjWmhtjORrn",
            ),
        ],
        ids=["urlencoded", "multipart"],
    )
    @pytest.mark.parametrize(
        "agent",
        [
            "",
            "Google-Unsubscribe",
            "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        ],
    )
    def test_the_post_of_a_provider_to_the_header_of_the_mail_unsubscribes_at_once(
        self, settings: LazySettings, body: bytes, kind: str, agent: str
    ) -> None:
        settings.UNSUBSCRIBE_MAILTO = MAILTO
        campaign = started(1)
        headers = others_headers(mail_of(campaign))
        https = headers["List-Unsubscribe"].split(",")[0].strip("<>")
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        client = Client(enforce_csrf_checks=True)
        answer = client.post(urlsplit(https).path, body, content_type=kind, HTTP_USER_AGENT=agent)
        assert (answer.status_code, dict(answer.cookies)) == (200, {})
        row = Subscription.objects.get(subscriber=campaign.deliveries.get().subscriber)
        assert (row.status, row.unsubscribe_reason) == ("unsubscribed", "one-click")

    def test_a_confirmation_is_no_list_mail(self, settings: LazySettings) -> None:
        settings.UNSUBSCRIBE_MAILTO = MAILTO
        shared = messages._AUTOMATIC
        assert shared.headers == (("Auto-Submitted", "auto-generated"),)
        assert shared.fields == b"Auto-Submitted: auto-generated\r\n"


LABEL = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,8}[A-Za-z0-9])?", fullmatch=True)


@given(
    slug=st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True),
    domain=st.one_of(
        st.tuples(LABEL, LABEL).map(lambda labels: f"{labels[0]}.{labels[1]}.example"),
        st.sampled_from(["exämple.com", "münchen.de", "MAIL.Example.COM", "例え.jp"]),
    ),
    name=st.text(max_size=120),
)
def test_any_list_has_a_list_id_of_rfc_2919(slug: str, domain: str, name: str) -> None:
    row = MailingList(slug=slug, name=name, from_email=f"news@{domain}", reply_to="a%b&c@acme.example")
    headers = dict(list_headers.shared(row, campaign_id=None, purpose=Delivery.Purpose.TEST).headers)
    assert LIST_ID.fullmatch(headers["List-Id"])
    assert len(headers["Feedback-ID"].split(":")) == 4
    assert parseaddr(unquote(urlsplit(headers["List-Help"].strip("<>")).path))[1] == "a%b&c@acme.example"
    for field, value in headers.items():
        assert mime.header(field, value).isascii()
