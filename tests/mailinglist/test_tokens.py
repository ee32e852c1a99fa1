"""Links and tags: valid for what they were made, for nothing and nobody else."""

import random
from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.utils import timezone

from mailinglist import tokens
from mailinglist.models import MailingList, Subscriber, Subscription
from tests.factories import make_list, make_subscriber


@pytest.fixture
def cast(db: None) -> tuple[Subscriber, MailingList, Subscription]:
    news = make_list("news")
    ada = make_subscriber("ada@post.example", news)
    return ada, news, ada.subscriptions.get()


def links(cast: tuple[Subscriber, MailingList, Subscription]) -> dict[str, str]:
    ada, news, row = cast
    urls = {
        "unsubscribe": tokens.unsubscribe_url(ada, news),
        "preferences": tokens.preferences_url(ada, news),
        "confirm": tokens.confirm_url(row),
        "data": tokens.data_url(ada, news),
    }
    return {purpose: url.rpartition("/")[2] for purpose, url in urls.items()}


def test_a_link_names_its_person_and_list(cast: tuple[Subscriber, MailingList, Subscription]) -> None:
    for purpose, token in links(cast).items():
        assert tokens.read_link(purpose, token) == cast[:2]


def test_a_link_of_one_purpose_is_refused_for_another(
    cast: tuple[Subscriber, MailingList, Subscription],
) -> None:
    for made_for, token in links(cast).items():
        for purpose in {"unsubscribe", "preferences", "confirm", "data"} - {made_for}:
            with pytest.raises(tokens.BadToken):
                tokens.read_link(purpose, token)


def test_no_changed_link_is_accepted(cast: tuple[Subscriber, MailingList, Subscription]) -> None:
    chance = random.Random(7)
    signs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:."
    for purpose, token in links(cast).items():
        for _ in range(300):
            at = chance.randrange(len(token))
            changed = token[:at] + chance.choice(signs) + token[at + 1 :]
            # The last letter of unpadded base64 has bits that mean nothing; the same signature is no forgery.
            if changed == token or at == len(token) - 1:
                continue
            with pytest.raises(tokens.BadToken):
                tokens.read_link(purpose, changed)
        for short in ("", token[:-1], token + "x", "x" * 5000):
            with pytest.raises(tokens.BadToken):
                tokens.read_link(purpose, short)


def test_a_link_to_somebody_who_was_erased_is_refused(
    cast: tuple[Subscriber, MailingList, Subscription],
) -> None:
    made = links(cast)
    cast[0].delete()
    for purpose, token in made.items():
        with pytest.raises(tokens.BadToken, match="not valid any more"):
            tokens.read_link(purpose, token)


def test_links_hold_no_database_id_and_no_address(cast: tuple[Subscriber, MailingList, Subscription]) -> None:
    for token in links(cast).values():
        assert "ada" not in token and "post.example" not in token
        assert token.startswith(f"{cast[0].token}.{cast[1].token}")


def test_only_a_confirmation_link_becomes_too_old(
    cast: tuple[Subscriber, MailingList, Subscription], monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    made = links(cast)
    later = timezone.now() + timedelta(days=settings.CONFIRM_TOKEN_DAYS, minutes=1)  # type: ignore[attr-defined]
    monkeypatch.setattr(signing.time, "time", later.timestamp)
    with pytest.raises(tokens.BadToken, match="too old"):
        tokens.read_link("confirm", made["confirm"])
    assert tokens.read_link("unsubscribe", made["unsubscribe"]) == cast[:2]


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_link_of_a_machine_whose_clock_is_five_minutes_off_is_valid(
    cast: tuple[Subscriber, MailingList, Subscription], minutes: int
) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        made = links(cast)
    for purpose, token in made.items():
        assert tokens.read_link(purpose, token) == cast[:2]


def test_a_changed_secret_keeps_old_links_and_tags_while_it_is_a_fallback(
    cast: tuple[Subscriber, MailingList, Subscription], settings: object
) -> None:
    made, tag = links(cast), tokens.sign_delivery(5, 2)
    old = settings.SECRET_KEY  # type: ignore[attr-defined]
    settings.SECRET_KEY = "another-secret-key-of-enough-length-for-a-test"  # type: ignore[attr-defined]
    settings.SECRET_KEY_FALLBACKS = [old]  # type: ignore[attr-defined]
    assert tokens.read_link("unsubscribe", made["unsubscribe"]) == cast[:2]
    assert tokens.read_delivery(tag) == (5, 2)
    settings.SECRET_KEY_FALLBACKS = []  # type: ignore[attr-defined]
    assert tokens.read_delivery(tag) is None
    with pytest.raises(tokens.BadToken):
        tokens.read_link("unsubscribe", made["unsubscribe"])


@pytest.mark.parametrize(("delivery", "attempt"), [(1, 1), (2**63 - 1, 12)])
def test_a_delivery_tag_names_its_delivery_and_attempt(delivery: int, attempt: int) -> None:
    tag = tokens.sign_delivery(delivery, attempt)
    assert tokens.read_delivery(tag) == (delivery, attempt)
    assert set(tag) <= set("0123456789abcdef-")


@pytest.mark.parametrize(
    "value", ["", "-", "1-1-", "1-1-00000000000000000000", "a-b-c", "1-1-é", "1", "1-1-" + "0" * 9999]
)
def test_a_forged_delivery_tag_is_not_ours(value: str) -> None:
    assert tokens.read_delivery(value) is None


def test_a_tag_of_one_delivery_is_not_one_of_another() -> None:
    signature = tokens.sign_delivery(7, 1).rpartition("-")[2]
    assert tokens.read_delivery(f"8-1-{signature}") is None
    assert tokens.read_delivery(f"7-2-{signature}") is None
