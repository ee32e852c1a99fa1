"""Slips of the finger: what is suggested, and what is left alone because it may well be meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailinglist.typos import PROVIDERS, suggestion


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.ocm", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmal.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("hotmal.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("yaho.com", "yahoo.com"),
        ("yahooo.co.uk", "yahoo.co.uk"),
        ("iclod.com", "icloud.com"),
        ("wbe.de", "web.de"),
        ("gxm.net", "gmx.net"),
        ("gmx.ed", "gmx.de"),
        ("protonmial.com", "protonmail.com"),
    ],
)
def test_a_slip_is_seen(typed: str, meant: str) -> None:
    assert suggestion(typed) == meant


@pytest.mark.parametrize(
    "domain",
    ["acme.com", "mail.com", "email.com", "ymail.com", "gmx.fr", "gmx.com", "wob.de", "max.net", "mail.acme.com",
     "post.example", "googlemail.de", "com", "", "live.com.au", "xn--exmple-cua.com"],
)  # fmt: skip
def test_other_peoples_domains_are_not_doubted(domain: str) -> None:
    assert suggestion(domain) is None


@given(st.sampled_from(sorted(PROVIDERS)))
def test_a_provider_is_never_doubted(domain: str) -> None:
    assert suggestion(domain) is None


@given(st.text("abcgmil.-xyz", max_size=20))
def test_whatever_is_typed_a_provider_is_suggested_or_nothing(domain: str) -> None:
    assert suggestion(domain) in {None, *PROVIDERS}
