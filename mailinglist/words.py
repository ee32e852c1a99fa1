"""PURE. Codes and states in plain words, and the colour that tells at a glance whether somebody has to act.

Used by the staff pages only. A code that is not in the tables is shown as it is, with its hyphens as spaces.
"""

#: What the colours mean: success it is well · info it goes on by itself · warning somebody may have to look ·
#: danger it ended badly · default nothing to say.
TONES = {
    # campaigns
    "draft": "default",
    "scheduled": "info",
    "paused": "warning",
    "finished": "success",
    # incidents
    "open": "warning",
    "released": "success",
    # subscriptions
    "pending": "info",
    "confirmed": "success",
    "unsubscribed": "default",
    # deliveries
    "queued": "info",
    "sending": "info",
    "sent": "info",
    "unknown": "warning",
    "waiting": "warning",
    "delivered": "success",
    "bounced": "danger",
    "complained": "danger",
    "failed": "danger",
    "skipped": "default",
    "expired": "danger",
    "cancelled": "default",
    # attempts
    "accepted": "success",
    "refused": "danger",
    # verdicts
    "hard": "danger",
    "soft": "warning",
    "block": "warning",
    "message": "warning",
    "complaint": "danger",
    "suppressed": "danger",
    "delayed": "warning",
    # notifications
    "stored": "info",
    "processed": "success",
    "quarantined": "warning",
    # addresses
    "healthy": "success",
    "wavering": "warning",
    "unreachable": "danger",
}

VERDICTS = {
    "hard": "hard bounce",
    "soft": "soft bounce",
    "block": "blocked",
    "message": "message refused",
    "auto-reply": "automatic reply",
    "complaint": "complaint",
    "suppressed": "suppressed by SES",
    "delivered": "delivered",
    "delayed": "delayed",
    "not-a-bounce": "not a bounce",
    "unknown": "not understood",
}

VERDICT_MEANINGS = {
    "hard": "The address or its domain does not exist.",
    "soft": "A passing trouble at the receiver: the same mail is sent again later.",
    "block": "The receiver refuses us, not the address: reputation, authentication or too much mail at once.",
    "message": "This one mail was refused, for its size or content. It says nothing about the address.",
    "auto-reply": "A person or program answered. The mail arrived.",
    "complaint": "The person reported the mail as spam.",
    "suppressed": "SES did not send it, because the address stands on a suppression list of SES.",
    "unknown": "No rule fits. It counts against nobody.",
}

REASONS = {
    "suppressed": "the address is suppressed",
    "unsubscribed": "the person had left the list",
    "paused": "the person had paused all mails",
    "superseded": "a newer mail to the same person took its place",
    "cancelled": "the campaign was cancelled",
    "throttled": "SES asked to slow down",
    "no-answer": "no answer came from SES",
    "no-message-id": "SES answered without an id for the mail",
    "not-stored": "the answer of SES could not be stored",
    "retry-time-ended": "the campaign's time for retries had ended",
    "not-pending": "there was nothing to confirm any more",
    "erased": "the person was erased",
    "held": "SES never answered; a manager decides",
    "poison": "its worker stopped three times; a manager decides",
    "crash": "its worker stopped while sending it",
    "resend": "sent again although an earlier mail may have arrived",
    "provider-turn": "its provider takes fewer mails at a time; its turn is set",
    "provider-slow": "its provider takes fewer mails at a time",
    "manager": "a manager",
    "soft-exhausted": "soft bounces, all retries used",
    "hard-bounce": "hard bounce",
}


def tone(code: str) -> str:
    """The colour for a state, status, verdict or result."""
    return TONES.get(code, "default")


def verdict(code: str) -> str:
    """A verdict as people call it."""
    return VERDICTS.get(code, spaced(code))


def reason(code: str) -> str:
    """A reason code in words; empty for none. Of ``<verdict>:<reason>`` both are told."""
    kind, colon, rest = code.partition(":")
    if colon:
        return f"{verdict(kind)}: {reason(rest)}" if rest else verdict(kind)
    return REASONS.get(code, spaced(code))


def spaced(code: str) -> str:
    return code.replace("-", " ").replace("_", " ")
