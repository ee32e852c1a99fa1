"""What people are told about the pace."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailinglist.models import ProviderPace, SendBudget
from mailinglist.sending import pace_words, pacing, providers
from mailinglist.sending.budget import Budget, Taker
from tests.mailinglist.sending.test_pacing import account

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def explained(*, text: str = "", slow: Any = (), **values: Any) -> pace_words.Explanation:
    found = {
        "max_send_rate": 14,
        "max_24_hour": 50000,
        "sent_24_hour": 100,
        "tokens": 0,
        "refilled_at": NOW,
        **values,
    }
    return pace_words.explain(Budget(**found), NOW, guard_text=text, slow=slow)


def test_a_pace_that_nothing_slows() -> None:
    told = explained()
    assert (told.allowed, told.limit, told.quota, told.used, told.slowed) == (14, 14, 50000, 100, False)
    assert [reason.sentence for reason in told.reasons] == [
        "Amazon SES allows this account 14 mails a second, and 50,000 in 24 hours."
    ]


@pytest.mark.parametrize(
    ("values", "code", "words", "allowed"),
    [
        ({"factor": 0.5, "throttled_at": NOW}, "throttled", "0 s ago that mails came too fast", 7),
        ({"refilled_at": NOW + timedelta(seconds=9)}, "ses-unavailable", "until 12:00:09 UTC", 0),
        ({"quota_until": NOW + timedelta(seconds=60)}, "quota", "tried again at 12:01:00 UTC", 0),
        ({"max_send_rate": 0}, "no-rate", "no mail at all now: its sending rate is 0", 0),
        ({"sent_24_hour": 47500}, "quota", "47,500 of 50,000 mails", 0),
        ({"guard_factor": 0.25, "text": "2.1 % bounced."}, "reputation", "2.1 % bounced.", 3.5),
        (
            {"slow": [("gmail.com", 0.5, NOW, "It is busy.")]},
            "provider",
            "gmail.com gets at most 30 mails a minute",
            14,
        ),
    ],
)
def test_each_cause_is_named(values: dict[str, Any], code: str, words: str, allowed: float) -> None:
    told = explained(**values)
    [reason] = [reason for reason in told.reasons if reason.code != "limit"]
    assert reason.code == code and words in reason.sentence and reason.slows
    assert told.allowed == allowed


def test_campaigns_that_share_are_counted_and_mail_without_one_is_not() -> None:
    told = explained(takers={key: Taker(0, 50, NOW) for key in (0, 1, 2)})
    assert (told.campaigns, told.sending, told.slowed) == (2, 30, False)
    assert told.reasons[-1].sentence.startswith("2 campaigns are sending now")


def test_who_knows_of_one_campaign_hears_nothing_of_others_or_of_the_account() -> None:
    takers = {1: Taker(0, 50, NOW), 2: Taker(0, 50, NOW)}
    for more in ({"sent_24_hour": 47511}, {"guard_factor": 0.25, "text": "2.1 % of 471 bounced."}):
        told = pace_words.of_some(explained(takers=takers, **more), {2})
        assert (told.sending, told.campaigns, told.quota, told.used) == (10, 1, None, 0)
        assert set(told.rates) == {2} and told.partial and told.limit == 14
        words = " ".join(reason.sentence for reason in told.reasons)
        assert not {"47,511", "471", "2 campaigns"} & set(re.findall(r"[\d,]+(?: campaigns)?", words))
        assert [reason.slows for reason in told.reasons].count(True) == 1


@pytest.mark.django_db
class TestExplain:
    def test_before_the_first_mail(self) -> None:
        assert pacing.explain().reasons[0].code == "not-asked"

    def test_it_reads_the_row_and_changes_nothing(self) -> None:
        pacing.take(3, campaign_id=7, get_account=lambda: account(rate=10))
        providers.report("slow.example", ["slow.example"], reports=1, outright=True, why="It is busy.")
        before = SendBudget.objects.values().get(), ProviderPace.objects.values().get()
        told = pacing.explain()
        assert (told.limit, told.used, told.campaigns) == (10, 3, 1) and told.sending == pytest.approx(
            0.6, abs=0.05
        )
        assert [reason.code for reason in told.reasons] == ["limit", "provider"]
        assert (SendBudget.objects.values().get(), ProviderPace.objects.values().get()) == before
