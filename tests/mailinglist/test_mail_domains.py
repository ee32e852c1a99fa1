"""Whether a domain takes mail: only what a DNS server says for sure refuses, and nobody waits for long."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mailinglist import mail_domains
from mailinglist.mail_domains import is_disposable, may_take_mail
from tests.mailinglist import dns_server
from tests.mailinglist.dns_server import DnsServer


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[DnsServer]:
    monkeypatch.setattr(mail_domains, "_kept", type(mail_domains._kept)())
    settings.SIGNUP_CHECK_MX = True
    with dns_server.running() as server:
        settings.SIGNUP_DNS_SERVER = server.address
        yield server


@pytest.mark.parametrize(
    ("domain", "takes"),
    [
        ("acme.net", True),
        ("gone.net", False),
        ("null.net", False),
        ("bare.net", True),
        ("broken.net", True),
        ("garbage.net", True),
    ],
)
def test_only_a_sure_no_refuses(server: DnsServer, domain: str, takes: bool) -> None:
    assert may_take_mail(domain) is takes
    assert f"{domain}." in server.asked


def test_a_server_that_does_not_answer_costs_a_second_at_most_and_lets_pass(server: DnsServer) -> None:
    begin = time.monotonic()
    assert may_take_mail("silent.net")
    assert time.monotonic() - begin < 1.0 + 0.5, "half a second for a busy machine"


def test_a_server_that_is_away_lets_pass(server: DnsServer, settings: Any) -> None:
    settings.SIGNUP_DNS_SERVER = "127.0.0.1:9"
    assert may_take_mail("gone.net")


def test_a_domain_is_asked_for_once(server: DnsServer) -> None:
    assert [may_take_mail("gone.net") for _ in range(5)] == [False] * 5
    assert [may_take_mail("acme.net") for _ in range(5)] == [True] * 5
    assert sorted(server.asked) == ["acme.net.", "gone.net."]


def test_a_domain_without_an_answer_is_not_waited_for_again(server: DnsServer) -> None:
    may_take_mail("silent.net")
    before = len(server.asked)
    begin = time.monotonic()
    assert may_take_mail("silent.net")
    assert len(server.asked) == before and time.monotonic() - begin < 0.1


def test_a_crowd_does_not_wait_for_the_dns(server: DnsServer) -> None:
    begin = time.monotonic()
    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(may_take_mail, (f"silent.d{number}.net" for number in range(20))))
    assert all(found) and time.monotonic() - begin < 3.0


@pytest.mark.parametrize("domain", ["post.example", "a.test", "gmail.com"])
def test_reserved_names_and_large_providers_are_not_asked_for(server: DnsServer, domain: str) -> None:
    assert may_take_mail(domain)
    assert server.asked == []


def test_nobody_is_asked_where_it_is_switched_off(server: DnsServer, settings: Any) -> None:
    settings.SIGNUP_CHECK_MX = False
    assert may_take_mail("gone.net") and server.asked == []


def test_the_memory_has_an_end(server: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_domains, "_MOST_KEPT", 3)
    for number in range(5):
        may_take_mail(f"d{number}.net")
    assert list(mail_domains._kept) == ["d2.net", "d3.net", "d4.net"]


@pytest.mark.parametrize(
    ("domain", "disposable"),
    [
        ("mailinator.com", True),
        ("anything.mailinator.com", True),
        ("notmailinator.com", False),
        ("post.example", False),
        ("com", False),
    ],
)
def test_throw_away_mailboxes_are_known(domain: str, disposable: bool) -> None:
    assert is_disposable(domain) is disposable


def test_a_setting_adds_to_them(settings: Any) -> None:
    settings.DISPOSABLE_DOMAINS = ["Trash.Example"]
    assert is_disposable("x.trash.example") and is_disposable("mailinator.com")
