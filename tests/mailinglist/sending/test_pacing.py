"""The pace: pure decisions on a budget, and the row that all processes share."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from mailinglist import aws
from mailinglist.models import SendBudget
from mailinglist.sending import pacing
from mailinglist.sending.pacing import Budget, Permit, decide, halved, informed, refilled, slowed

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def budget(**values: Any) -> Budget:
    return Budget(
        **{
            "max_send_rate": 10,
            "max_24_hour": 1000,
            "sent_24_hour": 0,
            "tokens": 1,
            "refilled_at": NOW,
            **values,
        }
    )


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def account(rate: float = 10, day: float = 1000, sent: float = 0) -> aws.Account:
    return aws.Account(rate, day, sent, True, True, "HEALTHY")


class TestDecide:
    def test_permits_are_spaced_by_the_rate(self) -> None:
        permit, left = decide(budget(), 4, NOW, share=1)
        assert permit == Permit(4, delays=(0, 0.1, 0.2, pytest.approx(0.3)))
        assert (left.tokens, left.sent_24_hour) == (-3, 4)

    def test_no_more_than_a_second_ahead(self) -> None:
        permit, left = decide(budget(), 100, NOW, share=1)
        assert permit.granted == 11 and permit.delays[-1] == pytest.approx(1)
        assert decide(left, 1, NOW, share=1)[0].why == "rate"

    def test_at_one_a_second_a_handful_is_claimed(self) -> None:
        assert decide(budget(max_send_rate=1), 100, NOW, share=0.95)[0].granted == 2

    def test_one_is_granted_at_any_rate(self) -> None:
        assert decide(budget(max_send_rate=0.2, tokens=0), 5, NOW, share=0.95)[0].granted == 1

    @pytest.mark.parametrize("share", [0.95, 1])
    @pytest.mark.parametrize("rate", [0.2, 0.05, 0.01])
    def test_at_a_very_low_rate_it_waits_instead_of_claiming_rows_too_early(
        self, rate: float, share: float
    ) -> None:
        state, now = budget(max_send_rate=rate, tokens=0), 0.0
        granted = 0
        while now < 400:
            permit, state = decide(refilled(state, after(now)), 100, after(now), share=share, campaign_id=1)
            assert all(delay < 15.01 for delay in permit.delays)
            granted += permit.granted
            now += max(0.5, permit.wait_seconds)
        assert granted >= 400 * rate - 1

    def test_a_rate_of_nothing_is_named(self) -> None:
        permit, _ = decide(budget(max_send_rate=0), 5, NOW, share=1)
        assert (permit.granted, permit.why) == (0, "no-rate")

    def test_the_quota_is_kept_and_a_share_of_it_for_urgent_mail(self) -> None:
        nearly = budget(sent_24_hour=948)
        assert decide(nearly, 10, NOW, share=0.95)[0].granted == 2
        used = budget(sent_24_hour=950)
        assert decide(used, 10, NOW, share=0.95)[0] == Permit(0, pacing.QUOTA_SECONDS, "quota")
        assert decide(used, 10, NOW, share=1.0)[0].granted == 10

    def test_without_limits_all_are_granted_at_once(self) -> None:
        permit, left = decide(budget(max_send_rate=-1, max_24_hour=-1, tokens=0), 50, NOW, share=0.95)
        assert permit == Permit(50, delays=(0.0,) * 50) and left.tokens == 0

    def test_a_refused_quota_and_a_silent_ses_hold_everything(self) -> None:
        assert decide(budget(quota_until=after(30)), 1, NOW, share=1)[0] == Permit(0, 30, "quota")
        assert decide(budget(refilled_at=after(9)), 1, NOW, share=1)[0] == Permit(0, 9, "ses-unavailable")

    @given(st.floats(0.1, 500), st.lists(st.tuples(st.floats(0, 3), st.integers(1, 100)), max_size=40))
    def test_no_second_gets_more_than_the_rate(self, rate: float, takes: list[tuple[float, int]]) -> None:
        state, now, moments = budget(max_send_rate=rate, max_24_hour=-1), 0.0, []
        for pause, n in takes:
            now += pause
            permit, state = decide(refilled(state, after(now)), n, after(now), share=1)
            moments += [now + delay for delay in permit.delays]
        moments.sort()
        for i, start in enumerate(moments):
            within = sum(1 for moment in moments[i:] if moment < start + 1 - 1e-6)
            assert within <= rate * 1.1 + 2


class TestFactor:
    def test_throttling_halves_it_once_for_answers_that_come_together(self) -> None:
        once = slowed(budget(), NOW)
        assert (once.factor, once.tokens) == (0.5, 0)
        assert slowed(once, after(0.5)) == once
        assert slowed(once, after(2)).factor == 0.25

    def test_where_ses_said_no_before_it_falls_a_little_and_grows_slowly(self) -> None:
        known = budget(max_send_rate=50, factor=0.28, ceiling=0.28, throttled_at=after(-60))
        less = slowed(known, NOW)
        assert less.factor == pytest.approx(0.252) and less.ceiling == 0.28
        assert slowed(less, after(3)).factor == pytest.approx(0.2142)
        later = refilled(replace(less, refilled_at=after(5)), after(25))
        assert 0.252 < later.factor < 0.28
        assert refilled(later, after(300)).ceiling == 0, "far above it, it says nothing any more"
        assert slowed(replace(known, ceiling=0.0), NOW).factor == 0.14

    def test_a_ses_that_does_not_answer_says_nothing_about_its_limit(self) -> None:
        known = budget(factor=0.28, ceiling=0.28)
        assert (halved(known, NOW).factor, halved(known, NOW).ceiling) == (0.14, 0.28)
        assert halved(budget(), NOW).ceiling == 0

    def test_it_has_a_floor_and_grows_back(self) -> None:
        low = budget(factor=0.1, throttled_at=NOW)
        assert slowed(low, after(5)).factor == 0.1
        assert refilled(low, after(4)).factor == 0.1
        assert refilled(low, after(15)).factor == pytest.approx(0.4)
        assert refilled(low, after(3600)).factor == 1

    def test_a_changed_rate_starts_at_its_full(self) -> None:
        slow = budget(factor=0.25, tokens=1)
        assert informed(slow, account(rate=10)).factor == 0.25
        found = informed(slow, account(rate=1))
        assert (found.factor, found.max_send_rate) == (1, 1)

    def test_room_in_the_quota_ends_the_waiting_for_it(self) -> None:
        waiting = budget(quota_until=after(60))
        assert informed(waiting, account(sent=1000)).quota_until == after(60)
        assert informed(waiting, account(sent=10)).quota_until is None

    @pytest.mark.parametrize(
        ("limits", "says"),
        [
            ((14, 14), (14, 14)),
            ((14, 1), (14, 1)),
            ((1, 14), (1, 14)),
            ((14, 14), (50, 50)),
            ((14, 1), (50, 1)),
        ],
    )
    def test_a_minute_after_ses_throttles_the_pace_is_within_a_tenth_of_its_limit(
        self, limits: tuple[int, int], says: tuple[int, int]
    ) -> None:
        """We believed in 50 a second; SES says something when it is asked, which a throttled call does."""
        state, room = budget(max_send_rate=50, max_24_hour=-1), 0.0
        posts: list[float] = []
        accepted: list[float] = []
        for tenth in range(2400):
            second, limit = tenth / 10, limits[tenth // 1200]
            now, told = after(second), account(rate=says[tenth // 1200], day=-1)
            if tenth % 600 == 0:  # it is asked once a minute anyhow
                state = informed(refilled(state, now), told)
            permit, state = decide(refilled(state, now), 16, now, share=0.95, campaign_id=1)
            posts = sorted([*posts, *(second + delay for delay in permit.delays)])
            room = min(float(limit), room + limit / 10)
            while posts and posts[0] <= second:
                posts.pop(0)
                if room >= 1 - 1e-9:
                    room -= 1
                    accepted.append(second)
                else:
                    state = informed(slowed(refilled(state, now), now), told)
        for begins, limit in ((60, limits[0]), (180, limits[1])):
            pace = sum(begins <= second < begins + 60 for second in accepted) / 60
            assert limit * 0.9 <= pace <= limit * 1.1, (limit, pace)

    def test_time_that_goes_backwards_changes_nothing(self) -> None:
        assert refilled(budget(), after(-5)) == budget()
        assert replace(budget(), tokens=1) == refilled(budget(), NOW)


@pytest.mark.django_db
class TestRow:
    def take(self, n: int = 1, **values: Any) -> Permit:
        return pacing.take(n, get_account=lambda: account(**values))

    def test_the_first_take_asks_the_account_and_the_next_does_not(self) -> None:
        asked: list[int] = []

        def get_account() -> aws.Account:
            asked.append(1)
            return account(rate=50, day=5000, sent=7)

        assert pacing.take(3, get_account=get_account).granted == 3
        assert pacing.take(3, get_account=get_account).granted == 3
        row = SendBudget.objects.get()
        assert asked == [1] and (row.max_send_rate, row.sent_24_hour) == (50, 13)

    def test_a_clock_that_was_set_back_stops_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        ahead = timezone.now() + timedelta(hours=1)
        self.take(rate=10)
        SendBudget.objects.update(
            refilled_at=ahead,
            throttled_at=ahead,
            quota_until=ahead,
            fetched_at=ahead,
            takers={"7": [5, 5, ahead.timestamp()]},
        )
        assert pacing.explain().reasons[0].code == "limit" and not pacing.explain().slowed
        assert self.take(rate=20).granted == 1
        row = SendBudget.objects.get()
        assert (row.max_send_rate, row.throttled_at, row.quota_until) == (20, None, None)
        assert row.refilled_at < ahead and "7" not in row.takers
        self.take()
        assert [line.msg for line in caplog.records if "set back" in line.msg] == [caplog.records[0].msg]

    def test_a_hold_is_no_clock_step(self) -> None:
        self.take()
        pacing.hold(15)
        assert self.take().why == "ses-unavailable"

    def test_an_account_that_cannot_be_asked_leaves_the_old_rate(self) -> None:
        def away() -> aws.Account:
            raise EndpointConnectionError(endpoint_url="x")

        assert pacing.take(1, get_account=away).granted == 1
        assert SendBudget.objects.get().max_send_rate == 1

    def test_what_was_not_used_is_given_back(self) -> None:
        self.take(5)
        pacing.give_back(5)
        assert SendBudget.objects.get().sent_24_hour == 0
        assert self.take(5).delays[0] == 0

    def test_throttled_asks_for_the_rate_anew(self) -> None:
        self.take(rate=50)
        pacing.throttled()
        assert SendBudget.objects.get().factor == 0.5
        self.take(rate=1)
        assert (SendBudget.objects.get().max_send_rate, SendBudget.objects.get().factor) == (1, 1)

    def test_a_refused_quota_stops_urgent_mail_too(self) -> None:
        self.take()
        pacing.refused_for_quota()
        permit = pacing.take(1, urgent=True, get_account=account)
        assert (permit.granted, permit.why) == (0, "quota") and permit.wait_seconds > 50

    def test_a_silent_ses_is_left_alone_by_all(self) -> None:
        self.take()
        pacing.hold(15)
        permit = self.take()
        assert (permit.granted, permit.why) == (0, "ses-unavailable") and permit.wait_seconds > 14

    def test_a_rate_that_falls_to_one_breaks_no_constraint(self) -> None:
        self.take(rate=500)
        SendBudget.objects.update(fetched_at=None, tokens=50)
        assert self.take(5, rate=1).granted == 2
