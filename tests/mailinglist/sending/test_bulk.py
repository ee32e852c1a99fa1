"""The bulk transport: what goes to SES, and what each entry's answer means."""

import json
from typing import Any

import pytest
from botocore import exceptions as boto

from mailinglist import merge, tokens
from mailinglist.models import Attempt, Subscriber
from mailinglist.sending import bulk, engine, messages, queue
from mailinglist.sending.bulk import Bulk
from mailinglist.sending.messages import Mail
from mailinglist.sending.outcomes import Accepted, Outcome, Refused, Scope, Unknown
from tests.factories import make_list
from tests.mailinglist.sending.helpers import FakeSES, claim, started, states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung", "unlimited_pace")]


class FakeBulk:
    """SendBulkEmail by a rule (address → the entry's result); keeps the requests."""

    def __init__(self, **by_local_part: dict[str, str]) -> None:
        self.rule = by_local_part
        self.requests: list[dict[str, Any]] = []

    def __call__(self, body: bytes) -> dict[str, Any]:
        request = json.loads(body)
        self.requests.append(request)
        return {"BulkEmailEntryResults": [self._result(entry) for entry in request["BulkEmailEntries"]]}

    def _result(self, entry: dict[str, Any]) -> dict[str, str]:
        [to] = entry["Destination"]["ToAddresses"]
        return self.rule.get(to.partition("@")[0]) or {"Status": "SUCCESS", "MessageId": f"m-{id(self)}-{to}"}


def mails_of(campaign: Any, n: int = 100) -> list[Mail]:
    return [mail for _, mail in messages.Builder().build(claim(campaign, n)) if isinstance(mail, Mail)]


def rendered(request: dict[str, Any], number: int) -> dict[str, str]:
    """One entry as SES would render it: each tag once, values as they are."""
    content = request["DefaultContent"]["Template"]["TemplateContent"]
    replacement = request["BulkEmailEntries"][number]["ReplacementEmailContent"]["ReplacementTemplate"]
    values = json.loads(replacement["ReplacementTemplateData"])
    found = {}
    for part, text in content.items():
        pieces = text.split("{{")
        found[part] = pieces[0] + "".join(
            values[tag] + rest for tag, _, rest in (piece.partition("}}") for piece in pieces[1:])
        )
    return found


def test_fifty_people_are_one_call_and_each_gets_their_own_mail() -> None:
    campaign = started(60, subject="News for {{ name }}", body="Hello {{ name }}, <{{ email }}>")
    Subscriber.objects.filter(email="p7@post.example").update(name='Ada "Countess" <Lovelace> & {{ email }}')
    ses = FakeBulk()
    assert engine.run(campaign.pk, transport=Bulk(ses)) == engine.Drained()
    assert [len(request["BulkEmailEntries"]) for request in ses.requests] == [50, 10]
    assert {state for state, _ in states(campaign)} == {"sent"}
    entry = ses.requests[0]["BulkEmailEntries"][7]
    mail = rendered(ses.requests[0], 7)
    person = Subscriber.objects.get(email="p7@post.example")
    assert mail["Subject"] == 'News for Ada "Countess" <Lovelace> & {{ email }}'
    assert "Hello Ada &quot;Countess&quot; &lt;Lovelace&gt; &amp; {{ email }}" in mail["Html"]
    assert 'Hello Ada "Countess" <Lovelace> & {{ email }}' in mail["Text"]
    url = tokens.unsubscribe_url(person, campaign.lists.get())
    assert url in mail["Text"] and merge.render("{{ u }}", {"u": url}, merge.Context.HTML) in mail["Html"]
    headers = {header["Name"]: header["Value"] for header in entry["ReplacementHeaders"]}
    assert headers["List-Unsubscribe"] == f"<{url}>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    tags = {tag["Name"]: tag["Value"] for tag in entry["ReplacementTags"]}
    delivery = campaign.deliveries.get(subscriber=person)
    assert (
        tokens.read_delivery(tags["delivery"])
        == (delivery.pk, 1)
        == tokens.read_delivery(headers[tokens.DELIVERY_HEADER])
    )


def test_what_all_recipients_share_goes_out_once_a_call() -> None:
    campaign = started(2, subject="Hi", body="{{ sender_name }} of {{ list_name }} writes to {{ name }}")
    request = json.loads(bulk.body(mails_of(campaign)))
    news = campaign.lists.get()
    for entry in request["BulkEmailEntries"]:
        data = entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"]
        assert news.from_name not in data and news.name not in data
    assert f"{news.from_name} of {news.name}" in rendered(request, 0)["Text"]


def test_bulk_and_raw_say_the_same() -> None:
    campaign = started(
        1, subject="Hi {{ name }}", body='{{ name|default:"friend" }} [x](https://x.example/?n={{ name }})'
    )
    [mail] = mails_of(campaign)
    whole = rendered(json.loads(bulk.body([mail])), 0)
    filled = mail.content.parsed.fill(mail.values)
    assert whole == {"Subject": filled.subject, "Html": filled.html, "Text": filled.text}


def test_what_ses_could_take_for_a_tag_is_handed_over_as_a_value() -> None:
    parsed = messages.parse(subject="x", html="<style>a{{B}}</style>{{ name }}", text="{{#if x}} {{ name }}")
    inline = bulk.inline_template(messages._content("k", parsed))
    assert inline.html.count("{{") == 2 and "{{B}}" not in inline.html and "#if" not in inline.text
    assert sorted(inline.literals.values()) == ["<style>a{{B}}</style>", "{{#if x}} "]


def test_mails_of_two_lists_are_two_calls() -> None:
    first, second = started(3, mailing_list=make_list("one")), started(2, mailing_list=make_list("two"))
    builder = messages.Builder()
    built = [mail for campaign in (first, second) for _, mail in builder.build(claim(campaign))]
    assert Bulk().group(built) == [[0, 1, 2], [3, 4]]  # type: ignore[arg-type]


def test_a_call_stays_under_the_limit_of_bytes() -> None:
    campaign = started(5)
    Subscriber.objects.update(attributes={"long": "x" * 400_000})
    assert Bulk().group(mails_of(campaign)) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ({"Status": "SUCCESS", "MessageId": "m"}, Accepted("m")),
        ({"Status": "MESSAGE_REJECTED", "Error": "no"}, Refused(Scope.RECIPIENT, "message-rejected", "no")),
        ({"Status": "INVALID_PARAMETER"}, Refused(Scope.RECIPIENT, "bad-request", "INVALID_PARAMETER")),
        ({"Status": "ACCOUNT_THROTTLED"}, Refused(Scope.THROTTLE, "throttled", "ACCOUNT_THROTTLED", 2.0)),
        ({"Status": "TRANSIENT_FAILURE"}, Refused(Scope.THROTTLE, "transient", "TRANSIENT_FAILURE", 2.0)),
        (
            {"Status": "ACCOUNT_DAILY_QUOTA_EXCEEDED"},
            Refused(Scope.QUOTA, "daily-quota", "ACCOUNT_DAILY_QUOTA_EXCEEDED", 60.0),
        ),
        ({"Status": "ACCOUNT_SUSPENDED"}, Refused(Scope.ACCOUNT, "ses-suspended", "ACCOUNT_SUSPENDED")),
        (
            {"Status": "ACCOUNT_SENDING_PAUSED"},
            Refused(Scope.ACCOUNT, "ses-paused", "ACCOUNT_SENDING_PAUSED"),
        ),
        (
            {"Status": "CONFIGURATION_SET_SENDING_PAUSED"},
            Refused(Scope.CAMPAIGN, "configuration-set-paused", "CONFIGURATION_SET_SENDING_PAUSED"),
        ),
        (
            {"Status": "CONFIGURATION_SET_NOT_FOUND"},
            Refused(Scope.CAMPAIGN, "configuration-set-missing", "CONFIGURATION_SET_NOT_FOUND"),
        ),
        (
            {"Status": "MAIL_FROM_DOMAIN_NOT_VERIFIED"},
            Refused(Scope.CAMPAIGN, "not-verified", "MAIL_FROM_DOMAIN_NOT_VERIFIED"),
        ),
        ({"Status": "TEMPLATE_NOT_FOUND"}, Refused(Scope.CAMPAIGN, "not-found", "TEMPLATE_NOT_FOUND")),
        (
            {"Status": "INVALID_SENDING_POOL_NAME"},
            Refused(Scope.CAMPAIGN, "not-found", "INVALID_SENDING_POOL_NAME"),
        ),
        ({"Status": "FAILED", "Error": "?"}, Unknown("entry-failed", "?")),
        ({"Status": "SUCCESS"}, Unknown("entry-failed", "SUCCESS")),
        ({"Status": "SOMETHING_NEW"}, Unknown("entry-failed", "SOMETHING_NEW")),
        ({}, Unknown("entry-failed", "SES said nothing about this entry.")),
    ],
)
def test_each_entrys_status_has_its_outcome(result: dict[str, str], outcome: Outcome) -> None:
    assert bulk.outcome_of(result) == outcome


def test_one_refused_entry_fails_alone() -> None:
    campaign = started(5)
    ses = FakeBulk(p2={"Status": "MESSAGE_REJECTED", "Error": "bad"}, p3={"Status": "FAILED"})
    engine.run(campaign.pk, transport=Bulk(ses))
    assert [state for state, _ in states(campaign)] == ["sent", "sent", "failed", "unknown", "sent"]


def test_a_lost_answer_makes_its_entries_unknown_and_nobody_else() -> None:
    campaign = started(70)

    def lost_once(body: bytes) -> dict[str, Any]:
        request = json.loads(body)
        if len(request["BulkEmailEntries"]) == 20:
            raise boto.ReadTimeoutError(endpoint_url="x")
        return FakeBulk()(body)

    engine.run(campaign.pk, transport=Bulk(lost_once))
    found = [state for state, _ in states(campaign)]
    assert (found.count("unknown"), found.count("sent")) == (20, 50)
    assert Attempt.objects.count() == 70


@pytest.mark.parametrize("answer", [{}, {"BulkEmailEntryResults": []}, {"BulkEmailEntryResults": None}])
def test_an_answer_that_does_not_fit_leaves_all_entries_unknown(answer: dict[str, Any]) -> None:
    campaign = started(3)
    outcomes = Bulk(lambda body: answer).send(mails_of(campaign), lambda: True)
    assert {type(outcome) for outcome in outcomes} == {Unknown} and len(outcomes) == 3


def client_error(code: str, status: int, text: str = "") -> boto.ClientError:
    return boto.ClientError(
        {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "SendBulkEmail",
    )


def test_a_call_that_ses_refuses_as_such_goes_out_one_by_one() -> None:
    campaign = started(3)

    def refused(body: bytes) -> dict[str, Any]:
        raise client_error("BadRequestException", 400, "Something about one entry.")

    ses = FakeSES(
        lambda to: Refused(Scope.RECIPIENT, "bad-request", "this one") if to.startswith("p1") else None
    )
    engine.run(campaign.pk, transport=Bulk(refused, ses))
    assert [state for state, _ in states(campaign)] == ["sent", "failed", "sent"]


def test_a_throttled_or_paused_call_is_that_for_all_its_entries() -> None:
    campaign = started(3)
    mails = mails_of(campaign)

    def raising(error: Exception) -> Any:
        def call(body: bytes) -> dict[str, Any]:
            raise error

        return call

    throttled = Bulk(raising(client_error("TooManyRequestsException", 429))).send(mails, lambda: True)
    assert [outcome.scope for outcome in throttled] == [Scope.THROTTLE] * 3  # type: ignore[union-attr]
    paused = Bulk(raising(client_error("SendingPausedException", 400))).send(mails, lambda: True)
    assert [outcome.code for outcome in paused] == ["ses-paused"] * 3  # type: ignore[union-attr]
    away = Bulk(raising(boto.EndpointConnectionError(endpoint_url="x"))).send(mails, lambda: True)
    assert [outcome.code for outcome in away] == ["unreachable"] * 3  # type: ignore[union-attr]


def test_the_setting_chooses_bulk_for_campaigns_and_never_for_confirmations(settings: Any) -> None:
    settings.SEND_TRANSPORT = "bulk"
    assert isinstance(engine._transport(1), Bulk)
    assert not isinstance(engine._transport(None), Bulk)
    settings.SEND_TRANSPORT = "raw"
    assert not isinstance(engine._transport(1), Bulk)
    assert queue.campaigns_with_due() == []
