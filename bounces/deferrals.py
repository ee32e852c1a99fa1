"""Providers that keep our mails waiting, told to the pace of sending, so that only their mails are slowed.

Called by the pipeline with each batch of events that are about deliveries of ours. What it says is advice: it is passed
on after the batch committed, and losing it costs some delays more.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from bounces.providers import domains, of_address
from bounces.verdicts.reasons import REASONS
from bounces.writing import Found
from mailinglist.sending import providers

#: Reasons of a delay that are about the provider, not about one mailbox or about SES.
DELAYS = frozenset(
    {"over-rate", "spam", "reputation", "blocklist", "server-error", "connection", "timeout", "temporary"}
)
TOO_MANY = "over-rate"
#: SES's word for a provider that takes no more mails from us just now. A single bounce for too many mails can be about
#: one mailbox ("this user receives mail too quickly"), so bounces only count together.
OUTRIGHT = "SendingDeferral"
#: What happened longer ago says nothing about the present pace.
FRESH = timedelta(seconds=providers.WINDOW_SECONDS)


def note(found: Sequence[Found]) -> None:
    """Pass on what these events say about providers, once the transaction commits."""
    since = timezone.now() - FRESH
    reasons: dict[str, list[str]] = defaultdict(list)
    outright: set[str] = set()
    for _, event, match in found:
        delayed = event.verdict.kind == "delayed" and event.verdict.reason in DELAYS
        if not (match.delivery_id and (delayed or event.verdict.reason == TOO_MANY)):
            continue
        if event.fact.occurred_at >= since and (provider := of_address(event.fact.recipient)):
            reasons[provider].append(event.verdict.reason)
            if event.fact.type == OUTRIGHT:
                outright.add(provider)
    if reasons:
        transaction.on_commit(lambda: _report(reasons, outright))


def _report(reasons: dict[str, list[str]], outright: set[str]) -> None:
    for provider in sorted(reasons):
        said = reasons[provider]
        main = TOO_MANY if TOO_MANY in said else max(said, key=said.count)
        providers.report(
            provider,
            domains(provider),
            reports=len(said),
            outright=provider in outright,
            why=REASONS[main].sentence.split(". ")[0].rstrip(".") + ".",
        )
