"""One person, however the address is spelled and wherever it comes in; and what SES cannot carry comes in nowhere."""

import io
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bounces import undo
from mailinglist import subscriptions, suppression
from mailinglist.addresses import BadAddress, normalise
from mailinglist.changes import SYSTEM
from mailinglist.forms import SignUpForm
from mailinglist.imports import import_csv
from mailinglist.models import Delivery, MailingList, Subscriber, Subscription, Suppression
from mailinglist.models.validators import sender_address
from mailinglist.staff import find_subscribers
from mailinglist.subscriptions import Consent, SignUp
from tests.factories import make_list, make_subscriber

#: Spellings of one address: case, IDN in letters (NFC and NFD) and as A-label, the dot of the DNS root, spaces.
SPELLINGS = (
    "user@exämple.com",
    "user@exa\u0308mple.com",
    "User@EXÄMPLE.com",
    "USER@xn--exmple-cua.com",
    " user@exämple.com. ",
)
KEY = "user@xn--exmple-cua.com"
#: What is refused → why (D2: letters that SES cannot carry; D3: no real domain, or too long; D5: more than one).
REFUSED = {
    "jörg@post.example": "SMTPUTF8",
    "用户@post.example": "SMTPUTF8",
    "user@[127.0.0.1]": "IP literal",
    "user@[IPv6:::1]": "IP literal",
    "user@localhost": "no dot",
    "a" * 65 + "@post.example": "65 in the local part",
    "user@" + "post." * 50 + "example": "over 254",
    "a@x.example,b@y.example": "two",
    "a@x.example;b@y.example": "two",
    "a@x.example>b@y.example": "CVE-2023-27043",
    "a@x.example b@y.example": "two",
    "Name <a@x.example>": "a display name",
    '"a@x.example" <b@y.example>': "a display name that is an address",
    "a@x.example(b@y.example)": "a comment",
    "<a@x.example>": "angle brackets",
    "@x.example:b@y.example": "a source route",
    "a@x.example\nBcc: b@y.example": "a header",
}
locals_ = st.from_regex(r"[A-Za-z0-9+_-]{1,20}(\.[A-Za-z0-9+_-]{1,10})?", fullmatch=True)
labels = st.text("abcäöüßéøñ", min_size=1, max_size=10)


@hypothesis_settings(max_examples=40)
@given(locals_, st.lists(labels, min_size=1, max_size=3))
def test_the_key_of_a_key_is_the_key_in_any_spelling(local: str, names: list[str]) -> None:
    text = f"{local}@{'.'.join(names)}.com"
    found = normalise(text)
    assert normalise(found.key).key == found.key == normalise(found.as_written).key
    assert normalise(f" {local.upper()}@{'.'.join(names)}.COM. ").key == found.key


@pytest.fixture
def news(db: None) -> MailingList:
    return make_list()


def by_form(news: MailingList, text: str) -> None:
    form = SignUpForm({"email": text})
    if form.is_valid():
        consent = Consent(at=timezone.now())
        subscriptions.subscribe(news, form.cleaned_data["email"], consent=consent, source="form", by=SYSTEM)


def by_function(news: MailingList, text: str) -> None:
    try:
        subscriptions.get_or_create_subscriber(text)
    except BadAddress:
        return


def by_import(news: MailingList, text: str) -> None:
    quoted = text.replace('"', '""')
    import_csv(news.pk, io.BytesIO(f'email\n"{quoted}"\n'.encode()), by=SYSTEM)


def by_admin(news: MailingList, text: str) -> None:
    client = Client()
    client.force_login(User.objects.get_or_create(username="r", is_superuser=True, is_staff=True)[0])
    client.post(reverse("admin:mailinglist_subscriber_add"), {"email": text, "name": ""})


def by_suppressing(news: MailingList, text: str) -> None:
    client = Client()
    client.force_login(User.objects.get_or_create(username="r", is_superuser=True, is_staff=True)[0])
    client.post(reverse("admin:mailinglist_suppression_add"), {"email": text, "why": "Asked by phone."})


ENTRANCES = [by_form, by_function, by_import, by_admin, by_suppressing]


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_all_spellings_are_one_person_at_every_entrance(
    news: MailingList, entrance: Callable[[MailingList, str], None]
) -> None:
    make_subscriber(SPELLINGS[0])
    for spelling in SPELLINGS:
        entrance(news, spelling)
    assert [row.email_key for row in Subscriber.objects.all()] == [KEY]


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_what_is_no_single_address_comes_in_nowhere(
    news: MailingList, entrance: Callable[[MailingList, str], None]
) -> None:
    for text, why in REFUSED.items():
        entrance(news, text)
        assert not Subscriber.objects.exists(), (text, why)
    assert not Suppression.objects.exists() and not Delivery.objects.exists()


@pytest.mark.parametrize("text", REFUSED, ids=ascii)
def test_a_sender_is_one_address_too(text: str) -> None:
    with pytest.raises(ValidationError):
        sender_address(text)


@pytest.mark.parametrize("text", ["a@x.example,b@y.example", "Name <a@x.example>", "jörg@post.example"])
def test_the_commands_take_no_such_address(news: MailingList, text: str) -> None:
    assert suppression.mirror(text, reason="complaint", since=timezone.now(), by=SYSTEM, why="x") == ""
    assert list(find_subscribers(text)) == []


@hypothesis_settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(SPELLINGS))
def test_a_suppression_in_one_spelling_blocks_all_the_others(news: MailingList, order: list[str]) -> None:
    with transaction.atomic():
        first = subscriptions.get_or_create_subscriber(order[0])
        suppression.suppress(first.pk, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why="Spam report.")
        for spelling in order[1:]:
            consent = Consent(at=timezone.now())
            outcome = subscriptions.subscribe(news, spelling, consent=consent, source="form", by=SYSTEM)
            assert outcome == SignUp.SUPPRESSED
            by_import(news, spelling)
        assert not Subscription.objects.filter(status="confirmed").exists()
        transaction.set_rollback(True)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_staff_find_the_person_by_any_spelling(news: MailingList, spelling: str) -> None:
    person = make_subscriber(SPELLINGS[0])
    assert list(find_subscribers(spelling)) == [person]


@pytest.mark.parametrize(
    "domain", ["exämple.com", "@EXÄMPLE.com", "xn--exmple-cua.com", "exa\u0308mple.com."]
)
def test_a_restore_finds_a_domain_by_any_spelling(news: MailingList, domain: str) -> None:
    person = make_subscriber(SPELLINGS[0])
    assert list(undo._at_domain(domain)) == [person]


def test_a_suppression_of_ses_in_one_spelling_is_the_persons(news: MailingList) -> None:
    person = make_subscriber(SPELLINGS[0])
    suppression.mirror(
        "USER@xn--exmple-cua.com", reason="complaint", since=timezone.now(), by=SYSTEM, why="x"
    )
    assert suppression.is_suppressed(person)


@pytest.mark.parametrize("name", ["Acme\u202e News", "\u200bAcme News", "Acme\u2060 News\ufeff"])
def test_names_of_lists_and_senders_hold_no_invisible_signs(news: MailingList, name: str) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@post.example", "x"))
    values = {
        "name": name,
        "slug": "news",
        "description": "",
        "language": "en",
        "from_name": name,
        "from_email": "news@exämple.com",
        "reply_to": "",
        "postal_address": news.postal_address,
        "configuration_set": "",
        "tracking": "on",
    }
    client.post(reverse("admin:mailinglist_mailinglist_change", args=[news.pk]), values)
    news.refresh_from_db()
    assert (news.name, news.from_name) == ("Acme News", "Acme News")
    assert news.from_email == "news@xn--exmple-cua.com"


def test_a_domain_that_looks_like_another_is_somebody_else_and_is_shown_as_mail_servers_write_it(
    news: MailingList,
) -> None:
    real = subscriptions.get_or_create_subscriber("ada@paypal.com")
    fake = subscriptions.get_or_create_subscriber("ada@p\u0430yp\u0430l.com")
    assert real.pk != fake.pk
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@post.example", "x"))
    for page in (
        reverse("admin:mailinglist_subscriber_changelist"),
        reverse("admin:mailinglist_subscriber_change", args=[fake.pk]),
        reverse("admin:bounces_recipient", args=[fake.pk]),
    ):
        shown = client.get(page).content.decode()
        assert "ada@xn--pypl-53dc.com" in shown and "\u0430" not in shown


def test_a_command_knows_the_person_of_a_file_in_another_spelling(
    news: MailingList, tmp_path: pytest.TempPathFactory
) -> None:
    make_subscriber(SPELLINGS[0])
    file = tmp_path / "people.csv"  # type: ignore[operator]
    file.write_text("email\n" + "\n".join(SPELLINGS[1:]) + "\n")
    call_command("import_subscribers", "news", str(file))
    assert Subscriber.objects.count() == 1
