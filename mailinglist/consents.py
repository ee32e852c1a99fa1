"""The evidence of consent: what was asked and agreed, by whom, from where, on which form. Only ever added to.

The only writer of ConsentRecord, besides the retention that takes IP addresses away. Called by subscriptions.py and
tracking.py, in their transactions. A sign-up that nobody confirmed is evidence of having been asked and of nothing
else: it changes no subscription that was there before.
"""

from dataclasses import dataclass
from datetime import datetime

from mailinglist.models import ConsentRecord, Subscription

Kind = ConsentRecord.Kind
_FORM, _USER_AGENT = 200, 255


@dataclass(frozen=True, slots=True)
class Consent:
    """The evidence of a sign-up: when, from where, and what the form said.

    ``form``: the page or embedded form. ``tracking``: the answer about opens and clicks; None where it was not asked.
    """

    at: datetime
    ip: str | None = None
    user_agent: str = ""
    text: str = ""
    form: str = ""
    tracking: bool | None = None


def keep(kind: ConsentRecord.Kind, row: Subscription, consent: Consent, *, source: str) -> None:
    """Add one piece of evidence about a subscription."""
    evidence(kind, row, consent, source=source).save(force_insert=True)


def evidence(kind: ConsentRecord.Kind, row: Subscription, consent: Consent, *, source: str) -> ConsentRecord:
    """The piece of evidence, for a caller that stores it together with other rows."""
    return ConsentRecord(
        subscriber_id=row.subscriber_id,
        list_id=row.list_id,
        kind=kind,
        at=consent.at,
        ip=consent.ip,
        user_agent=consent.user_agent[:_USER_AGENT],
        text=consent.text,
        form=consent.form[:_FORM],
        source=source,
        tracking=consent.tracking,
    )


def put_in_force(row: Subscription, consent: Consent, *, source: str) -> None:
    """The subscription rests on this consent from now on. Does not save it."""
    row.source = source
    row.consent_at, row.consent_ip = consent.at, consent.ip
    row.consent_user_agent, row.consent_text = consent.user_agent[:_USER_AGENT], consent.text
    if consent.tracking is not None:
        row.tracking_consent = consent.tracking


def put_last_asked_in_force(row: Subscription) -> None:
    """The same with what was asked last, which is what a confirmation confirms. Does not save it."""
    asked = (
        ConsentRecord.objects.filter(subscriber_id=row.subscriber_id, list_id=row.list_id, kind=Kind.ASKED)
        .order_by("-at", "-pk")
        .first()
    )
    if asked:
        found = Consent(asked.at, asked.ip, asked.user_agent, asked.text, asked.form, asked.tracking)
        put_in_force(row, found, source=asked.source)
