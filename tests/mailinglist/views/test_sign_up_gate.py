"""What visitors see of the gate: the usual answer behind a limit, a sentence where they can do something."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from mailinglist import fill_time, form_numbers, mail_domains, subscriptions, suppression
from mailinglist.changes import SYSTEM
from mailinglist.models import Delivery, FormStep, MailingList, Subscriber, Suppression
from tests.factories import make_list, make_subscriber
from tests.mailinglist import dns_server
from tests.mailinglist.puzzles import solve
from tests.mailinglist.views.visits import pending, sign_up

pytestmark = pytest.mark.django_db
CHECK_MAIL = "/lists/news/check-your-mail"


@pytest.fixture
def news() -> MailingList:
    return make_list("news")


def press(news: MailingList, step: FormStep.Step) -> None:
    now = timezone.now()
    later = now + timedelta(minutes=30)
    FormStep.objects.create(list=news, step=step, since=now, until=later, counted_from=now)


def told(answer: HttpResponse) -> str:
    """The page without what differs from request to request."""
    text = answer.content.decode()
    text = re.sub(r'name="(csrfmiddlewaretoken|stamp)" value="[^"]*"', "", text)
    return re.sub(r'challenge="[^"]*"', "", text)


def everybody(news: MailingList) -> list[str]:
    """A known, a waiting, a suppressed, a leaving, a limited and an unknown address."""
    make_subscriber("known@post.example", news)
    pending("pending@post.example", news)
    blocked = make_subscriber("blocked@post.example")
    suppression.suppress(blocked.pk, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why="Spam report.")
    left = make_subscriber("left@post.example", news)
    subscriptions.unsubscribe(left.pk, reason="page", by=SYSTEM, why="Left.")
    pending("limited@post.example", make_list("other"))
    names = ("known", "pending", "blocked", "left", "limited", "never-seen")
    return [f"{name}@post.example" for name in names]


@pytest.mark.parametrize("step", [None, *FormStep.Step])
@pytest.mark.parametrize("stamped", [True, False])
def test_the_answer_is_the_same_for_every_address_at_every_step(
    client: Client, news: MailingList, step: FormStep.Step | None, stamped: bool
) -> None:
    people = everybody(news)
    if step is not None:
        press(news, step)
    answers = set()
    for email in people:
        answer = sign_up(client, email, **({} if stamped else {"stamp": ""}))
        page = told(answer).replace(email, "ADDRESS")
        answers.add((answer.status_code, answer.get("Location"), page, str(sorted(answer.headers))))
    assert len(answers) == 1


def test_behind_the_limit_of_a_network_the_answer_is_the_same_and_nothing_is_stored(
    client: Client, news: MailingList
) -> None:
    def visit(number: int, ip: str) -> HttpResponse:
        sent = {"email": f"a{number}@d{number}.example", "stamp": fill_time.stamp()}
        return client.post("/lists/news/subscribe", sent, REMOTE_ADDR=ip)

    answers = [visit(number, f"203.0.113.{number}") for number in range(12)]
    assert {(one.status_code, one["Location"], one.content) for one in answers} == {(302, CHECK_MAIL, b"")}
    assert (Subscriber.objects.count(), Delivery.objects.count()) == (10, 10)
    visit(99, "198.51.100.1")
    assert Subscriber.objects.filter(email="a99@d99.example").exists()
    assert form_numbers.of(news.pk, now=timezone.now()).held_back == 2


def test_behind_the_limit_of_an_address_nothing_is_mailed_and_it_is_counted(
    client: Client, news: MailingList
) -> None:
    make_list("other")
    sign_up(client, "ada@post.example")
    assert sign_up(client, "ada@post.example", "other")["Location"] == "/lists/other/check-your-mail"
    assert Delivery.objects.count() == 1
    other = MailingList.objects.get(slug="other")
    assert form_numbers.of(other.pk, now=timezone.now()).held_back == 1


class TestFillTime:
    def test_who_is_too_quick_is_asked_again_and_gets_through(
        self, client: Client, news: MailingList, settings: Any
    ) -> None:
        settings.SIGNUP_MIN_SECONDS = 2
        page = sign_up(client, "ada@post.example", name="Ada").content.decode()
        assert "Please press the button once more." in page
        assert 'value="ada@post.example"' in page and 'value="Ada"' in page
        assert not Subscriber.objects.exists()
        settings.SIGNUP_MIN_SECONDS = 0
        again = re.search(r'name="stamp" value="([^"]+)"', page)
        assert again is not None
        assert sign_up(client, "ada@post.example", stamp=again[1])["Location"] == CHECK_MAIL

    def test_a_page_from_a_cache_without_cookies_still_works(self, news: MailingList) -> None:
        page = Client().get("/lists/news/subscribe").content.decode()
        stamp = re.search(r'name="stamp" value="([^"]+)"', page)
        assert stamp is not None
        for person in ("ada", "bob"):
            assert sign_up(Client(), f"{person}@post.example", stamp=stamp[1])["Location"] == CHECK_MAIL

    def test_a_form_without_the_time_is_asked_again_with_one(self, client: Client, news: MailingList) -> None:
        page = sign_up(client, "ada@post.example", stamp="").content.decode()
        assert "Please press the button once more." in page
        stamp = re.search(r'name="stamp" value="([^"]+)"', page)
        assert stamp is not None and fill_time.seconds(stamp[1]) is not None


class TestUnderPressure:
    def test_the_page_brings_the_captcha_under_a_policy_of_its_own(
        self, client: Client, news: MailingList
    ) -> None:
        make_list("calm")
        press(news, FormStep.Step.CAPTCHA)
        answer = client.get("/lists/news/subscribe")
        page = answer.content.decode()
        assert "<altcha-widget" in page and "come back in an hour" in page
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self'; worker-src 'self'" in policy and "unsafe" not in policy
        assert "{#" not in page
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", page)
        calm = client.get("/lists/calm/subscribe")
        assert "<script" not in calm.content.decode()
        assert "script-src 'none'" in calm["Content-Security-Policy"]

    def test_with_a_solution_it_works_and_the_same_one_never_again(
        self, client: Client, news: MailingList
    ) -> None:
        press(news, FormStep.Step.CAPTCHA)
        assert "captcha" in sign_up(client, "ada@post.example").content.decode()
        solution = solve(news, timezone.now())
        assert sign_up(client, "ada@post.example", altcha=solution)["Location"] == CHECK_MAIL
        assert sign_up(client, "bob@post.example", altcha=solution).status_code == 200
        assert Subscriber.objects.count() == 1

    def test_a_mistake_in_the_form_does_not_use_up_the_solution(
        self, client: Client, news: MailingList
    ) -> None:
        press(news, FormStep.Step.CAPTCHA)
        solution = solve(news, timezone.now())
        page = sign_up(client, "ada", altcha=solution).content.decode()
        assert f'name="altcha" value="{solution}"' in page and "<altcha-widget" not in page
        assert sign_up(client, "ada@post.example", altcha=solution)["Location"] == CHECK_MAIL

    def test_a_closed_form_says_when_to_come_back(self, client: Client, news: MailingList) -> None:
        press(news, FormStep.Step.CLOSED)
        for answer in (client.get("/lists/news/subscribe"), sign_up(client, "ada@post.example")):
            page = answer.content.decode()
            assert "Please try again in an hour." in page and "<form" not in page
        assert not Subscriber.objects.exists()


class TestDomains:
    def test_a_mistyped_domain_is_asked_about(self, client: Client, news: MailingList) -> None:
        page = sign_up(client, "Ada@gmial.com", name="Ada").content.decode()
        assert "Did you mean <strong>Ada@gmail.com</strong>?" in page
        assert 'name="email" value="Ada@gmail.com"' in page and 'name="name" value="Ada"' in page
        assert not Subscriber.objects.exists()

    def test_who_keeps_it_as_typed_gets_through(self, client: Client, news: MailingList) -> None:
        page = sign_up(client, " Ada@GMIAL.com").content.decode()
        keep = re.search(r'name="keep" value="([^"]+)"', page)
        assert keep is not None
        assert sign_up(client, keep[1], keep=keep[1])["Location"] == CHECK_MAIL
        assert Subscriber.objects.get().email == "Ada@gmial.com"

    def test_to_keep_one_address_is_not_to_keep_another(self, client: Client, news: MailingList) -> None:
        page = sign_up(client, "ada@hotmial.com", keep="ada@gmial.com").content.decode()
        assert "Did you mean" in page

    def test_what_is_suggested_is_escaped(self, client: Client, news: MailingList) -> None:
        page = sign_up(client, "o'a&b@gmial.com").content.decode()
        assert "o&#x27;a&amp;b@gmail.com" in page and "o'a&b@" not in page

    def test_a_throw_away_mailbox_is_refused_in_words(self, client: Client, news: MailingList) -> None:
        page = sign_up(client, "ada@mailinator.com").content.decode()
        assert "Mailboxes at mailinator.com are thrown away." in page
        assert not Subscriber.objects.exists()

    def test_a_domain_that_does_not_exist_is_refused_in_words(
        self, client: Client, news: MailingList, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mail_domains, "_kept", type(mail_domains._kept)())
        with dns_server.running() as server:
            settings.SIGNUP_CHECK_MX, settings.SIGNUP_DNS_SERVER = True, server.address
            page = sign_up(client, "ada@gone.net").content.decode()
            assert sign_up(client, "ada@acme.net")["Location"] == CHECK_MAIL
        assert "takes no mail. Please check the spelling." in page[page.index('id="id_email_error"') :]
        assert [row.email for row in Subscriber.objects.all()] == ["ada@acme.net"]
