"""PURE. Every reason a verdict can have: the verdict it leads to, and the sentence that a list manager
reads.
"""

from typing import NamedTuple

from bounces.verdicts.facts import Verdict


class Reason(NamedTuple):
    """What a reason code stands for."""

    verdict: str
    sentence: str


_LATER = "We will try again later."
_OURS = "This is not the person's fault."

REASONS: dict[str, Reason] = {
    # hard: the address does not exist
    "user-unknown": Reason("hard", "The address does not exist at the receiving server."),
    "address-invalid": Reason("hard", "The address is written in a way that no mail can reach."),
    "address-moved": Reason("hard", "The person has moved to another address and no longer reads this one."),
    "address-refused": Reason("hard", "The receiving server refuses this address for good."),
    # soft: it may work later
    "domain-not-found": Reason(
        "soft",
        "The domain of the address does not exist or takes no mail. If a second attempt a day later fails "
        "in the same way, the address counts as dead.",
    ),
    "mailbox-full": Reason("soft", f"The mailbox is full. {_LATER}"),
    "mailbox-disabled": Reason("soft", f"The mailbox is switched off or locked at the moment. {_LATER}"),
    "mailbox-restricted": Reason("soft", f"The person's own filter or settings refused the mail. {_LATER}"),
    "greylisting": Reason("soft", f"The receiving server asks every new sender to come again. {_LATER}"),
    "over-rate": Reason("soft", f"The receiving server takes only so many mails at a time. {_LATER}"),
    "timeout": Reason("soft", f"The receiving server did not answer in time. {_LATER}"),
    "connection": Reason("soft", f"The receiving server could not be reached. {_LATER}"),
    "mail-loop": Reason("soft", f"The receiving side passes the mail round in a circle. {_LATER}"),
    "encryption": Reason("soft", f"No encrypted connection to the receiving server could be made. {_LATER}"),
    "server-error": Reason("soft", f"The receiving server had a fault of its own. {_LATER}"),
    "server-full": Reason("soft", f"The disk of the receiving server is full. {_LATER}"),
    "temporary": Reason("soft", f"The receiving server refused the mail for now. {_LATER}"),
    # block: the receiver refuses us
    "blocklist": Reason("block", f"The receiver has our sending server on a blocklist. {_OURS}"),
    "reputation": Reason("block", f"The receiver trusts our sending address too little. {_OURS}"),
    "spam": Reason("block", f"The receiver took the mail for spam. {_OURS}"),
    "policy": Reason("block", f"The receiver's policy does not allow our mail. {_OURS}"),
    "spf": Reason("block", f"The SPF check of our sending domain failed. {_OURS}"),
    "dkim": Reason("block", f"The DKIM signature of our mail was not accepted. {_OURS}"),
    "dmarc": Reason("block", f"Our mail failed the DMARC policy of its sender's domain. {_OURS}"),
    "authentication": Reason("block", f"Our mail could not prove whom it comes from. {_OURS}"),
    "reverse-dns": Reason(
        "block", f"The receiver finds no proper name (PTR) for our sending server. {_OURS}"
    ),
    "sender-refused": Reason("block", f"The receiver does not take mail from our sender address. {_OURS}"),
    "login-required": Reason("block", f"The receiver takes this mail from logged-in senders only. {_OURS}"),
    "protocol": Reason("block", f"The receiver did not accept the way our server talked to it. {_OURS}"),
    # message: this one mail was refused
    "message-too-large": Reason("message", "The mail is too large for the receiver."),
    "content-rejected": Reason("message", "The receiver refuses the content of this mail."),
    "attachment-rejected": Reason("message", "The receiver refuses an attachment of this mail."),
    "virus": Reason("message", "A virus scanner refused this mail."),
    "malformed": Reason(
        "message", "The receiver finds that this mail breaks the rules for how mails are built."
    ),
    "rendering-failure": Reason("message", "Amazon SES could not build the mail from its template."),
    # unknown: nobody can tell
    "relay-denied": Reason("unknown", "The server that was asked does not feel responsible for the domain."),
    "unclear": Reason(
        "unknown", "The report does not say why the mail did not arrive. It counts against nobody."
    ),
    "unreadable": Reason("unknown", "The report could not be read. It counts against nobody."),
    # what SES does by itself
    "suppressed": Reason(
        "suppressed", "Amazon SES did not send: the address bounced lately for some sender."
    ),
    "account-list": Reason(
        "suppressed", "Amazon SES did not send: the address is on your account's suppression list."
    ),
    "tenant-list": Reason(
        "suppressed", "Amazon SES did not send: the address is on your tenant's suppression list."
    ),
    "address-validation": Reason(
        "suppressed", "Amazon SES did not send: its check says the address takes no mail."
    ),
    "unsubscribed-recipient": Reason(
        "suppressed", "Amazon SES did not send: the person unsubscribed in a contact list of SES."
    ),
    # complaints
    "abuse": Reason("complaint", "The person reported the mail as spam."),
    "fraud": Reason("complaint", "The mail was reported as fraud."),
    "virus-report": Reason("complaint", "The mail was reported as carrying a virus."),
    "opt-out": Reason("complaint", "The person asked, through their provider, for no more mail."),
    "not-spam": Reason("complaint", "The person said that the mail is not spam. Nothing changes."),
    "other-complaint": Reason("complaint", "The receiver reported a complaint about the mail."),
    # neither good nor bad
    "auto-reply": Reason(
        "auto-reply", "An automatic reply, such as an out-of-office note. The mail arrived."
    ),
    "delivered": Reason("delivered", "The receiving server took the mail."),
    "sent": Reason("not-a-bounce", "Amazon SES took the mail and will try to deliver it."),
    "opened": Reason("not-a-bounce", "The mail was opened."),
    "clicked": Reason("not-a-bounce", "A link in the mail was followed."),
    "subscription": Reason("not-a-bounce", "The person changed their subscriptions at SES."),
    "receipt": Reason("not-a-bounce", "A receipt that the mail was read or thrown away."),
    "challenge": Reason("not-a-bounce", "A program asks the sender to confirm; the mail waits there."),
    "auth-report": Reason(
        "not-a-bounce",
        "The receiver reported how the mail fared in its authentication checks. No reader complained, so nothing "
        "changes.",
    ),
    "other-report": Reason(
        "not-a-bounce", "The receiver reported something that is no complaint of the reader. Nothing changes."
    ),
    "report": Reason("not-a-bounce", "A report about mail traffic in general, not about one mail."),
    "ordinary-mail": Reason("not-a-bounce", "A mail that reports nothing about a mail of ours."),
    "unsubscribe-mail": Reason("not-a-bounce", "A mail that asks to end a subscription."),
    "unheard-of": Reason("unknown", "A report of a kind that is not known here. It counts against nobody."),
}


#: What a report of a missing domain means where it stands alone and no second attempt is going to confirm it.
DOMAIN_GONE = Verdict(
    "hard", "domain-not-found", "The domain of the address does not exist or takes no mail."
)


def verdict(reason: str) -> Verdict:
    """The verdict that ``reason`` leads to. Raises KeyError for a code that is not in the table."""
    kind, sentence = REASONS[reason]
    return Verdict(kind, reason, sentence)
