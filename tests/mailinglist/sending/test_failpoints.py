"""A failpoint strikes when it is told to, and is nothing at all otherwise."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from mailinglist.sending import failpoints


class Died(Exception):
    pass


def die() -> None:
    raise Died


def test_without_the_setting_reaching_a_point_does_nothing() -> None:
    assert failpoints.reach is failpoints._nothing
    failpoints.reach("after-claim")


def test_a_number_strikes_once_at_that_time() -> None:
    strike = failpoints.armed("after-claim:2, before-ack:1", die)
    strike("after-claim", "")
    with pytest.raises(Died):
        strike("after-claim", "")
    strike("after-claim", "")
    with pytest.raises(Died):
        strike("before-ack", "")


def test_a_text_strikes_whenever_it_is_part_of_the_detail() -> None:
    strike = failpoints.armed("before-post@poison", die)
    strike("before-post", "ada@post.example")
    for _ in range(2):
        with pytest.raises(Died):
            strike("before-post", "poison@post.example")


@pytest.mark.parametrize(
    "text", ["after-claim", "after-claim:", "after-claim:x", "nowhere:1", "before-post@"]
)
def test_what_is_not_understood_is_refused_by_name(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=text):
        failpoints.armed(text, die)
