"""What a bounce means: the table of the policy, its holds and retries, and what must hold for any input."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounces.policy import (
    DOMAIN_NOT_FOUND,
    JITTER,
    LEFT_AT_SES,
    NOT_SPAM,
    ON_ACCOUNT_LIST,
    Decision,
    Effect,
    History,
    Report,
    Rules,
    Standing,
    decide,
)

T0 = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RULES = Rules()


def judge(
    verdict: str,
    reason: str = "x",
    *,
    rules: Rules = RULES,
    at: datetime = T0,
    **known: Any,
) -> Decision:
    history = History(**{"delivery_id": 7, "attempt": 1, "mail_at": at - HOUR, **known})
    return decide(Report(verdict, reason, at), history, rules)


def campaigns(*mails: tuple[int, bool, bool]) -> tuple[tuple[datetime, bool, bool], ...]:
    """(days before T0, bounced softly, arrived) …"""
    return tuple((T0 - days * DAY, soft, arrived) for days, soft, arrived in mails)


THREE_IN_TWO_WEEKS = campaigns((14, True, False), (7, True, False), (0, True, False))


@pytest.mark.parametrize(
    ("verdict", "reason", "known", "state", "effect"),
    [
        ("hard", "user-unknown", {}, "bounced", Effect.UNSUBSCRIBE_AND_SUPPRESS),
        ("soft", "mailbox-full", {"soft_failures": 1}, "waiting", Effect.NONE),
        ("soft", "mailbox-full", {"soft_failures": 3}, "waiting", Effect.NONE),
        ("soft", "mailbox-full", {"soft_failures": 4}, "bounced", Effect.UNSUBSCRIBE_LIST),
        ("soft", "mailbox-full", {"soft_failures": 0}, "waiting", Effect.NONE),
        ("soft", "mailbox-full", {"retryable": False}, "bounced", Effect.NONE),
        ("soft", DOMAIN_NOT_FOUND, {"soft_failures": 1}, "waiting", Effect.NONE),
        ("block", "policy", {"block_failures": 1}, "waiting", Effect.NONE),
        ("block", "policy", {"block_failures": 2}, "bounced", Effect.NONE),
        ("block", "policy", {"retryable": False}, "bounced", Effect.NONE),
        ("unknown", "", {"block_failures": 1}, "waiting", Effect.NONE),
        ("unknown", "", {"block_failures": 2}, "bounced", Effect.NONE),
        ("message", "too-large", {}, "failed", Effect.NONE),
        ("suppressed", "account-list", {}, "bounced", Effect.SUPPRESS),
        ("suppressed", LEFT_AT_SES, {}, "bounced", Effect.UNSUBSCRIBE_ALL),
        ("complaint", "abuse", {}, "complained", Effect.UNSUBSCRIBE_AND_SUPPRESS),
        ("complaint", "", {}, "complained", Effect.UNSUBSCRIBE_AND_SUPPRESS),
        ("complaint", NOT_SPAM, {}, "", Effect.NONE),
        ("auto-reply", "", {}, "", Effect.NONE),
        ("delayed", "", {}, "", Effect.NONE),
        ("delivered", "", {}, "", Effect.NONE),
        ("not-a-bounce", "", {}, "", Effect.NONE),
        ("something-new", "", {}, "", Effect.NONE),
    ],
)
def test_the_table(verdict: str, reason: str, known: dict[str, Any], state: str, effect: Effect) -> None:
    decision = judge(verdict, reason, **known)
    assert (decision.delivery_state, decision.effect) == (state, effect)
    assert decision.sentence.endswith(".")
    assert (decision.retry_at is not None) == (state == "waiting")
    assert decision.effect_at is None


@pytest.mark.parametrize(("failures", "days"), [(1, 1), (2, 2), (3, 4)])
def test_soft_retries_come_after_one_two_and_four_days_of_the_events_own_time(
    failures: int, days: int
) -> None:
    retry_at = judge("soft", soft_failures=failures, attempt=failures).retry_at
    assert retry_at is not None
    assert days * DAY * (1 - JITTER) <= retry_at - T0 <= days * DAY * (1 + JITTER)


def test_the_sentence_of_a_retry_says_when_and_which_of_how_many() -> None:
    decision = judge("soft", soft_failures=2, attempt=2)
    assert "sent again on 22 Nov 2026 at " in decision.sentence
    assert "(retry 2 of 3)" in decision.sentence


def test_a_retry_after_the_campaigns_time_expires_the_mail_and_spares_the_person() -> None:
    for verdict, known in (("soft", {"soft_failures": 1}), ("block", {"block_failures": 1})):
        decision = judge(verdict, retry_until=T0 + 12 * HOUR, **known)
        assert (decision.delivery_state, decision.effect, decision.retry_at) == ("expired", Effect.NONE, None)
        assert judge(verdict, retry_until=T0 + 2 * DAY, **known).delivery_state == "waiting"


def test_all_retries_used_counts_even_after_the_campaigns_time() -> None:
    decision = judge("soft", soft_failures=4, attempt=4, retry_until=T0 - DAY)
    assert (decision.delivery_state, decision.effect) == ("bounced", Effect.UNSUBSCRIBE_LIST)


def test_a_policy_may_leave_the_subscription_when_all_retries_are_used() -> None:
    decision = judge("soft", soft_failures=4, rules=replace(RULES, soft_exhausted_unsubscribes=False))
    assert (decision.delivery_state, decision.effect) == ("bounced", Effect.NONE)


def test_without_retries_one_soft_bounce_ends_no_subscription() -> None:
    decision = judge("soft", soft_failures=1, rules=replace(RULES, soft_retry_days=()))
    assert (decision.delivery_state, decision.effect) == ("bounced", Effect.NONE)


def test_a_policy_without_block_retries_never_sends_a_blocked_mail_again() -> None:
    decision = judge("block", block_failures=1, rules=replace(RULES, block_retry_days=0))
    assert (decision.delivery_state, decision.retry_at) == ("bounced", None)


def test_a_hard_bounce_of_an_address_that_took_mail_before_is_held_for_six_hours() -> None:
    decision = judge("hard", delivered_before=True)
    assert decision.effect == Effect.UNSUBSCRIBE_AND_SUPPRESS
    assert decision.effect_at == T0 + 6 * HOUR
    assert decision.delivery_state == "bounced"
    assert "6 hours" in decision.sentence


def test_a_second_hard_bounce_ends_the_hold() -> None:
    assert judge("hard", delivered_before=True, earlier_hard_at=(T0 - HOUR,)).effect_at is None


def test_a_hard_bounce_from_before_a_restore_is_no_first_one() -> None:
    known = {"delivered_before": True, "earlier_hard_at": (T0 - 3 * HOUR,), "reset_at": T0 - 2 * HOUR}
    assert judge("hard", **known).effect_at == T0 + 6 * HOUR


def test_a_policy_without_a_hold_believes_at_once() -> None:
    assert judge("hard", delivered_before=True, rules=replace(RULES, hold_hours=0)).effect_at is None


def test_compressed_days_compress_holds_retries_and_spans() -> None:
    quick = Rules(day=timedelta(seconds=24))
    assert judge("hard", delivered_before=True, rules=quick).effect_at == T0 + timedelta(seconds=6)
    retry_at = judge("soft", soft_failures=1, rules=quick).retry_at
    assert retry_at is not None and timedelta(seconds=21) < retry_at - T0 < timedelta(seconds=27)
    within = tuple((T0 + timedelta(seconds=168 * number), True, False) for number in range(3))
    assert judge("soft", soft_failures=1, rules=quick, campaigns=within).effect == Effect.UNSUBSCRIBE_ALL


@pytest.mark.parametrize(
    ("earlier", "known", "gone"),
    [
        (24 * HOUR, {}, True),
        (24 * HOUR - timedelta(seconds=1), {}, False),
        (48 * HOUR, {"reset_at": T0 - 2 * HOUR}, False),
        (48 * HOUR, {"campaigns": campaigns((1, False, True), (0, True, False))}, False),
        (48 * HOUR, {"campaigns": campaigns((3, False, True), (0, True, False))}, True),
        (48 * HOUR, {"delivered_before": True}, True),
    ],
)
def test_a_domain_is_gone_when_a_second_attempt_a_day_later_says_so(
    earlier: timedelta, known: dict[str, Any], gone: bool
) -> None:
    decision = judge(
        "soft", DOMAIN_NOT_FOUND, soft_failures=1, earlier_domain_failures=(T0 - earlier,), **known
    )
    assert (decision.effect == Effect.UNSUBSCRIBE_AND_SUPPRESS) == gone
    assert decision.delivery_state == ("bounced" if gone else "waiting")


def test_an_earlier_domain_failure_does_not_make_a_full_mailbox_hard() -> None:
    decision = judge("soft", "mailbox-full", soft_failures=1, earlier_domain_failures=(T0 - 3 * DAY,))
    assert decision.effect == Effect.NONE


@pytest.mark.parametrize(
    ("mails", "unreachable"),
    [
        (THREE_IN_TWO_WEEKS, True),
        (campaigns((20, True, False), (15, False, False), (7, True, False), (0, True, False)), True),
        (campaigns((13, True, False), (7, True, False), (0, True, False)), False),
        (campaigns((14, True, False), (0, True, False)), False),
        (campaigns((14, True, False), (7, True, False), (3, False, True), (0, True, False)), False),
        (campaigns((21, True, True), (14, True, False), (7, True, False), (0, True, False)), True),
        (campaigns((14, True, True), (7, True, False), (0, True, False)), False),
        (
            campaigns(
                *((days, True, False) for days in (60, 50)),
                *((days, False, False) for days in (40, 30, 20, 10)),
                (0, True, False),
            ),
            False,
        ),
    ],
)
def test_soft_bounces_in_several_campaigns_running_mean_unreachable(
    mails: tuple[tuple[datetime, bool, bool], ...], unreachable: bool
) -> None:
    decision = judge("soft", soft_failures=1, campaigns=mails)
    assert (decision.effect == Effect.UNSUBSCRIBE_ALL) == unreachable
    assert decision.delivery_state == "waiting"


def test_unreachable_outranks_all_retries_used() -> None:
    decision = judge("soft", soft_failures=4, campaigns=THREE_IN_TWO_WEEKS)
    assert (decision.effect, decision.delivery_state) == (Effect.UNSUBSCRIBE_ALL, "bounced")
    assert "unreachable" in decision.sentence


def test_campaigns_before_a_restore_do_not_make_unreachable() -> None:
    decision = judge("soft", soft_failures=1, campaigns=THREE_IN_TWO_WEEKS, reset_at=T0 - 10 * DAY)
    assert decision.effect == Effect.NONE


def test_a_policy_may_ignore_repeated_soft_bounces() -> None:
    rules = replace(RULES, repeated_soft=0)
    assert judge("soft", soft_failures=1, campaigns=THREE_IN_TWO_WEEKS, rules=rules).effect == Effect.NONE


@pytest.mark.parametrize(
    ("verdict", "known", "state"),
    [
        ("hard", {}, "bounced"),
        ("hard", {"delivered_before": True}, "bounced"),
        ("soft", {"soft_failures": 4}, "bounced"),
        ("suppressed", {}, "bounced"),
    ],
)
def test_a_bounce_of_a_mail_from_before_a_reconfirmation_settles_the_mail_only(
    verdict: str, known: dict[str, Any], state: str
) -> None:
    decision = judge(verdict, mail_at=T0 - 2 * DAY, reset_at=T0 - DAY, **known)
    assert (decision.effect, decision.effect_at, decision.delivery_state) == (Effect.NONE, None, state)
    assert "from before the person confirmed again" in decision.sentence
    assert judge(verdict, mail_at=T0 - HOUR, reset_at=T0 - DAY, **known).effect != Effect.NONE


def test_a_complaint_made_after_a_restore_counts_though_its_mail_is_older() -> None:
    assert (
        judge("complaint", mail_at=T0 - 2 * DAY, reset_at=T0 - DAY).effect == Effect.UNSUBSCRIBE_AND_SUPPRESS
    )
    assert judge("complaint", mail_at=T0 - 2 * DAY, reset_at=T0 + DAY).effect == Effect.NONE


@pytest.mark.parametrize(
    ("standing", "effect", "held"),
    [
        (Standing.NONE, Effect.UNSUBSCRIBE_AND_SUPPRESS, False),
        (Standing.HELD, Effect.UNSUBSCRIBE_AND_SUPPRESS, True),
        (Standing.BELIEVED, Effect.UNSUBSCRIBE_AND_SUPPRESS, False),
        (Standing.DROPPED, Effect.NONE, False),
    ],
)
@pytest.mark.parametrize("hard_before", [(), (T0 - HOUR,)])
def test_an_incident_or_a_manager_comes_before_the_hold(
    standing: Standing, effect: Effect, held: bool, hard_before: tuple[datetime, ...]
) -> None:
    decision = judge("hard", delivered_before=True, earlier_hard_at=hard_before, standing=standing)
    assert (decision.effect, decision.held, decision.delivery_state) == (effect, held, "bounced")
    assert (decision.effect_at is not None) == (standing == Standing.NONE and not hard_before)


def test_a_domain_that_is_gone_is_held_by_an_incident_too() -> None:
    known = {"soft_failures": 1, "earlier_domain_failures": (T0 - 2 * DAY,), "standing": Standing.HELD}
    assert judge("soft", DOMAIN_NOT_FOUND, **known).held


@pytest.mark.parametrize("standing", list(Standing))
@pytest.mark.parametrize("verdict", ["complaint", "suppressed", "block", "message"])
def test_an_incident_says_nothing_about_other_reports(verdict: str, standing: Standing) -> None:
    assert judge(verdict, standing=standing) == judge(verdict)


def test_old_mail_is_forgiven_though_a_manager_believes_the_bounce() -> None:
    known = {"mail_at": T0 - 2 * DAY, "reset_at": T0 - DAY, "standing": Standing.BELIEVED}
    assert judge("hard", delivered_before=True, **known).effect == Effect.NONE


times = st.integers(-60 * 24, 24).map(lambda hours: T0 + hours * HOUR)
reports = st.builds(
    Report,
    verdict=st.sampled_from(
        ["hard", "soft", "block", "unknown", "message", "suppressed", "complaint", "delayed"]
    ),
    reason=st.sampled_from(["", "x", DOMAIN_NOT_FOUND, LEFT_AT_SES, NOT_SPAM, ON_ACCOUNT_LIST]),
    occurred_at=times,
    listed=st.booleans(),
)
histories = st.builds(
    History,
    delivery_id=st.integers(0, 2**63 - 1),
    attempt=st.integers(0, 12),
    mail_at=times,
    retryable=st.booleans(),
    retry_until=st.none() | times,
    soft_failures=st.integers(0, 12),
    block_failures=st.integers(0, 12),
    delivered_before=st.booleans(),
    earlier_hard_at=st.lists(times, max_size=3).map(tuple),
    earlier_domain_failures=st.lists(times, max_size=3).map(tuple),
    campaigns=st.lists(st.tuples(times, st.booleans(), st.booleans()), max_size=8).map(
        lambda mails: tuple(sorted(mails))
    ),
    listed_without_fault=st.booleans(),
    reset_at=st.none() | times,
    standing=st.sampled_from(Standing),
)
rules = st.builds(
    Rules,
    soft_retry_days=st.lists(st.floats(0.1, 30), max_size=10).map(tuple),
    soft_exhausted_unsubscribes=st.booleans(),
    block_retry_days=st.just(0.0) | st.floats(0.01, 365),
    hold_hours=st.floats(0, 365),
    repeated_soft=st.integers(0, 5),
    repeated_window=st.integers(5, 20),
    repeated_days=st.floats(0, 60),
    day=st.sampled_from([DAY, timedelta(seconds=2)]),
)


@given(reports, histories, rules)
def test_any_decision_is_repeatable_complete_and_carried_out_in_its_own_time(
    report: Report, history: History, rules: Rules
) -> None:
    decision = decide(report, history, rules)
    assert decision == decide(report, history, rules)
    assert decision.sentence
    assert (decision.delivery_state == "waiting") == (decision.retry_at is not None)
    if decision.effect_at is not None:
        assert decision.effect and history.delivered_before
        assert decision.effect_at >= report.occurred_at
    if decision.retry_at is not None:
        assert history.retryable
        assert decision.retry_at > report.occurred_at
        assert history.retry_until is None or decision.retry_at <= history.retry_until


@given(
    histories,
    rules,
    st.sampled_from(["block", "unknown", "message", "auto-reply", "delayed", "delivered"]),
    st.booleans(),
)
def test_the_senders_own_trouble_never_has_an_effect_on_a_person(
    history: History, rules: Rules, verdict: str, listed: bool
) -> None:
    effect = decide(Report(verdict, "x", T0, listed), history, rules).effect
    assert effect in (Effect.NONE, Effect.UNLIST)


@given(st.integers(0, 2**63 - 1), st.integers(0, 99), st.floats(0.1, 30))
def test_a_retry_stays_within_a_tenth_of_its_delay(delivery: int, attempt: int, days: float) -> None:
    known = {"delivery_id": delivery, "attempt": attempt, "soft_failures": 1}
    retry_at = judge("soft", rules=replace(RULES, soft_retry_days=(days,)), **known).retry_at
    assert retry_at is not None
    assert 0.8999 * days <= (retry_at - T0) / DAY <= 1.1001 * days


def test_retries_of_many_mails_are_spread() -> None:
    moments = {judge("soft", delivery_id=number, soft_failures=1).retry_at for number in range(1000)}
    assert len(moments) > 990
