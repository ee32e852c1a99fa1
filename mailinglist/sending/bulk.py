"""The second transport: SendBulkEmail, up to 50 recipients per call, each with headers, tags and content of their own.

Chosen by the setting SEND_TRANSPORT=bulk, for campaigns only. The version's HTML and text go out once per call as an
inline template; each recipient's values, already escaped for their places, are its replacement data, and a literal that
SES could take for a tag is handed over as a value too. SES answers entry by entry, by position, and each entry has its
own outcome. A lost answer leaves every entry of that call unknown, and nobody else.

Shapes and statuses: SESv2 service model 2019-09-27, SendBulkEmail; the template's limits are those of the SES developer
guide: 50 entries, 1 MB of input, 262,144 characters of replacement data.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from botocore import exceptions as boto

from mailinglist import merge
from mailinglist.merge import Slot, Template
from mailinglist.sending import ses
from mailinglist.sending.list_headers import Headers, Shared
from mailinglist.sending.messages import Content, Mail, Sender
from mailinglist.sending.outcomes import NOT_POSTED, Outcome, Refused, Scope, Unknown, accepted

MOST_ENTRIES, MOST_BYTES = 50, 900_000
_quoted = json.encoder.encode_basestring_ascii

#: Status of an entry → (scope, our code); SUCCESS and what is not listed are told below.
STATUSES: dict[str, tuple[Scope, str]] = {
    "MESSAGE_REJECTED": (Scope.RECIPIENT, "message-rejected"),
    "INVALID_PARAMETER": (Scope.RECIPIENT, "bad-request"),
    "ACCOUNT_THROTTLED": (Scope.THROTTLE, "throttled"),
    "TRANSIENT_FAILURE": (Scope.THROTTLE, "transient"),
    "ACCOUNT_DAILY_QUOTA_EXCEEDED": (Scope.QUOTA, "daily-quota"),
    "ACCOUNT_SUSPENDED": (Scope.ACCOUNT, "ses-suspended"),
    "ACCOUNT_SENDING_PAUSED": (Scope.ACCOUNT, "ses-paused"),
    "CONFIGURATION_SET_SENDING_PAUSED": (Scope.CAMPAIGN, "configuration-set-paused"),
    "CONFIGURATION_SET_NOT_FOUND": (Scope.CAMPAIGN, "configuration-set-missing"),
    "CONFIGURATION_SET_DOES_NOT_EXIST": (Scope.CAMPAIGN, "configuration-set-missing"),
    "MAIL_FROM_DOMAIN_NOT_VERIFIED": (Scope.CAMPAIGN, "not-verified"),
    "TEMPLATE_NOT_FOUND": (Scope.CAMPAIGN, "not-found"),
    "TEMPLATE_DOES_NOT_EXIST": (Scope.CAMPAIGN, "not-found"),
    "INVALID_SENDING_POOL_NAME": (Scope.CAMPAIGN, "not-found"),
    "INVALID_SENDING_POOL": (Scope.CAMPAIGN, "not-found"),
}


@dataclass(frozen=True, slots=True)
class Inline:
    """A version as an inline template of SES, and how a recipient's replacement data are made."""

    html: str
    text: str
    slots: tuple[tuple[str, Slot], ...]
    #: Values that are the same for everybody: literals that hold what SES could take for a tag.
    literals: dict[str, str]


@dataclass(frozen=True, slots=True)
class Bulk:
    """Up to ``size`` mails of one version and list per call; ``single`` posts one mail by itself."""

    call: Callable[[bytes], dict[str, Any]] | None = None
    single: Callable[[Mail], Outcome] = ses.send
    size: int = MOST_ENTRIES

    def group(self, mails: Sequence[Mail]) -> list[list[int]]:
        """Positions by version and list, in calls that stay under SES's limits of entries and bytes."""
        groups: dict[tuple[object, int], list[list[int]]] = {}
        weight: dict[tuple[object, int], int] = {}
        for position, mail in enumerate(mails):
            key = (mail.content.key, id(mail.sender))
            size = sum(map(len, mail.values.values())) + 1500
            calls = groups.setdefault(key, [[]])
            if len(calls[-1]) >= self.size or weight.get(key, 0) + size > MOST_BYTES:
                calls.append([])
                weight[key] = 0
            calls[-1].append(position)
            weight[key] = weight.get(key, 0) + size
        return [call for calls in groups.values() for call in calls]

    def send(self, mails: Sequence[Mail], may_go: Callable[[], bool]) -> list[Outcome]:
        """One call. When SES refuses the call as such, nothing was sent: each mail then goes by itself, as long as
        ``may_go``.
        """
        try:
            found = (self.call or ses.connection().send_bulk_email)(body(mails))
        except boto.ClientError as error:
            outcome = ses.from_api_error(error)
            if isinstance(outcome, Refused) and outcome.scope is Scope.RECIPIENT:
                return [self.single(mail) if may_go() else NOT_POSTED for mail in mails]
            return [outcome] * len(mails)
        except boto.BotoCoreError as error:
            return [ses.from_network_error(error)] * len(mails)
        results = found.get("BulkEmailEntryResults")
        if not isinstance(results, list) or len(results) != len(mails):
            return [Unknown("no-answer", "SES did not answer for every entry of the call.")] * len(mails)
        return [outcome_of(result) for result in results]


def body(mails: Sequence[Mail]) -> bytes:
    """The request of one call: all ``mails`` are of one version and one list."""
    inline = _inline(mails[0].content)
    entries = ",".join([_entry(mail, inline) for mail in mails])
    return f'{_head(mails[0].sender, inline)}, "BulkEmailEntries": [{entries}]}}'.encode()


def outcome_of(result: Any) -> Outcome:
    """What SES says about one entry."""
    status, text = str(result.get("Status", "")), str(result.get("Error") or "")
    if status == "SUCCESS" and result.get("MessageId"):
        return accepted(result["MessageId"])
    if status in STATUSES:
        scope, code = STATUSES[status]
        return Refused(scope, code, text or status, ses.RETRY_AFTER.get(scope, 0))
    # FAILED says nothing about whether the mail left, nor does a status that is new or a success without an id.
    return Unknown("entry-failed", text or status or "SES said nothing about this entry.")


def inline_template(content: Content) -> Inline:
    """``content`` with a tag of SES in the place of each slot."""
    slots: dict[Slot, str] = {}
    literals: dict[str, str] = {}

    def spell(template: Template) -> str:
        pieces = []
        for piece in template.parts:
            if isinstance(piece, Slot):
                pieces.append(_tag(slots.setdefault(piece, f"v{len(slots)}")))
            elif "{{" in piece or "}}" in piece:
                key = f"t{len(literals)}"
                literals[key] = piece
                pieces.append(_tag(key))
            else:
                pieces.append(piece)
        return "".join(pieces)

    html, text = spell(content.parsed.html), spell(content.parsed.text)
    return Inline(html, text, tuple((key, slot) for slot, key in slots.items()), literals)


def _tag(key: str) -> str:
    return "{{" + key + "}}"


def _entry(mail: Mail, inline: Inline) -> str:
    """The entry's JSON, put together from quoted strings: json.dumps builds an encoder for every call."""
    values = [f'"{key}": {_quoted(merge.value(slot, mail.values))}' for key, slot in inline.slots]
    values += [f'"{key}": {_quoted(text)}' for key, text in inline.literals.items()]
    values.append(f'"subject": {_quoted(mail.values["subject"])}')
    data = _quoted(f"{{{', '.join(values)}}}")
    return (
        f'{{"Destination": {{"ToAddresses": [{", ".join(map(_quoted, mail.to))}]}}, '
        f'"ReplacementEmailContent": {{"ReplacementTemplate": {{"ReplacementTemplateData": {data}}}}}, '
        f'"ReplacementHeaders": [{_pairs(mail.own_headers)}, {_shared_pairs(mail.shared)}], '
        f'"ReplacementTags": [{_pairs(mail.tags)}]}}'
    )


def _pairs(pairs: Headers) -> str:
    """Names are ours, and letters."""
    return ", ".join([f'{{"Name": "{name}", "Value": {_quoted(value)}}}' for name, value in pairs])


@lru_cache(maxsize=64)
def _shared_pairs(shared: Shared) -> str:
    return _pairs(shared.headers)


def _head(sender: Sender, inline: Inline) -> str:
    """What all entries share, without the closing brace."""
    defaults = dict.fromkeys((key for key, _ in inline.slots), "") | inline.literals | {"subject": ""}
    head: dict[str, Any] = {
        "FromEmailAddress": sender.address,
        "DefaultContent": {
            "Template": {
                "TemplateContent": {"Subject": "{{subject}}", "Html": inline.html, "Text": inline.text},
                "TemplateData": json.dumps(defaults),
            }
        },
    }
    if sender.reply_to:
        head["ReplyToAddresses"] = [sender.reply_to]
    if sender.configuration_set:
        head["ConfigurationSetName"] = sender.configuration_set
    return json.dumps(head)[:-1]


@lru_cache(maxsize=64)
def _inline(content: Content) -> Inline:
    return inline_template(content)
