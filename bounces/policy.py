"""PURE. What a bounce means for a mail and for a person: verdict + history + rules → decision.

Called by ``judgement`` only. The same input always gives the same answer: every time in a decision is
reckoned from the event's own time, never from the clock, so that late, repeated and reordered notifications
cannot change it. A block never takes anything from a person, whatever the history.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

#: Reason of a soft verdict that turns hard when a later attempt says the same.
DOMAIN_NOT_FOUND = "domain-not-found"
#: Reason of a suppressed verdict: the person left by a contact list of SES; the address itself is well.
LEFT_AT_SES = "unsubscribed-recipient"
#: Reason of a suppressed verdict: the address stands on the list of our own account, which we may change.
ON_ACCOUNT_LIST = "account-list"
#: Verdicts that are not the person's fault.
FAULTLESS = ("soft", "block", "unknown", "message")
NOT_SPAM = "not-spam"
#: Reasons of a complaint verdict that say nothing against us: nothing follows, and no rate counts them.
NO_COMPLAINT = frozenset({NOT_SPAM})
#: Share of its delay by which a retry comes earlier or later, so that a provider does not get all at once.
JITTER = 0.1
HOURS_A_DAY = 24


class Effect(StrEnum):
    """What is done to the person. Stored in Event.effect."""

    NONE = ""
    #: The subscription that the mail was sent for ends; a manager can restore it.
    UNSUBSCRIBE_LIST = "unsubscribe-list"
    #: All subscriptions end; the address is not suppressed.
    UNSUBSCRIBE_ALL = "unsubscribe-all"
    #: All subscriptions end, and the address gets no mail any more.
    UNSUBSCRIBE_AND_SUPPRESS = "unsubscribe-and-suppress"
    #: The address gets no mail any more; its subscriptions stay.
    SUPPRESS = "suppress"
    #: Nothing is done to the person; SES, which listed the address by itself, takes it off its list.
    UNLIST = "take-off-ses-list"


class Standing(StrEnum):
    """What is known about a bounce besides its mail and its address: incidents, and a manager's word."""

    NONE = ""
    #: It belongs to an open incident of its provider.
    HELD = "held"
    #: A manager or a confirmed incident says that it is true.
    BELIEVED = "believed"
    #: A manager or a released incident says that it means nothing.
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Report:
    """What one event says."""

    verdict: str
    reason: str
    occurred_at: datetime
    #: Whether SES puts the address on its suppression list because of it.
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of a policy. Days and hours are multiples of ``day``, which demonstrations compress."""

    soft_retry_days: tuple[float, ...] = (1.0, 2.0, 4.0)
    soft_exhausted_unsubscribes: bool = True
    #: 0: a blocked mail is never sent again.
    block_retry_days: float = 1.0
    #: 0: a hard bounce is believed at once.
    hold_hours: float = 6.0
    #: 0: soft bounces in several campaigns have no effect.
    repeated_soft: int = 3
    repeated_window: int = 5
    repeated_days: float = 14.0
    day: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class History:
    """What is known about the mail and the address, up to the event that is judged."""

    delivery_id: int
    attempt: int
    #: When the mail was sent.
    mail_at: datetime
    #: Whether mail of this kind is sent again at all.
    retryable: bool = True
    retry_until: datetime | None = None
    #: Attempts of this mail, up to the event's own, that bounced softly; that were blocked.
    soft_failures: int = 0
    block_failures: int = 0
    #: Whether the address took another mail before.
    delivered_before: bool = False
    #: Times of reports about other mails to the address.
    earlier_hard_at: Sequence[datetime] = ()
    earlier_domain_failures: Sequence[datetime] = ()
    #: Whether SES listed the address last for a bounce that is not the person's fault.
    listed_without_fault: bool = False
    #: (time, bounced softly, arrived) of the campaign mails to the address, oldest first, with this one.
    campaigns: Sequence[tuple[datetime, bool, bool]] = ()
    #: When the person confirmed again or a manager restored them: older mail no longer counts.
    reset_at: datetime | None = None
    #: An incident speaks only about addresses that took mail before; a manager about any.
    standing: Standing = Standing.NONE


@dataclass(frozen=True, slots=True)
class Decision:
    """``effect`` on the person; ``effect_at``: held until then, None: at once; ``held``: until somebody decides.

    ``sentence`` tells a list manager what happens and why.

    ``delivery_state``: the new state of the mail, "" to leave it. With "waiting" it is sent again at
    ``retry_at``.
    """

    effect: Effect
    sentence: str
    effect_at: datetime | None = None
    delivery_state: str = ""
    retry_at: datetime | None = None
    held: bool = False


def decide(report: Report, history: History, rules: Rules) -> Decision:
    """The decision about one report. Never raises; a verdict without a rule does nothing."""
    match report.verdict:
        case "hard":
            decision = _hard(report, history, rules)
        case "soft":
            decision = _soft(report, history, rules)
        case "block" | "unknown":
            decision = _block(report, history, rules)
        case "message":
            decision = Decision(
                Effect.NONE,
                "This one mail cannot arrive as it is, so it is not sent again. It does not count against "
                "the person.",
                delivery_state="failed",
            )
        case "suppressed":
            decision = _suppressed(report, history, rules)
        case "complaint" if report.reason not in NO_COMPLAINT:
            decision = Decision(
                Effect.UNSUBSCRIBE_AND_SUPPRESS,
                "The person reported the mail as spam: unsubscribed from all lists, and no mail goes to the "
                "address any more.",
                delivery_state="complained",
            )
        case _:
            return Decision(Effect.NONE, "Nothing follows from this report.")
    decision = _forgive_old_mail(_heed_standing(decision, report, history), report, history)
    return _unlist(decision, report, history)


def _heed_standing(decision: Decision, report: Report, history: History) -> Decision:
    """What an incident or a manager says about a bounce comes before the rules; a complaint is no bounce."""
    if report.verdict not in ("hard", "soft") or decision.effect != Effect.UNSUBSCRIBE_AND_SUPPRESS:
        return decision
    match history.standing:
        case Standing.HELD:
            return replace(
                decision,
                effect_at=None,
                held=True,
                sentence="The provider refuses many people it took mail for before. This bounce is held until a "
                "manager decides about the incident.",
            )
        case Standing.BELIEVED:
            return replace(
                decision,
                effect_at=None,
                sentence="A manager believes this bounce: unsubscribed from all lists, and no mail goes to the "
                "address any more.",
            )
        case Standing.DROPPED:
            return replace(
                decision,
                effect=Effect.NONE,
                effect_at=None,
                sentence="A manager decided that this bounce says nothing about the person.",
            )
    return decision


def _hard(report: Report, history: History, rules: Rules) -> Decision:
    if not history.delivered_before or not rules.hold_hours:
        return _gone("The address does not exist")
    if any(_counts(earlier, history) for earlier in history.earlier_hard_at):
        return _gone("The address does not exist, as an earlier hard bounce said too")
    return Decision(
        Effect.UNSUBSCRIBE_AND_SUPPRESS,
        f"The address took mail before, so this hard bounce is believed after {rules.hold_hours:g} hours "
        "or when a second one comes. Then: unsubscribed from all lists, and no mail goes to the address.",
        effect_at=report.occurred_at + rules.day * rules.hold_hours / HOURS_A_DAY,
        delivery_state="bounced",
    )


def _gone(what: str) -> Decision:
    return Decision(
        Effect.UNSUBSCRIBE_AND_SUPPRESS,
        f"{what}: unsubscribed from all lists, and no mail goes to the address any more.",
        delivery_state="bounced",
    )


def _soft(report: Report, history: History, rules: Rules) -> Decision:
    if report.reason == DOMAIN_NOT_FOUND and _domain_is_gone(report, history, rules):
        return _gone("The domain could not be found for a day or longer")
    retries = len(rules.soft_retry_days)
    failures = max(history.soft_failures, 1)
    if not history.retryable or not retries:
        mail = Decision(Effect.NONE, "This mail is not sent again.", delivery_state="bounced")
    elif failures <= retries:
        days = rules.soft_retry_days[failures - 1]
        mail = _retry(report, history, rules, days, f"retry {failures} of {retries}")
    else:
        mail = _exhausted(rules)
    if _is_unreachable(history, rules):
        return replace(
            mail,
            effect=Effect.UNSUBSCRIBE_ALL,
            sentence=f"Soft bounces in {rules.repeated_soft} of the last {rules.repeated_window} campaigns "
            "and no delivery since: unreachable, unsubscribed from all lists. This can be restored.",
        )
    return mail


def _exhausted(rules: Rules) -> Decision:
    if not rules.soft_exhausted_unsubscribes:
        return Decision(
            Effect.NONE,
            "All retries bounced too. The policy leaves the subscription as it is.",
            delivery_state="bounced",
        )
    return Decision(
        Effect.UNSUBSCRIBE_LIST,
        "All retries bounced too: unsubscribed from this list. This can be restored.",
        delivery_state="bounced",
    )


def _block(report: Report, history: History, rules: Rules) -> Decision:
    if history.retryable and rules.block_retry_days and history.block_failures <= 1:
        return _retry(report, history, rules, rules.block_retry_days, "once more")
    return Decision(
        Effect.NONE,
        "This mail is not sent again. It does not count against the person.",
        delivery_state="bounced",
    )


def _suppressed(report: Report, history: History, rules: Rules) -> Decision:
    if report.reason == LEFT_AT_SES:
        return Decision(
            Effect.UNSUBSCRIBE_ALL,
            "The person left by a contact list of SES: unsubscribed from all lists.",
            delivery_state="bounced",
        )
    if report.reason == ON_ACCOUNT_LIST and history.listed_without_fault:
        # Once: where SES does not take it off, every attempt would end like this.
        again = history.retryable and rules.block_retry_days and history.attempt <= 1
        mail = (
            _retry(report, history, rules, rules.block_retry_days, "once more")
            if again
            else Decision(Effect.NONE, "This mail is not sent again.", delivery_state="bounced")
        )
        return replace(
            mail,
            sentence="SES did not send this mail: it had put the address on its suppression list by itself, after "
            "a bounce that is not the person's fault. The address is taken off that list; nothing changes for "
            f"the person. {mail.sentence}",
        )
    return Decision(
        Effect.SUPPRESS,
        "SES did not send this mail, because the address stands on a suppression list of SES. It is "
        "suppressed here too, so that nothing more is sent in vain.",
        delivery_state="bounced",
    )


def _retry(report: Report, history: History, rules: Rules, days: float, which: str) -> Decision:
    at = report.occurred_at + rules.day * days * _jitter(history.delivery_id, history.attempt)
    if history.retry_until is not None and at > history.retry_until:
        return Decision(
            Effect.NONE,
            "This mail is not sent again, because the campaign's time for retries ends before.",
            delivery_state="expired",
        )
    return Decision(
        Effect.NONE,
        f"The same mail is sent again on {at.day} {at:%b %Y at %H:%M} UTC ({which}).",
        delivery_state="waiting",
        retry_at=at,
    )


def _jitter(delivery_id: int, attempt: int) -> float:
    """A factor around 1 that is always the same for an attempt."""
    digest = hashlib.blake2b(f"{delivery_id}:{attempt}".encode(), digest_size=8).digest()
    return 1 - JITTER + 2 * JITTER * int.from_bytes(digest) / 2**64


def _domain_is_gone(report: Report, history: History, rules: Rules) -> bool:
    """Whether an attempt at least a day ago failed alike, and nothing arrived since."""
    return any(
        report.occurred_at - earlier >= rules.day
        and _counts(earlier, history)
        and not any(arrived and at > earlier for at, _, arrived in history.campaigns)
        for earlier in history.earlier_domain_failures
    )


def _is_unreachable(history: History, rules: Rules) -> bool:
    if not rules.repeated_soft:
        return False
    bounced: list[datetime] = []
    for at, soft, arrived in list(history.campaigns)[-rules.repeated_window :]:
        if arrived:
            bounced.clear()
        elif soft and _counts(at, history):
            bounced.append(at)
    return len(bounced) >= rules.repeated_soft and bounced[-1] - bounced[0] >= rules.day * rules.repeated_days


def _forgive_old_mail(decision: Decision, report: Report, history: History) -> Decision:
    """Old news settles the mail and spares the person.

    A complaint is no news about an address but a person's wish, so its own time counts.
    """
    at = report.occurred_at if report.verdict == "complaint" else history.mail_at
    if not decision.effect or _counts(at, history):
        return decision
    return replace(
        decision,
        effect=Effect.NONE,
        effect_at=None,
        held=False,
        sentence="This is about a mail from before the person confirmed again or was restored, so it changes "
        "nothing for them.",
    )


def _unlist(decision: Decision, report: Report, history: History) -> Decision:
    """What SES listed although nobody is to blame is to be taken off, old news or not: SES swallows what comes next."""
    swallowed = report.reason == ON_ACCOUNT_LIST and report.verdict == "suppressed"
    if swallowed and history.listed_without_fault:
        return replace(decision, effect=Effect.UNLIST)
    if not report.listed or report.verdict not in FAULTLESS or decision.effect:
        return decision
    return replace(
        decision,
        effect=Effect.UNLIST,
        sentence=f"{decision.sentence} SES puts an address on its own suppression list after such a bounce; "
        "it is taken off again.",
    )


def _counts(at: datetime, history: History) -> bool:
    return history.reset_at is None or at >= history.reset_at
