"""PURE. SES's own words → reason: what a report's kind, type and subtype say when no server's text does."""

#: Subtypes that say that SES itself did not send; no server was asked, so that no text can know better.
NOT_SENT: dict[str, str] = {
    "Suppressed": "suppressed",
    "OnAccountSuppressionList": "account-list",
    "OnTenantSuppressionList": "tenant-list",
    "EmailValidationSuppressed": "address-validation",
    "UnsubscribedRecipient": "unsubscribed-recipient",
}

#: Type and subtype, where no text said anything. "" as subtype: any other one, also those that SES may add.
BOUNCE_TYPES: dict[tuple[str, str], str] = {
    ("Permanent", "General"): "address-refused",
    ("Permanent", "NoEmail"): "user-unknown",
    ("Transient", "MailboxFull"): "mailbox-full",
    ("Transient", "MessageTooLarge"): "message-too-large",
    ("Transient", "ContentRejected"): "content-rejected",
    ("Transient", "AttachmentRejected"): "attachment-rejected",
    ("Transient", "CustomTimeoutExceeded"): "timeout",
    ("Transient", ""): "temporary",
}

#: Complaints by feedback type (RFC 5965, 6591); "" is a complaint that came without a report. A type that is not here
#: is no complaint of a reader.
COMPLAINTS: dict[str, str] = {
    "": "abuse",
    "abuse": "abuse",
    "fraud": "fraud",
    "virus": "virus-report",
    "opt-out": "opt-out",
    "opt-out-list": "opt-out",
    "not-spam": "not-spam",
    "other": "other-complaint",
    "auth-failure": "auth-report",
    "dkim": "auth-report",
    "dmarc": "auth-report",
}

#: Kinds of report that need no judgement.
SETTLED: dict[str, str] = {
    "send": "sent",
    "delivery": "delivered",
    "open": "opened",
    "click": "clicked",
    "subscription": "subscription",
    "reject": "virus",
    "rendering-failure": "rendering-failure",
    "auto-reply": "auto-reply",
    "receipt": "receipt",
    "challenge": "challenge",
    "report": "report",
    "ordinary": "ordinary-mail",
    "unsubscribe": "unsubscribe-mail",
    "unreadable": "unreadable",
}

#: Types of DeliveryDelay that say more than a text would.
DELAYS: dict[str, str] = {
    "MailboxFull": "mailbox-full",
    "SpamDetected": "spam",
    "RecipientServerError": "server-error",
    "TransientCommunicationFailure": "connection",
    "IPFailure": "reputation",
    "SendingDeferral": "over-rate",
}
