"""A policy in the words of a list manager. Used by the page of the policies and by what-if."""

from bounces.models import Policy


def sentences(policy: Policy) -> list[str]:
    """The policy as a list manager would say it."""
    return [
        _soft(policy),
        _repeated(policy),
        _block(policy),
        _hard(policy),
        "A complaint ends all subscriptions at once and suppresses the address.",
        "Automatic replies, and mails refused for their size or content, count against nobody.",
    ]


def _soft(policy: Policy) -> str:
    if not policy.soft_retry_days:
        return "After a soft bounce the mail is not sent again. Nothing else changes."
    days = " and ".join(", ".join(f"{day:g}" for day in policy.soft_retry_days).rsplit(", ", 1))
    end = (
        "ends the subscription (you can restore it)"
        if policy.soft_exhausted_unsubscribes
        else "changes nothing else"
    )
    return (
        f"After a soft bounce the same mail is sent again after {days} days. When that was in vain, it {end}."
    )


def _repeated(policy: Policy) -> str:
    if not policy.repeated_soft:
        return "Soft bounces in several campaigns running have no effect."
    return (
        f"Soft bounces in {policy.repeated_soft} of the last {policy.repeated_window} campaigns, spread "
        f"over at least {policy.repeated_days} days and with no delivery since, end the subscription "
        "(you can restore it)."
    )


def _block(policy: Policy) -> str:
    if not policy.block_retry_days:
        return "A blocked mail is not sent again. It never counts against the person."
    after = f"after {policy.block_retry_days:g} day{'' if policy.block_retry_days == 1 else 's'}"
    return f"A blocked mail is sent once more {after}. It never counts against the person."


def _hard(policy: Policy) -> str:
    wait = (
        f" If the address took mail before, this waits {policy.hold_hours:g} hours for a second hard bounce, "
        "so that an outage of a provider costs nobody their subscription."
        if policy.hold_hours
        else ""
    )
    return f"A hard bounce ends all subscriptions of the address and suppresses it.{wait}"
