"""Joining and leaving: who gets a mail, whose word counts, and what can be taken back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mailinglist import addresses, own_details, subscriptions, suppression
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.models import Change, Delivery, MailingList, Subscriber, Subscription, Suppression
from mailinglist.subscriptions import Consent, SignUp
from tests.factories import make_list, make_subscriber

pytestmark = pytest.mark.django_db

PERSON = Actor(Kind.PERSON)
Reason = Subscription.Reason


@pytest.fixture
def news() -> MailingList:
    return make_list("news")


def sign_up(news: MailingList, email: str = "ada@post.example") -> SignUp:
    consent = Consent(timezone.now(), ip="192.0.2.1", user_agent="x" * 300, text="Yes.")
    return subscriptions.subscribe(news, email, consent=consent, source="form", by=PERSON)


def leave(person: Subscriber, reason: str = Reason.PAGE, **values: object) -> int:
    return subscriptions.unsubscribe(person.pk, reason=Reason(reason), by=SYSTEM, why="x", **values)  # type: ignore[arg-type]


def test_a_sign_up_waits_for_its_confirmation_and_keeps_the_evidence(news: MailingList) -> None:
    assert sign_up(news) == SignUp.CONFIRMATION_SENT
    row = Subscription.objects.get()
    assert (row.status, row.consent_ip, row.consent_text) == ("pending", "192.0.2.1", "Yes.")
    assert len(row.consent_user_agent) == 255
    assert Delivery.objects.get().purpose == "confirmation"


def test_a_list_without_double_opt_in_subscribes_at_once() -> None:
    assert sign_up(make_list(double_opt_in=False)) == SignUp.SUBSCRIBED
    assert Subscription.objects.get().status == "confirmed"
    assert not Delivery.objects.exists()


def test_who_had_left_confirms_again_even_there() -> None:
    news = make_list(double_opt_in=False)
    leave(make_subscriber("ada@post.example", news))
    assert sign_up(news) == SignUp.CONFIRMATION_SENT
    row = Subscription.objects.get()
    assert row.status == "pending"


def test_that_somebody_had_left_is_known_until_they_confirm(news: MailingList) -> None:
    person, at = make_subscriber("ada@post.example", news), timezone.now() - timedelta(days=3)
    leave(person, at=at)
    sign_up(news)
    row = Subscription.objects.get()
    assert (row.status, row.unsubscribe_reason, row.unsubscribed_at) == ("pending", "page", at)
    assert subscriptions.confirm(person, news, ip=None, by=PERSON)
    row.refresh_from_db()
    assert (row.status, row.unsubscribe_reason, row.unsubscribed_at) == ("confirmed", "", None)


@pytest.mark.parametrize(("reason", "kept"), [("hard-bounce", "page"), ("page", "page"), ("complaint",) * 2])
def test_who_never_confirmed_again_ends_as_having_left(news: MailingList, reason: str, kept: str) -> None:
    person, at = make_subscriber("ada@post.example", news), timezone.now() - timedelta(days=3)
    leave(person, at=at)
    sign_up(news)
    assert leave(person, reason) == 1
    row = Subscription.objects.get()
    assert (row.status, row.unsubscribe_reason) == ("unsubscribed", kept)
    assert (row.unsubscribed_at == at) == (reason == "hard-bounce")


def test_a_bounce_can_be_taken_back_though_somebody_typed_the_address_meanwhile(news: MailingList) -> None:
    leave(make_subscriber("ada@post.example", news), "hard-bounce")
    sign_up(news)
    assert subscriptions.restore(Subscription.objects.get().pk, by=SYSTEM, why="x").status == "confirmed"
    assert Change.objects.latest("pk").before == "pending"


def test_the_form_sent_many_times_mails_once_a_day(news: MailingList) -> None:
    answers = [sign_up(news, spelling) for spelling in ("ada@post.example", "ADA@POST.example") * 10]
    assert answers[0] == SignUp.CONFIRMATION_SENT
    assert set(answers[1:]) == {SignUp.CONFIRMATION_PENDING}
    assert Delivery.objects.count() == 1
    Delivery.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert sign_up(news) == SignUp.CONFIRMATION_SENT


def test_suppressed_and_subscribed_addresses_get_no_mail(news: MailingList) -> None:
    make_subscriber("ada@post.example", news)
    assert sign_up(news) == SignUp.ALREADY_SUBSCRIBED
    bob = make_subscriber("bob@post.example")
    suppression.suppress(bob.pk, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why="x")
    assert sign_up(news, "bob@post.example") == SignUp.SUPPRESSED
    assert not Delivery.objects.exists()


def test_what_is_no_address_is_refused(news: MailingList) -> None:
    with pytest.raises(addresses.BadAddress):
        sign_up(news, "not an address")
    assert not Subscriber.objects.exists()


def test_confirming_twice_is_confirming_once(news: MailingList) -> None:
    sign_up(news)
    person = Subscriber.objects.get()
    assert subscriptions.confirm(person, news, ip="192.0.2.2", by=PERSON)
    first = Subscription.objects.get()
    assert subscriptions.confirm(person, news, ip="192.0.2.3", by=PERSON)
    assert Subscription.objects.get().confirmed_at == first.confirmed_at
    assert first.confirmed_ip == "192.0.2.2"
    person.refresh_from_db()
    assert person.reset_at == first.confirmed_at
    assert Change.objects.filter(after="confirmed").count() == 1


def test_who_left_meanwhile_has_nothing_to_confirm(news: MailingList) -> None:
    person = make_subscriber()
    assert not subscriptions.confirm(person, news, ip=None, by=PERSON)
    sign_up(news)
    leave(person)
    assert not subscriptions.confirm(person, news, ip=None, by=PERSON)
    assert Subscription.objects.get().status == "unsubscribed"


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("soft-exhausted", "hard-bounce", "hard-bounce"),
        ("hard-bounce", "soft-exhausted", "hard-bounce"),
        ("hard-bounce", "page", "page"),
        ("page", "hard-bounce", "page"),
        ("one-click", "complaint", "complaint"),
        ("complaint", "manager", "complaint"),
        ("import", "hard-bounce", "import"),
        ("import", "manager", "import"),
        ("ses", "hard-bounce", "ses"),
        ("soft-exhausted", "ses", "ses"),
        ("manager", "hard-bounce", "manager"),
    ],
)
def test_the_stronger_reason_is_kept_whichever_came_first(
    news: MailingList, first: str, second: str, kept: str
) -> None:
    person = make_subscriber("ada@post.example", news)
    assert leave(person, first) == 1
    assert leave(person, second) == 0
    assert Subscription.objects.get().unsubscribe_reason == kept


def test_of_two_equal_reasons_the_earlier_time_is_kept(news: MailingList) -> None:
    person, now = make_subscriber("ada@post.example", news), timezone.now()
    for hours in (2, 1, 3):
        leave(person, "hard-bounce", at=now + timedelta(hours=hours))
    assert Subscription.objects.get().unsubscribed_at == now + timedelta(hours=1)


def test_one_list_or_all_can_be_left(news: MailingList) -> None:
    person = make_subscriber("ada@post.example", news, make_list("tips"), make_list("jobs"))
    assert leave(person, list_ids=[news.pk]) == 1
    assert leave(person) == 2
    assert leave(person) == 0


def test_a_restore_brings_back_what_it_was_and_forgives_old_bounces(news: MailingList) -> None:
    sign_up(news)
    person = Subscriber.objects.get()
    leave(person, "soft-exhausted")
    leave(person, "hard-bounce")
    row = subscriptions.restore(Subscription.objects.get().pk, by=SYSTEM, why="x")
    assert (row.status, row.unsubscribe_reason) == ("pending", "")
    person.refresh_from_db()
    assert person.reset_at is not None


@pytest.mark.parametrize("reason", ["page", "one-click", "complaint", "ses", "import"])
def test_a_persons_own_choice_is_not_restored(news: MailingList, reason: str) -> None:
    leave(make_subscriber("ada@post.example", news), reason)
    with pytest.raises(subscriptions.CannotRestore, match="own choice"):
        subscriptions.restore(Subscription.objects.get().pk, by=SYSTEM, why="x")
    assert Subscription.objects.get().status == "unsubscribed"


def test_what_has_not_ended_cannot_be_restored(news: MailingList) -> None:
    make_subscriber("ada@post.example", news)
    with pytest.raises(subscriptions.CannotRestore, match="has not ended"):
        subscriptions.restore(Subscription.objects.get().pk, by=SYSTEM, why="x")


def test_who_was_never_subscribed_is_not_made_a_subscriber_by_a_restore(news: MailingList) -> None:
    person = make_subscriber("ada@post.example", news)
    leave(person, "hard-bounce")
    Change.objects.update(before="")
    with pytest.raises(subscriptions.CannotRestore, match="never subscribed"):
        subscriptions.restore(Subscription.objects.get().pk, by=SYSTEM, why="x")
    assert Subscription.objects.get().status == "unsubscribed"


def test_preferences_change_the_name_and_end_what_is_not_kept(news: MailingList) -> None:
    tips = make_list("tips")
    person = make_subscriber("ada@post.example", news, tips)
    kept = {news.pk}
    assert own_details.change(person, name="Ada", keep_list_ids=kept, by=PERSON) == 1
    assert own_details.change(person, name="Ada", keep_list_ids=kept, by=PERSON) == 0
    person.refresh_from_db()
    assert person.name == "Ada"
    found = dict(Subscription.objects.values_list("list__slug", "status"))
    assert found == {"news": "confirmed", "tips": "unsubscribed"}
    assert Change.objects.filter(noun="subscriber").count() == 1


def test_of_two_sign_ups_of_a_mailbox_at_once_one_gets_a_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other has looked already when the first is committed: here it is told what it saw then."""
    news = make_list()

    def sign_up(email: str) -> SignUp:
        consent = Consent(timezone.now())
        return subscriptions.subscribe(
            news, email, consent=consent, source="form", by=PERSON, by_stranger=True
        )

    assert sign_up("ada+1@post.example") is SignUp.CONFIRMATION_SENT
    look = subscriptions._look
    monkeypatch.setattr(subscriptions, "_look", lambda *args: (look(*args)[0], False, look(*args)[2]))
    assert sign_up("ada+2@post.example") is SignUp.ADDRESS_LIMIT
    assert Delivery.objects.count() == 1
    assert not Subscriber.objects.filter(email_key="ada+2@post.example").exists()
