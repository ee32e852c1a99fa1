"""Each effect does to the person what its name says, once, with the event as evidence."""

import pytest

from bounces import apply
from bounces.models import Event
from bounces.policy import Decision, Effect
from mailinglist import suppression
from mailinglist.changes import Kind
from mailinglist.models import Change, Subscription, Suppression
from tests.factories import make_list, make_subscriber
from tests.staff import make_delivery, make_event, make_started

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada_event() -> Event:
    """A report about a mail of the list news to a person who reads news and tips."""
    news, tips = make_list("news"), make_list("tips")
    ada = make_subscriber("ada@post.example", news, tips)
    return make_event(make_delivery(make_started(news), ada, "sent"), "hard", "No such user.")


def ended() -> dict[str, str]:
    rows = Subscription.objects.filter(status="unsubscribed")
    return dict(rows.values_list("list__slug", "unsubscribe_reason"))


@pytest.mark.parametrize(
    ("effect", "verdict", "lists", "blocked"),
    [
        (Effect.NONE, "block", {}, ""),
        (Effect.UNSUBSCRIBE_LIST, "soft", {"news": "soft-exhausted"}, ""),
        (Effect.UNSUBSCRIBE_ALL, "soft", {"news": "unreachable", "tips": "unreachable"}, ""),
        (Effect.UNSUBSCRIBE_ALL, "suppressed", {"news": "ses", "tips": "ses"}, ""),
        (
            Effect.UNSUBSCRIBE_AND_SUPPRESS,
            "hard",
            {"news": "hard-bounce", "tips": "hard-bounce"},
            "hard-bounce",
        ),
        (
            Effect.UNSUBSCRIBE_AND_SUPPRESS,
            "soft",
            {"news": "hard-bounce", "tips": "hard-bounce"},
            "hard-bounce",
        ),
        (
            Effect.UNSUBSCRIBE_AND_SUPPRESS,
            "complaint",
            {"news": "complaint", "tips": "complaint"},
            "complaint",
        ),
        (Effect.SUPPRESS, "suppressed", {}, "ses-list"),
    ],
)
def test_what_an_effect_does(
    ada_event: Event, effect: Effect, verdict: str, lists: dict[str, str], blocked: str
) -> None:
    ada_event.verdict = verdict
    done = apply.carry_out(ada_event, Decision(effect, "The sentence."), ada_event.delivery)
    assert ended() == lists
    assert (done.unsubscribed, done.suppressed) == (len(lists), bool(blocked))
    assert list(Suppression.objects.values_list("reason", flat=True)) == ([blocked] if blocked else [])
    changes = Change.objects.filter(actor=Kind.RULE)
    assert changes.count() == len(lists) + bool(blocked)
    for change in changes:
        assert change.why == "The sentence."
        assert change.evidence["event"] == ada_event.pk
    times = {*Subscription.objects.filter(status="unsubscribed").values_list("unsubscribed_at", flat=True)}
    assert times <= {ada_event.occurred_at}


def test_a_report_about_nobody_acts_on_nobody(ada_event: Event) -> None:
    ada_event.subscriber = None
    done = apply.carry_out(ada_event, Decision(Effect.UNSUBSCRIBE_AND_SUPPRESS, "x"), ada_event.delivery)
    assert done == apply.Applied()
    assert ended() == {}


def test_an_end_of_one_list_without_its_mail_ends_nothing(ada_event: Event) -> None:
    assert apply.carry_out(ada_event, Decision(Effect.UNSUBSCRIBE_LIST, "x"), None) == apply.Applied()
    assert ended() == {}


def test_a_second_time_changes_nothing(ada_event: Event) -> None:
    decision = Decision(Effect.UNSUBSCRIBE_AND_SUPPRESS, "The sentence.")
    apply.carry_out(ada_event, decision, ada_event.delivery)
    count = Change.objects.count()
    assert apply.carry_out(ada_event, decision, ada_event.delivery) == apply.Applied()
    assert Change.objects.count() == count
    assert suppression.is_suppressed(ada_event.subscriber)
