"""Who is let through the sign-up forms. The figures are those of a real attack: 9,000 sign-ups for one address."""

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Least

from mailinglist import (
    captcha,
    erasure,
    fill_time,
    form_numbers,
    form_steps,
    gate,
    mail_domains,
    sign_up_counts,
    subscriptions,
)
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.gate import Answer, Scope
from mailinglist.models import (
    AskedAddress,
    Change,
    Delivery,
    FormStep,
    MailingList,
    SignUpCount,
    Subscriber,
    Subscription,
)
from mailinglist.subscriptions import Consent, SignUp
from tests.factories import make_list, make_subscriber
from tests.mailinglist.puzzles import solve

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
Step = FormStep.Step


@pytest.fixture
def news() -> MailingList:
    return make_list("news")


@pytest.fixture(autouse=True)
def small(settings: Any) -> None:
    """The ladder of a form with fewer rungs to climb than the defaults."""
    settings.SIGNUP_CAPTCHA_FROM, settings.SIGNUP_PER_FORM, settings.SIGNUP_CLOSE_FROM = 20, 40, 60
    settings.SIGNUP_MIN_SECONDS = 2


def ask(news: MailingList, email: str = "ada@post.example", *, at: datetime = NOON, **values: Any) -> Answer:
    given = {"ip": "198.51.100.7", "filled_seconds": 9.0, "captcha_solution": "", "trapped": False}
    return gate.ask(news, gate.Request(email, **{**given, **values}), now=at)


def sign_up(news: MailingList, email: str = "ada@post.example", *, at: datetime = NOON) -> SignUp:
    consent = Consent(at=at)
    by = Actor(Kind.PERSON)
    return subscriptions.subscribe(news, email, consent=consent, source="form", by=by, by_stranger=True)


def flood(news: MailingList, number: int, *, at: datetime = NOON, solutions: bool = False) -> list[Answer]:
    """As many people, each from a network and with a domain of their own."""
    return [
        ask(
            news,
            f"a@d{person}.example",
            at=at,
            ip=f"11.{person // 250}.{person % 250}.1",
            captcha_solution=solve(news, at) if solutions else "",
        )
        for person in range(number)
    ]


class TestOneAddress:
    def test_nine_thousand_sign_ups_for_one_address_are_one_mail_in_24_hours(self, news: MailingList) -> None:
        # One of 180 is made; the others are added to the counts in between.
        for number in range(0, 9000, 180):
            at = NOON + timedelta(seconds=9 * number)
            if ask(news, at=at, ip=f"11.{number // 250}.{number % 250}.1") is Answer.ADMIT:
                sign_up(news, at=at)
            multiply_counts(180)
        assert Delivery.objects.count() == 1

    def test_without_the_gate_too_one_address_gets_one_mail_a_day_and_three_ever(self) -> None:
        lists = [make_list(f"list{number}") for number in range(4)]
        with time_machine.travel(NOON, tick=False) as clock:
            for _ in range(20):
                for each in lists[:3]:
                    sign_up(each, at=datetime.now(UTC))
                clock.shift(timedelta(hours=6))
            assert Delivery.objects.count() == 3
            assert sign_up(lists[-1], at=datetime.now(UTC)) == SignUp.ADDRESS_LIMIT
        assert Subscription.objects.count() <= 3, "nothing is stored behind the limit"

    def test_who_answers_may_join_the_next_list_on_the_same_day(self, news: MailingList) -> None:
        assert sign_up(news) == SignUp.CONFIRMATION_SENT
        other = make_list("other")
        assert sign_up(other) == SignUp.ADDRESS_LIMIT
        subscriptions.confirm(Subscriber.objects.get(), news, ip=None, by=SYSTEM)
        assert sign_up(other) == SignUp.CONFIRMATION_SENT

    def test_an_erased_person_is_not_asked_from_the_beginning(self, news: MailingList) -> None:
        sign_up(news)
        erasure.forget(Subscriber.objects.get().pk, by=SYSTEM, why="They asked for it.")
        assert sign_up(news, at=NOON + timedelta(hours=1)) == SignUp.ADDRESS_LIMIT
        assert "ada" not in AskedAddress.objects.get().key
        assert not Subscriber.objects.exists(), "the address is not back in the database"

    @pytest.mark.parametrize(
        ("first", "second", "outcome"),
        [
            ("ada@post.example", "ada+1@post.example", SignUp.ADDRESS_LIMIT),
            ("ada+1@post.example", "ADA+2@post.example", SignUp.ADDRESS_LIMIT),
            ("ada.love@gmail.com", "adalove+x@googlemail.com", SignUp.ADDRESS_LIMIT),
            ("ada.love@post.example", "adalove@post.example", SignUp.CONFIRMATION_SENT),
            ("+1@post.example", "+2@post.example", SignUp.CONFIRMATION_SENT),
        ],
    )
    def test_plus_tags_bring_one_mailbox_no_more_mails(
        self, news: MailingList, first: str, second: str, outcome: SignUp
    ) -> None:
        consent = Consent(at=NOON)
        for email, expected in ((first, SignUp.CONFIRMATION_SENT), (second, outcome)):
            told = subscriptions.subscribe(
                news, email, consent=consent, source="form", by=SYSTEM, by_stranger=True
            )
            assert told == expected
        assert Subscriber.objects.count() == Delivery.objects.count()

    def test_a_manager_is_not_held_back(self, news: MailingList) -> None:
        sign_up(news)
        other = make_list("other")
        by_hand = subscriptions.subscribe(
            other, "ada@post.example", consent=Consent(at=NOON), source="manager", by=SYSTEM
        )
        assert by_hand == SignUp.CONFIRMATION_SENT


class TestNetworks:
    def test_ten_thousand_addresses_from_one_network_get_ten_and_a_visitor_elsewhere_gets_through(
        self, news: MailingList
    ) -> None:
        found = []
        for number in range(100):
            found.append(ask(news, f"a{number}@d{number}.example", ip=f"203.0.113.{number}"))
            multiply_counts(100)
        assert found == [Answer.ADMIT] + [Answer.NETWORK] * 99
        row = SignUpCount.objects.get(scope="network")
        assert row.asked >= 10_000 and row.passed == 10
        assert ask(news, "honest@post.example", ip="198.51.100.7") is Answer.ADMIT
        assert form_steps.of(news.pk) is None, "a flood from one network closes no form"
        assert not SignUpCount.objects.filter(key__contains="203").exists()

    @pytest.mark.parametrize(
        ("ip", "network"),
        [
            ("203.0.113.77", "203.0.113.0/24"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("127.0.0.1", ""),
            ("::1", ""),
        ],
    )
    def test_a_network_is_24_bits_of_ipv4_and_64_of_ipv6(self, ip: str, network: str) -> None:
        assert gate.network(ip) == network

    def test_who_asks_too_often_makes_us_ask_the_dns_no_more(
        self, news: MailingList, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.SIGNUP_CHECK_MX = True
        asked: list[str] = []

        def answers(domain: str) -> tuple[bool, bool]:
            asked.append(domain)
            return domain.startswith("d"), True

        monkeypatch.setattr(mail_domains, "_asked", answers)
        monkeypatch.setattr(mail_domains, "_kept", OrderedDict())
        found = [ask(news, f"a@d{number}.org") for number in range(12)]
        assert found == [Answer.ADMIT] * 10 + [Answer.NETWORK] * 2
        assert len(asked) == 10
        assert [ask(news, "a@gone.org", ip="203.0.113.7") for _ in "ab"] == [Answer.NO_DOMAIN] * 2
        assert ask(news, "b@d0.org", ip="203.0.113.7") is Answer.ADMIT
        assert len(asked) == 11, "an answer is kept"
        counted = SignUpCount.objects.filter(
            scope="domain", key=sign_up_counts.hidden(Scope.DOMAIN, "gone.org")
        )
        assert not counted.exists(), "a domain that takes no mail is not counted"

    def test_one_network_holds_for_all_forms_together(self, news: MailingList) -> None:
        other = make_list("other")
        found = [ask(each, f"a@d{number}.example") for number in range(10) for each in (news, other)]
        assert found.count(Answer.ADMIT) == 10

    def test_visitors_of_an_unknown_network_share_one(self, news: MailingList) -> None:
        assert [ask(news, f"a@d{number}.example", ip=None) for number in range(12)].count(Answer.ADMIT) == 10


def test_one_domain_gets_so_many_an_hour_and_a_large_provider_more(news: MailingList, settings: Any) -> None:
    settings.SIGNUP_PER_DOMAIN, settings.SIGNUP_CAPTCHA_FROM = 3, 40
    company = [ask(news, f"p{n}@bombed.example", ip=f"11.1.{n}.1") for n in range(5)]
    assert company == [Answer.ADMIT] * 3 + [Answer.DOMAIN] * 2
    assert {ask(news, f"p{n}@gmail.com", ip=f"11.2.{n}.1") for n in range(20)} == {Answer.ADMIT}


class TestFillTime:
    @pytest.mark.parametrize(
        ("seconds", "answer"),
        [
            (None, Answer.NO_STAMP),
            (0.0, Answer.TOO_QUICK),
            (1.9, Answer.TOO_QUICK),
            (2.0, Answer.ADMIT),
            (86400.0, Answer.ADMIT),
        ],
    )
    def test_who_is_too_quick_is_asked_again(
        self, news: MailingList, seconds: float | None, answer: Answer
    ) -> None:
        assert ask(news, filled_seconds=seconds) is answer
        assert bool(answer.sentence) == (answer is not Answer.ADMIT)

    def test_a_solved_captcha_says_more_than_a_time(self, news: MailingList) -> None:
        with time_machine.travel(NOON):
            assert ask(news, filled_seconds=None, captcha_solution=solve(news, NOON)) is Answer.ADMIT

    def test_a_stamp_tells_the_seconds_and_is_nobody_elses(self) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            stamp = fill_time.stamp()
            clock.shift(3.5)
            assert fill_time.seconds(stamp) == 3.5
            assert fill_time.seconds(stamp[:-1]) is None
            assert fill_time.seconds("") is None and fill_time.seconds("\x00:::") is None
            clock.shift(fill_time.OLDEST_SECONDS)
            assert fill_time.seconds(stamp) is None


def test_the_trap_is_answered_as_ever_and_counted(news: MailingList) -> None:
    answer = ask(news, trapped=True)
    assert answer is Answer.TRAP and answer.silent and not answer.sentence
    lines = {line.label: line.count for line in form_numbers.of(news.pk, now=NOON).lines}
    assert lines["Programs in the trap"] == 1


class TestCaptcha:
    def test_a_solution_counts_once_and_for_its_list(self, news: MailingList) -> None:
        with time_machine.travel(NOON):
            solution = solve(news, NOON)
            assert not captcha.solved(make_list("other"), solution, now=NOON)
            assert captcha.solved(news, solution, now=NOON)
            assert not captcha.solved(news, solution, now=NOON)

    def test_a_solution_is_too_late_after_two_hours(self, news: MailingList) -> None:
        solution = solve(news, NOON)
        later = NOON + captcha.LASTS
        with time_machine.travel(later):
            assert not captcha.solved(news, solution, now=later)

    @pytest.mark.parametrize("garbage", ["", "x", "e30=", "bnVsbA==", "W10=", "\x00", "A" * 5000, "W" * 3999])
    def test_garbage_is_no_solution(self, news: MailingList, garbage: str) -> None:
        assert not captcha.solved(news, garbage, now=NOON)


class TestSteps:
    def test_a_burst_closes_a_form_by_steps_and_by_itself_it_opens_again(self, news: MailingList) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            assert set(flood(news, 20)) == {Answer.ADMIT}
            assert step(news) == Step.CAPTCHA
            assert ask(news, ip="12.0.0.1") is Answer.CAPTCHA
            later = NOON + timedelta(minutes=1)
            found = flood(news, 40, at=later, solutions=True)
            assert found == [Answer.ADMIT] * 20 + [Answer.FULL] * 20
            assert step(news) == Step.CLOSED
            assert ask(news, ip="12.0.0.1", at=later, captcha_solution=solve(news, later)) is Answer.CLOSED
            clock.shift(timedelta(minutes=33))
            assert gate.step(news, now=datetime.now(UTC)) != FormStep.Step.CLOSED
            assert ask(news, ip="12.0.0.1", at=datetime.now(UTC)) is Answer.CAPTCHA
            now = datetime.now(UTC)
            assert ask(news, ip="12.0.0.2", at=now, captcha_solution=solve(news, now)) is Answer.ADMIT
            assert step(news) == Step.CAPTCHA, "what came before it was closed counts no more"
            clock.shift(timedelta(minutes=61))
            form_steps.settle()
            assert step(news) == Step.OPEN
            assert ask(news, ip="12.0.0.1", at=datetime.now(UTC)) is Answer.ADMIT
        steps = list(Change.objects.filter(noun="list").order_by("pk").values_list("before", "after"))
        assert steps == [
            ("form open", "form asks for a captcha"),
            ("form asks for a captcha", "form takes only so many an hour"),
            ("form takes only so many an hour", "form closed for a while"),
            ("form closed for a while", "form asks for a captcha"),
            ("form asks for a captcha", "form open"),
        ]
        assert Change.objects.filter(noun="list", list=news, actor="system").count() == 5

    def test_it_stays_where_it_is_while_the_burst_goes_on(self, news: MailingList) -> None:
        flood(news, 25)
        form_steps.settle(now=NOON + timedelta(minutes=11))
        assert step(news) == Step.CAPTCHA
        form_steps.settle(now=NOON + timedelta(minutes=90))
        assert step(news) == Step.OPEN

    def test_who_brings_no_captcha_does_not_close_the_form(self, news: MailingList) -> None:
        flood(news, 20)
        assert set(flood(news, 200, at=NOON + timedelta(seconds=5))) == {Answer.CAPTCHA}
        assert step(news) == Step.CAPTCHA

    def test_a_burst_on_one_form_leaves_the_others_alone(self, news: MailingList) -> None:
        flood(news, 25)
        assert ask(make_list("other"), ip="12.0.0.1") is Answer.ADMIT

    def test_a_manager_opens_it_at_once_and_is_written_down(self, news: MailingList) -> None:
        flood(news, 25)
        by = Actor(Kind.USER)
        now = NOON + timedelta(seconds=30)
        assert form_steps.open_again(news.pk, by=by, now=now)
        assert not form_steps.open_again(news.pk, by=by, now=now)
        assert ask(news, ip="12.0.0.1", at=now) is Answer.ADMIT
        assert step(news) == Step.OPEN
        assert Change.objects.latest("pk").actor == "user"

    def test_after_a_manager_opened_it_a_new_burst_closes_it_again(self, news: MailingList) -> None:
        flood(news, 25)
        now = NOON + timedelta(seconds=30)
        form_steps.open_again(news.pk, by=Actor(Kind.USER), now=now)
        people = [ask(news, f"b@e{n}.example", ip=f"12.1.{n}.1", at=now) for n in range(20)]
        assert set(people) == {Answer.ADMIT}
        assert step(news) == Step.CAPTCHA


def test_the_limits_survive_a_process_that_starts_anew(news: MailingList) -> None:
    for number in range(10):
        ask(news, f"a@d{number}.example")
    assert ask(news, "b@other.example") is Answer.NETWORK
    assert {row.scope for row in SignUpCount.objects.all()} == {"network", "domain", "form", "answer"}


def test_the_manager_sees_what_was_held_back(news: MailingList) -> None:
    for number in range(13):
        ask(news, f"a@d{number}.example")
    make_subscriber("ada@post.example")
    numbers = form_numbers.of(news.pk, now=NOON)
    assert numbers.step == Step.OPEN and numbers.held_back == 3
    assert numbers.lines[0].count == 10


def multiply_counts(times: int) -> None:
    """What the latest request counted, as if ``times`` like it had come from the same networks."""
    SignUpCount.objects.filter(scope="network").update(
        asked=F("asked") + times - 1, passed=Least(F("asked") + times - 1, settings.SIGNUP_PER_NETWORK)
    )


def step(news: MailingList) -> FormStep.Step:
    return Step(FormStep.objects.get(pk=news.pk).step)
